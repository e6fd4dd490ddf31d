"""The description of a model is read from its files, without the network and without its features."""

import sys
from math import prod
from pathlib import Path

import pytest
from tiny_transformers import save_bert
from untrained import untrained_model

from tagger.config import AffixesConfig, EmbeddingsConfig, EncoderConfig, TokensHeadConfig, TransformerConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.features.affixes import AffixesFeature
from tagger.features.feature import Given
from tagger.features.transformer import TransformerFeature
from tagger.model.config import FORMAT
from tagger.model.folder.torch_model import load_model, save_model
from tagger.model.network import TorchModel, build_network
from tagger.model.shapes import forms_of
from tagger.running.description import describe_model


def save_with_features(folder: Path, *, trainable: bool) -> None:
    """Save a model with a transformer and a table of affixes, with fresh weights."""
    encoder = TransformerConfig(kind="transformer", model=str(save_bert(folder / "bert")), trainable=trainable)
    affixes = AffixesConfig(kind="affixes", lengths=[2], buckets=100, dimension=3)
    features = {
        "bert": TransformerFeature.prepare("bert", encoder, Given(folder, None, print, "cpu")),
        "affixes": AffixesFeature("affixes", affixes),
    }
    model = untrained_model(
        Vocabulary(["a", "b"], ["a"], {"ner": ["O", "X"]}, 1),
        {"ner": TokensHeadConfig(kind="tokens", scheme="none")},
        embeddings=EmbeddingsConfig(dimension=4),
        encoder=EncoderConfig(hidden_size=5),
    )
    sections = {name: feature.config for name, feature in features.items()}
    widths = {name: feature.width for name, feature in features.items()}
    config = model.config.model_copy(update={"format": FORMAT, "features": sections, "feature_widths": widths})
    network = build_network(model.vocabulary, config, features=features)
    save_model(TorchModel(config, model.vocabulary, None, network, features=features), folder / "m", card="")


@pytest.mark.parametrize("trainable", [False, True])
def test_a_model_with_a_transformer_is_described_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainable: bool
) -> None:
    save_with_features(tmp_path, trainable=trainable)
    model = load_model(tmp_path / "m")
    weights = sum(prod(form.shape) for form in forms_of(model.config, model.vocabulary, model.features).values())
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setattr(TransformerFeature, "restore", pytest.fail)
    found = describe_model(tmp_path / "m")
    assert list(found["features"]) == ["bert", "affixes"]
    assert found["trained_parameters"] == weights - model.network.words.frozen.numel()


@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_damaged_file_of_a_feature_is_noticed(tmp_path: Path, keep: float) -> None:
    save_with_features(tmp_path, trainable=False)
    path = tmp_path / "m" / "feature.bert.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ModelError, match=r"feature.bert.safetensors: the file must have the SHA-256 that config.json"):
        describe_model(tmp_path / "m")
    path.unlink()
    with pytest.raises(ModelError, match=r"must hold config.json, .*, got no feature.bert.safetensors"):
        describe_model(tmp_path / "m")
