"""The mistakes of a layer of entities, by kind.

Each gold and each predicted entity is right or part of exactly one mistake. `matching.py` says which of them belong
together; how many there are on each side, and what they have in common, makes the kind.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tagger.analysis.listing import Mention, Mistake, brief_lines, entries, listed, mention_of, surest_first
from tagger.analysis.matching import Match, joined
from tagger.metrics.entity_layer import EntityLayer, SpanPair
from tagger.metrics.section import Cell, Section, Table
from tagger.text.sentence import Sentence, tokens_in
from tagger.wording import counted

KINDS = ("missed", "invented", "wrong type", "wrong boundary", "both wrong", "split", "merged")
RULE = (
    "Equal entities are right. Of the others, those that share tokens belong together, the largest share first, but "
    "never several gold entities with several predicted ones. One gold entity with several predicted ones is split, "
    "several with one are merged; a pair has the wrong type, the wrong boundary, or both wrong; the rest is missed or "
    "invented. Each entity counts once."
)
SURE = (
    " The mistakes of which the model was surest come first: by the probability of the predicted entity, or, if "
    "nothing was predicted, by the lowest probability of the tags that were predicted at its tokens."
)


def entity_errors(layer: EntityLayer) -> Section:
    """Return the mistakes of a layer of entities, counted and in context."""
    mistakes = find_mistakes(layer)
    found = entries(layer, mistakes)
    kinds = count_kinds(mistakes)
    types = _by_type(layer, mistakes)
    correct, predicted, gold = layer.counts.sum(0).tolist()
    named = ", ".join(f"{kind} {kinds[kind]['mistakes']}" for kind in KINDS if kinds[kind]["mistakes"])
    first = f"{counted(len(mistakes), 'mistake')}{named and ': '}{named}"
    sure = any(mistake.probability is not None for mistake in mistakes)
    return Section(
        key="errors",
        title="Mistakes",
        note=RULE + (SURE if sure else ""),
        data={"gold": gold, "predicted": predicted, "right": correct, "kinds": kinds, "types": types, "list": found},
        brief=(first if gold or predicted else "no entities in gold or prediction", *brief_lines(found)),
        tables=(_kinds_table(kinds), _types_table(types), listed(found)),
    )


def find_mistakes(layer: EntityLayer) -> list[Mistake]:
    """Return the mistakes of a layer, those of which the model was surest first.

    A gold entity that tokens cannot express is missed unless its characters were predicted with its type. A predicted
    one that tokens cannot express and gold does not have is invented.
    """
    rows = zip(layer.pairs, layer.gold, layer.predicted, strict=True)
    return surest_first(
        mistake for number, row in enumerate(rows) for mistake in _of_sentence(number, *row, layer=layer.name)
    )


def kind_of(match: Match) -> str | None:
    """Return what is wrong with a match, or None if it is right."""
    gold, predicted = match
    if not (gold and predicted):
        return "missed" if gold else "invented"
    if len(gold) + len(predicted) > 2:
        return "split" if len(gold) == 1 else "merged"
    same_place = gold[0][1:] == predicted[0][1:]
    if gold[0].type == predicted[0].type:
        return None if same_place else "wrong boundary"
    return "wrong type" if same_place else "both wrong"


def _of_sentence(number: int, pair: SpanPair, gold: Sentence, predicted: Sentence, *, layer: str) -> Iterator[Mistake]:
    sure = dict(zip(pair.predicted, pair.probabilities or (), strict=False))
    tag_scores = predicted.tag_scores(layer)
    for match in joined(pair.gold, pair.predicted):
        if (kind := kind_of(match)) is not None:
            sides = [tuple([mention_of(gold, entity) for entity in side]) for side in match]
            scores = [sure[entity] for entity in match.predicted if entity in sure]
            scored = max(scores, default=None) if match.predicted else _lowest(gold, sides[0][0], tag_scores)
            yield Mistake(kind, number, sides[0], sides[1], scored)
    for entity, found in pair.beside:
        if not found:
            yield Mistake("missed", number, (Mention(*entity),), (), _lowest(gold, Mention(*entity), tag_scores))
    for entity in pair.stray:
        yield Mistake("invented", number, (), (Mention(*entity),), None)


def _lowest(sentence: Sentence, mention: Mention, tag_scores: Sequence[float] | None) -> float | None:
    """Return the lowest probability of the predicted tags at the tokens of an entity; None if they have none."""
    if tag_scores is None:
        return None
    return min((tag_scores[i] for i in tokens_in(sentence, mention.start_char, mention.end_char)), default=None)


def count_kinds(mistakes: Sequence[Mistake]) -> dict[str, dict[str, int]]:
    """Return for each kind its number of mistakes, and of the gold and the predicted entities in them."""
    counts = {kind: {"mistakes": 0, "gold": 0, "predicted": 0} for kind in KINDS}
    for mistake in mistakes:
        counts[mistake.kind]["mistakes"] += 1
        counts[mistake.kind]["gold"] += len(mistake.gold)
        counts[mistake.kind]["predicted"] += len(mistake.predicted)
    return counts


def _by_type(layer: EntityLayer, mistakes: Sequence[Mistake]) -> dict[str, dict[str, int]]:
    """Return for each type what became of its gold entities, by kind; an invented entity counts for its own type."""
    gold: Counter[str] = Counter()
    for pair in layer.pairs:
        gold.update(entity.type for entity in pair.gold)
        gold.update(entity.type for entity, _ in pair.beside)
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    for mistake in mistakes:
        for mention in mistake.gold or mistake.predicted:
            wrong[mention.type][mistake.kind] += 1
    rows = {}
    for name in sorted({*gold, *wrong}):
        kinds = {kind: wrong[name][kind] for kind in KINDS}
        rows[name] = {"gold": gold[name], "right": gold[name] - sum(kinds.values()) + kinds["invented"], **kinds}
    return rows


def _kinds_table(kinds: Mapping[str, Mapping[str, int]]) -> Table:
    rows = tuple([(kind, n["mistakes"], n["gold"], n["predicted"]) for kind, n in kinds.items()])
    return Table(("kind", "mistakes", "gold entities", "predicted entities"), rows, "mistakes by kind")


def _types_table(types: Mapping[str, Mapping[str, int]]) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, *counts.values()) for name, counts in types.items()]
    return Table(
        ("type", "gold", "right", *KINDS), tuple(rows), "gold entities of each type by mistake, and invented ones"
    )
