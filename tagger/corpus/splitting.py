"""Split train, dev and test where files do not, by number or randomly by shares and a seed. Cut sentences into folds.

What belongs together stays together: the sentences of a document, or those with the same value of a key. Sentences
without a document are cut one by one.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.config import SplitConfig
from tagger.corpus.metadata import value_of
from tagger.errors import DataError, RecipeError
from tagger.hub.lazy import documents_of, is_lazy, selected
from tagger.text.sentence import Sentence
from tagger.wording import counted

Splits = dict[str, Sequence[Sentence]]
SPLITS = ("train", "dev", "test")
SENTENCE = "sentence"  # as `group`: cut between any two sentences


class Groups(NamedTuple):
    """The sentences that stay together.

    Args:
        ids: The number of the group of each sentence; the first sentences of the groups are in the order of numbers.
        noun: What a group is.
        total: The number of groups.
    """

    ids: NDArray[np.int64]
    noun: str
    total: int


def split_files(
    splits: Mapping[str, Sequence[Sequence[Sentence]]], config: SplitConfig | None
) -> tuple[Splits, list[str]]:
    """Return the sentences of train, dev and test, in the order of the files, and notes on what was cut.

    A split by number applies to each file of train, a split by shares to all of them together. Lazy sentences stay
    lazy in train.

    Args:
        splits: The sentences of each file of each split.
        config: The split of the recipe, if it has one.

    Raises:
        DataError: There are too few groups, or a sentence lacks the key that groups it.
        RecipeError: A key is to group lazy sentences.
    """
    files = {name: list(splits.get(name, [])) for name in SPLITS}
    notes: list[str] = []
    if config is not None and (config.dev is not None or config.test is not None):
        train = files["train"] if config.every is not None else [joined(files["train"])]
        found = [(file, groups_of(file, config.group)) for file in train]
        parts = [(file, split_rows(groups, config)) for file, groups in found]
        files["train"] = [selected(file, rows["train"]) for file, rows in parts]
        for name in ("dev", "test"):
            files[name] += [list(selected(file, rows[name])) for file, rows in parts]
        notes = [_note(groups, rows, config) for (_, groups), (_, rows) in zip(found, parts, strict=True)]
    cut: Splits = {name: joined(files[name]) for name in SPLITS}
    if config is not None and config.fold is not None:
        cut, note = with_fold(cut, config)
        notes.append(note)
    return cut, list(dict.fromkeys(note for note in notes if note))


def with_fold(splits: Splits, config: SplitConfig) -> tuple[Splits, str]:
    """Return the splits with one fold of train as test, and a note on it.

    Raises:
        DataError: There are fewer documents than folds.
    """
    number, total = config.fold or (1, 1)
    train = splits["train"]
    rows = fold_rows(train, total, seed=config.seed, group=config.group)[number - 1]
    rest = np.setdiff1d(np.arange(len(train)), rows)
    instead = ", in place of the test split" if splits["test"] else ""
    note = (
        f"fold {number} of {total} by seed {config.seed}: test is {len(rows)} of {len(train)} train sentences{instead}"
    )
    return {**splits, "train": selected(train, rest), "test": list(selected(train, rows))}, note


def joined(files: Sequence[Sequence[Sentence]]) -> Sequence[Sentence]:
    """Return the sentences of all files, one file after the other; those of a single file unchanged."""
    return files[0] if len(files) == 1 else [sentence for file in files for sentence in file]


def groups_of(sentences: Sequence[Sentence], group: str | None) -> Groups:
    """Return which sentences stay together: those of a document, or those with one value of a key.

    Args:
        sentences: The sentences.
        group: A key of their records or comments, `sentence` for none, or None for their documents.

    Raises:
        DataError: A sentence lacks the key.
        RecipeError: The sentences are lazy and a key is given.
    """
    if group == SENTENCE:
        return Groups(np.arange(len(sentences)), "sentence", len(sentences))
    if group is None:
        names: Sequence[str | None] = documents_of(sentences)
        noun = "document" if any(name is not None for name in names) else "sentence"
    elif is_lazy(sentences):
        raise RecipeError(f"`split.group` must not be given beside `lazy`, got {group!r}; remove one of the two")
    else:
        names, noun = [value_of(sentence, group) for sentence in sentences], f"value of `{group}`"
    numbers: dict[object, int] = {}
    keys = (("", i) if name is None else name for i, name in enumerate(names))
    ids = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    return Groups(ids, noun, len(numbers))


def split_rows(groups: Groups, config: SplitConfig) -> dict[str, NDArray[np.int64]]:
    """Return which sentences go to each split, in order.

    Raises:
        DataError: There are too few groups for the splits.
    """
    chosen = _by_number(groups.total, config) if config.every is not None else _by_shares(groups, config)
    return {name: np.flatnonzero(np.isin(groups.ids, chosen[name])) for name in SPLITS}


def fold_rows(
    sentences: Sequence[Sentence], number: int, *, seed: int = 1, group: str | None = None
) -> list[NDArray[np.int64]]:
    """Return the rows of each fold, in order; each sentence is in one fold, and documents stay together.

    Documents are taken in random order, and each goes to the fold with the fewest sentences so far. So the folds of
    sentences without documents differ by one sentence at most.

    Args:
        sentences: The sentences.
        number: The number of folds, at least 2.
        seed: Seed of the order.
        group: What stays together, as for `groups_of`.

    Raises:
        DataError: There are fewer documents than folds, or a sentence lacks the key of the group.
        RecipeError: The sentences are lazy and a key is given.
    """
    groups = groups_of(sentences, group)
    if groups.total < number:
        advice = "use fewer folds"
        if groups.noun != "sentence":
            advice += f', or cut inside with group = "{SENTENCE}"'
        raise DataError(
            f"each {groups.noun} stays whole, so {number} folds need at least {number} of them, got {groups.total} for "
            f"{counted(len(groups.ids), 'sentence')}; {advice}"
        )
    sizes, filled = np.bincount(groups.ids, minlength=groups.total), np.zeros(number, np.int64)
    fold_of = np.empty(groups.total, np.int64)
    for one in np.random.default_rng(seed).permutation(groups.total):
        fold_of[one] = np.argmin(filled)
        filled[fold_of[one]] += sizes[one]
    return [np.flatnonzero(fold_of[groups.ids] == fold) for fold in range(number)]


def _by_number(total: int, config: SplitConfig) -> dict[str, NDArray[np.int64]]:
    """Return the groups of each split, by the remainder of their number."""
    remainders = np.arange(total) % (config.every or 1)
    wanted = {"dev": config.dev, "test": config.test}
    groups = {name: np.flatnonzero(remainders == (-1 if rest is None else rest)) for name, rest in wanted.items()}
    return {"train": np.setdiff1d(np.arange(total), np.concatenate([*groups.values()])), **groups}


def _by_shares(groups: Groups, config: SplitConfig) -> dict[str, NDArray[np.int64]]:
    """Return groups for each split, random ones or in order, with shares of the sentences as near as groups allow."""
    shares = {"dev": config.dev, "test": config.test}
    wanted = {name: share for name, share in shares.items() if share}
    is_whole = groups.noun != "sentence"
    if is_whole and groups.total <= len(wanted):
        advice = ", ".join(f"{name} = {share}" for name, share in wanted.items())
        raise DataError(
            f"each {groups.noun} stays whole, so cutting {' and '.join(wanted)} from train needs at least "
            f"{len(wanted) + 1} of them, got {groups.total} for {counted(len(groups.ids), 'sentence')}; name other "
            f'files for {" and ".join(wanted)}, or cut inside: split = {{ {advice}, group = "{SENTENCE}" }}'
        )
    if config.shuffle:
        order, first, second = np.random.default_rng(config.seed).permutation(groups.total), "dev", "test"
    else:
        order, first, second = np.arange(groups.total)[::-1], "test", "dev"  # from the end
    sizes = np.bincount(groups.ids, minlength=groups.total)[order]
    one = _amount(shares[first], sizes, start=0, keep=len(wanted) if is_whole else 1)
    other = one + _amount(shares[second], sizes, start=one, keep=1)
    return {first: order[:one], second: order[one:other], "train": order[other:]}


def _amount(share: float | None, sizes: NDArray[np.int64], *, start: int, keep: int) -> int:
    """Return how many groups from `start` on are nearest to a share of all sentences.

    It is one at least, but `keep` groups are left over.
    """
    most = len(sizes) - start - keep
    if not share or most < 1:
        return 0
    target = max(1, round(share * int(sizes.sum())))
    return 1 + int(np.argmin(np.abs(np.cumsum(sizes[start : start + most]) - target)))


def _note(groups: Groups, rows: Mapping[str, NDArray[np.int64]], config: SplitConfig) -> str:
    """Return a note on what was cut at random, or by other groups than sentences; empty for every n-th sentence."""
    if config.every is not None and groups.noun == "sentence":
        return ""
    plain = groups.noun == "sentence"
    parts = []
    for name in (name for name in ("dev", "test") if len(rows[name])):
        number = len(np.unique(groups.ids[rows[name]]))
        whole = f" of {plural(groups.noun, number)}" if not plain else ""
        parts.append(f"{counted(len(rows[name]), 'sentence')}{whole} for {name}")
    how = "" if config.every is not None else f" by seed {config.seed}" if config.shuffle else " at its end"
    return f"cut {' and '.join(parts) or 'nothing'} from train{how}"


def plural(noun: str, number: int) -> str:
    """Return a number of groups in words: `1 document`, `2 values of `id``."""
    first, _, rest = noun.partition(" ")
    return f"{counted(number, first)}{' ' + rest if rest else ''}"
