"""Predicted sentences on the tokens and sentences of gold.

Sentences with the tokens of gold keep their layers as they are, with invalid tags and all probabilities. The others are
carried over by `transfer.py`. Whatever had to be carried over or does not fit is counted and noted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tagger.alignment.blocks import Block, blocks, in_order_of
from tagger.alignment.differences import first_difference
from tagger.alignment.transfer import Text, carried_layers
from tagger.text.sentence import Layer, Sentence, TagLayer
from tagger.wording import counted


@dataclass(frozen=True, slots=True)
class Aligned:
    """Predicted sentences with the tokens of gold, and notes on what had to be carried over."""

    sentences: tuple[Sentence, ...]
    notes: tuple[str, ...]


def aligned(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> Aligned:
    """Return the predicted layers on the sentences of gold.

    Args:
        gold: The gold sentences.
        predicted: Sentences of the same text, with predicted layers; tokens, sentence boundaries and the order of named
            documents may differ.

    Raises:
        DataError: The texts differ; names the first difference. Or a label belongs to a sentence that gold divides.
    """
    counts: Counter[str] = Counter()
    if (ordered := in_order_of(gold, predicted)) is not None:
        predicted = ordered
        counts["ordered"] = 1
    found: list[Sentence] = []
    done = (0, 0)
    for block in blocks(gold, predicted):
        found += _carried(gold, predicted, block, counts)
        done = (block.gold[1], block.predicted[1])
    if done != (len(gold), len(predicted)):
        raise first_difference(gold, predicted, done)
    return Aligned(tuple(found), tuple(_notes(counts)))


def _notes(counts: Counter[str]) -> Iterator[str]:
    if counts["ordered"]:
        yield "the documents of the prediction are in another order and were matched by name"
    if number := counts["divided"]:
        yield f"{counted(number, 'sentence')} of gold: the prediction has other boundaries; those of gold count"
    if number := counts["tokens"]:
        yield (
            f"{counted(number, 'sentence')} of gold: the prediction has other tokens; its entities are placed by their "
            "characters"
        )
    if number := counts["invalid"]:
        yield (
            f"{counted(number, 'predicted sequence')} with other tokens or boundaries than gold: of its invalid tags "
            "only the valid entities are placed"
        )
    if number := counts["unfit"]:
        yield (
            f"{number} predicted {'entity' if number == 1 else 'entities'} that the tokens or sentences of gold cannot "
            "express: counted as predicted, and wrong unless gold has the same characters"
        )
    if number := counts["absent"]:
        yield f"{counted(number, 'token')} of gold that the prediction does not have: their tags count as wrong"


def _carried(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], block: Block, counts: Counter[str]
) -> Iterator[Sentence]:
    """Yield the gold sentences of a block with the predicted layers."""
    ours, theirs = gold[slice(*block.gold)], predicted[slice(*block.predicted)]
    same = len(ours) == len(theirs) == 1 and ours[0].tokens == theirs[0].tokens
    moving = [n for s in theirs for n, layer in s.layers.items() if not same or _is_beside(layer)]
    if not moving:
        yield replace(ours[0], layers=theirs[0].layers)
        return
    words = [[token for sentence in part for token in sentence.tokens] for part in (ours, theirs)]
    counts["divided" if words[0] == words[1] else "tokens"] += 0 if same else len(ours)
    target, source = Text(ours, block.measure), Text(theirs, block.measure)
    layers = {name: carried_layers(name, target, source, counts) for name in dict.fromkeys(moving)}
    for i, sentence in enumerate(ours):
        found = {name: layer for name, each in layers.items() if (layer := each[i]) is not None}
        yield replace(sentence, layers={**(theirs[0].layers if same else {}), **found})


def _is_beside(layer: Layer) -> bool:
    """Whether a layer has entities that its tags do not express; gold may have tokens or entities that fit them."""
    return isinstance(layer, TagLayer) and bool(layer.unaligned)
