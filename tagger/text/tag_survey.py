"""Statistics of the tags of one column or layer, collected sentence by sentence in bounded memory.

Whether the tags have a scheme, which one, and where they violate it are questions about pairs of adjacent tags. So a
survey keeps each distinct pair once, with its count and the lines where it occurred first. Values that are tags of no
scheme are counted too, to distinguish a column of tags with mistakes from a column of other values.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tagger.errors import SHOWN, DataError, Problems
from tagger.text.schemes import (
    RULES,
    UNKNOWN,
    Scheme,
    describe,
    detect_scheme,
    is_legal,
    is_tag,
    touches,
)
from tagger.wording import counted

Pairs = Counter[tuple[str | None, str | None]]  # how often each tag follows each other; None is the edge
ORDER: tuple[Scheme, ...] = ("iob2", "bioes", "bilou", "iob1")

Found = tuple[int, list[tuple[int, str]]]  # how many problems there are; line and text of the first of them
ANY = "BIESLU"
MANY = 100_000  # distinct pairs of tags; a column with more of them has words that look like tags


class Places:
    """How often something occurred, and the first lines where it did."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[int] = []

    def add(self, line: int) -> None:
        """Count one more occurrence."""
        self.count += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)


class Survey:
    """The tags of one column or layer: `O`, pairs of tags with a prefix of any scheme, and all other values."""

    def __init__(self) -> None:
        self.num_outside = self.num_other = 0
        self.pairs: dict[tuple[str, str], Places] = {}
        self.endings: dict[tuple[str, str], Places] = {}  # the last two tags of a sentence
        self.others: list[tuple[int, str]] = []
        self.passed_over = Places()  # tags on lines that are not words

    def add(self, tags: Sequence[str | None], lines: Sequence[int]) -> None:
        """Count the tags of a sentence, one per line; unknown ones (None) are ignored."""
        if len(self.pairs) > MANY:
            return
        if tags.count("O") == len(tags):
            self.num_outside += len(tags)
            return
        before, last = "O", ("O", "O")
        for tag, line in zip(tags, lines, strict=True):
            if tag is None:
                tag = UNKNOWN
            elif tag == "O":
                self.num_outside += 1
            elif not _looks_like_tag(tag):
                self.num_other += 1
                self.others += [(line, tag)] if len(self.others) < SHOWN else []
                tag = "O"
            if before != "O" or tag != "O":
                self.pairs.setdefault((before, tag), Places()).add(line)
                last = (before, tag)
            before = tag
        if before != "O":
            self.endings.setdefault(last, Places()).add(line)

    def pass_over(self, value: str, line: int) -> None:
        """Count a value on a line that is not a word, if it is a tag, so that none is ignored without a report."""
        if _looks_like_tag(value):
            self.passed_over.add(line)

    @property
    def num_tags(self) -> int:
        """The number of tags with a prefix."""
        return sum(places.count for (_, tag), places in self.pairs.items() if tag not in ("O", UNKNOWN))

    def has_scheme(self) -> bool:
        """Whether these are entities: at least half of the values are `O` or tags, and few of them are distinct."""
        if len(self.pairs) > MANY:
            return False
        if not self.num_outside or not self.num_tags:
            return self.num_outside + self.num_tags > 0 and not self.num_other
        return self.num_outside + self.num_tags >= self.num_other

    def has_prefix(self, prefix: str) -> bool:
        """Whether a tag begins with this prefix."""
        return any(tag[0] == prefix for _, tag in self.pairs)

    def scheme(self) -> Scheme:
        """Return the scheme of the tags."""
        return detect_scheme(self.pairs)

    def unknown(self, scheme: Scheme) -> Found:
        """Return the number of values that are not tags of a scheme, and messages for the first of them."""

        def text(tag: str) -> str:
            return f"tag {tag!r} is not a valid {describe(scheme)}; {_advice(tag)}"

        strange = ((tag, places) for (_, tag), places in self.pairs.items() if tag != UNKNOWN)
        wrong = [(places, text(tag)) for tag, places in strange if not is_tag(tag, scheme)]
        count, first = _first(wrong)
        return count + self.num_other, sorted([*first, *((line, text(tag)) for line, tag in self.others)])[:SHOWN]

    def invalid(self, scheme: Scheme) -> Found:
        """Return the number of invalid tag transitions, and messages for the first of them."""
        illegal = {pair: places for pair, places in self.pairs.items() if not is_legal(*pair, scheme)}
        after = [
            (p, f"tag {tag!r} after {before!r} is not valid {scheme.upper()}") for (before, tag), p in illegal.items()
        ]
        last = [
            (places, f"tag {pair[1]!r} at the end of a sentence is not valid {scheme.upper()}")
            for pair, places in self.endings.items()
            if pair not in illegal and not is_legal(pair[1], None, scheme)
        ]
        return _first(after + last)

    def misplaced(self) -> Found:
        """Return the number of tags on lines that are not words, and messages for the first of them."""
        text = "a range (3-4) or an empty node (8.1) must have no tag; move the tag to the words"
        return _first([(self.passed_over, text)])

    def touching(self) -> Found:
        """Return the number of entities directly after another of their type, and messages for the first of them."""
        return _first(
            (places, f"an entity of type {tag[2:]!r} directly follows another")
            for (before, tag), places in self.pairs.items()
            if touches(before, tag)
        )


def complain(found: Found, where: str, advice: str = "") -> None:
    """Raise one error for the problems that a survey found, if there are any."""
    problems = Problems(f"{where}:{line}: {text}{advice}" for line, text in found[1])
    problems.count = found[0]
    if problems:
        raise DataError.of(problems)


def _looks_like_tag(value: str) -> bool:
    return len(value) > 2 and value[1] == "-" and value[0] in ANY


def _advice(tag: str) -> str:
    fits = [name for name in RULES if is_tag(tag, name)]
    return f"pass the scheme, such as {fits[0]}, if the file uses it" if fits else "fix the tag"


def _first(found: Iterable[tuple[Places, str]]) -> Found:
    """Return how often these occurred, and the text of each of the first lines where they did."""
    found = list(found)
    lines = sorted((line, text) for places, text in found for line in places.lines)
    return sum(places.count for places, _ in found), lines[:SHOWN]


def runs(tags: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield start and tags of each stretch without an `O`; in no scheme does a tag depend on more than that."""
    start = None
    for i, tag in enumerate((*tags, "O")):
        if tag != "O" and start is None:
            start = i
        elif tag == "O" and start is not None:
            yield start, tuple(tags[start:i])
            start = None


def pairs_of(sequences: Iterable[Sequence[str | None]]) -> Pairs:
    """Count how often each tag follows each other in sentences; None is the edge of a sentence.

    Unknown tags are `UNKNOWN` in the pairs.
    """
    marked = ([UNKNOWN if tag is None else tag for tag in tags] for tags in sequences)
    return Counter(chain.from_iterable(zip((None, *tags), (*tags, None), strict=True) for tags in marked if tags))


def tags_in(pairs: Iterable[tuple[str | None, str | None]]) -> set[str]:
    """Return the tags in pairs that are neither unknown nor empty."""
    return {tag for pair in pairs for tag in pair if tag and tag != UNKNOWN}


def speaks_against(pair: tuple[str | None, str | None], scheme: Scheme) -> bool:
    """Whether two adjacent tags are not of a scheme, or in an order that it does not allow."""
    before, after = pair
    if UNKNOWN in pair:
        return bool(after) and after != UNKNOWN and not is_tag(str(after), scheme)
    if after and not is_tag(after, scheme):
        return True
    return all(tag is None or is_tag(tag, scheme) for tag in pair) and not is_legal(before, after, scheme)


def num_faults(pairs: Pairs, scheme: Scheme) -> int:
    """Return how many pairs of adjacent tags violate a scheme."""
    return sum(count for pair, count in pairs.items() if speaks_against(pair, scheme))


def best_scheme(pairs: Pairs) -> Scheme:
    """Return the scheme that the fewest pairs violate."""
    tags = tags_in(pairs)
    return min(ORDER, key=lambda scheme: (num_faults(pairs, scheme), sum(not is_tag(tag, scheme) for tag in tags)))


def widest_scheme(pairs: Pairs, *, but: Scheme) -> Scheme:
    """Return the scheme, other than `but`, that has most of the tags; among equals the one with the fewest faults."""

    def unfit(scheme: Scheme) -> tuple[int, int]:
        found = ((tag, count) for (_, tag), count in pairs.items() if tag and tag != UNKNOWN)
        return sum(count for tag, count in found if not is_tag(tag, scheme)), num_faults(pairs, scheme)

    return min((scheme for scheme in ORDER if scheme != but), key=unfit)


def said_of_rival(pairs: Pairs, scheme: Scheme) -> str:
    """Return a remark on the next best scheme if tags violate `scheme` and the other is about as good; else nothing.

    About as good is at most twice as many faults plus one, so that 1 and 3 are reported.
    """
    faults = num_faults(pairs, scheme)
    others = [(num_faults(pairs, other), other) for other in ORDER if other != scheme]
    number, rival = min(others, key=lambda found: found[0])
    if not faults or scheme == "io" or number > 2 * faults + 1:
        return ""
    return f" ({counted(faults, 'fault')}; {number} as {rival.upper()})"
