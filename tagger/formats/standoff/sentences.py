"""A text with its entities as sentences of tagged tokens, and what is to be told of those that do not fit.

Readers of any format give a text and `Entity` objects; what stands where is decided in `alignment`.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.json_keys import KeyTally
from tagger.formats.standoff.alignment import Cause, Entity, Misfit, align, show_entity
from tagger.text.choices import Misaligned, Nested
from tagger.text.schemes import Boundary, Scheme, spans_to_tags
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.tokenization import CharSpan, sentence_from_text, split_sentences

LAYER = "ner"  # the layer of entities, where no other is named
LINE = re.compile(r"[^\n]*\S[^\n]*")

CHOICE = re.compile(r"(\w+)\|(\w+)")  # how a word is said of one and of several

WORDS: dict[Cause, tuple[str, str]] = {  # what must hold of an entity; what those do that do not hold it
    "outside": ("an entity must stand inside its text", "reaches|reach outside the text"),
    "empty": ("an entity must hold a character that is not white space", "is|are empty or white space"),
    "pieces": ("an entity must be one piece", "is|are in several pieces"),
    "text": ("an entity must read as it was annotated", "reads|read otherwise than annotated"),
    "inside": ("an entity must begin and end with a token", "begins|begin or ends|end inside a token"),
    "sentence": ("an entity must stand in one sentence", "crosses|cross the end of a sentence"),
    "overlap": ("an entity must not overlap another", "overlaps|overlap another"),
    "nested": ("an entity must not stand in another", "is|are nested"),
    "twice": ("an entity must stand once", "stands|stand twice"),
    "blank": ("an entity must begin and end with a token", "has|have white space at the ends"),
}
HARMLESS: tuple[Cause, ...] = ("blank", "twice")  # are told and never refused
GROWN: dict[Cause, str] = {"inside": "expanded", "sentence": "joined the sentences of", "blank": "trimmed"}


@dataclass
class Tally:
    """What was found while entities were read: problems that are errors, and counts of what was done, to be told.

    With `options`, an error names the policies as options of the command line, else as keys of a recipe.
    """

    misaligned: Misaligned = "error"
    nested: Nested = "error"
    options: bool = False
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    keys: KeyTally = field(default_factory=KeyTally)

    def add(self, misfit: Misfit, text: str) -> None:
        """Keep a misfit of a text: as a problem, or counted, by the policy that it falls under."""
        entity, cause, _ = misfit
        what = WORDS[cause][1]
        policy = self.nested if cause == "nested" else self.misaligned
        if policy == "error" and cause not in HARMLESS:
            self.refuse(misfit, text)
            return
        done = GROWN.get(cause, "dropped") if policy == "expand" or cause == "blank" else "dropped"
        self.count(f"{done} {{}} entity|entities that {what}", f"{show_entity(entity, text)} at {entity.place}")

    def refuse(self, misfit: Misfit, text: str) -> None:
        """Keep a misfit as a problem."""
        self.problems.append(f"{misfit.entity.place}: {self.said_of(misfit, text)}")

    def said_of(self, misfit: Misfit, text: str) -> str:
        """What must hold of an entity, what was found, and what to do."""
        entity, cause, beside = misfit
        beside = f" {beside}" if beside else ""
        shown = show_entity(entity, text)
        return f"{WORDS[cause][0]}, got {shown}{beside}; mend it, or choose {self._choice(cause)}"

    def _choice(self, cause: Cause) -> str:
        """The policies under which a cause is no error."""
        key = "nested" if cause == "nested" else "misaligned"
        values = ["outermost", "innermost"] if cause == "nested" else ["drop"]
        values += ["expand"] if cause in ("inside", "sentence") else []
        if self.options:
            return f"--{key} {' or '.join(values)}"
        return f"{key} = " + " or ".join(f'"{value}"' for value in values)

    def count(self, what: str, first: str) -> None:
        """Count something that was done; `what` has `{}` for the number, `one|several` for words that depend on it."""
        self.counts[what] += 1
        self.firsts.setdefault(what, first)

    def notes(self) -> list[str]:
        """What was done, a sentence each."""
        done = [f"{_numbered(what, number)}, the first {self.firsts[what]}" for what, number in self.counts.items()]
        return done + self.keys.notes()


def _numbered(what: str, number: int) -> str:
    return CHOICE.sub(r"\1" if number == 1 else r"\2", what).format(number)


def annotated_sentences(
    text: str,
    layers: Mapping[str, Sequence[Entity]],
    config: ReadingConfig,
    tally: Tally,
    *,
    whole: bool = False,
    tokens: Sequence[CharSpan] = (),
) -> list[Sentence]:
    """The sentences of a text, with its entities as tags; each carries the text whole and counts its offsets in it.

    Args:
        text: The text.
        layers: The entities of each layer.
        config: How to tokenise, which scheme to write and what to do with what does not fit.
        tally: Is told what does not fit.
        whole: Whether the text is one sentence.
        tokens: Where the tokens stand, if the text comes with its own.

    Raises:
        DataError: The text has no token.
    """
    ranges = [(0, len(text))] if whole else _sentences(text, config)
    offsets, starts = _own_tokens(tokens, ranges) if tokens else _tokens(text, ranges, config)
    found = {
        layer: align(text, offsets, starts, entities, misaligned=tally.misaligned, nested=tally.nested)
        for layer, entities in layers.items()
    }
    for misfit in (misfit for alignment in found.values() for misfit in alignment.misfits):
        tally.add(misfit, text)
    kept = sorted(set(starts).intersection(*(alignment.starts for alignment in found.values())))
    sentences = []
    for start, end in zip(kept, [*kept[1:], len(offsets)], strict=True):
        tags = {name: _tags(found[name].boundaries, start, end, config.scheme or "iob2") for name in layers}
        words = tuple(text[first:last] for first, last in offsets[start:end])
        sentences.append(Sentence(words, text, tuple(offsets[start:end]), tags))
    return sentences


def check_scheme(config: ReadingConfig, where: str) -> None:
    """Refuse IO for character spans, for it would make one entity of two that are told apart.

    Raises:
        DataError: The scheme is IO.
    """
    if config.scheme == "io":
        raise DataError(
            f"{where}: scheme io is for tags and cannot tell neighbours of one type apart, which character spans can; "
            "leave it out, or name another, such as iob2"
        )


def _sentences(text: str, config: ReadingConfig) -> list[CharSpan]:
    """The sentences of a text: by the library's rules, or the lines where it is tokenised already."""
    found = split_sentences(text) if config.tokenize == "words" else [line.span() for line in LINE.finditer(text)]
    return found or [(0, len(text))]


def _tokens(text: str, ranges: Sequence[CharSpan], config: ReadingConfig) -> tuple[list[CharSpan], list[int]]:
    """Where the tokens of a text stand, and which of them open a sentence."""
    parts = [sentence_from_text(text[start:end], config.tokenize, start=start) for start, end in ranges]
    return [offset for part in parts for offset in part.offsets], list(accumulate(map(len, parts[:-1]), initial=0))


def _own_tokens(tokens: Sequence[CharSpan], ranges: Sequence[CharSpan]) -> tuple[list[CharSpan], list[int]]:
    """The tokens that a text comes with, and which of them open a sentence: the first that begins in it."""
    firsts = {bisect_left(tokens, start, key=lambda token: token[0]) for start, _ in ranges}
    return list(tokens), sorted({0, *firsts} - {len(tokens)})


def _tags(boundaries: Sequence[Boundary], start: int, end: int, scheme: Scheme) -> TagLayer:
    """The tags of the tokens `[start, end)`, of whose entities none reaches out of them."""
    first, last = (bisect_left(boundaries, token, key=lambda boundary: boundary.start) for token in (start, end))
    inside = [Boundary(type_, first - start, last - start) for type_, first, last in boundaries[first:last]]
    return TagLayer(tuple(spans_to_tags(inside, end - start, scheme)))
