"""A column file as it lies on disk: how its columns are told apart, and its sentences with every byte around them.

What is a token line, a comment and a separator is as in `columns.py`, and as in CoNLL-U where the lines are numbered:
there `#` opens a comment, and ranges (`3-4`) and empty nodes (`8.1`) are passed over.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, tee
from typing import NamedTuple

from tagger.errors import DataError, Problems
from tagger.files.reading import decode_lines
from tagger.formats.columns import DOCUMENT, RESERVED, is_document, is_token_line, split_fields, uses_tabs
from tagger.formats.conllu import NO_WORD
from tagger.text.tag_survey import Survey
from tagger.wording import shorten

SAMPLE = 20  # sentences that show whether the lines are numbered
Lines = Callable[[], Iterable[bytes]]  # the lines of the file, with their ends, from the start at each call


class Layout(NamedTuple):
    """How the columns of a file are told apart, how many there are, and whether the first counts the tokens."""

    tabs: bool
    names: Sequence[str]
    numbered: bool


class Row(NamedTuple):
    """A token line: which of the block's lines it is, and its fields."""

    line: int
    fields: list[str]


class Block(NamedTuple):
    """All lines of a sentence, those around its tokens too, and the number of the first of them."""

    lines: list[tuple[bytes, str]]
    rows: list[Row]
    first: int


def numbered_lines(raw: Iterable[bytes], where: str) -> Iterator[tuple[bytes, str]]:
    """Each line as it is and as text without its end."""
    kept, given = tee(raw)
    return zip(kept, decode_lines(given, where=where), strict=False)


def read_layout(raw: Lines, columns: Sequence[str] | None, where: str) -> Layout:
    """How the first lines of a file show its columns to be; named by number, from 1, where they have no names.

    Raises:
        DataError: There is no line with columns.
    """
    head = _head(line for _, line in numbered_lines(raw(), where))
    tabs = uses_tabs(head[-1:] if is_token_line(head[-1]) else head) if head else False
    first = next((line for line in reversed(head) if line.strip() and not line.startswith(DOCUMENT)), None)
    if first is None:
        raise DataError(f"{where}: the file must hold at least one sentence, got only comments and blank lines")
    fields = split_fields(first, tabs=tabs)
    layout = Layout(tabs, columns or [str(i + 1) for i in range(len(fields))], numbered=True)
    sample = islice((block.rows for block in blocks(numbered_lines(raw(), where), layout) if block.rows), SAMPLE)
    return layout._replace(numbered=len(layout.names) > 2 and all(_are_numbered(rows) for rows in sample))


def _head(lines: Iterable[str]) -> list[str]:
    """The lines up to the first that is a token line in any dialect; all of them if there is none."""
    head = []
    for line in lines:
        head.append(line)
        if is_token_line(line) and not line.startswith("#"):
            break
    return head


def _are_numbered(rows: Sequence[Row]) -> bool:
    """Whether the first fields count the words, with ranges and empty nodes where they belong, as in CoNLL-U."""
    count = 0
    for number in (row.fields[0] for row in rows):
        if number == str(count + 1):
            count += 1
        elif not number.startswith((f"{count + 1}-", f"{count}.")) or not NO_WORD.fullmatch(number):
            return False
    return True


def guess_columns(lines: Lines, where: str) -> tuple[str, ...]:
    """Names for the columns of a file: a number if there is one, the token, and `ner` for what `retag` would change.

    Raises:
        DataError: Lines differ in their columns, or tags stand where the token should.
    """
    layout = read_layout(lines, None, where)
    surveys = survey_columns(lines(), layout, where)
    token = 1 if layout.numbered and len(surveys) > 1 else 0
    if surveys[token].has_scheme():
        raise DataError(f"{where}: column {token + 1} must hold tokens, got tags; name the columns with --columns")
    names = [f"column{i + 1}" for i in range(len(surveys))]
    names[: token + 1] = ["index", "token"][-token - 1 :]
    if best := holding_columns(surveys, names):
        names[best[-1]] = "ner"
    return tuple(names)


def holding_columns(surveys: Sequence[Survey], names: Sequence[str]) -> list[int]:
    """The columns that hold a scheme: those with entities, or those of `O` alone where there are no others."""
    holding = [i for i, survey in enumerate(surveys) if survey.has_scheme() and names[i] not in RESERVED]
    return [i for i in holding if surveys[i].num_tags] or holding


def blocks(lines: Iterable[tuple[bytes, str]], layout: Layout) -> Iterator[Block]:
    """The sentences of a column file with all that stands around them; each ends with its separator."""
    block = Block([], [], 1)
    mark = "#" if layout.numbered else "# "
    for raw, line in lines:
        block.lines.append((raw, line))
        if not line.strip(" \t") or is_document(line):
            yield block
            block = Block([], [], block.first + len(block.lines))
            continue
        fields = split_fields(line, tabs=layout.tabs)
        if block.rows or not line.startswith(mark) or len(fields) == len(layout.names):
            block.rows.append(Row(len(block.lines) - 1, fields))
    if block.lines:
        yield block


def survey_columns(raw: Iterable[bytes], layout: Layout, where: str) -> list[Survey]:
    """What the tags of each column are like.

    Raises:
        DataError: A line does not have the columns; names all such lines.
    """
    surveys = [Survey() for _ in layout.names]
    problems = Problems()
    for block in blocks(numbered_lines(raw, where), layout):
        wrong = [row for row in block.rows if len(row.fields) != len(surveys)]
        problems += (_bad_line(row, block, len(surveys), where) for row in wrong)
        rows = [] if problems else [row for row in block.rows if not is_passed_over(row, layout)]
        numbers = [block.first + row.line for row in rows]
        for survey, values in zip(surveys, zip(*(row.fields for row in rows), strict=True), strict=False):
            survey.add([value.strip() for value in values], numbers)
        for row in block.rows[: 0 if problems or len(rows) == len(block.rows) else None]:
            if is_passed_over(row, layout):
                for survey, value in zip(surveys, row.fields, strict=True):
                    survey.pass_over(value.strip(), block.first + row.line)
    if problems:
        raise DataError.of(problems)
    return surveys


def is_passed_over(row: Row, layout: Layout) -> bool:
    """Whether a line stands for no word of its own."""
    return layout.numbered and not row.fields[0].isdigit() and NO_WORD.fullmatch(row.fields[0]) is not None


def _bad_line(row: Row, block: Block, width: int, where: str) -> str:
    noun = "column" if width == 1 else "columns"
    found = f"got {len(row.fields)}: {shorten(block.lines[row.line][1])}"
    return f"{where}:{block.first + row.line}: must have {width} {noun}, {found}"
