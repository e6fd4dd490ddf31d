"""Column files as in the CoNLL shared tasks: one token per line with its annotations, a blank line between sentences.

A separator line may contain white space, or be a mark that `boundary` of the config names, such as `<>`. A line
`-DOCSTART-` starts a document, as does a comment `# newdoc` or
`# newdoc id = NAME` above a sentence. A comment comes before the first token of a
sentence, starts with `#` and a blank or reads `#key = value`, and does not have the columns of a token line; between
blanks `# id 7 domain=news` is a comment whatever its number of columns. Tabs separate the columns if the first token
line has as many fields between tabs as there are columns, otherwise runs of blanks and tabs do; a line that is
separated in another way is an error. Blanks around a tag are ignored. Published files have tokens that are empty or
white space: between tabs these are tokens. The scheme of the tags is detected later, from the whole corpus.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.contents import BRACKET, SENTENCE_END, detect_columns, is_bracketed, is_ragged
from tagger.formats.columns.fields import (
    DELIMITERS,
    DOCUMENT,
    HEAD,
    MOST,
    NEWDOC,
    RESERVED,
    SAMPLE,
    Form,
    Marks,
    Sample,
    first_fields,
    is_document,
    read_tags,
    split_fields,
    split_head,
    uses_tabs,
)
from tagger.formats.columns.header import is_header, role_of
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.schemes import has_scheme
from tagger.text.sentence import Label, Layer, Origin, Sentence, TagLayer
from tagger.wording import shorten

KEY_VALUE = re.compile(r"#[ \t]*\w[^=]*=")
BREAKS = re.compile(r"[\n\r\0]")
UNREAD = ("_", "...", "start", "end", "sentence_end")  # columns that sentences cannot hold
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


def looks_like_columns(sample: Sample) -> bool:
    """Whether lines are columns.

    Most of them must have the same number of fields, with tabs between them or tags in a column. Or nearly all must
    have the same number, with blank lines between sentences. Fields of several words, without a column of tags of
    entities, are texts and no tokens.
    """
    if is_ragged(sample):
        return True
    width, count = sample.width
    share = count / max(1, len(sample.rows))
    delimiter = sample.form.delimiter
    columns = list(zip(*(row for row in sample.rows if len(row) == width), strict=True))
    schemed = width > 1 and any(map(has_scheme, columns))
    if delimiter != " " and not schemed and _has_texts(columns):
        return False
    if (share == 1 or (width > 1 and share >= MOST)) and (delimiter not in "\t " or not _is_solid(sample)):
        return True
    return width > 1 and share > 1 / 2 and (delimiter == "\t" or schemed)


def _is_solid(sample: Sample) -> bool:
    """Whether no blank line separates the lines."""
    return all(line.strip() for line in sample.lines)


def _has_texts(columns: Sequence[Sequence[str]]) -> bool:
    """Whether a column has several words in most of its fields."""
    return any(sum(" " in value.strip() for value in column) * 2 > len(column) for column in columns)


def read_conll(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a column file; `columns` of the config names what each column holds.

    The columns of `RESERVED` are not layers. A line with another number of columns stays in its sentence as a token
    with empty tags.

    Raises:
        DataError: A layer of the config has no comment as its source, or no column holds tokens.
    """
    layers = config.layers or {}
    source = _without_boundaries(source, config.boundary)
    form, columns, brackets = _layout(source, config, tally)
    for layer, comment in layers.items():
        if not comment.startswith("# ") or layer in columns:
            raise DataError(
                f'{source.where}: layer `{layer}` must come from a comment, such as "# {layer}", got "{comment}"; '
                "a layer that has a column is named in `columns` alone"
            )
    labels = {layer: comment.removeprefix("# ") for layer, comment in layers.items()}
    tags = [(i, name) for i, name in enumerate(columns) if name not in RESERVED]
    keep = columns.index("token")
    left = [name for name in UNREAD if name in columns]
    count = 0
    blocks = column_blocks(
        source.lines(), columns, form=form, where=source.where, faults=faults, keep=keep, tally=tally
    )
    for block in blocks:
        found: dict[str, Layer] = {
            name: TagLayer(read_tags((fields[i] for fields in block.rows), config.unknown)) for i, name in tags
        }
        for i, name in tags if brackets else ():
            if i in brackets:
                found[name] = _from_brackets(block, i, source.where, faults)
        found |= {layer: Label(block.comments[key]) for layer, key in labels.items() if key in block.comments}
        check_values(block, labels.values(), source.where, faults)
        count += 1
        for name in left:
            tally.left[name] += name != "sentence_end" or _has_flags(block, columns.index(name))
        yield _sentence(block, keep, source.where, found)
    if not count:
        faults.add("form", source.where, NO_SENTENCE)


def _without_boundaries(source: Source, boundary: Sequence[str] | None) -> Source:
    """Return the source with blank lines in place of the lines that separate sentences."""
    if not boundary:
        return source
    return source._replace(lines=lambda: ("" if line.strip() in boundary else line for line in source.lines()))


def _has_flags(block: Block, column: int) -> bool:
    """Whether a column says more than where the sentence ends."""
    return any(row[column].strip() not in ("_", SENTENCE_END, "") for row in block.rows)


def _layout(source: Source, config: ReadingConfig, tally: Tally) -> tuple[Form, tuple[str, ...], set[int]]:
    """Return how the lines are written, the columns, and which of them hold entities in brackets.

    What the config does not say is detected, and counted where it is unusual.
    """
    sample = Sample(source.lines(), HEAD if config.columns else SAMPLE, config)
    form, columns = sample.form, config.columns or detect_columns(sample)
    if config.columns and _is_prose(sample, len(columns)):
        raise DataError(
            f"{source.where}: must have a token and its tags in each line ({', '.join(columns)}), got plain text: "
            f'{shorten(sample.token_lines[0])}; name a file with tags, or use format = "text" and a `teacher`'
        )
    if not config.columns:
        tally.count(f"read the columns {', '.join(columns)} in {{}} file|files", source.where)
    if form.header and config.header is None:
        tally.count("skipped {} header line|lines", f"in {source.where}: {shorten(sample.token_lines[0])}")
    if form.comments and config.comments is None:
        start = form.comments.strip()
        tally.count(f"skipped lines that start with {start!r} as comments in {{}} file|files", source.where)
    named = (i for i, name in enumerate(columns) if name not in RESERVED)
    return form, columns, {i for i in named if is_bracketed([row[i] for row in sample.rows if i < len(row)])}


def _is_prose(sample: Sample, width: int) -> bool:
    """Whether most lines do not have as many columns as are named, and end as sentences do."""
    lines = [line.strip() for line in sample.token_lines]
    ends = sum(" " in line and line.endswith((".", "!", "?")) for line in lines)
    fit = sum(len(row) == width for row in sample.rows)
    return 2 * fit < len(lines) < 2 * ends


def _from_brackets(block: Block, column: int, where: str, faults: Faults) -> TagLayer:
    """Return the tags of a column that writes entities in brackets: `(PERSON*`, `*)`, `(GPE)`."""
    tags, inside = [], ""
    for i, fields in enumerate(block.rows):
        value = fields[column].strip()
        opened = re.match(r"\(([^()*|]+)", value)
        if (opened and inside) or not (BRACKET.fullmatch(value) or i in block.broken):
            message = f"brackets must not lie inside others, got {shorten(value)}; read the column as `_`, or fix it"
            faults.add("form", f"{where}:{block.line + i}", message)
        inside = opened[1] if opened else inside
        tags.append(f"{'B' if opened else 'I'}-{inside}" if inside else "O")
        inside = "" if value.endswith(")") else inside
    return TagLayer(tuple(tags))


def stream_conll(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a column file as its lines arrive, without their layers.

    A file of one column needs no names; other columns are named, one of them `token`.

    Raises:
        DataError: The columns have no name, or a line does not have these columns.
    """
    source = _without_boundaries(source, config.boundary)
    head, lines = split_head(source.lines(), config.comments, int(config.header or 0))
    form = _form_of_head(head, config)
    fields = first_fields(head, form.split()) or [""]
    named = is_header(fields) if config.header is None else False
    columns = ("token",) if len(fields) == 1 else config.columns or (_named(fields) if named else ())
    if "token" not in columns:
        got = f", got {', '.join(columns)}" if columns else ""
        raise DataError(f"{source.where}: has {len(fields)} columns; name them with --columns, such as token,_{got}")
    form = form._replace(header=1) if named else form
    token = columns.index("token")
    for block in column_blocks(lines, columns, form=form, where=source.where, faults=faults, keep=token):
        yield _sentence(block, token, source.where, {})


def _form_of_head(head: Sequence[str], config: ReadingConfig) -> Form:
    """Return how the lines are written, as the config or the first line that must be a token line says."""
    tabs = uses_tabs(head, len(config.columns) if config.columns else None)
    delimiters = [config.delimiter] if config.delimiter else ["\t" if tabs else " ", *DELIMITERS]
    forms = []
    for delimiter in delimiters:
        quote = config.quote if config.quote is not None else "" if delimiter in "\t " else '"'
        forms.append(Form(delimiter, quote, config.comments, int(config.header or 0)))
    found = [first_fields(head, form.split()) or [] for form in forms]
    fits = [len(fields) == len(config.columns) if config.columns else is_header(fields) for fields in found]
    return forms[fits.index(True)] if any(fits) else forms[0]


def _named(header: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of tokens and sentences that a header names."""
    roles = [role_of(field) for field in header]
    return tuple(role if role is not None and role not in roles[:i] else "_" for i, role in enumerate(roles))


def _sentence(block: Block, token: int, where: str, layers: Mapping[str, Layer]) -> Sentence:
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
    names = [name for name in columns if name != "..."]
    width, most = len(names), len(names) if len(names) == len(columns) else sys.maxsize
    needed = max((i + 1 for i, name in enumerate(names) if name != "_"), default=width)
    marks = [i for i, name in enumerate(names) if name in ("document", "sentence")]
    ends = names.index("sentence_end") if "sentence_end" in names else None
    document_at = names.index("document") if "document" in names else None
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


def conll_lines(sentences: Iterable[Sentence], layers: Sequence[str], *, document: str | None = None) -> Iterator[str]:
    """Yield the lines of a column file: the token, then one column for each tag layer, separated by tabs.

    Comments and labels (as `# layer = value`) come before their sentence, a blank line after it. A sentence without
    tokens is a blank line. An unknown tag is written as `?`. A document begins with a line `-DOCSTART-`, unless a
    comment `newdoc` of its first sentence says so.

    Args:
        sentences: The sentences.
        layers: Their tag layers, in the order of the columns.
        document: The document of the sentence before the first.

    Raises:
        DataError: A token, tag or comment would not be read back unchanged, or a sentence lacks a layer.
    """
    marks = Marks()
    for sentence in sentences:
        opened, document = sentence.document != document, sentence.document
        if opened and not NEWDOC & sentence.meta.keys():  # else its comment opens it
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
