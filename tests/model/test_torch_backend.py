"""The cache of word vectors: exact, bounded, and shared between threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tagger.config import EmbeddingsConfig, EncoderConfig, TokensHeadConfig
from tagger.data.batches import Batch, encode
from tagger.data.sentence import Sentence, TagLayer
from tagger.data.vocabulary import Vocabulary, build_vocabulary
from tagger.model.network import Network, build_network
from tagger.model.torch_backend import TorchBackend, TypeCache

WORDS = [f"{first}{second}" for first in "abcdef" for second in ("", "n", "rst", "xyzzy")]


def make_network() -> tuple[Network, Vocabulary]:
    torch.manual_seed(1)
    train = [Sentence.from_tokens(WORDS, {"upos": TagLayer(("X", "Y") * (len(WORDS) // 2))})] * 2
    vocabulary = build_vocabulary(train, layers={"upos": None})
    network = build_network(
        vocabulary,
        embeddings=EmbeddingsConfig(dimension=6, char_hidden=4),
        encoder=EncoderConfig(hidden_size=5),
        heads={"upos": TokensHeadConfig(kind="tokens", scheme="none")},
    )
    return network.eval(), vocabulary


NETWORK, VOCABULARY = make_network()


def make_batch(words: list[str]) -> Batch:
    return encode([Sentence.from_tokens(words)], VOCABULARY).batch(np.array([0]))


def exact(batch: Batch) -> torch.Tensor:
    arrays = (batch.word_ids, batch.char_ids, batch.char_lengths)
    return NETWORK.type_vectors(*map(torch.from_numpy, arrays))


@pytest.mark.parametrize("capacity", [3, 8, 10_000])
@torch.inference_mode()
def test_cached_vectors_are_those_of_the_network(capacity: int) -> None:
    cache, rng = TypeCache(NETWORK, capacity), np.random.default_rng(2)
    for _ in range(30):
        batch = make_batch(rng.choice([*WORDS, "unseen", "é"], size=rng.integers(1, 9)).tolist())
        torch.testing.assert_close(cache.vectors(batch), exact(batch), rtol=0, atol=1e-6)


@torch.inference_mode()
def test_a_word_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    original = Network.type_vectors
    monkeypatch.setattr(
        Network,
        "type_vectors",
        lambda self, words, *rest: (computed.append(len(words)), original(self, words, *rest))[1],
    )
    cache = TypeCache(NETWORK)
    for words in (["a", "b"], ["b", "a"], ["b", "c", "b"]):
        cache.vectors(make_batch(words))
    assert computed == [2, 1]


@torch.inference_mode()
def test_no_more_words_are_held_than_the_capacity() -> None:
    cache = TypeCache(NETWORK, 5)
    for word in WORDS:
        cache.vectors(make_batch([word]))
        assert len(cache._rows) <= 5
        assert len(cache._table) <= 5


def test_threads_that_share_a_cache_get_the_vectors_of_their_own_words() -> None:
    cache = TypeCache(NETWORK, 6)

    @torch.inference_mode()
    def work(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        batches = [make_batch(rng.choice(WORDS, size=4).tolist()) for _ in range(40)]
        return all(torch.allclose(cache.vectors(batch), exact(batch), atol=1e-6) for batch in batches)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_a_backend_gives_the_same_with_and_without_a_cache() -> None:
    plain, cached = TorchBackend(NETWORK, cache=False), TorchBackend(NETWORK)
    for words in (WORDS[:7], WORDS[3:12], WORDS[:7]):
        first, second = plain.run(make_batch(words))["upos"], cached.run(make_batch(words))["upos"]
        assert (first.ids == second.ids).all()
        np.testing.assert_allclose(first.scores, second.scores, atol=1e-6)
