"""Teachers: what they say of sentences that lack a layer, how a network learns from it, and which ones are refused."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from small_recipes import NER, SMALL, SYNTHETIC
from small_runs import Notes

from tagger.config import load_recipe
from tagger.corpus.synthetic import generate
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.packed import pack
from tagger.errors import DataError, MissingExtraError, ModelError, RecipeError, TaggerError
from tagger.features.passages import by_document
from tagger.formats.jsonl import sentence_to_json
from tagger.heads.lessons import best_tags
from tagger.running.corpora import load_corpora
from tagger.running.run import RunListener
from tagger.running.teachers.asking import check_taught, with_teachers
from tagger.running.teachers.finding import find_teachers
from tagger.running.teachers.models import ModelTeacher
from tagger.running.train import train
from tagger.tagging import Tagger, load
from tagger.text.schemes import invalid_positions, tags_to_spans
from tagger.text.sentence import Sentence, TagLayer
from tagger.training.loop import Epoch

UPOS = '[heads.upos]\nkind = "tokens"\nscheme = "none"\n'
FILES = ("recipe.toml", "log.jsonl", "report.json")
SENTIMENT = '[heads.sentiment]\nkind = "sentence"\n'


def write_corpus(folder: Path, name: str, layers: Iterable[str], *, seed: int) -> str:
    """The section of a corpus of generated sentences with some of their layers."""
    for split, number in (("train", 24), ("dev", 6), ("test", 6)):
        kept = (
            replace(s, layers={layer: s.layers[layer] for layer in layers})
            for s in generate(number, seed=seed, split=split)
        )
        lines = (json.dumps(sentence_to_json(sentence)) + "\n" for sentence in kept)
        (folder / f"{name}-{split}.jsonl").write_text("".join(lines))
    paths = "".join(f'{split} = "{name}-{split}.jsonl"\n' for split in ("train", "dev", "test"))
    return f'[corpora.{name}]\nformat = "jsonl"\n{paths}'


def write(path: Path, *parts: str) -> Path:
    path.write_text("\n".join((*parts, SMALL)))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recipes of three teachers, and of a pupil whose corpora have one layer or two each."""
    write(tmp_path / "ner.toml", SYNTHETIC, NER)
    write(tmp_path / "upos.toml", SYNTHETIC, UPOS)
    write(tmp_path / "sentiment.toml", SYNTHETIC, SENTIMENT)
    one = write_corpus(tmp_path, "one", ["ner"], seed=5)
    two = write_corpus(tmp_path, "two", ["upos", "sentiment"], seed=6)
    heads = (f'{head}teacher = "{name}.toml"\n' for head, name in ((NER, "ner"), (UPOS, "upos")))
    write(tmp_path / "pupil.toml", one, two, *heads, f'{SENTIMENT}teacher = "sentiment.toml"\nteacher_weight = 0.5\n')
    return tmp_path


def weights(tagger: Tagger) -> dict[str, torch.Tensor]:
    return tagger.network.state_dict()


def same(first: Tagger, second: Tagger) -> bool:
    others = weights(second)
    return all(torch.equal(value, others[name]) for name, value in weights(first).items())


def test_teachers_are_trained_as_their_recipes_alone_and_kept(folder: Path) -> None:
    notes = Notes()
    run = train(folder / "pupil.toml", output=folder / "run", seed=4, listener=notes)
    for name in ("ner", "upos", "sentiment"):
        assert same(load(folder / "run" / "teachers" / name), train(folder / f"{name}.toml", seed=4).tagger)
        number = 48 if name == "sentiment" else 24
        assert f"{name}.toml labels `{name}` in {number} sentences" in notes.said
    assert run.report.scores.keys() == {"ner", "upos", "sentiment"}
    assert "- teacher `upos`: see the card of that model" in (folder / "run" / "model" / "README.md").read_text()


def test_the_kept_recipe_learns_from_the_kept_teachers_bit_by_bit(folder: Path) -> None:
    run = train(folder / "pupil.toml", output=folder / "run")
    kept = load_recipe(folder / "run" / "recipe.toml")
    assert kept.heads["ner"].teacher == ("teachers/ner",)
    assert same(train(folder / "run" / "recipe.toml", data=folder).tagger, run.tagger)


def test_a_teacher_is_trained_with_several_seeds_whose_runs_teach_together(folder: Path) -> None:
    run = train(folder / "pupil.toml", output=folder / "run", overrides=["training.teacher_seeds=[2,3]"])
    kept = [f"teachers/ner-seed-{seed}" for seed in (2, 3)]
    for name, seed in zip(kept, (2, 3), strict=True):
        assert same(load(folder / "run" / name), train(folder / "ner.toml", seed=seed).tagger)
    recipe = load_recipe(folder / "run" / "recipe.toml")
    assert (recipe.heads["ner"].teacher, recipe.training.teacher_seeds) == (tuple(kept), ())
    assert same(train(folder / "run" / "recipe.toml", data=folder).tagger, run.tagger)
    assert not same(train(folder / "pupil.toml", overrides=["training.teacher_seeds=[2]"]).tagger, run.tagger)


def test_seeds_of_teachers_need_a_teacher_that_is_trained(folder: Path) -> None:
    write(folder / "alone.toml", SYNTHETIC, NER)
    with pytest.raises(RecipeError, match=r"training.teacher_seeds needs a teacher that is a recipe"):
        train(folder / "alone.toml", overrides=["training.teacher_seeds=[2,3]"])
    with pytest.raises(RecipeError, match="must be different numbers, got 2, 2"):
        train(folder / "pupil.toml", overrides=["training.teacher_seeds=[2,2]"])


def test_a_run_teaches_as_its_recipe_does_and_its_weight_counts(folder: Path) -> None:
    taught = train(folder / "pupil.toml").tagger
    names = ("ner", "upos", "sentiment")
    for name in names:
        train(folder / f"{name}.toml", output=folder / "runs" / name)
    by_runs = [f"heads.{name}.teacher=runs/{name}" for name in names]
    assert same(train(folder / "pupil.toml", overrides=by_runs).tagger, taught)
    run = train(folder / "pupil.toml", overrides=by_runs, output=folder / "kept")
    upos = load_recipe(folder / "kept" / "recipe.toml").heads["upos"]
    assert upos.teacher == (str((folder / "runs/upos").resolve()),)
    lighter = train(folder / "pupil.toml", overrides=[*by_runs, "heads.ner.teacher_weight=0.01"]).tagger
    assert not same(lighter, run.tagger)


def test_tags_are_taught_where_gold_lacks_and_classes_everywhere(folder: Path) -> None:
    train(folder / "pupil.toml", output=folder / "run", overrides=["training.epochs=1"])
    recipe = load_recipe(folder / "pupil.toml")
    models = {name: load(folder / "run" / "teachers" / name) for name in recipe.heads}
    teachers = {f"{name}.toml": (ModelTeacher(model),) for name, model in models.items()}
    pupil = load(folder / "run")
    vocabulary = pupil.model.vocabulary
    sentences = [
        Sentence.from_tokens(["Ada", "flew", "to", "Paris", "."]),
        *(replace(s, layers={"ner": s.layers["ner"]}) for s in generate(3, seed=9, split="train")),
    ]
    schemes = {"ner": "bioes", "upos": None, "sentiment": None}
    plain = encode(pack(sentences), vocabulary, schemes)
    found = with_teachers(plain, sentences, teachers, recipe=recipe, vocabulary=vocabulary, tell=lambda _: None)
    batch = found.batch(np.arange(4))
    said = {layer: list(models[layer].predict(sentences)) for layer in schemes}
    names = vocabulary.labels
    for i, sentence in enumerate(sentences):
        upos = [names["upos"][k] for k in batch.taught["upos"][i, : len(sentence)]]
        assert upos == list(said["upos"][i].tags("upos"))
        classes = said["sentiment"][i].label("sentiment").scores
        assert batch.taught["sentiment"][i] == pytest.approx([classes[name] for name in names["sentiment"]])
    assert [names["ner"][k] for k in batch.taught["ner"][0, :5]] == list(said["ner"][0].tags("ner", scheme="bioes"))
    assert (batch.taught["ner"][1:] == -1).all()
    assert (batch.targets["upos"] == -1).all()
    assert (batch.targets["ner"][0] == -1).all()


def test_teachers_read_the_data_of_the_run_and_stand_beside_its_recipe(folder: Path) -> None:
    (folder / "recipes").mkdir()
    data = '[data]\nformat = "jsonl"\ntrain = "two-train.jsonl"\ndev = "two-dev.jsonl"\n'
    write(folder / "upos.toml", data, UPOS)
    for path in folder.glob("*.toml"):
        path.rename(folder / "recipes" / path.name)
    run = train(folder / "recipes" / "pupil.toml", data=folder, output=folder / "run")
    kept = train(folder / "run" / "recipe.toml", data=folder)
    assert same(kept.tagger, run.tagger)
    train(folder / "recipes" / "ner.toml", data=folder, output=folder / "recipes" / "v1.toml")  # a folder all the same
    override = ["heads.ner.teacher=v1.toml"]
    again = train(folder / "recipes" / "pupil.toml", data=folder, overrides=override, output=folder / "other")
    assert same(again.tagger, run.tagger)
    assert same(train(folder / "other" / "recipe.toml", data=folder).tagger, run.tagger)


def test_the_loss_against_a_teacher_counts_both_weights(folder: Path) -> None:
    losses = {}
    for weight, teacher_weight in ((0.0001, 1.0), (0.0001, 5000.0), (0.5, 1.0)):
        sets = [f"heads.sentiment.weight={weight}", f"heads.sentiment.teacher_weight={teacher_weight}"]
        sets += ["training.epochs=1", "training.learning_rate=1e-9"]
        losses[weight, teacher_weight] = train(folder / "pupil.toml", overrides=sets).outcome.epochs[0].loss
    taught = losses[0.0001, 5000.0] - losses[0.0001, 1.0]  # 0.5 times the loss against the teacher
    assert 0.5 * 0.5 < taught < 0.5 * 2.2
    gold_and_taught = losses[0.5, 1.0] - losses[0.0001, 1.0]
    assert taught < gold_and_taught < 2 * taught + 0.5


def test_a_class_that_a_teacher_does_not_know_is_reported(folder: Path) -> None:
    for split in ("train", "dev"):
        lines = (folder / f"two-{split}.jsonl").read_text().splitlines(keepends=True)
        kept = (line for line in lines if '"neutral"' not in line)
        (folder / f"less-{split}.jsonl").write_text("".join(kept))
    data = '[data]\nformat = "jsonl"\ntrain = "less-train.jsonl"\ndev = "less-dev.jsonl"\n'
    write(folder / "sentiment.toml", data, SENTIMENT)
    notes = Notes()
    train(folder / "pupil.toml", listener=notes)
    told = "heads.sentiment.teacher: the teacher does not know neutral and gives these classes probability 0"
    assert told in notes.said


def test_a_broken_sequence_is_taught_as_the_entities_that_it_is_read_as(folder: Path) -> None:
    class Broken:
        """A teacher as a softmax without constraints can be."""

        def predict(self, sentences: list[Sentence], asked: list[bool]) -> list[Sentence]:
            tags = ("I-person", "E-person", "S-person", "O")
            return [replace(s, layers={"ner": TagLayer(tags, "bioes", shown="iob2")}) for s in sentences]

    pupil = write(folder / "alone.toml", SYNTHETIC, NER + 'teacher = "ner.toml"')
    vocabulary = train(folder / "ner.toml").tagger.model.vocabulary
    sentence = Sentence.from_tokens(["Ada", "Lovelace", "Bob", "ran"])
    found = with_teachers(
        encode(pack([sentence]), vocabulary, {"ner": "bioes"}),
        [sentence],
        {"ner.toml": (Broken(),)},
        recipe=load_recipe(pupil),
        vocabulary=vocabulary,
        tell=lambda _: None,
    )
    tags = [vocabulary.labels["ner"][k] for k in found.batch(np.zeros(1, np.int64)).taught["ner"][0]]
    assert invalid_positions(tags, "bioes") == []
    broken = Broken().predict([sentence], [True])[0]
    assert tags_to_spans(tags, "bioes") == broken.boundaries("ner") != []


def taught(folder: Path, sentences: list[Sentence], names: list[str], *overrides: str) -> EncodedSentences:
    """What a pupil of these runs learns of sentences without tags."""
    recipe = load_recipe(folder / "pupil.toml", [f"heads.ner.teacher={json.dumps(names)}", *overrides])
    found = find_teachers(recipe, folder, None, device="cpu")
    vocabulary = load(folder / "runs" / "seed-1").model.vocabulary
    plain = encode(pack(sentences), vocabulary, {"ner": "bioes"})
    only = recipe.model_copy(update={"heads": {"ner": recipe.heads["ner"]}})
    return with_teachers(plain, sentences, found, recipe=only, vocabulary=vocabulary, tell=lambda _: None)


def test_several_teachers_teach_their_mean(folder: Path) -> None:
    for seed in (1, 2, 3):
        train(folder / "ner.toml", output=folder / "runs" / f"seed-{seed}", seed=seed)
    names = [f"runs/seed-{seed}" for seed in (1, 2, 3)]
    models = [load(folder / name) for name in names]
    sentences = [replace(s, layers={}) for s in generate(5, seed=9, split="train")]
    marginals = "heads.ner.teacher_targets=marginals"
    expected = np.concatenate([np.mean([m.marginals(s)["ner"].array for m in models], 0) for s in sentences])
    shares = taught(folder, sentences, names, marginals).taught_shares["ner"]
    assert shares.dtype == np.float16
    np.testing.assert_allclose(shares, expected, atol=1e-3)
    assert np.array_equal(taught(folder, sentences, ["runs"], marginals).taught_shares["ner"], shares)
    labels, start = models[0].model.vocabulary.labels["ner"], 0
    ids = taught(folder, sentences, ["runs"]).taught_tags["ner"]
    for sentence in sentences:
        tags = [labels[i] for i in ids[start : start + len(sentence)]]
        assert invalid_positions(tags, "bioes") == []
        assert [tuple(tags)] == list(best_tags([expected[start : start + len(sentence)]], labels, "bioes"))
        start += len(sentence)


@pytest.mark.parametrize("context", [0, 9])
def test_a_model_that_reads_context_reads_whole_documents(monkeypatch: pytest.MonkeyPatch, context: int) -> None:
    documents = ("x", "x", "y", "x", "x", None, None)
    sentences = [Sentence.from_tokens([str(i)], document=name) for i, name in enumerate(documents)]
    asked = [False, True, False, True, False, False, True]
    seen: list[Sentence] = []

    def predict(given: Iterable[Sentence], *_: object) -> Iterator[Any]:
        seen[:] = given
        return ({"tokens": s.tokens, "ner": np.zeros((1, 0))} for s in seen)

    monkeypatch.setattr("tagger.running.teachers.models.longest_context", lambda _: context)
    monkeypatch.setattr("tagger.running.teachers.models.tag_marginals", predict)
    model = SimpleNamespace(features={}, vocabulary=SimpleNamespace(labels={"ner": ()}))
    teacher = ModelTeacher(cast("Tagger", SimpleNamespace(model=model, predict=predict, backend=None)))
    assert [each["tokens"] for each in cast("Any", teacher.predict(sentences, asked))] == [("1",), ("3",), ("6",)]
    for _ in range(2):
        groups = [[s.tokens[0] for s in document] for document in by_document(seen)]
        assert groups == ([["0", "1"], ["3", "4"], ["6"]] if context else [["1", "3"], ["6"]])
        assert len(list(teacher.opinions(sentences, asked, "ner", "bioes"))) == 3


def test_probabilities_are_taught_where_gold_lacks(folder: Path) -> None:
    train(folder / "ner.toml", output=folder / "runs" / "seed-1")
    model = load(folder / "runs" / "seed-1")
    gold = next(iter(generate(1, seed=9, split="train")))
    sentences = [replace(gold, layers={}), replace(gold, layers={"ner": gold.layers["ner"]})]
    batch = taught(folder, sentences, ["runs/seed-1"], "heads.ner.teacher_targets=marginals").batch(np.arange(2))
    assert batch.taught["ner"].dtype == np.float32
    np.testing.assert_allclose(batch.taught["ner"][0], model.marginals(gold)["ner"].array, atol=1e-3)
    assert not batch.taught["ner"][1].any()
    run = train(folder / "pupil.toml", overrides=["heads.ner.teacher_targets=marginals"], output=folder / "run")
    assert load_recipe(folder / "run" / "recipe.toml").heads["ner"].teacher_targets == "marginals"
    assert same(train(folder / "run" / "recipe.toml", data=folder).tagger, run.tagger)
    assert not same(train(folder / "pupil.toml").tagger, run.tagger)


def test_probabilities_of_tags_in_another_scheme_are_refused(folder: Path) -> None:
    overrides = ["heads.ner.teacher_targets=marginals", "heads.ner.scheme=iob2"]
    with pytest.raises(RecipeError, match=r"must predict tags in the scheme iob2 of the head, .* got bioes; use"):
        train(folder / "pupil.toml", overrides=overrides)


@pytest.mark.parametrize(
    ("section", "text", "tokens"),
    [
        ('format = "text"', "Ada lives in Oslo. She runs.\n\nBob left", ["Ada", "Bob"]),
        ('format = "text"\nsegment = "rules"', "Ada lives in Oslo. She runs.\n\nBob left", ["Ada", "She", "Bob"]),
        ('format = "conll"\ncolumns = ["token", "_"]', "Ada X\nruns X\n\nBob X\n", ["Ada", "Bob"]),
        ('format = "jsonl"', '{"text": "Ada runs."}\n{"tokens": ["Bob", "left"]}\n', ["Ada", "Bob"]),
    ],
)
def test_a_corpus_without_layers_is_labelled_by_teachers(
    folder: Path, section: str, text: str, tokens: list[str]
) -> None:
    (folder / "raw.txt").write_text(text)
    raw = f'[corpora.raw]\n{section}\ntrain = "raw.txt"\n'
    pupil = write(folder / "raw.toml", write_corpus(folder, "one", ["ner"], seed=5), raw, NER + 'teacher = "ner.toml"')
    notes = Notes()
    run = train(pupil, output=folder / "run", listener=notes)
    assert f"ner.toml labels `ner` in {len(tokens)} sentences" in notes.said
    assert "corpus `raw` has no layer of a head, so only teachers label its train sentences" in notes.said
    assert not any("dev from train" in line or "no dev split" in line for line in notes.said)
    assert {"A", "B"} <= set(run.tagger.model.vocabulary.chars)  # its words belong to train
    corpora = load_corpora(pupil)
    assert [sentence.tokens[0] for sentence in corpora["raw"].train] == tokens
    assert not corpora["raw"].dev
    assert same(train(folder / "run" / "recipe.toml", data=folder).tagger, run.tagger)
    assert load(folder / "run").tag("Ada runs.").spans("ner") == run.tagger.tag("Ada runs.").spans("ner")


def test_a_teacher_does_not_learn_from_dev(folder: Path) -> None:
    for name in ("ner", "pupil"):
        text = (folder / f"{name}.toml").read_text()
        (folder / f"{name}.toml").write_text(text.replace("[training]", "[training]\nrefit = true"))
    notes = Notes()
    train(folder / "pupil.toml", output=folder / "run", listener=notes)
    assert [line for line in notes.said if "training again" in line] == [
        "training again on all 60 sentences of train and dev, for 2 epochs"
    ]
    assert load_recipe(folder / "run" / "teachers" / "ner" / "recipe.toml").training.refit is False


def test_a_corpus_without_layers_needs_a_teacher(folder: Path) -> None:
    (folder / "raw.txt").write_text("Ada runs\n")
    raw = '[corpora.raw]\nformat = "text"\ntrain = "raw.txt"\n'
    with pytest.raises((RecipeError, DataError), match="corpus `raw`"):
        train(write(folder / "raw.toml", write_corpus(folder, "one", ["ner"], seed=5), raw, NER))


def test_an_earlier_run_keeps_its_teachers_until_new_ones_are_done(folder: Path) -> None:
    class Stops(RunListener):
        def noted(self, message: str) -> None:
            if " labels `" in message:
                raise KeyboardInterrupt

    train(folder / "pupil.toml", output=folder / "run")
    first = weights(load(folder / "run" / "teachers" / "upos"))
    with pytest.raises(KeyboardInterrupt):
        train(folder / "pupil.toml", output=folder / "run", overwrite=True, seed=2, listener=Stops())
    assert all(torch.equal(v, first[k]) for k, v in weights(load(folder / "run" / "teachers" / "upos")).items())
    train(folder / "pupil.toml", output=folder / "run", overwrite=True, seed=2)
    assert same(load(folder / "run" / "teachers" / "upos"), train(folder / "upos.toml", seed=2).tagger)
    assert {path.name for path in (folder / "run").iterdir()} == {"model", "teachers", "seen.json", *FILES}


def test_a_run_is_not_written_over_its_own_teacher(folder: Path) -> None:
    train(folder / "ner.toml", output=folder / "runs" / "ner")
    for output in ("runs/ner", "runs/../runs/ner"):
        with pytest.raises(RecipeError, match=r"heads.ner.teacher: .* must not be the folder of this run or in it"):
            train(
                folder / "pupil.toml",
                output=folder / output,
                overwrite=True,
                overrides=["heads.ner.teacher=runs/ner"],
            )
    assert load(folder / "runs" / "ner").layers == ("ner",)


def test_a_run_is_no_teacher_of_itself_or_of_its_neighbours_through_their_folder(folder: Path) -> None:
    for name in ("runs/seed-1", "runs/seed-2/teachers/ner"):
        (folder / name).mkdir(parents=True)
    (folder / "link").symlink_to(folder / "runs")
    for teacher, output, message in (
        ("runs", "runs/seed-1", "the runs in .*runs are teachers, so this run must be in another folder, got .*seed-1"),
        ("runs", "runs/seed-3", "must be in another folder"),
        ("link", "runs/seed-3", "must be in another folder"),
        ("runs/seed-2/teachers/ner", "runs/seed-2", "must not be the folder of this run or in it"),
    ):
        recipe = load_recipe(folder / "pupil.toml", [f"heads.ner.teacher={teacher}"])
        with pytest.raises(RecipeError, match=f"^heads.ner.teacher: .*{message}"):
            find_teachers(recipe, folder, folder / output, device="cpu")
    recipe = load_recipe(folder / "pupil.toml", ["heads.ner.teacher=runs"])
    with pytest.raises(ModelError):  # the folder has no model, but its place is right
        find_teachers(recipe, folder, folder / "pupils" / "seed-1", device="cpu")


def test_files_of_all_teachers_are_looked_for_before_any_is_trained(folder: Path) -> None:
    data = '[data]\nformat = "jsonl"\ntrain = "gone.jsonl"\n'
    write(folder / "upos.toml", data, UPOS)
    notes = Notes()
    with pytest.raises(DataError, match=r"^heads.upos.teacher: upos.toml: .*gone.jsonl: no such file"):
        train(folder / "pupil.toml", listener=notes)
    assert notes.said == []


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ('kind = "charlm"\nmodel = "gone"', r"gone: no such f\w+"),
        ('kind = "charlm"\nmodel = "empty"', "empty"),
        ('kind = "transformer"\nmodel = "empty"', "'empty' must have a file config.json"),
        ('kind = "gazetteer"\nfiles = {LOC = "latin.txt"}', "latin.txt:1: must be UTF-8"),
    ],
)
def test_features_of_all_teachers_are_looked_at_before_any_is_trained(folder: Path, feature: str, message: str) -> None:
    (folder / "empty").mkdir()
    (folder / "latin.txt").write_bytes("Køge\n".encode("latin-1"))
    write(folder / "sentiment.toml", SYNTHETIC, SENTIMENT, f"[features.x]\n{feature}")
    notes = Notes()
    with pytest.raises(TaggerError, match=rf"^heads.sentiment.teacher: sentiment.toml: features.x.\w+: .*{message}"):
        train(folder / "pupil.toml", listener=notes)
    assert notes.said == []


def test_a_missing_extra_of_a_teacher_is_reported_before_any_is_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    write(folder / "upos.toml", SYNTHETIC, UPOS, '[features.x]\nkind = "transformer"\nmodel = "m"')
    notes = Notes()
    with pytest.raises(MissingExtraError, match=r"^heads.upos.teacher: upos.toml: features.x.model"):
        train(folder / "pupil.toml", listener=notes)
    assert notes.said == []


def test_an_error_in_the_training_of_a_teacher_names_its_recipe(folder: Path) -> None:
    (folder / "odd.jsonl").write_text("no JSON\n")
    write(folder / "ner.toml", '[data]\nformat = "jsonl"\ntrain = "odd.jsonl"\n', NER)
    with pytest.raises(DataError, match=r"^heads.ner.teacher: ner.toml: .*odd.jsonl:1: "):
        train(folder / "pupil.toml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "heads.ner.teacher=upos.toml",
            r"heads.ner.teacher: upos.toml must predict the layer `ner` with kind 'tokens'",
        ),
        ("heads.sentiment.teacher=ner.toml", r"`sentiment` with kind 'sentence'; it has ner \(tokens\)"),
        ("heads.ner.teacher=pupil.toml", "must have no teachers of its own; train it first"),
        ("heads.ner.teacher=other.toml", r"^heads.ner.teacher: .*other.toml: no such recipe"),
        ("heads.ner.teacher=sub/upos.toml", "must predict the layer `ner`"),
        ("heads.ner.scheme=none", r"must predict tags without a scheme of `ner` as the head does, got entities"),
        ("heads.upos.scheme=bioes", r"must predict entities of `upos` as the head does, got tags without a scheme"),
        ("heads.ner.teacher=sub/..toml", "must have different file names"),
        ("heads.ner.teacher=''", "`heads.ner.teacher.0` must not be empty"),
        (
            "heads.ner={kind = 'values', teacher = 'ner.toml'}",
            "^heads.ner.teacher: a head of kind 'values' has no teacher; remove the key",
        ),
    ],
)
def test_a_teacher_that_cannot_teach_is_reported_before_anything_is_read(
    folder: Path, override: str, message: str
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "upos.toml").write_text((folder / "upos.toml").read_text())
    (folder / "sub" / "..toml").write_text((folder / "ner.toml").read_text())
    (folder / "one-train.jsonl").write_text("no JSON")
    with pytest.raises(RecipeError, match=message):
        train(folder / "pupil.toml", overrides=[override])


def test_a_folder_that_is_no_model_is_reported(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"^heads.ner.teacher: .*nowhere: no such model folder"):
        train(folder / "pupil.toml", overrides=["heads.ner.teacher=nowhere"])


def test_two_teachers_of_one_name_are_reported(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "upos.toml").write_text((folder / "ner.toml").read_text())
    recipe = load_recipe(folder / "pupil.toml", ["heads.ner.teacher=sub/upos.toml"])
    with pytest.raises(RecipeError, match=r"different file names, got sub/upos.toml, upos.toml"):
        find_teachers(recipe, folder, None, device="cpu")


def test_a_teacher_of_what_all_sentences_have_is_reported(folder: Path) -> None:
    recipe, notes = write(folder / "idle.toml", SYNTHETIC, NER + 'teacher = "ner.toml"'), Notes()
    with pytest.raises(RecipeError, match=r"heads.ner.teacher has no effect, because every train sentence has `ner`"):
        train(recipe, listener=notes)
    assert not any("training teacher" in line for line in notes.said)


@pytest.mark.parametrize("key", ["mention_replacement", "token_replacement"])
def test_sentences_with_replaced_entities_keep_their_layer_and_ask_only_for_others(folder: Path, key: str) -> None:
    train_sentences = generate(24, seed=1, split="train")
    taught = {layer: head + f'teacher = "{layer}.toml"' for layer, head in (("ner", NER), ("upos", UPOS))}
    copies, idle = [f"training.{key}=0.5"], "has no effect, because every train sentence has"
    for heads in ([taught["ner"]], [taught["ner"], UPOS]):  # the copies have `ner`
        path = write(folder / "idle.toml", SYNTHETIC, *heads)
        with pytest.raises(RecipeError, match=f"heads.ner.teacher {idle} `ner`"):
            check_taught(load_recipe(path, copies), train_sentences)
    lacking = write(folder / "lacking.toml", SYNTHETIC, NER, taught["upos"])
    check_taught(load_recipe(lacking, copies), train_sentences)  # the copies lack `upos`
    with pytest.raises(RecipeError, match=f"heads.upos.teacher {idle} `upos`"):
        check_taught(load_recipe(lacking), train_sentences)


def test_a_teacher_that_predicts_an_unknown_label_is_reported(folder: Path) -> None:
    for split in ("train", "dev", "test"):
        path = folder / f"two-{split}.jsonl"
        path.write_text(path.read_text().replace('"positive"', '"good"'))
    with pytest.raises(
        RecipeError,
        match=r"heads.sentiment.teacher: the teacher must have only labels .* \(.*good.*\), got positive; use",
    ):
        train(folder / "pupil.toml")


def test_a_lazy_corpus_has_no_teacher(folder: Path) -> None:
    data = '[data]\ndataset = "somewhere"\nlazy = true\n'
    with pytest.raises(RecipeError, match="a `teacher` reads all of train, which `lazy` leaves on disk"):
        load_recipe(write(folder / "lazy.toml", data, NER + 'teacher = "ner.toml"'))


def test_a_teacher_that_is_interrupted_ends_the_run(folder: Path) -> None:
    class Impatient(RunListener):
        def stepped(self, *_: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder / "pupil.toml", output=folder / "run", listener=Impatient())
    assert not (folder / "run").exists()


def test_a_teacher_that_is_stopped_after_an_epoch_is_kept_and_ends_the_run(folder: Path) -> None:
    class Patient(RunListener):
        def scored(self, epoch: Epoch) -> None:
            if epoch.epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder / "pupil.toml", output=folder / "run", listener=Patient())
    assert load(folder / "run" / "teachers" / "ner").layers == ("ner",)
    assert not (folder / "run" / "model").exists()
