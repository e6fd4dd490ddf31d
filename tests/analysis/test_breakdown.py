import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored_layers import class_layer, entity_layer, token_layer

from tagger.analysis.breakdown import breakdown
from tagger.analysis.groups import by_document, by_entity_length, by_seen, by_sentence_length, by_words
from tagger.analysis.knowledge import TrainKnowledge
from tagger.metrics.entity_layer import EntityLayer
from tagger.text.sentence import Unaligned

TAGS = ("O", *(f"{prefix}-{name}" for prefix, name in product("BI", ("PER", "LOC"))))
PAIRS = st.lists(st.tuples(st.sampled_from((*TAGS, "?")), st.sampled_from(TAGS)), min_size=1, max_size=10)
TRAIN = TrainKnowledge({"Ada", "Paris"}, {"ner": {"Ada": frozenset({"PER"}), "Paris": frozenset({"PER"})}}, {"London"})


def cities() -> EntityLayer:
    """Two right entities of four gold and three predicted ones: a type is wrong, and one is missed."""
    return entity_layer(
        ("B-PER O B-LOC", "B-PER O B-LOC"),
        ("B-PER O B-LOC", "O O B-PER"),
        tokens=["Ada in London", "Ada in Paris"],
    )


@given(st.lists(PAIRS, min_size=1, max_size=4))
def test_groups_of_each_kind_sum_to_the_counts_of_the_layer(sentences: list[list[tuple[str, str]]]) -> None:
    layer = entity_layer(
        *[(" ".join(gold for gold, _ in pairs), " ".join(found for _, found in pairs)) for pairs in sentences],
        unaligned=[Unaligned("PER", 0, 1)],
        predicted_unaligned=[Unaligned("PER", 0, 1), Unaligned("LOC", 1, 2)],
    )
    train = TrainKnowledge({"w0"}, {"ner": {"w0": frozenset({"PER"}), "w1": frozenset({"LOC"})}}, {"w1"})
    total = layer.counts.sum(0).tolist()
    for groups in (by_seen(layer, train), by_words(layer, train), by_entity_length(layer), by_sentence_length(layer)):
        assert sum(group.counts.sum(0) for group in groups.values()).tolist() == total  # type: ignore[union-attr]


def test_entities_are_grouped_by_what_train_says_of_their_text() -> None:
    data = breakdown(cities(), TRAIN).data["seen"]
    rates = {name: (group["precision"], group["recall"], group["gold"]) for name, group in data.items()}
    assert rates == {
        "seen in train": (0.5, 0.5, 2),  # `Ada` was found once of two times, and `Paris` wrongly taken for a PER
        "seen with another type": (None, 0.0, 1),
        "unseen": (1.0, 1.0, 1),
    }


def test_entities_are_grouped_by_their_least_known_word() -> None:
    data = breakdown(cities(), TRAIN).data["words"]
    assert {name: group["gold"] for name, group in data.items()} == {"in train": 3, "only in vectors": 1, "unknown": 0}
    without = breakdown(cities(), replace(TRAIN, vectors=None)).data["words"]
    assert {name: group["gold"] for name, group in without.items()} == {"in train": 3, "not in train": 1}


def test_tokens_are_grouped_by_their_word_and_unknown_gold_counts_nowhere() -> None:
    layer = token_layer(("A ? B", "A A A"), ("A", "B"), tokens=["Ada London x", "London"])
    data = breakdown(layer, TRAIN).data["words"]
    assert {name: (group["accuracy"], group["total"]) for name, group in data.items()} == {
        "in train": (1.0, 1),
        "only in vectors": (0.0, 1),
        "unknown": (0.0, 1),
    }


def test_without_train_a_section_says_what_it_needs() -> None:
    section = breakdown(cities())
    assert section.note.endswith(
        " is undefined (-). Words and entities seen in train: name the training files with --train FILE."
    )
    assert "seen" not in section.data
    assert section.brief == ("words and entities seen in train: name the training files with --train FILE",)
    assert breakdown(class_layer(("a", "b"))).brief == ()
    other = breakdown(cities(), replace(TRAIN, entities={}))
    assert other.brief[-1] == "entities seen in train: the training files have no entities of `ner`"
    assert "seen" not in other.data


def test_metadata_and_documents_make_groups_and_a_missing_key_is_said() -> None:
    layer = cities()
    gold = [replace(s, meta={"source": name}, document=name) for s, name in zip(layer.gold, "ab", strict=True)]
    section = breakdown(replace(layer, gold=tuple(gold)), TRAIN, by=("source", "genre"))
    assert [section.data[key]["a"]["f1"] for key in ("document", "meta.source")] == [1.0, 1.0]
    assert section.brief[2] == "F1 by source: a 1.0000 of 2, b 0.0000 of 2"
    assert section.brief[3] == "no sentence has the metadata key `genre`; the keys of these sentences: `source`"
    assert by_document(layer) == {}


def test_of_many_documents_those_with_the_most_mistakes_are_in_the_table() -> None:
    layer = class_layer(*(("a", "b") if i == 27 else ("a", "a") for i in range(30)))
    named = replace(layer, gold=tuple([replace(s, document=f"d{i}") for i, s in enumerate(layer.gold)]))
    section = breakdown(named)
    table = next(table for table in section.tables if table.title.startswith("documents"))
    assert (len(table.rows), table.rows[0]) == (20, ("d27", 0.0, 0, 1))
    assert len(section.data["document"]) == 30


def test_lengths_are_in_groups_and_groups_with_nothing_are_undefined() -> None:
    data = breakdown(entity_layer(("B-PER I-PER " + "O " * 9, "B-PER I-PER " + "O " * 9))).data
    assert {name for name, group in data["entity_length"].items() if group["f1"] is not None} == {"2 tokens"}
    assert {name for name, group in data["sentence_length"].items() if group["gold"]} == {"11-20 tokens"}
    assert list(data["entity_length"]) == ["1 token", "2 tokens", "3 tokens", "4 tokens or more"]
    assert data["entity_length"]["1 token"] == {
        "precision": None, "recall": None, "f1": None, "correct": 0, "predicted": 0, "gold": 0, "interval": None,
    }  # fmt: skip


@pytest.mark.parametrize("layer", [entity_layer(), entity_layer(("O", "O")), token_layer(), class_layer()])
def test_layers_without_anything_to_score_have_a_section(layer: EntityLayer) -> None:
    section = breakdown(layer, TRAIN, by=("source",))
    json.dumps(section.data)
    assert "nothing to score" in section.brief[0] or section.brief[0].startswith("no sentence has")


def test_intervals_are_over_documents_if_these_are_given() -> None:
    layer = entity_layer(*[("B-PER O", "B-PER O"), ("O B-PER", "O O")] * 20)
    alone, one = breakdown(layer), breakdown(layer, units=[0] * 40)
    low, high = alone.data["sentence_length"]["1-10 tokens"]["interval"]
    assert 0.3 < low < 2 / 3 < high < 0.9
    assert one.data["sentence_length"]["1-10 tokens"]["interval"] is None
