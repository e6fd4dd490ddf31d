"""What the readers refuse is an error of the data doctor too: a table of broken files, and files of random pieces."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagger.corpus.corpus import load_corpus
from tagger.doctor.check import check
from tagger.errors import DataError, TaggerError
from tagger.files.reading import MAX_LINE

GOOD = "Ada\tB-PER\nnaps\tO\n\nOslo\tB-LOC\nnaps\tO\n"
ROW = "{}\tOslo\t_\tPROPN\t_\t_\t_\t_\t_\t_\n"
SENTENCE = json.dumps({"tokens": ["Ada", "naps"], "tags": {"ner": ["B-PER", "O"]}}) + "\n"
TEXT = json.dumps({"text": "Ada naps .", "label": [[0, 3, "PER"]]}) + "\n"
BROKEN = [
    ("a.conll", "a\tB-X\nb\tQ-X\nc\tE-X\n"),
    ("a.conll", f"{GOOD}\nb\tQ-X\n"),
    ("a.conll", f"{GOOD}\nb\tPER\n"),
    ("a.conll", f"{GOOD}\nb\tB-\n"),
    ("a.conll", f"{GOOD}\nb\tB-P\0ER\n"),
    ("a.conll", f"# a\0b\n{GOOD}"),
    ("a.conll", f"{GOOD}\n\0\n{GOOD}"),
    ("a.conll", f"{GOOD}\nb\tO\tO\n"),
    ("a.conll", f"{GOOD}\nb\tI-PER\n"),
    ("a.conll", f"{GOOD}\nb\t{'x' * MAX_LINE}\n"),
    ("a.conll", f"{GOOD}\n# {'x' * MAX_LINE}\n\n{GOOD}"),
    ("a.conll", "# a\n\n# b\n"),
    ("a.conll", "-DOCSTART- O\n\n"),
    ("a.conll", ""),
    ("a.conll", "\n \n"),
    ("a.conll", GOOD.encode() + b"\nb\xff\tO\n"),
    ("a.conll", "a\nb O\nc B-PER x\n"),
    ("a.conll.gz", GOOD),
    ("a.conll.gz", gzip.compress(GOOD.encode())[:-9]),
    ("a.conll.gz", gzip.compress(f"{GOOD}\nb\tQ-X\n".encode())),
    ("a.conllu", GOOD),
    ("a.conllu", "# a\n\n"),
    ("a.conllu", ROW.format("x")),
    ("a.conllu", ROW.format("2-3")),
    ("a.conllu", ROW.format(1) + "broken\n"),
    ("a.jsonl", "[1,2\n"),
    ("a.jsonl", "[1,2]\n"),
    ("a.jsonl", "[" * 5000 + "\n"),
    ("a.jsonl", '{"a":' * 5000 + "\n"),
    ("a.jsonl", SENTENCE + "Ada\tB-PER\n"),
    ("a.jsonl", SENTENCE + '{"tokens": []}\n'),
    ("a.jsonl", SENTENCE + '{"tokens": ["a"], "tags": {"ner": ["O", "O"]}}\n'),
    ("a.jsonl", '{"tokens": ["a"], "ner_tags": [0]}\n'),
    ("a.jsonl", '{"tokens": ["a"], "entity": [1]}\n'),
    ("a.jsonl", '{"tokens": ["a"], "tags": {"ner": ["B-X"]}}\n{"tokens": ["a"], "ner_tags": ["Q-X"]}\n'),
    ("a.jsonl.gz", gzip.compress(b"Ada\n")),
    ("a.jsonl", TEXT + '{"text": "Ada naps", "label": [[0, 2, "PER"]]}\n'),
    ("a.jsonl", TEXT + '{"text": "Ada naps", "label": [[0, 3, "PER"], [0, 8, "ACT"]]}\n'),
    ("a.jsonl", TEXT + '{"text": "Ada naps", "label": [[0, 30, "PER"]]}\n'),
    ("a.jsonl", TEXT + '{"text": "Ada naps", "label": [[0, 3]]}\n'),
    ("a.jsonl", TEXT + '{"label": [[0, 3, "PER"]]}\n'),
    ("a.jsonl", TEXT + "{\n"),
    ("a.json", "[" + TEXT),
    ("a.json", "[]\n"),
    ("a.json", "12\n"),
    ("a.tsv", "good\ta fine film\n\tbad\nbad\ta dull film\n"),
]


def settings_of(diagnosis) -> dict[str, object]:
    """How a recipe says what was detected."""
    found = {"format": diagnosis.format or "conll"}
    if found["format"] == "conll":
        found["columns"] = diagnosis.columns or ("token",)
    if found["format"] == "labelled":
        found["layer"] = "label"
    return found


def is_refused(path: Path, **reading) -> bool:
    try:
        load_corpus(train=path, **reading)
    except TaggerError:
        return True
    return False


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def places_of(path: Path) -> list[str]:
    """What opens each error about a file, whether it is one sentence or a diagnosis."""
    try:
        return [finding.place for finding in check(path).errors]
    except DataError as error:
        return str(error).split("\n")


@pytest.mark.parametrize(("name", "content"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_an_error_with_its_place(name: str, content: str | bytes, tmp_path: Path) -> None:
    path = write(tmp_path, name, content)
    places = places_of(path)
    assert places
    assert all(place.startswith(str(path)) for place in places)


SOUND = [
    ("a.conll", GOOD),
    ("a.conll.gz", gzip.compress(GOOD.encode())),
    ("a.conllu", ROW.format(1)),
    ("a.jsonl", SENTENCE),
    ("a.jsonl", TEXT),
    ("a.json", f"[{TEXT}, {TEXT}]"),
    ("a.jsonl.gz", gzip.compress(SENTENCE.encode())),
    ("a.tsv", "good\ta fine film\nbad\ta dull film\n"),
]


@pytest.mark.parametrize(("name", "content"), SOUND, ids=range(len(SOUND)))
def test_a_sound_file_is_one_that_the_readers_take(name: str, content: str | bytes, tmp_path: Path) -> None:
    diagnosis = check(path := write(tmp_path, name, content))
    assert diagnosis.is_sound
    assert not is_refused(path, **settings_of(diagnosis))


ROWS = ["B-X", "I-X", "O", "Q-X", "X", "E-X"]
OBJECTS = [
    '{"text": "a"}\n',
    '{"tokens": ["a"], "ner_tags": ["B-X"]}\n',
    '{"tokens": ["a"], "x": 1}\n',
    "{}\n",
    SENTENCE,
    TEXT,
]
LINES = ["a O\n", "a\n", "\n", "\t\n", "# O\n", "# a\n", "#\tO\n", "-DOCSTART- O\n", "good\ta fine film\n", "x\ty\tz\n"]
SIGNS = [" ", "\t", "\0", "\r\n", "\ufeff", "[", "]\n", ","]
PIECES = st.sampled_from([*(f"a\t{tag}\n" for tag in ROWS), *OBJECTS, *LINES, *SIGNS, ROW.format(1), ROW.format("2-3")])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=8), name=st.sampled_from(["a", "a.conllu", "a.jsonl", "a.json"]))
def test_readers_accept_what_check_finds_sound(pieces: list[str], name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, "".join(pieces))
    try:
        diagnosis = check(path)
    except DataError:
        return
    if diagnosis.is_sound:
        assert not is_refused(path, **settings_of(diagnosis))
