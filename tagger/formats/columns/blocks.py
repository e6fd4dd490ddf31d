"""The lines of a column file, sentence by sentence: which are tokens, comments and separators, and which are bad.

A line `-DOCSTART-` starts a document, as does a comment `# newdoc` or `# newdoc id = NAME` above a sentence. A comment
comes before the first token of a sentence, starts with `#` and a blank or reads `#key = value`, and does not have the
columns of a token line; between blanks `# id 7 domain=news` is a comment whatever its number of columns.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tagger.formats.columns.contents import SENTENCE_END
from tagger.formats.columns.fields import RESERVED, Form, is_document
from tagger.formats.faults import Faults
from tagger.formats.tally import Tally
from tagger.wording import shorten

KEY_VALUE = re.compile(r"#[ \t]*\w[^=]*=")
MAY_BE_EMPTY = (*RESERVED, "token")
NO_SENTENCE = "the file must hold at least one sentence, got only comments and blank lines; check the path"


class Block(NamedTuple):
    """The lines of one sentence.

    Args:
        comments: Its comments by key.
        rows: The fields of its token lines.
        line: The number of the first token line.
        document: The document it belongs to.
        broken: The rows that did not have the columns.
    """

    comments: dict[str, str]
    rows: list[list[str]]
    line: int
    document: str | None
    broken: Sequence[int] = ()


class _Wanted(NamedTuple):
    """What a token line must have.

    Args:
        names: The columns, without `...`.
        needed: The least number of fields: up to the last column that is read.
        most: The largest number of fields.
        marks: The columns whose values begin a sentence.
        ends: The column that ends one.
        document: The column with the document.
    """

    names: Sequence[str]
    needed: int
    most: int
    marks: Sequence[int]
    ends: int | None
    document: int | None

    @classmethod
    def of(cls, columns: Sequence[str]) -> "_Wanted":
        names = [name for name in columns if name != "..."]
        return cls(
            names,
            max((i + 1 for i, name in enumerate(names) if name != "_"), default=len(names)),
            len(names) if len(names) == len(columns) else sys.maxsize,
            [i for i, name in enumerate(names) if name in ("document", "sentence")],
            names.index("sentence_end") if "sentence_end" in names else None,
            names.index("document") if "document" in names else None,
        )


def column_blocks(
    lines: Iterable[str],
    columns: Sequence[str],
    *,
    form: Form,
    where: str,
    faults: Faults,
    keep: int | None = None,
    tally: Tally | None = None,
) -> Iterator[Block]:
    """Yield the sentences of a column file as fields; every row has a field for each column.

    A sentence ends at a blank line, where the value of a column `sentence` or `document` changes, and after a token
    whose column `sentence_end` says so. A line that does not have these columns, or an empty one, is a fault, but
    columns at its end that nobody reads may be missing. Its fields are filled up or cut; with `keep`, all but that
    column are emptied, because their fields may be in the wrong columns.
    """
    split, to_skip = form.split(), form.header
    strip = " \t" if form.delimiter in " \t" else f" \t{form.delimiter}"
    names, needed, most, marks, ends, document_at = _Wanted.of(columns)
    width = len(names)
    current = [""] * len(marks)
    comments: dict[str, str] = {}
    rows: list[list[str]] = []
    broken: list[int] = []
    documents = first = 0
    document: str | None = None
    for number, line in enumerate(chain(lines, [""]), 1):
        fields = split(line)
        blank = not line.strip(strip)
        opens_document = is_document(line)
        begins = bool(marks) and not blank and _begins(fields, marks, current)
        if rows and (blank or opens_document or begins):
            yield Block(comments, rows, first, document, broken)
            comments, rows, broken = {}, [], []
        if opens_document:
            documents += 1
            document = str(documents)
        elif blank:
            continue
        elif (comment := _comment_of(line, form, len(fields) == width, begun=bool(rows))) is not None:
            add_comment(comments, comment)
        elif to_skip:
            to_skip -= 1
        else:
            if not rows:
                first = number
                documents += "newdoc" in comments
                document = document_of(comments, document, documents)
            rows.append(fields)
            fits = len(fields) == width and all(map(str.strip, fields))  # so most lines take no longer look
            if not fits:
                if problem := _problem(fields, names, needed, most):
                    faults.add("columns", f"{where}:{number}", f"{problem}: {shorten(line)}")
                    broken.append(len(rows) - 1)
                elif len(fields) != width and most == width and tally is not None:
                    tally.count("{} line|lines lack|lack columns at the end that are not read", f"{where}:{number}")
                rows[-1] = _filled(fields, width, keep if problem else None)
            if document_at is not None and len(rows) == 1:
                document = rows[0][document_at].strip() or document
            if ends is not None and SENTENCE_END in rows[-1][ends].split("|"):
                yield Block(comments, rows, first, document, broken)
                comments, rows, broken = {}, [], []


def document_of(comments: Mapping[str, str], document: str | None, number: int) -> str | None:
    """Return the document of the sentence below the comments; a new one without an id has the number as its name.

    Args:
        comments: The comments above the sentence.
        document: The document of the sentence before.
        number: The number that a new document has.
    """
    return comments.get("newdoc id", str(number) if "newdoc" in comments else document)


def _comment_of(line: str, form: Form, fits: bool, *, begun: bool) -> str | None:
    """Return the comment that a line holds; None if it is a token line.

    Args:
        line: The line.
        form: How the file is written.
        fits: Whether the line has the columns of a token.
        begun: Whether its sentence has tokens already.
    """
    if form.comments is not None:
        return line.removeprefix(form.comments).strip() if line.startswith(form.comments) else None
    if begun or not line.startswith("#") or not _is_comment(line, fits, tabs=form.delimiter == "\t"):
        return None
    return line[1:].removeprefix(" ")


def _filled(fields: list[str], width: int, keep: int | None) -> list[str]:
    """Return as many fields as there are columns; all but that of the column `keep`, if one is given, are empty."""
    filled = (fields + [""] * width)[:width]
    return [field if keep in (None, i) else "" for i, field in enumerate(filled)]


def _begins(fields: Sequence[str], marks: Sequence[int], current: list[str]) -> bool:
    """Whether a line has another sentence or document than the line before; an empty field goes on with the last."""
    found = [fields[i].strip() if i < len(fields) else "" for i in marks]
    changed = any(new not in ("", old) for new, old in zip(found, current, strict=True))
    current[:] = [new or old for new, old in zip(found, current, strict=True)]
    return changed


def _is_comment(line: str, fits: bool, *, tabs: bool) -> bool:
    """Whether a line that starts with `#` is a comment and no token; `fits` if it has the columns of one."""
    spaced = line.startswith(("# ", "#\t"))
    named = KEY_VALUE.match(line) is not None
    return (spaced and named and not tabs) if fits else (spaced or named)


def _problem(fields: Sequence[str], columns: Sequence[str], needed: int, most: int) -> str | None:
    """Return what is wrong with the fields of a token line, or None."""
    if not needed <= len(fields) <= most:
        noun = "column" if len(columns) == 1 else "columns"
        names = "" if set(columns) == {"_"} else f" ({', '.join(columns)})"
        return f"must have {len(columns)} {noun}{names}, got {len(fields)}"
    named = zip(columns, fields, strict=False)
    empty = [name for name, value in named if not value.strip() and name not in MAY_BE_EMPTY]
    return f"column `{empty[0]}` must not be empty" if empty else None


def add_comment(comments: dict[str, str], comment: str) -> None:
    """Add a comment: `key = value` by its key; any other, or a second one of a key, whole and without a value."""
    key, equals, value = comment.partition("=")
    key = key.strip()
    if equals and key and key not in comments:
        comments[key] = value.strip()
    else:
        comments[comment.strip()] = ""


def check_values(block: Block, keys: Iterable[str], where: str, faults: Faults) -> None:
    """Report comments that should become labels but have no value."""
    for key in keys:
        if block.comments.get(key) == "":
            message = f"the comment `# {key}` above must have a value: `# {key} = value`"
            faults.add("form", f"{where}:{block.line}", message)
