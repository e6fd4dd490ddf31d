"""Likely label errors of a training set: each fold of it is tagged by a model that was trained on the other folds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tagger.analysis.suspect_list import warning_of
from tagger.analysis.suspects import Search
from tagger.config import AnyHeadConfig, Recipe
from tagger.corpus.corpus import Corpus
from tagger.corpus.splitting import fold_rows
from tagger.hub.lazy import selected
from tagger.nn.side_by_side import torch_threads
from tagger.reporting.audit import Audit
from tagger.running.auditing.suspects import add_disagreements
from tagger.running.corpora import has_layer, read_corpora
from tagger.running.run import RunListener
from tagger.running.train import read_recipe, train
from tagger.text.sentence import Sentence
from tagger.training.loop import Epoch
from tagger.wording import counted, quoted

FOLDS = 5


def audit(
    recipe: str | Path | Recipe,
    *,
    corpus: Corpus | Mapping[str, Corpus] | None = None,
    data: str | Path | None = None,
    folds: int = FOLDS,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    keep: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    listener: RunListener | None = None,
) -> Audit:
    """Find likely label errors in the training set of a recipe, by cross-validation.

    Each fold is tagged by a model that was trained on the other folds, with the dev split of the recipe. Documents
    stay in one fold. Dev and test are not compared, also if the recipe cuts them from the train files. An interrupt
    ends the audit; if a fold is done, its result is returned.

    Args:
        recipe: A recipe, or the path of its TOML file. Its teachers are ignored, because they may know the labels, and
            so are corpora without a layer of any head.
        corpus: Sentences or documents made in Python, as for `train`.
        data: Folder that paths of corpora and vectors are relative to; default: the folder of the recipe.
        folds: Number of folds, at least 2. A model is trained for each.
        seed: Replaces the seed of the recipe, which also determines the folds.
        overrides: Values of the recipe to replace, as `section.key=value`.
        keep: Folder in which to keep the run of each fold; default: no model is kept.
        device: Where the network runs: `cpu`, `cuda` or `cuda:N`.
        threads: Number of CPU threads; default: all cores.
        listener: Called on events of the trainings.

    Raises:
        RecipeError: The recipe is invalid.
        DataError: A file of the data is invalid, or there are fewer documents than folds.
        ModelError: The device is not available, or a folder in `keep` holds a run.
        ValueError: `folds` is below 2.

    Source:
        `Search` says how disagreements are found and ranked. At least half of artificial errors in BC5CDR are found
        among as many suspects as there are errors: scripts/audit_corruptions.py.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    listener = listener or RunListener()
    recipe, base = read_recipe(recipe, overrides, seed)
    folder = Path(data) if data is not None else base
    corpora = read_corpora(recipe, folder, from_files=data is not None, tell=listener.noted, given=corpus)
    recipe, corpora, notes = _without_teachers(recipe, corpora)
    settings: dict[str, Any] = {"data": folder, "device": device, "threads": threads}
    settings["listener"] = _FoldListener(listener)
    searches = {layer: Search(layer) for layer in recipe.layers}
    done, total, started = 0, sum(len(each.train) for each in corpora.values()), time.perf_counter()
    for number, (rest, held_out) in enumerate(_folds(corpora, recipe, folds), 1):
        listener.noted(f"fold {number} of {folds}{_time_left(started, number, folds)}")
        kept = Path(keep) / f"fold-{number}" if keep is not None else None
        try:
            run = train(recipe, corpus=rest, output=kept, **settings)
            if run.outcome.interrupted:
                raise KeyboardInterrupt
            with torch_threads(threads or torch.get_num_threads()):
                add_disagreements(searches, run.tagger, run.tagger.evaluate(held_out).layers)
        except KeyboardInterrupt:
            if not done:
                raise
            left = counted(total - done, "train sentence")
            notes.append(f"stopped in fold {number} of {folds}: {left} of {total} were not compared")
            break
        done += len(held_out)
    found = {layer: search.found() for layer, search in searches.items()}
    notes += [warning for each in found.values() if (warning := warning_of(each)) is not None]
    return Audit(found, sentences=done, folds=folds, seed=recipe.seed, left_out=_left_out(corpora), notes=tuple(notes))


def _left_out(corpora: Mapping[str, Corpus]) -> dict[str, int]:
    """Return the number of sentences outside of train, by split."""
    sizes = {split: sum(len(corpus.splits()[split]) for corpus in corpora.values()) for split in ("dev", "test")}
    return {split: size for split, size in sizes.items() if size}


def _without_teachers(recipe: Recipe, corpora: Mapping[str, Corpus]) -> tuple[Recipe, dict[str, Corpus], list[str]]:
    """Return the recipe and its corpora without teachers and what only they label, and notes on both."""
    taught = [layer for layer, head in recipe.layers.items() if head.teacher is not None]
    unlabelled = [name for name, corpus in corpora.items() if not has_layer(corpus.train, recipe.layers)]
    left = {name: corpus for name, corpus in corpora.items() if name not in unlabelled}
    update: dict[str, Any] = {"heads": {name: _without_teacher(head) for name, head in recipe.heads.items()}}
    notes = [f"the teachers of {quoted(taught)} were ignored, because they may know the labels"] if taught else []
    if recipe.keep is not None:
        notes.append("`keep` was ignored, because the model in `start` may know the labels")
        update["keep"] = None
    if unlabelled:
        notes += [f"corpus `{name}` was ignored, because it has no layer of a head" for name in unlabelled]
        update["corpora"] = {name: config for name, config in recipe.all_corpora().items() if name in left}
    return recipe.model_copy(update=update), left, notes


def _without_teacher(head: AnyHeadConfig) -> AnyHeadConfig:
    """Return a head with the defaults of the keys about teachers."""
    fields = type(head).model_fields
    return head.model_copy(update={key: fields[key].default for key in fields if key.startswith("teacher")})


def _folds(
    corpora: Mapping[str, Corpus], recipe: Recipe, number: int
) -> Iterator[tuple[dict[str, Corpus], list[Sentence]]]:
    """Yield for each fold the corpora without it, and its sentences.

    Raises:
        DataError: A corpus has fewer documents than folds.
    """
    rows = {}
    for name, config in recipe.all_corpora().items():
        group = config.split.group if config.split is not None else None
        rows[name] = fold_rows(corpora[name].train, number, seed=recipe.seed, group=group)
    for fold in range(number):
        rest, held_out = {}, []
        for name, corpus in corpora.items():
            inside = np.setdiff1d(np.arange(len(corpus.train)), rows[name][fold])
            rest[name] = replace(corpus, train=selected(corpus.train, inside), test=(), notes=())
            held_out += list(selected(corpus.train, rows[name][fold]))
        yield rest, held_out


def _time_left(started: float, number: int, folds: int) -> str:
    """Return about how long the audit still takes, if a fold is done."""
    done = number - 1
    seconds = (time.perf_counter() - started) / done * (folds - done) if done else 0
    return f"; about {seconds:.0f} s left" if seconds else ""


class _FoldListener(RunListener):
    """Passes on the epochs of the training of a fold; its notes, which are alike in all folds, go to the log."""

    def __init__(self, listener: RunListener) -> None:
        self._listener = listener

    def started(self, num_epochs: int, num_steps: int) -> None:
        self._listener.started(num_epochs, num_steps)

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        self._listener.stepped(step, loss, tokens_per_second)

    def scored(self, epoch: Epoch) -> None:
        self._listener.scored(epoch)
