"""The steps of a training: loss, gradients, clipping, optimisers, learning rate, and what the next step depends on."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tagger.encoding.batches import Ids
from tagger.errors import TaggerError
from tagger.files.signals import asked_to_stop
from tagger.model.network import Network, TensorBatch, to_tensors
from tagger.model.shapes import LARGEST_WEIGHT
from tagger.nn.embeddings import WordVectors
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.side_by_side import one_torch_thread
from tagger.training.checkpoint import Saved
from tagger.training.optimisation import WeightAverage, clip_gradients, make_optimizers, set_rates
from tagger.training.processes import Alone
from tagger.training.task import Task

WIDE = 150  # hidden size from which a second thread saves more time than it costs to hand work over
FEW = 3  # sentences of a batch that an error names
Loss = tuple[int, str]  # of a head: 0 and its layer against gold, 1 and its layer against teachers


class DivergedError(TaggerError):
    """The loss is not a number, or a weight is too large."""


@dataclass
class Pass:
    """How far an epoch is.

    Args:
        order: State of the generator of batches before those of this epoch were drawn.
        done: Number of batches that are done.
        loss: Sum of their losses.
        tokens: Number of their tokens.
        seconds: Time that they took.
    """

    order: Mapping[str, Any]
    done: int = 0
    loss: float = 0.0
    tokens: int = 0
    seconds: float = 0.0


class Stepper:
    """Makes the steps of a training, one epoch at a time.

    Args:
        network: The network to train.
        task: What it learns.
        stepped: Called after each step with its number, the mean loss of the epoch so far, and tokens per second.
        processes: Those that share the sentences of a batch; default: this one alone.

    Attributes:
        can_go_on: Whether a signal stopped the training between two steps, so that its state is whole.
    """

    def __init__(
        self,
        network: Network,
        task: Task,
        stepped: Callable[[int, float, float], None],
        processes: Alone | None = None,
    ) -> None:
        self.network = network
        network.encoder.precision = torch.bfloat16 if task.config.precision == "bfloat16" else None
        self.weights = [p for p in network.parameters() if p.requires_grad]  # finding them takes time at each step
        self.task = task
        self.config = task.config
        self.num_steps = task.num_batches * task.config.epochs
        self.step = 0
        self.learning_rate = 0.0
        self.can_go_on = False
        self.optimizers = make_optimizers(network, task.config)
        self.average = WeightAverage(network, task.config.average)
        self._stepped = stepped
        self._processes = processes or Alone()
        weights = task.head_weights, task.taught_weights
        self._losses: dict[Loss, float] = {(side, name): by[name] for side, by in enumerate(weights) for name in by}
        sparse = {id(module.weight) for module in network.modules() if isinstance(module, WordVectors)}
        self._dense = [weight for weight in self.weights if id(weight) not in sparse]
        self._sparse = [weight for weight in self.weights if id(weight) in sparse]
        self._rng = np.random.default_rng(task.seed)
        self._pass = Pass(self._rng.bit_generator.state)

    def run_epoch(self) -> tuple[float, float]:
        """Make the steps of an epoch, or those that are left; return their mean loss and the tokens per second."""
        self.network.train()
        now = self._pass
        batches, started = self.task.draw_batches(self._rng), time.perf_counter() - now.seconds
        with _divided_among_threads(self.network.encoder), self._asked() as asked:
            for rows in batches[now.done :]:
                with self._memory_named(rows):
                    now.loss += self._make_step(rows)
                now.tokens += int(self.task.sentences.lengths_of(rows).sum())
                now.done += 1
                now.seconds = time.perf_counter() - started
                self._stepped(self.step, now.loss / now.done, now.tokens / now.seconds)
                if asked:
                    self.can_go_on = True
                    raise KeyboardInterrupt
        self._check_weights()
        self._pass = Pass(self._rng.bit_generator.state)
        return now.loss / len(batches), now.tokens / max(now.seconds, 1e-9)

    @contextmanager
    def _asked(self) -> Iterator[Sequence[int]]:
        """Collect signals while steps are made; several processes do so together."""
        if self._processes.size > 1:
            yield ()
            return
        with asked_to_stop(only_handled=True) as asked:
            yield asked

    @contextmanager
    def _memory_named(self, rows: Ids) -> Iterator[None]:
        """Say what takes the memory if there is too little of it.

        Raises:
            TaggerError: There is.
        """
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "memory" not in str(error):
                raise
            lengths = self.task.sentences.lengths_of(rows)
            longest = rows[lengths.argmax()]
            raise TaggerError(
                f"step {self.step}: out of memory with {len(rows)} sentences, the longest of which has "
                f"{lengths.max():,} tokens{self.task.shown([longest], 1)}; lower training.batch_size (now "
                f"{self.config.batch_size}), or split long sentences"
            ) from None

    def state(self) -> Saved:
        """Return all that the next steps depend on."""
        tensors: dict[str, Tensor] = {
            f"weights.{name}": p for name, p in self.network.named_parameters() if p.requires_grad
        }
        tensors |= {f"average.{i}": tensor for i, tensor in enumerate(self.average.average)}
        tensors["random"] = self._random_state()
        numbers: dict[str, Any] = {}
        for name, value in self._optimizer_values().items():
            (tensors if isinstance(value, Tensor) else numbers)[name] = value
        values: dict[str, Any] = {"step": self.step, "learning_rate": self.learning_rate, "optimizers": numbers}
        values |= {"pass": asdict(self._pass), "averaged": self.average.steps}
        return Saved({name: tensor.detach().clone() for name, tensor in tensors.items()}, values)

    @torch.no_grad()
    def restore(self, saved: Saved) -> None:
        """Go on from a state of the same training.

        Raises:
            LookupError: The state lacks something.
            RuntimeError: A tensor has another shape.
        """
        tensors, values = saved
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(tensors[f"weights.{name}"])
        for i, average in enumerate(self.average.average):
            average.copy_(tensors[f"average.{i}"])
        self.step, self.learning_rate, self.average.steps = (values[k] for k in ("step", "learning_rate", "averaged"))
        self._restore_optimizers({**tensors, **values["optimizers"]})
        if self.network.generator is None:
            torch.set_rng_state(tensors["random"])
        else:
            self.network.generator.set_state(tensors["random"])
        self._pass = Pass(**values["pass"])
        if not 0 <= self._pass.done <= self.task.num_batches:
            raise ValueError(f"batch {self._pass.done} of {self.task.num_batches}")
        self._rng.bit_generator.state = self._pass.order

    def _random_state(self) -> Tensor:
        generator = self.network.generator
        return torch.get_rng_state() if generator is None else generator.get_state()

    def _optimizer_values(self) -> dict[str, Any]:
        """Return what each optimiser remembers of each parameter, apart from what it does not have yet."""
        return {
            f"optimizer.{number}.{row}.{key}": value
            for number, optimizer in enumerate(self.optimizers)
            for row, memory in optimizer.state_dict()["state"].items()
            for key, value in memory.items()
            if value is not None
        }

    def _restore_optimizers(self, values: Mapping[str, Any]) -> None:
        memories: list[dict[int, dict[str, Any]]] = [{} for _ in self.optimizers]
        for name, value in values.items():
            kind, _, rest = name.partition(".")
            if kind == "optimizer":
                number, row, key = rest.split(".")
                memories[int(number)].setdefault(int(row), {})[key] = value
        for optimizer, memory in zip(self.optimizers, memories, strict=True):
            optimizer.load_state_dict({**optimizer.state_dict(), "state": memory})

    @torch.no_grad()
    def _check_weights(self) -> None:
        """Raise if weights are too large for a model to be loaded: the loss of the next step would show it too late."""
        weights = [weight for weight in self.weights if weight.numel()]  # words may have vectors of width 0
        largest = torch.stack([bound.abs() for weight in weights for bound in torch.aminmax(weight)]).amax().item()
        if not largest <= LARGEST_WEIGHT:  # also where it is not a number
            raise DivergedError(
                f"step {self.step}: every weight must be at most {LARGEST_WEIGHT:,.0f}, got {largest}; "
                f"lower training.learning_rate or training.weight_decay"
            )

    def _make_step(self, rows: Ids) -> float:
        """Make one step and return the loss of its batch before it."""
        self.learning_rate = set_rates(self.optimizers, self.step, self.num_steps, self.config)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        own = self._backward(rows)
        if own is None and self._processes.size == 1:  # no sentence of the batch has a layer of any head
            return 0.0
        loss = self._processes.summed(own or 0.0, self._dense, self._sparse)
        if not math.isfinite(loss):
            raise DivergedError(
                f"step {self.step}: the loss of its sentences{self.task.shown(rows, FEW)} must be a number, got "
                f"{loss}; lower training.learning_rate or training.clip_norm"
            )
        if self.config.clip_norm is not None:
            clip_gradients(self.weights, self.config.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update()
        return loss

    def _backward(self, rows: Ids) -> float | None:
        """Add up the gradients of the sentences that this process computes, and return their share of the loss.

        None if they have no layer of any head.
        """
        processes = self._processes
        mine = processes.part(rows)
        if processes.size == 1 and self.config.accumulate == 1:
            return self._one_backward(self._tensors(mine), {})
        if self.network.generator is not None and processes.rank:  # the first process goes on with its own numbers
            self.network.generator.manual_seed(hash((self.task.seed, self.step, processes.rank)) % 2**62)
        pieces = [mine[i :: self.config.accumulate] for i in range(self.config.accumulate)]
        parts = [self._tensors(piece) for piece in pieces if len(piece)]
        totals = dict(zip(self._losses, processes.totals(self._counts(parts)), strict=True))
        found = [loss for part in parts if (loss := self._one_backward(part, totals)) is not None]
        return sum(found) if found else None

    def _one_backward(self, batch: TensorBatch, totals: Mapping[Loss, Tensor]) -> float | None:
        """Add the gradients of sentences, as their share of the whole batch if its counts are given."""
        found = self.network.losses(batch)
        losses = {(side, name): loss for side, by in enumerate(found) for name, loss in by.items()}
        if not losses:
            return None
        if totals:
            counts = dict(zip(self._losses, self._counts([batch]), strict=True))
            losses = {key: loss * (counts[key] / totals[key]).float() for key, loss in losses.items()}
        total = torch.stack([self._losses[key] * loss for key, loss in losses.items()]).sum()
        total.backward()
        return total.item()

    def _counts(self, parts: Sequence[TensorBatch]) -> list[Tensor]:
        """Return what each loss of these sentences is a mean over."""
        found = [self.network.counts(part) for part in parts]
        zero = torch.zeros((), device=self.network.device)
        return [torch.stack([zero, *(each[side][name] for each in found)]).sum() for side, name in self._losses]

    def _tensors(self, rows: Ids) -> TensorBatch:
        return to_tensors(self.task.sentences.batch(rows), self.network.device)


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
