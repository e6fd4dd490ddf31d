"""Documents to be tagged, of a file in any format."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.formats.faults import Faults, FirstFault
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.formats.texts.plain_text import stream_text
from tagger.text.choices import Unit
from tagger.text.document import Document
from tagger.text.tokenization import DEFAULT_RULES, TextRules


def stream_documents(
    lines: Iterable[str],
    format: str,
    columns: Sequence[str] | None = None,
    *,
    rules: TextRules = DEFAULT_RULES,
    reading: ReadingConfig | None = None,
    where: str,
    unit: Unit = "line",
    faults: Faults | None = None,
    tally: Tally | None = None,
) -> Iterator[Document]:
    """Yield documents to be tagged, without gold layers, each as soon as its lines arrive if its format allows that.

    Args:
        lines: The lines, without their ends.
        format: One of `STREAMS`.
        columns: The columns of CoNLL lines, one of them `token`. A file of one column needs none.
        rules: How a text is split.
        reading: How columns are written, such as their `delimiter`. Default: as the first lines show.
        where: The name of the file in errors; for a folder or a binary file its path.
        unit: What a document of plain text is: a line, a block of lines between blank lines, or the file.
        faults: Takes what is wrong. Default: the first fault is raised.
        tally: Takes what was skipped in a format that is read as for training.

    Raises:
        DataError: A record is invalid in the format; names its line.
    """
    form = reading or ReadingConfig.model_construct()
    config = form.model_copy(update={"columns": tuple(columns) if columns else None}).with_rules(rules)
    tally, faults = tally or Tally(), faults or FirstFault()
    if format == "text":
        return stream_text(Source(where, lambda: lines), config, tally, faults, unit=unit)
    from tagger.formats.table import FORMATS, STREAMS  # plain text is tagged without loading the other formats

    if format not in STREAMS:
        raise ValueError(f"format must be one of {', '.join(STREAMS)}, got {format!r}")
    path = Path(where)
    known = path if FORMATS[format].is_path is not None and path.exists() else None
    return STREAMS[format](Source(where, lambda: lines, known), config, tally, faults)
