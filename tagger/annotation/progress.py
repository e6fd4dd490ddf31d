"""How far a project is: counts, the pace of the person, the score of the model."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tagger.annotation.judgements import Judgement, holding
from tagger.annotation.store.store import Store

PACE = 50  # last judgements whose seconds give the pace


def progress_of(store: Store, *, is_training: bool) -> dict[str, Any]:
    """Return counts, the score of the last training with its interval, and the state of the training.

    Args:
        store: The file of the project.
        is_training: Whether the process that trains is there.
    """
    said = [each for each in store.judgements.all() if each.kind != "skip"]
    types = _entities(store)
    return {
        "judgements": len(said),
        "spans": types.total(),
        "texts_judged": len({each.text for each in said}),
        "texts": store.texts.count(),
        "per_minute": _pace(said),
        "types": {name: types[name] for name in store.settings.types},
        **_trainings(store, is_training=is_training),
    }


def _entities(store: Store) -> "Counter[str]":
    """Return the number of judged entities of each type."""
    held = (judged for said in store.judgements.by_text().values() for judged in holding(said, 0))
    return Counter(judged.type for judged in held if judged.type is not None)


def _pace(judgements: Sequence[Judgement]) -> float | None:
    """Return how many judgements a person makes in a minute; None if none of them has seconds."""
    seconds = [each.seconds for each in judgements if each.seconds > 0][-PACE:]
    return round(60 * len(seconds) / sum(seconds), 1) if seconds else None


def _trainings(store: Store, *, is_training: bool) -> dict[str, Any]:
    ended = store.trainings.ended()
    running = is_training and len(ended) < len(store.trainings.all())
    last = ended[-1] if ended else None
    return {
        "score": next((each.facts["score"] for each in reversed(ended) if each.facts.get("score")), None),
        "training": "running" if running else "idle",
        "trainings": sum("error" not in each.facts for each in ended),
        "seconds_of_training": round(last.seconds or 0.0, 1) if last else 0.0,
        "next_training_in": store.trainings.due_in(),
        "error": last.facts.get("error") if last else None,
    }
