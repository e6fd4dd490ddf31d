"""The commands of `tagger plot`. Each command parses its options, draws a picture and writes it to a file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tagger.cli.app import ColumnsOption, DeviceOption, ModelArgument, ThreadsOption, _lines, _set_threads, _split

if TYPE_CHECKING:
    from tagger.plots import Picture
    from tagger.tagging import Tagger
    from tagger.text.sentence import Sentence

plot = typer.Typer(
    help="Draw attention, entities, tag probabilities, transitions and learning curves as HTML, SVG or PNG.",
    epilog="Example: tagger plot entities runs/quickstart notes.txt --output notes.html",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

OutputOption = Annotated[Path, typer.Option("--output", help="Picture to write; the suffix decides its format.")]
LayerOption = Annotated[str | None, typer.Option("--layer", help="Layer to draw; required if several are possible.")]
FileArgument = Annotated[str, typer.Argument(metavar="[FILE | -]", help="File to tag; - is standard input.")]
InputOption = Annotated[
    Literal["text", "conll", "jsonl"],
    typer.Option("--input-format", help="Format of the input; text: one sentence per line."),
]


@plot.command(epilog='Example: echo "a fine film" | tagger plot attention runs/quickstart --output page.html')
def attention(
    model: ModelArgument,
    output: OutputOption,
    file: FileArgument = "-",
    layer: LayerOption = None,
    input_format: InputOption = "text",
    columns: ColumnsOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
) -> None:
    """Draw the weight of each word for the label of its sentence: coloured text (HTML) or bars (SVG, PNG)."""
    from tagger import plots

    _check(output)
    _, sentences = _tagged(model, file, input_format, columns, device, threads)
    _save(plots.attention(sentences, layer=layer), output)


@plot.command(epilog="Example: tagger plot entities runs/quickstart notes.txt --output notes.html")
def entities(
    model: ModelArgument,
    output: OutputOption,
    file: FileArgument = "-",
    layer: LayerOption = None,
    input_format: InputOption = "text",
    columns: ColumnsOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
) -> None:
    """Mark the entities in a text, with types and probabilities: a page of HTML."""
    from tagger import plots

    _check(output, chart=False)
    _, sentences = _tagged(model, file, input_format, columns, device, threads)
    _save(plots.entities(sentences, layer=layer), output)


@plot.command(epilog="Example: tagger plot curves runs/quickstart --output curves.svg")
def curves(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, or their log.jsonl files.")],
    output: OutputOption,
) -> None:
    """Draw loss and dev scores by epoch, for one or several runs."""
    from tagger import plots

    _check(output)
    _save(plots.curves(*runs), output)


@plot.command(epilog="Example: tagger plot transitions runs/quickstart --output transitions.svg")
def transitions(model: ModelArgument, output: OutputOption, layer: LayerOption = None) -> None:
    """Draw the transition scores of a CRF, and the transitions that its scheme forbids."""
    from tagger import plots
    from tagger.tagging import load

    _check(output)
    _save(plots.transitions(load(model), layer=layer), output)


@plot.command(epilog='Example: echo "Ada lives in Oslo." | tagger plot marginals runs/quickstart --output tags.svg')
def marginals(
    model: ModelArgument,
    output: OutputOption,
    file: FileArgument = "-",
    layer: LayerOption = None,
    input_format: InputOption = "text",
    columns: ColumnsOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
) -> None:
    """Draw the probability of each tag at each word."""
    from tagger import plots

    _check(output)
    tagger, sentences = _tagged(model, file, input_format, columns, device, threads)
    _save(plots.marginals(tagger, sentences, layer=layer), output)


def _check(output: Path, *, chart: bool = True) -> None:
    """Refuse an invalid output path before the model is loaded."""
    from tagger.plots.picture import check_path

    check_path(output, chart=chart)


def _tagged(
    model: Path,
    file: str,
    format: Literal["text", "conll", "jsonl"],
    columns: str | None,
    device: str,
    threads: int | None,
) -> "tuple[Tagger, Iterator[Sentence]]":
    from tagger.tagging import load, tag_lines

    _set_threads(threads)
    tagger = load(model, device=device)
    where = "standard input" if file == "-" else file
    return tagger, tag_lines(tagger, _lines(file), format=format, columns=_split(columns), where=where)


def _save(picture: "Picture", output: Path) -> None:
    picture.save(output)
    sys.stderr.write(f"{output}: {picture.title}\n")
