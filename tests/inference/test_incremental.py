"""Tagging token by token against tagging each prefix whole."""

import pickle
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from untrained import torch_tagger, untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary, build_vocabulary
from tagger.errors import DataError, ModelError
from tagger.inference.incremental import TaggedToken, sentence_of_step
from tagger.tagging import Tagger
from tagger.text.frames import frames_of
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, sentence_of_frames

SENTENCES = list(generate(100, seed=1, split="train"))
SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")
WORDS = sorted({token for s in SENTENCES[:20] for token in s.tokens} | {"Zürich", "unseen", "👩‍👧", "New York"})


@cache
def vocabulary_of(scheme: Scheme | None) -> Vocabulary:
    """The vocabulary of a model whose entities are in this scheme."""
    return build_vocabulary(pack(SENTENCES), layers={"ner": scheme, "upos": None, "sentiment": None})


def make_tagger(
    *,
    encoder: dict[str, Any] | None = None,
    tokens: dict[str, Any] | None = None,
    pooling: str = "attention",
    shown: Scheme | None = "iob2",
    seed: int = 1,
    loudness: float = 6.0,
) -> Tagger:
    """A forward tagger of random weights, loud enough for its tags to change."""
    heads: dict[str, HeadConfig] = {
        "ner": TokensHeadConfig.model_validate({"kind": "tokens", "layer": "ner", **(tokens or {})}),
        "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
        "sentiment": SentenceHeadConfig.model_validate({"kind": "sentence", "pooling": pooling}),
    }
    vocabulary = vocabulary_of(heads["ner"].span_scheme)
    embeddings = EmbeddingsConfig(dimension=6, char_hidden=4)
    config = EncoderConfig.model_validate({"hidden_size": 8, "bidirectional": False, **(encoder or {})})
    schemes = {"ner": shown}
    model = untrained_model(
        vocabulary, heads, embeddings=embeddings, encoder=config, schemes=schemes, loudness=loudness, seed=seed
    )
    return torch_tagger(model)


def check(found: TaggedToken, whole: Sentence, *, tolerance: float = 1e-5) -> None:
    """Refuse a token of which not the same is said as of the last one of the whole."""
    assert found.position == len(whole) - 1
    assert found.token == whole.tokens[-1]
    for layer in ("ner", "upos"):
        scores = whole.tag_scores(layer)
        assert scores is not None
        assert found.tags[layer] == whole.tags(layer)[-1]
        assert found.scores[layer] == pytest.approx(scores[-1], abs=tolerance)
    label, wanted = found.labels["sentiment"], whole.label("sentiment")
    assert label.value == wanted.value
    assert label.score == pytest.approx(wanted.score, abs=tolerance)
    assert label.scores == pytest.approx(wanted.scores, abs=tolerance)
    assert (label.attention is None) == (wanted.attention is None)
    if label.attention is not None:
        assert label.attention == pytest.approx(wanted.attention, abs=tolerance)


@settings(max_examples=120, deadline=None)
@given(
    encoder=st.fixed_dictionaries(
        {
            "cell": st.sampled_from(["lstm", "gru", "rnn"]),
            "layers": st.integers(1, 3),
            "merge": st.sampled_from(["concat", "sum", "mean"]),
        }
    ),
    tokens=st.fixed_dictionaries(
        {
            "decoder": st.sampled_from(["crf", "softmax"]),
            "scheme": st.sampled_from([*SCHEMES, "none"]),
            "constraints": st.booleans(),
        }
    ),
    pooling=st.sampled_from(["attention", "last", "mean", "max"]),
    shown=st.sampled_from(SCHEMES),
    seed=st.integers(0, 1000),
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=9),
)
def test_each_token_is_tagged_as_the_last_of_its_prefix(
    encoder: dict[str, Any], tokens: dict[str, Any], pooling: str, shown: Scheme, seed: int, words: list[str]
) -> None:
    model = make_tagger(encoder=encoder, tokens=tokens, pooling=pooling, shown=shown, seed=seed)
    incremental = model.incremental()
    prefixes = model.stream(words[:i] for i in range(1, len(words) + 1))
    for word, whole in zip(words, prefixes, strict=True):
        check(incremental.feed(word), whole)


def test_tags_of_the_property_test_do_change() -> None:
    tags = [make_tagger(seed=seed, shown="iob1").tag_tokens(WORDS[:40]).tags("ner") for seed in range(5)]
    assert {tag[0] for sentence in tags for tag in sentence} == {"O", "I", "B"}


def test_long_sentence_is_tagged_as_whole() -> None:
    model = make_tagger()
    words = (WORDS * 20)[:600]
    incremental = model.incremental()
    for i, word in enumerate(words, 1):
        found = incremental.feed(word)
        if i % 150 == 0:
            check(found, model.tag_tokens(words[:i]))


def test_next_sentence_begins_afresh() -> None:
    model = make_tagger()
    incremental = model.incremental()
    first = [incremental.feed(word) for word in WORDS[:4]]
    incremental.reset()
    assert [incremental.feed(word) for word in WORDS[:4]] == first
    assert [model.incremental().feed(WORDS[0])] == first[:1]


def test_two_sentences_at_once_do_not_meet() -> None:
    model = make_tagger()
    one, two = model.incremental(), model.incremental()
    for i in range(1, 6):
        check(one.feed(WORDS[i - 1]), model.tag_tokens(WORDS[:i]))
        check(two.feed(WORDS[9 + i]), model.tag_tokens(WORDS[10 : 10 + i]))


def test_model_that_keeps_no_vectors_of_words_tags_the_same() -> None:
    model = make_tagger()
    check(torch_tagger(model.model, cache=False).incremental().feed("Paris"), model.tag_tokens(["Paris"]))


@pytest.mark.parametrize("token", ["", " ", "\u2003\n"])
def test_token_that_is_none_is_refused_by_its_place_and_changes_nothing(token: str) -> None:
    model = make_tagger()
    incremental = model.incremental()
    incremental.feed("Paris")
    with pytest.raises(DataError) as caught:
        incremental.feed(token)
    with pytest.raises(DataError) as whole:
        model.tag_tokens(["Paris", token])
    assert str(caught.value) == str(whole.value)
    check(incremental.feed("rose"), model.tag_tokens(["Paris", "rose"]))


def test_model_of_both_directions_says_why_it_cannot() -> None:
    with pytest.raises(ModelError, match=r"backward pass starts at the end .* encoder\.bidirectional = false"):
        make_tagger(encoder={"bidirectional": True}).incremental()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_bfloat16_encoder_tags_nearly_as_whole(cell: str) -> None:
    model = make_tagger(encoder={"cell": cell}, loudness=1.0)
    model.network.encoder.to(torch.bfloat16)
    incremental = model.incremental()
    for i, word in enumerate(WORDS[:8], 1):
        found, whole = incremental.feed(word), model.tag_tokens(WORDS[:i])
        scores, tag_scores = whole.label("sentiment").scores, whole.tag_scores("ner")
        assert tag_scores is not None
        assert found.scores["ner"] == pytest.approx(tag_scores[-1], abs=0.02)
        assert found.labels["sentiment"].scores == pytest.approx(scores, abs=0.02)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_late_token_takes_the_work_and_the_memory_of_an_early_one(cell: str, pooling: str) -> None:
    incremental = make_tagger(encoder={"cell": cell, "layers": 2}, pooling=pooling).incremental()
    incremental.reset()
    calls: list[list[str]] = []
    sizes = []
    for i in range(60):
        called: list[str] = []
        if i in (5, 59):
            sys.setprofile(lambda frame, event, arg, called=called: called.append(f"{event} {frame.f_code.co_name}"))
        incremental.feed("Paris")
        sys.setprofile(None)
        if called:
            calls.append(called)
            parts = [incremental._encoder, *(layer.running for layer in incremental._layers.values())]
            sizes.append(len(pickle.dumps([vars(part) for part in parts])))
    assert calls[0] == calls[1]
    assert calls[0]
    assert sizes[1] < sizes[0] + 10  # a number may have another digit


def test_a_step_needs_a_token_or_numbers() -> None:
    with pytest.raises(TypeError, match="feed must get a token, or the numbers of a step as `frame`, got neither"):
        sentence_of_step(None, None, 0)
    with pytest.raises(DataError, match="frames must have finite numbers"):
        sentence_of_step(None, [10**400], 0)
    assert sentence_of_step(None, 2.5, 7) == sentence_of_frames(frames_of([[2.5]]), first=7)
    assert sentence_of_step("a", np.array([1, 2]), 0) == sentence_of_frames(frames_of([[1, 2]]), steps=["a"])
