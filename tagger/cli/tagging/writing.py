"""Write tagged documents: for people, as columns, as JSON lines, as a table, or for annotation tools."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TextIO

from tagger.errors import DataError, RecipeError
from tagger.formats.faults import Faults
from tagger.text.choices import OutputFormat
from tagger.text.document import Document, without_unsure
from tagger.text.rows import COLUMNS, Row, rows_of
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, numbers_as_text
from tagger.wording import shorten

if TYPE_CHECKING:
    from pathlib import Path

Paint = Callable[[str, str], str]  # colours a text, given the type of an entity, or nothing for a tag
ANSI = (34, 33, 32, 35, 36, 31)  # codes of blue, yellow, green, magenta, cyan and red
FAINT = 2
BATCH = 10_000  # rows of a parquet file that are written at once
FIELDS = (
    "id", "text", "tokens", "tags", "spans", "labels", "values", "tag_scores", "sequence_scores", "sentences",
    "offsets", "meta", "document", "readings",
)  # fmt: skip


def plain(kind: str, text: str) -> str:
    """Return a text as it is."""
    return text


def painter(types: Iterable[str]) -> Paint:
    """Return what colours a text for a terminal: each type of entity in a colour of its own, tags faint."""
    codes = {kind: ANSI[i % len(ANSI)] for i, kind in enumerate(types)}
    return lambda kind, text: f"\x1b[{codes.get(kind, FAINT)}m{text}\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What to write of each document.

    Args:
        format: The format.
        layers: The layers of the model.
        several: Whether the rows of a table name their layer.
        fields: The keys of JSON lines, in their order; None for all.
        min_score: Spans whose score is lower are not written.
        empty: The layers that a JSON line has for a document without sentences.
        paint: Colours parts of the format for people.
    """

    format: OutputFormat
    layers: Sequence[str]
    several: bool = False
    fields: Sequence[str] | None = None
    min_score: float | None = None
    empty: Mapping[str, Layer] = field(default_factory=dict)
    paint: Paint = plain

    @property
    def columns(self) -> list[str]:
        """The columns of a table."""
        return [*(["layer"] if self.several else []), *COLUMNS]


@dataclass(slots=True)
class Written:
    """How far an output is: what is needed to continue it.

    Args:
        documents: Number of documents that are done.
        before: The `document` of the last sentence.
        separator: What comes before the next document.
    """

    documents: int = 0
    before: str | None = None
    separator: str = ""


def write_documents(
    documents: Iterable[Document],
    output: Output,
    stream: TextIO,
    *,
    waits: Callable[[], bool] = lambda: False,
    faults: Faults | None = None,
    written: Written | None = None,
) -> None:
    """Write each document as soon as it is tagged, whole or not at all.

    Args:
        documents: The tagged documents.
        output: What to write of each.
        stream: The output.
        waits: Whether the input waits for its next line; what is written is flushed then.
        faults: Takes documents that cannot be written. Default: their error is raised.
        written: How far the output is; kept up to date. Default: it is empty.
    """
    written = written or Written()
    if output.format == "csv" and not written.documents:
        stream.write(_csv_line(output.columns))
    if output.format == "labelstudio":
        with _array(stream, begun=written.documents > 0):
            _write_each(documents, output, stream, waits, faults, written)
    else:
        _write_each(documents, output, stream, waits, faults, written)


@contextmanager
def _array(stream: TextIO, *, begun: bool) -> Iterator[None]:
    """Write the brackets of a JSON array around what is written, also before an error."""
    stream.write("" if begun else "[\n")
    try:
        yield
    finally:
        stream.write("\n]\n")


def _write_each(
    documents: Iterable[Document],
    output: Output,
    stream: TextIO,
    waits: Callable[[], bool],
    faults: Faults | None,
    written: Written,
) -> None:
    for document in _chosen(documents, output):
        written.documents += 1
        try:
            lines = list(_lines(document, output, written.documents, written.before))
        except DataError as error:
            if faults is None:
                raise
            place = (
                document.sentences[0].origin.at(0) if document.sentences[0].origin else f"document {written.documents}"
            )
            faults.add("form", place, str(error).removeprefix(f"{place}: "))
            continue
        if document.sentences:
            written.before = document.sentences[-1].document
        stream.writelines([written.separator, *lines])
        written.separator = ",\n" if output.format == "labelstudio" else ""
        if waits():
            stream.flush()


def _chosen(documents: Iterable[Document], output: Output) -> Iterable[Document]:
    least = output.min_score
    return documents if least is None else (without_unsure(document, least) for document in documents)


def _lines(document: Document, output: Output, number: int, before: str | None) -> Iterator[str]:
    """Yield the lines of a document, with their ends; `before` is the `document` of the sentence before it."""
    match output.format:
        case "text":
            yield from (f"{line}\n" for line in text_lines(document, output.paint))
        case "jsonl":
            if not document.sentences:
                document = replace(document, sentences=(Sentence((), document.text, (), output.empty),))
            yield f"{json.dumps(_fields(document.to_dict(), output.fields, number), ensure_ascii=False)}\n"
        case "conll":
            from tagger.formats.columns.conll_writing import conll_lines

            for sentence in map(numbers_as_text, document.sentences or (Sentence((), document.text, ()),)):
                tags = [layer for layer in output.layers if isinstance(sentence.layers.get(layer), TagLayer)]
                yield from (f"{line}\n" for line in conll_lines([sentence], tags, document=before))
                before = sentence.document
        case "csv":
            yield from (_csv_line(row[column] for column in output.columns) for row in rows_of(document, number))
        case "doccano" | "labelstudio" | "prodigy":
            from tagger.formats.tools.suggestions import suggestion_of

            end = "" if output.format == "labelstudio" else "\n"
            yield f"{json.dumps(suggestion_of(document, output.format), ensure_ascii=False)}{end}"


def _fields(row: dict[str, Any], fields: Sequence[str] | None, number: int) -> dict[str, Any]:
    """Return the chosen keys of a JSON object; a key that it lacks is skipped.

    Raises:
        RecipeError: No result has such a key, and neither has the first record.
    """
    if fields is None:
        return row
    if number == 1 and (unknown := [name for name in fields if name not in FIELDS and name not in row]):
        known = ", ".join(dict.fromkeys([*row, *FIELDS]))
        raise RecipeError(f"--fields: no such key {shorten(unknown[0])}; choose from {known}")
    return {name: row[name] for name in fields if name in row}


def _csv_line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def write_parquet(documents: Iterable[Document], output: Output, path: "Path") -> None:
    """Write the table of documents as a Parquet file, which has all rows or stays as it was."""
    import pyarrow  # comes with `datasets`; loading it takes as long as a hundred sentences
    from pyarrow import parquet

    from tagger.files.writing import replaced

    types = {"start": pyarrow.int64(), "end": pyarrow.int64(), "score": pyarrow.float64()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in output.columns])
    with replaced(path) as stream, parquet.ParquetWriter(stream, schema) as writer:
        rows: list[Row] = []
        for number, document in enumerate(_chosen(documents, output), 1):
            rows += ({**row, "id": str(row["id"])} for row in rows_of(document, number))
            if len(rows) >= BATCH:
                writer.write_table(_table(rows, schema))
                rows = []
        writer.write_table(_table(rows, schema))


def _table(rows: Sequence[Row], schema: Any) -> Any:
    import pyarrow

    return pyarrow.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)


def text_lines(document: Document, paint: Paint = plain) -> Iterator[str]:
    """Yield the text, then one line per layer: entities with type, words with tag, labels with probability.

    The readings of a layer, if any, follow it with the probability of the whole sequence. A document without tokens is
    its text alone.
    """
    yield document.text
    document = replace(document, sentences=tuple(map(numbers_as_text, document.sentences)))
    layers = dict.fromkeys(name for sentence in document.sentences for name in sentence.layers)
    names = [*layers, *(name for name in document.labels if name not in layers)] if document.tokens else []
    width = max(map(len, names), default=0)
    for name in names:
        yield f"  {name:{width}}  {_shown_layer(document, name, paint)}"
        for sentence in document.sentences:
            for reading in sentence.readings(name) if isinstance(sentence.layers.get(name), TagLayer) else ():
                yield f"  {'':{width}}  {reading.sequence_score(name):8.4f}  {_tags([reading], name, paint)}"


def _shown_layer(document: Document, layer: str, paint: Paint) -> str:
    labels = [sentence.layers.get(layer) for sentence in document.sentences]
    if layer in document.labels:
        labels = [document.labels[layer]]
    if isinstance(labels[0], Label):
        return ", ".join(f"{label.value}{_shown(label.score)}" for label in labels if isinstance(label, Label))
    return _tags(document.sentences, layer, paint)


def _tags(sentences: Sequence[Sentence], layer: str, paint: Paint) -> str:
    if sentences[0].tag_layer(layer).scheme is None:
        pairs = (pair for s in sentences for pair in zip(s.tokens, s.tags(layer), strict=True))
        return " ".join(f"{token}{paint('', f'/{tag}')}" for token, tag in pairs)
    spans = (span for sentence in sentences for span in sentence.spans(layer))
    shown = (paint(span.type, f"[{span.text}] {span.type}") + _shown(span.score) for span in spans)
    return ", ".join(shown) or "-"


def _shown(score: float | None) -> str:
    return "" if score is None else f" ({score:.2f})"
