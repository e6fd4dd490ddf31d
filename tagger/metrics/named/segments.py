"""Scores of tags without spans that divide a sequence into runs: the structure of a protein, the activity of a sensor.

Each takes the sentences with gold layers, the same ones with predicted layers, and the name of the layer. Tokens whose
gold tag is unknown are ignored.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tagger.metrics.rates import ratio
from tagger.text.sentence import Sentence

HALF = 0.5  # of the tokens of two segments together


class Segment(NamedTuple):
    """A run of equal tags: tokens `[start, end)`."""

    tag: str
    start: int
    end: int

    def overlap(self, other: "Segment") -> float:
        """Return the number of tokens in both segments over the number of those in at least one, from 0 to 1."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return max(0, shared) / (max(self.end, other.end) - min(self.start, other.start))


def q3(gold: Sequence[Sentence], predicted: Sequence[Sentence], layer: str) -> float | None:
    """Return the share of tokens with the right one of three tags, from 0 to 1; None if there are more than three.

    Source:
        The three-state accuracy of protein secondary structure (Qian and Sejnowski 1988).
    """
    pairs = Counter(pair for tags in _both(gold, predicted, layer) for pair in tags if pair[0] is not None)
    if not pairs or len({tag for pair in pairs for tag in pair}) > 3:
        return None
    return sum(count for (wanted, found), count in pairs.items() if wanted == found) / pairs.total()


def segment_f1(gold: Sequence[Sentence], predicted: Sequence[Sentence], layer: str) -> float | None:
    """Return F1 over runs of equal tags, from 0 to 1: a segment is right if tag, start and end are."""
    return _f1(gold, predicted, layer, lambda wanted, found: len({*wanted} & {*found}))


def segment_f1_50(gold: Sequence[Sentence], predicted: Sequence[Sentence], layer: str) -> float | None:
    """Return F1 over runs of equal tags, from 0 to 1: a segment is right if it overlaps one of its tag by half.

    Half of the tokens of both segments together must be in both. Only one segment is right for each gold segment.

    Source:
        Lea, Flynn, Vidal, Reiter and Hager (2017), the segmental F1@50, here with all tags.
    """
    return _f1(gold, predicted, layer, _overlapping)


def _overlapping(wanted: Sequence[Segment], found: Sequence[Segment]) -> int:
    """Return the number of wanted segments that one of the found segments overlaps by half."""
    at = {token: segment for segment in wanted for token in range(segment.start, segment.end)}
    right: set[Segment] = set()
    for segment in found:
        meets = {at[token] for token in range(segment.start, segment.end) if token in at}
        right |= {other for other in meets if other.tag == segment.tag and segment.overlap(other) >= HALF}
    return len(right)


def _f1(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    layer: str,
    count: Callable[[Sequence[Segment], Sequence[Segment]], int],
) -> float | None:
    """Return F1 over segments, of which `count` returns how many are right in a sentence; None if there are none."""
    right = total = 0
    for tags in _both(gold, predicted, layer):
        wanted = list(segments([tag for tag, _ in tags]))
        found = list(segments([None if known is None else tag for known, tag in tags]))
        right += count(wanted, found)
        total += len(wanted) + len(found)
    return ratio(2 * right, total) if total else None


def segments(tags: Sequence[str | None]) -> Iterator[Segment]:
    """Yield the runs of equal tags, without those of unknown tags (None)."""
    start = 0
    for tag, run in groupby(tags):
        end = start + len(list(run))
        if tag is not None:
            yield Segment(tag, start, end)
        start = end


def _both(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], layer: str
) -> Iterator[list[tuple[str | None, str | None]]]:
    """Yield gold and predicted tag of each token, sentence by sentence."""
    for wanted, found in zip(gold, predicted, strict=True):
        yield list(zip(wanted.tags(layer), found.tags(layer), strict=True))
