"""A text with its entities as sentences of tagged tokens, and reports of entities that do not fit the tokens.

Readers of any format give a text and `Entity` objects; which tokens an entity is, is decided in `alignment`.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.standoff.alignment import Cause, Entity, Misfit, align, show_entity
from tagger.formats.tally import Tally
from tagger.text.schemes import Boundary, Scheme, spans_to_tags
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.tokenization import CharSpan, TextRules

LAYER = "ner"  # the default layer of entities

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
}
HARMLESS: tuple[Cause, ...] = ("blank", "twice")  # are reported, and are never an error
GROWN: dict[Cause, str] = {"inside": "expanded", "sentence": "joined the sentences of", "blank": "trimmed"}


def _report(misfit: Misfit, text: str, config: ReadingConfig, tally: Tally, faults: Faults) -> None:
    """Report a misfit of a text, as a fault or as something done, by the policy of the config."""
    entity, cause, beside = misfit
    policy = config.nested if cause == "nested" else config.misaligned
    shown = show_entity(entity, text)
    if policy != "error" or cause in HARMLESS:
        done = GROWN.get(cause, "dropped") if policy == "expand" or cause == "blank" else "dropped"
        tally.count(f"{done} {{}} entity|entities that {WORDS[cause][1]}", f"{shown} at {entity.place}")
        return
    found = f"{shown} {beside}" if beside else shown
    message = f"{WORDS[cause][0]}, got {found}; fix it, or choose {_choice(cause, options=tally.options)}"
    values = {"text": text[max(0, entity.start) : max(0, entity.end)], "type": entity.type}
    faults.add("span", entity.place, message, **values, start=entity.start, end=entity.end, cause=cause)


def _choice(cause: Cause, *, options: bool) -> str:
    """Return the policies under which a cause is no error, as options of the command line or as keys of a recipe."""
    key = "nested" if cause == "nested" else "misaligned"
    values = ["outermost", "innermost"] if cause == "nested" else ["drop"]
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
    ranges = [(0, len(text))] if whole else _sentences(text, config.text_rules)
    offsets, starts = _own_tokens(tokens, ranges) if tokens else _tokens(text, ranges, config.text_rules)
    found = {
        layer: align(text, offsets, starts, entities, misaligned=config.misaligned, nested=config.nested)
        for layer, entities in layers.items()
    }
    for misfit in (misfit for alignment in found.values() for misfit in alignment.misfits):
        _report(misfit, text, config, tally, faults)
    kept = sorted(set(starts).intersection(*(alignment.starts for alignment in found.values())))
    sentences = []
    for start, end in zip(kept, [*kept[1:], len(offsets)], strict=True):
        tags = {name: _tags(found[name].boundaries, start, end, config.scheme or "iob2") for name in layers}
        words = tuple(text[first:last] for first, last in offsets[start:end])
        sentences.append(Sentence(words, text, tuple(offsets[start:end]), tags))
    return sentences


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


def _sentences(text: str, rules: TextRules) -> list[CharSpan]:
    """Return the sentences of a text; one without tokens is one sentence."""
    return rules.sentences(text) or [(0, len(text))]


def _tokens(text: str, ranges: Sequence[CharSpan], rules: TextRules) -> tuple[list[CharSpan], list[int]]:
    """Return the offsets of the tokens of a text, and which of them start a sentence."""
    parts = [rules.sentence(text[start:end], start=start) for start, end in ranges]
    return [offset for part in parts for offset in part.offsets], list(accumulate(map(len, parts[:-1]), initial=0))


def _own_tokens(tokens: Sequence[CharSpan], ranges: Sequence[CharSpan]) -> tuple[list[CharSpan], list[int]]:
    """Return the tokens that a text comes with, and which of them start a sentence: the first that begins in it."""
    firsts = {bisect_left(tokens, start, key=lambda token: token[0]) for start, _ in ranges}
    return list(tokens), sorted({0, *firsts} - {len(tokens)})


def _tags(boundaries: Sequence[Boundary], start: int, end: int, scheme: Scheme) -> TagLayer:
    """Return the tags of the tokens `[start, end)`; no entity crosses this range."""
    first, last = (bisect_left(boundaries, token, key=lambda boundary: boundary.start) for token in (start, end))
    inside = [Boundary(type_, first - start, last - start) for type_, first, last in boundaries[first:last]]
    return TagLayer(tuple(spans_to_tags(inside, end - start, scheme)))
