"""The commands in the order of their help, and what an error of any of them becomes.

Each command parses its options, calls the library and prints the result.
"""

import atexit
import gc
import io
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tagger.cli.annotating import annotate
from tagger.cli.corpora.check import check
from tagger.cli.corpora.convert import convert
from tagger.cli.disk.caching import cache
from tagger.cli.models.export import export
from tagger.cli.models.info import info
from tagger.cli.scoring.audit import audit
from tagger.cli.scoring.compare import compare
from tagger.cli.scoring.evaluate import evaluate
from tagger.cli.scoring.score import score
from tagger.cli.serving import serve
from tagger.cli.tagging.tag import tag
from tagger.cli.training.pretrain import pretrain
from tagger.cli.training.train import train
from tagger.cli.training.tune import tune
from tagger.errors import DataError, MissingExtraError, RecipeError, TaggerError, missing_package
from tagger.wording import visible

COLLECTED_AFTER = 50_000  # new objects
EXAMPLES: dict[Callable[..., None], str] = {
    train: "tagger train recipes/quickstart.toml --output runs/short --set training.epochs=5",
    serve: "tagger serve english --port 8000",
    annotate: "tagger annotate notes.txt --types PER,ORG",
    tune: "tagger tune recipes/quickstart.toml --trials 20",
    pretrain: "tagger pretrain corpus.txt.gz --output models/characters --minutes 30",
    evaluate: "tagger evaluate runs/quickstart FILE --format jsonl",
    compare: "tagger compare runs/quickstart runs/short",
    score: "tagger score gold.conll predicted.jsonl --details",
    audit: "tagger audit recipes/quickstart.toml --folds 5 --output suspects.jsonl",
    cache: "tagger cache --older-than 30",
    tag: 'echo "Ada lives in Oslo." | tagger tag runs/quickstart',
    convert: "tagger convert FILE converted.conll --to bioes",
    check: "tagger check --train FILE --dev FILE --test FILE --json",
    export: "tagger export runs/quickstart exported --precision int8",
    info: "tagger info runs/quickstart --json",
}

app = typer.Typer(
    name="tagger",
    help="Train, evaluate and run sequence taggers: entities, parts of speech, slots and sentence labels.",
    epilog="Example: tagger train recipes/quickstart.toml --output runs/quickstart",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command, example in EXAMPLES.items():
    app.command(epilog=f"Example: {example}")(command)


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
