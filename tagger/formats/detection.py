"""What a file is: its format, the contents of its columns, and, from its name, which split it is.

Lines are judged by majority, so that a broken one does not change the result. A name that says a format (`.jsonl`,
`.json`, `.conllu`, with or without `.gz` or `.zst`) is believed: other contents of the file are then an error. The
scheme of the tags is detected later, from all of them.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.files.packing import unpacked_name
from tagger.formats.columns.contents import detect_columns
from tagger.formats.columns.fields import HEAD, NAMES, RESERVED, Sample, is_token_line, split_fields
from tagger.formats.columns.tagged import may_be_tagged
from tagger.formats.source import source_of
from tagger.formats.table import FORMATS, input_format_of
from tagger.formats.texts.likely import Likely, likely_texts
from tagger.formats.unread import refusal
from tagger.text.choices import InputFormat
from tagger.wording import counted, shorten

WIDTHS = 5  # columns that differ more are no columns
BROKEN = re.compile(r'\s*(?:\{ ?"\w|\[[{\["])')  # opens as JSON and hardly as a token
SPLITS = re.compile(
    r"(?P<train>train(?:ing)?|trn)(?![a-z])"
    r"|(?<![a-z])(?P<dev>dev(?:el|elopment)?|val(?:id|idate|idation)?|testa)(?![a-z])"
    r"|(?<![a-z])(?P<test>test(?:b|ing)?|tst)(?![a-z])"
)


def split_of(path: str | Path) -> str | None:
    """Return the split that a file name contains, the last if there are several; None if there is none."""
    found = [match.lastgroup for match in SPLITS.finditer(Path(path).name.lower())]
    return found[-1] if found else None


def detect_reading(
    lines: Sequence[str], *, where: str, format: str | None = None, config: ReadingConfig | None = None
) -> tuple[str, tuple[str, ...] | None]:
    """Return the format of these lines, which must have layers, unless it is given, and their columns if it has any.

    Args:
        lines: The lines of a file.
        where: Its name.
        format: Its format, if it is given.
        config: Other settings of reading that are given.

    Raises:
        DataError: The format is unknown, or one without layers.
    """
    sample = Sample(lines, config=config)
    format = format or detect_format(lines, where=where, config=config)
    if format == "text":
        raise _of_no_format(sample, where)
    columns = detect_columns(sample) if format == "conll" else None
    if columns and len(columns) > 1 and set(columns) <= {*RESERVED}:
        raise DataError(
            f"{where}: one of the {len(columns)} columns must hold tags, but none looks like it; name them with "
            "--columns, such as token,_,ner"
        )
    return format, columns


def detect_format(
    lines: Iterable[str], *, where: str, path: Path | None = None, config: ReadingConfig | None = None
) -> str:
    """Return the format of a file.

    Args:
        lines: Its lines, read only if neither path nor name say the format.
        where: Its name.
        path: The file or folder, if it is on the disk.
        config: Settings of reading that are given.

    Raises:
        DataError: The lines are in no known format, or open as JSON but are none.
    """
    suffix = Path(unpacked_name(where)).suffix.lower()
    for name, row in FORMATS.items():
        if suffix in row.suffixes or (path is not None and row.is_path is not None and row.is_path(path)):
            return name
    sample = Sample(lines, HEAD, config)
    if refused := refusal(sample.lines):
        raise DataError(f"{where}: {refused}")
    for name, row in FORMATS.items():
        if row.looks_like is not None and row.looks_like(sample):
            if suffix == ".csv" and (name == "text" or (name == "conll" and sample.width[0] == 1)):
                break
            if name in ("text", "conll"):
                _refuse_broken_json(sample, name, where)
            return name
    raise _of_no_format(sample, where)


def shown_format(path: Path) -> InputFormat:
    """Return the format of a file without layers to learn from, by its name, or by its contents if these show layers.

    Files whose names say that they are plain text are plain text.
    """
    named, suffix = input_format_of(str(path)), Path(unpacked_name(path)).suffix.lower()
    if named not in ("text", "csv") or suffix in ("", ".txt", ".md") or not path.is_file():
        return named
    try:
        found = detect_format(source_of(path).lines(), where=str(path), path=path)
    except DataError:  # the reader of the format reports it
        return named
    return found if found not in ("text", "labelled") else named  # type: ignore[return-value]


def _refuse_broken_json(sample: Sample, format: str, where: str) -> None:
    """Refuse to read what opens as JSON does as plain text, or as columns between blanks.

    Raises:
        DataError: The first line begins with a brace or a bracket, and with more than a token where it is columns.
    """
    opens = sample.first.lstrip().startswith(("{", "["))
    if opens and (format == "text" or (BROKEN.match(sample.first) and not sample.tabs)):
        number = sample.lines.index(sample.first) + 1
        raise DataError(
            f"{where}:{number}: must be JSON, because it begins like JSON, got "
            f"{shorten(sample.first)}; fix the line (one object per line, or an array of objects), or pass "
            f"--format {format}"
        )


def _of_no_format(sample: Sample, where: str) -> DataError:
    """Return the error for lines of no known format, with the likely readings."""
    texts = likely_texts([line for line in sample.lines if line.strip()])
    found = texts.said if texts is not None else _widths(sample)
    return DataError(
        f"{where}: must have the same number of columns in most lines, or be CoNLL-U, JSON lines or label TAB "
        f"text, got {found}; fix the lines, or say what they are: {'; '.join(_likely(sample, texts))}"
    )


def _likely(sample: Sample, texts: Likely | None) -> list[str]:
    """Return up to three likely readings of lines, each with its options."""
    filled = [line for line in sample.lines if line.strip()]
    plain = "plain text, which has no tags or labels to learn from"
    if may_be_tagged(sample):
        return ["--format tagged (words with a tag behind each)", plain]
    if texts is not None:
        return [f"{texts} (texts with a label)", plain]
    delimiters = [d for d in ("\t", ",", ";") if 2 * sum(d in line for line in filled) > len(filled)]
    found = [f"--format conll --delimiter {NAMES[d]} --columns token,_,ner (columns of tokens)" for d in delimiters[:1]]
    if not any(" " in line.strip() for line in filled):
        return [*found, "--format conll --columns token,ner (a token per line)"]
    labelled = "--format labelled (a label, a tab and a text)"
    return [labelled, *found, plain]


def _widths(sample: Sample) -> str:
    """Return each number of columns, with the number of its lines and the first of them, in words."""
    found: dict[int, list[int]] = {}
    for number, line in enumerate(sample.lines, 1):
        if is_token_line(line):
            found.setdefault(len(split_fields(line, tabs=sample.tabs)), []).append(number)
    if len(found) > WIDTHS:
        return 'what looks like plain text, which a recipe reads with format = "labelled" and one file per class'
    shown = [
        f"{counted(width, 'column')} in {counted(len(lines), 'line')} (first: line {lines[0]})"
        for width, lines in found.items()
    ]
    return ", ".join(shown) or "no line with columns"
