"""Attention weights of a sentence head and its prediction: as coloured words (HTML) or as bars (SVG, PNG)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tagger.errors import DataError
from tagger.plots.chart import add_axes, new_figure
from tagger.plots.labels import LINE_ENDS, name_of, percent, shortened, visible
from tagger.plots.page import STRONGEST, render_html
from tagger.plots.picture import Picture
from tagger.plots.selection import Given, select_layer, select_sentences
from tagger.text.sentence import Label, Sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OTHERS = 2  # number of classes shown beside the predicted one
ROW, BAR, GAP = 0.22, 4.0, 0.75  # inches: height of a bar, width of the axis, gap between two sentences


def attention(sentences: Given, *, layer: str | None = None) -> Picture:
    """Return the picture of the weights that a sentence head with attention gave to the words of tagged sentences.

    Args:
        sentences: What a method of `Tagger` returned.
        layer: The layer of the head; optional if only one has attention.

    Raises:
        DataError: No sentence has a token, no layer has attention, or several have and none is named.
    """
    given = select_sentences(sentences)
    names = [n for n, value in given[0].layers.items() if isinstance(value, Label) and value.attention is not None]
    hint = 'tag with a model whose sentence head has pooling = "attention"'
    name = select_layer(layer, names, kind="sentence layer with attention", error=DataError, hint=hint)
    pairs = [(sentence, _weights(sentence, name)) for sentence in given]
    title = f"Attention of {name_of(name)}"
    return Picture(title, lambda: _body(pairs, name), lambda: _figure(pairs, name))


def _weights(sentence: Sentence, layer: str) -> tuple[float, ...]:
    weights = sentence.label(layer).attention
    if weights is None or len(weights) != len(sentence):
        got = "none" if weights is None else f"{len(weights)}"
        raise DataError(f"`{name_of(layer)}` must have one weight per token, {len(sentence)} in all, got {got}")
    return weights


def _body(pairs: Sequence[tuple[Sentence, tuple[float, ...]]], layer: str) -> Markup:
    return render_html("attention", sentences=[_article(sentence, weights, layer) for sentence, weights in pairs])


def _article(sentence: Sentence, weights: Sequence[float], layer: str) -> dict[str, Any]:
    label = sentence.label(layer)
    return {
        "value": name_of(label.value),
        "score": "" if label.score is None else f" {label.score:.2f}",
        "rest": " · ".join(_others(label)),
        "words": list(_words(sentence, weights)),
    }


def _others(label: Label) -> list[str]:
    """Return the most probable classes that were not predicted, with their probabilities."""
    scores = {name: score for name, score in (label.scores or {}).items() if name != label.value}
    first = sorted(scores, key=lambda name: -scores[name])[:OTHERS]
    return [f"{name_of(name)} {scores[name]:.2f}" for name in first]


def _words(sentence: Sentence, weights: Sequence[float]) -> Iterator[dict[str, str]]:
    """Yield each token with the opacity of its colour, and the text between it and the token before it."""
    position, largest = sentence.offsets[0][0], max(weights) or 1.0
    for (start, end), weight in zip(sentence.offsets, weights, strict=True):
        yield {
            "before": visible(sentence.text[position:start], keep=LINE_ENDS),
            "text": visible(sentence.text[start:end]),
            "opacity": f"{STRONGEST * weight / largest:.3f}",
            "weight": f"{weight:.4f}",
            "percent": percent(weight),
        }
        position = end


def _figure(pairs: Sequence[tuple[Sentence, tuple[float, ...]]], layer: str) -> "Figure":
    heights = [ROW * len(sentence) for sentence, _ in pairs]
    figure = new_figure(width=BAR, height=sum(heights) + GAP * (len(pairs) - 1))
    top = 0.0
    for (sentence, weights), height in zip(pairs, heights, strict=True):
        axes = add_axes(figure, left=0, top=top, width=BAR, height=height)
        rows = range(len(sentence))
        axes.barh(rows, weights, height=0.75, color="#0072B2")
        axes.set_yticks(rows, [shortened(visible(word), 40) for word in sentence.tokens])
        axes.set(ylim=(len(sentence) - 0.5, -0.5), xlim=(0, max(weights) * 1.15 or 1))
        axes.set_xticks([])
        axes.tick_params(left=False)
        axes.spines["bottom"].set_visible(False)
        for row, weight in enumerate(weights):
            axes.annotate(f"{weight:.1%}", (weight, row), (3, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_title(_headline(sentence.label(layer), layer), loc="left", fontsize=10, fontweight="bold")
        top += height + GAP
    return figure


def _headline(label: Label, layer: str) -> str:
    score = "" if label.score is None else f" {label.score:.2f}"
    return f"{shortened(name_of(layer), 40)}: {shortened(name_of(label.value), 40)}{score}"
