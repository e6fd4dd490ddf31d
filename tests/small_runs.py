"""Recipes and files of small trainings, and listeners for them."""

from pathlib import Path

import pytest
import torch
from small_recipes import NER, SMALL

from tagger.running.run import Run, RunListener
from tagger.training.loop import Epoch

FILES = {"model", "recipe.toml", "log.jsonl", "report.json", "seen.json"}
UPOS = '[heads.upos]\nkind = "tokens"\nscheme = "none"\n'
SENTIMENT = '[heads.sentiment]\nkind = "sentence"\n'
CONLL = '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "train.conll"\n'


def make_recipe(folder: Path, *parts: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text("\n".join((*parts, SMALL)))
    return path


def weights(run: Run) -> dict[str, torch.Tensor]:
    return run.tagger.network.state_dict()


def same_bits(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


def write_conll(path: Path, *sentences: str) -> str:
    path.write_text("\n".join("".join(f"{word.replace('/', ' ')}\n" for word in s.split()) for s in sentences))
    return path.name


def make_two_corpora(folder: Path) -> Path:
    """One corpus with entities in IOB2, another with parts of speech beside entities in BIOES."""
    ner = [f"Ada/B-PER Byron/I-PER saw/O place{i}/B-LOC ./O" for i in range(12)]
    both = [f"Go/O/VERB to/O/ADP Rome{i}/S-LOC/PROPN" for i in range(12)]
    lines = ""
    for name, sentences in (("one", ner), ("two", both)):
        columns = '["token", "ner"]' if name == "one" else '["token", "ner", "upos"]'
        files = {split: write_conll(folder / f"{name}.{split}", *sentences) for split in ("train", "dev", "test")}
        paths = "".join(f'{split} = "{path}"\n' for split, path in files.items())
        lines += f'[corpora.{name}]\nformat = "conll"\ncolumns = {columns}\n{paths}\n'
    return make_recipe(folder, lines, NER, '[heads.upos]\nkind = "tokens"\nscheme = "none"\n')


class Notes(RunListener):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def noted(self, message: str) -> None:
        self.said.append(message)


class Interrupter(Notes):
    """Presses Ctrl-C when an epoch was scored, or at a step."""

    def __init__(self, *, epoch: int = 0, step: int = 0) -> None:
        super().__init__()
        self.epoch, self.step = epoch, step

    def scored(self, epoch: Epoch) -> None:
        if epoch.epoch == self.epoch:
            raise KeyboardInterrupt

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def make_conll_recipe(folder: Path, **splits: list[str]) -> Path:
    files = {split: write_conll(folder / f"{split}.conll", *sentences) for split, sentences in splits.items()}
    paths = "".join(f'{split} = "{path}"\n' for split, path in files.items())
    return make_recipe(folder, f'[data]\nformat = "conll"\ncolumns = ["token", "ner"]\n{paths}', NER)


class Untrained(RunListener):
    """Fails the test if training starts."""

    def started(self, num_epochs: int, num_steps: int) -> None:
        pytest.fail("training started")
