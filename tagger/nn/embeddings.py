"""Vectors of word forms: word vectors and what the characters say. Each distinct word of a batch is computed once.

Characters come as one long row, word after word, so that no word is padded to the length of another or cut. How words
become ids, and where pretrained vectors come from, is the business of others.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.nn.encoder import RecurrentEncoder


class WordVectors(nn.Module):
    """A vector for each word id: the first ids have trainable rows, the others frozen ones.

    The gradient of the trainable rows is sparse, so that a step costs what its batch has, not what the table has.

    Args:
        trainable: First values of the trainable rows, float32.
        frozen: The rows behind them, float16: half the memory, and exact where vectors were rounded on reading.
    """

    def __init__(
        self, trainable: Float[Tensor, "trainable embedding"], frozen: Float[Tensor, "frozen embedding"]
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(trainable.clone())
        self.register_buffer("frozen", frozen.clone())
        self.frozen: Tensor
        self.output_size = trainable.shape[1]

    def forward(self, word_ids: Int[Tensor, " types"]) -> Float[Tensor, "types embedding"]:
        """The vector of each word."""
        num_trainable = self.weight.shape[0]
        if self.frozen.shape[0] == 0:
            return F.embedding(word_ids, self.weight, sparse=True)
        learned = (word_ids < num_trainable).nonzero().squeeze(1)
        vectors = self.frozen[(word_ids - num_trainable).clamp(min=0)].to(self.weight.dtype)
        return vectors.index_copy(0, learned, F.embedding(word_ids[learned], self.weight, sparse=True))


class CharCNN(nn.Module):
    """A vector for each word: the largest response of each filter over the word's characters.

    Args:
        num_chars: Number of character ids; id 0 stands between words and is a vector of zeros.
        dimension: Width of a character's vector.
        hidden_size: Number of filters.
        width: Characters that a filter sees, an odd number.

    Source:
        Ma and Hovy (2016), section 2.1. Compared with nn.Conv1d, word by word, in tests/nn/test_embeddings.py.
    """

    def __init__(self, *, num_chars: int, dimension: int = 30, hidden_size: int = 50, width: int = 3) -> None:
        super().__init__()
        if width % 2 == 0:
            raise ValueError(f"width must be odd, got {width}")
        self.width = width
        self.embedding = _char_embedding(num_chars, dimension)
        self.filters = nn.Linear(dimension * width, hidden_size)
        self.output_size = hidden_size

    def forward(
        self, char_ids: Int[Tensor, " chars"], char_lengths: Int[Tensor, " types"]
    ) -> Float[Tensor, "types hidden"]:
        """The vector of each word, from the characters of all words one behind the other."""
        margin = self.width // 2
        words = torch.repeat_interleave(char_lengths)  # (chars,): the word of each character
        places = torch.arange(len(char_ids), device=char_ids.device) + margin * (words + 1)
        row = char_ids.new_zeros(len(char_ids) + margin * (len(char_lengths) + 1))
        row[places] = char_ids  # words with `margin` zeros between them
        vectors = self.embedding(row)
        windows = torch.cat([vectors[places + shift] for shift in range(-margin, margin + 1)], 1)
        responses: Tensor = self.filters(windows)  # (chars, hidden)
        longest: Tensor = torch.segment_reduce(responses, "max", lengths=char_lengths, axis=0)
        return longest


class CharLSTM(nn.Module):
    """A vector for each word: the final states of a bidirectional LSTM over its characters.

    Words are taken in groups of like length, so that a long word costs only itself.

    Source:
        Lample et al. (2016), section 4.1. Compared with a word-by-word LSTM in tests/nn/test_embeddings.py.
    """

    def __init__(self, *, num_chars: int, dimension: int = 30, hidden_size: int = 50) -> None:
        super().__init__()
        self.embedding = _char_embedding(num_chars, dimension)
        self.encoder = RecurrentEncoder(input_size=dimension, hidden_size=(hidden_size + 1) // 2)
        self.output_size = self.encoder.output_size

    def forward(
        self, char_ids: Int[Tensor, " chars"], char_lengths: Int[Tensor, " types"]
    ) -> Float[Tensor, "types hidden"]:
        """The vector of each word, from the characters of all words one behind the other."""
        vectors = self.embedding(char_ids)  # (chars, embedding)
        starts = char_lengths.cumsum(0) - char_lengths
        group = torch.log2(char_lengths.float()).ceil()
        parts, places = [], []
        for value in group.unique():
            chosen = (group == value).nonzero().squeeze(1)
            lengths = char_lengths[chosen]
            positions = torch.arange(int(lengths.max()), device=char_ids.device)
            mask = positions < lengths.unsqueeze(1)  # (types, chars)
            padded = vectors[(starts[chosen].unsqueeze(1) + positions).clamp(max=len(char_ids) - 1)]
            states = self.encoder(padded, mask)
            half = self.encoder.forward_size
            last = states[torch.arange(len(chosen), device=char_ids.device), lengths - 1, :half]
            parts.append(torch.cat((last, states[:, 0, half:]), 1))
            places.append(chosen)
        return torch.cat(parts)[torch.cat(places).argsort()]


def _char_embedding(num_chars: int, dimension: int) -> nn.Embedding:
    """A table of character vectors, uniform with variance 1 / dimension as Ma and Hovy have it; row 0 is zero."""
    table = nn.Embedding(num_chars, dimension, padding_idx=0)
    bound = (3 / dimension) ** 0.5
    nn.init.uniform_(table.weight, -bound, bound)
    table.weight.data[0] = 0
    return table
