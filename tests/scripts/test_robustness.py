"""Scores of a model on sentences in other forms."""

import json
from pathlib import Path

import pytest
import robustness as script
from small_recipes import NER, SYNTHETIC
from small_runs import make_recipe

import tagger
from tagger.errors import DataError

MOOD = '[heads.sentiment]\nkind = "sentence"\n'


def test_each_layer_is_scored_in_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, runs = make_recipe(tmp_path, SYNTHETIC, NER), [tmp_path / "one", tmp_path / "two"]
    models = [tagger.train(recipe, output=run, seed=seed).tagger for seed, run in enumerate(runs, 1)]
    test = tagger.load_corpora(recipe)["data"].test
    script.main([*map(str, runs), "--json", str(tmp_path / "a.json"), "--threads", "1"])
    (row,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (row["corpus"], row["layer"], row["sentences"]) == ("data", "ner", len(test))
    assert list(row["scores"]) == ["as it is", "lower", "upper", "typographic", "scanned", "unpunctuated"]
    assert row["scores"]["as it is"] == [model.evaluate(test).headline("ner") for model in models]
    in_capitals = [model.evaluate(tagger.perturb(test, "upper")).headline("ner") for model in models]
    assert row["scores"]["upper"] == in_capitals
    shown = capsys.readouterr()
    assert f"{sum(in_capitals) / 2:.3f}" in shown.out
    assert f"[1/1] data, {len(test)} sentences" in shown.err


def test_genres_are_the_beginnings_of_the_names_of_documents() -> None:
    named = [
        tagger.Sentence.from_tokens(["x"], {}, document=name) for name in ("web-1", "web-2", "mail-1-a", "plain", None)
    ]
    found = script.by_genre({"ewt": named, "other": named[3:]})
    assert {name: len(part) for name, part in found.items()} == {"ewt, web": 2, "ewt, mail": 1, "ewt": 2, "other": 2}


def test_models_with_other_layers_are_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    tagger.train(recipe, output=tmp_path / "one")
    tagger.train(make_recipe(tmp_path, SYNTHETIC, MOOD), output=tmp_path / "two")
    with pytest.raises(DataError, match=r"expected the layers ner of .*one, got others"):
        script.main([str(tmp_path / "one"), str(tmp_path / "two")])


def test_a_recipe_without_sentences_to_score_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    with pytest.raises(DataError, match="expected a corpus with dev sentences of mood, got none"):
        script.chosen(recipe, None, "dev", ["mood"])
