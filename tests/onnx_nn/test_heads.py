"""The tokens head of a graph gives the tags and marginals of torch: any scores, lengths and constraints."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_graphs import arrays_of, padded, run, sentences_input, session_of, tensors
from onnxruntime import InferenceSession

from tagger.nn.heads import Decoder, SentenceHead, TokensHead
from tagger.onnx_nn.graph import Graph
from tagger.onnx_nn.heads import sentence_head, tokens_head
from tagger.text.schemes import Scheme, legal_transitions, tags_of_types

SCHEMES = (None, "iob1", "iob2", "bioes", "bilou")
Case = tuple[TokensHead, InferenceSession]


@cache
def made(decoder: Decoder, scheme: Scheme | None, types: int, loudness: float) -> Case:
    """A head of torch with random transitions, and the session of its graph."""
    torch.manual_seed(types)
    tags = tags_of_types([f"T{i}" for i in range(types)], scheme or "iob2")
    allowed = legal_transitions(tags, scheme) if scheme else None
    names = ("allowed", "allowed_start", "allowed_end")
    tables = dict(zip(names, allowed, strict=True)) if allowed else {}
    head = TokensHead(input_size=4, num_tags=len(tags), decoder=decoder, **tables)
    for parameter in head.crf.parameters():
        parameter.data *= 10 * loudness
    head.linear.weight.data *= loudness
    graph = Graph()
    tokens_head(graph, arrays_of(head), sentences_input(graph, 4), layer="x", decoder=decoder, allowed=allowed)
    return head, session_of(graph)


def compare(case: Case, lengths: list[int], *, seed: int = 0, scale: float = 1.0) -> None:
    head, session = case
    feeds = padded(lengths, 4, seed=seed, scale=scale)
    mask = feeds["mask"]
    found = run(session, feeds)
    with torch.inference_mode():
        wanted, marginals = head(*tensors(feeds)), head.marginals(*tensors(feeds))
    assert np.array_equal(found["tags:x"], wanted.tag_ids.numpy())
    np.testing.assert_allclose(found["marginals:x"], marginals.numpy(), atol=1e-4)
    assert not found["marginals:x"][~mask].any()
    assert np.isfinite(found["emissions:x"]).all()


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_and_marginals_are_those_of_torch(decoder: Decoder, scheme: Scheme | None) -> None:
    for lengths in ([1], [2, 1, 9, 3], [5, 5]):
        compare(made(decoder, scheme, 2, 3.0), lengths)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["crf", "softmax"]),
    st.sampled_from(SCHEMES),
    st.sampled_from([1, 3]),
    st.sampled_from([0.3, 3.0, 100.0]),
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.integers(0, 10**6),
    st.sampled_from([0.1, 1.0, 30.0]),
)
def test_any_scores_and_lengths_agree(
    decoder: Decoder, scheme: Scheme | None, types: int, loudness: float, lengths: list[int], seed: int, scale: float
) -> None:
    compare(made(decoder, scheme, types, loudness), lengths, seed=seed, scale=scale)


@pytest.mark.parametrize("loudness", [0.3, 3.0, 100.0])
def test_long_sentences_agree(loudness: float) -> None:
    compare(made("crf", "bioes", 3, loudness), [1000, 3, 997])


@pytest.mark.parametrize("pooling", ["attention", "last", "mean", "max"])
def test_class_probabilities_are_divided_by_the_temperature(pooling: str) -> None:
    torch.manual_seed(1)
    head = SentenceHead(input_size=4, num_classes=3, forward_size=2, pooling=pooling, hidden_size=5).eval()
    head.temperature = 0.4
    graph, feeds = Graph(), padded([3, 1, 6], 4, scale=3)
    arrays = arrays_of(head)
    sentence_head(graph, arrays, sentences_input(graph, 2), layer="x", pooling=pooling, temperature=0.4)
    session = session_of(graph)
    found = run(session, feeds)
    with torch.inference_mode():
        wanted = head(*tensors(feeds))
    np.testing.assert_allclose(found["probabilities:x"], wanted.probabilities.numpy(), atol=1e-6)
    assert ("attention:x" in found) == (pooling == "attention")
