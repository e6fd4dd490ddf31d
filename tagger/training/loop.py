"""The training loop: epochs of batches, a dev score after each epoch, and the best weights at the end.

The caller passes a function that scores the network on dev and a listener that shows progress, and sets the seed of
torch.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from tagger.encoding.batches import Batch, Ids
from tagger.errors import TaggerError
from tagger.model.network import Network, to_tensors
from tagger.model.shapes import LARGEST_WEIGHT
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.side_by_side import one_torch_thread
from tagger.training.optimisation import WeightAverage, clip_gradients, make_optimizers, set_rates
from tagger.training.task import Task

Score = Callable[[], Mapping[str, float]]
WIDE = 150  # hidden size from which a second thread saves more time than it costs to hand work over


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
    """The result of training: its epochs, and why it stopped."""

    epochs: Sequence[Epoch]
    reason: str
    interrupted: bool = False

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights the network has; None if none was scored."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)


class Listener:
    """Receives the events of training; this base class ignores them."""

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
) -> Outcome:
    """Train a network and return the outcome; the network then has the weights of the best epoch.

    Args:
        network: The network to train.
        task: What it learns.
        score: Returns the dev score of each layer for the current weights.
        keep: Called after each epoch with all epochs so far; the network has the weights that were scored.
        listener: Receives each step and epoch.

    Raises:
        TaggerError: Training diverged in the first epoch: the loss is not a number, or a weight is too large. Later,
            training ends with that reason instead.
    """
    listener, config = listener or Listener(), task.config
    rng = np.random.default_rng(task.seed)
    stepper = _Stepper(network, task, listener)
    best, epochs, started = _Best(), [], time.perf_counter()
    listener.started(config.epochs, stepper.num_steps)
    reason, interrupted = "all epochs done", False
    try:
        for number in range(1, config.epochs + 1):
            loss, speed = stepper.run(task.draw_batches(rng))
            network.eval()
            with stepper.average.in_place():
                dev = score()
                selected = sum(dev.values()) / len(dev) if config.select == "mean" else dev[config.select]
                is_best = best.offer(selected, network)
                seconds = time.perf_counter() - started
                epochs.append(Epoch(number, loss, dev, selected, is_best, stepper.learning_rate, speed, seconds))
                if keep is not None:
                    keep(epochs)
            listener.scored(epochs[-1])
            if best.age >= config.patience:
                reason = f"no better dev score for {config.patience} epochs"
                break
    except KeyboardInterrupt:
        reason, interrupted = STOPPED, True
    except _DivergedError as error:
        if not epochs:
            raise
        reason = str(error)
    best.restore(network)
    network.eval()
    return Outcome(epochs, reason, interrupted)


def refit_network(network: Network, task: Task, *, epochs: int, listener: Listener | None = None) -> None:
    """Train a network for a number of epochs, without dev; it then has the weights of the last one.

    The learning rate has the same course as in `train_network`: that of all epochs of the task, cut after `epochs`.

    Args:
        network: The network to train.
        task: What it learns.
        epochs: Number of epochs, such as that of the best one in an earlier training.
        listener: Receives each step.

    Raises:
        TaggerError: Training diverged.
    """
    rng, listener = np.random.default_rng(task.seed), listener or Listener()
    stepper = _Stepper(network, task, listener)
    listener.started(epochs, task.num_batches * epochs)
    for _ in range(epochs):
        stepper.run(task.draw_batches(rng))
    last = _Best()
    with stepper.average.in_place():
        last.offer(0.0, network)
    last.restore(network)
    network.eval()


class _DivergedError(TaggerError):
    """The loss is not a number, or a weight is too large."""


class _Stepper:
    """Makes training steps: loss, gradients, clipping, optimisers, learning rate."""

    def __init__(self, network: Network, task: Task, listener: Listener) -> None:
        self.network = network
        self.weights = [p for p in network.parameters() if p.requires_grad]  # finding them takes time at each step
        self.task = task
        self.config = task.config
        self.num_steps = task.num_batches * task.config.epochs
        self.listener = listener
        self.step = 0
        self.learning_rate = 0.0
        self.optimizers = make_optimizers(network, task.config)
        self.average = WeightAverage(network, task.config.average)

    def run(self, batches: Sequence[Ids]) -> tuple[float, float]:
        """Make the steps of an epoch; return their mean loss and the training tokens per second."""
        self.network.train()
        started, tokens, total = time.perf_counter(), 0, 0.0
        with _divided_among_threads(self.network.encoder):
            for i, rows in enumerate(batches, 1):
                batch = self.task.sentences.batch(rows)
                total += self._make_step(batch)
                tokens += batch.num_tokens
                self.listener.stepped(self.step, total / i, tokens / (time.perf_counter() - started))
        self._check_weights()
        return total / len(batches), tokens / (time.perf_counter() - started)

    @torch.no_grad()
    def _check_weights(self) -> None:
        """Raise if weights are too large for a model to be loaded: the loss of the next step would show it too late."""
        largest = torch.stack([bound.abs() for weight in self.weights for bound in torch.aminmax(weight)]).amax().item()
        if not largest <= LARGEST_WEIGHT:  # also where it is not a number
            raise _DivergedError(
                f"step {self.step}: every weight must be at most {LARGEST_WEIGHT:,.0f}, got {largest}; "
                f"lower training.learning_rate or training.weight_decay"
            )

    def _make_step(self, batch: Batch) -> float:
        """Make one step and return the loss of its batch before it."""
        self.learning_rate = set_rates(self.optimizers, self.step, self.num_steps, self.config)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        losses = self.network.losses(to_tensors(batch, self.network.device))
        self.step += 1
        gold = [self.task.head_weights[layer] * value for layer, value in losses.gold.items()]
        taught = [self.task.taught_weights[layer] * value for layer, value in losses.taught.items()]
        if not (gold or taught):  # no sentence of the batch has a layer of any head
            return 0.0
        loss = torch.stack([*gold, *taught]).sum()
        if not math.isfinite(loss.item()):
            raise _DivergedError(
                f"step {self.step}: the loss must be a number, got {loss.item()}; "
                f"lower training.learning_rate or training.clip_norm"
            )
        loss.backward()
        if self.config.clip_norm is not None:
            clip_gradients(self.weights, self.config.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update()
        return loss.item()


@contextmanager
def _divided_among_threads(encoder: RecurrentEncoder) -> Iterator[None]:
    """Let torch compute in one thread; if two are allowed, each direction of a wide encoder gets its own thread.

    A second torch thread spins while it waits, on a core that other processes need. The two directions are large pieces
    of work, and a thread that waits for one of them sleeps.
    """
    with one_torch_thread() as allowed:
        if allowed == 1 or encoder.forward_size < WIDE:
            yield
            return
        # OpenMP keeps its number of threads per thread, so the helper must set its own.
        with ThreadPoolExecutor(1, "tagger-direction", torch.set_num_threads, (1,)) as encoder.helper:
            try:
                yield
            finally:
                encoder.helper = None
