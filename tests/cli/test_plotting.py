"""`tagger plot` as its user meets it: the file that is written, and the sentence where there is none."""

import io
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import tagger
from tagger import tagging
from tagger.cli import main
from tagger.cli.plotting import sequences
from tagger.errors import DataError

RECIPE = """
data = {format = "synthetic", sentences = 20}
embeddings = {dimension = 4, char_dimension = 4, char_hidden = 4}
encoder = {hidden_size = 4}
training = {epochs = 1}
[heads.ner]
kind = "tokens"
[heads.upos]
kind = "tokens"
scheme = "none"
decoder = "softmax"
[heads.sentiment]
kind = "sentence"
"""
MACHINE = """
[data]
format = "frames"
train = "machine.csv"
frames = {time = "time", label = "state", window = 8}
split = {group = "sentence", dev = 0.2}
[embeddings]
words = false
[features.sensors]
kind = "frames"
[encoder]
hidden_size = 4
[heads.tags]
kind = "tokens"
scheme = "none"
[training]
epochs = 1
"""
KINDS = ("attention", "entities", "curves", "report", "transitions", "marginals", "sequence")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs/quickstart, which has all kinds of heads, runs/plain, which has none, and notes.txt.

    In runs/machine is a model of the series machine.csv, whose steps are numbered from 0; new.csv has no states.
    """
    folder = tmp_path_factory.mktemp("plot")
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")
    tagger.train(folder / "small.toml", output=folder / "runs" / "quickstart")
    (folder / "plain.toml").write_text(RECIPE.replace('"sentence"', '"sentence"\npooling = "mean"'), encoding="utf-8")
    other = ["heads.ner.decoder=softmax"]
    tagger.train(folder / "plain.toml", output=folder / "runs" / "plain", overrides=other)
    rows = [f"{i},{i % 7},{'fault' if i % 7 == 6 else 'normal'}" for i in range(64)]
    (folder / "machine.csv").write_text("\n".join(["time,load,state", *rows]), encoding="utf-8")
    (folder / "new.csv").write_text("time,load\n0,1\n1,6\n2,3\n", encoding="utf-8")
    (folder / "machine.toml").write_text(MACHINE, encoding="utf-8")
    tagger.train(folder / "machine.toml", output=folder / "runs" / "machine")
    (folder / "notes.txt").write_text("Ada lives in Oslo.\n\nمرحبا <b>بالعالم</b>\n", encoding="utf-8")
    return folder


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: Path):
    def run(command: str, text: str = "") -> tuple[int, str, str]:
        monkeypatch.chdir(runs)
        monkeypatch.setattr(sys, "argv", ["tagger", "plot", *shlex.split(command)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return int(stop.value.code or 0), printed.out, printed.err

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_help_ends_with_an_example_that_works(kind: str, call, runs: Path) -> None:
    code, out, _ = call(f"{kind} --help")
    assert code == 0
    example = " ".join(out[out.rindex("Example: ") :].split())
    match = re.fullmatch(r'Example: (?:echo "(.*)" \| )?tagger plot (.*) --output (\S+)', example)
    assert match
    name = f"{kind}-{match[3]}"
    command = f"{match[2]} --output {name}"
    assert call(command, text=match[1] or "") == (0, "", f"{name}: {TITLES[kind]}\n")
    assert (runs / name).stat().st_size > 500


TITLES = {
    "attention": "Attention of sentiment",
    "entities": "Entities of ner",
    "curves": "Training",
    "report": "Report",
    "transitions": "Transitions of ner",
    "marginals": "Tag probabilities of ner",
    "sequence": "Predictions for machine",
}


def test_the_group_names_its_commands(call) -> None:
    code, out, _ = call("--help")
    assert code == 0
    assert all(kind in out for kind in KINDS)
    assert "Example: tagger plot" in out


@pytest.mark.parametrize("command", ["attention", "entities", "marginals --layer ner"])
def test_threads_are_those_that_are_asked_for(command: str, call, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, load = [], tagging.load
    monkeypatch.setattr(tagging, "load", lambda *args, **options: asked.append(options["threads"]) or load(*args))
    assert call(f"{command} runs/quickstart notes.txt --threads 1 --output threads.html")[0] == 0
    assert asked == [1]


@pytest.mark.parametrize("format", ["text", "conll", "jsonl"])
def test_sentences_are_read_as_tag_reads_them(format: str, call, runs: Path) -> None:
    text = {"text": "Ada lives\n", "conll": "Ada\nlives\n\n", "jsonl": '{"tokens": ["Ada", "lives"]}\n'}[format]
    code, _, err = call(f"attention runs/quickstart --input-format {format} --output {format}.html", text=text)
    assert (code, err) == (0, f"{format}.html: Attention of sentiment\n")
    assert re.findall(r">(\w+)</span>", (runs / f"{format}.html").read_text(encoding="utf-8"))[:2] == ["Ada", "lives"]


def test_a_folder_of_several_runs_is_drawn_as_all_of_them(call, runs: Path) -> None:
    for name in ("plain", "quickstart"):
        shutil.copytree(runs / "runs" / name, runs / "two" / name)
    assert call("report two --layer ner --output both.svg")[0] == 0
    assert call("report runs/plain runs/quickstart --layer ner --output named.svg")[0] == 0
    assert (runs / "both.svg").read_bytes() == (runs / "named.svg").read_bytes()


def test_a_file_becomes_a_page_without_its_blank_lines(call, runs: Path) -> None:
    assert call("entities runs/quickstart notes.txt --output notes.html")[0] == 0
    page = (runs / "notes.html").read_text(encoding="utf-8")
    assert page.count('<p class="text" dir="auto">') == 2
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (
            "attention runs/plain notes.txt --output a.html",
            1,
            "expected a sentence layer with attention, got none",
        ),
        ("attention runs/quickstart --output a.html", 1, "a picture needs at least one sentence with a token"),
        ("attention runs/none notes.txt --output a.html", 1, "runs/none"),
        ("attention runs/quickstart none.txt --output a.html", 1, "none.txt: no such file"),
        ("attention runs/none notes.txt --output a.pdf", 2, "a.pdf: the name of this picture must end in"),
        ("attention runs/quickstart notes.txt --output no/a.html", 1, "no/a.html: its folder must exist"),
        ("entities runs/quickstart notes.txt --output a.png", 2, "must end in .html, got '.png'"),
        ("entities runs/quickstart notes.txt --layer upos --output a.html", 1, "`upos` is not a layer with entities"),
        ("transitions runs/plain --output a.svg", 1, "expected a layer with a CRF, got none"),
        ("transitions runs/quickstart --layer upos --output a.svg", 1, "`upos` is not a layer with a CRF"),
        ("marginals runs/quickstart notes.txt --output a.svg", 1, "got `ner`, `upos`; choose one with layer (--layer)"),
        ("report runs/quickstart --layer pos --output a.svg", 1, "no report has a layer `pos`; choose `ner`, `upos`"),
        ("report notes.txt --output a.svg", 1, "notes.txt: expected a saved report"),
        ("sequence runs/machine machine.csv --number 9 --output a.svg", 1, "machine.csv: --number must be at most 8"),
        (
            "sequence runs/machine machine.csv --number 2-1 --output a.svg",
            2,
            "--number must be a number from 1, or two",
        ),
        ("sequence runs/machine machine.csv --number 0 --output a.svg", 2, "--number must be a number from 1, or two"),
        ("sequence runs/machine machine.csv --number 1 --id x --output a.svg", 2, "--number and --id each choose"),
        ("sequence runs/machine machine.csv --id x --output a.svg", 1, "must have the id 'x', got `machine`"),
        ("sequence runs/machine machine.csv --alarm x --output a.svg", 1, "got `x`; its tags are `fault`, `normal`"),
        ("sequence runs/machine machine.csv --layer x --output a.svg", 1, "`x` is not a layer of the model"),
        ("sequence runs/machine none.csv --output a.svg", 1, "none.csv: no such file"),
        ("sequence runs/machine notes.txt --output a.svg", 1, "notes.txt:1: the first line must name the columns"),
        ("sequence runs/machine machine.csv --output a.pdf", 2, "a.pdf: the name of this picture must end in"),
        ("curves runs/none --output a.svg", 1, "runs/none: no such file; pass the output folder of a training run"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_no_file(command: str, code: int, said: str, call, runs: Path) -> None:
    ended, out, err = call(command)
    assert (ended, out) == (code, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1
    assert not list(runs.glob("a.*"))


def test_without_an_output_it_is_wrong_use(call) -> None:
    code, _, err = call("transitions runs/quickstart")
    assert code == 2
    assert "--output" in err


def sequence_texts(runs: Path, name: str) -> str:
    return (runs / name).read_text(encoding="utf-8")


def test_a_series_is_drawn_with_gold_only_if_the_file_has_it(call, runs: Path) -> None:
    assert call("sequence runs/machine machine.csv --output gold.svg") == (0, "", "gold.svg: Predictions for machine\n")
    assert ">gold</text>" in sequence_texts(runs, "gold.svg")
    assert call("sequence runs/machine new.csv --output new.svg") == (0, "", "new.svg: Predictions for new\n")
    assert ">gold</text>" not in sequence_texts(runs, "new.svg")


def test_sequences_are_chosen_by_number_or_id(call, runs: Path) -> None:
    for options, steps in (("", 8), ("--number 2", 8), ("--number 2-4", 24), ("--id machine", 64)):
        assert call(f"sequence runs/machine machine.csv {options} --output chosen.svg")[0] == 0
        assert f"of {steps} steps" in sequence_texts(runs, "chosen.svg")


def test_a_sequence_that_cannot_be_read_as_in_training_is_drawn_without_gold(call, runs: Path, monkeypatch) -> None:
    """Also one in another format than those of training."""
    assert call("sequence runs/quickstart notes.txt --output words.svg")[::2] == (
        0,
        "words.svg: Predictions for notes, line 1\n",
    )

    def broken(*given: object, **how: object) -> None:
        raise DataError("machine.csv:1: a column is missing\nand so on")

    monkeypatch.setattr(sequences, "read_gold", broken)
    code, _, err = call("sequence runs/machine machine.csv --output bare.svg")
    said = "drawn without gold: machine.csv:1: a column is missing\nbare.svg: Predictions for machine\n"
    assert (code, err) == (0, said)
    assert ">gold</text>" not in sequence_texts(runs, "bare.svg")


def test_sequences_of_standard_input_have_no_gold(call, runs: Path) -> None:
    line = '{"frames": {"load": [1, 6, null]}, "tags": {"tags": ["normal", "fault", "normal"]}}\n'
    code, _, err = call("sequence runs/machine --output piped.svg", text=line)
    assert code == 0
    assert err.count("\n") == 1
    assert ">gold</text>" not in sequence_texts(runs, "piped.svg")


def test_a_file_of_frames_that_does_not_exist_is_not_tagged(call, runs: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(runs)
    monkeypatch.setattr(sys, "argv", ["tagger", "tag", "runs/machine", "none.csv"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert capsys.readouterr().err == "error: none.csv: no such file or folder\n"
