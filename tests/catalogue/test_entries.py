"""The catalogue says the same as the recipes, names only https sources, and no path of it leaves the data folder."""

import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tagger.catalogue.contents import CONVERSIONS
from tagger.catalogue.entries import catalogue, entry, inside, names_for
from tagger.config import load_recipe
from tagger.errors import RecipeError

ROOT = Path(__file__).resolve().parents[2]
FILES = [file for one in catalogue().values() for file in one.files]


def test_every_file_has_a_source_a_hash_and_a_conversion_that_exists() -> None:
    assert [file.path for file in FILES if not file.source.url.startswith("https://")] == []
    assert [file.path for file in FILES if not re.fullmatch(r"[0-9a-f]{64}", file.sha256) or file.num_bytes < 1] == []
    assert [file.path for file in FILES if file.conversion not in CONVERSIONS] == []
    assert [file.path for file in FILES if file.source.max_bytes > 10**9] == []


def test_no_two_entries_have_the_same_file() -> None:
    assert len({file.path for file in FILES}) == len(FILES)


def test_the_table_of_archives_and_corpora_has_no_unused_row() -> None:
    facts = tomllib.loads((ROOT / "tagger" / "catalogue" / "corpora.toml").read_text(encoding="utf-8"))
    assert {archive["url"] for archive in facts["archives"].values()} <= {file.source.url for file in FILES}
    assert set(facts["licences"]) == {one.licence for one in catalogue().values()}
    assert [one.name for one in catalogue().values() if not one.files] == []


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../../up", "C:/windows", "a\\..\\up"])
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="must stay in the data folder"):
        inside(path)


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match="wnut18: no such corpus; did you mean `wnut17`"):
        entry("wnut18")
    with pytest.raises(RecipeError, match="zzz: no such corpus; see `tagger data list`"):
        entry("zzz")


def test_files_lead_to_the_names_of_their_entries() -> None:
    assert names_for(["ner/btc/a.conll", "ner/wnut17/wnut17train.conll", "ner/btc/b.conll"]) == ["btc", "wnut17"]
    assert names_for(["ner/btc/a.conll", "my.conll", "/ner/btc/b.conll"]) == ["btc"]
    assert names_for(["my.conll", "ner/bt", "text/masc/written/no.txt"]) == []
    assert names_for(["text/masc/written", "sentiment/mr/"]) == ["masc", "mr"]


# Corpora of recipes whose publishers have no address that stays the same; docs/sequences.md says where they are.
BY_HAND = ("other/splice/", "other/spoken-digits/")


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_every_file_of_every_recipe_is_in_the_catalogue(path: Path) -> None:
    recipe = load_recipe(path)
    paths = [file for config in recipe.all_corpora().values() for file in config.files()]
    others = [
        file for file in (*paths, *recipe.embeddings.vectors) if not names_for([file]) and not file.startswith(BY_HAND)
    ]
    assert all((path.parent / file).is_file() for file in others)  # they come with the recipe


def test_the_catalogue_is_loaded_without_network_and_torch() -> None:
    code = "import sys, tagger.catalogue.entries; sys.exit('torch' in sys.modules or 'urllib.request' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_hashes_are_those_of_the_real_files(data_folder: Path) -> None:
    small = [file for file in FILES if not file.path.endswith(".gz") and "masc/w" not in file.path]
    wrong = [f.path for f in small if hashlib.sha256((data_folder / f.path).read_bytes()).hexdigest() != f.sha256]
    assert wrong == []
