"""Predicted sentences on the tokens and sentences of gold.

Sentences with the tokens of gold keep their layers as they are, with invalid tags and all probabilities. The others are
carried over by `transfer.py`. Whatever had to be carried over or does not fit is counted and noted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tagger.alignment.blocks import Block, blocks, in_order_of
from tagger.alignment.differences import first_difference
from tagger.alignment.transfer import Text, beside_tags, carried_layers
from tagger.text.sentence import Label, Sentence, TagLayer
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
    if len(ours) == len(theirs) == 1 and ours[0].tokens == theirs[0].tokens:
        yield replace(ours[0], layers=_on_same_tokens(ours[0], theirs[0], block, counts))
        return
    words = [[token for sentence in part for token in sentence.tokens] for part in (ours, theirs)]
    counts["divided" if words[0] == words[1] else "tokens"] += len(ours)
    target, source = Text(ours, block.measure), Text(theirs, block.measure)
    names = dict.fromkeys(name for sentence in theirs for name in sentence.layers)
    layers = {name: carried_layers(name, target, source, counts) for name in names}
    for i, sentence in enumerate(ours):
        yield replace(sentence, layers={n: layer for n in names if (layer := layers[n][i]) is not None})


def _on_same_tokens(
    gold: Sentence, predicted: Sentence, block: Block, counts: Counter[str]
) -> Mapping[str, TagLayer | Label]:
    """Return the predicted layers as they are, maybe with invalid tags; entities beside tags move to gold's text."""
    found = {n: layer for n, layer in predicted.layers.items() if isinstance(layer, TagLayer) and layer.unaligned}
    if not found:
        return predicted.layers
    target, source = Text([gold], block.measure), Text([predicted], block.measure)
    counts["unfit"] += sum(len(layer.unaligned) for layer in found.values())
    moved = {
        name: replace(layer, unaligned=tuple([beside_tags(entity, 0, target, source)[1] for entity in layer.unaligned]))
        for name, layer in found.items()
    }
    return {**predicted.layers, **moved}
