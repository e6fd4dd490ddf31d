"""Train a recipe several times and sum up the scores: with several seeds, or in a cross-validation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagger.config import Recipe
from tagger.corpus.corpus import Corpus
from tagger.errors import RecipeError, TaggerError
from tagger.files.holding import check_kind
from tagger.files.writing import replace_files
from tagger.inference.torch_backend import check_device
from tagger.inference.workers import batches_at_once
from tagger.reporting.output import encoded, to_json
from tagger.reporting.report import load_report
from tagger.reporting.run_group import RunGroup
from tagger.running.corpora import check_files
from tagger.running.several.finished import is_finished, main_score, read_report
from tagger.running.several.plans import Plan, plan_folds, plan_seeds
from tagger.running.several.processes import Ending, GroupListener, Processes, in_turn
from tagger.running.teachers.finding import kept_recipe
from tagger.running.train import read_recipe
from tagger.text.tokenization import Split
from tagger.training.checkpoint import EVERY


def train_several(
    recipe: str | Path | Recipe,
    *,
    seeds: Sequence[int] | None = None,
    folds: int | None = None,
    output: str | Path,
    jobs: int = 1,
    corpus: Corpus | Mapping[str, Corpus] | None = None,
    data: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    checkpoint_every: int | str = EVERY,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    device: str = "cpu",
    threads: int | None = None,
    listener: GroupListener | None = None,
    track: Sequence[str] = (),
    tokenize: Split | None = None,
) -> RunGroup:
    """Train a recipe with several seeds, or once per fold of its train sentences, and return all scores.

    Each run has a folder in `output`: `seed-1`, or `fold-1-of-5`. It is the same run that `train` makes. Finished runs
    of the same recipe that are there already are used again; whether their data were the same is not checked. The
    summary is written to `seeds.json`, `seeds.md` and `seeds.tex`, or `folds.json` and so on.

    The data are the same in all runs with several seeds: splits have a seed of their own, and generated sentences keep
    the seed of the recipe. In a cross-validation each train sentence is in the test split of one run; documents stay
    together, dev is that of the recipe, and its test split is not used. A teacher that is a recipe is trained in
    each run.

    Args:
        recipe: A recipe, or the path of its TOML file.
        seeds: The seeds, such as `[1, 2, 3]`.
        folds: The number of folds, in place of seeds; `split.seed` of the recipe decides which sentences are in each.
        output: Folder of all runs.
        jobs: Number of runs at a time. Several run in processes of their own, so a script needs the usual
            `if __name__ == "__main__":`.
        corpus: Sentences or documents made in Python, to be used in place of the corpus of the recipe, as for `train`.
        data: Folder that paths of corpora and vectors are relative to; default: the folder of the recipe.
        overwrite: Whether to replace finished runs. An earlier run stays until the new one has ended.
        resume: Whether runs that were stopped or killed go on from their last checkpoints, as in `train`.
        checkpoint_every: How often a checkpoint is written, as in `train`.
        overrides: Values of the recipe to replace, as `section.key=value`.
        seed: Replaces the seed of the recipe; not beside `seeds`.
        device: Where the networks run: `cpu`, `cuda` or `cuda:N`.
        threads: Number of CPU threads of each run. Default: all cores, divided by `jobs`.
        listener: Called on events of the runs.
        track: Where to show the runs too, as in `train`.
        tokenize: Function that splits raw text, as for `train`.

    Raises:
        RecipeError: The recipe, the seeds or the number of folds are invalid.
        DataError: A file is missing, or a folder in `output` has a run of another recipe.
        ModelError: The device is not available, or `output` holds a run or a model itself.
        TaggerError: No run has finished; names the reason of each.
        ValueError: Neither seeds nor folds are given, or both, or `jobs` is below 1.
    """
    if (seeds is None) == (folds is None):
        raise ValueError("give either seeds or folds")
    if seeds is not None and seed is not None:
        raise ValueError("give either seed or seeds")
    if resume and overwrite:
        raise RecipeError("overwrite starts again and resume continues; give one of the two")
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    named = "the recipe" if isinstance(recipe, Recipe) else Path(recipe).stem
    recipe, base = read_recipe(recipe, overrides, seed=seed)
    folder = Path(output)
    plans = plan_seeds(recipe, seeds or (), folder) if folds is None else plan_folds(recipe, folds, folder, corpus)
    check_device(device)
    check_files(recipe, base if data is None else Path(data), from_files=data is not None, given=corpus)
    check_kind(folder, "runs")
    jobs = min(jobs, len(plans))
    if threads is None and jobs > 1:
        threads = max(1, batches_at_once() // jobs)
    shared: dict[str, Any] = {"corpus": corpus, "data": data, "base": base, "device": device, "threads": threads}
    shared |= {"tokenize": tokenize, "track": track, "checkpoint_every": checkpoint_every}
    shared |= {"overwrite": not resume, "resume": resume}
    plans = [Plan(plan.folder, plan.recipe, {**shared, **plan.settings}) for plan in plans]
    done = {} if overwrite else {plan.name: Ending("finished") for plan in plans if _is_done(plan, base, named)}
    group = _Group(named, plans, done, listener or GroupListener())
    group.run(jobs)
    summary = group.summary("seeds" if folds is None else "folds")
    _write(summary, folder)
    return summary


def _is_done(plan: Plan, base: Path, named: str) -> bool:
    return is_finished(plan.folder, kept_recipe(plan.recipe, base), named)


class _Group:
    """Makes the runs that are missing, and reports on all."""

    def __init__(self, name: str, plans: Sequence[Plan], done: dict[str, Ending], listener: GroupListener) -> None:
        self._name, self._plans, self._endings, self._listener = name, plans, done, listener

    def run(self, jobs: int) -> None:
        """Make the runs that are missing, `jobs` at a time."""
        for plan in self._plans:
            if plan.name in self._endings:
                self._listener.noted(plan.name, f"used again: {result_of(plan.folder)}")
        missing = [plan for plan in self._plans if plan.name not in self._endings]
        if jobs == 1:
            in_turn(missing, self._listener, self._end)
        elif missing:
            Processes(missing, jobs, self._listener, self._end).run()

    def _end(self, plan: Plan, ending: Ending) -> None:
        self._endings[plan.name] = ending
        results = {"failed": f"failed: {ending.reason}", "stopped": "stopped"}
        self._listener.ended(plan.name, results.get(ending.how) or result_of(plan.folder))

    def summary(self, kind: Any) -> RunGroup:
        """Return the scores of all runs.

        Raises:
            TaggerError: No run has finished.
            KeyboardInterrupt: The runs were stopped before one had finished.
        """
        plans, ended = list(self._plans), [self._endings.get(plan.name, Ending("stopped")) for plan in self._plans]
        pairs = list(zip(plans, ended, strict=True))
        finished = [plan for plan, ending in pairs if ending.how == "finished"]
        failed = {plan.name: ending.reason for plan, ending in pairs if ending.how == "failed"}
        stopped = [plan.name for plan, ending in pairs if ending.how == "stopped"]
        if not finished and stopped:
            raise KeyboardInterrupt
        if not finished:
            raise TaggerError("\n".join(["no run has finished", *_reasons(failed)]))
        layers = finished[0].recipe.layers.items()
        return RunGroup(
            self._name,
            kind,
            {plan.name: read_report(plan.folder) for plan in finished},
            {layer: "accuracy" if head.span_scheme is None else "f1" for layer, head in layers},
            failed,
            stopped,
            pooled_scores([plan.folder for plan in finished]) if kind == "folds" and finished == plans else {},
        )


def _reasons(failed: Mapping[str, str]) -> Iterator[str]:
    """Yield each reason once, with the runs that failed for it."""
    for reason in dict.fromkeys(failed.values()):
        name, *others = [name for name, text in failed.items() if text == reason]
        yield f"{name}{f' and {len(others)} more' if others else ''}: {reason}"


def pooled_scores(folders: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
    """Return the scores of the test sentences of several runs together, by layer, as JSON values."""
    reports = [load_report(folder) for folder in folders]
    found: dict[str, Mapping[str, Any]] = {}
    for name in dict.fromkeys(name for report in reports for name in report.layers):
        layers = [report.layers[name] for report in reports if name in report.layers]
        gold, predicted = (tuple(s for layer in layers for s in getattr(layer, side)) for side in ("gold", "predicted"))
        found[name] = replace(layers[0], gold=gold, predicted=predicted).scores.to_dict()
    return found


def result_of(folder: Path) -> str:
    """Return the headlines of a finished run in words."""
    report = read_report(folder)
    parts = {"dev": report["dev_scores"], "test": {name: main_score(v) for name, v in report["scores"].items()}}
    texts = (", ".join(f"{layer} {score:.4f}" for layer, score in part.items()) for part in parts.values())
    return "; ".join(f"{split} {text}" for split, text in zip(parts, texts, strict=True) if text)


def _write(group: RunGroup, folder: Path) -> None:
    """Write the summary of runs into their folder."""
    texts = {"json": to_json(group.to_dict()), "md": group.to_markdown(), "tex": group.to_latex()}
    replace_files(folder, {f"{group.kind}.{suffix}": encoded(text) for suffix, text in texts.items()})
