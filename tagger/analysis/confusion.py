"""Which types, tags or classes are confused with which."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tagger.analysis.matching import paired
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, TokenLayer
from tagger.metrics.section import Cell, Section, Table

NOTHING = "(nothing)"
NUM_PAIRS = 5  # in the short form of a report
Pairs = Counter[tuple[str, str]]  # (gold, predicted) → number

OF_ENTITIES = (
    "Rows are gold types, columns predicted types. Each gold and each predicted entity counts once: with the entity "
    f"that shares the most tokens with it, even where their boundaries differ, or with {NOTHING} if it was missed or "
    "invented."
)
OF_VALUES = "Rows are gold values, columns predicted values."


def confusion(layer: EntityLayer | TokenLayer | ClassLayer) -> Section:
    """Return how often each gold type, tag or class was predicted as each other."""
    pairs = confusion_pairs(layer)
    wrong = confused(pairs)
    other = [pair for pair in wrong if NOTHING not in pair]
    named = ", ".join(f"{gold} → {predicted} {number}" for gold, predicted, number in other[:NUM_PAIRS])
    matrix: dict[str, dict[str, int]] = {}
    for (gold, predicted), number in sorted(pairs.items()):
        matrix.setdefault(gold, {})[predicted] = number
    return Section(
        key="confusion",
        title="Confusion",
        note=OF_ENTITIES if isinstance(layer, EntityLayer) else OF_VALUES,
        data=matrix,
        brief=(f"confused, gold → predicted: {named}",) if named else (),
        tables=(_pairs_table(wrong), _matrix_table(pairs)),
    )


def confusion_pairs(layer: EntityLayer | TokenLayer | ClassLayer) -> Pairs:
    """Return how often each pair of a gold and a predicted type, tag or class occurs.

    For entities the row of a type sums to its number of gold entities, its column to that of predicted ones.
    """
    if isinstance(layer, EntityLayer):
        return Pairs(_types(layer))
    if isinstance(layer, TokenLayer):
        return Pairs(pair for sentence in layer.pairs for pair in sentence)
    return Pairs(layer.pairs)


def _types(layer: EntityLayer) -> Iterator[tuple[str, str]]:
    for pair in layer.pairs:
        for gold, predicted in paired(pair.gold, pair.predicted):
            yield gold.type if gold else NOTHING, predicted.type if predicted else NOTHING
        for entity, found in pair.beside:
            yield entity.type, entity.type if found else NOTHING
        for entity in pair.stray:
            yield NOTHING, entity.type


def confused(pairs: Pairs) -> list[tuple[str, str, int]]:
    """Return gold and predicted value of each pair that differs, and how often it occurs, the most frequent first."""
    wrong = [(gold, predicted, number) for (gold, predicted), number in pairs.items() if gold != predicted]
    return sorted(wrong, key=lambda pair: (-pair[2], *pair[:2]))


def _pairs_table(wrong: Sequence[tuple[str, str, int]]) -> Table:
    rows = tuple([(f"{gold} → {predicted}", number) for gold, predicted, number in wrong])
    return Table(("gold → predicted", "number"), rows, "most confused pairs")


def _matrix_table(pairs: Mapping[tuple[str, str], int]) -> Table:
    """Return the whole matrix, with (nothing) as the last row and column."""
    names = sorted({name for pair in pairs for name in pair}, key=lambda name: (name == NOTHING, name))
    cells = [[pairs.get((gold, predicted), 0) for predicted in names] for gold in names]
    rows: list[tuple[Cell, ...]] = [(gold, *row) for gold, row in zip(names, cells, strict=True)]
    return Table(("gold \\ predicted", *names), tuple(rows), "confusion matrix", shaded=True)
