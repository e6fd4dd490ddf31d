"""Split train, dev and test where files do not: by row number, or randomly by shares and a seed."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.config import SplitConfig
from tagger.hub.lazy import selected
from tagger.text.sentence import Sentence

Splits = dict[str, Sequence[Sentence]]
SPLITS = ("train", "dev", "test")


def split_files(splits: Mapping[str, Sequence[Sequence[Sentence]]], config: SplitConfig | None, seed: int) -> Splits:
    """Return the sentences of train, dev and test, in the order of the files.

    A split by row number applies to each file of train, a split by shares to all of them together. Lazy sentences stay
    lazy in train.

    Args:
        splits: The sentences of each file of each split.
        config: The split of the recipe, if it has one.
        seed: Seed of a random split.
    """
    files = {name: list(splits.get(name, [])) for name in SPLITS}
    if config is not None:
        train = files["train"] if config.every is not None else [joined(files["train"])]
        parts = [(file, split_rows(len(file), config, seed)) for file in train]
        files["train"] = [selected(file, rows["train"]) for file, rows in parts]
        for name in ("dev", "test"):
            files[name] += [list(selected(file, rows[name])) for file, rows in parts]
    return {name: joined(files[name]) for name in SPLITS}


def joined(files: Sequence[Sequence[Sentence]]) -> Sequence[Sentence]:
    """Return the sentences of all files, one file after the other; those of a single file unchanged."""
    return files[0] if len(files) == 1 else [sentence for file in files for sentence in file]


def split_rows(total: int, config: SplitConfig, seed: int) -> dict[str, NDArray[np.int64]]:
    """Return which of `total` rows go to each split, in order."""
    if config.every is None:
        return _cut_rows(total, config, seed)
    remainders = np.arange(total) % config.every
    chosen = {"dev": config.dev, "test": config.test}
    rows = {name: np.flatnonzero(remainders == (-1 if rest is None else rest)) for name, rest in chosen.items()}
    return {"train": np.setdiff1d(np.arange(total), np.concatenate([*rows.values()])), **rows}


def _cut_rows(total: int, config: SplitConfig, seed: int) -> dict[str, NDArray[np.int64]]:
    """Return random shares of the rows, each of at least one row."""
    order = np.random.default_rng(seed).permutation(total)
    dev = _amount(config.dev, total, left=total)
    test = _amount(config.test, total, left=total - dev)
    parts = {"dev": order[:dev], "test": order[dev : dev + test], "train": order[dev + test :]}
    return {name: np.sort(part) for name, part in parts.items()}


def _amount(share: float | None, total: int, *, left: int) -> int:
    """Return the number of sentences of a share: at least one, but one of those left must stay in train."""
    return max(0, min(max(1, round(share * total)), left - 1)) if share else 0
