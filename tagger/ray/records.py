"""The records of JSON lines as tables that have the same values: text stays text, and integers keep all their digits.

The type of a column comes from the JSON values alone. What it cannot hold is an error that names the line. How lines
are read is left to `blocks.py`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from tagger.errors import DataError
from tagger.formats.jsonl import json_value
from tagger.wording import shorten

if TYPE_CHECKING:
    import pyarrow

Record = dict[str, Any]
NAMES = {bool: "true or false", int: "integers", float: "numbers", str: "text", list: "lists", dict: "objects"}


def record_tables(
    pieces: Iterable[Sequence[str]], *, where: str, schema: "pyarrow.Schema | None" = None
) -> "Iterator[pyarrow.Table]":
    """Yield the records of lines as tables, one for each piece.

    Args:
        pieces: Lines, each of which has one record or is blank.
        where: The start of an error message, such as the path.
        schema: The columns of all tables; a key that a record lacks is null. Default: those of each piece.

    Raises:
        DataError: A line is not one JSON object, has another column or type, or a value that the type cannot hold.
    """
    before = 0
    for lines in pieces:
        numbers = [number for number, line in enumerate(lines, before + 1) if line.strip()]
        records = [_record(lines[number - before - 1], f"{where}:{number}") for number in numbers]
        before += len(lines)
        try:
            yield _table(records, schema)
        except DataError:
            # If the first n records do not fit, the first n + 1 do not either, so halving finds the line.
            wrong = bisect_left(range(len(records)), True, key=lambda end: _problem(records[:end], schema) != "")
            raise DataError(
                f"{where}:{numbers[wrong - 1]}: {_problem(records[:wrong], schema)}; write the values of a column in "
                "one type, such as text, or the records as Parquet, which names the types"
            ) from None


def _record(line: str, place: str) -> Record:
    """Return the JSON object of a line."""
    try:
        record, _ = json_value(line)
        if not isinstance(record, dict):
            raise DataError(f"must be a JSON object, got {shorten(line)}")
    except DataError as error:
        raise DataError(f"{place}: {error}; write one valid object per line") from None
    return record


def _problem(records: Sequence[Record], schema: "pyarrow.Schema | None") -> str:
    """Return why records are no table, or an empty text."""
    try:
        _table(records, schema)
    except DataError as error:
        return str(error)
    return ""


def _table(records: Sequence[Record], schema: "pyarrow.Schema | None") -> "pyarrow.Table":
    import pyarrow

    names = list(dict.fromkeys(chain.from_iterable(records)))
    if schema is not None and (others := [name for name in names if name not in schema.names]):
        raise DataError(f"must have the columns of the first block ({', '.join(schema.names)}), got `{others[0]}` too")
    columns = {}
    for name in names if schema is None else schema.names:
        known = None if schema is None else schema.field(name).type
        try:
            columns[name] = _column([record.get(name) for record in records], known)
        except DataError as error:
            raise DataError(f"column `{name}` must have {error}") from None
    return pyarrow.table(columns, schema)


def _column(values: list[Any], known: "pyarrow.DataType | None") -> "pyarrow.Array":
    """Return the values of a column, in its type if it is known."""
    import pyarrow

    try:
        kind = _type(values)
        if known is not None and not _holds(known, kind):
            raise DataError(f"the type of the first block, {known}, got {kind}")
        kind = kind if known is None else known
        return pyarrow.array(values, kind)
    except (pyarrow.ArrowException, OverflowError) as error:
        raise DataError(f"values that {kind} holds exactly, got another ({error})") from None
    except RecursionError:
        raise DataError("values of some levels, got lists or objects of hundreds") from None


def _type(values: Iterable[Any]) -> "pyarrow.DataType":
    """Return the type of JSON values, of which null has every type.

    Raises:
        DataError: They have several types.
    """
    import pyarrow

    found = [value for value in values if value is not None]
    kinds = {type(value) for value in found}
    if kinds == {list}:
        return pyarrow.list_(_type(chain.from_iterable(found)))
    if kinds == {dict}:
        names = dict.fromkeys(chain.from_iterable(found))
        fields = [(name, _type([value.get(name) for value in found])) for name in names]
        return pyarrow.struct(fields) if fields else pyarrow.null()  # Parquet has no objects without keys
    if kinds == {int, float}:
        return pyarrow.float64()
    if len(kinds) > 1:
        raise DataError(f"values of one type, got {' and '.join(sorted(NAMES[kind] for kind in kinds))}")
    plain = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    return plain[kinds.pop()] if kinds else pyarrow.null()


def _holds(known: "pyarrow.DataType", kind: "pyarrow.DataType") -> bool:
    """Whether a type has all values of another."""
    import pyarrow

    types = [pyarrow.schema([("column", each)]) for each in (known, kind)]
    try:
        return bool(pyarrow.unify_schemas(types, promote_options="permissive") == types[0])
    except pyarrow.ArrowException:
        return False
