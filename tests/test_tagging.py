"""The `Tagger` on texts, words, documents and streams of every kind, short, long and odd."""

import copy
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from untrained import generated_vocabulary, torch_tagger, untrained_model

from tagger.config import (
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    ReadingConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
)
from tagger.corpus.synthetic import generate
from tagger.errors import DataError, ModelError
from tagger.inference import torch_backend
from tagger.inference.predict import tag_marginals
from tagger.inference.torch_backend import check_device
from tagger.model.folder.torch_model import save_model
from tagger.running.description import describe_model
from tagger.running.scoring import evaluate_files
from tagger.tagging import Tagger, load, tag_lines
from tagger.text.sentence import Sentence

HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "upos": TokensHeadConfig(kind="tokens", scheme="none"),
    "sentiment": SentenceHeadConfig(kind="sentence"),
}


def make_tagger(loudness: float = 5) -> Tagger:
    model = untrained_model(
        generated_vocabulary(100),
        HEADS,
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12),
        schemes={"ner": "iob2"},
        reading={"data": ReadingConfig(format="conll", columns=("token", "ner"))},
        loudness=loudness,
    )
    return torch_tagger(model)


TAGGER = make_tagger()


def check_offsets(sentence: Sentence) -> None:
    assert tuple(sentence.text[start:end] for start, end in sentence.offsets) == sentence.tokens
    for span in sentence.spans("ner"):
        assert (span.start_char, span.end_char) == (sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1])


@pytest.mark.parametrize("tokens", [["x"], ["Ada", "lives", "in", "Oslo", "."], ["word"] * 60])
def test_marginals_hold_the_probability_of_every_predicted_tag(tokens: list[str]) -> None:
    (predicted,) = TAGGER.predict([Sentence.from_tokens(tokens)])
    marginals = TAGGER.marginals(predicted)
    assert list(marginals) == ["ner", "upos"]
    for layer, (tags, array) in marginals.items():
        assert (array.shape, array.dtype) == ((len(tokens), len(tags)), np.float32)
        assert np.allclose(array.sum(1), 1, atol=1e-5)
        found = [row[tags.index(tag)] for row, tag in zip(array, predicted.tag_layer(layer).tags, strict=True)]
        assert found == pytest.approx(predicted.tag_scores(layer), abs=1e-6)


def test_marginals_of_many_sentences_are_those_of_each_in_their_order() -> None:
    sentences = [Sentence.from_tokens(["word"] * length) for length in (3, 0, 9, 1, 5)]
    for sentence, found in zip(sentences, tag_marginals(sentences, TAGGER.backend, chunk=2), strict=True):
        alone = TAGGER.marginals(sentence) if len(sentence) else {}
        assert list(found) == list(alone)
        for layer, (tags, array) in alone.items():
            assert found[layer].shape == (len(sentence), len(tags))
            np.testing.assert_allclose(found[layer], array, atol=1e-5)


def test_marginals_of_no_token_are_refused() -> None:
    with pytest.raises(DataError, match="at least one token, got none"):
        TAGGER.marginals(Sentence((), "", ()))


@pytest.mark.parametrize("text", ["", " ", "\n\t  \u2003"])
def test_a_text_without_a_token_has_an_empty_result(text: str) -> None:
    document, (streamed,) = TAGGER.tag_document(text), TAGGER.stream([text])
    assert (document.text, document.sentences) == (text, ())
    for sentence in (TAGGER.tag(text), streamed):
        assert (sentence.text, sentence.tokens) == (text, ())
        assert (sentence.tags("ner"), sentence.spans("ner"), sentence.tags("upos")) == ((), (), ())
        assert "sentiment" not in sentence.layers
    assert TAGGER.tag_tokens([]).tokens == ()


def test_one_token_is_a_sentence() -> None:
    for sentence in (TAGGER.tag("x"), TAGGER.tag_tokens(["x"])):
        assert sentence.tokens == ("x",)
        assert len(sentence.tags("ner")) == len(sentence.tags("upos")) == 1
        assert sentence.label("sentiment").attention == (1.0,)


@pytest.mark.parametrize(
    "text",
    [
        "I ❤️ Łódź 👩‍👩‍👧‍👦 and 🇩🇪!",
        "Cafe\u0301 A\u030angstro\u0308m zu\u0308rich",
        "שלום לעולם אמר דן",
        "مرحبا بالعالم، قالت ليلى.",
        "ab\u200fcd \u202eright\u202c to left",
        "𝒜𝓭𝒶 wrote 𠜎𠜱",
        "  leading  and\ttrailing \n",
        "zero\u200bwidth\ufeffmarks",
        "null\x00byte",
    ],
)
def test_offsets_count_characters_of_any_text(text: str) -> None:
    sentence = TAGGER.tag(text)
    assert sentence.text == text
    check_offsets(sentence)
    assert "".join(sentence.tokens) == "".join(text.split())
    assert len(sentence.tags("upos")) == len(sentence)


def test_offsets_of_a_document_count_in_the_whole_text() -> None:
    text = "  Ada 👩‍👧 wrote. She left!\n\n\nPaul von Hindenburg came to Köln; he stayed. "
    document = TAGGER.tag_document(text)
    sentences = document.sentences
    assert len(sentences) >= 3
    assert [document.tokens[span.start] for span in document.spans("ner")] == [
        text[span.start_char : span.end_char].split()[0] for span in document.spans("ner")
    ]
    for sentence in sentences:
        assert sentence.text is text
        check_offsets(sentence)
    starts = [sentence.offsets[0][0] for sentence in sentences]
    assert starts == sorted(starts)
    assert "".join(token for sentence in sentences for token in sentence.tokens) == "".join(text.split())


def test_sentences_of_a_document_are_tagged_as_they_are_alone() -> None:
    text = "Ada wrote. She left Paris in May! Nobody came."
    for sentence in TAGGER.tag_document(text).sentences:
        first, last = sentence.offsets[0][0], sentence.offsets[-1][1]
        alone = TAGGER.tag(text[first:last])
        assert alone.tokens == sentence.tokens
        assert alone.tags("ner") == sentence.tags("ner")
        np.testing.assert_allclose(alone.tag_scores("upos"), sentence.tag_scores("upos"), atol=1e-5)


def test_tokens_with_white_space_inside_stay_whole() -> None:
    sentence = TAGGER.tag_tokens(["New York", "is", "a\u00a0b"])
    assert sentence.tokens == ("New York", "is", "a\u00a0b")
    assert sentence.text == "New York is a\u00a0b"
    check_offsets(sentence)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["a", ""], "token 1 must have a character that is not white space, got ''"),
        ([" \t"], "token 0 must have a character that is not white space, got ' \\t'"),
    ],
)
def test_empty_words_are_refused(tokens: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        TAGGER.tag_tokens(tokens)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a", "list"]])
def test_texts_that_are_no_strings_are_type_errors(text: object) -> None:
    for call in (TAGGER.tag, TAGGER.tag_document):
        with pytest.raises(TypeError, match="text must be a string, got"):
            call(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("tokens", [None, 3, "a string", b"bytes", [1, 2], ["a", None], [["a"]]])
def test_words_that_are_no_strings_are_type_errors(tokens: object) -> None:
    with pytest.raises(TypeError):
        TAGGER.tag_tokens(tokens)  # type: ignore[arg-type]
    if not isinstance(tokens, str):
        with pytest.raises(TypeError):
            list(TAGGER.stream([tokens]))  # type: ignore[list-item]


def test_words_may_come_from_a_generator_or_an_array() -> None:
    expected = TAGGER.tag_tokens(["Ada", "ran"])
    assert TAGGER.tag_tokens(word for word in ["Ada", "ran"]) == expected  # type: ignore[arg-type]
    assert TAGGER.tag_tokens(np.array(["Ada", "ran"])) == expected


class Text(str):
    """A subclass with a mind of its own."""

    def __str__(self) -> str:
        return "something else"


@pytest.mark.parametrize("kind", [Text, np.str_])
@pytest.mark.parametrize("text", ["Oslo is big.", "Zoë is big."])
def test_subclasses_of_str_are_strings(kind: type[str], text: str) -> None:
    tokens = [kind(token) for token in text.split()]
    for sentence, expected in (
        (TAGGER.tag(kind(text)), TAGGER.tag(text)),
        (TAGGER.tag_document(kind(text)).sentences[0], TAGGER.tag(text)),
        (next(TAGGER.stream([kind(text)])), TAGGER.tag(text)),
        (TAGGER.tag_tokens(tokens), TAGGER.tag_tokens(text.split())),
        (next(TAGGER.stream([tokens])), TAGGER.tag_tokens(text.split())),
        (next(TAGGER.predict([Sentence.from_tokens(tokens)])), TAGGER.tag_tokens(text.split())),
    ):
        assert sentence == expected
        assert {type(string) for string in (sentence.text, *sentence.tokens)} == {str}


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (None, TypeError, "item 2: must be a text or a list of words, got NoneType None"),
        (float("nan"), TypeError, "item 2: must be a text or a list of words, got float nan"),
        (b"x", TypeError, "item 2: must be a text or a list of words, got bytes b'x'"),
        ({"text": "x"}, TypeError, "item 2: must be a text or a list of words, got dict {'text': 'x'}"),
        ({"x"}, TypeError, "item 2: must be a text or a list of words, got set {'x'}"),
        (["a", None], TypeError, "item 2: token 1 must be a string, got NoneType"),
        (["a", " "], DataError, "item 2: token 1 must have a character that is not white space, got ' '"),
    ],
)
def test_an_invalid_item_of_a_stream_is_named_after_the_results_before_it_or_passed_over(
    item: object, error: type[Exception], message: str
) -> None:
    items = ["Oslo", ["Rome"], item, "Paris"]
    found = []
    with pytest.raises(error) as caught:
        found += [sentence.text for sentence in TAGGER.stream(items)]  # type: ignore[arg-type]
    assert str(caught.value) == message
    stream = TAGGER.stream(items)  # type: ignore[arg-type]
    assert [next(stream).text, next(stream).text] == ["Oslo", "Rome"]
    with pytest.raises(error):
        next(stream)
    told: list[tuple[int, str]] = []
    result = list(TAGGER.stream(items, errors=lambda i, e: told.append((i, str(e)))))  # type: ignore[arg-type]
    assert [sentence.tokens for sentence in result] == [("Oslo",), ("Rome",), (), ("Paris",)]
    assert result[2].spans("ner") == ()
    assert told == [(2, message)]


def test_results_come_before_any_error_of_the_items() -> None:
    def texts() -> Iterator[str]:
        yield "Oslo"
        raise ConnectionError("gone")

    stream = TAGGER.stream(texts())
    assert next(stream).text == "Oslo"
    with pytest.raises(ConnectionError, match="gone"):
        next(stream)


class Table(list[str]):
    """Like a data frame, it gives the names of its columns."""

    columns = ("text", "id")


@pytest.mark.parametrize("items", ["one text", b"bytes", {"text": "x"}, {"x"}, Table(["text", "id"])])
def test_a_stream_of_one_text_is_a_type_error(items: object) -> None:
    with pytest.raises(TypeError, match="items must be texts or lists of words"):
        TAGGER.stream(items)  # type: ignore[arg-type]


@pytest.mark.parametrize("chunk", [0, -1])
def test_a_chunk_of_nothing_is_refused(chunk: int) -> None:
    with pytest.raises(ValueError, match="chunk must be at least 1, got"):
        TAGGER.stream(["a"], chunk=chunk)


@pytest.mark.parametrize(
    ("number", "shown"), [("3", "str '3'"), (1.5, "float 1.5"), (True, "bool True"), (None, "None")]
)
@pytest.mark.parametrize("name", ["chunk", "n_best"])
def test_a_number_of_another_type_is_named(name: str, number: object, shown: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a whole number, got .*{shown}$"):
        TAGGER.stream(["a"], **{name: number})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_best must be at least 0, got -1"):
        TAGGER.tag("a", n_best=-1)


def test_a_stream_takes_texts_and_words_and_keeps_their_order() -> None:
    items: list[str | list[str]] = [f"number {i} of a long list" + " and more" * (i % 7) for i in range(50)]
    items[10] = ["New York", "is", "far"]
    found = list(TAGGER.stream(items, chunk=8))
    assert found[10].tokens == ("New York", "is", "far")
    assert [s.text for s in found] == [item if isinstance(item, str) else " ".join(item) for item in items]
    for sentence, item in zip(found, items, strict=True):
        alone = TAGGER.tag(item) if isinstance(item, str) else TAGGER.tag_tokens(item)
        assert alone.tags("ner") == sentence.tags("ner")
        np.testing.assert_allclose(alone.tag_scores("ner"), sentence.tag_scores("ner"), atol=1e-5)


def test_a_stream_reads_one_chunk_ahead_and_no_more() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield f"text {read}"

    stream = TAGGER.stream(texts(), chunk=5)
    assert read == 0
    ahead = []
    for number in range(1, 21):
        next(stream)
        ahead.append(read - number)
    assert max(ahead) == 4


def test_an_empty_stream_is_empty() -> None:
    assert list(TAGGER.stream([])) == []


def test_threads_share_a_tagger() -> None:
    texts = [" ".join(sentence.tokens) for sentence in generate(200, seed=5, split="test")]
    expected = [TAGGER.tag(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(TAGGER.tag, texts))
        streams = list(pool.map(lambda _: list(TAGGER.stream(texts, chunk=16)), range(4)))
    assert found == expected
    assert all(stream == streams[0] for stream in streams)
    assert [sentence.tags("ner") for sentence in streams[0]] == [sentence.tags("ner") for sentence in expected]


def tags_alike(tagger: Tagger, other: Tagger) -> bool:
    """Whether both give the same tags, with scores that are equal but for rounding."""
    one, two = (t.tag("Ada came to Paris .") for t in (tagger, other))
    return one.tags("ner") == two.tags("ner") and one.tag_scores("ner") == pytest.approx(two.tag_scores("ner"))


def copies_of(tagger: Tagger) -> list[Tagger]:
    return [pickle.loads(pickle.dumps(tagger)), copy.deepcopy(tagger)]


def test_a_tagger_without_a_folder_is_pickled_with_its_weights() -> None:
    assert TAGGER.model.source is None
    for found in copies_of(TAGGER):
        assert tags_alike(found, TAGGER)
        assert found.model.source is None
    assert pickle.loads(pickle.dumps(torch_tagger(TAGGER.model, cache=False))).backend._cache is None


def test_a_deep_copy_has_weights_of_its_own() -> None:
    found = copy.deepcopy(TAGGER)
    with torch.no_grad():
        found.network.words.weight += 1
    assert not torch.equal(found.network.words.weight, TAGGER.network.words.weight)


def test_pickling_keeps_the_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model(TAGGER.model, tmp_path, card="")
    monkeypatch.setattr(torch_backend, "check_bfloat16", lambda device: None)
    loaded = load(tmp_path, precision="bfloat16")
    for tagger in (loaded, torch_tagger(replace(loaded.model, source=None))):
        for found in copies_of(tagger):
            assert found.network.encoder.dtype == torch.bfloat16
            assert tags_alike(found, loaded)


def test_calls_leave_no_trace() -> None:
    first = TAGGER.tag("Ada came to Paris .")
    before = {name: value.clone() for name, value in TAGGER.network.state_dict().items()}
    list(TAGGER.stream(["something else entirely", "and more"] * 20))
    assert TAGGER.tag("Ada came to Paris .") == first
    assert all(torch.equal(value, before[name]) for name, value in TAGGER.network.state_dict().items())


def test_fifty_thousand_tokens_are_one_sentence() -> None:
    words = [word for sentence in generate(200, seed=6, split="test") for word in sentence.tokens]
    tokens = (words * (50_000 // len(words) + 1))[:50_000]
    started = time.process_time()
    sentence = TAGGER.tag_tokens(tokens)
    assert time.process_time() - started < 60
    assert len(sentence.tags("ner")) == len(sentence.tag_scores("upos")) == 50_000
    scores = np.array(sentence.tag_scores("ner"))
    assert np.isfinite(scores).all()
    assert sum(sentence.label("sentiment").attention) == pytest.approx(1, abs=1e-3)


def test_a_word_of_five_thousand_characters_is_tagged_beside_others() -> None:
    sentence = TAGGER.tag_tokens(["a", "x" * 5000, "b"])
    assert len(sentence.tags("upos")) == 3


def test_evaluate_equals_scoring_by_hand() -> None:
    gold = list(generate(50, seed=7, split="test"))
    predicted = list(TAGGER.predict(gold))
    tags = [
        (g, p)
        for one, two in zip(gold, predicted, strict=True)
        for g, p in zip(one.tags("upos"), two.tags("upos"), strict=True)
    ]
    spans = [(set(one.boundaries("ner")), set(two.boundaries("ner"))) for one, two in zip(gold, predicted, strict=True)]
    correct, total = sum(len(g & p) for g, p in spans), sum(len(g) + len(p) for g, p in spans)
    report = TAGGER.evaluate(gold)
    assert report.headline("upos") == sum(g == p for g, p in tags) / len(tags)
    assert report.headline("ner") == pytest.approx(2 * correct / total)


def test_files_are_scored_as_the_training_files_were_read(tmp_path: Path) -> None:
    path = tmp_path / "gold.conll"
    path.write_text("Ada B-PER\nran O\n\nParis B-LOC\n")
    report = evaluate_files(TAGGER, [path])
    assert report.to_dict()["scores"]["ner"]["gold_entities"] == 2
    assert report.to_dict()["files"] == [str(path)]
    path.write_text("S-PER Ada\nO ran\n\nS-LOC Paris\n")  # the places of mistakes name the file
    again = evaluate_files(TAGGER, [path], columns=["ner", "token"], scheme="bioes")
    assert again.to_dict()["scores"] == report.to_dict()["scores"]


def test_lines_stay_side_by_side_with_blank_ones() -> None:
    found = list(tag_lines(TAGGER, [b"Ada ran.\n", b"\n", "Köln\n".encode()]))
    assert [document.text for document in found] == ["Ada ran.", "", "Köln"]
    assert [len(document) for document in found] == [3, 0, 1]
    assert found[1].sentences == ()


def test_lines_of_columns_are_read_by_the_columns_of_training() -> None:
    found = list(tag_lines(TAGGER, [b"Ada X\n", b"ran X\n", b"\n", b"Paris X\n"], format="conll"))
    assert [document.tokens for document in found] == [("Ada", "ran"), ("Paris",)]
    assert all(set(document.sentences[0].layers) == set(HEADS) for document in found)


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "tpu", ""])
def test_a_device_that_is_not_there_has_its_sentence(device: str) -> None:
    if device.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError) as caught:
        check_device(device)
    assert str(caught.value) == f'device "{device}" is not available on this machine; use "cpu" (or "cuda" with a GPU)'


def test_load_checks_the_device_and_gives_a_tagger(tmp_path: Path) -> None:
    save_model(TAGGER.model, tmp_path / "m", card="")
    assert load(tmp_path / "m").layers == ("ner", "upos", "sentiment")
    with pytest.raises(ModelError, match='device "tpu" is not available'):
        load(tmp_path / "m", device="tpu")


def test_description_counts_what_the_model_has_and_quotes_its_scores(tmp_path: Path) -> None:
    save_model(TAGGER.model, tmp_path / "model", card="")
    assert "scores" not in describe_model(tmp_path)
    (tmp_path / "report.json").write_text('{"scores": {"ner": {"f1": 0.5, "types": {}}}}')
    found = describe_model(tmp_path)
    assert found["scores"] == describe_model(tmp_path / "model")["scores"] == {"ner": {"f1": 0.5}}
    network = TAGGER.network
    assert found["layers"]["sentiment"]["labels"] == list(TAGGER.model.vocabulary.labels["sentiment"])
    assert found["words"] == len(TAGGER.model.vocabulary.words)
    assert found["trained_parameters"] == sum(value.numel() for value in network.state_dict().values()) - (
        network.words.frozen.numel()
    )


def test_an_exported_model_is_described_as_the_one_that_it_was(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from tagger.export.folder import export_onnx

    save_model(TAGGER.model, tmp_path / "m", card="")
    export_onnx(tmp_path / "m", tmp_path / "exported")
    before, after = describe_model(tmp_path / "m"), describe_model(tmp_path / "exported")
    ran, runs = before.pop("backends"), after.pop("backends")
    assert before == after
    assert [name for name in ran if (ran[name] == "yes") != (runs[name] == "yes")] == ["torch", "numpy", "onnx"]


def test_bfloat16_changes_probabilities_a_little_and_only_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(TAGGER.model, tmp_path, card="")
    monkeypatch.setattr(torch_backend, "check_bfloat16", lambda device: None)
    rounded, whole = load(tmp_path, precision="bfloat16"), load(tmp_path)
    assert rounded.network.encoder.dtype == torch.bfloat16
    first, second = (t.tag_tokens(["Ada", "lives", "in", "Oslo"]).tag_scores("ner") for t in (rounded, whole))
    assert first == pytest.approx(second, abs=0.02)
    assert first != second
    monkeypatch.undo()
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    with pytest.raises(ModelError) as caught:
        load(tmp_path, precision="bfloat16")
    assert str(caught.value) == 'precision "bfloat16" is not available on the device "cpu"; use "float32"'


START = """
import sys
import tagger.tagging
ours = {name for name in sys.modules if name.partition(".")[0] == "tagger"}
assert len(ours) <= 60, (len(ours), sorted(ours))
other = {"files", "formats", "hub", "corpus", "doctor", "conversion", "nn", "metrics", "training", "running", "plots"}
assert not [name for name in ours if name.split(".")[1:2] and name.split(".")[1] in other], sorted(ours)
assert "torch" not in sys.modules
"""
TAG = """
import sys
from tagger.tagging import load
assert load(sys.argv[1]).tag("Ada doesn't live in Oslo.").tokens[1:3] == ("does", "n't")
assert "torch._dynamo" not in sys.modules  # would cost as much time as torch itself
"""
BLOCKED = """
import sys
blocked = {"datasets", "pyarrow", "pandas", "scipy", "sklearn", "seqeval", "matplotlib", "jinja2"}
blocked |= {"thinc", "srsly", "catalogue", "confection", "weasel", "wasabi", "cymem", "preshed", "murmurhash", "blis"}

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked or name.startswith("spacy."):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Finder())
"""


def run_program(*parts: str, arguments: list[str] = [], text: str = "") -> str:  # noqa: B006
    command = [sys.executable, "-c", "".join(parts), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_tagger_loads_no_torch_and_little_of_the_library() -> None:
    run_program(START)


def test_tagging_works_without_libraries_that_it_does_not_need(tmp_path: Path) -> None:
    save_model(TAGGER.model, tmp_path, card="")
    run_program(BLOCKED, TAG, arguments=[str(tmp_path)])
    command = "from tagger.cli import main\nmain()"
    out = run_program(BLOCKED, command, arguments=["tag", str(tmp_path)], text="Ada doesn't live in Oslo.\n")
    assert out.startswith("Ada doesn't live in Oslo.\n")
