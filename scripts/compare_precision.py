"""Compare the scores of trained models on test in torch, and exported to ONNX in float32 and int8.

    python scripts/compare_precision.py RUN... --data DIR [--json FILE]

RUN is the folder of a run, DIR the folder of its data files. Each model is exported to a temporary folder. The table
has one row for each layer: the score of torch, that of both graphs, and the difference of int8 to torch.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from arguments import existing_folder, run_script, writable_file, write_json
from exporting import exported
from rich.console import Console
from rich.table import Table

import tagger
from tagger import Sentence


class Row(NamedTuple):
    """The scores of one layer of one run: F1 of entities, or accuracy."""

    run: str
    layer: str
    torch: float
    float32: float
    int8: float


def rows_of(run: Path, data: Path) -> Iterator[Row]:
    """Yield the scores of each layer of a run."""
    corpora = tagger.load_corpora(tagger.load_recipe(run / "recipe.toml"), data=data)
    test = [sentence for corpus in corpora.values() for sentence in corpus.test]
    scores = {"torch": scores_of(run, test)}
    with TemporaryDirectory() as place:
        for precision in ("float32", "int8"):
            scores[precision] = scores_of(exported(run, Path(place), precision), test)
    for layer in scores["torch"]:
        yield Row(run.name, layer, *(found[layer] for found in scores.values()))


def scores_of(folder: Path, sentences: list[Sentence]) -> Mapping[str, float]:
    """Return the score of each layer of the model in a folder."""
    report = tagger.load(folder).evaluate(sentences)
    return {layer: report.headline(layer) for layer in report.scores}


def table_of(rows: list[Row]) -> Table:
    """Return the table of all rows, with the mean difference at its end."""
    table = Table("run", "layer", "torch", "ONNX float32", "ONNX int8", "int8 - torch")
    for row in rows:
        scores = (f"{score:.4f}" for score in row[2:])
        table.add_row(row.run, row.layer, *scores, f"{row.int8 - row.torch:+.4f}")
    mean = fmean(row.int8 - row.torch for row in rows)
    table.add_row("mean", "", "", "", "", f"{mean:+.4f}")
    return table


def main() -> None:
    """Compare the models, and print and write the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=existing_folder, metavar="RUN")
    parser.add_argument("--data", required=True, type=existing_folder)
    parser.add_argument("--json", type=writable_file)
    options = parser.parse_args()
    rows = [row for run in options.runs for row in rows_of(run, options.data)]
    Console(width=110).print(table_of(rows))
    if options.json:
        write_json(options.json, [row._asdict() for row in rows])


if __name__ == "__main__":
    run_script(main)
