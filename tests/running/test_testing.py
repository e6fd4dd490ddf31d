"""The report of a run: what it knows of its recipe."""

from pathlib import Path

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

from tagger.config import load_recipe
from tagger.running.testing import hashes_of_recipe


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("seed=7", {"whole", "settings"}),
        ("data.sentences=33", {"settings"}),
        ("training.epochs=9", set()),
        ("heads.ner.decoder=softmax", set()),
    ],
)
def test_hashes_tell_runs_that_differ_in_seed_in_data_or_in_more(change: str, same: set[str], tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("\n".join(("seed = 3", SYNTHETIC, NER, SMALL)))
    one, two = hashes_of_recipe(load_recipe(path)), hashes_of_recipe(load_recipe(path, [change]))
    assert {name for name in one if one[name] == two[name]} == same
