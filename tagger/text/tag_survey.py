"""What the tags of one column or layer are like, counted sentence by sentence in memory that does not grow.

Whether they have a scheme, which one it is, and where they break it are all questions about a tag and the one before
it. So a survey keeps each pair of tags once, with how often and on which lines it was first seen. Values that no scheme
has are counted too, for a column must be told from one of other values, and a slip from a tag.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tagger.errors import SHOWN, DataError, Problems
from tagger.text.schemes import (
    RULES,
    Scheme,
    describe,
    detect_scheme_of_pairs,
    is_legal,
    is_tag,
    touches,
)

Pairs = Counter[tuple[str | None, str | None]]  # how often each tag stands behind each other; None is an edge
ORDER: tuple[Scheme, ...] = ("iob2", "bioes", "bilou", "iob1")

Problem = tuple[int, str]
ANY = "BIESLU"
MANY = 100_000  # pairs of tags; a column with more of them has words that look like tags


class Places:
    """How often something was seen, and the first lines of it."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[int] = []

    def add(self, line: int) -> None:
        """Count one more."""
        self.count += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)


class Survey:
    """The tags of one column or layer: `O`, tags with a prefix of any scheme in pairs, and all other values."""

    def __init__(self) -> None:
        self.num_outside = self.num_other = 0
        self.pairs: dict[tuple[str, str], Places] = {}
        self.endings: dict[tuple[str, str], Places] = {}  # the last two tags of a sentence
        self.others: list[tuple[int, str]] = []
        self.passed_over = Places()  # tags on lines that are no words

    def add(self, tags: Sequence[str], lines: Sequence[int]) -> None:
        """Count the tags of a sentence, each on its line."""
        if len(self.pairs) > MANY:
            return
        if tags.count("O") == len(tags):
            self.num_outside += len(tags)
            return
        before, last = "O", ("O", "O")
        for tag, line in zip(tags, lines, strict=True):
            if tag == "O":
                self.num_outside += 1
            elif not _looks_like_tag(tag):
                self._add_other(tag, line)
                tag = "O"
            if before != "O" or tag != "O":
                self.pairs.setdefault((before, tag), Places()).add(line)
                last = (before, tag)
            before = tag
        if before != "O":
            self.endings.setdefault(last, Places()).add(line)

    def pass_over(self, value: str, line: int) -> None:
        """Count a value on a line that is no word, where it is a tag and so would be lost sight of."""
        if _looks_like_tag(value):
            self.passed_over.add(line)

    def _add_other(self, value: str, line: int) -> None:
        self.num_other += 1
        if len(self.others) < SHOWN:
            self.others.append((line, value))

    @property
    def num_tags(self) -> int:
        """How many tags with a prefix there are."""
        return sum(places.count for (_, tag), places in self.pairs.items() if tag != "O")

    def has_scheme(self) -> bool:
        """Whether these are entities: at least half of the values are `O` or tags, and not ever new ones."""
        if len(self.pairs) > MANY:
            return False
        if not self.num_outside or not self.num_tags:
            return self.num_outside + self.num_tags > 0 and not self.num_other
        return self.num_outside + self.num_tags >= self.num_other

    def has_prefix(self, prefix: str) -> bool:
        """Whether a tag begins with this prefix."""
        return any(tag[0] == prefix for _, tag in self.pairs)

    def scheme(self) -> Scheme:
        """The scheme that the tags are in; see `detect_scheme`."""
        return detect_scheme_of_pairs(self.pairs)

    def unknown(self, scheme: Scheme) -> tuple[int, list[Problem]]:
        """How many values are no tag of a scheme, and the first of them by line, in words."""
        wrong = {pair: places for pair, places in self.pairs.items() if not is_tag(pair[1], scheme)}
        found = [(line, tag) for (_, tag), places in wrong.items() for line in places.lines] + self.others
        count = sum(places.count for places in wrong.values()) + self.num_other
        return count, _first((line, f"tag {tag!r} is no {describe(scheme)}; {_advice(tag)}") for line, tag in found)

    def invalid(self, scheme: Scheme) -> tuple[int, list[Problem]]:
        """How many tags may not stand where they do, and the first of them by line, in words."""
        illegal = {p: places for p, places in self.pairs.items() if not is_legal(*p, scheme)}
        unended = {
            p: places for p, places in self.endings.items() if p not in illegal and not is_legal(p[1], None, scheme)
        }
        name = scheme.upper()
        found = [
            (line, f"tag {tag!r} after {before!r} is not valid {name}")
            for (before, tag), places in illegal.items()
            for line in places.lines
        ] + [
            (line, f"tag {tag!r} at the end of a sentence is not valid {name}")
            for (_, tag), places in unended.items()
            for line in places.lines
        ]
        return sum(places.count for places in (*illegal.values(), *unended.values())), _first(found)

    def misplaced(self) -> tuple[int, list[Problem]]:
        """How many tags stand on lines that are no words, and the first of them by line, in words."""
        text = "a range (3-4) or an empty node (8.1) must have no tag; give it to the words"
        return self.passed_over.count, [(line, text) for line in self.passed_over.lines]

    def touching(self) -> tuple[int, list[Problem]]:
        """How many entities begin right behind another of their type, and the first of them by line, in words."""
        wrong = {pair: places for pair, places in self.pairs.items() if touches(*pair)}
        found = [
            (line, f"an entity of type {tag[2:]!r} stands right behind another")
            for (_, tag), places in wrong.items()
            for line in places.lines
        ]
        return sum(places.count for places in wrong.values()), _first(found)


def complain(found: tuple[int, list[Problem]], where: str, advice: str = "") -> None:
    """Raise one error for what a survey found, if it is anything."""
    problems = Problems()
    problems += (f"{where}:{line}: {text}{advice}" for line, text in found[1])
    problems.count = found[0]
    if problems:
        raise DataError.of(problems)


def _looks_like_tag(value: str) -> bool:
    return len(value) > 2 and value[1] == "-" and value[0] in ANY


def _advice(tag: str) -> str:
    fits = [name for name in RULES if is_tag(tag, name)]
    return f"name the scheme, such as {fits[0]}, if the file uses it" if fits else "mend the tag"


def _first(found: Iterable[Problem]) -> list[Problem]:
    return sorted(found)[:SHOWN]


def runs(tags: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each stretch of tags without an `O`, with where it starts: no scheme looks further than that."""
    start = None
    for i, tag in enumerate((*tags, "O")):
        if tag != "O" and start is None:
            start = i
        elif tag == "O" and start is not None:
            yield start, tuple(tags[start:i])
            start = None


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
