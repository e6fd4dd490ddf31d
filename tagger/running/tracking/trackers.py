"""The services that show runs, each behind the same three methods. Their packages are loaded when one is used."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tagger.errors import RecipeError

Ending = Literal["finished", "stopped", "failed"]
PROJECT = "tagger"  # of the runs in a service that has several
LONGEST = 500  # characters of a setting that MLflow shows


class Tracker(ABC):
    """Shows one run.

    Args:
        name: The name of the run.
        folder: Where it is kept, if anywhere.
        settings: The keys of its recipe with their values.
        recipe: The recipe as text.
    """

    @abstractmethod
    def __init__(self, name: str, folder: Path | None, settings: Mapping[str, Any], recipe: str) -> None:
        """Begin to show the run."""

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show figures of a step."""

    @abstractmethod
    def end(self, how: Ending) -> None:
        """End the run."""


class TensorBoard(Tracker):
    """Files for TensorBoard, in a folder of their own in `tensorboard` of the run for each time that it is begun."""

    def __init__(self, name: str, folder: Path | None, settings: Mapping[str, Any], recipe: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        if folder is None:
            raise RecipeError("tensorboard needs a folder for its files; give the run an output")
        self._make = partial(SummaryWriter, str(folder / "tensorboard" / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}"))
        self._recipe = "".join(f"    {line}\n" for line in recipe.splitlines())  # Markdown
        self._writer: SummaryWriter | None = None

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Add figures to the files, which are made now: a run that fails before leaves none."""
        if self._writer is None:
            self._writer = self._make()
            self._writer.add_text("recipe", self._recipe)
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def end(self, how: Ending) -> None:
        """Close the files."""
        if self._writer is not None:
            self._writer.close()


class MLflow(Tracker):
    """A run of the experiment `tagger`, on the server that `MLFLOW_TRACKING_URI` names or in local files."""

    def __init__(self, name: str, folder: Path | None, settings: Mapping[str, Any], recipe: str) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        self._metric, self._client = Metric, MlflowClient()
        experiment = self._client.get_experiment_by_name(PROJECT)
        number = experiment.experiment_id if experiment else self._client.create_experiment(PROJECT)
        self._run = self._client.create_run(number, run_name=name).info.run_id
        known = [Param(key, str(value)[:LONGEST]) for key, value in settings.items()]
        for start in range(0, len(known), 100):  # the most that one request may have
            self._client.log_batch(self._run, params=known[start : start + 100])

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Send figures."""
        now = round(1000 * time.time())
        found = [self._metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=found)

    def end(self, how: Ending) -> None:
        """Say how the run ended."""
        status = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}[how]
        self._client.set_terminated(self._run, status)


class WeightsAndBiases(Tracker):
    """A run of the project `tagger`; `WANDB_MODE=offline` keeps it on this machine."""

    def __init__(self, name: str, folder: Path | None, settings: Mapping[str, Any], recipe: str) -> None:
        import wandb

        self._run = wandb.init(project=PROJECT, name=name, config=dict(settings), reinit="create_new")

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Send figures."""
        self._run.log(dict(values), step=step)

    def end(self, how: Ending) -> None:
        """Say how the run ended, and wait until all was sent."""
        self._run.finish(exit_code=0 if how == "finished" else 1)


TRACKERS: Mapping[str, type[Tracker]] = {"tensorboard": TensorBoard, "mlflow": MLflow, "wandb": WeightsAndBiases}
