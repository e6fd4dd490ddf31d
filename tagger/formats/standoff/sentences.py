"""A text with its entities as sentences of tagged tokens, and reports of entities that do not fit the tokens.

Readers of any format give a text and `Entity` objects; which tokens an entity is, is decided in `alignment`. An entity
that is dropped because tags cannot express it stays beside the tags, as `TagLayer.unaligned`: training ignores it, and
scores count it as missed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Literal

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.standoff.alignment import Alignment, Cause, Entity, Misfit, align, show_entity
from tagger.formats.tally import Tally
from tagger.text.characters import is_unspaced
from tagger.text.choices import Misaligned, Nested
from tagger.text.schemes import Scheme, spans_to_tags
from tagger.text.sentence import Sentence, TagLayer, Unaligned
from tagger.text.tokenization import CharSpan

LAYER = "ner"  # the default layer of entities
BLANK = "skipped {} blank text|texts"

WORDS: dict[Cause, tuple[str, str]] = {  # what is expected of an entity, and what others do
    "outside": ("an entity must lie inside its text", "reaches|reach outside the text"),
    "empty": ("an entity must have a character that is not white space", "is|are empty or white space"),
    "pieces": ("an entity must be in one piece", "is|are in several pieces"),
    "text": ("an entity must have the text that was annotated", "has|have another text than was annotated"),
    "inside": ("an entity must begin and end with a token", "begins|begin or ends|end inside a token"),
    "sentence": ("an entity must lie in one sentence", "crosses|cross the end of a sentence"),
    "overlap": ("an entity must not overlap another", "overlaps|overlap another"),
    "nested": ("an entity must not lie inside another", "is|are nested"),
    "twice": ("an entity must be given once", "is|are given twice"),
    "blank": ("an entity must begin and end with a token", "has|have white space at the ends"),
    "merged": ("an entity must not meet another", "meets|meet another of the same type after expansion"),
    "crowded": ("an entity must not meet another", "meets|meet a longer one of another type after expansion"),
}
HARMLESS: tuple[Cause, ...] = ("blank", "twice", "merged", "crowded")  # are reported, and are never an error
MISSED: tuple[Cause, ...] = ("pieces", "inside", "sentence", "overlap", "nested")  # entities that tags cannot express
GROWN: dict[Cause, str] = {"inside": "expanded", "sentence": "joined the sentences of"}
DONE: dict[Cause, str] = {"blank": "trimmed", "merged": "merged"}

Policy = Misaligned | Nested | Literal["missed"]


def _setting(cause: Cause) -> Literal["misaligned", "nested"]:
    """Return the setting that says what to do with an entity."""
    return "nested" if cause == "nested" else "misaligned"


def _policy(cause: Cause, config: ReadingConfig, tally: Tally) -> Policy:
    """Return what to do with an entity that does not fit."""
    if cause in MISSED and _setting(cause) in (tally.missed or ()):
        return "missed"
    policy: Policy = getattr(config, _setting(cause))
    return policy


def _is_kept(cause: Cause, policy: Policy, tally: Tally) -> bool:
    """Whether an entity that tags do not express stays beside them, because its sentence is scored or may be."""
    lost = cause in MISSED and policy != "error" and not (policy == "expand" and cause in GROWN)
    return lost and (policy == "missed" or tally.missed is None)


def _report(misfit: Misfit, text: str, config: ReadingConfig, tally: Tally, faults: Faults) -> None:
    """Report a misfit of a text, as a fault or as something done, by the policy of the config."""
    entity, cause, beside = misfit
    policy = _policy(cause, config, tally)
    shown = show_entity(entity, text)
    if policy != "error" or cause in HARMLESS:
        done = DONE.get(cause) or (GROWN.get(cause) if policy == "expand" else None) or "dropped"
        done = "counted as missed:" if policy == "missed" and cause not in HARMLESS else done
        tally.count(f"{done} {{}} entity|entities that {WORDS[cause][1]}", f"{shown} at {entity.place}")
        return
    found = f"{shown} {beside}" if beside else shown
    faults.advise(_choice(cause if cause == "nested" else "outside", options=tally.options))
    message = f"{WORDS[cause][0]}, got {found}; fix it, or choose {_choice(cause, options=tally.options)}"
    if cause == "inside" and config.text_rules.tokenize != "characters" and is_unspaced(show_entity(entity, text)):
        message += f", or split into characters, with {_setting_of('tokenize', 'characters', options=tally.options)}"
    values = {"text": text[max(0, entity.start) : max(0, entity.end)], "type": entity.type}
    faults.add("span", entity.place, message, **values, start=entity.start, end=entity.end, cause=cause)


def _setting_of(key: str, value: str, *, options: bool) -> str:
    """Return a setting as an option of the command line or as a key of a recipe."""
    return f"--{key} {value}" if options else f'{key} = "{value}"'


def _choice(cause: Cause, *, options: bool) -> str:
    """Return the policies under which a cause is no error, as options of the command line or as keys of a recipe."""
    key = _setting(cause)
    values = ["outermost", "innermost", "layers"] if cause == "nested" else ["drop"]
    values += ["expand"] if cause in ("inside", "sentence") else []
    if options:
        return f"--{key} {' or '.join(values)}"
    return f"{key} = " + " or ".join(f'"{value}"' for value in values)


def annotated_sentences(
    text: str,
    layers: Mapping[str, Sequence[Entity]],
    config: ReadingConfig,
    tally: Tally,
    faults: Faults,
    *,
    whole: bool = False,
    tokens: Sequence[CharSpan] = (),
) -> list[Sentence]:
    """Return the sentences of a text, with its entities as tags; offsets count in the whole text.

    Args:
        text: The text.
        layers: The entities of each layer.
        config: How to split the text, the scheme of the tags, and what to do with entities that do not fit.
        tally: Counts the entities that were changed or dropped.
        faults: Takes those that do not fit where that is an error.
        whole: Whether the text is one sentence.
        tokens: The offsets of the tokens, if the text comes with its own.

    Raises:
        DataError: The text has no token.
    """
    rules = config.text_rules
    if tokens:
        offsets, starts = _own_tokens(tokens, [(0, len(text))] if whole else rules.sentences(text))
    else:
        offsets, starts = _tokens((not whole and rules.split(text)) or [rules.sentence(text)])
    misaligned: Misaligned = "drop" if _policy("inside", config, tally) == "missed" else config.misaligned
    nested: Nested = "outermost" if _policy("nested", config, tally) == "missed" else config.nested
    found = {
        layer: align(text, offsets, starts, entities, misaligned=misaligned, nested=nested)
        for layer, entities in layers.items()
    }
    for misfit in (misfit for alignment in found.values() for misfit in alignment.misfits):
        _report(misfit, text, config, tally, faults)
    if any(alignment.nests for alignment in found.values()) and _policy("nested", config, tally) == "error":
        faults.advise(_choice("nested", options=tally.options))  # what else an error asks for, if some are expanded
    kept = sorted(set(starts).intersection(*(alignment.starts for alignment in found.values())))
    first_chars = [offsets[start][0] for start in kept]
    unaligned = {name: _unaligned(found[name].misfits, first_chars, config, tally) for name in layers}
    sentences = []
    for number, (start, end) in enumerate(zip(kept, [*kept[1:], len(offsets)], strict=True)):
        tags = {
            name: replace(
                _tags(found[name], start, end, config.scheme or "iob2", scored=tally.probabilities),
                unaligned=unaligned[name][number],
            )
            for name in layers
        }
        words = tuple(text[first:last] for first, last in offsets[start:end])
        sentences.append(Sentence(words, text, tuple(offsets[start:end]), tags))
    return sentences


def _unaligned(
    misfits: Sequence[Misfit], first_chars: Sequence[int], config: ReadingConfig, tally: Tally
) -> list[tuple[Unaligned, ...]]:
    """Return the entities of each sentence that its tags do not express; one belongs to the sentence it begins in."""
    found: list[dict[Unaligned, None]] = [{} for _ in first_chars]
    for (type_, start, end, *_), cause, _ in misfits:
        if _is_kept(cause, _policy(cause, config, tally), tally):
            found[max(0, bisect_right(first_chars, start) - 1)][Unaligned(type_, start, end)] = None
    return [tuple(entities) for entities in found]


def check_scheme(config: ReadingConfig, where: str) -> None:
    """Refuse IO for character spans, because it would join neighbouring entities.

    Raises:
        DataError: The scheme is IO.
    """
    if config.scheme == "io":
        raise DataError(
            f"{where}: scheme io is for tags and cannot separate neighbours of one type, as character spans can; "
            "remove it or choose another, such as iob2"
        )


def _tokens(parts: Sequence[Sentence]) -> tuple[list[CharSpan], list[int]]:
    """Return the offsets of the tokens of all sentences of a text, and which of them start a sentence."""
    return [offset for part in parts for offset in part.offsets], list(accumulate(map(len, parts[:-1]), initial=0))


def _own_tokens(tokens: Sequence[CharSpan], ranges: Sequence[CharSpan]) -> tuple[list[CharSpan], list[int]]:
    """Return the tokens that a text comes with, and which of them start a sentence: the first that begins in it."""
    firsts = {bisect_left(tokens, start, key=lambda token: token[0]) for start, _ in ranges}
    return list(tokens), sorted({0, *firsts} - {len(tokens)})


def _tags(found: Alignment, start: int, end: int, scheme: Scheme, *, scored: bool) -> TagLayer:
    """Return the tags of the tokens `[start, end)`, with the probabilities of their entities if all have one.

    No entity crosses this range.
    """
    first, last = (bisect_left(found.boundaries, token, key=lambda boundary: boundary.start) for token in (start, end))
    here = found.boundaries[first:last]
    inside = [boundary._replace(start=boundary.start - start, end=boundary.end - start) for boundary in here]
    scores = [found.scores[boundary] for boundary in here if boundary in found.scores]
    return TagLayer(
        tuple(spans_to_tags(inside, end - start, scheme)),
        scored_spans=tuple(zip(inside, scores, strict=True)) if scored and len(scores) == len(here) else None,
    )
