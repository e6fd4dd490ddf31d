"""Calibration on dev."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_recipes import NER, SYNTHETIC
from small_runs import CONLL, SENTIMENT, UPOS, Notes, make_recipe, same_bits, weights, write_conll
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import DataError, RecipeError
from tagger.evaluation import dev_scores
from tagger.features.passages import Passage
from tagger.heads.table import heads_of
from tagger.inference.predict import encoded_for
from tagger.running.description import describe_model
from tagger.running.fitting.calibration import calibrate, describe_calibration
from tagger.running.train import train
from tagger.tagging import load
from tagger.text.sentence import Sentence, TagLayer


def test_sentences_that_are_not_calibrated_on_are_context_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {"ner": ["O", "S-A"], "mood": ["bad", "good"]}
    model = untrained_model(
        Vocabulary(("a",), ("a",), labels, 1),
        {
            "ner": TokensHeadConfig(kind="tokens", layer="ner", calibrate=True),
            "mood": SentenceHeadConfig(kind="sentence", layer="mood", calibrate=True),
        },
        embeddings=EmbeddingsConfig(dimension=4, char_hidden=4),
        encoder=EncoderConfig(hidden_size=4),
    )
    layers: list[dict[str, Any]] = [
        {"ner": TagLayer((tag,), "bioes"), "mood": mood} if tag else {}
        for tag, mood in (("S-A", "bad"), ("", ""), ("O", "good"))
    ]
    dev = [Sentence.from_tokens([f"w{i}"], found, document="d") for i, found in enumerate(layers)]
    read: list[list[Passage]] = []

    def watched(model: Any, packed: Any, passages: Sequence[Passage], *rest: Any) -> Any:
        read.append(list(passages))
        return encoded_for(model, packed, passages, *rest)

    for module in ("running.fitting.calibration", "inference.predict"):
        monkeypatch.setattr(f"tagger.{module}.encoded_for", watched)
        monkeypatch.setattr(f"tagger.{module}.longest_context", lambda _: 9)
    calibrate(model, dev, {"ner": 0.0, "mood": 0.0})
    usable = [(("w0",), (), ("w1", "w2")), (("w2",), ("w0", "w1"), ())]
    assert [[passage[:3] for passage in each] for each in read[:2]] == [usable, usable]


def test_a_refit_with_calibration_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER + "calibrate = true\n")
    with pytest.raises(RecipeError, match=r"needs a dev set that was not trained on, but `training\.refit` trains"):
        train(recipe, overrides=["training.refit=true"])


def test_calibration_chooses_a_temperature_on_dev_and_keeps_it_with_the_model(tmp_path: Path) -> None:
    listener = Notes()
    plain = train(make_recipe(tmp_path, SYNTHETIC, SENTIMENT))
    recipe = make_recipe(tmp_path, SYNTHETIC, SENTIMENT, "calibrate = true")
    run = train(recipe, output=tmp_path / "run", listener=listener)
    temperature = run.tagger.model.config.temperatures["sentiment"]
    note = next(note for note in listener.said if note.startswith("calibrated `sentiment` on 4 dev sentences: "))
    assert f"temperature {temperature:.3f}" in note
    loaded = load(tmp_path / "run")
    assert temperature != 1.0
    for sentence in generate(10, seed=9, split="test"):
        raw, scaled = (tagger.tag_tokens(sentence.tokens).label("sentiment") for tagger in (plain.tagger, loaded))
        assert raw.value == scaled.value
        expected = (torch.tensor(list(raw.scores.values())).log() / temperature).softmax(0).tolist()
        assert list(scaled.scores.values()) == pytest.approx(expected, abs=1e-5)


def test_calibration_of_tags_is_kept_in_the_weights_and_has_nothing_left_to_do(tmp_path: Path) -> None:
    # Trained for long enough that the best temperature lies well within its bounds, on every processor.
    listener, longer = Notes(), ["data.sentences=200", "training.epochs=6"]
    plain = train(make_recipe(tmp_path, SYNTHETIC, NER, UPOS), overrides=longer)
    recipe = make_recipe(tmp_path, SYNTHETIC, NER + "calibrate = true", UPOS + "calibrate = true")
    run = train(recipe, overrides=longer, output=tmp_path / "run", listener=listener)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    facts = report["calibrated"]
    assert facts.keys() == {"ner", "upos"}
    assert all(0.1 < found["temperature"] < 10 for found in facts.values())
    assert facts["ner"]["outside"] != 0.0
    assert "outside" not in facts["upos"]
    assert report["dev_scores"] == plain.outcome.best.dev
    assert describe_model(tmp_path / "run")["calibrated"] == facts
    dev = list(generate(20, seed=1, split="dev"))
    tagger = load(tmp_path / "run")
    for layer, found in facts.items():
        assert (found["sentences"], found["left_out"]) == (20, 0)
        assert found["loss_after"] < found["loss_before"]
        note = next(note for note in listener.said if note.startswith(f"calibrated `{layer}` on 20 dev sentences: "))
        assert f"temperature {found['temperature']:.3f}" in note
    assert facts["ner"]["dev_before"] == plain.outcome.best.dev["ner"]
    assert facts["ner"]["dev_after"] == dev_scores(dev, tagger.predict(dev), tagger.model)["ner"]
    again = calibrate(tagger.model, dev, {"ner": 0.0, "upos": 0.0})[1]
    assert [found["temperature"] for found in again.values()] == pytest.approx([1.0, 1.0], rel=0.01)
    assert again["ner"]["outside"] == pytest.approx(0.0, abs=0.01)
    for sentence in generate(10, seed=9, split="test"):  # a temperature alone changes no tag
        raw, scaled = (model.tag_tokens(sentence.tokens) for model in (plain.tagger, run.tagger))
        assert raw.tags("upos") == scaled.tags("upos")
        assert raw.tag_scores("upos") != scaled.tag_scores("upos")


def test_a_shift_that_costs_dev_score_is_left_out(tmp_path: Path) -> None:
    plain = train(make_recipe(tmp_path, SYNTHETIC, NER)).tagger.model
    config = train(make_recipe(tmp_path, SYNTHETIC, NER + "calibrate = true")).tagger.model.config
    dev, model = list(generate(20, seed=1, split="dev")), replace(plain, config=config)
    before = {name: weight.clone() for name, weight in model.network.heads["ner"].state_dict().items()}
    best = {"ner": 1.1}  # a score that no calibration reaches
    facts = calibrate(model, dev, best)[1]["ner"]
    assert "outside" not in facts
    assert facts["outside_left_out"] != 0.0
    assert facts["dev_left_out"] < facts["dev_before"] == 1.1
    for name, weight in model.network.heads["ner"].state_dict().items():
        torch.testing.assert_close(weight, before[name] / facts["temperature"])
    assert "was left out, because it lowers dev from 1.1000 to" in describe_calibration(
        heads_of(model.heads)["ner"], facts
    )


def make_calibrated(folder: Path, *dev: str) -> Path:
    """A recipe whose entities are calibrated on these dev sentences."""
    write_conll(folder / "train.conll", *["Ada/B-PER naps/O", "rain/O falls/O"] * 9)
    write_conll(folder / "dev.conll", *dev)
    return make_recipe(folder, CONLL + 'dev = "dev.conll"\n', NER, "calibrate = true")


def test_dev_sentences_with_tags_that_train_lacks_do_not_calibrate_and_are_counted(tmp_path: Path) -> None:
    listener = Notes()
    recipe = make_calibrated(tmp_path, "Ada/B-PER naps/O", "Oslo/B-LOC sleeps/O", "rain/O falls/O")
    train(recipe, output=tmp_path / "run", listener=listener)
    said = "calibrated `ner` on 2 dev sentences (1 unused, because train lacks their labels): temperature "
    assert any(note.startswith(said) for note in listener.said)
    found = json.loads((tmp_path / "run" / "report.json").read_text())["calibrated"]["ner"]
    assert (found["sentences"], found["left_out"]) == (2, 1)


def test_nothing_that_could_calibrate_is_reported_before_training(tmp_path: Path) -> None:
    listener = Notes()
    with pytest.raises(DataError) as refused:
        train(make_calibrated(tmp_path, "Oslo/B-LOC sleeps/O"), listener=listener)
    assert str(refused.value) == (
        "heads.ner.calibrate: there must be a dev sentence whose labels of `ner` all occur in train, got none; "
        "remove the key or add such sentences to dev"
    )
    assert not any("epoch" in note for note in listener.said)


@pytest.mark.parametrize("dev", ["rain/O falls/O", "Ada/B-PER"])
def test_dev_without_entities_or_with_nothing_else_does_not_say_how_many_there_are(tmp_path: Path, dev: str) -> None:
    listener = Notes()
    train(make_calibrated(tmp_path, dev), output=tmp_path / "run", listener=listener)
    found = json.loads((tmp_path / "run" / "report.json").read_text())["calibrated"]["ner"]
    assert "outside" not in found
    at_limit = found["temperature"] == pytest.approx(0.05) or found["temperature"] == pytest.approx(20.0)
    assert at_limit == any("the fit is at its limit" in note for note in listener.said)


def test_a_run_that_is_stopped_while_it_is_calibrated_keeps_what_training_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    plain, listener = train(make_recipe(tmp_path, SYNTHETIC, NER)), Notes()
    monkeypatch.setattr("tagger.nn.calibration.calibrate_tokens", stop)
    recipe = make_recipe(tmp_path, SYNTHETIC, NER, "calibrate = true")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, output=tmp_path / "run", listener=listener)
    assert listener.said[-1] == f"stopped before calibration; the model in {tmp_path / 'run'} is not calibrated"
    assert same_bits(load(tmp_path / "run").network.state_dict(), weights(plain))
