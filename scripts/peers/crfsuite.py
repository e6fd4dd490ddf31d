"""Linear-chain CRFs of python-crfsuite over features of the window of each token."""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmark_speed import window_features

from peers.task import Task, Trained, answers
from tagger import Sentence

ITERATIONS = 100  # of L-BFGS
PENALTIES = ((0.1, 0.1), (0.1, 0.01), (0.0, 1.0))  # c1 and c2 of python-crfsuite


def features(tokens: Sequence[str]) -> list[list[str]]:
    """Return the usual features of each token: its window, more of its own affixes, and what its characters are."""
    found = window_features(tokens)
    for i, (token, own) in enumerate(zip(tokens, found, strict=True)):
        own += ["bias", f"s2={token[-2:]}", f"s4={token[-4:]}", f"p2={token[:2]}", f"p4={token[:4]}"]
        own += [name for name, kind in _KINDS.items() if kind(token)]
        own += ["first"] * (i == 0) + ["last"] * (i == len(tokens) - 1)
    return found


_KINDS: dict[str, Callable[[str], bool]] = {
    "upper": str.isupper,
    "title": str.istitle,
    "digits": str.isdigit,
    "has digit": lambda token: any(c.isdigit() for c in token),
    "has hyphen": lambda token: "-" in token,
    "no letter": lambda token: not any(c.isalpha() for c in token),
}


def train_crfsuite(task: Task, options: argparse.Namespace) -> Iterator[Trained]:
    """Yield a linear-chain CRF for each pair of penalties."""
    rows = [features(sentence.tokens) for sentence in task.corpus.train]
    gold = answers(task, task.corpus.train)
    for c1, c2 in PENALTIES:
        yield _crf(rows, gold, c1, c2)


def _crf(rows: Sequence[Any], gold: Sequence[Any], c1: float, c2: float) -> Trained:
    import pycrfsuite

    started = time.perf_counter()
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": ITERATIONS, "feature.possible_transitions": True})
    for row, tags in zip(rows, gold, strict=True):
        trainer.append(row, tags)
    model = pycrfsuite.Tagger()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        trainer.train(str(path))
        model.open(str(path))  # reads the whole file
        size = path.stat().st_size
    seconds = time.perf_counter() - started

    def predict(sentences: Sequence[Sentence]) -> list[Any]:
        return [model.tag(features(sentence.tokens)) for sentence in sentences]

    return Trained(f"c1 = {c1}, c2 = {c2}", predict, size, seconds)
