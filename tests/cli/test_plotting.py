"""`tagger plot` as its user meets it: the file that is written, and the sentence where there is none."""

import io
import re
import shlex
import sys
from pathlib import Path

import pytest

import tagger
from tagger import tagging
from tagger.cli import main

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
KINDS = ("attention", "entities", "curves", "report", "transitions", "marginals")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs/quickstart, which has all kinds of heads, runs/plain, which has none, and notes.txt."""
    folder = tmp_path_factory.mktemp("plot")
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")
    tagger.train(folder / "small.toml", output=folder / "runs" / "quickstart")
    (folder / "plain.toml").write_text(RECIPE.replace('"sentence"', '"sentence"\npooling = "mean"'), encoding="utf-8")
    other = ["heads.ner.decoder=softmax"]
    tagger.train(folder / "plain.toml", output=folder / "runs" / "plain", overrides=other)
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
    assert call("report runs --layer ner --output both.svg")[0] == 0
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
