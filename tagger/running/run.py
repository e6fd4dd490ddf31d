"""The result of a training run, and the listener that receives its events."""

import logging
from dataclasses import dataclass
from pathlib import Path

from tagger.evaluation import Report
from tagger.tagging import Tagger
from tagger.training.loop import Epoch, Listener, Outcome

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """The result of a training run.

    Args:
        tagger: The trained model, ready to use.
        report: Scores of the best weights on test; None if there is no test split or the run was interrupted.
        outcome: The epochs and why training stopped.
        folder: Where the run is kept, if it is.
    """

    tagger: Tagger
    report: Report | None
    outcome: Outcome
    folder: Path | None


class RunListener(Listener):
    """Receives the events of a run; this base class writes them to the log of this module."""

    def noted(self, message: str) -> None:
        """Log a note on what was found or begun."""
        logger.info(message)

    def advanced(self, work: str, done: int, total: int) -> None:
        """So many tokens are done of work outside the epochs, such as computing a feature."""

    def scored(self, epoch: Epoch) -> None:
        """Log the loss and the dev score of an epoch."""
        logger.info("epoch %d: loss %.4f, dev %.4f", epoch.epoch, epoch.loss, epoch.selected)
