"""States of a character language model at the words of a sentence, which know the text on the left and on the right.

The model is trained before, on any text, by `tagger pretrain`, and is not changed. The network reads its states through
layer norm. A sentence is shown to it as in its training: tokens with single spaces between them, and line breaks
between sentences.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import chain, pairwise
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tagger.config import CharLMConfig
from tagger.errors import ModelError
from tagger.features.feature import Given, TokenFeature
from tagger.features.passages import Passage
from tagger.files.tensor_header import described_of
from tagger.pretraining.characters import BREAK

if TYPE_CHECKING:
    import torch
    from torch import nn

    from tagger.nn.pretrained.charlm import CharacterModel
    from tagger.pretraining.model import CharLM

ROWS, CELLS = 64, 65_536  # most texts, and most characters with padding, that are read at once
Ends = NDArray[np.int64]


class CharLMFeature(TokenFeature[CharLMConfig]):
    """The state after the last character of a word from the left, beside that after its first from the right.

    Args:
        name: Its name in the recipe.
        config: Its section of the recipe.
        content: The model, as `charlm_to_bytes` writes it.

    Source:
        Akbik, Blythe and Vollgraf (2018), section 2.2, but for the character after and before a word, which is not
        read. Compared with a loop over characters in tests/features/test_charlm.py.
    """

    suffix: ClassVar[str] = "safetensors"
    version: ClassVar[int] = 2

    def __init__(self, name: str, config: CharLMConfig, content: bytes) -> None:
        super().__init__(name, config)
        self._content = content
        hidden_size = described_of(content, self._where).get("hidden_size")
        if not isinstance(hidden_size, int):
            raise ModelError(f"{self._where}: the file is damaged: it does not say the size of a state; copy it again")
        self._states = 2 * hidden_size
        self._device: str | torch.device = "cpu"

    @classmethod
    def prepare(cls, name: str, config: CharLMConfig, given: Given) -> Self:
        """Read the model in the folder that the recipe names."""
        from tagger.pretraining.model import charlm_to_bytes, read_charlm

        prepared = cls(name, config, charlm_to_bytes(read_charlm(given.folder / config.model)))
        prepared.to(given.device)
        return prepared

    @classmethod
    def restore(cls, name: str, config: CharLMConfig, content: bytes) -> Self:
        """Return the feature of a trained model."""
        return cls(name, config, content)

    def to(self, device: "str | torch.device") -> None:
        """Move the model to a device, also if it is read later."""
        self._device = device
        if "_model" in self.__dict__:
            self._model.network.to(device)

    def content(self, part: "nn.Module | None") -> bytes:
        """Return the character language model as one file."""
        return self._content

    @property
    def width(self) -> int:
        """Number of features of a token: those of both states, or fewer if they are projected."""
        return self.config.width or self._states

    @property
    def context(self) -> int:
        """Number of tokens of neighbouring sentences that it reads on each side."""
        return self.config.context

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the model."""
        return sha256(self._content).hexdigest()

    def build(self) -> "nn.Module":
        """Return layer norm and maybe a projection."""
        from tagger.nn.pretrained.charlm import NormedStates

        return NormedStates(self._states, self.config.width)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shapes of layer norm and of the projection."""
        found: dict[str, tuple[int, ...]] = {"norm.weight": (self._states,), "norm.bias": (self._states,)}
        if self.config.width is not None:
            found |= {
                "projection.weight": (self.config.width, self._states),
                "projection.bias": (self.config.width,),
            }
        return found

    def arrays(self, passages: Sequence[Passage]) -> NDArray[np.float16]:
        """Return both states of each token, of shape (tokens, states)."""
        rightward, leftward = self._model.network.directions
        left = self._states_of(rightward, [_text(p.tokens, p.before, p.starts_before) for p in passages])
        mirrored = [
            _text(_mirrored(p.tokens), _mirrored(p.after), [len(p.after) - start for start in reversed(p.starts_after)])
            for p in passages
        ]
        right = self._states_of(leftward, mirrored)
        # The tokens of each passage were read from the last to the first.
        starts = np.cumsum([0, *(len(passage.tokens) for passage in passages)])
        order = [range(stop - 1, start - 1, -1) for start, stop in pairwise(starts.tolist())]
        return np.concatenate([left, right[np.array(list(chain(*order)), np.int64)]], 1)

    def _states_of(self, network: "CharacterModel", texts: Sequence[tuple[str, Ends]]) -> NDArray[np.float16]:
        """Return the states at the ends of words in texts, of shape (words, hidden), one text after another."""
        import torch

        found = np.empty((sum(len(ends) for _, ends in texts), self._states // 2), np.float16)
        places = np.cumsum([0, *(len(ends) for _, ends in texts)])
        ids = [torch.from_numpy(self._model.characters.ids(text).astype(np.int32)) for text, _ in texts]
        for batch in _batches([len(text) for text, _ in texts]):
            rows = np.repeat(np.arange(len(batch)), [len(texts[i][1]) for i in batch])
            ends = np.concatenate([texts[i][1] for i in batch])
            padded = torch.nn.utils.rnn.pad_sequence([ids[i] for i in batch], batch_first=True)
            read = (padded, torch.from_numpy(rows), torch.from_numpy(ends))
            states = network.states_at(*(tensor.to(self._device) for tensor in read))
            found[np.concatenate([np.arange(places[i], places[i + 1]) for i in batch])] = states.cpu().numpy()
        return found

    @cached_property
    def _model(self) -> "CharLM":
        from tagger.pretraining.model import charlm_from_bytes

        model = charlm_from_bytes(self._content, self._where)
        model.network.to(self._device)
        return model

    @property
    def _where(self) -> str:
        return f"feature `{self.name}`"


def _text(tokens: Sequence[str], before: Sequence[str], starts: Sequence[int]) -> tuple[str, Ends]:
    """Return what a model reads up to the last token, and the position of the last character of each token.

    That of an empty token is the position before it.

    Args:
        tokens: The tokens of a sentence.
        before: Tokens of sentences that are read before it.
        starts: Positions in `before`, but the first, at which a sentence starts.
    """
    sentences = [before[start:stop] for start, stop in pairwise([0, *starts, len(before)])] if before else []
    start = BREAK + "".join(" ".join(sentence) + BREAK for sentence in sentences)
    ends = np.cumsum([len(token) + 1 for token in tokens], dtype=np.int64) + len(start) - 2
    return start + " ".join(tokens), ends


def _mirrored(tokens: Sequence[str]) -> list[str]:
    """Return tokens as they are read from the right."""
    return [token[::-1] for token in reversed(tokens)]


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return the numbers of texts in batches of similar length."""
    batches: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and len(batches[-1]) < ROWS and lengths[i] * (len(batches[-1]) + 1) <= CELLS:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
