"""A project as the page sees it: what judgements do, which are refused, and how it is opened."""

from pathlib import Path

import pytest
from annotation.projects import make_project

from tagger.annotation.items import Item
from tagger.annotation.learning.process import TrainingProcess
from tagger.annotation.project import Project
from tagger.errors import DataError


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


def test_project_is_opened_once_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingProcess, "keep_running", lambda self: None)
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
