"""Word vectors: how words are looked up, files side by side, and what each bad line is told."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tagger.encoding.vectors import read_vectors
from tagger.encoding.vocabulary import Vectors, find_word
from tagger.errors import DataError


def write(folder: Path, *lines: str, name: str = "v.txt") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def vector_of(vectors: Vectors, word: str) -> list[float] | None:
    row = find_word(word, {known: i for i, known in enumerate(vectors.words)})
    return None if row is None else vectors.matrix[row].tolist()


def error_of(*paths: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_vectors(paths)
    return str(caught.value)


def test_words_are_read_with_their_numbers(tmp_path: Path) -> None:
    vectors = read_vectors([write(tmp_path, "the 0.5 -1.25e0", "Äöü 2 .25", ". +0 -0.0")])
    assert list(vectors.words) == ["the", "Äöü", "."]
    assert vectors.matrix.tolist() == [[0.5, -1.25], [2.0, 0.25], [0.0, 0.0]]
    assert (vectors.dimension, vectors.matrix.dtype) == (2, np.float16)


def test_numbers_are_rounded_to_float16(tmp_path: Path) -> None:
    vectors = read_vectors([write(tmp_path, "a 0.1 65503.9 1e-9 0.333333333333")])
    expected = [np.float16(0.1), np.float16(65504.0), np.float16(0.0), np.float16(0.333333333333)]
    assert vectors.matrix[0].tolist() == [float(number) for number in expected]


def test_word_is_looked_up_as_written_then_lower_cased_then_with_digits_as_zeros(tmp_path: Path) -> None:
    vectors = read_vectors([write(tmp_path, "Apple 1", "apple 2", "a00 3", "b12 4", "b00 5")])
    found = {word: vector_of(vectors, word) for word in ("Apple", "APPLE", "A47", "B12", "B13", "B1", "pear")}
    assert found == {"Apple": [1], "APPLE": [2], "A47": [3], "B12": [4], "B13": [5], "B1": None, "pear": None}


def test_first_row_counts_as_found() -> None:
    assert find_word("A", {"a": 0, "b": 1}) == 0


def test_files_stand_side_by_side_and_each_is_looked_up_for_itself(tmp_path: Path) -> None:
    cased = write(tmp_path, "Paris 1", "000 2", "only 3", name="cased")
    lower = write(tmp_path, "paris 4 5", "123 6 7", name="lower")
    vectors = read_vectors([cased, lower])
    assert vectors.dimension == 3
    expected = {
        "Paris": [1, 4, 5],  # as written in the one, lower-cased in the other
        "paris": [0, 4, 5],
        "123": [2, 6, 7],  # digits as zeros in the one, as written in the other
        "456": [2, 0, 0],
        "only": [3, 0, 0],
        "absent": None,
    }
    assert {word: vector_of(vectors, word) for word in expected} == expected


def test_any_word_has_beside_each_other_what_it_has_in_each_file(tmp_path: Path) -> None:
    files = [
        write(tmp_path, "Ab1 1", "ab0 2", "x 3", "X 4", name="1"),
        write(tmp_path, "ab1 5", "AB1 6", "x 7", name="2"),
        write(tmp_path, "ab0 8", "Ab1 9", name="3"),
    ]
    together, alone = read_vectors(files), [read_vectors([file]) for file in files]
    for word in ("Ab1", "ab1", "AB1", "aB1", "ab2", "AB0", "x", "X", "y"):
        parts = [vector_of(vectors, word) for vectors in alone]
        expected = [0.0 if part is None else part[0] for part in parts] if any(parts) else None
        assert vector_of(together, word) == expected, word


def test_gzip_header_trailing_blanks_and_crlf_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "v.gz"
    path.write_bytes(gzip.compress(b"2 3 \r\na 1 2 3 \r\nb 4 5 6 \r\n"))
    vectors = read_vectors([path])
    assert (list(vectors.words), vectors.matrix.tolist()) == (["a", "b"], [[1, 2, 3], [4, 5, 6]])


def test_max_words_limits_each_file(tmp_path: Path) -> None:
    one, two = write(tmp_path, "a 1", "b 2", "c 3", name="1"), write(tmp_path, "2 1", "d 1", "a 2", "x 3", name="2")
    assert list(read_vectors([one, two], max_words=2).words) == ["a", "b", "d"]
    assert list(read_vectors([one], max_words=9).words) == ["a", "b", "c"]


def test_lines_behind_max_words_are_not_looked_at(tmp_path: Path) -> None:
    assert list(read_vectors([write(tmp_path, "a 1", "b x y")], max_words=1).words) == ["a"]


def test_first_vector_of_a_repeated_word_counts(tmp_path: Path) -> None:
    vectors = read_vectors([write(tmp_path, "a 1", "b 2", "a 3")])
    assert (list(vectors.words), vectors.matrix.tolist()) == (["a", "b"], [[1], [2]])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("b 1 2", "must have 3 numbers as in line 1, got 2"),
        ("b 1 2 3 4", "must have 3 numbers as in line 1, got 4"),
        ("1.5 2 3", "must start with a word, got '1.5 2 3'"),
        (" 1 2 3", "must start with a word, got ' 1 2 3'"),
        ("", "must start with a word, got ' '"),
        ("b 1 x 3", "must be numbers, got '1 x 3'"),
        ("b 1 1_0 3", "must be numbers, got '1 1_0 3'"),
        ("b 1 0x1 3", "must be numbers, got '1 0x1 3'"),
        ("b 1 nan 3", "must be numbers of at most 65504, got nan"),
        ("b 1 2 -70000", "must be numbers of at most 65504, got -70000"),
        ("b 1 1e400 2", "must be numbers of at most 65504, got 1e400"),
        ("b", "must be a word and its numbers, separated by single blanks, got 'b'"),
        ("b 1  3", "must be a word and its numbers, separated by single blanks, got 'b 1  3'"),
        ("b 1 2\t3", "must be a word and its numbers, separated by single blanks, got 'b 1 2\\t3'"),
        ("b\t1\t2\t3", "must be a word and its numbers, separated by single blanks, got 'b\\t1\\t2\\t3'"),
        ("b 1\u00a02 3 4", "must be a word and its numbers, separated by single blanks, got 'b 1\\xa02 3 4'"),
    ],
)
def test_each_bad_line_gets_one_sentence(line: str, sentence: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a 1 2 3", line, "c 1 2 3")
    assert error_of(path) == f"{path}:2: {sentence}"


def test_lines_count_from_the_header(tmp_path: Path) -> None:
    path = write(tmp_path, "2 2", "a 1 2", "b 1")
    assert error_of(path) == f"{path}:3: must have 2 numbers as in line 2, got 1"


def test_all_bad_lines_are_reported_together(tmp_path: Path) -> None:
    lengths = write(tmp_path, "a 1 2", *["b 1"] * 12)
    assert error_of(lengths).splitlines()[-1] == "... and 2 more such problems"
    numbers = write(tmp_path, "a 1 2", "b x 2", "c 1 2", "d 1 y", name="w")
    assert error_of(numbers).splitlines() == [
        f"{numbers}:2: must be numbers, got 'x 2'",
        f"{numbers}:4: must be numbers, got '1 y'",
    ]
    large = write(tmp_path, "a 1 2", "b 1e9 2", "c 1 inf", name="x")
    assert error_of(large).splitlines() == [
        f"{large}:2: must be numbers of at most 65504, got 1e9",
        f"{large}:3: must be numbers of at most 65504, got inf",
    ]


def test_file_with_only_a_header_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "400000 50")
    assert error_of(path) == f"{path}: must have a word and its numbers in each line, got only a header"


def test_missing_file_is_named_beside_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "no.txt"
    assert error_of(write(tmp_path, "a 1"), path) == f"{path}: no such file; check the path"
