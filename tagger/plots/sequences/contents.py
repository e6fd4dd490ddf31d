"""What a picture of a sequence shows: its numbers, gold beside predicted layers, and probabilities.

Windows of one series that follow each other are one sequence here, unless a layer belongs to each window as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagger.text.frames import Frames
from tagger.text.schemes import is_tag, split_tag
from tagger.text.sentence import Label, Sentence, TagLayer, Values

if TYPE_CHECKING:
    from tagger.tagging import Marginals, Tagger

V = TypeVar("V", TagLayer, Label, Values)
OUTSIDE = "O"  # the tag of steps outside all entities or anomalies


class Run(NamedTuple):
    """Neighbouring steps `[start, end)` with one tag, or the steps of one entity."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A layer of tags.

    Args:
        layer: Its name.
        types: The tags that the model knows, or the types of entities, and `O`.
        predicted: The predicted runs.
        gold: The gold runs; None if there is no gold.
        shares: The probability of each type at each step, of shape (steps, types).
    """

    layer: str
    types: tuple[str, ...]
    predicted: tuple[Run, ...]
    gold: tuple[Run, ...] | None
    shares: NDArray[np.float32]

    def agreement(self) -> tuple[int, int]:
        """Return the number of steps with equal tags, and of those with a known gold tag."""
        predicted, gold = (_spread(runs, len(self.shares)) for runs in (self.predicted, self.gold or ()))
        known = [(one, two) for one, two in zip(predicted, gold, strict=True) if two is not None]
        return sum(one == two for one, two in known), len(known)

    @property
    def shown(self) -> tuple[str, ...]:
        """The types of the model, and those of gold that it does not know."""
        return tuple(dict.fromkeys([*self.types, *(run.type for run in self.gold or ())]))

    def share_of(self, type_: str) -> NDArray[np.float32]:
        """Return the probability of a type at each step."""
        return self.shares[:, self.types.index(type_)]


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What is drawn of a sequence.

    Args:
        name: What the sequence is called.
        tokens: The names of its steps, or its symbols.
        frames: Its numbers, if it has some.
        document: The series that it is a part of.
        lines: The lines of a file of series that have its steps.
        tracks: Its layers of tags.
        values: Its layers of numbers, each predicted and gold.
        labels: Its labels, each predicted and gold.
    """

    name: str
    tokens: tuple[str, ...]
    frames: Frames | None
    document: str | None
    lines: Sequence[int]
    tracks: tuple[Track, ...]
    values: Mapping[str, tuple[Values, Values | None]]
    labels: Mapping[str, tuple[Label, Label | None]]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def has_parts(self) -> bool:
        """Whether every layer is one of steps, so that windows can be joined."""
        return not self.labels and not any(found.whole for found, _ in self.values.values())


def contents_of(tagger: "Tagger", sentences: Sequence[Sentence], layers: Sequence[str]) -> list[Contents]:
    """Return what to draw of sequences, with windows of one series joined.

    Args:
        tagger: The model, which tags the sequences.
        sentences: The sequences, with gold layers if there are any.
        layers: The layers of the model to draw.
    """
    pairs = zip(sentences, tagger.predict(sentences), strict=True)
    single = [_contents(tagger, *pair, layers, number) for number, pair in enumerate(pairs, 1)]
    found: list[Contents] = []
    for each in single:
        if found and _follows(found[-1], each):
            found[-1] = _joined(found[-1], each)
        else:
            found.append(each)
    return found


def _contents(tagger: "Tagger", gold: Sentence, predicted: Sentence, layers: Sequence[str], number: int) -> Contents:
    wanted = {layer: predicted.layers[layer] for layer in layers if layer in predicted.layers}
    tagged = [layer for layer, value in wanted.items() if isinstance(value, TagLayer)]
    marginals = tagger.marginals(predicted) if tagged else {}
    return Contents(
        name=_name(gold, number),
        tokens=gold.tokens,
        frames=gold.frames,
        document=gold.document,
        lines=gold.origin.lines if gold.origin else (),
        tracks=tuple([_track(layer, gold, predicted, marginals[layer]) for layer in tagged]),
        values={n: (value, _gold(gold, n, Values)) for n, value in wanted.items() if isinstance(value, Values)},
        labels={n: (value, _gold(gold, n, Label)) for n, value in wanted.items() if isinstance(value, Label)},
    )


def _name(sentence: Sentence, number: int) -> str:
    """Return the id of a sequence, the name of its series or of its file, or else its number."""
    given = (sentence.record or {}).get("id", sentence.meta.get("id", sentence.document))
    if given is not None:
        return str(given)
    if sentence.origin is None:
        return f"sequence {number}"
    name = Path(sentence.origin.path).stem
    return name if sentence.frames is not None else f"{name}, line {sentence.origin.lines[0]}"


def _gold(sentence: Sentence, layer: str, kind: type[V]) -> V | None:
    """Return a layer of a sentence; None if it has none, or one with the probabilities of a prediction."""
    found = sentence.layers.get(layer)
    if not isinstance(found, kind):
        return None
    predicted = found.level if isinstance(found, Values) else found.score if isinstance(found, Label) else found.scores
    return found if predicted is None else None


def _track(layer: str, gold: Sentence, predicted: Sentence, marginals: "Marginals") -> Track:
    names = [_type_of(tag) for tag in marginals.tags]
    types = tuple(dict.fromkeys(names))
    shares = np.stack([marginals.array[:, [name == type_ for name in names]].sum(1) for type_ in types], axis=1)
    known = _gold(gold, layer, TagLayer) is not None
    return Track(layer, types, _runs(predicted, layer), _runs(gold, layer) if known else None, shares)


def _type_of(tag: str) -> str:
    """Return the type of a tag of entities; other tags are types of their own."""
    return (split_tag(tag)[1] or OUTSIDE) if is_tag(tag, "iob2") or is_tag(tag, "bioes") else tag


def _runs(sentence: Sentence, layer: str) -> tuple[Run, ...]:
    """Return the runs of a layer; a step whose tag is unknown belongs to none."""
    if sentence.tag_layer(layer).scheme is not None:
        return tuple(_entities(sentence, layer))
    return tuple(_runs_of([None if tag is None else _type_of(tag) for tag in sentence.tags(layer)]))


def _entities(sentence: Sentence, layer: str) -> Iterator[Run]:
    """Yield the entities, and what is between them."""
    position = 0
    for type_, start, end in [*sentence.boundaries(layer), (OUTSIDE, len(sentence), len(sentence))]:
        if position < start:
            yield Run(OUTSIDE, position, start)
        if start < end:
            yield Run(type_, start, end)
        position = end


def _runs_of(tags: Sequence[str | None]) -> Iterator[Run]:
    start = 0
    for tag, group in groupby(tags):
        end = start + len(list(group))
        if tag is not None:
            yield Run(tag, start, end)
        start = end


def _spread(runs: Iterable[Run], number: int) -> list[str | None]:
    """Return the type of each step; None where there is no run."""
    found: list[str | None] = [None] * number
    for run in runs:
        found[run.start : run.end] = [run.type] * (run.end - run.start)
    return found


def _follows(first: Contents, second: Contents) -> bool:
    """Whether the second is the window of the same series behind the first."""
    apart = [each for each in (first, second) if each.frames is None or not each.lines or not each.has_parts]
    if apart or first.document is None or first.document != second.document:
        return False
    return first.lines[-1] < second.lines[0] and len(second.lines) == len(second)


def _joined(first: Contents, second: Contents) -> Contents:
    assert first.frames is not None
    assert second.frames is not None
    values = np.concatenate([first.frames.values, second.frames.values])
    by = len(first)
    return replace(
        first,
        tokens=first.tokens + second.tokens,
        frames=replace(first.frames, values=values),
        lines=[*first.lines, *second.lines],
        tracks=tuple([_longer(one, two, by) for one, two in zip(first.tracks, second.tracks, strict=True)]),
        values={name: _more(pair, second.values[name], by, len(second)) for name, pair in first.values.items()},
    )


def _longer(first: Track, second: Track, by: int) -> Track:
    """Return the tracks of two windows as one."""
    gold = None
    if first.gold is not None or second.gold is not None:
        gold = _chained(first.gold or (), second.gold or (), by)
    predicted = _chained(first.predicted, second.predicted, by)
    return replace(first, predicted=predicted, gold=gold, shares=np.concatenate([first.shares, second.shares]))


def _chained(first: tuple[Run, ...], second: tuple[Run, ...], by: int) -> tuple[Run, ...]:
    """Return the runs of two windows; one that goes on in the second is a single run."""
    shifted = [Run(run.type, run.start + by, run.end + by) for run in second]
    if first and shifted and first[-1].type == shifted[0].type and first[-1].end == shifted[0].start:
        return (*first[:-1], Run(first[-1].type, first[-1].start, shifted[0].end), *shifted[1:])
    return (*first, *shifted)


def _more(
    first: tuple[Values, Values | None], second: tuple[Values, Values | None], by: int, more: int
) -> tuple[Values, Values | None]:
    """Return the numbers of two windows, with `by` and `more` steps, as one."""
    unknown = first[1] or Values((None,) * by), second[1] or Values((None,) * more)
    gold = None if first[1] is None and second[1] is None else _both(*unknown)
    return _both(first[0], second[0]), gold


def _both(first: Values, second: Values) -> Values:
    sides = ((first.low, second.low), (first.high, second.high))
    low, high = (None if one is None or two is None else one + two for one, two in sides)
    return replace(first, values=first.values + second.values, low=low, high=high)
