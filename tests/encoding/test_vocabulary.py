"""What a model knows by name comes from train, and words also from the vectors."""

from dataclasses import replace

import numpy as np
import pytest

from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vectors, Vocabulary, build_vocabulary
from tagger.errors import DataError
from tagger.text.schemes import RULES, Scheme
from tagger.text.sentence import Label, Sentence, TagLayer


def make_sentence(words: str, **layers: TagLayer | Label) -> Sentence:
    return Sentence.from_tokens(words.split(), layers)


def make_vectors(*words: str) -> Vectors:
    return Vectors(words, np.arange(len(words), dtype=np.float16)[:, None])


TRAIN = [
    make_sentence("the cat", ner=TagLayer(("O", "B-ANIMAL"), "iob2")),
    make_sentence("the Dog7", ner=TagLayer(("O", "O"), "iob2"), mood=Label("good")),
    make_sentence("zzz zzz", mood=Label("bad")),
]


def test_words_that_occur_twice_and_all_characters_of_train_are_known() -> None:
    vocabulary = build_vocabulary(pack(TRAIN), layers={})
    assert list(vocabulary.words) == ["the", "zzz"]
    assert list(vocabulary.chars) == sorted(set("thecatDog7z"))
    assert vocabulary.num_trainable == 3
    assert [vocabulary.word_id(word) for word in ("the", "zzz", "THE", "cat", "new")] == [1, 2, 1, 0, 0]


@pytest.mark.parametrize(("min_count", "words"), [(1, ["Dog7", "cat", "the", "zzz"]), (2, ["the", "zzz"]), (3, [])])
@pytest.mark.parametrize("vectors", [None, make_vectors("unseen")])
def test_words_must_occur_a_number_of_times(min_count: int, words: list[str], vectors: Vectors | None) -> None:
    found = build_vocabulary(pack(TRAIN), layers={}, vectors=vectors, tune=True, min_count=min_count)
    assert list(found.words) == [*words, *(vectors.words if vectors else ())]
    assert found.num_trainable == 1 + len(words)


def test_characters_have_ids_behind_separator_and_unknown() -> None:
    vocabulary = Vocabulary([], ["a", "b"], {}, num_trainable=1)
    assert vocabulary.char_ids(["ab?", "a"]).tolist() == [2, 3, 1, 2]
    assert vocabulary.char_ids([""]).tolist() == [1]  # a network has no answer for a word without characters
    assert vocabulary.char_ids(["\U0001f600\ud800b", "c"]).tolist() == [1, 1, 3, 1]  # far above the known ones, or none
    assert replace(vocabulary, chars=[]).char_ids(["ab", ""]).tolist() == [1, 1, 1]
    assert vocabulary.word_ids(["a", "", "A"]).tolist() == [vocabulary.word_id(word) for word in ("a", "", "A")]


def test_words_of_the_vectors_are_known_and_frozen() -> None:
    vocabulary = build_vocabulary(pack(TRAIN), layers={}, vectors=make_vectors("unseen", "cat", "dog0"))
    assert list(vocabulary.words) == ["unseen", "cat", "dog0"]
    assert vocabulary.num_trainable == 1
    assert [vocabulary.word_id(word) for word in ("unseen", "Cat", "Dog7", "the")] == [1, 2, 3, 0]


def test_tuned_words_of_train_stand_first_and_the_others_stay_frozen() -> None:
    vocabulary = build_vocabulary(
        pack(TRAIN), layers={}, vectors=make_vectors("unseen", "cat", "other", "dog0"), tune=True
    )
    # of train: cat and dog0 (the spelling under which Dog7 is found) have vectors; the and zzz occur twice without one
    assert list(vocabulary.words) == ["cat", "dog0", "the", "zzz", "unseen", "other"]
    assert vocabulary.num_trainable == 1 + 4
    trainable = {word for word in ("cat", "Dog7", "the", "zzz") if vocabulary.word_id(word) < vocabulary.num_trainable}
    assert trainable == {"cat", "Dog7", "the", "zzz"}
    assert vocabulary.word_id("unseen") >= vocabulary.num_trainable


@pytest.mark.parametrize("scheme", list(RULES))
def test_every_prefix_of_every_type_of_train_is_a_tag(scheme: Scheme) -> None:
    train = [make_sentence("a b", ner=TagLayer(("B-LOC", "O"))), make_sentence("c", ner=TagLayer(("B-art-x",)))]
    tags = build_vocabulary(pack(train), layers={"ner": scheme}).labels["ner"]
    assert tags[0] == "O"
    assert set(tags) == {"O"} | {f"{prefix}-{name}" for prefix in RULES[scheme].prefixes for name in ("LOC", "art-x")}
    assert len(tags) == 1 + 2 * len(RULES[scheme].prefixes)


def test_layer_without_entities_has_only_o() -> None:
    assert build_vocabulary(pack([make_sentence("a", ner=TagLayer(("O",)))]), layers={"ner": "bioes"}).labels[
        "ner"
    ] == ["O"]


def test_classes_and_plain_tags_are_those_of_train_in_order() -> None:
    train = [*TRAIN, make_sentence("a b", upos=TagLayer(("VERB", "ADJ")))]
    labels = build_vocabulary(pack(train), layers={"mood": None, "upos": None}).labels
    assert labels == {"mood": ["bad", "good"], "upos": ["ADJ", "VERB"]}


def test_layer_that_train_lacks_is_reported_those_it_has() -> None:
    with pytest.raises(DataError) as caught:
        build_vocabulary(pack(TRAIN), layers={"intent": None})
    assert str(caught.value) == "no train sentence has the layer `intent`; they have mood, ner"


def test_sentences_may_come_from_a_generator() -> None:
    assert build_vocabulary(pack(iter(TRAIN)), layers={"mood": None}).labels["mood"] == ["bad", "good"]


def test_order_of_sentences_is_no_matter() -> None:
    layers: dict[str, Scheme | None] = {"ner": "bioes", "mood": None}
    assert build_vocabulary(pack(TRAIN), layers=layers) == build_vocabulary(pack(TRAIN[::-1]), layers=layers)
