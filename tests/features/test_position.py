"""The place of a token: waves that start anew with each sentence."""

import numpy as np

from tagger.config import PositionConfig
from tagger.features.passages import Passage
from tagger.features.position import PositionFeature


def arrays(*sizes: int, **keys: float) -> np.ndarray:
    feature = PositionFeature("x", PositionConfig.model_validate({"kind": "position", **keys}))
    found = feature.arrays([Passage(("a",) * size) for size in sizes])
    assert found.shape == (sum(sizes), feature.width)
    assert found.dtype == np.float32
    return found


def test_the_waves_have_the_lengths_that_the_recipe_gives() -> None:
    found = arrays(33, waves=2, longest=16.0)
    np.testing.assert_allclose(found[0], [0, 0, 1, 1], atol=1e-6)  # sines, then cosines
    np.testing.assert_allclose(found[1], [1, np.sin(np.pi / 8), 0, np.cos(np.pi / 8)], atol=1e-6)
    np.testing.assert_allclose(found[4:, :1], found[:-4, :1], atol=1e-5)  # the shortest has 4 tokens
    np.testing.assert_allclose(found[16:], found[:-16], atol=1e-5)
    assert len({tuple(row.round(3)) for row in found[:16]}) == 16  # no two places are alike within the longest


def test_each_sentence_starts_anew_and_none_is_needed() -> None:
    np.testing.assert_array_equal(arrays(3, 1, 2), np.concatenate([arrays(3), arrays(1), arrays(2)]))
    assert arrays().shape == (0, 16)


def test_what_stands_before_a_sentence_in_its_document_does_not_count() -> None:
    feature = PositionFeature("x", PositionConfig(kind="position"))
    alone, later = Passage(("a", "b")), Passage(("a", "b"), before=("c",) * 9)
    np.testing.assert_array_equal(feature.arrays([alone]), feature.arrays([later]))
