"""What readers did with things that did not fit, and what they ignored: counted, and reported as one note each."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tagger.text.sentence import Sentence
from tagger.wording import counted

UNFIT = frozenset({"misaligned", "nested"})  # settings for entities that tags cannot express
CHOICE = re.compile(r"(\w+)\|(\w+)")  # the form of a word for one thing and for several


@dataclass
class Tally:
    """Counts of what was done and of what was ignored while files were read.

    Args:
        options: Whether advice names options of the command line; otherwise it names keys of a recipe.
        missed: For sentences that are only scored: the settings (`misaligned`, `nested`) in whose place an entity that
            tags cannot express counts as missed. None: the sentences are not only scored.
        probabilities: Whether the probabilities of predictions are read.
        tags: The tags of the model in layers that the file may have; None if they are unknown.
        counts: How often each thing was done.
        firsts: Where each was done first.
        unread: In how many lines each JSON key is not read as a layer; it stays in the record of the sentence.
        guessed: Layers from JSON lists whose key does not say that they are tags, by that key.
        left: In how many places a file says something that sentences cannot hold.
        has_tokens: Whether a text with character spans came with tokens of its own.
    """

    options: bool = False
    missed: frozenset[str] | None = None
    probabilities: bool = False
    tags: frozenset[str] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    guessed: dict[str, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    has_tokens: bool = False

    def count(self, what: str, first: str) -> None:
        """Count one thing that was done: `what` has `{}` for the number and `one|several` for the form of a word."""
        self.counts[what] += 1
        self.firsts.setdefault(what, first)

    def settled(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """Return the sentences without the layers whose key holds something else than tags in another line."""
        wrong = {layer for key, layer in self.guessed.items() if key in self.unread}
        if not wrong:
            return list(sentences)
        self.unread.update(
            key for s in sentences for key, layer in self.guessed.items() if layer in wrong & {*s.layers}
        )
        return [replace(s, layers={n: v for n, v in s.layers.items() if n not in wrong}) for s in sentences]

    def skipped_since(self, before: Counter[str]) -> list[str]:
        """Return one sentence for each kind of thing that was skipped since the counts were these."""
        new = {what: number for what, number in (self.counts - before).items() if what.startswith("skipped")}
        return [_numbered(what, number) for what, number in new.items()]

    def notes(self) -> list[str]:
        """Return one sentence for each thing that was done or ignored."""
        done = [f"{_numbered(what, number)}, the first {self.firsts[what]}" for what, number in self.counts.items()]
        return done + [
            f"{counted(count, 'line')} {'has' if count == 1 else 'have'} the key `{key}`, which is not read as a layer"
            for key, count in self.unread.items()
        ]


def _numbered(what: str, number: int) -> str:
    """Return what was done, with its number and the matching form of each word."""
    return CHOICE.sub(r"\1" if number == 1 else r"\2", what).format(number)
