"""Which layer of a prediction belongs to which layer of gold: those with one name, or the only ones of their kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence, TagLayer, Values, place_of
from tagger.wording import quoted

KINDS: Mapping[type, str] = {TagLayer: "tag", Label: "label", Values: "number"}


class Matched(NamedTuple):
    """The layers to be scored, the predicted sentences with the names of gold, and notes."""

    names: tuple[str, ...]
    predicted: list[Sentence]
    notes: tuple[str, ...]


def matched(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> Matched:
    """Return the layers that gold and prediction have in common.

    A layer that is the only one of its kind on its side is also matched under another name.

    Raises:
        DataError: They have no layer in common, or one is of two kinds.
    """
    ours, theirs = kinds_of(gold), kinds_of(predicted)
    renamed: dict[str, str] = {}
    for kind in KINDS:
        mine = [name for name, found in ours.items() if found is kind]
        others = [name for name, found in theirs.items() if found is kind]
        if len(mine) == len(others) == 1 and mine != others and others[0] not in ours and mine[0] not in theirs:
            renamed[others[0]] = mine[0]
    theirs = {renamed.get(name, name): kind for name, kind in theirs.items()}
    names = tuple(name for name in ours if name in theirs)
    if not names:
        raise DataError(
            "gold and prediction must have a layer in common, got "
            f"{quoted(ours) or 'none'} in gold and {quoted(theirs) or 'none'} in the prediction; give the layer one "
            "name in both files, such as with --columns"
        )
    for name in names:
        if ours[name] is not theirs[name]:
            raise DataError(
                f"layer `{name}` must be of one kind, got {KINDS[ours[name]]}s in gold and {KINDS[theirs[name]]}s in "
                "the prediction; rename one of them"
            )
    notes = [f"layer `{theirs}` of the prediction is scored as `{mine}`" for theirs, mine in renamed.items()]
    for side, other, found in (("gold", "the prediction", ours), ("the prediction", "gold", theirs)):
        if alone := [name for name in found if name not in names]:
            notes.append(f"not scored, because {other} does not have it: {quoted(alone)} of {side}")
    return Matched(names, [_renamed(s, renamed) for s in predicted] if renamed else list(predicted), tuple(notes))


def kinds_of(sentences: Sequence[Sentence]) -> dict[str, type]:
    """Return the kind of each layer of sentences."""
    kinds: dict[str, type] = {}
    for sentence in sentences:
        for name, layer in sentence.layers.items():
            kinds.setdefault(name, type(layer))
    return kinds


def both_with(
    name: str, gold: Sequence[Sentence], predicted: Sequence[Sentence]
) -> tuple[tuple[Sentence, ...], tuple[Sentence, ...]]:
    """Return the gold sentences that have a layer, and the predicted ones.

    Raises:
        DataError: The prediction lacks the layer in such a sentence, or a tag in it is unknown.
    """
    pairs = [(ours, theirs) for ours, theirs in zip(gold, predicted, strict=True) if name in ours.layers]
    for ours, theirs in pairs:
        layer = theirs.layers.get(name)
        if layer is None:
            raise DataError(
                f"{place_of(ours)}: layer `{name}` must be predicted for each sentence of gold that has it, got none; "
                "predict it, or remove it from gold"
            )
        if isinstance(layer, TagLayer) and None in layer.tags:
            raise DataError(
                f"{place_of(ours, layer.tags.index(None))}: each token must have a predicted tag in layer `{name}`, "
                "got an unknown one; predict one"
            )
        if isinstance(layer, Values):
            _check_numbers(name, ours, layer)
    return tuple([ours for ours, _ in pairs]), tuple([theirs for _, theirs in pairs])


def _check_numbers(name: str, gold: Sentence, predicted: Values) -> None:
    """Refuse predicted numbers that are not as many as those of gold, or that are unknown."""
    wanted = gold.values(name)
    known = sum(value is not None for value in predicted.values)
    if wanted.whole != predicted.whole or not len(wanted.values) == len(predicted.values) == known:
        of = "the sentence" if wanted.whole else "each token"
        raise DataError(
            f"{place_of(gold)}: layer `{name}` must have a predicted number for each of the {len(wanted.values)} in "
            f"gold, which are those of {of}, got {known}; predict them"
        )


def _renamed(sentence: Sentence, names: Mapping[str, str]) -> Sentence:
    return replace(sentence, layers={names.get(name, name): layer for name, layer in sentence.layers.items()})
