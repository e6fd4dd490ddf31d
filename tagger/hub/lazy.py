"""Sentences that stay in an Arrow file: a sequence that makes each when it is asked for.

What vocabulary and batches need of all of them are arrays (`packed.py`), made in one pass over the rows and kept in the
cache folder of `datasets`, under a name that follows from the data and from how they are read.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tagger.config import DataConfig
from tagger.encoding.packed import NAMES, Packed, pack
from tagger.errors import DataError, gather
from tagger.hub.from_rows import Reader, reader
from tagger.hub.loading import features_of, load_chosen, read_rows, sentences_of
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, with_schemes
from tagger.text.tokenization import tokenizer_name

if TYPE_CHECKING:
    import datasets

FORMAT = 1  # of the cached arrays


class LazySentences(Sequence[Sentence]):
    """The rows of a dataset as sentences.

    Args:
        dataset: The rows, in an Arrow file.
        read: Makes a sentence of a row.
        packed: The words and layers of all rows.
        change: What becomes of a sentence that was read; `packed` has the words and layers after that.
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

    def select(self, rows: NDArray[np.int64]) -> "LazySentences":
        """The sentences of these rows."""
        dataset = self._dataset.select(rows)
        return LazySentences(dataset, self._read, self.packed.select(rows), self._change)

    def remade(self, packed: Packed, change: Callable[[Sentence], Sentence]) -> "LazySentences":
        """Return the same rows with a change of each sentence that `packed` has already."""
        return LazySentences(self._dataset, self._read, packed, change)


def is_lazy(sentences: Sequence[Sentence]) -> bool:
    """Whether sentences stay in a file. What differs then is said by the functions below, and nowhere else."""
    return isinstance(sentences, LazySentences)


def packed_of(sentences: Sequence[Sentence], layers: Collection[str] | None = None) -> Packed:
    """Return the arrays of sentences, with these layers or more; lazy ones have all of theirs already."""
    return sentences.packed if isinstance(sentences, LazySentences) else pack(sentences, layers)


def selected(sentences: Sequence[Sentence], rows: NDArray[np.int64]) -> Sequence[Sentence]:
    """Return the sentences of these rows; lazy ones stay in their file."""
    return sentences.select(rows) if isinstance(sentences, LazySentences) else [sentences[i] for i in rows.tolist()]


def telling(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Return all sentences, or few lazy ones with every layer and class and every two tags that stand side by side."""
    if isinstance(sentences, LazySentences):
        return [sentences[row] for row in sentences.packed.telling_rows()]
    return sentences


def holding(sentences: Sequence[Sentence], words: Collection[str]) -> Sequence[Sentence]:
    """Return all sentences, or the lazy ones that have one of these words."""
    if not isinstance(sentences, LazySentences):
        return sentences
    packed = sentences.packed
    tokens = np.flatnonzero(np.isin(packed.type_ids, [i for i, word in enumerate(packed.types) if word in words]))
    return sentences.select(np.unique(np.searchsorted(packed.starts, tokens, side="right") - 1))


def remade(
    sentences: Sequence[Sentence],
    schemes: Mapping[str, Scheme | None],
    change: Callable[[Sentence], Sentence] = lambda sentence: sentence,
    packed: Packed | None = None,
) -> Sequence[Sentence]:
    """Return sentences whose tag layers are in these schemes, each changed: now, or when a lazy one is made.

    Args:
        sentences: The sentences.
        schemes: The scheme of each tag layer.
        change: Edits a sentence.
        packed: The arrays of the sentences after that; default: no word and no layer changes.
    """
    if isinstance(sentences, LazySentences):
        return sentences.remade((packed or sentences.packed).with_schemes(schemes), change)
    return [change(with_schemes(sentence, schemes)) for sentence in sentences]


def read_dataset(config: DataConfig, dataset: str) -> tuple[LazySentences | None, dict[str, list[Sentence]], list[str]]:
    """A lazy train split if that is asked for, the sentences of the others that a dataset has, and what is to be said.

    Args:
        config: How to read it.
        dataset: Its id or folder.

    Raises:
        DataError: The dataset cannot be loaded, has no train split, or its columns do not fit.
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
    """The sentences of a split, all of whose rows were read once: now, or before and kept in the cache.

    Raises:
        DataError: The columns or some rows do not fit, or the cache cannot be written.
    """
    read = reader(features_of(dataset, where), config, where)
    packed = _cached(_key(dataset, config), lambda: pack(sentences_of(dataset, config, where)))
    return LazySentences(dataset, read, packed)


def _key(dataset: "datasets.Dataset", config: DataConfig) -> str:
    """A name that changes with the data and with how they are read."""
    files = [Path(file["filename"]) for file in dataset.cache_files]
    stats = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    facts = [FORMAT, dataset._fingerprint, stats, config.layers, config.tokenize, tokenizer_name()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _cached(key: str, make: Callable[[], Packed]) -> Packed:
    """What is kept under a name, mapped; made and kept first if it is not there yet."""
    from datasets import config

    folder = Path(config.HF_DATASETS_CACHE) / "tagger" / key
    if not (folder / NAMES).is_file():
        packed = make()
        try:
            _keep(packed, folder)
        except OSError as error:
            raise DataError(
                f"{folder}: the arrays of a lazy corpus must be kept here: {error.strerror}; "
                "free space, or name another folder by $HF_DATASETS_CACHE"
            ) from None
    return Packed.load(folder)


def _keep(packed: Packed, folder: Path) -> None:
    """Write a folder whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        made = Path(place) / "made"
        made.mkdir()
        packed.save(made)
        if not folder.exists():  # another process may have been faster
            made.rename(folder)
