"""Tag the texts of a data frame or an Arrow table."""

from typing import TYPE_CHECKING, TypeVar

from tagger.errors import MissingExtraError
from tagger.tagging import Tagger

if TYPE_CHECKING:
    import pandas
    import pyarrow

Table = TypeVar("Table", "pandas.DataFrame", "pyarrow.Table")


def tag_dataframe(model: Tagger, frame: Table, *, text: str = "text", prefix: str = "") -> Table:
    """Return a data frame, or an Arrow table, with columns for what the model finds in each text.

    The index, all columns and the order of the rows are kept; the new columns are those of `Tagger.map_batch`. In an
    Arrow table they always have the same types. In a data frame, entities are lists of dictionaries; pandas takes the
    types of lists from their values, so a column of empty lists only has none when it is written to Parquet.

    Args:
        model: The model.
        frame: The data frame or the Arrow table. It is not changed.
        text: The column of texts. A text that is missing (None or NaN) has no value in any new column.
        prefix: Begins the names of the new columns.

    Raises:
        MissingExtraError: pandas or pyarrow is not installed.
        DataError: There is no such column, or several, or it has a value that is no text, or a new column exists.
        TypeError: It is no data frame and no Arrow table.
    """
    try:
        import pandas
        import pyarrow
    except ImportError as error:
        raise MissingExtraError(f"tables need pandas and pyarrow ({error}); run: pip install pandas pyarrow") from None

    if isinstance(frame, pyarrow.Table):
        for name, values in model.map_batch(frame, text=text, prefix=prefix).items():
            frame = frame.append_column(name, pyarrow.array(values))
        return frame
    if not isinstance(frame, pandas.DataFrame):
        raise TypeError(f"frame must be a data frame of pandas or an Arrow table, got {type(frame).__name__}")
    tagged = frame.copy()
    for name, values in model.map_batch(frame, text=text, prefix=prefix).items():
        nested = pyarrow.types.is_list(values.type)
        dtype = object if nested else "float64" if pyarrow.types.is_float64(values.type) else "string"
        key = (name, *[""] * (frame.columns.nlevels - 1)) if frame.columns.nlevels > 1 else name
        tagged[key] = pandas.Series(list(values), index=frame.index, dtype=dtype).array
    return tagged
