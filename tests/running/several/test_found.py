"""The runs of a folder."""

from pathlib import Path

from tagger.running.several.found import runs_in


def test_runs_are_those_directly_below_a_folder_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("seed-10", "seed-2", "b", "seed-2/teachers/pos", "7"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "report.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    assert [run.name for run in runs_in(tmp_path)] == ["7", "b", "seed-2", "seed-10"]
    assert runs_in(tmp_path / "b") == runs_in(tmp_path / "missing") == []


def test_the_folder_of_a_model_holds_no_runs(tmp_path: Path) -> None:
    for file in ("model/config.json", "old/report.json"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("{}")
    assert runs_in(tmp_path) == []
