"""The text that a character language model learns: sentences, each on a line, with single spaces between their tokens.

That is how a tagger will show it its sentences, so texts are split into sentences and tokens as `tagger tag` does.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tagger.errors import DataError, RecipeError
from tagger.files.reading import utf8_alone
from tagger.formats.columns.fields import SAMPLE
from tagger.formats.detection import detect_reading, shown_format
from tagger.formats.source import source_of
from tagger.formats.streaming import stream_documents
from tagger.formats.table import FORMATS
from tagger.pretraining.characters import BREAK
from tagger.text.choices import InputFormat
from tagger.text.tokenization import DEFAULT_RULES, TextRules

FEWEST = 1000  # characters to learn from, and of a file to score on
DEV_SHARE, MOST_DEV = 0.05, 1_000_000  # of a text, and characters, that are held out


class Reading(NamedTuple):
    """How files are read.

    Args:
        format: Their format. Default: as each file shows.
        columns: The columns of CoNLL files, one of them `token`. Default: as each file shows.
        rules: How raw text is split.
    """

    format: InputFormat | None = None
    columns: Sequence[str] | None = None
    rules: TextRules = DEFAULT_RULES


def check_columns(files: Sequence[Path], reading: Reading) -> None:
    """Refuse columns where no file has any.

    Raises:
        RecipeError: Columns are given, and all files have another format.
    """
    formats = [reading.format or shown_format(file) for file in files]
    if reading.columns is not None and "conll" not in formats:
        raise RecipeError(f"--columns is for conll, got {formats[0]}; remove it, or give --format conll as well")


def read_texts(files: Sequence[Path], reading: Reading, *, name: str = "the text") -> str:
    """Return the sentences of files as one text, which begins and ends with a line break.

    Args:
        files: The files.
        reading: How they are read.
        name: What the text is, for messages.

    Raises:
        DataError: A file cannot be read, or there are too few characters.
    """
    with utf8_alone():
        text = BREAK + "".join(f"{line}{BREAK}" for file in files for line in _lines(file, reading))
    if len(text) < FEWEST:
        raise DataError(
            f"{files[0]}: {name} must have at least {FEWEST:,} characters, got {len(text):,}; give more text"
        )
    return text


def hold_out(text: str) -> tuple[str, str]:
    """Return a text without its last lines, and these lines, on which the model is scored."""
    cut = len(text) - min(round(DEV_SHARE * len(text)), MOST_DEV)
    end_of_line = text.find(BREAK, cut - 1, len(text) - 1)
    cut = cut if end_of_line < 0 else end_of_line + 1
    return text[:cut], BREAK + text[cut:]


def _lines(file: Path, reading: Reading) -> Iterator[str]:
    """Yield the sentences of a file, each as its tokens with single spaces between them."""
    format, columns = reading.format or shown_format(file), reading.columns
    if format == "conll" and columns is None:
        head = list(islice(source_of(file).lines(), SAMPLE))
        columns = detect_reading(head, where=str(file), format=format)[1]
    is_folder = FORMATS[format].is_path is not None and file.is_dir()
    lines = () if is_folder or format == "docbin" else source_of(file).lines()
    for document in stream_documents(lines, format, columns, rules=reading.rules, where=str(file)):
        for sentence in document.sentences:
            if sentence.tokens:
                yield " ".join(sentence.tokens)
