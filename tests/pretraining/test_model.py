"""The folder of a model: what is written is read back, and damage is noticed."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tagger.errors import ModelError
from tagger.files.holding import is_charlm
from tagger.files.writing import replace_files
from tagger.pretraining.characters import Characters
from tagger.pretraining.model import (
    CharLM,
    CharLMSizes,
    build_charlm,
    charlm_files,
    charlm_from_bytes,
    charlm_to_bytes,
    read_charlm,
)

CHARACTERS = Characters.of("aab\n\x00\x00\U0001f600\U0001f600é é")


def make_model() -> CharLM:
    return build_charlm(CharLMSizes(dimension=3, hidden_size=4), CHARACTERS, {"seed": 5}, seed=5)


def assert_same(one: CharLM, other: CharLM) -> None:
    assert (one.sizes, list(one.characters.known), one.facts) == (
        other.sizes,
        list(other.characters.known),
        other.facts,
    )
    for mine, theirs in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    replace_files(tmp_path / "model", charlm_files(make_model(), "# Card\n"))
    return tmp_path / "model"


def test_a_folder_and_a_file_give_the_model_back(folder: Path) -> None:
    assert is_charlm(folder)
    assert_same(read_charlm(folder), make_model())
    assert_same(charlm_from_bytes(charlm_to_bytes(make_model()), "here"), make_model())
    assert charlm_to_bytes(read_charlm(folder)) == charlm_to_bytes(make_model())
    assert (folder / "README.md").read_text() == "# Card\n"


def test_weights_depend_on_the_seed() -> None:
    other = build_charlm(CharLMSizes(dimension=3, hidden_size=4), CHARACTERS, {}, seed=6)
    assert not torch.equal(other.network.rightward.output.weight, make_model().network.rightward.output.weight)


def test_models_are_built_and_read_while_another_thread_draws() -> None:
    content = charlm_to_bytes(make_model())
    with torch.random.fork_rng(devices=[]), ThreadPoolExecutor(1) as pool:
        torch.manual_seed(1)
        built = pool.submit(lambda: [(make_model(), charlm_from_bytes(content, "here")) for _ in range(200)])
        found = []
        while not built.done():
            found.append(float(torch.rand(1)))
        torch.manual_seed(1)
        assert found == [float(torch.rand(1)) for _ in found]
        for each in built.result()[-1]:
            assert_same(each, make_model())


@pytest.mark.parametrize("name", ["config.json", "characters.json", "weights.safetensors"])
def test_a_changed_or_missing_file_is_noticed(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b"1", b"2", 1) if b"1" in content else content + b" ")
    with pytest.raises(ModelError, match=r"SHA-256|format 2"):
        read_charlm(folder)
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="damaged or incomplete"):
        read_charlm(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"but {name} cannot be read"):
        read_charlm(folder)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    assert not is_charlm(tmp_path)
    with pytest.raises(ModelError, match=r"must hold config\.json"):
        read_charlm(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"format": 3}))
    assert not is_charlm(tmp_path)
    with pytest.raises(ModelError, match="must be the folder of a character language model"):
        read_charlm(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"kind": "charlm", "format": 7}))
    with pytest.raises(ModelError, match=r"format 7, this version reads 1; upgrade tagger"):
        read_charlm(tmp_path)


@pytest.mark.parametrize("cut", [0, 7, 50, -1])
def test_a_cut_file_is_damaged(cut: int) -> None:
    with pytest.raises(ModelError, match=r"^here: the file is damaged or incomplete"):
        charlm_from_bytes(charlm_to_bytes(make_model())[:cut], "here")


def test_values_that_are_not_finite_are_damage() -> None:
    model = make_model()
    model.network.leftward.output.bias.data[0] = float("inf")
    with pytest.raises(ModelError, match="a value is not finite"):
        charlm_from_bytes(charlm_to_bytes(model), "here")


def test_weights_of_other_sizes_are_damage() -> None:
    model = make_model()
    odd = CharLM(CharLMSizes(dimension=3, hidden_size=5), model.characters, model.network, {})
    with pytest.raises(ModelError, match="of another size"):
        charlm_from_bytes(charlm_to_bytes(odd), "here")
