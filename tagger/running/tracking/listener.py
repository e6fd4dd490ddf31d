"""A listener that shows a run in services as well, and goes on without one that fails."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tagger.config import Recipe, dump_recipe
from tagger.errors import MissingExtraError, RecipeError, TaggerError
from tagger.evaluation import Report
from tagger.running.run import RunListener
from tagger.running.tracking.trackers import TRACKERS, Ending, Tracker
from tagger.training.loop import Epoch
from tagger.wording import quoted, shorten

logger = logging.getLogger(__name__)

STEPS = 10  # from one loss that is shown to the next
NAME = re.compile(r"[^\w./ -]")  # characters that MLflow does not take in names


class TrackedListener(RunListener):
    """Passes the events of a run on, and shows its figures.

    Args:
        listener: Receives all events.
        trackers: The services by name.

    Attributes:
        stopped: Whether the run was stopped before its end.
    """

    def __init__(self, listener: RunListener, trackers: dict[str, Tracker]) -> None:
        self._listener, self._trackers, self._step = listener, trackers, 0
        self._before = 0  # steps of an earlier training of this run, which is made again with dev
        self.stopped = False

    def noted(self, message: str) -> None:
        """Pass a note on."""
        self._listener.noted(message)

    def advanced(self, work: str, done: int, total: int) -> None:
        """Pass on what is done."""
        self._listener.advanced(work, done, total)

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Pass on that training starts."""
        self._before = self._step
        self._listener.started(num_epochs, num_steps)

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Show the loss of every tenth step."""
        self._step = self._before + step
        if step % STEPS == 0:
            self._log({"loss": loss, "tokens_per_second": tokens_per_second})
        self._listener.stepped(step, loss, tokens_per_second)

    def scored(self, epoch: Epoch) -> None:
        """Show the scores of an epoch."""
        values = {f"dev/{layer}": score for layer, score in epoch.dev.items()}
        self._log({**values, "selected": epoch.selected, "learning_rate": epoch.learning_rate, "epoch": epoch.epoch})
        self._listener.scored(epoch)

    def tested(self, report: Report) -> None:
        """Show the scores on test."""
        self._log({f"test/{name}": report.headline(name) for name in report.layers})

    def ended(self, how: Ending) -> None:
        """End the run in all services."""
        self._each(lambda tracker: tracker.end(how))

    def _log(self, values: Mapping[str, float]) -> None:
        named = {NAME.sub("_", name): float(value) for name, value in values.items()}
        self._each(lambda tracker: tracker.log(named, self._step))

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                act(tracker)
            except Exception as error:  # of a service, such as a server that is gone: the training matters more
                logger.debug("%s failed", name, exc_info=True)
                del self._trackers[name]
                self._listener.noted(f"{name}: the run is no longer shown there: {shorten(str(error))}")


def check_trackers(names: Sequence[str]) -> None:
    """Refuse services that there are not.

    Raises:
        RecipeError: A name is unknown, or is given twice.
    """
    if unknown := [name for name in names if name not in TRACKERS]:
        raise RecipeError(f"a run can be shown in {quoted(TRACKERS)}, got {unknown[0]!r}")
    if len(set(names)) < len(names):
        raise RecipeError(f"give each service once, got {', '.join(names)}")


@contextmanager
def tracked(
    listener: RunListener, names: Sequence[str], *, recipe: Recipe, folder: Path | None
) -> Iterator["TrackedListener"]:
    """Yield a listener that shows the run in services too, and ends it there.

    Args:
        listener: Receives all events.
        names: The services.
        recipe: The recipe of the run.
        folder: The folder of the run.

    Raises:
        MissingExtraError: The package of a service is not installed.
        TaggerError: A service cannot be reached.
    """
    trackers: dict[str, Tracker] = {}
    for name in names:
        settings = dict(_flat(recipe.model_dump(mode="json", exclude_none=True)))
        run = folder.name if folder is not None else "run"
        logging.getLogger(name).setLevel(logging.ERROR)
        try:
            trackers[name] = TRACKERS[name](run, folder, settings, dump_recipe(recipe))
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"{name} needs the package {error.name}, which is not installed; run pip install "
                f"'tagger-bilstm[{name}]'"
            ) from None
        except TaggerError:
            raise
        except Exception as error:  # of a service
            logger.debug("%s failed", name, exc_info=True)
            raise TaggerError(f"{name}: the run cannot be shown there: {shorten(str(error))}") from None
    found = TrackedListener(listener, trackers)
    try:
        yield found
    except KeyboardInterrupt:
        found.ended("stopped")
        raise
    except BaseException:
        found.ended("failed")
        raise
    found.ended("stopped" if found.stopped else "finished")


def _flat(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of nested values with their places."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield NAME.sub("_", f"{place}{key}"), value
