"""Rasa's YAML: examples become texts with an intent and entities; other parts are counted."""

from pathlib import Path

import pytest
from readers import parse

from tagger.errors import DataError
from tagger.formats.detection import detect_format
from tagger.formats.tally import Tally

FILE = """version: "3.1"
nlu:
- intent: go
  examples: |
    - fly to [Oslo](city:capital) now
    - from [Rome]{"entity": "city", "role": "from"}
- intent: stop
  examples:
  - text: "halt"
  - "- wait"
- synonym: no
  examples: |
    - nope
stories:
- story: a
"""


def test_examples_have_their_intent_and_entities() -> None:
    tally = Tally()
    sentences = parse("rasa", FILE.split("\n"), where="f", tally=tally)
    assert [(s.text, s.label("intent").value) for s in sentences] == [
        ("fly to Oslo now", "go"),
        ("from Rome", "go"),
        ("halt", "stop"),
        ("wait", "stop"),
    ]
    assert [s.tags("ner") for s in sentences[:2]] == [("O", "O", "B-city", "O"), ("O", "B-city")]
    assert [s.origin.at(0) for s in sentences if s.origin] == ["f:5", "f:6", "f:9", "f:10"]
    assert tally.notes() == [
        "ignored the role, group or value of 1 entity, the first at f:6",
        "ignored 2 parts of the training data that are no examples of a user, the first `synonym`, `examples` at f:11",
    ]


def test_a_file_is_recognised_by_its_key() -> None:
    assert detect_format(FILE.split("\n"), where="nlu.yml") == "rasa"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nlu: [", "f:1: must be YAML, but "),
        ("nlu:\n- intent: a\n  examples: |\n    - x [y]{z}", "f:4: the details of an entity must be JSON with"),
        ("nlu: 5", "f: the file must hold an example under `nlu`, got none"),
        ("[" * 5000, "f"),
        ("nlu: &a [*a]", "f"),
    ],
)
def test_what_is_no_training_data_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        parse("rasa", text.split("\n"), where="f")
    assert str(caught.value).startswith(sentence)


def test_a_blank_file_has_no_example(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold an example"):
        parse("rasa", [""], where="f")
