"""Bootstrap intervals: by hand, against scipy, and their coverage in simulated corpora."""

import time
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tagger.metrics.resampling import Interval, Statistic, accuracy, f1, interval, macro_f1

STATISTICS = [(f1, 3), (accuracy, 2), (macro_f1, 6)]


def corpus(size: int, *, seed: int = 1, classes: int = 1) -> np.ndarray:
    """Return correct, predicted and gold entities of random sentences, for each class."""
    rng = np.random.default_rng(seed)
    gold = rng.poisson(1.5 / classes, (size, classes))
    correct = rng.binomial(gold, 0.7)
    return np.stack([correct, correct + rng.poisson(0.4 / classes, gold.shape), gold], axis=-1).reshape(size, -1)


@pytest.mark.parametrize(
    ("statistic", "sums", "score"),
    [
        (f1, (2, 4, 3), 4 / 7),
        (f1, (0, 4, 3), 0.0),
        (f1, (0, 0, 0), 0.0),
        (accuracy, (9, 12), 0.75),
        (accuracy, (0, 0), 0.0),
        (macro_f1, (2, 4, 3, 0, 1, 0, 1, 1, 1), (4 / 7 + 0 + 1) / 3),
        (macro_f1, (2, 4, 3, 0, 0, 0), 4 / 7),
        (macro_f1, (0, 0, 0, 0, 0, 0), 0.0),
    ],
)
def test_statistics_are_those_of_the_reports(statistic: Statistic, sums: tuple[int, ...], score: float) -> None:
    assert float(statistic(np.array(sums, float))) == pytest.approx(score)
    many = np.tile(np.array(sums, float), (2, 3, 1))
    assert statistic(many) == pytest.approx(np.full((2, 3), score))


@pytest.mark.parametrize("size", [12, 400], ids=["distinct rows", "repeated rows"])
@pytest.mark.parametrize(("statistic", "columns"), STATISTICS)
def test_interval_equals_that_of_scipy(statistic: Statistic, columns: int, size: int) -> None:
    counts = corpus(size, classes=max(1, columns // 3))[:, -columns:]

    def score(*drawn: Any, axis: int) -> Any:
        return statistic(np.stack([part.sum(axis) for part in drawn], axis=-1))

    theirs = stats.bootstrap(
        tuple(counts.T.astype(float)), score, paired=True, vectorized=True, n_resamples=20_000, method="BCa",
        rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    ours = interval(counts, statistic, resamples=20_000)
    assert ours == pytest.approx(tuple(theirs), abs=0.05 * (theirs.high - theirs.low))


def test_a_document_is_drawn_with_all_its_sentences() -> None:
    counts = corpus(60)
    units = [f"doc{place % 7}" for place in range(60)]
    summed = np.stack([counts[place::7].sum(0) for place in range(7)])
    assert interval(counts, f1, units=units) == interval(summed, f1)
    assert interval(counts, f1, units=range(60)) == interval(counts, f1)
    with pytest.raises(ValueError, match="one id for each of the 60 rows"):
        interval(counts, f1, units=units[:-1])


def test_interval_depends_on_the_seed_alone() -> None:
    counts = corpus(300)
    shuffled = np.random.default_rng(9).permutation(counts)
    assert interval(counts, f1) == interval(counts, f1, seed=1) == interval(shuffled, f1)
    assert interval(counts, f1) != interval(counts, f1, seed=2)


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (np.zeros((0, 3), int), None),
        ([[1, 2, 2]], None),
        ([[0, 0, 0]] * 5, None),
        ([[1, 1, 1]] * 5, Interval(1.0, 1.0)),
        ([[0, 1, 0]] * 5, Interval(0.0, 0.0)),
    ],
    ids=["no sentence", "one sentence", "no entity", "all right", "nothing right"],
)
def test_interval_of_a_corpus_without_variance_is_defined(counts: Any, found: Interval | None) -> None:
    assert interval(counts, f1) == found


def test_memory_does_not_grow_with_the_number_of_resamples() -> None:
    import tracemalloc

    counts = np.random.default_rng(1).integers(0, 50, (3000, 3))
    tracemalloc.start()
    interval(counts, f1, resamples=4000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6  # all draws at once would take 96 MB for the counts and as much again for the indices


def test_resamples_of_5000_sentences_take_no_time_to_speak_of() -> None:
    counts = np.random.default_rng(1).integers(0, 50, (5000, 3))
    started = time.perf_counter()
    interval(counts, f1)
    assert time.perf_counter() - started < 20  # measured: below 1 s on one idle core
