from collections import Counter
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from scored_layers import class_layer, entity_layer, token_layer

from tagger.analysis.confusion import NOTHING, confused, confusion, confusion_pairs
from tagger.text.sentence import Unaligned

TAGS = ("O", *(f"{prefix}-{name}" for prefix, name in product("BI", ("PER", "LOC"))))
PAIRS = st.lists(st.tuples(st.sampled_from((*TAGS, "?")), st.sampled_from(TAGS)), min_size=1, max_size=10)


@given(st.lists(PAIRS, min_size=1, max_size=4))
def test_rows_sum_to_gold_entities_and_columns_to_predicted_ones(sentences: list[list[tuple[str, str]]]) -> None:
    layer = entity_layer(
        *[(" ".join(gold for gold, _ in pairs), " ".join(found for _, found in pairs)) for pairs in sentences],
        unaligned=[Unaligned("PER", 0, 1), Unaligned("LOC", 0, 2)],
    )
    gold, predicted = Counter[str](), Counter[str]()
    for pair in layer.pairs:
        gold.update(entity.type for entity in (*pair.gold, *(entity for entity, _ in pair.beside)))
        predicted.update(entity.type for entity in (*pair.predicted, *(e for e, found in pair.beside if found)))
    rows, columns = Counter[str](), Counter[str]()
    for (row, column), number in confusion_pairs(layer).items():
        rows[row] += number
        columns[column] += number
    del rows[NOTHING], columns[NOTHING]
    assert (rows, columns) == (gold, predicted)
    assert sum(rows.values()) == layer.counts[:, 2].sum()
    assert sum(columns.values()) == layer.counts[:, 1].sum()


def test_each_entity_is_paired_with_what_it_overlaps_best() -> None:
    layer = entity_layer(
        ("B-PER I-PER I-PER O", "B-LOC I-LOC B-PER O"),
        ("B-PER O B-LOC", "O B-PER O"),
    )
    section = confusion(layer)
    assert section.data == {
        NOTHING: {"PER": 2},
        "LOC": {NOTHING: 1},
        "PER": {NOTHING: 1, "LOC": 1},
    }
    assert section.brief == ("confused, gold → predicted: PER → LOC 1",)
    assert section.tables[1].columns == ("gold \\ predicted", "LOC", "PER", NOTHING)
    assert section.tables[1].rows == (("LOC", 0, 0, 1), ("PER", 1, 0, 1), (NOTHING, 0, 2, 0))


def test_classes_and_tags_have_a_matrix_of_their_values() -> None:
    classes = confusion(class_layer(("yes", "no"), ("no", "no"), ("no", "no")))
    assert classes.data == {"no": {"no": 2}, "yes": {"no": 1}}
    assert classes.tables[1].rows == (("no", 2, 0), ("yes", 1, 0))
    tags = confusion(token_layer(("NOUN ? VERB", "VERB VERB VERB")))
    assert tags.data == {"NOUN": {"VERB": 1}, "VERB": {"VERB": 1}}
    assert tags.brief == ("confused, gold → predicted: NOUN → VERB 1",)


def test_classes_have_the_matrix_of_their_scores() -> None:
    layer = class_layer(("yes", "no"), ("no", "no"), ("no", "maybe"))
    assert confusion(layer).data == layer.scores.confusion


def test_the_most_frequent_pairs_come_first_and_equal_ones_by_name() -> None:
    pairs = Counter({("a", "b"): 1, ("b", "a"): 3, ("a", "a"): 9, ("a", "c"): 1})
    assert confused(pairs) == [("b", "a", 3), ("a", "b", 1), ("a", "c", 1)]


def test_where_nothing_is_confused_the_matrix_is_a_diagonal_or_empty() -> None:
    for layer in (entity_layer(), entity_layer(("O", "O")), token_layer(), class_layer()):
        section = confusion(layer)
        assert (section.data, section.brief, [table.rows for table in section.tables]) == ({}, (), [(), ()])
    assert confusion(entity_layer(("B-PER", "B-PER"))).data == {"PER": {"PER": 1}}
