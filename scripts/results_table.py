"""Collect the figures of trained recipes in `docs/results.json`, and write the tables of the documents from it.

    python scripts/results_table.py [--runs DIR [--only NAME ...] [--add] [--measure --data DIR] [--busy]]
        [--drop NAME ...] [--check]

DIR of `--runs` has one folder for each recipe, with the name of the recipe: the folder of its runs, as
`tagger train recipes/NAME.toml --seeds 1,2,3 --output DIR/NAME` makes it, or of a single run. Runs of a recipe that
has changed since are refused. Scores and times are those of the reports of the runs, which must have been trained on
this machine. If a recipe has features, start with an empty cache: the first run computes them, the others find them.
With `--add` the seeds that were collected before are kept, if the recipe has not changed since.

`--measure` adds the speed of tagging dev, at most 20,000 tokens of it. The model, a plain network and a matrix product
take turns in this process. The plain network has the corpora, vectors and heads of the recipe, no features, and the
defaults for everything else; it is trained for one epoch and kept in DIR/plain, because speed does not depend on how
good a model is.

Without options, the tables are written again. `--check` writes nothing and fails if something is out of date.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from arguments import MOST_THREADS, existing_folder, run_script, whole_number, write_json
from benchmark_runtime import TOKENS, consume, gemms, in_turns, machine
from results_data import DATA, ROOT, documents, hash_of, problems, read_results
from threadpoolctl import threadpool_limits

import tagger
from tagger import Corpus, DataError, Recipe, Sentence, Tagger

MOST_TOKENS = 20_000  # of dev, whose tagging is timed
PRODUCT = (200, 800)  # of the matrix product that is timed: input and gates of one direction of the default encoder
PLAIN = "plain"
MEASURES = {"f1": "strict F1", "accuracy": "accuracy"}
Values = dict[str, Any]


def today() -> str:
    """Return the date of today in UTC."""
    return datetime.now(UTC).date().isoformat()


def run_folders(folder: Path) -> list[Path]:
    """Return the folders of the runs of a recipe: those of its seeds in order, or the folder itself."""
    seeds = sorted(folder.glob("seed-*/report.json"), key=lambda path: int(path.parent.name.partition("-")[2]))
    return [path.parent for path in seeds] or [folder]


def flat(values: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of nested values with their places."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from flat(value, f"{place}.{key}" if place else key)
    else:
        yield place, values


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return the keys of a recipe that are the same in all its runs: no seeds, and only the names of other models.

    A run names the folders of its teachers, one for each of their seeds.
    """
    found = dict(flat(recipe.model_dump(mode="json", exclude_none=True)))
    teachers = {key: sorted(set(map(_model_name, names))) for key, names in found.items() if key.endswith(".teacher")}
    found |= teachers | ({"start": _model_name(recipe.start)} if recipe.start else {})
    return {key: value for key, value in found.items() if key.rpartition(".")[2] not in ("seed", "teacher_seeds")}


def _model_name(path: str) -> str:
    """Return the name of a model without its seed: `pos` for pos.toml, teachers/pos-seed-1 and runs/pos/seed-1."""
    return re.sub(r"[/-]seed-\d+$", "", path).rpartition("/")[2].removesuffix(".toml")


def report_of(run: Path, recipe: Path) -> Values:
    """Return the report of a finished run of a recipe as JSON values.

    Raises:
        DataError: The run has not finished or is of another recipe.
    """
    try:
        report: Values = json.loads((run / "report.json").read_text(encoding="utf-8"))
        wanted, found = settings(tagger.load_recipe(recipe)), settings(tagger.load_recipe(run / "recipe.toml"))
    except (OSError, ValueError) as error:
        raise DataError(f"{run}: expected a finished run of {recipe.name}, but it cannot be read: {error}") from None
    differing = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
    if differing:
        raise DataError(f"{run}: expected a run of {recipe.name}, got another `{differing[0]}`; train it again")
    if not report["scores"]:
        raise DataError(f"{run}: expected a run with scores on test, but it was stopped or has no test; train it again")
    return report


def collect(folder: Path, recipe: Path, threads: int | None, *, busy: bool = False) -> Values:
    """Return the figures of the runs of a recipe; `busy` says that the machine did other work at the same time."""
    runs = run_folders(folder)
    reports = [report_of(run, recipe) for run in runs]
    heads = tagger.load_recipe(recipe).layers.items()
    keys = {layer: "accuracy" if head.span_scheme is None else "f1" for layer, head in heads}
    return {
        "recipe": hash_of(recipe),
        "command": command_of(recipe, [str(report["seed"]) for report in reports], threads),
        "date": today(),
        "machine": machine(),
        "busy": busy,
        "measures": {layer: MEASURES[key] for layer, key in keys.items()},
        "features": sorted(tagger.load_recipe(recipe).features),
        "refit": tagger.load_recipe(recipe).training.refit,
        "runs": {
            str(report["seed"]): {
                "test": headlines(report, keys),
                "corpora": {name: headlines(part, keys) for name, part in report.get("corpora", {}).items()},
                "dev": report["dev_scores"],
                "seconds": report["seconds"],
            }
            for report in reports
        },
        "model_bytes": folder_bytes(runs[0] / "model"),
    }


def command_of(recipe: Path, seeds: Sequence[str], threads: int | None) -> str:
    """Return the command that trains a recipe with these seeds."""
    which = f"--seeds {','.join(seeds)}" if len(seeds) > 1 else f"--seed {seeds[0]}"
    return f"tagger train recipes/{recipe.name} --data DIR {which}" + (f" --threads {threads}" * bool(threads))


def with_earlier(entry: Values, before: Values, recipe: Path, threads: int | None) -> Values:
    """Return the figures of a recipe with those of other seeds that were collected before.

    If they were measured elsewhere, the machine of the row names both.

    Raises:
        DataError: There are no earlier figures, or the recipe has changed since.
    """
    if before.get("recipe") != entry["recipe"]:
        raise DataError(
            f"--add {recipe.stem}: expected figures of this recipe in {DATA} to add to, but there are none or the "
            "recipe has changed since; leave out --add"
        )
    runs = dict(sorted({**before["runs"], **entry["runs"]}.items(), key=lambda item: int(item[0])))
    places = {key: _both(before["machine"].get(key, value), value) for key, value in entry["machine"].items()}
    command, busy = command_of(recipe, list(runs), threads), entry["busy"] or before["busy"]
    return {**entry, "runs": runs, "machine": places, "command": command, "busy": busy}


def _both(known: Any, value: Any) -> Any:
    """Return a fact of the machine; the values of all machines if there are several."""
    return known if str(value) in str(known).split(" and ") else f"{known} and {value}"


def headlines(report: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, float]:
    """Return the score of each layer of a report; `keys` has the name of the score by layer."""
    return {layer: scores[keys[layer]] for layer, scores in report["scores"].items()}


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def plain_recipe(recipe: Recipe, corpora: Mapping[str, Corpus]) -> Recipe:
    """Return a recipe with these corpora of a recipe, its vectors and its heads, without any part that was added."""
    values = recipe.model_dump(exclude_unset=True)
    embeddings = values.get("embeddings", {})
    kept = {key: embeddings[key] for key in ("vectors", "max_words") if key in embeddings}
    heads = {
        name: {key: head[key] for key in ("kind", "layer", "scheme", "decoder") if key in head}
        for name, head in values["heads"].items()
    }
    data = {key: values[key] for key in ("data",) if values.get(key)}
    if values.get("corpora"):
        data["corpora"] = {name: values["corpora"][name] for name in corpora}
    return Recipe.model_validate({**data, "embeddings": kept, "heads": heads, "training": {"epochs": 1}})


def plain_model(folder: Path, recipe: Recipe, corpora: Mapping[str, Corpus], data: Path, threads: int) -> Tagger:
    """Return the plain network of a recipe, which is trained for one epoch if the folder does not have it yet."""
    if not (folder / "report.json").is_file():
        sys.stderr.write(f"training the plain network of {folder.name} for one epoch\n")
        gold = {
            name: replace(corpus, test=())
            for name, corpus in corpora.items()
            if any(layer in sentence.layers for sentence in corpus.train for layer in recipe.layers)
        }
        plain = plain_recipe(recipe, gold)
        tagger.train(plain, corpus=gold, data=data, output=folder, overwrite=True, threads=threads)
    return tagger.load(folder, threads=threads)


def some_of_dev(corpora: Mapping[str, Corpus]) -> list[Sentence]:
    """Return the first dev sentences of all corpora, up to a number of tokens."""
    found: list[Sentence] = []
    tokens = 0
    for sentence in (sentence for corpus in corpora.values() for sentence in corpus.dev):
        if found and tokens + len(sentence) > MOST_TOKENS:
            break
        found.append(sentence)
        tokens += len(sentence)
    return found


def measure_speed(models: Mapping[str, Tagger], dev: Sequence[Sentence], threads: int, repeats: int) -> Values:
    """Return tokens per second of models, and the speed of a matrix product; all take turns."""
    tokens = sum(map(len, dev))
    ways = {name: partial(consume, model, dev) for name, model in models.items()}
    torch.set_num_threads(threads)
    with threadpool_limits(threads, user_api="blas"):
        seconds = in_turns({"product": gemms(*PRODUCT)["torch"], **ways}, repeats)
    gflops = 2 * TOKENS * PRODUCT[0] * PRODUCT[1] / seconds["product"] / 1e9
    rates = {name: tokens / seconds[name] for name in models}
    return {**rates, "tokens": tokens, "threads": threads, "gflops": gflops, "date": today()}


def speed_of(folder: Path, recipe: Path, options: argparse.Namespace) -> Values:
    """Return the speed of tagging dev with the model of a recipe, beside that of its plain network."""
    corpora = tagger.load_corpora(recipe, data=options.data)
    threads = options.threads or 1
    place = options.runs / PLAIN / recipe.stem
    models = {
        "tokens_per_second": tagger.load(run_folders(folder)[0], threads=threads),
        "plain_tokens_per_second": plain_model(place, tagger.load_recipe(recipe), corpora, options.data, threads),
    }
    return measure_speed(models, some_of_dev(corpora), threads, options.repeats)


def add_runs(results: Values, options: argparse.Namespace, root: Path) -> None:
    """Add the figures of all runs to the results. A speed that was measured before is kept for the same recipe.

    Raises:
        DataError: There is no folder of a recipe.
    """
    recipes = {path.stem: path for path in sorted((root / "recipes").glob("*.toml"))}
    wanted = options.only or [name for name in recipes if (options.runs / name).is_dir()]
    if unknown := [name for name in wanted if name not in recipes or not (options.runs / name).is_dir()]:
        raise DataError(f"{options.runs / unknown[0]}: expected the folder of the runs of a recipe, but there is none")
    if not wanted:
        raise DataError(f"{options.runs}: expected a folder with the name of a recipe, such as {next(iter(recipes))}")
    for name in wanted:
        sys.stderr.write(f"collecting {name}\n")
        entry = collect(options.runs / name, recipes[name], options.threads, busy=options.busy)
        before = results["recipes"].get(name, {})
        if options.add:
            entry = with_earlier(entry, before, recipes[name], options.threads)
        if options.measure:
            entry["speed"] = speed_of(options.runs / name, recipes[name], options)
        elif "speed" in before and before["recipe"] == entry["recipe"]:
            entry["speed"] = before["speed"]
        results["recipes"][name] = entry


def drop(results: Values, name: str) -> None:
    """Remove the figures of a recipe from the results.

    Raises:
        DataError: There are none.
    """
    left = [peer for peer in results["peers"] if peer["recipe"] != name]
    if name not in results["recipes"] and len(left) == len(results["peers"]):
        raise DataError(f"--drop {name}: {DATA} has no figures of this recipe")
    results["recipes"].pop(name, None)
    results["peers"] = left


def write_results(results: Values, root: Path) -> None:
    """Write the figures, sorted by recipe, and the tables of the documents."""
    results = {
        "recipes": dict(sorted(results["recipes"].items())),
        "peers": sorted(results["peers"], key=lambda peer: (peer["recipe"], peer["layer"], peer["tool"])),
    }
    texts = documents(results, root)
    write_json(root / DATA, results)
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--runs", type=existing_folder, help="folder with the runs of each recipe; default: only write the tables")
    add("--only", action="append", default=[], metavar="NAME", help="a recipe to collect; default: all in --runs")
    add("--add", action="store_true", help="keep the seeds that were collected before, of the same recipe")
    add("--measure", action="store_true", help="measure the speed of tagging; needs --runs and --data")
    add("--data", type=existing_folder, help="folder of the recipes' data files")
    add("--threads", type=whole_number(1, MOST_THREADS), help="threads of the trainings and of --measure")
    add("--busy", action="store_true", help="mark the times of trainings: the machine did other work as well")
    add("--repeats", type=whole_number(1), default=5, help="timed turns of --measure")
    add("--drop", action="append", default=[], metavar="NAME", help="a recipe whose figures are removed")
    add("--check", action="store_true", help="fail if figures or tables are out of date; write nothing")
    options = parser.parse_args(given)
    if (options.only or options.add or options.measure or options.busy) and options.runs is None:
        parser.error("--only, --add, --measure and --busy need --runs DIR")
    if options.measure and options.data is None:
        parser.error("--measure needs --data DIR")
    if options.check and (options.runs or options.drop):
        parser.error("--check goes with no other option")
    return options


def main(given: Sequence[str] | None = None, root: Path = ROOT) -> None:
    """Collect, measure and write what the options say, or check what is there."""
    options = parse_arguments(given)
    results = read_results(root)
    if options.check:
        if found := problems(results, root):
            raise DataError("\n".join(found))
        return
    for name in options.drop:
        drop(results, name)
    if options.runs is not None:
        add_runs(results, options, root)
    write_results(results, root)


if __name__ == "__main__":
    run_script(main)
