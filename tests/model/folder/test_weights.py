"""The header of a file of weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tagger.errors import ModelError
from tagger.model.folder.weights import Weights, map_weights


def opened(path: Path, content: bytes) -> Weights:
    path.write_bytes(content)
    with path.open("rb") as stream:
        return map_weights(path, stream, len(content))


def test_values_come_back_and_the_largest_is_known(tmp_path: Path) -> None:
    arrays = {
        "wide": np.linspace(-3, 2, 700_000, dtype=np.float32).reshape(700, 1000),
        "half": np.array([1.5, -65504.0], np.float16),
        "none": np.zeros((0, 3), np.float16),
        "one": np.full((), np.inf, np.float32),
        "odd": np.array([1.0, np.nan], np.float16),
        "ids": np.arange(3),
    }
    found = opened(tmp_path / "w", save(arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.array(name), array)
    assert found.largest["wide"] == 3
    assert found.largest["half"] == 65504
    assert found.largest["none"] == 0
    assert found.largest["one"] == np.inf
    assert np.isnan(found.largest["odd"])
    assert str(found.forms["wide"]) == "float32 of shape (700, 1000)"


def with_header(change: Any) -> bytes:
    content = save({"a": np.ones(3, np.float32), "b": np.ones(2, np.float16)})
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(change(json.loads(content[8 : 8 + length]))).encode()
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the header is incomplete"),
        (b"\xff" * 20, "the header is incomplete"),
        (with_header(lambda header: [header]), "the header is invalid"),
        (with_header(lambda header: {**header, "a": 1}), "the header is invalid"),
        (with_header(lambda header: {**header, "a": {**header["a"], "shape": [-3]}}), "the header is invalid"),
        (with_header(lambda header: {**header, "a": {**header["a"], "dtype": "F3"}}), "unknown type 'F3'"),
        (with_header(lambda header: {**header, "a": {**header["a"], "shape": [2**40]}}), "the values of 'a' are not"),
        (with_header(lambda header: {"a": header["a"]}), "expected 12 bytes of values, got 16"),
        (with_header(lambda header: {"b": header["b"]}), "the values of 'b' are not where they must be"),
        (save({"a": np.ones(3, np.float32)})[:-1], "expected 12 bytes of values, got 11"),
    ],
)
def test_a_damaged_file_is_named(content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        opened(tmp_path / "w", content)
    assert str(caught.value).startswith(f"{tmp_path / 'w'}: the file is damaged or incomplete ({problem}")
