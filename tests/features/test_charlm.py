"""States of words against a character-by-character reading of the sentence."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from small_recipes import NER, SMALL, SYNTHETIC
from torch import nn

from tagger.config import CharLMConfig
from tagger.encoding.packed import pack
from tagger.errors import ModelError
from tagger.features import charlm as module
from tagger.features.charlm import CharLMFeature
from tagger.features.feature import Given
from tagger.features.passages import Passage
from tagger.files.writing import replace_files
from tagger.inference.loading import fast_backend
from tagger.model.folder.torch_model import load_model
from tagger.nn.pretrained.charlm import CharacterModel
from tagger.pretraining.characters import Characters
from tagger.pretraining.model import CharLMSizes, build_charlm, charlm_files, charlm_to_bytes, read_charlm
from tagger.running.description import describe_model
from tagger.running.train import train
from tagger.tagging import load
from tagger.text.sentence import Sentence

TEXT = "\nAda waits in Oslo . æ\U0001f600" * 3
PASSAGES = [
    Passage(("Ada", "waits", "in", "Oslo")),
    Passage(("Bo",), ("She", "left", "."), ("And", "then", "?")),
    Passage(("Bo",), ("He", ".", "She", "left"), ("And", "then", "?", "No"), (2,), (1, 3)),
    Passage(("\ud800", "", "x" * 3000, "\U0001f600\n\x00", ""), (), ("",)),
    Passage(()),
    Passage(("in", "Oslo"), ("waits",)),
]


def make_feature(**settings: int) -> CharLMFeature:
    model = build_charlm(CharLMSizes(dimension=4, hidden_size=7), Characters.of(TEXT), {}, seed=8)
    for parameter in model.network.leftward.parameters():
        nn.init.uniform_(parameter, -1, 1, generator=torch.Generator().manual_seed(9))
    return CharLMFeature("chars", CharLMConfig(kind="charlm", model="there", **settings), charlm_to_bytes(model))


def lines(tokens: Sequence[str], starts: Sequence[int]) -> str:
    """Sentences in the form of the text that a model learns from."""
    return "".join(("\n" if i in starts else " " if i else "") + token for i, token in enumerate(tokens))


def read(network: CharacterModel, characters: Characters, text: str) -> list[float]:
    """The state after a text that is read one character after another."""
    state = None
    for i in characters.ids(text):
        states, state = network.read(torch.tensor([[int(i)]]), state)
    return [float(value) for value in states[0, 0]]


@torch.no_grad()
def test_states_are_those_after_reading_to_the_end_and_to_the_start_of_a_word() -> None:
    feature = make_feature()
    found = iter(feature.arrays(PASSAGES))
    model = feature._model
    left, right = model.network.directions
    for passage in PASSAGES:
        tokens = passage.tokens
        before = lines(passage.before, passage.starts_before)
        after = lines(passage.after, passage.starts_after)
        for i in range(len(tokens)):
            from_left = "\n" + (before + "\n" if before else "") + " ".join(tokens[: i + 1])
            from_right = " ".join(tokens[i:]) + ("\n" + after if passage.after else "") + "\n"
            expected = read(left, model.characters, from_left) + read(right, model.characters, from_right[::-1])
            np.testing.assert_allclose(next(found), expected, atol=1e-3)
    assert next(found, None) is None


def test_states_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    feature = make_feature()
    together = feature.arrays(PASSAGES)
    assert together.shape == (13, 14)
    assert together.dtype == np.float16
    alone = np.concatenate([feature.arrays([passage]) for passage in PASSAGES])
    np.testing.assert_allclose(together, alone, atol=5e-4)
    monkeypatch.setattr(module, "CELLS", 10)
    np.testing.assert_allclose(feature.arrays(PASSAGES), together, atol=5e-4)
    backward = [*reversed(PASSAGES)]
    rows = np.split(feature.arrays(backward), np.cumsum([len(passage.tokens) for passage in backward])[:-1])
    np.testing.assert_allclose(np.concatenate(rows[::-1]), together, atol=5e-4)
    assert feature.arrays([]).shape == (0, 14)


def test_a_model_is_on_the_device_that_it_is_moved_to() -> None:
    feature = make_feature()
    feature.to("meta")
    assert feature._model.network.rightward.output.weight.device.type == "meta"  # read after it was moved
    feature = make_feature()
    assert feature._model.network.rightward.output.weight.device.type == "cpu"
    feature.to("meta")
    assert feature._model.network.leftward.output.weight.device.type == "meta"


def test_the_states_of_a_word_depend_on_its_neighbours() -> None:
    feature = make_feature()
    one = feature.arrays([Passage(("Ada", "waits"))])
    other = feature.arrays([Passage(("Ada", "left"))])
    np.testing.assert_array_equal(one[0, :7], other[0, :7])
    assert (one[0, 7:] != other[0, 7:]).any()


def test_batches_have_texts_of_similar_length_and_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", 20)
    monkeypatch.setattr(module, "ROWS", 3)
    assert module._batches([9, 2, 50, 3, 2, 8, 3]) == [[1, 4, 3], [6, 5], [0], [2]]


@pytest.mark.parametrize("width", [None, 3])
def test_the_part_of_the_network_has_the_weights_that_are_named(width: int | None) -> None:
    feature = make_feature(**({} if width is None else {"width": width}))
    part = feature.build()
    assert {name: tuple(weight.shape) for name, weight in part.state_dict().items()} == feature.shapes()
    found = part(torch.from_numpy(feature.arrays(PASSAGES[:1])).unsqueeze(0))
    assert found.shape == (1, 4, feature.width)
    assert feature.width == (width or 14)
    assert found.dtype == torch.float32


def test_a_feature_is_prepared_from_a_folder_and_restored_from_its_file(tmp_path: Path) -> None:
    original = make_feature()
    replace_files(tmp_path / "data" / "there", charlm_files(original._model, ""))
    sentences = [Sentence.from_tokens(["Ada"])]
    given = Given(tmp_path / "data", pack(sentences), print, "cpu")
    prepared = CharLMFeature.prepare("chars", original.config, given)
    restored = CharLMFeature.restore("chars", original.config, prepared.content(None))
    assert prepared.fingerprint == restored.fingerprint == original.fingerprint
    np.testing.assert_array_equal(restored.arrays(PASSAGES), original.arrays(PASSAGES))
    assert read_charlm(tmp_path / "data" / "there").width == restored.width
    with pytest.raises(ModelError, match=r"else: must hold config\.json"):
        CharLMFeature.prepare("chars", CharLMConfig(kind="charlm", model="else"), given)
    with pytest.raises(ModelError, match="feature `chars`: the file is damaged"):
        CharLMFeature.restore("chars", original.config, b"{}")


def test_a_tagger_holds_its_character_model_and_is_run_by_torch(tmp_path: Path) -> None:
    replace_files(tmp_path / "there", charlm_files(make_feature()._model, ""))
    section = '[features.chars]\nkind = "charlm"\nmodel = "there"\nwidth = 5\n'
    (tmp_path / "small.toml").write_text("\n".join((SYNTHETIC, NER, SMALL, section)))
    run = train(tmp_path / "small.toml", output=tmp_path / "run")
    shutil.rmtree(tmp_path / "there")
    model = load(tmp_path / "run")
    text = "Ada met Bo. Then they left Oslo."
    assert model.tag_document(text).to_dict() == run.tagger.tag_document(text).to_dict()
    assert (tmp_path / "run" / "model" / "feature.chars.safetensors").exists()
    moved = load_model(tmp_path / "run", device="meta").features["chars"]
    assert moved._model.network.rightward.output.weight.device.type == "meta"
    assert fast_backend(tmp_path / "run") == "torch"
    assert describe_model(tmp_path / "run")["backends"]["numpy"] == (
        "no, its feature `chars` needs torch; use the backend torch"
    )
    with pytest.raises(ModelError, match='the backend "numpy" cannot run the model: its feature `chars` needs torch'):
        load(tmp_path / "run", backend="numpy")
