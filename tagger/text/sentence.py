"""The sentence, the input and output of every other part of the library.

A sentence is immutable. It has tokens, the text that contains them, and named layers: one tag per token (`TagLayer`),
one class for the whole sentence (`Label`), or numbers (`Values`). A prediction is a new sentence with the same tokens
and predicted layers only.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tagger.errors import DataError
from tagger.text.gaps import converted, known_of, known_spans
from tagger.text.schemes import Boundary, Scheme
from tagger.wording import quoted, shorten

if TYPE_CHECKING:
    from tagger.text.frames import Frames

SHORT = 2000  # characters; token offsets of longer texts rarely occur twice
V = TypeVar("V")
L = TypeVar("L", "TagLayer", "Label", "Values")


def shared(values: Iterable[V], same: dict[Any, Any]) -> tuple[V, ...]:
    """Return the values, each as one object for all equal values seen before; `same` remembers them.

    A corpus has many tokens and few distinct ones, so this saves most of the memory of its strings.
    """
    return tuple([same.setdefault(value, value) for value in values])


@dataclass(frozen=True, slots=True)
class Span:
    """An entity: tokens `[start, end)` and characters `[start_char, end_char)` of the sentence's text.

    `score` is None for gold spans. For predicted spans it is the probability that these tokens form exactly this
    entity, with its type and both boundaries, summed over all tag sequences that contain it. `text` is the part of the
    sentence's text; it is ignored in comparisons.
    """

    type: str
    start: int
    end: int
    start_char: int
    end_char: int
    score: float | None = None
    text: str = field(default="", compare=False)

    def shifted(self, tokens: int) -> "Span":
        """Return the span with its tokens counted from `tokens` tokens earlier, such as the start of a document."""
        return replace(self, start=self.start + tokens, end=self.end + tokens)


class Unaligned(NamedTuple):
    """An entity that tags cannot express: characters `[start_char, end_char)` of the sentence's text."""

    type: str
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Label:
    """One value for the whole sentence; if predicted, with the probability of the value and of each class.

    `attention` has one weight per token, with sum 1, if the head pools by attention. `types` are the classes that the
    corpus annotates, so that the sentence may still be of another class; None: all.
    """

    value: str
    score: float | None = None
    scores: Mapping[str, float] | None = None
    attention: tuple[float, ...] | None = None
    types: tuple[str, ...] | None = None

    def among(self, types: Collection[str] | None) -> "Label":
        """Return the most probable of some classes, with probabilities given that it is one of these.

        A label without probabilities, or without one of these classes, stays as it is.
        """
        known = {name: score for name, score in (self.scores or {}).items() if types is None or name in types}
        total = sum(known.values())
        if types is None or not total:
            return self
        scores = {name: score / total for name, score in known.items()}
        best = max(scores, key=scores.__getitem__)
        return Label(best, scores[best], scores, self.attention)


@dataclass(frozen=True, slots=True)
class TagLayer:
    """One tag per token.

    Args:
        tags: The tags, in `scheme`; None where the tag of a token is unknown.
        scheme: How spans are written in `tags`; None where tags have no spans, such as parts of speech.
        shown: The scheme in which `Sentence.tags` returns them: that of the training files. None: `scheme`.
        scores: A score for each tag.
        scored_spans: The spans of `tags` with their scores, if a head found them; otherwise they are read from `tags`.
        score: A score for the whole sequence of tags.
        readings: The most probable sequences, best first, each a layer with its score, if they were requested.
        unaligned: Entities that the tags do not express, because they begin or end inside a token, cross a sentence or
            share tokens with others. Scores count gold ones as missed and predicted ones as wrong, unless the other
            side has the same characters.
        types: The entity types that are annotated, so that `O` only means that there is none of these. None: all.
    """

    tags: tuple[str | None, ...]
    scheme: Scheme | None = None
    shown: Scheme | None = None
    scores: tuple[float, ...] | None = None
    scored_spans: tuple[tuple[Boundary, float], ...] | None = None
    score: float | None = None
    readings: "tuple[TagLayer, ...]" = ()
    unaligned: tuple[Unaligned, ...] = ()
    types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """Numbers: one per token, or those of the whole sentence.

    Args:
        values: The numbers; None where one is unknown.
        whole: Whether the sentence has these numbers as a whole, such as the next steps of a series. Otherwise there is
            one for each token.
        low: The lower end of the interval of each number, if predicted.
        high: The upper end.
        level: The share of numbers that the intervals are to contain, such as 0.9.
    """

    values: tuple[float | None, ...]
    whole: bool = False
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    level: float | None = None

    @property
    def last(self) -> "Values":
        """The last number alone, with its interval."""
        return self.part(len(self.values) - 1, len(self.values))

    def part(self, start: int, end: int) -> "Values":
        """Return the numbers `[start, end)`, with their intervals."""
        low, high = (None if side is None else side[start:end] for side in (self.low, self.high))
        return replace(self, values=self.values[start:end], low=low, high=high)


Layer = TagLayer | Label | Values


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a sentence was read from, and the line of each of its tokens, counted from 1."""

    path: str
    lines: Sequence[int]

    def at(self, token: int) -> str:
        """Return the position of a token as `path:line`."""
        return f"{self.path}:{self.lines[token] if token < len(self.lines) else self.lines[-1]}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens with their text and named layers.

    Args:
        tokens: The words.
        text: The text that the offsets refer to: the original, or the tokens joined by single spaces.
        offsets: Start and end of each token in `text`, in code points; the end is exclusive.
        layers: Tag layers, labels and numbers by name.
        meta: Comments and ids of the sentence in its file.
        document: The document that the sentence belongs to.
        origin: Where the sentence was read; ignored in comparisons.
        record: The JSON object of a sentence to be tagged, without layers; ignored in comparisons.
        frames: Numbers for each token, for sequences of numbers, whose tokens name the steps; None for text.
    """

    tokens: tuple[str, ...]
    text: str
    offsets: tuple[tuple[int, int], ...]
    layers: Mapping[str, Layer] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    document: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)
    record: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    frames: "Frames | None" = field(default=None, repr=False)

    @classmethod
    def from_tokens(
        cls,
        tokens: Sequence[str],
        layers: Mapping[str, Layer | Sequence[str]] | None = None,
        *,
        meta: Mapping[str, str] | None = None,
        document: str | None = None,
        origin: Origin | None = None,
    ) -> "Sentence":
        """Return a sentence whose text is its tokens joined by single spaces.

        A layer may also be given as a list of tags, or as the name of a class.

        Raises:
            DataError: A list does not have one tag per token.
        """
        words = tuple([plain(token) for token in tokens])
        offsets, position = [], 0
        for word in words:
            offsets.append((position, position + len(word)))
            position += len(word) + 1
        found = {name: _as_layer(name, layer, len(words)) for name, layer in (layers or {}).items()}
        return cls(words, " ".join(words), tuple(offsets), found, meta or {}, document, origin)

    def __len__(self) -> int:
        return len(self.tokens)

    def sharing(self, same: dict[Any, Any]) -> "Sentence":
        """Return the sentence with tokens, tags and offsets that share their objects with other sentences.

        Offsets of a long text are not shared: they rarely occur again.
        """
        layers = {
            name: replace(layer, tags=shared(layer.tags, same)) if isinstance(layer, TagLayer) else layer
            for name, layer in self.layers.items()
        }
        offsets = shared(self.offsets, same) if len(self.text) < SHORT else self.offsets
        return replace(self, tokens=shared(self.tokens, same), offsets=offsets, layers=layers)

    def tags(self, layer: str, *, scheme: Scheme | None = None) -> tuple[str | None, ...]:
        """Return the tags of a layer, in `scheme` if given, else in the scheme of the training files.

        A tag is None if it is unknown, or if another scheme would write it in a way that depends on an unknown tag.

        Raises:
            DataError: The sentence has no such tag layer.
        """
        found = self.tag_layer(layer)
        wanted = scheme or found.shown
        if found.scheme is None or wanted is None or wanted == found.scheme:
            return found.tags
        return converted(found.tags, found.scheme, wanted)

    def tag_scores(self, layer: str) -> tuple[float, ...] | None:
        """Return a score for each tag of a layer, or None if its head gives none."""
        return self.tag_layer(layer).scores

    def boundaries(self, layer: str) -> list[Boundary]:
        """Return type and token range of each span of a layer, without spans that unknown tags leave unclear."""
        found = self.tag_layer(layer)
        if found.scheme is None:
            raise DataError(f"layer `{layer}` has tags without spans; use tags({layer!r})")
        if found.scored_spans is not None:
            return [boundary for boundary, _ in found.scored_spans]
        return known_spans(found.tags, found.scheme)

    def spans(self, layer: str) -> tuple[Span, ...]:
        """Return the entities of a layer, in the order of the text.

        Raises:
            DataError: The sentence has no such layer, or its tags have no spans.
        """
        boundaries, scored = self.boundaries(layer), self.tag_layer(layer).scored_spans
        return tuple(
            self._span(boundary, score) for boundary, score in (scored or ((boundary, None) for boundary in boundaries))
        )

    def _span(self, boundary: Boundary, score: float | None) -> Span:
        first, last = self.offsets[boundary.start][0], self.offsets[boundary.end - 1][1]
        return Span(boundary.type, boundary.start, boundary.end, first, last, score, self.text[first:last])

    def sequence_score(self, layer: str) -> float | None:
        """Return the score of all tags of a layer together: if predicted, the probability of the whole sequence."""
        return self.tag_layer(layer).score

    def readings(self, layer: str) -> "tuple[Sentence, ...]":
        """Return the most probable tag sequences of a layer, best first, if they were requested.

        Each is a sentence with this layer only; its `sequence_score` is its probability.
        """
        return tuple(replace(self, layers={layer: reading}) for reading in self.tag_layer(layer).readings)

    def label(self, layer: str) -> Label:
        """Return the label of a layer.

        Raises:
            DataError: The sentence has no such label layer.
        """
        return self._found(layer, Label, "label")

    def values(self, layer: str) -> Values:
        """Return the numbers of a layer.

        Raises:
            DataError: The sentence has no such layer of numbers.
        """
        return self._found(layer, Values, "value")

    def tag_layer(self, layer: str) -> TagLayer:
        """Return a tag layer with all its scores.

        Raises:
            DataError: The sentence has no such tag layer.
        """
        return self._found(layer, TagLayer, "tag")

    def _found(self, layer: str, wanted: type[L], kind: str) -> L:
        found = self.layers.get(layer)
        if isinstance(found, wanted):
            return found
        names = quoted(name for name, value in self.layers.items() if isinstance(value, wanted))
        where = f"{self.origin.at(0)}: " if self.origin else ""
        raise DataError(f"{where}the sentence has no {kind} layer `{layer}`; its {kind} layers are: {names or 'none'}")


def _as_layer(name: str, layer: Layer | Sequence[str | None], num_tokens: int) -> Layer:
    """Return a layer, which may be given as a list of tags or as the name of a class."""
    if isinstance(layer, Label) or (isinstance(layer, Values) and layer.whole):
        return layer
    if isinstance(layer, str):
        return Label(plain(layer))
    given = layer.tags if isinstance(layer, TagLayer) else layer.values if isinstance(layer, Values) else layer
    if len(given) != num_tokens:
        raise DataError(f"layer `{name}` must have one tag for each of {num_tokens} tokens, got {len(given)}")
    if isinstance(layer, (TagLayer, Values)):
        return layer
    return TagLayer(tuple([None if tag is None else plain(tag) for tag in layer]))


def numbers_as_text(sentence: Sentence) -> Sentence:
    """Return the sentence with numbers as tags, or as the label of the whole sentence with blanks between them.

    Formats without numbers hold them so; `text_as_numbers` is the way back.
    """
    if not any(isinstance(layer, Values) for layer in sentence.layers.values()):
        return sentence
    layers = {n: _in_text(layer) if isinstance(layer, Values) else layer for n, layer in sentence.layers.items()}
    return replace(sentence, layers=layers)


def _in_text(layer: Values) -> TagLayer | Label:
    found = [None if value is None else repr(value) for value in layer.values]
    return Label(" ".join(value or "nan" for value in found)) if layer.whole else TagLayer(tuple(found))


def text_as_numbers(sentence: Sentence, names: Collection[str]) -> Sentence:
    """Return the sentence with numbers instead of the tags or the label of these layers; `nan` is unknown.

    Raises:
        DataError: A tag or label has something else than numbers.
    """
    layers = dict(sentence.layers)
    for name in names:
        match layers.get(name):
            case TagLayer(tags=tags):
                layers[name] = Values(tuple([_number(sentence, name, tag, i) for i, tag in enumerate(tags)]))
            case Label(value=value):
                layers[name] = Values(tuple([_number(sentence, name, part) for part in value.split()]), whole=True)
    return replace(sentence, layers=layers)


def _number(sentence: Sentence, layer: str, text: str | None, token: int = 0) -> float | None:
    try:
        value = math.nan if text is None else float(text)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise DataError(
            f"{place_of(sentence, token)}: layer `{layer}` must have finite numbers, got {shorten(text)}; fix it, or "
            "remove the layer from `numbers`"
        )
    return None if math.isnan(value) else value


def plain(string: str) -> str:
    """Return a string as exactly a `str`: a subclass, such as `numpy.str_`, may behave in its own way."""
    return string if type(string) is str else str.__str__(string)


def check_token(token: str, place: int) -> None:
    """Raise if a token is not a word.

    Raises:
        TypeError: It is not a string.
        DataError: It is empty or white space.
    """
    if not isinstance(token, str):
        raise TypeError(f"token {place} must be a string, got {type(token).__name__}")
    if not token.strip():
        raise DataError(f"token {place} must have a character that is not white space, got {token!r}")


def with_schemes(sentence: Sentence, schemes: Mapping[str, Scheme | None]) -> Sentence:
    """Return the sentence with the schemes of its tag layers set to these; a layer that is not named has none."""
    changed = {
        name: replace(layer, scheme=schemes.get(name), shown=schemes.get(name))
        for name, layer in sentence.layers.items()
        if isinstance(layer, TagLayer) and not layer.scheme == layer.shown == schemes.get(name)
    }
    return replace(sentence, layers={**sentence.layers, **changed}) if changed else sentence


def checked_offsets(offsets: Any, tokens: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """Return start and end of each token; adjacent tokens that are one word in the text have the same offsets.

    Raises:
        DataError: They are not pairs, not in order, or do not select their tokens.
    """
    if not isinstance(offsets, list) or len(offsets) != len(tokens):
        raise DataError(
            f"`offsets` must be a list of [start, end] for each of the {len(tokens)} tokens, "
            f"got {shorten(json.dumps(offsets))}"
        )
    checked: list[tuple[int, int]] = []
    for i, (token, pair) in enumerate(zip(tokens, offsets, strict=True), 1):
        match pair:
            case [int(start), int(end)] if not any(isinstance(number, bool) for number in pair):
                checked.append((start, end))
            case _:
                raise DataError(f"`offsets` of token {i} must be [start, end], got {shorten(json.dumps(pair))}")
        before = checked[-2] if i > 1 else (0, 0)
        first = before[0] if before == (start, end) else before[1]
        if not first <= start <= end <= len(text):
            raise DataError(f"`offsets` of token {i} must lie between {first} and {len(text)} in order, got {pair}")
        one_word = [start, end] in (offsets[i - 2] if i > 1 else None, offsets[i] if i < len(offsets) else None)
        if text[start:end] != token and not one_word:
            raise DataError(f"`offsets` of token {i} must hold {token!r} in `text`, got {shorten(text[start:end])}")
    return tuple(checked)


def place_of(sentence: Sentence, token: int = 0) -> str:
    """Return the position of a token: file and line, or the sentence if it was not read from a file."""
    if sentence.origin is not None:
        return sentence.origin.at(token)
    return f"sentence {sentence.text[:40]!r}, token {token + 1}"


def tokens_in(sentence: Sentence, start_char: int, end_char: int) -> list[int]:
    """Return the tokens that have a character of `[start_char, end_char)` of the sentence's text."""
    return [i for i, (start, end) in enumerate(sentence.offsets) if start < end_char and start_char < end]


def check_spans(layer: str, sentences: Iterable[Sentence]) -> None:
    """Raise if the gold tags of a head that predicts spans have no spans.

    Raises:
        DataError: The tags of the layer have no scheme.
    """
    for sentence in sentences:
        found = sentence.layers.get(layer)
        if isinstance(found, TagLayer) and found.scheme is None and (tags := known_of(found.tags)):
            where = f"{sentence.origin.at(0)}: " if sentence.origin else ""
            raise DataError(
                f"{where}layer `{layer}` must have entities (tags such as B-PER and O), got tags such as "
                f'{tags[0]!r}; set scheme = "none" for the head if its tags have no spans'
            )


def sentence_of_tokens(tokens: Iterable[str]) -> Sentence:
    """Return a sentence with these words.

    Raises:
        TypeError: They are not words in order, but a string, a mapping, a set, or no collection at all.
        DataError: A word is empty or white space.
    """
    if isinstance(tokens, str):
        raise TypeError("tokens must be a list of words, got a string; use tag for a text")
    if not is_ordered(tokens):
        raise TypeError(f"tokens must be a list of words, got {typed(tokens)}")
    tokens = list(tokens)
    for i, token in enumerate(tokens):
        check_token(token, i)
    return Sentence.from_tokens(tokens)


def sentence_of_frames(
    frames: "Frames",
    layers: Mapping[str, Layer | Sequence[str]] | None = None,
    *,
    steps: Sequence[str] | None = None,
    first: int = 0,
    document: str | None = None,
    origin: Origin | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Sentence:
    """Return the sentence of frames.

    Args:
        frames: The frames.
        layers: Its tags and labels, as in `Sentence.from_tokens`.
        steps: The names of the steps, such as their times. Default: their numbers.
        first: The number of the first step.
        document: The series that the frames are part of.
        origin: Where they were read.
        meta: The metadata of the sequence.

    Raises:
        DataError: There is not one name, or not one tag of a layer, for each step, or a name is no text.
    """
    if isinstance(steps, str) or not all(isinstance(step, str) for step in (() if steps is None else steps)):
        raise DataError(f"the names of steps must be a list of texts, got {shorten(steps)}")
    names = [str(first + i) for i in range(len(frames))] if steps is None else [_solid(step) for step in steps]
    if len(names) != len(frames):
        raise DataError(f"frames must have one name for each of {len(frames)} steps, got {len(names)} names")
    sentence = Sentence.from_tokens(names, layers, meta=meta, document=document, origin=origin)
    return replace(sentence, frames=frames)


def _solid(step: str) -> str:
    """Return the name of a step without blanks: a date and a time get the `T` of ISO 8601 between them."""
    return "T".join(step.split()) or "_"


def is_ordered(items: object) -> bool:
    """Whether an object gives items in order: not bytes, and no mapping, set or table, which give numbers or names."""
    unordered = isinstance(items, (bytes, bytearray, memoryview, Mapping, Set)) or hasattr(items, "columns")
    return isinstance(items, Iterable) and not unordered


def typed(value: object) -> str:
    """Return the type of a value and the start of what it is, for a message."""
    return f"{type(value).__name__} {shorten(value)}"
