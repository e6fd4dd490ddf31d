"""Gold tags that are not fully known, as ids of sets in the arrays and as tables in batches."""

import numpy as np

from tagger.encoding.batches import encode
from tagger.encoding.packed import Packed, pack
from tagger.encoding.vocabulary import Vocabulary, label_names
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, TagLayer


def make_sentence(*tags: str | None, scheme: Scheme | None = "iob2", types: tuple[str, ...] | None = None) -> Sentence:
    return Sentence.from_tokens(["w"] * len(tags), {"ner": TagLayer(tags, scheme, scheme, types=types)})


def possible(packed: Packed, names: list[str], scheme: Scheme | None) -> list[set[str]]:
    """The possible tags of each token; none where the sentence has no tags."""
    ids, table = packed.targets("ner", {name: i for i, name in enumerate(names)}, scheme)
    table = np.vstack([np.eye(len(names), dtype=bool), np.zeros((1, len(names)), bool)]) if table is None else table
    return [{names[i] for i in np.flatnonzero(row)} for row in table[ids]]


def test_unknown_tag_may_be_any_and_its_neighbours_are_spelled_in_each_way_that_it_allows() -> None:
    packed = pack([make_sentence("B-X", None, "O", "B-X", "I-X")])
    names = label_names(packed, "ner", "bioes")
    assert possible(packed, names, "bioes") == [{"B-X", "S-X"}, set(names), {"O"}, {"B-X"}, {"E-X"}]
    assert possible(packed, label_names(packed, "ner", "iob2"), "iob2")[0] == {"B-X"}


def test_outside_tag_of_a_corpus_with_some_types_may_be_any_tag_of_the_other_types() -> None:
    packed = pack([make_sentence("B-X", "O", types=("X",)), make_sentence("B-Y", "O", types=("X", "Y"))])
    names = label_names(packed, "ner", "iob2")
    assert names == ["O", "B-X", "I-X", "B-Y", "I-Y"]
    assert possible(packed, names, "iob2") == [{"B-X"}, {"O", "B-Y", "I-Y"}, {"B-Y"}, {"O"}]
    assert packed.layers["ner"].counts() == {"O": 2, "B-X": 1, "B-Y": 1}


def test_known_tags_have_no_sets_and_a_sentence_without_any_known_tag_has_no_layer() -> None:
    packed = pack([make_sentence("B-X", "O"), make_sentence(None, None)])
    ids, table = packed.targets("ner", {"O": 0, "B-X": 1}, "iob2")
    assert ids.tolist() == [1, 0, -1, -1]
    assert table is None


def test_tags_without_spans_may_be_unknown() -> None:
    packed = pack([make_sentence("NOUN", None, scheme=None)])
    assert possible(packed, ["ADJ", "NOUN"], None) == [{"NOUN"}, {"ADJ", "NOUN"}]


def test_only_a_batch_with_unknown_tags_is_a_table() -> None:
    packed = pack([make_sentence("B-X", "O"), make_sentence("B-X", None, "O"), make_sentence(None)])
    names = label_names(packed, "ner", "iob2")
    encoded = encode(packed, Vocabulary(["w"], ["w"], {"ner": names}, 2), {"ner": "iob2"})
    assert encoded.batch(np.array([0])).targets["ner"].tolist() == [[1, 0]]
    table = encoded.batch(np.array([0, 1, 2])).targets["ner"]
    assert table.dtype == bool
    assert table.sum(2).tolist() == [[1, 1, 0], [1, 3, 1], [0, 0, 0]]
