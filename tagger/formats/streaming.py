"""Sentences to be tagged, one at a time as their lines come, so that a stream of any length takes little memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tagger.errors import DataError
from tagger.formats.columns import DOCUMENT, column_blocks, split_fields, split_head, uses_tabs
from tagger.formats.jsonl import sentence_from_line
from tagger.text.choices import StreamFormat
from tagger.text.sentence import Origin, Sentence
from tagger.text.tokenization import Tokenize, sentence_from_text


def stream_sentences(
    lines: Iterable[str],
    format: StreamFormat,
    columns: Sequence[str] | None = None,
    *,
    tokenize: Tokenize = "words",
    where: str,
) -> Iterator[Sentence]:
    """The sentences of lines, without gold layers.

    Args:
        lines: The lines, without their ends.
        format: `text` (one sentence a line; blank lines stay empty sentences), `conll` or `jsonl`.
        columns: The columns of CoNLL lines, one of them `token`. A file of one column needs none.
        tokenize: How raw text is split.
        where: Opens an error.

    Raises:
        DataError: A line is not of the format; names it.
    """
    match format:
        case "text":
            for number, line in enumerate(lines, 1):
                origin = Origin(where, (number,))
                blank = Sentence((), line, ())
                yield replace(sentence_from_text(line, tokenize) if line.strip() else blank, origin=origin)
        case "jsonl":
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield sentence_from_line(line, {}, tokenize=tokenize, origin=Origin(where, (number,)))
        case "conll":
            yield from _conll(iter(lines), columns, where)


def _conll(lines: Iterator[str], columns: Sequence[str] | None, where: str) -> Iterator[Sentence]:
    head, lines = split_head(lines)
    tabs = uses_tabs(head, len(columns) if columns else None)
    last = next((line for line in reversed(head) if line.strip() and not line.startswith(DOCUMENT)), "")
    first = split_fields(last, tabs=tabs)
    if len(first) == 1:
        columns = ["token"]
    if columns is None or "token" not in columns:
        got = f", got {', '.join(columns)}" if columns else ""
        raise DataError(f"{where}: has {len(first)} columns; name them with --columns, such as token,_{got}")
    token = list(columns).index("token")
    blocks = column_blocks(lines, columns, tabs=tabs, where=where, at_once=True)
    for comments, rows, line_number, document in blocks:
        origin = Origin(where, range(line_number, line_number + len(rows)))
        tokens = [fields[token] for fields in rows]
        yield Sentence.from_tokens(tokens, meta=comments, document=document, origin=origin)
