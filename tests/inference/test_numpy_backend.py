"""The NumPy backend: every method of a tagger gives what it gives with torch, and it needs none of the large libraries.

Tags are compared for equality. With random weights two sequences tie within rounding too rarely for these seeds; where
a score decides between them, it is compared instead.
"""

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from untrained import torch_tagger, untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import ModelError
from tagger.inference import numpy_backend
from tagger.inference.blas import one_blas_thread
from tagger.inference.numpy_backend import NumpyBackend
from tagger.model.folder.torch_model import save_model, weights_of
from tagger.model.network import TorchModel
from tagger.model.numpy_network import NumpyModel, numpy_network
from tagger.tagging import Tagger, load
from tagger.text.sentence import Label, Sentence, TagLayer

SENTENCES = list(generate(60, seed=1, split="train"))
TEXTS = [
    *(s.tokens for s in generate(30, seed=2, split="test")),
    ("Zürich",),
    ("👩‍👧", "x" * 300),
    SENTENCES[0].tokens * 90,
]


def make_model(
    *,
    chars: str = "cnn",
    quantize: bool = False,
    decoder: str = "crf",
    pooling: str = "attention",
    seed: int = 1,
    **encoder: Any,
) -> TorchModel:
    heads: dict[str, HeadConfig] = {
        "ner": TokensHeadConfig.model_validate({"kind": "tokens", "decoder": decoder}),
        "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
        "sentiment": SentenceHeadConfig.model_validate({"kind": "sentence", "pooling": pooling, "hidden_size": 7}),
    }
    layers = {layer: head.span_scheme for layer, head in heads.items()}
    model = untrained_model(
        build_vocabulary(pack(SENTENCES), layers=layers),
        heads,
        embeddings=EmbeddingsConfig.model_validate(
            {"dimension": 6, "char_hidden": 5, "chars": chars, "quantize": quantize}
        ),
        encoder=EncoderConfig.model_validate({"hidden_size": 8, **encoder}),
        schemes={"ner": "iob2"},
        loudness=4.0,
        seed=seed,
    )
    model.network.set_temperatures({"sentiment": 1.7})
    return replace(model, config=model.config.model_copy(update={"temperatures": {"sentiment": 1.7}}))


def numpy_tagger(model: TorchModel, *, threads: int | None = None) -> Tagger:
    """The same model, run by NumPy."""
    weights = {name: value.numpy() for name, value in weights_of(model).items()}
    network = numpy_network(model.vocabulary, model.config, weights)
    return Tagger(NumpyBackend(NumpyModel(model.config, model.vocabulary, None, network, weights), threads=threads))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    save_model(make_model(), path, card="")
    return path


def close(found: Any, wanted: Any) -> bool:
    return wanted is None if found is None else bool(np.allclose(found, wanted, rtol=0, atol=1e-4))


def check_same(found: Sentence, wanted: Sentence) -> None:
    assert found.tokens == wanted.tokens
    assert found.layers.keys() == wanted.layers.keys()
    for layer, other in wanted.layers.items():
        own = found.layers[layer]
        if isinstance(other, Label):
            assert isinstance(own, Label)
            assert own.value == other.value
            assert close(list((own.scores or {}).values()), list((other.scores or {}).values()))
            assert close(own.attention, other.attention)
        elif isinstance(other, TagLayer):
            assert isinstance(own, TagLayer)
            check_tags(own, other)


def check_tags(found: TagLayer, wanted: TagLayer) -> None:
    assert (found.tags, found.scheme) == (wanted.tags, wanted.scheme)
    assert close(found.scores, wanted.scores)
    assert close(found.score, wanted.score)
    spans, others = (layer.scored_spans or () for layer in (found, wanted))
    assert [span for span, _ in spans] == [span for span, _ in others]
    assert close([score for _, score in spans], [score for _, score in others])
    # Readings after the first may tie within rounding and change places; their scores may not differ.
    scores = [[reading.score for reading in layer.readings] for layer in (found, wanted)]
    assert close(*([score for score in own if score and score > 1e-4] for own in scores))
    assert [reading.tags for reading in found.readings[:1]] == [reading.tags for reading in wanted.readings[:1]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    model=st.fixed_dictionaries(
        {
            "chars": st.sampled_from(["cnn", "lstm", "none"]),
            "quantize": st.booleans(),
            "decoder": st.sampled_from(["crf", "softmax"]),
            "pooling": st.sampled_from(["attention", "last", "mean", "max"]),
            "cell": st.sampled_from(["lstm", "gru", "rnn"]),
            "layers": st.integers(1, 2),
            "merge": st.sampled_from(["concat", "sum", "mean"]),
            "bidirectional": st.booleans(),
            "seed": st.integers(0, 100),
        }
    ),
    n_best=st.sampled_from([0, 1, 5]),
)
def test_a_stream_is_tagged_as_with_torch(model: dict[str, Any], n_best: int) -> None:
    torch_model = make_model(**model)
    own, other = numpy_tagger(torch_model), torch_tagger(torch_model)
    for found, wanted in zip(own.stream(TEXTS, n_best=n_best), other.stream(TEXTS, n_best=n_best), strict=True):
        check_same(found, wanted)
    for layer, marginals in other.marginals(SENTENCES[3]).items():
        assert own.marginals(SENTENCES[3])[layer].tags == marginals.tags
        np.testing.assert_allclose(own.marginals(SENTENCES[3])[layer].array, marginals.array, atol=1e-4)
    if not model["bidirectional"]:
        steps = own.incremental(), other.incremental()
        for word in SENTENCES[4].tokens:
            assert steps[0].feed(word) == steps[1].feed(word)


def test_texts_and_documents_are_tagged_as_with_torch(folder: Path) -> None:
    own, other = load(folder, backend="numpy"), load(folder, backend="torch")
    text = "Maria lives in Oslo. She does not like the rain!\n\nNo."
    check_same(own.tag(text, n_best=2), other.tag(text, n_best=2))
    check_same(own.tag(" "), other.tag(" "))
    pairs = zip(own.tag_document(text).sentences, other.tag_document(text).sentences, strict=True)
    for found, wanted in pairs:
        check_same(found, wanted)
    report, wanted_report = own.evaluate(SENTENCES[:20]), other.evaluate(SENTENCES[:20])
    assert [report.headline(layer) for layer in own.layers] == [wanted_report.headline(layer) for layer in own.layers]
    assert own.tag(text) == load(folder, backend="numpy").tag(text)
    with pytest.raises(ModelError, match=r"encoder\.bidirectional = false"):
        own.incremental()
    with pytest.raises(ModelError, match="must be loaded with torch, but NumpyBackend runs it"):
        _ = own.network


def test_a_model_without_a_folder_is_pickled_with_its_weights() -> None:
    tagger = numpy_tagger(make_model())
    again = pickle.loads(pickle.dumps(tagger))
    assert again.model.source is None
    assert list(again.stream(TEXTS)) == list(tagger.stream(TEXTS))
    assert list(copy.deepcopy(again).stream(TEXTS)) == list(tagger.stream(TEXTS))
    assert pickle.loads(pickle.dumps(again)).tag("Ada") == tagger.tag("Ada")


def test_batches_side_by_side_give_the_same_bits_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagger.inference.predict.BATCH_TOKENS", 60)
    model = make_model()
    first, *others = [list(numpy_tagger(model, threads=threads).stream(TEXTS)) for threads in (1, 3, 3)]
    assert all(other == first for other in others)


@pytest.mark.parametrize("words", [3, 20])
def test_a_small_cache_changes_only_last_bits(words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagger.inference.predict.BATCH_TOKENS", 60)
    monkeypatch.setattr(numpy_backend, "CACHE_BYTES", words * 4 * 2 * 32)
    model = make_model()
    own, other = numpy_tagger(model, threads=2), torch_tagger(model)
    for found, wanted in zip(own.stream(TEXTS), other.stream(TEXTS), strict=True):
        check_same(found, wanted)
    assert len(own.backend._cache) <= max(2, words)


def test_threads_share_a_tagger_and_leave_the_threads_of_blas_as_they_were(folder: Path) -> None:
    tagger = load(folder, backend="numpy")
    wanted = list(tagger.stream(TEXTS))
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: list(tagger.stream(TEXTS)), range(8)))
        after = [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    for sentences in found:
        for one, other in zip(sentences, wanted, strict=True):
            check_same(one, other)
    assert before == after
    with one_blas_thread(), one_blas_thread():
        info = threadpoolctl.threadpool_info()
        assert {pool["num_threads"] for pool in info if pool["user_api"] == "blas"} == {1}


ALONE = """
import sys
blocked = {"torch", "spacy", "datasets", "scipy", "onnx", "onnxruntime", "seqeval", "matplotlib", "torchcrf", "pyarrow"}

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Finder())
import tagger
model = tagger.load(sys.argv[1], backend="numpy")
print(len(model.tag("Ada lives in Oslo.", n_best=2).tokens), len(list(model.stream(["a", ["b", "c"]]))))
print(len(model.tag_document("One. Two.").sentences), sorted(model.marginals(model.tag("Ada"))))
assert not blocked & sys.modules.keys()
"""


def test_nothing_large_is_imported(folder: Path) -> None:
    command = [sys.executable, "-c", ALONE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "5 2\n2 ['ner', 'upos']\n"
