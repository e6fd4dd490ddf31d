"""`tagger annotate` and `tagger annotations` as their user meets them."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tagger
from tagger.annotation import Project
from tagger.annotation.learning.process import TrainingProcess

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """The settings of the servers that would run; no process trains."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr("uvicorn.run", lambda app, **settings: found.append(settings))
    monkeypatch.setattr("tagger.serving.run.check_address", lambda host, port: None)
    monkeypatch.setattr(TrainingProcess, "keep_running", lambda self: None)
    monkeypatch.chdir(tmp_path)
    return found


def texts_of(path: str) -> list[str]:
    project = Project(path, teach=False)
    try:
        return [project.item(number).text for number in range(1, project.progress()["texts"] + 1)]
    finally:
        project.close()


def test_texts_become_a_project_that_opens_again(call: Call, served: list[dict[str, Any]]) -> None:
    Path("notes.txt").write_text("Oslo is cold. Ada left it.\n\nNobody came.\n")
    code, _, err = call("annotate", "notes.txt", "--types", "PER,LOC", "--port", 8100)
    assert (code, err.splitlines()[0]) == (0, "notes.sqlite: 3 texts, 0 judgements")
    assert "annotate at http://127.0.0.1:8100" in err
    assert texts_of("notes.sqlite") == ["Oslo is cold.", "Ada left it.", "Nobody came."]
    assert (
        call("annotate", "notes.sqlite", "--host", "::1")[2].splitlines()[1].startswith("annotate at http://[::1]:8000")
    )
    assert [(each["host"], each["port"]) for each in served] == [("127.0.0.1", 8100), ("::1", 8000)]


def test_records_and_columns_keep_what_they_have(call: Call, served: list[dict[str, Any]]) -> None:
    Path("notes.jsonl").write_text('{"id": 7, "body": "Ada left.", "channel": "mail"}\n')
    Path("words.conll").write_text("Oslo\tB-LOC\nis\tO\n\nAda\tB-PER\n")
    given = ("--types", "PER", "--output", "both.sqlite")
    assert call("annotate", "notes.jsonl", *given, "--text", "body")[0] == 0
    project = Project("both.sqlite", teach=False)
    project.judge(1, 0, 1, "PER")
    project.close()
    code, _, err = call("annotations", "export", "both.sqlite", "--output", "out.jsonl")
    assert (code, err) == (0, "out.jsonl: 1 sentence written as jsonl\n")
    row = json.loads(Path("out.jsonl").read_text())
    assert (row["id"], row["channel"], row["tags"]["ner"]) == (7, "mail", ["S-PER", None, None])
    assert call("annotate", "words.conll", "--types", "PER")[0] == 0
    assert texts_of("words.sqlite") == ["Oslo is", "Ada"]


def test_gold_file_scores_the_model(call: Call, served: list[dict[str, Any]]) -> None:
    Path("notes.txt").write_text("Ada left it.\n")
    Path("gold.conll").write_text("Ada\tB-PER\nleft\tO\n\nOslo\tB-LOC\nis\tO\ncold\tO\n")
    assert call("annotate", "notes.txt", "--types", "PER", "--dev", "gold.conll")[0] == 0
    project = Project("notes.sqlite", teach=False)
    assert [s.tags("ner") for s in project.store.gold()] == [("S-PER", "O"), ("O", "O", "O")]
    project.close()


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["notes.txt"], 2, "--types must name the types of entities, such as --types PER,ORG, got none"),
        (["notes.txt", "--types", "A,A"], 1, "--types: expected different names without white space"),
        (["other.sqlite"], 1, "other.sqlite: there is no such file; make one with tagger annotate"),
        (["other.SQLITE"], 1, "other.SQLITE: there is no such file; make one with tagger annotate"),
        (
            ["other.sqlite", "--types", "A", "--start", "nowhere", "--seed", "9", "--text", "body", "--person", "bo"],
            2,
            "other.sqlite: a project has its own settings, got options for a new one: --types, --start, --seed, --text",
        ),
        (["notes.txt", "--types", "A", "--start", "nowhere"], 1, "nowhere"),
        (["missing.txt", "--types", "A"], 1, "missing.txt"),
        (["notes.txt", "--types", "DRUG", "--dev", "gold.conll"], 1, "--dev: expected entities of the types `DRUG`"),
    ],
)
def test_mistake_is_one_sentence_and_leaves_no_file(
    call: Call, served: list[dict[str, Any]], given: list[str], code: int, said: str
) -> None:
    Path("notes.txt").write_text("Ada left it.\n")
    Path("gold.conll").write_text("Ada\tB-PER\nleft\tO\n\nOslo\tB-LOC\n")
    found = call("annotate", *given)
    assert found[0] == code
    assert said in found[2]
    assert len(found[2].splitlines()) == 1
    assert sorted(file.name for file in Path().iterdir()) == ["gold.conll", "notes.txt"]


@pytest.mark.parametrize("name", ["notes.db", "notes.SQLITE", "notes"])
def test_project_of_any_name_opens_again(call: Call, served: list[dict[str, Any]], name: str) -> None:
    Path("notes.txt").write_text("Ada left it.\n")
    assert call("annotate", "notes.txt", "--types", "PER", "--output", name)[0] == 0
    code, _, err = call("annotate", name)
    assert (code, err.splitlines()[0]) == (0, f"{name}: 1 text, 0 judgements")


def test_port_in_use_is_one_sentence_and_leaves_no_file(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("Ada left it.\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code, _, err = call("annotate", "notes.txt", "--types", "PER", "--port", port)
    said = f"error: --port: expected a free port at 127.0.0.1, got {port}: Address already in use; choose another one\n"
    assert (code, err) == (2, said)
    assert [file.name for file in Path().iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("host", ["a..b", "name.invalid"])
def test_host_that_is_not_known_is_one_sentence_and_leaves_no_file(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    def unknown(name: str, *_: object, **__: object) -> None:
        raise UnicodeError("label empty") if ".." in name else socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("Ada left it.\n")
    code, _, err = call("annotate", "notes.txt", "--types", "PER", "--host", host)
    assert code == 2
    assert err.startswith(f"error: --host: expected a name or an address of this machine, got {host!r}: ")
    assert [file.name for file in Path().iterdir()] == ["notes.txt"]


def test_merge_prints_the_agreement(call: Call, served: list[dict[str, Any]]) -> None:
    Path("notes.txt").write_text("Ada left Oslo\n")
    for name, end in (("a", 1), ("b", 2)):
        assert call("annotate", "notes.txt", "--types", "PER", "--output", f"{name}.sqlite")[0] == 0
        project = Project(f"{name}.sqlite", teach=False)
        project.judge(1, 0, end, "PER")
        project.close()
    code, out, _ = call("annotations", "merge", "a.sqlite", "b.sqlite", "--output", "c.sqlite")
    assert code == 0
    assert out.splitlines()[1:] == ["1 conflict", "  text 1: 'Ada left Oslo': A says PER [Ada], B says PER [Ada left]"]
    code, out, _ = call(
        "annotations", "merge", "a.sqlite", "b.sqlite", "--output", "d.sqlite", "--json", "--prefer", "B"
    )
    assert json.loads(out)["conflicts"][0]["other"] == "PER [Ada left]"


def test_export_trains_a_recipe(call: Call, served: list[dict[str, Any]]) -> None:
    Path("notes.txt").write_text("Ada left Oslo\nBo came to see her\n" * 4)
    assert call("annotate", "notes.txt", "--types", "PER")[0] == 0
    project = Project("notes.sqlite", teach=False)
    for number in range(1, 9):
        project.judge(number, 0, 1, "PER")
    project.close()
    assert call("annotations", "export", "notes.sqlite", "--output", "out.conll")[0] == 0
    corpus = tagger.load_corpus(
        format="conll", columns=["token", "ner"], train="out.conll", dev="out.conll", unknown="?"
    )
    recipe = tagger.Recipe(heads={"ner": {"kind": "tokens"}}, training={"epochs": 1})
    assert tagger.train(recipe, corpus=corpus, threads=1).tagger.layers == ("ner",)
