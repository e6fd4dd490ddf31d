"""What a sentence head attends to: the words as coloured text (HTML) and as bars (SVG, PNG), with what it predicts."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from tagger.errors import DataError
from tagger.plots.chart import add_axes, new_figure
from tagger.plots.picture import Picture
from tagger.plots.showing import LINE_ENDS, name_of, one_layer, percent, sentences_of, shortened, visible
from tagger.text.sentence import Label, Sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STRONGEST = 0.85  # opacity of the colour of the largest weight
OTHERS = 2  # classes that are named beside the predicted one
ROW, BAR, GAP = 0.22, 4.0, 0.75  # inches: height of a bar, width of the axis, between two sentences
WORD = Markup('<span class="word" style="--w: {opacity:.3f}" title="{weight:.4f}" data-weight="{shown}">{word}</span>')
ARTICLE = Markup("""<article>
<h2><bdi>{value}</bdi>{score} <span class="rest">{rest}</span></h2>
<p class="text weighted" dir="auto">{words}</p>
</article>
""")
NOTE = Markup("""<p class="note">Under each word stands its weight; the weights of a sentence sum to 1. The colour is
strongest at the largest weight of its sentence.</p>
""")


def attention(sentences: Sentence | Iterable[Sentence], *, layer: str | None = None) -> Picture:
    """The picture of the weights that a sentence head with attention gave to the words of tagged sentences.

    Args:
        sentences: What `Tagger.tag` or `Tagger.stream` gives.
        layer: The layer of the head; not needed where only one has attention.

    Raises:
        DataError: There is no sentence with a token, or no layer with attention, or several and none is named.
    """
    given = sentences_of(sentences)
    names = [n for n, value in given[0].layers.items() if isinstance(value, Label) and value.attention is not None]
    hint = 'tag with a model whose sentence head has pooling = "attention"'
    name = one_layer(layer, names, kind="sentence layer with attention", error=DataError, hint=hint)
    pairs = [(sentence, _weights(sentence, name)) for sentence in given]
    title = f"Attention of {name_of(name)}"
    return Picture(title, lambda: _body(pairs, name), lambda: _figure(pairs, name))


def _weights(sentence: Sentence, layer: str) -> tuple[float, ...]:
    weights = sentence.label(layer).attention
    if weights is None or len(weights) != len(sentence):
        got = "none" if weights is None else f"{len(weights)}"
        raise DataError(f"`{name_of(layer)}` must have a weight for each of {len(sentence)} tokens, got {got}")
    return weights


def _body(pairs: Sequence[tuple[Sentence, tuple[float, ...]]], layer: str) -> Markup:
    return NOTE + Markup("").join(_article(sentence, weights, layer) for sentence, weights in pairs)


def _article(sentence: Sentence, weights: Sequence[float], layer: str) -> Markup:
    label = sentence.label(layer)
    score = "" if label.score is None else f" {label.score:.2f}"
    rest = " · ".join(_others(label))
    return ARTICLE.format(value=name_of(label.value), score=score, rest=rest, words=_words(sentence, weights))


def _others(label: Label) -> list[str]:
    """The most probable of the classes that were not predicted, with their probability."""
    scores = {name: score for name, score in (label.scores or {}).items() if name != label.value}
    first = sorted(scores, key=lambda name: -scores[name])[:OTHERS]
    return [f"{name_of(name)} {scores[name]:.2f}" for name in first]


def _words(sentence: Sentence, weights: Sequence[float]) -> Markup:
    """The text of the sentence with each token in its colour; what stands between tokens stays."""
    parts, position, largest = [], sentence.offsets[0][0], max(weights) or 1.0
    for (start, end), weight in zip(sentence.offsets, weights, strict=True):
        parts.append(Markup.escape(visible(sentence.text[position:start], keep=LINE_ENDS)))
        word = visible(sentence.text[start:end])
        opacity = STRONGEST * weight / largest
        parts.append(WORD.format(opacity=opacity, weight=weight, word=word, shown=percent(weight)))
        position = end
    return Markup("").join(parts)


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
