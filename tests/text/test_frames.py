"""Frames: which arrays they take, when they are equal, and the sentence of a sequence."""

from typing import Any

import numpy as np
import pytest

from tagger.errors import DataError
from tagger.text.frames import Frames, frames_of
from tagger.text.sentence import Label, TagLayer, sentence_of_frames


def test_frames_are_equal_if_names_and_numbers_are_and_the_same_are_missing() -> None:
    first = frames_of([[1, None], [3, 4]], ["a", "b"])
    assert first == frames_of(np.array([[1, np.nan], [3, 4]]), ["a", "b"])
    assert first != frames_of([[1, None], [3, 5]], ["a", "b"])
    assert first != frames_of([[1, None], [3, 4]])
    assert first != "frames"
    sentence = sentence_of_frames(first)
    assert sentence == sentence_of_frames(frames_of([[1, None], [3, 4]], ["a", "b"]))
    assert sentence != sentence_of_frames(frames_of([[1, 2], [3, 4]], ["a", "b"]))


def test_one_number_a_step_may_be_a_row_and_parts_keep_the_names() -> None:
    frames = frames_of([1, 2, 3], ["x"])
    assert frames.values.shape == (3, 1)
    assert frames.part(1, 3) == Frames(np.array([[2], [3]], np.float32), ("x",))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("abc", "got str abc"),
        ([["a"]], "got list [['a']]"),
        ([[1], [2, 3]], "got list [[1], [2, 3]]"),
        ([], "got list []"),
        (np.zeros((2, 0)), "got an array of float64 of shape (2, 0)"),
        (np.zeros((1, 2, 3)), "got an array of float64 of shape (1, 2, 3)"),
        ([[0, 1], [2, np.inf]], "got an infinite one in step 2, number 2; replace it"),
        ([[1e300]], "got an infinite one in step 1, number 1"),
        ([[10**400, 1]], "finite numbers of at most 3.4e38, got a larger one"),
        (np.array([["1", "2"]], object), "got an array of object of shape (1, 2)"),
        ([[1, b"a"]], "got list [[1, b'a']]"),
    ],
)
def test_other_values_are_refused_in_one_sentence(values: Any, said: str) -> None:
    with pytest.raises(DataError, match=r"^frames must") as caught:
        frames_of(values)
    assert said in str(caught.value)


def test_tokens_name_the_steps_and_layers_fit_them() -> None:
    frames = frames_of([[1], [2]])
    assert sentence_of_frames(frames, first=7).tokens == ("7", "8")
    timed = sentence_of_frames(
        frames, {"tags": ["x", "y"], "mood": Label("up")}, steps=["2026-01-01 00:00", "2026-01-01 00:05"]
    )
    assert timed.tokens == ("2026-01-01T00:00", "2026-01-01T00:05")
    assert (timed.tags("tags"), timed.label("mood").value) == (("x", "y"), "up")
    with pytest.raises(DataError, match="one name for each of 2 steps, got 1"):
        sentence_of_frames(frames, steps=["a"])
    with pytest.raises(DataError, match="one name for each of 1 numbers, got 2"):
        frames_of([[1], [2]], ["a", "b"])
    with pytest.raises(DataError, match=r"names of steps must be a list of texts, got \[3, 4\]"):
        sentence_of_frames(frames, steps=[3, 4])  # type: ignore[list-item]
    for names in ("a", [1]):
        with pytest.raises(DataError, match="names of numbers must be a list of texts"):
            frames_of([[1], [2]], names)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="layer `t` must have one tag for each of 2 tokens, got 1"):
        sentence_of_frames(frames, {"t": TagLayer(("x",))})


def test_the_columns_of_a_table_are_the_names_of_its_numbers() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"load": [1, 2], "heat": [3, 4]})
    assert frames_of(table) == frames_of([[1, 3], [2, 4]], ["load", "heat"])
    assert frames_of(table, ["load", "heat"]).names == ("load", "heat")
    assert frames_of(table.to_numpy(), table.columns).names == ("load", "heat")
    assert sentence_of_frames(frames_of(table), steps=table.columns).tokens == ("load", "heat")
    assert frames_of(pandas.DataFrame([[1, 3]])).names == ()
    with pytest.raises(DataError, match=r"must be those of the columns, in their order \(`load`, `heat`\), got `heat`"):
        frames_of(table, ["heat", "load"])
    pyarrow = pytest.importorskip("pyarrow")
    assert frames_of(pyarrow.table({"load": [1, 2], "heat": [3, 4]})) == frames_of(table)


def test_a_tensor_with_gradients_is_an_array() -> None:
    torch = pytest.importorskip("torch")
    assert frames_of(torch.ones(2, 1, requires_grad=True)) == frames_of([[1], [1]])
