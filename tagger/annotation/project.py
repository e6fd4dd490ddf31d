"""A project of annotation: texts, the judgements on them, and a model that suggests and learns beside them.

A judgement is about tokens `[start, end)` of a sentence: they are an entity of a type, or no token of them is in an
entity (type None). All other tokens stay unknown.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A span that the model suggests: tokens `[start, end)`, with the probability that they are exactly this entity."""

    start: int
    end: int
    type: str
    probability: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement that holds: tokens `[start, end)` are an entity of a type, or None of them is in an entity."""

    id: int
    start: int
    end: int
    type: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """A text to judge: one sentence.

    Args:
        id: Its number in the project.
        text: The sentence.
        tokens: Start and end of each token in `text`.
        suggestions: What the model suggests where nothing is judged, in the order of the text.
        judged: The judgements that hold, in the order of the text.
        why: A short reason why this text comes now.
    """

    id: int
    text: str
    tokens: list[tuple[int, int]]
    suggestions: list[Suggestion]
    judged: list[Judged]
    why: str


class Project:
    """A project that is open.

    A later judgement replaces earlier spans that it overlaps, and the part of earlier stretches without an entity that
    it overlaps. "Nothing else here" holds for all tokens of the sentence that no span covers, also for spans judged
    later.
    """

    types: list[str]

    def next(self, after: int | None = None) -> Item | None:
        """Return the text that teaches most among those not yet judged or skipped; None if all are done."""
        raise NotImplementedError

    def item(self, id: int) -> Item:
        """Return a text."""
        raise NotImplementedError

    def judge(self, item: int, start: int, end: int, type: str | None, seconds: float = 0.0) -> Item:
        """Save a judgement, and return the text with it."""
        raise NotImplementedError

    def judge_rest(self, item: int, seconds: float = 0.0) -> Item:
        """Judge that the sentence has no entity beside its judged spans, and return the text."""
        raise NotImplementedError

    def skip(self, item: int) -> None:
        """Leave a text out."""
        raise NotImplementedError

    def undo(self) -> Item | None:
        """Take the last judgement or skip back, and return its text; None if there is none."""
        raise NotImplementedError

    def progress(self) -> dict[str, Any]:
        """Return counts, score and state of the training."""
        raise NotImplementedError

    def export(self, format: str, path: Path) -> None:
        """Write all judged sentences to a file."""
        raise NotImplementedError

    def close(self) -> None:
        """End the training and close the file."""
        raise NotImplementedError
