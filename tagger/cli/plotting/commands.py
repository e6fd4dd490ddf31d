"""The commands of `tagger plot`. Each command parses its options, draws a picture and writes it to a file."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.arguments import (
    ColumnsOption,
    DeviceOption,
    FileArgument,
    InputOption,
    ModelArgument,
    ThreadsOption,
    TrustOption,
    input_lines,
    load_tagger,
    split_columns,
)
from tagger.errors import RecipeError

if TYPE_CHECKING:
    from tagger.plots import Picture
    from tagger.tagging import Tagger
    from tagger.text.document import Document

Draw = Callable[["Tagger", "Iterator[Document]", str | None], "Picture"]

plot = typer.Typer(
    help="Draw attention, entities, tag probabilities, sequences of numbers or symbols, transitions, training curves "
    "and reports as HTML, SVG or PNG. SVG, PNG, curves, reports, sequences and transitions need matplotlib, which is "
    "in the extra `plots`.",
    epilog="Example: tagger plot entities runs/quickstart FILE --output entities.html",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

OutputOption = Annotated[Path, typer.Option("--output", help="Picture to write; the suffix decides its format.")]
LayerOption = Annotated[str | None, typer.Option("--layer", help="Layer to draw; required if several are possible.")]


def _of_sentences(example: str, *, chart: bool = True) -> Callable[[Draw], Draw]:
    """Make a command from a function that draws tagged sentences. All such commands have the same options.

    Args:
        example: How to call the command.
        chart: Whether the picture can be SVG or PNG.
    """

    def register(draw: Draw) -> Draw:
        def command(
            model: ModelArgument,
            output: OutputOption,
            file: FileArgument = "-",
            layer: LayerOption = None,
            input_format: InputOption = None,
            columns: ColumnsOption = None,
            device: DeviceOption = "cpu",
            threads: ThreadsOption = None,
            trust: TrustOption = False,
        ) -> None:
            from tagger.formats.table import input_format_of
            from tagger.plots import check_path
            from tagger.tagging import tag_lines

            check_path(output, chart=chart)  # before the model is loaded
            tagger = load_tagger(model, device, threads, trusted=trust)
            where = "standard input" if file == "-" else file
            format = input_format or input_format_of(file)
            names = split_columns(columns, format)
            with input_lines(file) as lines:
                documents = tag_lines(tagger, lines, format=format, columns=names, where=where)
                _save(draw(tagger, documents, layer), output)

        command.__doc__ = draw.__doc__
        plot.command(draw.__name__, epilog=f"Example: {example}")(command)
        return draw

    return register


@_of_sentences('echo "a fine film" | tagger plot attention runs/quickstart --output page.html')
def attention(tagger: "Tagger", documents: "Iterator[Document]", layer: str | None) -> "Picture":
    """Draw the weight of each word for the label of its sentence: coloured text (HTML) or bars (SVG, PNG)."""
    from tagger import plots

    return plots.attention(documents, layer=layer)


@_of_sentences('echo "Ada lives in Oslo." | tagger plot entities runs/quickstart --output page.html', chart=False)
def entities(tagger: "Tagger", documents: "Iterator[Document]", layer: str | None) -> "Picture":
    """Mark the entities in a text, with types and probabilities: a page of HTML."""
    from tagger import plots

    return plots.entities(documents, layer=layer)


@plot.command(epilog="Example: tagger plot curves runs/quickstart --output curves.svg")
def curves(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, or their log.jsonl files.")],
    output: OutputOption,
) -> None:
    """Draw loss and dev scores by epoch, for one or several runs."""
    from tagger import plots

    plots.check_path(output, chart=True)
    _save(plots.curves(*runs), output)


@plot.command(epilog="Example: tagger plot report runs/quickstart --output report.svg")
def report(
    reports: Annotated[
        list[Path],
        typer.Argument(metavar="REPORT...", help="Reports saved as JSON, run folders, or folders of several runs."),
    ],
    output: OutputOption,
    layer: Annotated[str | None, typer.Option("--layer", help="Layer to draw; default: all.")] = None,
) -> None:
    """Draw reports: reliability, thresholds, confusion, and scores by the number of train sentences.

    Runs that differ only in their seed are drawn as one mean line, with a band from the lowest to the highest run.
    """
    from tagger import plots
    from tagger.running.several.found import runs_in

    plots.check_path(output, chart=True)
    paths = [run for path in reports for run in runs_in(path) or [path]]
    _save(plots.report(*paths, layer=layer), output)


@plot.command(epilog="Example: tagger plot transitions runs/quickstart --output transitions.svg")
def transitions(
    model: ModelArgument, output: OutputOption, layer: LayerOption = None, trust: TrustOption = False
) -> None:
    """Draw the transition scores of a CRF, and the transitions that its scheme forbids."""
    from tagger import plots
    from tagger.tagging import load

    plots.check_path(output, chart=True)
    _save(plots.transitions(load(model, trusted=trust), layer=layer), output)


@_of_sentences('echo "Ada lives in Oslo." | tagger plot marginals runs/quickstart --layer ner --output tags.svg')
def marginals(tagger: "Tagger", documents: "Iterator[Document]", layer: str | None) -> "Picture":
    """Draw the probability of each tag at each word."""
    from tagger import plots

    return plots.marginals(tagger, documents, layer=layer)


@plot.command(epilog="Example: tagger plot sequence runs/machine machine.csv --number 1-6 --output machine.svg")
def sequence(
    model: ModelArgument,
    output: OutputOption,
    file: FileArgument = "-",
    number: Annotated[
        str | None,
        typer.Option("--number", metavar="N", help="Sequence to draw, from 1, or several such as 3-6. Default: 1."),
    ] = None,
    id: Annotated[
        str | None,
        typer.Option("--id", help="Id of the sequence to draw, or name of a series, all windows of which are drawn."),
    ] = None,
    layer: Annotated[str | None, typer.Option("--layer", help="Layer to draw; default: all.")] = None,
    alarm: Annotated[
        str | None, typer.Option("--alarm", metavar="TAG", help="Tag that is an alarm where it is probable enough.")
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.0, max=1.0, help="Least probability of an alarm.")
    ] = 0.5,
    input_format: InputOption = None,
    columns: ColumnsOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    trust: TrustOption = False,
) -> None:
    """Draw a sequence of numbers or symbols with what the model finds in it, and gold if the file has it.

    Series are curves or a heat map, with tags as coloured runs, probabilities, alarms, forecasts with intervals, and
    attention. Proteins and DNA are rows of letters. The file is read as in training if it has gold, else as by
    `tagger tag`.
    """
    from tagger import plots
    from tagger.cli.plotting.sequences import chosen, numbers_of, read_sequences

    plots.check_path(output, chart=True)
    if id is not None and number is not None:
        raise RecipeError("--number and --id each choose sequences; give one of the two")
    numbers = numbers_of(number or "1")
    tagger = load_tagger(model, device, threads, trusted=trust)
    sentences = read_sequences(tagger, file, input_format, columns)
    found = chosen(sentences, numbers if id is None else id, where="standard input" if file == "-" else file)
    _save(plots.sequence(tagger, found, layer=layer, alarm=alarm, threshold=threshold), output)


def _save(picture: "Picture", output: Path) -> None:
    picture.save(output)
    sys.stderr.write(f"{output}: {picture.title}\n")
