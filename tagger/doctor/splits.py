"""Warnings about a valid corpus: leaks between splits, contradictions, and types and words missing in train."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, combinations

from tagger.corpus.metadata import find_value
from tagger.corpus.splitting import Splits
from tagger.doctor.findings import Findings
from tagger.doctor.tags import entities_of, tags_of
from tagger.encoding.vocabulary import DIGITS, find_word
from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence, place_of
from tagger.wording import shorten

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*")
LONG_ENTITY = 10  # tokens
LONG_SENTENCE = 200  # tokens
RARE = 5  # occurrences in train below which a type is rare


class Entities:
    """The entities of a layer: counts per split and type, and the types of each surface form with their first place."""

    def __init__(self) -> None:
        self.types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.surfaces: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.places: dict[tuple[str, str], str] = {}

    def first_place(self, kind: str) -> str:
        """Return the first position of a type."""
        return next(place for (_, other), place in self.places.items() if other == kind)


def exact(sentence: Sentence) -> str:
    """Return the words of a sentence as a key."""
    return " ".join(sentence.tokens)


def folded(sentence: Sentence) -> str:
    """Return the words of a sentence as a key, lower-cased and with digits replaced by zeros."""
    return DIGITS.sub("0", exact(sentence).lower())


def check_leaks(splits: Splits, warnings: Findings) -> dict[str, dict[str, int]]:
    """Count the sentences of each split that occur in an earlier one, identical or folded, with a warning for each."""
    found = {}
    named = [(name, sentences) for name, sentences in splits.items() if sentences]
    kept = {name: (_places(sentences, exact), _places(sentences, folded)) for name, sentences in named[:-1]}
    for (earlier, _), (later, sentences) in combinations(named, 2):
        counts = {"leak": 0, "near_leak": 0}
        for sentence in sentences:
            same, similar = kept[earlier][0].get(exact(sentence)), kept[earlier][1].get(folded(sentence))
            place = same or similar
            if place is None:
                continue
            kind, how = ("leak", "") if same else ("near_leak", ", ignoring case and digits")
            counts[kind] += 1
            message = f"occurs in {earlier} too{how}, at {place}: {shorten(exact(sentence))}"
            warnings.add(kind, place_of(sentence), message, split=later, other=place, other_split=earlier)
        found[f"{later} in {earlier}"] = counts
    return found


def _places(sentences: Iterable[Sentence], key: Callable[[Sentence], str]) -> dict[str, str]:
    """Return the position of the first occurrence of each distinct sentence."""
    first: dict[str, Sentence] = {}
    for sentence in sentences:
        first.setdefault(key(sentence), sentence)
    return {text: place_of(sentence) for text, sentence in first.items()}


def check_groups(splits: Splits, key: str | None, warnings: Findings) -> None:
    """Warn about each document in two splits, or about each value of a key.

    Documents that a file only numbers are not compared, because another file has the same numbers.

    Args:
        splits: The sentences.
        key: A key of their records or comments; None for their documents.
        warnings: Takes the warnings.

    Raises:
        DataError: No sentence has the key.
    """
    noun = "document" if key is None else f"`{key}`"
    firsts: list[tuple[str, dict[str, Sentence]]] = []
    for split, sentences in splits.items():
        found: dict[str, Sentence] = {}
        for sentence in sentences:
            name = sentence.document if key is None else find_value(sentence, key)
            if name is not None and not (key is None and NUMBER.fullmatch(name)):
                found.setdefault(name, sentence)
        for earlier, others in firsts:
            for name in (name for name in found if name in others):
                place = place_of(others[name])
                message = f"{noun} {shorten(name)} is in {earlier} too, at {place}"
                warnings.add("group", place_of(found[name]), message, split=split, other=place, other_split=earlier)
        firsts.append((split, found))
    if key is not None and not any(found for _, found in firsts):
        raise DataError(f"the group must be a key of the records or a comment, got `{key}`, which no sentence has")


def check_contradictions(splits: Splits, layers: Iterable[str], warnings: Findings) -> None:
    """Warn about every sentence that occurred before with other tags or another label, and show both."""
    first: dict[str, Sentence] = {}
    for sentence in chain.from_iterable(splits.values()):
        other = first.setdefault(exact(sentence), sentence)
        for layer in layers if other is not sentence else ():
            _compare(other, sentence, layer, warnings)


def _compare(other: Sentence, sentence: Sentence, layer: str, warnings: Findings) -> None:
    """Warn about two sentences with the same words if they differ in a layer."""
    before, after = other.layers.get(layer), sentence.layers.get(layer)
    if isinstance(before, Label) and isinstance(after, Label):
        left: list[tuple[str, str | None]] = [("", before.value)]
        right: list[tuple[str, str | None]] = [("", after.value)]
    else:
        left = list(zip(other.tokens, tags_of(other, layer), strict=False))
        right = list(zip(sentence.tokens, tags_of(sentence, layer), strict=False))
    both = zip(left, right, strict=False)
    pairs = [(a, b) for a, b in both if a[1] != b[1] and a[1] is not None and b[1] is not None]
    if not pairs:
        return
    difference = "; ".join(f"{word} {a} | {b}".strip() for (word, a), (_, b) in pairs[:5])
    more = "; ..." if len(pairs) > 5 else ""
    warnings.add(
        "contradiction",
        place_of(sentence),
        f"the sentence {shorten(exact(sentence))} has other values in layer `{layer}` than at {place_of(other)} "
        f"(there | here): {difference}{more}",
        layer=layer,
        other=place_of(other),
        there=[tag for _, tag in left],
        here=[tag for _, tag in right],
        tokens=list(sentence.tokens),
    )


def check_entities(splits: Splits, layers: Iterable[str], warnings: Findings) -> dict[str, Entities]:
    """Return the entities of each layer, and warn about unusual ones."""
    entities = {layer: _gather_entities(splits, layer, warnings) for layer in layers}
    for layer, found in entities.items():
        _check_types(found, layer, warnings)
    return entities


def _gather_entities(splits: Splits, layer: str, warnings: Findings) -> Entities:
    """Return the entities of a layer, with a warning for each very long one."""
    found = Entities()
    for split, sentences in splits.items():
        for sentence in sentences:
            for kind, start, end in entities_of(sentence, layer):
                surface, place = " ".join(sentence.tokens[start:end]), place_of(sentence, start)
                found.types[split][kind] += 1
                found.surfaces[surface][kind] += 1
                found.places.setdefault((surface, kind), place)
                if end - start > LONG_ENTITY:
                    message = f"entity {kind} has {end - start} tokens, more than {LONG_ENTITY}: {surface!r}"
                    warnings.add("long_entity", place, message, type=kind, tokens=end - start)
    return found


def _check_types(found: Entities, layer: str, warnings: Findings) -> None:
    """Warn about types that do not occur in train, rare types, and words with several types."""
    train = found.types["train"]
    for split in ("dev", "test") if train else ():
        for kind, count in sorted(found.types[split].items()):
            if kind not in train:
                message = f"type {kind} of layer `{layer}` occurs {_times(count)} in {split} and never in train"
                values = {"layer": layer, "type": kind, "split": split, "count": count}
                warnings.add("unseen_type", found.first_place(kind), message, **values)
    for kind, count in sorted(train.items(), key=lambda item: item[1]):
        if count < RARE:
            message = f"type {kind} of layer `{layer}` occurs only {_times(count)} in train"
            warnings.add("rare_type", found.first_place(kind), message, layer=layer, type=kind, count=count)
    several = [(surface, kinds) for surface, kinds in found.surfaces.items() if len(kinds) > 1]
    for surface, kinds in sorted(several, key=lambda item: -item[1].total()):
        counts = dict(kinds.most_common())
        shown = ", ".join(f"{kind} {_times(count)}" for kind, count in counts.items())
        message = f"{surface!r} is labelled {shown} in layer `{layer}`"
        warnings.add(
            "ambiguous", found.places[surface, list(counts)[-1]], message, layer=layer, text=surface, types=counts
        )


def _times(count: int) -> str:
    """Return a frequency in words."""
    return "once" if count == 1 else f"{count} times"


def check_lengths(splits: Splits, warnings: Findings) -> None:
    """Warn about very long sentences."""
    for sentence in chain.from_iterable(splits.values()):
        if (length := len(sentence)) > LONG_SENTENCE:
            message = f"the sentence has {length} tokens, more than {LONG_SENTENCE}"
            warnings.add("long_sentence", place_of(sentence), message, tokens=length)


def check_unseen(words: Mapping[str, Counter[str]], known: Mapping[str, int] | None, warnings: Findings) -> None:
    """Warn about the share of tokens of dev and test that are not in train; count those with a vector."""
    train: Mapping[str, int] = words.get("train", {})
    for split in ("dev", "test") if train else ():
        counts = words.get(split, Counter())
        unseen = {word: count for word, count in counts.items() if word not in train}
        if not unseen:
            continue
        tokens, total = sum(unseen.values()), counts.total()
        message = f"{tokens} of {total} tokens ({tokens / total:.1%}) are not in train"
        values: dict[str, object] = {"split": split, "unseen": tokens, "tokens": total}
        if known is not None:
            covered = sum(count for word, count in unseen.items() if find_word(word, known) is not None)
            message += f"; the vectors cover {covered} of them ({covered / tokens:.1%})"
            values["covered"] = covered
        warnings.add("unseen_words", split, message, **values)
