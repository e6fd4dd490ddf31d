"""Words as ids of the pieces that a transformer reads, by a fast tokeniser of Hugging Face.

Words are split before, so each word is split into pieces alone, and equal words have equal pieces.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.features.encoders.windows import NONE, Ints, Pieces
from tagger.features.passages import Passage

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class PieceTokenizer:
    """Splits words into pieces.

    Args:
        tokenizer: The tokeniser of `tokenizers`.
        before: Ids of the special pieces before a text.
        after: Ids of the special pieces after it.
        spaced: Whether a word is read with a space before it, without which byte-level tokenisers take it for the rest
            of the word before.
    """

    tokenizer: "Tokenizer"
    before: tuple[int, ...]
    after: tuple[int, ...]
    spaced: bool

    @classmethod
    def of(cls, state: str) -> "PieceTokenizer":
        """Return the tokeniser of a `tokenizer.json`.

        Raises:
            ValueError: It has no piece for the word that shows where special pieces are.
        """
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(state)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True  # the word "[SEP]" is a word of the text as any other
        found = tokenizer.encode(["a"], is_pretokenized=True)
        if 0 not in found.special_tokens_mask:
            raise ValueError("its tokeniser must have a piece for every word")
        first, last = found.special_tokens_mask.index(0), found.special_tokens_mask[::-1].index(0)
        before, after = found.ids[:first], found.ids[len(found.ids) - last :]
        return cls(tokenizer, tuple(before), tuple(after), _is_byte_level(json.loads(state)["pre_tokenizer"]))

    def table(self, words: Iterable[str], most: int) -> dict[str, list[int]]:
        """Return the ids of the pieces of each distinct word: none for a word that the tokeniser removes.

        Args:
            words: The words.
            most: Number of pieces of a word; of a longer word, the first and the last half of them are read.
        """
        return {word: _shortened(self._ids(word), most) for word in dict.fromkeys(words)}

    def _ids(self, word: str) -> list[int]:
        valid = word.encode(errors="replace").decode()  # half of a surrogate pair is no text
        read = f" {valid}" if self.spaced else valid
        ids: list[int] = self.tokenizer.encode([read], is_pretokenized=True, add_special_tokens=False).ids
        return ids

    def pieces(self, passages: Sequence[Passage], most: int) -> Pieces:
        """Return the pieces of passages; the tokens of their sentences are the rows, one after another."""
        texts = [(*passage.before, *passage.tokens, *passage.after) for passage in passages]
        words = [word for text in texts for word in text]
        table = self.table(words, most)
        found = [table[word] for word in words]
        parts = [len(part) for passage in passages for part in (passage.before, passage.tokens, passage.after)]
        kept = np.repeat(np.tile([False, True, False], len(passages)), parts)
        return Pieces(
            ids=np.array([i for ids in found for i in ids], np.int64),
            counts=np.array([len(ids) for ids in found], np.int64),
            lengths=np.array([len(text) for text in texts], np.int64),
            rows=np.where(kept, np.cumsum(kept) - 1, NONE).astype(np.int64),
        )

    def padded(self, words: Sequence[str], most: int) -> Ints:
        """Return the ids of the pieces of words, of shape (words, pieces); -1 where there is no piece."""
        table = self.table(words, most)
        rows = np.full((len(words), max((len(ids) for ids in table.values()), default=0)), NONE, np.int64)
        for row, word in zip(rows, words, strict=True):
            row[: len(table[word])] = table[word]
        return rows


def _is_byte_level(pre_tokenizer: Mapping[str, Any] | None) -> bool:
    parts = (pre_tokenizer or {}).get("pretokenizers", [pre_tokenizer or {}])
    return any(part.get("type") == "ByteLevel" for part in parts)


def _shortened(ids: list[int], most: int) -> list[int]:
    half = most // 2
    return ids if len(ids) <= most else ids[: most - half] + ids[len(ids) - half :]
