"""The command line as its user meets it: what is printed where, and how it ends."""

import json
import re
import select
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from readers import read_conll

import tagger
from tagger.cli import commands

RECIPE = """
[data]
format = "synthetic"
sentences = 60
[embeddings]
dimension = 8
[encoder]
hidden_size = 8
[heads.ner]
kind = "tokens"
[heads.sentiment]
kind = "sentence"
[training]
epochs = 2
batch_size = 8
"""


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "small.toml").write_text(RECIPE)
    tagger.train(folder / "small.toml", output=folder / "run")
    return folder / "run"


def commands_of(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, and of each group of commands, after `tagger`."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, (*path, name))
        else:
            yield (*path, name)


APP = typer.main.get_command(commands)


@pytest.mark.parametrize("command", list(commands_of(APP)))
def test_help_ends_with_an_example_that_can_be_parsed_and_names_no_file_that_a_clone_lacks(call, command) -> None:
    done = call(*command, "--help")
    assert done.code == 0
    example = " ".join(done.out[done.out.rindex("Example: ") :].split())
    match = re.fullmatch(r'Example: (?:echo ".*" \| )?tagger (.*)', example)
    assert match
    words = shlex.split(match[1])
    assert words[: len(command)] == list(command)
    found, context, rest = APP, click.Context(APP), words
    while isinstance(found, click.Group):
        _, found, rest = found.resolve_command(context, rest)
    values = found.make_context("tagger", rest).params  # an unknown option or a missing argument raises here
    for name, given in values.items():
        for value in given if isinstance(given, list | tuple) else [given]:
            path = str(value or "")
            if name == "recipe" or path.endswith(".toml"):
                assert Path(path).is_file()
            elif name in ("model", "runs"):
                assert path == "runs/quickstart"
            elif name in ("file", "files", "source", "train", "dev", "test"):
                assert path in ("", "-", "FILE")


def test_train_prints_the_report_and_keeps_the_run(call, tmp_path) -> None:
    (tmp_path / "small.toml").write_text(RECIPE)
    done = call("train", tmp_path / "small.toml", "--output", tmp_path / "run", "--set", "training.epochs=1")
    assert done.code == 0
    assert done.out.startswith("ner: F1 ")
    assert "epoch   1/1" in done.err
    assert "left at most" not in done.err, "no epoch is left"
    assert "\x1b" not in done.err, "no colour and no bar where standard error is no terminal"
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert set(report["scores"]) == {"ner", "sentiment"}
    assert f"F1 {report['scores']['ner']['f1']:.4f}" in done.out
    kept = {"model", "recipe.toml", "log.jsonl", "report.json", "seen.json"}
    assert {path.name for path in (tmp_path / "run").iterdir()} == kept
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 1


def test_train_writes_to_runs_by_default(call, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(RECIPE)
    assert call("train", "small.toml", "--set", "training.epochs=1", "--seed", "3").code == 0
    assert "seed = 3" in (tmp_path / "runs" / "small" / "recipe.toml").read_text()


def test_evaluate_gives_the_same_scores_as_text_and_as_json(call, run_folder, tmp_path) -> None:
    gold = list(tagger.generate(50, seed=3, split="test"))
    tagger.write_sentences(tmp_path / "gold.conll", gold, format="conll", layers=["ner"])
    options = (run_folder, tmp_path / "gold.conll", "--format", "conll", "--columns", "token,ner")
    as_json = json.loads(call("evaluate", *options, "--json").out)
    as_text = call("evaluate", *options)
    assert f"F1 {as_json['scores']['ner']['f1']:.4f}" in as_text.out
    assert as_json["scores"]["ner"]["scheme"] == "bioes"
    assert "layer `ner` reads as IOB2" in as_text.err


def test_a_model_of_no_files_evaluates_files_of_any_format_and_says_what_was_detected(call, run_folder, tmp_path):
    gold = list(tagger.generate(20, seed=3, split="test"))
    for format, form in (("conll", "conll with columns token, ner"), ("jsonl", "jsonl")):
        file = tmp_path / f"gold.{format}"
        tagger.write_sentences(file, gold, format=format, layers=["ner"])
        for options in ((), ("--format", format)):
            done = call("evaluate", run_folder, file, *options)
            assert (done.code, done.out[:7]) == (0, "ner: F1")
            assert (f"detected format {form}" in done.err) == (format == "conll" or not options)


def test_tag_as_text_keeps_blank_lines(call, run_folder) -> None:
    done = call("tag", run_folder, text="Ada was born in London.\n\nOslo has parks.\n")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0] == "Ada was born in London."
    assert lines[3:5] == ["", "Oslo has parks."]
    assert lines[1].startswith("  ner        ")


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ([], "I do n't buy a Router Z ."),
        (["--tokenize", "blanks"], "I don't buy a Router Z."),
        (["--tokenize", "spacy"], "I do n't buy a Router Z."),
        (["--tokenize", "characters"], "I don't buy a Router Z ."),
        (["--language", "de"], "I don't buy a Router Z ."),
    ],
)
def test_how_text_is_split_can_be_changed_when_tagging_and_scoring(
    call, run_folder, tmp_path, options: list[str], tokens: str
) -> None:
    text = "I don't buy a Router Z."
    done = call("tag", run_folder, "--output-format", "jsonl", *options, text=text)
    assert json.loads(done.out)["tokens"] == tokens.split(" ")
    (tmp_path / "gold.jsonl").write_text(json.dumps({"text": text, "label": [[14, 20, "LOC"]]}) + "\n")
    scored = call("evaluate", run_folder, tmp_path / "gold.jsonl", "--format", "jsonl", "--json", *options)
    assert json.loads(scored.out)["tokens"] == len(tokens.split(" "))


def test_a_language_without_rules_is_refused_in_one_sentence(call, run_folder) -> None:
    for command in (
        ["tag", run_folder],
        ["evaluate", run_folder, "f", "--format", "jsonl"],
        ["check", run_folder / "recipe.toml"],
    ):
        done = call(*command, "--language", "zh", text="a")
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert 'must be a language with rules, got \'zh\'; use "characters" or "blanks" for `tokenize`' in done.err


def test_tag_as_jsonl_has_offsets_into_the_text(call, run_folder, tmp_path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("Ada Lovelace was born in London.\n", encoding="utf-8")
    (row,) = map(json.loads, call("tag", run_folder, file, "--output-format", "jsonl").out.splitlines())
    assert row["text"] == "Ada Lovelace was born in London."
    assert row["tokens"] == ["Ada", "Lovelace", "was", "born", "in", "London", "."]
    assert set(row) == {"text", "tokens", "tags", "spans", "labels", "tag_scores", "sequence_scores"}
    assert all(len(row["tag_scores"][layer]) == 7 for layer in row["tags"])
    assert all(row["sequence_scores"][n] <= min(row["tag_scores"][n]) * (1 + 1e-5) for n in row["tags"])
    for span in row["spans"]["ner"]:
        assert row["text"][span["start_char"] : span["end_char"]] == span["text"]


def test_tag_from_columns_to_columns_keeps_tokens_and_comments(call, run_folder, tmp_path) -> None:
    source = "# id = 7\nAda\tO\nlives\tO\n\n#NFL\tO\n"
    done = call(
        "tag", run_folder, "--input-format", "conll", "--columns", "token,_", "--output-format", "conll", text=source
    )
    (tmp_path / "out.conll").write_text(done.out)
    tagged = read_conll(tmp_path / "out.conll", ["token", "ner"])
    assert [sentence.tokens for sentence in tagged] == [("Ada", "lives"), ("#NFL",)]
    assert tagged[0].meta["id"] == "7"


@pytest.mark.parametrize("token", ["a\tb", "a\nb", ""])
def test_a_sentence_that_columns_cannot_hold_is_not_begun(call, run_folder, token) -> None:
    rows = [{"tokens": ["Maria", "lives"]}, {"tokens": ["New York", "is", token]}]
    source = "".join(json.dumps(row) + "\n" for row in rows)
    done = call("tag", run_folder, "--input-format", "jsonl", "--output-format", "conll", text=source)
    assert done.code == 1
    assert done.err.startswith("error: standard input:2: ")
    assert [line.split("\t")[0] for line in done.out.splitlines() if not line.startswith("#")] == ["Maria", "lives", ""]


def test_a_blank_line_stays_a_blank_line_or_an_empty_result(call, run_folder) -> None:
    text = "Ada ran.\n \nOslo\n"
    assert call("tag", run_folder, text=text).out.splitlines()[3] == " "
    assert call("tag", run_folder, "--output-format", "conll", text=text).out.splitlines().count("") == 3
    rows = [
        json.loads(line) for line in call("tag", run_folder, "--output-format", "jsonl", text=text).out.splitlines()
    ]
    assert rows[1] == {
        "text": " ", "tokens": [], "tags": {"ner": []}, "spans": {"ner": []}, "labels": {}, "tag_scores": {"ner": []}
    }  # fmt: skip


def test_tag_keeps_the_other_keys_of_json_lines_and_gives_empty_texts_back_empty(call, run_folder) -> None:
    given = [{"id": "a7", "url": "u", "text": "Maria"}, {"id": "a8", "text": ""}, {"id": "a9", "text": "Oslo"}]
    source = "".join(json.dumps(row) + "\n" for row in given)
    done = call("tag", run_folder, "--input-format", "jsonl", "--output-format", "jsonl", text=source)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [{key: row[key] for key in old} for row, old in zip(rows, given, strict=True)] == given
    assert [row["tokens"] for row in rows] == [["Maria"], [], ["Oslo"]]
    assert (rows[1]["tags"], rows[1]["spans"], rows[1]["labels"]) == ({"ner": []}, {"ner": []}, {})
    again = call("tag", run_folder, "--input-format", "jsonl", "--output-format", "jsonl", text=done.out)
    assert [json.loads(line) for line in again.out.splitlines()] == rows


def test_tag_reads_the_json_lines_it_writes(call, run_folder) -> None:
    first = call("tag", run_folder, "--output-format", "jsonl", text="Ada was born in London.\n").out
    again = call("tag", run_folder, "--input-format", "jsonl", "--output-format", "jsonl", text=first).out
    assert json.loads(again) == json.loads(first)


def test_info_as_json_names_layers_and_labels(call, run_folder) -> None:
    facts = json.loads(call("info", run_folder, "--json").out)
    assert facts["layers"]["ner"]["scheme"] == "bioes"
    assert facts["layers"]["sentiment"]["labels"] == ["negative", "neutral", "positive"]
    assert facts["backends"]["numpy"] == facts["backends"]["torch"] == "yes"
    shown = call("info", run_folder).out
    assert "tokenizer: spacy" in shown
    assert "  torch: yes\n  numpy: yes\n  onnx: no, the folder holds no model.onnx; export the model with" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="select knows only sockets")
def test_sentences_from_a_pipe_are_answered_before_it_ends(run_folder) -> None:
    command = [sys.executable, "-m", "tagger", "tag", run_folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as done:
        assert done.stdin is not None
        assert done.stdout is not None
        for text in (b"Ada ran.\n", b"Oslo has parks.\n"):
            done.stdin.write(text)
            assert select.select([done.stdout], [], [], 600)[0], "the pipe is still open"
            assert [done.stdout.readline() for _ in range(3)][:1] == [text]


def test_output_can_be_cut_short_by_its_reader(run_folder) -> None:
    command = f"yes 'Ada was born in London.' | head -5000 | {sys.executable} -m tagger tag {run_folder} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "Ada was born in London.\n"
    assert done.stderr == ""


def test_nbest_writes_readings_best_first(call, run_folder) -> None:
    text = "Washington said the film was not terrible.\n"
    (row,) = map(
        json.loads, call("tag", run_folder, "--nbest", 3, "--output-format", "jsonl", text=text).out.splitlines()
    )
    readings = row["readings"]["ner"]
    scores = [reading["score"] for reading in readings]
    assert len(readings) == 3
    assert scores == sorted(scores, reverse=True)
    assert readings[0]["tags"] == row["tags"]["ner"]
    assert len({tuple(reading["tags"]) for reading in readings}) == 3
    shown = call("tag", run_folder, "--nbest", 3, text=text).out.splitlines()
    assert [line.split()[0] for line in shown[2:5]] == [f"{score:.4f}" for score in scores]
    assert "readings" not in call("tag", run_folder, "--output-format", "jsonl", text=text).out


MISTAKES = {
    "no such model": (
        ("tag", "nowhere"),
        1,
        "error: nowhere: no such model folder; give the folder that training wrote, or `english`\n",
    ),
    "no such file": (
        ("tag", "{run}", "nowhere.txt"),
        1,
        "error: nowhere.txt: no such file; check the path, or give - for standard input\n",
    ),
    "no such recipe": (("train", "no.toml"), 2, "error: no.toml: no such recipe; give the path of a TOML file\n"),
    "no such data folder": (
        ("train", "{run}/recipe.toml", "--data", "nowhere"),
        1,
        "error: nowhere: no such folder; give the folder of the recipe's data files with --data\n",
    ),
    "columns without token": (
        ("tag", "{run}", "--input-format", "conll", "--columns", "word,ner"),
        2,
        'error: --columns word,ner: one of the columns must be "token", the others layers or _\n',
    ),
    "layer of a detected format": (
        ("evaluate", "{run}", "gold.conll", "--layer", "x"),
        2,
        'error: evaluate: `layer` is for format = "labelled" or "parallel" or "tagged" or "jsonl" or "brat" or '
        '"frames" alone, got format = "conll"\n',
    ),
    "labelled text without its layer": (
        ("evaluate", "{run}", "gold.conll", "--format", "labelled", "--columns", "label,text"),
        2,
        'error: evaluate: `columns` of labelled text must name "sentiment" (its `layer`) and "text"\n',
    ),
    "columns of text": (
        ("tag", "{run}", "--columns", "token"),
        2,
        "error: --columns is for conll, got text; remove it\n",
    ),
    "columns of JSON lines": (
        ("convert", "a", "-", "--to", "text", "--format", "jsonl", "--columns", "token"),
        2,
        "error: --columns is for conll, got jsonl; remove it\n",
    ),
    "layer of columns": (
        ("check", "gold.conll", "--layer", "x"),
        2,
        "error: layer (--layer) is for labelled text, got conll; remove it\n",
    ),
    "readings as columns": (
        ("tag", "{run}", "--nbest", "2", "--output-format", "conll"),
        2,
        "error: --nbest needs --output-format text or jsonl, because others hold only one tag sequence\n",
    ),
    "device": (
        ("tag", "{run}", "--device", "tpu9"),
        1,
        'error: device "tpu9" is not available on this machine; use "cpu" (or "cuda" with a GPU)\n',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_ends_in_one_sentence(call, run_folder, tmp_path, monkeypatch, name) -> None:
    arguments, code, sentence = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gold.conll").write_text("Ada\tB-person\n")
    done = call(*(argument.format(run=run_folder) for argument in arguments))
    assert (done.code, done.err, done.out) == (code, sentence, "")


def test_wrong_bytes_on_standard_input_are_named(call, run_folder) -> None:
    done = call("tag", run_folder, text=b"Ada\nZ\xfcrich\n")
    assert done.code == 1
    assert done.err == (
        "error: standard input:2: must be UTF-8, got byte 0xfc at byte 5 of the file, byte 1 of the line; "
        "convert it to UTF-8, or name its encoding\n"
    )


def test_unknown_option_is_wrong_use(call, run_folder) -> None:
    assert call("tag", run_folder, "--outputformat", "jsonl").code == 2


GOOD = "Ada\tB-PER\nnaps\tO\n\nOslo\tB-LOC\nsleeps\tO\n"


def test_check_reports_a_sound_file_and_ends_well(call, tmp_path) -> None:
    (tmp_path / "train.conll").write_text(GOOD)
    done = call("check", tmp_path / "train.conll")
    assert (done.code, done.err) == (0, "")
    assert "layer `ner` reads as IOB2" in done.out
    assert done.out.rstrip().endswith("0 errors, 2 warnings")
    assert "\x1b" not in done.out, "no colour where standard output is no terminal"


def test_check_names_file_and_line_uncut_and_ends_with_one(call, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    path = tmp_path / ("long" * 30 + ".train.conll")
    path.write_text(f"{GOOD}\nin\tO\nBergen\tI-[LOC]\n\n{GOOD}\n" + "x\tX-y\n\n" * 15)
    done = call("check", path)
    assert done.code == 1
    assert f"{path}:8: tag 'I-[LOC]' after 'O' is not valid IOB2" in done.out
    assert "[LOC]" in done.out
    assert "... and 5 more" in done.out


def test_check_prints_json_alone(call, tmp_path) -> None:
    path = tmp_path / "data.txt"
    path.write_text(f"{GOOD}\nBergen\tI-LOC\n")
    done = call("check", "--test", path, "--json")
    printed = json.loads(done.out)
    assert (done.code, done.err) == (1, "")
    assert printed["errors"][0] | {"file": str(path), "line": 7, "kind": "transition"} == printed["errors"][0]
    assert list(printed["splits"]) == ["test"]


@pytest.mark.parametrize("options", [(), ("--format", "brat")])
def test_check_names_annotations_that_do_not_fit(options, call, tmp_path) -> None:
    (tmp_path / "one.txt").write_text("Ada naps.\n")
    (tmp_path / "one.ann").write_text("T1\tPER 0 3\tAda\nT2\tPER 4 6\tna\n")
    done = call("check", tmp_path, *options)
    assert (done.code, done.err) == (1, "")
    assert "errors: entities that do not align with their text: 1" in done.out
    assert f"{tmp_path / 'one.ann'}:2: an entity must begin and end with a token, got 'na'" in done.out


def test_check_tells_a_file_without_a_layer_and_takes_io(call, tmp_path) -> None:
    (tmp_path / "train.jsonl").write_text('{"tokens": ["a"], "tagging": [1]}\n')
    done = call("check", tmp_path / "train.jsonl")
    assert done.code == 1
    assert "errors: files without a layer: 1" in done.out
    (tmp_path / "train.conll").write_text("Ada\tI-PER\nnaps\tO\n")
    assert "reads as IO," in call("check", tmp_path / "train.conll", "--scheme", "io").out


def test_check_takes_files_one_way_only(call, tmp_path) -> None:
    (tmp_path / "a").write_text(GOOD)
    assert call("check", tmp_path / "a", "--dev", tmp_path / "a").code == 2
    assert call("check").code == 2
    done = call("check", tmp_path / "none.conll")
    assert done.code == 1
    assert "no such file" in done.err


def test_check_prints_a_fatal_error_as_json_too(call, tmp_path) -> None:
    done = call("check", tmp_path / "none.conll", "--json")
    assert done.code == 1
    assert json.loads(done.out) == {"error": f"{tmp_path / 'none.conll'}: no such file; check the path"}
