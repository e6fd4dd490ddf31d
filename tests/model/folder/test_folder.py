"""A model folder: what comes back is what went in, and each damage has its sentence."""

import copy
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from signing import make_older, sign
from untrained import generated_vocabulary, torch_tagger, untrained_model

from tagger.config import (
    AffixesConfig,
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    ReadingConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
)
from tagger.corpus.synthetic import generate
from tagger.errors import DataError, ModelError
from tagger.features.affixes import AffixesFeature
from tagger.model.config import FORMAT
from tagger.model.folder.files import HEADER_BYTES, read_files
from tagger.model.folder.torch_model import load_model, save_model
from tagger.model.network import TorchModel, build_network
from tagger.tagging import load

HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
    "sentiment": SentenceHeadConfig(kind="sentence"),
}


def make_model(chars: str = "cnn", *, quantize: bool = False) -> TorchModel:
    return untrained_model(
        generated_vocabulary(30),
        HEADS,
        embeddings=EmbeddingsConfig(dimension=8, chars=chars, quantize=quantize),
        encoder=EncoderConfig(hidden_size=9),
        schemes={"ner": "iob2", "upos": None},
        reading={"data": ReadingConfig(format="conll", columns=("token", "ner"))},
    )


@pytest.fixture(scope="module")
def model() -> TorchModel:
    return make_model()


@pytest.fixture
def folder(model: TorchModel, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "m", card="a card\n")
    return tmp_path / "m"


@pytest.mark.parametrize(("chars", "quantize"), [("cnn", False), ("lstm", False), ("none", False), ("cnn", True)])
def test_saved_and_loaded_model_predicts_the_same_bits(chars: str, quantize: bool, tmp_path: Path) -> None:
    model = make_model(chars, quantize=quantize)
    save_model(model, tmp_path / "m", card="")
    sentences = list(generate(40, seed=2, split="test"))
    assert list(torch_tagger(model).predict(sentences)) == list(load(tmp_path / "m").predict(sentences))


def test_loaded_model_has_the_same_config_vocabulary_and_weights(model: TorchModel, folder: Path) -> None:
    loaded = load_model(folder)
    assert loaded.config == model.config
    assert loaded.vocabulary == model.vocabulary
    assert not loaded.network.training
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, loaded.network.state_dict()[name])
        assert value.dtype == loaded.network.state_dict()[name].dtype


def test_a_feature_may_have_most_weights_of_a_model(model: TorchModel, tmp_path: Path) -> None:
    section = AffixesConfig(kind="affixes", lengths=[2], buckets=300_000, dimension=10)
    features = {"affixes": AffixesFeature("affixes", section)}
    update = {"format": FORMAT, "features": {"affixes": section}, "feature_widths": {"affixes": 20}}
    config = model.config.model_copy(update=update)
    network = build_network(model.vocabulary, config, features=features)
    save_model(TorchModel(config, model.vocabulary, None, network, features=features), tmp_path / "m", card="")
    assert (tmp_path / "m" / "weights.safetensors").stat().st_size > HEADER_BYTES
    loaded = load_model(tmp_path / "m").network.state_dict()
    assert torch.equal(loaded["feature:affixes.table.weight"], network.state_dict()["feature:affixes.table.weight"])


def test_a_model_that_cannot_be_written_whole_leaves_the_one_before(model: TorchModel, folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    with pytest.raises(DataError, match=r"README\.md: expected a file to write, got a folder"):
        save_model(make_model("lstm"), folder, card="")
    assert load_model(folder).config == model.config
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["README.md", "config.json", "tokenizer.json", "vocabulary.json", "weights.safetensors"]
    )


SAVER = """
import sys
from pathlib import Path
from tagger.files.writing import replace_files
models = [{path.name: path.read_bytes() for path in Path(folder).iterdir()} for folder in sys.argv[2:]]
print("ready", flush=True)
for i in range(10**9):
    replace_files(Path(sys.argv[1]), models[i % 2])
"""


@contextmanager
def saving(folder: Path, *models: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that saves one of two models and then the other over and over again, until it is killed."""
    command = [sys.executable, "-c", SAVER, str(folder), *map(str, models)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def two(model: TorchModel, tmp_path: Path) -> dict[Path, TorchModel]:
    """Two models of the same form whose words and weights differ."""
    words = [f"{word}!" for word in model.vocabulary.words]
    network = copy.deepcopy(model.network)
    for parameter in network.parameters():
        parameter.data += 1 if parameter.requires_grad else 0
    other = replace(model, vocabulary=replace(model.vocabulary, words=words), network=network)
    for name, saved in (("one", model), ("other", other)):
        save_model(saved, tmp_path / name, card=f"{name}\n")
    return {tmp_path / "one": model, tmp_path / "other": other}


def check_one_of(two: dict[Path, TorchModel], found: TorchModel) -> None:
    """Fail unless vocabulary and weights are of the same of two models."""
    weights = found.network.state_dict()
    same = [
        found.vocabulary == model.vocabulary
        and all(torch.equal(value, weights[name]) for name, value in model.network.state_dict().items())
        for model in two.values()
    ]
    assert any(same)


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_saving_that_is_killed_at_any_moment_leaves_one_model_whole(
    kills: int, two: dict[Path, TorchModel], tmp_path: Path
) -> None:
    folder, random = tmp_path / "run" / "model", Random(kills)
    save_model(next(iter(two.values())), folder, card="")
    for _ in range(kills):
        with saving(folder, *two):
            time.sleep(random.random() / 10)
        check_one_of(two, load_model(folder))
    save_model(next(iter(two.values())), folder, card="")
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "vocabulary.json",
        "tokenizer.json",
        "weights.safetensors",
    }


@pytest.mark.parametrize("loads", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_model_that_is_loaded_while_others_are_saved_is_whole(
    loads: int, two: dict[Path, TorchModel], tmp_path: Path
) -> None:
    folder = tmp_path / "run" / "model"
    save_model(next(iter(two.values())), folder, card="")
    with saving(folder, *two) as process:
        for _ in range(loads):
            check_one_of(two, load_model(folder.parent))
        assert process.poll() is None


def test_a_folder_holds_five_files_and_no_pickle(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "tokenizer.json", "vocabulary.json", "weights.safetensors", "README.md"}
    assert (folder / "README.md").read_text() == "a card\n"
    length = int.from_bytes((folder / "weights.safetensors").read_bytes()[:8], "little")
    header = json.loads((folder / "weights.safetensors").read_bytes()[8 : 8 + length])
    assert "words.weight" in header


def test_a_copied_folder_works_from_elsewhere(model: TorchModel, folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "deep" / "elsewhere")
    assert list(load(tmp_path / "deep" / "elsewhere").stream(["Ada ran."])) == list(
        torch_tagger(model).stream(["Ada ran."])
    )


def test_a_run_folder_loads_as_its_model_folder(model: TorchModel, tmp_path: Path) -> None:
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
    check_refusal(path, f"{path}: no such model folder; give the folder that training wrote, or `english`")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "vocabulary.json", "weights.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    check_refusal(folder, f"{folder}: must hold config.json, vocabulary.json and weights.safetensors, got no {name}")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\xff\xfe" + b])
def test_damaged_json_is_named(folder: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(spoil((folder / name).read_bytes()))
    if name != "config.json":
        sign(folder)
    check_refusal(folder, f"{folder / name}: the file is damaged or incomplete, it is not JSON; copy the folder again")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
def test_json_that_is_no_object_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("[1]")
    if name != "config.json":
        sign(folder)
    check_refusal(folder, f"{folder / name}: must be a JSON object, got list; copy the folder again")


@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_weights_cut_short_are_named(folder: Path, keep: float) -> None:
    path = folder / "weights.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    sign(folder)
    pattern = rf"^{re.escape(str(path))}: the file is damaged or incomplete \(.+\); copy the folder again$"
    with pytest.raises(ModelError, match=pattern):
        load_model(folder)


def change_json(path: Path, **changes: object) -> None:
    if path.name == "config.json":
        sign(path.parent, **changes)
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        sign(path.parent)


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(folder / "weights.safetensors")
    change(weights)
    save_file(weights, folder / "weights.safetensors")
    sign(folder)


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
    check_refusal(folder, f"{folder}: model format {number!r}, this version reads 1 to {FORMAT}; {advice}")


def test_a_newer_format_is_refused_whatever_else_it_holds(folder: Path) -> None:
    (folder / "config.json").write_text('{"format": 7, "brand": "new"}')
    check_refusal(folder, f"{folder}: model format 7, this version reads 1 to {FORMAT}; upgrade tagger")


def test_a_wrong_value_of_the_config_is_named(folder: Path) -> None:
    change_json(folder / "config.json", vector_dimension="wide")
    path = folder / "config.json"
    check_refusal(folder, f"{path}: `vector_dimension`: must be a whole number; copy the folder again")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"words": 5}, "`words`: must be a list"),
        ({"labels": ["ner"]}, "`labels`: must be an object"),
        ({"chars": None}, "`chars`: must be a list"),
        ({"num_trainable": "3"}, "`num_trainable`: must be a whole number"),
        ({"num_trainable": 10**6}, "`num_trainable` must be at most the number of words and 1"),
    ],
)
def test_a_wrong_value_of_the_vocabulary_is_named(folder: Path, changes: dict[str, object], sentence: str) -> None:
    change_json(folder / "vocabulary.json", **changes)
    check_refusal(folder, f"{folder / 'vocabulary.json'}: {sentence}; copy the folder again")


def test_a_vocabulary_of_other_heads_is_refused(folder: Path) -> None:
    path = folder / "vocabulary.json"
    change_json(path, labels={"ner": ["O"]})
    check_refusal(
        folder,
        f"{path}: `labels` must have the keys ner, upos, sentiment; missing or unknown: 'sentiment, upos'; copy the "
        "folder again",
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda labels: [*labels, "extra"],
        lambda labels: [*labels[:-1], "U-X"],
        lambda labels: [*labels[:-1], "O"],
        lambda labels: [*labels, "B-NEW"],
        lambda labels: labels[::-1],
        lambda labels: [*labels, *labels[1:]],
    ],
)
def test_labels_that_do_not_fit_the_scheme_of_their_head_are_refused(
    folder: Path, spoil: Callable[[list[str]], list[str]]
) -> None:
    path = folder / "vocabulary.json"
    labels = json.loads(path.read_text())["labels"]
    change_json(path, labels={**labels, "ner": spoil(labels["ner"])})
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert str(caught.value) in (
        f"{path}: `labels.ner` must be each BIOES tag (B-, I-, E-, S-, O) of each type; copy the folder again",
        f"{path}: `ner` must not have a name twice, got 'O' twice; copy the folder again",
        f"{path}: `ner` must not have a name twice, got '{labels['ner'][1]}' twice; copy the folder again",
    )


@pytest.mark.parametrize("key", ["words", "chars"])
def test_a_repeated_word_or_character_is_refused(folder: Path, key: str) -> None:
    path = folder / "vocabulary.json"
    names = json.loads(path.read_text())[key]
    change_json(path, **{key: [*names[:-1], names[0]]})
    check_refusal(folder, f"{path}: `{key}` must not have a name twice, got {names[0]!r} twice; copy the folder again")


def test_a_repeated_class_is_refused(folder: Path) -> None:
    path = folder / "vocabulary.json"
    labels = json.loads(path.read_text())["labels"]
    first = labels["sentiment"][0]
    change_json(path, labels={**labels, "sentiment": [first, first]})
    check_refusal(folder, f"{path}: `sentiment` must not have a name twice, got {first!r} twice; copy the folder again")


def test_a_key_of_a_newer_version_asks_for_an_upgrade(folder: Path) -> None:
    path = folder / "config.json"
    change_json(path, brand="new", vector_dimension="wide")
    check_refusal(folder, f"{path}: unknown key `brand`, which a newer version wrote; upgrade tagger")


FIT = "weights.safetensors: the weights must fit config.json and vocabulary.json, but"


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    path = folder / "vocabulary.json"
    chars = json.loads(path.read_text())["chars"]
    change_json(path, chars=chars[:-1])
    check_refusal(
        folder,
        f"{folder}/{FIT} `chars.embedding.weight` must be float32 of shape ({len(chars) + 1}, 30), got float32 of "
        f"shape ({len(chars) + 2}, 30); copy the folder again",
    )


def test_weights_that_lack_a_tensor_are_refused(folder: Path) -> None:
    change_weights(folder, lambda weights: weights.pop("head:upos.linear.bias"))
    check_refusal(folder, f"{folder}/{FIT} 'head:upos.linear.bias' is missing; copy the folder again")


def test_of_many_odd_tensors_the_first_and_their_number_are_reported(folder: Path) -> None:
    odd = {f"odd{i:05}": torch.zeros(0) for i in range(50_000)}
    change_weights(folder, lambda weights: weights.update(odd))
    names = "'odd00000' is unknown; 'odd00001' is unknown; 'odd00002' is unknown and 49997 more"
    check_refusal(folder, f"{folder}/{FIT} {names}; copy the folder again")


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1e30])
def test_weights_that_are_not_finite_are_refused(folder: Path, value: float) -> None:
    change_weights(folder, lambda weights: weights["head:upos.linear.bias"].fill_(value))
    check_refusal(
        folder,
        f"{folder}/{FIT} `head:upos.linear.bias` must have finite values of at most 1,000,000, got others; copy the "
        "folder again",
    )


NAMES = ["config.json", "tokenizer.json", "vocabulary.json", "weights.safetensors"]


@given(name=st.sampled_from(NAMES), place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_of_any_file_is_noticed(folder: Path, name: str, place: float, flip: int) -> None:
    before = (folder / name).read_bytes()
    content = bytearray(before)
    content[int(place * len(content))] ^= flip
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=re.escape(str(folder))):
        read_files(folder)
    (folder / name).write_bytes(before)


def test_every_byte_of_the_config_is_checked(folder: Path) -> None:
    content = (folder / "config.json").read_bytes()
    for place in range(len(content)):
        for flip in (1, 32):  # another digit, and the other case
            changed = content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]
            (folder / "config.json").write_bytes(changed)
            with pytest.raises(ModelError):
                read_files(folder)


def test_an_edited_config_is_refused(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"temperatures": {}', '"temperatures": {"sentiment": 2.0}'))
    check_refusal(
        folder,
        f"{path}: the file must have the SHA-256 that it names for itself, but has another: it is damaged, or was "
        "edited; copy the folder again",
    )


@pytest.mark.parametrize(("number", "hashed"), [(1, False), (1, True), (2, True)])
def test_a_model_of_an_older_format_is_read(number: int, hashed: bool, model: TorchModel, folder: Path) -> None:
    make_older(folder, number, hashed=hashed)
    loaded = load_model(folder)
    assert loaded.vocabulary == model.vocabulary
    save_model(loaded, folder, card="")
    assert load_model(folder).config == model.config


@pytest.mark.parametrize("hashes", [1, {}, {"vocabulary.json": "0"}, {"a": "b", "vocabulary.json": "0"}])
def test_hashes_of_other_files_are_refused(folder: Path, hashes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"sha256": hashes}))
    with pytest.raises(ModelError, match=r"config\.json: `sha256` must have config\.json and vocabulary\.json and tok"):
        load_model(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_gigabytes_is_refused_without_reading_it(folder: Path, name: str) -> None:
    with (folder / name).open("r+b") as stream:
        stream.truncate(10**11)  # it takes no space on disk
    started = time.process_time()
    with pytest.raises(ModelError, match=rf"^{folder / name}: expected at most [0-9,]+ bytes, got 100,000,000,000; "):
        load_model(folder)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "nonsense",
    [
        {"words": list(range(1_500_000))},
        {"words": ["a"] * 2_500_000},
        {"labels": {f"{i}": i for i in range(200_000)}},
        {f"{i}": i for i in range(200_000)},
    ],
    ids=["numbers", "one word", "layers", "keys"],
)
def test_a_vocabulary_of_nonsense_is_refused_at_its_first_error(folder: Path, nonsense: dict[str, object]) -> None:
    change_json(folder / "vocabulary.json", **nonsense)
    started = time.process_time()
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert time.process_time() - started < 20
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["encoder"].update(hidden_size=10**4),
        lambda config: config["encoder"].update(layers=100),
        lambda config: config["encoder"].update(hidden_size=10**12),
        lambda config: config["encoder"].update(hidden_size=2**70),
        lambda config: config["encoder"].update(layers=10**9),
        lambda config: config["embeddings"].update(char_hidden=10**4),
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
    refusal = r"weights must fit config\.json and vocabulary|must be (less|greater) than or equal to [01]"
    with pytest.raises(ModelError, match=refusal):
        load_model(folder)
    assert time.process_time() - started < 30


def test_labels_for_which_there_are_no_weights_are_refused_before_they_take_memory(folder: Path) -> None:
    labels = json.loads((folder / "vocabulary.json").read_text())["labels"]
    types = ["O", *(f"{prefix}-{i}" for i in range(5000) for prefix in "BIES")]
    change_json(folder / "vocabulary.json", labels={**labels, "ner": types})
    with pytest.raises(ModelError, match="they are too few for the sizes that these name"):
        load_model(folder)


def test_weights_of_another_type_are_refused(folder: Path) -> None:
    name = "head:upos.linear.bias"
    change_weights(folder, lambda weights: weights.update({name: weights[name].int()}))
    shape = tuple(load_file(folder / "weights.safetensors")[name].shape)
    check_refusal(
        folder,
        f"{folder}/{FIT} `{name}` must be float32 of shape {shape}, got int32 of shape {shape}; copy the folder again",
    )


def test_json_too_deep_to_be_read_is_damaged(folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 100_000)
    check_refusal(
        folder, f"{folder / 'config.json'}: the file is damaged or incomplete, it is not JSON; copy the folder again"
    )
