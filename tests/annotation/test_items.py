"""A text to judge: its sentence alone, and suggestions where nothing is judged."""

from pathlib import Path

from tagger.annotation.items import Suggestion
from tagger.annotation.project import Project
from tagger.annotation.store.predictions import Prediction
from tagger.text.document import Document
from tagger.text.tokenization import DEFAULT_RULES


def test_suggestions_are_shown_where_nothing_is_judged(project: Project) -> None:
    spans = [(0, 2, "person", 0.8), (4, 5, "location", 0.4)]
    project.store.predictions.add([Prediction(1, 0.7, spans)])
    assert project.item(1).suggestions == [Suggestion(*span) for span in spans]
    assert project.judge(1, 0, 1, "person").suggestions == [Suggestion(*spans[1])]
    assert project.judge_rest(1).suggestions == []


def test_item_has_the_text_of_its_sentence_alone(tmp_path: Path) -> None:
    text = "Oslo is cold. Ada left it."
    document = Document(text, tuple(DEFAULT_RULES.split(text)))
    project = Project.create(tmp_path / "notes.sqlite", [document], types=["person"], teach=False)
    item = project.item(2)
    assert item.text == "Ada left it."
    assert [item.text[start:end] for start, end in item.tokens] == ["Ada", "left", "it", "."]
