"""Every command prints every character, whatever the locale and the terminal are."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import tagger
from tagger.cli.app import main

SMALL = """
data = {format = "conll", columns = ["token", "ört"], train = "zoë.conll", dev = "zoë.conll", test = "zoë.conll"}
embeddings = {dimension = 4, char_dimension = 4, char_hidden = 4}
encoder = {hidden_size = 4}
heads = {"ört" = {kind = "tokens"}}
training = {epochs = 1}
"""
COMMANDS = {
    "train": ("train", "klein.toml", "--output", "out/größe", "--overwrite"),
    "evaluate": ("evaluate", "läufe", "zoë.conll"),
    "tag": ("tag", "läufe", "zoë.txt"),
    "tag to conll": ("tag", "läufe", "zoë.txt", "--output-format", "conll"),
    "tag to jsonl": ("tag", "läufe", "zoë.txt", "--output-format", "jsonl"),
    "convert": ("convert", "zoë.conll", "-", "--to", "jsonl", "--format", "conll", "--columns", "token,ört"),
    "check": ("check", "--train", "zoë.conll", "--format", "conll", "--columns", "token,ört"),
    "check to json": ("check", "--train", "zoë.conll", "--format", "conll", "--columns", "token,ört", "--json"),
    "info": ("info", "läufe"),
    "plot": ("plot", "entities", "läufe", "zoë.txt", "--output", "seite-ä.html"),
}
WITHOUT_NAMES = {"plot", "train"}  # their standard output shows no token and no layer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wörter")
    (folder / "klein.toml").write_text(SMALL, encoding="utf-8")
    (folder / "zoë.txt").write_text("Zoë lives in Łódź 😀.\n", encoding="utf-8")
    (folder / "zoë.conll").write_text("Zoë\tB-Näme\nnaps\tO\n\nŁódź\tB-ORT\n", encoding="utf-8")
    tagger.train(folder / "klein.toml", output=folder / "läufe")
    return folder


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", COMMANDS)
def test_data_are_utf8_and_messages_have_escapes(
    command: str, encoding: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["tagger", *COMMANDS[command]])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding=encoding))
    with pytest.raises(SystemExit) as ended:
        main()
    sys.stderr.flush()
    assert (ended.value.code or 0) == 0, err.getvalue()
    found = out.getvalue().decode("utf-8")
    assert command in WITHOUT_NAMES or any(word in found for word in ("Zoë", "ört", "zoë"))
    assert b"Traceback" not in err.getvalue()
    err.getvalue().decode(encoding)


@pytest.mark.parametrize("command", ["train", "evaluate", "tag", "convert", "check", "info"])
def test_error_with_any_character_ends_in_one_sentence(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    err = io.BytesIO()
    given = {"evaluate": ["nö", "zoë.conll"], "convert": ["nö", "-", "--to", "jsonl"]}.get(command, ["nö"])
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["tagger", command, *given])
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding="ascii"))
    with pytest.raises(SystemExit) as ended:
        main()
    sys.stderr.flush()
    assert ended.value.code in (1, 2)
    assert err.getvalue().startswith(b"error: n\\xf6")
    assert err.getvalue().count(b"\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is of Unix")
def test_terminal_of_the_c_locale_shows_escapes(folder: Path) -> None:
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    environment = {**os.environ, "PYTHONPATH": str(Path(tagger.__file__).parents[1]), **locale}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tagger", "tag", "läufe", "zoë.txt"]
    subprocess.run(command, check=True, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment)
    os.close(theirs)
    assert os.read(ours, 10_000).startswith(b"Zo\\xeb lives in \\u0141\\xf3d\\u017a \\U0001f600.\r\n")
    os.close(ours)


def test_version_is_printed(call) -> None:
    assert call("--version") == (0, "tagger 0.1.0\n", "")
