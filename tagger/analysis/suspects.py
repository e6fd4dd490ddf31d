"""Likely errors of gold data: where a model that did not learn from the gold labels confidently disagrees with them.

A `Search` collects the disagreements of a layer, of one model or of the models of all folds of a cross-validation.
`confident_learning.py` then says how many of them are likely errors. The disagreements are ranked by how many times
more probable the proposed reading is than gold, and the first ones are the suspects.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.analysis.confident_learning import class_thresholds, confident_classes
from tagger.analysis.listing import Mistake, entries
from tagger.analysis.mistakes import find_mistakes
from tagger.analysis.wrong_values import wrong_classes, wrong_tags
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.metrics.resampling import Statistic, accuracy
from tagger.text.sentence import Sentence, tokens_in

Floats = NDArray[np.floating]
KINDS = {"missed": "extra entity", "invented": "missing entity", "both wrong": "wrong type and boundary"}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A place where gold is likely wrong.

    Args:
        layer: The layer.
        kind: What is likely wrong with gold, such as `missing entity`.
        place: File and line of its first token, or the sentence if it was not read from a file.
        gold: What gold has there, each with `type`, `text`, and `start` and `end` in the text of the place.
        proposed: What the model has there, in the same form.
        probability: The probability of the proposed reading: of its least probable tag.
        gold_probability: The same of the reading of gold.
        context: The words before the place, its text, and the words after it.
        sentence: The gold sentence.
        tokens: The first token of the place, and the one after its last.
    """

    layer: str
    kind: str
    place: str
    gold: tuple[dict[str, Any], ...]
    proposed: tuple[dict[str, Any], ...]
    probability: float
    gold_probability: float
    context: tuple[str, str, str]
    sentence: Sentence
    tokens: tuple[int, int]

    @property
    def doubt(self) -> float:
        """The share of the proposed reading in the probabilities of both readings, from 0 to 1."""
        both = self.probability + self.gold_probability
        return self.probability / both if both else 0.5

    def to_dict(self) -> dict[str, Any]:
        """Return the suspect as JSON values."""
        left, text, right = self.context
        return {
            "place": self.place,
            "layer": self.layer,
            "kind": self.kind,
            "left": left,
            "text": text,
            "right": right,
            "gold": list(self.gold),
            "proposed": list(self.proposed),
            "probability": round(self.probability, 4),
            "gold_probability": round(self.gold_probability, 4),
        }


@dataclass(frozen=True, slots=True)
class Suspects:
    """The disagreements of a layer.

    Args:
        layer: The layer.
        noun: What was compared: `entity`, `token` or `sentence`.
        total: How many of these gold has.
        ranked: All disagreements, the most doubtful gold first.
        number: How many of them are likely errors.
        score: F1 of entities, or accuracy, of the predictions that were compared with gold; from 0 to 1.
        guess: The score without a model: the share of the most frequent tag or label of gold; 0 for entities.
    """

    layer: str
    noun: str
    total: int
    ranked: tuple[Suspect, ...]
    number: int
    score: float
    guess: float

    @property
    def likely(self) -> tuple[Suspect, ...]:
        """The disagreements that are likely errors of gold."""
        return self.ranked[: self.number]

    @property
    def is_reliable(self) -> bool:
        """Whether the models agree with most of gold, and with more of it than a guess would."""
        return not self.ranked or self.score > max(0.5, self.guess)


class _Item(NamedTuple):
    """One token or sentence: its label, and the probability of each class by the ids of the search."""

    given: int
    classes: Sequence[int]
    probabilities: Floats


@dataclass
class Search:
    """The search for likely errors of a layer.

    Args:
        layer: The layer.
    """

    layer: str
    _classes: dict[str, int] = field(default_factory=dict)
    _given: "array[int]" = field(default_factory=lambda: array("q"))
    _own: "array[float]" = field(default_factory=lambda: array("d"))
    _found: list[tuple[Suspect, list[_Item]]] = field(default_factory=list)
    _noun: str = ""
    _total: int = 0
    _sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    _statistic: Statistic = accuracy

    def add(self, layer: ScoredLayer, names: Sequence[str], probabilities: Iterable[Floats]) -> None:
        """Add the disagreements of a model with gold sentences.

        Args:
            layer: The gold and predicted sentences.
            names: The classes of the model: tags in the scheme of its head, or labels.
            probabilities: The probability of each class for each sentence, of shape (tokens, classes); (1, classes) for
                labels of sentences.
        """
        column, ids = {name: i for i, name in enumerate(names)}, [self._id(name) for name in names]
        given, proposed = (_readings(layer, side) for side in (layer.gold, layer.predicted))
        rows = list(probabilities)
        for labels, table in zip(given, rows, strict=True):
            self._count(labels, table, column)
        mistakes, self._noun, number = _mistakes(layer)
        self._total += number
        self._sums, self._statistic = self._sums + layer.counts.sum(0), layer.statistic
        for mistake, entry in zip(mistakes, entries(layer, mistakes), strict=True):
            i = mistake.sentence
            tokens = _tokens(layer.gold[i], mistake)
            places = [0] if isinstance(layer, ClassLayer) else tokens
            sides = [[(side[i][place], rows[i][place]) for place in places] for side in (proposed, given)]
            found, gold = (min(_of(label, row, column) for label, row in side) for side in sides)
            items = [
                _Item(self._id(str(given[i][place])), ids, rows[i][place])
                for place in places
                if given[i][place] != proposed[i][place]
            ]
            suspect = _suspect(self.layer, entry, (found, gold), layer.gold[i], (tokens.start, tokens.stop))
            self._found.append((suspect, items))

    def _id(self, name: str) -> int:
        return self._classes.setdefault(name, len(self._classes))

    def _count(self, labels: Sequence[str | None], table: Floats, column: Mapping[str, int]) -> None:
        """Add the probability of each known label, for the thresholds."""
        for label, row in zip(labels, table, strict=True):
            if label is not None:
                self._given.append(self._id(label))
                self._own.append(_of(label, row, column))

    def found(self) -> Suspects:
        """Return what was found so far."""
        given, own = np.array(self._given, np.int64), np.array(self._own)
        thresholds = class_thresholds(given, own, len(self._classes))
        confident = sum(any(_is_confident(item, thresholds) for item in items) for _, items in self._found)
        ranked = sorted(
            (suspect for suspect, _ in self._found), key=lambda suspect: (-suspect.doubt, -suspect.probability)
        )
        return Suspects(
            layer=self.layer,
            noun=self._noun,
            total=self._total,
            ranked=tuple(ranked),
            number=confident,
            score=float(self._statistic(self._sums)) if self._total else 0.0,
            guess=0.0 if self._noun == "entity" else max(Counter(self._given).values(), default=0) / max(1, len(given)),
        )


def _of(label: str | None, row: Floats, column: Mapping[str, int]) -> float:
    """Return the probability of a label; 0 for one that the model does not know."""
    return float(row[column[label]]) if label is not None and label in column else 0.0


def _is_confident(item: _Item, thresholds: Floats) -> bool:
    """Whether an item counts off the diagonal of the confident joint."""
    likely = int(confident_classes(item.probabilities[None], thresholds[list(item.classes)])[0])
    return likely >= 0 and item.classes[likely] != item.given


def _readings(layer: ScoredLayer, sentences: Sequence[Sentence]) -> list[Sequence[str | None]]:
    """Return the labels of each sentence as the head learns them: one per token, or one."""
    if isinstance(layer, ClassLayer):
        return [(sentence.label(layer.name).value,) for sentence in sentences]
    scheme = layer.scheme if isinstance(layer, EntityLayer) else None
    return [sentence.tags(layer.name, scheme=scheme) for sentence in sentences]


def _mistakes(layer: ScoredLayer) -> tuple[list[Mistake], str, int]:
    """Return where gold and prediction differ, what is compared, and how many of these gold has."""
    if isinstance(layer, EntityLayer):
        return list(_comparable(layer)), "entity", sum(len(pair.gold) for pair in layer.pairs)
    if isinstance(layer, TokenLayer):
        return wrong_tags(layer), "token", sum(map(len, layer.pairs))
    assert isinstance(layer, ClassLayer)
    return wrong_classes(layer), "sentence", len(layer.pairs)


def _comparable(layer: EntityLayer) -> Iterator[Mistake]:
    """Yield the mistakes without those at gold entities that tokens cannot express: no model can agree with these."""
    for mistake in find_mistakes(layer):
        beside = layer.gold[mistake.sentence].tag_layer(layer.name).unaligned
        both = mistake.gold + mistake.predicted
        if not any(e.start_char < m.end_char and m.start_char < e.end_char for e in beside for m in both):
            yield mistake


def _tokens(sentence: Sentence, mistake: Mistake) -> range:
    """Return the tokens of a mistake."""
    both = mistake.gold + mistake.predicted
    start, end = min(mention.start_char for mention in both), max(mention.end_char for mention in both)
    found = tokens_in(sentence, start, end)
    return range(found[0], found[-1] + 1) if found else range(0)


def _suspect(
    layer: str, entry: dict[str, Any], probabilities: tuple[float, float], sentence: Sentence, tokens: tuple[int, int]
) -> Suspect:
    """Return the suspect of a mistake, with the probabilities of the proposed reading and of gold."""
    return Suspect(
        layer=layer,
        kind=KINDS.get(entry["kind"], entry["kind"]),
        place=entry["place"],
        gold=tuple(entry["gold"]),
        proposed=tuple(entry["predicted"]),
        probability=probabilities[0],
        gold_probability=probabilities[1],
        context=(entry["left"], entry["text"], entry["right"]),
        sentence=sentence,
        tokens=tokens,
    )
