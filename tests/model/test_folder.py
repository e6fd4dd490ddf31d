"""A model folder: what comes back is what went in, and each damage has its sentence."""

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from untrained import untrained_model

from tagger.config import (
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    ReadingConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
)
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import DataError, ModelError
from tagger.model.config import FORMAT
from tagger.model.folder import load_model, save_model
from tagger.model.model import Model
from tagger.tagging import Tagger, load

HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
    "sentiment": SentenceHeadConfig(kind="sentence"),
}


def make_model(chars: str = "cnn") -> Model:
    sentences = list(generate(30, seed=1, split="train"))
    vocabulary = build_vocabulary(pack(sentences), layers={"ner": "bioes", "upos": None, "sentiment": None})
    return untrained_model(
        vocabulary,
        HEADS,
        embeddings=EmbeddingsConfig(dimension=8, chars=chars),
        encoder=EncoderConfig(hidden_size=9),
        schemes={"ner": "iob2", "upos": None},
        reading={"data": ReadingConfig(format="conll", columns=("token", "ner"))},
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return make_model()


@pytest.fixture
def folder(model: Model, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "m", card="a card\n")
    return tmp_path / "m"


@pytest.mark.parametrize("chars", ["cnn", "lstm", "none"])
def test_saved_and_loaded_model_predicts_the_same_bits(chars: str, tmp_path: Path) -> None:
    model = make_model(chars)
    save_model(model, tmp_path / "m", card="")
    sentences = list(generate(40, seed=2, split="test"))
    assert list(Tagger(model).predict(sentences)) == list(load(tmp_path / "m").predict(sentences))


def test_loaded_model_has_the_same_config_vocabulary_and_weights(model: Model, folder: Path) -> None:
    loaded = load_model(folder)
    assert loaded.config == model.config
    assert loaded.vocabulary == model.vocabulary
    assert not loaded.network.training
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, loaded.network.state_dict()[name])
        assert value.dtype == loaded.network.state_dict()[name].dtype


def test_a_model_that_cannot_be_written_whole_leaves_the_one_before(model: Model, folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    with pytest.raises(DataError, match=r"README\.md: expected a file to write, got a folder"):
        save_model(make_model("lstm"), folder, card="")
    assert load_model(folder).config == model.config
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["README.md", "config.json", "vocabulary.json", "weights.safetensors"]
    )


def test_a_folder_holds_four_files_and_no_pickle(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "vocabulary.json", "weights.safetensors", "README.md"}
    assert (folder / "README.md").read_text() == "a card\n"
    length = int.from_bytes((folder / "weights.safetensors").read_bytes()[:8], "little")
    header = json.loads((folder / "weights.safetensors").read_bytes()[8 : 8 + length])
    assert "words.weight" in header


def test_a_copied_folder_works_from_elsewhere(model: Model, folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "deep" / "elsewhere")
    assert list(load(tmp_path / "deep" / "elsewhere").stream(["Ada ran."])) == list(Tagger(model).stream(["Ada ran."]))


def test_a_run_folder_loads_as_its_model_folder(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "run" / "model", card="")
    assert load_model(tmp_path / "run").config == load_model(str(tmp_path / "run" / "model")).config


def test_loading_runs_no_network_dropout(folder: Path) -> None:
    tagger = load(folder)
    assert tagger.tag("He came late") == tagger.tag("He came late")


def check_refusal(folder: Path, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert str(caught.value) == sentence


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere"
    check_refusal(path, f"{path}: no such model folder; give the folder that training wrote")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "weights.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    check_refusal(folder, f"{folder}: must hold config.json, vocabulary.json and weights.safetensors, got no {name}")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\xff\xfe" + b])
def test_damaged_json_is_named(folder: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(spoil((folder / name).read_bytes()))
    check_refusal(folder, f"{folder / name}: the file is damaged or cut short, it is no JSON; copy the folder again")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
def test_json_that_is_no_object_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("[1]")
    check_refusal(folder, f"{folder / name}: must be a JSON object, got list")


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.999])
def test_weights_cut_short_are_named(folder: Path, keep: float) -> None:
    path = folder / "weights.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    pattern = rf"^{re.escape(str(path))}: the file is damaged or cut short \(.+\); copy the folder again$"
    with pytest.raises(ModelError, match=pattern):
        load_model(folder)


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (FORMAT + 1, "upgrade tagger"),
        (0, "train the model again"),
        (None, "train the model again"),
        (str(FORMAT), "train the model again"),
    ],
)
def test_another_format_is_refused(folder: Path, number: int | str | None, advice: str) -> None:
    change_json(folder / "config.json", format=number)
    check_refusal(folder, f"{folder}: model format {number!r}, this version reads {FORMAT}; {advice}")


def test_a_newer_format_is_refused_whatever_else_it_holds(folder: Path) -> None:
    (folder / "config.json").write_text('{"format": 7, "brand": "new"}')
    check_refusal(folder, f"{folder}: model format 7, this version reads {FORMAT}; upgrade tagger")


def test_a_wrong_value_of_the_config_is_named(folder: Path) -> None:
    change_json(folder / "config.json", vector_dimension="wide")
    path = folder / "config.json"
    check_refusal(folder, f"{path}: `vector_dimension`: Input should be a valid integer; copy the folder again")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"words": 5}, "`words`: Input should be a valid array"),
        ({"labels": ["ner"]}, "`labels`: Input should be an object"),
        ({"labels": {"ner": []}}, "`labels.ner`: List should have at least 1 item after validation, not 0"),
        ({"num_trainable": "3"}, "`num_trainable`: Input should be a valid integer"),
        ({"num_trainable": 10**6}, "`num_trainable` must be at most the number of words and 1"),
    ],
)
def test_a_wrong_value_of_the_vocabulary_is_named(folder: Path, changes: dict[str, object], sentence: str) -> None:
    change_json(folder / "vocabulary.json", **changes)
    check_refusal(folder, f"{folder / 'vocabulary.json'}: {sentence}; copy the folder again")


def test_a_vocabulary_of_other_heads_is_refused(folder: Path) -> None:
    path = folder / "vocabulary.json"
    change_json(path, labels={"ner": ["O"]})
    check_refusal(folder, f"{path}: must name the labels of ner, upos, sentiment; copy the folder again")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda labels: [*labels, "extra"],
            "must each be a tag of the head's scheme, got 'extra', which is no BIOES tag (B-, I-, E-, S-, O)",
        ),
        (
            lambda labels: [*labels[:-1], "U-X"],
            "must each be a tag of the head's scheme, got 'U-X', which is no BIOES tag (B-, I-, E-, S-, O)",
        ),
        (lambda labels: [*labels[:-1], "O"], "must be unique, got 'O' twice"),
        (lambda labels: [*labels, "B-NEW"], "must have each tag of the scheme for each type, got no 'I-NEW'"),
        (lambda labels: labels[::-1], "must begin with 'O', got "),
    ],
)
def test_labels_that_do_not_fit_the_scheme_of_their_head_are_refused(
    folder: Path, spoil: Callable[[list[str]], list[str]], sentence: str
) -> None:
    path = folder / "vocabulary.json"
    labels = json.loads(path.read_text())["labels"]
    change_json(path, labels={**labels, "ner": spoil(labels["ner"])})
    if sentence.endswith("got "):
        sentence += repr(labels["ner"][-1])
    check_refusal(folder, f"{path}: `labels.ner` {sentence}; copy the folder again")


@pytest.mark.parametrize("key", ["words", "chars"])
def test_a_repeated_word_or_character_is_refused(folder: Path, key: str) -> None:
    path = folder / "vocabulary.json"
    names = json.loads(path.read_text())[key]
    change_json(path, **{key: [*names[:-1], names[0]]})
    check_refusal(folder, f"{path}: `{key}` must be unique, got {names[0]!r} twice; copy the folder again")


def test_a_repeated_class_is_refused(folder: Path) -> None:
    path = folder / "vocabulary.json"
    labels = json.loads(path.read_text())["labels"]
    first = labels["sentiment"][0]
    change_json(path, labels={**labels, "sentiment": [first, first]})
    check_refusal(folder, f"{path}: `labels.sentiment` must be unique, got {first!r} twice; copy the folder again")


def test_a_key_of_a_newer_version_asks_for_an_upgrade(folder: Path) -> None:
    path = folder / "config.json"
    change_json(path, brand="new", vector_dimension="wide")
    check_refusal(folder, f"{path}: unknown key `brand`, which a newer version wrote; upgrade tagger")


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    path = folder / "vocabulary.json"
    change_json(path, chars=json.loads(path.read_text())["chars"][:-1])
    pattern = (
        rf"^{re.escape(str(folder / 'weights.safetensors'))}: the weights must fit config\.json and vocabulary\.json: "
        r"size mismatch for chars\.embedding\.weight: [^\n]*$"
    )
    with pytest.raises(ModelError, match=pattern):
        load_model(folder)


def test_weights_that_lack_a_tensor_are_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    weights = load_file(path)
    del weights["head:upos.linear.bias"]
    save_file(weights, path)
    check_refusal(
        folder,
        f"{path}: the weights must fit config.json and vocabulary.json: "
        'Missing key(s) in state_dict: "head:upos.linear.bias".',
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["encoder"].update(hidden_size=10**6),
        lambda config: config["encoder"].update(hidden_size=10**12),
        lambda config: config["encoder"].update(hidden_size=2**70),
        lambda config: config["encoder"].update(layers=10**9),
        lambda config: config["embeddings"].update(char_hidden=10**9),
        lambda config: config["embeddings"].update(char_dimension=2**64),
        lambda config: config.update(vector_dimension=10**11),
        lambda config: config.update(vector_dimension=-1),
        lambda config: config["heads"]["sentiment"].update(hidden_size=10**11),
    ],
)
def test_sizes_that_the_weights_do_not_have_are_refused_before_they_take_memory(
    folder: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    change_json(folder / "config.json", **config)
    started = time.process_time()
    with pytest.raises(ModelError, match=r"weights\.safetensors: the weights must fit config\.json and vocabulary"):
        load_model(folder)
    assert time.process_time() - started < 30


def test_labels_for_which_there_are_no_weights_are_refused_before_they_take_memory(folder: Path) -> None:
    labels = json.loads((folder / "vocabulary.json").read_text())["labels"]
    types = ["O", *(f"{prefix}-{i}" for i in range(5000) for prefix in "BIES")]
    change_json(folder / "vocabulary.json", labels={**labels, "ner": types})
    with pytest.raises(ModelError, match="they are too few for the sizes that these name"):
        load_model(folder)


def test_weights_of_another_type_are_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    weights = load_file(path)
    save_file({**weights, "head:upos.linear.bias": weights["head:upos.linear.bias"].int()}, path)
    check_refusal(
        folder,
        f"{path}: the weights must fit config.json and vocabulary.json: `head:upos.linear.bias` must be torch.float32, "
        "got torch.int32",
    )


def test_json_too_deep_to_be_read_is_damaged(folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 100_000)
    check_refusal(
        folder, f"{folder / 'config.json'}: the file is damaged or cut short, it is no JSON; copy the folder again"
    )
