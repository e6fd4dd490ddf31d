"""Training computes the features of a sentence once, whatever the number of epochs and of runs."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
from tagger.features.cache import CachedFeature
from tagger.features.charlm import CharLMFeature
from tagger.features.passages import Passage
from tagger.features.store import INDEX, VALUES
from tagger.features.stores import stores_of_user
from tagger.features.table import longest_context
from tagger.files.writing import replace_files
from tagger.pretraining.characters import Characters
from tagger.pretraining.model import CharLMSizes, build_charlm, charlm_files
from tagger.running.several.training import train_several

CHARS = '[features.chars]\nkind = "charlm"\nmodel = "lm"\n'


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a recipe with a character model, and an empty cache."""
    monkeypatch.setenv("TAGGER_CACHE", str(tmp_path / "cache"))
    model = build_charlm(CharLMSizes(dimension=2, hidden_size=4), Characters.of("Ada lives in Oslo ." * 3), {}, seed=1)
    replace_files(tmp_path / "lm", charlm_files(model, ""))
    (tmp_path / "r.toml").write_text(SYNTHETIC + NER + SMALL + CHARS)
    return tmp_path / "r.toml"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Passage]:
    """Return a list of all passages that are computed from now on."""
    found: list[Passage] = []
    real = CharLMFeature.arrays

    def arrays(feature: CharLMFeature, passages: Sequence[Passage]) -> NDArray[np.float16]:
        found.extend(passages)
        return real(feature, passages)

    monkeypatch.setattr(CharLMFeature, "arrays", arrays)
    return found


def test_the_number_of_threads_holds_for_a_character_model(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    real = CharLMFeature.arrays

    def arrays(feature: CharLMFeature, passages: Sequence[Passage]) -> NDArray[np.float16]:
        threads.append(torch.get_num_threads())
        return real(feature, passages)

    monkeypatch.setattr(CharLMFeature, "arrays", arrays)
    before = torch.get_num_threads()
    tagger.train(recipe, output=recipe.parent / "run", threads=3)
    assert set(threads) == {3}
    for number in (1, 2):
        threads.clear()
        loaded = tagger.load(recipe.parent / "run", threads=number)
        loaded.evaluate([loaded.tag_tokens(["Ada", "lives"]), *loaded.stream(["in Oslo ."])])
        assert set(threads) == {number}
    assert torch.get_num_threads() == before


def test_a_second_run_computes_nothing_and_gives_the_same_model(recipe: Path, computed: list[Passage]) -> None:
    first = tagger.train(recipe, output=recipe.parent / "first")
    assert computed
    assert len(set(computed)) == len(computed)
    computed.clear()
    second = tagger.train(recipe, output=recipe.parent / "second")
    assert computed == []
    weights = [(recipe.parent / name / "model" / "weights.safetensors").read_bytes() for name in ("first", "second")]
    assert weights[0] == weights[1]
    assert first.report is not None
    assert second.report is not None
    assert first.report.to_dict()["scores"] == second.report.to_dict()["scores"]


def test_a_damaged_cache_is_renewed_and_changes_no_weight(recipe: Path, computed: list[Passage]) -> None:
    def weights() -> bytes:
        computed.clear()
        tagger.train(recipe, output=recipe.parent / "run", overwrite=True, overrides=["training.epochs=1"])
        return (recipe.parent / "run" / "model" / "weights.safetensors").read_bytes()

    expected, needed = weights(), {*computed}
    (values,) = (recipe.parent / "cache").rglob(VALUES)
    content = values.read_bytes()
    for damaged in (bytes(len(content)), content[: len(content) // 2]):
        values.write_bytes(damaged)
        assert weights() == expected
        assert set() < {*computed} <= needed
    with closing(sqlite3.connect(values.with_name(INDEX))) as index, index:
        index.execute("UPDATE form SET width = 3")
    assert weights() == expected
    assert {*computed} == needed
    assert weights() == expected
    assert computed == []


def test_runs_with_several_seeds_share_the_cache(recipe: Path, computed: list[Passage]) -> None:
    train_several(recipe, seeds=[1, 2], output=recipe.parent / "runs")
    assert len(set(computed)) == len(computed) > 0
    stores = stores_of_user()
    assert stores is not None
    (store,) = stores.kept()
    assert store.about["kind"] == "charlm"
    assert not store.in_use


def test_the_trained_model_does_not_use_the_cache(recipe: Path, computed: list[Passage]) -> None:
    run = tagger.train(recipe, output=recipe.parent / "run")
    computed.clear()
    for each in (run.tagger, tagger.load(recipe.parent / "run", backend="torch")):
        assert not isinstance(each.backend.model.features["chars"], CachedFeature)
        each.tag("Ada lives in Oslo.")
    assert len(computed) == 2


def test_a_cache_that_cannot_be_written_changes_no_score(
    recipe: Path, computed: list[Passage], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tagger.train(recipe)
    (recipe.parent / "file").write_text("")
    monkeypatch.setenv("TAGGER_CACHE", str(recipe.parent / "file"))
    computed.clear()
    second = tagger.train(recipe)
    corpus = tagger.load_corpora(recipe)["data"]
    assert len(computed) == len(corpus.train) + 2 * len(corpus.dev) + len(corpus.test)  # of two epochs
    assert first.outcome.best is not None
    assert second.outcome.best is not None
    assert first.outcome.best.selected == pytest.approx(second.outcome.best.selected, abs=0.02)


@pytest.mark.parametrize("document", [None, "1"])
def test_a_model_reads_context_only_if_it_did_in_training(recipe: Path, document: str | None) -> None:
    corpus = tagger.load_corpora(recipe)["data"]
    named = [replace(sentence, document=document) for sentence in corpus.train]
    tagger.train(recipe, corpus=replace(corpus, train=named), output=recipe.parent / "run")
    trained, text = tagger.load(recipe.parent / "run"), "Ada lives in Oslo."
    context = 0 if document is None else 64
    assert longest_context(trained.backend.model.features) == context
    found = trained.tag_document(f"{text}\n\n{text}").sentences
    assert (found[0].layers == found[1].layers) == (document is None)


def test_documents_of_two_corpora_and_of_train_and_dev_are_no_neighbours(recipe: Path, computed: list[Passage]) -> None:
    def corpus(*words: str) -> tagger.Corpus:
        train, dev = ([tagger.Sentence.from_tokens([w], {"ner": ["O"]}, document="1")] * 2 for w in words)
        return tagger.Corpus(train=train, dev=dev, test=())

    text = recipe.read_text().replace(SYNTHETIC, "").replace("[training]", "[training]\nrefit = true")
    recipe.write_text(text + "".join(f"[corpora.{name}]\nformat = 'conll'\ntrain = 'x'\n" for name in "ab"))
    tagger.train(recipe, corpus={"a": corpus("one", "two"), "b": corpus("three", "four")})
    assert all({*passage.before, *passage.after} <= {*passage.tokens} for passage in computed)
    assert any(passage.before for passage in computed)


def test_teachers_with_the_same_feature_compute_a_text_once_for_all_pupils(
    recipe: Path, computed: list[Passage]
) -> None:
    train_several(recipe, seeds=[1, 2], output=recipe.parent / "teachers")
    (recipe.parent / "raw.txt").write_text("Ada ran\nBo sat in Rome\n")
    raw = '[corpora.raw]\nformat = "text"\ntrain = "raw.txt"\n'
    gold = SYNTHETIC.replace("[data]", "[corpora.gold]")
    (recipe.parent / "pupil.toml").write_text(gold + raw + NER + 'teacher = "teachers"\n' + SMALL)
    computed.clear()
    for seed in (1, 2):
        tagger.train(recipe.parent / "pupil.toml", seed=seed)
    assert sorted(passage.tokens for passage in computed) == [("Ada", "ran"), ("Bo", "sat", "in", "Rome")]
