"""Copies of sentences with other mentions: what is replaced, what stays, and that tags and offsets are valid."""

from collections import defaultdict
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.config import TrainingConfig
from tagger.corpus.augmentation import copies_with_other_mentions, copies_with_other_tokens, with_copies
from tagger.text.schemes import Boundary, Scheme, invalid_positions, merge_touching, spans_to_tags
from tagger.text.sentence import Label, Sentence, TagLayer, Unaligned

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


def copies(sentences: list[Sentence], probability: float = 0.5, seed: int = 1) -> list[Sentence]:
    return copies_with_other_mentions(sentences, "ner", probability=probability, rng=np.random.default_rng(seed))


def make_sentence(text: str, scheme: Scheme = "iob2") -> Sentence:
    words, tags = zip(*(word.rsplit("/", 1) for word in text.split()), strict=True)
    return Sentence.from_tokens(words, {"ner": TagLayer(tags, scheme, scheme)})


@st.composite
def corpora(draw: st.DrawFn) -> list[Sentence]:
    """Sentences of random words with random entities of two types, in one scheme. Words outside are in lower case."""
    scheme = draw(st.sampled_from(SCHEMES))
    sentences = []
    for pieces in draw(
        st.lists(st.lists(st.tuples(st.sampled_from(["", "PER", "LOC"]), st.integers(1, 3)), min_size=1), max_size=6)
    ):
        tokens: list[str] = []
        spans: list[Boundary] = []
        for kind, length in pieces:
            start = len(tokens)
            tokens += draw(st.lists(st.sampled_from("ABC" if kind else "abc"), min_size=length, max_size=length))
            if kind:
                spans.append(Boundary(kind, start, len(tokens)))
        spans = merge_touching(spans) if scheme == "io" else spans
        layer = TagLayer(tuple(spans_to_tags(spans, len(tokens), scheme)), scheme, scheme)
        sentences.append(Sentence.from_tokens(tokens, {"ner": layer}))
    return sentences


def mentions_of(sentences: list[Sentence]) -> dict[str, set[tuple[str, ...]]]:
    found: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for sentence in sentences:
        for kind, start, end in sentence.boundaries("ner"):
            found[kind].add(sentence.tokens[start:end])
    return found


def outside(sentence: Sentence) -> list[str]:
    """The words outside entities, and the type of each entity in its place."""
    return [f"<{tag[2:]}>" if tag[0] in "BSU" else tag for tag in _with_words(sentence) if tag[0] not in "IEL"]


def _with_words(sentence: Sentence) -> list[str]:
    tags = spans_to_tags(sentence.boundaries("ner"), len(sentence), "iob2")
    return [f"O{word}" if tag == "O" else tag for word, tag in zip(sentence.tokens, tags, strict=True)]


@given(corpora(), st.floats(0, 1), st.integers(0, 9))
def test_mentions_are_replaced_by_others_of_their_type_and_nothing_else_changes(
    sentences: list[Sentence], probability: float, seed: int
) -> None:
    known = mentions_of(sentences)
    remaining = iter(sentences)
    for copy in copies(sentences, probability, seed):
        assert any(outside(original) == outside(copy) for original in remaining)  # in the order of the originals
        layer = copy.tag_layer("ner")
        assert invalid_positions(layer.tags, layer.scheme) == []
        assert [copy.text[start:end] for start, end in copy.offsets] == list(copy.tokens)
        for kind, found in mentions_of([copy]).items():
            assert found <= known[kind]


@given(corpora(), st.integers(0, 9))
def test_a_sentence_has_a_copy_where_a_mention_can_be_replaced(sentences: list[Sentence], seed: int) -> None:
    known = mentions_of(sentences)
    replaceable = [
        sentence for sentence in sentences if any(len(known[span.type]) > 1 for span in sentence.boundaries("ner"))
    ]
    found = copies(sentences, 1.0, seed)
    assert len(found) == len(replaceable)
    for sentence, copy in zip(replaceable, found, strict=True):
        pairs = zip(sentence.boundaries("ner"), copy.boundaries("ner"), strict=True)
        for old, new in pairs:
            same = sentence.tokens[old.start : old.end] == copy.tokens[new.start : new.end]
            assert same == (len(known[old.type]) == 1)
    assert copies(sentences, 0.0, seed) == []


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_each_mention_is_replaced_with_the_probability_that_is_given(probability: float) -> None:
    found = copies([make_sentence(f"w{i}/B-PER ran/O") for i in range(2000)], probability)
    assert len(found) / 2000 == pytest.approx(probability, abs=0.04)  # more than three standard deviations


def test_a_mention_is_drawn_as_often_as_it_occurs() -> None:
    sentences = [make_sentence(f"{word}/B-PER") for word in ["Ada"] * 900 + ["Bo"] * 300 + ["Cy"] * 600]
    drawn = [copy.tokens[0] for copy in copies(sentences, 1.0)[:900]]  # in the place of Ada
    assert drawn.count("Cy") / 900 == pytest.approx(2 / 3, abs=0.05)
    assert drawn.count("Ada") == 0


def test_a_mention_that_is_most_of_its_type_is_replaced_at_once() -> None:
    sentences = [make_sentence("[NAME]/B-PER")] * 20_000 + [make_sentence("Bo/B-PER"), make_sentence("Cy/B-PER")] * 3
    drawn = [copy.tokens[0] for copy in copies(sentences, 0.9)]
    assert 0.4 < drawn.count("Bo") / drawn.count("Cy") < 2.5
    assert drawn.count("[NAME]") <= 6


def test_labels_stay_and_other_tags_go() -> None:
    first, second = make_sentence("Ada/B-PER Lovelace/I-PER ran/O"), make_sentence("Bo/B-PER")
    layers = {**first.layers, "upos": TagLayer(("PROPN", "PROPN", "VERB")), "mood": Label("glad")}
    full = Sentence.from_tokens(first.tokens, layers, document="d", meta={"id": "1"})
    copy, _ = copies([full, second], 1.0)
    assert copy == Sentence.from_tokens(
        ["Bo", "ran"], {"mood": Label("glad"), "ner": TagLayer(("B-PER", "O"), "iob2", "iob2")}
    )


def test_sentences_whose_entities_are_not_all_known_are_neither_copied_nor_drawn_from() -> None:
    gap = Sentence.from_tokens(["Cy", "x"], {"ner": TagLayer(("B-PER", None), "iob2", "iob2")})
    cut = Sentence.from_tokens(
        ["Di"], {"ner": TagLayer(("B-PER",), "iob2", "iob2", unaligned=(Unaligned("PER", 0, 1),))}
    )
    plain = Sentence.from_tokens(["Ed"], {"ner": TagLayer(("B-PER",))})
    other = Sentence.from_tokens(["Flo"], {"mood": Label("glad")})
    found = copies([gap, cut, plain, other, make_sentence("Ada/B-PER"), make_sentence("Bo/B-PER")], 1.0)
    assert [copy.tokens for copy in found] == [("Bo",), ("Ada",)]


def test_what_a_corpus_annotates_stays_with_the_copy() -> None:
    layer = TagLayer(("B-PER",), "iob2", "iob2", types=("PER",))
    found = copies([Sentence.from_tokens([word], {"ner": layer}) for word in ("Ada", "Bo")], 1.0)
    assert [copy.tag_layer("ner").types for copy in found] == [("PER",)] * 2


def test_equal_seeds_give_equal_copies() -> None:
    sentences = [make_sentence(f"w{i}/B-PER ran/O") for i in range(50)]
    assert copies(sentences, seed=3) == copies(sentences, seed=3) != copies(sentences, seed=4)


def test_copies_stay_with_their_corpus_and_have_no_mentions_of_another() -> None:
    parts = [[make_sentence(f"{name}/B-PER") for name in names] for names in (["Ada", "Bo"], ["Cy"], ["Di", "Ed"])]
    found, count = with_copies(parts, ["ner", "missing"], TrainingConfig(mention_replacement=0.999), seed=1)
    assert [[sentence.text for sentence in part] for part in found] == [
        ["Ada", "Bo", "Bo", "Ada"],
        ["Cy"],
        ["Di", "Ed", "Ed", "Di"],
    ]
    assert count == 4


def token_copies(sentences: list[Sentence], probability: float = 0.5, seed: int = 1) -> list[Sentence]:
    return copies_with_other_tokens(sentences, "ner", probability=probability, rng=np.random.default_rng(seed))


@given(corpora(), st.floats(0, 1), st.integers(0, 9))
def test_tokens_are_replaced_by_others_with_their_tag_and_tags_stay(
    sentences: list[Sentence], probability: float, seed: int
) -> None:
    def pairs(sentence: Sentence) -> set[tuple[str, str | None]]:
        return set(zip(sentence.tokens, sentence.tags("ner", scheme="iob2"), strict=True))

    known = set().union(*map(pairs, sentences))
    remaining = iter(sentences)
    for copy in token_copies(sentences, probability, seed):
        original = next(s for s in remaining if s.tags("ner") == copy.tags("ner") and len(s) == len(copy))
        assert pairs(copy) <= known
        assert copy.tag_layer("ner").scheme == original.tag_layer("ner").scheme
        assert [copy.text[start:end] for start, end in copy.offsets] == list(copy.tokens)


def test_each_token_is_replaced_with_the_probability_that_is_given() -> None:
    sentences = [make_sentence(f"w{i}/O v{i}/B-PER") for i in range(2000)]
    found = token_copies(sentences, 0.3)
    assert len(found) / 2000 == pytest.approx(1 - 0.7**2, abs=0.04)
    assert {copy.tokens[0][0] + copy.tokens[1][0] for copy in found} == {"wv"}


def test_other_tokens_do_not_depend_on_the_scheme_of_the_file() -> None:
    found = []
    for scheme in ("iob1", "iob2", "bioes", "bilou"):
        tagged = []
        for names in (["Ada"], ["Bo"], ["Maria", "Rossi"], ["Eve"]) * 5:
            words = ["so", *names]
            tags = spans_to_tags([Boundary("PER", 1, len(words))], len(words), scheme)
            tagged.append(Sentence.from_tokens(words, {"ner": TagLayer(tuple(tags), scheme, scheme)}))
        found.append([copy.tokens for copy in token_copies(tagged)])
    assert found.count(found[0]) == 4


def test_sentences_without_known_entities_have_no_copies_with_other_tokens() -> None:
    gap = Sentence.from_tokens(["Cy", "x"], {"ner": TagLayer(("B-PER", None), "iob2", "iob2")})
    plain = Sentence.from_tokens(["Ed"], {"ner": TagLayer(("B-PER",))})
    found = token_copies([gap, plain, make_sentence("Ada/B-PER"), make_sentence("Bo/B-PER")] * 20, 0.999)
    assert {copy.tokens for copy in found} == {("Ada",), ("Bo",)}


def test_both_kinds_of_copies_are_added_and_labels_stay_with_them() -> None:
    sentences = [make_sentence(f"{name}/B-PER ran{name}/O") for name in ("Ada", "Bo", "Cy")]
    labelled = [Sentence.from_tokens(s.tokens, {**s.layers, "mood": Label("glad")}) for s in sentences]
    config = TrainingConfig(mention_replacement=0.999, token_replacement=0.999, perturbation={"upper": 0.999})
    (found,), count = with_copies([labelled], ["ner"], config, seed=1)
    assert count == len(found) - 3 > 3
    assert all(copy.label("mood").value == "glad" for copy in found)
    assert with_copies([labelled], ["ner"], TrainingConfig(), seed=1) == ([labelled], 0)
