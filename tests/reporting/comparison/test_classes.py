from scored_layers import entity_layer

from tagger.reporting.comparison.classes import class_counts
from tagger.text.sentence import Unaligned


def test_counts_of_types_sum_to_the_counts_of_the_layer_also_for_entities_that_tokens_cannot_express() -> None:
    layer = entity_layer(
        ("B-PER O B-LOC ?", "B-PER O B-PER B-LOC"),
        ("O O B-LOC", "B-LOC O B-LOC"),
        unaligned=[Unaligned("PER", 0, 1), Unaligned("LOC", 3, 4)],
        predicted_unaligned=[Unaligned("PER", 0, 1), Unaligned("LOC", 1, 2)],
    )
    assert sum(class_counts(layer).values()).tolist() == layer.counts.tolist() == [[2, 3, 3], [1, 2, 1]]  # type: ignore[union-attr]
