"""Column files in the manner of CoNLL: a token a line, its annotations beside it, a blank line between sentences.

A separator line may hold white space; `-DOCSTART-` opens a document. A comment stands before the first token of a
sentence, starts with `#` and a blank or reads `#key = value`, and does not have the columns of a token line; between
blanks `# id 7 domain=news` is a comment however many columns it has. Columns are told apart by tabs if the first token
line has as many fields between them as there are columns, else by runs of blanks and tabs; a file that changes from
tabs to blanks is refused at the line that does. Blanks around a tag mean nothing. Published files have tokens that are
empty or white space: between tabs these are tokens. Which scheme the tags are in is found out by the corpus, not here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from tagger.errors import DataError, Problems
from tagger.files.reading import iter_lines
from tagger.text.sentence import Label, Origin, Sentence, TagLayer
from tagger.wording import shorten

RESERVED = ("token", "index", "_")
DOCUMENT = "-DOCSTART-"
BLANKS = re.compile(r"[ \t]+")
KEY_VALUE = re.compile(r"#[ \t]*\w[^=]*=")
BREAKS = re.compile(r"[\n\r\0]")


class Block(NamedTuple):
    """The lines of one sentence: its comments, the fields of its token lines and the number of the first of these."""

    comments: dict[str, str]
    rows: list[list[str]]
    line: int
    document: str | None


def read_conll(path: str | Path, columns: Sequence[str], layers: Mapping[str, str] | None = None) -> list[Sentence]:
    """The sentences of a column file.

    Args:
        path: The file, UTF-8, plain or gzip.
        columns: What stands in each column: `token`, `index` or `_` (both ignored), or the name of a layer.
        layers: Label layers that are read from comments, as layer → `# key`.

    Raises:
        DataError: The file cannot be read or a line does not have these columns; names all such lines.
    """
    return parse_conll(iter_lines(Path(path)), columns, layers, where=str(path))


def parse_conll(
    lines: Iterable[str], columns: Sequence[str], layers: Mapping[str, str] | None = None, *, where: str
) -> list[Sentence]:
    """The sentences of the lines of a column file; `where` opens each line of an error."""
    same: dict[Any, Any] = {}  # so that a word or tag that comes again takes no memory again
    return [sentence.sharing(same) for sentence in iter_conll(lines, columns, layers, where=where)]


def iter_conll(
    lines: Iterable[str], columns: Sequence[str], layers: Mapping[str, str] | None = None, *, where: str
) -> Iterator[Sentence]:
    """The sentences of `parse_conll`, one at a time; what is wrong is told after the last."""
    for layer, source in (layers or {}).items():
        if not source.startswith("# ") or layer in columns:
            raise DataError(
                f'{where}: layer `{layer}` must come from a comment, such as "# {layer}", got "{source}"; '
                "a layer that has a column is named in `columns` alone"
            )
    head, lines = split_head(lines)
    tabs = uses_tabs(head, len(columns))
    token = columns.index("token")
    tag_columns = [(i, name) for i, name in enumerate(columns) if name not in RESERVED]
    labels = {layer: source.removeprefix("# ") for layer, source in (layers or {}).items()}
    count = 0
    problems = Problems()
    for comments, rows, line, document in column_blocks(lines, columns, tabs=tabs, where=where):
        found: dict[str, TagLayer | Label] = {
            name: TagLayer(tuple(fields[i].strip() for fields in rows)) for i, name in tag_columns
        }
        found |= {layer: Label(comments[key]) for layer, key in labels.items() if key in comments}
        problems += without_value(comments, labels.values(), place=f"{where}:{line}")
        origin = Origin(where, range(line, line + len(rows)))
        tokens = [fields[token] for fields in rows]
        count += 1
        yield Sentence.from_tokens(tokens, found, meta=comments, document=document, origin=origin)
    if not count:
        raise DataError(f"{where}: the file must hold at least one sentence, got only comments and blank lines")
    if problems:
        raise DataError.of(problems)


def split_head(lines: Iterable[str]) -> tuple[list[str], Iterator[str]]:
    """The lines up to the first that can only be a token line, which show how columns are told apart; and all lines."""
    head: list[str] = []
    rest = iter(lines)
    for line in rest:
        head.append(line)
        if is_token_line(line):
            break
    return head, chain(head, rest)


def uses_tabs(lines: Sequence[str], num_columns: int | None = None) -> bool:
    """Whether columns are told apart by tabs, as the first line that can only be a token line shows; else any line."""
    first = next((line for line in lines if is_token_line(line)), None)
    if first is None:
        return any("\t" in line for line in lines if line.strip())
    runs = len(BLANKS.split(first.strip(" \t")))
    return "\t" in first and (first.count("\t") + 1 == num_columns or runs != num_columns)


def is_token_line(line: str) -> bool:
    """Whether a line is neither blank nor the opening of a document nor what may be a comment."""
    return bool(line.strip()) and not line.startswith(("#", DOCUMENT))


def split_fields(line: str, *, tabs: bool) -> list[str]:
    """The fields of a line."""
    return line.split("\t") if tabs else BLANKS.split(line.strip(" \t"))


def without_value(comments: Mapping[str, str], keys: Iterable[str], *, place: str) -> list[str]:
    """What is wrong where one of these comments is there, but has no value to become a label."""
    absent = [key for key in keys if comments.get(key) == ""]
    return [f"{place}: the comment `# {key}` above must have a value: `# {key} = value`" for key in absent]


def column_blocks(
    lines: Iterable[str],
    columns: Sequence[str],
    *,
    tabs: bool,
    where: str,
    at_once: bool = False,
    found: dict[int, str] | None = None,
) -> Iterator[Block]:
    """The sentences of a column file as fields, one at a time.

    Where `found` is given it takes what is wrong with each line, by its number, and nothing is raised.

    Raises:
        DataError: After the last line, or at once, if any line does not have these columns or has an empty one.
    """
    problems = Problems()
    comments: dict[str, str] = {}
    rows: list[list[str]] = []
    documents = first = 0
    for number, line in enumerate(chain(lines, [""]), 1):
        fields = split_fields(line, tabs=tabs)
        blank = not line.strip(" \t")
        opens_document = is_document(line)
        if rows and (blank or opens_document):
            yield Block(comments, rows, first, str(documents) if documents else None)
            comments, rows = {}, []
        if opens_document:
            documents += 1
        elif not rows and line.startswith("#") and _is_comment(line, len(fields) == len(columns), tabs=tabs):
            add_comment(comments, line[1:].removeprefix(" "))
        elif not blank:
            first = first if rows else number
            rows.append(fields)
            if problem := _problem(fields, columns):
                if found is not None:
                    found[number] = f"{problem}: {shorten(line)}"
                else:
                    problems.append(f"{where}:{number}: {problem}: {shorten(line)}")
                if at_once:
                    break
                rows[-1] = (fields + [""] * len(columns))[: len(columns)]
    if problems:
        raise DataError.of(problems)


def _is_comment(line: str, fits: bool, *, tabs: bool) -> bool:
    """Whether a line that starts with `#` is a comment and no token; `fits` if it has the columns of one."""
    spaced = line.startswith(("# ", "#\t"))
    named = KEY_VALUE.match(line) is not None
    return (spaced and named and not tabs) if fits else (spaced or named)


def is_document(line: str) -> bool:
    """Whether a line opens a document."""
    return line.startswith(DOCUMENT) and BLANKS.split(line, maxsplit=1)[0] == DOCUMENT


def _problem(fields: Sequence[str], columns: Sequence[str]) -> str | None:
    if len(fields) != len(columns):
        noun = "column" if len(columns) == 1 else "columns"
        return f"must have {len(columns)} {noun} ({', '.join(columns)}), got {len(fields)}"
    named = zip(columns, fields, strict=True)
    empty = [name for name, value in named if not value.strip() and name not in ("_", "token")]
    return f"column `{empty[0]}` must not be empty" if empty else None


def add_comment(comments: dict[str, str], comment: str) -> None:
    """Keep a comment: `key = value` by its key, any other (and a second one of a key) whole, with an empty value."""
    key, equals, value = comment.partition("=")
    key = key.strip()
    if equals and key and key not in comments:
        comments[key] = value.strip()
    else:
        comments[comment.strip()] = ""


def conll_lines(sentences: Iterable[Sentence], layers: Sequence[str], *, document: str | None = None) -> Iterator[str]:
    """The lines of a column file with the token first and a column a tag layer, separated by tabs.

    Comments and labels (as `# layer = value`) stand above their sentence, and a blank line stands below it. A sentence
    without tokens is a blank line. `document` is that of the sentence before the first.

    Raises:
        DataError: A token, tag or comment cannot be written so that it is read back as it is, or a sentence lacks one
            of the layers.
    """
    for sentence in sentences:
        if sentence.document != document:
            document = sentence.document
            yield from ("\t".join([DOCUMENT] + ["O"] * len(layers)), "")
        labels = {name: layer.value for name, layer in sentence.layers.items() if isinstance(layer, Label)}
        for key, value in {**sentence.meta, **labels}.items() if sentence.tokens else ():
            yield _comment_line(key, value, num_columns=1 + len(layers))
        for i, fields in enumerate(zip(sentence.tokens, *(sentence.tags(layer) for layer in layers), strict=True)):
            for name, value in zip(("token", *layers), fields, strict=True):
                if problem := _unwritable(name, value, alone=not layers):
                    raise DataError(f"{sentence.origin.at(i)}: {problem}" if sentence.origin else problem)
            yield "\t".join(fields)
        yield ""


def _comment_line(key: str, value: str, *, num_columns: int) -> str:
    line = f"# {key} = {value}" if value else f"# {key}"
    fields = split_fields(line, tabs=num_columns > 1)
    if BREAKS.search(line) or len(fields) == num_columns:
        raise DataError(f"comment {line!r} must hold no line break and not have the columns of a token to be written")
    return line


def _unwritable(name: str, value: str, *, alone: bool) -> str | None:
    """Why a token or tag would not be read back as it is; `alone` in its line, it must have no blank in it."""
    if "\0" in value:
        return f"{name} {value!r} must hold no control character to be written in columns, got a zero byte; mend it"
    broken = BREAKS.search(value) or "\t" in value or (alone and " " in value)
    if name != "token" and value.strip() and value != value.strip():
        return f"{name} {value!r} must have no blank at its ends to be written in columns"
    blank = not value.strip() and (alone or name != "token")
    if broken or blank or (name == "token" and is_document(value)):
        return (
            f"{name} {value!r} must hold no tab, no line break{' and no blank' if alone else ''}, not open with "
            f"{DOCUMENT}{'' if name == 'token' and not alone else ' and not be empty'} to be written in columns"
        )
    return None


def write_conll(path: str | Path, sentences: Iterable[Sentence], layers: Sequence[str]) -> None:
    """Write sentences to a column file: the token, then a column for each of these tag layers, separated by tabs.

    Raises:
        DataError: A token, tag or comment cannot be written so that it is read back as it is, or a sentence lacks one
            of the layers.
    """
    with Path(path).open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in conll_lines(sentences, layers))
