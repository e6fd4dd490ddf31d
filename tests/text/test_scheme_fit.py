"""The scheme that fits tags best, and the next best."""

import pytest

from tagger.text.schemes import Scheme, invalid_positions
from tagger.text.tag_survey import best_scheme, num_faults, pairs_of, said_of_rival, widest_scheme

AMBIGUOUS = [["O", "B-X"], ["I-X"], ["I-X"], ["I-Y"]]


@pytest.mark.parametrize("scheme", ["iob1", "iob2"])
def test_faults_are_the_invalid_positions_where_all_tags_are_of_the_scheme(scheme: Scheme) -> None:
    assert num_faults(pairs_of(AMBIGUOUS), scheme) == sum(len(invalid_positions(tags, scheme)) for tags in AMBIGUOUS)


def test_a_rival_is_reported_only_if_the_best_scheme_has_faults_and_the_rival_is_about_as_good() -> None:
    pairs = pairs_of(AMBIGUOUS)
    assert best_scheme(pairs) == "iob1"
    assert said_of_rival(pairs, "iob1") == " (1 fault; 3 as IOB2)"
    assert said_of_rival(pairs, "iob2") == " (3 faults; 1 as IOB1)"
    assert said_of_rival(pairs_of([*AMBIGUOUS, ["I-Z"]]), "iob1") == ""
    assert said_of_rival(pairs_of([["B-X"], ["B-X"]]), "iob2") == ""


@pytest.mark.parametrize(
    ("tags", "named", "wanted"),
    [
        (["B-X", "I-X", "O"], "io", "iob2"),
        (["I-X", "B-X", "O"], "io", "iob1"),
        (["S-X", "O", "B-X", "E-X"], "iob2", "bioes"),
        (["U-X", "O", "B-X", "L-X"], "io", "bilou"),
    ],
)
def test_widest_scheme_has_the_most_tags_and_the_fewest_faults(tags: list[str], named: Scheme, wanted: Scheme) -> None:
    assert widest_scheme(pairs_of([tags]), but=named) == wanted
