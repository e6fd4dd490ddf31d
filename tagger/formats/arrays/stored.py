"""Sequences of numbers in files of arrays: NumPy's `.npy` and `.npz`, and Parquet."""

import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.config import ReadingConfig
from tagger.errors import DataError, missing_package
from tagger.files.reading import read_binary
from tagger.text.frames import frames_of
from tagger.text.sentence import Label, Origin, Sentence, TagLayer, sentence_of_frames
from tagger.wording import quoted, shorten

FRAMES = "frames"  # the array or column of numbers
OTHERS = ("lengths", "names", "steps", "document")  # those that say more about it; all others are layers


def read_npy(path: Path, config: ReadingConfig) -> Iterator[Sentence]:
    """Yield the sequences of an array of shape (steps, numbers) or (sequences, steps, numbers).

    Raises:
        DataError: The file holds no such array.
    """
    yield from _sequences({FRAMES: _loaded(path)}, path, {})


def read_npz(path: Path, config: ReadingConfig) -> Iterator[Sentence]:
    """Yield the sequences of a file with the array `frames`.

    That of several sequences is (sequences, steps, numbers), padded, or (steps of all, numbers), with `lengths`, the
    number of steps of each. `names` are those of the numbers, `steps` those of the steps, and other arrays are layers:
    a tag for each step, or a label for each sequence.

    Raises:
        DataError: The file has no such arrays.
    """
    with _loaded(path) as stored:
        arrays = {name: _array(stored, name, path) for name in stored.files}
    layers = config.layers or {name: name for name in arrays if name not in (FRAMES, *OTHERS)}
    if missing := [name for name in (FRAMES, *layers.values()) if name not in arrays]:
        raise DataError(f"{path}: must have the arrays {quoted(missing)}, got {quoted(arrays) or 'none'}")
    yield from _sequences(arrays, path, layers)


def _loaded(path: Path) -> Any:
    """Return what NumPy reads from a file.

    Raises:
        DataError: It is none of NumPy, or holds objects of Python, which could run code.
    """
    try:
        return np.load(BytesIO(read_binary(path)), allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _broken(path, error) from None


def _array(stored: Any, name: str, path: Path) -> NDArray[Any]:
    try:
        return np.asarray(stored[name])
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: must hold arrays of numbers or texts as numpy.save and numpy.savez write them, got: "
        f"{shorten(str(error))}; write it again without objects"
    )


def _sequences(arrays: Mapping[str, NDArray[Any]], path: Path, layers: Mapping[str, str]) -> Iterator[Sentence]:
    """Yield the sequences of arrays.

    Raises:
        DataError: The arrays do not fit one another.
    """
    values = arrays[FRAMES]
    starts, lengths = _places(values, arrays.get("lengths"), path)
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]
    steps = arrays.get("steps")
    names = [str(name) for name in arrays.get("names", np.array(())).tolist()]
    documents = arrays.get("document")
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        try:
            yield sentence_of_frames(
                frames_of(flat[start : start + length], names),
                {
                    layer: _layer(arrays[source], source, len(flat), len(lengths), number, start, length)
                    for layer, source in layers.items()
                },
                steps=None if steps is None else [str(step) for step in steps.reshape(-1)[start : start + length]],
                document=None if documents is None else str(documents[number]),
                origin=Origin(str(path), (number + 1,)),
            )
        except (DataError, IndexError) as error:
            raise DataError(f"{path}: sequence {number + 1}: {error}") from None


def _places(values: NDArray[Any], lengths: NDArray[Any] | None, path: Path) -> tuple[list[int], list[int]]:
    """Return where each sequence starts among all steps, and its number of steps.

    Raises:
        DataError: The array has no such shape, or the lengths do not fit it.
    """
    shape = f"an array of shape {values.shape}"
    if values.ndim not in (1, 2, 3) or not values.size:
        raise DataError(
            f"{path}: `frames` must have the shape (steps, numbers), or one more for sequences, got {shape}"
        )
    if lengths is not None and (lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not (lengths > 0).all()):
        raise DataError(
            f"{path}: `lengths` must be whole numbers from 1, one for each sequence, got {shorten(lengths)}"
        )
    if values.ndim == 3:
        number, size = values.shape[:2]
        found = [size] * number if lengths is None else lengths.tolist()
        if len(found) != number or max(found) > size:
            raise DataError(f"{path}: `lengths` must be {number} numbers of at most {size}, got {shorten(found)}")
        return list(range(0, number * size, size)), found
    found = [len(values)] if lengths is None else lengths.tolist()
    if sum(found) != len(values):
        raise DataError(f"{path}: `lengths` must add up to {len(values)} steps, got {sum(found)}")
    return np.cumsum([0, *found[:-1]]).tolist(), found


def _layer(
    array: NDArray[Any], name: str, steps: int, sequences: int, number: int, start: int, length: int
) -> TagLayer | Label:
    """Return the tags or the label of one sequence.

    Raises:
        DataError: The array has neither one value for each step nor one for each sequence.
    """
    if array.dtype.kind not in "iuUSb":
        raise DataError(f"`{name}` must be texts or whole numbers, got an array of {array.dtype}")
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.size == steps and (steps != sequences or array.ndim > 1):
        return TagLayer(tuple(map(str, array.reshape(-1)[start : start + length].tolist())))
    if array.shape == (sequences,):
        return Label(str(array[number].item()))
    raise DataError(
        f"`{name}` must have one value for each of {steps} steps or of {sequences} sequences, got an array of shape "
        f"{array.shape}"
    )


def read_parquet(path: Path, config: ReadingConfig) -> Iterator[Sentence]:
    """Yield the sequences of a table with a row for each: its `frames`, and its layers in other columns.

    A list of texts has the tags of the steps, and a text or whole number is a label.

    Raises:
        DataError: The table has no such columns.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise missing_package("Parquet", error) from None
    try:
        rows = parquet.read_table(pyarrow.BufferReader(read_binary(path))).to_pylist()
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: must be a Parquet file, got: {shorten(str(error))}; write it again") from None
    for number, row in enumerate(rows, 1):
        layers = config.layers or {name: name for name in row if name not in (FRAMES, *OTHERS)}
        try:
            if row.get(FRAMES) is None:
                raise DataError(f"must have the column `frames`, got {quoted(row)}")
            document, steps = row.get("document"), row.get("steps")
            yield sentence_of_frames(
                frames_of(_without_none(row[FRAMES]), row.get("names") or ()),
                {
                    layer: _cell(row.get(source), source)
                    for layer, source in layers.items()
                    if row.get(source) is not None
                },
                steps=None if steps is None else [str(step) for step in steps],
                document=None if document is None else str(document),
                origin=Origin(str(path), (number,)),
            )
        except DataError as error:
            raise DataError(f"{path}: row {number}: {error}") from None


def _without_none(rows: Any) -> Any:
    """Return an array with NaN in place of None."""
    return np.array([[np.nan if each is None else each for each in _listed(row)] for row in rows], np.float64)


def _listed(row: Any) -> list[Any]:
    return row if isinstance(row, list) else [row]


def _cell(value: Any, name: str) -> TagLayer | Label:
    """Return the layer that a cell holds."""
    if isinstance(value, list) and all(isinstance(tag, (str, int)) or tag is None for tag in value):
        return TagLayer(tuple([None if tag is None else str(tag) for tag in value]))
    if isinstance(value, (str, int)):
        return Label(str(value))
    raise DataError(f"`{name}` must be a list of tags or a label, got {shorten(value)}; name the layers in `layers`")
