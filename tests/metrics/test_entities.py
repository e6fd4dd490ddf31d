import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import product

import pytest
import seqeval.metrics
import seqeval.scheme
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from seqeval_schemes import ORACLES, SCHEMES

from tagger.metrics.entities import EntityScores, score_entities
from tagger.metrics.rates import Average, ClassScore
from tagger.text.schemes import RULES, Scheme, invalid_positions, tags_to_spans

TYPES = ("PER", "LOC", "work-of-art")
Corpus = list[list[str]]


def corpora(scheme: Scheme) -> st.SearchStrategy[tuple[Corpus, Corpus]]:
    """Gold and predicted sentences of any tags of a scheme, most of them not valid in it."""
    tags = ["O", *(f"{prefix}-{name}" for prefix, name in product(RULES[scheme].prefixes, TYPES))]
    pair = st.tuples(st.sampled_from(tags), st.sampled_from(tags)) | st.sampled_from([(tag, tag) for tag in tags])
    sentence = st.lists(pair, max_size=8)
    return st.lists(sentence, min_size=1, max_size=6).map(
        lambda sentences: ([[left for left, _ in s] for s in sentences], [[right for _, right in s] for s in sentences])
    )


def naive_average(gold: Corpus, predicted: Corpus, average: str, **mode: object) -> Average:
    """Three separate calls of seqeval's public functions."""
    functions = (seqeval.metrics.precision_score, seqeval.metrics.recall_score, seqeval.metrics.f1_score)
    return Average(*(float(f(gold, predicted, average=average, zero_division=0, **mode)) for f in functions))


def chunk_corpus(correct: int, missed: int, invented: int, name: str) -> tuple[Corpus, Corpus]:
    """Sentences of one token: right ones, ones where nothing was found, and ones where something was found."""
    found = [[f"B-{name}"]]
    outside = [["O"]]
    return found * (correct + missed) + outside * invented, found * correct + outside * missed + found * invented


@pytest.fixture(params=["seqeval", "tables"])
def found_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either way to find entities, whatever the size of the corpus."""
    monkeypatch.setattr("tagger.metrics.entities.SEQEVAL_TOKENS", -1 if request.param == "tables" else 1_000_000)
    return str(request.param)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_strict_figure_equals_seqeval_called_naively(scheme: Scheme, found_by: str) -> None:
    @settings(deadline=None)
    @given(corpora(scheme))
    def check(corpus: tuple[Corpus, Corpus]) -> None:
        gold, predicted = corpus
        scores = score_entities(gold, predicted, scheme)
        assert scores.found_by == found_by
        assume(scores.types)  # seqeval cannot average over no type
        mode = {"mode": "strict", "scheme": ORACLES[scheme]}
        assert scores.micro == naive_average(gold, predicted, "micro", **mode)
        assert scores.macro == naive_average(gold, predicted, "macro", **mode)
        assert scores.weighted == naive_average(gold, predicted, "weighted", **mode)
        table = seqeval.metrics.classification_report(gold, predicted, output_dict=True, zero_division=0, **mode)
        for name, score in scores.types.items():
            row = table.pop(name)
            assert score == ClassScore(row["precision"], row["recall"], row["f1-score"], row["support"])
        assert set(table) == {"micro avg", "macro avg", "weighted avg"}
        read = [
            {e.to_tuple() for s in seqeval.scheme.Entities(side, ORACLES[scheme]).entities for e in s}
            for side in corpus
        ]
        assert (scores.gold_entities, scores.predicted_entities) == (len(read[0]), len(read[1]))
        assert scores.correct_entities == len(read[0] & read[1])
        assert scores.invalid_sequences == sum(bool(invalid_positions(tags, scheme)) for tags in predicted)

    check()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.usefixtures("found_by")
def test_default_mode_equals_seqeval_called_naively(scheme: Scheme) -> None:
    def as_bioes(sentences: Corpus) -> Corpus:
        return [[{"L": "E", "U": "S"}.get(tag[0], tag[0]) + tag[1:] for tag in tags] for tags in sentences]

    @settings(deadline=None)
    @given(corpora(scheme))
    def check(corpus: tuple[Corpus, Corpus]) -> None:
        naive = [as_bioes(side) for side in corpus] if scheme == "bilou" else corpus
        assert score_entities(*corpus, scheme).default == naive_average(*naive, "micro")

    check()


@pytest.mark.parametrize(
    ("tags", "ours", "theirs"),
    [
        (["B-X", "I-X"], [], [("X", 1, 2)]),  # nothing to divide: no entity, though seqeval takes the I-X
        (["I-X", "B-X", "B-Y"], [("X", 0, 1), ("X", 1, 2)], [("X", 0, 1)]),  # seqeval has no end before another type
    ],
)
def test_span_reading_and_seqeval_part_only_on_invalid_iob1(
    tags: list[str], ours: list[tuple[str, int, int]], theirs: list[tuple[str, int, int]]
) -> None:
    assert invalid_positions(tags, "iob1")
    assert tags_to_spans(tags, "iob1") == ours
    entities = seqeval.scheme.Tokens(tags, seqeval.scheme.IOB1).entities
    assert [(entity.tag, entity.start, entity.end) for entity in entities] == theirs


def test_figures_equal_those_conlleval_prints_for_its_example() -> None:
    # The example output of conlleval at clips.uantwerpen.be/conll2000/chunking/output.html: 459 phrases, 539 found, 371
    # correct. The page prints, by type, percentages and phrases found; the counts of correct and missed phrases follow
    # by hand from precision = correct / found and recall = correct / gold, six ADJP missed as its text says.
    printed = {  # type: correct, missed, invented; precision, recall, FB1 in percent
        "ADJP": (0, 6, 1, 0.00, 0.00, 0.00),
        "ADVP": (5, 3, 6, 45.45, 62.50, 52.63),
        "NP": (206, 56, 111, 64.98, 78.63, 71.16),
        "PP": (89, 1, 18, 83.18, 98.89, 90.36),
        "SBAR": (2, 4, 1, 66.67, 33.33, 44.44),
        "VP": (69, 18, 31, 69.00, 79.31, 73.80),
    }
    gold, predicted = [], []
    for name, (correct, missed, invented, *_) in printed.items():
        left, right = chunk_corpus(correct, missed, invented, name)
        gold, predicted = gold + left, predicted + right
    scores = score_entities(gold, predicted, "iob2")
    assert (scores.gold_entities, scores.predicted_entities, scores.correct_entities) == (459, 539, 371)
    for name, row in printed.items():
        score = scores.types[name]
        assert tuple(round(100 * rate, 2) for rate in (score.precision, score.recall, score.f1)) == row[3:]
    for average in (scores.micro, scores.default):
        rates = (average.precision, average.recall, average.f1)
        assert tuple(round(100 * rate, 2) for rate in rates) == (68.83, 80.83, 74.35)


@pytest.mark.usefixtures("found_by")
def test_scores_equal_a_table_counted_by_hand() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O", "B-PER"]]
    predicted = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "I-LOC", "B-LOC"]]
    scores = score_entities(gold, predicted, "iob2")
    # PER: 2 gold, 1 predicted, 1 correct. LOC: 2 gold, 3 predicted, 1 correct.
    assert scores.types == {
        "LOC": ClassScore(precision=1 / 3, recall=1 / 2, f1=pytest.approx(2 / 5), support=2),
        "PER": ClassScore(precision=1.0, recall=1 / 2, f1=pytest.approx(2 / 3), support=2),
    }
    assert (scores.gold_entities, scores.predicted_entities, scores.correct_entities) == (4, 4, 2)
    assert scores.micro == Average(0.5, 0.5, 0.5)
    assert scores.macro.precision == pytest.approx(2 / 3)
    assert scores.macro.f1 == scores.weighted.f1 == pytest.approx((2 / 5 + 2 / 3) / 2)
    assert (scores.sentences, scores.invalid_sequences, scores.headline) == (2, 0, 0.5)


def test_report_says_what_found_the_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = [["B-PER", "I-PER"], ["O"]]
    monkeypatch.setattr("tagger.metrics.entities.SEQEVAL_TOKENS", 3)
    scores = score_entities(tags, tags, "iob2")
    assert (scores.to_dict()["found_by"], "tables" in scores.lines()[-1]) == ("seqeval", False)
    monkeypatch.setattr("tagger.metrics.entities.SEQEVAL_TOKENS", 2)
    faster = score_entities(tags, tags, "iob2")
    assert faster == replace(scores, found_by="tables")
    assert "in more than 2 tokens, tables of the scheme find the entities that seqeval finds" in faster.lines()[-1]


def test_default_and_strict_part_on_an_invalid_sequence_and_it_is_counted() -> None:
    gold = [["B-PER", "I-PER", "O"], ["O", "B-LOC", "O"]]
    predicted = [["I-PER", "I-PER", "O"], ["O", "B-LOC", "O"]]
    scores = score_entities(gold, predicted, "iob2")
    assert scores.default == Average(1.0, 1.0, 1.0)
    assert scores.micro == Average(1.0, 0.5, pytest.approx(2 / 3))
    assert scores.invalid_sequences == 1


def test_invalid_gold_is_not_counted_among_invalid_predictions() -> None:
    assert score_entities([["I-PER"]], [["O"]], "iob2").invalid_sequences == 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sentences", [[], [[]], [["O", "O"], []], [["O"]]])
@pytest.mark.usefixtures("found_by")
def test_corpus_without_entities_scores_zero(sentences: Corpus, scheme: Scheme) -> None:
    scores = score_entities(sentences, sentences, scheme)
    assert scores.micro == scores.macro == scores.weighted == scores.default == Average(0.0, 0.0, 0.0)
    assert (scores.types, scores.sentences, scores.gold_entities) == ({}, len(sentences), 0)


@pytest.mark.usefixtures("found_by")
def test_tags_that_make_no_entity_score_zero() -> None:
    scores = score_entities([["O", "O"]], [["I-PER", "E-PER"]], "bioes")
    assert (scores.micro, scores.types, scores.invalid_sequences) == (Average(), {}, 1)
    assert scores.default == Average()


@pytest.mark.usefixtures("found_by")
def test_type_on_one_side_only_has_a_row_of_zeros() -> None:
    scores = score_entities([["B-PER", "O"]], [["O", "B-LOC"]], "iob2")
    assert scores.types == {"LOC": ClassScore(0.0, 0.0, 0.0, 0), "PER": ClassScore(0.0, 0.0, 0.0, 1)}
    assert scores.macro == Average(0.0, 0.0, 0.0)


@pytest.mark.usefixtures("found_by")
def test_types_that_differ_in_outer_hyphens_are_two_types() -> None:
    scores = score_entities([["B-X", "B-X-"]], [["B-X", "B-X"]], "iob2")
    assert set(scores.types) == {"X", "X-"}
    assert (scores.gold_entities, scores.correct_entities) == (2, 1)


@pytest.mark.usefixtures("found_by")
def test_more_than_ten_types_keep_their_names() -> None:
    names = [f"type{i}" for i in range(25)]
    gold = [[f"B-{name}"] for name in names]
    scores = score_entities(gold, [*gold[:13], *[["O"]] * 12], "iob2")
    assert list(scores.types) == sorted(names)
    assert {name for name, score in scores.types.items() if score.f1} == set(names[:13])


@pytest.mark.usefixtures("found_by")
def test_bilou_scores_as_the_same_entities_in_bioes() -> None:
    gold = [["B-X", "L-X", "U-X", "U-X"]]
    predicted = [["B-X", "L-X", "U-X", "L-X"]]
    bilou = score_entities(gold, predicted, "bilou")
    bioes = score_entities([["B-X", "E-X", "S-X", "S-X"]], [["B-X", "E-X", "S-X", "E-X"]], "bioes")
    assert (bilou.micro, bilou.default) == (bioes.micro, bioes.default)
    assert bilou.default_scheme == bioes.default_scheme == "bioes"


@pytest.mark.usefixtures("found_by")
def test_tuples_score_as_lists_do() -> None:
    tags = [["B-PER", "I-PER"], ["O"]]
    assert score_entities(tuple(map(tuple, tags)), tags, "iob2") == score_entities(tags, tags, "iob2")


@pytest.mark.parametrize("tag", ["NOUN", "S-PER", "B", "", "B-", "-PER", "b-PER", "PER-B"])
@pytest.mark.parametrize("side", ["gold", "predicted"])
def test_tag_outside_the_scheme_is_named_and_never_scored(tag: str, side: str) -> None:
    good, bad = [["O"], ["O"]], [["O"], [tag]]
    sides = (bad, good) if side == "gold" else (good, bad)
    with pytest.raises(ValueError, match=rf"{side} sentence 1: '{tag}' is not a valid IOB2 tag"):
        score_entities(*sides, "iob2")


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([["O"]], [], "the same number of sentences, got 1 and 0"),
        ([["O"], ["O"]], [["O"], []], "sentence 1: .* got 1 and 0"),
    ],
)
def test_sides_of_different_length_are_refused(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        score_entities(gold, predicted, "iob2")


def test_dictionary_has_strict_rates_on_top_and_the_settings_beside() -> None:
    scores: EntityScores = score_entities([["S-X", "S-Y"]], [["S-X", "O"]], "bioes")
    found = json.loads(json.dumps(scores.to_dict()))
    assert (found["precision"], found["recall"], found["f1"]) == (1.0, 0.5, pytest.approx(2 / 3))
    assert (found["scheme"], found["mode"], found["default"]["scheme"]) == ("bioes", "strict", "bioes")
    assert found["library"] == f"seqeval {version('seqeval')}"
    assert found["types"]["Y"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert {"macro", "weighted", "invalid_sequences", "gold_entities", "predicted_entities"} <= set(found)


def test_metrics_import_neither_seqeval_nor_torch() -> None:
    code = "import sys, tagger.reporting.report; print(sorted({'seqeval', 'sklearn', 'torch'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
