"""The cache of word vectors: exact, bounded, and shared between threads; and batches that run side by side."""

import os
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from fake_features import FakeFeature
from numpy.typing import NDArray
from untrained import backend_of, config_of, network_of

from tagger.config import EmbeddingsConfig, EncoderConfig, TokensHeadConfig
from tagger.encoding.batches import Batch, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary, build_vocabulary
from tagger.features.passages import Passage
from tagger.heads.head import named
from tagger.inference.predict import predict, tag_marginals
from tagger.inference.torch_backend import TorchBackend, _one_thread, cached_vectors, type_cache
from tagger.inference.workers import workers
from tagger.model import network as network_module
from tagger.model.network import Network, TorchModel
from tagger.text.sentence import Sentence, TagLayer

WORDS = [f"{first}{second}" for first in "abcdef" for second in ("", "n", "rst", "xyzzy")]


def make_network() -> tuple[Network, Vocabulary]:
    torch.manual_seed(1)
    train = [Sentence.from_tokens(WORDS, {"upos": TagLayer(("X", "Y") * (len(WORDS) // 2))})] * 2
    vocabulary = build_vocabulary(pack(train), layers={"upos": None})
    network = network_of(
        vocabulary,
        embeddings=EmbeddingsConfig(dimension=6, char_hidden=4),
        encoder=EncoderConfig(hidden_size=5),
        heads={"upos": TokensHeadConfig(kind="tokens", scheme="none")},
    )
    return network.eval(), vocabulary


NETWORK, VOCABULARY = make_network()


def make_batch(words: list[str]) -> Batch:
    return encode(pack([Sentence.from_tokens(words)]), VOCABULARY).batch(np.array([0]))


def exact(batch: Batch) -> torch.Tensor:
    arrays = (batch.word_ids, batch.char_ids, batch.char_lengths)
    return NETWORK.type_vectors(*map(torch.from_numpy, arrays))


def numbers_computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of words of each call that computes vectors from now on."""
    numbers: list[int] = []
    original = Network.type_vectors
    monkeypatch.setattr(
        Network,
        "type_vectors",
        lambda self, words, *rest: (numbers.append(len(words)), original(self, words, *rest))[1],
    )
    return numbers


@pytest.mark.parametrize("capacity", [3, 8, 10_000])
@torch.inference_mode()
def test_cached_vectors_are_those_of_the_network(capacity: int) -> None:
    cache, rng = type_cache(NETWORK, capacity), np.random.default_rng(2)
    for _ in range(30):
        batch = make_batch(rng.choice([*WORDS, "unseen", "é"], size=rng.integers(1, 9)).tolist())
        torch.testing.assert_close(cached_vectors(cache, batch), exact(batch), rtol=0, atol=1e-6)


@torch.inference_mode()
def test_a_word_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = numbers_computed(monkeypatch)
    cache = type_cache(NETWORK)
    for words in (["a", "b"], ["b", "a"], ["b", "c", "b"]):
        cached_vectors(cache, make_batch(words))
    assert computed == [2, 1]


@torch.inference_mode()
def test_no_more_words_are_held_than_the_capacity() -> None:
    cache = type_cache(NETWORK, 5)
    for word in WORDS:
        cached_vectors(cache, make_batch([word]))
        assert 1 <= len(cache) <= 5


@torch.inference_mode()
def test_a_word_that_comes_again_is_kept_while_rare_ones_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = type_cache(NETWORK, 8)
    for word in WORDS:
        cached_vectors(cache, make_batch(["a", word]))
    computed = numbers_computed(monkeypatch)
    cached_vectors(cache, make_batch(["a"]))
    assert computed == []
    torch.testing.assert_close(cached_vectors(cache, make_batch([WORDS[1], "a"])), exact(make_batch([WORDS[1], "a"])))
    assert computed[:1] == [1]


@torch.inference_mode()
def test_words_of_a_batch_beyond_the_capacity_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "TYPES", 3)
    cache, batch = type_cache(NETWORK, 5), make_batch(WORDS)
    torch.testing.assert_close(cached_vectors(cache, batch), exact(batch), rtol=0, atol=1e-6)
    assert len(cache) == 0


def test_threads_that_share_a_cache_get_the_vectors_of_their_own_words() -> None:
    cache = type_cache(NETWORK, 6)

    @torch.inference_mode()
    def work(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        batches = [make_batch(rng.choice(WORDS, size=4).tolist()) for _ in range(40)]
        return all(torch.allclose(cached_vectors(cache, batch), exact(batch), atol=1e-6) for batch in batches)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_a_backend_gives_the_same_with_and_without_a_cache() -> None:
    plain, cached = backend_of(NETWORK, cache=False), backend_of(NETWORK)
    for words in (WORDS[:7], WORDS[3:12], WORDS[:7]):
        first, second = (next(backend.run([make_batch(words)]))["upos"] for backend in (plain, cached))
        assert (first["tag_ids"] == second["tag_ids"]).all()
        np.testing.assert_allclose(first["probabilities"], second["probabilities"], atol=1e-6)


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


class Counting(FakeFeature):
    """A feature that keeps how many threads torch has while it is computed, and how many callers compute it."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []
        self.callers, self.most_callers = 0, 0

    def arrays(self, passages: Sequence[Passage]) -> NDArray[Any]:
        self.callers += 1
        self.most_callers = max(self.most_callers, self.callers)
        self.threads.append(torch.get_num_threads())
        time.sleep(0.01)
        self.callers -= 1
        return super().arrays(passages)


def counting(threads: int | None) -> tuple[Counting, TorchBackend]:
    feature, config = Counting(), config_of({"upos": TokensHeadConfig(kind="tokens", scheme="none")})
    return feature, TorchBackend(
        TorchModel(config, VOCABULARY, None, NETWORK, features={"x": feature}), threads=threads
    )


@pytest.mark.parametrize(("threads", "expected"), [(None, 3), (1, 1), (2, 2), (4, 4)])
def test_threads_hold_for_features_of_sentences_and_for_marginals(
    three_threads: None, threads: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature, backend = counting(threads)
    seen, original = feature.threads, Network.marginals
    monkeypatch.setattr(
        Network, "marginals", lambda *given: (seen.append(torch.get_num_threads()), original(*given))[1]
    )
    sentences = [Sentence.from_tokens(WORDS)] * 2
    assert len(list(predict(sentences, backend))) == len(list(tag_marginals(sentences, backend))) == 2
    assert set(feature.threads) == {expected}
    assert torch.get_num_threads() == 3


def test_callers_in_threads_share_the_threads_that_were_given(three_threads: None) -> None:
    feature, backend = counting(1)
    with ThreadPoolExecutor(4) as callers:
        list(callers.map(lambda words: list(predict([Sentence.from_tokens([words])], backend)), WORDS[:12]))
    assert feature.threads == [1] * 12
    assert feature.most_callers == 1
    with ThreadPoolExecutor(1) as another:
        assert another.submit(torch.get_num_threads).result() == 3


def test_batches_side_by_side_come_back_in_order(three_threads: None) -> None:
    backend, batches = backend_of(NETWORK), [make_batch(WORDS[i : i + 5]) for i in range(15)]
    found = [arrays["upos"] for arrays in backend.run(batches)]
    alone = [next(backend.run([batch]))["upos"] for batch in batches]
    assert len(found) == len(alone)
    for one, other in zip(found, alone, strict=True):
        assert (one["tag_ids"] == other["tag_ids"]).all()
        np.testing.assert_allclose(one["probabilities"], other["probabilities"], atol=1e-6)
    assert torch.get_num_threads() == 3
    assert workers(3, _one_thread).submit(lambda: (torch.zeros(10**6).exp(), torch.get_num_threads())[1]).result() == 1
    with ThreadPoolExecutor(1) as another:
        assert another.submit(torch.get_num_threads).result() == 3


def test_batches_side_by_side_give_the_same_bits_each_time(three_threads: None) -> None:
    batches = [make_batch(WORDS[i : i + 5]) for i in range(15)]
    first, *others = [
        [arrays["upos"]["probabilities"].tobytes() for arrays in backend_of(NETWORK).run(batches)] for _ in "1234"
    ]
    assert all(other == first for other in others)


@pytest.mark.parametrize("number", [1, 15])
def test_no_tensor_of_a_run_is_left_when_its_result_is_there(
    three_threads: None, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, original = [], Network.forward

    def forward(self: Network, batch: Any, types: torch.Tensor, **settings: Any) -> Any:
        outputs = original(self, batch, types, **settings)
        tensors = [tensor for output in outputs.values() for _, tensor in named(output)]
        left.extend(weakref.ref(tensor) for tensor in (types, *tensors))
        return outputs

    monkeypatch.setattr(Network, "forward", forward)
    model = TorchModel(config_of({"upos": TokensHeadConfig(kind="tokens", scheme="none")}), VOCABULARY, None, NETWORK)
    found = list(TorchBackend(model).run([make_batch(WORDS[i : i + 5]) for i in range(number)]))
    assert len(found) == number
    assert len(left) > 2 * number
    assert all(reference() is None for reference in left)


def test_an_error_in_one_of_many_batches_is_raised(three_threads: None) -> None:
    broken = replace(make_batch(WORDS[:3]), type_ids=np.array([[0, 1, 99]]))
    with pytest.raises(IndexError):
        list(backend_of(NETWORK).run([make_batch(WORDS[:2]), broken]))


FORK = """
import os, torch
torch.set_num_threads(2)
big = torch.ones(500, 500)
big @ big  # starts the threads of OpenMP
import tagger.inference.torch_backend
child = os.fork() or os._exit(not (big @ big).equal(500 * big))
os._exit(os.waitpid(child, 0)[1] != 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_uses_torch_with_one_thread() -> None:
    assert subprocess.run([sys.executable, "-c", FORK], timeout=300, check=False).returncode == 0
