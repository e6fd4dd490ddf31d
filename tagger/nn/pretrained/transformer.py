"""Pretrained transformers as bricks: vectors of tokens from the pieces of words that a transformer reads.

`PieceEncoder` runs any encoder of Hugging Face `transformers` over windows of pieces, and `ScalarMix` mixes the layers
that it returns. `FineTunedEncoder` is both inside a network, where training changes them. Files, tokenisers and the
choice of windows are left to `features`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from tagger.nn.drawing import drawing_from

PIECES = 2048  # with padding, that are read at once in evaluation

Ints = NDArray[np.int64]


class PieceEncoder(nn.Module):
    """The hidden states of tokens: each is the mean of the states of its pieces.

    In evaluation it reads a few windows at once, so that a long sentence takes little memory.

    Args:
        model: An encoder of `transformers`.
        layers: Numbers of the hidden states to return, 0 for the embeddings.
    """

    def __init__(self, model: nn.Module, layers: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.layers = tuple(layers)

    def forward(
        self, piece_ids: Int[Tensor, "windows pieces"], token_ids: Int[Tensor, "windows pieces"], num_tokens: int
    ) -> Float[Tensor, "tokens layers"]:
        """Return the states of tokens in the chosen layers, one layer beside the other; 0 for a token without pieces.

        Args:
            piece_ids: Pieces of each window; -1 at padding.
            token_ids: The token that each piece counts for; -1 for none.
            num_tokens: Number of tokens.
        """
        size = len(piece_ids) if self.training else max(1, PIECES // max(1, piece_ids.shape[1]))
        counting = token_ids[token_ids >= 0]
        total: Tensor | None = None
        for pieces, tokens in zip(piece_ids.split(size), token_ids.split(size), strict=True):
            states = self._states(pieces, tokens >= 0)
            total = states.new_zeros(num_tokens, states.shape[1]) if total is None else total
            total = total.index_add(0, tokens[tokens >= 0], states)
        assert total is not None
        return total / counting.bincount(minlength=num_tokens).clamp(min=1).unsqueeze(1)

    def _states(
        self, piece_ids: Int[Tensor, "windows pieces"], counts: Bool[Tensor, "windows pieces"]
    ) -> Float[Tensor, "counting layers"]:
        """Return the states of the pieces that count."""
        mask = piece_ids >= 0
        found = self.model(input_ids=piece_ids.clamp(min=0), attention_mask=mask.long(), output_hidden_states=True)
        return torch.cat([found.hidden_states[layer][counts] for layer in self.layers], 1)


class ScalarMix(nn.Module):
    """A weighted average of layers, with learned weights, and a layer norm.

    The weights are a softmax of one number per layer and start equal. The layer norm has a learned scale, which makes
    the scale of the original superfluous.

    Args:
        num_layers: Number of layers, whose states lie one beside the other.
        hidden_size: Number of features of a state of one layer.

    Source:
        Peters et al. (2018), "Deep contextualized word representations", equation 1.
        Compared with a sum over layers in tests/nn/test_transformer.py.
    """

    def __init__(self, num_layers: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_layers))
        self.norm = nn.LayerNorm(hidden_size)

    def forward(self, states: Float[Tensor, "batch tokens layers"]) -> Float[Tensor, "batch tokens hidden"]:
        """Return the mix of each token; the states may have half precision, the mix has that of the weights."""
        layers = states.to(self.weight.dtype).unflatten(-1, (len(self.weight), -1))  # (batch, tokens, layers, hidden)
        mixed: Tensor = self.norm(torch.einsum("btlh,l->bth", layers, self.weight.softmax(0)))
        return mixed


class FineTunedEncoder(nn.Module):
    """A transformer whose weights are trained with the network, and a mix of its layers.

    Args:
        encoder: The transformer.
        mix: The mix of its layers.
        windows: Returns the arrays that the encoder reads, given the ids of the pieces of the tokens of a batch.
        learning_rate: Highest learning rate of its top layer.
        warmup: Share of all steps during which its learning rate rises from zero.
        layer_decay: Learning rate of a layer as a share of that of the next layer above it.

    Source:
        Layer-wise rates: Howard and Ruder (2018), section 3.2.
        Gradients and rates are tested in tests/nn/test_transformer.py.
    """

    def __init__(
        self,
        encoder: PieceEncoder,
        mix: ScalarMix,
        *,
        windows: Callable[[Ints], tuple[Ints, Ints]],
        learning_rate: float,
        warmup: float,
        layer_decay: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.mix = mix
        self.windows = windows
        self.learning_rate, self.warmup, self.layer_decay = learning_rate, warmup, layer_decay
        self.generator: torch.Generator | None = None

    def forward(self, pieces: Int[Tensor, "batch tokens pieces"]) -> Float[Tensor, "batch tokens hidden"]:
        """Return the mix of each token, given the ids of its pieces; -1 where there is no piece."""
        batch, tokens = pieces.shape[:2]
        arrays = self.windows(pieces.cpu().numpy())
        with drawing_from(self.generator if self.training else None):  # a transformer drops from the global one
            states = self.encoder(*(torch.from_numpy(array).to(pieces.device) for array in arrays), batch * tokens)
        mixed: Tensor = self.mix(states.view(batch, tokens, -1))
        return mixed

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the weights of the transformer as groups for an optimiser, each with its highest rate and warm-up.

        The top layer has the learning rate of the encoder, each layer below it a share of that of the layer above, and
        the embeddings that of a layer below the first.
        """
        groups: dict[int, list[nn.Parameter]] = {}
        for name, parameter in self.encoder.named_parameters():
            if parameter.requires_grad:
                groups.setdefault(_depth(name), []).append(parameter)
        top = max(groups, default=0)
        return [
            {"params": groups[depth], "lr": rate, "initial_lr": rate, "warmup": self.warmup}
            for depth in sorted(groups)
            for rate in [self.learning_rate * self.layer_decay ** (top - depth)]
        ]


def _depth(name: str) -> int:
    """Return the layer of a weight, from 1; 0 for embeddings and all else outside the layers."""
    number = re.search(r"\.(\d+)\.", name)
    return int(number[1]) + 1 if number else 0
