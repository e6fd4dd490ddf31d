"""Layers of small sentences, written as tags, for the tests of what is computed from them."""

from collections.abc import Sequence

from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, TokenLayer
from tagger.text.schemes import Boundary, tags_to_spans
from tagger.text.sentence import Label, Origin, Sentence, TagLayer, Unaligned

Spans = Sequence[tuple[Boundary, float]]


def words(number: int) -> list[str]:
    return [f"w{i}" for i in range(number)]


def entity_layer(
    *pairs: tuple[str, str],
    probabilities: Sequence[Sequence[float] | None] = (),
    tag_scores: Sequence[Sequence[float] | None] = (),
    tokens: Sequence[str] = (),
    types: tuple[str, ...] | None = None,
    unaligned: Sequence[Unaligned] = (),
    predicted_unaligned: Sequence[Unaligned] = (),
) -> EntityLayer:
    """Sentences of gold and predicted IOB2 tags, separated by blanks; `?` is an unknown gold tag.

    Args:
        pairs: The tags of each sentence.
        probabilities: Those of the predicted entities of each sentence.
        tag_scores: The probabilities of the predicted tags of each sentence.
        tokens: The text of each sentence; default: `w0 w1 ...`.
        types: The types that gold annotates.
        unaligned: What tags cannot express, in the first sentence.
        predicted_unaligned: The same of the prediction.
    """
    gold, predicted = [], []
    for i, (left, right) in enumerate(pairs):
        text = tokens[i].split() if i < len(tokens) else words(len(left.split()))
        wanted = tuple([None if tag == "?" else tag for tag in left.split()])
        sure, scores = (values[i] if i < len(values) else None for values in (probabilities, tag_scores))
        spans = None if sure is None else tuple(zip(tags_to_spans(right.split(), "iob2"), sure, strict=True))
        given = TagLayer(wanted, "iob2", "iob2", unaligned=tuple(unaligned) if i == 0 else (), types=types)
        found = TagLayer(
            tuple(right.split()),
            "iob2",
            "iob2",
            scores and tuple(scores),
            scored_spans=spans,
            unaligned=tuple(predicted_unaligned) if i == 0 else (),
        )
        origin = Origin("gold.conll", range(10 * i + 1, 10 * i + 1 + len(text)))
        gold.append(Sentence.from_tokens(text, {"ner": given}, origin=origin))
        predicted.append(Sentence.from_tokens(text, {"ner": found}))
    return EntityLayer("ner", tuple(gold), tuple(predicted), "iob2")


def token_layer(
    *pairs: tuple[str, str], scores: Sequence[Sequence[float]] = (), tokens: Sequence[str] = ()
) -> TokenLayer:
    """Sentences of gold and predicted tags, separated by blanks; `?` is an unknown gold tag."""
    gold, predicted = [], []
    for i, (left, right) in enumerate(pairs):
        text = tokens[i].split() if i < len(tokens) else words(len(left.split()))
        wanted = TagLayer(tuple([None if tag == "?" else tag for tag in left.split()]))
        found = TagLayer(tuple(right.split()), scores=tuple(scores[i]) if scores else None)
        gold.append(Sentence.from_tokens(text, {"upos": wanted}))
        predicted.append(Sentence.from_tokens(text, {"upos": found}))
    return TokenLayer("upos", tuple(gold), tuple(predicted))


def class_layer(*pairs: tuple[str, str], scores: Sequence[float] = ()) -> ClassLayer:
    """Sentences of one gold and one predicted label each."""
    texts = [f"text {i}".split() for i in range(len(pairs))]
    gold = [Sentence.from_tokens(text, {"class": Label(g)}) for text, (g, _) in zip(texts, pairs, strict=True)]
    labels = [Label(p, scores[i] if scores else None) for i, (_, p) in enumerate(pairs)]
    predicted = [Sentence.from_tokens(text, {"class": label}) for text, label in zip(texts, labels, strict=True)]
    return ClassLayer("class", tuple(gold), tuple(predicted))
