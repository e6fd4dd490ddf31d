"""The folder of a run: the best model so far after each epoch, and the whole run at its end.

No file is ever half written: `files/writing.py` replaces several files at once. `description.py` reads a finished
folder.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from tagger.analysis.knowledge import TrainKnowledge
from tagger.config import Recipe, dump_recipe
from tagger.errors import ModelError
from tagger.evaluation import SEEN, Report
from tagger.files.exclusive import check_free, writing_to
from tagger.files.hashes import CONFIG
from tagger.files.holding import check_kind
from tagger.files.patterns import matching
from tagger.files.tensor_header import damaged
from tagger.files.writing import make_pending, remove_parts, replace_files, replaced
from tagger.model.folder.card import model_card
from tagger.model.folder.feature_files import remove_features
from tagger.model.folder.opening import CARD, VOCABULARY, WEIGHTS
from tagger.model.folder.torch_model import model_files
from tagger.model.network import TorchModel
from tagger.nn.tensor_files import pack, unpack
from tagger.reporting.output import encoded
from tagger.running.teachers.finding import KEPT, kept_recipe
from tagger.training.checkpoint import Saved
from tagger.training.loop import STOPPED, Epoch
from tagger.wording import counted

MODEL, RECIPE, LOG, REPORT = "model", "recipe.toml", "log.jsonl", "report.json"
HOW = "computed with"  # what may change the last digits of a run that goes on
STATE = "training.safetensors"  # of a run that has not ended, from which it can go on
NEW = ".new-run"  # in the folder of a run: the run that is to replace it, until that ends


@dataclass
class RunFolder:
    """Where a run is kept, if anywhere. `open_run_folder` makes it.

    Args:
        path: The folder; None to keep nothing.
        work: Where the run is kept until it ends: the same, or a folder inside it if it holds a run already.
        recipe: The recipe of the run.
        data: Folder that the paths of corpora and vectors are relative to.
        base: Folder that the paths of teachers are relative to.
        resumed: Whether the run goes on from what `work` holds.
    """

    path: Path | None
    work: Path | None
    recipe: Recipe
    data: Path
    base: Path
    resumed: bool = False
    _written: dict[str, bytes] = field(init=False, default_factory=dict)

    def teacher(self, name: str) -> Path | None:
        """Return the folder for a run of a teacher that is a recipe; see `kept_names`."""
        return self._ready and self._ready / KEPT / name

    def keep(self, model: TorchModel, epochs: Sequence[Epoch]) -> None:
        """Keep the log after an epoch, and the model if it is the best so far.

        Raises:
            DataError: A file cannot be written; the model of an earlier epoch is still there.
        """
        if self._ready is not None:
            state = "Training has not finished. This model was not scored on a test split."
            best = self._model_files(model, state) if epochs[-1].best else {}
            self._replace(self._ready, best | {LOG: _log(epochs)})

    def keep_state(self, saved: Saved, of: Mapping[str, str]) -> None:
        """Keep the state of the training, and what it is the state of.

        Raises:
            DataError: It cannot be written; the state before is still there.
        """
        if self._ready is not None:
            self._ready.mkdir(parents=True, exist_ok=True)
            described = {"version": version("tagger-bilstm"), "recipe": self._recipe(), "of": dict(of)}
            content = pack(saved.tensors, {**described, "state": saved.values})
            with replaced(self._ready / STATE) as stream:
                stream.write(content)

    def read_state(self, of: Mapping[str, str], tell: Callable[[str], None]) -> Saved | None:
        """Return the state that the folder holds; None if it holds none.

        Args:
            of: What the state must be of, by name.
            tell: Called with a note on where the training goes on, and on what may change its last digits.

        Raises:
            ModelError: The file is damaged, or of another training.
        """
        path = self.work and self.work / STATE
        if path is None or not path.is_file():
            tell(f"{self.path}: has no {STATE}, so the training begins at its beginning")
            return None
        tensors, described = unpack(path.read_bytes(), str(path))
        try:
            before, state = described["of"], described["state"]
            other = described["recipe"] != self._recipe() and "another recipe"
            changed = [name for name in of if name != HOW and before.get(name, of[name]) != of[name]]
            other = other or (f"other {changed[0]}" if changed else "")
            how, now = before[HOW], of[HOW]
        except (LookupError, TypeError) as error:
            raise damaged(str(path), f"{type(error).__name__}: {error}") from None
        if other:
            raise ModelError(
                f"{path}: must be continued with the same recipe and data, got {other}; give the same, or start again "
                "with --overwrite"
            )
        tell(f"goes on from {path}")
        if how != now:
            tell(f"the run began with {how} and goes on with {now}, so the last digits may change")
        return Saved(tensors, state)

    def finish(self, model: TorchModel, epochs: Sequence[Epoch], report: Report, seen: TrainKnowledge) -> None:
        """Keep a run that has ended. A run that was there before is replaced now, as a whole.

        Args:
            model: The best model.
            epochs: The epochs of its training.
            report: Its scores on test.
            seen: The words and entities of train, which later evaluations compare with.

        Raises:
            DataError: A file cannot be written; the earlier run is still there.
        """
        if self.path is None or self._ready is None:
            return
        state = f"```\n{report.scores_text()}```" if report.scores else "This model was not scored on a test split."
        words = json.dumps(seen.to_dict(), ensure_ascii=False) + "\n"
        kept = {LOG: _log(epochs), REPORT: encoded(report.to_json()), SEEN: encoded(words)}
        self._replace(self._ready, self._model_files(model, state) | kept)
        goes_on = report.extra.get("ended") == STOPPED and (self._ready / STATE).is_file()
        if not goes_on:
            _remove_state(self._ready)
        if self._ready != self.path:
            teachers = {teacher.name for teacher in (self._ready / KEPT).glob("*")}
            make_pending(self._ready, self.path)
            remove_features(self.path / MODEL, but=[Path(name).name for name in self._written])
            for old in (self.path / KEPT).glob("*"):
                if old.name not in teachers and _held(old):
                    shutil.rmtree(old)
            if not goes_on:
                _remove_state(self.path)

    @cached_property
    def _ready(self) -> Path | None:
        """Return `work`. What a run that was killed has left there is deleted now, when there is something better."""
        if self.work is not None and self.work != self.path and self.work.is_dir() and not self.resumed:
            shutil.rmtree(self.work)
        return self.work

    def _model_files(self, model: TorchModel, state: str) -> dict[str, bytes]:
        """Return the files of a model, with the recipe that reproduces it."""
        card = model_card(self.recipe, model, state, self._licences)
        files = {f"{MODEL}/{name}": content for name, content in model_files(model, card=card).items()}
        return {**files, RECIPE: self._recipe().encode()}

    def _recipe(self) -> str:
        """Return the recipe that reproduces the run."""
        again = f"# tagger train recipe.toml --data {self.data.resolve()}\n\n"
        return again + dump_recipe(kept_recipe(self.recipe, self.base))

    def _replace(self, work: Path, contents: Mapping[str, bytes]) -> None:
        """Write those files that have changed."""
        digests = {name: sha256(content).digest() for name, content in contents.items()}
        replace_files(work, {name: contents[name] for name in digests if self._written.get(name) != digests[name]})
        self._written |= digests

    @cached_property
    def _licences(self) -> Mapping[str, Sequence[str]]:
        """Return the licence files in the folder of each file of data and vectors."""
        files = [self.data / path for path in self.recipe.embeddings.vectors]
        data = [self.data / path for config in self.recipe.all_corpora().values() for path in config.files()]
        files += [file for path in data for file in matching(path)]
        patterns = ("licen[cs]e*", "copying*", "acknowledg*")
        return {
            str(file): sorted(
                str(p)
                for p in file.parent.glob("*")
                if p.is_file() and any(fnmatch(p.name.lower(), x) for x in patterns)
            )
            for file in files
            if file.exists()
        }


@contextmanager
def open_run_folder(
    path: Path | None, recipe: Recipe, *, data: Path, base: Path, overwrite: bool, resume: bool = False
) -> Iterator[RunFolder]:
    """Lock the folder of a run within the context. If it did not exist and nothing was kept, it is deleted again.

    Args:
        path: The folder; None to keep nothing.
        recipe: The recipe of the run.
        data: Folder that the paths of corpora and vectors are relative to.
        base: Folder that the paths of teachers are relative to.
        overwrite: Whether the run may replace one that is in the folder.
        resume: Whether the run goes on from what the folder holds of it.

    Raises:
        ModelError: The folder cannot be written to, another training writes to it, or it holds a run or something
            else.
    """
    if path is None:
        yield RunFolder(None, None, recipe, data=data, base=base)
        return
    with writing_to(path, of="a run", by="training"):
        check_kind(path, "run")
        held = _held(path)
        if resume:
            work = path / NEW if _began(path / NEW) else path
            if work == path and _is_finished(path):
                raise ModelError(f"{path}: the run has finished, so there is nothing to resume; use another folder")
        else:
            goes_on = ", continue it with --resume (resume=True)" if held and not _is_finished(path) else ""
            check_free(path, held, overwrite=overwrite, choice=goes_on)
            work = path / NEW if held else path
        _check_places(path)
        remove_parts(work / STATE)
        try:
            yield RunFolder(path, work, recipe, data=data, base=base, resumed=resume)
        finally:
            for inner in (path / KEPT, path / NEW / KEPT, path / NEW):
                with suppress(OSError):  # not empty, not there, or in use
                    inner.rmdir()


def _check_places(path: Path) -> None:
    """Refuse a folder that holds a folder in the place of a file of the run, or a file in that of a folder.

    Raises:
        ModelError: It does.
    """
    files = (RECIPE, LOG, REPORT, SEEN, *(f"{MODEL}/{name}" for name in (CARD, CONFIG, VOCABULARY, WEIGHTS)))
    wrong = [path / name for name in files if (path / name).is_dir()]
    wrong += [path / name for name in (MODEL, KEPT, NEW) if (path / name).exists() and not (path / name).is_dir()]
    if wrong:
        kind = "file" if wrong[0].is_dir() else "folder"
        raise ModelError(f"{wrong[0]}: expected a {kind} of the run or nothing; remove it, or use another folder")


def _began(path: Path) -> bool:
    """Whether a folder holds something of a run that did not finish."""
    return (path / STATE).is_file() or (path / KEPT).is_dir() or (path / MODEL / CONFIG).is_file()


def _is_finished(path: Path) -> bool:
    return (path / REPORT).is_file() and not _was_stopped(path)


def _was_stopped(path: Path) -> bool:
    return f'"ended": "{STOPPED}"' in (path / REPORT).read_text(encoding="utf-8", errors="replace")


def _remove_state(folder: Path) -> None:
    """Delete the state of a training, and what a process that was killed has written of one."""
    remove_parts(folder / STATE)
    (folder / STATE).unlink(missing_ok=True)


def _held(path: Path) -> str:
    """Return what a folder holds of a run, as a phrase; empty if nothing."""
    if (path / REPORT).is_file():
        newer = _held(path / NEW)
        held = "a run that was stopped" if _was_stopped(path) else "a finished run"
        return f"{held}, and in {NEW} {newer}" if newer else held
    if (path / MODEL / CONFIG).is_file():
        log = path / LOG
        epochs = len(log.read_bytes().splitlines()) if log.is_file() else 0
        return f"the best model of a run that did not finish ({counted(epochs, 'epoch')})"
    if (path / STATE).is_file():
        return "the checkpoint of a run that did not finish"
    return "the teachers of a run that did not finish" if (path / KEPT).is_dir() else ""


def _log(epochs: Sequence[Epoch]) -> bytes:
    return "".join(json.dumps(asdict(epoch)) + "\n" for epoch in epochs).encode()
