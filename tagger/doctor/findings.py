"""Findings of a check, and the list that counts them all and keeps the first of each kind."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tagger.formats.faults import Faults

KEPT = 1000  # findings of each kind
LINE = re.compile(r":[0-9]+$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning.

    Args:
        kind: Its kind, such as `transition`.
        place: Its position, as `file:line`.
        message: One sentence for people.
        values: The same information for programs.
    """

    kind: str
    place: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return the finding as JSON values."""
        file, _, line = self.place.rpartition(":")
        where = {"file": file, "line": int(line)} if file and line.isdecimal() else {}
        return {"kind": self.kind, "place": self.place, **where, "message": self.message, **self.values}

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Findings(Faults):
    """Findings in the order they are reported: all are counted, the first thousand of each kind are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.kept: list[Finding] = []
        self.places: set[str] = set()

    @property
    def total(self) -> int:
        """The number of findings that were reported."""
        return self.counts.total()

    def add(self, kind: str, place: str, message: str, **values: object) -> None:
        """Count a finding, and keep it if it is among the first of its kind.

        A position always ends with a line. An item of the line moves to the start of the message, and a file without
        a line gets line 1.
        """
        place, _, item = place.partition(": item ")
        message = f"item {item}: {message}" if item else message
        if kind == "form" and not LINE.search(place):
            place += ":1"
        self.counts[kind] += 1
        self.places.add(place)
        if self.counts[kind] <= KEPT:
            self.kept.append(Finding(kind, place, message, values))
