"""Measure what each part of a recipe contributes: dev scores of the whole recipe, and of the recipe with one change.

    python scripts/ablation.py RECIPE [--data DIR] [--output DIR] [--seeds N] [--set KEY=VALUE ...]
        [--without KEY[=VALUE] ...] [--with KEY=VALUE ...] [--only KEY ...] [--json FILE]

These parts are removed in turn: each `[features.NAME]`, the characters, the word vectors, each key of `[embeddings]`,
`[encoder]`, `[heads.NAME]` and `[training]` that is off by default and on in the recipe, and each corpus that is not
the only one for `training.select`, with the heads that it alone has layers for. `--without` removes another key or
section, or sets it to a value that switches it off; `--with` sets one. The number of trainings grows linearly with the
number of parts.

Test is neither read by a training nor scored. `training.refit` is switched off, because a network that learned from
dev cannot be judged on it. Finished runs in the folder of `--output` are used again, and so are their dev scores.

`--seeds 3` trains each variant with the seeds 1, 2 and 3; `--seeds 4,7` with these two. The 95 % interval and p of a
difference contain the variance of seeds and of dev sentences; with one seed, that of sentences alone. Holm: p corrected
for the number of comparisons.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from arguments import (
    MOST_THREADS,
    existing_folder,
    run_script,
    seeds_or_number,
    whole_number,
    with_places,
    writable_file,
    write_json,
)
from progress import Progress
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

import tagger
from tagger import Corpus, GroupListener, Recipe, RecipeError, Report, Sentence, TaggerError
from tagger.metrics import Spread, holm

FULL = "full recipe"
REPORT = "dev.json"  # in the folder of a run: its report on dev
OFF = (None, False, 0, "none", ())  # values of keys whose part of the network or of training is not there
# Keys that mean nothing without another one.
NEEDED = {"teacher": ["teacher_weight", "teacher_targets"], "vectors": ["max_words"]}
LEARNS_DEV = "refit"  # key of [training] with which the network that is kept has learned from dev
Values = dict[str, Any]


class Variant(NamedTuple):
    """A recipe to train: the full one, or the full one with a change."""

    name: str
    recipe: Recipe

    @property
    def folder(self) -> str:
        """The name of the folder of its runs."""
        return re.sub(r"[^\w.=-]+", "-", self.name)


class Follower(GroupListener):
    """Shows the runs of a variant as part of the progress of all runs."""

    def __init__(self, variant: str, progress: Progress) -> None:
        self._variant, self._progress = variant, progress

    def began(self, name: str, of: int) -> None:
        """Show the run that begins."""
        self._progress.begin(f"{self._variant}, {name}")
        self._progress.started(1, 1000)

    def noted(self, name: str, message: str) -> None:
        """Drop the note, which is the same in all runs."""

    def stepped(self, name: str, share: float) -> None:
        """Show the share of the run that is done."""
        self._progress.stepped(round(1000 * share), 0.0, 0.0)

    def ended(self, name: str, result: str) -> None:
        """Print the result of the run."""
        self._progress.end(result)


def values_of(recipe: Recipe, base: Path) -> Values:
    """Return what a recipe itself says as nested values, apart from `training.refit`.

    Paths of teachers no longer depend on the folder `base`.
    """
    values: Values = recipe.model_dump(exclude_unset=True)
    values.get("training", {}).pop(LEARNS_DEV, None)
    for head in values["heads"].values():
        if head.get("teacher"):
            head["teacher"] = tuple([str((base / teacher).resolve()) for teacher in head["teacher"]])
    return values


def without(values: Values, key: str) -> Values:
    """Return the values of a recipe without a key or a section, and without the keys that need it.

    Raises:
        RecipeError: The recipe has no such key.
    """
    *sections, last = key.split(".")
    found = table = dict(values)
    for section in sections:
        table[section] = table = dict(table[section]) if isinstance(table.get(section), dict) else {}
    if last not in table:
        raise RecipeError(f"--without {key}: must be a key or a section that the recipe has; give it as section.key")
    for name in (last, *NEEDED.get(last, ())):
        table.pop(name, None)
    return found


def is_on(section: BaseModel, key: str) -> bool:
    """Whether a key of a section is off by default and on here."""
    default = type(section).model_fields[key].default
    if any(key in keys for keys in NEEDED.values()):
        return False
    return any(default == off for off in OFF) and not any(getattr(section, key) == off for off in OFF)


def removable_keys(recipe: Recipe) -> Iterator[str]:
    """Yield the keys and sections of a recipe that are parts, apart from its corpora."""
    yield from (f"features.{name}" for name in recipe.features)
    heads = {f"heads.{name}": head for name, head in recipe.heads.items()}
    for place, section in {"embeddings": recipe.embeddings, "encoder": recipe.encoder, **heads}.items():
        yield from (f"{place}.{key}" for key in type(section).model_fields if is_on(section, key))
    keys = [key for key in type(recipe.training).model_fields if is_on(recipe.training, key)]
    yield from (f"training.{key}" for key in keys if key != LEARNS_DEV)


def layers_of(corpora: Mapping[str, Corpus]) -> set[str]:
    """Return the layers of the train sentences of corpora."""
    return {layer for corpus in corpora.values() for sentence in corpus.train for layer in sentence.layers}


def without_corpus(recipe: Recipe, values: Values, corpora: Mapping[str, Corpus], name: str) -> Values | None:
    """Return the values of a recipe without a corpus and without the heads that then have no layer.

    The result is None if no head is left, or if the dev score that chooses the weights is of a head that is not left.
    """
    layers = layers_of({other: corpus for other, corpus in corpora.items() if other != name})
    left = without(values, f"corpora.{name}")
    for head in [head for head, config in recipe.heads.items() if config.layer not in layers]:
        left = without(left, f"heads.{head}")
    return left if left["heads"] and recipe.training.select in ("mean", *layers) else None


def parts(recipe: Recipe, values: Values, corpora: Mapping[str, Corpus]) -> Iterator[tuple[str, Values]]:
    """Yield each part of a recipe with the values of the recipe without it."""
    if recipe.embeddings.chars != "none":
        embeddings = {**values.get("embeddings", {}), "chars": "none"}
        yield "embeddings.chars", {**values, "embeddings": embeddings}
    yield from ((key, without(values, key)) for key in removable_keys(recipe))
    for name in corpora if len(corpora) > 1 else ():
        left = without_corpus(recipe, values, corpora, name)
        if left is not None:
            yield f"corpora.{name}", left


def variants(options: argparse.Namespace, corpora: Mapping[str, Corpus], recipe: Recipe) -> list[Variant]:
    """Return the full recipe and all its variants.

    Raises:
        RecipeError: A variant is no valid recipe, or two have one name, or a name of `--only` is of none.
    """
    base, values = options.recipe.parent, values_of(recipe, options.recipe.parent)
    found = [(f"without {key}", left) for key, left in parts(recipe, values, corpora)]
    for key in options.without:
        left = values_of(overridden(options, key, "--without"), base) if "=" in key else without(values, key)
        found.append((f"without {key}", left))
    found += [(f"with {key}", values_of(overridden(options, key, "--with"), base)) for key in options.added]
    if unknown := set(options.only) - {name.partition(" ")[2] for name, _ in found}:
        known = ", ".join(name.partition(" ")[2] for name, _ in found)
        raise RecipeError(f"--only {min(unknown)}: must be one of the parts {known}")
    chosen = [(name, left) for name, left in found if not options.only or name.partition(" ")[2] in options.only]
    made = [Variant(name, Recipe.model_validate(left)) for name, left in [(FULL, values), *chosen]]
    if len({variant.folder for variant in made}) < len(made):
        raise RecipeError("two variants have the same name; give each change once")
    return made


def overridden(options: argparse.Namespace, change: str, option: str) -> Recipe:
    """Return the recipe with one more value replaced.

    Raises:
        RecipeError: The value would let the network learn from dev.
    """
    found = tagger.load_recipe(options.recipe, [*options.set, change])
    if change.partition("=")[0].strip() == f"training.{LEARNS_DEV}" and getattr(found.training, LEARNS_DEV):
        raise RecipeError(f"{option} {change}: a network that learned from dev cannot be judged on dev; remove it")
    return found


def corpora_of(recipe: Recipe, full: Recipe, corpora: Mapping[str, Corpus], data: Path) -> dict[str, Corpus]:
    """Return the corpora of a variant without test. Those of the full recipe are not read again."""
    configs, known = recipe.all_corpora(), full.all_corpora()
    same = all(known.get(name) == config for name, config in configs.items())
    found = {name: corpora[name] for name in configs} if same else tagger.load_corpora(recipe, data=data)
    return {name: replace(corpus, test=()) for name, corpus in found.items()}


def train_missing(
    variant: Variant, options: argparse.Namespace, corpora: Mapping[str, Corpus], progress: Progress
) -> list[Path]:
    """Train a variant with each seed that has no finished run, and return the folders of all runs.

    Raises:
        TaggerError: A run failed or was stopped, or a folder has a run of another recipe.
    """
    group = tagger.train_several(
        variant.recipe,
        seeds=options.seeds,
        output=options.output / variant.folder,
        corpus=corpora,
        data=options.data,
        threads=options.threads,
        listener=Follower(variant.name, progress),
    )
    if missing := [*group.failed.values(), *group.stopped]:
        raise TaggerError("\n".join([f"{variant.name}: not all runs have finished", *missing]))
    return [options.output / variant.folder / name for name in group.reports]


def report_on(path: Path, dev: Sequence[Sentence]) -> Report:
    """Return the report of a run on dev, which is made once."""
    if not path.is_file():
        tagger.load(path.parent).evaluate(dev).save(path)
    return tagger.load_report(path)


def rows_of(full: Sequence[Report], name: str, reports: Sequence[Report], select: str) -> Iterator[dict[str, Any]]:
    """Yield the dev scores of each layer that counts, with their difference to the full recipe."""
    compared = tagger.compare(list(full), list(reports)).to_dict()["scores"] if reports is not full else {}
    for layer in reports[0].layers:
        if select in ("mean", layer):
            spread = Spread.of([report.headline(layer) for report in reports])
            yield {"variant": name, "layer": layer, **spread.to_dict(), **difference(compared.get(layer))}


def difference(compared: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the difference to the full recipe, its 95 % interval and its p-value; nothing for the full recipe."""
    if compared is None:
        return {}
    found = compared["comparison"]["differences"]["B"]
    p = found["p"] if "p" in found else found["p_randomisation"]  # of several seeds, or of one
    return {"difference": found["difference"], "low": found["low"], "high": found["high"], "p": p}


def with_holm(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with p-values corrected for their number."""
    corrected = iter(holm([row["p"] for row in rows if "p" in row]))
    return [{**row, "p_holm": next(corrected)} if "p" in row else row for row in rows]


def show(rows: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> None:
    """Print the table."""
    names = ("variant", "layer", "dev", "difference", "95 % interval", "p", "Holm")
    table = Table(*names, title=f"dev scores, mean and standard deviation over {len(seeds)} seed(s)", box=None)
    for row in rows:
        deviation = "" if row["sd"] is None else f" ± {row['sd']:.4f}"
        cells = [row["variant"], row["layer"], f"{row['mean']:.4f}{deviation}"]
        if "difference" in row:
            ends = "" if row["low"] is None else f"{row['low']:+.4f} to {row['high']:+.4f}"
            cells += [f"{row['difference']:+.4f}", ends, f"{row['p']:.2g}", f"{row['p_holm']:.2g}"]
        table.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    many: dict[str, Any] = {"action": "append", "default": [], "metavar": "KEY=VALUE"}
    add("recipe", type=Path, metavar="RECIPE")
    add("--data", type=existing_folder, help="folder of the recipe's data files; default: the folder of the recipe")
    add("--output", type=Path, help="folder of the runs; default: runs/ablation-RECIPE")
    seeds = "number of seeds, such as 3 for 1, 2 and 3, or a list of seeds, such as 4,7; default: 3"
    add("--seeds", type=seeds_or_number, default=[1, 2, 3], metavar="N", help=seeds)
    add("--set", help="value of the recipe to replace in all variants", **many)
    add("--without", help="another part: a key or section to remove, or a value that switches it off", **many)
    add("--with", dest="added", help="a value to set in another variant", **many)
    add("--only", action="append", default=[], metavar="KEY", help="a part to measure; default: all")
    add("--threads", type=whole_number(1, MOST_THREADS), help="threads of torch; default: chosen by torch")
    add("--json", type=writable_file, help="file to write the figures to")
    return with_places(parser.parse_args(given), "ablation")


def main(given: Sequence[str] | None = None) -> None:
    """Train what is missing, then write and print the table."""
    options = parse_arguments(given)
    recipe = tagger.load_recipe(options.recipe, options.set)
    sys.stderr.write("reading the corpora\n")
    corpora = tagger.load_corpora(recipe, data=options.data)
    dev = [sentence for corpus in corpora.values() for sentence in corpus.dev]
    found = variants(options, corpora, recipe)
    places = [options.output / variant.folder / f"seed-{seed}" for variant in found for seed in options.seeds]
    rows: list[dict[str, Any]] = []
    full: list[Report] = []
    try:
        with Progress(sum(not (place / REPORT).is_file() for place in places)) as progress:
            for variant in found:
                own = corpora_of(variant.recipe, recipe, corpora, options.data)
                runs = train_missing(variant, options, own, progress)
                reports = [report_on(run / REPORT, dev) for run in runs]
                full = full or reports
                rows += rows_of(full, variant.name, reports, recipe.training.select)
    finally:
        rows = with_holm(rows)
        if options.json is not None:
            write_json(options.json, {"recipe": options.recipe.stem, "seeds": options.seeds, "rows": rows})
        show(rows, options.seeds)


if __name__ == "__main__":
    run_script(main)
