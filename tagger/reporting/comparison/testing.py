"""Differences of scores with intervals and p-values, for two systems with one run or several runs each.

The statistics are those of `metrics`: `significance.py` for single runs, `run_groups.py` for groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tagger.metrics.layer import Counts
from tagger.metrics.resampling import Interval, Statistic
from tagger.metrics.run_groups import compare_groups
from tagger.metrics.section import Cell
from tagger.metrics.significance import compare_paired, holm

Runs = Sequence[Counts]  # of each run, of shape (sentences, columns)
SMALL = 0.00005  # p-values below this would be written as 0
SHOWN = {"p_bootstrap": "p bootstrap", "p_randomisation": "p randomised", "p": "p"}


@dataclass(frozen=True, slots=True)
class Difference:
    """How much higher a score of the second system is than that of the first.

    Args:
        value: The difference.
        interval: Its confidence interval; None if it is undefined.
        p_values: The p-value of each method, by its key in JSON.
        errors: The parts of the standard error of the difference, if systems are groups of runs.
        corrected: The p-values, corrected after Holm for all differences of one table.
    """

    value: float
    interval: Interval | None
    p_values: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)
    corrected: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, float | None]:
        """Return the difference as JSON values."""
        low, high = self.interval or (None, None)
        corrected = {f"{name}_holm": p for name, p in self.corrected.items()}
        return {"difference": self.value, "low": low, "high": high, **self.p_values, **corrected, **self.errors}

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of `cells`."""
        names = (SHOWN[name] for name in self.p_values)
        return ("difference", "low", "high", *names, *(name.replace("_", " ") for name in self.errors))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The difference, its interval, corrected p-values and errors as cells of a table."""
        ends = self.interval or (None, None)
        signed = [None if each is None else f"{each:+.4f}" for each in (self.value, *ends)]
        small = ["<0.0001" if p < SMALL else p for p in self.corrected.values()]
        return (*signed, *small, *self.errors.values())


def tested_differences(
    pairs: Sequence[tuple[Runs, Runs]], statistic: Statistic, *, units: Sequence[int] | None, seed: int
) -> list[Difference]:
    """Return how much higher the score of the second of each pair is than that of the first.

    Args:
        pairs: The counts of the first and the second system; both have one run, or both have several.
        statistic: The score as a function of sums of counts.
        units: The document of each sentence; None to resample sentences.
        seed: Seed of the resampling.
    """
    found = [_difference(*pair, statistic, units, seed) for pair in pairs]
    names = found[0].p_values if found else ()
    corrected = {name: holm([each.p_values[name] for each in found]) for name in names}
    return [
        Difference(each.value, each.interval, each.p_values, each.errors, {name: corrected[name][i] for name in names})
        for i, each in enumerate(found)
    ]


def _difference(one: Runs, two: Runs, statistic: Statistic, units: Sequence[int] | None, seed: int) -> Difference:
    if len(one) == len(two) == 1:
        pair = compare_paired(two[0], one[0], statistic, units=units, seed=seed)
        p_values = {"p_bootstrap": pair.p_bootstrap, "p_randomisation": pair.p_randomisation}
        return Difference(pair.difference, pair.interval, p_values)
    groups = compare_groups(two, one, statistic, units=units, seed=seed)
    errors = {"seed_error": groups.seed_error, "sentence_error": groups.sentence_error}
    return Difference(groups.difference, groups.interval, {"p": groups.p}, errors)
