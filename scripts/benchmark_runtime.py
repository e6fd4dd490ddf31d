"""Measure what a trained model costs at run time: cold start, memory, environment, and speed with each backend.

    python scripts/benchmark_runtime.py --data DIR [--models DIR] [--environment VENV] [--json FILE] [--only cold ...]

DIR of `--models` contains `wnut17` and `bc5cdr`, runs of the two NER recipes; without it, one epoch of each is trained,
for speed does not depend on how good a model is. VENV is an environment in which `tagger` can tag. Backends take turns
in this process, and ratios are those of medians. Tokens per second are compared with the speed of matrix products on
this machine, measured in the same turns. Backends and taggers that are not installed are named and skipped.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

import benchmark_speed as speed
import numpy as np
import torch
from arguments import existing_folder, run_script, whole_number, writable_file, write_json
from exporting import exported
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

import tagger
from tagger import Corpus, Tagger, TaggerError

RECIPES = {"wnut17": "ner-wnut17", "bc5cdr": "ner-bc5cdr"}
NAMES = {"wnut17": "WNUT-17", "bc5cdr": "BC5CDR"}
PARTS = ("cold", "environment", "tagging", "english", "others", "crf")
WITH_MODELS = ("cold", "tagging", "others")
WITH_DATA = (*WITH_MODELS, "english")
TOKENS = 4096  # rows of the matrix product that is measured in the shape of the encoder
REFERENCE = "torch float32"
SENTENCE = "Ada Lovelace was born in London .\n"
NOT_COUNTED = ("pip", "setuptools", "_distutils_hack", "pkg_resources")
# A process that is started from this one would count the memory of this one as its own, so a small one starts it.
STARTER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:], stdin=open(sys.argv[1]), stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
unit = 2**20 if sys.platform == "darwin" else 2**10
print(json.dumps([time.perf_counter() - start, usage.ru_maxrss / unit, status]))
"""


@dataclass(frozen=True)
class Row:
    """One figure, and the goal for it: a ratio to something else if there is one, otherwise the figure itself."""

    what: str
    figure: float
    unit: str
    against: str = ""
    ratio: float | None = None
    goal: float | None = None


def machine() -> dict[str, str | int]:
    """Return what the figures depend on: the processor and the versions of what computes."""
    found: dict[str, str | int] = {"processor": processor(), "cpus": os.cpu_count() or 1}
    found["tagger"] = tagger.__version__
    for package in ("torch", "numpy", "onnxruntime"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return {**found, "python": platform.python_version()}


def processor() -> str:
    """Return the name of the processor."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def cold_rows(models: Path, python: str, repeats: int) -> Iterator[Row]:
    """Measure `tagger tag` of one sentence in processes of their own, everything included."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(SENTENCE)
        file.flush()
        command = [sys.executable, "-c", STARTER, file.name, python, "-m", "tagger", "tag", str(models / "wnut17")]
        figures = []
        for _ in range(repeats + 1):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            figures.append(json.loads(done.stdout))
    if any(status for _, _, status in figures):
        raise TaggerError(f"{python} -m tagger tag: expected to tag a sentence, got an error: {done.stderr.strip()}")
    seconds, megabytes = (median(figure[i] for figure in figures[1:]) for i in (0, 1))
    yield Row("tagging one sentence, cold", seconds, "s", goal=0.5)
    yield Row("peak memory of that", megabytes, "MB", goal=120)


def environment_rows(environment: Path) -> Iterator[Row]:
    """Measure the files of an environment, without pip and setuptools."""
    seen: set[tuple[int, int]] = set()  # files with several names count once
    total = 0
    for path in environment.rglob("*"):
        if path.is_symlink() or not path.is_file() or any(part.startswith(NOT_COUNTED) for part in path.parts):
            continue
        status = path.stat()
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size
    onnx = any(environment.rglob("onnxruntime"))
    what = f"environment that can tag{', with onnxruntime' * onnx}"
    yield Row(what, total / 2**20, "MB", goal=250 if onnx else 120)


def gemms(width: int, gates: int) -> dict[str, Callable[[], object]]:
    """Return a matrix product of the encoder's input for each library, with the numbers of one direction."""
    generator = np.random.default_rng(1)
    left, right = (generator.normal(size=shape).astype(np.float32) for shape in ((TOKENS, width), (width, gates)))
    first, second = torch.from_numpy(left), torch.from_numpy(right)
    return {"torch": lambda: torch.mm(first, second), "NumPy": lambda: left @ right}


def operations(network: torch.nn.Module, sentences: Iterable[tagger.Sentence]) -> float:
    """Return the floating-point operations per token in the matrix products of encoder, characters and heads."""
    tokens = [token for sentence in sentences for token in sentence.tokens]
    times = {"encoder": 1.0, "head": 1.0, "chars": sum(map(len, tokens)) / len(tokens)}  # how often for each token
    total = 0.0
    for name, weight in network.named_parameters():
        part = name.split(".")[0].split(":")[0]
        if weight.dim() == 2 and part in times and not name.endswith(("transitions", "embedding.weight")):
            total += 2 * weight.numel() * times[part]
    return total


def backends(folder: Path, graphs: Path, threads: int) -> dict[str, Tagger]:
    """Return the model with each backend that is installed, by name."""
    torch.set_num_threads(threads)
    ways: dict[str, Callable[[], Tagger]] = {
        REFERENCE: partial(tagger.load, folder, backend="torch", threads=threads),
        "torch bfloat16": partial(tagger.load, folder, backend="torch", precision="bfloat16", threads=threads),
        "NumPy": partial(tagger.load, folder, backend="numpy", threads=threads),
        "ONNX float32": lambda: tagger.load(exported(folder, graphs, "float32"), threads=threads),
        "ONNX int8": lambda: tagger.load(exported(folder, graphs, "int8"), threads=threads),
    }
    loaded = {}
    for name, load in ways.items():
        try:
            loaded[name] = load()
        except TaggerError as error:
            sys.stderr.write(f"{name}: skipped, because it is not available: {error}\n")
    return loaded


def in_turns(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each function; they take turns, and a first round is a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in times.items()}


def tagging_rows(name: str, models: Path, corpus: Corpus, graphs: Path, threads: int, repeats: int) -> Iterator[Row]:
    """Measure tokens per second of each backend on a test file that is split into tokens already."""
    loaded, test = backends(models / name, graphs, threads), list(corpus.test)
    tokens, network = sum(map(len, test)), loaded[REFERENCE].network
    layer = next(iter(network.encoder.layers))
    gates, width = layer.get_parameter("weight_ih_l0").shape
    shape = (width, gates)
    products = gemms(*shape)
    with threadpool_limits(threads, user_api="blas"):
        seconds = in_turns(
            {
                **{f"{library} product": speed.several(run, 20) for library, run in products.items()},
                **{backend: partial(consume, model, test) for backend, model in loaded.items()},
            },
            repeats,
        )
    count = f"{threads} thread{'s' * (threads > 1)}"
    where = f"{NAMES[name]} test, {count}"
    work = 2 * TOKENS * shape[0] * shape[1] * 20  # floating-point operations
    flops = {library: work / seconds[f"{library} product"] for library in products}
    for library, figure in flops.items():
        what = f"{library}: ({TOKENS}, {shape[0]}) by {shape}, {count}"
        yield Row(what, figure / 1e9, "GFLOP/s")
    limit = max(flops.values()) / operations(network, test)  # tokens per second
    goals = {"NumPy": 0.6, "ONNX int8": 1.8}
    for backend in loaded:
        rate, ratio = tokens / seconds[backend], seconds[REFERENCE] / seconds[backend]
        yield Row(f"{backend}, {where}", rate, "tokens/s", REFERENCE, ratio, goals.get(backend))
        if backend not in ("torch bfloat16", "ONNX int8"):
            yield Row(f"{backend}, {where}", rate, "tokens/s", "its matrix products alone", rate / limit, 0.6)


def english_rows(data: Path, graphs: Path, threads: int, repeats: int) -> Iterator[Row]:
    """Measure tokens per second of the model `english`, with its four layers, on the test file of EWT."""
    corpora = tagger.load_corpora(speed.ROOT / "recipes" / "pos-ewt.toml", data=data)
    test = [sentence for corpus in corpora.values() for sentence in corpus.test]
    loaded, tokens = backends(Path("english"), graphs, threads), sum(map(len, test))
    seconds = in_turns({backend: partial(consume, model, test) for backend, model in loaded.items()}, repeats)
    fastest = min(seconds, key=seconds.__getitem__)
    for backend in loaded:
        what = f"{backend}, model `english`, EWT test, {threads} thread{'s' * (threads > 1)}"
        goal = 120_000 if backend == fastest and threads > 1 else None
        yield Row(what, tokens / seconds[backend], "tokens/s", "", None, goal)


def consume(model: Tagger, sentences: Sequence[tagger.Sentence]) -> None:
    """Tag sentences and drop the results."""
    deque(model.predict(sentences), 0)


def other_rows(models: Path, corpus: Corpus, graphs: Path, threads: int, repeats: int) -> Iterator[Row]:
    """Compare the fastest backend on the WNUT-17 test file with other taggers."""
    loaded, test = backends(models / "wnut17", graphs, threads), list(corpus.test)
    seconds = in_turns({backend: partial(consume, model, test) for backend, model in loaded.items()}, 2)
    fastest = min(seconds, key=seconds.__getitem__)
    taggers = (
        ("spaCy's ner with vectors", speed.spacy_tagger(corpus), 7.0),
        ("python-crfsuite", speed.crfsuite_tagger(corpus), 1.5),
    )
    for name, theirs, goal in taggers:
        if theirs is None:
            sys.stderr.write(f"{name}: skipped, because it is not installed\n")
            continue
        ours = partial(consume, loaded[fastest], test)
        row = speed.compare(fastest, name, ours, theirs, repeats=repeats, goal=goal, tokens=sum(map(len, test)))
        what = f"{fastest}, WNUT-17 test, {threads} threads"
        yield Row(what, row.tokens_per_second or 0.0, "tokens/s", name, row.ratio, goal)


def crf_rows(repeats: int) -> Iterator[Row]:
    """Compare the CRF with pytorch-crf on few tags, where calling operations takes most of the time."""
    for shape in ((32, 25, 9), (1, 25, 17)):
        for row in speed.crf_pair(*shape, repeats=repeats):
            yield Row(row.what, row.ours_seconds / 20 * 1e6, "us", row.against, row.ratio, row.goal)


def show(facts: Mapping[str, object], rows: Sequence[Row]) -> None:
    """Print the table."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(", ".join(f"{name} {value}" for name, value in facts.items()), highlight=False)
    table = Table("what", "figure", "unit", "against", "ratio", "goal")
    for row in rows:
        ratio, goal = ("" if number is None else f"{number:.3g}" for number in (row.ratio, row.goal))
        digits = f"{row.figure:,.2f}" if row.figure < 100 else f"{row.figure:,.0f}"
        table.add_row(row.what, digits, row.unit, row.against, ratio, goal)
    console.print(table)


def trained(name: str, data: Path, models: Path) -> None:
    """Train one epoch of a recipe."""
    sys.stderr.write(f"training one epoch of {RECIPES[name]}, because there is no --models DIR\n")
    recipe = tagger.load_recipe(speed.ROOT / "recipes" / f"{RECIPES[name]}.toml", ["training.epochs=1"])
    tagger.train(recipe, data=data, output=models / name)


def corpus_of(folder: Path, data: Path) -> Corpus:
    """Return the corpus that a run was trained on."""
    recipe = tagger.load_recipe(folder / "recipe.toml")
    return next(iter(tagger.load_corpora(recipe, data=data).values()))


def measured(arguments: argparse.Namespace, models: Path, graphs: Path) -> Iterator[Row]:
    """Yield the rows of the chosen parts, and train the models that are missing."""
    only, repeats = arguments.only, arguments.repeats
    if "environment" in only:
        if arguments.environment is None:
            sys.stderr.write("environment: skipped, because there is no --environment VENV\n")
        else:
            yield from environment_rows(arguments.environment)
    for name in RECIPES if not set(WITH_MODELS).isdisjoint(only) else ():
        if not (models / name).exists():
            trained(name, arguments.data, models)
    if "cold" in only:
        folder = "Scripts" if os.name == "nt" else "bin"
        environment = arguments.environment
        yield from cold_rows(models, str(environment / folder / "python") if environment else sys.executable, repeats)
    if "crf" in only:
        torch.set_num_threads(arguments.threads)
        yield from crf_rows(repeats)
    for threads in dict.fromkeys((1, arguments.threads)) if "english" in only else ():
        yield from english_rows(arguments.data, graphs, threads, repeats)
    for name in RECIPES if "tagging" in only or "others" in only else ():
        corpus = corpus_of(models / name, arguments.data)
        for threads in dict.fromkeys((1, arguments.threads)) if "tagging" in only else ():
            yield from tagging_rows(name, models, corpus, graphs, threads, repeats)
        if name == "wnut17" and "others" in only:
            yield from other_rows(models, corpus, graphs, arguments.threads, repeats)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=existing_folder, help=f"folder of corpora; needed by {', '.join(WITH_DATA)}")
    add("--models", type=existing_folder, help="folder with the runs `wnut17` and `bc5cdr`; default: train one epoch")
    add("--environment", type=existing_folder, help="virtual environment that can tag; default: not measured")
    add("--json", type=writable_file, help="file to write the figures to")
    add("--repeats", type=whole_number(1), default=5, help="timed turns")
    add("--threads", type=whole_number(1, 64), default=2, help="number of threads to measure beside one")
    add("--only", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args(given)
    if arguments.data is None and not set(WITH_DATA).isdisjoint(arguments.only):
        parser.error(f"{', '.join(WITH_DATA)} need --data DIR; or choose others with --only environment crf")
    return arguments


def main(given: Sequence[str] | None = None) -> None:
    """Run the chosen measurements, then write and print the results."""
    arguments, facts = parse_arguments(given), machine()
    torch.manual_seed(1)
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory() as name:
            for row in measured(arguments, arguments.models or Path(name), Path(name)):
                ratio = "" if row.ratio is None else f", {row.ratio:.2f} of {row.against}"
                sys.stderr.write(f"{row.what}: {row.figure:.4g} {row.unit}{ratio}\n")
                rows.append(row)
    finally:
        if arguments.json is not None:
            write_json(arguments.json, {"machine": facts, "rows": [asdict(row) for row in rows]})
        show(facts, rows)


if __name__ == "__main__":
    run_script(main)
