"""The numbers of sequences of frames, standardised by the mean and the deviation of train.

Missing numbers become 0, the mean, with a 1 in a column that says so for each number that is missing somewhere in
train. All this is done before the network, which gets the numbers as they are.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from tagger.config import FramesConfig, Section
from tagger.errors import DataError, ModelError
from tagger.features.feature import Floats, Given, ReadyFeature
from tagger.features.passages import Passage
from tagger.text.frames import Frames
from tagger.text.sentence import Sentence, place_of
from tagger.wording import plain_rule, quoted

if TYPE_CHECKING:
    from torch import nn


LARGEST = 100.0  # deviations from the mean; further ones are cut, so that a broken sensor does not drown all others

Number = Annotated[float, Field(allow_inf_nan=False)]


class Statistics(Section):
    """The file of the feature: what train has of each number of a step.

    Args:
        names: What the numbers are; empty if nothing says so.
        mean: Their means.
        deviation: Their standard deviations; 1 where a number is constant.
        missing: Which of them are missing somewhere in train.
    """

    names: list[str]
    mean: Annotated[list[Number], Field(min_length=1)]
    deviation: list[Annotated[Number, Field(gt=0.0)]]
    missing: list[bool]


class FramesFeature(ReadyFeature[FramesConfig]):
    """The numbers of each step.

    Args:
        name: Its name in the recipe.
        config: Its section of the recipe.
        train: What train has of each number.
    """

    suffix = "json"
    reads_frames = True

    def __init__(self, name: str, config: FramesConfig, train: Statistics) -> None:
        super().__init__(name, config)
        self.train = train
        self._mean, self._deviation = np.array(train.mean), np.array(train.deviation)
        self._marked = np.flatnonzero(train.missing)

    @classmethod
    def prepare(cls, name: str, config: FramesConfig, given: Given) -> Self:
        """Return the feature with the means and deviations of train.

        Raises:
            DataError: A train sentence has no frames, or others than the first one.
        """
        return cls(name, config, statistics_of(given.sentences))

    @classmethod
    def restore(cls, name: str, config: FramesConfig, content: bytes) -> Self:
        """Return the feature with the numbers of its file.

        Raises:
            ModelError: The content is damaged.
        """
        try:
            train = Statistics.model_validate_json(content)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, detail["loc"]))
            found = f"`{place}` {plain_rule(detail['msg'])}" if place else detail["msg"]
            raise _damaged(name, f"have the mean and deviation of each number, got: {found}") from None
        sizes = {len(train.mean), len(train.deviation), len(train.missing), len(train.names) or len(train.mean)}
        if len(sizes) > 1:
            raise _damaged(name, f"have as many means as deviations and names, got {sorted(sizes)}")
        return cls(name, config, train)

    def content(self, part: "nn.Module | None") -> bytes:
        """Return the means and deviations of train as JSON."""
        return f"{json.dumps(self.train.model_dump(), ensure_ascii=False)}\n".encode()

    @property
    def width(self) -> int:
        """Number of numbers, and of those that are missing somewhere in train."""
        return len(self._mean) + len(self._marked)

    @property
    def alone(self) -> bool:
        """Whether a step is standardised without the others of its sequence."""
        return self.config.scale == "train"

    def arrays(self, passages: Sequence[Passage]) -> Floats:
        """Return the standardised numbers, then 1 for each that is missing, of shape (steps, width).

        Raises:
            DataError: A passage has no frames, or others than train.
        """
        if not passages:
            return np.zeros((0, self.width), np.float32)
        return np.concatenate([self._standardised(self._values(passage)) for passage in passages])

    def _values(self, passage: Passage) -> NDArray[np.float32]:
        frames, size = passage.frames, len(self._mean)
        wanted = f"features.{self.name}: a sentence must have frames of {size} numbers a step"
        if frames is None:
            if not passage.tokens:
                return np.zeros((0, size), np.float32)
            shown = " ".join(passage.tokens[:5])
            raise DataError(f"{wanted}, got the text {shown[:40]!r}; pass an array to tag_frames, or a file of frames")
        if frames.values.shape[1] != size:
            raise DataError(f"{wanted} as in training, got {frames.values.shape[1]}; give the columns of training")
        if frames.names and self.train.names and frames.names != tuple(self.train.names):
            raise DataError(
                f"{wanted} in the order of training ({quoted(self.train.names)}), got {quoted(frames.names)}; put the "
                "columns in that order"
            )
        return frames.values

    def _standardised(self, values: NDArray[np.float32]) -> Floats:
        missing = np.isnan(values)
        match self.config.scale:
            case "train":
                mean, deviation = self._mean, self._deviation
            case "sequence":
                mean, deviation = mean_and_deviation(values)
            case "before":
                mean, deviation = of_steps_before(values, self.config.before)
        scaled = np.clip(np.where(missing, 0.0, (values - mean) / deviation), -LARGEST, LARGEST)
        return np.concatenate([scaled, missing[:, self._marked]], axis=1).astype(np.float32)


def statistics_of(sentences: Sequence[Sentence]) -> Statistics:
    """Return mean and deviation of each number of the frames of sentences.

    Raises:
        DataError: A sentence has no frames, or others than the first one.
    """
    found = [_checked(sentence, sentences[0].frames) for sentence in sentences]
    if not found:
        raise DataError("train must have sequences of frames, got no sentence")
    values = np.concatenate([frames.values for frames in found])
    mean, deviation = mean_and_deviation(values)
    return Statistics(
        names=list(found[0].names),
        mean=mean.tolist(),
        deviation=deviation.tolist(),
        missing=np.isnan(values).any(0).tolist(),
    )


def mean_and_deviation(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of each column without missing numbers.

    The deviation of a constant column is 1, and so is that of one without any number, whose mean is 0.
    """
    known = ~np.isnan(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0, dtype=np.float64) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)
    return mean, _or_one(spread, mean)


def of_steps_before(values: NDArray[np.float32], number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the deviation of the `number` steps before each step, of the shape of the values.

    Where there are fewer than two, they are the number itself, or 0, and 1.

    Source:
        Compared with the mean and deviation of each slice in tests/features/test_frames.py.
    """
    centre, scale = mean_and_deviation(values)  # so that squares lose few digits
    known = ~np.isnan(values)
    centred = np.where(known, (values - centre) / scale, 0.0)
    last = np.arange(len(values))
    first = np.maximum(last - number, 0)

    def total(rows: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.concatenate([np.zeros((1, rows.shape[1])), rows.cumsum(0, dtype=np.float64)])
        found: NDArray[np.float64] = sums[last] - sums[first]
        return found

    count = total(known)
    mean = total(centred) / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(total(centred**2) / np.maximum(count, 1) - mean**2, 0.0))
    few = count < 2
    return np.where(few, np.where(known, values, 0.0), mean * scale + centre), np.where(
        few | (spread < 1e-6), 1.0, spread * scale
    )


def _or_one(spread: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return deviations, but 1 where they are no more than what 32 bits round."""
    tiny = 1e-6 * np.maximum(np.abs(mean), 1e-30)
    return np.where(spread > tiny, spread, 1.0)


def _checked(sentence: Sentence, first: Frames | None) -> Frames:
    """Return the frames of a sentence, which must have the same numbers as the first one."""
    frames = sentence.frames
    if frames is None or first is None:
        raise DataError(
            f"{place_of(sentence)}: each train sentence must have frames, got text; read files of numbers with "
            'format = "frames", or remove the feature'
        )
    if frames.values.shape[1] != first.values.shape[1] or frames.names != first.names:
        wanted, got = (
            f"{each.values.shape[1]} numbers" + (f" ({quoted(each.names)})" if each.names else "")
            for each in (first, frames)
        )
        raise DataError(f"{place_of(sentence)}: frames must have {wanted} as in the first train sequence, got {got}")
    return frames


def _damaged(name: str, problem: str) -> ModelError:
    return ModelError(f"feature.{name}.json: must {problem}; copy the folder again")
