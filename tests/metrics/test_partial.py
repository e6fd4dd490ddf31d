from collections.abc import Iterator
from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.metrics.entities import score_entities
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.partial import ALL, MEASURES, Match, overlapping, paired, partial, score_partial
from tagger.text.schemes import Boundary, spans_to_tags
from tagger.text.sentence import Sentence, TagLayer, Unaligned

TYPES = ("PER", "LOC", "ORG")
LENGTH = 9


@st.composite
def entities(draw: st.DrawFn) -> tuple[Boundary, ...]:
    """Entities that do not overlap, as tags express them."""
    cuts = sorted(draw(st.sets(st.integers(0, LENGTH))))
    spans = [Boundary(draw(st.sampled_from(TYPES)), start, end) for start, end in pairwise(cuts)]
    return tuple([span for span in spans if draw(st.booleans())])


def pairings(gold: tuple[Boundary, ...], predicted: tuple[Boundary, ...]) -> Iterator[list[tuple[Boundary, Boundary]]]:
    """All ways to pair entities that share a token, one to one."""
    for size in range(min(len(gold), len(predicted)) + 1):
        for left in combinations(gold, size):
            for right in permutations(predicted, size):
                pairs = list(zip(left, right, strict=True))
                if all(g.start < p.end and p.start < g.end for g, p in pairs):
                    yield pairs


def points(pairs: list[tuple[Boundary, Boundary]], measure: str) -> float:
    outcomes = [Match(g.type, p.type, g[1:] == p[1:]).outcome(measure) for g, p in pairs]
    return outcomes.count("correct") + outcomes.count("partial") / 2


def make_layer(sentences: list[tuple[tuple[Boundary, ...], tuple[Boundary, ...]]], length: int) -> EntityLayer:
    sides = [
        tuple(
            Sentence.from_tokens(["w"] * length, {"ner": TagLayer(tuple(spans_to_tags(spans, length, "iob2")), "iob2")})
            for spans in side
        )
        for side in zip(*sentences, strict=True)
    ]
    return EntityLayer("ner", sides[0], sides[1], "iob2")


def test_worked_example_has_the_figures_that_are_published() -> None:
    # The example of SemEval-2013 task 9 as nervaluate's README (github.com/MantisAI/nervaluate) and D. Batista, "Named
    # Entity Evaluation" (2018) work it out: two entities right, one missed, one invented, one of a wrong type, one with
    # a wrong boundary, one with both wrong.
    warfarin, wide = Boundary("DRUG", 1, 2), Boundary("DRUG", 0, 2)
    sentences = [
        ((Boundary("BRAND", 0, 1),), ()),  # tikosyn
        ((), (Boundary("BRAND", 0, 1),)),  # healthy
        ((warfarin,), (wide,)),
        ((Boundary("DRUG", 0, 1),), (Boundary("BRAND", 0, 1),)),  # propranolol
        ((warfarin,), (warfarin,)),  # phenytoin
        ((wide,), (wide,)),
        ((Boundary("GROUP", 1, 2),), (Boundary("DRUG", 0, 2),)),  # oral contraceptives
    ]
    table = {
        "type": (3, 2, 0, 1, 1, 6, 6, 0.5, 0.5, 0.5),
        "partial": (3, 0, 2, 1, 1, 6, 6, 2 / 3, 2 / 3, 2 / 3),
        "exact": (3, 2, 0, 1, 1, 6, 6, 0.5, 0.5, 0.5),
        "strict": (2, 3, 0, 1, 1, 6, 6, 1 / 3, 1 / 3, 1 / 3),
    }
    scores = score_partial(sentences)
    for measure, row in table.items():
        assert tuple(scores[measure][ALL].to_dict().values()) == pytest.approx(row)


def test_credit_of_a_type_counts_its_gold_and_its_predicted_entities() -> None:
    # Gold LOC was found as ORG, gold ORG was missed: by hand.
    scores = score_partial([((Boundary("LOC", 0, 1), Boundary("ORG", 2, 3)), (Boundary("ORG", 0, 1),))])
    exact = {name: tuple(credit.to_dict().values()) for name, credit in scores["exact"].items()}
    assert exact == {
        ALL: (1, 0, 0, 1, 0, 2, 1, 1.0, 0.5, pytest.approx(2 / 3)),
        "LOC": (1, 0, 0, 0, 0, 1, 0, 0.0, 1.0, 0.0),
        "ORG": (0, 0, 0, 1, 0, 1, 1, 1.0, 0.0, 0.0),
    }
    assert scores["strict"]["ORG"].precision == 0.0


def pairs_of(
    gold: tuple[Boundary, ...], predicted: tuple[Boundary, ...], measure: str
) -> list[tuple[Boundary, Boundary]]:
    found = paired((gold, predicted), overlapping(gold, predicted), measure)
    return [(gold[i], predicted[j]) for i, j in found]


@pytest.mark.parametrize("measure", MEASURES)
def test_no_other_pairing_has_more_points_or_more_pairs(measure: str) -> None:
    @settings(deadline=None)
    @given(entities(), entities(), st.none() | st.builds(Boundary, st.sampled_from(TYPES), st.just(1), st.just(4)))
    def check(gold: tuple[Boundary, ...], predicted: tuple[Boundary, ...], nested: Boundary | None) -> None:
        gold += (nested,) if nested else ()  # tokens cannot express it beside the others
        found = pairs_of(gold, predicted, measure)
        every = list(pairings(gold, predicted))
        assert sorted(found) in [sorted(pairs) for pairs in every]
        best = max((points(pairs, measure), len(pairs)) for pairs in every)
        assert (points(found, measure), len(found)) == best

    check()


def test_measures_may_pair_the_same_entities_differently() -> None:
    gold = (Boundary("LOC", 0, 2), Boundary("PER", 3, 6))
    predicted = (Boundary("PER", 1, 4), Boundary("ORG", 5, 7))  # PER touches both, ORG only the second
    assert len(pairs_of(gold, predicted, "partial")) == 2
    assert pairs_of(gold, predicted, "type") == [(gold[1], predicted[0])]
    scores = score_partial([(gold, predicted)])
    assert scores["partial"][ALL].gold == {"partial": 2}
    assert scores["type"][ALL].gold == {"correct": 1, "missed": 1}


def test_strict_credit_equals_the_strict_scores_of_all_entities_and_of_each_type() -> None:
    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(entities(), entities()), min_size=1, max_size=4))
    def check(sentences: list[tuple[tuple[Boundary, ...], tuple[Boundary, ...]]]) -> None:
        layer = make_layer(sentences, LENGTH)
        scores, credits = (
            score_entities(*layer.tags, "iob2"),
            score_partial((pair.gold, pair.predicted) for pair in layer.pairs),
        )
        expected = {ALL: scores.micro, **scores.types}
        assert set(credits["strict"]) == set(expected)
        for name, credit in credits["strict"].items():
            rates = (expected[name].precision, expected[name].recall, expected[name].f1)
            assert (credit.precision, credit.recall, credit.f1) == pytest.approx(rates)
        for measure in MEASURES:
            values = credits[measure][ALL].to_dict()
            pairs = values["correct"] + values["incorrect"] + values["partial"]
            assert values["possible"] == pairs + values["missed"] == scores.gold_entities
            assert values["actual"] == pairs + values["spurious"] == scores.predicted_entities

    check()


def test_entities_beside_the_tokens_are_compared_by_their_characters() -> None:
    def make_sentence(tags: tuple[str, ...], *beside: tuple[int, int]) -> Sentence:
        unaligned = tuple([Unaligned("X", start, end) for start, end in beside])
        return Sentence.from_tokens(["abcd", "ef"], {"ner": TagLayer(tags, "iob2", unaligned=unaligned)})

    outcomes = {
        "same": (make_sentence(("O", "O"), (0, 3)), make_sentence(("O", "O"), (0, 3))),
        "wider": (make_sentence(("O", "O"), (0, 3)), make_sentence(("B-X", "O"))),
        "narrower": (make_sentence(("B-X", "O")), make_sentence(("O", "O"), (1, 3))),
        "apart": (make_sentence(("O", "O"), (0, 2)), make_sentence(("O", "O"), (2, 3))),
    }
    found = {}
    for name, (gold, predicted) in outcomes.items():
        values = partial(EntityLayer("ner", (gold,), (predicted,), "iob2")).data["partial"]
        found[name] = [key for key in ("correct", "partial", "missed", "spurious") if values[key]]
    assert found == {
        "same": ["correct"],
        "wider": ["partial"],
        "narrower": ["partial"],
        "apart": ["missed", "spurious"],
    }


@pytest.mark.parametrize(
    ("sentences", "figures"),
    [
        ([((), ())], "strict 0.0000, exact 0.0000, partial 0.0000, type 0.0000; no entities"),
        ([((Boundary("PER", 0, 1),), ())], "strict 0.0000, exact 0.0000, partial 0.0000, type 0.0000"),
        (
            [((Boundary("PER", 0, 2),), (Boundary("PER", 1, 2), Boundary("LOC", 2, 3)))],
            "strict 0.0000, exact 0.0000, partial 0.3333, type 0.6667",
        ),
    ],
)
def test_section_has_all_measures_also_without_entities(
    sentences: list[tuple[tuple[Boundary, ...], tuple[Boundary, ...]]], figures: str
) -> None:
    section = partial(make_layer(sentences, 3))
    assert section.brief == (f"partial credit (SemEval-2013), F1: {figures}",)
    assert [row[0] for row in section.tables[0].rows] == list(MEASURES)
    types = {span.type for pair in sentences for side in pair for span in side}
    assert set(section.data["strict"]["types"]) == types
    assert len(section.tables) == 1 + bool(types)
    assert all(len(row) == len(table.columns) for table in section.tables for row in table.rows)


def test_corpus_without_sentences_has_no_credit() -> None:
    section = partial(EntityLayer("ner", (), (), "iob2"))
    assert section.data["partial"] == {
        **dict.fromkeys(("correct", "incorrect", "partial", "missed", "spurious", "possible", "actual"), 0),
        **dict.fromkeys(("precision", "recall", "f1"), 0.0),
        "types": {},
    }
