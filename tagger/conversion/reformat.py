"""Write the sentences of a file in another format, or raise an error that names what would be lost.

`survey` goes through the sentences once and returns what the file holds. What the new format cannot hold is an error,
unless the user named it. `reformat` then goes through the sentences again to write them.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tagger.config import ReadingConfig, parse_section
from tagger.conversion.layout import all_columns
from tagger.conversion.options import Conversion
from tagger.conversion.retag import REPAIR
from tagger.errors import DataError
from tagger.formats.columns.conllu import FIELDS, has_conllu_text
from tagger.formats.columns.fields import NEWDOC, UNKNOWN_MARK, Sample
from tagger.formats.faults import Faults, FirstFault
from tagger.formats.source import Source
from tagger.formats.standoff.brat import IGNORED
from tagger.formats.standoff.sentences import LAYER
from tagger.formats.table import FORMATS, iter_sentences, written
from tagger.formats.tally import Tally
from tagger.text.gaps import all_known, known_of, known_spans, repaired
from tagger.text.records import implies_offsets
from tagger.text.schemes import Scheme, spans_to_tags
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, Values, numbers_as_text
from tagger.text.spellings import Spelling, spelling_of
from tagger.text.tag_survey import Survey, complain
from tagger.wording import counted

MEANINGS = {
    "ranges": " (multi-word tokens and empty nodes of CoNLL-U)",
    "_": " (columns that are not read)",
    "...": " (columns that only some lines have)",
    "start": " (offsets of tokens)",
    "end": " (offsets of tokens)",
    "sentence_end": " (flags of tokens)",
}  # of names that do not explain themselves
UNKNOWN_TAGS = "unknown tags"
TEXTS = ("spans", "docbin", "rasa", "xml")  # files of texts with character spans; `spans` is JSON of these
SPANNED = (*TEXTS, "brat", "pubtator", "webanno")


@dataclass(slots=True)
class Contents:
    """What a file holds beside its text.

    Args:
        present: In how many sentences (or lines) there is each thing, by the name that it has in `--drop`. A layer that
            is `_` throughout is absent.
        kinds: What a format must hold to have a place for it.
        surveys: The tags of each layer.
        schemes: The scheme of each layer.
        counts: How often each tag of a layer occurs.
        num_sentences: The number of sentences.
    """

    present: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, str] = field(default_factory=dict)
    surveys: dict[str, Survey] = field(default_factory=dict)
    schemes: dict[str, Scheme | None] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    num_sentences: int = 0

    def note(self, name: str, kind: str, number: int = 1) -> None:
        """Count a thing; what is an ignored key in one line is no layer in another."""
        self.present[name] += number
        if not self.kinds.get(name, "").startswith("key"):
            self.kinds[name] = kind


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

    held = list(read(tally, faults)) if format in SPANNED else None  # because reading them takes long
    found = survey(read(tally, faults) if held is None else held, wanted, format, tally)
    faults.close()
    spellings = _spellings(found, wanted)
    if spellings and held is None:
        found = survey(read(tally := Tally(options=True), Faults()), wanted, format, tally)
    _check(found, wanted, source.where)
    again = read(Tally(), FirstFault()) if held is None else held
    kept = (_kept(sentence, found, wanted) for sentence in again)
    for part in written(wanted.to, kept, _written(found, wanted)):
        write_bytes(part)
    spelled = [f"layer `{layer}` {spelling.about}" for layer, spelling in spellings.items()]
    return "; ".join([_summary(found, wanted, format, config.columns, tally), *spelled])


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


def form_settings(form: Mapping[str, object]) -> ReadingConfig:
    """Return settings that say how a file is written.

    Raises:
        RecipeError: One has a wrong value.
    """
    return parse_section(ReadingConfig, {"format": "conll", **form}, where="convert")


def _reading(source: Source, wanted: Conversion, format: str) -> ReadingConfig:
    """Return how to read a file without ignoring anything in it."""
    layers = {name: name if format == "spans" else f"# {name}" for name in wanted.labels}
    if format == "conllu":
        layers = {field: field for field in FIELDS if field not in ("id", "form")} | layers
    rules = parse_section(ReadingConfig, wanted.splitting, where="convert").text_rules
    form = form_settings(wanted.form)
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


def survey(sentences: Iterable[Sentence], wanted: Conversion, format: str, tally: Tally) -> Contents:
    """Return what the sentences hold, and what their reader ignored."""
    found = Contents()
    before, num_documents = None, 0
    kept: set[str] = set()  # the keys of records that stay with their sentences
    for sentence in sentences:
        sentence = _held(sentence, wanted)
        found.num_sentences += 1
        origin = sentence.origin
        numbers = [int(origin.at(i).rpartition(":")[2]) for i in range(len(sentence))] if origin else []
        for name, layer in sentence.layers.items():
            if isinstance(layer, Label):
                found.note(name, "labels")
                continue
            if isinstance(layer, Values):
                found.note(name, "numbers")
                continue
            found.surveys.setdefault(name, Survey()).add(layer.tags, numbers)
            found.counts.setdefault(name, Counter()).update(known_of(layer.tags))
            if not all_known(layer.tags) and name not in wanted.drop:
                found.note(UNKNOWN_TAGS, UNKNOWN_TAGS)
            if format != "conllu" or any(tag != "_" for tag in layer.tags):
                found.note(name, "tags")
        if sentence.document not in (None, before):
            before, num_documents = sentence.document, num_documents + 1
        for name in _contents(sentence, wanted, format, str(num_documents), own_tokens=tally.has_tokens):
            found.note(name, name)
        for name in sentence.record or ():
            kept.add(name)
        for name in tally.left + tally.unread:  # sets the order of the names; they are counted below
            found.note(name, _kind(name, tally, kept), 0)
    for name, number in (tally.left + tally.unread).items():
        found.note(name, _kind(name, tally, kept), number)
    tally.unread.clear()
    if number := tally.counts.pop(IGNORED, 0):
        found.note("annotations", "annotations", number)
    return found


def _kind(name: str, tally: Tally, kept: Collection[str]) -> str:
    """Return the kind of a thing that a reader ignored: a key of records that stays with them, or one that is lost."""
    if name not in tally.unread:
        return name
    return "keys" if name in kept else f"key {name}"


def _contents(
    sentence: Sentence, wanted: Conversion, format: str, document_number: str, *, own_tokens: bool
) -> Iterator[str]:
    """Yield what a sentence holds beside its layers; its tokens count only if the file says where they are."""
    if sentence.meta.keys() - set(wanted.labels):
        yield "comments"
    if sentence.document is not None:
        if format not in TEXTS or not FORMATS[wanted.to].whole:  # otherwise each text is one, and they are only counted
            yield "documents"
        given = {document_number, str((sentence.record or {}).get("id"))}  # an `id` is reported as a key of its own
        if sentence.document not in given and not NEWDOC & sentence.meta.keys():
            yield "document names"
    if not sentence.tokens:
        yield "blank lines"
    elif own_tokens or (format not in TEXTS and "tokens" in FORMATS[format].holds):
        text = _inner(sentence).text if own_tokens else sentence.text  # it may be one sentence of several
        if tuple(text.split()) != sentence.tokens:
            yield "tokens"
    if sentence.text != " ".join(sentence.tokens):
        yield "text" if _keeps_text(sentence, wanted.to) else "offsets"


def _keeps_text(sentence: Sentence, to: str) -> bool:
    """Whether a format can say text and offsets by the tokens and the text, which for columns is a comment."""
    if to == "conllu":
        return has_conllu_text(sentence)
    if sentence.text != sentence.text.strip() or sentence.meta.get("text", sentence.text) != sentence.text:
        return False
    return implies_offsets(sentence.text, [sentence])


def _inner(sentence: Sentence) -> Sentence:
    """Return the sentence without the text before its first token and after its last."""
    start, end = sentence.offsets[0][0], sentence.offsets[-1][1]
    offsets = tuple((first - start, last - start) for first, last in sentence.offsets)
    return replace(sentence, text=sentence.text[start:end], offsets=offsets)


def _check(found: Contents, wanted: Conversion, where: str) -> None:
    """Find the scheme of each layer, and refuse what is wrong or would be lost.

    Raises:
        DataError: A label is not there, a tag does not fit its scheme, or something has no place in the new format.
    """
    for name in wanted.labels:
        if found.kinds.get(name) != "labels":
            raise DataError(f"{where}: --labels must name comments, but no sentence has `# {name} = ...`")
    for name, tags in found.surveys.items():
        found.schemes[name] = None
        if name in found.present and name not in wanted.drop and tags.has_scheme():
            found.schemes[name] = scheme = wanted.scheme or tags.scheme()
            found.kinds[name] = "entities"
            complain(tags.unknown(scheme), where)
            if not wanted.repair:
                complain(tags.invalid(scheme), where, REPAIR)
    _refuse_losses(found, wanted, where)
    _refuse_gaps(found, wanted, where)


def _refuse_losses(found: Contents, wanted: Conversion, where: str) -> None:
    """Refuse a conversion that would lose something that the user did not name."""
    target, drop = FORMATS[wanted.to], wanted.drop
    strange = set(found.surveys).difference(target.layers) if target.layers is not None else set()
    kept = [name for name in found.present if name not in drop]
    holds = target.holds
    if target.holds_of_labelled is not None and "labels" in {found.kinds[name] for name in kept}:
        holds = target.holds_of_labelled
    lost = [name for name in kept if found.kinds[name] not in holds or name in strange]
    if target.single and not lost:
        lost = [name for name in kept if found.kinds[name] == "entities"][1:]
    if lost:
        shown = ", ".join(f"`{name}`{MEANINGS.get(name, '')}" for name in lost)
        raise DataError(
            f"{where}: {wanted.to} cannot hold {shown}; "
            f'convert to another format, or discard what may be lost with --drop "{",".join([*drop, *lost])}"'
        )


def _refuse_gaps(found: Contents, wanted: Conversion, where: str) -> None:
    """Refuse a layer that some sentences lack where each is a column."""
    filled = found.num_sentences - found.present["blank lines"]
    gaps = [name for name in _written(found, wanted) if found.present[name] < filled]
    if gaps and wanted.to == "conll":
        shown = ", ".join(f"`{name}` in {found.present[name]}" for name in gaps)
        raise DataError(
            f"{where}: a column of conll must be in all {counted(filled, 'sentence')}, got "
            f'{shown}; convert to jsonl, or discard it with --drop "{",".join([*wanted.drop, *gaps])}"'
        )


def _written(found: Contents, wanted: Conversion) -> list[str]:
    """Return the tag layers that are written."""
    return [name for name in found.surveys if name in found.present and name not in wanted.drop]


def _held(sentence: Sentence, wanted: Conversion) -> Sentence:
    """Return the sentence with numbers as the new format holds them."""
    return sentence if "numbers" in FORMATS[wanted.to].holds else numbers_as_text(sentence)


def _kept(sentence: Sentence, found: Contents, wanted: Conversion) -> Sentence:
    """Return the sentence with the layers that are written, in their schemes, invalid tags repaired."""
    drop = wanted.drop
    sentence = _held(sentence, wanted)
    layers: dict[str, Layer] = {}
    for name, layer in sentence.layers.items():
        if isinstance(layer, TagLayer) and name in found.present and name not in drop:
            scheme = found.schemes[name]
            tags = repaired(layer.tags, scheme) if scheme else layer.tags
            if scheme and UNKNOWN_TAGS in drop:
                tags = tuple(spans_to_tags(known_spans(tags, scheme), len(tags), scheme))
            layers[name] = TagLayer(tags, scheme, scheme)
        elif not isinstance(layer, TagLayer) and name not in drop:
            layers[name] = layer
    labels = set(wanted.labels).difference(drop)
    comments = {key: value for key, value in sentence.meta.items() if "comments" not in drop and key not in labels}
    plain = sentence
    if sentence.tokens and ("text" in drop or "offsets" in drop):
        inner = _inner(sentence)
        told = "text" not in drop and _keeps_text(inner, wanted.to)
        plain = inner if told else Sentence.from_tokens(sentence.tokens)
    whole = FORMATS[wanted.to].whole  # does not write documents, but needs them to know which text is whose
    document = None if "documents" in drop and not whole else sentence.document
    record = {key: value for key, value in (sentence.record or {}).items() if key not in drop}
    return replace(plain, layers=layers, meta=comments, document=document, record=record)


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
