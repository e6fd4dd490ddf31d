import time
from collections.abc import Callable
from random import Random

import pytest
import seqeval.scheme
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval_schemes import ORACLES, SCHEMES

from tagger.metrics.counting import Rule, SpanSets, find_spans, pack_tags
from tagger.metrics.entities import micro_average
from tagger.text.schemes import (
    Boundary,
    Scheme,
    invalid_positions,
    lenient_spans,
    spans_to_tags,
    tags_of_types,
    tags_to_spans,
)

TYPES = ("PER", "LOC", "work-of-art")
Corpus = list[list[str]]


def corpora(scheme: Scheme) -> st.SearchStrategy[Corpus]:
    """Sentences of any tags of a scheme, most of them not valid in it, and some without tokens."""
    return st.lists(st.lists(st.sampled_from(tags_of_types(TYPES, scheme)), max_size=9), max_size=6)


def by_place(corpus: Corpus, read: Callable[[list[str]], list[Boundary]]) -> dict[str, set[object]]:
    """The entities that a function reads in each sentence, as `SpanSets` of the same places in the corpus."""
    total, first, found = sum(map(len, corpus)) + len(corpus) + 1, 1, []
    for tags in corpus:
        found += [(name, (first + start) * total + first + end - 1) for name, start, end in read(tags)]
        first += len(tags) + 1  # an edge is between two sentences
    return {name: set(places) for name, places in SpanSets.of(found).by_type.items()}


def strict(tags: list[str], scheme: Scheme) -> list[Boundary]:
    entities = seqeval.scheme.Tokens(tags, ORACLES[scheme]).entities
    return [Boundary(entity.tag, entity.start, entity.end) for entity in entities]


def default(tags: list[str]) -> list[Boundary]:
    known = [{"L": "E", "U": "S"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]
    return [Boundary(name, start, end + 1) for name, start, end in get_entities(known)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_entities_are_those_of_seqeval_and_of_reading_one_sentence_at_a_time(scheme: Scheme) -> None:
    @settings(deadline=None, max_examples=300)
    @given(corpora(scheme))
    def check(corpus: Corpus) -> None:
        packed = pack_tags(corpus, TYPES, scheme)
        found = {rule: find_spans(packed, rule).by_type for rule in ("strict", "discarded", "repaired")}
        assert found["strict"] == by_place(corpus, lambda tags: strict(tags, scheme))
        assert found["discarded"] == by_place(corpus, lambda tags: tags_to_spans(tags, scheme))
        assert found["repaired"] == by_place(corpus, lenient_spans) == by_place(corpus, default)
        assert packed.num_invalid() == sum(bool(invalid_positions(tags, scheme)) for tags in corpus)
        assert scheme == "iob1" or found["strict"] == found["discarded"]

    check()


@pytest.mark.parametrize(
    ("tags", "rule", "found"),
    [
        (["B-X", "I-X"], "discarded", []),  # nothing to divide
        (["B-X", "I-X"], "strict", [Boundary("X", 1, 2)]),
        (["I-X", "B-X", "B-Y"], "discarded", [Boundary("X", 0, 1), Boundary("X", 1, 2)]),
        (["I-X", "B-X", "B-Y"], "strict", [Boundary("X", 0, 1)]),
        (["I-X", "B-X", "B-X", "I-X"], "strict", [Boundary("X", 0, 1), Boundary("X", 1, 2), Boundary("X", 2, 4)]),
    ],
)
def test_invalid_iob1_is_read_as_by_seqeval_only_in_the_strict_rule(
    tags: list[str], rule: Rule, found: list[Boundary]
) -> None:
    corpus = [["I-X"], tags, []]
    places = by_place(corpus, lambda each: found if each is tags else [Boundary("X", 0, 1)] * len(each))
    assert find_spans(pack_tags(corpus, ["X", "Y"], "iob1"), rule).by_type == places


@pytest.mark.parametrize("scheme", SCHEMES)
def test_corpora_without_entities_or_sentences_have_none(scheme: Scheme) -> None:
    for corpus in ([], [[]], [["O"], []]):
        packed = pack_tags(corpus, [], scheme)
        assert packed.num_invalid() == 0
        for rule in ("strict", "discarded", "repaired"):
            found = find_spans(packed, rule)
            assert (found.by_type, len(found), found.unique_tags, found.filter("X")) == ({}, 0, set(), set())


def test_many_types_need_no_larger_tables() -> None:
    names = [f"type{i}" for i in range(3000)]
    corpus = [[f"B-{name}", f"E-{name}", f"S-{name}"] for name in names]
    found = find_spans(pack_tags(corpus, names, "bioes"), "strict")
    assert (len(found), found.unique_tags) == (6000, set(names))


def random_corpus(sentences: int) -> tuple[Corpus, Corpus]:
    """Gold and predicted sentences of 22 tokens on average; 1 of 200 predicted tags is changed to `I-PER`."""
    random, sides = Random(1), ([], [])
    for _ in range(sentences):
        length = random.randint(5, 40)
        starts = [i for i in range(0, length - 3, 4) if random.random() < 0.4]
        gold = [Boundary(random.choice(TYPES), i, i + random.randint(1, 3)) for i in starts]
        found = [span for span in gold if random.random() < 0.8]
        sides[0].append(spans_to_tags(gold, length, "iob2"))
        sides[1].append([t if random.random() > 0.005 else "I-PER" for t in spans_to_tags(found, length, "iob2")])
    return sides


@pytest.mark.parametrize("sentences", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_tables_are_at_least_five_times_as_fast_as_seqeval(sentences: int) -> None:
    corpus = random_corpus(sentences)
    seconds: dict[str, list[float]] = {"seqeval": [], "tables": []}
    for _ in range(3):  # in turn, so that other work on the machine slows both
        start = time.perf_counter()
        rules = seqeval.scheme.IOB2
        expected = precision_recall_fscore_support(*corpus, average="micro", scheme=rules, zero_division=0)
        middle = time.perf_counter()
        found = micro_average(*(find_spans(pack_tags(side, TYPES, "iob2"), "strict") for side in corpus))
        seconds["tables"].append(time.perf_counter() - middle)
        seconds["seqeval"].append(middle - start)
        assert (found.precision, found.recall, found.f1) == tuple(map(float, expected[:3]))
    assert min(seconds["seqeval"]) >= 5 * min(seconds["tables"])
