"""The raw text of CoNLL-U: what MISC, ranges and empty nodes say comes back, to the character, wherever it goes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers import parse_conllu, parse_jsonl

import tagger
from tagger.conversion.convert import convert
from tagger.conversion.options import Conversion
from tagger.formats.jsonl import sentence_to_json
from tagger.tagging import Tagger, tag_lines
from tagger.text.sentence import Sentence

GAPS = {"": "SpaceAfter=No", " ": "_", "  ": r"SpacesAfter=\s\s", "\t": r"SpacesAfter=\t", "\n": r"SpacesAfter=\n"}
WORD = st.text("ab.é😀ಠ'", min_size=1, max_size=4)
SMALL = """
data = {format = "synthetic", sentences = 20}
embeddings = {dimension = 4, char_dimension = 4, char_hidden = 4}
encoder = {hidden_size = 4}
heads = {ner = {kind = "tokens"}}
training = {epochs = 1}
"""
Unit = tuple[str, list[str], str, bool]  # surface, its words, the gap behind it, whether an empty node follows


@st.composite
def units(draw: st.DrawFn) -> list[Unit]:
    """The pieces of a sentence: words, and ranges of words that their surface does or does not spell."""
    made = []
    for _ in range(draw(st.integers(1, 5))):
        words = draw(st.lists(WORD, min_size=1, max_size=3))
        surface = "".join(words) if len(words) == 1 or draw(st.booleans()) else draw(WORD)
        made.append((surface, words, draw(st.sampled_from(list(GAPS))), draw(st.booleans())))
    return made


def conllu_of(sentence: list[Unit]) -> str:
    """The lines that say these pieces."""
    lines, number = [], 0
    for surface, words, gap, empty in sentence:
        misc = GAPS[gap]
        if len(words) > 1:
            lines.append(f"{number + 1}-{number + len(words)}\t{surface}" + "\t_" * 7 + f"\t{misc}")
        for word in words:
            number += 1
            lines.append(f"{number}\t{word}\t_\tX" + "\t_" * 5 + f"\t{misc if len(words) == 1 else '_'}")
        if empty:
            lines.append(f"{number}.1\tghost" + "\t_" * 8)
    return "\n".join(lines) + "\n\n"


def place_of(sentence: list[Unit]) -> tuple[str, list[tuple[int, int]]]:
    """The text and the offsets of the words, counted here for themselves."""
    text, offsets = "", []
    for i, (surface, words, gap, _) in enumerate(sentence):
        start = len(text)
        for k, word in enumerate(words):
            before = sum(map(len, words[:k]))
            spelt = "".join(words) == surface
            offsets.append((start + before, start + before + len(word)) if spelt else (start, start + len(surface)))
        text += surface + (gap if i + 1 < len(sentence) else "")
    return text, offsets


def converted(text: str, to: str, **options: object) -> str:
    parts: list[bytes] = []
    lines = text.encode().splitlines(keepends=True)
    convert(lambda: iter(lines), parts.append, Conversion(to=to, **options), where="f")  # type: ignore[arg-type]
    return b"".join(parts).decode()


def places(sentences: list[Sentence]) -> list[tuple[str, list[tuple[int, int]], tuple[str, ...]]]:
    return [(s.text, list(s.offsets), s.tokens) for s in sentences]


@given(st.lists(units(), min_size=1, max_size=3))
def test_text_and_offsets_come_back_through_reading_json_lines_and_conllu(made: list[list[Unit]]) -> None:
    file = "".join(map(conllu_of, made))
    wanted = [(*place_of(sentence), tuple(w for unit in sentence for w in unit[1])) for sentence in made]
    assert places(parse_conllu(file.split("\n"), where="f")) == wanted
    for drop in (("ranges",), ("ranges", "misc")):  # without MISC, text and offsets alone tell what stood in it
        there = converted(file, "jsonl", format="conllu", drop=drop)
        assert places(parse_jsonl(there.split("\n"), where="f")) == wanted
        back = converted(there, "conllu", format="jsonl")
        assert places(parse_conllu(back.split("\n"), where="f")) == wanted
        assert [json.loads(line)["text"] for line in there.split("\n")[:-1]] == [text for text, _, _ in wanted]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    path = tmp_path_factory.mktemp("small") / "small.toml"
    path.write_text(SMALL)
    return tagger.train(path).tagger


@settings(max_examples=6, deadline=None)
@given(made=st.lists(units(), min_size=1, max_size=20))
def test_text_and_offsets_come_back_through_tagging(made: list[list[Unit]], model: Tagger) -> None:
    sentences = parse_conllu("".join(map(conllu_of, made)).split("\n"), where="f")
    wanted = places(sentences)
    assert places(list(model.predict(sentences))) == wanted
    lines = [json.dumps(sentence_to_json(sentence)) for sentence in sentences]
    documents = tag_lines(model, (line.encode() for line in lines), format="jsonl")
    tagged = [sentence for document in documents for sentence in document.sentences]
    assert places(tagged) == wanted
    assert places(parse_jsonl([json.dumps(sentence_to_json(s)) for s in tagged], where="f")) == wanted
