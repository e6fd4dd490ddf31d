"""A column file on disk: how its columns are separated and counted, and its sentences beside the bytes of their lines.

Token lines, comments and separators are those of `columns`. Where the lines are numbered, as in CoNLL-U, ranges (`3-4`)
and empty nodes (`8.1`) are not words.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tagger.errors import DataError
from tagger.files.reading import decode_lines
from tagger.formats.columns.blocks import NO_SENTENCE, Block, column_blocks
from tagger.formats.columns.conllu import spaced_comments
from tagger.formats.columns.contents import detect_columns
from tagger.formats.columns.fields import NO_WORD, RESERVED, Form, Sample, first_fields, read_tags
from tagger.formats.faults import Faults
from tagger.text.spellings import MAX_TAGS, Spelling, spelling_of
from tagger.text.tag_survey import Survey

HEAD = 200  # lines that show how the lines are written
SAMPLE = 20  # sentences that show whether the lines are numbered
Lines = Callable[[], Iterable[bytes]]  # returns the lines of the file, with their ends, from the start at each call


class Layout(NamedTuple):
    """How the lines of a file are written, the names of its columns, and whether the first one numbers the tokens."""

    form: Form
    names: Sequence[str]
    numbered: bool


def read_layout(raw: Lines, columns: Sequence[str] | None, where: str) -> Layout:
    """Return the layout that the first lines of a file show; columns without names are numbered from 1.

    Raises:
        DataError: There is no line with columns.
    """
    sample = Sample(decode_lines(raw(), where=where), HEAD)
    form = sample.form
    fields = sample.rows[0] if sample.rows else first_fields(sample.lines, form.split())
    if fields is None:
        raise DataError(f"{where}: {NO_SENTENCE}")
    layout = Layout(form, columns or [str(i + 1) for i in range(len(fields))], numbered=True)
    first = islice(blocks(decode_lines(raw(), where=where), layout, where, Faults()), SAMPLE)
    return layout._replace(numbered=len(layout.names) > 2 and all(map(_is_numbered, first)))


def _is_numbered(block: Block) -> bool:
    """Whether the first fields number the words, with ranges and empty nodes in their places, as in CoNLL-U."""
    count = 0
    for number in (row[0] for row in block.rows):
        if number == str(count + 1):
            count += 1
        elif not number.startswith((f"{count + 1}-", f"{count}.")) or not NO_WORD.fullmatch(number):
            return False
    return True


def all_columns(sample: Sample) -> tuple[str, ...]:
    """Return the columns that a file shows; a column without tags is a layer too, so that nothing in it is lost."""
    names = detect_columns(sample)
    return tuple(f"column{i}" if name == "_" else name for i, name in enumerate(names, 1))


def holding_columns(surveys: Sequence[Survey], names: Sequence[str]) -> list[int]:
    """Return the columns with tags of a scheme: those with entities, or else those with `O` alone."""
    holding = [i for i, survey in enumerate(surveys) if survey.has_scheme() and names[i] not in RESERVED]
    return [i for i in holding if surveys[i].num_tags] or holding


def blocks(lines: Iterable[str], layout: Layout, where: str, faults: Faults) -> Iterator[Block]:
    """Yield the sentences of a column file with this layout."""
    lines = spaced_comments(lines) if layout.numbered else lines
    return column_blocks(lines, ["_"] * len(layout.names), form=layout.form, where=where, faults=faults)


def spelled_columns(raw: Iterable[bytes], layout: Layout, where: str) -> dict[int, Spelling]:
    """Return how the columns that write tags in their own way do it."""
    counts: list[Counter[str]] = [Counter() for _ in layout.names]
    for block in blocks(decode_lines(raw, where=where), layout, where, Faults()):
        for found, values in zip(counts, zip(*block.rows, strict=True), strict=False):
            if len(found) <= MAX_TAGS:
                found.update(map(str.strip, values))
    spellings = {i: spelling_of(found) for i, found in enumerate(counts)}
    return {i: spelling for i, spelling in spellings.items() if spelling is not None}


def survey_columns(
    raw: Iterable[bytes],
    layout: Layout,
    where: str,
    unknown: str | None = None,
    spellings: Mapping[int, Spelling] | None = None,
) -> list[Survey]:
    """Return statistics of the tags of each column, in these spellings; `unknown` is the mark of unknown tags.

    Raises:
        DataError: A line does not have the columns; names all such lines.
    """
    surveys = [Survey() for _ in layout.names]
    faults = Faults()
    for block in blocks(decode_lines(raw, where=where), layout, where, faults):
        words = words_of(block, layout)
        numbers = [block.line + i for i in words]
        for column, values in enumerate(zip(*(block.rows[i] for i in words), strict=True)):
            tags = read_tags(values, unknown)
            surveys[column].add(spellings[column].read(tags) if spellings and column in spellings else tags, numbers)
        for i in sorted(set(range(len(block.rows))).difference(words)):
            for survey, value in zip(surveys, block.rows[i], strict=True):
                survey.pass_over(value.strip(), block.line + i)
    faults.close()
    return surveys


def words_of(block: Block, layout: Layout) -> list[int]:
    """Return the rows of a sentence that are words."""
    rows = enumerate(block.rows)
    return [i for i, row in rows if not (layout.numbered and NO_WORD.fullmatch(row[0]))]
