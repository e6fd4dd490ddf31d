"""A model splits raw text as its corpora were split."""

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from small_runs import Notes

import tagger
from tagger.encoding.packed import pack
from tagger.errors import DataError
from tagger.running.fitting.splitting import has_characters, has_symbols, text_rules_of
from tagger.running.scoring import evaluate_files
from tagger.text.sentence import Sentence
from tagger.text.tokenization import TextRules

SMALL: dict[str, Any] = {
    "embeddings": {"dimension": 4, "char_dimension": 4, "char_hidden": 4},
    "encoder": {"hidden_size": 4},
    "heads": {"ner": {"kind": "tokens"}},
    "training": {"epochs": 1},
}
SPANS = [
    {"text": "米拉哈拉搬到沃尼克城了。", "label": [[0, 4, "PER"], [6, 10, "LOC"]]},
    {"text": "托宾在南湖边唱歌。", "label": [[0, 2, "PER"], [3, 6, "LOC"]]},
]


def by_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def trained(output: Path | None = None, **values: Any) -> tuple[tagger.Run, list[str]]:
    """A run of a small recipe, and its notes."""
    settings = {key: values.pop(key) for key in ("tokenize",) if key in values}
    listener = Notes()
    recipe = tagger.Recipe.model_validate({**SMALL, **values})
    return tagger.train(recipe, output=output, listener=listener, **settings), listener.said


def test_entities_of_a_script_without_blanks_are_learned_in_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "zh.jsonl", SPANS * 5)
    trained(tmp_path / "run", data={"format": "jsonl", "train": [path], "dev": [path], "tokenize": "characters"})
    model = tagger.load(tmp_path / "run")
    assert model.tag(SPANS[0]["text"]).tokens == tuple(SPANS[0]["text"])
    assert "tokenizer" in (facts := tagger.describe_model(tmp_path / "run"))
    assert (facts["tokenizer"], facts["splitting"]["tokenize"]) == ("characters", "characters")


def test_columns_of_characters_make_a_model_of_characters(tmp_path: Path) -> None:
    lines = "\n".join("".join(f"{char}\tO\n" for char in row["text"][:-1]) + "。\tB-X\n" for row in SPANS * 5)
    (tmp_path / "zh.tsv").write_text(lines)
    path = str(tmp_path / "zh.tsv")
    columns = {"format": "conll", "columns": ["token", "ner"], "train": [path], "dev": [path]}
    run, notes = trained(data=columns)
    assert run.tagger.tag(SPANS[1]["text"]).tokens == tuple(SPANS[1]["text"])
    assert 'the train tokens are single characters, so the model splits raw text with tokenize = "characters"' in notes
    assert evaluate_files(run.tagger, [path]).extra["tokens"] == sum(len(row["text"]) for row in SPANS * 5)


@pytest.mark.parametrize(
    ("words", "expected"), [("米 拉 a", True), ("米拉 哈", False), ("a b c 米", False), ("a b", False)]
)
def test_only_tokens_that_are_mostly_single_characters_count(words: str, expected: bool) -> None:
    assert has_characters(pack([Sentence.from_tokens(words.split())])) is expected


@pytest.mark.parametrize(("words", "expected"), [("A C g *", True), ("A CG", False), ("0 1 2", False)])
def test_symbols_are_single_characters_with_letters_among_them(words: str, expected: bool) -> None:
    assert has_symbols(pack([Sentence.from_tokens(words.split())])) is expected


def test_columns_of_symbols_make_a_model_of_symbols(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("<>\nM\tO\nK\tB-X\n<>\nA\tO\n" * 5)
    path = str(tmp_path / "a.tsv")
    files = {"format": "conll", "columns": ["token", "ner"], "train": [path], "dev": [path], "boundary": "<>"}
    run, notes = trained(data=files)
    sentence = run.tagger.tag("MK A")
    assert sentence.tokens == ("M", "K", "A")
    assert sentence == run.tagger.tag_symbols("MK A")
    assert run.tagger.tag_symbols(" ").tokens == ()
    assert 'the train tokens are single characters, so the model splits raw text with tokenize = "symbols"' in notes
    assert len(run.tagger.tag_document("MK\nA").sentences) == 2
    assert evaluate_files(run.tagger, [path]).extra["tokens"] == 15
    words = tagger.Tagger(run.tagger.backend).tag_tokens(["M", "K", "A"])
    assert words.layers == sentence.layers


def test_corpora_that_are_split_differently_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"text": "Ada sah z.B. Oslo.", "label": [[0, 3, "PER"]]}] * 5)
    files = {"format": "jsonl", "train": [path], "dev": [path]}
    run, notes = trained(corpora={"a": files, "b": {**files, "language": "de"}})
    assert run.tagger.model.text_rules.language == "de"
    (note,) = [n for n in notes if "splits raw text" in n]
    assert re.sub(r"\(.*\)", "(…)", note) == "the model splits raw text as corpus `b` does (…), unlike corpus `a`"


@pytest.mark.parametrize(
    ("tokens", "texts", "note"),
    [
        ({}, {}, ""),
        ({}, {"language": "de"}, ""),  # the tokens of columns were not split by the default rules
        ({}, {"tokenize": "characters"}, ""),
        ({}, {"tokenize": "blanks"}, "by the default rules (…), unlike corpus `b`"),
        ({"language": "de"}, {}, "as corpus `a` does (…), unlike corpus `b`"),
        ({"language": "da"}, {"language": "de"}, "as corpus `a` does (…), unlike corpus `b`"),
    ],
)
def test_a_corpus_of_tokens_is_split_differently_only_if_it_sets_keys(
    tokens: dict[str, Any], texts: dict[str, Any], note: str
) -> None:
    notes: list[str] = []
    given = {"a": TextRules(**tokens), "b": TextRules(**texts)}
    text_rules_of(given, pack([Sentence.from_tokens(["Ada"])]), notes.append, tokenized={"a"})
    found = [re.sub(r"\(.*?\)", "(…)", each) for each in notes]
    assert found == ([f"the model splits raw text {note}"] if note else [])


def test_a_function_splits_in_training_and_is_asked_for_again(tmp_path: Path) -> None:
    rows = [{"text": "Ada Byron, of, New Oslo", "label": [[0, 9, "PER"], [15, 23, "LOC"]]}] * 5
    path = write(tmp_path / "a.jsonl", rows)
    files: dict[str, Any] = {"format": "jsonl", "train": [path], "dev": [path]}
    assert tagger.load_corpus(**files, tokenize=by_commas).train[0].tokens == ("Ada Byron", "of", "New Oslo")
    run, _ = trained(tmp_path / "run", data=files, tokenize=by_commas)
    for model in (
        run.tagger,
        pickle.loads(pickle.dumps(run.tagger)),
        tagger.load(tmp_path / "run", tokenize=by_commas),
    ):
        assert model.tag("a b, c").tokens == ("a b", "c")
        assert evaluate_files(model, [path]).extra["tokens"] == 15
    corpus = tagger.load_corpus(**files, tokenize=by_commas)
    recipe = tagger.Recipe.model_validate(SMALL)
    for run in (tagger.train(recipe, corpus=corpus), tagger.train(recipe, corpus=corpus, tokenize=str.split)):
        name = "split" if run.tagger.tag("a b, c").tokens == ("a", "b,", "c") else "by_commas"
        assert run.tagger.model.text_rules.function_name.endswith(name)
    loaded = tagger.load(tmp_path / "run")
    assert loaded.tag_tokens(["a", "b"]).tokens == ("a", "b")
    with pytest.raises(DataError, match=r"raw text must be split by the function .*by_commas, as in training"):
        loaded.tag("a b, c")
    assert tagger.describe_model(tmp_path / "run")["tokenizer"].endswith("by_commas")


@pytest.mark.parametrize(
    "settings", [{}, {"language": "de"}, {"tokenize": "blanks"}, {"segment": "none"}, {"segment": "lines"}]
)
def test_files_are_scored_with_the_tokens_and_sentences_of_tag_document(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    texts = ["Ada sah z.B. Oslo. Er kam\nmit Router Z.", "Ada kam. Bob auch!"]
    path = write(tmp_path / "a.jsonl", [{"text": text, "label": [[0, 3, "PER"]]} for text in texts] * 5)
    run, _ = trained(data={"format": "jsonl", "train": [path], "dev": [path], **settings})
    found = [sentence.tokens for text in texts * 5 for sentence in run.tagger.tag_document(text).sentences]
    corpus = tagger.load_corpus(train=[path], format="jsonl", **settings)
    assert [sentence.tokens for sentence in corpus.train] == found
    report = evaluate_files(run.tagger, [path])
    assert report.extra["tokens"] == sum(map(len, found))
    split = [sentence.tokens for text in texts for sentence in TextRules(**settings).split(text)]
    assert split == found[: len(split)]
    changed = evaluate_files(run.tagger, [path], tokenize="characters", segment="none")
    assert changed.extra["tokens"] == 5 * sum(len(TextRules("characters").tokens(text)) for text in texts)
