"""Training curves: the loss and each dev score of one or several runs, read from their logs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from tagger.errors import DataError
from tagger.files.reading import read_text
from tagger.pages.palette import colour_of, line_style
from tagger.plots.chart import add_axes, new_figure
from tagger.plots.labels import name_of, shortened
from tagger.plots.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOG = "log.jsonl"
COLUMNS, WIDTH, HEIGHT, GAP = 2, 4.2, 2.5, 0.85  # panels in a row; sizes in inches


class Line(BaseModel):
    """The values of an epoch in a log that are drawn; others are ignored."""

    epoch: int
    loss: float
    dev: dict[str, float]
    best: bool


class History(NamedTuple):
    """The name of a run and its epochs."""

    name: str
    epochs: list[Line]


def curves(*runs: str | Path) -> Picture:
    """Return the curves of runs over their epochs: training loss, and the dev score of each layer.

    Args:
        runs: Run folders, or the `log.jsonl` of each.

    Raises:
        DataError: No run is given, or a log is missing, empty or damaged; the message names the line.
    """
    if not runs:
        raise DataError("expected at least one run to draw, got none; pass the output folder of a training run")
    paths = [Path(run) for run in runs]
    logs = [path / LOG if path.is_dir() else path for path in paths]
    short = [log.absolute().parent.name if log.name == LOG else log.stem for log in logs]
    names = short if len(set(short)) == len(short) else [str(path) for path in paths]
    histories = [History(name, read_log(log)) for name, log in zip(names, logs, strict=True)]
    return Picture("Training", figure=lambda: _figure(histories))


def read_log(path: Path) -> list[Line]:
    """Return the epochs of a log.

    Raises:
        DataError: The file cannot be read, is empty, or has an invalid line; the message names it.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; pass the output folder of a training run, which contains {LOG}")
    epochs = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        try:
            epochs.append(Line.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            reason = f"`{key}`: {first['msg']}" if key else first["msg"]
            raise DataError(f"{path}:{number}: expected an epoch as training writes it, got {reason}") from None
    if not epochs:
        raise DataError(f"{path}: expected one line per epoch, got an empty file; train for at least one epoch")
    return epochs


def _figure(histories: Sequence[History]) -> "Figure":
    layers = list(dict.fromkeys(layer for history in histories for line in history.epochs for layer in line.dev))
    panels = len(layers) + 1
    columns, rows = min(COLUMNS, panels), -(-panels // COLUMNS)
    figure = new_figure(width=columns * (WIDTH + GAP) - GAP, height=rows * (HEIGHT + GAP) - GAP)
    for number, layer in enumerate([None, *layers]):
        row, column = divmod(number, COLUMNS)
        left, top = column * (WIDTH + GAP), row * (HEIGHT + GAP)
        axes = add_axes(figure, left=left, top=top, width=WIDTH, height=HEIGHT)
        _panel(axes, histories, layer)
    _legend(figure, histories)
    return figure


def _panel(axes: "Axes", histories: Sequence[History], layer: str | None) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, history in enumerate(histories):
        lines = [line for line in history.epochs if layer is None or layer in line.dev]
        values = [line.loss if layer is None else line.dev[layer] for line in lines]
        epochs = [line.epoch for line in lines]
        axes.plot(epochs, values, **line_style(number), markersize=4)
        kept = [i for i, line in enumerate(lines) if line.best][-1:]
        axes.plot([epochs[i] for i in kept], [values[i] for i in kept], "o", **_ring(number))
    last = max(line.epoch for history in histories for line in history.epochs)
    axes.set(xlabel="epoch", xlim=(0.5, last + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    title = "training loss (nats)" if layer is None else f"dev score of {shortened(name_of(layer), 40)}"
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    if layer is not None:  # a score is from 0 to 1
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -0.02), min(high, 1.02))
    axes.grid(color="#e4e6ea", linewidth=0.7)
    axes.set_axisbelow(True)


def _ring(number: int) -> dict[str, Any]:
    return {"color": colour_of(number), "fillstyle": "none", "markersize": 9}


def _legend(figure: "Figure", histories: Sequence[History]) -> None:
    """Add the names of the runs below all panels."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **line_style(number), markersize=4) for number in range(len(histories))]
    handles.append(Line2D([], [], linestyle="", marker="o", color="#555", fillstyle="none", markersize=9))
    names = [shortened(name_of(history.name), 60) for history in histories]
    below = -0.5 / float(figure.get_size_inches()[1])
    place = (0.0, below)
    figure.legend(
        handles, [*names, "epoch whose weights are kept"], loc="upper left", bbox_to_anchor=place, frameon=False
    )
