"""The headline of a layer, which is computed fast from counts, against the scores of the report."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, TokenLayer
from tagger.text.schemes import RULES, Scheme, repair_tags
from tagger.text.sentence import Label, Sentence, TagLayer

Tags = list[list[str]]


def pairs_of(tags: list[str]) -> st.SearchStrategy[tuple[Tags, Tags]]:
    """Gold and predicted tags of some sentences, often equal."""
    pair = st.tuples(st.sampled_from(tags), st.sampled_from(tags)) | st.sampled_from([(tag, tag) for tag in tags])
    sentences = st.lists(st.lists(pair, min_size=1, max_size=8), min_size=1, max_size=6)
    return sentences.map(lambda found: tuple([[[pair[i] for pair in each] for each in found] for i in (0, 1)]))


def tagged(sentences: Tags, scheme: Scheme | None) -> tuple[Sentence, ...]:
    return tuple([Sentence.from_tokens(["w"] * len(tags), {"x": TagLayer(tuple(tags), scheme)}) for tags in sentences])


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes", "bilou"])
def test_the_headline_of_entities_is_strict_f1_on_any_tags_but_invalid_iob1(scheme: Scheme) -> None:
    tags = ["O", *(f"{prefix}-{name}" for prefix, name in product(RULES[scheme].prefixes, ("PER", "LOC")))]

    @settings(deadline=None, max_examples=200)
    @given(pairs_of(tags))
    def check(pair: tuple[Tags, Tags]) -> None:
        if scheme == "iob1":
            pair = tuple([[repair_tags(tags, scheme) for tags in side] for side in pair])  # type: ignore[assignment]
        layer = EntityLayer("x", tagged(pair[0], scheme), tagged(pair[1], scheme), scheme)
        assert layer.headline == pytest.approx(layer.scores.headline, abs=1e-12)

    check()


@settings(deadline=None)
@given(pairs_of(["A", "B", "C"]))
def test_the_headline_of_tags_and_labels_is_their_accuracy(pair: tuple[Tags, Tags]) -> None:
    tags = TokenLayer("x", tagged(pair[0], None), tagged(pair[1], None))
    assert tags.headline == pytest.approx(tags.scores.headline)
    labels = [tuple([Sentence.from_tokens(["w"], {"x": Label(each[0])}) for each in side]) for side in pair]
    classes = ClassLayer("x", *labels)
    assert classes.headline == pytest.approx(classes.scores.headline)


def test_without_entities_the_headline_is_zero_and_both_sides_have_as_many_sentences() -> None:
    assert EntityLayer("x", (), (), "iob2").headline == 0.0
    with pytest.raises(ValueError, match="the same number of sentences, got 1 and 0"):
        EntityLayer("x", tagged([["O"]], "iob2"), (), "iob2")
