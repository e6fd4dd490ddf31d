"""Merge the projects of two people on the same texts, and measure how far they agree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tagger.annotation.judgements import Judged, Judgement, holding, tags_of, without
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import Text
from tagger.errors import DataError
from tagger.files.writing import check_place
from tagger.wording import counted, quoted, shorten

Prefer = Literal["A", "B"]
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
        first, second = Counter[str](), Counter[str]()
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
        shown = [f"  text {c.text}: {c.sentence}: A says {c.one}, B says {c.other}" for c in self.conflicts[:SHOWN]]
        more = len(self.conflicts) - SHOWN
        return "\n".join(
            [
                f"{counted(self.texts, 'text')} and {counted(self.tokens, 'token')} judged by both; Cohen's kappa "
                f"{_figure(self.kappa)}, F1 of entities {_figure(self.f1)}",
                f"{counted(len(self.conflicts), 'conflict')}",
                *shown,
                *([f"  ... and {more} more"] if more > 0 else []),
            ]
        )


def merge(one: str | Path, other: str | Path, output: str | Path, *, prefer: Prefer | None = None) -> Agreement:
    """Write a project with the judgements of two, and return how far they agree.

    The project has the texts, settings and trainings of the first one, and the texts that only the second one has.
    Texts are the same if their documents have the same text, and they are the same tokens in it.

    Args:
        one: The file A.
        other: The file B.
        output: The file to write; there must be none.
        prefer: Whose judgements hold where they conflict. Default: nobody's, so that the tokens become unknown.

    Raises:
        DataError: A file is no project, their types differ, or the output exists or cannot be written.
    """
    output = Path(output)
    if output.exists():
        raise DataError(f"{output}: the file exists; choose another --output")
    check_place(output)
    first, second = Store(one), Store(other)
    part = output.with_name(f".{output.name}.part")
    try:
        types = [store.settings.types for store in (first, second)]
        if set(types[0]) != set(types[1]):
            raise DataError(f"{other}: expected the types {quoted(types[0])} as in {one}, got {quoted(types[1])}")
        first.database.copy(part)
        agreement = _merged(first, second, part, prefer)
        part.rename(output)
    finally:
        first.close()
        second.close()
        part.unlink(missing_ok=True)
    return agreement


def _merged(first: Store, second: Store, path: Path, prefer: Prefer | None) -> Agreement:
    agreement, merged = Agreement(), Store(path)
    try:
        known = {key: text.id for key, text in _keyed(first)}
        ours, theirs = (store.judgements.by_text(skipped=True) for store in (first, second))
        missing = [text for key, text in _keyed(second) if key not in known]
        added = dict(zip((text.id for text in missing), merged.texts.add(missing), strict=True))
        changed: dict[int, list[Judgement]] = {}
        for key, text in _keyed(second):
            if text.id in theirs:
                id = known[key] if key in known else added[text.id]
                before, after = ours.get(id, []), theirs[text.id]
                changed[id] = _both(agreement, id, text, before, after, prefer) if before else after
        merged.judgements.replace(changed)
    finally:
        merged.close()
    return agreement


def _keyed(store: Store) -> Iterator[tuple[tuple[object, ...], Text]]:
    """Yield the texts with what tells them apart; copies of a text are numbered."""
    seen: Counter[tuple[object, ...]] = Counter()
    for text in store.texts.all():
        sentence = text.sentence
        key = (sentence.text, sentence.offsets, sentence.tokens)
        seen[key] += 1
        yield (*key, seen[key]), text


def _both(
    agreement: Agreement,
    id: int,
    text: Text,
    ours: Sequence[Judgement],
    theirs: Sequence[Judgement],
    prefer: Prefer | None,
) -> list[Judgement]:
    """Return the judgements of a text that both have judged, and add to the agreement."""
    length = len(text.sentence)
    one, other = holding(ours, length), holding(theirs, length)
    if one and other:
        _count(agreement, one, other, length)
    conflicts = [(a, b) for a in one for b in other if _conflicts(a, b)]
    for a, b in conflicts:
        words = [_shown(text, judged) for judged in (a, b)]
        agreement.conflicts.append(Conflict(id, shorten(" ".join(text.sentence.tokens)), *words))
    if conflicts and prefer is None:
        one, other = _without_conflicts(one, other, conflicts)
    sides = [(one, ours), (other, theirs)]
    if prefer == "A":
        sides.reverse()  # the later one holds
    # Unless they conflict, "nothing else here" of one holds for all; of conflicting ones, that of the preferred alone.
    trusted = sides if not conflicts else sides[1:] if prefer else []
    return _joined(sides, [each for _, said in trusted for each in said if each.kind == "rest"][-1:], length)


def _joined(
    sides: Sequence[tuple[list[Judged], Sequence[Judgement]]], rest: list[Judgement], length: int
) -> list[Judgement]:
    """Return one judgement for all that holds of both sides, then the rest, and a skip if there is one."""
    rows: list[Judgement] = []
    for held, said in sides:
        known = {each.id: each for each in said}
        rows += [known[j.id]._replace(start=j.start, end=j.end, type=j.type) for j in held]
    found = []
    for judged in holding([row._replace(id=number, kind="tokens") for number, row in enumerate(rows)], length):
        row = rows[judged.id]
        if not (rest and row.kind == "rest"):
            found.append(row._replace(kind="tokens", start=judged.start, end=judged.end))
    return [*found, *rest, *[each for _, said in sides for each in said if each.kind == "skip"][-1:]]


def _conflicts(a: Judged, b: Judged) -> bool:
    """Whether two judgements cannot both hold."""
    apart = a.end <= b.start or b.end <= a.start
    same = (a.type, a.start, a.end) == (b.type, b.start, b.end)
    return not (apart or same or a.type is b.type is None)


def _without_conflicts(
    one: list[Judged], other: list[Judged], conflicts: Sequence[tuple[Judged, Judged]]
) -> tuple[list[Judged], list[Judged]]:
    """Return the judgements of both without the entities that conflict, whose tokens become unknown."""
    for entity in {judged for pair in conflicts for judged in pair if judged.type is not None}:
        one, other = (
            [part for judged in side for part in without(judged, entity.start, entity.end)] for side in (one, other)
        )
    return one, other


def _count(agreement: Agreement, one: Sequence[Judged], other: Sequence[Judged], length: int) -> None:
    """Add the tokens and entities of a text that both have judged."""
    agreement.texts += 1
    tags = tags_of(one, length), tags_of(other, length)
    known = {t for t in range(length) if tags[0][t] is not None and tags[1][t] is not None}
    for t in known:
        agreement.pairs[str(tags[0][t]), str(tags[1][t])] += 1
    ours, theirs = (
        {(j.type, j.start, j.end) for j in side if j.type is not None and known.issuperset(range(j.start, j.end))}
        for side in (one, other)
    )
    agreement.both += len(ours & theirs)
    agreement.one += len(ours)
    agreement.other += len(theirs)


def _shown(text: Text, judged: Judged) -> str:
    words = " ".join(text.sentence.tokens[judged.start : judged.end])
    return f"{judged.type or 'no entity'} [{words}]"


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
