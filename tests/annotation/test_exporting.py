"""Exports in every format: what was judged comes back, and what is lost is said."""

import json
from pathlib import Path

import pytest

from tagger.annotation.exporting import EXPORTS, format_of_name
from tagger.annotation.project import Project
from tagger.corpus.corpus import load_corpus
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.tokenization import DEFAULT_RULES

READ = {"csv": "conll", "doccano": "jsonl", "labelstudio": "jsonl", "spacy": "jsonl"}
SUFFIX = {"csv": ".csv", "conll": ".conll", "docbin": ".spacy"}


@pytest.fixture
def project(project: Project) -> Project:
    project.judge(1, 0, 2, "person")
    project.judge_rest(1)
    project.judge(2, 0, 1, "location")
    project.skip(4)
    return project


def test_all_formats_that_hold_entities_are_written() -> None:
    assert EXPORTS == ("conll", "csv", "docbin", "doccano", "jsonl", "labelstudio", "spacy")


@pytest.mark.parametrize("format", EXPORTS)
def test_entities_come_back(project: Project, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out{SUFFIX.get(format, '.json')}"
    said = project.export(format, path)
    given = {"unknown": "?", "columns": ["token", "ner"]} if format == "conll" else {}
    corpus = load_corpus(train=str(path), dev=str(path), format=READ.get(format, format), **given)
    (layer,) = {name for sentence in corpus.dev for name in sentence.layers}
    found = [[(span.type, span.text) for span in sentence.spans(layer)] for sentence in corpus.dev]
    assert found == [[("person", "Ada Lovelace")], [("location", "Oslo")]]
    unknown = format in ("conll", "jsonl")
    assert corpus.dev[1].tags(layer).count(None) == (3 if unknown else 0)
    assert ("3 unknown tokens written as outside entities" in said) == (not unknown)


def test_only_whole_sentences_are_written_on_demand(project: Project, tmp_path: Path) -> None:
    said = project.export("doccano", tmp_path / "out.jsonl", only_whole=True)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows == [{"text": "Ada Lovelace lives in Oslo", "label": [[0, 12, "person"]]}]
    assert said.endswith("1 sentence written as doccano; 1 sentence left out, because not all tokens are judged")


@pytest.mark.parametrize("format", ["docbin", "doccano", "labelstudio", "spacy"])
def test_sentences_that_nobody_judged_are_in_no_export(tmp_path: Path, format: str) -> None:
    text = "Ada lives in Oslo. Bob works in Rome. Bob works in Rome. Eve left Bonn."
    document = Document(text, tuple(DEFAULT_RULES.split(text)))
    project = Project.create(tmp_path / "notes.sqlite", [document], types=["PER"], teach=False)
    for number in (1, 2, 4):
        project.judge(number, 0, 1, "PER")
        if number != 2:
            project.judge_rest(number)
    for only_whole, expected in [(True, ["Ada", "Eve"]), (False, ["Ada", "Bob", "Eve"])]:
        path = tmp_path / f"out{SUFFIX.get(format, '.json')}"
        said = project.export(format, path, only_whole=only_whole)
        corpus = load_corpus(train=str(path), dev=str(path), format=READ.get(format, format))
        (layer,) = {name for sentence in corpus.dev for name in sentence.layers}
        assert [[span.text for span in sentence.spans(layer)] for sentence in corpus.dev] == [[w] for w in expected]
        assert [sentence.text.split()[0] for sentence in corpus.dev] == expected
        assert said.startswith(f"{path}: {len(expected)} sentences written")
    project.close()


def test_json_lines_keep_the_columns_of_the_input(project: Project, tmp_path: Path) -> None:
    project.export("jsonl", tmp_path / "out.jsonl")
    first, second = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["id"], first["channel"]) == ("n1", "mail")
    assert second["tags"]["ner"] == ["S-location", None, None, None]


def test_format_that_is_no_format_of_entities_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the format must be one of conll, csv, .*, got text"):
        project.export("text", tmp_path / "out.txt")
    with pytest.raises(DataError, match=r"out\.txt: expected a name that ends in \.conll, .*; choose a format with"):
        format_of_name(tmp_path / "out.txt")
    assert format_of_name("a.spacy") == "docbin"
