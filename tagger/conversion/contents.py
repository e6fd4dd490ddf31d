"""What the sentences of a file hold, by the names that things have in `--drop`."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from tagger.conversion.options import Conversion
from tagger.conversion.retag import REPAIR
from tagger.formats.columns.conllu import has_conllu_text
from tagger.formats.columns.fields import NEWDOC
from tagger.formats.standoff.brat import IGNORED
from tagger.formats.table import FORMATS
from tagger.formats.tally import Tally
from tagger.text.gaps import all_known, known_of
from tagger.text.records import implies_offsets
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer, numbers_as_text
from tagger.text.tag_survey import Survey, complain

UNKNOWN_TAGS = "unknown tags"
TEXTS = ("spans", "docbin", "rasa", "xml")  # files of texts with character spans; `spans` is JSON of these


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

    def written(self, wanted: Conversion) -> list[str]:
        """Return the tag layers that are written."""
        return [name for name in self.surveys if name in self.present and name not in wanted.drop]

    def add_layers(self, sentence: Sentence, wanted: Conversion, format: str) -> None:
        """Count the layers of a sentence and their tags."""
        origin = sentence.origin
        numbers = [int(origin.at(i).rpartition(":")[2]) for i in range(len(sentence))] if origin else []
        for name, layer in sentence.layers.items():
            if not isinstance(layer, TagLayer):
                self.note(name, "labels" if isinstance(layer, Label) else "numbers")
                continue
            self.surveys.setdefault(name, Survey()).add(layer.tags, numbers)
            self.counts.setdefault(name, Counter()).update(known_of(layer.tags))
            if not all_known(layer.tags) and name not in wanted.drop:
                self.note(UNKNOWN_TAGS, UNKNOWN_TAGS)
            if format != "conllu" or any(tag != "_" for tag in layer.tags):
                self.note(name, "tags")

    def find_schemes(self, wanted: Conversion, where: str) -> None:
        """Find the scheme of each layer that is written.

        Raises:
            DataError: A tag does not fit its scheme.
        """
        written = self.written(wanted)
        for name, tags in self.surveys.items():
            self.schemes[name] = None
            if name in written and tags.has_scheme():
                self.schemes[name] = scheme = wanted.scheme or tags.scheme()
                self.kinds[name] = "entities"
                complain(tags.unknown(scheme), where)
                if not wanted.repair:
                    complain(tags.invalid(scheme), where, REPAIR)


def survey(sentences: Iterable[Sentence], wanted: Conversion, format: str, tally: Tally) -> Contents:
    """Return what the sentences hold, and what their reader ignored."""
    found = Contents()
    before, num_documents = None, 0
    kept: set[str] = set()  # the keys of records that stay with their sentences
    for sentence in sentences:
        sentence = held(sentence, wanted)
        found.num_sentences += 1
        found.add_layers(sentence, wanted, format)
        if sentence.document not in (None, before):
            before, num_documents = sentence.document, num_documents + 1
        for name in _contents(sentence, wanted, format, str(num_documents), own_tokens=tally.has_tokens):
            found.note(name, name)
        kept.update(sentence.record or ())
        for name in tally.left + tally.unread:  # sets the order of the names; they are counted below
            found.note(name, _kind(name, tally, kept), 0)
    for name, number in (tally.left + tally.unread).items():
        found.note(name, _kind(name, tally, kept), number)
    tally.unread.clear()
    if number := tally.counts.pop(IGNORED, 0):
        found.note("annotations", "annotations", number)
    return found


def held(sentence: Sentence, wanted: Conversion) -> Sentence:
    """Return the sentence with numbers as the new format holds them."""
    return sentence if "numbers" in FORMATS[wanted.to].holds else numbers_as_text(sentence)


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
        text = inner_part(sentence).text if own_tokens else sentence.text  # it may be one sentence of several
        if tuple(text.split()) != sentence.tokens:
            yield "tokens"
    if sentence.text != " ".join(sentence.tokens):
        yield "text" if keeps_text(sentence, wanted.to) else "offsets"


def keeps_text(sentence: Sentence, to: str) -> bool:
    """Whether a format can say text and offsets by the tokens and the text, which for columns is a comment."""
    if to == "conllu":
        return has_conllu_text(sentence)
    if sentence.text != sentence.text.strip() or sentence.meta.get("text", sentence.text) != sentence.text:
        return False
    return implies_offsets(sentence.text, [sentence])


def inner_part(sentence: Sentence) -> Sentence:
    """Return the sentence without the text before its first token and after its last."""
    start, end = sentence.offsets[0][0], sentence.offsets[-1][1]
    offsets = tuple((first - start, last - start) for first, last in sentence.offsets)
    return replace(sentence, text=sentence.text[start:end], offsets=offsets)
