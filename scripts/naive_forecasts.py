"""Compare the forecasts of a run with naive ones, on the same steps of the same series.

    python scripts/naive_forecasts.py RUN SERIES.csv --period STEPS [STEPS ...] [--layer NAME]

RUN is the folder of a run whose report has the forecasts, such as that of `series-forecast`. SERIES.csv is the series,
with a header, the time in the first column and the number in the second. The naive forecasts repeat the last number, or
the numbers of `--period` steps before. Each is scored by its mean absolute error (MAE) and by that divided by the error
of the same naive forecast in all steps before the first forecast (MASE of that period; Hyndman and Koehler, 2006).
"""

import csv
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from arguments import existing_folder, run_script, whole_number
from numpy.typing import NDArray

from tagger import DataError, load_report
from tagger.metrics import mae, naive_error

Floats = NDArray[np.float64]


class Row(NamedTuple):
    """A forecast with its mean absolute error, and that in units of each naive error of train."""

    name: str
    error: float
    scaled: Sequence[float]


def read_series(path: Path) -> tuple[list[str], Floats]:
    """Return times, without blanks, and numbers of a series.

    Raises:
        DataError: The file cannot be read, or a line has no number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))[1:]
        return ["T".join(row[0].split()) for row in rows], np.array([float(row[1]) for row in rows])
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"{path}: expected CSV with a time and a number in each line, got {error}; fix it") from None


def compared(run: Path, series: Path, periods: Sequence[int], layer: str) -> Iterator[Row]:
    """Yield the forecasts of a run, then the naive ones.

    Raises:
        DataError: The report has no such layer, the series lacks a step of it, or a period is too long.
    """
    scored = load_report(run).layers.get(layer)
    if scored is None:
        raise DataError(f"{run}: the report has no layer `{layer}`; name it with --layer")
    times, numbers = read_series(series)
    places = {time: place for place, time in enumerate(times)}
    try:
        ends = [places[sentence.tokens[-1]] + 1 for sentence in scored.gold]  # the first step of each forecast
    except KeyError as error:
        raise DataError(
            f"{series}: must have all steps of the report, but it has no {error}; name its series"
        ) from None
    gold, found = (np.array([s.values(layer).values for s in side], float) for side in (scored.gold, scored.predicted))
    steps, first = np.arange(gold.shape[1]), min(ends)
    if max(periods) > first:
        raise DataError(f"--period must be at most the {first} steps before the first forecast, got {max(periods)}")
    scales = [naive_error(numbers[:first], period=period) for period in periods]
    forecasts = {layer: found, "last number": np.array([np.repeat(numbers[end - 1], len(steps)) for end in ends])}
    forecasts |= {
        f"{period} steps before": np.array([numbers[end - period + steps % period] for end in ends])
        for period in periods
    }
    for name, forecast in forecasts.items():
        error = mae(gold, forecast)
        yield Row(name, error, [error / scale for scale in scales])


def parsed(arguments: Sequence[str] | None) -> Namespace:
    """Return the command line."""
    parser = ArgumentParser(description="Compare the forecasts of a run with naive ones.")
    parser.add_argument("run", type=existing_folder, help="folder of a run")
    parser.add_argument("series", type=Path, help="CSV with a time and a number in each line")
    parser.add_argument("--period", type=whole_number(1), nargs="+", required=True, help="steps after which it repeats")
    parser.add_argument("--layer", default="next", help="layer with the forecasts; default: next")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of forecasts."""
    options = parsed(arguments)
    rows = list(compared(options.run, options.series, options.period, options.layer))
    heads = ["MAE", *(f"MASE {period}" for period in options.period)]
    print(f"{'forecast':20}" + "".join(f"{head:>12}" for head in heads))
    for row in rows:
        print(f"{row.name:20}{row.error:12.5g}" + "".join(f"{scaled:12.4f}" for scaled in row.scaled))


if __name__ == "__main__":
    run_script(main)
