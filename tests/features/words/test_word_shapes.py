"""The table of shapes read aloud, and the feature that uses it."""

import time

import pytest

from tagger.features.words.word_shapes import CASE, DIGITS, LENGTHS, MARKS, SIZES, shape_ids, shape_of

WORDS = (  # word, shape, case, digits, marks
    ("Copenhagen", "Xxx", "initial upper", "none", "none"),
    ("COVID-19", "XX-dd", "all upper", "some", "hyphen"),
    ("USA", "XX", "all upper", "none", "none"),
    ("I", "X", "one upper letter", "none", "none"),
    ("the", "xx", "lower", "none", "none"),
    ("iPhone", "xXxx", "mixed", "none", "none"),
    ("McDonald", "XxXxx", "mixed, upper first", "none", "none"),
    ("O'Brien", "X'Xxx", "mixed, upper first", "none", "apostrophe"),
    ("O’Brien", "X'Xxx", "mixed, upper first", "none", "apostrophe"),
    ("e-mail", "x-xx", "lower", "none", "hyphen"),
    ("Mr.", "Xx.", "initial upper", "none", "full stop at the end"),
    ("U.S.", "X.X.", "all upper", "none", "full stop at the end"),
    ("1999", "dd", "no letters", "year", "none"),
    ("2100", "dd", "no letters", "all", "none"),
    ("7", "d", "no letters", "one digit", "none"),
    ("3.14", "d.dd", "no letters", "number", "others"),
    ("-1,000", "-d,dd", "no letters", "number", "others"),
    (".5", ".d", "no letters", "number", "others"),
    ("12:30", "dd:dd", "no letters", "number", "others"),
    ("$5", "$d", "no letters", "number and a mark", "others"),
    ("50%", "dd%", "no letters", "number and a mark", "others"),
    ("10th", "ddxx", "lower", "number and letters", "none"),
    ("B2B", "XdX", "all upper", "some", "none"),
    ("...", "..", "no letters", "none", "marks alone"),
    ("—", "-", "no letters", "none", "marks alone"),
    ("https://x.org/A", "xx://x.xx/X", "mixed", "none", "URL"),
    ("WWW.X.ORG", "XX.X.XX", "all upper", "none", "URL"),
    ("ada@x.org", "xx@x.xx", "lower", "none", "e-mail address"),
    ("a@..x", "x@..x", "lower", "none", "e-mail address"),
    ("a@x.org@", "x@x.xx@", "lower", "none", "others"),
    ("a@.x", "x@.x", "lower", "none", "others"),
    ("@ada", "@xx", "lower", "none", "mention"),
    ("#tagger", "#xx", "lower", "none", "hashtag"),
    ("x_y", "x_x", "lower", "none", "others"),
    ("Zu\u0308rich", "Xxx", "initial upper", "none", "none"),  # with a mark that combines
    ("ǅ", "X", "one upper letter", "none", "none"),  # title case
    ("ΑΘΗΝΑ", "XX", "all upper", "none", "none"),
    ("北京", "cc", "letters without case", "none", "none"),
    ("नमस्ते", "cc", "letters without case", "none", "none"),
    ("١٩٩٩", "dd", "no letters", "all", "none"),
    ("½", "n", "no letters", "none", "none"),
    ("😀", "*", "no letters", "none", "marks alone"),
    ("\ud800", "?", "no letters", "none", "marks alone"),  # half a character
)


@pytest.mark.parametrize(("word", "shape", "case", "digits", "marks"), WORDS, ids=lambda value: ascii(value))
def test_a_word_has_these_values(word: str, shape: str, case: str, digits: str, marks: str) -> None:
    values = [names[i][0] for (_, names), i in zip((CASE, DIGITS, MARKS), shape_ids(word, 10), strict=False)]
    assert (shape_of(word), *values) == (shape, case, digits, marks)


def test_the_table_above_has_every_value() -> None:
    for facet, column in ((CASE, 2), (DIGITS, 3), (MARKS, 4)):
        assert {row[column] for row in WORDS} == {name for name, _ in facet.values}


@pytest.mark.parametrize("word", ["a@" + "." * 20_000 + "@x", "a-" * 20_000, "1." * 20_000 + "x", "'" * 20_000 + "\n"])
def test_a_long_word_takes_time_in_proportion_to_its_length(word: str) -> None:
    started = time.perf_counter()
    shape_ids(word, 10)
    assert time.perf_counter() - started < 5  # two hundredths of a second where it is idle


@pytest.mark.parametrize(("length", "value"), [(1, 0), (8, 7), (9, 8), (10, 8), (16, 10), (17, 11), (500, 11)])
def test_lengths_share_values_from_nine_characters_on(length: int, value: int) -> None:
    assert shape_ids("x" * length, 10)[3] == value
    assert SIZES[3] == len(LENGTHS) + 1


def test_words_of_one_shape_share_a_row_that_is_the_same_on_every_machine() -> None:
    rows = [shape_ids(word, 1000)[4] for word in ("Ada", "Copenhagen", "ada")]
    assert rows == [315, 315, 527]
