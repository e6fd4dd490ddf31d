"""Predictions on the tokens of gold: what is carried over, what stays beside the tags, and what is said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tagger.alignment.align import aligned
from tagger.alignment.transfer import NO_TOKEN
from tagger.errors import DataError
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Sentence, TagLayer, Unaligned


def sentence(words: str, tags: str | None = None, **more: object) -> Sentence:
    """A sentence of words between blanks, with tags of entities in the layer `ner`."""
    layers = {} if tags is None else {"ner": TagLayer(tuple(tags.split()), "iob2")}
    return replace(Sentence.from_tokens(words.split(), layers), **more)  # type: ignore[arg-type]


def in_text(text: str, words: Sequence[str], layers: Mapping[str, TagLayer | Label] | None = None) -> Sentence:
    """A sentence whose tokens are in a text."""
    offsets, position = [], 0
    for word in words:
        position = text.index(word, position)
        offsets.append((position, position + len(word)))
        position += len(word)
    return Sentence(tuple(words), text, tuple(offsets), layers or {})


def test_sentences_with_the_tokens_of_gold_keep_their_layers_as_they_are() -> None:
    gold = replace(sentence("Ada lives in Oslo"), meta={"id": "1"})
    layer = TagLayer(("I-PER", "O", "O", "E-LOC"), "iob2", scores=(0.9, 0.8, 0.7, 0.6), score=0.5)
    found = aligned([gold], [Sentence.from_tokens(gold.tokens, {"ner": layer, "mood": Label("good", 0.7)})])
    assert found.sentences == (replace(gold, layers={"ner": layer, "mood": Label("good", 0.7)}),)
    assert found.notes == ()


FIT = [  # gold, predicted sentences with tags, the tags on gold, the entities beside them, and a note
    (["a 2-year plan"], [("a 2 - year plan", "O B-N I-N I-N O")], ["O B-N O"], [[]], "other tokens"),
    (["in Oslo ."], [("in Oslo.", "O B-LOC")], ["O B-LOC I-LOC"], [[]], "other tokens"),
    (["in Oslo."], [("in Oslo .", "O B-LOC O")], ["O O"], [[("LOC", 3, 7)]], "1 predicted entity"),
    (["New York", "Yes"], [("New York Yes", "B-LOC I-LOC O")], ["B-LOC I-LOC", "O"], [[], []], "other boundaries"),
    (["New York is"], [("New York", "B-LOC I-LOC"), ("is", "B-X")], ["B-LOC I-LOC B-X"], [[]], "other boundaries"),
    (["in New", "York"], [("in New York", "O B-L I-L")], ["O O", "O"], [[("L", 3, 6)], []], "cannot express"),
    (["a b c"], [("a", "B-X"), ("b c", "I-X O")], ["B-X O O"], [[]], "1 predicted sequence"),
]


@pytest.mark.parametrize(("gold", "predicted", "tags", "beside", "note"), FIT)
def test_entities_keep_their_characters(
    gold: list[str],
    predicted: list[tuple[str, str]],
    tags: list[str],
    beside: list[list[tuple[str, int, int]]],
    note: str,
) -> None:
    found = aligned(list(map(sentence, gold)), [sentence(*each) for each in predicted])
    layers = [each.tag_layer("ner") for each in found.sentences]
    assert [" ".join(map(str, layer.tags)) for layer in layers] == tags
    assert [list(map(tuple, layer.unaligned)) for layer in layers] == beside
    assert [each.tokens for each in found.sentences] == [tuple(words.split()) for words in gold]
    assert note in "\n".join(found.notes)


def test_probabilities_of_entities_go_with_them() -> None:
    spans = ((Boundary("PER", 0, 1), 0.9), (Boundary("LOC", 2, 3), 0.4))
    layer = TagLayer(("B-PER", "O", "B-LOC"), "iob2", scored_spans=spans)
    predicted = in_text("Ada in Oslo-City", ["Ada", "in", "Oslo-City"], {"ner": layer})
    (found,) = aligned([sentence("Ada in Oslo - City")], [predicted]).sentences
    assert found.tag_layer("ner").scored_spans == ((Boundary("PER", 0, 1), 0.9), (Boundary("LOC", 2, 5), 0.4))


def test_an_entity_beside_the_tags_of_a_prediction_gets_the_tags_of_gold_tokens_that_fit() -> None:
    text = "a 2-year plan"
    predicted = in_text(
        text, ["a", "2-year", "plan"], {"ner": TagLayer(("O",) * 3, "iob2", unaligned=(Unaligned("N", 2, 3),))}
    )
    (found,) = aligned([in_text(text, ["a", "2", "-", "year", "plan"])], [predicted]).sentences
    assert found.tags("ner") == ("O", "B-N", "O", "O", "O")
    (same,) = aligned([in_text(text, ["a", "2-year", "plan"])], [predicted]).sentences
    assert same.tag_layer("ner").unaligned == (Unaligned("N", 2, 3),)
    shifted = replace(predicted, text=f"xx{text}", offsets=((2, 3), (4, 10), (11, 15)))
    layers = {"ner": TagLayer(("O",) * 3, "iob2", unaligned=(Unaligned("N", 4, 5),))}
    (moved,) = aligned([sentence("a 2-year plan")], [replace(shifted, layers=layers)]).sentences
    assert moved.tag_layer("ner").unaligned == (Unaligned("N", 2, 3),)


def test_of_two_predicted_entities_on_the_same_tokens_the_second_stays_beside_the_tags() -> None:
    layer = TagLayer(("B-X", "I-X", "O"), "iob2", unaligned=(Unaligned("Y", 2, 3),))
    predicted = in_text("a b c", ["a", "b", "c"], {"ner": layer})
    (found,) = aligned([sentence("a b c")], [predicted]).sentences
    assert found.tag_layer("ner") == layer


def test_an_entity_that_ends_in_a_later_sentence_fits_no_tokens() -> None:
    text = "a b. c d."
    layers = [TagLayer(("O", "O"), "iob2", unaligned=(Unaligned("X", 2, 6),)), TagLayer(("O", "O"), "iob2")]
    parts = [in_text(text, ["a", "b."]), replace(in_text(text, ["c", "d."]))]
    gold = [replace(part, offsets=part.offsets) for part in parts]
    predicted = [replace(part, layers={"ner": layer}) for part, layer in zip(parts, layers, strict=True)]
    found = aligned(gold, predicted)
    assert [each.tags("ner") for each in found.sentences] == [("O", "O"), ("O", "O")]
    assert found.sentences[0].tag_layer("ner").unaligned == (Unaligned("X", 2, 6),)
    (whole,) = aligned([in_text(text, ["a", "b.", "c", "d."])], predicted).sentences
    assert whole.tags("ner") == ("O", "B-X", "I-X", "O")


def test_tags_without_spans_stay_on_tokens_that_both_have() -> None:
    gold = Sentence.from_tokens(["I", "ca", "n't", "go"], {"upos": ["PRON", "AUX", "PART", "VERB"]})
    predicted = Sentence.from_tokens(
        ["I", "can't", "go"], {"upos": TagLayer(("PRON", "AUX", "VERB"), scores=(0.5, 0.6, 0.7))}
    )
    found = aligned([gold], [predicted])
    assert found.sentences[0].tags("upos") == ("PRON", NO_TOKEN, NO_TOKEN, "VERB")
    assert "2 tokens of gold that the prediction does not have" in found.notes[1]
    (parts,) = aligned(
        [gold],
        [
            Sentence.from_tokens(words, {"upos": TagLayer(tuple(words), scores=(0.5, 0.6))})
            for words in (["I", "ca"], ["n't", "go"])
        ],
    ).sentences
    assert parts.tag_layer("upos") == TagLayer(("I", "ca", "n't", "go"), scores=(0.5, 0.6, 0.5, 0.6))


def test_two_tokens_of_one_word_are_aligned_with_the_word_and_with_themselves() -> None:
    gold = Sentence(("vu", "de", "le", "haut"), "vu du haut", ((0, 2), (3, 5), (3, 5), (6, 10)))
    surface, words = sentence("vu du haut", "O B-X B-Y"), sentence("vu de lehaut", "O B-X B-Y")
    assert aligned([gold], [surface]).sentences[0].tags("ner") == ("O", "B-X", "I-X", "B-Y")
    assert aligned([gold], [words]).sentences[0].tags("ner") == ("O", "B-X", "B-Y", "I-Y")


def test_a_label_needs_the_sentence_of_gold() -> None:
    gold = [Sentence.from_tokens(["good", "film", "."], {"mood": Label("good")})]
    (found,) = aligned(gold, [Sentence.from_tokens(["good", "film."], {"mood": Label("bad", 0.6)})]).sentences
    assert found.label("mood") == Label("bad", 0.6)
    halves = [Sentence.from_tokens([word], {"mood": Label("bad")}) for word in ("good", "film.")]
    with pytest.raises(DataError, match=r"layer `mood` has one label per sentence, .* got 1 sentence in gold and 2 at"):
        aligned(gold, halves)


def test_documents_in_another_order_are_matched_by_name() -> None:
    gold = [sentence("a b", document="1"), sentence("c", document="1"), sentence("d", document="2")]
    predicted = [sentence("d", "B-X", record={"id": "2"}), sentence("a b c", "O O B-Y", record={"id": "1"})]
    found = aligned(gold, predicted)
    assert [each.tags("ner") for each in found.sentences] == [("O", "O"), ("B-Y",), ("B-X",)]
    assert found.notes[0] == "the documents of the prediction are in another order and were matched by name"
    in_order = [replace(each, record={"id": str(i)}) for i, each in enumerate(reversed(predicted))]
    assert aligned(gold, in_order).notes == found.notes[1:]


def test_white_space_and_blank_tokens_make_no_difference() -> None:
    gold = Sentence.from_tokens(["a", "\u3000", "b c"])
    (found,) = aligned([gold], [sentence("a b c", "B-X I-X I-X")]).sentences
    assert found.tags("ner") == ("B-X", "I-X", "I-X")
    blank = Sentence.from_tokens(["\u3000"])
    assert len(aligned([gold, blank], [sentence("a b c", "O O O"), replace(blank, layers={})]).sentences) == 2


DIFFERENT = [  # gold and predicted sentences, between bars, and parts of the message
    ("the big dog", "the dog", "sentence 1: gold and prediction must have the same text, got 'big' in 'the big dog' "),
    (
        "the big dog",
        "the dog",
        " in gold and 'dog' in 'the dog' at sentence 1 in the prediction; the prediction lacks ",
    ),
    ("the dog", "the big dog", "gold lacks this word of the prediction"),
    ("the dog is", "the dogs is", "got 'dog' in 'the dog is' in gold and 'dogs' in 'the dogs is'"),
    ("the dogs is", "the dog is", "got 'dogs' in 'the dogs is' in gold and 'dog' in 'the dog is'"),
    ("caf\u00e9 now", "cafe\u0301 now", "they differ only in Unicode normalisation; write both files in one form"),
    ("Ada now", "\ufeffAda now", "'\\ufeffAda' in "),
    ("Ada now", "\ufeffAda now", "they differ only in invisible characters, such as a byte order mark; remove these"),
    ("Ada now", "ada now", "they differ only in case"),
    ("a b|c d|e f", "a b|e f", "sentence 2: "),
    ("a b|c d|e f", "a b|e f", "; the prediction lacks this sentence of gold; tag it too"),
    ("a|b|b|c", "a|b|c", "sentence 3: gold and prediction must have the same text, got 'b' in gold"),
    ("a|b|b|c", "a|b|c", "; the prediction lacks this sentence of gold; tag it too"),
    ("a b|c d|e f", "c d|a b|e f", "; both files have the two sentences, in another order; write the prediction in"),
    ("a b|c d|e f", "c d|e f|a b", "; both files have the two sentences, in another order; write the prediction in"),
    ("a b|e f", "a b|c d|e f", "gold lacks this sentence of the prediction; remove it"),
    (
        "a|c d|e",
        "a",
        "got 2 sentences of gold from 'c' in 'c d' on where the prediction has ended (3 sentences in gold",
    ),
    ("a", "a|c d", "got 1 sentence of the prediction from 'c' in 'c d' on where gold has ended"),
    ("a b", "x y", "got 'a' in 'a b' in gold and 'x' in 'x y' at sentence 1 in the prediction; tag the sentences of"),
    ("a", "a|\u3000", "got 1 sentence in gold and 2 in the prediction; remove the blank ones"),
]


@pytest.mark.parametrize(("gold", "predicted", "message"), DIFFERENT)
def test_the_first_difference_is_named_with_its_neighbours(gold: str, predicted: str, message: str) -> None:
    ours, theirs = ([Sentence.from_tokens(part.split(" ")) for part in each.split("|")] for each in (gold, predicted))
    with pytest.raises(DataError, match=re.escape(message)) as error:
        aligned(ours, theirs)
    assert "\n" not in str(error.value)


def test_a_document_that_one_file_lacks_is_named() -> None:
    gold = [sentence("a b", document="x"), sentence("c d", document="y"), sentence("e f", document="z")]
    with pytest.raises(DataError, match=r"tag it too \(the prediction lacks the document 'y'\)"):
        aligned(gold, [gold[0], gold[2]])
