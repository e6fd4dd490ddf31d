"""A project in memory, for tests of the page: what it suggests is given, and it learns nothing."""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagger.annotation.items import Item, Suggestion
from tagger.annotation.judgements import Judged
from tagger.errors import DataError


@dataclass
class FakeProject:
    """Texts in their order; each change keeps all judgements of before for `undo`."""

    texts: list[str]
    suggested: dict[int, list[Suggestion]] = field(default_factory=dict)
    types: list[str] = field(default_factory=lambda: ["PER", "ORG", "LOC"])
    training: str = "idle"
    error: str | None = None
    why: str = "its spans are unsure"

    def __post_init__(self) -> None:
        self.judged: dict[int, list[Judged]] = {number: [] for number in range(len(self.texts))}
        self.skipped: set[int] = set()
        self.past: list[tuple[int, list[Judged], set[int]]] = []
        self.asked: list[tuple[Any, ...]] = []
        self.score: dict[str, Any] = {"f1": 0.712, "low": 0.655, "high": 0.768, "sentences": 200}

    def next(self, after: int | None = None) -> Item | None:
        self.asked.append(("next", after))
        left = [number for number in self.judged if number not in self.skipped and self._open(number)]
        return self.item(left[0]) if left else None

    def _open(self, number: int) -> bool:
        covered = sum(judged.end - judged.start for judged in self.judged[number])
        return covered < len(self._tokens(number))

    def _tokens(self, number: int) -> list[tuple[int, int]]:
        return [found.span() for found in re.finditer(r"\S+", self.texts[number])]

    def item(self, id: int) -> Item:
        if id not in self.judged:
            raise DataError(f"item {id}: there is no such text; load the page again")
        judged = sorted(self.judged[id], key=lambda each: each.start)
        free = [
            each
            for each in self.suggested.get(id, [])
            if all(other.end <= each.start or each.end <= other.start for other in judged)
        ]
        return Item(id, self.texts[id], self._tokens(id), free, judged, self.why)

    def judge(self, item: int, start: int, end: int, type: str | None, seconds: float = 0.0) -> Item:
        self.asked.append(("judge", item, start, end, type, seconds))
        tokens = len(self.item(item).tokens)
        if not 0 <= start < end <= tokens:
            raise DataError(f"item {item}: tokens must be within 0 and {tokens}, got {start} to {end}")
        if type is not None and type not in self.types:
            raise DataError(f"item {item}: type must be one of {self.types}, got {type!r}")
        self._keep(item)
        left = [each for each in self.judged[item] if each.end <= start or end <= each.start]
        self.judged[item] = [*left, Judged(len(self.past), start, end, type)]
        return self.item(item)

    def _keep(self, item: int) -> None:
        self.past.append((item, list(self.judged[item]), set(self.skipped)))

    def judge_rest(self, item: int, seconds: float = 0.0) -> Item:
        self.asked.append(("rest", item, seconds))
        tokens = len(self.item(item).tokens)
        self._keep(item)
        for token in range(tokens):
            if not any(each.start <= token < each.end for each in self.judged[item]):
                self.judged[item].append(Judged(1000 * len(self.past) + token, token, token + 1, None))
        return self.item(item)

    def skip(self, item: int) -> None:
        self.item(item)
        self._keep(item)
        self.skipped.add(item)

    def undo(self) -> Item | None:
        if not self.past:
            return None
        item, self.judged[item], self.skipped = self.past.pop()
        return self.item(item)

    def progress(self) -> dict[str, Any]:
        every = [each for judged in self.judged.values() for each in judged]
        return {
            "judgements": len(every),
            "spans": sum(each.type is not None for each in every),
            "texts_judged": sum(bool(judged) for judged in self.judged.values()),
            "texts": len(self.texts),
            "per_minute": 14.2 if every else None,
            "types": {name: n for name in self.types if (n := sum(each.type == name for each in every))},
            "score": self.score if every else None,
            "training": self.training,
            "trainings": 0,
            "seconds_of_training": 0.0,
            "error": self.error,
            "next_training_in": 20 - len(every) % 20,
        }

    def export(self, format: str, path: Path) -> None:
        if format != "jsonl":
            raise DataError(f"`format` must be jsonl, got {format!r}")
        rows = [json.dumps(asdict(self.item(number)), ensure_ascii=False) + "\n" for number in self.judged]
        path.write_text("".join(rows), encoding="utf-8")
