"""Options that several commands have, and arguments that need more than their type, such as columns."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from tagger.cli.progress import FileLines
from tagger.errors import RecipeError
from tagger.files.reading import Arriving
from tagger.text.choices import MOST_SEED, WITHOUT_LINES, BackendName, InputFormat, Precision
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Segment, Tokenize
from tagger.wording import shorten

if TYPE_CHECKING:
    from tagger.tagging import Tagger

RecipeArgument = Annotated[Path, typer.Argument(metavar="RECIPE", help="TOML file that describes the run.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the recipe's data files. Default: the recipe's folder.")
]
OverridesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the recipe, such as training.epochs=5."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="Device for the network: cpu, cuda or cuda:N.")]
PrecisionOption = Annotated[
    Precision,
    typer.Option("--precision", help="Encoder precision; bfloat16 is faster on some CPUs, auto measures it once."),
]
BackendOption = Annotated[
    BackendName,
    typer.Option(
        "--backend",
        help="What runs the model. auto: onnx for an exported model, torch for a GPU, another precision than "
        "float32 or a feature that needs it, otherwise numpy, which starts sooner than torch.",
    ),
]
MOST_THREADS = 10_000
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, max=MOST_SEED, help="Seed to use instead of the recipe's.")
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        max=MOST_THREADS,
        help="CPU threads; training uses at most two. Default: all cores; one for tagging with NumPy.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON to standard output.")]
ColumnsOption = Annotated[
    str | None, typer.Option("--columns", help="Columns of the file, such as token,_,ner; _ is ignored.")
]
SchemeOption = Annotated[Scheme | None, typer.Option("--scheme", help="Tag scheme of the input. Default: detected.")]
TokenizeOption = Annotated[
    Tokenize | None, typer.Option("--tokenize", help="How to split raw text into tokens. Default: as in training.")
]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="Also run tokeniser rules of the model that are not from a released spaCy.")
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", help="Code of the language whose rules split raw text, such as de.")
]
SplitOnOption = Annotated[
    str | None, typer.Option("--split-on", help="Characters of raw text that are always tokens, such as /#-.")
]
SegmentOption = Annotated[
    Segment | None,
    typer.Option("--segment", help="How to split raw text into sentences: at marks (rules), at line breaks, or not."),
]
UnknownOption = Annotated[str | None, typer.Option("--unknown", help="Mark of unknown tags in columns, such as ?.")]
DelimiterOption = Annotated[
    str | None,
    typer.Option("--delimiter", help="What separates columns: a character, tab, comma or blanks. Default: detected."),
]
QuoteOption = Annotated[
    str | None, typer.Option("--quote", help='Quote character around fields with delimiters; "" for none.')
]
CommentsOption = Annotated[
    str | None, typer.Option("--comments", help="How comment lines start, such as ###. Default: detected.")
]
HeaderOption = Annotated[
    int | None, typer.Option("--header", min=0, help="Number of lines that name the columns. Default: detected.")
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the files, such as cp1252. Default: UTF-8.")
]
TextOption = Annotated[
    str | None, typer.Option("--text", help="Key or column of the texts in JSON or CSV. Default: text or sentence.")
]
ModelArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="Folder of a run or of a model, a model of the library (english), or one of the Hugging Face hub "
        "(hf://owner/name@revision; the revision is optional).",
    ),
]
FileArgument = Annotated[str, typer.Argument(metavar="[FILE | -]", help="File to tag; - is standard input.")]
InputOption = Annotated[
    InputFormat | None,
    typer.Option(
        "--input-format",
        help="Format of the input. Default: by the name of the file (.jsonl, .json, .conllu, .csv, .tsv, .spacy; a "
        "folder is brat, or parallel if it has seq.in), otherwise text.",
    ),
]


TEXTUAL = tuple(name for name in get_args(InputFormat) if name not in WITHOUT_LINES)
FORMATS_OF = {
    "comments": ("conll",),
    "encoding": TEXTUAL,
    "text": ("jsonl", "csv"),
}  # by option; others are for columns


def names_of(given: str | None) -> tuple[str, ...]:
    """Return the names between commas."""
    return tuple(name.strip() for name in given.split(",")) if given else ()


def seeds_of(given: str | None) -> list[int] | None:
    """Return seeds that were given with commas between them; whether they differ is checked later.

    Raises:
        RecipeError: One is no whole number from 0.
    """
    if given is None:
        return None
    names = [name.strip() for name in given.split(",")]
    if not all(name.isascii() and name.isdecimal() and len(name) < 20 for name in names):
        raise RecipeError(
            f"--seeds must be different whole numbers from 0 with commas between them, such as 1,2,3, got "
            f"{shorten(given)}"
        )
    return [int(name) for name in names]


def check_runs(seed: int | None, seeds: str | None, folds: int | None, jobs: int | None) -> None:
    """Refuse options for several runs that do not go together.

    Raises:
        RecipeError: They do not.
    """
    if seeds is not None and seed is not None:
        raise RecipeError("--seed is for a single run, and --seeds for several; give one of the two")
    if seeds is not None and folds is not None:
        raise RecipeError("--seeds and --folds each make several runs; give one of the two")
    if jobs is not None and seeds is None and folds is None:
        raise RecipeError("--jobs is for several runs at a time; give --seeds or --folds as well")


def default_run_name(recipe: Path, seeds: str | None, folds: int | None) -> str:
    """Return the name of the folder of a run or of several, if none is given."""
    return recipe.stem + ("-seeds" if seeds is not None else "-folds" if folds is not None else "")


def split_columns(columns: str | None, format: str | None) -> tuple[str, ...] | None:
    """Return the names in a list of columns, after checking that they fit a format; None leaves that to the library."""
    if columns is None:
        return None
    names = names_of(columns)
    if format not in (None, "conll"):
        raise RecipeError(f"--columns is for conll, got {format}; remove it")
    if format and "token" not in names:
        raise RecipeError(f'--columns {columns}: one of the columns must be "token", the others layers or _')
    return names


def settings_of_form(format: str, **given: Any) -> dict[str, Any]:
    """Return the settings that say how a file to tag is written, after checking that they fit its format."""
    from tagger.config import form_settings  # takes longer than all that `--help` needs

    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        wanted = FORMATS_OF.get(name, ("conll", "csv", "labelled"))
        if format not in wanted:
            raise RecipeError(f"--{name} is not for {format}; remove it")
    others = {name: value for name, value in given.items() if name != "text"}
    return given | form_settings(others, where="the options")


@contextmanager
def input_lines(file: str) -> Iterator[Arriving | FileLines]:
    """Return the lines of standard input or a file as bytes; the file is closed at the end of the context."""
    if file == "-":
        yield Arriving(sys.stdin.buffer)  # type: ignore[arg-type]
    else:
        with closing(FileLines(Path(file))) as lines:
            yield lines


def load_tagger(
    model: Path,
    device: str,
    threads: int | None,
    precision: Precision = "float32",
    *,
    backend: BackendName = "torch",
    trusted: bool = False,
    splitting: Mapping[str, str | None] | None = None,
) -> "Tagger":
    """Return a loaded model; `splitting` says how it splits texts, if given."""
    from tagger.tagging import load

    given = checked_splitting(splitting or {})
    model = local_folder(model)
    backend = quickest_backend(model, backend, device, precision)
    return load(model, backend=backend, device=device, precision=precision, threads=threads, trusted=trusted, **given)


def local_folder(model: Path) -> Path:
    """Return the folder of a model, which is downloaded once if it is on the hub."""
    from tagger.model.folder.opening import model_path
    from tagger.model.hub.address import address_of

    return model if address_of(model) is None else model_path(model)


def checked_splitting(splitting: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the options that say how to split texts, as far as they are given.

    Raises:
        RecipeError: A value is invalid.
    """
    from tagger.config import ReadingConfig, parse_section

    given: dict[str, Any] = {name: value for name, value in splitting.items() if value is not None}
    parse_section(ReadingConfig, given, where="the options")
    return given


def quickest_backend(folder: Path, backend: BackendName, device: str, precision: Precision) -> BackendName:
    """Return what runs the model of a folder; `auto` becomes what tags a text soonest."""
    from tagger.inference.loading import fast_backend
    from tagger.model.folder.opening import is_exported

    if backend != "auto" or is_exported(folder):
        return backend
    return fast_backend(folder) if device == "cpu" and precision == "float32" else "torch"


def print_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
