"""Merge the projects of two people on the same texts: what holds where both have judged."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from tagger.annotation.agreement import Agreement, Conflict
from tagger.annotation.judgements import Judged, Judgement, holding, without
from tagger.annotation.store.database import new_file
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import Text
from tagger.errors import DataError
from tagger.wording import quoted, shorten

Prefer = Literal["A", "B"]


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
    with (
        new_file(Path(output), "choose another --output") as part,
        closing(Store(one)) as first,
        closing(Store(other)) as second,
    ):
        types = [store.settings.types for store in (first, second)]
        if set(types[0]) != set(types[1]):
            raise DataError(f"{other}: expected the types {quoted(types[0])} as in {one}, got {quoted(types[1])}")
        first.database.copy(part)
        with closing(Store(part)) as merged:
            return _merged(first, second, merged, prefer)


def _merged(first: Store, second: Store, merged: Store, prefer: Prefer | None) -> Agreement:
    """Add what the second project has to a copy of the first one."""
    agreement = Agreement()
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
        agreement.add(one, other, length)
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


def _shown(text: Text, judged: Judged) -> str:
    words = " ".join(text.sentence.tokens[judged.start : judged.end])
    return f"{judged.type or 'no entity'} [{words}]"
