"""Whatever file a command is given: exit code 1, one sentence on standard error, and no traceback."""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from signing import sign

import tagger

SMALL = """
data = {format = "synthetic", sentences = 20}
embeddings = {dimension = 4, char_dimension = 4, char_hidden = 4}
encoder = {hidden_size = 4}
heads = {ner = {kind = "tokens"}}
training = {epochs = 1}
"""


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "small.toml").write_text(SMALL)
    tagger.train(folder / "small.toml", output=folder / "run")
    return folder / "run"


def written(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "bad").write_bytes(data)
        return folder / "bad"

    return write


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "bad")
    return folder / "bad"


def broken_link(folder: Path) -> Path:
    (folder / "bad").symlink_to(folder / "nowhere")
    return folder / "bad"


BAD = {
    "missing": (lambda folder: folder / "nowhere", "no such file"),
    "folder": (lambda folder: folder, "got a folder"),
    "broken link": (broken_link, "the link points to a missing file"),
    "named pipe": (pipe, "got a named pipe"),
    "device": (lambda folder: Path("/dev/zero"), "got a device"),
    "name too long": (lambda folder: folder / ("x" * 300), "File name too long"),
    "zero bytes": (written(b"\0\tO\n"), ":1: must be text, got a binary file"),
    "half a surrogate pair": (written(b"\xed\xa0\x80\tO\n"), ":1: must be UTF-8, got byte 0xed"),
    "endless line": (written(b"x" * 11_000_000), ":1: a line must have at most 10,000,000 bytes"),
    "endless packed line": (written(gzip.compress(b"x" * 30_000_000)), ":1: a line must have at most 10,000,000 bytes"),
    "broken gzip": (written(gzip.compress(b"Ada\tO\n" * 100)[:12]), "the gzip data are broken or cut short"),
    "another encoding": (written("Zürich\tO\n".encode("latin-1")), ":1: must be UTF-8, got byte 0xfc"),
}
COMMANDS = {
    "tag text": ("tag", "{run}", "{bad}"),
    "tag conll": ("tag", "{run}", "{bad}", "--input-format", "conll", "--columns", "token,_"),
    "tag jsonl": ("tag", "{run}", "{bad}", "--input-format", "jsonl"),
    "evaluate conll": ("evaluate", "{run}", "{bad}", "--format", "conll", "--columns", "token,ner"),
    "evaluate conllu": ("evaluate", "{run}", "{bad}", "--format", "conllu"),
    "evaluate jsonl": ("evaluate", "{run}", "{bad}", "--format", "jsonl"),
    "evaluate labelled": ("evaluate", "{run}", "{bad}", "--format", "labelled", "--layer", "class"),
    "train": ("train", "{recipe}", "--output", "{folder}/out", "--set", 'data.train="{bad}"'),
    "train with vectors": ("train", "{small}", "--output", "{folder}/out", "--set", 'embeddings.vectors=["{bad}"]'),
}
RECIPE = """
data = {format = "conll", columns = ["token", "ner"], train = "train.conll"}
heads = {ner = {kind = "tokens"}}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="named after what Linux says")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("bad", BAD)
def test_bad_file_ends_in_one_sentence(call, bad, command, run_folder, tmp_path) -> None:
    make, part = BAD[bad]
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "in").mkdir()
    path = make(tmp_path / "in")
    places = {
        "run": run_folder,
        "bad": path,
        "folder": tmp_path,
        "recipe": tmp_path / "recipe.toml",
        "small": tmp_path / "small.toml",
    }
    code, _, said = call(*(argument.format(**places) for argument in COMMANDS[command]))
    last = said.splitlines()[-1]
    assert code == 1
    assert last.removeprefix("error: ").removeprefix("embeddings.vectors: ").startswith(str(path))
    assert part in last
    assert "Traceback" not in said


RECIPES = {
    "folder": (lambda folder: folder, "the recipe cannot be read: Is a directory"),
    "named pipe": (pipe, "a recipe must be a regular file, got a pipe or a device"),
    "device": (lambda folder: Path("/dev/zero"), "a recipe must be a regular file, got a pipe or a device"),
    "zero bytes": (written(b"seed = \0"), "a recipe must be TOML in UTF-8"),
    "too long": (written(b"#" * 2_000_000), "a recipe must have at most 1,000,000 bytes, got more"),
    "too deep": (written(b"a = " + b"[" * 100_000), "a recipe must be TOML in UTF-8"),
    "too many digits": (written(b"seed = " + b"9" * 10_000), "a recipe must be TOML in UTF-8"),
}


def test_value_too_deep_to_be_read_ends_in_one_sentence(call, tmp_path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    deep = "seed=" + "[" * 10_000
    code, _, said = call("train", tmp_path / "small.toml", "--set", deep)
    assert code == 2
    assert "the value must be TOML or a bare word" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("bad", RECIPES)
def test_bad_recipe_ends_in_one_sentence(call, bad, tmp_path) -> None:
    make, part = RECIPES[bad]
    path = make(tmp_path)
    code, _, said = call("train", path)
    assert code == 2
    assert said.startswith(f"error: {path}: {part}")
    assert len(said.splitlines()) == 1


MODELS = {
    "config.json": (b'{"format": ' + b"[" * 100_000, "the file is damaged or incomplete, it is not JSON"),
    "vocabulary.json": (b"\xed\xa0\x80", "the file must have the SHA-256 that config.json names"),
    "weights.safetensors": (b"\xff" * 100, "the file must have the SHA-256 that config.json names"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("command", ["tag", "info"])
def test_bad_model_ends_in_one_sentence(call, command, name, run_folder, tmp_path) -> None:
    data, part = MODELS[name]
    folder = tmp_path / "model"
    shutil.copytree(run_folder / "model", folder)
    (folder / name).write_bytes(data)
    code, _, said = call(command, folder)
    assert code == 1
    assert said.startswith(f"error: {folder / name}: {part}")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("report", ["", "{", "[1]", '{"scores": [1]}', '{"scores": {"ner": 1}}', "[" * 100_000])
def test_damaged_report_of_a_run_ends_in_one_sentence(call, report, run_folder, tmp_path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    (folder / "report.json").write_text(report)
    code, _, said = call("info", folder)
    assert code == 1
    place = folder / "report.json"
    assert said == f"error: {place}: the report is damaged or cannot be read; delete it or copy the folder again\n"


def test_endless_line_on_standard_input_is_refused_while_it_comes(run_folder) -> None:
    command = f"head -c 100M /dev/zero | tr '\\0' x | {sys.executable} -m tagger tag {run_folder} -"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert done.stderr == "error: standard input:1: a line must have at most 10,000,000 bytes, got more; split it\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("arguments", ["tag {run} {text}", "convert {text} - --to jsonl --format text", "info {run}"])
def test_full_disk_behind_standard_output_ends_in_one_sentence(arguments, run_folder, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("Ada naps\n")
    words = arguments.format(run=run_folder, text=tmp_path / "a.txt").split()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "tagger", *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: standard output: cannot be read or written: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("convert a.txt - --to jsonl --format text >&-", 1, "error: standard output must be open, but is closed"),
        ("convert - - --to jsonl --format conll --columns token <&-", 1, "error: standard input: the file must hold"),
        ("convert a.txt - --to jsonl --format text 2>&-", 0, ""),
    ],
)
def test_closed_stream_ends_in_one_sentence(arguments, code, said, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("Ada naps\n")
    command = f"{sys.executable} -m tagger {arguments}"
    environment = {**os.environ, "PYTHONPATH": str(Path(tagger.__file__).parents[1])}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == bool(said)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
@pytest.mark.parametrize("command", COMMANDS)
def test_denied_folder_ends_in_one_sentence(call, command, run_folder, tmp_path) -> None:
    folder = tmp_path / "denied"
    folder.mkdir()
    (folder / "bad").write_text("Ada\tO\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "small.toml").write_text(SMALL)
    folder.chmod(0)
    places = {"run": run_folder, "bad": folder / "bad", "folder": tmp_path}
    places |= {"recipe": tmp_path / "recipe.toml", "small": tmp_path / "small.toml"}
    code, _, said = call(*(argument.format(**places) for argument in COMMANDS[command]))
    folder.chmod(0o700)
    assert code == 1
    assert said.splitlines()[-1].startswith(f"error: {folder / 'bad'}: ")
    assert said.splitlines()[-1].endswith("Permission denied")


def test_error_that_only_the_system_has_a_word_for_names_the_file(call, tmp_path, monkeypatch) -> None:
    def denied(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "x"))

    monkeypatch.setattr("tagger.cli.corpora.converting.convert_file", denied)
    code, _, said = call("convert", str(tmp_path / "x"), "-", "--to", "jsonl")
    assert (code, said) == (1, f"error: {tmp_path / 'x'}: cannot be read or written: Permission denied\n")


def test_spans_brat_and_io_are_scored_by_the_options_that_say_how(call, run_folder, tmp_path) -> None:
    spans, brat, columns = tmp_path / "a.jsonl", tmp_path / "a.txt", tmp_path / "a.conll"
    spans.write_text('{"text": "Ada came", "label": [[0, 2, "PER"], [0, 8, "X"]]}\n')
    brat.write_text("Ada came")
    brat.with_suffix(".ann").write_text("T1\tPER 0 2\tAd\nT2\tX 0 8\tAda came\n")
    columns.write_text("Ada\tI-PER\nBo\tI-PER\n")
    for file, format in ((spans, "jsonl"), (brat, "brat")):
        evaluate = ["evaluate", str(run_folder), str(file), "--format", format]
        code, out, said = call(*evaluate)
        assert code == 0
        assert "\ngold entities that do not fit the tokens, counted as missed: 1\n" in out
        assert said.startswith("counted as missed: 1 entity that begins or ends inside a token, the first ")
        code, _, said = call(*evaluate, "--misaligned", "error", "--nested", "error")
        assert code == 1
        assert "choose --misaligned drop or expand\n" in said
        assert said.endswith("set --misaligned drop and --nested outermost or innermost or layers\n")
        code, _, said = call(*evaluate, "--misaligned", "expand", "--nested", "outermost")
        assert code == 0
        assert said.startswith("expanded 1 entity that begins or ends inside a token, the first ")
        assert "\ndropped 1 entity that is nested, the first " in said
        code, _, said = call(*evaluate, "--scheme", "io")
        assert (code, said.count("\n")) == (1, 1)
        assert "scheme io is for tags" in said
    evaluate = ["evaluate", str(run_folder), str(columns), "--format", "conll", "--columns", "token,ner"]
    code, _, said = call(*evaluate, "--scheme", "io")
    assert code == 0
    assert (
        said.count("layer `ner` is in IO, where neighbours of one type are one entity, and is converted to IOB2\n") == 1
    )


def test_rule_of_a_reading_section_that_a_model_breaks_is_reported_in_our_words(call, run_folder, tmp_path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(run_folder / "model", folder)
    sign(folder, reading={"data": {"format": "conll", "columns": ["ner"]}})
    code, _, said = call("info", str(folder))
    assert code == 1
    assert 'one of the `columns` must be "token"' in said
    assert "Value error" not in said


@pytest.mark.parametrize(
    "command",
    [
        f"train none.toml --seed {2**63}",
        f"train none.toml --threads {2**63}",
        f"audit none.toml --seed {2**63}",
        "pretrain none.txt --output none --minutes nan",
        "cache --keep nan",
    ],
)
def test_a_number_beyond_all_bounds_is_wrong_use(call, command: str) -> None:
    done = call(*command.split())
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '{command.split()[-2]}'" in done.err
