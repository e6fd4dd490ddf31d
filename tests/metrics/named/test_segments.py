"""Scores that a head asks for by name, against figures counted by hand and against a plain definition."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.metrics.named.segments import Segment, q3, segment_f1, segment_f1_50, segments
from tagger.text.sentence import Sentence, TagLayer

tags_of = st.lists(st.sampled_from("HEC"), min_size=1, max_size=12)


def sentences(*rows: str) -> list[Sentence]:
    """One sentence for each row; `?` is an unknown tag."""
    layers = [TagLayer(tuple([None if tag == "?" else tag for tag in row])) for row in rows]
    return [Sentence.from_tokens(["x"] * len(row), {"t": layer}) for row, layer in zip(rows, layers, strict=True)]


def test_q3_is_the_share_of_right_tokens_of_three_classes() -> None:
    assert q3(sentences("HHEC", "C?"), sentences("HEEC", "HH"), "t") == 3 / 5
    assert q3(sentences("HEC"), sentences("HET"), "t") is None
    assert q3(sentences("??"), sentences("HE"), "t") is None


def test_segments_are_right_with_both_boundaries_or_by_half() -> None:
    gold, predicted = sentences("HHHHCCEE"), sentences("HHHCCCEE")
    assert segment_f1(gold, predicted, "t") == pytest.approx(2 / 6)
    assert segment_f1_50(gold, predicted, "t") == 1
    split = sentences("HHCHCCCE")  # two halves of H, of which the first overlaps by half
    assert segment_f1_50(gold, split, "t") == pytest.approx(2 * 3 / (3 + 5))
    assert segment_f1(gold, split, "t") == 0


def test_unknown_tags_end_segments_and_are_not_scored() -> None:
    assert list(segments(["H", None, "H", "H"])) == [Segment("H", 0, 1), Segment("H", 2, 4)]
    assert segment_f1(sentences("H?HH"), sentences("HHHH"), "t") == 1
    assert segment_f1(sentences("??"), sentences("HE"), "t") is None


def plain_f1(gold: Sequence[str], predicted: Sequence[str], least: float) -> float:
    """F1 where each predicted segment takes the gold segment of its tag with which it shares most."""

    def runs(tags: Sequence[str]) -> list[tuple[str, set[int]]]:
        cuts = [0, *(i for i in range(1, len(tags)) if tags[i] != tags[i - 1]), len(tags)]
        return [(tags[i], set(range(i, j))) for i, j in pairwise(cuts)]

    wanted, found, taken = runs(gold), runs(predicted), set()
    for tag, tokens in found:
        shares = [len(tokens & other) / len(tokens | other) if tag == name else 0.0 for name, other in wanted]
        best = max(range(len(wanted)), key=shares.__getitem__)
        if shares[best] >= least:
            taken.add(best)
    return 2 * len(taken) / (len(wanted) + len(found))


@given(st.data())
def test_segments_are_counted_as_by_the_plain_definition(data: st.DataObject) -> None:
    gold = data.draw(tags_of)
    predicted = data.draw(st.lists(st.sampled_from("HEC"), min_size=len(gold), max_size=len(gold)))
    both = sentences("".join(gold)), sentences("".join(predicted))
    assert segment_f1(*both, "t") == pytest.approx(plain_f1(gold, predicted, 1.0))
    assert segment_f1_50(*both, "t") == pytest.approx(plain_f1(gold, predicted, 0.5))
