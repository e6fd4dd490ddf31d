"""Write the tags of a column file in another scheme, sentence by sentence; all other bytes stay the same.

A first pass finds how the columns are separated, which one holds the tags, their scheme, and all broken lines; a second
pass writes. `layout.py` knows where lines, fields and sentences begin and end.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import tee

from tagger.conversion.layout import (
    Layout,
    Lines,
    blocks,
    holding_columns,
    read_layout,
    spelled_columns,
    survey_columns,
    words_of,
)
from tagger.conversion.options import Conversion
from tagger.errors import DataError
from tagger.files.reading import decode_lines
from tagger.formats.columns.fields import NAMES, RESERVED, read_tags
from tagger.formats.faults import FirstFault
from tagger.text.gaps import Tags, all_known, converted, repaired
from tagger.text.schemes import Scheme, can_divide, lenient_spans, merge_touching, spans_to_tags
from tagger.text.spellings import Spelling
from tagger.text.tag_survey import Survey, complain, runs
from tagger.wording import counted

REPAIR = "; fix it, or repair it as conlleval does (--invalid repair)"


@dataclass(slots=True)
class Retagged:
    """What was found and done, counted over the whole file."""

    column: str
    source: Scheme
    target: Scheme
    num_sentences: int = 0
    num_tags: int = 0
    num_changed: int = 0
    num_repaired: int = 0
    num_merged: int = 0
    note: str = ""

    def __str__(self) -> str:
        """Return the counts as one line."""
        extra = [f"{counted(self.num_repaired, 'invalid tag')} repaired as conlleval does"] if self.num_repaired else []
        merged = "1 entity" if self.num_merged == 1 else f"{self.num_merged} entities"
        extra += [f"{merged} merged with the entity before"] if self.num_merged else []
        counts = (
            f"{counted(self.num_sentences, 'sentence')}, {counted(self.num_tags, 'tag')}, {self.num_changed} changed"
        )
        schemes = f"{self.source.upper()}{self.note} to {self.target.upper()}"
        return "; ".join([f"{self.column}: {schemes}: {counts}", *extra])


def retag(
    lines: Lines, write: Callable[[bytes], object], target: Scheme, wanted: Conversion, *, where: str
) -> Retagged:
    """Write a column file with the tags of one column in another scheme, and return what was done.

    Args:
        lines: Returns the lines of the file.
        write: Takes the bytes of the converted file; first called after the whole file was checked.
        target: The scheme to write.
        wanted: The options of the conversion.
        where: The name of the file in errors.

    Raises:
        DataError: A line does not have the columns, no column holds tags, or its tags are invalid; names the lines.
    """
    layout = read_layout(lines, wanted.columns, where)
    if layout.form.delimiter not in "\t ":
        found = NAMES.get(layout.form.delimiter, layout.form.delimiter)
        raise DataError(f"{where}: tabs or blanks must separate the columns, got {found}; convert it to conll first")
    surveys = survey_columns(lines(), layout, where, wanted.unknown)
    spellings: dict[int, Spelling] = {}
    if not any(surveys[i].num_tags and not surveys[i].num_other for i in holding_columns(surveys, layout.names)):
        spellings = spelled_columns(lines(), layout, where)
        surveys = survey_columns(lines(), layout, where, wanted.unknown, spellings) if spellings else surveys
    index, survey = _choose(surveys, layout, wanted.column, where)
    source = wanted.scheme or survey.scheme()
    done = Retagged(_label(layout.names[index]), source, target)
    if source == "iob1" and not wanted.scheme and not survey.has_prefix("B"):
        done.note = " (`B-` never occurs)"
    complain(survey.unknown(source), where)
    complain(survey.misplaced(), where)
    done.num_repaired, problems = survey.invalid(source)
    if not wanted.repair:
        complain((done.num_repaired, problems), where, REPAIR)
    if target != source and not can_divide(target):
        done.num_merged, problems = survey.touching()
        if not wanted.merge:
            advice = f", which {target.upper()} cannot express; choose another scheme, or merge them (--merge)"
            complain((done.num_merged, problems), where, advice)
    _rewrite(lines(), write, layout, index, spellings.get(index), done, where, wanted.unknown)
    return done


def _label(name: str) -> str:
    """Return a column as messages show it."""
    return f"column {name}" if name.isdigit() else f"column `{name}`"


def _choose(surveys: Sequence[Survey], layout: Layout, column: str | None, where: str) -> tuple[int, Survey]:
    """Return the column to change: the named one, the last one with entities, or the last one with `O` alone."""
    if column is not None:
        return _named(surveys, layout, column, where)
    best = holding_columns(surveys, layout.names)
    if not best:
        raise DataError(f"{where}: a column must hold tags such as B-PER and O, got none; name it with --column")
    return best[-1], surveys[best[-1]]


def _named(surveys: Sequence[Survey], layout: Layout, column: str, where: str) -> tuple[int, Survey]:
    """Return the column with this number or name, which must hold tags."""
    names = list(layout.names)
    if column.isdigit() and 1 <= int(column) <= len(names):
        index = int(column) - 1
    elif column in names and column not in RESERVED:
        index = names.index(column)
    else:
        known = "" if names[0].isdigit() else f" or one of {', '.join(n for n in names if n not in RESERVED)}"
        raise DataError(f"{where}: --column must be a number from 1 to {len(names)}{known}, got {column!r}")
    survey = surveys[index]
    if not survey.has_scheme():
        found = f", got {survey.others[0][1]!r} in line {survey.others[0][0]}" if survey.others else ""
        raise DataError(f"{where}: {_label(names[index])} must hold tags such as B-PER and O{found}")
    return index, survey


@lru_cache(maxsize=4096)
def _converted(run: tuple[str, ...], target: Scheme) -> list[str]:
    """Return tags without an `O` in another scheme; invalid ones are read as conlleval does."""
    spans = lenient_spans(run)  # equal to those of `tags_to_spans` if the tags are valid
    return spans_to_tags(spans if can_divide(target) else merge_touching(spans), len(run), target)


def _converted_gaps(tags: Tags, done: Retagged, unknown: str | None) -> list[str]:
    """Return tags in another scheme, with the mark where a tag is unknown or depends on an unknown one."""
    return [tag or str(unknown) for tag in converted(repaired(tags, done.source), done.source, done.target)]


def _rewrite(
    raw: Iterable[bytes],
    write: Callable[[bytes], object],
    layout: Layout,
    column: int,
    spelling: Spelling | None,
    done: Retagged,
    where: str,
    unknown: str | None,
) -> None:
    """Write each line, with the new tag if it changes, and add the counts to `done`; `unknown` marks unknown tags."""
    pending: list[tuple[bytes, str]] = []  # lines up to the end of the sentence that comes next
    written = 0

    def texts() -> Iterator[str]:
        kept, given = tee(raw)
        for pair in zip(kept, decode_lines(given, where=where), strict=False):
            pending.append(pair)
            yield pair[1]

    for block in blocks(texts(), layout, where, FirstFault()):
        lines = [line for line, _ in pending]
        words = [(block.line - written - 1 + i, block.rows[i][column].strip()) for i in words_of(block, layout)]
        tags = read_tags((tag for _, tag in words), unknown)
        tags = tuple(spelling.read(tags)) if spelling is not None else tags
        wanted = [tag or str(unknown) for tag in tags]
        for start, run in runs(tags) if all_known(tags) else [(0, tags)]:
            spelled = _converted(run, done.target) if all_known(run) else _converted_gaps(run, done, unknown)
            wanted[start : start + len(run)] = spelled
        for (line, old), new in zip(words, wanted, strict=True):
            if old != new:
                lines[line] = _replaced(pending[line], layout, column, old, new)
                done.num_changed += 1
        done.num_sentences += bool(words)
        done.num_tags += len(words)
        write(b"".join(lines))
        written += len(lines)
        pending.clear()
    write(b"".join(line for line, _ in pending))


def _replaced(pair: tuple[bytes, str], layout: Layout, column: int, old: str, new: str) -> bytes:
    """Return a line with another tag in a column, and everything else as it was."""
    raw, line = pair
    parts = re.split(
        "(\t)" if layout.form.delimiter == "\t" else "([ \t]+)", line
    )  # the fields, and the separators between them
    is_indented = layout.form.delimiter == " " and not parts[0]
    place = 2 * column + 2 * is_indented
    parts[place] = parts[place].replace(old, new, 1)
    before, _, end = raw.partition(line.encode())
    return before + "".join(parts).encode() + end
