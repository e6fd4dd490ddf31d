"""The wrong tags of tokens and the wrong labels of sentences; `confusion.py` says what is confused with what."""

from collections.abc import Iterator, Sequence

from tagger.analysis.listing import Mention, Mistake, brief_lines, entries, listed, surest_first
from tagger.metrics.layer import ClassLayer, TokenLayer
from tagger.metrics.section import Section
from tagger.wording import counted

SURE = " Those of which the model was surest come first."


def tag_errors(layer: TokenLayer) -> Section:
    """Return the tokens with a wrong tag, counted and in context."""
    return _section(layer, "token", wrong_tags(layer))


def class_errors(layer: ClassLayer) -> Section:
    """Return the sentences with a wrong label, counted and in full."""
    return _section(layer, "sentence", wrong_classes(layer))


def wrong_tags(layer: TokenLayer) -> list[Mistake]:
    """Return the tokens with a wrong tag, those of which the model was surest first."""
    return surest_first(mistake for number in range(len(layer.gold)) for mistake in _of_sentence(layer, number))


def _of_sentence(layer: TokenLayer, number: int) -> Iterator[Mistake]:
    sentence, scores = layer.gold[number], layer.predicted[number].tag_scores(layer.name)
    known = [i for i, tag in enumerate(sentence.tags(layer.name)) if tag is not None]
    for i, (gold, predicted) in zip(known, layer.pairs[number], strict=True):
        if gold != predicted:
            wanted, found = (Mention(tag, *sentence.offsets[i]) for tag in (gold, predicted))
            yield Mistake("wrong tag", number, (wanted,), (found,), scores[i] if scores is not None else None)


def wrong_classes(layer: ClassLayer) -> list[Mistake]:
    """Return the sentences with a wrong label, those of which the model was surest first."""
    return surest_first(_wrong_classes(layer))


def _wrong_classes(layer: ClassLayer) -> Iterator[Mistake]:
    for number, (gold, predicted) in enumerate(layer.pairs):
        if gold != predicted:
            offsets = layer.gold[number].offsets or ((0, len(layer.gold[number].text)),)
            wanted, found = (Mention(label, offsets[0][0], offsets[-1][1]) for label in (gold, predicted))
            score = layer.predicted[number].label(layer.name).score
            yield Mistake("wrong label", number, (wanted,), (found,), score)


def _section(layer: TokenLayer | ClassLayer, noun: str, mistakes: Sequence[Mistake]) -> Section:
    right, total = layer.counts.sum(0).tolist()
    found = entries(layer, mistakes)
    sure = any(mistake.probability is not None for mistake in mistakes)
    first = f"{len(mistakes)} of {counted(total, noun)} wrong" if total else f"no {noun} to compare"
    return Section(
        key="errors",
        title="Mistakes",
        note=f"Each {noun} whose prediction differs from gold.{SURE if sure else ''}",
        data={f"{noun}s": total, "right": right, "list": found},
        brief=(first, *brief_lines(found)),
        tables=(listed(found),),
    )
