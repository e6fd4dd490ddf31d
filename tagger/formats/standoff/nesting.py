"""Nested entities as layers of their own: those inside entities of `ner` are in `ner2`, and so on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tagger.formats.standoff.alignment import Entity
from tagger.text.sentence import Sentence, TagLayer


def by_depth(layers: Mapping[str, Sequence[Entity]]) -> dict[str, list[Entity]]:
    """Return the entities of each layer, those inside others moved to layers with a number: inside `ner` is `ner2`.

    Of entities on the same characters, the first of the file is the outer one. An entity that is there twice, or that
    overlaps another without being nested, stays.
    """
    found: dict[str, list[Entity]] = {}
    for name, entities in layers.items():
        for entity, depth in _depths(entities):
            found.setdefault(name if depth == 1 else f"{name}{depth}", []).append(entity)
        found.setdefault(name, [])
    return found


def _depths(entities: Sequence[Entity]) -> Iterator[tuple[Entity, int]]:
    """Yield each entity in the order of the text, with the number of entities that it lies in, itself among them."""
    around: list[tuple[Entity, int]] = []
    before: Entity | None = None
    for entity in sorted(entities, key=lambda each: (each.start, -each.end)):
        is_twice = before is not None and entity[:3] == before[:3]
        if not is_twice:
            around = [(outer, depth) for outer, depth in around if entity.end <= outer.end and entity.start < outer.end]
            around.append((entity, 1 + max((depth for _, depth in around), default=0)))
        yield entity, around[-1][1]
        before = entity


def filled_layers(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return sentences of which each has all tag layers that one of them has; those that it lacked have no entities."""
    names = dict.fromkeys(n for s in sentences for n, layer in s.layers.items() if isinstance(layer, TagLayer))
    filled = []
    for sentence in sentences:
        missing = {name: TagLayer(("O",) * len(sentence)) for name in names if name not in sentence.layers}
        filled.append(replace(sentence, layers={**sentence.layers, **missing}) if missing else sentence)
    return filled
