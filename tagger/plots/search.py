"""The trials of a search: their dev scores in order, with the best so far, and the importance of each value."""

from typing import TYPE_CHECKING

from tagger.errors import DataError
from tagger.pages.palette import colour_of
from tagger.plots.chart import add_axes, new_figure
from tagger.plots.labels import name_of, shortened
from tagger.plots.picture import Picture
from tagger.reporting.trials import TrialGroup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, ROW, GAP = 6.0, 2.8, 0.28, 0.9  # inches
MARKS = {"finished": "o", "pruned": "x"}


def trials(group: TrialGroup) -> Picture:
    """Return the dev scores of the trials of `tagger.tune`, and how much each value matters if that is known.

    Raises:
        DataError: No trial has a score.
    """
    if not group.ranked:
        raise DataError("expected a search with at least one trial that has a score, got none")
    return Picture(f"Search: {name_of(group.name)}", figure=lambda: _figure(group))


def _figure(group: TrialGroup) -> "Figure":
    below = len(group.importance) * ROW
    figure = new_figure(width=WIDTH, height=HEIGHT + (GAP + below if below else 0))
    _scores(add_axes(figure, left=0, top=0, width=WIDTH, height=HEIGHT), group)
    if below:
        _importance(add_axes(figure, left=0, top=HEIGHT + GAP, width=WIDTH, height=below), group)
    return figure


def _scores(axes: "Axes", group: TrialGroup) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, (state, mark) in enumerate(MARKS.items()):
        found = [(trial.number, trial.score) for trial in group.ranked if trial.state == state]
        if found:
            axes.plot(*zip(*found, strict=True), mark, color=colour_of(number), label=state, markersize=5)
    best, steps = 0.0, []
    for trial in group.trials:
        if trial.state == "finished" and trial.score is not None:
            best = max(best, trial.score)
            steps.append((trial.number, best))
    if steps:
        axes.step(*zip(*steps, strict=True), where="post", color=colour_of(0), linewidth=1, label="best so far")
    axes.set(xlabel="trial", ylabel="dev score")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_title(f"dev score of each trial, {shortened(name_of(group.name), 40)}", loc="left", fontsize=10)
    axes.grid(color="#e4e6ea", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(loc="lower right", fontsize=8)


def _importance(axes: "Axes", group: TrialGroup) -> None:
    names = [shortened(name_of(name), 40) for name in group.importance]
    shares = list(group.importance.values())
    axes.barh(range(len(names)), shares, color=colour_of(0), height=0.6)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="share of the variance of dev scores", xlim=(0, 1))
    axes.set_title("importance of each value", loc="left", fontsize=10)
