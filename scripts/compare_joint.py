"""Compare one network for several tasks with one network per task: scores, parameters and tagging speed.

    python scripts/compare_joint.py --data DIR [--seeds 1,2,3] [--runs runs] [--json FILE] [--repeats 9] [--threads N]

Trains `recipes/joint-english.toml` with each seed, in the folder RUNS/joint-english, and uses finished runs again. The
single networks are its teachers, which are trained with the same seed and kept in the folder of each run. Scores are
those on test in the report of each run, and their differences are tested as by `tagger compare`. Tagging speed is
measured on the test sentences of all tasks: in turns, the joint network tags them in one pass and the single networks
one after another, and the ratio is that of median times.
"""

import argparse
import sys
import time
from collections.abc import Sequence
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
from tagger import GroupListener, TaggerError, describe_model
from tagger.metrics import Spread

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
JOINT = "joint-english"
SINGLE = {"upos": "pos-ewt", "ner": "ner-wnut17", "sentiment": "sentiment-mr"}


class Lines(GroupListener):
    """Writes notes and results of runs to standard error."""

    def noted(self, name: str, message: str) -> None:
        """Write a note."""
        sys.stderr.write(f"{name}: {message}\n")

    def ended(self, name: str, result: str) -> None:
        """Write the result of a run."""
        self.noted(name, result)


def train_missing(runs: Path, data: Path, seeds: Sequence[int], threads: int | None) -> list[Path]:
    """Train the joint network with each seed that has no finished run, and return the folders of all runs."""
    group = tagger.train_several(
        RECIPES / f"{JOINT}.toml", seeds=seeds, output=runs / JOINT, data=data, threads=threads, listener=Lines()
    )
    if missing := [*group.failed.values(), *group.stopped]:
        raise TaggerError("\n".join(["not all runs have finished", *missing]))
    return [runs / JOINT / name for name in group.reports]


def single(run: Path, layer: str) -> Path:
    """Return the folder of the single network of a layer: a teacher of the joint network of a run."""
    return run / "teachers" / SINGLE[layer]


def compared(joint: Sequence[Path], layer: str) -> dict[str, Any]:
    """Return the test scores of a layer over seeds, and the difference of their means with interval and p-value."""
    found = tagger.compare([single(run, layer) for run in joint], list(joint)).to_dict()["scores"][layer]["comparison"]
    scores = {
        name: Spread.of(found["systems"][letter].get("runs", [found["systems"][letter]["score"]]))
        for name, letter in (("single", "A"), ("joint", "B"))
    }
    return {**{name: spread.to_dict() for name, spread in scores.items()}, **found["differences"]["B"]}


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
    joint = train_missing(runs, data, seeds, threads)
    scores = {layer: compared(joint, layer) for layer in SINGLE}
    singles = [single(joint[0], layer) for layer in SINGLE]
    sizes = {layer: parameters(folder) for layer, folder in zip(SINGLE, singles, strict=True)}
    tagging = speed(joint[0], singles, sentences, repeats)
    return {
        "seeds": list(seeds),
        "threads": torch.get_num_threads(),
        "scores": scores,
        "parameters": {"joint": parameters(joint[0]), **sizes},
        "tagging": tagging,
    }


def show(found: dict[str, Any]) -> None:
    """Print the results as a table."""
    names = ("layer", "test score, joint", "single", "difference", "95 % interval", "p", "parameters, single")
    table = Table(*names, box=None)
    for layer, scores in found["scores"].items():
        means = [str(Spread.of(scores[name]["values"])) for name in ("joint", "single")]
        ends = f"{scores['low']:+.4f} to {scores['high']:+.4f}"
        p = scores["p"] if "p" in scores else scores["p_randomisation"]  # of several seeds, or of one
        size = f"{found['parameters'][layer]:,}"
        table.add_row(layer, *means, f"{scores['difference']:+.4f}", ends, f"{p:.2g}", size)
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
