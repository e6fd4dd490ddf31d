"""Where two systems disagree on one layer: sentences that only one gets right, and mistakes that came or went.

What a mistake is says `analysis`. How much the scores differ is left to `differences.py`.
"""

from collections import Counter
from collections.abc import Hashable, Sequence, Set
from dataclasses import replace
from typing import Any

from tagger.analysis.listing import Mistake, brief_lines, entries, listed
from tagger.analysis.mistakes import find_mistakes
from tagger.analysis.wrong_values import wrong_classes, wrong_tags
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.metrics.section import Section, Table

LISTED = 100  # mistakes of each list
SHOWN = 2  # mistakes of each list in a text without details


def sentence_section(names: tuple[str, str], one: ScoredLayer, two: ScoredLayer) -> Section:
    """Return how many sentences both, one or none of two systems get entirely right.

    Args:
        names: A short name of each system.
        one: What the first system predicted.
        two: What the second system predicted on the same gold sentences.
    """
    firsts = [{m.sentence: m for m in reversed(mistakes_of(layer))} for layer in (one, two)]
    only = [sorted(firsts[1].keys() - firsts[0]), sorted(firsts[0].keys() - firsts[1])]
    alone = {name: len(found) for name, found in zip(names, only, strict=True)}
    neither = len(firsts[0].keys() & firsts[1])
    both = len(one.gold) - neither - sum(alone.values())
    lists = {
        f"{names[0]} right, {names[1]} wrong": [firsts[1][i] for i in only[0]],
        f"{names[0]} wrong, {names[1]} right": [firsts[0][i] for i in only[1]],
    }
    shown = ", ".join(f"only {name} {number}" for name, number in alone.items())
    line = f"sentences without a mistake: both {both}, {shown}, neither {neither}"
    note = "A sentence is right if it has no mistake. Each list has the surest mistake of a sentence."
    table = Table(("without a mistake in", "sentences"), (("both", both), *alone.items(), ("neither", neither)))
    data = {"both": both, "only": alone, "neither": neither}
    return _section("sentences", "Sentences that only one system gets right", note, data, line, (table, lists), one)


def mistake_section(names: tuple[str, str], one: ScoredLayer, two: ScoredLayer) -> Section:
    """Return which mistakes of the first system the second does not make, and the other way round.

    Args:
        names: A short name of each system.
        one: What the first system predicted.
        two: What the second system predicted on the same gold sentences.
    """
    old, new = mistakes_of(one), mistakes_of(two)
    fixed, made = _without(old, _items(new)), _without(new, _items(old))
    data: dict[str, Any] = {
        names[0]: len(old),
        names[1]: len(new),
        "fixed": len(fixed),
        "new": len(made),
        "fixed_kinds": _kinds(fixed),
        "new_kinds": _kinds(made),
    }
    lists = {f"fixed, {names[0]} alone": fixed, f"new, {names[1]} alone": made}
    line = (
        f"mistakes: {names[0]} {len(old)}, of which {len(fixed)} fixed; {names[1]} {len(new)}, of which {len(made)} new"
    )
    note = (
        "Two mistakes are the same if they concern the same gold entity, token or sentence, or the same invented "
        "entity, whatever was predicted instead."
    )
    kinds = sorted(data["fixed_kinds"].keys() | data["new_kinds"])
    rows = [(kind, data["fixed_kinds"].get(kind, 0), data["new_kinds"].get(kind, 0)) for kind in kinds]
    rows.append(("all", len(fixed), len(made)))
    table = Table(("mistakes", f"fixed, {names[0]} alone", f"new, {names[1]} alone"), tuple(rows))
    return _section("mistakes", "New and fixed mistakes", note, data, line, (table, lists), one)


def mistakes_of(layer: ScoredLayer) -> list[Mistake]:
    """Return the mistakes of a layer, the surest first."""
    match layer:
        case EntityLayer():
            return find_mistakes(layer)
        case TokenLayer():
            return wrong_tags(layer)
        case ClassLayer():
            return wrong_classes(layer)
    raise TypeError(f"expected entities, tags or labels, got {type(layer).__name__}")


def _items(mistakes: Sequence[Mistake]) -> set[Hashable]:
    """Return what mistakes concern: gold entities, tokens or labels; or invented entities."""
    return {(m.sentence, bool(m.gold), mention) for m in mistakes for mention in m.gold or m.predicted}


def _without(mistakes: Sequence[Mistake], items: Set[Hashable]) -> list[Mistake]:
    """Return the mistakes that concern none of these items."""
    return [mistake for mistake in mistakes if not _items([mistake]) & items]


def _kinds(mistakes: Sequence[Mistake]) -> dict[str, int]:
    return dict(Counter(mistake.kind for mistake in mistakes).most_common())


def _section(
    key: str,
    title: str,
    note: str,
    data: dict[str, Any],
    line: str,
    details: tuple[Table, dict[str, list[Mistake]]],
    gold: ScoredLayer,
) -> Section:
    """Return a section with a table of numbers, and with lists of mistakes in context."""
    table, lists = details
    found = {name: entries(gold, mistakes[:LISTED]) for name, mistakes in lists.items()}
    brief = [f"{name}: {shown}" for name, each in found.items() for shown in brief_lines(each)[:SHOWN]]
    tables = tuple([replace(listed(each), title=name) for name, each in found.items() if each])
    return Section(key, title, note, {**data, "lists": found}, (line, *brief), (table, *tables))
