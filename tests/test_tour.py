"""The notebook of the tour runs from its first cell to its last, and its outputs are those committed with it."""

import re

import pytest
from notebooks import Outputs, check_same, committed_outputs, new_outputs, pictures, printed


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Return the outputs of a copy of the notebook that was run now."""
    return new_outputs("tour.ipynb", tmp_path_factory.mktemp("tour"), "quickstart.toml")


def test_outputs_are_those_that_are_committed(outputs: Outputs) -> None:
    check_same(outputs, committed_outputs("tour.ipynb"))


def test_two_directions_know_the_words_that_depend_on_later_words(outputs: Outputs) -> None:
    figures = [re.findall(r"0\.\d+|1\.0+", line) for line in printed(outputs, "def accuracy").splitlines()]
    (both_later, both_others), (forward_later, forward_others) = [map(float, line) for line in figures]
    assert both_later > 0.9
    assert both_later > forward_later + 0.1
    assert min(both_others, forward_others) > 0.9


def test_pictures_show_themselves(outputs: Outputs) -> None:
    for needle, picture in zip(("Training", "terrible", "Rossi", "svg"), pictures(outputs), strict=True):
        assert needle in picture


def test_a_file_of_the_readers_own_is_checked_trained_and_scored(outputs: Outputs) -> None:
    assert "no errors" in printed(outputs, "tagger.check")
    assert printed(outputs, "model_validate").startswith("ner: F1 ")
