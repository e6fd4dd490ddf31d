"""The memory that a training needs at least, compared with what the machine has before anything is allocated."""

import os
from collections.abc import Iterator, Sequence
from heapq import nlargest
from math import prod
from pathlib import Path

import torch

from tagger.config import Recipe, widths_of
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError
from tagger.features.table import Features, total_width
from tagger.heads.head import FLOAT, Sizes
from tagger.heads.table import heads_of
from tagger.model.shapes import GATES, encoder_shapes

GIB = 2**30
CHARS = 1  # per token, of the distinct words of a batch: fewer than in any real text
CGROUP, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def check_memory(
    recipe: Recipe, vocabulary: Vocabulary, lengths: Sequence[int], *, vectors: int, features: Features, device: str
) -> None:
    """Refuse a training that cannot fit into the memory of its device.

    Args:
        recipe: Gives the sizes of the layers and of a batch.
        vocabulary: Gives the numbers of words, characters and labels.
        lengths: Number of tokens of each training sentence.
        vectors: Width of a word vector.
        features: The features of words and sentences, by name.
        device: Where the network runs.

    Raises:
        RecipeError: It needs more than there is, although the estimate counts only what is certain.
    """
    parts = estimate_memory(recipe, vocabulary, lengths, vectors=vectors, features=features)
    needed, limit = sum(parts.values()), memory_limit(device)
    if needed > limit:
        largest = max(parts, key=lambda part: parts[part])
        raise RecipeError(
            f'training needs at least {needed / GIB:,.1f} GiB of memory, but the device "{device}" has '
            f"{limit / GIB:,.1f} GiB; {parts[largest] / GIB:,.1f} GiB are for {largest}: choose smaller values there"
        )


def estimate_memory(
    recipe: Recipe, vocabulary: Vocabulary, lengths: Sequence[int], *, vectors: int, features: Features
) -> dict[str, float]:
    """Return the bytes that a training needs at least, by what they depend on.

    Weights count with their gradients, the state of the optimiser and the copy of the best epoch; activations are
    those of the batch with the longest sentences.

    Source:
        Compared with the peak of trainings in tests/running/fitting/test_memory.py.
    """
    embeddings, encoder, training = recipe.embeddings, recipe.encoder, recipe.training
    copies = FLOAT * (4 + (training.optimizer == "adam") + bool(training.average))
    at_once = -(-training.batch_size // training.accumulate)
    tokens, sentences = sum(nlargest(at_once, lengths)), min(at_once, len(lengths))
    chars, _, states, output, inputs = widths = widths_of(embeddings, encoder, vectors, total_width(features))
    trained, gates = vocabulary.num_trainable, GATES.get(encoder.cell, 0)  # a cell of others: its states alone
    parts: dict[str, float] = {
        "the word vectors (`embeddings`)": vectors * (copies * trained + 2 * (len(vocabulary.words) + 1 - trained)),
        "`embeddings.char_hidden` and `embeddings.char_dimension`": copies * 3 * chars * embeddings.char_dimension,
        "`encoder.hidden_size` and `encoder.layers`": copies
        * sum(prod(shape) for shape in encoder_shapes(encoder, widths).values()),
        "`training.batch_size` and the longest sentences": FLOAT
        * tokens
        * (CHARS * chars + 2 * inputs[0] + encoder.layers * (gates + 2) * states / encoder.stride),
    }
    for name, feature in features.items():
        own = sum(prod(shape) for shape in feature.shapes().values()) + feature.num_tuned
        parts[f"`features.{name}`"] = copies * own
    sizes = Sizes(output, sentences, tokens, copies)
    heads = heads_of(recipe.layers).items()
    return parts | dict(head.memory(len(vocabulary.labels[layer]), sizes) for layer, head in heads)


def memory_limit(device: str) -> float:
    """Return the bytes that a device has: of a CPU, what its machine or container has; infinity where none can say."""
    if torch.device(device).type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else float("inf")
    return float(min([physical, *_cgroup_limits()]))


def _cgroup_limits() -> Iterator[int]:
    """Yield the limits on the control groups of this process, from its own up to the outermost that it sees."""
    try:
        lines = OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (CGROUP / "memory", "memory.limit_in_bytes") if controllers else (CGROUP, "memory.max")
        folder = root / path.lstrip("/")
        for place in (folder, *folder.parents):
            try:
                yield int((place / name).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # no limit here: no such file, or the word "max"
