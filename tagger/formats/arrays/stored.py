"""Sequences of numbers in files of arrays: NumPy's `.npy` and `.npz`, and Parquet."""

import lzma
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from tagger.config import ReadingConfig
from tagger.errors import DataError, missing_package
from tagger.files.reading import MAX_RATIO, MIN_BOMB, read_binary
from tagger.formats.tally import Tally
from tagger.text.frames import frames_of
from tagger.text.sentence import Label, Origin, Sentence, TagLayer, sentence_of_frames
from tagger.wording import quoted, shorten

FRAMES = "frames"  # the array or column of numbers
OTHERS = ("lengths", "names", "steps", "document")  # those that say more about it; all others are layers
BATCH = 256  # rows of a table that are in memory at a time
BROKEN = (  # what NumPy and the modules of packed data raise for damaged files
    ValueError,
    TypeError,
    KeyError,
    OSError,
    EOFError,
    MemoryError,  # the header asks for more than there is
    RuntimeError,  # encrypted, or packed in an unknown way
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_numpy(path: Path, config: ReadingConfig, tally: Tally) -> Iterator[Sentence]:
    """Yield the sequences of a file of NumPy: one array alone, or several, of which one is `frames`.

    Numbers of several sequences are (sequences, steps, numbers), padded, or (steps of all, numbers), with `lengths`,
    the number of steps of each. `names` are those of the numbers, `steps` those of the steps, and other arrays are
    layers: a tag for each step, or a label for each sequence. What is tagged needs no layers.

    Raises:
        DataError: The file has no such arrays, or they do not fit one another.
    """
    content = BytesIO(read_binary(path))
    with _unbroken(path):
        stored = np.load(content, allow_pickle=False)
        names = stored.files if isinstance(stored, NpzFile) else [FRAMES]
    tagged = tally.missed is not None
    layers = config.layers or {name: name for name in names if name not in (FRAMES, *OTHERS)}
    if tagged or not isinstance(stored, NpzFile):
        layers = {layer: name for layer, name in layers.items() if name in names}
    if missing := [name for name in (FRAMES, *layers.values()) if name not in names]:
        raise DataError(f"{path}: must have the arrays {quoted(missing)}, got {quoted(names) or 'none'}")
    if not isinstance(stored, NpzFile):
        yield from _sequences({FRAMES: stored}, path, layers)
        return
    wanted = {FRAMES, *OTHERS, *layers.values()}
    _check_sizes(stored, path)
    with _unbroken(path), stored:
        arrays = {name: np.asarray(stored[name]) for name in names if name in wanted}
    yield from _sequences(arrays, path, layers)


@contextmanager
def _unbroken(path: Path) -> Iterator[None]:
    """Raise one sentence where a file is none of NumPy, is damaged, or holds objects of Python, which could run code.

    Raises:
        DataError: It is such a file.
    """
    try:
        yield
    except BROKEN as error:
        raise DataError(
            f"{path}: must hold arrays of numbers or texts as numpy.save and numpy.savez write them, got: "
            f"{shorten(str(error) or type(error).__name__)}; write it again without objects"
        ) from None


def _check_sizes(stored: "NpzFile[Any]", path: Path) -> None:
    """Refuse a file whose arrays are far larger than what it holds, because they would fill the memory.

    Raises:
        DataError: It is such a file.
    """
    parts = stored.zip.infolist() if stored.zip is not None else []
    size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    if size > max(MIN_BOMB, MAX_RATIO * packed):
        raise DataError(
            f"{path}: the arrays must be at most {MAX_RATIO} times as large as the file, got {size} bytes in {packed}; "
            "write it with numpy.savez, without compression"
        )


def _sequences(arrays: Mapping[str, NDArray[Any]], path: Path, layers: Mapping[str, str]) -> Iterator[Sentence]:
    """Yield the sequences of arrays.

    Raises:
        DataError: The arrays do not fit one another.
    """
    values = arrays[FRAMES]
    starts, lengths = _places(values, arrays.get("lengths"), path)
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]
    each, grid = (len(lengths),), values.shape[:2] if values.ndim == 3 else (len(flat),)
    try:
        names = _texts(arrays, "names", (flat.shape[1],), "number") or ()
        steps = _texts(arrays, "steps", grid, "step")
        documents = _texts(arrays, "document", each, "sequence")
        found = {layer: _layer(arrays, source, grid, each) for layer, source in layers.items()}
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        try:
            yield sentence_of_frames(
                frames_of(flat[start : start + length], names),
                {
                    layer: Label(texts[number]) if whole else tags_of(texts[start : start + length])
                    for layer, (texts, whole) in found.items()
                    if not whole or texts[number].strip()
                },
                steps=None if steps is None else steps[start : start + length],
                document=None if documents is None else documents[number],
                origin=Origin(str(path), (number + 1,)),
            )
        except DataError as error:
            raise DataError(f"{path}: sequence {number + 1}: {error}") from None


def _texts(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...], unit: str) -> list[str] | None:
    """Return the values of an array of this shape, one after another, as texts; None if there is no such array.

    Raises:
        DataError: It has another shape, or other values than texts, numbers and times.
    """
    if name not in arrays:
        return None
    array = arrays[name]
    if array.shape != shape:
        raise DataError(f"`{name}` must have one value for each {unit}, of shape {shape}, got the shape {array.shape}")
    return _as_texts(array, name, "iufUSM")


def _as_texts(array: NDArray[Any], name: str, kinds: str) -> list[str]:
    """Return the values of an array, one after another, as texts.

    Raises:
        DataError: They are of another kind, or no UTF-8.
    """
    if array.dtype.kind not in kinds:
        raise DataError(f"`{name}` must be texts or whole numbers, got an array of {array.dtype}")
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"`{name}` must be UTF-8, got other bytes; write it as an array of str") from None
    if array.dtype.kind == "M":
        array = np.datetime_as_string(array)
    return [str(value) for value in array.reshape(-1).tolist()]


def _layer(
    arrays: Mapping[str, NDArray[Any]], name: str, grid: tuple[int, ...], each: tuple[int, ...]
) -> tuple[list[str], bool]:
    """Return the values of a layer as texts, and whether they are labels: one for each sequence.

    Raises:
        DataError: The array has neither one value for each step, of the shape `grid`, nor one for each sequence.
    """
    array = arrays[name]
    texts = _as_texts(array, name, "iuUSb")
    if array.shape not in (grid, each):
        raise DataError(
            f"`{name}` must have one value for each step, of shape {grid}, or for each sequence, of shape {each}, got "
            f"the shape {array.shape}"
        )
    return texts, array.shape == each


def tags_of(texts: Sequence[str | None]) -> TagLayer:
    """Return the tags of steps; one that is empty is unknown."""
    return TagLayer(tuple([text if text and text.strip() else None for text in texts]))


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


def read_parquet(path: Path, config: ReadingConfig, tally: Tally) -> Iterator[Sentence]:
    """Yield the sequences of a table with a row for each: its `frames`, and its layers in other columns.

    A list of texts has the tags of the steps, and a text or whole number is a label.

    Raises:
        DataError: The table has no such columns, or a row does not fit.
        MissingExtraError: pyarrow is not installed.
    """
    for number, row in enumerate(_rows(path), 1):
        layers = config.layers or {name: name for name in row if name not in (FRAMES, *OTHERS)}
        try:
            if row.get(FRAMES) is None:
                raise DataError(f"must have the column `frames`, got {quoted(row)}")
            document = row.get("document")
            yield sentence_of_frames(
                frames_of(row[FRAMES], _listed(row, "names") or ()),
                {
                    layer: _cell(row.get(source), source)
                    for layer, source in layers.items()
                    if row.get(source) not in (None, "")
                },
                steps=_listed(row, "steps"),
                document=None if document is None else str(document),
                origin=Origin(str(path), (number,)),
            )
        except DataError as error:
            raise DataError(f"{path}: row {number}: {error}") from None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, some of which are in memory at a time.

    Raises:
        DataError: The file cannot be read as Parquet.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise missing_package("Parquet", error) from None
    try:
        with parquet.ParquetFile(pyarrow.BufferReader(read_binary(path))) as file:
            for batch in file.iter_batches(BATCH):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):  # of the file itself, such as a missing one
            raise
        raise DataError(f"{path}: must be a Parquet file, got: {shorten(str(error))}; write it again") from None


def _listed(row: Mapping[str, Any], name: str) -> list[str] | None:
    """Return the texts of a list; None if there is none.

    Raises:
        DataError: The value is no list.
    """
    value = row.get(name)
    if value is not None and not isinstance(value, list):
        raise DataError(f"`{name}` must be a list of texts, got {shorten(value)}")
    return value if value is None else [str(each) for each in value]


def _cell(value: Any, name: str) -> TagLayer | Label:
    """Return the layer that a cell holds."""
    if isinstance(value, list) and all(isinstance(tag, (str, int)) or tag is None for tag in value):
        return tags_of([None if tag is None else str(tag) for tag in value])
    if isinstance(value, (str, int)):
        return Label(str(value))
    raise DataError(f"`{name}` must be a list of tags or a label, got {shorten(value)}; name the layers in `layers`")
