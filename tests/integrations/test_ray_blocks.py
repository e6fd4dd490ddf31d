"""The blocks of files that a cluster tags: each row is in one of them, whatever their size."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tagger.errors import DataError
from tagger.ray import tag_files
from tagger.ray.blocks import blocks_of, common_schema, files_of, schema_of, slices, tables_of

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=8))


def rows_of(path: Path, size: int) -> list[dict[str, object]]:
    """The rows of all blocks of a file, in order."""
    blocks = list(blocks_of(path, size))
    schema = common_schema(blocks)
    tables = [table for block in blocks for table in tables_of(block, schema)]
    assert {table.schema for table in tables} == {schema}
    return [row for table in tables for row in table.to_pylist()]


@settings(max_examples=60)
@given(lines=LINES, size=st.integers(1, 30), end=st.booleans())
def test_each_line_is_in_one_block(
    lines: list[str], size: int, end: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    content = "x" + "\n".join(lines) + ("\n" if end else "")
    path.write_text(content, encoding="utf-8", newline="")
    assert rows_of(path, size) == [{"text": line} for line in content.removesuffix("\n").split("\n")]


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_each_record_is_in_one_block_with_the_types_of_the_first(size: int, tmp_path: Path) -> None:
    records = [{"text": f"text {i}", "n": i, "more": {"a": [1, i]}} for i in range(30)]
    records[20] = {"text": None, "n": 20, "more": None}
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert rows_of(path, size) == records


def test_a_packed_file_is_one_block(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"one\n\ntwo"))
    assert len(list(blocks_of(path, 1))) == 1
    assert rows_of(path, 1) == [{"text": "one"}, {"text": ""}, {"text": "two"}]


def test_a_row_group_is_a_block(tmp_path: Path) -> None:
    table = pyarrow.table({"text": [f"t{i}" for i in range(10)], "n": range(10)})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=4)
    assert len(list(blocks_of(tmp_path / "a.parquet", 1))) == 3
    assert rows_of(tmp_path / "a.parquet", 1) == table.to_pylist()


@pytest.mark.parametrize("size", [1, 3, 100])
def test_slices_have_all_rows_in_order_and_are_no_larger_than_asked(size: int) -> None:
    table = pyarrow.table({"text": ["ab", None, "", "abcdefgh", "c"], "n": range(5)})
    parts = list(slices(table, "text", size))
    assert pyarrow.concat_tables(parts).equals(table)
    lengths = [[len(text or "") for text in part["text"].to_pylist()] for part in parts]
    assert all(sum(texts) <= size or len(texts) == 1 for texts in lengths)


def test_slices_of_an_empty_table_keep_its_columns() -> None:
    empty = pyarrow.table({"text": pyarrow.array([], pyarrow.string())})
    assert [part.schema for part in slices(empty, "text")] == [empty.schema]


@pytest.mark.parametrize("size", [1, 60, 10_000])
def test_values_of_json_lines_stay_what_they_are(size: int, tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"text": "2020-01-01", "day": "2020-01-01T00:00:00Z", "n": 2**63 - 1, "x": 1.5, "ok": True, "more": [{"a": 1}]},
        {"text": "hello", "day": "unknown", "n": -(2**63), "x": 2, "ok": False, "more": []},
        {"text": None, "day": "12:30:00", "n": 0, "x": 2**53, "ok": None, "more": None},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    found = rows_of(path, size)
    assert found == records
    assert [{type(value) for value in row.values()} for row in found] == [
        {type(float(value) if name == "x" else value) for name, value in record.items()} for record in records
    ]


@pytest.mark.parametrize("size", [15, 40, 10_000])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "2", "n": 12345678901234567890123}', "column `n` must have values that double holds exactly"),
        (b'{"text": "2", "n": 9007199254740993}', "column `n` must have values that double holds exactly"),
        (b'{"text": "2", "i": 9223372036854775808}', "column `i` must have values that int64 holds exactly"),
        (b'{"text": "2", "i": true}', "column `i` must have "),
        (b'{"text": "2", "n": "2"}', "column `n` must have "),
        (b'{"text": 2}', "column `text` must have "),
        (b'{"text": "2", "l": [1, true]}', "column `l` must have values of one type, got integers and true or false"),
        (b'{"text": "2"} {"text": "3"}', r"must be a JSON object, got .* \(Extra data\); write one valid object per"),
        (b'{"text":\n"2"}', "must be a JSON object, got .*; write one valid object per line$"),
        (b'["text"]', "must be a JSON object, got .*; write one valid object per line$"),
        (b'{"text": "2", "text": "3"}', "must have each key once, got 'text' twice"),
        (b'{"text": "\\ud800"}', "must be Unicode text, got half a surrogate pair"),
        (b'{"text": "caf\xe9"}', r"must be UTF-8, got byte 0xe9 at byte \d+ of the file, .*; save it as UTF-8$"),
    ],
)
def test_a_wrong_record_is_refused_with_its_line_wherever_blocks_end(
    line: bytes, message: str, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    first = b'{"text": "1", "n": 1.5, "i": 1, "l": [1]}\n\n'
    path.write_bytes(first + line + b"\n" + first)
    with pytest.raises(DataError) as error:
        rows_of(path, size)
    found = re.match(rf"{re.escape(str(path))}(?: \(from byte ([\d,]+)\))?:(\d+): ", str(error.value))
    assert found, error.value
    begins = [0, *(end.end() for end in re.finditer(b"\n", path.read_bytes()))]
    before = sum(begin < int((found[1] or "0").replace(",", "")) for begin in begins)  # lines of earlier blocks
    assert before + int(found[2]) == 3
    assert re.match(message, str(error.value)[found.end() :])


def test_of_many_records_the_first_that_does_not_fit_is_named(tmp_path: Path) -> None:
    lines = ['{"text": "a", "n": 1}'] * 1000
    lines[700] = lines[900] = '{"text": "a", "n": "x"}'
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    with pytest.raises(
        DataError, match=r"a\.jsonl:701: column `n` must have values of one type, got integers and text"
    ):
        rows_of(tmp_path / "a.jsonl", 10**6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('{"text": "a", "other": 1}', r"must have the columns of the first block \(text, n, o\), got `other` too"),
        ('{"text": "a", "n": "x"}', "column `n` must have the type of the first block, int64, got string"),
        ('{"text": "a", "n": 1.0}', "column `n` must have the type of the first block, int64, got double"),
        ('{"text": "a", "o": {"a": 1, "b": 2}}', "column `o` must have the type of the first block, struct<a: int64>"),
    ],
)
def test_a_later_block_has_the_columns_and_types_of_the_first(wrong: str, message: str, tmp_path: Path) -> None:
    first = '{"text": "a", "n": 1, "o": {"a": 1}}\n'
    (tmp_path / "a.jsonl").write_text(f"{first}{first}{wrong}\n")
    with pytest.raises(DataError, match=rf"a\.jsonl \(from byte {2 * len(first)}\):1: {message}"):
        rows_of(tmp_path / "a.jsonl", 2 * len(first))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{}", "values that null holds exactly"),
        ("[{}]", "values that list<item: null> holds exactly"),
        ('{"a":' * 700 + "1" + "}" * 700, "values of some levels"),
    ],
)
def test_a_value_that_no_parquet_file_holds_is_refused(value: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"text": "a"}}\n{{"text": "a", "m": {value}}}\n')
    with pytest.raises(DataError, match=rf"a\.jsonl:2: column `m` must have {message}"):
        rows_of(tmp_path / "a.jsonl", 100)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_blank_lines_are_no_records_also_in_the_first_block(size: int, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\n\n \n\n{"text": "a"}\n\n{"text": "b"}\n\n')
    assert rows_of(tmp_path / "a.jsonl", size) == [{"text": "a"}, {"text": "b"}]


def test_a_file_of_blank_lines_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n\n\n")
    with pytest.raises(DataError, match=r"a\.jsonl: the file must not be empty, got blank lines only; check the path"):
        rows_of(tmp_path / "a.jsonl", 1)


def test_text_that_is_not_utf8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\ngood\nb\xe9\n")
    with pytest.raises(DataError, match=r"a\.txt \(from byte 8\):1: must be UTF-8, got byte 0xe9 at byte 11 of"):
        list(rows_of(tmp_path / "a.txt", 4))


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    block = next(blocks_of(tmp_path / "a.txt", 100))
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    with pytest.raises(DataError, match="must not change while it is tagged"):
        list(tables_of(block, schema_of(block)))


def test_a_folder_has_files_of_one_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have files"):
        files_of(tmp_path)
    (tmp_path / "b").mkdir()
    for name in ("b/2.txt", "1.txt", ".hidden.jsonl", "_SUCCESS"):
        (tmp_path / name).write_text("a")
    assert files_of(tmp_path) == [tmp_path / "1.txt", tmp_path / "b" / "2.txt"]
    (tmp_path / "c.jsonl").write_text("{}")
    with pytest.raises(DataError, match="must have one format"):
        files_of(tmp_path)


@pytest.mark.parametrize("content", [None, b""])
def test_a_missing_or_empty_file_is_one_sentence(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.txt: the file (cannot be read|must not be empty)"):
        list(blocks_of(tmp_path / "a.txt", 1))


def test_wrong_columns_and_files_of_another_run_end_a_job_before_its_work(tmp_path: Path) -> None:
    pytest.importorskip("ray", exc_type=ImportError)
    path, output = tmp_path / "a.jsonl", tmp_path / "out"
    path.write_text('{"body": "a"}\n')
    with pytest.raises(DataError, match="the table must have a column 'text'"):
        tag_files(path, "english", output)
    output.mkdir()
    (output / "part-000000-0123456789abcdef.parquet").touch()
    with pytest.raises(DataError, match="must be empty or new, got 1 file of a run"):
        tag_files(path, "english", output, text="body")
    with pytest.raises(DataError, match="same input, model and options, got 1 other such as part-000000-0123"):
        tag_files(path, "english", output, text="body", resume=True)
