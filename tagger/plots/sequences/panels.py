"""The panels of a picture of a sequence, one below the other over the same steps."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.pages.palette import COLOURS, colour_of
from tagger.plots.labels import name_of, shortened
from tagger.plots.sequences.axis import Axis
from tagger.plots.sequences.colours import FAINT, GRID, INK, Look, is_plain
from tagger.plots.sequences.contents import Run, Track
from tagger.text.frames import Frames
from tagger.text.sentence import Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

FEW = 6  # numbers of a step that have a panel each; more of them are one heat map
TALL, STRIP, ROW = 1.0, 0.24, 0.11  # inches: height of a curve, of a strip of tags, and of a row of a heat map
TALLEST = 3.2  # inches of a heat map
LETTERS = 24  # of a name beside a panel
MIDDLE = 150  # steps from which on lines have no markers


class Panel(NamedTuple):
    """A part of the picture: `draw` draws it on axes of this height in inches."""

    height: float
    draw: "Callable[[Axes], None]"


class Alarm(NamedTuple):
    """The tag that is an alarm where its probability is at least the threshold."""

    type: str
    threshold: float


def number_panels(frames: Frames, axis: Axis, forecasts: Sequence[Panel] = ()) -> list[Panel]:
    """Return a panel for each number of the steps, or one heat map of many; forecasts are those of the first number."""
    names = [n or f"number {i}" for i, n in enumerate(frames.names or [""] * frames.values.shape[1], 1)]
    if len(names) > FEW:
        return [_heat_map(frames.values, names, axis)]
    columns = zip(frames.values.T, names, strict=True)
    panels = [_curve(values, name, axis) for values, name in columns]
    return [reduce(_over, forecasts, panels[0]), *panels[1:]]


def _over(first: Panel, second: Panel) -> Panel:
    """Return a panel that has two things on the same axes."""

    def draw(axes: "Axes") -> None:
        first.draw(axes)
        second.draw(axes)

    return Panel(max(first.height, second.height), draw)


def _curve(values: NDArray[np.float32], name: str, axis: Axis) -> Panel:
    def draw(axes: "Axes") -> None:
        style = {"marker": ".", "markersize": 3} if len(values) < MIDDLE else {}
        axes.plot(axis.places, values, color=INK, linewidth=0.9, **style)  # type: ignore[arg-type]
        _name(axes, name)
        axes.grid(color=GRID, linewidth=0.7)

    return Panel(TALL, draw)


def _heat_map(values: NDArray[np.float32], names: Sequence[str], axis: Axis) -> Panel:
    """Return the panel of many numbers, each in its deviations from its mean in the sequence."""
    numbers = values.astype(np.float64)
    known = np.isfinite(numbers)
    counts = np.maximum(known.sum(0), 1)
    mean = np.where(known, numbers, 0).sum(0) / counts
    deviation = np.sqrt((np.where(known, numbers - mean, 0) ** 2).sum(0) / counts)
    table = np.ma.masked_invalid((numbers - mean) / np.where(deviation > 0, deviation, 1))

    def draw(axes: "Axes") -> None:
        rows = np.arange(len(names) + 1) - 0.5
        mesh = axes.pcolormesh(axis.edges, rows, table.T, cmap="PuOr_r", vmin=-3, vmax=3, rasterized=True)
        axes.set(ylim=(len(names) - 0.5, -0.5))
        shown = range(0, len(names), max(1, -(-len(names) // 8)))
        axes.set_yticks(list(shown), [shortened(name_of(names[i]), LETTERS) for i in shown], fontsize=7)
        beside = axes.inset_axes((1.015, 0, 0.012, 1))
        bar = axes.get_figure().colorbar(mesh, cax=beside)  # type: ignore[union-attr]
        bar.set_label("deviations from\nthe mean of the sequence", fontsize=7)
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_visible(False)

    return Panel(min(max(ROW * len(names), TALL), TALLEST), draw)


def strips_panel(track: Track, looks: Mapping[str, Look], axis: Axis, alarm: Alarm | None, *, several: bool) -> Panel:
    """Return the panel of a layer of tags: predictions, gold and alarms, each a strip with a colour for each tag."""
    strips = {"predicted": track.predicted, "gold": track.gold}
    if alarm is not None:
        strips["alarm"] = alarms_of(track, alarm)
    rows = {name: runs for name, runs in strips.items() if runs is not None}

    def draw(axes: "Axes") -> None:
        edges = axis.edges
        for number, runs in enumerate(rows.values()):
            for run in runs:
                _box(axes, edges[run.start], edges[run.end], number, looks[run.type])
        prefix = f"{shortened(name_of(track.layer), LETTERS)}, " if several else ""
        axes.set_yticks(range(len(rows)), [f"{prefix}{name}" for name in rows])
        axes.set(ylim=(len(rows) - 0.5, -0.5))
        axes.tick_params(left=False)
        axes.spines["left"].set_visible(False)
        legend(axes, track, looks)

    return Panel(STRIP * len(rows), draw)


def alarms_of(track: Track, alarm: Alarm) -> tuple[Run, ...]:
    """Return the runs of steps at which the probability of the tag is at least the threshold."""
    high = np.concatenate([[False], track.share_of(alarm.type) >= alarm.threshold, [False]])
    ends = np.flatnonzero(high[1:] != high[:-1]).reshape(-1, 2)
    return tuple([Run(alarm.type, int(start), int(end)) for start, end in ends])


def _box(axes: "Axes", left: float, right: float, row: float, look: Look) -> None:
    axes.barh(row, right - left, left=left, height=0.82, linewidth=0.2, **face(look))


def face(look: Look) -> dict[str, Any]:
    """Return matplotlib's properties of an area of a tag."""
    edge = "#ffffff" if look.hatch else look.colour
    return {"facecolor": look.colour, "hatch": look.hatch or None, "edgecolor": edge}


def legend(axes: "Axes", track: Track, looks: Mapping[str, Look]) -> None:
    """Name the colours of the tags that are drawn, right of the axes."""
    used = {run.type for run in (*track.predicted, *(track.gold or ()))}
    shown = [type_ for type_ in looks if type_ in used or len(looks) <= len(COLOURS)]
    names = [shortened(name_of(type_), LETTERS) for type_ in shown]
    columns = 1 if len(shown) <= 4 else 2
    axes.legend(
        [_patch(looks[type_]) for type_ in shown],
        names,
        frameon=False,
        fontsize=8,
        borderaxespad=0,
        ncols=columns,
        handlelength=1,
        handleheight=1,
        labelspacing=0.25,
        loc="upper left",
        bbox_to_anchor=(1.005, 1.08),
    )


def _patch(look: Look) -> "Patch":
    from matplotlib.patches import Patch

    return Patch(**face(look))


def shares_panel(track: Track, looks: Mapping[str, Look], axis: Axis, alarm: Alarm | None, *, several: bool) -> Panel:
    """Return the panel of the probability of each tag, stacked, or of that of the alarm with its threshold."""

    def draw(axes: "Axes") -> None:
        if alarm is not None:
            _alarm(axes, track.share_of(alarm.type), looks[alarm.type], axis, alarm)
        else:
            _stack(axes, track, looks, axis)
        axes.set(ylim=(0, 1))
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
        whose = alarm.type if alarm is not None else track.layer if several else ""
        _name(axes, f"probability of\n{whose}" if whose else "probability")

    return Panel(TALL, draw)


def _stack(axes: "Axes", track: Track, looks: Mapping[str, Look], axis: Axis) -> None:
    """Draw the probabilities of the tags on top of each other; that of tags that say nothing stays white."""
    below = np.zeros(len(track.shares) + 1)
    plain = [shortened(name_of(type_), LETTERS) for type_ in track.types if is_plain(type_)]
    if plain:
        axes.text(1.005, 0.95, f"white: {', '.join(plain)}", transform=axes.transAxes, fontsize=8, va="top")
    for type_ in (type_ for type_ in track.types if not is_plain(type_)):
        share = track.share_of(type_)
        above = below + np.append(share, share[-1:])
        look = looks[type_]
        axes.fill_between(axis.edges, below, above, step="post", linewidth=0, **face(look))
        below = above


def _alarm(axes: "Axes", share: NDArray[np.float32], look: Look, axis: Axis, alarm: Alarm) -> None:
    heights = np.append(share, share[-1:])
    axes.fill_between(axis.edges, 0, heights, step="post", color=look.colour, alpha=0.35, linewidth=0)
    axes.step(axis.edges, heights, where="post", color=look.colour, linewidth=1)
    axes.axhline(alarm.threshold, color=INK, linewidth=0.9, linestyle="--", label=f"threshold {alarm.threshold:g}")
    _beside(axes)


def values_panel(layer: str, predicted: Values, gold: Values | None, axis: Axis) -> Panel:
    """Return the panel of a number for each step: gold, predictions, and their intervals."""

    def draw(axes: "Axes") -> None:
        if gold is not None:
            axes.plot(axis.places, floats(gold.values), color=INK, linewidth=1, label="gold")
        band(axes, axis.places, predicted, "predicted")
        _name(axes, layer)
        axes.grid(color=GRID, linewidth=0.7)
        _beside(axes)

    return Panel(TALL * 1.3, draw)


def forecast_panel(layer: str, predicted: Values, gold: Values | None, axis: Axis) -> Panel:
    """Return what is drawn behind the last step of a series: its next numbers, predicted and gold."""
    places = axis.behind(len(predicted.values))

    def draw(axes: "Axes") -> None:
        axes.axvline(axis.edges[-1], color=FAINT, linewidth=0.8, linestyle=":")
        if gold is not None:
            name = f"{shortened(name_of(layer), LETTERS)}, gold"
            axes.plot(places, floats(gold.values), color=INK, linewidth=0.9, marker=".", markersize=3, label=name)
        band(axes, places, predicted, f"{shortened(name_of(layer), LETTERS)}, predicted")
        _beside(axes)

    return Panel(TALL * 1.8, draw)


def several_panel(layer: str, predicted: Values, gold: Values | None) -> Panel:
    """Return the panel of the numbers of a whole sequence, each with its interval, over an axis of their own."""
    places = np.arange(1.0, len(predicted.values) + 1)

    def draw(axes: "Axes") -> None:
        found = floats(predicted.values)
        if predicted.low is not None and predicted.high is not None:
            low, high = floats(predicted.low), floats(predicted.high)
            axes.vlines(places, low, high, color=colour_of(0), alpha=0.35, linewidth=5, label=_level(predicted))
        axes.plot(places, found, "o", color=colour_of(0), markersize=4, label="predicted")
        if gold is not None:
            axes.plot(places, floats(gold.values), "x", color=INK, markersize=5, label="gold")
        axes.set(xlabel="number", xlim=(0.5, len(places) + 0.5))
        axes.set_xticks(places[:: -(-len(places) // 20)])
        _name(axes, layer)
        axes.grid(color=GRID, linewidth=0.7)
        _beside(axes)

    return Panel(TALL * 1.3, draw)


def band(axes: "Axes", places: NDArray[np.float64], predicted: Values, name: str) -> None:
    """Draw predicted numbers with their intervals."""
    style = {"marker": ".", "markersize": 3} if len(places) < MIDDLE else {}
    axes.plot(places, floats(predicted.values), color=colour_of(0), linewidth=1.2, label=name, **style)  # type: ignore[arg-type]
    if predicted.low is not None and predicted.high is not None:
        low, high = floats(predicted.low), floats(predicted.high)
        axes.fill_between(places, low, high, color=colour_of(0), alpha=0.25, linewidth=0, label=_level(predicted))


def _level(predicted: Values) -> str:
    return "interval" if predicted.level is None else f"interval of level {predicted.level:g}"


def floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Return numbers as an array; NaN for those that are unknown."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def attention_panel(layer: str, weights: Sequence[float], axis: Axis, *, several: bool) -> Panel:
    """Return the panel of the attention of a label to each step."""

    def draw(axes: "Axes") -> None:
        heights = np.append(weights, weights[-1:])
        axes.fill_between(axis.edges, 0, heights, step="post", color=colour_of(0), linewidth=0)
        axes.set(ylim=(0, max(weights) * 1.05 or 1))
        _name(axes, f"attention of\n{layer}" if several else "attention")

    return Panel(TALL, draw)


def _name(axes: "Axes", name: str) -> None:
    lines = [shortened(name_of(line), LETTERS) for line in name.split("\n")]
    axes.set_ylabel("\n".join(lines), rotation=0, ha="right", va="center")
    axes.set_axisbelow(True)


def _beside(axes: "Axes") -> None:
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.005, 1.02), frameon=False, fontsize=8, borderaxespad=0, handlelength=1.2
    )
