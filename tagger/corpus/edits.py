"""Invalid tags repaired, types and classes renamed and dropped, as the recipe says; what is done is counted.

Sentences are changed one by one. Of a split that stays in its file the arrays are changed at once, and each sentence in
the same way whenever it is made.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

import numpy as np

from tagger.config import ReadingConfig
from tagger.corpus.splitting import Splits
from tagger.encoding.tag_arrays import invalid_tokens, respelled
from tagger.errors import DataError
from tagger.hub.lazy import LazySentences
from tagger.text.schemes import (
    CLOSING,
    RULES,
    STARTING,
    Scheme,
    convert_tags,
    invalid_positions,
    is_tag,
    repair_tags,
    spans_to_tags,
    tags_to_spans,
)
from tagger.text.sentence import Label, Sentence, TagLayer, place_of, with_schemes


@dataclass
class Done:
    """What was done: how many tags were repaired in each split, and how often each type and class was there before.

    Where the first repaired tag of a split stands is kept too.
    """

    repaired: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def repair(self, split: str, number: int, sentence: Sentence, token: int) -> None:
        """Count the tags of a split that were repaired, of which the first is that of a token of a sentence."""
        self.repaired[split] += number
        self.firsts.setdefault(split, place_of(sentence, token))


def prefixed(splits: Splits) -> tuple[Splits, list[str]]:
    """Splits whose bare types, such as `PER` beside `O`, are tags in IO, and a note on each layer that had such."""
    tags: defaultdict[str, set[str]] = defaultdict(set)
    for sentence in chain.from_iterable(splits.values()):
        for layer, found in sentence.layers.items():
            if isinstance(found, TagLayer):
                tags[layer].update(found.tags)
    bare = [layer for layer, distinct in tags.items() if "O" in distinct and _are_types(distinct - {"O"})]
    if not bare:
        return splits, []
    done: Splits = {name: [_with_prefixes(sentence, bare) for sentence in part] for name, part in splits.items()}
    return done, [f"layer `{layer}` has types without a prefix, which are read as `I-` and the type" for layer in bare]


def _are_types(tags: Collection[str]) -> bool:
    """Whether these can be types of entities: there is one, none has a prefix, and not all are a prefix alone."""
    letters = set(STARTING + CLOSING + "I")
    return any(t not in letters for t in tags) and not any(t == "" or (t[0] in letters and t[1:2] == "-") for t in tags)


def _with_prefixes(sentence: Sentence, layers: Collection[str]) -> Sentence:
    def written(layer: TagLayer) -> TagLayer:
        return replace(layer, tags=tuple(tag if tag == "O" else f"I-{tag}" for tag in layer.tags))

    new = {n: written(v) for n, v in sentence.layers.items() if n in layers and isinstance(v, TagLayer)}
    return replace(sentence, layers={**sentence.layers, **new})


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
    part: Sequence[Sentence], schemes: Mapping[str, Scheme | None], config: ReadingConfig, done: Done, *, split: str
) -> Sequence[Sentence]:
    """The sentences of a split as the recipe wants them; what is done is counted under the name of the split."""
    if isinstance(part, LazySentences):
        return _changed_rows(part, schemes, config, done, split)
    found = (_changed(with_schemes(sentence, schemes), config, done, split) for sentence in part)
    return [sentence for sentence in found if sentence is not None]


def _changed(sentence: Sentence, config: ReadingConfig, done: Done, split: str) -> Sentence | None:
    """The sentence repaired and renamed as the recipe says; None if its class is dropped."""
    if config.invalid == "repair":
        sentence = _repaired(sentence, done, split)
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


def _repaired(sentence: Sentence, done: Done, split: str) -> Sentence:
    wrong: list[int] = []

    def repair(layer: TagLayer, scheme: Scheme) -> TagLayer:
        if not (found := invalid_positions(layer.tags, scheme)):
            return layer
        wrong.extend(found)
        return replace(layer, tags=tuple(repair_tags(layer.tags, scheme)))

    repaired = _mapped(sentence, repair)
    if wrong:
        done.repair(split, len(wrong), sentence, min(wrong))
    return repaired


def _renamed(layer: TagLayer, scheme: Scheme, *, config: ReadingConfig, done: Done) -> TagLayer:
    spans = tags_to_spans(layer.tags, scheme)
    done.seen.update(span.type for span in spans)
    kept = [s._replace(type=config.rename.get(s.type, s.type)) for s in spans if s.type not in config.drop]
    return replace(layer, tags=tuple(spans_to_tags(kept, len(layer.tags), scheme)))


def _changed_rows(
    part: LazySentences, schemes: Mapping[str, Scheme | None], config: ReadingConfig, done: Done, split: str
) -> LazySentences:
    """A lazy split as the recipe wants it: its arrays are changed now, a sentence when it is made."""
    spanned = {name: scheme for name, scheme in schemes.items() if scheme is not None and name in part.packed.layers}
    repair = config.invalid == "repair"
    if repair:
        _count_repairs(part, spanned, done, split)
    if not (repair or config.rename or config.drop):
        return part.finished(part.packed.with_schemes(schemes), None)
    part = _without_dropped(part, config, done)
    rename: dict[str, str | None] = {**config.rename, **dict.fromkeys(config.drop)}
    packed = part.packed.with_schemes(schemes)
    layers = dict(packed.layers)
    for name, layer in layers.items():
        if layer.is_label:
            layers[name] = layer.renamed(config.rename)
        elif name in spanned:
            layers[name], counts = respelled(layer, part.packed.starts, spanned[name], rename)
            done.seen.update(counts)
    return part.finished(replace(packed, layers=layers), partial(_kept, config=config))


def _count_repairs(part: LazySentences, schemes: Mapping[str, Scheme], done: Done, split: str) -> None:
    """Count the tags of a lazy split that are repaired when a sentence is made."""
    starts = part.packed.starts
    wrong = [invalid_tokens(part.packed.layers[name], starts, scheme) for name, scheme in schemes.items()]
    if number := sum(map(len, wrong)):
        first = min(int(found[0]) for found in wrong if len(found))
        row = int(np.searchsorted(starts, first, side="right")) - 1
        done.repair(split, number, part[row], first - int(starts[row]))


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
    found = _changed(sentence, config, Done(), "")
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


def told(done: Done, config: ReadingConfig, *, whole: bool) -> list[str]:
    """What was done, a sentence each; repairs by split where the splits are those of a `whole` corpus."""
    notes = []
    if number := done.repaired.total():
        counts = [f"{n} in {split} (the first at {done.firsts[split]})" for split, n in done.repaired.items()]
        where = f": {', '.join(counts)}" if whole else f", the first at {next(iter(done.firsts.values()))}"
        notes = [f"repaired {number} invalid tag{'s' * (number > 1)} by conlleval's rule{where}"]
    notes += [f"renamed {done.seen[old]} times {old!r} to {new!r}{_if_tag(new)}" for old, new in config.rename.items()]
    return notes + [f"dropped {done.seen[name]} times {name!r}" for name in config.drop]


def _if_tag(name: str) -> str:
    return ", a type that looks like a tag" if any(is_tag(name, scheme) for scheme in RULES) else ""
