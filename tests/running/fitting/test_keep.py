"""A training that goes on from a model and keeps what it knew: its heads, its labels, and what it teaches."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from small_recipes import NER, SYNTHETIC
from small_runs import SENTIMENT, UPOS, Interrupter, Notes, make_recipe, same_bits, weights, write_conll

from tagger.config import load_recipe
from tagger.corpus.synthetic import generate
from tagger.encoding.batches import Batch, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary, build_vocabulary
from tagger.errors import RecipeError
from tagger.running.dry_run import dry_run
from tagger.running.fitting.start import with_start
from tagger.running.run import Run
from tagger.running.teachers.asking import with_teachers
from tagger.running.train import train
from tagger.tagging import load
from tagger.text.sentence import Label, Sentence, TagLayer

STILL = ["training.epochs=1", "training.learning_rate=1e-20", "embeddings.tune=false"]
KEEP = "keep = 0.3\n"
TRAINING = "[training]\nepochs = 2\nbatch_size = 8\nlearning_rate = 0.02\n"
MOODS = "".join(
    f"{mood}\t{text}\n"
    for mood, text in (("positive", "fine film"), ("angry", "hateful rubbish"), ("angry", "vile film")) * 6
)
SENTENCES = list(generate(12, seed=3, split="dev"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model with a head of entities and one of labels, whose scores dev has calibrated."""
    folder = tmp_path_factory.mktemp("first")
    recipe = make_recipe(folder, SYNTHETIC, NER, SENTIMENT + "calibrate = true\n")
    return train(recipe, output=folder / "run", overrides=["training.epochs=8"])


def make_next(folder: Path, start: object, *parts: str, keep: str = KEEP) -> Path:
    recipe = folder / "next.toml"
    recipe.write_text("\n".join((f'start = "{start}"\n{keep}', *parts, TRAINING)))
    return recipe


def make_moods(folder: Path, start: object, *parts: str) -> Path:
    """A recipe for a corpus with a class that the model does not know, and without two that it knows."""
    (folder / "moods.tsv").write_text(MOODS)
    data = '[data]\nformat = "labelled"\nlayer = "sentiment"\ntrain = "moods.tsv"\ndev = "moods.tsv"\n'
    return make_next(folder, start, data, SENTIMENT, *parts)


def make_entities(folder: Path, start: object, *keys: str) -> Path:
    """A recipe for a corpus with a type that the model does not know."""
    path = write_conll(folder / "foods.conll", *["Ada/O Byron/O likes/O soup/B-FOOD ./O"] * 12)
    keys = (f'[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "{path}"\ndev = "{path}"', *keys)
    return make_next(folder, start, "\n".join(keys), NER)


def head_weights(run: Run, layer: str) -> dict[str, torch.Tensor]:
    return {name: value for name, value in weights(run).items() if name.startswith(f"head:{layer}.")}


def taught(recipe: Path, sentences: list[Sentence]) -> tuple[Batch, Vocabulary]:
    """What the model in `start` teaches of sentences, and the labels of the new model."""
    used, start = with_start(load_recipe(recipe), recipe.parent, None, device="cpu")
    assert start is not None
    packed, schemes = pack(sentences), {layer: head.span_scheme for layer, head in used.layers.items()}
    vocabulary = build_vocabulary(packed, layers=schemes, labels=start.labels)
    encoded = encode(packed, vocabulary, {layer: schemes[layer] for layer in packed.layers if layer in schemes})
    found = with_teachers(encoded, sentences, start.teachers(), recipe=used, vocabulary=vocabulary, tell=lambda _: None)
    return found.batch(np.arange(len(sentences))), vocabulary


def test_heads_that_the_recipe_does_not_name_stay_and_predict_as_before(first: Run, tmp_path: Path) -> None:
    shutil.copytree(first.folder, tmp_path / "old")
    recipe = make_next(tmp_path, "old", SYNTHETIC, UPOS)
    run = train(recipe, overrides=STILL, output=tmp_path / "run")
    shutil.rmtree(tmp_path / "old")  # the new model does not need the old one
    new, old = load(run.folder), first.tagger
    assert new.layers == ("upos", "ner", "sentiment")
    for layer in ("ner", "sentiment"):
        assert same_bits(head_weights(first, layer), head_weights(run, layer))
        assert new.model.vocabulary.labels[layer] == old.model.vocabulary.labels[layer]
    temperatures = old.model.config.temperatures
    assert new.model.config.temperatures == temperatures
    assert temperatures["sentiment"] != 1
    assert new.model.config.schemes["ner"] == old.model.config.schemes["ner"]
    assert "teacher" not in (run.folder / "model" / "config.json").read_text()
    for one, other in zip(new.predict(SENTENCES), old.predict(SENTENCES), strict=True):
        assert one.tags("ner") == other.tags("ner")
        scores = other.label("sentiment").scores
        assert one.label("sentiment").scores == pytest.approx(scores, abs=0.01)  # word vectors are rounded once
    assert [set(epoch.dev) for epoch in run.outcome.epochs] == [{"upos"}]  # dev has `ner`, but it chooses no epoch
    assert "- start `old`: see the card of that model" in (run.folder / "model" / "README.md").read_text()


def test_a_head_goes_on_with_the_weights_of_the_labels_that_it_knows(first: Run, tmp_path: Path) -> None:
    listener = Notes()
    run = train(make_moods(tmp_path, first.folder), overrides=STILL, listener=listener)
    assert run.tagger.model.vocabulary.labels["sentiment"] == ["negative", "neutral", "positive", "angry"]
    assert "the head of `sentiment` learns `angry` beside the labels that it knows" in listener.said
    before, after = head_weights(first, "sentiment"), head_weights(run, "sentiment")
    assert len(after["head:sentiment.classify.4.bias"]) == 4
    assert same_bits(before, {name: after[name][tuple(map(slice, before[name].shape))] for name in before})
    assert not run.tagger.model.config.temperatures  # it was fitted to another head
    assert [note for note in listener.said if "temperature of `sentiment` was fitted to the head before" in note]
    entities = train(make_entities(tmp_path, first.folder), overrides=STILL)
    names, old = entities.tagger.model.vocabulary.labels["ner"], first.tagger.model.vocabulary.labels["ner"]
    assert names[len(old) :] == ["B-FOOD", "I-FOOD", "E-FOOD", "S-FOOD"]
    known, all_of = weights(first)["head:ner.crf.transitions"], weights(entities)["head:ner.crf.transitions"]
    assert torch.equal(all_of[: len(old), : len(old)], known)


def test_labels_that_dev_has_and_the_model_knew_are_not_called_unknown(first: Run, tmp_path: Path) -> None:
    listener, recipe = Notes(), make_moods(tmp_path, first.folder)
    (tmp_path / "dev.tsv").write_text(f"neutral\tfilm\n{MOODS}")
    train(recipe, overrides=[*STILL, "data.dev=dev.tsv", "heads.sentiment.calibrate=true"], listener=listener)
    assert not [note for note in listener.said if "train lacks" in note]


def test_classes_are_taught_among_those_that_the_model_knows(first: Run, tmp_path: Path) -> None:
    sentences = [Sentence.from_tokens(s.tokens, {"sentiment": Label("angry")}) for s in SENTENCES]
    batch, vocabulary = taught(make_moods(tmp_path, first.folder), sentences)
    names, found = vocabulary.labels["sentiment"], batch.taught["sentiment"]
    assert names == ["negative", "neutral", "positive", "angry"]
    assert (found[:, 3] == -1).all()
    temperature = first.tagger.model.config.temperatures["sentiment"]
    for row, sentence in zip(found, first.tagger.predict(sentences), strict=True):
        calibrated = np.array([sentence.label("sentiment").scores[name] for name in names[:3]])
        raw = calibrated**temperature
        np.testing.assert_allclose(row[:3], raw / raw.sum(), atol=1e-4)


def test_tags_are_taught_where_gold_leaves_them_open(first: Run, tmp_path: Path) -> None:
    tokens = ["Ada", "Byron", "likes", "soup", "."]
    partial = TagLayer(("O", "O", "O", "B-FOOD", "O"), "iob2", types=("FOOD",))
    sentences = [
        Sentence.from_tokens(tokens, {"ner": layer} if layer is not None else {})
        for layer in (partial, TagLayer(partial.tags, "iob2"), None)
    ]
    batch, vocabulary = taught(make_entities(tmp_path, first.folder), sentences)
    names, found = vocabulary.labels["ner"], batch.taught["ner"]
    known = np.array(["FOOD" not in name for name in names])
    wanted = first.tagger.marginals(sentences[2])["ner"].array
    np.testing.assert_allclose(found[2][:, known], wanted, atol=1e-3)
    assert (found[2][:, ~known] == -1).all()
    assert not found[1].any()  # gold is complete
    assert not found[0, 3].any()  # and complete at the new entity
    np.testing.assert_array_equal(np.delete(found[0], 3, 0), np.delete(found[2], 3, 0))


def test_tags_that_gold_excludes_are_not_taught(first: Run, tmp_path: Path) -> None:
    layer = TagLayer(("O", "O", "B-FOOD"), "iob2", types=("FOOD", "PER"))
    batch, vocabulary = taught(
        make_entities(tmp_path, first.folder), [Sentence.from_tokens(["Ada", "ate", "soup"], {"ner": layer})]
    )
    for name, share in zip(vocabulary.labels["ner"], batch.taught["ner"][0, 0], strict=True):
        assert (share == -1) == name.endswith(("FOOD", "PER"))


def test_complete_gold_is_said_to_leave_nothing_to_teach(first: Run, tmp_path: Path) -> None:
    complete, partial = Notes(), Notes()
    train(make_entities(tmp_path, first.folder), overrides=STILL, listener=complete)
    train(make_entities(tmp_path, first.folder, 'types = ["FOOD"]'), overrides=STILL, listener=partial)
    said = "gold has every tag of `ner`, so the model in `start` teaches none; if a corpus does not annotate"
    assert [any(note.startswith(said) for note in each.said) for each in (complete, partial)] == [True, False]


def test_the_weight_decides_how_much_is_kept(first: Run, tmp_path: Path) -> None:
    recipe = make_next(tmp_path, first.folder, SYNTHETIC, UPOS)
    changes = ["training.epochs=6", "training.learning_rate=0.05"]
    distances = []
    for keep in (1e-9, 3.0):
        model = train(recipe, overrides=[*changes, f"keep={keep}"]).tagger
        pairs = [(model.marginals(s)["ner"].array, first.tagger.marginals(s)["ner"].array) for s in SENTENCES]
        distances.append(sum(abs(one - other).sum() for one, other in pairs))
    assert distances[1] < 0.5 * distances[0]


def test_old_sentences_are_replayed_from_one_more_corpus(first: Run, tmp_path: Path) -> None:
    old = '[corpora.old]\nformat = "synthetic"\nsentences = 40\nweight = 0.25\n'
    path = write_conll(tmp_path / "new.conll", *["soup/FOOD is/COPULA good/TASTE"] * 12)
    new = f'[corpora.new]\nformat = "conll"\ncolumns = ["token", "taste"]\ntrain = "{path}"\ndev = "{path}"\n'
    taste = UPOS.replace("upos", "taste")
    run = train(make_next(tmp_path, first.folder, new, old, taste, NER))
    assert run.tagger.layers == ("taste", "ner", "sentiment")
    assert set(run.outcome.epochs[0].dev) == {"taste", "ner"}  # a head that the recipe names is scored
    unnamed, listener = make_next(tmp_path, first.folder, new, old, taste), Notes()
    train(unnamed, overrides=STILL, listener=listener)  # its labels are not read, but its texts are
    assert any("corpus `old` has no layer of a head, so only teachers label" in note for note in listener.said)


def test_a_run_that_was_cut_goes_on_with_the_same_teacher(first: Run, tmp_path: Path) -> None:
    recipe = make_next(tmp_path, first.folder, SYNTHETIC, UPOS)
    whole = train(recipe, output=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, output=tmp_path / "cut", checkpoint_every=1, listener=Interrupter(step=3))
    assert same_bits(weights(train(recipe, output=tmp_path / "cut", resume=True)), weights(whole))
    kept = load_recipe(tmp_path / "whole" / "recipe.toml")
    assert (kept.keep, kept.start, [*kept.heads]) == (0.3, str(first.folder), ["upos"])
    assert same_bits(weights(train(kept, data=tmp_path)), weights(whole))
    report = json.loads((tmp_path / "whole" / "report.json").read_text())
    assert report["start"]["model"] == str(first.folder / "model")


def test_without_keep_all_heads_are_new(first: Run, tmp_path: Path) -> None:
    listener = Notes()
    run = train(make_next(tmp_path, first.folder, SYNTHETIC, NER, keep=""), overrides=STILL, listener=listener)
    assert run.tagger.layers == ("ner",)
    known, new = head_weights(first, "ner"), head_weights(run, "ner")
    assert not torch.equal(known["head:ner.linear.weight"], new["head:ner.linear.weight"])
    assert not [note for note in listener.said if "`start`" in note]


def test_a_dry_run_counts_the_heads_that_stay(first: Run, tmp_path: Path) -> None:
    kept = dry_run(make_next(tmp_path, first.folder, SYNTHETIC, UPOS)).parameters
    new = dry_run(make_next(tmp_path, first.folder, SYNTHETIC, UPOS, keep="")).parameters
    assert kept - new == sum(
        value.numel() for layer in ("ner", "sentiment") for value in head_weights(first, layer).values()
    )


def test_classes_that_train_lacks_have_the_weight_1(first: Run, tmp_path: Path) -> None:
    run = train(make_moods(tmp_path, first.folder, 'class_weights = "balanced"'), overrides=STILL)
    assert run.tagger.network.heads["sentiment"].class_weights.tolist() == [1.0, 1.0, 1.5, 0.75]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("heads.ner.scheme=iob2", r"^heads.ner.scheme: must be 'bioes' as in the model in `start`, .* got 'iob2'"),
        (
            "heads.ner.decoder=softmax",
            r"^heads.ner.decoder: must be 'crf' .* got 'softmax'; change it, or remove `keep`",
        ),
        ("heads.ner.layer=sentiment", r"^heads.ner.kind: must be 'sentence' .* its head of `sentiment`, got 'tokens'"),
        ("heads.ner.teacher=other.jsonl", r"^heads.ner.teacher: because of `keep`, only the model .* got other.jsonl"),
        ("keep=0", r"`keep` must be greater than 0, got 0"),
    ],
)
def test_what_cannot_go_on_is_refused(first: Run, tmp_path: Path, change: str, message: str) -> None:
    (tmp_path / "other.jsonl").write_text('{"tokens": ["Ada", "ran"], "ner": ["S-PER", "O"]}\n')
    with pytest.raises(RecipeError, match=message):
        train(make_next(tmp_path, first.folder, SYNTHETIC, NER), overrides=[change])


def test_keep_needs_a_model_to_start_from(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="`keep` needs a model in `start`, got none; add `start` or remove `keep`"):
        train(make_recipe(tmp_path, KEEP, SYNTHETIC, NER))
