"""Scores of groups: what was seen in train, lengths, documents, and the values of metadata."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.analysis.groups import (
    Group,
    Groups,
    by_document,
    by_entity_length,
    by_meta,
    by_seen,
    by_sentence_length,
    by_words,
)
from tagger.analysis.knowledge import TrainKnowledge
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ScoredLayer, TokenLayer
from tagger.metrics.resampling import interval
from tagger.metrics.section import Cell, Section, Table
from tagger.wording import quoted

WORST = 20  # documents or values in a table of many; more values than these have no intervals
RESAMPLES = 2000  # for each interval; fewer than for a headline, because there are many groups
NO_TRAIN = "words and entities seen in train: name the training files with --train FILE"
OF_ENTITIES = (
    "Precision is over the predicted entities of a group, recall over its gold entities. Whether an entity was seen in "
    "train is decided by its text and type, ignoring white space; its words are known as well as the least known one. "
    "A rate without such entities is undefined (-)."
)
OF_OTHERS = "The share that is right in each group; undefined (-) in a group with nothing to score."


class _Breakdown(NamedTuple):
    """One way to group. `sampled` says whether groups have several units to resample, so that they have intervals."""

    key: str
    title: str
    groups: Groups
    sampled: bool = True
    brief: bool = False


def breakdown(
    layer: ScoredLayer,
    train: TrainKnowledge | None = None,
    by: Sequence[str] = (),
    units: Sequence[int] | None = None,
) -> Section:
    """Return the scores of groups of entities, tokens and sentences.

    Args:
        layer: What was compared.
        train: What train has, for groups of what was seen there.
        by: Keys of the metadata of sentences, whose values are groups too.
        units: The document of each sentence, for intervals over documents; default: over sentences.
    """
    found = [each for each in _breakdowns(layer, train, by) if each.groups]
    scored = {each.key: {name: _score(layer, each, name, units) for name in each.groups} for each in found}
    notes = []
    if train is None and isinstance(layer, EntityLayer | TokenLayer):
        notes.append(NO_TRAIN)
    elif train is not None and isinstance(layer, EntityLayer) and layer.name not in train.entities:
        notes.append(f"entities seen in train: the training files have no entities of `{layer.name}`")
    notes += [_lacking(layer, key) for key in by if f"meta.{key}" not in scored]
    rule = OF_ENTITIES if isinstance(layer, EntityLayer) else OF_OTHERS
    return Section(
        key="breakdown",
        title="Scores by group",
        note=" ".join([rule, *(f"{note[0].upper()}{note[1:]}." for note in notes)]),
        data=scored,
        brief=(*(_line(each, scored[each.key]) for each in found if each.brief), *notes),
        tables=tuple([_table(each, scored[each.key]) for each in found]),
    )


def _breakdowns(layer: ScoredLayer, train: TrainKnowledge | None, by: Sequence[str]) -> list[_Breakdown]:
    found = []
    if isinstance(layer, EntityLayer) and train is not None and layer.name in train.entities:
        found.append(_Breakdown("seen", "entities of train", by_seen(layer, train), brief=True))
    if isinstance(layer, EntityLayer | TokenLayer) and train is not None:
        noun = "words" if isinstance(layer, TokenLayer) else "words of entities"
        found.append(_Breakdown("words", noun, by_words(layer, train), brief=True))
    if isinstance(layer, EntityLayer):
        found.append(_Breakdown("entity_length", "length of entities", by_entity_length(layer)))
    found.append(_Breakdown("sentence_length", "length of sentences", by_sentence_length(layer)))
    found.append(_Breakdown("document", "documents", by_document(layer), sampled=False))
    for key in by:
        groups = by_meta(layer, key)
        found.append(_Breakdown(f"meta.{key}", key, groups, sampled=len(groups) <= WORST, brief=True))
    return found


def _score(layer: ScoredLayer, each: _Breakdown, name: str, units: Sequence[int] | None) -> dict[str, Any]:
    """Return the score of a group, its counts and its interval; None where undefined."""
    group = each.groups[name]
    sums = group.counts.sum(0)
    figures = _entity_figures(sums) if isinstance(layer, EntityLayer) else _share(sums)
    return {**figures, "interval": _interval(layer, group, units) if each.sampled else None}


def _entity_figures(sums: NDArray[np.int64]) -> dict[str, Any]:
    correct, predicted, gold = sums.tolist()
    rates = {
        "precision": _ratio(correct, predicted),
        "recall": _ratio(correct, gold),
        "f1": _ratio(2 * correct, predicted + gold),
    }
    return {**rates, "correct": correct, "predicted": predicted, "gold": gold}


def _share(sums: NDArray[np.int64]) -> dict[str, Any]:
    right, total = sums.tolist()
    return {"accuracy": _ratio(right, total), "right": right, "total": total}


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _interval(layer: ScoredLayer, group: Group, units: Sequence[int] | None) -> list[float] | None:
    chosen = None if units is None else [units[i] for i in group.sentences.tolist()]
    found = interval(group.counts, layer.statistic, units=chosen, resamples=RESAMPLES)
    return None if found is None else list(found)


def _main(figures: dict[str, Any]) -> float | None:
    score: float | None = figures["f1"] if "f1" in figures else figures["accuracy"]
    return score


def _line(each: _Breakdown, scored: dict[str, dict[str, Any]]) -> str:
    """Return the groups with their scores on a line, the largest ones of many."""
    if len(scored) > WORST:
        return f"{each.title}: {len(scored)} values; the table has those with the most mistakes"
    size = "gold" if "gold" in next(iter(scored.values())) else "total"
    largest = sorted(scored, key=lambda name: -scored[name][size])[:5]
    shown = [name for name in scored if name in largest and _main(scored[name]) is not None]
    parts = [f"{name} {_main(scored[name]):.4f} of {scored[name][size]}" for name in shown]
    measure = "F1" if size == "gold" else "accuracy"
    return f"{measure} by {each.title}: {', '.join(parts) or 'nothing to score'}"


def _table(each: _Breakdown, scored: dict[str, dict[str, Any]]) -> Table:
    """Return the groups as rows; of many documents or values those with the most mistakes."""
    names, title = list(scored), each.title
    if len(names) > WORST and (each.key == "document" or each.key.startswith("meta.")):
        names = sorted(names, key=lambda name: -_num_wrong(scored[name]))[:WORST]
        title = f"{title}, the {WORST} of {len(scored)} with the most mistakes"
    figures = list(next(iter(scored.values())))[:-1]
    ends = ("low", "high") if each.sampled else ()
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        values = scored[name]
        low_high = (values["interval"] or (None, None)) if each.sampled else ()
        rows.append((name, *(values[figure] for figure in figures), *low_high))
    return Table(("group", *figures, *(f"95 % {end}" for end in ends)), tuple(rows), title)


def _num_wrong(figures: dict[str, Any]) -> int:
    if "gold" in figures:
        return int(figures["gold"] + figures["predicted"] - 2 * figures["correct"])
    return int(figures["total"] - figures["right"])


def _lacking(layer: ScoredLayer, key: str) -> str:
    keys = sorted({name for sentence in layer.gold for name in sentence.meta})
    return f"no sentence has the metadata key `{key}`; the keys of these sentences: {quoted(keys) or 'none'}"
