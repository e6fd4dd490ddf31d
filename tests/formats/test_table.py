"""The table of formats: the choices of recipes and commands are its rows, and each row's example is of its format."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import readers

from tagger.cli import app
from tagger.config import ReadingConfig
from tagger.formats.detection import detect_format
from tagger.formats.table import FORMATS, READABLE, WRITABLE
from tagger.text.choices import FileFormat, StreamFormat

SETTINGS: dict[str, dict[str, Any]] = {"conll": {"columns": ["token", "ner"]}}


def choices(command: Callable[..., None], option: str) -> set[str]:
    """What an option of a command accepts."""
    hint = get_type_hints(command)[option]
    return set(get_args(get_args(hint)[0] if type(None) in get_args(hint) else hint))


def test_recipes_read_the_formats_that_hold_tags() -> None:
    assert set(get_args(FileFormat)) == set(READABLE) - {"text"}
    annotation = ReadingConfig.model_fields["format"].annotation
    assert annotation is not None
    assert set(get_args(get_args(annotation)[0])) == {*get_args(FileFormat), "synthetic"}


def test_streams_are_of_the_formats_that_can_be_streamed() -> None:
    assert set(get_args(StreamFormat)) == {name for name, row in FORMATS.items() if row.stream is not None}
    assert all(FORMATS[name].write is not None for name in get_args(StreamFormat))


def test_commands_have_the_choices_of_the_table() -> None:
    assert choices(app.check, "format") == choices(app.evaluate, "format") == set(get_args(FileFormat))
    assert choices(app.convert, "format") == set(READABLE)
    assert choices(app.tag, "input_format") == choices(app.tag, "output_format") == set(get_args(StreamFormat))
    to = get_type_hints(app.convert, include_extras=True)["to"].__metadata__[0]
    assert all(name in to.help for name in WRITABLE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_is_described_and_its_example_is_what_it_says(name: str, tmp_path: Path) -> None:
    row = FORMATS[name]
    assert row.about.endswith(".")
    path = tmp_path / "train.txt"
    path.write_text("Ada lives in Oslo" if name == "brat" else row.example, encoding="utf-8")
    if name == "brat":
        path.with_suffix(".ann").write_text(row.example, encoding="utf-8")
    read = name if row.read is not None else "jsonl"
    assert detect_format(row.example.split("\n"), where="f", path=path) == read
    for example in row.example.splitlines(keepends=True) if read == "jsonl" else [row.example]:
        path.write_text("Ada lives in Oslo" if name == "brat" else example, encoding="utf-8")
        assert readers.read(read, path, **SETTINGS.get(read, {}))


def test_readers_take_the_same_arguments() -> None:
    for row in FORMATS.values():
        if row.read is not None:
            assert list(inspect.signature(row.read).parameters) == ["source", "config", "tally", "faults"]
