"""Invalid tags repaired, types and classes renamed and dropped, as the recipe says; what is done is counted.

Sentences are changed one by one. Of a split that stays in its file the arrays are changed at once, and each sentence in
the same way whenever it is made.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from tagger.config import ReadingConfig
from tagger.data.lazy import LazySentences
from tagger.data.schemes import Scheme, convert_tags, invalid_positions, repair_tags, spans_to_tags, tags_to_spans
from tagger.data.sentence import Label, Sentence, TagLayer, with_schemes
from tagger.data.splitting import Splits
from tagger.data.tag_arrays import num_invalid, respelled
from tagger.errors import DataError


@dataclass
class Done:
    """What was done: how many tags were repaired, and how often each type and class was there before renaming."""

    num_repaired: int = 0
    seen: Counter[str] = field(default_factory=Counter)


def divided(splits: Splits, layer: str) -> Splits:
    """The entities of a layer in IO as IOB2, which can also say those that stand side by side."""

    def divide(sentence: Sentence) -> Sentence:
        found = sentence.layers.get(layer)
        if not isinstance(found, TagLayer):
            return sentence
        tags = tuple(convert_tags(found.tags, "io", "iob2"))
        return replace(sentence, layers={**sentence.layers, layer: TagLayer(tags)})

    return {name: [divide(sentence) for sentence in part] for name, part in splits.items()}


def changed(
    part: Sequence[Sentence], schemes: Mapping[str, Scheme | None], config: ReadingConfig, done: Done
) -> Sequence[Sentence]:
    """The sentences of a split as the recipe wants them; what is done is counted."""
    if isinstance(part, LazySentences):
        return _changed_rows(part, schemes, config, done)
    found = (_changed(with_schemes(sentence, schemes), config, done) for sentence in part)
    return [sentence for sentence in found if sentence is not None]


def _changed(sentence: Sentence, config: ReadingConfig, done: Done) -> Sentence | None:
    """The sentence repaired and renamed as the recipe says; None if its class is dropped."""
    if config.invalid == "repair":
        sentence = _mapped(sentence, partial(_repaired, done=done))
    if not config.rename and not config.drop:
        return sentence
    labels = {name: label for name, label in sentence.layers.items() if isinstance(label, Label)}
    done.seen.update(label.value for label in labels.values())
    if any(label.value in config.drop for label in labels.values()):
        return None
    new = {n: replace(label, value=config.rename.get(label.value, label.value)) for n, label in labels.items()}
    renamed = _mapped(sentence, partial(_renamed, config=config, done=done))
    return replace(renamed, layers={**renamed.layers, **new})


def _mapped(sentence: Sentence, change: Callable[[TagLayer, Scheme], TagLayer]) -> Sentence:
    """The sentence with each of its layers of entities changed."""
    layers = {
        name: change(layer, layer.scheme) if isinstance(layer, TagLayer) and layer.scheme is not None else layer
        for name, layer in sentence.layers.items()
    }
    return replace(sentence, layers=layers)


def _repaired(layer: TagLayer, scheme: Scheme, *, done: Done) -> TagLayer:
    if not (wrong := invalid_positions(layer.tags, scheme)):
        return layer
    done.num_repaired += len(wrong)
    return replace(layer, tags=tuple(repair_tags(layer.tags, scheme)))


def _renamed(layer: TagLayer, scheme: Scheme, *, config: ReadingConfig, done: Done) -> TagLayer:
    spans = tags_to_spans(layer.tags, scheme)
    done.seen.update(span.type for span in spans)
    kept = [s._replace(type=config.rename.get(s.type, s.type)) for s in spans if s.type not in config.drop]
    return replace(layer, tags=tuple(spans_to_tags(kept, len(layer.tags), scheme)))


def _changed_rows(
    part: LazySentences, schemes: Mapping[str, Scheme | None], config: ReadingConfig, done: Done
) -> LazySentences:
    """A lazy split as the recipe wants it: its arrays are changed now, a sentence when it is made."""
    spanned = {name: scheme for name, scheme in schemes.items() if scheme is not None and name in part.packed.layers}
    repair = config.invalid == "repair"
    if repair:
        for name, scheme in spanned.items():
            done.num_repaired += num_invalid(part.packed.layers[name], part.packed.starts, scheme)
    if not (repair or config.rename or config.drop):
        return part.finished(part.packed, schemes, None)
    part = _without_dropped(part, config, done)
    rename: dict[str, str | None] = {**config.rename, **dict.fromkeys(config.drop)}
    layers = dict(part.packed.layers)
    for name, layer in layers.items():
        if layer.is_label:
            layers[name] = layer.renamed(config.rename)
        elif name in spanned:
            layers[name], counts = respelled(layer, part.packed.starts, spanned[name], rename)
            done.seen.update(counts)
    packed = replace(part.packed, layers=layers)
    return part.finished(packed, schemes, partial(_kept, config=config))


def _without_dropped(part: LazySentences, config: ReadingConfig, done: Done) -> LazySentences:
    """The rows none of whose classes is dropped; all classes are counted."""
    labels = [layer for layer in part.packed.layers.values() if layer.is_label]
    for layer in labels:
        done.seen.update(layer.counts())
    dropped = [layer.having(config.drop) for layer in labels]
    if not any(rows.any() for rows in dropped):
        return part
    return part.select(np.flatnonzero(~np.any(dropped, axis=0)))


def _kept(sentence: Sentence, config: ReadingConfig) -> Sentence:
    """A sentence of a row that stays, changed."""
    found = _changed(sentence, config, Done())
    assert found is not None
    return found


def check_seen(done: Done, config: ReadingConfig) -> None:
    """Refuse a type or class that is to be renamed or dropped and is nowhere."""
    for name in (*config.rename, *config.drop):
        if name in done.seen:
            continue
        found = ", ".join(sorted(done.seen))
        if not found:
            raise DataError(
                f"`rename` and `drop` must name entity types or classes, got {name!r}, but the data have none; "
                "leave it out, for tags without spans cannot be renamed"
            )
        raise DataError(f"`rename` and `drop` must name types or classes of the data, got {name!r}; it has {found}")


def told(done: Done, config: ReadingConfig) -> list[str]:
    """What was done, a sentence each."""
    notes = (
        [f"repaired {done.num_repaired} invalid tag{'s' * (done.num_repaired > 1)} by conlleval's rule"]
        if done.num_repaired
        else []
    )
    notes += [f"renamed {done.seen[old]} times {old!r} to {new!r}" for old, new in config.rename.items()]
    return notes + [f"dropped {done.seen[name]} times {name!r}" for name in config.drop]
