"""Column files as in the CoNLL shared tasks: one token per line with its annotations, a blank line between sentences.

`blocks.py` says what is a token, a comment and a document. A separator line may contain white space, or be a mark that
`boundary` of the config names, such as `<>`. Tabs separate the columns if the first token line has as many fields
between tabs as there are columns, otherwise runs of blanks and tabs do; a line that is separated in another way is an
error. Blanks around a tag are ignored. Published files have tokens that are empty or white space: between tabs these
are tokens. The scheme of the tags is detected later, from the whole corpus.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.blocks import NO_SENTENCE, Block, check_values, column_blocks
from tagger.formats.columns.contents import BRACKET, SENTENCE_END, detect_columns, is_bracketed, is_ragged
from tagger.formats.columns.fields import (
    DELIMITERS,
    HEAD,
    MOST,
    RESERVED,
    SAMPLE,
    Form,
    Sample,
    first_fields,
    read_tags,
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

UNREAD = ("_", "...", "start", "end", "sentence_end")  # columns that sentences cannot hold


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
