"""What a run leaves behind, and who hears what goes on in it."""

import logging
from dataclasses import dataclass
from pathlib import Path

from tagger.evaluation import Report
from tagger.tagging import Tagger
from tagger.training.loop import Epoch, Listener, Outcome

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What a training run left behind.

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
    """Hears what goes on in a run; a base that writes to the log of this module."""

    def noted(self, message: str) -> None:
        """Something was found out or begun."""
        logger.info(message)

    def scored(self, epoch: Epoch) -> None:
        """An epoch ended and was scored on dev."""
        logger.info("epoch %d: loss %.4f, dev %.4f", epoch.epoch, epoch.loss, epoch.selected)
