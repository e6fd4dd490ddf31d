"""Which sequences of a file `tagger plot sequence` draws, with their gold layers if the file has some."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

from tagger.cli.arguments import input_lines, split_columns
from tagger.cli.tagging.inputs import format_of_input, has_lines
from tagger.errors import DataError, RecipeError
from tagger.running.scoring import read_gold
from tagger.tagging import Tagger, read_documents
from tagger.text.choices import FileFormat, InputFormat
from tagger.text.sentence import Sentence
from tagger.wording import counted, quoted, shorten, visible

SHOWN = 5  # ids in a message


def numbers_of(given: str) -> range:
    """Return the numbers of sequences, from 1: `3`, or `3-6`.

    Raises:
        RecipeError: They are no such numbers.
    """
    first, dash, last = given.partition("-")
    names = [first, last] if dash else [first]
    if all(name.isascii() and name.isdecimal() and len(name) < 10 for name in names):
        numbers = range(int(names[0]), int(names[-1]) + 1)
        if numbers and numbers[0] > 0:
            return numbers
    raise RecipeError(f"--number must be a number from 1, or two such as 3-6, got {shorten(given)}")


def read_sequences(tagger: Tagger, file: str, format: InputFormat | None, columns: str | None) -> list[Sentence]:
    """Return the sequences of a file, with gold if it can be read as in training, else as `tagger tag` reads it.

    Standard input has no gold. Standard error says why a file is read without.

    Raises:
        DataError: The file cannot be read in either way.
    """
    if file == "-":
        return _read_unlabelled(tagger, file, format, columns)
    if not Path(file).exists():
        raise DataError(f"{file}: no such file or folder")
    gold_format = format or _other_format(tagger, file)
    if gold_format is None or gold_format in get_args(FileFormat):
        try:
            return read_gold(tagger, [file], format=gold_format, columns=split_columns(columns, format))
        except (DataError, RecipeError) as error:
            reason = visible(str(error).splitlines()[0])
        sentences = _read_unlabelled(tagger, file, format, columns)
        sys.stderr.write(f"drawn without gold: {reason}\n")
        return sentences
    return _read_unlabelled(tagger, file, format, columns)


def _other_format(tagger: Tagger, file: str) -> InputFormat | None:
    """Return the format that a file shows, if training had no files of it; None leaves it to that of training."""
    shown = format_of_input(file, tagger.model)
    trained = {reading.format for reading in tagger.model.config.reading.values()}
    return None if shown in trained or shown in ("text", "csv") else shown


def _read_unlabelled(tagger: Tagger, file: str, format: InputFormat | None, columns: str | None) -> list[Sentence]:
    format = format or format_of_input(file, tagger.model)
    with input_lines(file) if has_lines(file, format) else nullcontext(()) as lines:
        documents = read_documents(
            tagger,
            lines,
            format=format,
            columns=split_columns(columns, format),
            where="standard input" if file == "-" else file,
        )
        return [sentence for document in documents for sentence in document.sentences]


def chosen(sentences: Sequence[Sentence], wanted: range | str, *, where: str) -> list[Sentence]:
    """Return the sequences with some numbers, from 1, or with an id.

    Raises:
        DataError: There are none.
    """
    if isinstance(wanted, range):
        if len(sentences) < wanted[-1]:
            raise DataError(
                f"{where}: --number must be at most {len(sentences)}, the number of sequences, got {wanted[-1]}"
            )
        return list(sentences[wanted[0] - 1 : wanted[-1]])
    found = [sentence for sentence in sentences if wanted in _ids(sentence)]
    if not found:
        known = list(dict.fromkeys(name for sentence in sentences for name in _ids(sentence)))
        shown = f"{quoted(known[:SHOWN])}{' and others' if len(known) > SHOWN else ''}" if known else "no ids"
        raise DataError(
            f"{where}: one of {counted(len(sentences), 'sequence')} must have the id {shorten(wanted)}, got {shown}"
        )
    return found


def _ids(sentence: Sentence) -> list[str]:
    given = (sentence.meta.get("id"), sentence.document, (sentence.record or {}).get("id"))
    return [str(name) for name in given if name is not None]
