"""What progress counts."""

from tagger.annotation.project import Project
from tagger.annotation.store.trainings import AFTER


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
