"""Entity scores as they are published: computed by seqeval, strict in the scheme of the tags, and in its default mode.

seqeval finds the entities of corpora of up to `SEQEVAL_TOKENS` tokens. In larger ones the tables of the scheme find
them (`counting.py`), which is more than ten times as fast. Both find the same, and seqeval computes all rates.

Only this module calls seqeval, and it works around these limits:

- seqeval calls BIOES `IOBES`.
- Its strict mode raises on an unknown prefix, so tags are checked first; `NOUN` never reaches it.
- Its strict mode reads `B-X-` as `B-X`, so types are passed as numbers and renamed afterwards.
- Its default mode knows only B, I, E and S, so `L-` and `U-` are passed as `E-` and `S-`.
- It raises or warns on corpora without sentences or entities; here every rate of such a corpus is 0.0.

Tags and labels without spans are scored in `classes.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import chain
from typing import Any

from tagger.metrics.calibration import error_lines
from tagger.metrics.counting import PackedTags, Rule, SpanSets, find_spans, pack_both
from tagger.metrics.rates import Average, ClassScore, check_aligned, class_lines, unknown_lines
from tagger.text.schemes import Scheme, describe, is_tag, split_tag

TagLists = list[list[str]]  # seqeval accepts only lists

SEQEVAL_SCHEMES: dict[Scheme, str] = {"iob1": "IOB1", "iob2": "IOB2", "bioes": "IOBES", "bilou": "BILOU"}
DEFAULT_MODE_PREFIXES = {"L": "E", "U": "S"}
SEQEVAL_TOKENS = 50_000  # seqeval needs about one second for this number


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Agreement of predicted entities with gold entities; an entity is correct if its type, start and end are.

    Args:
        micro: Rates over all entities together, strict; the headline.
        macro: The unweighted mean over the types that have an entity in gold or prediction, strict.
        weighted: The mean over types weighted by their support, strict.
        types: The strict score of each of these types, by name.
        default: The micro average in seqeval's default mode, which also accepts tags that are invalid in the scheme.
        invalid_sequences: Number of predicted sentences whose tags are invalid in the scheme.
        sentences: Number of sentences scored.
        gold_entities: Number of gold entities, strict.
        predicted_entities: Number of predicted entities, strict.
        correct_entities: Number of entities in both, strict.
        scheme: The scheme of the tags.
        mode: Mode of the headline.
        library: Library that computed the scores, with its version.
        found_by: What found the entities in the tags: `seqeval`, or `tables` in a large corpus, with the same result.
        unaligned_entities: Number of gold entities that tokens cannot express; each counts as missed.
        calibration_error: Mean difference between the probabilities of predicted entities and the share that is right,
            from 0 to 1; None if they have no probabilities.
        unknown_tokens: Number of tokens whose gold tag is unknown.
        unscored_entities: Number of predicted entities that do not count, because they touch an unknown gold tag or
            gold does not annotate their type.
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
    mode: str
    library: str
    found_by: str = "seqeval"
    unaligned_entities: int = 0
    calibration_error: float | None = None
    unknown_tokens: int = 0
    unscored_entities: int = 0

    @property
    def headline(self) -> float:
        """The strict micro F1, from 0 to 1."""
        return self.micro.f1

    @property
    def rule(self) -> dict[str, str]:
        """What computed the scores, and by which rule."""
        return {"scorer": self.library, "rule": f"{self.mode}, micro F1", "scheme": self.scheme}

    @property
    def default_scheme(self) -> Scheme:
        """The scheme in which tags are passed to seqeval's default mode."""
        return "bioes" if self.scheme == "bilou" else self.scheme

    def to_dict(self) -> dict[str, object]:
        """Return the scores as JSON values, the strict micro rates first."""
        values = asdict(self)
        micro, default = values.pop("micro"), {**values["default"], "scheme": self.default_scheme}
        return {**micro, **values, "default": default}

    def lines(self, *, most: int | None = None) -> list[str]:
        """Return the scores as lines of text, with at most `most` types, if given."""
        averages = {"micro average": self.micro, "macro average": self.macro, "weighted average": self.weighted}
        return [
            str(self.micro),
            *class_lines("type", self.types, averages, support=self.gold_entities, most=most),
            f"entities: {self.gold_entities} gold, {self.predicted_entities} predicted, "
            f"{self.correct_entities} correct",
            *self._unaligned_lines(),
            *unknown_lines(self.unknown_tokens, self.unscored_entities),
            *error_lines(self.calibration_error),
            *self._tables_note(),
        ]

    def _tables_note(self) -> list[str]:
        """Return a line on how the entities were found if seqeval did not find them."""
        if self.found_by == "seqeval":
            return []
        return [f"in more than {SEQEVAL_TOKENS:,} tokens, tables of the scheme find the entities that seqeval finds"]

    def _unaligned_lines(self) -> list[str]:
        """Return a line on the entities that tokens cannot express, if there are any."""
        number = self.unaligned_entities
        return [f"gold entities that do not fit the tokens, counted as missed: {number}"] if number else []


def score_entities(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: Scheme) -> EntityScores:
    """Return the scores of predicted tags against gold tags, sentence by sentence, both in `scheme`.

    Raises:
        ValueError: Gold and predicted differ in length, or a tag does not belong to the scheme.

    Source:
        Nakayama (2018), seqeval. Tjong Kim Sang and Buchholz (2000), "Introduction to the CoNLL-2000 shared task",
        for the measure. Compared with seqeval's own report in tests/metrics/test_entities.py.
    """
    check_aligned(gold, predicted)
    _check_tags("gold", gold, scheme)
    _check_tags("predicted", predicted, scheme)
    packed = pack_both(gold, predicted, scheme)
    small = sum(map(len, gold)) <= SEQEVAL_TOKENS
    strict = _read_with_seqeval((gold, predicted), packed[0].names, scheme) if small else find_all(packed, "strict")
    wanted, found = strict
    types = sorted(wanted.unique_tags | found.unique_tags)
    by_type = _rates(strict, None) if types else ()  # seqeval raises on a corpus without entities
    return EntityScores(
        micro=micro_average(*strict),
        macro=_average(_rates(strict, "macro")) if types else Average(),
        weighted=_average(_rates(strict, "weighted")) if types else Average(),
        types={
            name: ClassScore(float(precision), float(recall), float(f1), int(support))
            for name, precision, recall, f1, support in zip(types, *by_type, strict=True)
        },
        default=_score_default(gold, predicted, packed[0].names)
        if small
        else micro_average(*find_all(packed, "repaired")),
        invalid_sequences=packed[1].num_invalid(),
        sentences=len(gold),
        gold_entities=len(wanted),
        predicted_entities=len(found),
        correct_entities=wanted.num_shared(found),
        scheme=scheme,
        mode="strict",
        library=f"seqeval {version('seqeval')}",
        found_by="seqeval" if small else "tables",
    )


def _check_tags(side: str, sentences: Sequence[Sequence[str]], scheme: Scheme) -> None:
    unknown = {tag for tag in set(chain.from_iterable(sentences)) if not is_tag(tag, scheme)}
    if unknown:
        number, tag = next((i, tag) for i, tags in enumerate(sentences) for tag in tags if tag in unknown)
        raise ValueError(
            f"{side} sentence {number}: {tag!r} is not a valid {describe(scheme)}; tags without spans go to score_tags"
        )


def find_all(sides: Sequence[PackedTags], rule: Rule) -> tuple[SpanSets, ...]:
    """Return the entities of each side."""
    return tuple(find_spans(side, rule) for side in sides)


def _read_with_seqeval(
    sides: Sequence[Sequence[Sequence[str]]], names: Sequence[str], scheme: Scheme
) -> tuple[SpanSets, ...]:
    """Return the entities of each side that seqeval finds in its strict mode."""
    import seqeval.scheme

    rules = getattr(seqeval.scheme, SEQEVAL_SCHEMES[scheme])
    read = (seqeval.scheme.Entities(_numbered(side, names), rules).entities for side in sides)
    return tuple(SpanSets.of((names[int(e.tag)], (e.sent_id, e.start, e.end)) for e in chain(*side)) for side in read)


def _numbered(
    sentences: Sequence[Sequence[str]], names: Sequence[str], prefixes: Mapping[str, str] | None = None
) -> TagLists:
    """Return the tags as lists, with each type as its number and each prefix replaced as `prefixes` says."""
    renamed, numbers = {"O": "O"}, {name: i for i, name in enumerate(names)}
    for tag in set(chain.from_iterable(sentences)) - {"O"}:
        prefix, name = split_tag(tag)
        renamed[tag] = f"{(prefixes or {}).get(prefix, prefix)}-{numbers[name]}"
    return [[renamed[tag] for tag in sentence] for sentence in sentences]


def _score_default(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], names: Sequence[str]) -> Average:
    """Return the micro average of seqeval's default mode, read by seqeval itself."""
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    if not gold:
        return Average()
    sides = [_numbered(side, names, DEFAULT_MODE_PREFIXES) for side in (gold, predicted)]
    return _average(precision_recall_fscore_support(*sides, average="micro", zero_division=0))


def micro_average(gold: SpanSets, predicted: SpanSets) -> Average:
    """Return the rates over all entities together, computed by seqeval; 0.0 if there are none."""
    return _average(_rates((gold, predicted), "micro")) if len(gold) + len(predicted) else Average()


def _rates(sides: Sequence[SpanSets], average: str | None) -> Sequence[Any]:
    """Return the rates that seqeval computes for these entities."""
    from seqeval.metrics.v1 import precision_recall_fscore_support

    read = {"entities_true": sides[0], "entities_pred": sides[1]}  # then it reads no tags, so it needs none
    figures = precision_recall_fscore_support([[]], [[]], average=average, zero_division=0, **read)
    return tuple(figures)


def _average(rates: Sequence[Any]) -> Average:
    return Average(float(rates[0]), float(rates[1]), float(rates[2]))
