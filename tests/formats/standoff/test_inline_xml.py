"""Entities as elements: read as spans of the text without them."""

import pytest
from readers import parse

from tagger.errors import DataError
from tagger.formats.columns.fields import Sample
from tagger.formats.standoff.inline_xml import looks_like_inline_xml

LINE = '<PER>Ada</PER> &amp; I, 1 < 2, saw <ENAMEX TYPE="LOC">Oslo</ENAMEX>.'


def test_elements_are_entities() -> None:
    (sentence,) = parse("xml", [LINE], where="f")
    assert sentence.text == "Ada & I, 1 < 2, saw Oslo."
    assert [tag for tag in sentence.tags("ner") if tag != "O"] == ["B-PER", "B-LOC"]


def test_nested_elements_are_layers() -> None:
    (sentence,) = parse("xml", ["<ORG>Bank of <LOC>Oslo</LOC></ORG>"], where="f", nested="layers")
    assert sentence.tags("ner") == ("B-ORG", "I-ORG", "I-ORG")
    assert sentence.tags("ner2") == ("O", "O", "B-LOC")


@pytest.mark.parametrize("line", ["<PER>Ada", "Ada</PER>", "<PER>Ada <LOC>x</PER></LOC>"])
def test_an_element_without_its_end_is_an_error(line: str) -> None:
    with pytest.raises(DataError, match=r"^f:1: each element must be closed in its line, got "):
        parse("xml", [line], where="f")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [([LINE], True), (["a <b> c"], False), (["plain"], False), (['<?xml version="1.0"?>', "<a>b</a>"], False)],
)
def test_lines_with_elements_look_like_it(lines: list[str], expected: bool) -> None:
    assert looks_like_inline_xml(Sample(lines)) is expected
