"""Which sentences go to train, dev and test where the files do not say it: by the row, or by shares cut with a seed."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.config import SplitConfig
from tagger.data.lazy import LazySentences
from tagger.data.sentence import Sentence

Splits = dict[str, list[Sentence]]
SPLITS = ("train", "dev", "test")


def split_files(splits: Mapping[str, list[list[Sentence]]], config: SplitConfig | None, seed: int) -> Splits:
    """Train, dev and test after the recipe's split, if it has one."""
    files = {name: splits.get(name, []) for name in SPLITS}
    if config is None or config.every is None:
        whole = {name: joined(files[name]) for name in SPLITS}
        return whole if config is None else _cut(whole, config, seed)
    goes = {config.dev: "dev", config.test: "test"}
    out: Splits = {"train": [], "dev": joined(files["dev"]), "test": joined(files["test"])}
    for file in files["train"]:
        for i, sentence in enumerate(file):
            out[goes.get(i % config.every, "train")].append(sentence)
    return out


def joined(files: Iterable[list[Sentence]]) -> list[Sentence]:
    """The sentences of files, one file behind the other."""
    return [sentence for file in files for sentence in file]


def _cut(splits: Splits, config: SplitConfig, seed: int) -> Splits:
    """Move seeded shares of train, at least one sentence each, to dev and test; the order of the sentences stays."""
    rows = cut_rows(len(splits["train"]), config, seed)
    kept = {"train": [], "dev": splits["dev"], "test": splits["test"]}
    return {name: [*kept[name], *taken(splits["train"], rows[name])] for name in SPLITS}


def cut_rows(total: int, config: SplitConfig, seed: int) -> dict[str, NDArray[np.int64]]:
    """Which of `total` rows go to each split, in order."""
    order = np.random.default_rng(seed).permutation(total)
    dev = _amount(config.dev, total, left=total)
    test = _amount(config.test, total, left=total - dev)
    parts = {"dev": order[:dev], "test": order[dev : dev + test], "train": order[dev + test :]}
    return {name: np.sort(part) for name, part in parts.items()}


def taken(sentences: Sequence[Sentence], rows: NDArray[np.int64]) -> Sequence[Sentence]:
    """The sentences of these rows; lazy ones stay in their file."""
    if isinstance(sentences, LazySentences):
        return sentences.select(rows)
    return [sentences[i] for i in rows.tolist()]


def _amount(share: float | None, total: int, *, left: int) -> int:
    """How many sentences a share is: at least one, and at most so many that one of those left stays in train."""
    return max(0, min(max(1, round(share * total)), left - 1)) if share else 0
