"""Two people on the same texts: what holds after merging."""

from pathlib import Path

import pytest
from annotation.projects import ADA, BO, TEXTS, TYPES, judged_by, make_project

from tagger.annotation.merging import merge
from tagger.annotation.project import Project
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.tokenization import DEFAULT_RULES


def held(path: Path, text: int) -> list[tuple[int, int, str | None]]:
    project = Project(path, teach=False)
    try:
        return [(each.start, each.end, each.type) for each in project.item(text).judged]
    finally:
        project.close()


@pytest.mark.parametrize(
    ("prefer", "first"),
    [
        (None, [(2, 5, None)]),
        ("A", [(0, 2, "person"), (2, 5, None)]),
        ("B", [(0, 1, "person"), (2, 5, None)]),
    ],
)
def test_conflicting_tokens_become_unknown_unless_one_is_preferred(
    tmp_path: Path, prefer: str | None, first: list[tuple[int, int, str | None]]
) -> None:
    one, other = judged_by(tmp_path, "ada", ADA), judged_by(tmp_path, "bo", BO)
    agreement = merge(one, other, tmp_path / "both.sqlite", prefer=prefer)  # type: ignore[arg-type]
    assert held(tmp_path / "both.sqlite", 1) == first
    assert held(tmp_path / "both.sqlite", 2)[0] == (0, 1, "location")
    assert held(tmp_path / "both.sqlite", 3) == [(2, 3, "person")]
    assert [(each.text, each.one, each.other) for each in agreement.conflicts] == [
        (1, "person [Ada Lovelace]", "person [Ada]")
    ]
    project = Project(tmp_path / "both.sqlite", teach=False)
    assert {each.person for each in project.store.judgements.all()} == {"ada", "bo"}
    project.close()


def test_texts_that_only_the_other_has_are_added(tmp_path: Path) -> None:
    one = judged_by(tmp_path, "ada", ADA)
    other = judged_by(tmp_path, "bo", [(1, 0, 1, None), (2, 4, 5, "location")], ["A new text", TEXTS[0]])
    merge(one, other, tmp_path / "both.sqlite")
    assert held(tmp_path / "both.sqlite", 5) == [(0, 1, None)]
    project = Project(tmp_path / "both.sqlite", teach=False)
    assert project.progress()["texts"] == len(TEXTS) + 1
    assert project.store.texts.one(5).sentence.text == "A new text"
    project.close()


@pytest.mark.parametrize("prefer", [None, "A", "B"])
def test_merge_keeps_nothing_else_here_skips_and_the_number_of_judgements(tmp_path: Path, prefer: str | None) -> None:
    paths = []
    for name in ("ada", "bo"):
        project = make_project(tmp_path / f"{name}.sqlite", person=name)
        project.judge(1, 0, 2, "person")
        project.judge_rest(1)
        project.skip(3 if name == "ada" else 4)
        paths.append(project.store.path)
    merge(*paths, tmp_path / "both.sqlite", prefer=prefer)  # type: ignore[arg-type]
    project = Project(tmp_path / "both.sqlite", teach=False)
    assert project.progress()["judgements"] == 2
    assert {each.text for each in project.store.judgements.all() if each.kind == "skip"} == {3, 4}
    item = project.judge(1, 0, 1, "person")  # corrected
    assert [(each.start, each.end, each.type) for each in item.judged] == [(0, 1, "person"), (1, 5, None)]
    project.close()


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [(None, [(0, 1, None), (3, 5, None)]), ("A", [(0, 1, None), (1, 2, "person"), (2, 5, None)]), ("B", None)],
)
def test_nothing_else_here_of_the_one_that_holds_also_replaces_entities_of_the_other(
    tmp_path: Path, prefer: str | None, expected: list[tuple[int, int, str | None]] | None
) -> None:
    one = judged_by(tmp_path, "ada", [(1, 1, 2, "person")])
    project = Project(one, teach=False)
    project.judge_rest(1)
    project.close()
    other = judged_by(tmp_path, "bo", [(1, 1, 3, "location")])
    merge(one, other, tmp_path / "both.sqlite", prefer=prefer)  # type: ignore[arg-type]
    assert held(tmp_path / "both.sqlite", 1) == (expected or [(0, 1, None), (1, 3, "location"), (3, 5, None)])


def test_sentences_of_an_added_document_stay_in_one_document(tmp_path: Path) -> None:
    one, text = judged_by(tmp_path, "ada", []), "Oslo is cold. Ada left it."
    document = Document(text, tuple(DEFAULT_RULES.split(text)))
    Project.create(tmp_path / "bo.sqlite", [document], types=TYPES, teach=False).close()
    merge(one, tmp_path / "bo.sqlite", tmp_path / "both.sqlite")
    project = Project(tmp_path / "both.sqlite", teach=False)
    first, second = project.store.texts.some([5, 6])
    assert first.sentence.document == second.sentence.document != project.store.texts.one(1).sentence.document
    project.close()


def test_projects_of_other_types_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    one = judged_by(tmp_path, "ada", [])
    other = make_project(tmp_path / "other.sqlite", types=["PER"]).store.path
    with pytest.raises(DataError, match=r"other\.sqlite: expected the types `person`, `location` as in .*, got `PER`"):
        merge(one, other, tmp_path / "both.sqlite")
    with pytest.raises(DataError, match="the file exists; choose another --output"):
        merge(one, one, other)
    assert {file.name for file in tmp_path.iterdir()} == {"ada.sqlite", "other.sqlite"}
