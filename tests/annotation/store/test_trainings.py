"""Trainings in the file: a kill or an error of one leaves the others as they are."""

from pathlib import Path

from annotation.projects import make_project


def test_training_that_a_kill_cut_short_is_forgotten(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    store.trainings.begin()
    assert [training.seconds for training in store.trainings.all()] == [None]
    store.trainings.forget_unfinished()
    store.trainings.end(store.trainings.begin(), 1.5, {"score": None})
    assert [training.seconds for training in store.trainings.all()] == [1.5]
    store.close()


def test_training_that_begins_and_fails_changes_no_other_one(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    first, second = store.trainings.begin(), store.trainings.begin()
    store.trainings.end(second, 0.0, {"error": "no model"})
    store.trainings.end(first, 1.5, {"score": None})
    assert [(each.seconds, dict(each.facts)) for each in store.trainings.all()] == [
        (1.5, {"score": None}),
        (0.0, {"error": "no model"}),
    ]
    store.close()
