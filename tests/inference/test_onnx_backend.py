"""An exported folder tags what the trained one tags with torch, with every method of a tagger."""

import copy
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import ModelError
from tagger.export.folder import export_onnx
from tagger.files.hashes import config_to_json
from tagger.inference.onnx_backend import load_onnx
from tagger.model.folder.opening import GRAPH, HEADS
from tagger.model.folder.torch_model import save_model
from tagger.tagging import Tagger, load
from tagger.text.sentence import Sentence, TagLayer

CORPUS = list(generate(60, seed=1, split="train"))
CASES = {  # characters, quantised, cell, merge, layers, bidirectional, pooling, decoder, scheme
    "usual": ("cnn", False, "lstm", "concat", 1, True, "attention", "crf", "bioes"),
    "softmax": ("lstm", True, "gru", "sum", 2, True, "last", "softmax", "iob1"),
    "one way": ("none", False, "rnn", "concat", 1, False, "max", "crf", "bilou"),
    "deep": ("cnn", False, "lstm", "mean", 2, False, "mean", "softmax", "iob2"),
}
Pair = tuple[Tagger, Tagger]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """For each case the same model, run by torch and by onnxruntime."""
    return {name: made(tmp_path_factory.mktemp("models"), *case) for name, case in CASES.items()}


def made(folder: Path, chars, quantize, cell, merge, layers, bidirectional, pooling, decoder, scheme) -> Pair:
    vocabulary = build_vocabulary(pack(CORPUS), layers={"ner": scheme, "upos": None, "sentiment": None})
    model = untrained_model(
        vocabulary,
        {
            "ner": TokensHeadConfig(kind="tokens", decoder=decoder, scheme=scheme),
            "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder=decoder),
            "sentiment": SentenceHeadConfig(kind="sentence", pooling=pooling),
        },
        embeddings=EmbeddingsConfig(dimension=8, chars=chars, quantize=quantize),
        encoder=EncoderConfig(hidden_size=9, cell=cell, merge=merge, layers=layers, bidirectional=bidirectional),
        schemes={"ner": "iob2", "upos": None},
        loudness=4,
    )
    save_model(model, folder / "trained", card="")
    export_onnx(folder / "trained", folder / "exported")
    return load(folder / "trained", backend="torch"), load(folder / "exported", threads=2)


def check_equal(found: Sentence, wanted: Sentence) -> None:
    """Tags, spans and classes are the same, and all probabilities within 1e-4."""
    near = partial(np.testing.assert_allclose, atol=1e-4)
    for layer, other in wanted.layers.items():
        mine = found.layers[layer]
        if isinstance(other, TagLayer):
            assert (mine.tags, found.tags(layer)) == (other.tags, wanted.tags(layer))
            near(mine.scores, other.scores)
            near(mine.score or 1, other.score or 1)
            assert [span[0] for span in mine.scored_spans or ()] == [span[0] for span in other.scored_spans or ()]
            near([span[1] for span in mine.scored_spans or ()], [span[1] for span in other.scored_spans or ()])
            near([reading.score for reading in mine.readings], [reading.score for reading in other.readings])
        else:
            assert mine.value == other.value
            near(list(mine.scores.values()), list(other.scores.values()))
            near(mine.attention or (), other.attention or ())


@pytest.mark.parametrize("case", CASES)
def test_sentences_of_a_corpus_are_tagged_as_by_torch(case: str, pairs: dict[str, Pair]) -> None:
    wanted, found = pairs[case]
    sentences = [
        *CORPUS,
        Sentence((), "", ()),
        Sentence.from_tokens(["a" * 2000, "b"]),
        Sentence.from_tokens(["x"] * 1000),
    ]
    for mine, other in zip(found.predict(sentences, n_best=3), wanted.predict(sentences, n_best=3), strict=True):
        check_equal(mine, other)


@settings(max_examples=30, deadline=None)
@given(case=st.sampled_from(list(CASES)), words=st.lists(st.text("abé1-", min_size=1), min_size=1, max_size=12))
def test_any_words_are_tagged_as_by_torch(case: str, words: list[str], pairs: dict[str, Pair]) -> None:
    wanted, found = pairs[case]
    check_equal(found.tag_tokens(words), wanted.tag_tokens(words))


def test_every_method_gives_the_result_of_torch(pairs: dict[str, Pair]) -> None:
    wanted, found = pairs["usual"]
    text = "Ada was born in Rome. She left."
    check_equal(found.tag(text), wanted.tag(text))
    for mine, other in zip(found.stream([text, ["Ada"]]), wanted.stream([text, ["Ada"]]), strict=True):
        check_equal(mine, other)
    document, other = found.tag_document(text), next(wanted.tag_documents([text]))
    for mine, theirs in zip(document.sentences, other.sentences, strict=True):
        check_equal(mine, theirs)
    marginals = wanted.marginals(CORPUS[0])
    assert found.marginals(CORPUS[0]).keys() == marginals.keys()
    for layer, mine in found.marginals(CORPUS[0]).items():
        assert mine.tags == marginals[layer].tags
        np.testing.assert_allclose(mine.array, marginals[layer].array, atol=1e-4)
    scores = [tagger.evaluate(CORPUS).to_dict()["scores"] for tagger in (found, wanted)]
    assert scores[0]["ner"]["f1"] == scores[1]["ner"]["f1"]
    check_equal(copy.deepcopy(found).tag(text), wanted.tag(text))
    assert load(found.model.source.folder, tokenize=str.split).tag("a.b c").tokens == ("a.b", "c")


@pytest.mark.parametrize("case", ["one way", "deep"])
def test_words_that_arrive_one_by_one_are_tagged_as_by_torch(case: str, pairs: dict[str, Pair]) -> None:
    wanted, found = (tagger.incremental() for tagger in pairs[case])
    for sentence in CORPUS[:4]:
        for token in sentence.tokens:
            mine, other = found.feed(token), wanted.feed(token)
            assert (mine.token, mine.position, mine.tags) == (other.token, other.position, other.tags)
            np.testing.assert_allclose(list(mine.scores.values()), list(other.scores.values()), atol=1e-4)
            assert mine.labels["sentiment"].value == other.labels["sentiment"].value
        found.reset()
        wanted.reset()


def test_a_model_that_reads_both_ways_is_not_incremental(pairs: dict[str, Pair]) -> None:
    with pytest.raises(ModelError, match="needs a model that reads in one direction"):
        pairs["usual"][1].incremental()


def test_words_are_computed_once(pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    backend = load_onnx(pairs["usual"][1].model.source.folder)
    calls = []
    compute = backend.model.network.type_vectors
    monkeypatch.setattr(backend.model.network, "type_vectors", lambda *words: calls.append(words) or compute(*words))
    tagger = Tagger(backend)
    tagger.tag_tokens(["Ada", "left", "Ada"])
    tagger.tag_tokens(["Ada", "left"])
    assert [len(words[0]) for words in calls] == [2]
    backend.forget()
    tagger.tag_tokens(["Ada"])
    assert len(calls) == 2


def test_a_graph_that_onnxruntime_cannot_read_is_one_sentence(tmp_path: Path, pairs: dict[str, Pair]) -> None:
    source = pairs["usual"][1].model.source.folder
    files = {name: (source / name).read_bytes() for name in ("vocabulary.json", "tokenizer.json", HEADS)}
    files[GRAPH] = b"no graph"
    values = pairs["usual"][1].model.config.model_dump(mode="json")
    for name, content in {**files, "config.json": config_to_json(values, files)}.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: onnxruntime cannot run the graph: .*; upgrade onnxruntime, or"):
        load(tmp_path)


def test_the_session_leaves_threads_to_the_batches(pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: seen.append(a[1]) or session(*a, **k))
    load(pairs["usual"][1].model.source.folder)
    assert seen[0].intra_op_num_threads == 1
