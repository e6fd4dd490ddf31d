"""Write the sentences of a file in another format, or raise an error that names what would be lost.

`survey` goes through the sentences once and returns what the file holds. What the new format cannot hold is an error,
unless the user named it. `reformat` then goes through the sentences again to write them.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from tagger.config import ReadingConfig, parse_section
from tagger.conversion.contents import TEXTS, UNKNOWN_TAGS, Contents, held, inner_part, keeps_text, survey
from tagger.conversion.layout import all_columns
from tagger.conversion.losses import refuse_losses
from tagger.conversion.options import Conversion
from tagger.errors import DataError
from tagger.formats.columns.conllu import FIELDS
from tagger.formats.columns.fields import UNKNOWN_MARK, Sample
from tagger.formats.faults import Faults, FirstFault
from tagger.formats.source import Source
from tagger.formats.standoff.sentences import LAYER
from tagger.formats.table import FORMATS, iter_sentences, written
from tagger.formats.tally import Tally
from tagger.text.gaps import known_spans, repaired
from tagger.text.schemes import spans_to_tags
from tagger.text.sentence import Layer, Sentence, TagLayer
from tagger.text.spellings import Spelling, spelling_of
from tagger.wording import counted

READ_AS_SPANS = (*TEXTS, "brat", "pubtator", "webanno")


def reformat(source: Source, write_bytes: Callable[[bytes], object], wanted: Conversion, format: str) -> str:
    """Write all sentences of a source in another format, and return what was done in one line.

    Args:
        source: The file.
        write_bytes: Takes the new lines.
        wanted: What is to be done.
        format: The format of the file, where `spans` is JSON of texts with character spans.

    Raises:
        DataError: The file is broken, or the new format cannot hold something in it.
    """
    config = _reading(source, wanted, format)
    tally, faults = Tally(options=True), Faults()
    spellings: dict[str, Spelling] = {}

    def read(tally: Tally, faults: Faults) -> Iterator[Sentence]:
        sentences = iter_sentences("jsonl" if format == "spans" else format, source, config, tally, faults)
        return (_respelled(sentence, spellings) for sentence in sentences) if spellings else sentences

    held = list(read(tally, faults)) if format in READ_AS_SPANS else None  # because reading them takes long
    found = survey(read(tally, faults) if held is None else held, wanted, format, tally)
    faults.close()
    spellings = _spellings(found, wanted)
    if spellings and held is None:
        found = survey(read(tally := Tally(options=True), Faults()), wanted, format, tally)
    _refuse_missing_labels(found, wanted, source.where)
    found.find_schemes(wanted, source.where)
    refuse_losses(found, wanted, source.where)
    again = read(Tally(), FirstFault()) if held is None else held
    kept = (_kept(sentence, found, wanted) for sentence in again)
    for part in written(wanted.to, kept, found.written(wanted)):
        write_bytes(part)
    spelled = [f"layer `{layer}` {spelling.about}" for layer, spelling in spellings.items()]
    return "; ".join([_summary(found, wanted, format, config.columns, tally), *spelled])


def _refuse_missing_labels(found: Contents, wanted: Conversion, where: str) -> None:
    for name in wanted.labels:
        if found.kinds.get(name) != "labels":
            raise DataError(f"{where}: --labels must name comments, but no sentence has `# {name} = ...`")


def _spellings(found: Contents, wanted: Conversion) -> dict[str, Spelling]:
    """Return how the layers that write tags in their own way do it."""
    spellings = {layer: spelling_of(counts) for layer, counts in found.counts.items() if layer not in wanted.drop}
    return {layer: s for layer, s in spellings.items() if s is not None and not (s.is_io and wanted.scheme)}


def _respelled(sentence: Sentence, spellings: Mapping[str, Spelling]) -> Sentence:
    """Return the sentence with the tags of these layers as the library writes them."""
    layers = {
        name: TagLayer(tuple(spellings[name].read(layer.tags)))
        if name in spellings and isinstance(layer, TagLayer)
        else layer
        for name, layer in sentence.layers.items()
    }
    return replace(sentence, layers=layers)


def read_through(source: Source, wanted: Conversion, format: str) -> bool:
    """Read all sentences of a source, and return whether nothing in it was skipped.

    Raises:
        DataError: The file is broken.
    """
    faults = Faults()
    config, tally = _reading(source, wanted, format), Tally(options=True)
    deque(iter_sentences(format, source, config, tally, faults), maxlen=0)
    faults.close()
    return not tally.skipped_since(Counter())


def _reading(source: Source, wanted: Conversion, format: str) -> ReadingConfig:
    """Return how to read a file without ignoring anything in it."""
    layers = {name: name if format == "spans" else f"# {name}" for name in wanted.labels}
    if format == "conllu":
        layers = {field: field for field in FIELDS if field not in ("id", "form")} | layers
    rules = parse_section(ReadingConfig, wanted.splitting, where="convert").text_rules
    form = wanted.reading
    config = ReadingConfig.model_construct(
        layers=layers if layers and format in ("conll", "conllu", "spans") else None,
        columns=(wanted.columns or all_columns(Sample(source.lines(), config=form))) if format == "conll" else None,
        layer=LAYER if format == "spans" and layers else None,
        misaligned=wanted.misaligned,
        nested=wanted.nested,
        unknown=wanted.unknown,
        **{key: getattr(form, key) for key in wanted.form},
    )
    return config.with_rules(rules)


def _kept(sentence: Sentence, found: Contents, wanted: Conversion) -> Sentence:
    """Return the sentence as it is written, without what is dropped."""
    drop = wanted.drop
    sentence = held(sentence, wanted)
    labels = set(wanted.labels).difference(drop)
    comments = {key: value for key, value in sentence.meta.items() if "comments" not in drop and key not in labels}
    whole = FORMATS[wanted.to].whole  # does not write documents, but needs them to know which text is whose
    document = None if "documents" in drop and not whole else sentence.document
    record = {key: value for key, value in (sentence.record or {}).items() if key not in drop}
    layers = _kept_layers(sentence, found, wanted)
    return replace(_kept_text(sentence, wanted), layers=layers, meta=comments, document=document, record=record)


def _kept_layers(sentence: Sentence, found: Contents, wanted: Conversion) -> dict[str, Layer]:
    """Return the layers that are written, in their schemes, invalid tags repaired."""
    layers: dict[str, Layer] = {}
    for name, layer in sentence.layers.items():
        if name in wanted.drop or (isinstance(layer, TagLayer) and name not in found.present):
            continue
        if isinstance(layer, TagLayer):
            scheme = found.schemes[name]
            tags = repaired(layer.tags, scheme) if scheme else layer.tags
            if scheme and UNKNOWN_TAGS in wanted.drop:
                tags = tuple(spans_to_tags(known_spans(tags, scheme), len(tags), scheme))
            layer = TagLayer(tags, scheme, scheme)
        layers[name] = layer
    return layers


def _kept_text(sentence: Sentence, wanted: Conversion) -> Sentence:
    """Return the sentence without its text or its offsets, if they are dropped."""
    if not sentence.tokens or not {"text", "offsets"} & set(wanted.drop):
        return sentence
    inner = inner_part(sentence)
    told = "text" not in wanted.drop and keeps_text(inner, wanted.to)
    return inner if told else Sentence.from_tokens(sentence.tokens)


def _summary(found: Contents, wanted: Conversion, format: str, columns: Sequence[str] | None, tally: Tally) -> str:
    """Return in one line what was read, repaired, discarded and ignored."""
    read = f" (columns {','.join(columns)})" if columns else ""
    schemes = {name: scheme for name, scheme in found.schemes.items() if scheme}
    repaired = sum(found.surveys[name].invalid(scheme)[0] for name, scheme in schemes.items())
    parts = [f"{format}{read} to {wanted.to}: {counted(found.num_sentences, 'sentence')}"]
    parts += [f"layer `{name}` reads as {scheme.upper()}" for name, scheme in schemes.items()]
    parts += [f"{counted(repaired, 'invalid tag')} repaired as conlleval does"] if repaired else []
    parts += [_discarded(name, found) for name in wanted.drop]
    if UNKNOWN_TAGS in found.present and UNKNOWN_TAGS not in wanted.drop and FORMATS[wanted.to].has_columns:
        parts.append(f"unknown tags are written as {UNKNOWN_MARK!r}; read them with unknown = {UNKNOWN_MARK!r}")
    return "; ".join([*parts, *tally.notes()])


def _discarded(name: str, found: Contents) -> str:
    """Return what became of a name in --drop; one that the file does not have may be for another file of a loop."""
    if name not in found.present:
        return f"there is no `{name}` to discard, only {', '.join(f'`{n}`' for n in found.present) or 'text'}"
    noun = "line" if name == "annotations" else "text" if found.kinds[name].startswith("key") else "sentence"
    return f"discarded `{name}` of {counted(found.present[name], noun)}"
