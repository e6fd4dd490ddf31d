"""Which text comes next: each once, unsure ones first, and one in five by chance."""

from pathlib import Path

from annotation.projects import TEXTS, make_project

from tagger.annotation.project import Project
from tagger.annotation.store.predictions import Prediction
from tagger.text.sentence import Sentence, TagLayer


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


def gold() -> list[Sentence]:
    return [Sentence.from_tokens(["Ada"], {"ner": TagLayer(("B-person",), "iob2", "iob2")})]


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


def test_a_text_that_the_model_has_not_read_comes_after_those_where_it_is_unsure(tmp_path: Path) -> None:
    project = make_project(tmp_path / "notes.sqlite", ["a b c d", "e f g h", "i j k l", "m n o p"], gold=gold())
    project.judge_rest(1)
    project.store.predictions.add(Prediction(text, gain, []) for text, gain in {2: 0.1, 4: 0.2}.items())
    order = []
    for _ in range(3):
        item = project.next(order[-1][0] if order else 1)
        assert item is not None
        order.append((item.id, item.why))
        project.judge_rest(item.id)
    assert [id for id, _ in order] == [4, 2, 3]
    assert order[-1][1] == "no model has learned your types yet"


def test_one_text_in_five_is_held_out_and_comes_by_chance(tmp_path: Path) -> None:
    project = make_project(tmp_path / "notes.sqlite", [f"text number {n} of all" for n in range(200)])
    reasons, item = [], project.next()
    for _ in range(50):
        assert item is not None
        reasons.append(item.why.startswith("drawn by chance"))
        project.judge_rest(item.id)
        item = project.next(item.id)
    assert sum(reasons) == 9  # the first after five others, then one in five
