"""Entity scores as they are published: by seqeval, strict in the scheme of the tags, its default mode beside it.

This module alone knows seqeval's ways, and gives it what it reads rightly:

- BIOES is its `IOBES`.
- Its strict mode raises on an unknown prefix, so tags are checked before; `NOUN` never reaches it.
- Its strict mode reads `B-X-` as `B-X`, so types are handed over as numbers and named again afterwards.
- Its default mode knows B, I, E and S only, so `L-` and `U-` are handed to it as `E-` and `S-`.
- It raises or warns on corpora without sentences or without entities; here every rate of such a corpus is 0.0.

Where the tags come from, and tags and labels without spans, are the business of others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from typing import Any

from tagger.metrics.rates import Average, ClassScore, check_aligned, ratio
from tagger.text.schemes import Boundary, Scheme, describe, invalid_positions, is_tag, split_tag

TagLists = list[list[str]]  # seqeval takes lists, no other sequences

SEQEVAL_SCHEMES: dict[Scheme, str] = {"iob1": "IOB1", "iob2": "IOB2", "bioes": "IOBES", "bilou": "BILOU"}
DEFAULT_MODE_PREFIXES = {"L": "E", "U": "S"}


@dataclass(frozen=True, slots=True)
class EntityScores:
    """How well predicted entities agree with gold ones; an entity is correct if type, start and end are.

    Args:
        micro: All entities in one count, strict; the headline.
        macro: The plain mean over the types that have an entity in gold or prediction, strict.
        weighted: The mean over types weighted by their support, strict.
        types: The strict score of each of these types, by name.
        default: The micro average in seqeval's default mode, which also reads what the scheme does not allow.
        invalid_sequences: Predicted sentences whose tags the scheme does not allow.
        sentences: Sentences scored.
        gold_entities: Entities in gold, strict.
        predicted_entities: Entities predicted, strict.
        correct_entities: Entities in both, strict.
        scheme: The scheme of the tags.
        library: What computed the scores, with its version.
        mode: How the headline was computed.
        calibration_error: How far the probabilities of predicted entities are from how often they are right, from 0 to
            1; None where they have none, as tags alone do not.
    """

    micro: Average
    macro: Average
    weighted: Average
    types: Mapping[str, ClassScore]
    default: Average
    invalid_sequences: int
    sentences: int
    gold_entities: int
    predicted_entities: int
    correct_entities: int
    scheme: Scheme
    library: str
    mode: str = "strict"
    calibration_error: float | None = None

    @property
    def headline(self) -> float:
        """The strict micro F1, from 0 to 1."""
        return self.micro.f1

    @property
    def default_scheme(self) -> Scheme:
        """The scheme in which seqeval's default mode saw the tags."""
        return "bioes" if self.scheme == "bilou" else self.scheme

    def to_dict(self) -> dict[str, object]:
        """The scores as JSON has them, strict micro rates on top."""
        return {
            **self.micro.to_dict(),
            "macro": self.macro.to_dict(),
            "weighted": self.weighted.to_dict(),
            "types": {name: score.to_dict() for name, score in self.types.items()},
            "default": {**self.default.to_dict(), "scheme": self.default_scheme},
            "invalid_sequences": self.invalid_sequences,
            "sentences": self.sentences,
            "gold_entities": self.gold_entities,
            "predicted_entities": self.predicted_entities,
            "correct_entities": self.correct_entities,
            "scheme": self.scheme,
            "mode": self.mode,
            "library": self.library,
            "calibration_error": self.calibration_error,
        }


@dataclass(frozen=True, slots=True)
class _StrictScores:
    """What seqeval's strict mode says; types by the names it was given."""

    micro: Average
    macro: Average
    weighted: Average
    types: Mapping[str, ClassScore]
    gold: int
    predicted: int
    correct: int


def score_entities(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: Scheme) -> EntityScores:
    """The scores of predicted tags against gold ones, sentence by sentence, both in `scheme`.

    Raises:
        ValueError: Gold and predicted differ in length, or a tag is none of the scheme.

    Source:
        Nakayama (2018), seqeval. Tjong Kim Sang and Buchholz (2000), "Introduction to the CoNLL-2000 shared task",
        for the measure. Compared with seqeval's own report in tests/metrics/test_entities.py.
    """
    check_aligned(gold, predicted)
    _check_tags("gold", gold, scheme)
    _check_tags("predicted", predicted, scheme)
    tags = set(chain.from_iterable(chain(gold, predicted)))
    types = sorted({split_tag(tag)[1] for tag in tags} - {""})
    numbers = {name: f"{number:09d}" for number, name in enumerate(types)}  # of one length: sorted as the names are
    names = {number: name for name, number in numbers.items()}
    strict = _score_strict(_numbered(gold, numbers), _numbered(predicted, numbers), SEQEVAL_SCHEMES[scheme])
    return EntityScores(
        micro=strict.micro,
        macro=strict.macro,
        weighted=strict.weighted,
        types={names[number]: score for number, score in strict.types.items()},
        default=_score_default(
            _numbered(gold, numbers, DEFAULT_MODE_PREFIXES), _numbered(predicted, numbers, DEFAULT_MODE_PREFIXES)
        ),
        invalid_sequences=sum(bool(invalid_positions(sentence, scheme)) for sentence in predicted),
        sentences=len(gold),
        gold_entities=strict.gold,
        predicted_entities=strict.predicted,
        correct_entities=strict.correct,
        scheme=scheme,
        library=f"seqeval {version('seqeval')}",
    )


def span_f1(gold: Iterable[Iterable[Boundary]], predicted: Iterable[Iterable[Boundary]]) -> float:
    """Micro F1 of predicted spans against gold ones, sentence by sentence, from 0 to 1; 0.0 without any span.

    A fast count for choosing among epochs. Of the spans that `tags_to_spans` reads it is the headline of
    `score_entities`, but for invalid IOB1: there seqeval finds entities that IOB1 does not write (`I-X` behind a
    `B-X` that divides nothing) and misses some that it does (`B-X` right before `B-Y`).

    Raises:
        ValueError: Gold and predicted have not as many sentences.

    Source:
        F1 = 2 correct / (gold + predicted), the harmonic mean of precision and recall.
        Compared with seqeval's strict mode in tests/metrics/test_entities.py.
    """
    correct = total = 0
    for left, right in zip(gold, predicted, strict=True):
        gold_spans, predicted_spans = set(left), set(right)
        correct += len(gold_spans & predicted_spans)
        total += len(gold_spans) + len(predicted_spans)
    return ratio(2 * correct, total)


def _check_tags(side: str, sentences: Sequence[Sequence[str]], scheme: Scheme) -> None:
    unknown = {tag for tag in set(chain.from_iterable(sentences)) if not is_tag(tag, scheme)}
    if unknown:
        number, tag = next((i, tag) for i, tags in enumerate(sentences) for tag in tags if tag in unknown)
        raise ValueError(
            f"{side} sentence {number}: tag {tag!r} is no {describe(scheme)}; tags without spans go to score_tags"
        )


def _numbered(
    sentences: Sequence[Sequence[str]], numbers: Mapping[str, str], prefixes: Mapping[str, str] | None = None
) -> TagLists:
    """The tags as lists, each type as its number, and each prefix that stands in `prefixes` as its value there."""
    renamed = {"O": "O"}
    for tag in set(chain.from_iterable(sentences)) - {"O"}:
        prefix, name = split_tag(tag)
        renamed[tag] = f"{(prefixes or {}).get(prefix, prefix)}-{numbers[name]}"
    return [[renamed[tag] for tag in sentence] for sentence in sentences]


def _score_strict(gold: TagLists, predicted: TagLists, scheme_name: str) -> _StrictScores:
    """Every strict score, the tags read once."""
    import seqeval.scheme
    from seqeval.metrics.v1 import precision_recall_fscore_support

    scheme = getattr(seqeval.scheme, scheme_name)
    entities = [seqeval.scheme.Entities(sentences, scheme) for sentences in (gold, predicted)]
    names = sorted(entities[0].unique_tags | entities[1].unique_tags)
    if not names:
        return _StrictScores(Average(), Average(), Average(), {}, 0, 0, 0)

    def rates(average: str | None) -> tuple[Any, ...]:
        read = {"entities_true": entities[0], "entities_pred": entities[1]}
        found = precision_recall_fscore_support(
            gold, predicted, average=average, scheme=scheme, zero_division=0, **read
        )
        return tuple(found)

    gold_entities, predicted_entities = (set(chain.from_iterable(side.entities)) for side in entities)
    return _StrictScores(
        micro=_average(rates("micro")),
        macro=_average(rates("macro")),
        weighted=_average(rates("weighted")),
        types={
            name: ClassScore(float(precision), float(recall), float(f1), int(support))
            for name, precision, recall, f1, support in zip(names, *rates(None), strict=True)
        },
        gold=len(gold_entities),
        predicted=len(predicted_entities),
        correct=len(gold_entities & predicted_entities),
    )


def _score_default(gold: TagLists, predicted: TagLists) -> Average:
    """The micro average of seqeval's default mode."""
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    if not gold:
        return Average()
    return _average(precision_recall_fscore_support(gold, predicted, average="micro", zero_division=0))


def _average(rates: Sequence[Any]) -> Average:
    return Average(float(rates[0]), float(rates[1]), float(rates[2]))
