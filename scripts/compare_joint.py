"""One network for several tasks against a network for each: scores, parameters and the speed of tagging.

    python scripts/compare_joint.py --data DIR [--seeds 1,2,3] [--runs runs] [--json FILE] [--repeats 9] [--threads N]

Trains `recipes/joint-english.toml` and the recipe of each of its tasks with each seed in the folder RUNS/RECIPE-SEED,
or takes the run of that recipe that is there already. The single networks come first, and those of its seed teach the
one. Scores are those of each run's report, on test. Tagging speed is measured over the test sentences of all tasks: the
one network in one pass and the single ones in turn take turns in this process, and the ratio is that of their medians.
Nothing here is part of the library.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, median, stdev
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
from tagger.corpus.corpus import read_corpus
from tagger.errors import DataError, TaggerError, gather
from tagger.running.folder import describe_model

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
JOINT = "joint-english"
SINGLE = {"upos": "pos-ewt", "ner": "ner-wnut17", "sentiment": "sentiment-mr"}
MOST = 5  # differences that are told
LAYERS = {**{name: [layer] for layer, name in SINGLE.items()}, JOINT: list(SINGLE)}  # those first, for they teach it


def train_missing(folders: Mapping[tuple[str, int], Path], data: Path, threads: int | None) -> None:
    """Train each recipe and seed whose run is not in its folder; those that are there are looked at first."""
    overrides = {
        (name, seed): [teacher(layer, folders[SINGLE[layer], seed]) for layer in LAYERS[name] if name == JOINT]
        for name, seed in folders
    }
    missing = {run: folder for run, folder in folders.items() if not is_finished(folder, *run, overrides[run])}
    progress = Progress([name for name, _ in missing])
    for (name, seed), folder in missing.items():
        progress.begin(f"{name} seed {seed}")
        run = tagger.train(
            RECIPES / f"{name}.toml",
            data=data,
            output=folder,
            seed=seed,
            overrides=overrides[name, seed],
            threads=threads,
            listener=progress,
        )
        if run.outcome.interrupted:
            raise KeyboardInterrupt
        progress.end(", ".join(f"{layer} {score(folder, layer):.4f}" for layer in LAYERS[name]))


def teacher(layer: str, folder: Path) -> str:
    """The override by which a run that is there already teaches a layer."""
    return f"heads.{layer}.teacher={json.dumps(str(folder.resolve()), ensure_ascii=False)}"


def is_finished(folder: Path, name: str, seed: int, overrides: Sequence[str]) -> bool:
    """Whether a folder holds a run of a recipe, with its model and its scores on test; on which data is not asked.

    Raises:
        DataError: It holds a report without the scores, or a run of another recipe.
        ModelError: It holds a report, but no model that can be read.
    """
    report = folder / "report.json"
    if not report.is_file():
        return False
    advice = f"remove {folder}, and it is trained again"
    try:
        for layer in LAYERS[name]:
            score(folder, layer)
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"{report}: must hold the scores of a finished run, but has none of `{layer}`; {advice}"
        ) from None
    describe_model(folder)
    try:
        kept = tagger.load_recipe(folder / "recipe.toml")
    except TaggerError as error:
        raise DataError(f"{folder}: must have kept the recipe of its run, but {error}; {advice}") from None
    wanted = tagger.load_recipe(RECIPES / f"{name}.toml", [*overrides, f"seed={seed}"])
    if odd := differences(settings(kept), settings(wanted)):
        more = f" and {len(odd) - MOST} more" if len(odd) > MOST else ""
        raise DataError(
            f"{folder}: must be a run of the recipe {name}, but was made with {', '.join(odd[:MOST])}{more}; {advice}"
        )
    return True


def settings(recipe: tagger.Recipe) -> dict[str, Any]:
    """All keys of a recipe; teachers by the names of their folders, for these may have moved with the run."""
    found = recipe.model_dump()
    for head in found["heads"].values():
        head["teacher"] = head["teacher"] and Path(head["teacher"]).name
    return found


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any], place: str = "") -> list[str]:
    """What one recipe has otherwise than another: each key with its values, or a section that only one of them has."""
    told = []
    for key in {**wanted, **found}:
        one, other, where = found.get(key), wanted.get(key), f"{place}{key}"
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            told += differences(one, other, f"{where}.")
        elif isinstance(one, Mapping) or isinstance(other, Mapping):
            told.append(f"another `{where}`")
        elif one != other:
            told.append(f"`{where}` {one!r} and not {other!r}")
    return told


def score(folder: Path, layer: str) -> float:
    """The headline of a layer on test."""
    scores = json.loads((folder / "report.json").read_text("utf-8"))["scores"][layer]
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
    corpora = gather(partial(read_corpus, c, folder=data, from_files=True, seed=recipe.seed) for c in wanted)
    return [sentence.tokens for corpus in corpora for sentence in corpus.test]


def speed(joint: Path, singles: Sequence[Path], sentences: Sequence[Sequence[str]], repeats: int) -> dict[str, float]:
    """Median seconds of the one network and of the single ones in turn; the first round of each is not counted."""
    one, several = tagger.load(joint), [tagger.load(folder) for folder in singles]
    times: dict[str, list[float]] = {"joint": [], "single": []}
    progress = Progress(["turn"] * (repeats + 1))
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
    """All figures."""
    if threads is not None:
        torch.set_num_threads(threads)
    sys.stderr.write("reading the test sentences\n")
    sentences = test_tokens(data)
    folders = {(name, seed): runs / f"{name}-{seed}" for seed in seeds for name in LAYERS}
    train_missing(folders, data, threads)
    joint = [folders[JOINT, seed] for seed in seeds]
    single = {layer: [folders[name, seed] for seed in seeds] for layer, name in SINGLE.items()}
    scores = {
        layer: {"joint": spread([score(f, layer) for f in joint]), "single": spread([score(f, layer) for f in own])}
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


def main(given: Sequence[str] | None = None) -> None:
    """Compare what is asked for, and show and keep what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=existing_folder, required=True, help="folder that the recipes' files are in")
    add("--seeds", type=different_seeds, default=[1, 2, 3], metavar="1,2,...")
    add("--runs", type=Path, default=Path("runs"), help="folder of the runs; made if it is not there")
    add("--json", type=writable_file, help="file to write the figures to")
    add("--repeats", type=whole_number(1), default=9, help="timed turns of the speed measurement")
    add(
        "--threads",
        type=whole_number(1, MOST_THREADS),
        help="of torch, in training and timing; as many as it chooses if left out",
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
