"""What a model says of texts: exact probabilities of the types of the project, and what teaches most."""

import pytest
from annotation.projects import NAMES

from tagger.annotation.learning.suggesting import gain, predictions, shown, span_layer
from tagger.annotation.store.texts import Text
from tagger.tagging import Tagger
from tagger.text.sentence import Sentence


def texts_of(lines: list[str]) -> list[Text]:
    return [Text(number, Sentence.from_tokens(line.split()), 1) for number, line in enumerate(lines, 1)]


def test_suggestions_have_the_exact_probabilities_of_the_model(english: Tagger) -> None:
    texts = texts_of(NAMES)
    assert span_layer(english, ["PER", "DRUG"]) == "ner"
    assert span_layer(english, ["DRUG"]) is None
    said = {each.text: each for each in predictions(english, "ner", ["PER", "LOC", "ORG", "MISC"], texts)}
    for text, sentence in zip(texts, english.predict([text.sentence for text in texts]), strict=True):
        found = {(start, end, type): probability for start, end, type, probability in said[text.id].spans}
        sure = {(s.start, s.end, s.type): s.score for s in sentence.spans("ner") if s.score and s.score > 0.5}
        assert sure
        assert {span: found[span] for span in sure} == pytest.approx(sure, abs=1e-3)


def test_suggestions_are_of_the_types_of_the_project_alone(english: Tagger) -> None:
    (said,) = predictions(english, "ner", ["LOC"], texts_of(NAMES[:1]))
    assert [span[:3] for span in said.spans] == [(3, 4, "LOC")]


def test_uncertain_entities_teach_most_and_overlapping_ones_are_not_suggested() -> None:
    sure, open_, other = (0, 1, "PER", 0.99), (2, 4, "PER", 0.5), (3, 5, "LOC", 0.4)
    assert gain([open_]) == 1.0 > gain([sure])
    assert gain([sure, open_, other]) == pytest.approx(1.82)
    assert shown([other, open_, sure]) == [sure, open_]
