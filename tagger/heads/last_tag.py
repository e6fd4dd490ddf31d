"""The last tag of a growing sequence, written in another scheme, without reading the sequence again.

An `Ending` holds all that matters of a sequence: its last tag, and the state of the entity that this tag may belong to.
Each new tag gives a new ending. `convert_tags` gives the same result for whole sequences.
"""

from functools import lru_cache
from typing import NamedTuple

from tagger.text.schemes import RULES, Scheme, goes_on, is_legal, split_tag


class Ending(NamedTuple):
    """The end of a sequence, as far as it decides how the last tag is written.

    Args:
        tag: The last tag.
        proper: Whether the entity that it belongs to is valid in the scheme so far.
        long: Whether this entity has more than one token.
        divided: Whether an entity of the same type ends right before it.
    """

    tag: str = "O"
    proper: bool = False
    long: bool = False
    divided: bool = False

    def is_entity(self, scheme: Scheme) -> bool:
        """Whether an entity ends here."""
        return self.proper and split_tag(self.tag)[0] not in RULES[scheme].unfinished


@lru_cache(maxsize=100_000)
def extend(ending: Ending, tag: str, scheme: Scheme) -> Ending:
    """Return the ending after one more tag; a sequence starts from `Ending()`."""
    prefix, entity_type = split_tag(tag)
    if goes_on(ending.tag, tag):
        legal = is_legal(ending.tag, tag, scheme)
        return Ending(tag, ending.proper and legal, True, ending.divided)
    beside = bool(prefix) and split_tag(ending.tag)[1] == entity_type
    rules = RULES[scheme]
    proper = bool(prefix) and (prefix in rules.opening or (prefix in rules.dividing and beside))
    return Ending(tag, proper, False, beside and ending.is_entity(scheme))


def last_tag(ending: Ending, scheme: Scheme, shown: Scheme) -> str:
    """Return the last tag of a sequence in `scheme`, written in the scheme `shown`.

    Source:
        The last tag of `convert_tags`; compared in tests/heads/test_last_tag.py.
    """
    if scheme == shown:
        return ending.tag
    if not ending.is_entity(scheme):
        return "O"
    rules = RULES[shown]
    single = rules.dividing if ending.divided and rules.dividing else rules.single
    return f"{rules.final if ending.long else single}-{split_tag(ending.tag)[1]}"
