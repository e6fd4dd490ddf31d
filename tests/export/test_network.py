"""The graph of a whole model predicts what torch predicts: any configuration, batch, length and number of words."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import arrays_of, feeds_of, run, session_of
from onnxruntime import InferenceSession
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.batches import Batch, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary
from tagger.export.network import build_graph
from tagger.model.network import TorchModel, to_tensors
from tagger.text.schemes import tags_of_types
from tagger.text.sentence import Sentence

WORDS = [*(f"word{i}" for i in range(20)), "a", "pneumonoultramicroscopicsilicovolcanoconiosis"]
LABELS = {"ner": tags_of_types(["A", "B"], "bioes"), "p.os": ["N", "V", "X"], "mood": ["bad", "good"]}
Case = tuple[TorchModel, InferenceSession]
CASES = [  # characters, cell, merge, layers, bidirectional, pooling, decoder, scheme
    ("none", "lstm", "concat", 1, True, "attention", "crf", "bioes"),
    ("cnn", "lstm", "concat", 2, True, "last", "softmax", "bilou"),
    ("lstm", "gru", "sum", 1, True, "mean", "crf", "iob2"),
    ("cnn", "rnn", "mean", 2, True, "max", "softmax", "iob1"),
    ("lstm", "lstm", "concat", 1, False, "last", "crf", "none"),
    ("none", "gru", "concat", 3, False, "attention", "softmax", "none"),
]


@cache
def made(case: tuple) -> Case:
    chars, cell, merge, layers, bidirectional, pooling, decoder, scheme = case
    labels = LABELS if scheme == "none" else LABELS | {"ner": tags_of_types(["A", "B"], scheme)}
    vocabulary = Vocabulary(WORDS, sorted(set("".join(WORDS))), labels, num_trainable=10)
    model = untrained_model(
        vocabulary,
        {
            "ner": TokensHeadConfig(kind="tokens", decoder=decoder, scheme=scheme),
            "p.os": TokensHeadConfig(kind="tokens", scheme="none"),
            "mood": SentenceHeadConfig(kind="sentence", pooling=pooling),
        },
        embeddings=EmbeddingsConfig(chars=chars, dimension=9),
        encoder=EncoderConfig(cell=cell, merge=merge, layers=layers, bidirectional=bidirectional, hidden_size=6),
        loudness=4.0,
    )
    return model, session_of(build_graph(model.config, vocabulary, arrays_of(model.network), {}))


def batch_of(model: TorchModel, sentences: list[list[str]]) -> Batch:
    packed = pack([Sentence.from_tokens(words) for words in sentences])
    return encode(packed, model.vocabulary).batch(np.arange(len(sentences)))


def compare(case: Case, sentences: list[list[str]]) -> None:
    model, session = case
    batch = batch_of(model, sentences)
    found = run(session, feeds_of(batch))
    with torch.inference_mode():
        tensors = to_tensors(batch, torch.device("cpu"))
        wanted, marginals = model.network(tensors), model.network.marginals(tensors)
    for layer in ("ner", "p.os"):
        assert np.array_equal(found[f"tags:{layer}"], wanted[layer].tag_ids.numpy())
        np.testing.assert_allclose(found[f"marginals:{layer}"], marginals[layer].numpy(), atol=1e-4)
    np.testing.assert_allclose(found["probabilities:mood"], wanted["mood"].probabilities.numpy(), atol=1e-4)
    if wanted["mood"].attention is not None:
        np.testing.assert_allclose(found["attention:mood"], wanted["mood"].attention.numpy(), atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_every_output_is_that_of_torch(case: tuple) -> None:
    for sentences in ([["a"]], [["unknown"] * 3, WORDS, ["a", "word3"]], [["word1"], ["b"]]):
        compare(made(case), sentences)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(CASES),
    st.lists(
        st.lists(st.sampled_from(WORDS) | st.text("ab1é", min_size=1), min_size=1, max_size=9), min_size=1, max_size=5
    ),
)
def test_any_sentences_agree(case: tuple, sentences: list[list[str]]) -> None:
    compare(made(case), sentences)


def test_long_sentences_agree() -> None:
    compare(made(CASES[1]), [WORDS * 50, ["a"], WORDS[:9] * 110])


def test_known_vectors_come_before_those_of_the_words() -> None:
    model, session = made(CASES[1])
    feeds = feeds_of(batch_of(model, [WORDS[:8], WORDS[5:12]]))
    plain = run(session, feeds)
    known, rest = plain["type_vectors"][:7], {name: feeds[name][7:] for name in ("word_ids", "char_ids")}
    names = ["tags:ner", "marginals:ner", "probabilities:mood"]
    found = session.run(names, {**feeds, **rest, "known_vectors": known})
    for name, array in zip(names, found, strict=True):
        np.testing.assert_allclose(array, plain[name], atol=1e-6)
