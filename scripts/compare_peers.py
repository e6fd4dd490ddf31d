"""Train other tools on the corpora of recipes, and put their scores and costs beside ours in `docs/results.json`.

    python scripts/compare_peers.py [NAME ...] --data DIR [--runs DIR] [--tools crfsuite,spacy,sklearn] [--epochs 10]
        [--busy] [--again]

NAME is a recipe; the default is each one with corpora of files and without teachers. Each layer that test has is
learned from train of the corpora that have it: tags by python-crfsuite and spaCy, labels of sentences by scikit-learn.
Settings are chosen on dev, and test is scored once, all by `tagger.score`. An epoch of spaCy takes long on a CPU, so
`--epochs` is the most that it gets; it stops after three epochs without a better dev score.

Tagging is timed on dev, at most 20,000 tokens of it, in turns with the model in RUNS/NAME, or, if there is none, with
a plain network that is trained for one epoch. The training time is that of the chosen setting. Results are written when
a tool is done, and are not measured again without `--again`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from arguments import existing_folder, run_script, whole_number
from benchmark_runtime import consume, in_turns, machine
from peers.crfsuite import train_crfsuite
from peers.sklearn import train_sklearn
from peers.spacy import train_spacy
from peers.task import Task, Trained, scored, tasks_of
from progress import Progress
from results_data import ROOT, data_hash_of, read_results
from results_table import PLAIN, plain_model, run_folders, some_of_dev, today, write_results
from threadpoolctl import threadpool_limits

import tagger
from tagger import DataError, Recipe, Tagger

PACKAGES = {"crfsuite": "python-crfsuite", "spacy": "spacy", "sklearn": "scikit-learn"}


TOOLS: dict[str, tuple[tuple[str, ...], Callable[[Task, argparse.Namespace], Iterator[Trained]]]] = {
    "crfsuite": (("entities", "tags"), train_crfsuite),
    "spacy": (("entities", "tags"), train_spacy),
    "sklearn": (("labels",), train_sklearn),
}


def best_on_dev(task: Task, models: Iterator[Trained]) -> tuple[float, Trained]:
    """Return the trained tool with the highest score on dev, and that score."""
    found: list[tuple[float, Trained]] = []
    for model in models:
        found.append((scored(task, model, task.corpus.dev), model))
        sys.stderr.write(f"  {model.settings}: dev {found[-1][0]:.4f}\n")
    return max(found, key=lambda pair: pair[0])


def timed(task: Task, model: Trained, ours: Tagger, repeats: int) -> dict[str, Any]:
    """Return the seconds of tagging dev by a tool and by ours, in turns with one thread each, and the tokens of dev."""
    dev = some_of_dev({"": task.corpus})
    torch.set_num_threads(1)
    with threadpool_limits(1):
        seconds = in_turns({"seconds": lambda: model.predict(dev), "our_seconds": lambda: consume(ours, dev)}, repeats)
    return {**seconds, "tokens": sum(map(len, dev))}


def compared(task: Task, tool: str, ours: Callable[[], Tagger], options: argparse.Namespace) -> dict[str, Any]:
    """Train a tool on a task, and return its scores and costs."""
    dev, model = best_on_dev(task, TOOLS[tool][1](task, options))
    package = PACKAGES[tool]
    return {
        "recipe": task.recipe,
        "layer": task.layer,
        "tool": f"{package} {version(package)}",
        "settings": model.settings,
        "dev": dev,
        "test": scored(task, model, task.corpus.test),
        "train_seconds": model.seconds,
        "model_bytes": model.size,
        **timed(task, model, ours(), options.repeats),
        "machine": machine(),
        "busy": options.busy,
        "date": today(),
    }


def our_model(path: Path, options: argparse.Namespace) -> Tagger:
    """Return our model of a recipe: that of its runs, or else a plain network that is trained for one epoch."""
    if options.runs is not None and (options.runs / path.stem).is_dir():
        return tagger.load(run_folders(options.runs / path.stem)[0], threads=1)
    corpora = tagger.load_corpora(path, data=options.data)
    folder = (options.runs or Path("runs")) / PLAIN / path.stem
    return plain_model(folder, tagger.load_recipe(path), corpora, options.data, 1)


def is_default(recipe: Recipe) -> bool:
    """Whether a recipe is compared if none is named: its corpora are files of its own task."""
    generated = any(config.format == "synthetic" for config in recipe.all_corpora().values())
    return not generated and not any(head.teacher for head in recipe.heads.values())


def chosen_recipes(names: Sequence[str], root: Path) -> list[Path]:
    """Return the paths of recipes.

    Raises:
        DataError: There is no recipe of a name.
    """
    known = {path.stem: path for path in sorted((root / "recipes").glob("*.toml"))}
    if unknown := [name for name in names if name not in known]:
        raise DataError(f"{unknown[0]}: must be the name of a recipe, such as {next(iter(known))}")
    return [known[name] for name in names] or [p for p in known.values() if is_default(tagger.load_recipe(p))]


def missing(
    results: Mapping[str, Any], recipes: Sequence[Path], options: argparse.Namespace
) -> list[tuple[Path, Task, str]]:
    """Return which tool has to be trained on which task: those that have no result yet on the same corpora."""
    known = set()
    for peer in results["peers"]:
        known.add((peer["recipe"], peer["data"], peer["layer"], peer["tool"].partition(" ")[0]))
    found = []
    for path in recipes:
        for task in tasks_of(path, options.data):
            for tool in [tool for tool in options.tools if task.kind in TOOLS[tool][0]]:
                name = (task.recipe, data_hash_of(path), task.layer, PACKAGES[tool])
                if options.again or name not in known:
                    found.append((path, task, tool))
    return found


def add(peer: Mapping[str, Any], root: Path) -> None:
    """Put a result in the place of that of the same tool on the same task, and write all results."""
    results = read_results(root)  # again, because other results may have been written during the training

    def name(one: Mapping[str, Any]) -> tuple[str, str, str]:
        return one["recipe"], one["layer"], one["tool"].partition(" ")[0]

    results["peers"] = [*(one for one in results["peers"] if name(one) != name(peer)), dict(peer)]
    write_results(results, root)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("recipes", nargs="*", metavar="NAME", help="recipes whose corpora to use; default: see above")
    option("--data", type=existing_folder, required=True, help="folder of the recipes' data files")
    option("--runs", type=existing_folder, help="folder with the runs of each recipe, to compare the speed with")
    option("--tools", type=_chosen, default=list(TOOLS), metavar="A,B,...", help=f"of {', '.join(TOOLS)}; default: all")
    option("--epochs", type=whole_number(1), default=10, help="most epochs of spaCy")
    option("--busy", action="store_true", help="mark the times of trainings: the machine does other work as well")
    option("--repeats", type=whole_number(1), default=5, help="timed turns")
    option("--again", action="store_true", help="measure again what has results")
    return parser.parse_args(given)


def _chosen(text: str) -> list[str]:
    """Return the names of tools in a list separated by commas."""
    names = text.split(",")
    if not set(names) <= set(TOOLS):
        raise argparse.ArgumentTypeError(f"must be names among {', '.join(TOOLS)}, got {text!r}")
    return names


def main(given: Sequence[str] | None = None, root: Path = ROOT) -> None:
    """Train the tools, and write the result of each when it is done."""
    options = parse_arguments(given)
    recipes = chosen_recipes(options.recipes, root)
    sys.stderr.write(f"reading the corpora of {', '.join(path.stem for path in recipes)}\n")
    found = missing(read_results(root), recipes, options)
    with Progress(len(found)) as progress:
        for path, task, tool in found:
            progress.begin(f"{task.recipe}, {task.layer}, {tool}")
            peer = compared(task, tool, partial(our_model, path, options), options)
            add({**peer, "data": data_hash_of(path)}, root)
            progress.end(f"dev {peer['dev']:.4f}, test {peer['test']:.4f}")


if __name__ == "__main__":
    run_script(main)
