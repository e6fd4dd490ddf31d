"""Corpora whose tags are not fully known: a network learns from what is known, and only that counts in scores."""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from small_recipes import NER

from tagger.config import ReadingConfig
from tagger.corpus.corpus import load_corpus
from tagger.corpus.files import read_sentences
from tagger.corpus.synthetic import generate
from tagger.errors import DataError, RecipeError
from tagger.formats.jsonl import sentence_to_json
from tagger.metrics.entities import EntityScores
from tagger.running.run import Run, RunListener
from tagger.running.train import train
from tagger.text.schemes import spans_to_tags
from tagger.text.sentence import Sentence, TagLayer

Tags = tuple[str | None, ...]
Change = Callable[[Sentence], Tags]
NETWORK = "[embeddings]\ndimension = 32\nchar_hidden = 16\n[encoder]\nhidden_size = 32\n"
TRAINING = "[training]\nepochs = 12\nbatch_size = 8\nlearning_rate = 0.01\n"


def unchanged(sentence: Sentence) -> Tags:
    return sentence.tags("ner")


def hidden(*, outside: bool = False) -> Change:
    """Six of ten tags become unknown, or `O`."""
    rng = random.Random(5)

    def change(sentence: Sentence) -> Tags:
        return tuple(tag if rng.random() < 0.4 else "O" if outside else None for tag in sentence.tags("ner"))

    return change


def only(*types: str) -> Change:
    """Entities of other types become `O`."""

    def change(sentence: Sentence) -> Tags:
        spans = [span for span in sentence.boundaries("ner") if span.type in types]
        return tuple(spans_to_tags(spans, len(sentence), "iob2"))

    return change


def changed(sentences: Iterable[Sentence], change: Change) -> list[Sentence]:
    return [replace(s, layers={"ner": TagLayer(change(s), "iob2", "iob2")}) for s in sentences]


def write_corpus(folder: Path, name: str, train: Change, dev: Change, *, seed: int = 1, size: int = 300) -> str:
    """The section of a corpus of generated sentences."""
    for split, change, number in (("train", train, size), ("dev", dev, 60)):
        lines = map(sentence_to_json, changed(generate(number, seed=seed, split=split), change))
        text = "".join(json.dumps({"tokens": line["tokens"], "ner_tags": line["tags"]["ner"]}) + "\n" for line in lines)
        (folder / f"{name}-{split}.jsonl").write_text(text)
    return f'[corpora.{name}]\nformat = "jsonl"\ntrain = "{name}-train.jsonl"\ndev = "{name}-dev.jsonl"\n'


def trained(folder: Path, *parts: str) -> Run:
    recipe = folder / "recipe.toml"
    recipe.write_text("".join((*parts, NER, NETWORK, TRAINING)))
    return train(recipe, threads=1)


def scores_of(run: Run) -> EntityScores:
    """The scores on sentences with all their tags."""
    scores = run.tagger.evaluate(changed(generate(60, seed=9, split="test"), unchanged)).scores["ner"]
    assert isinstance(scores, EntityScores)
    return scores


def test_unknown_tags_are_better_than_as_many_that_are_outside(tmp_path: Path) -> None:
    unknown = trained(tmp_path, write_corpus(tmp_path, "a", hidden(), unchanged))
    outside = write_corpus(tmp_path, "a", hidden(outside=True), unchanged) + 'invalid = "repair"\n'
    better, worse = scores_of(unknown).micro.f1, scores_of(trained(tmp_path, outside)).micro.f1
    assert better > worse + 0.3  # 0.58 and 0.00; with all tags it is 0.69


def test_two_corpora_that_annotate_different_types_give_a_model_of_all(tmp_path: Path) -> None:
    first, second = ("person", "location"), ("organization", "product")
    one = write_corpus(tmp_path, "one", only(*first), only(*first), size=150)
    two = write_corpus(tmp_path, "two", only(*second), only(*second), seed=2, size=150)
    parts = [f"{section}types = {json.dumps(types)}\n" for section, types in ((one, first), (two, second))]
    run = trained(tmp_path, *parts)
    apart, mixed = scores_of(run), scores_of(trained(tmp_path, one, two))
    assert apart.micro.f1 > mixed.micro.f1 + 0.1
    assert all(apart.types[name].recall > 0.2 for name in (*first, *second))


def test_entity_of_a_type_that_the_corpus_does_not_name_is_refused(tmp_path: Path) -> None:
    write_corpus(tmp_path, "a", unchanged, unchanged, size=40)
    with pytest.raises(DataError) as caught:
        load_corpus(format="jsonl", train=tmp_path / "a-train.jsonl", types=["person", "location"])
    assert str(caught.value) == (
        "`types` must name all types of the corpus, got person, location, but it also has organization, "
        'product; use types = ["person", "location", "organization", "product"], or `rename` or `drop` the others'
    )


def test_all_types_count_in_files_that_have_more_types_than_training(tmp_path: Path) -> None:
    write_corpus(tmp_path, "a", unchanged, only("person"), size=40)
    trained_on = ReadingConfig(format="jsonl", types=("person",))
    sentences, notes = read_sentences([tmp_path / "a-train.jsonl"], trained_on)
    assert {sentence.tag_layer("ner").types for sentence in sentences} == {None}
    assert notes[-1].startswith("all types count as annotated, because the files also have location, organization")
    sentences, _ = read_sentences([tmp_path / "a-dev.jsonl"], trained_on)
    assert {sentence.tag_layer("ner").types for sentence in sentences} == {("person",)}


def test_taught_and_calibrated_head_learns_from_corpora_with_unknown_tags(tmp_path: Path) -> None:
    taught = write_corpus(tmp_path, "b", lambda s: (None,) * len(s), hidden(), seed=2, size=30)
    gaps = write_corpus(tmp_path, "a", hidden(), hidden(), size=60)
    (tmp_path / "teacher.toml").write_text(gaps + NER + NETWORK + TRAINING.replace("12", "1"))
    recipe = tmp_path / "recipe.toml"
    head = f'{NER}teacher = "teacher.toml"\ncalibrate = true\n'
    recipe.write_text(gaps + taught + head + NETWORK + TRAINING.replace("12", "2"))
    notes: list[str] = []

    class Notes(RunListener):
        def noted(self, message: str) -> None:
            notes.append(message)

    run = train(recipe, threads=1, listener=Notes())
    assert len(run.outcome.epochs) == 2
    (taught_on,) = [note for note in notes if note.startswith("teacher.toml labels `ner` in ")]
    assert int(taught_on.split()[-2]) >= 30
    (calibrated,) = [note for note in notes if note.startswith("calibrated `ner` on ")]
    assert "nan" not in calibrated


def write_labelled(folder: Path, name: str, *labelled: tuple[str, str]) -> str:
    """The section of a corpus of sentences with a label; all sentences of a label differ in a number."""
    lines = [f"{label}\tit was a {word} film {i}\n" for i in range(20) for word, label in labelled]
    (folder / f"{name}.txt").write_text("".join(lines))
    return f'[corpora.{name}]\nformat = "labelled"\nlayer = "mood"\ntrain = "{name}.txt"\ndev = "{name}.txt"\n'


MOOD = '[heads.mood]\nkind = "sentence"\n'


def test_a_corpus_without_a_class_says_nothing_about_it(tmp_path: Path) -> None:
    three = write_labelled(tmp_path, "three", ("fine", "good"), ("poor", "bad"), ("usual", "neutral"))
    two = write_labelled(
        tmp_path, "two", ("great", "good"), ("awful", "bad"), ("usual", "good")
    )  # neutral is no choice
    recipe = tmp_path / "recipe.toml"
    parts = (f'{two}types = ["bad", "good"]\n', three, MOOD, "calibrate = true\n", NETWORK, TRAINING)
    recipe.write_text("".join(parts))
    run = train(recipe, output=tmp_path / "run", threads=1)
    assert run.tagger.tag("it was a usual film 3").label("mood").value == "neutral"
    (tmp_path / "two.txt").write_text("good\tit was a usual film 3\nbad\tit was a awful film 4\n")
    found = run.tagger.evaluate(read_sentences([tmp_path / "two.txt"], run.tagger.model.config.reading["two"])[0])
    assert found.headline("mood") == 1.0
    assert all(1 >= score > 0.5 for score, _ in found.layers["mood"].hits)


def test_classes_are_named_whole_and_are_not_smoothed(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    two = write_labelled(tmp_path, "two", ("great", "good"), ("awful", "bad"))
    recipe.write_text(f'{two}types = ["good"]\n{MOOD}{NETWORK}')
    with pytest.raises(DataError, match="must name all types of the corpus, got good, but it also has bad"):
        train(recipe)
    recipe.write_text(f'{two}types = ["good", "bad"]\n{MOOD}label_smoothing = 0.1\n{NETWORK}')
    with pytest.raises(RecipeError, match=r"mood.label_smoothing: must be 0 if a corpus names its classes in `types`"):
        train(recipe)
