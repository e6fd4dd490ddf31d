"""What a network learns: how the epochs draw sentences from the corpora."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tagger.config import Sampling, TrainingConfig
from tagger.encoding.batches import EncodedSentences
from tagger.training import task as task_module
from tagger.training.task import Task, share_epoch

PARTS = [(100, 100), (200, 200)]  # sentences of two corpora, and how many of them an epoch has


def make_task(parts: Sequence[tuple[int, int]], lengths: NDArray[np.int64] | None = None, **config: Any) -> Task:
    """A task whose sentences repeat one word; default: once."""
    if lengths is None:
        lengths = np.ones(sum(size for size, _ in parts), np.int64)
    one, starts = np.ones(1, np.int64), np.concatenate([[0], lengths.cumsum()])
    type_ids = np.zeros(lengths.sum(), np.int64)
    sentences = EncodedSentences(np.array(["a"], object), one, one, np.array([0, 1]), type_ids, starts)
    return Task(sentences, TrainingConfig(**{"batch_size": 8, **config}), parts, {}, seed=1)


def test_an_epoch_draws_of_each_corpus_its_weight() -> None:
    sizes = [10, 7, 100, 3]
    drawn = share_epoch(sizes, [1.0, 2.5, 0.05, 0.01], "proportion")
    batches = make_task(list(zip(sizes, drawn, strict=True))).draw_batches(np.random.default_rng(1))
    counts = Counter(row for batch in batches for row in batch.tolist())
    assert [counts[i] for i in range(10)] == [1] * 10
    assert sorted(counts[i] for i in range(10, 17)) == [2, 2, 2, 3, 3, 3, 3]  # 18 of 7: twice each and 4 once more
    assert [counts[i] for i in range(17, 117)].count(1) == 5
    assert sum(counts[i] for i in range(117, 120)) == 1  # never nothing


@pytest.mark.parametrize(
    ("sampling", "weights", "drawn"),
    [
        ("proportion", [1.0, 1.0, 1.0], [1600, 400, 100]),
        ("proportion", [0.5, 1.0, 3.0], [800, 400, 300]),
        ("sqrt", [1.0, 1.0, 1.0], [1200, 600, 300]),  # 40 : 20 : 10 of 2,100
        ("sqrt", [0.5, 1.0, 3.0], [429, 429, 643]),  # 20 : 20 : 30 of 1,500
        ("even", [1.0, 1.0, 1.0], [700, 700, 700]),
        ("even", [0.5, 1.0, 3.0], [167, 333, 1000]),  # 0.5 : 1 : 3 of 1,500
    ],
)
def test_sampling_shares_an_epoch_out_among_corpora(sampling: Sampling, weights: list[float], drawn: list[int]) -> None:
    assert share_epoch([1600, 400, 100], weights, sampling) == drawn


@pytest.mark.parametrize("sampling", ["proportion", "sqrt", "even"])
def test_sampling_changes_nothing_for_a_single_corpus(sampling: Sampling) -> None:
    assert share_epoch([37], [1.0], sampling) == [37]


def test_each_batch_is_of_one_corpus_and_corpora_take_turns() -> None:
    lengths = np.random.default_rng(1).integers(1, 30, 300)
    task = make_task(PARTS, lengths)
    batches = task.draw_batches(np.random.default_rng(1))
    assert len(batches) == task.num_batches == 13 + 25
    first = [bool((batch < 100).all()) for batch in batches]
    assert first == [bool((batch < 100).any()) for batch in batches]
    assert 0 < sum(first[:13]) < 13


def test_mixed_batches_have_sentences_of_all_corpora() -> None:
    task = make_task(PARTS, batches="mixed")
    batches = task.draw_batches(np.random.default_rng(1))
    assert len(batches) == task.num_batches == 38
    assert sorted(np.concatenate(batches)) == list(range(300))
    assert sum(0 < (batch < 100).sum() < len(batch) for batch in batches) > 30


def test_epochs_draw_different_sentences_of_a_corpus_that_is_cut() -> None:
    task, rng = make_task([(1000, 100)]), np.random.default_rng(1)
    first, second = ({row for batch in task.draw_batches(rng) for row in batch} for _ in range(2))
    assert len(first) == len(second) == 100
    assert len(first & second) < 40


def test_digest_depends_on_ids_and_not_on_the_type_that_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(kind: type, *, last: int = 3, part: int = 2**20) -> str:
        monkeypatch.setattr(task_module, "PART", part)
        task = make_task([(2, 2)])
        ids = np.array([0, 1, -1, last], kind)
        return replace(task, sentences=replace(task.sentences, tag_targets={"ner": ids})).digest()

    assert digest(np.int32) == digest(np.int8) == digest(np.int16) == digest(np.int8, part=3)
    assert digest(np.int8) != digest(np.int8, last=2)
