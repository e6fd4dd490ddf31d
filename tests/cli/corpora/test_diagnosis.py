"""A diagnosis on the terminal."""

import ast
from pathlib import Path

import pytest

import tagger
from tagger.cli.corpora.diagnosis import TITLES, print_diagnosis
from tagger.doctor.check import check

DOCTOR = Path(tagger.__file__).parent / "doctor"


def kinds(path: Path) -> set[str]:
    """The kinds of finding that a module adds by name."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    added = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "add"]
    return {node.value for node in added if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_each_kind_of_finding_has_a_title() -> None:
    found = set().union(*map(kinds, DOCTOR.glob("*.py")))
    assert {"scheme", "transition", "id"} <= found <= set(TITLES)


def test_broken_prefixes_are_a_warning_with_a_title(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.conll"
    path.write_text("Ada\tB-\nLovelace\tI-\nsleeps\tO\n\n")
    print_diagnosis(check([str(path)], format="conll", columns=["token", "ner"]))
    assert f"warnings: {TITLES['scheme']}: 1\n" in capsys.readouterr().out
