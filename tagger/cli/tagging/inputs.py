"""The documents of a file or of standard input, as `tagger tag` reads them."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.cli.arguments import input_lines, settings_of_form, split_columns
from tagger.cli.progress import FileLines
from tagger.cli.tagging.options import Tagging
from tagger.errors import DataError, RecipeError
from tagger.files.reading import Arriving
from tagger.formats.faults import Faults
from tagger.formats.source import source_of
from tagger.formats.tally import Tally
from tagger.tagging import Tagger, read_documents
from tagger.text.choices import WITHOUT_LINES, InputFormat
from tagger.text.document import Document
from tagger.wording import visible

if TYPE_CHECKING:
    from tagger.model.model import Model


@dataclass(frozen=True, slots=True)
class Input:
    """What is tagged.

    Args:
        documents: The documents, each read when it is needed.
        waits: Whether the input waits for its next line.
        work: The amount of work and how much of it is done with a document, as far as they are known.
    """

    documents: Iterator[Document]
    waits: Callable[[], bool]
    work: Mapping[str, Any]


class Skipped(Faults):
    """Reports invalid records on standard error, and counts them."""

    count = 0
    muted = False  # whether the records were reported by the run that is continued

    def add(self, kind: str, place: str, message: str, **values: object) -> None:
        """Report a record."""
        if self.muted:
            return
        self.count += 1
        sys.stderr.write(f"skipped: {visible(f'{place}: {message}')}\n")


@contextmanager
def opened_input(
    tagger: Tagger, file: str, options: Tagging, *, faults: Faults | None, tally: Tally
) -> Iterator[Input]:
    """Open a file or standard input and return its documents; it is closed at the end of the context.

    Args:
        tagger: The model.
        file: The file; `-` for standard input.
        options: How to read it.
        faults: Takes invalid records. Default: the first is an error.
        tally: Counts what is skipped.

    Raises:
        RecipeError: An option does not fit the format.
        DataError: There is no such file.
    """
    format = options.input_format or format_of_input(file, tagger.model)
    if options.unit != "line" and format != "text":
        raise RecipeError(f"--unit is for plain text, got {format}; remove it")
    form = settings_of_form(format, **options.form)
    by_lines = has_lines(file, format)
    if file != "-" and not by_lines and not Path(file).exists():
        raise DataError(f"{file}: no such file or folder")
    if file == "-" and sys.stdin.isatty():
        sys.stderr.write("type a text and Enter; Ctrl-D ends\n")
    with input_lines(file) if by_lines else nullcontext(()) as lines:
        documents = read_documents(
            tagger,
            lines,
            format=format,
            columns=split_columns(options.columns, format) or _columns_of_input(file, format, tagger.model),
            where="standard input" if file == "-" else file,
            unit=options.unit,
            faults=faults,
            tally=tally,
            form=form,
        )
        waits = lines.waits if isinstance(lines, Arriving) else lambda: False
        yield Input(documents, waits, _work(lines, file, format))


def format_of_input(file: str, model: "Model") -> InputFormat:
    """Return the format of a file by its name, or by its contents if they are columns or a format with layers.

    What may be text or CSV holds numbers for a model that was trained on numbers alone.
    """
    reads_numbers = {reading.format for reading in model.config.reading.values()} == {"frames"}
    if file == "-":
        return "frames" if reads_numbers else "text"
    from tagger.formats.detection import shown_format  # loads all formats

    found = shown_format(Path(file))
    return "frames" if reads_numbers and found in ("text", "csv", "conll") else found


def has_lines(file: str, format: InputFormat) -> bool:
    """Whether a file is read line by line; otherwise the reader of its format opens it."""
    as_path = format in WITHOUT_LINES or (format == "parallel" and Path(file).is_dir())
    return not as_path or (format == "frames" and file == "-")


def _columns_of_input(file: str, format: InputFormat, model: "Model") -> tuple[str, ...] | None:
    """Return the columns that a file shows, if it is a column file and the model was trained on none."""
    known = any(reading.format == "conll" and reading.columns for reading in model.config.reading.values())
    return None if known else shown_columns(file, format)


def shown_columns(file: str, format: InputFormat) -> tuple[str, ...] | None:
    """Return the columns that a file shows; None if it is no column file, or shows none."""
    if format != "conll" or not Path(file).is_file():
        return None
    from tagger.formats.columns.fields import SAMPLE
    from tagger.formats.detection import detect_reading

    try:
        return detect_reading(list(islice(source_of(Path(file)).lines(), SAMPLE)), where=file, format=format)[1]
    except DataError:  # the reader of the format reports it
        return None


def _work(lines: Iterable[bytes], file: str, format: InputFormat) -> dict[str, Any]:
    """Return the amount of work and how much of it is done with a document, as far as they are known."""
    if format == "brat" and Path(file).is_dir():
        return {"total": sum(1 for _ in Path(file).rglob("*.txt"))}
    if not isinstance(lines, FileLines):
        return {}
    last = 0

    def done(document: Document) -> float:
        nonlocal last
        last = next((part.origin.lines[-1] for part in document.sentences if part.origin), last)
        return lines.position(last)

    return {"total": lines.size, "done": done}
