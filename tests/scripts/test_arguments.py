"""Wrong command lines of the scripts: each is refused in one sentence before anything is read or trained."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import ablation
import arguments
import benchmark_speed
import compare_directions
import compare_joint
import pytest

import tagger
from tagger.errors import MissingExtraError, TaggerError

SEEDED = (ablation, compare_directions, compare_joint)
TIMED = (benchmark_speed, compare_joint)
ALL = (ablation, benchmark_speed, compare_directions, compare_joint)
WRONG = [
    (ALL, ["--threads", "0"], "argument --threads: must be a whole number from 1 to 1024, got '0'"),
    (ALL, ["--threads", "-1"], "argument --threads: must be a whole number from 1 to 1024, got '-1'"),
    (ALL, ["--threads", "9" * 5000], "argument --threads: must be a whole number from 1 to 1024, got '999"),
    (
        ALL,
        ["--json", "nodir/x.json"],
        "argument --json: nodir/x.json: the file cannot be written",
    ),
    (ALL, ["--json", "."], "argument --json: .: expected a file to write, got a folder; name a file in it"),
    (ALL, ["--json", ""], "argument --json: .: expected a file to write, got a folder; name a file in it"),
    (ALL, ["--json", "x" * 300], f"argument --json: {'x' * 300}: the file cannot be written: File name too long"),
    (ALL, ["--json", "text/x"], "argument --json: text/x: the file cannot be written: Not a directory"),
    (ALL, ["--data", "nodir"], "argument --data: must be an existing folder, got 'nodir'"),
    (ALL, ["--data", ""], "argument --data: must be an existing folder, got ''"),
    (TIMED, ["--repeats", "0"], "argument --repeats: must be a whole number of at least 1, got '0'"),
    (TIMED, ["--repeats", "many"], "argument --repeats: must be a whole number of at least 1, got 'many'"),
    *(
        (
            SEEDED,
            ["--seeds", text],
            f"argument --seeds: must be different whole numbers from 0, separated by commas, got '{text}",
        )
        for text in ("x", "", "1,", "1,1", "1,01", "-1", "1.5", "²", str(2**63), "9" * 5000)
    ),
    *(
        (
            (compare_directions,),
            [f"--{name}", number],
            f"argument --{name}: must be a whole number of at least 1, got '{number}'",
        )
        for name in ("epochs", "hidden", "sentences")
        for number in ("0", "-3", "1.5", "")
    ),
    (
        (compare_directions,),
        ["--examples", "-1"],
        "argument --examples: must be a whole number of at least 0, got '-1'",
    ),
    (
        (compare_directions,),
        ["--cells", "gru,foo"],
        "argument --cells: must be different names among rnn, gru, lstm, got 'gru,foo'",
    ),
    (
        (compare_directions,),
        ["--cells", "gru,gru"],
        "argument --cells: must be different names among rnn, gru, lstm, got 'gru,gru'",
    ),
    (
        (compare_directions,),
        ["--tasks", ""],
        "argument --tasks: must be different names among synthetic, mr, wnut17, ewt, got ''",
    ),
    ((compare_directions,), ["--tasks", "mr"], "all tasks except `synthetic` need --data DIR"),
    ((compare_directions,), ["--picture", "x.foo"], "argument --picture: x.foo: the name of this picture must end in"),
    (
        (compare_directions,),
        ["--picture", "nodir/x.svg"],
        "argument --picture: nodir/x.svg: the file cannot be written",
    ),
    (
        (compare_directions,),
        ["--resume", "nodir/r.jsonl"],
        "argument --resume: nodir/r.jsonl: the file cannot be written",
    ),
    ((compare_directions,), ["--resume", "."], "argument --resume: .: expected a file to write, got a folder"),
    (
        (compare_directions,),
        ["--resume", "text", "--json", "./text"],
        "--resume, --json and --picture must be different files",
    ),
    ((benchmark_speed,), ["--only", "crf", "foo"], "argument --only: invalid choice: 'foo'"),
    (
        (benchmark_speed,),
        ["--only", "crf", "growth"],
        "training, tagging, growth, corpora need --data DIR; or choose others",
    ),
]


@pytest.fixture(autouse=True)
def untrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with one file to work in, where a training would be seen."""

    def train(*_: object, **__: object) -> NoReturn:
        raise AssertionError("trained")

    (tmp_path / "text").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(tagger, "train", train)


@pytest.mark.parametrize(
    ("script", "given", "sentence"), [(script, *rest) for scripts, *rest in WRONG for script in scripts]
)
def test_wrong_command_line_is_refused_in_one_sentence(
    script: ModuleType, given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = {ablation: ["recipe.toml"], compare_joint: [] if "--data" in given else ["--data", "."]}.get(script, [])
    with pytest.raises(SystemExit) as refused:
        script.main([*needed, *given])
    assert refused.value.code == 2
    out, err = capsys.readouterr()
    usage, found, said = err.partition(" error: ")
    assert found
    assert usage.startswith("usage: ")
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert out == ""
    assert [path.name for path in Path().iterdir()] == ["text"]
    assert Path("text").read_text(encoding="utf-8") == "mine"


def test_picture_without_matplotlib_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(path: Path, *, chart: bool) -> NoReturn:
        raise MissingExtraError("needs matplotlib")

    monkeypatch.setattr(arguments, "check_path", missing)
    with pytest.raises(SystemExit):
        compare_directions.main(["--picture", "x.svg"])
    assert capsys.readouterr().err.endswith("argument --picture: needs matplotlib\n")


def test_without_data_synthetic_alone_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare_directions.parse_arguments([]).tasks == ["synthetic"]
    assert capsys.readouterr().err == "only `synthetic` is run, because the other tasks need --data DIR\n"
    assert compare_directions.parse_arguments(["--data", "."]).tasks == list(compare_directions.TASKS)
    assert capsys.readouterr().err == ""


def test_missing_corpora_are_named_before_any_run() -> None:
    with pytest.raises(TaggerError) as refused:
        compare_directions.main(["--data", "."])
    assert all(name in str(refused.value) for name in ("rt-polarity", "wnut17train", "en_ewt-ud-train"))


WHOLE: dict[str, Any] = {
    "task": "synthetic",
    "cell": "gru",
    "network": "both",
    "seed": 1,
    "settings": {},
    "hidden_size": 1,
    "parameters": 1,
    "train_seconds": 1.0,
    "tag_seconds": 1.0,
    "counts": {},
    "mistakes": {},
}


@pytest.mark.parametrize("line", ["{broken", "3", "", "{}", json.dumps({**WHOLE, "counts": 3}), '{"task": "\udcff"}'])
@pytest.mark.parametrize("ending", ["\n", '\n{"task": "syn'])
def test_broken_line_of_a_resume_file_is_named_and_nothing_cut(line: str, ending: str) -> None:
    data = f"{json.dumps(WHOLE)}\n{line}{ending}".encode(errors="surrogateescape")
    Path("r.jsonl").write_bytes(data)
    with pytest.raises(TaggerError) as refused:
        compare_directions.main(["--resume", "r.jsonl", "--sentences", "60"])
    assert str(refused.value).startswith("r.jsonl:2: expected a finished run as --resume writes it, got ")
    assert "\n" not in str(refused.value)
    assert Path("r.jsonl").read_bytes() == data


def test_file_that_is_not_of_runs_is_not_cut() -> None:
    with pytest.raises(TaggerError, match=r"^text:1: expected a finished run as --resume writes it, got 'mine'"):
        compare_directions.main(["--resume", "text", "--sentences", "60"])
    assert Path("text").read_text(encoding="utf-8") == "mine"


def test_run_on_other_test_sentences_is_refused() -> None:
    experiment = compare_directions.Experiment(compare_directions.parse_arguments(["--sentences", "60"]))
    record = {**WHOLE, "settings": experiment.settings("synthetic"), "counts": {"accuracy": [[1, 1]]}}
    Path("r.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    with pytest.raises(TaggerError, match="has runs of synthetic on other test sentences"):
        compare_directions.main(["--resume", "r.jsonl", "--sentences", "60"])


def test_user_mistake_ends_a_script_with_its_sentence_and_an_interruption_with_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(error: BaseException) -> NoReturn:
        raise error

    with pytest.raises(SystemExit) as ended:
        arguments.run_script(lambda: fail(TaggerError("where: what")))
    assert ended.value.code == "where: what"
    with pytest.raises(SystemExit) as ended:
        arguments.run_script(lambda: fail(KeyboardInterrupt()))
    assert (ended.value.code, capsys.readouterr().err) == (130, "\ninterrupted\n")
