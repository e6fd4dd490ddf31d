"""Write the tags of layers as the library does: in a scheme that it knows, and IO as IOB2."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import chain

from tagger.corpus.splitting import Splits
from tagger.hub.lazy import is_lazy
from tagger.text.gaps import Tags, converted, known_of
from tagger.text.schemes import CLOSING, STARTING, Scheme
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.spellings import spelling_of


def respelled(splits: Splits, scheme: Scheme | None) -> tuple[Splits, list[str], list[str]]:
    """Return splits whose tags are spelled as the library does, a note per changed layer, and the layers in IO.

    A layer of types without a prefix is in IO if most of its tokens are `O`, or if `scheme` says so. Lazy splits stay
    as they are.
    """
    if scheme == "io":
        return prefixed(splits)
    if any(map(is_lazy, splits.values())):
        return splits, [], []
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sentence in chain.from_iterable(splits.values()):
        for layer, found in sentence.layers.items():
            if isinstance(found, TagLayer):
                counts[layer].update(known_of(found.tags))
    notes, bare = [], []
    for layer, spelling in [(layer, spelling_of(tags)) for layer, tags in counts.items()]:
        if spelling is not None and not (spelling.is_io and scheme):
            splits = _rewritten(splits, layer, spelling.read)
            notes.append(f"layer `{layer}` {spelling.about}")
            bare += [layer] if spelling.is_io else []
    return splits, notes, bare


def prefixed(splits: Splits) -> tuple[Splits, list[str], list[str]]:
    """Return splits with tags in IO instead of bare types, such as `I-PER` for `PER`, notes, and the changed layers."""
    tags: defaultdict[str, set[str]] = defaultdict(set)
    for sentence in chain.from_iterable(splits.values()):
        for layer, found in sentence.layers.items():
            if isinstance(found, TagLayer):
                tags[layer].update(known_of(found.tags))
    bare = [layer for layer, distinct in tags.items() if "O" in distinct and _are_types(distinct - {"O"})]
    for layer in bare:
        splits = _rewritten(splits, layer, lambda tags: [t if t in ("O", None) else f"I-{t}" for t in tags])
    notes = [f"layer `{layer}` has types without a prefix; they are read with the prefix `I-`" for layer in bare]
    return splits, notes, bare


def _are_types(tags: Collection[str]) -> bool:
    """Whether these can be types of entities: at least one, none with a prefix, and not only single prefixes."""
    letters = set(STARTING + CLOSING + "I")
    return any(t not in letters for t in tags) and not any(t == "" or (t[0] in letters and t[1:2] == "-") for t in tags)


def divided(splits: Splits, layer: str) -> Splits:
    """Return splits with a layer in IOB2 instead of IO; IOB2 can also separate neighbouring entities of one type."""
    return _rewritten(splits, layer, lambda tags: converted(tags, "io", "iob2"))


def _rewritten(splits: Splits, layer: str, new: Callable[[Tags], Iterable[str | None]]) -> Splits:
    """Return splits with other tags in a layer."""

    def rewrite(sentence: Sentence) -> Sentence:
        found = sentence.layers.get(layer)
        if not isinstance(found, TagLayer):
            return sentence
        return replace(sentence, layers={**sentence.layers, layer: replace(found, tags=tuple(new(found.tags)))})

    return {name: [rewrite(sentence) for sentence in part] for name, part in splits.items()}
