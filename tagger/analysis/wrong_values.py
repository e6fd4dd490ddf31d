"""The wrong tags of tokens, the wrong labels of sentences and the largest errors of numbers.

`confusion.py` says what is confused with what.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tagger.analysis.listing import Mention, Mistake, brief_lines, entries, listed, surest_first
from tagger.metrics.layer import ClassLayer, TokenLayer
from tagger.metrics.numbers.errors import coverage, mae, rmse
from tagger.metrics.numbers.layer import ValueLayer
from tagger.metrics.section import Section, Table
from tagger.wording import counted

LARGEST = 100  # errors of numbers that are listed
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


def value_errors(layer: ValueLayer) -> Section:
    """Return the largest errors in context; and the errors of each number, if sentences have several as a whole."""
    found = entries(layer, largest_errors(layer))
    rows = list(_of_numbers(layer))
    table = Table(("number", "MAE", "RMSE", "in interval"), tuple([tuple(row.values()) for row in rows]), "each number")
    return Section(
        key="errors",
        title="Largest errors",
        note=f"The {LARGEST} values with the largest errors at most, the largest first.",
        data={"values": int(layer.counts[:, 0].sum()), "list": found, **({"numbers": rows} if rows else {})},
        brief=tuple(brief_lines(found)),
        tables=(listed(found), *([table] if rows else [])),
    )


def largest_errors(layer: ValueLayer) -> list[Mistake]:
    """Return the values with the largest errors, the largest first."""
    sizes = np.abs(layer.all.predicted - layer.all.gold)
    wrong = np.flatnonzero(sizes > 0)
    rows = wrong[np.argsort(-sizes[wrong], kind="stable")][:LARGEST].tolist()
    ends = np.cumsum([len(side.gold) for side in layer.pairs])
    return [_mistake(layer, number, row - int(ends[number]), row) for row, number in _placed(rows, ends)]


def _placed(rows: Sequence[int], ends: Any) -> Iterator[tuple[int, int]]:
    """Yield each row of all values with the number of its sentence."""
    return zip(rows, np.searchsorted(ends, rows, side="right").tolist(), strict=True)


def _mistake(layer: ValueLayer, number: int, place: int, row: int) -> Mistake:
    """Return a value of a sentence as a mistake; its place is counted from the end of the sentence."""
    sentence = layer.gold[number]
    offsets = sentence.offsets or ((0, len(sentence.text)),)
    first, last = (offsets[0], offsets[-1]) if sentence.values(layer.name).whole else (offsets[place], offsets[place])
    wanted, found = (f"{side[row]:.6g}" for side in (layer.all.gold, layer.all.predicted))
    return Mistake(
        "wrong value", number, (Mention(wanted, first[0], last[1]),), (Mention(found, first[0], last[1]),), None
    )


def _of_numbers(layer: ValueLayer) -> Iterator[dict[str, Any]]:
    """Yield the errors of each number, if all sentences have the same two or more."""
    sizes = {len(side.gold) for side in layer.pairs}
    if len(sizes) != 1 or sizes <= {0, 1} or not all(s.values(layer.name).whole for s in layer.gold):
        return
    gold, predicted, low, high = (np.stack(parts, 1) for parts in zip(*layer.pairs, strict=True))
    for i, numbers in enumerate(zip(gold, predicted, low, high, strict=True), 1):
        figures = (mae(*numbers[:2]), rmse(*numbers[:2]), coverage(numbers[0], *numbers[2:]))
        if np.isnan(numbers[2]).all():
            figures = (*figures[:2], float("nan"))
        shown = (None if np.isnan(figure) else figure for figure in figures)
        yield dict(zip(("number", "mae", "rmse", "coverage"), (i, *shown), strict=True))
