"""Tags of which some are unknown: what is known of the entities in them, and how they read in another scheme.

An unknown tag is None. Its neighbours may then be unclear too: whether the entity of `B-PER` goes on in the next token
cannot be told if the tag of that token is unknown. All functions treat tags without None as `schemes.py` does.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TypeGuard

from tagger.text.schemes import (
    CLOSING,
    RULES,
    STARTING,
    Boundary,
    Scheme,
    convert_tags,
    goes_on,
    is_legal,
    lenient_spans,
    repair_tags,
    split_tag,
    tags_of_types,
    tags_to_spans,
)

Tags = Sequence[str | None]


def all_known(tags: Tags) -> TypeGuard[Sequence[str]]:
    """Whether no tag is unknown."""
    return None not in tags


def known_of(tags: Iterable[str | None]) -> list[str]:
    """Return the tags that are known."""
    return [tag for tag in tags if tag is not None]


def filled(tags: Tags) -> list[str]:
    """Return the tags with `O` for each unknown one."""
    return ["O" if tag is None else tag for tag in tags]


@lru_cache(maxsize=100_000)
def spellings(before: str | None, tag: str, after: str | None, source: Scheme, target: Scheme) -> tuple[str, ...]:
    """Return how a tag may be written in another scheme, given the tags beside it.

    Args:
        before: The tag before it, None if unknown, `O` at the edge of the sentence.
        tag: A tag that is known.
        after: The tag after it, as `before`.
        source: The scheme of these tags.
        target: The scheme of the result.

    Source:
        Compared with the conversion of all sequences that agree with the known tags in tests/text/test_gaps.py.
    """
    entity_type = split_tag(tag)[1]
    if not entity_type:
        return (tag,)
    near = tags_of_types([entity_type], source)  # an entity of another type beside the tag has the effect of an `O`
    lefts = [left for left in near if is_legal(left, tag, source)] if before is None else [before]
    rights = [right for right in near if is_legal(tag, right, source)] if after is None else [after]
    return tuple(dict.fromkeys(_spelled(left, tag, right, target) for left in lefts for right in rights))


def _spelled(before: str, tag: str, after: str, target: Scheme) -> str:
    """Return a tag in another scheme, if the tags beside it are known."""
    rules, entity_type = RULES[target], split_tag(tag)[1]
    begins, ends = not goes_on(before, tag), not goes_on(tag, after)
    if begins and rules.dividing and split_tag(before)[1] == entity_type:
        return f"{rules.dividing}-{entity_type}"
    if begins:
        return f"{rules.single if ends else rules.opening[0]}-{entity_type}"
    return f"{rules.final if ends else 'I'}-{entity_type}"


def converted(tags: Tags, source: Scheme, target: Scheme) -> tuple[str | None, ...]:
    """Return tags in another scheme; a tag that depends on an unknown one beside it becomes unknown."""
    if source == target:
        return tuple(tags)
    if all_known(tags):
        return tuple(convert_tags(tags, source, target))
    edged = ["O", *tags, "O"]
    new: list[str | None] = []
    for before, tag, after in zip(edged, tags, edged[2:], strict=False):
        found = spellings(before, tag, after, source, target) if tag is not None else ()
        new.append(found[0] if len(found) == 1 else None)
    return tuple(new)


def respelled_gaps(tags: Tags, new: Sequence[str], scheme: Scheme) -> tuple[str | None, ...]:
    """Return valid tags for entities that were read as if unknown tags were `O`, with the unknown tags put back.

    Args:
        tags: The tags before.
        new: The valid tags, maybe with other types.
        scheme: The scheme of both.
    """
    if all_known(tags):
        return tuple(new)
    edged = ["O", *tags, "O"]
    out: list[str | None] = []
    for before, tag, after, written in zip(edged, tags, edged[2:], new, strict=False):
        if tag is None:
            out.append(None)
            continue
        beside = (before is None or after is None) and written != "O"
        found = spellings(before, tag, after, scheme, scheme) if beside else ()
        kept = tag if tag in found else found[0] if found else None
        out.append(f"{kept[0]}-{split_tag(written)[1]}" if kept else written)
    return tuple(out)


def repaired(tags: Tags, scheme: Scheme) -> tuple[str | None, ...]:
    """Return valid tags for the entities that conlleval reads in `tags`; valid and unknown tags are unchanged."""
    return respelled_gaps(tags, repair_tags(filled(tags), scheme), scheme)


def open_tokens(tags: Tags) -> set[int]:
    """Return the tokens of which it is not fully known which entity they belong to.

    These are the tokens with unknown tags, and the tokens of each entity that may go on in one of them.
    """
    unknown = {i for i, tag in enumerate(tags) if tag is None}
    found = set(unknown)
    for span in lenient_spans(filled(tags)) if unknown else ():
        begins = span.start - 1 not in unknown or str(tags[span.start])[0] in STARTING
        ends = span.end not in unknown or str(tags[span.end - 1])[0] in CLOSING
        if not (begins and ends):
            found.update(range(span.start, span.end))
    return found


def known_spans(tags: Tags, scheme: Scheme) -> list[Boundary]:
    """Return the entities that are fully known."""
    if all_known(tags):
        return tags_to_spans(tags, scheme)
    unclear = open_tokens(tags)
    return [span for span in lenient_spans(filled(tags)) if span.start not in unclear]  # gold tags are valid


def impossible_gaps(tags: Tags, scheme: Scheme) -> list[int]:
    """Return the positions of unknown tags for which no tag fits between the known ones beside them."""
    found = []
    for i in range(1, len(tags) - 1):
        before, after = tags[i - 1], tags[i + 1]
        if tags[i] is not None or before is None or after is None:
            continue
        types = [split_tag(before)[1], split_tag(after)[1]]
        between = tags_of_types(filter(None, types), scheme)
        if not any(is_legal(before, tag, scheme) and is_legal(tag, after, scheme) for tag in between):
            found.append(i)
    return found


def is_counted(span: Boundary, unclear: Collection[int], types: Collection[str] | None) -> bool:
    """Whether a predicted entity can be compared with gold: it is clear of unknown tags, and its type is annotated."""
    return (types is None or span.type in types) and not any(i in unclear for i in range(span.start, span.end))
