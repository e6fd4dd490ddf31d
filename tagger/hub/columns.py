"""Tagged texts as typed columns, one row per text, for datasets, data frames and Arrow tables.

The entities of a text are a list of objects with the keys `ENTITY`, which are those of the rows in `text/rows.py`. The
names of the other columns are those of `to_rows.py`. The types follow from the model alone, so that they are the same
for texts without any entity.
"""

from collections.abc import Iterable, Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any, Literal

from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.rows import entity_rows, label_rows
from tagger.text.sentence import is_ordered, typed
from tagger.wording import quoted, shorten

if TYPE_CHECKING:
    import pyarrow

Task = Literal["entities", "tags", "labels", "label"]  # `label`: one for the whole text, `labels`: one per sentence
ENTITY = ("start", "end", "text", "type", "score")  # characters of the text; the end is exclusive


class TypedList(list[Any]):
    """A list of values with their Arrow type, which Arrow could not tell from empty lists or missing values."""

    def __init__(self, values: Iterable[Any], type: "pyarrow.DataType") -> None:
        super().__init__(values)
        self.type = type

    def __arrow_array__(self, type: "pyarrow.DataType | None" = None) -> "pyarrow.Array":
        import pyarrow

        return pyarrow.array(list(self), self.type if type is None else type)


def arrow_types(tasks: Mapping[str, Task], prefix: str) -> "dict[str, pyarrow.DataType]":
    """Return the type of each column, by its name.

    Args:
        tasks: What is found in each layer.
        prefix: Begins the name of each column.

    Raises:
        DataError: Two columns have the same name.
    """
    import pyarrow  # imported here: tagging alone does not need it

    whole, number, string = pyarrow.int64(), pyarrow.float64(), pyarrow.string()
    entity = pyarrow.struct(dict(zip(ENTITY, (whole, whole, string, string, number), strict=True)))
    pairs: list[tuple[str, pyarrow.DataType]] = []
    if "tags" in tasks.values():
        pairs.append(("tokens", pyarrow.list_(string)))
    for layer, task in tasks.items():
        if task == "tags":
            pairs.append((f"{layer}_tags", pyarrow.list_(string)))
        elif task == "label":
            pairs += ((layer, string), (f"{layer}_score", number))
        else:
            pairs.append((layer, pyarrow.list_(entity)))
    types = {f"{prefix}{name}": type for name, type in pairs}
    if len(types) < len(pairs):
        raise DataError(f"two columns of the layers {quoted(tasks)} have the same name; rename a layer in the recipe")
    return types


def typed_columns(documents: Iterable[Document | None], tasks: Mapping[str, Task], prefix: str) -> dict[str, TypedList]:
    """Return the columns of predicted documents by name; a text that is missing (None) has no value in any column."""
    types = arrow_types(tasks, prefix)
    columns = {name: TypedList((), type) for name, type in types.items()}
    for document in documents:
        row = {} if document is None else _row(document, tasks)
        for name, column in columns.items():
            column.append(row.get(name.removeprefix(prefix)))
    return columns


def _row(document: Document, tasks: Mapping[str, Task]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for layer, task in tasks.items():
        if task == "tags":
            row |= {"tokens": list(document.tokens), f"{layer}_tags": list(document.tags(layer))}
        elif task == "label":
            row |= {name: found[key] for found in label_rows(document, layer) for name, key in _of_label(layer)}
        else:
            rows = entity_rows(document, layer) if task == "entities" else label_rows(document, layer)
            row[layer] = [{key: found[key] for key in ENTITY} for found in rows]
    return row


def _of_label(layer: str) -> tuple[tuple[str, str], ...]:
    """Return the columns of a label, with the keys of its row."""
    return (layer, "type"), (f"{layer}_score", "score")


def checked_texts(columns: Any, text: str, new: Iterable[str]) -> list[str | None]:
    """Return the texts of a table, None where one is missing, after a check of its columns.

    Args:
        columns: A mapping of columns by name, such as a batch of a dataset, or a data frame or an Arrow table.
        text: The name of the column of texts.
        new: The names of the columns to add.

    Raises:
        DataError: There is no such column, or several, or it is no list of texts, or a column to add exists.
    """
    names = list(getattr(columns, "column_names", columns))  # an Arrow table is no mapping
    if (count := names.count(text)) != 1:
        got = (
            f"{count} columns with this name; rename all but one"
            if count
            else f"{quoted(map(str, names))}; name it with text="
        )
        raise DataError(f"the table must have one column {shorten(text)}, got {got}")
    parts = {*names, *(name[0] for name in names if isinstance(name, tuple))}  # of the columns of a frame with levels
    if taken := [name for name in new if name in parts]:
        raise DataError(
            f"the columns to add must be new, but the table has {quoted(taken)}; rename them, or pass prefix="
        )
    values = columns[text]
    if isinstance(values, str) or not is_ordered(values):
        raise DataError(
            f"column `{text}`: must be a list of texts, got {typed(values)}; use batched=True in `map`, or "
            "tag_document for one text"
        )
    row = "row {} of the batch" if isinstance(columns, Mapping) else "row {}"
    values = values.to_pylist() if hasattr(values, "to_pylist") else values
    return [_text(value, f"column `{text}`, {row.format(number)}") for number, value in enumerate(values)]


def _text(value: Any, where: str) -> str | None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            advice = "replace it, for example by text.encode('utf-8', 'replace').decode()"
            bad = ascii(value[error.start])[1:-1]
            raise DataError(f"{where}: must be valid Unicode, which a column needs, got {bad}; {advice}") from None
        return value
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, Number) and value != value):
        return None
    raise DataError(f"{where}: must be a text or missing, got {typed(value)}; convert the column first")
