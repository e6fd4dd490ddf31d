"""The sentences of a file that may be broken, with everything that is wrong with its lines.

What the strict readers refuse is noted here and read as well as it can be: a line that does not have the columns keeps
its place in the sentence, with tags that are empty, which nothing is held against. A file in order gives the sentences
that the readers give.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.doctor.findings import Findings
from tagger.doctor.spans import SpanTally, scan_brat, scan_spanned
from tagger.errors import DataError
from tagger.files.reading import LONE_CR, read_bytes
from tagger.formats.columns import RESERVED, Block, column_blocks
from tagger.formats.conllu import FIELDS, NO_WORD, WORD
from tagger.formats.detection import Reading, divided_by_tabs
from tagger.formats.json_keys import KeyTally
from tagger.formats.jsonl import sentence_from_line
from tagger.formats.standoff.annotation_tools import holds_spans
from tagger.text.sentence import Label, Origin, Sentence, TagLayer
from tagger.text.tokenization import Tokenize, sentence_from_text
from tagger.wording import shorten

BOM = "\ufeff"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a file and how they were encoded."""

    lines: list[str]
    encoding: str


def scan_text(path: str | Path, errors: Findings) -> Text:
    """The lines of a file; bytes that are no UTF-8 are noted and stand as U+FFFD.

    Raises:
        DataError: The file cannot be read at all.
    """
    data = read_bytes(Path(path))
    if data.startswith(UTF16):
        errors.add("encoding", f"{path}:1", "must be UTF-8, got UTF-16 (by its byte order mark); convert it to UTF-8")
        return Text([], "UTF-16")
    for number, line in enumerate(data.split(b"\n") if b"\0" in data else (), 1):
        if b"\0" in line:
            errors.add("control", f"{path}:{number}", "must be text, got a zero byte; mend it, or name a text file")
    for number, line in enumerate(data.split(b"\n") if b"\r" in data else (), 1):
        if b"\r" in line.removesuffix(b"\r"):
            errors.add("control", f"{path}:{number}", LONE_CR)
    encoding = "ASCII" if data.isascii() else "UTF-8"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, encoding = "\n".join(_decoded(data, path, errors)), "not UTF-8"
    if text.startswith(BOM):
        text, encoding = text[1:], f"{encoding} with byte order mark"
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return Text([line.removesuffix("\r") for line in lines] if "\r" in text else lines, encoding)


def _decoded(data: bytes, path: str | Path, errors: Findings) -> Iterator[str]:
    """Each line of bytes as text; those that are no UTF-8 are noted."""
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at byte {error.start} of the line"
            errors.add("encoding", f"{path}:{number}", f"must be UTF-8, got {byte}; convert the file to UTF-8")
            yield line.decode("utf-8", errors="replace")


def scan_sentences(
    lines: Sequence[str], reading: Reading, tally: SpanTally, *, where: str, layer: str, tokenize: Tokenize
) -> list[Sentence]:
    """The sentences of the lines of a file, read as `reading` says; `layer` takes the labels of labelled text.

    Errors are noted in those of the tally, which is also told what the reader of JSON leaves aside.
    """
    errors = tally.errors
    if not any(line.strip() for line in lines):
        errors.add("form", f"{where}:1", "the file must not be empty, got nothing but blank lines; check the path")
        return []
    match reading.format:
        case "conll" | "conllu":
            columns = reading.columns or ()
            found = (
                _conll(lines, columns, errors, where) if reading.format == "conll" else _conllu(lines, errors, where)
            )
            if not (sentences := list(found)):
                message = "the file must hold at least one sentence, got only comments and blank lines; check the path"
                errors.add("form", f"{where}:1", message)
            return sentences
        case "jsonl" if holds_spans(lines):
            return scan_spanned(lines, tally, where)
        case "jsonl":
            return _jsonl(lines, tally, where, tokenize)
        case "labelled":
            return list(_labelled(lines, errors, where, layer, tokenize))
        case "brat":
            return scan_brat(Path(where), tally)


def _conll(lines: Sequence[str], columns: Sequence[str], errors: Findings, where: str) -> Iterator[Sentence]:
    token = columns.index("token")
    tag_columns = [(i, name) for i, name in enumerate(columns) if name not in RESERVED]
    wrong: dict[int, str] = {}
    for block in column_blocks(lines, columns, tabs=divided_by_tabs(lines), where=where, found=wrong):
        _emptied(block, wrong, keep=token)
        layers = {name: TagLayer(tuple(fields[i].strip() for fields in block.rows)) for i, name in tag_columns}
        origin = Origin(where, range(block.line, block.line + len(block.rows)))
        tokens = [fields[token] for fields in block.rows]
        yield Sentence.from_tokens(tokens, layers, meta=block.comments, document=block.document, origin=origin)
    _note(wrong, errors, where)


def _emptied(block: Block, wrong: dict[int, str], *, keep: int) -> None:
    """Empty the fields of lines that are wrong, for they may stand in the wrong columns."""
    for line in range(block.line, block.line + len(block.rows)) if wrong else ():
        if line in wrong:
            fields = block.rows[line - block.line]
            fields[:] = [field if i == keep else "" for i, field in enumerate(fields)]


def _note(wrong: dict[int, str], errors: Findings, where: str) -> None:
    for number, problem in wrong.items():
        errors.add("columns", f"{where}:{number}", problem)


def _conllu(lines: Sequence[str], errors: Findings, where: str) -> Iterator[Sentence]:
    lines = [f"# {line[1:]}" if line.startswith("#") and not line.startswith("# ") else line for line in lines]
    wrong: dict[int, str] = {}
    document, count = None, 0
    for block in column_blocks(lines, FIELDS, tabs=True, where=where, found=wrong):
        comments, rows = block.comments, block.rows
        document = comments.get("newdoc id", str(count) if "newdoc" in comments else document)
        for i, row in enumerate(rows):
            if block.line + i not in wrong and not (WORD.fullmatch(row[0]) or NO_WORD.fullmatch(row[0])):
                problem = f"must start with a word number, a range (3-4) or an empty node (8.1), got {row[0]!r}"
                wrong[block.line + i] = problem
        words = [i for i, row in enumerate(rows) if WORD.fullmatch(row[0])]
        if not words:
            wrong.setdefault(block.line, "a sentence must have a word")
            continue
        count += 1
        fields = {name: tuple(rows[i][FIELDS.index(name)].strip() for i in words) for name in ("upos", "xpos")}
        layers = {name: TagLayer(tags) for name, tags in fields.items() if any(tag != "_" for tag in tags)}
        origin = Origin(where, tuple(block.line + i for i in words))
        tokens = [rows[i][1] for i in words]
        yield Sentence.from_tokens(tokens, layers, meta=comments, document=document, origin=origin)
    _note(wrong, errors, where)


def _jsonl(lines: Sequence[str], tally: SpanTally, where: str, tokenize: Tokenize) -> list[Sentence]:
    keys, sentences = KeyTally(), []
    for number, line in enumerate(lines, 1):
        origin = Origin(where, (number,))
        try:
            if line.strip():
                sentences.append(sentence_from_line(line, tokenize=tokenize, origin=origin, keys=keys))
        except DataError as error:
            tally.errors.add("form", origin.at(0), str(error).removeprefix(f"{origin.at(0)}: "))
    sentences = keys.settled(sentences)
    if keys.unread and sentences and not any(sentence.layers for sentence in sentences):
        names = ", ".join(f"`{key}`" for key in keys.unread)
        tally.errors.add(
            "layers",
            f"{where}:1",
            f"must have tags or labels, got none, and keys that nothing reads ({names}); write tags as "
            '"tags": {"ner": [...]} or "ner_tags": [...], a string a token',
        )
    tally.keys.unread.update(keys.unread)
    return sentences


def _labelled(lines: Sequence[str], errors: Findings, where: str, layer: str, tokenize: Tokenize) -> Iterator[Sentence]:
    for number, line in enumerate(lines, 1):
        label, _, text = line.partition("\t")
        if not (label.strip() and text.strip()):
            problem = f"must be a label, a tab and a text, got {shorten(line)}"
            errors.add("form", f"{where}:{number}", problem)
            continue
        sentence = sentence_from_text(text, tokenize)
        yield Sentence(
            sentence.tokens,
            sentence.text,
            sentence.offsets,
            {layer: Label(label.strip())},
            origin=Origin(where, (number,)),
        )
