"""A search by optuna, kept in an SQLite file that several processes share and that can be continued."""

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.config import Recipe, dump_recipe
from tagger.errors import DataError, MissingExtraError, RecipeError, TaggerError
from tagger.files.holding import check_kind
from tagger.files.writing import locked, replace_files, try_lock
from tagger.reporting.output import encoded, to_json
from tagger.reporting.trials import State, TrialGroup, TrialResult
from tagger.running.corpora import read_corpora
from tagger.running.run import RunListener
from tagger.running.teachers.finding import find_teachers, kept_recipe
from tagger.running.train import read_recipe, train
from tagger.running.tuning.space import changed, chosen, own_values, space_of, value_of
from tagger.training.loop import Epoch, StopTraining
from tagger.wording import shorten

if TYPE_CHECKING:
    from optuna import Study, Trial

STUDY, BEST, SUMMARY = "study.db", "best.toml", "trials"
FEW = 10  # finished trials from which on the importance of values is estimated
SECONDS_TO_WAIT = 60  # for another process that writes to the file


class TuneListener:
    """Receives the events of a search; this base class ignores them."""

    def noted(self, message: str) -> None:
        """A note on what is read."""

    def began(self, number: int, of: int, values: Mapping[str, Any]) -> None:
        """A trial begins with these values."""

    def stepped(self, share: float) -> None:
        """A share of the steps of the trial is done."""

    def ended(self, trial: TrialResult, best: float | None) -> None:
        """A trial ended; `best` is the highest score of the search so far."""


def tune(
    recipe: str | Path | Recipe,
    *,
    trials: int,
    timeout: float | None = None,
    output: str | Path,
    data: str | Path | None = None,
    overrides: tuple[str, ...] | list[str] = (),
    seed: int | None = None,
    device: str = "cpu",
    threads: int | None = None,
    listener: TuneListener | None = None,
) -> TrialGroup:
    """Search for values of a recipe with a higher dev score. No trial sees test, and it is not scored.

    The first trial has the values of the recipe, as far as they are among those that are tried. A trial is pruned after
    an epoch if its score is below the median of those that the earlier ones had there. `output` gets `study.db`, to
    which several processes may write at once; `best.toml`, the recipe with the best values; and the trials as
    `trials.json` and `trials.md`. The same call goes on with a search that was stopped, up to so many trials in all.

    Args:
        recipe: A recipe, or the path of its TOML file. Its sections `[tune."KEY"]` say what to try.
        trials: Number of trials of the search in all.
        timeout: Minutes after which no further trial begins.
        output: Folder of the search.
        data: Folder that paths of corpora and vectors are relative to; default: the folder of the recipe.
        overrides: Values of the recipe to replace, as `section.key=value`.
        seed: Replaces the seed of the recipe; all trials have the same.
        device: Where the networks run.
        threads: Number of CPU threads of a training.
        listener: Receives the events.

    Raises:
        MissingExtraError: optuna is not installed.
        RecipeError: The recipe or what it tries is invalid, or a teacher would have to be trained in each trial.
        DataError: A file of the data is invalid, or `output` holds a search of another recipe.
        ModelError: `output` holds something else.
        TaggerError: No trial has finished.
    """
    if trials < 1:
        raise RecipeError(f"a search must have at least one trial, got {trials}")
    name = "the recipe" if isinstance(recipe, Recipe) else Path(recipe).stem
    recipe, base = read_recipe(recipe, overrides, seed)
    listener, folder = listener or TuneListener(), Path(output)
    space = space_of(recipe)
    place = Path(data) if data is not None else base
    found = find_teachers(recipe, base, None, data=data, device=device, tell=listener.noted)
    if untrained := [key for key, teacher in found.items() if isinstance(teacher, Recipe)]:
        raise RecipeError(
            f"the teacher {untrained[0]} would be trained again in each trial; train it once, and name the folder of "
            "its run instead"
        )
    corpora = read_corpora(recipe, place, from_files=data is not None, tell=listener.noted)
    unseen = {key: replace(corpus, test=()) for key, corpus in corpora.items()}
    settings = {"corpus": unseen, "data": data, "base": base, "device": device, "threads": threads}
    check_kind(folder, "runs")
    search = _Search(recipe, base, folder, space, settings, listener)
    try:
        search.run(trials, timeout)
    finally:
        group = search.summary(name)
    if group.best is None:
        raise TaggerError(f"{folder}: no trial has finished; {_reason(search)}")
    return group


def _reason(search: "_Search") -> str:
    return f"the last one: {search.error}" if search.error else "give it more time"


class _Watcher(RunListener):
    """Reports the dev score of each epoch to a trial, and ends a run that is pruned."""

    def __init__(self, trial: "Trial", listener: TuneListener) -> None:
        self._trial, self._listener, self._steps = trial, listener, 1
        self.pruned = False

    def noted(self, message: str) -> None:
        """Drop the note, which is the same in all trials."""

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Store the number of steps."""
        self._steps = num_steps

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Pass on how much is done."""
        self._listener.stepped(step / self._steps)

    def scored(self, epoch: Epoch) -> None:
        """Report the score; end the run if it is below those of others."""
        if epoch.best:
            self._trial.set_user_attr("epoch", epoch.epoch)
            self._trial.set_user_attr("score", epoch.selected)
        self._trial.report(epoch.selected, epoch.epoch)
        if self._trial.should_prune():
            self.pruned = True
            raise StopTraining("pruned")


@dataclass
class _Search:
    """A study, and what a trial of it is.

    Args:
        recipe: The recipe.
        base: Folder that the paths of a `Recipe` are relative to.
        folder: Where the study is kept.
        space: What is tried.
        settings: Other arguments of `train`.
        listener: Receives the events.
    """

    recipe: Recipe
    base: Path
    folder: Path
    space: Mapping[str, Any]
    settings: Mapping[str, Any]
    listener: TuneListener
    error: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.study = self._opened()

    def _opened(self) -> "Study":
        """Return the study, which is made if there is none.

        Raises:
            MissingExtraError: optuna is not installed.
            DataError: The study in the folder is of another recipe, or damaged.
        """
        try:
            import optuna
            from optuna.storages import RDBStorage
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"a search needs {error.name}, which is not installed; run pip install 'tagger-bilstm[tune]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / STUDY
        try:
            storage = RDBStorage(
                f"sqlite:///{path.resolve()}", engine_kwargs={"connect_args": {"timeout": SECONDS_TO_WAIT}}
            )
            study = optuna.create_study(
                study_name="tagger",
                storage=storage,
                direction="maximize",
                load_if_exists=True,
                sampler=optuna.samplers.TPESampler(seed=self.recipe.seed, multivariate=True, constant_liar=True),
                pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
            )
            mine = dump_recipe(kept_recipe(self.recipe, self.base))
            known = study.user_attrs.get("recipe")
            if known is None:
                study.set_user_attr("recipe", mine)
                study.enqueue_trial(own_values(self.recipe, self.space), skip_if_exists=True)
            elif known != mine:
                raise DataError(f"{self.folder}: holds a search of another recipe; use another --output")
            self._try_again(study)
        except Exception as error:  # of SQLAlchemy or SQLite, such as a file that is no database
            if isinstance(error, TaggerError):
                raise
            raise DataError(f"{path}: the search cannot be read or written: {shorten(str(error))}") from None
        return study

    def _try_again(self, study: "Study") -> None:
        """Let the values of trials whose process was killed be tried again."""
        from optuna.trial import TrialState

        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self._lock_of(trial.number).is_file():  # which a process that ends in order deletes
                with self._lock(trial.number) as is_mine:
                    if is_mine:
                        self._give_up(study, trial)

    def _give_up(self, study: "Study", trial: Any) -> None:
        """End a trial that was cut short, as if it had not been, and let its values be tried again."""
        from optuna.trial import TrialState

        study._storage.set_trial_user_attr(trial._trial_id, "cut", True)
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(dict(trial.params))

    def _lock_of(self, number: int) -> Path:
        return self.folder / f".trial-{number + 1}.lock"

    @contextmanager
    def _lock(self, number: int) -> Iterator[bool]:
        """Try to lock a trial, which its process does while it works on it; yield whether that worked."""
        path = self._lock_of(number)
        with path.open("ab") as stream:
            owned = try_lock(stream)
            try:
                yield owned
            finally:
                if owned:
                    path.unlink(missing_ok=True)

    def run(self, trials: int, timeout: float | None) -> None:
        """Make trials until there are so many in all, or the time is over."""
        until = time.monotonic() + 60 * timeout if timeout is not None else None
        while self._done() < trials and (until is None or time.monotonic() < until):
            self._make_trial(trials)

    def _done(self) -> int:
        """Return the number of trials that have ended, among them those of other processes."""
        return sum(t.state.is_finished() and not t.user_attrs.get("cut") for t in self.study.get_trials(deepcopy=False))

    def _make_trial(self, of: int) -> None:
        trial = self.study.ask()
        with self._lock(trial.number):
            self._carry_out(trial, of)

    def _carry_out(self, trial: "Trial", of: int) -> None:
        from optuna.trial import TrialState

        started = time.perf_counter()
        values = chosen(trial, self.space)
        trial.set_user_attr("own", values == {key: value_of(self.recipe, key) for key in self.space})
        refit = {"training.refit": False}  # a network that has learned from dev cannot be judged on it
        self.listener.began(trial.number + 1, of, values)
        watcher, state, score = _Watcher(trial, self.listener), TrialState.FAIL, None
        try:
            tried = changed(self.recipe, {**values, **refit}, where=f"trial {trial.number + 1}")
            run = train(tried, listener=watcher, **self.settings)
            if run.outcome.interrupted:
                raise KeyboardInterrupt
            if watcher.pruned:
                state = TrialState.PRUNED
            elif run.outcome.best is not None:
                state, score = TrialState.COMPLETE, run.outcome.best.selected
        except TaggerError as error:  # such as a learning rate with which training diverges
            self.error = str(error)
            trial.set_user_attr("error", self.error)
        except KeyboardInterrupt:
            self._give_up(self.study, self.study.trials[trial.number])
            raise
        trial.set_user_attr("seconds", round(time.perf_counter() - started, 1))
        self.study.tell(trial, score, state=state)
        ended = _result(self.study.trials[trial.number])
        best = max((each.value or 0.0 for each in self.study.trials if each.state.name == "COMPLETE"), default=None)
        self.listener.ended(ended, best)

    def summary(self, name: str) -> TrialGroup:
        """Return the trials so far, and write them and the best recipe."""
        results = [_result(trial) for trial in self.study.trials if not trial.user_attrs.get("cut")]
        results = [result for result in results if result.state != "waiting"]
        group = TrialGroup(name, results, self._importance())
        files = {
            f"{SUMMARY}.json": encoded(to_json(group.to_dict())),
            f"{SUMMARY}.md": encoded(group.to_markdown()),
        }
        if (best := group.best) is not None:
            recipe = kept_recipe(changed(self.recipe, best.values, where="the best trial"), self.base)
            head = f"# tagger train {BEST} --data DIR\n#\n# Trial {best.number} of a search: dev {best.score:.4f}.\n\n"
            files[BEST] = encoded(head + dump_recipe(recipe))
        self._write(files)
        return group

    def _write(self, files: Mapping[str, bytes]) -> None:
        """Write files one process after the other: several may share the folder."""
        while True:
            with locked(self.folder) as owned:
                if owned:
                    replace_files(self.folder, files)
                    return
            time.sleep(0.05)

    def _importance(self) -> dict[str, float]:
        """Return which share of the variance of scores each value explains; nothing if too few trials have finished."""
        from optuna.importance import get_param_importances

        if sum(trial.state.name == "COMPLETE" for trial in self.study.get_trials(deepcopy=False)) < FEW:
            return {}
        try:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # of scores that are all the same
                found = get_param_importances(self.study)
        except (ValueError, RuntimeError):  # all scores are the same
            return {}
        return {key: float(share) for key, share in found.items()}


def _result(trial: Any) -> TrialResult:
    states: dict[str, State] = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "WAITING": "waiting"}
    known = trial.user_attrs
    return TrialResult(
        trial.number + 1,
        states.get(trial.state.name, "running"),
        dict(trial.params),
        known.get("score"),
        known.get("epoch"),
        known.get("seconds"),
        own=bool(known.get("own")),
        error=str(known.get("error", "")),
    )
