"""Compare one reading direction with two: the same experiment over tasks, cells and seeds.

    python scripts/compare_directions.py --data DIR [--tasks synthetic,mr,wnut17,ewt] [--cells rnn,lstm,gru]
        [--seeds 1,2,3] [--resume FILE] [--json FILE] [--picture FILE]

Each cell is trained as three networks that differ in nothing else. `both` reads in both directions, `forward` in one
with the same width, and `forward-wide` in one with as many parameters as `both` (word vectors not counted). The dev set
selects the weights of each run. Scores are those of test sentences that do not occur in train. The seed determines the
initial weights, the order, the dropout and the train sentences of `synthetic`; its test sentences are the same for all
seeds.

The heads of `synthetic` and `ewt` are a softmax at each token, so that only the encoder carries information between
tokens. `wnut17` has a CRF, as is usual for entities, which passes some information backwards in all three networks.
`mr` pools by attention.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from arguments import (
    MOST_THREADS,
    different_seeds,
    existing_folder,
    picture_file,
    run_script,
    whole_number,
    writable_file,
    write_json,
)
from progress import Progress
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table

import tagger
from tagger import Corpus, DataError, Label, Recipe, Sentence, Tagger, plots
from tagger.metrics import RESAMPLES, accuracy, compare_groups, compare_paired, holm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VECTORS = "vectors/glove.6B.50d.top100k.txt.gz"
INPUT_SIZE = 100  # width of the encoder input: 50 for the word vector, 50 for the characters
ATTENTION, HIDDEN = 64, 64  # widths of the two layers of a sentence head whose input is a state
NETWORKS = ("both", "forward-wide", "forward")
COLOURS = {"both": "#0072B2", "forward-wide": "#E69F00", "forward": "#CC79A7"}  # Okabe and Ito (2008)
MARKERS = {"both": "o", "forward-wide": "s", "forward": "^"}
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
TEST = (
    f"p: approximate randomisation over test sentences, two-sided, {RESAMPLES} resamples; a sentence is exchanged with "
    "its predictions of all seeds. Holm: p corrected for the number of comparisons. The 95 % interval and `p, seeds` "
    "contain the variance of seeds as well, if there are several"
)
Counts = tuple[int, int]  # contribution of a sentence to the numerator and the denominator of a score
Key = tuple[int, str, str, str]  # seed, task, cell and network of a run
Record = dict[str, Any]  # a finished run: one line of the resume file
Mistake = tuple[int, str, str]  # index of a token (-1: the sentence), gold tag, predicted tag
BEGINNING = b'{"task": "'  # how each line of the resume file begins


class FinishedRun(BaseModel):
    """The keys that a line of the resume file must have."""

    task: str
    cell: str
    network: str
    seed: int
    settings: dict[str, Any]
    hidden_size: int
    parameters: int
    train_seconds: float
    tag_seconds: float
    counts: dict[str, list[Counts]]
    mistakes: dict[int, list[Mistake]]


@dataclass(frozen=True)
class Task:
    """Where the sentences of a task are, which heads predict what, and what each sentence contributes to the scores."""

    data: dict[str, Any]
    heads: dict[str, Any]
    epochs: int
    counts: Callable[[Sentence, Sentence], dict[str, Counts]]


def mistakes(gold: Sentence, predicted: Sentence) -> list[Mistake]:
    """Return the differences between a predicted sentence and its gold version."""
    found: list[Mistake] = []
    for layer, value in predicted.layers.items():
        if isinstance(value, Label):
            pairs = [(-1, gold.label(layer).value, value.value)]
        else:
            pairs = list(
                zip(range(len(gold)), map(str, gold.tags(layer)), map(str, predicted.tags(layer)), strict=True)
            )
        found += [pair for pair in pairs if pair[1] != pair[2]]
    return sorted(found)


def later_tokens(gold: Sentence, predicted: Sentence) -> dict[str, Counts]:
    """Count the tokens whose tags are all correct: those that later words decide, and the others."""
    later = {int(place) for place in gold.meta.get("later", "").split()}
    wrong = {place for place, _, _ in mistakes(gold, predicted)}
    others = set(range(len(gold))) - later
    return {
        "accuracy: later words decide": (len(later - wrong), len(later)),
        "accuracy: other tokens": (len(others - wrong), len(others)),
    }


def label_accuracy(gold: Sentence, predicted: Sentence) -> dict[str, Counts]:
    """Count the label if it is correct."""
    return {"accuracy": (1 - len(mistakes(gold, predicted)), 1)}


def tag_accuracy(gold: Sentence, predicted: Sentence) -> dict[str, Counts]:
    """Count the correct tags."""
    return {"accuracy": (len(gold) - len(mistakes(gold, predicted)), len(gold))}


def span_f1(gold: Sentence, predicted: Sentence) -> dict[str, Counts]:
    """Count the entities with exactly the right type and boundaries; F1 is 2 * correct / (gold + predicted)."""
    left, right = ({(s.type, s.start, s.end) for s in sentence.spans("ner")} for sentence in (gold, predicted))
    return {"strict F1": (2 * len(left & right), len(left) + len(right))}


TAGS = {"kind": "tokens", "scheme": "none", "decoder": "softmax"}
SPANS = {"kind": "tokens", "scheme": "bioes"}
MR, WNUT, EWT = "sentiment/mr/rt-polarity", "ner/wnut17", "pos/ud-english-ewt/en_ewt-ud"
TASKS = {
    "synthetic": Task(
        {"format": "synthetic"},
        {"ner": {**SPANS, "decoder": "softmax", "constraints": False}, "upos": TAGS},
        10,
        later_tokens,
    ),
    "mr": Task(
        {
            "format": "labelled",
            "layer": "sentiment",
            "tokenize": "blanks",
            "split": {"every": 10, "dev": 8, "test": 9},
            "train": {"negative": f"{MR}.neg", "positive": f"{MR}.pos"},
        },
        {"sentiment": {"kind": "sentence", "pooling": "attention", "hidden_size": HIDDEN}},
        4,
        label_accuracy,
    ),
    "wnut17": Task(
        {
            "format": "conll",
            "columns": ["token", "ner"],
            "train": f"{WNUT}/wnut17train.conll",
            "dev": f"{WNUT}/emerging.dev.conll",
            "test": f"{WNUT}/emerging.test.annotated",
        },
        {"ner": SPANS},
        10,
        span_f1,
    ),
    "ewt": Task(
        {
            "format": "conllu",
            "layers": {"upos": "upos"},
            **{split: f"{EWT}-{split}.conllu" for split in ("train", "dev", "test")},
        },
        {"upos": TAGS},
        3,
        tag_accuracy,
    ),
}


class Experiment:
    """The runs that the arguments request, with the corpus and recipe of each."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.corpus = cache(self._corpus)
        self.widths = cache(self._widths)

    def runs(self) -> list[Key]:
        """Return seed, task, cell and network of each run; networks that are compared run one after another."""
        a = self.arguments
        return list(product(a.seeds, a.tasks, a.cells, NETWORKS))

    def settings(self, task: str) -> dict[str, Any]:
        """Return the settings that all networks of a task share."""
        a = self.arguments
        common = {
            "epochs": TASKS[task].epochs if a.epochs is None else a.epochs,
            "batch_size": 32,
            "learning_rate": 0.003,
        }
        common |= {"hidden_size": a.hidden, "dropout": 0.25, "vectors": VECTORS if a.data else None}
        return {**common, **({"sentences": a.sentences} if task == "synthetic" else {})}

    def recipe(self, task: str, cell: str, network: str, seed: int) -> Recipe:
        """Return the recipe of a run."""
        settings = self.settings(task)
        width = self.widths(task, cell) if network == "forward-wide" else settings["hidden_size"]
        dropout, vectors = {"dropout": settings["dropout"]}, settings["vectors"]
        values = {
            "seed": seed,
            "data": self._data(task),
            "embeddings": {**dropout, **({"vectors": [vectors]} if vectors else {"dimension": 50})},
            "encoder": {**dropout, "cell": cell, "hidden_size": width, "bidirectional": network == "both"},
            "heads": TASKS[task].heads,
            "training": {key: settings[key] for key in ("epochs", "batch_size", "learning_rate")},
        }
        return Recipe.model_validate(values)

    def measured(self, task: str) -> dict[str, int]:
        """Return the number of test sentences of each measure of a task."""
        test = self.corpus(task).test
        return {measure: len(test) for measure in TASKS[task].counts(test[0], test[0])}

    def read_corpora(self) -> None:
        """Read the corpora of all tasks; errors of several of them are reported at once."""
        problems = []
        for task in self.arguments.tasks:
            try:
                self.corpus(task)
            except DataError as error:
                problems.append(str(error))
        if problems:
            raise DataError("\n".join(problems))

    def _data(self, task: str) -> dict[str, Any]:
        sizes = {key: value for key, value in self.settings(task).items() if key == "sentences"}
        return {**TASKS[task].data, **sizes}

    def _corpus(self, task: str) -> Corpus:
        """Return train, and the test sentences that do not occur in it."""
        if task == "synthetic":
            number = self.arguments.sentences
            train = list(tagger.generate(number, seed=1, split="train"))
            return Corpus(train, test=list(tagger.generate(max(20, number // 3), seed=0, split="test")))
        corpus = tagger.load_corpus(**_in_folder(self._data(task), self.arguments.data))
        seen = {sentence.tokens for sentence in corpus.train}
        return Corpus(corpus.train, test=[s for s in corpus.test if s.tokens not in seen])

    def _widths(self, task: str, cell: str) -> int:
        """Return the width at which one direction has as many parameters as two."""
        reading = sum(_reading_parameters(layer, head, self.corpus(task)) for layer, head in TASKS[task].heads.items())

        def parameters(width: int, directions: int) -> int:
            encoder = GATES[cell] * width * (INPUT_SIZE + width + 2)
            return directions * (encoder + width * reading)

        wanted = parameters(self.arguments.hidden, 2)
        return min(range(1, 3 * self.arguments.hidden), key=lambda width: abs(parameters(width, 1) - wanted))


def _reading_parameters(layer: str, head: dict[str, Any], corpus: Corpus) -> int:
    """Return the number of parameters of a head per feature of a state."""
    if head["kind"] == "sentence":
        return ATTENTION + HIDDEN
    tags = {str(tag) for sentence in corpus.train for tag in sentence.tags(layer)}
    return len(tags) if head["scheme"] == "none" else 1 + 4 * len({tag[2:] for tag in tags} - {""})


def _in_folder(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a [data] section with its paths placed in a folder."""
    paths = {key: data[key] for key in ("train", "dev", "test") if key in data}
    in_folder: dict[str, Any] = {
        key: {label: folder / path for label, path in value.items()} if isinstance(value, dict) else folder / value
        for key, value in paths.items()
    }
    return {**data, **in_folder}


def run_once(experiment: Experiment, seed: int, task: str, cell: str, network: str, *, progress: Progress) -> Record:
    """Train a network and return its predictions on the test sentences as a record."""
    a, gold = experiment.arguments, list(experiment.corpus(task).test)
    recipe = experiment.recipe(task, cell, network, seed)
    run = tagger.train(recipe, data=a.data, threads=a.threads, listener=progress)
    if run.outcome.interrupted:
        raise KeyboardInterrupt
    seconds, predicted = tag(run.tagger, gold)
    counts = [TASKS[task].counts(*pair) for pair in zip(gold, predicted, strict=True)]
    wrong = {i: found for i, pair in enumerate(zip(gold, predicted, strict=True)) if (found := mistakes(*pair))}
    trained = dict(run.tagger.network.named_parameters())
    return {
        "task": task,
        "cell": cell,
        "network": network,
        "seed": seed,
        "settings": experiment.settings(task),
        "hidden_size": recipe.encoder.hidden_size,
        "parameters": sum(p.numel() for name, p in trained.items() if p.requires_grad and name != "words.weight"),
        "train_seconds": run.outcome.epochs[-1].seconds,
        "tag_seconds": seconds,
        "counts": {measure: [count[measure] for count in counts] for measure in counts[0]},
        "mistakes": wrong,
    }


def tag(model: Tagger, sentences: Sequence[Sentence]) -> tuple[float, list[Sentence]]:
    """Tag the sentences three times; return the median seconds and the tagged sentences."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        predicted = list(model.predict(sentences))
        times.append(time.perf_counter() - started)
    return statistics.median(times), predicted


def all_records(experiment: Experiment) -> list[Record]:
    """Return the records of all runs: those in the resume file, and the others after running and appending them."""
    path, runs = experiment.arguments.resume, experiment.runs()
    records = _found(experiment, path) if path and path.exists() else {}
    missing = [key for key in runs if key not in records]
    with Progress(len(missing)) as progress:
        for seed, task, cell, network in missing:
            progress.begin(f"{task} {cell} {network} seed {seed}")
            record = run_once(experiment, seed, task, cell, network, progress=progress)
            if path:
                with path.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(record) + "\n")
            progress.end(", ".join(f"{name} {_score(counts):.4f}" for name, counts in record["counts"].items()))
            records[seed, task, cell, network] = record
    return [records[key] for key in runs]


def _found(experiment: Experiment, path: Path) -> dict[Key, Record]:
    """Return the finished runs of a resume file that are among the requested ones."""
    finished = {(r["seed"], r["task"], r["cell"], r["network"]): r for r in _read_records(path)}
    found = {key: finished[key] for key in experiment.runs() if key in finished}
    for (_, task, _, _), record in found.items():
        if record["settings"] != experiment.settings(task):
            raise DataError(f"{path}: has runs of {task} with other settings, {record['settings']}; choose a new file")
        if {name: len(counts) for name, counts in record["counts"].items()} != experiment.measured(task):
            raise DataError(f"{path}: has runs of {task} on other test sentences; choose a new file")
    sys.stderr.write(f"{path}: has {len(found)} of {len(experiment.runs())} runs\n")
    return found


def _read_records(path: Path) -> list[Record]:
    """Return the finished runs of a resume file; an incomplete last line, left by a kill, is removed from the file."""
    *lines, rest = path.read_bytes().split(b"\n")
    records = [_record(line, f"{path}:{number}") for number, line in enumerate(lines, 1)]
    if rest:
        if not BEGINNING.startswith(rest[: len(BEGINNING)]):
            raise _invalid_record(rest, f"{path}:{len(lines) + 1}")
        sys.stderr.write(f"{path}: the last line is incomplete; its run is repeated\n")
        with path.open("r+b") as stream:
            stream.truncate(sum(len(line) + 1 for line in lines))
    return records


def _record(line: bytes, place: str) -> Record:
    """Return the run of a complete line."""
    try:
        return FinishedRun.model_validate_json(line).model_dump()
    except ValidationError:
        raise _invalid_record(line, place) from None


def _invalid_record(line: bytes, place: str) -> DataError:
    shown = line[:40].decode(errors="replace")
    return DataError(f"{place}: expected a finished run as --resume writes it, got {shown!r}; remove the line")


def _score(counts: Sequence[Sequence[int]]) -> float:
    return float(accuracy(np.array(counts).sum(0)))


def summarise(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return a row for each measure, cell and network: means over seeds and the standard deviation of the score."""
    rows = []
    for group in _groups(records):
        for measure in group[0]["counts"]:
            scores = [_score(record["counts"][measure]) for record in group]
            row = {key: group[0][key] for key in ("task", "cell", "network", "hidden_size", "parameters")}
            times = {key: statistics.mean(r[key] for r in group) for key in ("train_seconds", "tag_seconds")}
            deviation = statistics.stdev(scores) if len(scores) > 1 else None
            rows.append({**row, "measure": measure, "mean": statistics.mean(scores), "std": deviation, **times})
    return sorted(rows, key=lambda row: (list(TASKS).index(row["task"]), row["measure"]))


def _groups(records: Sequence[Record]) -> list[list[Record]]:
    """Return the records grouped by task, cell and network."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        groups.setdefault((record["task"], record["cell"], record["network"]), []).append(record)
    return list(groups.values())


def compare(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Compare each forward network with `both`: difference of mean scores and p-values, per task, cell and measure."""
    groups = {(g[0]["task"], g[0]["cell"], g[0]["network"]): g for g in _groups(records)}
    rows = []
    for (task, cell, network), group in groups.items():
        for measure in group[0]["counts"] if network != "both" else ():
            row = {"task": task, "cell": cell, "measure": measure, "against": network}
            pair = ([r["counts"][measure] for r in part] for part in (groups[task, cell, "both"], group))
            rows.append({**row, **_tested(*pair)})
    corrected = holm([row["p"] for row in rows])
    return [{**row, "p_holm": p} for row, p in zip(rows, corrected, strict=True)]


def _tested(ones: Sequence[Any], others: Sequence[Any]) -> dict[str, Any]:
    """Return the difference of the mean scores of two networks, from the counts of the runs with each seed."""
    paired = compare_paired(np.hstack(ones), np.hstack(others), _mean_score)
    found = {"difference": paired.difference, "interval": paired.interval, "p": paired.p_randomisation, "p_seeds": None}
    if len(ones) > 1:
        groups = compare_groups(ones, others, accuracy)
        found |= {"interval": groups.interval, "p_seeds": groups.p}
    return found


def _mean_score(sums: Any) -> Any:
    """Return the mean score of the runs whose counts are side by side."""
    return accuracy(sums.reshape(*sums.shape[:-1], -1, 2)).mean(-1)


def differing(experiment: Experiment, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return sentences that `both` gets right and `forward-wide` wrong with every seed, or the other way round."""
    groups = {(g[0]["task"], g[0]["cell"], g[0]["network"]): g for g in _groups(records)}
    rows = []
    for task, cell, network in groups:
        if network == "forward":
            continue
        other = next(name for name in NETWORKS if name != network)
        right, wrong = ([r["mistakes"] for r in groups[task, cell, name]] for name in (network, other))
        chosen = [i for i in wrong[0] if all(i in r for r in wrong) and not any(i in r for r in right)]
        test = experiment.corpus(task).test
        facts = {"task": task, "cell": cell, "right": network, "wrong": other}
        rows += [{**facts, "sentence": marked(test[i], wrong[0][i])} for i in chosen]
    return rows


def marked(sentence: Sentence, wrong: Sequence[Mistake]) -> str:
    """Return a sentence with gold and predicted tag after each wrong word; those of a wrong label come first."""
    words = ["", *sentence.tokens]
    for place, gold, predicted in wrong:
        words[place + 1] += f"\u27e8{gold}, not {predicted}\u27e9"
    return " ".join(words).strip()


def show(experiment: Experiment, result: dict[str, Any]) -> None:
    """Print tables and example sentences."""
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    _show_scores(console, result["summary"])
    _show_tests(console, result["tests"])
    console.print(TEST, style="dim")
    for task, facts in result["settings"].items():
        number = result["test_sentences"][task]
        console.print(f"{task}: {number} test sentences; settings of every network: {facts}", style="dim", markup=False)
    for task, network in product(experiment.arguments.tasks, ("both", "forward-wide")):
        found = [row for row in result["differing"] if (row["task"], row["right"]) == (task, network)]
        console.print(f"\n{task}: only {network} is right, with every seed, in {len(found)} sentences", style="bold")
        for row in Random(1).sample(found, min(experiment.arguments.examples, len(found))):
            console.print(f"  {row['cell']}: {row['sentence']}", markup=False)


def _show_scores(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    names = ("task", "measure", "cell", "network", "hidden", "parameters", "mean", "std", "train s", "tag s")
    table = Table(*names, title="Unseen test sentences: mean and standard deviation over seeds")
    for row in rows:
        deviation = "" if row["std"] is None else f"{row['std']:.4f}"
        texts = [row[key] for key in ("task", "measure", "cell", "network")]
        numbers = [str(row["hidden_size"]), f"{row['parameters']:,}", f"{row['mean']:.4f}", deviation]
        table.add_row(*texts, *numbers, f"{row['train_seconds']:.1f}", f"{row['tag_seconds']:.2f}")
    console.print(table)


def _show_tests(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    names = ("task", "measure", "cell", "both minus", "difference", "95 % interval", "p", "Holm", "p, seeds")
    table = Table(*names, title="Significance of the differences")
    for row in rows:
        texts = [row[key] for key in ("task", "measure", "cell", "against")]
        ends = "" if row["interval"] is None else "{:+.4f} to {:+.4f}".format(*row["interval"])
        p_values = ["" if row[key] is None else f"{row[key]:.2g}" for key in ("p", "p_holm", "p_seeds")]
        table.add_row(*texts, f"{row['difference']:+.4f}", ends, *p_values)
    console.print(table)


def figure_of(rows: Sequence[dict[str, Any]]) -> "Figure":
    """Draw the scores: one panel per measure, one point with its standard deviation per network."""
    from matplotlib.figure import Figure

    panels = list(dict.fromkeys((row["task"], row["measure"]) for row in rows))
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.2 * lines + 0.4), layout="constrained")
    for number, panel in enumerate(panels, 1):
        axes = figure.add_subplot(lines, columns, number)
        _draw_panel(axes, [row for row in rows if (row["task"], row["measure"]) == panel])
        axes.set_title("\n".join(panel), fontsize=10)
    handles, labels = axes.get_legend_handles_labels()
    title = "mean and standard deviation over seeds"
    figure.legend(handles, labels, title=title, loc="outside lower center", ncols=len(NETWORKS), frameon=False)
    return figure


def _draw_panel(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    for shift, network in enumerate(NETWORKS):
        chosen = [row for row in rows if row["network"] == network]
        axes.errorbar(
            [cells.index(row["cell"]) + 0.2 * (shift - 1) for row in chosen],
            [row["mean"] for row in chosen],
            yerr=[row["std"] or 0 for row in chosen],
            fmt=MARKERS[network],
            color=COLOURS[network],
            capsize=3,
            label=network,
        )
    axes.set_xticks(range(len(cells)), cells)
    axes.set_xlim(-0.5, len(cells) - 0.5)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add(
        "--data",
        type=existing_folder,
        help="folder of corpora and vectors; without it, only `synthetic` is run, without vectors",
    )
    add("--tasks", type=_chosen(TASKS), metavar="A,B,...", help="default: all with --data, otherwise `synthetic`")
    add("--cells", type=_chosen(GATES), default=list(GATES), metavar="A,B,...")
    add("--seeds", type=different_seeds, default=[1, 2, 3], metavar="1,2,...")
    add("--epochs", type=whole_number(1), help="number of epochs of each task; default: that of the task")
    add("--hidden", type=whole_number(1), default=100, help="width of a direction of `both` and of `forward`")
    add("--sentences", type=whole_number(1), default=3000, help="train sentences of `synthetic`")
    add(
        "--examples",
        type=whole_number(0),
        default=3,
        help="number of example sentences of each task and network",
    )
    add("--threads", type=whole_number(1, MOST_THREADS), help="threads of torch; default: chosen by torch")
    add(
        "--resume",
        type=writable_file,
        help="file for finished runs; those that it holds are not repeated",
    )
    add("--json", type=writable_file, help="file to write the figures to")
    add("--picture", type=picture_file, help="picture of the scores to write: .png, .svg or .html")
    arguments = parser.parse_args(given)
    _complete(arguments, parser)
    return arguments


def _complete(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Choose the tasks that are not named, and refuse options that do not go together."""
    files = [path.resolve() for path in (arguments.resume, arguments.json, arguments.picture) if path]
    if len(set(files)) < len(files):
        parser.error("--resume, --json and --picture must be different files")
    if arguments.tasks is None:
        arguments.tasks = list(TASKS) if arguments.data else ["synthetic"]
        if not arguments.data:
            sys.stderr.write("only `synthetic` is run, because the other tasks need --data DIR\n")
    elif arguments.data is None and arguments.tasks != ["synthetic"]:
        parser.error("all tasks except `synthetic` need --data DIR")


def _chosen(choices: Collection[str]) -> Callable[[str], list[str]]:
    """Return a parser of names separated by commas, which must be different and among the choices."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        if not set(names) <= set(choices) or len(set(names)) < len(names):
            raise argparse.ArgumentTypeError(f"must be different names among {', '.join(choices)}, got {text!r}")
        return names

    return read


def main(given: Sequence[str] | None = None) -> None:
    """Run the experiment, then print, write and draw the results."""
    arguments = parse_arguments(given)
    experiment = Experiment(arguments)
    sys.stderr.write(f"reading the sentences of {', '.join(arguments.tasks)}\n")
    experiment.read_corpora()
    records = all_records(experiment)
    sys.stderr.write("comparing\n")
    result: dict[str, Any] = {
        "settings": {task: experiment.settings(task) for task in arguments.tasks},
        "test_sentences": {task: len(experiment.corpus(task).test) for task in arguments.tasks},
        "summary": summarise(records),
        "tests": compare(records),
        "test": TEST,
        "differing": differing(experiment, records),
    }
    try:
        write_results(arguments, result)
    finally:
        show(experiment, result)


def write_results(arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    """Write and draw the results to the files that were given."""
    if arguments.json:
        write_json(arguments.json, result)
    if arguments.picture:
        plots.Picture("One reading direction against two", figure=lambda: figure_of(result["summary"])).save(
            arguments.picture
        )


if __name__ == "__main__":
    run_script(main)
