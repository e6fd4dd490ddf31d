"""PubTator: title and abstract are one text, and offsets count in it."""

import pytest
from readers import parse

from tagger.errors import DataError
from tagger.formats.tally import Tally

FILE = "7|t|Oslo waits\n7|a|Ada left it.\n7\t0\t4\tOslo\tLOC\tC1\n7\t11\t14\tAda\tPER\n7\tCID\tC\tD\n\n8|t|Rain\n8|a|\n"


def test_articles_are_documents_with_entities() -> None:
    tally = Tally()
    sentences = parse("pubtator", FILE.split("\n"), where="f", tally=tally)
    assert [(s.text, s.document) for s in sentences] == [("Oslo waits Ada left it.", "7"), ("Rain ", "8")]
    assert [s.tags("ner") for s in sentences] == [("B-LOC", "O", "B-PER", "O", "O", "O"), ("O",)]
    assert sentences[0].record == {"id": "7"}
    assert tally.notes() == ["ignored 1 relation, the first at f:5"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("7\tx", "f:2: must be ID|t|title, ID|a|abstract, or ID, start"),
        ("7\t0\t3\tOxlo\tLOC", "f:1: an entity must have the text that was annotated"),
        ("7\t0\t99\tOslo\tLOC", "f:1: an entity must lie inside its text"),
    ],
)
def test_a_wrong_line_is_named(line: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        parse("pubtator", ["7|t|Oslo", line], where="f")
    assert str(caught.value).startswith(sentence)
