"""Measure how many judgements `tagger annotate` saves: a gold corpus answers in the place of a person.

    python scripts/simulate_annotation.py RECIPE [--corpus NAME] [--start english] [--data DIR]
        [--strategies uncertainty,random,sentences] [--seeds 3] [--most-judgements 2000] [--step 200] [--epochs 20]
        [--rest unsure] [--threads N] [--output DIR] [--json FILE] [--picture FILE [--beside FILE ...]]

NAME is one of the corpora of RECIPE; default: its only one. Its train has the texts, its dev scores the model, and its
test is not used. The oracle judges what the tool shows, by one of these strategies:

- `uncertainty`: the texts in the order of the tool, where the model is unsure. Of each text, the oracle judges each
  suggestion: it accepts it, corrects it to the gold entity that overlaps it, or rejects it. Then it may judge the rest
  (`--rest`): the entities that the model missed, and that there is nothing else.
- `random`: the same of texts in random order.
- `sentences`: whole sentences in random order.

`--rest always` judges the rest of each text, `never` only that of texts before there is a model, and `unsure` also that
of texts without a suggestion.

After each `--step` judgements a model is trained and scored. Judged tokens are the tokens of judged spans, of rejected
suggestions, and, where the rest was judged, all tokens of the sentence. Finished runs in the folder of `--output` are
used again; they must have been made with the same options.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from arguments import (
    MOST_THREADS,
    existing_folder,
    picture_file,
    run_script,
    seeds_or_number,
    whole_number,
    with_places,
    writable_file,
    write_json,
)
from rich.console import Console
from rich.table import Table

import tagger
from tagger import DataError, Document, Sentence
from tagger.annotation import Item, Project
from tagger.metrics import Spread

STRATEGIES = ("uncertainty", "random", "sentences")
COLOURS = {"uncertainty": "#d55e00", "random": "#0072b2", "sentences": "#009e73"}
STEPS = 300  # fewest of a training, so that a few sentences are learned too
BATCH = 8
MOST_EPOCHS = 60
AXES = {"spans": "judged entities and rejected suggestions", "tokens": "judged tokens"}
LAYER = "ner"


class Oracle:
    """Answers from gold, and counts what it judged.

    Args:
        project: The project; text number n is sentence n - 1 of `gold`.
        gold: The sentences.
        layer: Their layer of entities.
        strategy: One of `STRATEGIES`.
        rest: When it judges the rest: `always`, `unsure` or `never`.
    """

    def __init__(self, project: Project, gold: Sequence[Sentence], layer: str, strategy: str, rest: str) -> None:
        self.project, self.gold, self.layer = project, gold, layer
        self.strategy, self.rest = strategy, rest
        self.sentences = self.spans = self.tokens = 0
        self.has_model = False

    def judge(self, item: Item) -> None:
        """Judge a text."""
        spans = self.gold[item.id - 1].spans(self.layer)
        whole = self.strategy == "sentences"
        for suggestion in () if whole else item.suggestions:
            start, end = suggestion.start, suggestion.end
            near = [span for span in spans if span.start < end and start < span.end]
            self.spans += max(len(near), 1)
            for span in near:
                item = self.project.judge(item.id, span.start, span.end, span.type)
            if not near:
                item = self.project.judge(item.id, start, end, None)
        if whole or self.rest == "always" or not self.has_model or (self.rest == "unsure" and not item.judged):
            known = {(judged.start, judged.end) for judged in item.judged}
            for span in spans:
                if (span.start, span.end) not in known:
                    self.project.judge(item.id, span.start, span.end, span.type)
                    self.spans += 1
            item = self.project.judge_rest(item.id)
        self.sentences += 1
        self.tokens += sum(judged.end - judged.start for judged in item.judged)


def simulate(options: argparse.Namespace, corpus: tagger.Corpus, layer: str, strategy: str, seed: int) -> Any:
    """Return the scores of one run, each with what was judged until then."""
    folder = options.output / strategy / f"seed-{seed}"
    path, settings = folder / "scores.json", settings_of(options)
    if path.is_file():
        done = json.loads(path.read_text(encoding="utf-8"))
        if done["settings"] != settings:
            raise DataError(f"{path}: was made with other options; use another --output, or remove it")
        return done["points"]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "project.sqlite"
    file.unlink(missing_ok=True)  # a run that was stopped begins again
    gold = list(corpus.train)
    project = Project.create(
        file,
        [Document(sentence.text, (sentence,)) for sentence in gold],
        types=sorted({span.type for sentence in gold for span in sentence.spans(layer)}),
        start=options.start,
        gold=list(corpus.dev),
        seed=seed,
        teach=False,
        person="oracle",
    )
    oracle, points, due = Oracle(project, gold, layer, strategy, options.rest), [], options.first
    order = iter(Random(seed).sample(range(1, len(gold) + 1), len(gold)))
    began, item = time.monotonic(), project.next() if strategy == "uncertainty" else project.item(next(order))
    while item is not None:
        oracle.judge(item)
        judgements = project.progress()["judgements"]
        if judgements >= due or judgements >= options.most_judgements:
            due = due + (options.step if due >= options.step else options.step - options.first)
            epochs = max(options.epochs, min(MOST_EPOCHS, STEPS * BATCH // oracle.sentences))
            oracle.has_model |= project.learn(threads=options.threads, epochs=epochs)
            score = project.progress()["score"]
            if score is not None:
                counts = {name: getattr(oracle, name) for name in ("sentences", "spans", "tokens")}
                points.append({"judgements": judgements, **counts, "f1": score["f1"]})
                minutes = (time.monotonic() - began) / 60
                sys.stderr.write(f"{strategy}, seed {seed}: {points[-1]} after {minutes:.1f} minutes\n")
        if judgements >= options.most_judgements:
            break
        number = next(order, None) if strategy != "uncertainty" else None
        item = project.next(item.id) if strategy == "uncertainty" else number and project.item(number)
    project.close()
    file.unlink()
    write_json(path, {"settings": settings, "points": points})
    return points


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that change the scores."""
    names = ("corpus", "start", "most_judgements", "first", "step", "epochs", "rest")
    return {"recipe": options.recipe.stem, **{name: getattr(options, name) for name in names}}


def curve(runs: Sequence[Sequence[Mapping[str, Any]]], axis: str) -> list[dict[str, float | None]]:
    """Return the mean and the standard deviation of F1 by what was judged, in the middle between the runs."""
    found = []
    for points in zip(*runs, strict=False):
        spread = Spread.of([point["f1"] for point in points]).to_dict()
        at = sum(point[axis] for point in points) / len(points)
        found.append({"at": at, "mean": spread["mean"], "sd": spread["sd"]})
    return found


def needed(line: Sequence[Mapping[str, Any]], score: float) -> float | None:
    """Return where a line first has a score; None if it never has it."""
    for before, after in pairwise(line):
        if before["mean"] < score <= after["mean"]:
            share = (score - before["mean"]) / (after["mean"] - before["mean"])
            return float(before["at"] + share * (after["at"] - before["at"]))
    return float(line[0]["at"]) if line and line[0]["mean"] >= score else None


def target(runs: Sequence[Sequence[Mapping[str, Any]]], sentences: int) -> dict[str, float] | None:
    """Return the scores of so many whole sentences, and what was judged for them; None if they were not reached."""
    rows = []
    for points in runs:
        near = [point for point in points if point["sentences"] >= sentences]
        if not near:
            return None
        rows.append(near[0])
    return {name: sum(row[name] for row in rows) / len(rows) for name in ("sentences", "spans", "tokens", "f1")}


def show(figures: Mapping[str, Any]) -> None:
    """Print the scores, and what each strategy needs for that of whole sentences."""
    seeds = len(figures["seeds"])
    table = Table("strategy", "tokens", "spans", "F1", title=f"{figures['recipe']}, mean of {seeds} seed(s)", box=None)
    for name, axes in figures["curves"].items():
        for tokens, spans in zip(axes["tokens"], axes["spans"], strict=True):
            sd = "" if spans["sd"] is None else f" ± {spans['sd']:.3f}"
            table.add_row(name, f"{tokens['at']:.0f}", f"{spans['at']:.0f}", f"{spans['mean']:.3f}{sd}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    goal = figures["target"]
    if goal is not None:
        console.print(f"{goal['sentences']:.0f} whole sentences, {goal['tokens']:.0f} tokens: F1 {goal['f1']:.3f}")
        for name, axes in figures["curves"].items():
            found = needed(axes["tokens"], goal["f1"])
            console.print(f"  {name}: {'not reached' if found is None else f'{found:.0f} tokens'}")


def draw(figures: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a picture with a row for each corpus: F1 by judged spans and by judged tokens."""
    from matplotlib.figure import Figure  # an extra

    picture = Figure(figsize=(8, 3 * len(figures)), layout="constrained")
    for row, each in zip(picture.subplots(len(figures), 2, squeeze=False), figures, strict=True):
        for axes, (axis, label) in zip(row, AXES.items(), strict=True):
            for name, lines in each["curves"].items():
                places = [point["at"] for point in lines[axis]]
                means = [point["mean"] for point in lines[axis]]
                widths = [point["sd"] or 0.0 for point in lines[axis]]
                axes.plot(places, means, color=COLOURS[name], marker=".", label=name)
                low, high = ([m + sign * w for m, w in zip(means, widths, strict=True)] for sign in (-1, 1))
                axes.fill_between(places, low, high, color=COLOURS[name], alpha=0.2, linewidth=0)
            if each["target"] is not None:
                axes.axhline(each["target"]["f1"], color="#999999", linewidth=0.8, linestyle="--")
            axes.set(title=each["recipe"], xlabel=label, ylabel="F1 on dev")
            axes.set_ylim(bottom=0)
            axes.legend(loc="lower right")
    picture.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def strategies_of(text: str) -> list[str]:
    """Return the strategies in a list separated by commas."""
    names = text.split(",")
    if not {*names} <= {*STRATEGIES}:
        raise argparse.ArgumentTypeError(f"must be some of {', '.join(STRATEGIES)}, got {text!r}")
    return names


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("recipe", type=Path, metavar="RECIPE")
    add("--corpus", metavar="NAME", help="corpus of the recipe; default: its only one")
    add("--start", default="english", metavar="MODEL", help="model that trainings start from; default: english")
    add("--data", type=existing_folder, help="folder of the recipe's data files; default: the folder of the recipe")
    add("--strategies", type=strategies_of, default=list(STRATEGIES), metavar="NAME,...", help="default: all")
    seeds = "number of seeds, such as 3 for 1, 2 and 3, or a list of seeds, such as 4,7; default: 3"
    add("--seeds", type=seeds_or_number, default=[1, 2, 3], metavar="N", help=seeds)
    add("--most-judgements", type=whole_number(1), default=2000, metavar="N", help="where a run ends; default: 2000")
    add("--first", type=whole_number(1), default=50, metavar="N", help="judgements before the first training")
    add("--step", type=whole_number(1), default=200, metavar="N", help="judgements between trainings; default: 200")
    add(
        "--epochs",
        type=whole_number(1, 1000),
        default=20,
        metavar="N",
        help="epochs of a training, more at first; default: 20",
    )
    add("--rest", choices=("always", "unsure", "never"), default="unsure", help="when the rest of a text is judged")
    add("--sentences", type=whole_number(1), default=1000, metavar="N", help="whole sentences to compare with")
    add("--threads", type=whole_number(1, MOST_THREADS), default=1, help="threads of torch; default: 1")
    add("--output", type=Path, help="folder of the runs; default: runs/annotation-RECIPE")
    add("--json", type=writable_file, help="file to write the figures to")
    add("--picture", type=picture_file, help="file to draw the curves to, such as annotation.svg")
    add("--beside", type=Path, nargs="+", default=[], metavar="FILE", help="figures of --json to draw too")
    options = parser.parse_args(given)
    return with_places(options, f"annotation-{options.corpus}" if options.corpus else "annotation")


def main(given: Sequence[str] | None = None) -> None:
    """Run what is missing, then write and print the figures."""
    options = parse_arguments(given)
    recipe = tagger.load_recipe(options.recipe)
    corpora = tagger.load_corpora(recipe, data=options.data)
    if (options.corpus or next(iter(corpora))) not in corpora or (options.corpus is None and len(corpora) > 1):
        raise DataError(f"--corpus: expected one of the corpora {', '.join(corpora)}, got {options.corpus}")
    corpus = corpora[options.corpus or next(iter(corpora))]
    layer = next(name for name, scheme in corpus.schemes.items() if scheme is not None)
    runs = {
        name: [simulate(options, corpus, layer, name, seed) for seed in options.seeds] for name in options.strategies
    }
    figures = {
        **settings_of(options),
        "seeds": options.seeds,
        "curves": {name: {axis: curve(found, axis) for axis in AXES} for name, found in runs.items()},
        "target": target(runs["sentences"], options.sentences) if "sentences" in runs else None,
    }
    if options.json is not None:
        write_json(options.json, figures)
    if options.picture is not None:
        draw([*(json.loads(path.read_text(encoding="utf-8")) for path in options.beside), figures], options.picture)
    show(figures)


if __name__ == "__main__":
    run_script(main)
