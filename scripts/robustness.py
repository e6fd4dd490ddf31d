"""Compare the scores of a model on test with those on the same sentences in other forms.

    python scripts/robustness.py MODEL... [--recipe RECIPE] [--data DIR] [--split test] [--by-genre] [--threads N]
        [--json FILE]

The corpora are those of RECIPE; default: of the recipe in the folder of the first run. The forms are lower case,
capitals, typographic quotes, characters as in a bad scan, and no marks at the end of the sentence; see
`tagger.perturb`. The table has one row for each layer of each corpus: the score of the sentences as they are, and the
score in each form. Sentences that a form does not change count in both. With `--by-genre`, a corpus has a row for each
genre: for what the names of its documents have before their first hyphen, as in EWT. The scores of several models, such
as the seeds of a recipe, are averaged.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from arguments import MOST_THREADS, existing_folder, run_script, whole_number, writable_file, write_json
from progress import Progress
from rich.console import Console
from rich.table import Table

import tagger
from tagger import DataError, Sentence, Tagger
from tagger.metrics import Spread

FORMS = get_args(get_type_hints(tagger.perturb)["kind"])
PLAIN = "as it is"


class Row(NamedTuple):
    """The scores of one layer of one corpus by form: one score for each model."""

    corpus: str
    layer: str
    sentences: int
    scores: Mapping[str, Sequence[float]]


def rows_of(models: Sequence[Tagger], corpora: Mapping[str, Sequence[Sentence]], progress: Progress) -> Iterator[Row]:
    """Yield the scores of each layer of each corpus."""
    for name, sentences in corpora.items():
        progress.begin(f"{name}, {len(sentences)} sentences")
        forms = {PLAIN: list(sentences), **{form: tagger.perturb(sentences, form) for form in FORMS}}
        reports = {form: [model.evaluate(found) for model in models] for form, found in forms.items()}
        for layer in reports[PLAIN][0].layers:
            scores = {form: [report.headline(layer) for report in found] for form, found in reports.items()}
            yield Row(name, layer, len(sentences), scores)
        progress.end(f"{len(sentences) * len(forms)} scored")


def chosen(recipe: Path, data: Path | None, split: str, layers: Sequence[str]) -> Mapping[str, Sequence[Sentence]]:
    """Return the sentences of a split of each corpus that has one of the layers.

    Raises:
        DataError: No corpus has.
    """
    corpora = tagger.load_corpora(recipe, data=data)
    found = {name: getattr(corpus, split) for name, corpus in corpora.items()}
    kept = {name: part for name, part in found.items() if any(set(layers) & s.layers.keys() for s in part)}
    if not kept:
        raise DataError(f"{recipe}: expected a corpus with {split} sentences of {', '.join(layers)}, got none")
    return kept


def by_genre(corpora: Mapping[str, Sequence[Sentence]]) -> dict[str, list[Sentence]]:
    """Return the sentences of each genre of each corpus; a corpus without named documents is one genre."""
    found: dict[str, list[Sentence]] = {}
    for name, sentences in corpora.items():
        for sentence in sentences:
            genre, hyphen, _ = (sentence.document or "").partition("-")
            found.setdefault(f"{name}, {genre}" if hyphen else name, []).append(sentence)
    return found


def table_of(rows: Sequence[Row]) -> Table:
    """Return the table of mean scores."""
    table = Table("corpus", "layer", "sentences", PLAIN, *FORMS, box=None)
    for row in rows:
        means = [f"{Spread.of(row.scores[form]).mean:.3f}" for form in (PLAIN, *FORMS)]
        table.add_row(row.corpus, row.layer, str(row.sentences), *means)
    return table


def figures_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows as JSON values."""
    return [row._asdict() for row in rows]


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("models", type=Path, nargs="+", metavar="MODEL", help="folder or name of a model")
    add("--recipe", type=Path, help="recipe with the corpora; default: that of the first run")
    add("--data", type=existing_folder, help="folder of the data files; default: the folder of the recipe")
    add("--split", choices=("dev", "test"), default="test", help="sentences to score; default: test")
    add("--by-genre", action="store_true", help="a row for each genre, which begins the name of a document")
    add("--threads", type=whole_number(1, MOST_THREADS), help="threads of torch; default: chosen by torch")
    add("--json", type=writable_file, help="file to write the figures to")
    options = parser.parse_args(given)
    options.recipe = options.recipe or options.models[0] / "recipe.toml"
    return options


def main(given: Sequence[str] | None = None) -> None:
    """Score the models in all forms, then write and print the table."""
    options = parse_arguments(given)
    models = [tagger.load(path, threads=options.threads) for path in options.models]
    if odd := [path for path, model in zip(options.models, models, strict=True) if model.layers != models[0].layers]:
        raise DataError(
            f"{odd[0]}: expected the layers {', '.join(models[0].layers)} of {options.models[0]}, got others"
        )
    corpora = chosen(options.recipe, options.data, options.split, models[0].layers)
    if options.by_genre:
        corpora = by_genre(corpora)
    with Progress(len(corpora)) as progress:
        rows = list(rows_of(models, corpora, progress))
    if options.json is not None:
        write_json(options.json, figures_of(rows))
    Console(width=None if options.json is None else 160).print(table_of(rows))


if __name__ == "__main__":
    run_script(main)
