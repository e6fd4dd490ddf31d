"""The blocks of files: parts that are read, tagged and written as a whole, whatever machines there are.

A block is a range of bytes of a text, whose lines are those that begin in it, a file that is packed, or a row group of
a Parquet file. How JSON lines become tables is left to `records.py`, and how tables are tagged to `workers.py`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from tagger.errors import DataError
from tagger.files.packing import packing_of_name, unpacked_name
from tagger.files.reading import MAX_LINE, decode_lines, raw_lines, utf8_alone
from tagger.ray.records import record_tables

if TYPE_CHECKING:
    import pyarrow

Form = Literal["text", "jsonl", "parquet"]
FORMS: dict[str, Form] = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
BYTES = 4_000_000  # of a block: about 20 seconds of a core
SLICE = 1_000_000  # characters that are tagged at once: the entities of so many are in memory
ROWS = 10_000  # of a Parquet file that are read at once


class Block(NamedTuple):
    """A part of a file.

    Args:
        path: The file, which has this path on every machine.
        form: Its format.
        start: The first byte, or the number of the row group.
        end: The byte after the last one, or the number of the next row group.
        size: The bytes of the whole file, which must not change.
        changed: When it was changed, in nanoseconds.
    """

    path: str
    form: Form
    start: int
    end: int
    size: int
    changed: int

    @property
    def place(self) -> str:
        """The name of the block in errors."""
        return f"{self.path} (from byte {self.start:,})" if self.start else self.path


def files_of(path: Path) -> list[Path]:
    """Return a file, or the files of a folder and of those in it, in the order of their names.

    Raises:
        DataError: There is none, or they have several formats.
    """
    found = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith((".", "_")))
    files = found if path.is_dir() else [path]
    forms = {form_of(file): file for file in files}
    if len(forms) > 1:
        names = ", ".join(str(file) for file in forms.values())
        raise DataError(f"{path}: all files of a folder must have one format, got {names}; move the others")
    if not files:
        raise DataError(f"{path}: the folder must have files of text, JSON lines or Parquet, got none; check the path")
    return files


def form_of(path: Path) -> Form:
    """Return the format of a file, as its name says."""
    return FORMS.get(Path(unpacked_name(path)).suffix.lower(), "text")


def blocks_of(path: Path, size: int) -> Iterator[Block]:
    """Yield the blocks of a file, of about `size` bytes each; they depend on the file alone.

    Raises:
        DataError: The file cannot be read, or is empty.
    """
    form = form_of(path)
    try:
        found = path.stat()
        with path.open("rb"):
            pass
    except OSError as error:
        raise unreadable(path, error) from None
    if not found.st_size:
        raise DataError(f"{path}: the file must not be empty, got no bytes; check the path")
    last, step = found.st_size, size
    if form == "parquet":
        last, step = _num_row_groups(path), 1
    elif packing_of_name(path):
        step = last  # packed bytes are read from the start
    for start in range(0, last, step):
        yield Block(str(path), form, start, min(start + step, last), found.st_size, found.st_mtime_ns)


def schema_of(block: Block) -> "pyarrow.Schema":
    """Return the columns of a file and their types, for JSON lines those of the block, none if its lines are blank.

    Raises:
        DataError: The file is not in its format.
    """
    import pyarrow

    if block.form == "text":
        return pyarrow.schema([("text", pyarrow.string())])
    if block.form == "parquet":
        from pyarrow import parquet

        schema: pyarrow.Schema = parquet.read_schema(block.path)
        return schema
    schemas = (table.schema for table in record_tables(_pieces(block, BYTES), where=block.place))
    return next(filter(len, schemas), pyarrow.schema([]))


def common_schema(blocks: Sequence[Block]) -> "pyarrow.Schema":
    """Return the columns of all files: those of the first block that has any.

    Raises:
        DataError: No block has columns, or a Parquet file has others than the first.
    """
    schema = next(filter(len, map(schema_of, blocks)), None)
    if schema is None:
        raise DataError(f"{blocks[0].path}: the file must not be empty, got blank lines only; check the path")
    for block in blocks:
        if block.form == "parquet" and block.start == 0 and not schema_of(block).equals(schema):
            raise DataError(
                f"{block.path}: must have the columns and types of {blocks[0].path}, got others; tag it by itself"
            )
    return schema


def tables_of(block: Block, schema: "pyarrow.Schema") -> "Iterator[pyarrow.Table]":
    """Yield the rows of a block as tables that fit into memory; at least one, which may be empty.

    Args:
        block: The block.
        schema: The columns of all blocks, as `schema_of` returns them for the first.

    Raises:
        DataError: The file has changed or cannot be read, is not in its format, or has other columns.
    """
    import pyarrow

    try:
        found = Path(block.path).stat()
        if (found.st_size, found.st_mtime_ns) != (block.size, block.changed):
            raise DataError(f"{block.path}: the file must not change while it is tagged, but did; start again")
        empty = True
        for table in _tables(block, schema):
            empty = False
            yield table
        if empty:
            yield schema.empty_table()
    except OSError as error:
        raise unreadable(block.path, error) from None
    except pyarrow.ArrowException as error:
        raise DataError(f"{block.place}: must be a {block.form} file ({error}); write it again") from None


def slices(table: "pyarrow.Table", text: str, size: int = SLICE) -> "Iterator[pyarrow.Table]":
    """Yield a table in slices whose texts have about `size` bytes, so that each takes about the same time and memory.

    A column that has no texts is not measured.
    """
    import pyarrow
    from pyarrow import compute

    kind = table.schema.field(text).type if text in table.column_names else None
    if kind not in (pyarrow.string(), pyarrow.large_string()) or not table.num_rows:
        yield table
        return
    ends = np.cumsum(compute.fill_null(compute.binary_length(table[text]), 0).to_numpy())
    start = done = 0
    while start < table.num_rows:
        end = max(int(np.searchsorted(ends, done + size, side="right")), start + 1)
        yield table.slice(start, end - start)
        start, done = end, int(ends[end - 1])


def unreadable(path: str | Path, error: OSError) -> DataError:
    """Return the error for a file that the system does not open."""
    return DataError(
        f"{path}: the file cannot be read: {error.strerror or error}; check the path, which must lead to it on every "
        "machine"
    )


def _num_row_groups(path: Path) -> int:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            return int(file.num_row_groups)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: must be a Parquet file as its name says, got other bytes ({error})") from None


def _tables(block: Block, schema: "pyarrow.Schema") -> "Iterator[pyarrow.Table]":
    import pyarrow

    if block.form == "parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(block.path) as file:
            for batch in file.iter_batches(ROWS, row_groups=[block.start]):
                yield pyarrow.Table.from_batches([batch])
    elif block.form == "jsonl":
        yield from record_tables(_pieces(block, SLICE), where=block.place, schema=schema)
    else:
        for lines in _pieces(block, SLICE):
            yield pyarrow.table({"text": lines}, schema)


def _start_of(block: Block) -> int:
    """Return where the first line of a block begins, in bytes."""
    if not block.start:
        return 0
    with Path(block.path).open("rb") as file:
        file.seek(block.start - 1)
        return block.start - 1 + len(file.readline())  # the rest of a line that begins in the block before


def _lines(block: Block) -> Iterator[bytes]:
    """Yield the lines that begin in a block."""
    path = Path(block.path)
    if packing_of_name(path):
        yield from raw_lines(path)
        return
    place = _start_of(block)
    with path.open("rb") as file:
        file.seek(place)
        while place < block.end and (line := file.readline(MAX_LINE + 1)):
            yield line
            place += len(line)


def _pieces(block: Block, size: int) -> Iterator[list[str]]:
    """Yield the lines of a block in lists of about `size` characters."""
    piece: list[str] = []
    left = size
    with utf8_alone():
        for line in decode_lines(_lines(block), where=block.place, start=_start_of(block)):
            piece.append(line)
            left -= len(line)
            if left <= 0:
                yield piece
                piece, left = [], size
    if piece:
        yield piece
