"""The `tag` command: read documents, tag them, and write them."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.cli.arguments import input_lines, settings_of_form, split_columns
from tagger.cli.progress import FileLines, Meter, shows_colours
from tagger.cli.resuming import Target, can_continue, facts_of, opened
from tagger.cli.writing import Output, Written, painter, plain, write_documents, write_parquet
from tagger.errors import DataError, RecipeError
from tagger.files.packing import packing_of_name, unpacked_name
from tagger.files.reading import Arriving
from tagger.files.signals import ended_in_order
from tagger.formats.faults import Faults
from tagger.formats.source import source_of
from tagger.formats.tally import Tally
from tagger.heads.table import heads_of
from tagger.inference.documents import PART, predict_in_parts
from tagger.tagging import Tagger, read_documents
from tagger.text.choices import WITHOUT_LINES, InputFormat, OutputFormat, Unit
from tagger.text.document import Document
from tagger.text.schemes import span_types
from tagger.text.sentence import Label
from tagger.wording import visible

if TYPE_CHECKING:
    from tagger.model.model import Model


SUFFIXES: Mapping[str, OutputFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """The options of the command.

    Args:
        input_format: Format of the input; None: by its name.
        columns: The columns of a column file.
        form: How the file is written: the values of `delimiter`, `quote`, `comments`, `header` and `encoding`.
        unit: What a document of plain text is.
        n_best: Number of readings of each tag layer.
        skip: Whether invalid records are reported and skipped.
        format: Format of the output.
        path: File to write; None for standard output.
        fields: The keys of JSON lines; None for all.
        min_score: Spans with a lower score are not written.
        resume: Whether to continue an unfinished output.
        settings: Other options of the command that change what is written, by name.
    """

    input_format: InputFormat | None = None
    columns: str | None = None
    form: Mapping[str, Any] = field(default_factory=dict)
    unit: Unit = "line"
    n_best: int = 0
    skip: bool = False
    format: OutputFormat = "text"
    path: Path | None = None
    fields: tuple[str, ...] | None = None
    min_score: float | None = None
    resume: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse options that have no effect together."""
        if self.n_best and self.format not in ("text", "jsonl"):
            raise RecipeError("--nbest needs --output-format text or jsonl, because others hold only one tag sequence")
        if self.fields and self.format != "jsonl":
            raise RecipeError(f"--fields is for --output-format jsonl, got {self.format}; remove it")
        if self.format == "parquet" and self.path is None:
            raise RecipeError("--output-format parquet needs --output FILE, because it is no text")
        if self.format == "parquet" and self.resume:
            raise RecipeError("--resume is not for --output-format parquet, which is written as a whole; remove it")
        if self.format == "parquet" and self.path is not None and packing_of_name(self.path):
            raise RecipeError(f"--output {self.path}: parquet is packed itself; name a file that ends in .parquet")

    @property
    def facts(self) -> dict[str, Any]:
        """The options that change what is written, by name."""
        own = asdict(self)
        kept = {name: own.pop(name) for name in ("form", "settings")}
        for name in ("path", "skip", "resume"):
            del own[name]
        own = {
            "output-format": own.pop("format"),
            "nbest": own.pop("n_best"),
            **own,
            **kept["form"],
            **kept["settings"],
        }
        return {name.replace("_", "-"): value for name, value in own.items()}


def format_of(path: Path | None) -> OutputFormat:
    """Return the format that the name of an output says; `text` if it says none."""
    return SUFFIXES.get(Path(unpacked_name(path)).suffix.lower(), "text") if path else "text"


def format_of_input(file: str, model: "Model") -> InputFormat:
    """Return the format of a file by its name, or by its contents if they are columns or a format with layers.

    What may be text or CSV holds numbers for a model that was trained on numbers alone.
    """
    reads_numbers = {reading.format for reading in model.config.reading.values()} == {"frames"}
    if file == "-":
        return "frames" if reads_numbers else "text"
    from tagger.formats.detection import shown_format  # loads all formats

    found = shown_format(Path(file))
    return "frames" if reads_numbers and found in ("text", "csv", "conll") else found


def has_lines(file: str, format: InputFormat) -> bool:
    """Whether a file is read line by line; otherwise the reader of its format opens it."""
    as_path = format in WITHOUT_LINES or (format == "parallel" and Path(file).is_dir())
    return not as_path or (format == "frames" and file == "-")


def _columns_of_input(file: str, format: InputFormat, model: "Model") -> tuple[str, ...] | None:
    """Return the columns that a file shows, if it is a column file and the model was trained on none."""
    known = any(reading.format == "conll" and reading.columns for reading in model.config.reading.values())
    return None if known else shown_columns(file, format)


def shown_columns(file: str, format: InputFormat) -> tuple[str, ...] | None:
    """Return the columns that a file shows; None if it is no column file, or shows none."""
    if format != "conll" or not Path(file).is_file():
        return None
    from tagger.formats.columns.fields import SAMPLE
    from tagger.formats.detection import detect_reading

    try:
        return detect_reading(list(islice(source_of(Path(file)).lines(), SAMPLE)), where=file, format=format)[1]
    except DataError:  # the reader of the format reports it
        return None


class Skipped(Faults):
    """Reports invalid records on standard error, and counts them."""

    count = 0
    muted = False  # whether the records were reported by the run that is continued

    def add(self, kind: str, place: str, message: str, **values: object) -> None:
        """Report a record."""
        if self.muted:
            return
        self.count += 1
        sys.stderr.write(f"skipped: {visible(f'{place}: {message}')}\n")


def tag_file(tagger: Tagger, file: str, options: Tagging) -> int:
    """Tag a file or standard input, and return the number of records that were skipped."""
    format = options.input_format or format_of_input(file, tagger.model)
    if options.unit != "line" and format != "text":
        raise RecipeError(f"--unit is for plain text, got {format}; remove it")
    form = settings_of_form(format, **options.form)
    if file != "-" and not has_lines(file, format) and not Path(file).exists():
        raise DataError(f"{file}: no such file or folder")
    faults, tally = Skipped() if options.skip else None, Tally(options=True)
    interactive = file == "-" and sys.stdin.isatty()
    shows_output = options.path is None and sys.stdout.isatty()
    # A terminal that shows the input or the output needs no progress, which would be drawn between their lines.
    hidden = interactive or shows_output
    if interactive:
        sys.stderr.write("type a text and Enter; Ctrl-D ends\n")
    with ExitStack() as stack:
        lines = stack.enter_context(input_lines(file)) if has_lines(file, format) else ()
        documents = read_documents(
            tagger,
            lines,
            format=format,
            columns=split_columns(options.columns, format) or _columns_of_input(file, format, tagger.model),
            where="standard input" if file == "-" else file,
            unit=options.unit,
            faults=faults,
            tally=tally,
            form=form,
        )
        meter = stack.enter_context(Meter("documents tagged", hidden=hidden))
        work = _work(lines, file, format)
        waits = lines.waits if isinstance(lines, Arriving) else lambda: False

        def tagged(ended: Callable[[], object] = lambda: None) -> Iterator[Document]:
            size, n_best = PART, options.n_best
            found = predict_in_parts(documents, tagger.backend, size=size, n_best=n_best, waits=waits, ended=ended)
            return meter.counting(found, **work)

        output = _output_of(tagger, options)
        if options.format == "parquet" and options.path is not None:
            with ended_in_order():
                write_parquet(tagged(), output, options.path)
        else:
            facts = facts_of(tagger, file, options.facts) if can_continue(file, options.path) else None
            with opened(options.path, facts, resume=options.resume) as target:
                written = _pass_over(documents, target, faults, hidden=hidden)

                def ended() -> None:
                    target.mark({**asdict(written), "skipped": faults.count if faults else 0})

                write_documents(tagged(ended), output, target.stream, waits=waits, faults=faults, written=written)
    sys.stderr.writelines(f"{visible(note)}\n" for note in tally.notes() if note.startswith("skipped"))
    return faults.count if faults else 0


def _output_of(tagger: Tagger, options: Tagging) -> Output:
    return Output(
        format=options.format,
        layers=tagger.layers,
        several=_row_layers(tagger.model) > 1,
        fields=options.fields,
        min_score=options.min_score,
        empty=tagger.tag("").layers,
        paint=painter(_types(tagger.model)) if options.path is None and shows_colours() else plain,
    )


def _types(model: "Model") -> list[str]:
    """Return the types of entities that a model predicts."""
    heads = {layer for layer, head in model.heads.items() if head.span_scheme is not None}
    return sorted({kind for layer in heads for kind in span_types(model.vocabulary.labels[layer])})


def _work(lines: Iterable[bytes], file: str, format: InputFormat) -> dict[str, Any]:
    """Return the amount of work and how much of it is done with a document, as far as they are known."""
    if format == "brat" and Path(file).is_dir():
        return {"total": sum(1 for _ in Path(file).rglob("*.txt"))}
    if not isinstance(lines, FileLines):
        return {}
    last = 0

    def done(document: Document) -> float:
        nonlocal last
        last = next((part.origin.lines[-1] for part in document.sentences if part.origin), last)
        return lines.position(last)

    return {"total": lines.size, "done": done}


def _pass_over(documents: Iterator[Document], target: Target, faults: Skipped | None, *, hidden: bool) -> Written:
    """Read the documents that the continued run has written, without tagging them, and return how far it was."""
    if target.state is None:
        return Written()
    state = dict(target.state)
    skipped = state.pop("skipped")
    if faults is not None:
        faults.muted = True
    with Meter("documents passed over", hidden=hidden) as meter:
        for _ in meter.counting(islice(documents, state["documents"]), total=state["documents"]):
            pass
    if faults is not None:
        faults.muted, faults.count = False, skipped
    return Written(**state)


def _row_layers(model: "Model") -> int:
    """Return the number of layers that have rows in a table."""
    heads = heads_of(model.heads)
    entities = [layer for layer in heads if model.heads[layer].span_scheme is not None]
    labels = [layer for layer, head in heads.items() if head.layer_type is Label]
    return len(entities or labels or heads)
