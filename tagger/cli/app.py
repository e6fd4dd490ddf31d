"""The commands and their options. Each command parses its options, calls the library and prints the result."""

import atexit
import gc
import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from tagger.cli.annotating import annotate
from tagger.cli.arguments import (
    BackendOption,
    ColumnsOption,
    CommentsOption,
    DelimiterOption,
    DeviceOption,
    EncodingOption,
    FileArgument,
    HeaderOption,
    InputOption,
    JsonOption,
    LanguageOption,
    ModelArgument,
    PrecisionOption,
    QuoteOption,
    SchemeOption,
    SegmentOption,
    SplitOnOption,
    TextOption,
    ThreadsOption,
    TokenizeOption,
    TrustOption,
    UnknownOption,
    load_tagger,
    names_of,
    print_json,
    split_columns,
)
from tagger.cli.disk.caching import cache
from tagger.cli.scoring.audit import audit
from tagger.cli.scoring.compare import compare
from tagger.cli.scoring.evaluate import evaluate
from tagger.cli.scoring.score import score
from tagger.cli.serving import serve
from tagger.cli.training.pretrain import pretrain
from tagger.cli.training.train import train
from tagger.cli.training.tune import tune
from tagger.errors import DataError, MissingExtraError, RecipeError, TaggerError, missing_package
from tagger.text.choices import (
    ExportPrecision,
    FileFormat,
    Invalid,
    Misaligned,
    Nested,
    OutputFormat,
    Unit,
)
from tagger.text.tokenization import Tokenize
from tagger.wording import visible

COLLECTED_AFTER = 50_000  # new objects

app = typer.Typer(
    name="tagger",
    help="Train, evaluate and run sequence taggers: entities, parts of speech, slots and sentence labels.",
    epilog="Example: tagger train recipes/quickstart.toml --output runs/quickstart",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> NoReturn:
    """Run the command line. A mistake of the user ends in one sentence and exit code 1 (data, model) or 2 (usage)."""
    # Batches run side by side in threads, each with one of BLAS. More would wait for each other on busy CPUs, and NumPy
    # reads this when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    _print_any_character()
    gc.set_threshold(COLLECTED_AFTER)  # loading makes no garbage, and looking for it takes a tenth of the start
    atexit.register(gc.freeze)  # the same for the collection when the program ends
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some reads every installed package
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        _run()
    except (RecipeError, MissingExtraError) as error:
        sys.exit(_complain(error, 2))
    except TaggerError as error:
        sys.exit(_complain(error, 1))
    except ModuleNotFoundError as error:
        sys.exit(_complain(missing_package("this command", error), 2))
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # such as a full disk, behind standard output or in a folder that was writable before
        if sys.stdout is not None and error.filename is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        place = error.filename or "standard output"
        sys.exit(_complain(DataError(f"{place}: cannot be read or written: {error.strerror or error}"), 1))
    sys.exit(0)


def _print_any_character() -> None:
    """Let both output streams take any character, whatever the locale and `PYTHONIOENCODING` say.

    Standard output to a file or a pipe is UTF-8, because it is data and all files that the library reads are UTF-8. A
    terminal and standard error keep their encoding; characters that it lacks are written as escapes such as `\\xeb`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_data = stream is sys.stdout and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if is_data else None, errors="backslashreplace")


def _run() -> None:
    """Run the given command and flush what it has written."""
    if sys.stdout is None:
        raise DataError("standard output must be open, but is closed; redirect it to a file or to /dev/null")
    try:
        app()
    finally:
        sys.stdout.flush()


def _complain(error: TaggerError, code: int) -> int:
    sys.stderr.write(f"error: {visible(str(error))}\n")
    return code


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # takes longer than all that the command line needs itself

        sys.stdout.write(f"tagger {version('tagger-bilstm')}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Train, evaluate and run sequence taggers: entities, parts of speech, slots and sentence labels."""


app.command(epilog="Example: tagger train recipes/quickstart.toml --output runs/short --set training.epochs=5")(train)
app.command(epilog="Example: tagger serve english --port 8000")(serve)
app.command(epilog="Example: tagger annotate notes.txt --types PER,ORG")(annotate)
app.command(epilog="Example: tagger tune recipes/quickstart.toml --trials 20")(tune)
app.command(epilog="Example: tagger pretrain corpus.txt.gz --output models/characters --minutes 30")(pretrain)
app.command(epilog="Example: tagger evaluate runs/quickstart FILE --format jsonl")(evaluate)
app.command(epilog="Example: tagger compare runs/quickstart runs/short")(compare)
app.command(epilog="Example: tagger score gold.conll predicted.jsonl --details")(score)
app.command(epilog="Example: tagger audit recipes/quickstart.toml --folds 5 --output suspects.jsonl")(audit)
app.command(epilog="Example: tagger cache --older-than 30")(cache)


@app.command(epilog='Example: echo "Ada lives in Oslo." | tagger tag runs/quickstart')
def tag(
    context: typer.Context,
    model: ModelArgument,
    file: FileArgument = "-",
    input_format: InputOption = None,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option(
            help="Format of the output; default: as the name of --output says, else text. csv and parquet have one row "
            "per entity; for a model without entities, one row per label, or per token if it has no labels either. "
            "doccano, labelstudio and prodigy are suggestions that "
            "these tools import."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="File to write; it appears when it is complete, and .gz and .zst compress it. Default: standard "
            "output. With --ray, a folder."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Tag on the cluster of Ray at this address (`local` starts one here) and write a folder of Parquet "
            "files with a row per text. FILE is text, .jsonl, .parquet, or a folder of them. Needs the extra `ray`.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the unfinished output that a stopped run has left.")
    ] = False,
    unit: Annotated[
        Unit, typer.Option(help="What one document of plain text is; `document`: lines between blank lines.")
    ] = "line",
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    text: TextOption = None,
    fields: Annotated[str | None, typer.Option(help="Keys of JSON lines to write, such as id,spans.")] = None,
    min_score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Omit entities with a lower probability.")
    ] = None,
    n_best: Annotated[
        int,
        typer.Option("--nbest", min=0, max=1000, help="Also write the N most probable tag sequences of each layer."),
    ] = 0,
    tokenize: TokenizeOption = None,
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    on_error: Annotated[
        Literal["stop", "skip"],
        typer.Option(help="What to do with an invalid record. If one was skipped, the exit code is 1."),
    ] = "stop",
    backend: BackendOption = "auto",
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    threads: ThreadsOption = None,
    trust: TrustOption = False,
) -> None:
    """Tag a file or standard input, and write each document as soon as it is tagged.

    A document is a record or a line; its text is split into sentences as in training. The number after an entity is
    the probability of its type and boundaries. JSON lines keep the other keys of their records. On a terminal each
    type of entity has a colour; NO_COLOR=1 switches colours off.
    """
    from tagger.cli.resuming import check_resume
    from tagger.cli.tagging import Tagging, format_of, tag_file

    splitting = {"tokenize": tokenize, "language": language, "split_on": split_on, "segment": segment}
    if ray is not None:
        from tagger.cli.spreading import checked_output, tag_on_cluster

        folder = checked_output(context, output)
        loading = {"backend": backend, "precision": precision, "trusted": trust, **splitting}
        tag_on_cluster(ray, model, file, folder, resume=resume, text=text, threads=threads, loading=loading)
        return
    if resume:
        check_resume(file, output)
    form = {"delimiter": delimiter, "quote": quote, "comments": comments, "header": header, "encoding": encoding} | {
        "text": text
    }
    options = Tagging(
        input_format=input_format,
        columns=columns,
        form=form,
        unit=unit,
        n_best=n_best,
        skip=on_error == "skip",
        format=output_format or format_of(output),
        path=output,
        fields=names_of(fields) or None,
        min_score=min_score,
        resume=resume,
        settings={"backend": backend, "precision": precision, **splitting},
    )
    tagger = load_tagger(model, device, threads, precision, backend=backend, trusted=trust, splitting=splitting)
    skipped = tag_file(tagger, file, options)
    if skipped:
        raise typer.Exit(1)


@app.command(epilog="Example: tagger convert FILE converted.conll --to bioes")
def convert(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="File or folder of brat files to convert; - is standard input.")
    ],
    output: Annotated[
        str, typer.Argument(metavar="OUT", help="Output file, which may equal IN; - is standard output.")
    ],
    to: Annotated[
        str,
        typer.Option(
            help="iob1, iob2, bioes, bilou or io; or conll, conllu, jsonl, csv, text, doccano, docbin, "
            "labelstudio or spacy."
        ),
    ],
    format: Annotated[
        Literal[FileFormat, "text"] | None, typer.Option(help="Format of the file. Default: detected.")
    ] = None,
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    column: Annotated[
        str | None, typer.Option(help="Number or name of the column to convert. Default: the last with tags.")
    ] = None,
    scheme: SchemeOption = None,
    invalid: Annotated[Invalid, typer.Option(help="How to handle invalid tag sequences.")] = "error",
    merge: Annotated[bool, typer.Option("--merge", help="Merge adjacent entities that IO cannot separate.")] = False,
    labels: Annotated[str | None, typer.Option(help="Comment keys to read as labels, such as intent.")] = None,
    drop: Annotated[
        str | None, typer.Option(help="Fields to discard, such as comments,ner; unknown names are reported.")
    ] = None,
    misaligned: Annotated[
        Misaligned, typer.Option(help="How to handle spans that do not align with tokens.")
    ] = "error",
    nested: Annotated[Nested, typer.Option(help="Which of two nested spans to keep.")] = "error",
    tokenize: Annotated[
        Tokenize | None, typer.Option(help="How to split raw text into tokens. Default: words.")
    ] = None,
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    unknown: UnknownOption = None,
) -> None:
    """Convert a file to another tag scheme or format, without losing data unless you allow it."""
    from tagger.cli.converting import convert_file
    from tagger.conversion.options import Conversion

    form = {"delimiter": delimiter, "quote": quote, "comments": comments, "header": header, "encoding": encoding}
    wanted = Conversion(
        to=to,
        form={key: value for key, value in form.items() if value is not None},
        format=format,
        columns=split_columns(columns, format or "conll"),
        column=column,
        scheme=scheme,
        repair=invalid == "repair",
        merge=merge,
        labels=names_of(labels),
        drop=names_of(drop),
        misaligned=misaligned,
        nested=nested,
        tokenize=tokenize,
        language=language,
        split_on=split_on,
        segment=segment,
        unknown=unknown,
    )
    convert_file(source, output, wanted)


@app.command(epilog="Example: tagger check --train FILE --dev FILE --test FILE --json")
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Files named after their split, a folder, or a dataset id."),
    ] = None,
    train: Annotated[list[str] | None, typer.Option(help="Training file; may be repeated.")] = None,
    dev: Annotated[list[str] | None, typer.Option(help="Dev file; may be repeated.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="Test file; may be repeated.")] = None,
    format: Annotated[FileFormat | None, typer.Option(help="Format of the files. Default: detected.")] = None,
    columns: ColumnsOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    comments: CommentsOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    scheme: SchemeOption = None,
    layer: Annotated[str | None, typer.Option(help="Layer for the labels of labelled text. Default: label.")] = None,
    vectors: Annotated[
        list[str] | None, typer.Option(help="Word vectors, to count the unseen words that they cover; may be repeated.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="Key whose values must not be in two splits, such as ticket_id. Default: named documents."),
    ] = None,
    tokenize: Annotated[Tokenize, typer.Option(help="How to split raw text into tokens.")] = "words",
    language: LanguageOption = None,
    split_on: SplitOnOption = None,
    segment: SegmentOption = None,
    unknown: UnknownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a corpus and report its errors, with file and line, and warnings.

    The exit code is 1 if there are errors.
    """
    from tagger.cli.diagnosis import print_diagnosis
    from tagger.doctor.check import check as check_corpus

    named = {"train": train or [], "dev": dev or [], "test": test or []}
    if bool(files) == any(named.values()):
        raise RecipeError("give the files either as FILE... or with --train, --dev and --test")
    try:
        diagnosis = check_corpus(
            files or named,
            format=format,
            columns=split_columns(columns, None),
            scheme=scheme,
            layer=layer,
            tokenize=tokenize,
            language=language or "en",
            split_on=split_on or "",
            segment=segment,
            vectors=vectors or (),
            group=group,
            unknown=unknown,
            delimiter=delimiter,
            quote=quote,
            comments=comments,
            header=header,
            encoding=encoding,
        )
    except TaggerError as error:
        if as_json:
            print_json({"error": str(error)})
        raise
    if as_json:
        print_json(diagnosis.to_dict())
    else:
        print_diagnosis(diagnosis)
    if not diagnosis.is_sound:
        raise typer.Exit(1)


@app.command(epilog="Example: tagger export runs/quickstart exported --precision int8")
def export(
    model: ModelArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    format: Annotated[Literal["onnx"], typer.Option(help="What to write: one ONNX graph, decoding included.")] = "onnx",
    precision: Annotated[
        ExportPrecision, typer.Option(help="Precision of the recurrence; int8 is faster, and only for LSTM encoders.")
    ] = "float32",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an exported model in this folder.")] = False,
) -> None:
    """Write a trained model for other programs: a graph that onnxruntime runs from any language."""
    from tagger.cli.exporting import export_model

    export_model(model, folder, precision=precision, overwrite=overwrite)


@app.command(epilog="Example: tagger info runs/quickstart --json")
def info(model: ModelArgument, as_json: JsonOption = False) -> None:
    """Describe a model: what it predicts, how it was trained, which backends can run it, and its scores."""
    from tagger.files.holding import is_charlm

    if is_charlm(model):
        from tagger.pretraining.folder import describe_charlm

        facts = describe_charlm(model)
    else:
        from tagger.running.description import describe_model

        facts = describe_model(model)
    if as_json:
        print_json(facts)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _indented(facts))


def _indented(facts: object, depth: int = 0) -> Iterator[str]:
    """Yield nested facts as indented lines."""
    for key, value in facts.items() if isinstance(facts, dict) else ():
        if isinstance(value, dict):
            yield f"{'  ' * depth}{key}:"
            yield from _indented(value, depth + 1)
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"{'  ' * depth}{key}: {shown}"
