"""Measure how many labelled sentences a start saves: scores by the number of sentences, with and without it.

    python scripts/learning_curves.py RECIPE --start MODEL [--corpus NAME] [--data DIR] [--sizes 50,100,200,500,1000]
        [--seeds 3] [--output DIR] [--set KEY=VALUE ...] [--start-set KEY=VALUE ...] [--json FILE]
        [--picture FILE [--beside FILE ...]]

NAME is one of the corpora of RECIPE; default: its only one. Only the heads that this corpus has layers for are trained,
without teachers. For each size and seed, sentences are drawn from its train; a fifth of them is dev, which chooses
the epoch, and the others are train. Both networks learn from the same sentences: `scratch` is the recipe itself, and
`start` begins with the words, characters, features and encoder of MODEL. `--set` replaces values of both recipes,
`--start-set` those of `start` alone, such as word vectors that fit MODEL. Both are scored on the dev sentences of the
recipe. Its test is not used. Finished runs in the folder of `--output` are used again; they must be of the same recipe
and start.

A row has the mean scores over the seeds, and the number of sentences that `scratch` needs for the score of `start`,
read from the line through its own scores, with sizes on a logarithmic scale.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from arguments import (
    MOST_THREADS,
    different_seeds,
    existing_folder,
    picture_file,
    run_script,
    seeds_or_number,
    whole_number,
    with_places,
    writable_file,
    write_json,
)
from progress import Progress
from rich.console import Console
from rich.table import Table

import tagger
from tagger import Corpus, DataError, Recipe, Report
from tagger.metrics import Spread

DEV_SHARE = 0.2
SCRATCH, START = "scratch", "start"
REPORT, SETTINGS = "report.json", "recipes.json"


def drawn(corpus: Corpus, size: int, seed: int) -> Corpus:
    """Return a corpus with some train sentences, divided into train and dev; its test is the whole dev."""
    chosen = Random(seed).sample(range(len(corpus.train)), size)
    sentences = [corpus.train[i] for i in chosen]
    cut = round(DEV_SHARE * size)
    return replace(corpus, train=sentences[cut:], dev=sentences[:cut], test=corpus.dev)


def recipe_of_corpus(recipe: Recipe, name: str, corpus: Corpus) -> Recipe:
    """Return a recipe with one of its corpora, and with the heads that this corpus has layers for, without teachers."""
    values = recipe.model_dump(exclude_unset=True)
    layers = {layer for sentence in corpus.train for layer in sentence.layers}
    heads = {key: head for key, head in values["heads"].items() if head["layer"] in layers}
    taught = ("teacher", "teacher_weight", "teacher_targets")
    values["heads"] = {key: {k: v for k, v in head.items() if k not in taught} for key, head in heads.items()}
    if recipe.corpora:
        values["corpora"] = {name: values["corpora"][name]}
    without = ["teacher_seeds", *(["select"] if recipe.training.select not in layers else [])]
    values["training"] = {key: value for key, value in values.get("training", {}).items() if key not in without}
    return Recipe.model_validate(values)


def chosen_corpus(name: str | None, corpora: Mapping[str, Corpus], sizes: Sequence[int]) -> str:
    """Return the name of the corpus to learn from.

    Raises:
        DataError: There is no such corpus, or none is chosen among several, or it has too few sentences.
    """
    if name is None and len(corpora) > 1:
        raise DataError(f"the recipe has the corpora {', '.join(corpora)}; choose one with --corpus")
    name = name or next(iter(corpora))
    if name not in corpora:
        raise DataError(f"--corpus {name}: expected one of the corpora {', '.join(corpora)}")
    corpus = corpora[name]
    if not corpus.dev or len(corpus.train) < max(sizes):
        raise DataError(
            f"the corpus must have dev and at least {max(sizes)} train sentences, got {len(corpus.dev)} and "
            f"{len(corpus.train)}; use smaller --sizes"
        )
    return name


def check_runs(folder: Path, recipes: Mapping[str, Recipe]) -> None:
    """Refuse a folder that has runs of other recipes, or note in it of which recipes its runs are.

    Raises:
        DataError: It has.
    """
    path, wanted = folder / SETTINGS, {name: recipe.model_dump(mode="json") for name, recipe in recipes.items()}
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise DataError(f"{folder}: has runs of another recipe or start; use another --output, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, wanted)


def is_finished(run: Path) -> bool:
    """Whether a run has ended; one that was stopped has no scores."""
    return (run / REPORT).is_file() and bool(tagger.load_report(run / REPORT).layers)


def reports_of(
    options: argparse.Namespace, recipes: Mapping[str, Recipe], name: str, corpus: Corpus
) -> dict[tuple[str, int, int], Report]:
    """Return the report of each run, by network, size and seed; those that are missing are trained first."""
    check_runs(options.output, recipes)
    runs = [(network, size, seed) for size in options.sizes for seed in options.seeds for network in recipes]
    folders = {run: options.output / f"{run[0]}-{run[1]}" / f"seed-{run[2]}" for run in runs}
    missing = [run for run in runs if not is_finished(folders[run])]
    with Progress(len(missing)) as progress:
        for run in missing:
            network, size, seed = run
            progress.begin(f"{network}, {size} sentences, seed {seed}")
            sentences = drawn(corpus, size, seed)
            trained = tagger.train(
                recipes[network],
                corpus={name: sentences} if recipes[network].corpora else sentences,
                data=options.data,
                base=Path(),
                output=folders[run],
                overwrite=True,
                seed=seed,
                threads=options.threads,
                listener=progress,
            )
            if trained.report is None:
                raise KeyboardInterrupt
            progress.end(", ".join(f"{n} {trained.report.headline(n):.4f}" for n in trained.report.layers))
    return {run: tagger.load_report(folder / REPORT) for run, folder in folders.items()}


def rows_of(
    reports: Mapping[tuple[str, int, int], Report], sizes: Sequence[int], seeds: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield the scores of each layer and size, and how many sentences `scratch` needs for the score of `start`."""
    for layer in next(iter(reports.values())).layers:
        spreads = {
            (name, size): Spread.of([reports[name, size, seed].headline(layer) for seed in seeds])
            for name in (SCRATCH, START)
            for size in sizes
        }
        line = [(size, spreads[SCRATCH, size].mean) for size in sizes]
        for size in sizes:
            found = {name: spreads[name, size].to_dict() for name in (SCRATCH, START)}
            needed = size_for(line, spreads[START, size].mean)
            yield {"layer": layer, "sentences": size, **found, "needed": needed}


def size_for(line: Sequence[tuple[int, float]], score: float) -> float | None:
    """Return the size at which a line through points (size, score) first has a score; None if it never has it."""
    if score <= line[0][1]:
        return line[0][0] if score == line[0][1] else None
    for (small, low), (large, high) in pairwise(line):
        if low < score <= high:
            share = (score - low) / (high - low)
            return math.exp(math.log(small) + share * (math.log(large) - math.log(small)))
    return None


def show(rows: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> None:
    """Print the table."""
    columns = ("layer", "sentences", SCRATCH, START, "difference", f"sentences that {SCRATCH} needs")
    table = Table(*columns, title=f"scores on dev, mean and standard deviation over {len(seeds)} seed(s)", box=None)
    most = max(row["sentences"] for row in rows)
    for row in rows:
        means = [row[name]["mean"] for name in (SCRATCH, START)]
        cells = [_spread(row[name]) for name in (SCRATCH, START)]
        beyond = f"more than {most}" if means[1] > means[0] else f"fewer than {row['sentences']}"
        needed = beyond if row["needed"] is None else f"{row['needed']:.0f}"
        table.add_row(row["layer"], str(row["sentences"]), *cells, f"{means[1] - means[0]:+.4f}", needed)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _spread(values: Mapping[str, Any]) -> str:
    return f"{values['mean']:.4f}" + ("" if values["sd"] is None else f" ± {values['sd']:.4f}")


def draw(figures: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a picture with a panel for each layer of each recipe: mean scores, with a band of a standard deviation."""
    from matplotlib.figure import Figure  # an extra

    panels: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for number, each in enumerate(figures):
        for row in each["rows"]:
            panels.setdefault((number, row["layer"]), []).append(row)
    picture = Figure(figsize=(3.4 * len(panels), 3), layout="constrained")
    places = picture.subplots(1, len(panels), squeeze=False)[0]
    for axes, ((number, layer), rows) in zip(places, panels.items(), strict=True):
        sizes = [row["sentences"] for row in rows]
        for name, colour, marker in ((SCRATCH, "#0072b2", "o"), (START, "#d55e00", "s")):
            means = [row[name]["mean"] for row in rows]
            widths = [row[name]["sd"] or 0.0 for row in rows]
            axes.plot(sizes, means, color=colour, marker=marker, label=name)
            low, high = ([m + sign * w for m, w in zip(means, widths, strict=True)] for sign in (-1, 1))
            axes.fill_between(sizes, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(0, 1)
        axes.set(title=f"{figures[number]['recipe']}: {layer}", xlabel="labelled sentences", ylabel="score on dev")
        axes.legend(loc="lower right")
    picture.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def sizes_of(text: str) -> list[int]:
    """Return the sizes in a list separated by commas, in order; each must leave a sentence for train and for dev."""
    sizes = sorted(different_seeds(text))
    if sizes[0] < 5:
        raise argparse.ArgumentTypeError(f"must be different whole numbers from 5, got {text!r}")
    return sizes


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("recipe", type=Path, metavar="RECIPE")
    add("--start", type=Path, required=True, metavar="MODEL", help="model to begin with: its folder or name")
    add("--corpus", metavar="NAME", help="corpus of the recipe; default: its only one")
    add("--data", type=existing_folder, help="folder of the recipe's data files; default: the folder of the recipe")
    add("--sizes", type=sizes_of, default=[50, 100, 200, 500, 1000], metavar="N,...", help="numbers of sentences")
    seeds = "number of seeds, such as 3 for 1, 2 and 3, or a list of seeds, such as 4,7; default: 3"
    add("--seeds", type=seeds_or_number, default=[1, 2, 3], metavar="N", help=seeds)
    add("--output", type=Path, help="folder of the runs; default: runs/curves-RECIPE, or runs/curves-NAME-RECIPE")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="value of the recipe to replace")
    add("--start-set", action="append", default=[], metavar="KEY=VALUE", help="the same for the network with a start")
    add("--threads", type=whole_number(1, MOST_THREADS), help="threads of torch; default: chosen by torch")
    add("--json", type=writable_file, help="file to write the figures to")
    add("--picture", type=picture_file, help="file to draw the curves to, such as curves.svg")
    add("--beside", type=Path, nargs="+", default=[], metavar="FILE", help="figures of --json to draw too")
    options = parser.parse_args(given)
    return with_places(options, f"curves-{options.corpus}" if options.corpus else "curves")


def main(given: Sequence[str] | None = None) -> None:
    """Train what is missing, then write and print the table."""
    options = parse_arguments(given)
    recipe = tagger.load_recipe(options.recipe, options.set)
    corpora = tagger.load_corpora(recipe, data=options.data)
    name = chosen_corpus(options.corpus, corpora, options.sizes)
    begun = tagger.load_recipe(options.recipe, [*options.set, *options.start_set]).with_start(str(options.start))
    recipes = {
        network: recipe_of_corpus(each, name, corpora[name]) for network, each in ((SCRATCH, recipe), (START, begun))
    }
    rows = list(rows_of(reports_of(options, recipes, name, corpora[name]), options.sizes, options.seeds))
    figures = {"recipe": options.recipe.stem, "seeds": options.seeds, "rows": rows}
    if options.json is not None:
        write_json(options.json, figures)
    if options.picture is not None:
        draw([*(json.loads(path.read_text(encoding="utf-8")) for path in options.beside), figures], options.picture)
    show(rows, options.seeds)


if __name__ == "__main__":
    run_script(main)
