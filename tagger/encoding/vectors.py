"""Pretrained word vectors in GloVe's text format: one word and its numbers per line, plain, gzip or zstd.

The vectors of several files are concatenated. In each file, a word is looked up as written, then in lower case, then
with zeros for its digits; a file that has none of these gives zeros. Numbers are rounded to float16 when they are read,
so that a model stores exactly what it was trained with.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.vocabulary import Vectors, find_word
from tagger.errors import DataError, Problems
from tagger.files.reading import iter_lines, utf8_alone
from tagger.wording import shorten

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf(inity)?)", re.IGNORECASE)
HEADER = re.compile(r"[0-9]+ [0-9]+ *")


def read_vectors(paths: Sequence[str | Path], *, max_words: int | None = None) -> Vectors:
    """Read the vectors of all words of these files and concatenate them.

    Args:
        paths: The files.
        max_words: Number of words to read from each file; default: all.

    Raises:
        DataError: A file cannot be read, or a line is not a word followed by as many numbers as the first line has.
    """
    with utf8_alone():
        files = [_read_file(Path(path), max_words) for path in paths]
    if len(files) == 1:
        return files[0]
    words = list(dict.fromkeys(word for file in files for word in file.words))
    return Vectors(words, np.concatenate([_rows(file, words) for file in files], axis=1))


def _rows(file: Vectors, words: Sequence[str]) -> NDArray[np.float16]:
    """Return the vectors of a file for these words."""
    index = {word: row for row, word in enumerate(file.words)}
    padded = np.concatenate([file.matrix, np.zeros((1, file.dimension), np.float16)])
    found = [find_word(word, index) for word in words]
    return padded[[len(index) if row is None else row for row in found]]


def _read_file(path: Path, max_words: int | None) -> Vectors:
    read = iter_lines(path)
    top = next(read)
    first = 1 if HEADER.fullmatch(top) else 0
    lines = list(islice(read if first else chain([top], read), max_words))
    if not lines:
        raise DataError(f"{path}: must have a word and its numbers in each line, got only a header")
    words, _, numbers = zip(*(line.rstrip(" ").partition(" ") for line in lines), strict=True)
    dimension = numbers[0].count(" ") + 1

    def refuse(wrong: Iterable[tuple[int, str]]) -> None:
        """Raise an error for these lines, if there are any."""
        if problems := Problems(f"{path}:{i + first + 1}: {problem}" for i, problem in wrong):
            raise DataError.of(problems) from None

    shapes = (_problem(word, row, dimension, first + 1) for word, row in zip(words, numbers, strict=True))
    refuse((i, problem) for i, problem in enumerate(shapes) if problem)
    try:
        with warnings.catch_warnings(action="error", category=DeprecationWarning):  # numpy before 2.3 only warns
            matrix = np.fromstring(" ".join(numbers), dtype=np.float32, sep=" ")
    except (ValueError, DeprecationWarning):
        refuse((i, f"must be numbers, got {shorten(row)}") for i, row in enumerate(numbers) if _bad(row))
        raise
    with np.errstate(over="ignore"):
        vectors = matrix.reshape(len(words), dimension).astype(np.float16)
    large = np.flatnonzero(~np.isfinite(vectors).all(1)).tolist()
    refuse((i, f"must be numbers of at most 65504, got {_huge(numbers[i])}") for i in large)
    return _without_repeats(words, vectors)


def _problem(word: str, numbers: str, dimension: int, line: int) -> str | None:
    """Return what is wrong with the shape of a line, or None."""
    count = numbers.count(" ") + 1 if numbers else 0
    if not word:
        return f"must start with a word, got {shorten(' ' + numbers)}"
    if not count or "  " in numbers or not numbers.isprintable():
        row = f"{word} {numbers}".rstrip()
        return f"must be a word and its numbers, separated by single blanks, got {shorten(row)}"
    if count == dimension:
        return None
    if count == dimension - 1 and not _bad(word):
        return f"must start with a word, got {shorten(word + ' ' + numbers)}"
    return f"must have {dimension} numbers as in line {line}, got {count}"


def _bad(numbers: str) -> bool:
    """Whether one of these is not a number."""
    return not all(NUMBER.fullmatch(number) for number in numbers.split(" "))


def _huge(numbers: str) -> str:
    """Return the first of these that is too large for float16."""
    with np.errstate(over="ignore"):
        return next(number for number in numbers.split(" ") if not np.isfinite(np.float16(float(number))))


def _without_repeats(words: Sequence[str], matrix: NDArray[np.float16]) -> Vectors:
    """Return the first vector of each word, like GloVe's own reader."""
    index: dict[str, int] = {}
    for row, word in enumerate(words):
        index.setdefault(word, row)
    return Vectors(list(index), matrix if len(index) == len(words) else matrix[list(index.values())])
