"""Hidden states of a pretrained transformer, each word as the mean of its pieces or as one of them.

A frozen transformer is no part of the network: its states are arrays, and the network mixes their layers. One that is
trained further is part of the network, and the arrays are the ids of the pieces that it reads.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from tagger.config import TransformerConfig
from tagger.encoding.batches import Rows, batches_by_length
from tagger.errors import RecipeError
from tagger.features.encoders.pretrained import Pretrained, of_bytes, read_pretrained, to_bytes
from tagger.features.encoders.windows import Ints, Pieces, Window, WindowReader, most_pieces
from tagger.features.feature import Given, TokenFeature
from tagger.features.passages import Passage

if TYPE_CHECKING:
    import torch
    from torch import nn

    from tagger.nn.pretrained.transformer import FineTunedEncoder, PieceEncoder, ScalarMix

CONTEXT = 64  # tokens of neighbouring sentences on each side
DEFAULT_LAYERS = 4  # from the top
BATCH_PIECES = 2048  # in a batch, with padding
LARGEST = float(np.finfo(np.float16).max)
BATCH_OVERHEAD = 2  # cost of a batch, in windows


class TransformerFeature(TokenFeature[TransformerConfig]):
    """A pretrained transformer.

    Args:
        name: Its name in the recipe.
        config: Its section of the recipe.
        pretrained: The transformer with its tokeniser.

    Raises:
        RecipeError: The transformer does not have the chosen layers.
    """

    suffix = "safetensors"

    def __init__(self, name: str, config: TransformerConfig, pretrained: Pretrained) -> None:
        super().__init__(name, config)
        self.pretrained = pretrained
        self.layers = self._layers()
        self.most_pieces = most_pieces(pretrained.size)
        special = pretrained.pieces
        self.reader = WindowReader(pretrained.size, special.before, special.after, config.pool)

    def _layers(self) -> tuple[int, ...]:
        number, chosen = self.pretrained.model.config.num_hidden_layers + 1, self.config.layers
        if chosen is None:
            return tuple(range(max(0, number - DEFAULT_LAYERS), number))
        if chosen == "all":
            return tuple(range(number))
        if wrong := [layer for layer in chosen if not -number <= layer < number]:
            raise RecipeError(
                f"features.{self.name}.layers: must be from {-number} to {number - 1} for {self.config.model}, got "
                f"{wrong[0]}; 0 are the embeddings, and -1 is the top layer"
            )
        found = {layer % number: layer for layer in chosen}
        if len(found) < len(chosen):
            twice = next(layer for layer in chosen if found[layer % number] != layer)
            raise RecipeError(
                f"features.{self.name}.layers: must be different layers, got {twice} and {found[twice % number]}, "
                f"which are the same of {self.config.model}; remove one"
            )
        return tuple(sorted(found))

    @classmethod
    def prepare(cls, name: str, config: TransformerConfig, given: Given) -> Self:
        """Return the transformer that a recipe names."""
        found = read_pretrained(
            config.model, given.folder, revision=config.revision, where=f"features.{name}.model", tell=given.tell
        )
        prepared = cls(name, config, found)
        prepared.to(given.device)
        return prepared

    @classmethod
    def restore(cls, name: str, config: TransformerConfig, content: bytes) -> Self:
        """Return the transformer of a trained model."""
        return cls(name, config, of_bytes(content, f"feature.{name}.{cls.suffix}"))

    def to(self, device: "str | torch.device") -> None:
        """Move a frozen transformer to a device; the network moves its own copy of one that is trained."""
        if not self.config.trainable:
            self.pretrained.model.to(device)

    def content(self, part: "nn.Module | None") -> bytes:
        """Return the weights, configuration and tokeniser: frozen weights in the type of their source."""
        import torch

        from tagger.nn.pretrained.transformer import FineTunedEncoder

        if isinstance(part, FineTunedEncoder):
            return to_bytes(self.pretrained, part.encoder.model, torch.float32)
        return to_bytes(self.pretrained, self.pretrained.model, self.pretrained.dtype)

    @property
    def width(self) -> int:
        """Number of features of a hidden state."""
        size: int = self.pretrained.model.config.hidden_size
        return size

    @property
    def context(self) -> int:
        """Number of tokens of neighbouring sentences; 0 if it is trained, because then it reads each sentence alone."""
        if self.config.context is not None:
            return self.config.context
        return 0 if self.config.trainable else CONTEXT

    @cached_property
    def fingerprint(self) -> str | None:
        """Hash of all that the states depend on; None if training changes them."""
        if self.config.trainable:
            return None
        settings = [self.layers, self.config.pool, sha256(self.content(None)).hexdigest()]
        return sha256(json.dumps(settings).encode()).hexdigest()

    def build(self) -> "ScalarMix | FineTunedEncoder":
        """Return a mix of layers, with the transformer before it if it is trained."""
        from tagger.nn.pretrained.transformer import FineTunedEncoder, PieceEncoder, ScalarMix

        mix, config = ScalarMix(len(self.layers), self.width), self.config
        if not config.trainable:
            return mix
        return FineTunedEncoder(
            PieceEncoder(copy.deepcopy(self.pretrained.model), self.layers),
            mix,
            windows=self.reader,
            learning_rate=config.learning_rate,
            warmup=config.warmup,
            layer_decay=config.layer_decay,
        )

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shapes of the weights of the mix."""
        shapes = {"weight": (len(self.layers),), "norm.weight": (self.width,), "norm.bias": (self.width,)}
        return {f"mix.{name}" if self.config.trainable else name: shape for name, shape in shapes.items()}

    @property
    def num_tuned(self) -> int:
        """Number of weights of the transformer if it is trained."""
        trained = self.pretrained.model.parameters() if self.config.trainable else ()
        return sum(parameter.numel() for parameter in trained)

    def arrays(self, passages: Sequence[Passage]) -> Rows:
        """Return the hidden states of the chosen layers in float16, (tokens, layers x width), or the ids of pieces."""
        pretrained = self.pretrained
        if self.config.trainable:
            words = [word for passage in passages for word in passage.tokens]
            return pretrained.pieces.padded(words, self.most_pieces)
        pieces = pretrained.pieces.pieces(passages, self.most_pieces)
        states = np.zeros((sum(len(p.tokens) for p in passages), len(self.layers) * self.width), np.float16)
        windows, owners = pieces.windows(pretrained.size), pieces.owners(self.config.pool)
        lengths = np.array([window.end - window.start for window in windows], np.int64)
        for rows in batches_by_length(lengths, BATCH_PIECES, overhead=BATCH_OVERHEAD):
            tokens, found = self._states(pieces, [windows[row] for row in rows], owners)
            states[tokens] = found
        return states

    @cached_property
    def _encoder(self) -> "PieceEncoder":
        from tagger.nn.pretrained.transformer import PieceEncoder

        return PieceEncoder(self.pretrained.model, self.layers)

    def _states(self, pieces: Pieces, windows: Sequence[Window], owners: Ints) -> tuple[Ints, NDArray[np.float16]]:
        """Return the tokens whose vectors are taken from windows, and these vectors."""
        import torch

        piece_ids, token_ids = self.reader.padded(pieces, windows, owners)
        tokens, numbers = np.unique(token_ids[token_ids >= 0], return_inverse=True)
        token_ids[token_ids >= 0] = numbers
        device = self.pretrained.model.device
        with torch.inference_mode():
            arrays = (torch.from_numpy(array).to(device) for array in (piece_ids, token_ids))
            states = self._encoder(*arrays, len(tokens))
            return tokens, states.clamp(-LARGEST, LARGEST).half().cpu().numpy()
