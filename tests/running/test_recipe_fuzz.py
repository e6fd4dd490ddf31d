"""Whatever a recipe says, it is refused in a sentence, or its training begins: no traceback, no hang, no number that
is not finite.

A mutant is a good recipe in which one to three values are replaced, deleted or added. Every tenth is trained for two
steps, the others until training would begin. More of them: `python -m pytest -m fuzz tests/running`.
"""

import datetime
import math
import signal
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import pytest
import tomli_w

from tagger.errors import SHOWN, TaggerError
from tagger.running.fitting import memory, steps
from tagger.running.run import RunListener
from tagger.running.train import train

MUTANTS, MORE = 100, 600
SLOWEST = 60  # seconds for one mutant, which takes a few hundredths
LONGEST = 1000  # characters of a line of an error
COLUMNS = "Ada B-PER PROPN\nlives O VERB\nin O ADP\nOslo B-LOC PROPN\n"
HEADS = {
    "ner": {"kind": "tokens", "decoder": "crf", "scheme": "bioes", "constraints": True, "weight": 1.0},
    "upos": {"kind": "tokens", "decoder": "softmax", "scheme": "none", "layer": "upos", "calibrate": True},
    "mood": {
        "kind": "sentence", "pooling": "attention", "hidden_size": 8, "dropout": 0.5, "class_weights": "balanced",
        "label_smoothing": 0.1, "calibrate": False, "weight": 2.0,
    },
}  # fmt: skip
SIZES: dict[str, Any] = {
    "seed": 1,
    "embeddings": {
        "dimension": 8, "chars": "cnn", "char_dimension": 4, "char_hidden": 4, "dropout": 0.5, "word_dropout": 0.1,
        "tune": True,
    },
    "encoder": {
        "cell": "lstm", "hidden_size": 8, "layers": 1, "bidirectional": True, "merge": "concat", "dropout": 0.5,
    },
    "training": {
        "epochs": 2, "batch_size": 4, "optimizer": "adam", "learning_rate": 0.01, "schedule": "linear", "warmup": 0.1,
        "weight_decay": 0.0, "clip_norm": 5.0, "patience": 2, "select": "mean", "sampling": "proportion",
        "batches": "separate", "average": 0.5, "refit": False, "mention_replacement": 0.0,
        "token_replacement": 0.0, "perturbation": {"upper": 0.5},
    },
}  # fmt: skip
CONLL = {
    "format": "conll", "columns": ["token", "ner", "upos"], "train": "a.conll", "layers": {"mood": "# mood"},
    "scheme": "iob2", "invalid": "error", "split": {"every": 5, "dev": 1, "test": 2}, "rename": {"PER": "PERSON"},
}  # fmt: skip
LABELLED = {"format": "labelled", "layer": "mood", "train": "a.txt", "tokenize": "words", "columns": ["mood", "text"]}
SPANS = {"format": "jsonl", "train": ["a.jsonl"], "misaligned": "drop", "nested": "outermost", "drop": ["LOC"]}
GOOD: list[dict[str, Any]] = [
    {"data": CONLL, "heads": HEADS, **SIZES},
    {"data": {"format": "synthetic", "sentences": 20}, "heads": {"ner": HEADS["ner"]}, **SIZES},
    {"data": {**LABELLED, "split": {"dev": 0.2, "test": 0.2}}, "heads": {"mood": HEADS["mood"]}, **SIZES},
    {"data": SPANS, "heads": {"ner": HEADS["ner"]}, **SIZES},
    {"corpora": {"one": CONLL, "two": {**LABELLED, "weight": 0.5}}, "heads": HEADS, **SIZES},
]
VALUES: list[Any] = [
    -1, 0, 1, 2, 3, 5, 8, 17, 100, 10**4, 10**6, 10**9, 10**12, 2**31, 2**63, 2**64, 10**30, 10**4000,
    0.0, 0.1, 0.3, 0.5, 0.9, 0.999999, 1.0, -0.5, 1e-300, 5e-324, 1e300, math.nan, math.inf, -math.inf, True,
    False,
    "", " ", "x", "none", "O", "token", "\0", "é", "x" * 300, "/dev/zero", "..", "a.conll", "a.txt", "# mood", "_",
    "crf", "softmax", "sentence", "tokens", "io", "bilou", "lstm", "gru", "sum", "last", "sgd", "even", "mixed",
    "repair", [], [1], ["token"], ["token", "ner"], [[]] * 50, {}, {"x": 1}, {"x": {}}, {"good": 1e-300, "bad": 1e6},
    datetime.date(2020, 1, 1), datetime.time(1, 2),
]  # fmt: skip
KEYS = ["x", "layer", "kind", "train", "dev", "test", "lazy", "classes", "vectors", "max_words", "teacher", "split"]


class TwoSteps(RunListener):
    """Holds the loss against the rule that it is a number, and ends training after two steps."""

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        assert math.isfinite(loss)
        if step == 2:
            raise KeyboardInterrupt


class BegunError(Exception):
    """Training would begin now."""


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    moods = "good", "bad"
    blocks = "\n".join(f"# mood = {moods[i % 2]}\nw{i} O X\n{COLUMNS}" for i in range(20))
    (folder / "a.conll").write_text(blocks)
    (folder / "a.txt").write_text("".join(f"{moods[i % 2]}\ta {moods[i % 2]} film {i}\n" for i in range(20)))
    spans = '{"text": "Ada lives in Oslo", "label": [[0, 3, "PER"], [13, 17, "LOC"]]}\n'
    (folder / "a.jsonl").write_text(spans * 12)
    return folder


def mutant(number: int) -> dict[str, Any]:
    random = Random(number)
    values = deepcopy(random.choice(GOOD))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        table, key = random.choice(list(places(values)))
        alike = [value for value in VALUES if type(value) is type(table[key])]
        chosen = deepcopy(random.choice(alike if random.random() < 0.8 else VALUES))
        if isinstance(table, list):
            table[key] = chosen
        elif (what := random.random()) < 0.1:
            del table[key]
        elif what < 0.15:
            table[random.choice(KEYS)] = chosen
        else:
            table[key] = chosen
    return values


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each table or list of nested values with each of its keys."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from places(tree[key])


def survive(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what became of a mutant: the kind of its error, or how far it came."""

    def begin(*arguments: object, **settings: object) -> NoReturn:
        raise BegunError

    def too_slow(*arguments: object) -> NoReturn:
        raise AssertionError(f"mutant {number} takes longer than {SLOWEST} s")

    values = mutant(number)
    (folder / "mutant.toml").write_text(tomli_w.dumps(values), encoding="utf-8")
    monkeypatch.setattr(memory, "memory_limit", lambda device: float(memory.GIB))
    if number % 10:
        monkeypatch.setattr(steps, "train_network", begin)
    before = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(SLOWEST)
    try:
        train(folder / "mutant.toml", listener=TwoSteps())
        return "trained"
    except TaggerError as error:
        refused = error
    except KeyboardInterrupt:
        return "trained"
    except BegunError:
        return "begun"
    except Exception as error:
        raise AssertionError(f"mutant {number}: {values}") from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    lines = str(refused).splitlines()
    assert 1 <= len(lines) <= SHOWN + 1, str(refused)
    assert all(len(line) <= LONGEST for line in lines), str(refused)
    return type(refused).__name__


@pytest.mark.parametrize("good", range(len(GOOD)))
def test_good_recipe_is_trained(good: int, corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.mutant", lambda number: GOOD[good])
    assert survive(0, corpora, monkeypatch) == "trained"


def test_mutant_is_refused_in_a_sentence_or_begins_to_train(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        found = {survive(number, corpora, patch) for number in range(MUTANTS)}
    assert found >= {"RecipeError", "DataError", "begun"}


@pytest.mark.fuzz
def test_many_more_mutants_are_refused_or_begin_to_train(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MUTANTS, MUTANTS + MORE):
        with monkeypatch.context() as patch:
            survive(number, corpora, patch)
