"""A project as the page sees it: which text comes next, what judgements do, and what progress says."""

import time
from pathlib import Path

import pytest
from annotation.projects import TEXTS, make_project

from tagger.annotation.project import Item, Project, Suggestion
from tagger.annotation.store.predictions import Prediction
from tagger.annotation.store.trainings import AFTER
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.tokenization import DEFAULT_RULES


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "notes.sqlite")


def judged(item: Item) -> list[tuple[int, int, str | None]]:
    return [(each.start, each.end, each.type) for each in item.judged]


def test_judgements_appear_and_can_be_taken_back(project: Project) -> None:
    assert judged(project.judge(1, 0, 2, "person", 2.5)) == [(0, 2, "person")]
    item = project.judge_rest(1)
    assert judged(item) == [(0, 2, "person"), (2, 5, None)]
    assert item.is_finished
    taken = project.undo()
    assert taken is not None
    assert judged(taken) == [(0, 2, "person")]
    project.skip(3)
    assert [item.id if (item := project.undo()) else None for _ in range(3)] == [3, 1, None]


@pytest.mark.parametrize(
    ("place", "type", "said"),
    [
        (
            (0, 6),
            "person",
            r"text 1: a judgement must be about tokens \[start, end\) with 0 <= start < end <= 5, got \[0, 6\)",
        ),
        ((2, 2), None, r"got \[2, 2\)"),
        ((-1, 2), None, r"got \[-1, 2\)"),
        ((0, 1), "product", "text 1: the type must be one of `person`, `location`, got 'product'"),
    ],
)
def test_wrong_judgement_is_refused_and_saves_nothing(
    project: Project, place: tuple[int, int], type: str | None, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        project.judge(1, *place, type)
    assert project.store.judgements.all() == []


def test_unknown_text_is_refused(project: Project) -> None:
    for call in (project.item, project.judge_rest, project.skip, project.next):
        with pytest.raises(DataError, match="text 9: there is no such text; they have the numbers 1 to 4"):
            call(9)


def test_each_text_comes_once_and_then_what_is_unfinished(project: Project) -> None:
    seen: list[int] = []
    item = project.next()
    while item is not None and item.id not in seen:
        seen.append(item.id)
        if len(seen) == 1:
            project.judge(item.id, 0, 1, None)
        elif len(seen) == 2:
            project.skip(item.id)
        else:
            project.judge_rest(item.id)
        item = project.next(item.id)
    assert sorted(seen) == [1, 2, 3, 4]
    assert item is not None
    assert (item.id, item.why) == (seen[0], "not all of it is judged")
    project.judge_rest(item.id)
    assert project.next(item.id) is None


def test_text_that_was_begun_comes_again_when_the_page_is_opened_again(project: Project) -> None:
    project.judge(3, 0, 1, None)
    path = project.store.path
    project.close()
    again = Project(path, teach=False)
    item = again.next()
    assert item is not None
    assert item.id == 3


def test_uncertain_texts_come_first_and_no_copy_of_what_was_judged(tmp_path: Path) -> None:
    texts = [*TEXTS, "Ada Lovelace lives in Oslo now", "Mary Shelley wrote in Bath"]
    project = make_project(tmp_path / "notes.sqlite", texts, gold=gold())
    project.judge_rest(1)
    gains = {2: 0.0, 3: 0.1, 4: 0.2, 5: 1.0, 6: 0.9}
    project.store.predictions.add(Prediction(text, gain, [(0, 1, "person", 0.5)]) for text, gain in gains.items())
    order, item = [], project.next(1)
    while item is not None:
        order.append(item.id)
        project.judge_rest(item.id)
        item = project.next(item.id)
    assert order == [6, 4, 5, 3, 2]  # text 5 is the least sure, but has nearly all words of text 1


def gold() -> list[Sentence]:
    return [Sentence.from_tokens(["Ada"], {"ner": TagLayer(("B-person",), "iob2", "iob2")})]


def test_suggestions_are_shown_where_nothing_is_judged(project: Project) -> None:
    spans = [(0, 2, "person", 0.8), (4, 5, "location", 0.4)]
    project.store.predictions.add([Prediction(1, 0.7, spans)])
    assert project.item(1).suggestions == [Suggestion(*span) for span in spans]
    assert project.judge(1, 0, 1, "person").suggestions == [Suggestion(*spans[1])]
    assert project.judge_rest(1).suggestions == []


def test_one_text_in_five_is_held_out_and_comes_by_chance(tmp_path: Path) -> None:
    project = make_project(tmp_path / "notes.sqlite", [f"text number {n} of all" for n in range(200)])
    reasons, item = [], project.next()
    for _ in range(50):
        assert item is not None
        reasons.append(item.why.startswith("drawn by chance"))
        project.judge_rest(item.id)
        item = project.next(item.id)
    assert sum(reasons) == 9  # the first after five others, then one in five


def test_progress_counts_what_holds_and_the_pace(project: Project) -> None:
    project.judge(1, 0, 2, "person", 4.0)
    project.judge(1, 0, 1, "person", 2.0)
    project.judge(2, 0, 1, "location")
    project.skip(3)
    found = project.progress()
    assert {name: found[name] for name in ("judgements", "spans", "texts_judged", "texts", "per_minute", "types")} == {
        "judgements": 3,
        "spans": 2,
        "texts_judged": 2,
        "texts": 4,
        "per_minute": 20.0,
        "types": {"person": 1, "location": 1},
    }
    assert (found["training"], found["trainings"], found["next_training_in"], found["score"]) == (
        "idle",
        0,
        AFTER - 3,
        None,
    )


@pytest.mark.parametrize("types", [[], ["PER", "PER"], ["a b"], [""]])
def test_invalid_types_are_refused(tmp_path: Path, types: list[str]) -> None:
    with pytest.raises(DataError, match="--types: expected different names without white space, such as PER,ORG, got"):
        make_project(tmp_path / "notes.sqlite", types=types)
    assert list(tmp_path.iterdir()) == []


def test_item_has_the_text_of_its_sentence_alone(tmp_path: Path) -> None:
    text = "Oslo is cold. Ada left it."
    document = Document(text, tuple(DEFAULT_RULES.split(text)))
    project = Project.create(tmp_path / "notes.sqlite", [document], types=["person"], teach=False)
    item = project.item(2)
    assert item.text == "Ada left it."
    assert [item.text[start:end] for start, end in item.tokens] == ["Ada", "left", "it", "."]


def test_worker_is_ended_with_the_project_and_started_again_if_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.sqlite"
    make_project(path, start="nowhere").close()
    project = Project(path)
    monkeypatch.setattr("tagger.annotation.project.RESTART", 0.0)
    first = project._worker
    assert first is not None
    first.kill()
    first.wait()
    project.progress()
    second = project._worker
    assert second is not None
    assert second is not first
    began = time.monotonic()
    project.close()
    assert second.poll() is not None
    assert time.monotonic() - began < 30


def test_project_is_opened_once_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Project, "_keep_working", lambda self: None)
    path = tmp_path / "notes.sqlite"
    make_project(path).close()
    for _ in range(2):  # the lock ends with the project
        project = Project(path)
        with pytest.raises(
            DataError, match=r"notes\.sqlite: the project must be open once, but another process has it"
        ):
            Project(path)
        Project(path, teach=False).close()
        project.close()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.sqlite"]
