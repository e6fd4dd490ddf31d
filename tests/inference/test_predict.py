"""From sentences to predicted sentences: order, batching and names, with the network and with a backend without one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from fake_features import FakeFeature
from numpy.typing import NDArray
from untrained import config_of, network_of

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding import batches
from tagger.encoding.batches import Batch, EncodedSentences
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary, build_vocabulary
from tagger.features.passages import Passage
from tagger.heads.head import Arrays
from tagger.inference import predict as module
from tagger.inference.predict import predict
from tagger.inference.torch_backend import TorchBackend
from tagger.model.model import Model
from tagger.model.network import TorchModel
from tagger.text.schemes import tags_to_spans
from tagger.text.sentence import Label, Sentence

HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
    "sentiment": SentenceHeadConfig(kind="sentence"),
}
VOCABULARY = build_vocabulary(
    pack(generate(50, seed=1, split="train")), layers={"ner": "bioes", "upos": None, "sentiment": None}
)


def make_backend(decoder: str = "crf") -> TorchBackend:
    """A network whose scores are far apart, so that tags vary."""
    torch.manual_seed(1)
    heads = {**HEADS, "ner": TokensHeadConfig(kind="tokens", decoder=decoder)}
    network = network_of(
        VOCABULARY,
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12),
        heads=heads,
    )
    for head in network.heads.values():
        for parameter in head.parameters():
            parameter.data *= 5
    return TorchBackend(TorchModel(config_of(HEADS, {"ner": "iob2"}), VOCABULARY, None, network.eval()))


def run(
    sentences: Iterator[Sentence] | list[Sentence], *, chunk: int = 1024, decoder: str = "crf", n_best: int = 0
) -> list[Sentence]:
    return list(predict(sentences, make_backend(decoder), chunk=chunk, n_best=n_best))


def make_sentences(number: int = 60) -> list[Sentence]:
    return list(generate(number, seed=3, split="test"))


def check_close(found: list[Sentence], expected: list[Sentence]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.tokens == other.tokens
        for layer in ("ner", "upos"):
            assert one.tags(layer) == other.tags(layer)
            np.testing.assert_allclose(one.tag_scores(layer), other.tag_scores(layer), atol=1e-5)
        assert one.label("sentiment").value == other.label("sentiment").value
        np.testing.assert_allclose(one.label("sentiment").score, other.label("sentiment").score, atol=1e-5)
        np.testing.assert_allclose(one.label("sentiment").attention, other.label("sentiment").attention, atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 7])
def test_another_chunk_gives_the_same_tags_and_scores(chunk: int) -> None:
    sentences = make_sentences()
    check_close(run(sentences, chunk=chunk), run(sentences))


@pytest.mark.parametrize("tokens", [1, 20, 100])
def test_another_batch_size_gives_the_same_tags_and_scores(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = make_sentences()
    expected = run(sentences)
    monkeypatch.setattr(module, "BATCH_TOKENS", tokens)
    check_close(run(sentences), expected)


@pytest.mark.parametrize("n_best", [0, 3])
def test_many_tags_make_small_batches_with_the_same_tags_and_scores(
    n_best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = make_sentences()
    expected = run(sentences, n_best=n_best)
    num_tags = max(map(len, VOCABULARY.labels.values()))
    monkeypatch.setattr(batches, "TAG_PAIRS", 4 * num_tags**2)
    sizes: list[int] = []
    original = EncodedSentences.batch
    monkeypatch.setattr(EncodedSentences, "batch", lambda self, rows: sizes.append(len(rows)) or original(self, rows))
    found = run(sentences, n_best=n_best)
    assert max(sizes) == (1 if n_best else 4)
    check_close(found, expected)
    for one, other in zip(found, expected, strict=True):
        assert len(one.readings("ner")) == n_best
        assert [r.tags("ner") for r in one.readings("ner")] == [r.tags("ner") for r in other.readings("ner")]


def test_a_shuffled_corpus_gives_the_same_sentences_shuffled() -> None:
    sentences = make_sentences()
    order = np.random.default_rng(1).permutation(len(sentences))
    expected = run(sentences)
    check_close(run([sentences[i] for i in order]), [expected[i] for i in order])


def test_the_same_call_gives_the_same_bits() -> None:
    assert run(make_sentences()) == run(make_sentences())


def test_predictions_vary_and_have_spans() -> None:
    found = run(make_sentences(), decoder="softmax")
    assert len({sentence.tags("upos") for sentence in found}) > 10
    assert sum(len(sentence.spans("ner")) for sentence in found) > 10


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_predicted_spans_are_those_of_the_predicted_tags_each_with_its_score(decoder: str) -> None:
    for sentence in run(make_sentences(), decoder=decoder):
        layer = sentence.tag_layer("ner")
        assert sentence.boundaries("ner") == tags_to_spans(layer.tags, "bioes")
        assert [span.score for span in sentence.spans("ner")] == [score for _, score in layer.scored_spans]


def test_a_prediction_keeps_the_sentence_and_carries_predicted_layers_alone() -> None:
    sentences = make_sentences(5)
    for before, after in zip(sentences, run(sentences), strict=True):
        assert (after.tokens, after.text, after.offsets, after.meta) == (
            before.tokens,
            before.text,
            before.offsets,
            before.meta,
        )
        assert list(after.layers) == ["ner", "upos", "sentiment"]
        assert len(after.tag_scores("ner")) == len(after.tags("ner")) == len(before)


def test_scores_are_probabilities_and_classes_sum_to_one() -> None:
    for sentence in run(make_sentences()):
        label = sentence.label("sentiment")
        assert label.score == max(label.scores.values())
        assert label.scores[label.value] == label.score
        assert sum(label.scores.values()) == pytest.approx(1, abs=1e-5)
        assert sum(label.attention) == pytest.approx(1, abs=1e-5)
        assert len(label.attention) == len(sentence)
        assert all(0 <= score <= 1 + 1e-6 for score in (*sentence.tag_scores("ner"), *sentence.tag_scores("upos")))


def test_a_span_is_at_most_as_probable_as_each_of_its_tags_and_at_least_as_the_whole_sequence() -> None:
    seen = 0
    for sentence in run(make_sentences()):
        for span in sentence.spans("ner"):
            assert span.score <= min(sentence.tag_scores("ner")[span.start : span.end]) + 1e-6
            assert span.score >= sentence.tag_layer("ner").score - 1e-6
            seen += 1
    assert seen > 5


def test_tags_are_shown_in_the_scheme_of_the_training_files() -> None:
    shown = {tag[0] for sentence in run(make_sentences()) for tag in sentence.tags("ner")}
    inner = {tag[0] for sentence in run(make_sentences()) for tag in sentence.tags("ner", scheme="bioes")}
    assert shown <= set("BIO")
    assert inner & set("ES")


def test_sentences_without_tokens_keep_their_place_and_have_empty_layers() -> None:
    blank = Sentence((), "", ())
    first, second = make_sentences(2)
    found = run([blank, first, blank, second])
    assert [len(sentence) for sentence in found] == [0, len(first), 0, len(second)]
    (alone,) = run([blank])
    assert alone == found[0] == found[2]
    assert list(alone.layers) == ["ner", "upos"]
    assert (alone.tags("ner"), alone.spans("ner"), alone.tags("upos")) == ((), (), ())
    assert run([]) == []


def test_at_most_a_chunk_of_sentences_is_read_ahead() -> None:
    read = 0

    def source() -> Iterator[Sentence]:
        nonlocal read
        for sentence in make_sentences(30):
            read += 1
            yield sentence

    found = predict(source(), make_backend(), chunk=10)
    assert read == 0
    next(found)
    assert read == 10
    for _ in range(10):
        next(found)
    assert read == 20


class EchoBackend:
    """Gives as tag of each token the length of its sentence, as label the number of the sentence's first word."""

    batch_overhead = 16

    def __init__(self, model: Model) -> None:
        self.model = model

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        for batch in batches:
            ids = np.repeat(batch.lengths[:, None], batch.type_ids.shape[1], 1)
            scores = np.eye(9, dtype=np.float32)[batch.word_ids[batch.type_ids[:, 0]]]
            yield {
                "size": {"tag_ids": ids, "probabilities": ids.astype(np.float32), "sequences": np.ones(len(ids))},
                "first": {"probabilities": scores},
            }

    def bounded(self) -> AbstractContextManager[None]:
        return nullcontext()


WORDS = [f"w{i}" for i in range(1, 9)]


def echo_backend(**features: FakeFeature) -> EchoBackend:
    vocabulary = Vocabulary(WORDS, [], {"size": list("0123456789"), "first": ["?", *WORDS]}, 9)
    heads: dict[str, HeadConfig] = {
        "size": TokensHeadConfig(kind="tokens", scheme="none"),
        "first": SentenceHeadConfig(kind="sentence"),
    }
    return EchoBackend(Model(config_of(heads), vocabulary, None, features=features))


def test_any_backend_gives_its_rows_back_to_their_sentences() -> None:
    rng = np.random.default_rng(1)
    sentences = [Sentence.from_tokens(list(rng.choice(WORDS, rng.integers(1, 10)))) for _ in range(200)]
    found = list(predict(sentences, echo_backend(), chunk=64))
    assert [s.tags("size") for s in found] == [(str(len(s)),) * len(s) for s in sentences]
    assert [s.label("first").value for s in found] == [s.tokens[0] for s in sentences]


@pytest.mark.parametrize(("most", "expected"), [(6, [6, 6, 3]), (7, [9, 6]), (100, [9, 6])])
def test_arrays_of_features_are_in_memory_for_a_number_of_tokens(
    most: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_TOKENS", most)
    sizes: list[int] = []

    class Counted(FakeFeature):
        def arrays(self, passages: Sequence[Passage]) -> NDArray[Any]:
            sizes.append(sum(len(passage.tokens) for passage in passages))
            return super().arrays(passages)

    sentences = [Sentence.from_tokens(WORDS[:3])] * 5
    assert len(list(predict(sentences, echo_backend(x=Counted()), chunk=3))) == 5
    assert [size for size in sizes if size] == expected


@pytest.mark.parametrize("pooling", ["attention", "last", "mean", "max"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_label_does_not_depend_on_what_its_sentence_was_batched_with(pooling: str, cell: str) -> None:
    torch.manual_seed(2)
    heads: dict[str, HeadConfig] = {"sentiment": SentenceHeadConfig(kind="sentence", pooling=pooling)}
    network = network_of(
        VOCABULARY,
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12, cell=cell),
        heads=heads,
    ).eval()
    sentences = sorted(make_sentences(40), key=len)  # short ones beside long ones once all are in one batch

    def labels(parts: list[list[Sentence]]) -> list[Label]:
        backend = TorchBackend(TorchModel(config_of(heads), VOCABULARY, None, network))
        found = (predict(p, backend) for p in parts)
        return [sentence.label("sentiment") for part in found for sentence in part]

    together, alone = labels([sentences]), labels([[sentence] for sentence in sentences])
    for one, other, sentence in zip(together, alone, sentences, strict=True):
        assert one.value == other.value
        assert list(one.scores.values()) == pytest.approx(list(other.scores.values()), abs=1e-6)
        if pooling != "attention":
            assert one.attention is None
            continue
        assert len(one.attention) == len(sentence)
        assert sum(one.attention) == pytest.approx(1, abs=1e-6)
        assert one.attention == pytest.approx(other.attention, abs=1e-6)
