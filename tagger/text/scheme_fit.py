"""How well tags fit each scheme: which one the fewest of them speak against, and which comes next.

A few broken tags among many do not change what fits best. Which scheme a corpus in order is read in is the business of
`schemes.detect_scheme`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from tagger.text.schemes import Scheme, is_legal, is_tag

Pairs = Counter[tuple[str | None, str | None]]  # how often each tag stands behind each other; None is an edge
ORDER: tuple[Scheme, ...] = ("iob2", "bioes", "bilou", "iob1")


def pairs_of(sequences: Iterable[Sequence[str]]) -> Pairs:
    """How often each tag stands behind each other in sentences; None is the edge of one."""
    return Counter(chain.from_iterable(zip((None, *tags), (*tags, None), strict=True) for tags in sequences if tags))


def speaks_against(pair: tuple[str | None, str | None], scheme: Scheme) -> bool:
    """Whether two tags that stand side by side are not of a scheme, or not in an order that it allows."""
    before, after = pair
    if after and not is_tag(after, scheme):
        return True
    return all(tag is None or is_tag(tag, scheme) for tag in pair) and not is_legal(before, after, scheme)


def num_faults(pairs: Pairs, scheme: Scheme) -> int:
    """How often two tags that stand side by side speak against a scheme."""
    return sum(count for pair, count in pairs.items() if speaks_against(pair, scheme))


def best_scheme(pairs: Pairs) -> Scheme:
    """The scheme that the fewest tags speak against."""
    tags = {tag for pair in pairs for tag in pair if tag}
    return min(ORDER, key=lambda scheme: (num_faults(pairs, scheme), sum(not is_tag(tag, scheme) for tag in tags)))


def widest_scheme(pairs: Pairs, *, but: Scheme) -> Scheme:
    """The scheme, other than one, that has the most of the tags; of several, that which the fewest speak against."""

    def unfit(scheme: Scheme) -> tuple[int, int]:
        strange = sum(count for (_, tag), count in pairs.items() if tag and not is_tag(tag, scheme))
        return strange, num_faults(pairs, scheme)

    return min((scheme for scheme in ORDER if scheme != but), key=unfit)


def said_of_rival(pairs: Pairs, scheme: Scheme) -> str:
    """What is to be said behind a scheme that tags speak against, where another is about as good; else nothing.

    That is one with at most twice as many faults and one more, so that 1 and 3 are told.
    """
    faults = num_faults(pairs, scheme)
    others = [(num_faults(pairs, other), other) for other in ORDER if other != scheme]
    number, rival = min(others, key=lambda found: found[0])
    if not faults or scheme == "io" or number > 2 * faults + 1:
        return ""
    return f" ({faults} fault{'s' * (faults > 1)}; {number} as {rival.upper()})"
