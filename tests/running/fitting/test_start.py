"""A training that starts from a model: its words, characters, features and encoder, with new heads."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from small_recipes import NER, SYNTHETIC
from small_runs import make_conll_recipe, make_recipe, same_bits, weights

from tagger.config import load_recipe
from tagger.errors import ModelError, RecipeError
from tagger.export.folder import export_onnx
from tagger.model.folder import opening
from tagger.running.run import Run
from tagger.running.train import train
from tagger.tagging import load

STILL = ["training.epochs=1", "training.learning_rate=1e-20", "embeddings.tune=false"]
AFFIXES = '[features.ends]\nkind = "affixes"\n'


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("first")
    return train(make_recipe(folder, SYNTHETIC, NER, AFFIXES), output=folder / "run")


def make_second(folder: Path, start: object) -> Path:
    """A recipe of another task, without sections on the network."""
    recipe = make_conll_recipe(folder, train=["Ada/B-PER saw/O Ωmega/O In/O"] * 5, dev=["Ada/B-PER ran/O"])
    text = recipe.read_text().partition("[embeddings]")[0]
    recipe.write_text(f'start = "{start}"\n{text}[training]\nepochs = 2\n')
    return recipe


def test_an_exported_model_is_told_from_a_damaged_one(first: Run, tmp_path: Path) -> None:
    assert first.folder is not None
    export_onnx(first.folder, tmp_path / "exported")
    with pytest.raises(
        ModelError, match=r"^start: .*exported: must be a model that torch can run, got an exported one"
    ):
        train(make_second(tmp_path, "exported"))


@pytest.mark.parametrize("quantize", ["true", "false"])
def test_words_characters_features_and_encoder_are_those_of_the_model(
    quantize: str, first: Run, tmp_path: Path
) -> None:
    run = train(make_second(tmp_path, first.folder), overrides=[*STILL, f"embeddings.quantize={quantize}"])
    old, new = first.tagger.model, run.tagger.model
    assert new.vocabulary.words == old.vocabulary.words
    assert new.vocabulary.chars[: len(old.vocabulary.chars)] == old.vocabulary.chars
    assert {"Ω", "m"} <= set(new.vocabulary.chars)
    assert new.config.feature_widths == old.config.feature_widths
    before, after = weights(first), weights(run)
    kept = [name for name in before if name.startswith(("encoder", "feature", "chars.filters"))]
    assert same_bits({name: before[name] for name in kept}, {name: after[name] for name in kept})
    chars = before["chars.embedding.weight"]
    assert torch.equal(after["chars.embedding.weight"][: len(chars)], chars)
    ids = torch.tensor([0, *map(old.vocabulary.word_id, old.vocabulary.words)])
    near = {"rtol": 0, "atol": 0.02 if quantize == "true" else 1e-3}
    torch.testing.assert_close(run.tagger.network.words(ids), first.tagger.network.words(ids), **near)


def test_words_of_train_are_added_and_tuned(first: Run, tmp_path: Path) -> None:
    run = train(make_second(tmp_path, first.folder))
    vocabulary = run.tagger.model.vocabulary
    assert {*first.tagger.model.vocabulary.words, "Ada", "saw", "Ωmega"} == set(vocabulary.words)
    trained = ["Ada", "In", "saw", "Ωmega"]
    assert list(vocabulary.words[: vocabulary.num_trainable - 1]) == trained


def test_words_that_the_model_lacks_get_vectors_of_files(first: Run, tmp_path: Path) -> None:
    old = first.tagger.model
    known, width = old.vocabulary.words[0], old.config.vector_dimension
    rows = [f"{word} " + " ".join([number] * width) for word, number in ((known, "9"), ("naloxone", "0.5"))]
    (tmp_path / "more.txt").write_text("\n".join(rows) + "\n")
    run = train(
        make_second(tmp_path, first.folder), overrides=[*STILL, "embeddings.vectors=more.txt"], output=tmp_path / "run"
    )
    new, words = run.tagger.model, run.tagger.network.words
    assert {*new.vocabulary.words} == {*old.vocabulary.words, "naloxone"}
    ids = torch.tensor([new.vocabulary.word_id(word) for word in (known, "Naloxone")])
    expected = first.tagger.network.words(torch.tensor([old.vocabulary.word_id(known)]))
    torch.testing.assert_close(words(ids[:1]), expected, rtol=0, atol=1e-3)
    assert torch.equal(words(ids[1:]), torch.full((1, width), 0.5))
    again = train(tmp_path / "run" / "recipe.toml", data=tmp_path)
    assert same_bits(weights(again), load(run.folder).network.state_dict())


def test_vectors_of_another_width_than_those_of_the_model_are_refused(first: Run, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("naloxone 1 2\n")
    with pytest.raises(RecipeError, match=r"^embeddings.vectors: must have \d+ numbers .* in `start`, got 2; give"):
        train(make_second(tmp_path, first.folder), overrides=["embeddings.vectors=more.txt"])


def test_the_kept_recipe_starts_from_the_same_model(first: Run, tmp_path: Path) -> None:
    run = train(make_second(tmp_path, first.folder), output=tmp_path / "run")
    kept = load_recipe(tmp_path / "run" / "recipe.toml")
    assert kept.start == str(first.folder)
    assert "- start `run`: see the card of that model" in (tmp_path / "run" / "model" / "README.md").read_text()
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["start"]["model"] == str(first.folder / "model")
    again = train(kept, data=tmp_path)
    assert same_bits(weights(again), load(run.folder).network.state_dict())


def test_the_kept_recipe_starts_from_the_same_model_wherever_it_is_trained(
    first: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = make_second(tmp_path, "runs/first")
    shutil.copytree(first.folder, tmp_path / "runs" / "first")
    monkeypatch.chdir(tmp_path)
    run = train(recipe.name, output="runs/second")
    again = train("runs/second/recipe.toml", data=tmp_path)
    assert same_bits(weights(again), load(run.folder).network.state_dict())


def test_a_model_of_the_library_is_named_without_a_folder(
    first: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first.folder / "model", tmp_path / "models" / "english")
    monkeypatch.setattr(opening, "OWN", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    run = train(make_second(tmp_path, "english"), output=tmp_path / "run", overrides=STILL)
    assert load_recipe(tmp_path / "run" / "recipe.toml").start == "english"
    assert {*load("english").model.vocabulary.words} <= {*run.tagger.model.vocabulary.words}
    with pytest.raises(ModelError, match=r"inglish: no such model folder; .* wrote, or `english`"):
        load("inglish")
    (tmp_path / "english").mkdir()  # a folder of that name comes first
    with pytest.raises(ModelError, match=r"english: must hold"):
        load("english")


def test_keys_that_the_model_decides_are_refused(tmp_path: Path) -> None:
    recipe = make_second(tmp_path, "x")
    changes = ["encoder.hidden_size=9", "embeddings.chars=lstm", 'features.a={kind = "shape"}']
    for change in (*changes, "encoder.hidden_size=200", "encoder.cell=lstm"):  # the default, but maybe not the model's
        key = change.partition("=")[0]
        with pytest.raises(RecipeError, match=f"the model in `start` decides `{key}`; remove the key or `start`"):
            train(recipe, overrides=[change])


def test_a_run_is_no_start_of_itself(tmp_path: Path) -> None:
    recipe = make_second(tmp_path, "run")
    with pytest.raises(RecipeError, match=r"^start: .*run must not be the folder of this run"):
        train(recipe, output=tmp_path / "run", overwrite=True)


def test_features_with_files_come_from_the_model_and_not_from_these_files(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada\n")
    lists = '[features.lists]\nkind = "gazetteer"\nfiles = { PER = "names.txt" }\n'
    train(make_recipe(tmp_path, SYNTHETIC, NER, lists), output=tmp_path / "first")
    (tmp_path / "names.txt").unlink()
    run = train(make_second(tmp_path, "first"))
    assert run.tagger.model.features.keys() == {"lists"}


def test_a_model_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^start: .*nowhere: no such model folder; give the folder that training"):
        train(make_second(tmp_path, "nowhere"))
