"""`--dry-run`: the same errors and figures as a training, without one."""

from pathlib import Path

import pytest
from small_recipes import NER, SYNTHETIC
from small_runs import SENTIMENT, UPOS, make_conll_recipe, make_recipe, make_two_corpora

from tagger.errors import RecipeError
from tagger.running.dry_run import DryRun, dry_run
from tagger.running.run import RunListener
from tagger.running.train import train


class Counter(RunListener):
    """Counts the steps of an epoch."""

    def __init__(self) -> None:
        self.steps = 0

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        self.steps = step


@pytest.mark.parametrize("overrides", [[], ["training.mention_replacement=0.5"], ["training.refit=true"]])
def test_counts_are_those_of_the_training(overrides: list[str], tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER, SENTIMENT)
    found, counter = dry_run(recipe, overrides=overrides), Counter()
    run = train(
        recipe, overrides=["training.epochs=1", *([] if "refit" in str(overrides) else overrides)], listener=counter
    )
    assert found.steps == counter.steps
    parameters = list(run.tagger.network.parameters())
    assert found.parameters == sum(parameter.numel() for parameter in parameters)
    assert 0 < found.trained <= found.parameters
    assert found.epochs == (4 if overrides == ["training.refit=true"] else 2)
    assert found.seconds > found.epoch_seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]


def test_an_epoch_is_extrapolated_from_a_part_of_it(tmp_path: Path) -> None:
    sentences = ["Ada/B-PER ran/O to/O Oslo/B-LOC"] * 1000
    recipe = make_conll_recipe(tmp_path, train=sentences, dev=sentences[:9])
    found = dry_run(recipe)
    assert (found.steps, found.tokens) == (125, 4000)


def test_dev_of_a_small_corpus_behind_a_large_one_is_scored_too(tmp_path: Path) -> None:
    recipe = make_two_corpora(tmp_path)
    large = tmp_path / "one.dev"
    large.write_text("\n\n".join([large.read_text().strip()] * 500) + "\n")
    assert dry_run(recipe).dev_seconds > 0


def test_teachers_are_named_and_not_trained(tmp_path: Path) -> None:
    make_two_corpora(tmp_path).rename(tmp_path / "teacher.toml")
    pupil = make_two_corpora(tmp_path)
    pupil.write_text(pupil.read_text().replace(UPOS, UPOS + 'teacher = "teacher.toml"\n'))
    found = dry_run(pupil)
    assert found.untrained == ("teacher.toml",)
    assert "teachers  teacher.toml: trained before that" in found.to_text()
    assert not (tmp_path / "teachers").exists()


def test_mistakes_are_found(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"^training needs at least "):
        dry_run(make_recipe(tmp_path, SYNTHETIC, NER), overrides=["encoder.hidden_size=10000", "encoder.layers=100"])


def test_the_text_has_what_is_needed() -> None:
    text = DryRun(3_000_000, 1_000_000, 2**30, 100, 20_000, 10, 300.0, 20.0, 1.0).to_text()
    assert text == (
        "network   3,000,000 weights, of which 1,000,000 are trained\n"
        "memory    at least 1.00 GiB\n"
        "epoch     100 steps, 20,000 tokens: about 20 s (1,000 tokens/s), and 1 s to score dev\n"
        "features  about 5 min once; they are kept in the cache\n"
        "training  at most 10 epochs: about 8 min\n"
    )
