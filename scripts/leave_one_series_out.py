"""Label anomalies in series that were not in training, each in turn, beside a z-score detector.

    python scripts/leave_one_series_out.py recipes/series-anomaly.toml --data DIR

Both detectors have a threshold, of a probability and of a distance in standard deviations. It is the one with the best
score on the series that the model learns from, of those below, so the series that is left out decides nothing.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from arguments import existing_folder, run_script
from numpy.typing import NDArray

import tagger
from tagger import Recipe, RecipeError, Sentence, Tagger
from tagger.metrics import Alarms, nab_score, point_scores, window_scores

LAYER, NORMAL = "tags", "O"
PROBABILITIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
DISTANCES, BEFORE = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0), 200  # standard deviations, and steps that they are computed from

Floats = NDArray[np.float64]
Series = Sequence[Sentence]


def of_model(model: Tagger, windows: Series) -> Floats:
    """Return the probability of an anomaly at each step of windows."""
    found = []
    for window in windows:
        marginals = model.marginals(window)[LAYER]
        found.append(1.0 - marginals.array[:, marginals.tags.index(NORMAL)].astype(float))
    return np.concatenate(found)


def of_distance(windows: Series) -> Floats:
    """Return how far each number is from the mean of the steps before it, in their standard deviations."""
    values = np.concatenate([window.frames.values[:, 0] for window in windows if window.frames]).astype(float)
    found = np.zeros(len(values))
    for step in range(BEFORE, len(values)):
        before = values[step - BEFORE : step]
        found[step] = abs(values[step] - before.mean()) / max(before.std(), 1e-9)
    return found


def alarms_of(windows: Series, scores: Floats, threshold: float) -> Alarms:
    """Return the alarms of a series: the steps with a score above the threshold."""
    gold = [tag != NORMAL for window in windows for tag in window.tags(LAYER)]
    return Alarms.of(gold, (scores > threshold).tolist())


def best_threshold(series: Mapping[str, Series], score: Callable[[Series], Floats], among: Sequence[float]) -> float:
    """Return the threshold with the highest NAB score on some series."""
    scores = {name: score(windows) for name, windows in series.items()}
    return max(among, key=lambda each: nab_score([alarms_of(series[name], scores[name], each) for name in series]))


def series_of(recipe: Recipe, data: Path | None) -> dict[str, list[Sentence]]:
    """Return the windows of each series of a recipe, in the order of time."""
    (corpus,) = tagger.load_corpora(recipe, data=data).values()
    found: dict[str, list[Sentence]] = {}
    for window in sorted([*corpus.train, *corpus.dev, *corpus.test], key=_first):
        assert window.origin is not None
        found.setdefault(Path(window.origin.path).stem, []).append(window)
    return found


def _first(window: Sentence) -> int:
    assert window.origin is not None
    return window.origin.lines[0]


def line(name: str, series: Sequence[Alarms]) -> str:
    """Return a row of the table."""
    points, windows = point_scores(series).f1, window_scores(series).f1
    return f"{name:<48} {points:>8.3f} {windows:>8.3f} {nab_score(series):>8.1f}"


def main(argv: Sequence[str] | None = None) -> None:
    """Print the scores of each series, and those of all together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=existing_folder, help="folder that the paths of the recipe are relative to")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the recipe")
    options = parser.parse_args(argv)
    recipe = tagger.load_recipe(options.recipe, options.set)
    if recipe.data is None or recipe.data.frames is None or recipe.data.frames.window is None:
        raise RecipeError(f"{options.recipe}: must cut series into windows, got no `data.frames.window`; add it")
    apart = f"data.frames.hop={recipe.data.frames.window}"  # so that each step is scored once
    series = series_of(recipe, options.data)
    whole = series_of(tagger.load_recipe(options.recipe, [*options.set, apart]), options.data)
    print(f"{'left out':<48} {'point F1':>8} {'window F1':>8} {'NAB':>7}")
    pooled: dict[str, list[Alarms]] = {"model": [], "z-score": []}
    for name in series:
        others = {other: windows for other, windows in whole.items() if other != name}
        train = [window for other in others for window in series[other]]
        given = tagger.Corpus(train=train)
        model = tagger.train(recipe, corpus=given, base=options.data).tagger
        detectors: dict[str, tuple[Callable[[Series], Floats], Sequence[float]]] = {
            "model": (lambda windows, model=model: of_model(model, windows), PROBABILITIES),  # type: ignore[misc]
            "z-score": (of_distance, DISTANCES),
        }
        for kind, (score, among) in detectors.items():
            threshold = best_threshold(others, score, among)
            pooled[kind].append(alarms_of(whole[name], score(whole[name]), threshold))
            print(line(f"{name}, {kind} above {threshold:g}", pooled[kind][-1:]), flush=True)
    for kind, found in pooled.items():
        print(line(f"all, {kind}", found))


if __name__ == "__main__":
    run_script(main)
