"""The feature of numbers: what it standardises by, what it says of missing numbers, and what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagger.config import FramesConfig
from tagger.encoding.packed import pack
from tagger.errors import DataError, ModelError
from tagger.features.feature import Given
from tagger.features.frames import LARGEST, FramesFeature
from tagger.features.passages import Passage
from tagger.features.table import check_frames
from tagger.text.frames import frames_of
from tagger.text.sentence import Sentence, sentence_of_frames

NAN = np.nan
VALUES = [[[0.0, 5.0, NAN], [2.0, 5.0, 1.0]], [[4.0, 5.0, 3.0]]]  # (2 steps, 3), (1 step, 3)


def prepared(values: Any = VALUES, *, names: tuple[str, ...] = (), scale: str = "train") -> FramesFeature:
    train = [sentence_of_frames(frames_of(each, names)) for each in values]
    config = FramesConfig.model_validate({"kind": "frames", "scale": scale})
    return FramesFeature.prepare("x", config, Given(Path(), pack(train), print, "cpu", sentences=train))


def arrays(feature: FramesFeature, values: Any, names: tuple[str, ...] = ()) -> Any:
    return feature.arrays([Passage(("0",), frames=frames_of(values, names))])


def test_numbers_are_standardised_by_the_mean_and_deviation_of_all_train_steps() -> None:
    feature = prepared()
    known = np.array([0.0, 2.0, 4.0])
    assert arrays(feature, [[3.0, 5.0, 1.0]])[0, 0] == pytest.approx((3 - known.mean()) / known.std())
    found = feature.arrays([Passage(("0",), frames=frames_of(each)) for each in VALUES])
    assert found.shape == (3, feature.width)
    assert found[:, 0].mean() == pytest.approx(0)
    assert found[:, 0].std() == pytest.approx(1)
    assert (found[:, 1] == 0).all()  # a constant column, whose deviation counts as 1
    assert arrays(feature, [[0.0, 7.0, 1.0]])[0, 1] == 2


def test_a_missing_number_is_the_mean_and_marked_where_train_lacks_some() -> None:
    feature = prepared()
    assert feature.width == 4  # the third number is missing in train
    found = arrays(feature, [[NAN, 5.0, NAN], [2.0, 5.0, 2.0]])
    assert found.tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]
    assert prepared([[[1.0], [2.0]]]).width == 1


def test_a_number_that_train_never_has_is_ignored() -> None:
    assert arrays(prepared([[[NAN, 1.0], [NAN, 2.0]]]), [[NAN, 1.5]]).tolist() == [[0, 0, 1]]


def test_far_numbers_are_cut() -> None:
    assert arrays(prepared([[[0.0], [1.0]]]), [[1e30], [-1e30]]).tolist() == [[LARGEST], [-LARGEST]]


def test_a_sequence_may_be_standardised_by_itself() -> None:
    feature = prepared(scale="sequence")
    first = arrays(feature, [[0, 1, NAN], [2, 1, NAN]])
    assert first.tolist() == [[-1, 0, 0, 1], [1, 0, 0, 1]]
    assert np.array_equal(first, arrays(feature, [[1000, 1, NAN], [3000, 1, NAN]]))
    assert (feature.alone, prepared().alone) == (False, True)


def test_the_file_gives_the_same_numbers_again() -> None:
    feature = prepared(names=("a", "b", "c"))
    again = FramesFeature.restore("x", feature.config, feature.content(None))
    assert again.train == feature.train
    assert np.array_equal(arrays(again, VALUES[0]), arrays(feature, VALUES[0]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "must have the mean and deviation of each number, got: `names`"),
        (b"no", "must have the mean and deviation of each number, got: Invalid JSON"),
        (b'{"names": [], "mean": [], "deviation": [], "missing": []}', "`mean`"),
        (b'{"names": [], "mean": [1], "deviation": [0], "missing": [true]}', "`deviation.0`"),
        (b'{"names": [], "mean": [1], "deviation": [1, 2], "missing": [true]}', "got [1, 2]"),
        (b'{"names": ["a", "b"], "mean": [1], "deviation": [1], "missing": [true]}', "got [1, 2]"),
    ],
)
def test_a_damaged_file_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ModelError, match=r"^feature.x.json: must have.*; copy the folder again$") as caught:
        FramesFeature.restore("x", FramesConfig(kind="frames"), content)
    assert said in str(caught.value)


def test_other_numbers_than_in_training_are_refused() -> None:
    feature = prepared(names=("a", "b", "c"))
    with pytest.raises(DataError, match="3 numbers a step as in training, got 2"):
        arrays(feature, [[1, 2]])
    with pytest.raises(DataError, match=r"`a`, `b`, `c`.*, got `c`, `b`, `a`; put the columns in that order"):
        arrays(feature, [[1, 2, 3]], ("c", "b", "a"))
    with pytest.raises(DataError, match="got the text 'a b'; pass an array to tag_frames"):
        feature.arrays([Passage(("a", "b"))])
    assert feature.arrays([Passage(()), Passage(())]).shape == (0, feature.width)
    assert feature.arrays([]).shape == (0, feature.width)


def test_train_must_have_the_same_numbers_everywhere() -> None:
    config = FramesConfig(kind="frames")
    for other, said in (
        (Sentence.from_tokens(["a"]), "sentence 'a', token 1: each train sentence must have frames, got text"),
        (sentence_of_frames(frames_of([[1, 2]])), "frames must have 1 numbers as in the first .*, got 2 numbers"),
    ):
        train = [sentence_of_frames(frames_of([[1]])), other]
        with pytest.raises(DataError, match=said):
            FramesFeature.prepare("x", config, Given(Path(), pack(train), print, "cpu", sentences=train))


def test_numbers_without_a_feature_for_them_are_refused() -> None:
    numbers = sentence_of_frames(frames_of([[1]]))
    check_frames({"x": prepared()}, [numbers])
    check_frames({}, [Sentence.from_tokens(["a"])])
    with pytest.raises(DataError, match=r"frames need a feature that reads them.*kind = \"frames\""):
        check_frames({}, [Sentence.from_tokens(["a"]), numbers])
