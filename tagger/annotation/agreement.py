"""How far two people agree on the same texts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tagger.annotation.judgements import Judged, tags_of
from tagger.wording import counted

SHOWN = 10  # conflicts in the text of an agreement


class Conflict(NamedTuple):
    """Judgements of two people on the same tokens that cannot both hold; None: no entity."""

    text: int
    sentence: str
    one: str
    other: str


@dataclass
class Agreement:
    """How far two people agree on what both have judged.

    Args:
        texts: Number of texts that both have judged.
        pairs: The tags of the tokens that both have judged, with how often they occur together.
        both: Entities of both, all of whose tokens both have judged.
        one: Such entities of the first person.
        other: Such entities of the second person.
        conflicts: Judgements that cannot both hold.
    """

    texts: int = 0
    pairs: "Counter[tuple[str, str]]" = field(default_factory=Counter)
    both: int = 0
    one: int = 0
    other: int = 0
    conflicts: list[Conflict] = field(default_factory=list)

    def add(self, one: Sequence[Judged], other: Sequence[Judged], length: int) -> None:
        """Add the tokens and entities of a text of so many tokens that both have judged."""
        self.texts += 1
        tags = tags_of(one, length), tags_of(other, length)
        known = {t for t in range(length) if tags[0][t] is not None and tags[1][t] is not None}
        self.pairs.update((str(tags[0][t]), str(tags[1][t])) for t in known)
        ours, theirs = (
            {(j.type, j.start, j.end) for j in side if j.type is not None and known.issuperset(range(j.start, j.end))}
            for side in (one, other)
        )
        self.both += len(ours & theirs)
        self.one += len(ours)
        self.other += len(theirs)

    @property
    def tokens(self) -> int:
        """Number of tokens that both have judged."""
        return self.pairs.total()

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa over the tags of tokens that both have judged; None if chance explains all or there is none.

        Source:
            Cohen (1960), "A Coefficient of Agreement for Nominal Scales". Compared with scikit-learn in
            tests/annotation/test_agreement.py.
        """
        total = self.tokens
        if not total:
            return None
        observed = sum(number for (one, other), number in self.pairs.items() if one == other) / total
        first, second = Counter[str](), Counter[str]()  # the tags of each person
        for (one, other), number in self.pairs.items():
            first[one] += number
            second[other] += number
        chance = sum(first[tag] * second[tag] for tag in first) / total**2
        return None if chance == 1 else (observed - chance) / (1 - chance)

    @property
    def f1(self) -> float | None:
        """F1 of the entities of one person against those of the other; None if there is none."""
        return 2 * self.both / (self.one + self.other) if self.one + self.other else None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures and conflicts, ready for `json.dumps`."""
        return {
            "texts": self.texts,
            "tokens": self.tokens,
            "kappa": self.kappa,
            "f1": self.f1,
            "conflicts": [conflict._asdict() for conflict in self.conflicts],
        }

    def __str__(self) -> str:
        lines = [
            f"{counted(self.texts, 'text')} and {counted(self.tokens, 'token')} judged by both; Cohen's kappa "
            f"{_figure(self.kappa)}, F1 of entities {_figure(self.f1)}",
            counted(len(self.conflicts), "conflict"),
            *(f"  text {c.text}: {c.sentence}: A says {c.one}, B says {c.other}" for c in self.conflicts[:SHOWN]),
        ]
        more = len(self.conflicts) - SHOWN
        return "\n".join([*lines, f"  ... and {more} more"] if more > 0 else lines)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
