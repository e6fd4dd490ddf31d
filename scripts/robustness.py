"""Measure how robust a model is: its scores on sentences in lower case, in capitals, as in print, or as in a scan.

    python scripts/robustness.py RUN [--data DIR] [--split test] [--seed 1] [--json FILE]

RUN is the folder of a run, whose recipe names the corpora. The sentences of each split are scored as they are, and
again in each form; the form `scanned` is drawn with `--seed`. A row has the scores of the layers of one corpus.
`training.perturbation` adds copies of train sentences in these forms, so choose it by `--split dev`.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from arguments import MOST_SEED, existing_folder, run_script, whole_number, writable_file, write_json
from progress import Progress
from rich.console import Console
from rich.table import Table

import tagger
from tagger import Corpus, Sentence, Tagger
from tagger.corpus.perturbation import perturbed
from tagger.text.choices import Perturbation

AS_THEY_ARE = "as they are"
FORMS: tuple[Perturbation, ...] = get_args(Perturbation)


def in_each_form(sentences: Sequence[Sentence], seed: int) -> Iterator[tuple[str, list[Sentence]]]:
    """Yield the sentences as they are, and in each form."""
    yield AS_THEY_ARE, list(sentences)
    for kind in FORMS:
        rng = np.random.default_rng(seed)
        yield kind, [perturbed(sentence, kind, rng) for sentence in sentences]


def rows_of(
    model: Tagger, corpora: Mapping[str, Corpus], options: argparse.Namespace, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Yield the scores of each layer of each corpus in each form."""
    for name, corpus in corpora.items():
        for form, sentences in in_each_form(getattr(corpus, options.split), options.seed):
            if not sentences:
                continue
            progress.begin(f"{name}, {form}")
            report = model.evaluate(sentences)
            scores = {layer: report.headline(layer) for layer in report.layers}
            progress.end(", ".join(f"{layer} {score:.4f}" for layer, score in scores.items()))
            yield from ({"corpus": name, "layer": layer, "form": form, "score": s} for layer, s in scores.items())


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the scores: a row for each layer of a corpus, a column for each form."""
    table = Table("corpus", "layer", AS_THEY_ARE, *FORMS, box=None)
    scores = {(row["corpus"], row["layer"], row["form"]): row["score"] for row in rows}
    for corpus, layer in dict.fromkeys((row["corpus"], row["layer"]) for row in rows):
        table.add_row(corpus, layer, *(f"{scores[corpus, layer, form]:.4f}" for form in (AS_THEY_ARE, *FORMS)))
    Console(width=160).print(table)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("run", type=existing_folder, metavar="RUN")
    add("--data", type=existing_folder, help="folder of the recipe's data files; default: the folder of the run")
    add("--split", choices=("train", "dev", "test"), default="test", help="default: test")
    add("--seed", type=whole_number(0, MOST_SEED), default=1, help="seed of what is drawn; default: 1")
    add("--json", type=writable_file, help="file to write the figures to")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Score the model in each form, and print the table."""
    options = parse_arguments(given)
    recipe = Path(options.run) / "recipe.toml"
    corpora = tagger.load_corpora(recipe, data=options.data)
    splits = sum(bool(getattr(corpus, options.split)) for corpus in corpora.values())
    with Progress(splits * (1 + len(FORMS))) as progress:
        rows = list(rows_of(tagger.load(options.run), corpora, options, progress))
    if options.json is not None:
        write_json(options.json, {"run": str(options.run), "split": options.split, "rows": rows})
    show(rows)


if __name__ == "__main__":
    run_script(main)
