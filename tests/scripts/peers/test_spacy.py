"""The word vectors that spaCy reads."""

import gzip
from pathlib import Path

import numpy as np
from peers.spacy import read_vectors


def test_vectors_of_several_files_stand_side_by_side(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt.gz", tmp_path / "two.txt"
    one.write_bytes(gzip.compress(b"a 1 2\nb 3 4\nother 5 6\n"))
    two.write_text("c 7\na 8\n", encoding="utf-8")
    words, vectors = read_vectors([one, two], {"a", "b", "c", "d"})
    assert words == ["a", "b", "c"]
    assert np.array_equal(vectors, [[1, 2, 8], [3, 4, 0], [0, 0, 7]])
