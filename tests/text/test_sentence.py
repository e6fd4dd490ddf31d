"""A sentence returns its layers as spans, tags and labels; an error lists the layers that it has."""

from dataclasses import FrozenInstanceError

import pytest

from tagger.errors import DataError
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Origin, Sentence, Span, TagLayer

TOKENS = ("Ada", "Lovelace", "saw", "London")
NER = TagLayer(
    ("B-PER", "E-PER", "O", "S-LOC"),
    scheme="bioes",
    shown="iob2",
    scored_spans=((Boundary("PER", 0, 2), 0.5), (Boundary("LOC", 3, 4), 0.25)),
)


def make_sentence(**layers: TagLayer | Label) -> Sentence:
    return Sentence.from_tokens(TOKENS, layers)


def error_of(sentence: Sentence, layer: str, kind: str = "tags") -> str:
    with pytest.raises(DataError) as caught:
        getattr(sentence, kind)(layer)
    return str(caught.value)


def test_text_of_tokens_is_joined_by_one_blank_and_offsets_count_in_it() -> None:
    sentence = make_sentence()
    assert sentence.text == "Ada Lovelace saw London"
    assert [sentence.text[start:end] for start, end in sentence.offsets] == list(TOKENS)
    assert len(sentence) == 4


def test_offsets_count_code_points() -> None:
    sentence = Sentence.from_tokens(["👍🏽", "naïve", "e\u0301"])
    assert [sentence.text[start:end] for start, end in sentence.offsets] == ["👍🏽", "naïve", "e\u0301"]


def test_spans_have_tokens_characters_and_scores() -> None:
    assert make_sentence(ner=NER).spans("ner") == (
        Span("PER", 0, 2, 0, 12, 0.5),
        Span("LOC", 3, 4, 17, 23, 0.25),
    )
    gold = make_sentence(ner=TagLayer(("O", "O", "O", "B-LOC"), "iob2"))
    assert gold.spans("ner") == (Span("LOC", 3, 4, 17, 23, None),)


def test_tags_are_in_the_scheme_of_the_files_or_in_the_given_one() -> None:
    sentence = make_sentence(ner=NER)
    assert sentence.tags("ner") == ("B-PER", "I-PER", "O", "B-LOC")
    assert sentence.tags("ner", scheme="bilou") == ("B-PER", "L-PER", "O", "U-LOC")
    assert sentence.tags("ner", scheme="bioes") == NER.tags


def test_invalid_tags_in_their_own_scheme_are_unchanged() -> None:
    tags = ("I-X", "O", "O", "O")
    assert make_sentence(ner=TagLayer(tags, "iob2", "iob2")).tags("ner", scheme="iob2") == tags


def test_tags_without_spans_ignore_the_scheme() -> None:
    sentence = make_sentence(upos=TagLayer(("PROPN", "PROPN", "VERB", "PROPN"), scores=(1.0, 0.5, 0.25, 1.0)))
    assert sentence.tags("upos", scheme="bioes") == ("PROPN", "PROPN", "VERB", "PROPN")
    assert sentence.tag_scores("upos") == (1.0, 0.5, 0.25, 1.0)


def test_error_of_a_missing_layer_lists_the_layers() -> None:
    sentence = make_sentence(ner=NER, upos=TagLayer(("A",) * 4), mood=Label("good"))
    assert error_of(sentence, "nre") == "the sentence has no tag layer `nre`; its tag layers are: `ner`, `upos`"
    assert error_of(sentence, "mood", "spans") == (
        "the sentence has no tag layer `mood`; its tag layers are: `ner`, `upos`"
    )
    assert error_of(sentence, "ner", "label") == "the sentence has no label layer `ner`; its label layers are: `mood`"
    assert error_of(make_sentence(), "ner") == "the sentence has no tag layer `ner`; its tag layers are: none"
    assert error_of(sentence, "upos", "spans") == "layer `upos` has tags without spans; use tags('upos')"
    assert sentence.label("mood").value == "good"


def test_error_says_where_the_sentence_was_read() -> None:
    sentence = Sentence.from_tokens(TOKENS, origin=Origin("a.conll", range(7, 11)))
    assert error_of(sentence, "ner").startswith("a.conll:7: the sentence has no tag layer `ner`")


def test_origin_knows_the_line_of_each_token_or_the_line_of_all() -> None:
    assert Origin("a", range(3, 6)).at(2) == "a:5"
    assert Origin("a", (9,)).at(4) == "a:9"


def test_sentence_is_frozen_and_equal_wherever_it_was_read() -> None:
    sentence = make_sentence(ner=NER)
    with pytest.raises(FrozenInstanceError):
        sentence.text = "x"  # type: ignore[misc]
    assert sentence == Sentence.from_tokens(TOKENS, {"ner": NER}, origin=Origin("a", (1,)))
    assert sentence != make_sentence()


@pytest.mark.parametrize("words", [2, 2000])
def test_sharing_changes_no_value_and_makes_equal_words_one_object(words: int) -> None:
    def made() -> Sentence:
        tokens = ["".join(["wo", "rd"]) for _ in range(words)]
        return Sentence.from_tokens(tokens, {"ner": TagLayer(tuple(tokens)), "x": Label("y")}, meta={"a": "b"})

    same: dict[object, object] = {}
    first, second = made().sharing(same), made().sharing(same)
    assert first == second == made()
    assert first.tokens[0] is second.tokens[-1] is second.tags("ner")[0]
    assert (first.offsets[1] is second.offsets[1]) == (words == 2)


def test_an_unknown_tag_is_none() -> None:
    assert Sentence.from_tokens(["Ada", "sings"], {"ner": ["B-PER", None]}).tags("ner") == ("B-PER", None)


def test_label_among_some_classes_has_their_conditional_probabilities() -> None:
    label = Label("neutral", 0.5, {"bad": 0.2, "neutral": 0.5, "good": 0.3})
    found = label.among(("good", "bad", "odd"))
    assert (found.value, found.scores) == ("good", pytest.approx({"bad": 0.4, "good": 0.6}))
    assert found.score == pytest.approx(0.6)
    assert label.among(None) is label.among(("odd",)) is label
    assert Label("neutral").among(("good",)) == Label("neutral")
