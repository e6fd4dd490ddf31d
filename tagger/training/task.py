"""What a network learns: the training sentences, how an epoch draws from them, and the weight of each loss."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.config import Sampling, TrainingConfig
from tagger.encoding.batches import EncodedSentences, Ids, shuffled_batches

PART = 2**20  # numbers that are hashed at once


@dataclass(frozen=True, slots=True)
class Task:
    """What a network learns, and how.

    Args:
        sentences: The training sentences of all corpora, one corpus after another.
        config: The section `training` of the recipe.
        parts: Number of sentences of each corpus, and number of them in an epoch.
        head_weights: Weight of the loss of each layer.
        seed: Determines the order of the sentences.
        taught_weights: Weight of the loss of each layer against its teacher, for sentences that have one.
        place: Returns where a sentence was read, such as `train.conll:12`; empty if that is unknown.
    """

    sentences: EncodedSentences
    config: TrainingConfig
    parts: Sequence[tuple[int, int]]
    head_weights: Mapping[str, float]
    seed: int
    taught_weights: Mapping[str, float] = field(default_factory=dict)
    place: Callable[[int], str] = lambda row: ""

    def shown(self, rows: Iterable[int], most: int) -> str:
        """Return the places of sentences, as an error names them: up to so many of them; empty if none is known."""
        places = [place for row in rows if (place := self.place(int(row)))]
        more = f" and {len(places) - most} more" if len(places) > most else ""
        return f" (at {', '.join(places[:most])}{more})" if places else ""

    def digest(self) -> str:
        """Return a hash of the sentences and of what is learned of them, apart from features."""
        found, each = sha256(), self.sentences
        named = (each.tag_targets, each.label_targets, each.taught_tags, each.taught_shares, each.taught_labels)
        arrays = [each.word_ids, each.char_ids, each.type_ids, each.starts]
        for array in (*arrays, *(array for layers in named for array in layers.values())):
            for first in range(0, len(array), PART):
                found.update(_widened(array[first : first + PART]).data)
        return found.hexdigest()

    def draw_batches(self, rng: np.random.Generator) -> list[Ids]:
        """Return the rows of each batch of an epoch, in random order.

        The sentences of a corpus occur equally often, or some of them once more than the others.
        """
        lengths, config = self.sentences.lengths, self.config
        pools, start = [], 0
        for size, drawn in self.parts:
            whole, rest = divmod(drawn, size)
            pools.append(np.concatenate([*[np.arange(size)] * whole, rng.permutation(size)[:rest]]) + start)
            start += size
        if config.batches == "mixed":
            pools = [np.concatenate(pools)]
        batches = [rows[part] for rows in pools for part in shuffled_batches(lengths[rows], config.batch_size, rng)]
        if len(pools) > 1:
            rng.shuffle(batches)
        return batches

    @property
    def num_batches(self) -> int:
        """Number of batches of an epoch."""
        sizes = [drawn for _, drawn in self.parts]
        pools = [sum(sizes)] if self.config.batches == "mixed" else sizes
        return sum(math.ceil(size / self.config.batch_size) for size in pools)


def _widened(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array with ids of at least four bytes: equal ids have equal bytes, whichever type holds them."""
    return np.ascontiguousarray(array, np.int32 if array.dtype.kind == "i" and array.itemsize < 4 else None)


def share_epoch(sizes: Sequence[int], weights: Sequence[float], sampling: Sampling) -> list[int]:
    """Return the number of sentences of each corpus in an epoch, at least one.

    Args:
        sizes: Number of sentences of each corpus.
        weights: Weight of each corpus.
        sampling: With `proportion`, a corpus contributes its size times its weight. The others keep the total length of
            that epoch, and divide it in proportion to the weight times the square root of the size (`sqrt`), or to the
            weight only (`even`).
    """
    by_size = [size * weight for size, weight in zip(sizes, weights, strict=True)]
    match sampling:
        case "proportion":
            shares = by_size
        case "sqrt":
            shares = [math.sqrt(size) * weight for size, weight in zip(sizes, weights, strict=True)]
        case "even":
            shares = list(weights)
    return [max(1, round(share * sum(by_size) / sum(shares))) for share in shares]
