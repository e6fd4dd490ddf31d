"""Repair invalid tags, and rename and drop types and classes, as the recipe says. Edits are counted.

A split is edited through the arrays of its sentences, in memory or lazy, and then sentence by sentence.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

import numpy as np

from tagger.config import ReadingConfig
from tagger.corpus.splitting import Splits
from tagger.encoding.packed import Packed
from tagger.encoding.tag_arrays import invalid_tokens, respelled
from tagger.errors import DataError
from tagger.hub.lazy import packed_of, remade, selected
from tagger.text.gaps import filled, known_of, respelled_gaps
from tagger.text.schemes import RULES, Scheme, is_tag, lenient_spans, span_types, spans_to_tags
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, Values, place_of
from tagger.wording import counted


@dataclass
class Done:
    """Counts of edits.

    Args:
        repaired: Number of repaired tags by split.
        firsts: Place of the first repaired tag by split.
        seen: How often each type and class occurred before the edits.
    """

    repaired: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)


def changed(
    part: Sequence[Sentence], schemes: Mapping[str, Scheme | None], config: ReadingConfig, done: Done, *, split: str
) -> Sequence[Sentence]:
    """Return the sentences of a split as the recipe wants them, and count the edits.

    Edits are counted in the arrays of all sentences. Then the sentences are edited one by one, lazy ones when they are
    accessed.

    Args:
        part: The sentences.
        schemes: The scheme of each tag layer.
        config: Says what to edit.
        done: The counts, which this call adds to.
        split: Name of the split.
    """
    repair = config.invalid == "repair"
    if not (repair or config.rename or config.drop):
        return remade(part, schemes)
    packed = packed_of(part).with_schemes(schemes)
    spanned = {name: layer.scheme for name, layer in packed.layers.items() if layer.scheme is not None}
    if repair:
        _count_repairs(part, packed, spanned, done, split)
    labels = {name: layer for name, layer in packed.layers.items() if layer.is_label}
    for layer in labels.values():
        done.seen.update(layer.counts())
    dropped = np.any([layer.having(config.drop) for layer in labels.values()], axis=0)
    if dropped.any():
        part = selected(part, np.flatnonzero(~dropped))
        packed = packed_of(part).with_schemes(schemes)
    rename: dict[str, str | None] = {**config.rename, **dict.fromkeys(config.drop)}
    layers = {name: layer.renamed(config.rename) for name, layer in packed.layers.items() if layer.is_label}
    for name, scheme in spanned.items():
        layers[name], counts = respelled(packed.layers[name], packed.starts, scheme, rename)
        done.seen.update(counts)
    edited = replace(packed, layers={**packed.layers, **layers})
    return remade(part, schemes, partial(_edited, rename=rename), edited)


def _count_repairs(
    part: Sequence[Sentence], packed: Packed, schemes: Mapping[str, Scheme], done: Done, split: str
) -> None:
    """Count the tags of a split that will be repaired."""
    wrong = [invalid_tokens(packed.layers[name], packed.starts, scheme) for name, scheme in schemes.items()]
    if number := sum(map(len, wrong)):
        first = min(int(found[0]) for found in wrong if len(found))
        row = int(packed.rows_of(np.array(first)))
        done.repaired[split] += number
        done.firsts.setdefault(split, place_of(part[row], first - int(packed.starts[row])))


def _edited(sentence: Sentence, rename: Mapping[str, str | None]) -> Sentence:
    """Return a sentence with valid tags and other types and classes; a type that becomes None is dropped."""
    layers: dict[str, Layer] = {}
    for name, layer in sentence.layers.items():
        if isinstance(layer, Label):
            layers[name] = replace(layer, value=rename.get(layer.value) or layer.value)
        elif isinstance(layer, TagLayer) and layer.scheme is not None:
            spans = [(span, rename.get(span.type, span.type)) for span in lenient_spans(filled(layer.tags))]
            kept = [span._replace(type=new) for span, new in spans if new is not None]
            tags = respelled_gaps(layer.tags, spans_to_tags(kept, len(sentence), layer.scheme), layer.scheme)
            same = layer if tags == layer.tags else replace(layer, tags=tags)  # equal ones share their strings
            layers[name] = _with_unaligned(same, rename) if layer.unaligned else same
    return replace(sentence, layers={**sentence.layers, **layers})


def _with_unaligned(layer: TagLayer, rename: Mapping[str, str | None]) -> TagLayer:
    """Return a layer with other types of the entities that its tags do not express."""
    named = [(entity, rename.get(entity.type, entity.type)) for entity in layer.unaligned]
    return replace(layer, unaligned=tuple(entity._replace(type=new) for entity, new in named if new is not None))


def annotated(
    splits: Splits, schemes: Mapping[str, Scheme | None], types: tuple[str, ...], *, whole: bool
) -> tuple[Splits, list[str]]:
    """Return splits in whose entity layers, or labels if there are no entities, only these types are annotated; notes.

    Files that are not a `whole` corpus are read as in training, where the types were given. If they have other types
    too, all types count as annotated.

    Raises:
        DataError: A whole corpus has an entity or a label of another type.
    """
    sentences = list(chain.from_iterable(splits.values()))
    names = {layer for layer, scheme in schemes.items() if scheme is not None}
    names |= set() if names else {n for s in sentences for n, layer in s.layers.items() if isinstance(layer, Label)}
    if whole and not names:
        raise DataError("`types` names entity types or classes of labels, but the corpus has neither; remove it")
    if strange := sorted(_types_in(sentences, names).difference(types)):
        named, others = ", ".join(types), ", ".join(strange)
        if not whole:
            return splits, [f"all types count as annotated, because the files also have {others} beside {named}"]
        raise DataError(
            f"`types` must name all types of the corpus, got {named}, but it also has {others}; "
            f"use types = {json.dumps([*types, *strange], ensure_ascii=False)}, or `rename` or `drop` the others"
        )

    def mark(sentence: Sentence) -> Sentence:
        changed = {
            name: replace(layer, types=types)
            for name, layer in sentence.layers.items()
            if name in names and not isinstance(layer, Values)
        }
        return replace(sentence, layers={**sentence.layers, **changed})

    marked: Splits = {name: [mark(sentence) for sentence in part] for name, part in splits.items()}
    return marked, [f"only {', '.join(types)} are annotated: other types are unknown"]


def _types_in(sentences: Iterable[Sentence], names: Collection[str]) -> set[str]:
    """Return the types of the entities, or the labels, in these layers."""
    found: set[str] = set()
    for layer in (layer for sentence in sentences for name, layer in sentence.layers.items() if name in names):
        if isinstance(layer, TagLayer):
            found.update(span_types(known_of(layer.tags)))
            found.update([entity.type for entity in layer.unaligned])
        elif isinstance(layer, Label):
            found.add(layer.value)
    return found


def check_seen(done: Done, config: ReadingConfig) -> None:
    """Refuse a type or class to rename or drop that does not occur."""
    for name in (*config.rename, *config.drop):
        if name in done.seen:
            continue
        found = ", ".join(sorted(done.seen))
        if not found:
            raise DataError(
                f"`rename` and `drop` must name entity types or classes, got {name!r}, but the data have none; "
                "remove it: tags without spans cannot be renamed"
            )
        raise DataError(
            f"`rename` and `drop` must name types or classes of the data, got {name!r}; the data have {found}"
        )


def edit_notes(done: Done, config: ReadingConfig, *, whole: bool) -> list[str]:
    """Return a note on each edit; for a `whole` corpus with the repairs of each split."""
    notes = []
    if number := done.repaired.total():
        counts = [f"{n} in {split} (the first at {done.firsts[split]})" for split, n in done.repaired.items()]
        where = f": {', '.join(counts)}" if whole else f", the first at {next(iter(done.firsts.values()))}"
        notes = [f"repaired {counted(number, 'invalid tag')} by conlleval's rule{where}"]
    for old, new in config.rename.items():
        notes.append(f"renamed {old!r} to {new!r}{_if_tag(new)} {counted(done.seen[old], 'time')}")
    return notes + [f"dropped {name!r} {counted(done.seen[name], 'time')}" for name in config.drop]


def _if_tag(name: str) -> str:
    return " (a type that looks like a tag)" if any(is_tag(name, scheme) for scheme in RULES) else ""
