import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored_layers import entity_layer

from tagger.analysis.mistakes import KINDS, entity_errors, find_mistakes
from tagger.text.sentence import Unaligned

TAGS = ("O", *(f"{prefix}-{name}" for prefix, name in product("BI", ("PER", "LOC"))))
PAIRS = st.lists(st.tuples(st.sampled_from((*TAGS, "?")), st.sampled_from(TAGS)), min_size=1, max_size=10)


def sentence_of(pairs: list[tuple[str, str]]) -> tuple[str, str]:
    return " ".join(gold for gold, _ in pairs), " ".join(predicted for _, predicted in pairs)


@given(st.lists(PAIRS.map(sentence_of), max_size=4), st.lists(st.booleans(), max_size=3))
def test_counts_add_up_to_the_counts_of_the_scores(sentences: list[tuple[str, str]], inside: list[bool]) -> None:
    unaligned = [Unaligned("PER", 0, 1 + whole) for whole in inside] if sentences else []
    layer = entity_layer(*sentences, unaligned=unaligned)
    data = entity_errors(layer).data
    correct, predicted, gold = layer.counts.sum(0).tolist()
    assert (data["right"], data["predicted"], data["gold"]) == (correct, predicted, gold)
    assert gold == correct + sum(kind["gold"] for kind in data["kinds"].values())
    assert predicted == correct + sum(kind["predicted"] for kind in data["kinds"].values())
    for counts in data["types"].values():
        assert counts["gold"] == counts["right"] + sum(counts[kind] for kind in KINDS if kind != "invented")
    assert sum(counts["right"] for counts in data["types"].values()) == correct
    assert len(data["list"]) == sum(kind["mistakes"] for kind in data["kinds"].values())


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", []),
        ("B-PER I-PER O", "O O O", ["missed"]),
        ("O O O", "O B-PER O", ["invented"]),
        ("B-PER I-PER O", "B-LOC I-LOC O", ["wrong type"]),
        ("B-PER I-PER O", "B-PER O O", ["wrong boundary"]),
        ("B-PER I-PER O", "B-LOC O O", ["both wrong"]),
        ("B-PER I-PER I-PER", "B-PER O B-LOC", ["split"]),
        ("B-PER I-PER B-PER", "B-PER I-PER I-PER", ["merged"]),
        ("B-PER O O", "O B-PER O", ["missed", "invented"]),
        ("? B-PER I-PER", "B-PER B-PER O", ["wrong boundary"]),
    ],
)
def test_kinds_of_mistakes(gold: str, predicted: str, kinds: list[str]) -> None:
    assert [mistake.kind for mistake in find_mistakes(entity_layer((gold, predicted)))] == kinds


def test_the_surest_mistakes_come_first_and_missed_ones_count_by_the_tags_at_their_tokens() -> None:
    layer = entity_layer(
        ("B-PER I-PER O", "O O B-LOC"),
        ("O B-PER O", "B-PER O O"),
        probabilities=[[0.7], [0.5]],
        tag_scores=[[0.9, 0.6, 0.8], [0.6, 0.95, 0.9]],
    )
    found = [(mistake.kind, mistake.probability) for mistake in find_mistakes(layer)]
    assert found == [("missed", 0.95), ("invented", 0.7), ("missed", 0.6), ("invented", 0.5)]


def test_mistakes_without_probabilities_are_in_the_order_of_the_file() -> None:
    layer = entity_layer(("B-PER O", "O B-PER"), ("B-LOC", "B-PER"))
    section = entity_errors(layer)
    assert [mistake.probability for mistake in find_mistakes(layer)] == [None] * 3
    assert [entry["place"] for entry in section.data["list"]] == ["gold.conll:1", "gold.conll:2", "gold.conll:11"]
    assert "surest" not in section.note


def test_a_mistake_is_listed_with_its_place_and_context() -> None:
    text = "a b c d e f g h i Ada Lovelace of London j"
    gold, predicted = "O " * 9 + "B-PER I-PER I-PER I-PER O", "O " * 9 + "B-PER I-PER O B-LOC O"
    section = entity_errors(entity_layer((gold, predicted), tokens=[text], probabilities=[[0.25, 0.75]]))
    (entry,) = section.data["list"]
    assert entry == {
        "kind": "split",
        "place": "gold.conll:10",
        "left": "b c d e f g h i ",
        "text": "Ada Lovelace of London",
        "right": " j",
        "gold": [{"type": "PER", "text": "Ada Lovelace of London", "start": 0, "end": 22}],
        "predicted": [
            {"type": "PER", "text": "Ada Lovelace", "start": 0, "end": 12},
            {"type": "LOC", "text": "London", "start": 16, "end": 22},
        ],
        "probability": 0.75,
    }
    assert section.brief[1] == (
        "gold.conll:10: b c d e f g h i [Ada Lovelace of London] j "
        "(split: gold PER, predicted PER 'Ada Lovelace' + LOC 'London', 0.7500)"
    )
    json.dumps(section.data)


def test_entities_that_tokens_cannot_express_are_listed_as_missed_unless_they_were_found() -> None:
    layer = entity_layer(("O B-LOC", "B-PER B-LOC"), unaligned=[Unaligned("PER", 0, 1), Unaligned("PER", 0, 2)])
    (mistake,) = find_mistakes(layer)  # `w0` was predicted, `w` cannot be
    assert (mistake.kind, mistake.gold) == ("missed", (Unaligned("PER", 0, 1),))


@pytest.mark.parametrize("sentences", [[], [("", "")], [("O", "O")]])
def test_without_entities_nothing_is_right_or_wrong(sentences: list[tuple[str, str]]) -> None:
    section = entity_errors(entity_layer(*sentences))
    assert section.brief == ("no entities in gold or prediction",)
    assert section.data["list"] == []
