"""The features of a model in its folder; their files are also tested in tests/running/test_description.py."""

import json
from pathlib import Path

import pytest

from tagger.config import AffixesConfig, EmbeddingsConfig, EncoderConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.features.affixes import AffixesFeature
from tagger.files.hashes import CONFIG, config_to_json
from tagger.model.config import FORMAT
from tagger.model.folder.feature_files import torch_parts
from tagger.model.folder.torch_model import load_model, save_model
from tagger.model.network import TorchModel, build_network
from tests.untrained import untrained_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a model with affixes."""
    model = untrained_model(
        Vocabulary(["a", "b"], ["a"], {"ner": ["O", "X"]}, 1),
        {"ner": TokensHeadConfig(kind="tokens", scheme="none")},
        embeddings=EmbeddingsConfig(dimension=4),
        encoder=EncoderConfig(hidden_size=5),
    )
    features = {"affixes": AffixesFeature("affixes", AffixesConfig(kind="affixes", lengths=[2], buckets=9))}
    update = {"features": {"affixes": features["affixes"].config}, "format": FORMAT}
    config = model.config.model_copy(update=update | {"feature_widths": {"affixes": features["affixes"].width}})
    network = build_network(model.vocabulary, config, features=features)
    save_model(TorchModel(config, model.vocabulary, None, network, features=features), tmp_path / "m", card="")
    return tmp_path / "m"


def change(folder: Path, key: str, value: object, *files: str) -> None:
    """Change a value of the configuration, which also names hashes of these files."""
    values = json.loads((folder / CONFIG).read_bytes())
    names = [name for name in values.pop("sha256") if name != CONFIG]
    contents = {name: (folder / name).read_bytes() for name in names} | dict.fromkeys(files, b"")
    (folder / CONFIG).write_bytes(config_to_json(values | {key: value}, contents))


def test_another_width_than_that_of_the_feature_is_refused(folder: Path) -> None:
    change(folder, "feature_widths", {"affixes": 7})
    with pytest.raises(ModelError, match=r"config.json: `feature_widths` must be .*, got .*7"):
        load_model(folder)


def test_a_hash_of_a_file_of_no_feature_is_refused(folder: Path) -> None:
    change(folder, "version", "1", "feature.other.json")
    with pytest.raises(ModelError, match=r"`sha256` must have the file of each feature, .*feature.other.json"):
        load_model(folder)


@pytest.mark.parametrize(
    ("features", "names"),
    [
        (
            {"a": {"kind": "affixes"}, "b": {"kind": "transformer"}, "c": {"kind": "charlm"}},
            ["feature `b`", "feature `c`"],
        ),
        ({"a": {"kind": "unknown"}, "b": {"kind": 1}, "c": "transformer"}, []),
        (["transformer"], []),
    ],
)
def test_features_that_only_torch_reads_are_named(folder: Path, features: object, names: list[str]) -> None:
    change(folder, "features", features)
    assert torch_parts(folder) == names


def test_a_folder_without_a_model_has_no_features(tmp_path: Path) -> None:
    assert torch_parts(tmp_path) == []
