"""Bootstrap intervals: by hand, against scipy, and their coverage in simulated corpora."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tagger.metrics.resampling import Statistic, accuracy, f1, interval

STATISTICS = [(f1, 3), (accuracy, 2)]
CORPORA = 1000  # simulated in each test of coverage
Simulated = tuple[np.ndarray, Statistic, float]  # counts (corpora, sentences, columns), statistic, its true value


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
    "counts",
    [
        np.zeros((0, 3), int),
        [[1, 2, 2]],
        [[0, 0, 0]] * 5,
        [[1, 1, 1], [2, 2, 2]],
        [[0, 1, 0], [0, 0, 2]],
        [[1, 2, 2]] * 5,
    ],
    ids=["no sentence", "one sentence", "no entity", "all right", "nothing right", "equal sentences"],
)
def test_a_corpus_that_shows_no_variance_has_no_interval(counts: Any) -> None:
    assert interval(counts, f1) is None


def test_an_interval_of_few_sentences_stays_within_0_and_1() -> None:
    for counts in ([[1, 1], [0, 1]], [[1, 1]] * 40 + [[0, 1]], [[0, 1]] * 40 + [[1, 1]]):
        found = interval(counts, accuracy)
        assert found is not None
        assert 0 <= found.low < found.high <= 1


def test_memory_does_not_grow_with_the_number_of_resamples(
    peak_memory: Callable[[Callable[[], object]], int],
) -> None:
    counts = np.random.default_rng(1).integers(0, 50, (3000, 3))
    peak = peak_memory(lambda: interval(counts, f1, resamples=4000))
    assert peak < 100e6  # all draws at once would take 96 MB for the counts and as much again for the indices


def test_resamples_of_5000_sentences_take_no_time_to_speak_of() -> None:
    counts = np.random.default_rng(1).integers(0, 50, (5000, 3))
    started = time.perf_counter()
    interval(counts, f1)
    assert time.perf_counter() - started < 20  # measured: below 1 s on one idle core


def entities(sentences: int, *, right: float = 0.75, documents: int = 0) -> Simulated:
    """Simulate entities that are easy or hard together: those of a sentence, or of a document."""
    rng = np.random.default_rng(4)
    ease = rng.beta(4 * right, 4 * (1 - right), (CORPORA, documents or sentences))
    gold = rng.poisson(1.5, (CORPORA, sentences))
    correct = rng.binomial(gold, np.repeat(ease, sentences // ease.shape[1], axis=1))
    predicted = correct + rng.poisson((1 - right) * 1.5, gold.shape)
    return np.stack([correct, predicted, gold], axis=-1), f1, right  # as many entities are predicted as there are gold


def tokens(sentences: int, *, right: float) -> Simulated:
    """Simulate right and wrong tags, in sentences that are easy or hard."""
    rng = np.random.default_rng(5)
    total = 1 + rng.poisson(9, (CORPORA, sentences))
    return (
        np.stack([rng.binomial(total, rng.beta(9 * right, 9 * (1 - right), total.shape)), total], -1),
        accuracy,
        right,
    )


def labels(sentences: int, *, right: float) -> Simulated:
    """Simulate right and wrong labels of sentences."""
    hits = np.random.default_rng(6).random((CORPORA, sentences)) < right
    return np.stack([hits, np.ones_like(hits)], axis=-1), accuracy, right


def coverage(simulated: Simulated, *, units: np.ndarray | None = None) -> float:
    """Return the share of corpora whose 95 % interval contains the true score."""
    corpora, statistic, true = simulated
    ids = None if units is None else units.tolist()
    found = [interval(each, statistic, units=ids, resamples=1000, seed=seed) for seed, each in enumerate(corpora)]
    return float(np.mean([each is not None and each.low <= true <= each.high for each in found]))


@pytest.mark.parametrize(
    ("sentences", "right"),
    [(150, 0.8), *(pytest.param(*case, marks=pytest.mark.slow) for case in [(300, 0.4), (300, 0.95), (1000, 0.75)])],
)
@pytest.mark.parametrize("simulate", [entities, tokens, labels])
def test_95_of_100_intervals_cover_the_true_score(simulate: Any, sentences: int, right: float) -> None:
    assert 0.93 <= coverage(simulate(sentences, right=right)) <= 0.97


def test_intervals_over_documents_cover_the_true_score_where_those_over_sentences_fail() -> None:
    simulated = entities(800, documents=80)
    assert 0.93 <= coverage(simulated, units=np.repeat(np.arange(80), 10)) <= 0.97
    some = simulated[0][:200], *simulated[1:]
    assert coverage(some) < 0.85
