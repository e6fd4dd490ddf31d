"""A sequence of numbers or symbols with what a model finds in it, gold beside predictions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tagger.errors import ModelError
from tagger.plots.chart import add_axes, new_figure
from tagger.plots.labels import name_of, shortened
from tagger.plots.picture import Picture
from tagger.plots.selection import Given, select_sentences
from tagger.plots.sequences.axis import Axis, axis_of, positions
from tagger.plots.sequences.colours import FAINT, looks_of
from tagger.plots.sequences.contents import Contents, Track, contents_of
from tagger.plots.sequences.panels import (
    FEW,
    Alarm,
    Panel,
    attention_panel,
    forecast_panel,
    number_panels,
    several_panel,
    shares_panel,
    strips_panel,
    values_panel,
)
from tagger.plots.sequences.symbols import Rows
from tagger.text.frames import Frames
from tagger.text.sentence import Label, Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tagger.tagging import Tagger

WIDTH = 8.4  # inches of the steps
GAP, BELOW, APART = 0.12, 0.45, 0.35  # inches between panels, for the axis, and between sequences
LINE = 0.2  # inches of a line of text
OTHERS = 2  # classes beside the predicted one
LONGEST = 60  # letters of a name in a heading


def sequence(
    tagger: "Tagger", sentences: Given, *, layer: str | None = None, alarm: str | None = None, threshold: float = 0.5
) -> Picture:
    """Return the picture of sequences of numbers or symbols with what a model finds in them.

    Numbers are curves over time, or a heat map if each step has more than six. Symbols are rows of letters. Tags are
    coloured runs with their probabilities, numbers curves with their intervals, forecasts go on behind the last step,
    and labels have their probabilities and the attention to each step. Gold is beside each prediction where the
    sentences have it. Windows of one series that follow each other are drawn as one.

    Args:
        tagger: The model, which tags the sentences.
        sentences: The sequences, with gold layers if there are any; layers with probabilities are no gold.
        layer: The layer to draw. Default: all of the model.
        alarm: A tag, or a type of entities, that is an alarm where its probability is at least `threshold`.
        threshold: The probability of an alarm, from 0 to 1.

    Raises:
        ModelError: The model has no such layer, or no layer with such a tag.
        DataError: No sentence has a token.
        ValueError: The threshold is not from 0 to 1.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a probability from 0 to 1, got {threshold}")
    given = select_sentences(sentences)
    heads = tagger.model.heads
    if layer is not None and layer not in heads:
        names = ", ".join(f"`{name_of(name)}`" for name in heads)
        raise ModelError(f"`{name_of(layer)}` is not a layer of the model; choose {names}")
    found = contents_of(tagger, given, tuple(heads) if layer is None else (layer,))
    alarms = Alarm(alarm, threshold) if alarm is not None else None
    if alarms is not None:
        _check_alarm(alarms, found)
    steps = Steps.of(tagger)
    charts = [Chart(each, alarms, steps) for each in found]
    number = f"{len(charts)} sequences" if len(charts) > 1 else shortened(name_of(found[0].name), LONGEST)
    return Picture(f"Predictions for {number}", figure=lambda: _figure(charts))


def _check_alarm(alarm: Alarm, found: Sequence[Contents]) -> None:
    types = list(dict.fromkeys(type_ for track in found[0].tracks for type_ in track.types))
    if alarm.type not in types:
        names = ", ".join(f"`{name_of(type_)}`" for type_ in types) or "none, because it has no layer of tags"
        raise ModelError(
            f"alarm (--alarm) must be a tag of the model, got `{name_of(alarm.type)}`; its tags are {names}"
        )


class Steps(NamedTuple):
    """What training says about steps.

    Args:
        seconds: Whether their names are seconds.
        ahead: How many of them a forecast has; None if there is none.
        phases: Numbers that say where in a day, week or year they are, which are not drawn.
    """

    seconds: bool
    ahead: int | None
    phases: frozenset[str]

    @classmethod
    def of(cls, tagger: "Tagger") -> "Steps":
        """Return the steps of a model."""
        reading = list(tagger.model.config.reading.values())
        series = [each.frames for each in reading if each.frames is not None]
        ahead = {each.ahead for each in series}
        cycles = {cycle for each in series for cycle in each.cycles}
        return cls(
            seconds=bool(reading) and all(each.format == "wav" for each in reading),
            ahead=ahead.pop() if len(ahead) == 1 else None,
            phases=frozenset(f"{part} of {cycle}" for part in ("sine", "cosine") for cycle in cycles),
        )


def _without(frames: Frames, names: Collection[str]) -> Frames:
    """Return frames without some of their numbers, unless these are all."""
    kept = [i for i, name in enumerate(frames.names) if name not in names]
    if not kept:
        return frames
    return Frames(frames.values[:, kept], tuple(frames.names[i] for i in kept))


class Chart:
    """The picture of one sequence.

    Args:
        contents: What it shows.
        alarm: The tag that is an alarm; None to draw all.
        steps: What training says about its steps.
    """

    def __init__(self, contents: Contents, alarm: Alarm | None, steps: Steps) -> None:
        self.contents, self.alarm, self.steps = contents, alarm, steps
        self.frames = None if contents.frames is None else _without(contents.frames, steps.phases)
        axis = axis_of(contents.tokens, seconds=steps.seconds)
        self.axis = positions(len(contents)) if contents.frames is None else axis
        self.looks = {track.layer: looks_of(track.shown) for track in contents.tracks}
        self.rows = Rows(contents, self.looks, WIDTH) if contents.frames is None else None
        self.panels = list(self._panels())
        self.apart = list(self._apart())

    @property
    def height(self) -> float:
        """Its height in inches."""
        lines = LINE * (1 + len(self._notes()))
        rows = self.rows.height + GAP * 2 if self.rows else 0.0
        panels = sum(panel.height + GAP for panel in self.panels) + (BELOW if self.panels else 0.0)
        return lines + rows + panels + sum(panel.height + BELOW for panel in self.apart)

    def draw(self, figure: "Figure", top: float) -> None:
        """Draw it below a place of the figure, in inches."""
        top = self._heading(figure, top)
        if self.rows:
            self.rows.draw(figure, 0.0, top)
            top += self.rows.height + GAP * 2
        ends, width = (self.axis.edges[0], self.end), WIDTH
        if self.rows and self.rows.is_single:  # panels are exactly below the letters
            ends, width = (ends[0], ends[0] + self.rows.cells), self.rows.width
        for number, panel in enumerate(self.panels, 1):
            axes = add_axes(figure, left=0.0, top=top, width=width, height=panel.height)
            panel.draw(axes)
            axes.set_xlim(*ends)
            _time(axes, self.axis, last=number == len(self.panels))
            top += panel.height + GAP
        top += BELOW if self.panels else 0.0
        for panel in self.apart:
            panel.draw(add_axes(figure, left=0.0, top=top, width=WIDTH, height=panel.height))
            top += panel.height + BELOW

    def _heading(self, figure: "Figure", top: float) -> float:
        """Write the name and the notes, and return where they end."""
        axes = add_axes(figure, left=0.0, top=top, width=1.0, height=LINE)  # text goes on right of it
        axes.set_axis_off()
        name = shortened(name_of(self.contents.name), LONGEST)
        axes.text(0, 0.5, name, fontsize=10, fontweight="bold", va="center")
        for number, note in enumerate(self._notes(), 1):
            axes.text(0, 0.5 - number, note, va="center", color=FAINT)
        return top + LINE * (1 + len(self._notes()))

    def _notes(self) -> list[str]:
        tracks = [self._agreement(track) for track in self.contents.tracks if track.gold is not None]
        return [*(_said(*item) for item in self.contents.labels.items()), *tracks]

    def _agreement(self, track: Track) -> str:
        right, known = track.agreement()
        share = f" ({right / known:.0%})" if known else ""
        steps = "symbols" if self.rows else "steps"
        layer = shortened(name_of(track.layer), LONGEST)
        return f"{layer}: gold and predicted tags agree at {right} of {known} {steps}{share}"

    @property
    def end(self) -> float:
        """Where the axis ends: behind the last step, or behind the forecast."""
        steps = [len(found.values) for found, _ in self._forecasts().values()]
        return float(self.axis.behind(max(steps))[-1] + self.axis.step / 2) if steps else float(self.axis.edges[-1])

    def _forecasts(self) -> Mapping[str, tuple[Values, Values | None]]:
        if self.frames is None or self.frames.values.shape[1] > FEW:
            return {}
        values, ahead = self.contents.values, self.steps.ahead
        return {n: pair for n, pair in values.items() if pair[0].whole and len(pair[0].values) == ahead}

    def _panels(self) -> Iterator[Panel]:
        """Yield the panels over the steps, from above."""
        contents, axis = self.contents, self.axis
        if self.frames is not None:
            forecasts = [forecast_panel(name, *pair, axis) for name, pair in self._forecasts().items()]
            yield from number_panels(self.frames, axis, forecasts)
        several = len(contents.tracks) > 1
        for track in contents.tracks:
            looks = self.looks[track.layer]
            alarm = self.alarm if self.alarm is not None and self.alarm.type in track.types else None
            if self.rows is None:
                yield strips_panel(track, looks, axis, alarm, several=several)
            yield shares_panel(track, looks, axis, alarm, several=several)
        for name, pair in contents.values.items():
            if not pair[0].whole:
                yield values_panel(name, *pair, axis)
        for name, (label, _) in contents.labels.items():
            if label.attention is not None and len(label.attention) == len(contents):
                yield attention_panel(name, label.attention, axis, several=len(contents.labels) > 1)

    def _apart(self) -> Iterator[Panel]:
        """Yield the panels with axes of their own: numbers of the whole sequence that are no forecast."""
        for name, pair in self.contents.values.items():
            if pair[0].whole and name not in self._forecasts():
                yield several_panel(name, *pair)


def _said(layer: str, pair: tuple[Label, Label | None]) -> str:
    """Return a label in words, with the probability of the next two classes."""
    label, gold = pair
    others = sorted((label.scores or {}).items(), key=lambda item: -item[1])
    rest = [f"{shortened(name_of(name), LONGEST)} {score:.2f}" for name, score in others if name != label.value][
        :OTHERS
    ]
    said = f"{shortened(name_of(layer), LONGEST)}: {shortened(name_of(label.value), LONGEST)}"
    said += "" if label.score is None else f" {label.score:.2f}"
    said += f" (then {', '.join(rest)})" if rest else ""
    return said + ("" if gold is None else f"; gold {shortened(name_of(gold.value), LONGEST)}")


def _time(axes: "Axes", axis: Axis, *, last: bool) -> None:
    """Draw the horizontal axis; only the last panel names it."""
    if axis.is_date:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.tick_params(labelbottom=last)
    if last:
        axes.set_xlabel(axis.name)


def _figure(charts: Sequence[Chart]) -> "Figure":
    heights = [chart.height for chart in charts]
    figure, top = new_figure(width=WIDTH, height=sum(heights) + APART * (len(charts) - 1)), 0.0
    for chart, height in zip(charts, heights, strict=True):
        chart.draw(figure, top)
        top += height + APART
    return figure
