"""Sentences that stay in an Arrow file and are created when they are accessed.

The arrays of all sentences (`packed.py`) are made in one pass over the rows and kept in the cache folder of `datasets`,
under a name that depends on the data and on how they are read. The functions of this module take lazy sentences and
sentences in memory; no other module distinguishes them.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tagger.config import DataConfig
from tagger.encoding.packed import NAMES, Packed, pack
from tagger.errors import DataError, gather
from tagger.files.writing import locked
from tagger.formats.column_names import DOCUMENT
from tagger.hub.from_rows import Reader, reader
from tagger.hub.loading import features_of, load_chosen, read_rows, sentences_of
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, with_schemes
from tagger.text.word_tables import source_name

if TYPE_CHECKING:
    import datasets

FORMAT = 2  # of the cached arrays
PART = ".part"  # suffix of folders in which arrays are made
NEW = 60.0  # seconds after which a folder that is not locked was left by a killed process


class LazySentences(Sequence[Sentence]):
    """The rows of a dataset as sentences.

    Args:
        dataset: The rows, in an Arrow file.
        read: Returns the sentence of a row.
        packed: The words and layers of all sentences, after `change`.
        change: Edits each sentence after reading.
    """

    def __init__(
        self,
        dataset: "datasets.Dataset",
        read: Reader,
        packed: Packed,
        change: Callable[[Sentence], Sentence] = lambda sentence: sentence,
    ) -> None:
        self._dataset = dataset
        self._read = read
        self.packed = packed
        self._change = change

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Sentence]:
        for row in read_rows(self._dataset, self._read.columns, "dataset"):
            yield self._made(row)

    @overload
    def __getitem__(self, index: int) -> Sentence: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sentence]: ...
    def __getitem__(self, index: int | slice) -> Sentence | Sequence[Sentence]:
        if isinstance(index, slice):
            return self.select(np.arange(len(self))[index])
        return self._made(self._dataset[index])

    def _made(self, row: Mapping[str, Any]) -> Sentence:
        schemes = {name: layer.scheme for name, layer in self.packed.layers.items()}
        return self._change(with_schemes(self._read(row), schemes))

    def documents(self) -> list[str | None]:
        """Return the document of each sentence."""
        if DOCUMENT not in self._read.columns:
            return [None] * len(self)
        return [row[DOCUMENT] for row in read_rows(self._dataset, [DOCUMENT], "dataset")]

    def select(self, rows: NDArray[np.int64]) -> "LazySentences":
        """Return the sentences of these rows."""
        dataset = self._dataset.select(rows)
        return LazySentences(dataset, self._read, self.packed.select(rows), self._change)


def is_lazy(sentences: Sequence[Sentence]) -> bool:
    """Whether sentences stay in a file."""
    return isinstance(sentences, LazySentences)


def packed_of(sentences: Sequence[Sentence], layers: Collection[str] | None = None) -> Packed:
    """Return the arrays of sentences, with these layers; default: all. Lazy sentences already have their arrays."""
    return sentences.packed if isinstance(sentences, LazySentences) else pack(sentences, layers)


def words_of(sentences: Sequence[Sentence]) -> Collection[str]:
    """Return the distinct words of sentences."""
    if isinstance(sentences, LazySentences):
        return sentences.packed.types
    return set(chain.from_iterable(sentence.tokens for sentence in sentences))


def selected(sentences: Sequence[Sentence], rows: NDArray[np.int64]) -> Sequence[Sentence]:
    """Return the sentences of these rows; lazy ones stay in their file."""
    return sentences.select(rows) if isinstance(sentences, LazySentences) else [sentences[i] for i in rows.tolist()]


def documents_of(sentences: Sequence[Sentence]) -> Sequence[str | None]:
    """Return the document of each sentence; of lazy ones from the column of the dataset, without their tokens."""
    if isinstance(sentences, LazySentences):
        return sentences.documents()
    return [sentence.document for sentence in sentences]


def telling(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Return sentences with every layer, every class and every pair of neighbouring tags: a few lazy ones, or all."""
    if isinstance(sentences, LazySentences):
        return [sentences[row] for row in sentences.packed.telling_rows()]
    return sentences


def holding(sentences: Sequence[Sentence], words: Collection[str]) -> Sequence[Sentence]:
    """Return the lazy sentences that have one of these words, or all sentences if they are in memory."""
    if not isinstance(sentences, LazySentences):
        return sentences
    packed = sentences.packed
    tokens = np.flatnonzero(np.isin(packed.type_ids, [i for i, word in enumerate(packed.types) if word in words]))
    return sentences.select(np.unique(packed.rows_of(tokens)))


def remade(
    sentences: Sequence[Sentence],
    schemes: Mapping[str, Scheme | None],
    change: Callable[[Sentence], Sentence] = lambda sentence: sentence,
    packed: Packed | None = None,
) -> Sequence[Sentence]:
    """Return sentences whose tag layers are declared to be in these schemes, edited: lazy ones when they are accessed.

    Args:
        sentences: The sentences.
        schemes: The scheme of each tag layer.
        change: Edits a sentence.
        packed: The arrays of the edited sentences; default: the edit changes no word and no layer.
    """
    if isinstance(sentences, LazySentences):
        packed = (packed or sentences.packed).with_schemes(schemes)
        return LazySentences(sentences._dataset, sentences._read, packed, change)
    return [change(with_schemes(sentence, schemes)) for sentence in sentences]


def read_dataset(config: DataConfig, dataset: str) -> tuple[LazySentences | None, dict[str, list[Sentence]], list[str]]:
    """Read a dataset and return its train split if that is lazy, the sentences of its other splits, and notes.

    Args:
        config: How to read it.
        dataset: Its id or folder.

    Raises:
        DataError: The dataset cannot be loaded, has no train split, or has unsuitable columns.
    """
    chosen, said = load_chosen(config, dataset)
    read: dict[str, list[Sentence]] = {}
    lazy: list[LazySentences] = []

    def keep(split: str) -> None:
        rows, where = chosen[split]
        if config.lazy and split == "train":
            lazy.append(_lazy_sentences(rows, where, config))
        else:
            read[split] = list(sentences_of(rows, config, where))

    gather(partial(keep, split) for split in chosen)
    return (lazy[0] if lazy else None), read, said


def _lazy_sentences(dataset: "datasets.Dataset", where: str, config: DataConfig) -> LazySentences:
    """Return the sentences of a split; all rows are read once, unless the cache has their arrays.

    Raises:
        DataError: The columns or some rows are invalid, or the cache cannot be written.
    """
    read = reader(features_of(dataset, where), config, where)
    packed = _cached(_key(dataset, config), lambda room: pack(sentences_of(dataset, config, where), room=room))
    return LazySentences(dataset, read, packed)


def _key(dataset: "datasets.Dataset", config: DataConfig) -> str:
    """Return a name that depends on the data and on how they are read."""
    files = [Path(file["filename"]) for file in dataset.cache_files]
    stats = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    facts = [FORMAT, dataset._fingerprint, stats, config.layers, repr(config.text_rules), source_name()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _cached(key: str, make: Callable[[Path], Packed]) -> Packed:
    """Return the arrays that the cache has under a name, mapped; they are made and saved first if missing.

    Args:
        key: The name.
        make: Makes the arrays, with an empty folder that it may use.

    Raises:
        DataError: They cannot be made, or the cache cannot be written.
    """
    from datasets import config

    folder = Path(config.HF_DATASETS_CACHE) / "tagger" / key
    if not (folder / NAMES).is_file():
        try:
            _keep(make, folder)
        except OSError as error:
            raise DataError(
                f"{folder}: the arrays of a lazy corpus cannot be saved here: {error.strerror}; "
                "free some space, or set $HF_DATASETS_CACHE to another folder"
            ) from None
    return Packed.load(folder)


def _keep(make: Callable[[Path], Packed], folder: Path) -> None:
    """Make arrays and write them to a folder, as a whole or not at all; what killed processes have left is deleted."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_parts(folder.parent)
    with tempfile.TemporaryDirectory(suffix=PART, dir=folder.parent) as place, locked(Path(place)):
        room, made = Path(place) / "room", Path(place) / "made"
        room.mkdir()
        made.mkdir()
        make(room).save(made)
        if not folder.exists():  # another process may have been faster
            made.rename(folder)


def _remove_parts(cache: Path) -> None:
    """Delete the folders in which killed processes made arrays. That of a living process is locked, or new."""
    for part in cache.glob(f"*{PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > NEW:
                with locked(part) as owned:
                    if owned:
                        shutil.rmtree(part)
