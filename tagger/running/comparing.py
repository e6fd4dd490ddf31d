"""The comparison of models, runs, saved reports and files of predictions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tagger.errors import DataError, RecipeError
from tagger.formats.standoff.brat import is_brat
from tagger.reporting.comparison.systems import System, SystemComparison
from tagger.reporting.report import Report, load_report
from tagger.running.description import REPORT
from tagger.running.predictions import score
from tagger.running.scoring import Watch, evaluate_files
from tagger.running.several.found import has_model, runs_in
from tagger.tagging import Tagger, load
from tagger.wording import counted

Load = Callable[[Path], Tagger]
BEGINNING = re.compile(rb'\s*\{\s*"scores"\s*:')  # of a saved report


def compare(
    *systems: "str | Path | Tagger | Report | Sequence[str | Path | Tagger | Report]",
    on: str | Path | Sequence[str | Path] = (),
    load: Load = load,
    watch: Watch = iter,
    seed: int = 1,
    **reading: Any,
) -> SystemComparison:
    """Return how systems differ from the first of them on the same gold sentences.

    Args:
        systems: At least two. Each is a path, a `Tagger`, a `Report`, or a list of these: a group of runs of one
            recipe. A path names a model or the folder of a run, whose saved report is used unless `on` is given; a
            folder of runs; a report that was saved as JSON; or a file of predictions in any format that can be read.
            Paths with commas between them are also a group.
        on: Files with gold layers. Models tag them, each reading them as its training files were, and files of
            predictions are compared with them.
        load: Loads a model.
        watch: Passes on the predicted sentences, and may show how many there are.
        seed: Seed of the resampling.
        reading: Keys of a recipe's [data] section, such as `format` and `columns`, for reading the files of `on`;
            `predicted_format`, `predicted_columns` and `predicted_scheme` where files of predictions differ.

    Raises:
        RecipeError: There are fewer than two systems, or one needs `on`.
        DataError: A file cannot be read or is none of these, or the systems have different gold sentences or no layer
            in common.
        ModelError: A model cannot be loaded.
    """
    if len(systems) < 2:
        raise RecipeError(f"there must be at least two systems to compare, got {len(systems)}")
    files = tuple(map(Path, [on] if isinstance(on, (str, Path)) else on))
    planning = _Planning(files, load, watch, reading)
    plans = [planning.of(system) for system in systems]
    return SystemComparison(tuple([plan.carried_out() for plan in plans]), seed)


class _Plan(NamedTuple):
    """How the reports of a system are made. Making them may take long, so all plans are made first."""

    name: str
    source: str
    makers: tuple[Callable[[], Report], ...]

    def carried_out(self) -> System:
        """Make the reports."""
        return System(self.name, tuple([make() for make in self.makers]), self.source)


@dataclass(frozen=True, slots=True)
class _Planning:
    """Decides what a system is; see `compare` for the arguments."""

    on: tuple[Path, ...]
    load: Load
    watch: Watch
    reading: dict[str, Any]

    def of(self, given: Any) -> _Plan:
        """Return the plan for what was given as a system."""
        match given:
            case Report():
                return _Plan(given.signature.model or "report", "report", (lambda: given,))
            case Tagger():
                source = given.model.source
                return self._tagged("model" if source is None else str(source.folder), lambda: given)
            case str() | Path():
                return self._of_path(str(given))
        plans = [self.of(each) for each in given]
        return _group(", ".join(plan.name for plan in plans), plans)

    def _of_path(self, given: str) -> _Plan:
        path = Path(given)
        if not path.exists() and "," in given:
            return _group(given, [self._of_path(part) for part in given.split(",")])
        if not path.exists():
            raise DataError(f"{given}: expected a model, a run, a report or predictions, but there is nothing")
        return self._of_folder(path) if path.is_dir() and not is_brat(path) else self._of_file(path)

    def _of_folder(self, path: Path) -> _Plan:
        if self.on and has_model(path):
            return self._tagged(str(path), partial(self.load, path))
        if (path / REPORT).is_file():
            return _Plan(str(path), "saved report of the run", (partial(load_report, path / REPORT),))
        if has_model(path):
            raise RecipeError(f"{path}: the model has no report of a test split; name files to tag with --on FILE")
        if runs := runs_in(path):
            return _group(str(path), [self._of_folder(run) for run in runs])
        raise DataError(
            f"{path}: expected the folder of a model, of a run, or of several runs, but it holds none of them"
        )

    def _of_file(self, path: Path) -> _Plan:
        if path.is_file() and BEGINNING.match(_start_of(path)):
            return _Plan(str(path), "saved report", (partial(load_report, path),))
        if not self.on:
            raise RecipeError(f"{path}: predictions need the file with their gold layers; name it with --on FILE")
        make = partial(score, self.on, path, **self.reading)
        return _Plan(str(path), f"predictions, scored on {self._names}", (make,))

    def _tagged(self, name: str, make: Callable[[], Tagger]) -> _Plan:
        if not self.on:
            raise RecipeError(f"{name}: a loaded model needs files to tag; name them with `on`")

        reading = {key: value for key, value in self.reading.items() if not key.startswith("predicted_")}

        def report() -> Report:
            return evaluate_files(make(), self.on, watch=self.watch, **reading)

        return _Plan(name, f"model, tagged {self._names}", (report,))

    @property
    def _names(self) -> str:
        return ", ".join(path.name for path in self.on)


def _group(name: str, plans: Sequence[_Plan]) -> _Plan:
    """Return the plan of a group of runs."""
    makers = tuple([make for plan in plans for make in plan.makers])
    sources = " or ".join(dict.fromkeys(plan.source for plan in plans))
    return _Plan(name, f"{counted(len(makers), 'run')}: {sources}", makers)


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(100)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
