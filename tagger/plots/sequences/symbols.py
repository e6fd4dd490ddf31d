"""Sequences of symbols, such as proteins and DNA: rows of letters with coloured runs of tags below them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tagger.plots.chart import add_axes
from tagger.plots.labels import name_of, shortened, visible
from tagger.plots.sequences.colours import FAINT, INK, Look, is_plain
from tagger.plots.sequences.contents import Contents, Run, Track
from tagger.plots.sequences.panels import LETTERS, face, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELLS = 60  # letters in a row
LONGEST = 12  # letters of a token; longer ones are shortened
LETTER = 0.085  # inches, at most, of a letter of the name of a run
LINE, GAP = 0.2, 0.16  # inches: height of the letters and of each strip, and what is between two rows
BESIDE = 0.85  # inches of the legend of a layer


class Rows:
    """The rows of a sequence.

    Args:
        contents: The sequence.
        looks: The look of each tag, by layer.
        width: The width of a whole row in inches; a short sequence needs less.
    """

    def __init__(self, contents: Contents, looks: Mapping[str, Mapping[str, Look]], width: float) -> None:
        self.tokens = [shortened(visible(token), LONGEST) for token in contents.tokens]
        self.tracks, self.looks = contents.tracks, looks
        longest = max(map(len, self.tokens))
        cells = max(CELLS // longest, 1)
        most = cells - cells % 10 if cells > 10 else cells
        self.cells = min(most, max(len(self.tokens), most // 3))  # in a row
        self.width = width * self.cells / most
        self.strips = [(track, name) for track in self.tracks for name in ("predicted", "gold") if _has(track, name)]

    @property
    def height(self) -> float:
        """The height of all rows in inches."""
        return self._row * -(-len(self.tokens) // self.cells) - GAP

    @property
    def _row(self) -> float:
        return LINE * (1 + len(self.strips)) + GAP

    @property
    def is_single(self) -> bool:
        """Whether there is one row, over the positions of which panels can be drawn."""
        return len(self.tokens) <= self.cells

    def draw(self, figure: "Figure", left: float, top: float) -> None:
        """Draw all rows on one axis, whose units are letters and inches."""
        axes = add_axes(figure, left=left, top=top, width=self.width, height=self.height)
        axes.set(xlim=(0, self.cells), ylim=(self.height, 0))
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        ticks: dict[float, str] = {}
        for start in range(0, len(self.tokens), self.cells):
            above = start // self.cells * self._row
            end = min(start + self.cells, len(self.tokens))
            ticks[above + LINE / 2] = str(start + 1)
            self._letters(axes, start, end, above + LINE / 2)
            for number, (track, name) in enumerate(self.strips, 1):
                middle = above + LINE * (number + 0.5)
                layer = f"{shortened(name_of(track.layer), LETTERS)}, " if len(self.tracks) > 1 else ""
                ticks[middle] = f"{layer}{name}"
                for run in (track.predicted if name == "predicted" else track.gold) or ():
                    self._run(axes, run, start, end, middle, self.looks[track.layer][run.type])
        axes.set_yticks(list(ticks), list(ticks.values()), color=FAINT)
        axes.tick_params(left=False)
        self._legends(figure, left, top)

    def _letters(self, axes: "Axes", start: int, end: int, middle: float) -> None:
        for place, token in enumerate(self.tokens[start:end]):
            axes.text(place + 0.5, middle, token, ha="center", va="center", family="monospace", color=INK)

    def _run(self, axes: "Axes", run: Run, start: int, end: int, middle: float, look: Look) -> None:
        """Draw the part of a run that is in a row, with its name if there is room."""
        first, last = max(run.start, start) - start, min(run.end, end) - start
        if first >= last:
            return
        axes.barh(middle, last - first, left=first, height=LINE * 0.84, linewidth=0, **face(look))
        name, room = visible(run.type), (last - first) * self.width / self.cells
        if len(name) * LETTER <= room and not look.hatch and not is_plain(run.type):
            axes.text((first + last) / 2, middle, name, ha="center", va="center", fontsize=7, color=look.ink)

    def _legends(self, figure: "Figure", left: float, top: float) -> None:
        """Name the colours of each layer right of the rows."""
        for number, track in enumerate(self.tracks):
            place = top + number * BESIDE
            axes = add_axes(figure, left=left, top=place, width=self.width, height=0.2)
            axes.set_axis_off()
            legend(axes, track, self.looks[track.layer])


def _has(track: Track, name: str) -> bool:
    return name == "predicted" or track.gold is not None
