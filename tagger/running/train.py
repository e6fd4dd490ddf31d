"""A recipe from start to end: corpora, vocabulary, network, training, report and run folder."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tagger.config import Recipe, load_recipe
from tagger.corpus.corpus import Corpus
from tagger.errors import ModelError, RecipeError
from tagger.extensions import Extension, register
from tagger.features.cache import caching, uncached
from tagger.inference.torch_backend import TorchBackend, check_bfloat16, check_device
from tagger.nn.side_by_side import torch_threads
from tagger.running.corpora import read_corpora
from tagger.running.fitting.calibration import check_calibrated
from tagger.running.fitting.start import with_start
from tagger.running.fitting.steps import Training
from tagger.running.folder import RunFolder, open_run_folder
from tagger.running.run import Run, RunListener
from tagger.running.several.finished import is_finished
from tagger.running.teachers.asking import check_taught
from tagger.running.teachers.finding import Teachers, find_teachers, keeping, kept_names, kept_recipe, named
from tagger.running.teachers.models import ModelTeacher
from tagger.running.testing import score_on_test, unscored
from tagger.running.tracking.listener import check_trackers, tracked
from tagger.tagging import Tagger, load
from tagger.text.choices import MOST_SEED
from tagger.text.tokenization import Split
from tagger.training.checkpoint import EVERY, Every
from tagger.training.loop import Epoch
from tagger.training.processes import Alone, joined, own_device
from tagger.wording import shorten

WITHOUT_DEV = ("training.refit=false",)


def train(
    recipe: str | Path | Recipe,
    *,
    corpus: Corpus | Mapping[str, Corpus] | None = None,
    data: str | Path | None = None,
    base: str | Path | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    checkpoint_every: int | str = EVERY,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    device: str = "cpu",
    threads: int | None = None,
    listener: RunListener | None = None,
    track: Sequence[str] = (),
    tokenize: Split | None = None,
    extensions: Sequence[Extension] = (),
) -> Run:
    """Train a model and score it on test. Teachers that are recipes are trained first, in the same way.

    Args:
        recipe: A recipe, or the path of its TOML file.
        corpus: Sentences or documents made in Python, to be used in place of the corpus of the recipe. For a recipe
            with several corpora, one for each by name, as `load_corpora` returns them.
        data: Folder that paths of corpora and vectors are relative to; default: the folder of the recipe.
        base: Folder that the paths of a `Recipe` are relative to; default: the working directory. A file has its own.
        output: Folder of the run; default: nothing is written. It has the best model so far after each epoch.
        overwrite: Whether to replace a run that `output` already holds. It stays until the new run has ended.
        resume: Whether to go on with a run that was stopped or killed, from the last checkpoint in `output`. With the
            same recipe, data and machine, its model is the same to the last bit as without the interruption. If there
            is no checkpoint, the run begins at its beginning, and a note says so.
        checkpoint_every: How often a checkpoint is written to `output`: after so many steps, such as 500, or so many
            minutes, such as `5m`.
        seed: Replaces the seed of the recipe.
        overrides: Values of the recipe to replace, as `section.key=value`.
        device: Where the network runs: `cpu`, `cuda` or `cuda:N`.
        threads: Number of CPU threads; default: all cores. A training uses two at most.
        listener: Called on events of the run, such as the end of an epoch.
        track: Where to show the run too: `tensorboard`, `mlflow`, `wandb`.
        tokenize: Function that splits raw text: it takes a text and returns its tokens, or start and end of each. The
            model keeps its name only, and needs it again: `tagger.load(output, tokenize=...)`.
        extensions: Parts of your own that the recipe names, such as a cell; see `tagger.extensions`. The model keeps
            their names only, and needs them again: `tagger.load(output, extensions=[...])`.

    Raises:
        RecipeError: The recipe is invalid.
        DataError: A file of the data is invalid, or a file of the run cannot be written.
        ModelError: The device is not available, or `output` holds a run, is in use or is not writable; or with `resume`
            the run has finished, or the checkpoint is damaged or of another recipe or other data.
    """
    if resume and overwrite:
        raise RecipeError("overwrite starts again and resume continues; give one of the two")
    register(*extensions)
    every = Every.parse(checkpoint_every)
    check_trackers(track)
    listener = listener or RunListener()
    started = time.perf_counter()
    recipe, base = read_recipe(recipe, overrides, seed, base)
    if tokenize is not None:
        recipe = recipe.with_function(tokenize)
        corpus = corpus and _with_function(corpus, tokenize)
    device = own_device(device)
    check_device(device)
    if recipe.training.precision == "bfloat16":
        check_bfloat16(device)
    path = Path(output) if output is not None else None
    folder = Path(data) if data is not None else base
    with ExitStack() as stack:
        processes = stack.enter_context(joined(device))
        if not processes.leads:
            path, listener = None, _Silent()
        stack.enter_context(torch_threads(threads or torch.get_num_threads()))
        opened = open_run_folder(path, recipe, data=folder, base=base, overwrite=overwrite, resume=resume)
        run_folder = stack.enter_context(opened)
        services = track if processes.leads else ()
        listener = shown = stack.enter_context(tracked(listener, services, recipe=recipe, folder=path))
        keep = stack.enter_context(caching(tell=listener.noted, progress=listener.advanced))
        if run_folder.work != path:
            listener.noted(
                f"the run in {path} stays until this one has ended; this one is in {run_folder.work} until then"
            )
        found = find_teachers(recipe, base, path, data=data, device=device, tell=listener.noted)
        used, start = with_start(recipe, base, path, device=device)
        labels = start.labels if start is not None else {}
        corpora = read_corpora(
            recipe, folder, from_files=data is not None, tell=listener.noted, given=corpus, labels=labels
        )
        training = Training(used, folder, corpora, device, run_folder, listener, keep, start, every, processes)
        check_calibrated(recipe.layers, training.packed, training.dev, labels)
        check_taught(recipe, training.train)
        prepared = training.prepare()  # before teachers are trained, so that mistakes in [features] are found first
        settings: dict[str, Any] = {"data": data, "device": device, "track": track}
        settings |= {"checkpoint_every": checkpoint_every, "resume": resume}
        trained = _train_teachers(recipe, found, base, run_folder, listener, processes, **settings)
        trained |= start.teachers() if start is not None else {}
        teachers = {
            name: keeping(group, partial(keep, owner=f"the teacher `{name}`")) for name, group in trained.items()
        }
        model, outcome, facts, seen = training.run(*prepared, teachers)
        report, shown.stopped = None, outcome.interrupted
        if not outcome.interrupted and processes.leads:
            name = path.name if path is not None else None
            try:
                report = score_on_test(model, corpora, facts, seen=seen, name=name, started=started)
            except ModelError:  # of a metric of the user's own; the model is worth keeping
                run_folder.finish(model, outcome.epochs, unscored(facts, started=started), seen)
                raise
            if report is not None:
                shown.tested(report)
        elif any(corpus.test for corpus in corpora.values()):
            listener.noted("not scored on test, because training was stopped")
        run_folder.finish(model, outcome.epochs, report or unscored(facts, started=started), seen)
        if path is not None:
            listener.noted(f"the model is in {path}")
        tagger = Tagger(TorchBackend(replace(model, features=uncached(model.features))))
        return Run(tagger, report, outcome, path)


class _Silent(RunListener):
    """Says nothing: of several processes, the first one speaks."""

    def noted(self, message: str) -> None:
        """Drop the note."""

    def scored(self, epoch: Epoch) -> None:
        """Drop the epoch."""


def read_recipe(
    recipe: str | Path | Recipe,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    base: str | Path | None = None,
) -> tuple[Recipe, Path]:
    """Return the recipe of a run, and the folder that its paths are relative to; the arguments are those of `train`."""
    if not isinstance(recipe, Recipe):
        given = [*overrides, *([f"seed={seed}"] if seed is not None else [])]
        return load_recipe(recipe, given), Path(recipe).parent
    if overrides:
        raise RecipeError("overrides need the path of a recipe; change the Recipe instead")
    if seed is not None and not 0 <= seed <= MOST_SEED:
        raise RecipeError(f"seed must be a whole number from 0 to {MOST_SEED:,}, got {shorten(seed)}")
    return recipe if seed is None else recipe.model_copy(update={"seed": seed}), Path(base or "")


def _with_function(corpus: Corpus | Mapping[str, Corpus], tokenize: Split) -> Corpus | Mapping[str, Corpus]:
    """Return the given corpora with a function that splits their raw text."""
    if isinstance(corpus, Corpus):
        return replace(corpus, rules=corpus.rules.with_function(tokenize))
    return {name: replace(each, rules=each.rules.with_function(tokenize)) for name, each in corpus.items()}


def _train_teachers(
    recipe: Recipe,
    found: Mapping[str, Recipe | Teachers],
    base: Path,
    run_folder: RunFolder,
    listener: RunListener,
    processes: Alone,
    **settings: Any,
) -> dict[str, Teachers]:
    """Return the teachers; those that are recipes are trained with `settings`, in the folder of the run.

    They are not trained again with dev, which may be the dev of their pupil.
    """
    teachers = {name: teacher for name, teacher in found.items() if not isinstance(teacher, Recipe)}
    seeds = recipe.training.teacher_seeds
    untrained = [
        (name, kept, seed)
        for name in found
        if name not in teachers
        for kept, seed in zip(kept_names(name, seeds), seeds or [recipe.seed], strict=True)
    ]
    for number, (name, kept, seed) in enumerate(untrained, 1):
        listener.noted(f"training teacher {number} of {len(untrained)}: {name} with seed {seed}")
        try:
            output = run_folder.teacher(kept)
            settings |= {"output": output, "listener": listener, "seed": seed}
            with named(recipe, name):
                is_done = settings["resume"] and output is not None and _is_done(base / name, output, seed)
                if (done := processes.agreed(output if is_done else None)) is not None:
                    listener.noted(f"that was done before: it is in {done}")
                    teachers[name] = (*teachers.get(name, ()), ModelTeacher(load(done, device=settings["device"])))
                    continue
                lesson = train(base / name, overrides=WITHOUT_DEV, **settings)
            if lesson.outcome.interrupted:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            listener.noted("training of a teacher was stopped, so this run ends too")
            raise
        teachers[name] = (*teachers.get(name, ()), ModelTeacher(lesson.tagger))
    return teachers


def _is_done(path: Path, output: Path, seed: int) -> bool:
    """Whether a folder has the finished run of a teacher."""
    recipe, base = read_recipe(path, WITHOUT_DEV, seed)
    return is_finished(output, kept_recipe(recipe, base), path.name)
