"""Vectors of word forms: word vectors and character vectors, computed once for each distinct word of a batch.

Characters are given as one long row, word after word, so that no word is padded or cut. Vocabulary and pretrained
vectors are in `tagger/encoding/`.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.nn.encoder import RecurrentEncoder
from tagger.numpy_nn.eight_bits import HIGHEST, LOWEST, MOST


class WordVectors(nn.Module):
    """A vector for each word id: the first ids have trainable rows, the others frozen ones.

    The gradient of the trainable rows is sparse, so a step costs time for the words of its batch, not of the table.

    Args:
        trainable: Initial values of the trainable rows, float32.
        frozen: The rows after them, float16: half the memory, and exact where vectors were rounded on reading.
        quantized: Whether vectors are rounded to 8 bits, each by a power of two of its word. Gradients pass through.
    """

    def __init__(
        self,
        trainable: Float[Tensor, "trainable embedding"],
        frozen: Float[Tensor, "frozen embedding"],
        *,
        quantized: bool = False,
    ) -> None:
        super().__init__()
        self.quantized = quantized
        self.weight = nn.Parameter(trainable.clone())
        self.register_buffer("frozen", in_eight_bits(frozen.float()).half() if quantized else frozen.clone())
        self.frozen: Tensor
        self.output_size = trainable.shape[1]

    def forward(self, word_ids: Int[Tensor, " types"]) -> Float[Tensor, "types embedding"]:
        """Return the vector of each word."""
        num_trainable = self.weight.shape[0]
        if self.frozen.shape[0] == 0:
            return self._trained(word_ids)
        # Read a frozen row for every word, then overwrite those of trainable words; only these get a gradient.
        trainable = (word_ids < num_trainable).nonzero().squeeze(1)
        vectors = self.frozen[(word_ids - num_trainable).clamp(min=0)].to(self.weight.dtype)
        return vectors.index_copy(0, trainable, self._trained(word_ids[trainable]))

    def _trained(self, word_ids: Int[Tensor, " types"]) -> Float[Tensor, "types embedding"]:
        """Return the vectors of words with trainable rows."""
        vectors = F.embedding(word_ids, self.weight, sparse=True)
        if not self.quantized:
            return vectors
        return in_eight_bits(vectors.detach()) + (vectors - vectors.detach())  # the second part is 0, with a gradient


def in_eight_bits(rows: Float[Tensor, "rows numbers"]) -> Float[Tensor, "rows numbers"]:
    """Return rows whose numbers are whole numbers of eight bits times a power of two, the smallest that fits the row.

    Compared with NumPy, which writes them to files, in tests/encoding/test_eight_bits.py.
    """
    if not rows.numel():
        return rows
    top = rows.abs().amax(1)
    exponents = torch.frexp(top / MOST).exponent
    exponents = exponents - (top <= torch.ldexp(torch.full_like(top, MOST), exponents - 1)).int()
    exponents = exponents.clamp(LOWEST, HIGHEST).unsqueeze(1)
    return torch.ldexp(torch.ldexp(rows, -exponents).round().clamp(-MOST, MOST), exponents)


class CharCNN(nn.Module):
    """A vector for each word: the largest response of each filter over the word's characters.

    Args:
        num_chars: Number of character ids; id 0 is padding and has a vector of zeros.
        dimension: Width of a character's vector.
        hidden_size: Number of filters.
        width: Number of characters that a filter covers, an odd number.

    Raises:
        ValueError: The width is even.

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
        """Return the vector of each word, from the characters of all words, one word after another."""
        # A convolution over one row with `margin` zeros between the words: windows never reach into another word. The
        # character at index c of word w is at c + margin * (w + 1) in that row.
        margin = self.width // 2
        words = torch.repeat_interleave(char_lengths)  # (chars,): the word of each character
        places = torch.arange(len(char_ids), device=char_ids.device) + margin * (words + 1)
        row = char_ids.new_zeros(len(char_ids) + margin * (len(char_lengths) + 1))
        row[places] = char_ids
        vectors = self.embedding(row)
        windows = torch.cat([vectors[places + shift] for shift in range(-margin, margin + 1)], 1)
        responses: Tensor = self.filters(windows)  # (chars, hidden)
        longest: Tensor = torch.segment_reduce(responses, "max", lengths=char_lengths, axis=0)
        return longest


class CharLSTM(nn.Module):
    """A vector for each word: the final states of a bidirectional LSTM over its characters.

    Words run in groups of similar length, so that one long word does not add padding to all others.

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
        """Return the vector of each word, from the characters of all words, one word after another."""
        vectors = self.embedding(char_ids)  # (chars, embedding)
        starts = char_lengths.cumsum(0) - char_lengths
        group = torch.log2(char_lengths.float()).ceil()  # lengths 1, 2, 3-4, 5-8, ...: less than half is padding
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
    """Return a table of character vectors, uniform with variance 1 / dimension as in Ma and Hovy; row 0 is zero."""
    table = nn.Embedding(num_chars, dimension, padding_idx=0)
    bound = (3 / dimension) ** 0.5
    nn.init.uniform_(table.weight, -bound, bound)
    table.weight.data[0] = 0
    return table
