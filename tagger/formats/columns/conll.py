"""Column files as in the CoNLL shared tasks: one token per line with its annotations, a blank line between sentences.

A separator line may contain white space; `-DOCSTART-` starts a document. A comment comes before the first token of a
sentence, starts with `#` and a blank or reads `#key = value`, and does not have the columns of a token line; between
blanks `# id 7 domain=news` is a comment whatever its number of columns. Tabs separate the columns if the first token
line has as many fields between tabs as there are columns, otherwise runs of blanks and tabs do; a line that is
separated in another way is an error. Blanks around a tag are ignored. Published files have tokens that are empty or
white space: between tabs these are tokens. The scheme of the tags is detected later, from the whole corpus.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.fields import (
    DOCUMENT,
    RESERVED,
    Marks,
    Sample,
    first_fields,
    is_document,
    read_tags,
    separated_by_tabs,
    split_fields,
    split_head,
    uses_tabs,
)
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.schemes import has_scheme
from tagger.text.sentence import Label, Origin, Sentence, TagLayer
from tagger.wording import shorten

KEY_VALUE = re.compile(r"#[ \t]*\w[^=]*=")
BREAKS = re.compile(r"[\n\r\0]")
MOST = 0.9
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


def looks_like_columns(sample: Sample) -> bool:
    """Whether lines are columns.

    Most of them must have the same number of fields, with tabs between them or tags in a column. Or nearly all must
    have the same number, with blank lines between sentences.
    """
    width, count = sample.width
    share = count / max(1, len(sample.rows))
    if (share == 1 or (width > 1 and share >= MOST)) and not all(line.strip() for line in sample.lines):
        return True
    columns = zip(*(row for row in sample.rows if len(row) == width), strict=True)
    return width > 1 and share > 1 / 2 and (sample.tabs or any(map(has_scheme, columns)))


def read_conll(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a column file; `columns` of the config names what each column holds.

    The columns `token`, `index` and `_` are not layers. A line with another number of columns stays in its sentence as
    a token with empty tags.

    Raises:
        DataError: A layer of the config has no comment as its source.
    """
    columns, layers = config.columns or (), config.layers or {}
    for layer, comment in layers.items():
        if not comment.startswith("# ") or layer in columns:
            raise DataError(
                f'{source.where}: layer `{layer}` must come from a comment, such as "# {layer}", got "{comment}"; '
                "a layer that has a column is named in `columns` alone"
            )
    labels = {layer: comment.removeprefix("# ") for layer, comment in layers.items()}
    tabs = separated_by_tabs(source.lines(), len(columns))
    tags = [(i, name) for i, name in enumerate(columns) if name not in RESERVED]
    keep = columns.index("token")
    count = 0
    for block in column_blocks(source.lines(), columns, tabs=tabs, where=source.where, faults=faults, keep=keep):
        found: dict[str, TagLayer | Label] = {
            name: TagLayer(read_tags((fields[i] for fields in block.rows), config.unknown)) for i, name in tags
        }
        found |= {layer: Label(block.comments[key]) for layer, key in labels.items() if key in block.comments}
        check_values(block, labels.values(), source.where, faults)
        count += 1
        tally.left["_"] += "_" in columns
        yield _sentence(block, keep, source.where, found)
    if not count:
        faults.add("form", source.where, NO_SENTENCE)


def stream_conll(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a column file as its lines arrive, without their layers.

    A file of one column needs no names; other columns are named, one of them `token`.

    Raises:
        DataError: The columns have no name, or a line does not have these columns.
    """
    head, lines = split_head(source.lines())
    tabs = uses_tabs(head, len(config.columns) if config.columns else None)
    width = len(first_fields(head, tabs=tabs) or [""])
    columns = ("token",) if width == 1 else config.columns or ()
    if "token" not in columns:
        got = f", got {', '.join(columns)}" if columns else ""
        raise DataError(f"{source.where}: has {width} columns; name them with --columns, such as token,_{got}")
    token = columns.index("token")
    for block in column_blocks(lines, columns, tabs=tabs, where=source.where, faults=faults, keep=token):
        yield _sentence(block, token, source.where, {})


def _sentence(block: Block, token: int, where: str, layers: Mapping[str, TagLayer | Label]) -> Sentence:
    """Return the sentence of a block; `token` is the column of its tokens."""
    origin = Origin(where, range(block.line, block.line + len(block.rows)))
    tokens = [fields[token] for fields in block.rows]
    return Sentence.from_tokens(tokens, layers, meta=block.comments, document=block.document, origin=origin)


def check_values(block: Block, keys: Iterable[str], where: str, faults: Faults) -> None:
    """Report comments that should become labels but have no value."""
    for key in keys:
        if block.comments.get(key) == "":
            message = f"the comment `# {key}` above must have a value: `# {key} = value`"
            faults.add("form", f"{where}:{block.line}", message)


def column_blocks(
    lines: Iterable[str],
    columns: Sequence[str],
    *,
    tabs: bool,
    where: str,
    faults: Faults,
    keep: int | None = None,
) -> Iterator[Block]:
    """Yield the sentences of a column file as fields; every row has a field for each column.

    A line that does not have these columns, or an empty one, is a fault. Its fields are filled up or cut; with `keep`,
    all but that column are emptied, because their fields may be in the wrong columns.
    """
    comments: dict[str, str] = {}
    rows: list[list[str]] = []
    broken: list[int] = []
    documents = first = 0
    for number, line in enumerate(chain(lines, [""]), 1):
        fields = split_fields(line, tabs=tabs)
        blank = not line.strip(" \t")
        opens_document = is_document(line)
        if rows and (blank or opens_document):
            yield Block(comments, rows, first, str(documents) if documents else None, broken)
            comments, rows, broken = {}, [], []
        if opens_document:
            documents += 1
        elif not rows and line.startswith("#") and _is_comment(line, len(fields) == len(columns), tabs=tabs):
            add_comment(comments, line[1:].removeprefix(" "))
        elif not blank:
            first = first if rows else number
            rows.append(fields)
            fits = len(fields) == len(columns) and all(map(str.strip, fields))  # so most lines take no longer look
            if not fits and (problem := _problem(fields, columns)):
                faults.add("columns", f"{where}:{number}", f"{problem}: {shorten(line)}")
                broken.append(len(rows) - 1)
                filled = (fields + [""] * len(columns))[: len(columns)]
                rows[-1] = [field if keep in (None, i) else "" for i, field in enumerate(filled)]


def _is_comment(line: str, fits: bool, *, tabs: bool) -> bool:
    """Whether a line that starts with `#` is a comment and no token; `fits` if it has the columns of one."""
    spaced = line.startswith(("# ", "#\t"))
    named = KEY_VALUE.match(line) is not None
    return (spaced and named and not tabs) if fits else (spaced or named)


def _problem(fields: Sequence[str], columns: Sequence[str]) -> str | None:
    """Return what is wrong with the fields of a token line, or None."""
    if len(fields) != len(columns):
        noun = "column" if len(columns) == 1 else "columns"
        names = "" if set(columns) == {"_"} else f" ({', '.join(columns)})"
        return f"must have {len(columns)} {noun}{names}, got {len(fields)}"
    named = zip(columns, fields, strict=True)
    empty = [name for name, value in named if not value.strip() and name not in ("_", "token")]
    return f"column `{empty[0]}` must not be empty" if empty else None


def add_comment(comments: dict[str, str], comment: str) -> None:
    """Add a comment: `key = value` by its key; any other, or a second one of a key, whole and without a value."""
    key, equals, value = comment.partition("=")
    key = key.strip()
    if equals and key and key not in comments:
        comments[key] = value.strip()
    else:
        comments[comment.strip()] = ""


def conll_lines(sentences: Iterable[Sentence], layers: Sequence[str], *, document: str | None = None) -> Iterator[str]:
    """Yield the lines of a column file: the token, then one column for each tag layer, separated by tabs.

    Comments and labels (as `# layer = value`) come before their sentence, a blank line after it. A sentence without
    tokens is a blank line. An unknown tag is written as `?`.

    Args:
        sentences: The sentences.
        layers: Their tag layers, in the order of the columns.
        document: The document of the sentence before the first.

    Raises:
        DataError: A token, tag or comment would not be read back unchanged, or a sentence lacks a layer.
    """
    marks = Marks()
    for sentence in sentences:
        if sentence.document != document:
            document = sentence.document
            yield from ("\t".join([DOCUMENT] + ["O"] * len(layers)), "")
        labels = {name: layer.value for name, layer in sentence.layers.items() if isinstance(layer, Label)}
        for key, value in {**sentence.meta, **labels}.items() if sentence.tokens else ():
            yield _comment_line(key, value, num_columns=1 + len(layers))
        columns = [marks.written(layer, sentence.tags(layer)) for layer in layers]
        for i, fields in enumerate(zip(sentence.tokens, *columns, strict=True)):
            for name, value in zip(("token", *layers), fields, strict=True):
                if problem := _unwritable(name, value, alone=not layers):
                    raise DataError(f"{sentence.origin.at(i)}: {problem}" if sentence.origin else problem)
            yield "\t".join(fields)
        yield ""


def _comment_line(key: str, value: str, *, num_columns: int) -> str:
    """Return the line of a comment, which must not look like a token line."""
    line = f"# {key} = {value}" if value else f"# {key}"
    fields = split_fields(line, tabs=num_columns > 1)
    if BREAKS.search(line) or len(fields) == num_columns:
        raise DataError(
            f"comment {line!r} must have no line break, and not as many fields as a token, to be written in columns"
        )
    return line


def _unwritable(name: str, value: str, *, alone: bool) -> str | None:
    """Return why a token or tag would not be read back unchanged; `alone` on its line, it must have no blank in it."""
    if "\0" in value:
        return f"{name} {value!r} must have no control character to be written in columns, got a zero byte; remove it"
    broken = BREAKS.search(value) or "\t" in value or (alone and " " in value)
    if name != "token" and value.strip() and value != value.strip():
        return f"{name} {value!r} must have no blank at its ends to be written in columns"
    blank = not value.strip() and (alone or name != "token")
    if broken or blank or (name == "token" and is_document(value)):
        return (
            f"{name} {value!r} must have no tab, no line break{' and no blank' if alone else ''}, not start with "
            f"{DOCUMENT}{'' if name == 'token' and not alone else ' and not be empty'} to be written in columns"
        )
    return None
