"""One network for several tasks against a network for each: scores, parameters and the speed of tagging.

    python scripts/compare_joint.py --data DIR [--seeds 1,2,3] [--runs runs] [--json FILE] [--repeats 9]

Trains `recipes/joint-english.toml` and the recipe of each of its tasks with each seed, or takes the runs that are in
RUNS/RECIPE-SEED already. Scores are those of each run's report, on test. Tagging speed is measured over the test
sentences of all tasks: the one network in one pass and the single ones in turn take turns in this process, and the
ratio is that of their medians. Nothing here is part of the library.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import tagger
from tagger.data.corpus import read_corpus
from tagger.tagging import describe_model

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
JOINT = "joint-english"
SINGLE = {"upos": "pos-ewt", "ner": "ner-wnut17", "sentiment": "sentiment-mr"}


def run_of(name: str, seed: int, data: Path, runs: Path) -> Path:
    """The folder of a run, which is trained if it is not there."""
    folder = runs / f"{name}-{seed}"
    if not (folder / "report.json").is_file():
        print(f"training {name} with seed {seed}", flush=True)
        tagger.train(RECIPES / f"{name}.toml", data=data, output=folder, seed=seed)
    return folder


def score(folder: Path, layer: str) -> float:
    """The headline of a layer on test."""
    scores = json.loads((folder / "report.json").read_text())["scores"][layer]
    return float(scores["f1"] if "f1" in scores else scores["accuracy"])


def parameters(folder: Path) -> int:
    """Trained parameters, those of word vectors aside."""
    facts = describe_model(folder)
    return int(facts["trained_parameters"]) - int(facts["trained_vectors"])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and standard deviation over seeds."""
    return {"mean": fmean(values), "deviation": stdev(values) if len(values) > 1 else 0.0}


def test_tokens(data: Path) -> list[tuple[str, ...]]:
    """The words of the test sentences of all tasks."""
    recipe = tagger.load_recipe(RECIPES / f"{JOINT}.toml")
    wanted = [config for name, config in recipe.all_corpora().items() if name != "btc"]
    corpora = [read_corpus(config, folder=data, from_files=True, seed=recipe.seed) for config in wanted]
    return [sentence.tokens for corpus in corpora for sentence in corpus.test]


def speed(joint: Path, singles: Sequence[Path], sentences: Sequence[Sequence[str]], repeats: int) -> dict[str, float]:
    """Median seconds of the one network and of the single ones in turn; the first round of each is not counted."""
    one, several = tagger.load(joint), [tagger.load(folder) for folder in singles]
    times: dict[str, list[float]] = {"joint": [], "single": []}
    for _ in range(repeats + 1):
        for name, models in (("joint", [one]), ("single", several)):
            start = time.perf_counter()
            for model in models:
                for _ in model.stream(sentences):
                    pass
            times[name].append(time.perf_counter() - start)
    seconds = {name: median(values[1:]) for name, values in times.items()}
    return {**seconds, "ratio": seconds["single"] / seconds["joint"], "tokens": sum(map(len, sentences))}


def compare(data: Path, runs: Path, seeds: Sequence[int], repeats: int) -> dict[str, Any]:
    """All figures."""
    joint = [run_of(JOINT, seed, data, runs) for seed in seeds]
    single = {layer: [run_of(name, seed, data, runs) for seed in seeds] for layer, name in SINGLE.items()}
    scores = {
        layer: {"joint": spread([score(f, layer) for f in joint]), "single": spread([score(f, layer) for f in folders])}
        for layer, folders in single.items()
    }
    sizes = {layer: parameters(folders[0]) for layer, folders in single.items()}
    tagging = speed(joint[0], [folders[0] for folders in single.values()], test_tokens(data), repeats)
    return {
        "seeds": list(seeds),
        "threads": torch.get_num_threads(),
        "scores": scores,
        "parameters": {"joint": parameters(joint[0]), **sizes},
        "tagging": tagging,
    }


def show(found: dict[str, Any]) -> None:
    """The figures as a table."""
    table = Table("layer", "score on test, one network", "a network each", "difference", "its parameters", box=None)
    for layer, scores in found["scores"].items():
        one, own = scores["joint"], scores["single"]
        cells = [f"{part['mean']:.4f} ± {part['deviation']:.4f}" for part in (one, own)]
        table.add_row(layer, *cells, f"{one['mean'] - own['mean']:+.4f}", f"{found['parameters'][layer]:,}")
    console = Console()
    console.print(table)
    tagging = found["tagging"]
    console.print(f"parameters of the one network: {found['parameters']['joint']:,} (word vectors aside everywhere)")
    console.print(
        f"tagging {tagging['tokens']} tokens: {tagging['joint']:.2f} s in one pass, {tagging['single']:.2f} s by the "
        f"single networks in turn, {tagging['ratio']:.2f} times as long"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that the recipes' files are in")
    parser.add_argument("--seeds", default="1,2,3", help="seeds, between commas")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--repeats", type=int, default=9, help="turns of the speed measurement")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    found = compare(options.data, options.runs, seeds, options.repeats)
    show(found)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
