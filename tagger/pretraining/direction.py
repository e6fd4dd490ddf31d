"""One direction of a character language model while it is trained: weights, optimiser, and where it is in the text."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from tagger.nn.pretrained.charlm import CharacterModel, State
from tagger.pretraining.characters import Ids
from tagger.pretraining.plan import Plan

CLIP_NORM = 1.0
PER_PART, MOST_PARTS = 1000, 64  # characters of a held-out text for each part of it that is read side by side
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each parameter


class Direction:
    """Trains one model.

    Args:
        network: The model.
        plan: How it is trained.
    """

    def __init__(self, network: CharacterModel, plan: Plan) -> None:
        self.network = network
        self._window = plan.window
        self._optimizer = AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=0.0, fused=True)
        self._generator = torch.Generator().manual_seed(plan.seed)
        network.dropout.generator = self._generator
        self._text: Ids = np.empty(0, np.uint8)
        self._starts = np.empty(0, np.int64)
        self._length = 0  # of a part
        self._state: State | None = None

    def start(self, text: Ids, first: int, batch: int) -> None:
        """Start a pass over a text in parts of equal length, which are read side by side.

        Args:
            text: The characters. They are not copied.
            first: The position at which the first part begins; behind the last character the text starts again.
            batch: Number of parts.
        """
        self._length = len(text) // batch
        self._text, self._starts, self._state = text, first + self._length * np.arange(batch), None

    def step(self, number: int, rate: float) -> float:
        """Learn from a window of the text, and return the mean loss of its characters, in nats.

        Args:
            number: Its number in the pass, from 0.
            rate: The learning rate.
        """
        window = self.window(number)
        self.network.train()
        self._optimizer.param_groups[0]["lr"] = rate
        loss, state = self.network(window, self._state)
        loss.backward()
        clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._state = state[0].detach(), state[1].detach()
        return float(loss.detach())

    def window(self, number: int) -> Tensor:
        """Return the characters of a step in each part, of shape (batch, characters); the first is known already."""
        offsets = np.arange(number * self._window, min((number + 1) * self._window + 1, self._length))
        return _tensor(self._text[(self._starts[:, None] + offsets) % len(self._text)])

    @torch.no_grad()
    def loss_on(self, ids: Ids) -> float:
        """Return the mean loss of the characters of a text, in nats; it is read in several parts side by side."""
        parts = max(1, min(MOST_PARTS, len(ids) // PER_PART))
        rows = ids[: len(ids) // parts * parts].reshape(parts, -1)
        self.network.eval()
        state, total = None, 0.0
        for start in range(0, rows.shape[1] - 1, PER_PART):
            block = _tensor(rows[:, start : start + PER_PART + 1])
            loss, state = self.network(block, state)
            total += float(loss) * (block.shape[1] - 1)
        return total / (rows.shape[1] - 1)

    def tensors(self) -> dict[str, Tensor]:
        """Return all that the next steps depend on, apart from the text of the pass."""
        found = {"random": self._generator.get_state()}
        for name, parameter in self.network.named_parameters():
            found[f"weight.{name}"] = parameter
            kept = self._optimizer.state.get(parameter, {})
            found |= {f"{moment}.{name}": kept[moment] for moment in MOMENTS if moment in kept}
        if self._state is not None:
            found |= {"hidden": self._state[0], "cell": self._state[1]}
        return found

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` has returned; a pass must have been started.

        Raises:
            KeyError: A tensor is missing.
            RuntimeError: A tensor has another size.
        """
        self._generator.set_state(tensors["random"])
        for name, parameter in self.network.named_parameters():
            parameter.copy_(tensors[f"weight.{name}"])
            if f"step.{name}" in tensors:
                self._optimizer.state[parameter] = {moment: tensors[f"{moment}.{name}"].clone() for moment in MOMENTS}
        self._state = (tensors["hidden"], tensors["cell"]) if "hidden" in tensors else None


def _tensor(ids: Ids) -> Tensor:
    return torch.from_numpy(ids.astype(np.int64))
