"""The training loop: epochs of batches, a dev score after each epoch, and the best weights at the end.

The caller passes a function that scores the network on dev and a listener that shows progress, and sets the seed of
torch.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from tagger.errors import TaggerError
from tagger.model.network import Network
from tagger.training.checkpoint import Checkpoints, Saved, joined
from tagger.training.processes import Alone
from tagger.training.stepper import DivergedError, Stepper
from tagger.training.task import Task

Score = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of `log.jsonl`.

    Args:
        epoch: Number of the epoch, from 1.
        loss: Mean training loss of its steps, in nats, summed over heads with their weights.
        dev: The dev score of each layer.
        selected: The dev score by which the best weights are chosen.
        best: Whether it is the best so far.
        learning_rate: Learning rate at the end of the epoch.
        tokens_per_second: Training tokens per second, without the time for scoring.
        seconds: Time since training started.
    """

    epoch: int
    loss: float
    dev: Mapping[str, float]
    selected: float
    best: bool
    learning_rate: float
    tokens_per_second: float
    seconds: float


STOPPED = "stopped by the user"  # why training ended, after an interrupt


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of training: its epochs, why it stopped, and its state if it has ended."""

    epochs: Sequence[Epoch]
    reason: str
    interrupted: bool = False
    state: Saved | None = None

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights the network has; None if none was scored."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)


class StopTraining(Exception):  # noqa: N818
    """Raised by a listener: training ends after this epoch, as if it had been the last one.

    The best epoch so far is kept and scored on test; the message is the reason in the report.
    """


class Listener:
    """Receives the events of training; this base class ignores them. `scored` may raise `StopTraining`."""

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Training starts, with at most this many epochs and steps."""

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """A step was made; `loss` is the mean of the epoch so far."""

    def scored(self, epoch: Epoch) -> None:
        """An epoch ended and was scored on dev."""


@dataclass
class _Best:
    """The best weights so far, and the number of epochs since."""

    selected: float = -math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)
    age: int = 0

    def offer(self, selected: float, network: Network) -> bool:
        """Whether these weights are the best so far; if they are, keep a copy."""
        if selected <= self.selected:
            self.age += 1
            return False
        self.selected, self.age = selected, 0
        self.weights = {name: p.detach().clone() for name, p in network.named_parameters() if p.requires_grad}
        return True

    def restore_state(self, saved: Saved) -> None:
        """Go on from a state."""
        selected, self.age = saved.values["selected"], saved.values["age"]
        self.selected = -math.inf if selected is None else float(selected)
        inside = {name: tensor for name, tensor in saved.tensors.items() if name.startswith("best.")}
        self.weights = {name.removeprefix("best."): tensor for name, tensor in inside.items()}

    @torch.no_grad()
    def restore(self, network: Network) -> None:
        """Put the best weights back."""
        for name, parameter in network.named_parameters():
            if name in self.weights:
                parameter.copy_(self.weights[name])


def train_network(
    network: Network,
    task: Task,
    *,
    score: Score,
    keep: Callable[[Sequence[Epoch]], None] | None = None,
    listener: Listener | None = None,
    checkpoints: Checkpoints | None = None,
    processes: Alone | None = None,
) -> Outcome:
    """Train a network and return the outcome; the network then has the weights of the best epoch.

    Args:
        network: The network to train.
        task: What it learns.
        score: Returns the dev score of each layer for the current weights.
        keep: Called after each epoch with all epochs so far; the network has the weights that were scored.
        listener: Receives each step and epoch.
        checkpoints: Receives the state of the training, and has the one that it goes on from, under `fit`.
        processes: Those that share the sentences of a batch. The first one scores, and keeps what is kept.

    Raises:
        TaggerError: Training diverged in the first epoch: the loss is not a number, or a weight is too large. Later,
            training ends with that reason instead. Or the state to go on from is not one of this training.
    """
    listener, config, checkpoints = listener or Listener(), task.config, checkpoints or Checkpoints()
    best, epochs, started, together = _Best(), list[Epoch](), time.perf_counter(), processes or Alone()
    ended = ""

    def state() -> Saved:
        kept: dict[str, Any] = {"epochs": [asdict(epoch) for epoch in epochs], "age": best.age, "ended": ended}
        kept |= {"selected": best.selected if best.weights else None, "seconds": time.perf_counter() - started}
        weights = {f"best.{name}": tensor for name, tensor in best.weights.items()}
        now = Saved({}, {}) if ended else stepper.state()
        return joined({"fit": Saved({**weights, **now.tensors}, {**kept, **now.values})})

    def stepped(step: int, loss: float, tokens_per_second: float) -> None:
        listener.stepped(step, loss, tokens_per_second)
        checkpoints.stepped(state)

    stepper = Stepper(network, task, stepped, together)
    with _as_one_error():
        if (found := checkpoints.begun_with("fit")) is not None:
            epochs += [Epoch(**epoch) for epoch in found.values["epochs"]]
            best.restore_state(found)
            started -= found.values["seconds"]
            ended = found.values["ended"]
            if not ended:
                stepper.restore(found)
    listener.started(config.epochs, stepper.num_steps)
    reason, interrupted = ended or "all epochs done", False
    try:
        while not ended and len(epochs) < config.epochs:
            loss, speed = stepper.run_epoch()
            network.eval()
            with stepper.average.in_place():
                dev = together.agreed(score() if together.leads else None)
                selected = sum(dev.values()) / len(dev) if config.select == "mean" else dev[config.select]
                is_best = best.offer(selected, network)
                seconds, number = time.perf_counter() - started, len(epochs) + 1
                epochs.append(Epoch(number, loss, dev, selected, is_best, stepper.learning_rate, speed, seconds))
                if keep is not None and together.leads:
                    keep(epochs)
            try:
                listener.scored(epochs[-1])
            except StopTraining as stop:
                reason = str(stop) or "stopped by a listener"
                break
            if best.age >= config.patience:
                reason = f"no better dev score for {config.patience} epochs"
                break
        ended = reason
    except KeyboardInterrupt:
        reason, interrupted = STOPPED, True
        if stepper.can_go_on:
            checkpoints.write(state())
    except DivergedError as error:
        if not epochs:
            raise
        reason = ended = str(error)
    best.restore(network)
    network.eval()
    return Outcome(epochs, reason, interrupted, state() if ended else None)


def refit_network(
    network: Network,
    task: Task,
    *,
    epochs: int,
    listener: Listener | None = None,
    checkpoints: Checkpoints | None = None,
    fitted: Saved | None = None,
    processes: Alone | None = None,
) -> None:
    """Train a network for a number of epochs, without dev; it then has the weights of the last one.

    The learning rate has the same course as in `train_network`: that of all epochs of the task, cut after `epochs`.

    Args:
        network: The network to train.
        task: What it learns.
        epochs: Number of epochs, such as that of the best one in an earlier training.
        listener: Receives each step.
        checkpoints: Receives the state of the training, and has the one that it goes on from, under `refit`.
        fitted: The state of that earlier training, which is kept beside its own.
        processes: Those that share the sentences of a batch.

    Raises:
        TaggerError: Training diverged, or the state to go on from is not one of this training.
    """
    listener, checkpoints, done = listener or Listener(), checkpoints or Checkpoints(), 0

    def state() -> Saved:
        now = stepper.state()
        mine = joined({"refit": Saved(now.tensors, {**now.values, "done": done})})
        before = fitted or Saved({}, {})
        return Saved({**before.tensors, **mine.tensors}, {**before.values, **mine.values})

    def stepped(step: int, loss: float, tokens_per_second: float) -> None:
        listener.stepped(step, loss, tokens_per_second)
        checkpoints.stepped(state)

    stepper = Stepper(network, task, stepped, processes)
    with _as_one_error():
        if (found := checkpoints.begun_with("refit")) is not None:
            done = found.values["done"]
            stepper.restore(found)
    listener.started(epochs, task.num_batches * epochs)
    try:
        while done < epochs:
            stepper.run_epoch()
            done += 1
    except KeyboardInterrupt:
        if stepper.can_go_on:
            checkpoints.write(state())
        raise
    last = _Best()
    with stepper.average.in_place():
        last.offer(0.0, network)
    last.restore(network)
    network.eval()


@contextmanager
def _as_one_error() -> Iterator[None]:
    """Turn what goes wrong with the state of another or a damaged file into one sentence."""
    try:
        yield
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise TaggerError(
            f"the checkpoint is damaged, or of another training ({type(error).__name__}: {error}); start again with "
            "--overwrite"
        ) from None
