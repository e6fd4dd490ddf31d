"""Training curves: the values of a log are drawn, and an error names the line of a damaged log."""

import json
from pathlib import Path

import pytest

from tagger import plots
from tagger.errors import DataError
from tagger.plots.learning_curves import History, _figure, read_log


def line(epoch: int, **changed: object) -> str:
    values = {"epoch": epoch, "loss": 1 / epoch, "dev": {"ner": 0.1 * epoch}, "best": epoch < 3, "seconds": 1.0}
    return json.dumps({**values, **changed}) + "\n"


def write_run(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize("epochs", [1, 30])
def test_lines_are_the_epochs_of_the_log_and_the_ring_is_the_last_best(epochs: int, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *(line(i) for i in range(1, epochs + 1)))
    loss, ner = _figure([History("run", read_log(run / "log.jsonl"))]).axes
    numbers = list(range(1, epochs + 1))
    assert list(loss.lines[0].get_xdata()) == list(ner.lines[0].get_xdata()) == numbers
    assert list(loss.lines[0].get_ydata()) == [1 / i for i in numbers]
    assert list(ner.lines[0].get_ydata()) == [0.1 * i for i in numbers]
    assert list(ner.lines[1].get_xdata()) == [min(2, epochs)]
    assert {float(tick) % 1 for tick in loss.get_xticks()} == {0.0}


def test_runs_have_their_names_and_only_the_panels_of_their_layers(tmp_path: Path) -> None:
    one = write_run(tmp_path / "_one", line(1), line(2))
    two = write_run(tmp_path / "<two>", line(1, dev={"upos": 0.5}))
    plots.curves(one, two / "log.jsonl").save(tmp_path / "c.svg")
    svg = (tmp_path / "c.svg").read_text(encoding="utf-8")
    for text in ("_one", "&lt;two&gt;", "dev score of ner", "dev score of upos", "training loss (nats)"):
        assert f">{text}</text>" in svg


def test_runs_of_the_same_name_are_shown_with_their_paths(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("a/run", "b/run"):
        write_run(Path(folder), line(1))
    plots.curves("a/run", "b/run").save("c.svg")
    svg = Path("c.svg").read_text(encoding="utf-8")
    assert ">a/run</text>" in svg
    assert ">b/run</text>" in svg


def test_a_nan_loss_is_drawn_as_a_gap(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", line(1), line(2, loss=float("nan")), line(3))
    plots.curves(run).save(tmp_path / "c.png")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "log.jsonl: expected one line per epoch, got an empty file"),
        ([line(1), '{"epoch": 2\n'], "log.jsonl:2: expected an epoch as training writes it"),
        ([line(1), "\n"], "log.jsonl:2: expected an epoch"),
        ([line(1, dev=[1])], "log.jsonl:1: expected an epoch as training writes it, got `dev`: "),
        ([line(1, dev={"ner": "high"})], "got `dev.ner`: "),
    ],
)
def test_a_damaged_log_is_named_with_its_line(lines: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        plots.curves(write_run(tmp_path / "run", *lines))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_without_a_log_says_what_a_run_is(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match="no such file; pass the output folder of a training run"):
            plots.curves(path)
    with pytest.raises(DataError, match="at least one run"):
        plots.curves()
