"""The notebook of sequences runs from its first cell to its last, and its outputs are those committed with it."""

import base64
import re

import pytest
from notebooks import Outputs, check_same, committed_outputs, new_outputs, pictures, printed


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Return the outputs of a copy of the notebook that was run now."""
    return new_outputs("sequences.ipynb", tmp_path_factory.mktemp("sequences"))


def without_changes(outputs: Outputs) -> Outputs:
    """Return the outputs without the times at which states change, which the last digits of a network may move."""
    return [(source, [] if ".incremental()" in source else made) for source, made in outputs]


def test_outputs_are_those_that_are_committed(outputs: Outputs) -> None:
    same, committed = (without_changes(each) for each in (outputs, committed_outputs("sequences.ipynb")))
    check_same(same, committed)


def test_each_network_learns_what_it_is_to_show(outputs: Outputs) -> None:
    for needle, least in (('"sensors"', 0.95), ("def protein", 0.8), ("def dna", 0.8)):
        assert float(re.findall(r"accuracy (0\.\d+|1\.0+)", printed(outputs, needle))[0]) > least
    found = re.search(r"in their intervals: (0\.\d+)", printed(outputs, "def load"))
    assert found
    assert 0.8 < float(found[1]) < 0.99


def test_states_change_between_fault_and_normal_as_steps_arrive(outputs: Outputs) -> None:
    states = [line.split()[1] for line in printed(outputs, ".incremental()").splitlines()]
    assert len(states) > 2
    assert set(states) == {"fault", "normal"}


def test_pictures_show_themselves(outputs: Outputs) -> None:
    found = [base64.b64decode(re.findall(r"base64,([^\"]+)", html)[0]).decode() for html in pictures(outputs)]
    for needle, svg in zip(("probability of", "structure: gold", "promoter", "interval of level"), found, strict=True):
        assert needle in svg
