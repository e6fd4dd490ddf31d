"""Heat maps: the transition scores of a CRF, and the probability of each tag at each token of a sentence."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from tagger.errors import ModelError
from tagger.heads.table import heads_of
from tagger.plots.chart import add_axes, new_figure
from tagger.plots.labels import name_of, shortened, visible
from tagger.plots.page import STRONGEST, render_html
from tagger.plots.picture import Picture
from tagger.plots.selection import Given, select_layer, select_sentences
from tagger.text.sentence import Sentence, TagLayer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tagger.tagging import Tagger

CELL_WIDTH, CELL_HEIGHT = 0.36, 0.24  # inches
GAP = 0.6  # inches between two maps, beside the labels of the tags
LETTER = 0.09  # inches, at most, of a letter of a label
LONGEST = 40  # letters of a label; longer ones are shortened
SHOWN = 0.005  # smallest probability that is written into its cell


def transitions(tagger: "Tagger", *, layer: str | None = None) -> Picture:
    """Return the picture of the transition scores of a CRF in nats, with start and end; forbidden ones are crossed out.

    Args:
        tagger: The model.
        layer: The layer of the head; optional if only one has a CRF.

    Raises:
        ModelError: No head has a CRF, or several have and none is named.
    """
    from tagger.nn.heads import TokensHead

    heads = tagger.network.heads.items()
    found = {layer: head.crf for layer, head in heads if isinstance(head, TokensHead) and head.decoder == "crf"}
    hint = 'transitions are learned by a tokens head with decoder = "crf"'
    name = select_layer(layer, list(found), kind="layer with a CRF", error=ModelError, hint=hint)
    crf = found[name]
    scores = [t.detach().cpu().numpy() for t in (crf.start_transitions, crf.transitions, crf.end_transitions)]
    allowed = [t.cpu().numpy() for t in (crf.allowed_start, crf.allowed, crf.allowed_end)]
    tags = [name_of(tag) for tag in tagger.model.vocabulary.labels[name]]
    table = np.where(_framed(*allowed, corner=False), _framed(*scores, corner=0), np.nan)
    title = f"Transitions of {name_of(name)}"
    return Picture(title, figure=lambda: _transitions(table, tags, shortened(title, LONGEST)))


def _framed(start: NDArray[Any], inner: NDArray[Any], end: NDArray[Any], *, corner: float) -> NDArray[Any]:
    """Return the inner table with the start as its first row and the end as its last column."""
    return np.block([[start[None], np.full((1, 1), corner)], [inner, end[:, None]]])


def _transitions(table: NDArray[np.float64], tags: Sequence[str], title: str) -> "Figure":
    bound = float(np.nanmax(np.abs(table), initial=0)) or 1.0
    figure = new_figure(width=CELL_WIDTH * table.shape[1], height=CELL_HEIGHT * table.shape[0])
    axes = draw_map(
        figure, table, 0.0, rows=["(start)", *tags], columns=[*tags, "(end)"], colours="PuOr", low=-bound, high=bound
    )
    crossed = np.argwhere(np.isnan(table))
    axes.plot(crossed[:, 1], crossed[:, 0], "x", color="#8a8f98", markersize=4, markeredgewidth=0.8, gid="forbidden")
    digits = 2 if bound < 1 else 1
    for row, column in np.argwhere(~np.isnan(table)):
        score = table[row, column]
        write_number(axes, row, column, _short(score, digits), strength=abs(score) / bound)
    axes.set_ylabel("from")
    axes.set_xlabel(f"to  ({title}, in nats; × is forbidden)")
    axes.xaxis.set_label_position("top")
    return figure


def marginals(tagger: "Tagger", sentences: Given, *, layer: str | None = None) -> Picture:
    """Return the picture of the probability of each tag at each token, one map per sentence; predictions are framed.

    Args:
        tagger: The model.
        sentences: The sentences or documents to tag.
        layer: The layer of the head; optional if there is only one tokens head.

    Raises:
        ModelError: The model has no tokens head, or several and none is named.
        DataError: No sentence has a token.
    """
    given = select_sentences(sentences)
    names = [name for name, head in heads_of(tagger.model.heads).items() if head.layer_type is TagLayer]
    name = select_layer(layer, names, kind="tag layer", error=ModelError, hint="the model labels whole sentences only")
    tags = tagger.model.vocabulary.labels[name]
    maps = []
    for sentence, predicted in zip(given, tagger.predict(given), strict=True):
        found = predicted.tag_layer(name).tags
        maps.append((sentence, tagger.marginals(sentence)[name].array, [tags.index(tag) for tag in found]))
    columns = [name_of(tag) for tag in tags]
    title = f"Tag probabilities of {name_of(name)}"
    return Picture(
        title, lambda: _marginals_body(maps, columns), lambda: _marginals(maps, columns, shortened(title, LONGEST))
    )


Map = tuple[Sentence, NDArray[np.float32], list[int]]  # probabilities (tokens, tags), and the predicted tag ids


def _marginals_body(maps: Sequence[Map], tags: Sequence[str]) -> Markup:
    """Return tables, because an SVG chart of a long sentence has a megabyte."""
    shown = [shortened(tag, LONGEST) for tag in tags]
    return render_html("marginals", maps=[_rows(*each) for each in maps], tags=shown)


def _rows(sentence: Sentence, array: NDArray[np.float32], best: Sequence[int]) -> list[dict[str, Any]]:
    words = [shortened(visible(token), LONGEST) for token in sentence.tokens]
    rows = zip(words, array.tolist(), best, strict=True)
    return [{"word": word, "cells": _cells(shares, predicted)} for word, shares, predicted in rows]


def _cells(shares: Sequence[float], predicted: int) -> list[dict[str, Any]]:
    return [
        {
            "percent": f"{100 * share:.0f}" if share >= SHOWN else "",
            "opacity": f"{STRONGEST * share:.2f}",
            "best": number == predicted,
        }
        for number, share in enumerate(shares)
    ]


def _marginals(maps: Sequence[Map], tags: Sequence[str], title: str) -> "Figure":
    from matplotlib.patches import Rectangle

    heights = [CELL_HEIGHT * len(sentence) for sentence, *_ in maps]
    gap = GAP + LETTER * min(max(map(len, tags)), LONGEST)
    figure = new_figure(width=CELL_WIDTH * len(tags), height=sum(heights) + gap * (len(maps) - 1))
    top = 0.0
    for (sentence, array, best), height in zip(maps, heights, strict=True):
        words = [visible(token) for token in sentence.tokens]
        axes = draw_map(figure, array, top, rows=words, columns=tags, colours="Blues", low=0.0, high=1.0)
        for row, column in np.argwhere(array >= SHOWN):
            write_number(axes, row, column, f"{100 * array[row, column]:.0f}", strength=array[row, column])
        for row, column in enumerate(best):
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=1.4, clip_on=False
                )
            )
        axes.set_xlabel(f"{title}, in percent; the predicted tag is framed")
        top += height + gap
    return figure


def draw_map(
    figure: "Figure",
    table: NDArray[np.floating],
    top: float,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    colours: str,
    low: float,
    high: float,
) -> "Axes":
    """Draw a heat map with cells of a fixed size, row names on the left and column names on top."""
    size = {"width": CELL_WIDTH * len(columns), "height": CELL_HEIGHT * len(rows)}
    axes = add_axes(figure, left=0, top=top, **size)
    axes.pcolormesh(
        np.arange(len(columns) + 1) - 0.5,
        np.arange(len(rows) + 1) - 0.5,
        np.ma.masked_invalid(table),
        cmap=colours,
        vmin=low,
        vmax=high,
        edgecolors="#d5d8dd",
        linewidth=0.4,
    )
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), [shortened(name, LONGEST) for name in columns], rotation=90)
    axes.set_yticks(range(len(rows)), [shortened(name, LONGEST) for name in rows])
    axes.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    return axes


def _short(score: float, digits: int) -> str:
    """Return a score in at most four characters if it is below 1000; adding 0.0 turns -0.0 into 0.0."""
    return f"{round(score, digits) + 0.0:.{digits}f}" if abs(score) < 9.95 else f"{score:.0f}"


def write_number(axes: "Axes", row: int, column: int, text: str, *, strength: float) -> None:
    """Write a number into a cell, in white where the cell is dark."""
    axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if strength > 0.6 else "#1b1d21")
