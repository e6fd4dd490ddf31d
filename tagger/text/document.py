"""A document: a text with its sentences, an id and metadata."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tagger.errors import DataError
from tagger.text.records import record_of, spans_of
from tagger.text.schemes import spans_to_tags
from tagger.text.sentence import Label, Sentence, Span, TagLayer
from tagger.wording import quoted, shorten


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its sentences.

    Args:
        text: The whole text.
        sentences: Its sentences. Each has the whole text as its `text`, and offsets in it.
        id: What names the document among others, such as the `id` of its record.
        meta: Anything else that is known about the document.
        labels: The labels of the whole text, if it was labelled as a whole although it has several sentences.
        record: The JSON object that the text was read from; ignored in comparisons.
    """

    text: str
    sentences: tuple[Sentence, ...] = ()
    id: str | int | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Label] = field(default_factory=dict)
    record: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return sum(map(len, self.sentences))

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of all sentences."""
        return tuple(token for sentence in self.sentences for token in sentence.tokens)

    def spans(self, layer: str) -> tuple[Span, ...]:
        """Return the entities of a layer in the order of the text; tokens and characters count in the whole document.

        Raises:
            DataError: A sentence has no such layer, or its tags have no spans.
        """
        return tuple(spans_of(self.sentences, layer))

    def tags(self, layer: str) -> tuple[str | None, ...]:
        """Return the tags of a layer, one per token, in the scheme of the training files; None where unknown.

        Raises:
            DataError: A sentence has no such tag layer.
        """
        return tuple(tag for sentence in self.sentences for tag in sentence.tags(layer))

    def label(self, layer: str) -> Label:
        """Return the label of the whole document.

        Raises:
            DataError: There is no such label, or each of several sentences has one of its own.
        """
        if layer in self.labels:
            return self.labels[layer]
        if len(self.sentences) == 1:
            return self.sentences[0].label(layer)
        if any(isinstance(sentence.layers.get(layer), Label) for sentence in self.sentences):
            raise DataError(
                f"{self._name()} must have one label `{layer}`, got one for each of its {len(self.sentences)} "
                f"sentences; use `sentence.label({layer!r})` for each of `document.sentences`"
            )
        names = quoted(self.labels)
        raise DataError(f"{self._name()} has no label layer `{layer}`; its label layers are: {names or 'none'}")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the document, as `tagger tag` writes it."""
        kept = {**({} if self.id is None else {"id": self.id}), **(self.record or {})}
        return record_of(self.text, self.sentences, labels=self.labels, kept=kept, meta=self.meta)

    def _name(self) -> str:
        return f"document {shorten(self.id)}" if self.id is not None else f"the document {shorten(self.text)}"


def without_unsure(document: Document, least: float) -> Document:
    """Return the document without predicted spans whose score is below `least`; their tokens have the tag `O`."""
    return replace(document, sentences=tuple([_without_unsure(sentence, least) for sentence in document.sentences]))


def _without_unsure(sentence: Sentence, least: float) -> Sentence:
    layers = {}
    for name, layer in sentence.layers.items():
        if isinstance(layer, TagLayer) and layer.scheme is not None and layer.scored_spans is not None:
            kept = tuple((span, score) for span, score in layer.scored_spans if score >= least)
            if len(kept) < len(layer.scored_spans):
                tags = spans_to_tags((span for span, _ in kept), len(sentence), layer.scheme)
                layer = replace(layer, tags=tuple(tags), scored_spans=kept)
        layers[name] = layer
    return replace(sentence, layers=layers)
