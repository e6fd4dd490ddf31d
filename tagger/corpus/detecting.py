"""Read files whose format, columns and labels are not given: what they are is detected in the first one and noted."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tagger.config import ReadingConfig, form_settings, parse_section
from tagger.corpus.files import read_files
from tagger.corpus.splitting import joined
from tagger.errors import DataError
from tagger.files.packing import unpacked_name
from tagger.formats.columns.fields import SAMPLE, Sample
from tagger.formats.detection import detect_format, detect_reading
from tagger.formats.source import Source, source_of
from tagger.formats.table import FORMATS
from tagger.formats.tally import Tally
from tagger.formats.texts.labelled import LAYER
from tagger.formats.tools.dialects import KEYED
from tagger.formats.tools.reading import dialect_name, holds_texts
from tagger.text.sentence import Label, Sentence

MAX_LABELS = 100
COLUMNS = ("conll", "labelled")
ALIKE = ("conll", "labelled", "parallel", "tagged", "xml", "text")  # one may look like another
FORM = ("delimiter", "quote", "comments", "header", "encoding")
FITS = {
    "columns": COLUMNS,
    "delimiter": COLUMNS,
    "quote": COLUMNS,
    "header": COLUMNS,
    "comments": ("conll",),
    "unknown": ("conll", "conllu"),
    "layer": ("labelled", "parallel", "tagged", "jsonl", "brat"),
    "scheme": ("conll", "conllu", "parallel", "tagged", "jsonl", "labelled"),
}  # the formats for which a setting says something; others are for all

Watch = Callable[[Iterable[str]], Iterable[str]]


class Detected(NamedTuple):
    """What files hold.

    Args:
        sentences: Their sentences, with tags as they are written.
        config: How they were read.
        used: The given settings that say something about their format.
        notes: What was detected or done.
    """

    sentences: list[Sentence]
    config: ReadingConfig
    used: frozenset[str]
    notes: tuple[str, ...]


def read_detected(
    paths: Sequence[str | Path], given: Mapping[str, Any], tally: Tally, *, watch: Watch = iter
) -> Detected:
    """Return the sentences of files of any format, and what was detected.

    Args:
        paths: The files, all of one format.
        given: Keys of a recipe's [data] section. Those that are None, or do not concern the format, are ignored.
        tally: Counts what is done and ignored.
        watch: Passes on the lines of a file, and may show how many there are.

    Raises:
        DataError: A file cannot be read, or holds no sentence.
        RecipeError: A setting has a wrong value.
    """
    given = {key: value for key, value in given.items() if value is not None}
    files = [_text_of(Path(path)) for path in paths]
    config, notes = _config(files[0], given)

    def opened(path: Path, encoding: str | None) -> Source:
        source = source_of(path, encoding)
        return source._replace(lines=lambda: watch(source.lines()))

    sentences = list(joined(read_files(files, config, Path(), tally, opened=opened)))
    if not sentences:
        raise DataError(f"{files[0]}: must hold at least one sentence, got none; check the path")
    used = frozenset(config.model_fields_set & given.keys())
    return Detected(sentences, config, used, (*notes, *tally.notes()))


def _text_of(path: Path) -> Path:
    """Return the text beside a file of brat annotations, and any other path as it is."""
    if path.suffix != ".ann":  # a path without a name, such as `.`, has no other suffix either
        return path
    text = path.with_suffix(".txt")
    return text if text.is_file() else path


def _config(path: Path, given: Mapping[str, Any]) -> tuple[ReadingConfig, list[str]]:
    """Return how to read files like this one: as is given, or else as it shows, which is noted."""
    format, columns, notes = detected_form(path, given)
    values = {key: value for key, value in given.items() if format in FITS.get(key, (format,))}
    if format == "jsonl" and "layer" in values and not holds_texts(source_of(path, given.get("encoding")).lines()):
        del values["layer"]  # these have names for their layers
    values |= {"format": format}
    if columns is not None and format in COLUMNS:
        values |= {"columns": list(columns)}
    if format == "labelled":
        values.setdefault("layer", next((name for name in columns or () if name not in ("text", "_")), LAYER))
    return parse_section(ReadingConfig, values, where="the options"), notes


def detected_form(path: Path, given: Mapping[str, Any]) -> tuple[str, Sequence[str] | None, list[str]]:
    """Return the format and the columns of a file, as they are given or else as it shows, and notes on the latter.

    Args:
        path: The file.
        given: Keys of a recipe's [data] section. Those that are None are ignored.

    Raises:
        DataError: The file cannot be read, or its format is unknown, or one without layers.
        RecipeError: A setting has a wrong value.
    """
    form = form_settings({key: given.get(key) for key in FORM}, where="the options")
    known = ReadingConfig.model_construct(columns=given.get("columns"), layer=given.get("layer"), **form)
    whole = next((name for name, row in FORMATS.items() if row.is_path is not None and row.is_path(path)), None)
    format, columns, notes = given.get("format") or whole, given.get("columns"), []
    format = format or (_format_of_columns(path, columns) if columns is not None else None)
    if whole is None and (format is None or (format == "conll" and columns is None)):
        head = list(islice(source_of(path, known.encoding).lines(), SAMPLE))
        format, columns, note = detected(head, str(path), format, known)
        notes.append(note)
    return str(format), columns, notes


def shows_other_format(path: Path, format: str, encoding: str | None = None) -> bool:
    """Whether a file is clearly in another format than this one: formats of lines in plain text are much alike."""
    if format not in FORMATS:  # that of an extension
        return False
    path = _text_of(path)
    try:
        shown = detect_format(source_of(path, encoding).lines(), where=str(path), path=path)
    except DataError:
        return False  # reading the file as the given format finds what is wrong
    return shown != format and not {shown, format} <= {*ALIKE}


def _format_of_columns(path: Path, columns: Sequence[str]) -> str:
    """Return the format of a file for which columns are given; a name that says another format is believed."""
    suffix = Path(unpacked_name(path.name)).suffix.lower()
    named = next((name for name, row in FORMATS.items() if suffix in row.suffixes), None)
    return named or ("labelled" if "text" in columns and "token" not in columns else "conll")


def detected(
    lines: Sequence[str], where: str, format: str | None, config: ReadingConfig
) -> tuple[str, tuple[str, ...] | None, str]:
    """Return the format and the columns that the lines of a file show, and a note.

    Raises:
        DataError: The format is unknown, or one without layers.
    """
    format, columns = detect_reading(lines, where=where, format=format, config=config)
    named = f" with columns {', '.join(columns)}" if columns else ""
    form = str(Sample(lines, config=config).form) if format == "conll" else ""
    dialect = dialect_name(lines) if format == "jsonl" else None
    known = "" if dialect is None else f" with {dialect}" if dialect == KEYED.name else f" of {dialect}"
    return format, columns, f"detected format {format}{named}{f', {form}' if form else ''}{known} in {where}"


def label_comments(sentences: Sequence[Sentence]) -> Iterator[str]:
    """Yield the comments that look like labels: most sentences have them, and their few values are frequent."""
    for key in sentences[0].meta if sentences else ():
        values = [sentence.meta[key] for sentence in sentences if sentence.meta.get(key)]
        distinct = len(set(values))
        if len(values) * 10 >= len(sentences) * 9 and 1 < distinct <= min(MAX_LABELS, len(values) // 5):
            yield key


def with_labels(sentence: Sentence, keys: Iterable[str]) -> Sentence:
    """Return the sentence with these comments as labels."""
    labels = {key: Label(value) for key in keys if (value := sentence.meta.get(key))}
    return replace(sentence, layers={**sentence.layers, **labels}) if labels else sentence


def said_of_comment(key: str) -> str:
    """Return a note on a comment that is read as a label."""
    return f"the comment `# {key}` is read as a label of the sentence"
