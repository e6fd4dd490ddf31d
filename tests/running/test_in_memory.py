"""Training on sentences and documents made in Python, with a recipe of keyword arguments."""

from pathlib import Path
from typing import Any

import pytest
from small_runs import Notes

from tagger import Corpus, DataError, Document, Recipe, RecipeError, Sentence, generate, load, load_corpora, train
from tagger.running.train import train as train_run

SMALL: dict[str, Any] = {
    "embeddings": {"dimension": 8, "char_hidden": 6},
    "encoder": {"hidden_size": 8},
    "training": {"epochs": 1, "learning_rate": 0.02},
    "heads": {"ner": {"kind": "tokens"}},
}
SENTENCES = [
    Sentence.from_tokens(s.tokens, {"ner": list(s.tags("ner")), "mood": s.label("sentiment").value})
    for s in generate(40, seed=1, split="train")
]


def documents(sentences: list[Sentence], size: int) -> list[Document]:
    parts = [sentences[i : i + size] for i in range(0, len(sentences), size)]
    return [Document(" ".join(s.text for s in part), tuple(part), id=f"d{i}") for i, part in enumerate(parts)]


def test_sentences_with_lists_of_tags_and_names_of_classes_are_trained_on(tmp_path: Path) -> None:
    heads = {"ner": {"kind": "tokens"}, "mood": {"kind": "sentence"}}
    recipe = Recipe(**{**SMALL, "heads": heads})
    run = train(recipe, corpus=Corpus(SENTENCES[:30], test=SENTENCES[30:]), output=tmp_path / "run")
    assert run.report is not None
    assert set(run.report.scores) == {"ner", "mood"}
    again = load(tmp_path / "run")
    assert again.tag("Ada lives in Oslo.") == run.tagger.tag("Ada lives in Oslo.")


def test_documents_are_cut_whole_and_keep_their_ids() -> None:
    corpus = Corpus(documents(SENTENCES, 4))  # type: ignore[arg-type]
    assert [sentence.document for sentence in corpus.train[:5]] == ["d0"] * 4 + ["d1"]
    notes = Notes()
    train_run(Recipe(**SMALL), corpus=corpus, listener=notes)
    assert "no dev split is named: cut 4 of 40 train sentences (1 document) by seed 1" in notes.said
    assert "layer `ner` reads as IOB2" in notes.said


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(RecipeError, match=f"seed must be a whole number from 0 to 9,.*, got {seed}"):
        train_run(Recipe(**SMALL), corpus=Corpus(SENTENCES), seed=seed)


def test_seed_of_a_run_changes_no_split() -> None:
    said = []
    for seed in (1, 2):
        notes = Notes()
        run = train_run(Recipe(seed=seed, **SMALL), corpus=Corpus(SENTENCES), listener=notes)
        said.append((run.outcome.epochs[0].loss, [note for note in notes.said if note.startswith("no dev split")]))
    assert said[0][1] == said[1][1]
    assert said[0][0] != said[1][0]


def test_recipe_of_keywords_takes_paths_and_tuples_and_names_all_its_errors() -> None:
    data = {"format": "conll", "columns": ("token", "ner"), "train": Path("train.conll")}
    recipe = Recipe(data=data, heads=SMALL["heads"])  # type: ignore[arg-type]
    assert recipe.data is not None
    assert (recipe.data.columns, recipe.data.train) == (("token", "ner"), ("train.conll",))
    with pytest.raises(RecipeError) as error:
        Recipe(encoder={"hiden_size": 5}, heads={"ner": {"kind": "token"}})  # type: ignore[arg-type]
    assert str(error.value).splitlines() == [
        "Recipe: unknown key `encoder.hiden_size`; did you mean `hidden_size`?",
        "Recipe: `heads.ner.kind` must be 'tokens', 'sentence' or 'values', got 'token'; no extension has that name",
    ]
    with pytest.raises(RecipeError, match="Recipe: `heads` is missing"):
        Recipe()  # type: ignore[call-arg]
    with pytest.raises(RecipeError, match="Recipe: two heads predict the same layer"):
        Recipe(heads={"a": {"kind": "tokens", "layer": "x"}, "b": {"kind": "tokens", "layer": "x"}})  # type: ignore[dict-item]


def test_what_cannot_be_trained_on_is_refused_in_one_sentence() -> None:
    recipe = Recipe(**SMALL)
    with pytest.raises(RecipeError, match="the recipe needs either one corpus"):
        train(recipe)
    with pytest.raises(TypeError, match="train must hold Sentence or Document objects, got str"):
        Corpus(["Ada"])  # type: ignore[list-item]
    with pytest.raises(DataError, match="test: sentence 2 must have at least one token"):
        train(recipe, corpus=Corpus(SENTENCES, test=[SENTENCES[0], Sentence((), "", ())]))
    with pytest.raises(DataError, match="layer `ner` must have one tag for each of 2 tokens, got 1"):
        Sentence.from_tokens(["Ada", "sleeps"], {"ner": ["B-PER"]})
    with pytest.raises(DataError, match="no train sentence has the layer `ner`"):
        train(recipe, corpus=Corpus([Sentence.from_tokens(["a"]), Sentence.from_tokens(["b"])]))
    several = Recipe(corpora={"a": {"format": "synthetic", "sentences": 5}}, **SMALL)  # type: ignore[dict-item]
    with pytest.raises(RecipeError, match=r"a dictionary of corpora by name, because the recipe has \[corpora.NAME\]"):
        train(several, corpus=Corpus(SENTENCES))
    with pytest.raises(RecipeError, match="`corpus` must have the corpora `a`, got `b`"):
        train(several, corpus={"b": Corpus(SENTENCES)})


def test_the_corpora_that_were_loaded_train_as_the_recipe_does() -> None:
    parts = {name: {"format": "synthetic", "sentences": size} for name, size in (("a", 20), ("b", 30))}
    recipe = Recipe(corpora=parts, **SMALL)  # type: ignore[arg-type]
    runs = [train(recipe), train(recipe, corpus=load_corpora(recipe))]
    first, second = ([epoch.loss for epoch in run.outcome.epochs] for run in runs)
    assert first == second


def test_a_function_in_a_recipe_is_refused_with_its_place() -> None:
    with pytest.raises(RecipeError, match=r"got str\.split; pass a function .* as tagger\.train\(recipe, tokenize="):
        Recipe(data={"format": "jsonl", "train": "x", "tokenize": str.split}, heads=SMALL["heads"])
