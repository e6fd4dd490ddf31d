"""The training of both directions: steps, rounds, the best weights so far, and what it takes to continue.

The two directions learn from the same text independently of each other, so they may run in two threads: the numbers
are the same bits either way.
"""

import math
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from torch import Tensor

from tagger.errors import TaggerError
from tagger.files.tensor_header import damaged
from tagger.nn.side_by_side import one_torch_thread
from tagger.nn.tensor_files import check_shapes
from tagger.pretraining.characters import Ids
from tagger.pretraining.direction import Direction
from tagger.pretraining.model import CharLM
from tagger.pretraining.plan import Listener, Plan, Round
from tagger.wording import shorten

ROUND = 5_000_000  # characters of a long text after which the model is scored
MOST_LOSS = 700.0  # nats; the exponential of more is no float


class Training:
    """A training that can be stopped after each step, and continued.

    Args:
        model: The model, with fresh weights.
        text: The characters to learn from, as ids.
        dev: Held-out characters.
        plan: How to train.
    """

    def __init__(self, model: CharLM, text: Ids, dev: Ids, plan: Plan) -> None:
        self.model, self._text, self._dev, self.plan = model, text, dev, plan
        self.planned = plan.length  # also of the training that a checkpoint is of, before it is continued
        self._digest = _digest(text, dev)
        self._directions = [Direction(network, plan) for network in model.network.directions]
        self._batch = max(1, min(plan.batch_size, len(text) // plan.window))
        self._steps = math.ceil((len(text) // self._batch - 1) / plan.window)  # of a pass
        self._steps_of_round = math.ceil(self._steps / max(1, round(len(text) / ROUND)))
        self.rounds: list[Round] = []
        self._best: dict[str, Tensor] = {}
        self._step, self._seconds, self._started = 0, 0.0, time.perf_counter()
        self._loss, self._count, self._since = 0.0, 0, 0.0  # of this round: sums over its steps, and when it began
        self._start_pass()

    @property
    def best(self) -> Round | None:
        """The best round so far; None before the first one."""
        return next((each for each in reversed(self.rounds) if each.best), None)

    @property
    def done(self) -> float:
        """The share of the training that is done."""
        if self.plan.minutes is not None:
            return min(1.0, self.seconds / (60 * self.plan.minutes))
        return min(1.0, self._step / (self._steps * (self.plan.epochs or 1)))

    @property
    def epochs(self) -> float:
        """Passes over the text so far."""
        return self._step / self._steps

    @property
    def seconds(self) -> float:
        """Time since the training started, without interruptions."""
        return self._seconds + time.perf_counter() - self._started

    def run(
        self, *, threads: int, listener: Listener, stepped: Callable[[], bool], scored: Callable[[Round], object]
    ) -> bool:
        """Train, and return whether the training has ended. The network has the last weights then, not the best.

        Args:
            threads: Number of CPU threads, of which two are used at most.
            listener: Receives each step and round.
            stepped: Called after each step; returns whether to stop.
            scored: Called after each round.

        Raises:
            TaggerError: Training diverged.
        """
        self._started = time.perf_counter()
        with one_torch_thread(), ThreadPoolExecutor(1) as pool:
            both = _side_by_side(pool) if threads > 1 else _one_after_the_other
            while self.done < 1:
                ends_round = self._make_step(both)
                pace = self._count / max(self.seconds - self._since, 1e-9)
                listener.stepped(self.done, self.epochs, _perplexity(self._loss / self._count), pace)
                if ends_round or self.done >= 1:
                    self._score(both, pace)
                    scored(self.rounds[-1])
                    listener.scored(self.rounds[-1], self.done)
                if stepped():
                    return self.done >= 1
        return True

    def use_best(self) -> None:
        """Give the network the best weights so far, if it was scored before."""
        if self._best:
            self.model.network.load_state_dict(self._best)
        self.model.network.eval()

    def score_now(self) -> Round:
        """Return the scores of the weights as they are, without a trace in the training."""
        return self._round(_one_after_the_other, 0.0, _perplexity(self._loss / max(self._count, 1)))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all that the rest of the training depends on, as tensors and values of JSON."""
        tensors = {f"{i}.{name}": t for i, each in enumerate(self._directions) for name, t in each.tensors().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self._best.items()}
        described = {"plan": asdict(self.plan), "text": self._digest, "step": self._step, "seconds": self.seconds}
        described |= {"loss": self._loss, "count": self._count, "since": self._since}
        return tensors, described | {"rounds": [asdict(each) for each in self.rounds]}

    def restore(self, tensors: Mapping[str, Tensor], described: Mapping[str, Any], where: str) -> None:
        """Continue from what `state` has returned.

        Args:
            tensors: The tensors.
            described: The values of JSON.
            where: The path of the file, for messages.

        Raises:
            TaggerError: It is of another text or plan, or damaged.
        """
        self._check_same(described, where)
        try:
            length = {name: described["plan"][name] for name in ("epochs", "minutes")}
            self.planned = replace(self.plan, **length).length
            self._restore_figures(described)
            self._start_pass()
            for i, each in enumerate(self._directions):
                each.restore({name.removeprefix(f"{i}."): tensor for name, tensor in tensors.items()})
        except (LookupError, ValueError, TypeError, RuntimeError) as error:
            raise damaged(where, f"{type(error).__name__}: {error}") from None
        self._best = {n.removeprefix("best."): t for n, t in tensors.items() if n.startswith("best.")}
        if self._best:
            check_shapes(self._best, self.model.network.state_dict(), where)

    def _restore_figures(self, described: Mapping[str, Any]) -> None:
        """Continue from the rounds and counts of a checkpoint.

        Raises:
            LookupError: One is missing.
            TypeError: A round lacks a value.
            ValueError: One is no number that a training has.
        """
        self.rounds = [Round(**each) for each in described["rounds"]]
        for each in self.rounds:
            _check_figures(asdict(each))
        _check_figures({name: described[name] for name in ("step", "seconds", "loss", "count", "since")})
        self._step, self._count = described["step"], described["count"]
        self._seconds, self._loss, self._since = (described[name] for name in ("seconds", "loss", "since"))
        self._started = time.perf_counter()
        scored = self.rounds[-1].epochs * self._steps if self.rounds else 0
        if not scored - 1 < self._step < scored + self._steps + 1:
            raise ValueError(f"the step {self._step} does not follow the rounds")

    def _check_same(self, described: Mapping[str, Any], where: str) -> None:
        """Raise if a training is not this one; the time that it may take can be another."""
        if described.get("text") != self._digest:
            raise TaggerError(
                f"{where}: must be continued with the same text, got another; give the same files and options, or "
                "start again with --overwrite"
            )
        mine, theirs = asdict(self.plan), described.get("plan")
        theirs = theirs if isinstance(theirs, dict) else {}
        if odd := [name for name in mine.keys() - {"epochs", "minutes"} if mine[name] != theirs.get(name)]:
            name = sorted(odd)[0]
            raise TaggerError(
                f"{where}: must be continued with the same options, got {name.replace('_', '-')} {mine[name]} and not "
                f"{theirs.get(name)}; give the same options, or start again with --overwrite"
            )

    def _start_pass(self) -> None:
        """Give both directions the text as rows, from another character in each pass, so that windows differ."""
        draw = np.random.default_rng([self.plan.seed, self._step // self._steps])
        start = int(draw.integers(len(self._text)))
        for direction, text in zip(self._directions, (self._text, self._text[::-1]), strict=True):
            direction.start(text, start, self._batch)

    def _make_step(self, both: "_Both") -> bool:
        """Make a step, and return whether it ends a round."""
        number = self._step % self._steps
        if number == 0:
            self._start_pass()
        rate = self.plan.rate_at(self.done)
        rightward, leftward = self._directions
        losses = both(partial(rightward.step, number, rate), partial(leftward.step, number, rate))
        if not all(map(math.isfinite, losses)):
            raise TaggerError("training diverged: the loss is not a number; start again with a lower --learning-rate")
        left = len(self._text) // self._batch - 1 - number * self.plan.window
        characters = self._batch * min(self.plan.window, left)
        self._loss += sum(losses) / 2 * characters
        self._count += characters
        self._step += 1
        return number + 1 == self._steps or (number + 1) % self._steps_of_round == 0

    def _score(self, both: "_Both", pace: float) -> None:
        last = self._round(both, pace, _perplexity(self._loss / self._count))
        self.rounds.append(last)
        if last.best:
            self._best = {name: tensor.clone() for name, tensor in self.model.network.state_dict().items()}
        self._loss, self._count, self._since = 0.0, 0, self.seconds

    def _round(self, both: "_Both", pace: float, perplexity: float) -> Round:
        """Return the scores of the weights as they are."""
        rightward, leftward = self._directions
        losses = both(partial(rightward.loss_on, self._dev), partial(leftward.loss_on, self._dev[::-1]))
        loss = sum(losses) / 2
        return Round(
            round=len(self.rounds) + 1,
            epochs=self.epochs,
            perplexity=perplexity,
            dev_rightward=_perplexity(losses[0]),
            dev_leftward=_perplexity(losses[1]),
            dev_perplexity=_perplexity(loss),
            dev_bits=loss / math.log(2),
            best=self.best is None or loss / math.log(2) < self.best.dev_bits,
            learning_rate=self.plan.rate_at(self.done),
            characters_per_second=pace,
            seconds=self.seconds,
        )


def _check_figures(figures: Mapping[str, object]) -> None:
    """Raise ValueError if a figure is no number from 0, or no whole number where it counts."""
    for name, figure in figures.items():
        wanted = {"best": bool, "step": int, "count": int, "round": int}.get(name)
        if type(figure) is not wanted if wanted else type(figure) not in (int, float):
            raise ValueError(f"{name} is {shorten(figure)}")
        if not 0 <= figure <= sys.float_info.max:  # type: ignore[operator]
            raise ValueError(f"{name} is {shorten(figure)}")


def _digest(*texts: Ids) -> str:
    digest = sha256()
    for text in texts:
        digest.update(text.data)
    return digest.hexdigest()


def _perplexity(loss: float) -> float:
    return math.exp(min(loss, MOST_LOSS))


_Both = Callable[[Callable[[], float], Callable[[], float]], list[float]]


def _one_after_the_other(first: Callable[[], float], second: Callable[[], float]) -> list[float]:
    return [first(), second()]


def _side_by_side(pool: ThreadPoolExecutor) -> _Both:
    def both(first: Callable[[], float], second: Callable[[], float]) -> list[float]:
        helped = pool.submit(second)
        return [first(), helped.result()]

    return both
