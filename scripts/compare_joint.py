"""Compare one network for several tasks with one network per task: scores, parameters and tagging speed.

    python scripts/compare_joint.py --data DIR [--seeds 1,2,3] [--runs runs] [--json FILE] [--repeats 9] [--threads N]

Trains `recipes/joint-english.toml` and the recipe of each of its tasks with each seed, in the folder RUNS/RECIPE-SEED.
A finished run of the same recipe in that folder is used again. The single networks are trained first, because they are
the teachers of the joint network of the same seed. Scores are those on test in the report of each run. Tagging speed is
measured on the test sentences of all tasks: in turns, the joint network tags them in one pass and the single networks
one after another, and the ratio is that of the median times.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from arguments import (
    MOST_THREADS,
    different_seeds,
    existing_folder,
    run_script,
    whole_number,
    writable_file,
    write_json,
)
from progress import Progress
from rich.console import Console
from rich.table import Table

import tagger
from tagger import describe_model, load_recipe
from tagger.reporting.run_group import Spread
from tagger.running.several.finished import is_finished, main_score, read_report

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
JOINT = "joint-english"
SINGLE = {"upos": "pos-ewt", "ner": "ner-wnut17", "sentiment": "sentiment-mr"}
LAYERS = {
    **{name: [layer] for layer, name in SINGLE.items()},
    JOINT: list(SINGLE),
}  # single networks first: they are the teachers


def train_missing(folders: Mapping[tuple[str, int], Path], data: Path, threads: int | None) -> None:
    """Train each recipe and seed without a finished run; all finished runs are checked first."""
    overrides = {
        (name, seed): [teacher(layer, folders[SINGLE[layer], seed]) for layer in LAYERS[name] if name == JOINT]
        for name, seed in folders
    }
    wanted = {run: load_recipe(RECIPES / f"{run[0]}.toml", [*overrides[run], f"seed={run[1]}"]) for run in folders}
    missing = {run: folder for run, folder in folders.items() if not is_finished(folder, wanted[run], run[0])}
    with Progress(len(missing)) as progress:
        for (name, seed), folder in missing.items():
            progress.begin(f"{name} seed {seed}")
            run = tagger.train(
                RECIPES / f"{name}.toml",
                data=data,
                output=folder,
                overwrite=True,  # what is there did not finish
                seed=seed,
                overrides=overrides[name, seed],
                threads=threads,
                listener=progress,
            )
            if run.outcome.interrupted:
                raise KeyboardInterrupt
            progress.end(", ".join(f"{layer} {score(folder, layer):.4f}" for layer in LAYERS[name]))


def teacher(layer: str, folder: Path) -> str:
    """Return the override that makes a finished run the teacher of a layer."""
    return f"heads.{layer}.teacher={json.dumps(str(folder.resolve()), ensure_ascii=False)}"


def score(folder: Path, layer: str) -> float:
    """Return the main score of a layer on test."""
    return float(main_score(read_report(folder)["scores"][layer]))


def parameters(folder: Path) -> int:
    """Return the number of trained parameters without those of word vectors."""
    facts = describe_model(folder)
    return int(facts["trained_parameters"]) - int(facts["trained_vectors"])


def test_tokens(data: Path) -> list[tuple[str, ...]]:
    """Return the words of the test sentences of all tasks."""
    corpora = tagger.load_corpora(RECIPES / f"{JOINT}.toml", data=data)
    return [sentence.tokens for corpus in corpora.values() for sentence in corpus.test]


def speed(joint: Path, singles: Sequence[Path], sentences: Sequence[Sequence[str]], repeats: int) -> dict[str, float]:
    """Return the median seconds of the joint network and of the single ones; the first turn is a warm-up."""
    one, several = tagger.load(joint), [tagger.load(folder) for folder in singles]
    times: dict[str, list[float]] = {"joint": [], "single": []}
    with Progress(repeats + 1) as progress:
        for turn in range(repeats + 1):
            progress.begin(f"speed of tagging, turn {turn}")
            for name, models in (("joint", [one]), ("single", several)):
                start = time.perf_counter()
                for model in models:
                    for _ in model.stream(sentences):
                        pass
                times[name].append(time.perf_counter() - start)
            progress.end(", ".join(f"{name} {values[-1]:.2f} s" for name, values in times.items()))
    seconds = {name: median(values[1:]) for name, values in times.items()}
    return {**seconds, "ratio": seconds["single"] / seconds["joint"], "tokens": sum(map(len, sentences))}


def compare(data: Path, runs: Path, seeds: Sequence[int], repeats: int, threads: int | None) -> dict[str, Any]:
    """Train what is missing, and return scores, parameters and tagging speed."""
    if threads is not None:
        torch.set_num_threads(threads)
    sys.stderr.write("reading the test sentences\n")
    sentences = test_tokens(data)
    folders = {(name, seed): runs / f"{name}-{seed}" for seed in seeds for name in LAYERS}
    train_missing(folders, data, threads)
    joint = [folders[JOINT, seed] for seed in seeds]
    single = {layer: [folders[name, seed] for seed in seeds] for layer, name in SINGLE.items()}
    scores = {
        layer: {
            "joint": Spread.of([score(f, layer) for f in joint]).to_dict(),
            "single": Spread.of([score(f, layer) for f in own]).to_dict(),
        }
        for layer, own in single.items()
    }
    sizes = {layer: parameters(own[0]) for layer, own in single.items()}
    tagging = speed(joint[0], [own[0] for own in single.values()], sentences, repeats)
    return {
        "seeds": list(seeds),
        "threads": torch.get_num_threads(),
        "scores": scores,
        "parameters": {"joint": parameters(joint[0]), **sizes},
        "tagging": tagging,
    }


def show(found: dict[str, Any]) -> None:
    """Print the results as a table."""
    table = Table("layer", "test score, joint", "single", "difference", "parameters, single", box=None)
    for layer, scores in found["scores"].items():
        one, own = scores["joint"], scores["single"]
        cells = [str(Spread.of(part["values"])) for part in (one, own)]
        table.add_row(layer, *cells, f"{one['mean'] - own['mean']:+.4f}", f"{found['parameters'][layer]:,}")
    console = Console()
    console.print(table)
    tagging = found["tagging"]
    console.print(
        f"parameters of the joint network: {found['parameters']['joint']:,} (word vectors not counted, here and above)"
    )
    console.print(
        f"tagging {tagging['tokens']} tokens: {tagging['joint']:.2f} s with the joint network, "
        f"{tagging['single']:.2f} s with the single networks, {tagging['ratio']:.2f} times as long"
    )


def main(given: Sequence[str] | None = None) -> None:
    """Run the comparison, then write and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=existing_folder, required=True, help="folder of the recipes' data files")
    add("--seeds", type=different_seeds, default=[1, 2, 3], metavar="1,2,...")
    add("--runs", type=Path, default=Path("runs"), help="folder of the runs; created if missing")
    add("--json", type=writable_file, help="file to write the figures to")
    add("--repeats", type=whole_number(1), default=9, help="timed turns of the speed measurement")
    add(
        "--threads",
        type=whole_number(1, MOST_THREADS),
        help="threads of torch, in training and timing; default: chosen by torch",
    )
    options = parser.parse_args(given)
    found = compare(options.data, options.runs, options.seeds, options.repeats, options.threads)
    try:
        if options.json is not None:
            write_json(options.json, found)
    finally:
        show(found)


if __name__ == "__main__":
    run_script(main)
