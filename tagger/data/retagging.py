"""The tags of a column file in another scheme, sentence by sentence; every other byte stays as it is.

A first pass finds out how the columns are told apart, which one holds the tags and in which scheme, and every line that
is wrong; a second pass writes. What is a token line, a comment and a separator is as in `columns.py`, and as in
CoNLL-U where the lines are numbered: there `#` opens a comment, and ranges (`3-4`) and empty nodes (`8.1`) without a
tag are passed over.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import tee
from typing import NamedTuple

from tagger.data.columns import (
    BLANKS,
    DOCUMENT,
    RESERVED,
    is_document,
    shorten,
    split_fields,
    split_head,
    uses_tabs,
)
from tagger.data.conllu import NO_WORD
from tagger.data.files import decode_lines
from tagger.data.schemes import (
    Scheme,
    can_divide,
    lenient_spans,
    merge_touching,
    spans_to_tags,
)
from tagger.data.survey import Problem, Survey, runs
from tagger.errors import DataError, Problems

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


@dataclass(slots=True)
class Retagged:
    """What was found and done: the counts are of the whole file."""

    column: str
    source: Scheme
    target: Scheme
    num_sentences: int = 0
    num_tags: int = 0
    num_changed: int = 0
    num_repaired: int = 0
    num_merged: int = 0

    def __str__(self) -> str:
        """The counts in a line."""
        extra = [f"{self.num_repaired} invalid tags repaired by conlleval's rule"] if self.num_repaired else []
        extra += [f"{self.num_merged} entities became one with the one before"] if self.num_merged else []
        counts = f"{self.num_sentences} sentences, {self.num_tags} tags, {self.num_changed} changed"
        return "; ".join([f"{self.column}: {self.source.upper()} to {self.target.upper()}: {counts}", *extra])


def retag(
    lines: Lines,
    write: Callable[[bytes], object],
    target: Scheme,
    *,
    columns: Sequence[str] | None = None,
    column: str | None = None,
    scheme: Scheme | None = None,
    repair: bool = False,
    merge: bool = False,
    where: str,
) -> Retagged:
    """Write a column file with the tags of one column in another scheme, and say what was done.

    Args:
        lines: Gives the lines of the file.
        write: Takes the bytes of the converted file; first called when the whole file was found to be right.
        target: The scheme to write.
        columns: What stands in each column, as in a recipe; columns are told by number where left out.
        column: Number, from 1, or name of the column to change; the last that holds a scheme if left out.
        scheme: The scheme of the file; detected if left out.
        repair: Read invalid sequences by conlleval's rule, and count them, where they else are an error.
        merge: Let entities that IO cannot tell apart become one, and count them, where they else are an error.
        where: Opens each line of an error.

    Raises:
        DataError: A line does not have the columns, no column holds a scheme, or its tags are not valid; names lines.
    """
    layout = _layout(lines(), columns, where)
    index, survey = _choose(_surveys(lines(), layout, where), layout, column, where)
    source = scheme or survey.scheme()
    done = Retagged(_label(layout.names[index]), source, target)
    _complain(survey.unknown(source), where)
    done.num_repaired, problems = survey.invalid(source)
    if not repair:
        _complain(
            (done.num_repaired, problems), where, "; mend it, or repair it by conlleval's rule (--invalid repair)"
        )
    if target != source and not can_divide(target):
        done.num_merged, problems = survey.touching()
        if not merge:
            advice = f", which {target.upper()} cannot say; choose another scheme, or let both become one (--merge)"
            _complain((done.num_merged, problems), where, advice)
    _rewrite(lines(), write, layout, index, done, where)
    return done


def _complain(found: tuple[int, list[Problem]], where: str, advice: str = "") -> None:
    """One error for the problems of a survey, if there are any."""
    problems = Problems()
    problems += (f"{where}:{line}: {text}{advice}" for line, text in found[1])
    problems.count = found[0]
    if problems:
        raise DataError.of(problems)


def _numbered(raw: Iterable[bytes], where: str) -> Iterator[tuple[bytes, str]]:
    """Each line as it is and as text without its end."""
    kept, given = tee(raw)
    return zip(kept, decode_lines(given, where=where), strict=False)


def _layout(raw: Iterable[bytes], columns: Sequence[str] | None, where: str) -> Layout:
    head, _ = split_head(line for _, line in _numbered(raw, where))
    tabs = uses_tabs(head)
    first = next((line for line in reversed(head) if line.strip() and not line.startswith(DOCUMENT)), None)
    if first is None:
        raise DataError(f"{where}: the file must hold at least one sentence, got only comments and blank lines")
    fields = split_fields(first, tabs=tabs)
    names = columns or [str(i + 1) for i in range(len(fields))]
    return Layout(tabs, names, fields[0] == "1" or bool(NO_WORD.fullmatch(fields[0])))


def _label(name: str) -> str:
    return f"column {name}" if name.isdigit() else f"column `{name}`"


def _blocks(lines: Iterable[tuple[bytes, str]], layout: Layout) -> Iterator[Block]:
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


def _surveys(raw: Iterable[bytes], layout: Layout, where: str) -> list[Survey]:
    """What the tags of each column are like.

    Raises:
        DataError: A line does not have the columns; names all such lines.
    """
    surveys = [Survey() for _ in layout.names]
    problems = Problems()
    for block in _blocks(_numbered(raw, where), layout):
        wrong = [row for row in block.rows if len(row.fields) != len(surveys)]
        problems += (_bad_line(row, block, len(surveys), where) for row in wrong)
        rows = [] if problems else [row for row in block.rows if not _passed_over(row, layout)]
        numbers = [block.first + row.line for row in rows]
        for survey, values in zip(surveys, zip(*(row.fields for row in rows), strict=True), strict=False):
            survey.add([value.strip() for value in values], numbers)
    if problems:
        raise DataError.of(problems)
    return surveys


def _passed_over(row: Row, layout: Layout) -> bool:
    """Whether a line stands for no word of its own."""
    return layout.numbered and not row.fields[0].isdigit() and NO_WORD.fullmatch(row.fields[0]) is not None


def _bad_line(row: Row, block: Block, width: int, where: str) -> str:
    noun = "column" if width == 1 else "columns"
    found = f"got {len(row.fields)}: {shorten(block.lines[row.line][1])}"
    return f"{where}:{block.first + row.line}: must have {width} {noun}, {found}"


def _choose(surveys: Sequence[Survey], layout: Layout, column: str | None, where: str) -> tuple[int, Survey]:
    """The column to change: as named, else the last that holds entities, else the last of `O` alone."""
    if column is not None:
        return _named(surveys, layout, column, where)
    holding = [i for i, s in enumerate(surveys) if s.has_scheme() and layout.names[i] not in RESERVED]
    best = [i for i in holding if surveys[i].num_tags] or holding
    if not best:
        raise DataError(f"{where}: a column must hold tags such as B-PER and O, got none; name it with --column")
    return best[-1], surveys[best[-1]]


def _named(surveys: Sequence[Survey], layout: Layout, column: str, where: str) -> tuple[int, Survey]:
    names = list(layout.names)
    if column.isdigit() and 1 <= int(column) <= len(names):
        index = int(column) - 1
    elif column in names and column not in RESERVED:
        index = names.index(column)
    else:
        known = "" if names[0].isdigit() else f" or one of {', '.join(n for n in names if n not in RESERVED)}"
        raise DataError(f"{where}: --column must be a number from 1 to {len(names)}{known}, got {column!r}")
    return index, surveys[index]


def _converter(source: Scheme, target: Scheme) -> Callable[[tuple[str, ...]], list[str]]:
    """A function that gives a stretch of tags without an `O` in another scheme, invalid ones by conlleval's rule."""

    def convert(run: tuple[str, ...]) -> list[str]:
        spans = lenient_spans(run)  # what `tags_to_spans` reads, where the tags are valid
        return spans_to_tags(spans if can_divide(target) else merge_touching(spans), len(run), target)

    return lru_cache(maxsize=4096)(convert)


def _rewrite(
    raw: Iterable[bytes],
    write: Callable[[bytes], object],
    layout: Layout,
    column: int,
    done: Retagged,
    where: str,
) -> None:
    """Write each line, those whose tag changes with the new tag; counts go to `done`."""
    convert = _converter(done.source, done.target)
    for block in _blocks(_numbered(raw, where), layout):
        lines = [line for line, _ in block.lines]
        rows = [row for row in block.rows if not _passed_over(row, layout)]
        tags = [row.fields[column].strip() for row in rows]
        for start, run in runs(tags):
            for row, old, new in zip(rows[start:], run, convert(run), strict=False):
                if old != new:
                    lines[row.line] = _replaced(block.lines[row.line], layout, column, old, new)
                    done.num_changed += 1
        done.num_sentences += bool(rows)
        done.num_tags += len(rows)
        write(b"".join(lines))


def _replaced(pair: tuple[bytes, str], layout: Layout, column: int, old: str, new: str) -> bytes:
    """A line with another tag in a column; what stands around it, and the end of the line, as it was."""
    raw, line = pair
    start = _start(line, layout, column)
    start = line.index(old, start)
    before, _, end = raw.partition(line.encode())
    return before + (line[:start] + new + line[start + len(old) :]).encode() + end


def _start(line: str, layout: Layout, column: int) -> int:
    """Where the field of a column begins."""
    if layout.tabs:
        return sum(len(field) + 1 for field in line.split("\t", column)[:column])
    start = len(line) - len(line.lstrip(" \t"))
    for gap, _ in zip(BLANKS.finditer(line, start), range(column), strict=False):
        start = gap.end()
    return start
