import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.readings import RULES, Reading, read_four_ways, readings
from tagger.text.schemes import Scheme, repair_tags, tags_of_types
from tagger.text.sentence import Sentence, TagLayer, Unaligned

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")
TYPES = ("PER", "LOC")
Corpus = list[list[str]]


def make_layer(gold: Corpus, predicted: Corpus, scheme: Scheme) -> EntityLayer:
    sides = [
        tuple(Sentence.from_tokens(["w"] * len(tags), {"ner": TagLayer(tuple(tags), scheme)}) for tags in side)
        for side in (gold, predicted)
    ]
    return EntityLayer("ner", sides[0], sides[1], scheme)


def published_example() -> tuple[Corpus, Corpus]:
    """Tags of the CoNLL-2000 chunks for which conlleval's output was published; see the test that uses them."""
    lines = Path(__file__).with_name("conlleval_example.txt").read_text().splitlines()
    rows = [[pair.split("|") for pair in line.split()] for line in lines]
    return [[gold for gold, _ in row] for row in rows], [[found for _, found in row] for row in rows]


def chunks(sentences: Corpus) -> set[tuple[str, int, int, int]]:
    """The chunks that conlleval counts, after its documentation: written anew as a search in the tags of one type.

    A chunk begins with `B-`, and with `I-` after `O` or another type; it ends before `O`, another type and a new chunk.
    The documentation has no more tags. By the same rule `E-` ends a chunk, and `S-` is one of its own; `L-` and `U-`
    mean the same as these.
    """
    found = set()
    for row, tags in enumerate(sentences):
        for name in {tag[2:] for tag in tags} - {""}:
            letters = "".join(tag[0] if tag[2:] == name else "." for tag in tags)
            spans = re.finditer("[SU]|[BI]I*[EL]?|[EL]", letters)
            found |= {(name, row, span.start(), span.end()) for span in spans}
    return found


def rounded(reading: Reading) -> tuple[float, float, float]:
    rates = reading.rates
    return round(100 * rates.precision, 2), round(100 * rates.recall, 2), round(100 * rates.f1, 2)


def numbers(reading: Reading) -> tuple[int, int, int]:
    return reading.gold_entities, reading.predicted_entities, reading.correct_entities


def corpora(scheme: Scheme) -> st.SearchStrategy[tuple[Corpus, Corpus]]:
    """Gold and predicted sentences of any tags of a scheme, most of them not valid in it."""
    tags = st.sampled_from(tags_of_types(TYPES, scheme))
    pairs = st.lists(st.lists(st.tuples(tags, tags) | tags.map(lambda tag: (tag, tag)), max_size=8), max_size=5)
    return pairs.map(lambda rows: ([[g for g, _ in row] for row in rows], [[p for _, p in row] for row in rows]))


def test_repaired_reading_equals_the_published_output_of_conlleval() -> None:
    # https://www.clips.uantwerpen.be/conll2000/chunking/output.html shows the output for 961 tokens of CoNLL-2000, in
    # its older version (http://www.cnts.ua.ac.be/conll2000/chunking/output.html) with the predicted tags that the
    # source distribution of seqeval 1.2.2 has as tests/data/ground_truth.txt. conlleval_example.txt has these tags
    # without the words. Many predicted chunks begin with `I-`, so a strict reading finds much fewer.
    gold, predicted = published_example()
    assert sum(map(len, gold)) == 961
    found, invalid = read_four_ways(make_layer(gold, predicted, "iob2"))
    assert numbers(found["repaired"]) == (459, 539, 371)
    assert rounded(found["repaired"]) == (68.83, 80.83, 74.35)
    by_type = {
        "ADJP": (0.00, 0.00, 0.00, 1),
        "ADVP": (45.45, 62.50, 52.63, 11),
        "NP": (64.98, 78.63, 71.16, 317),
        "PP": (83.18, 98.89, 90.36, 107),
        "SBAR": (66.67, 33.33, 44.44, 3),
        "VP": (69.00, 79.31, 73.80, 100),
    }
    for name, printed in by_type.items():
        own = [[[t if t[2:] == name else "O" for t in tags] for tags in side] for side in (gold, predicted)]
        reading = read_four_ways(make_layer(own[0], own[1], "iob2"))[0]["repaired"]
        assert (*rounded(reading), reading.predicted_entities) == printed
    assert (found["default"], invalid[0]) == (found["repaired"], 0)
    assert found["strict"].rates == found["discarded"].rates
    assert found["strict"].rates.f1 < found["repaired"].rates.f1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_repaired_and_default_readings_are_what_conlleval_counts(scheme: Scheme) -> None:
    @settings(deadline=None)
    @given(corpora(scheme))
    def check(corpus: tuple[Corpus, Corpus]) -> None:
        gold, predicted = corpus
        found, _ = read_four_ways(make_layer(gold, predicted, scheme))
        wanted, found_chunks = chunks(gold), chunks(predicted)
        assert numbers(found["repaired"]) == (len(wanted), len(found_chunks), len(wanted & found_chunks))
        assert found["default"] == found["repaired"]  # the rates are seqeval's own
        assert found["discarded"] == found["strict"] or scheme == "iob1"

    check()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_readings_of_valid_tags_agree(scheme: Scheme) -> None:
    @settings(deadline=None)
    @given(corpora(scheme))
    def check(corpus: tuple[Corpus, Corpus]) -> None:
        gold, predicted = ([repair_tags(tags, scheme) for tags in side] for side in corpus)
        found, invalid = read_four_ways(make_layer(gold, predicted, scheme))
        assert invalid == (0, 0)
        assert all(one == other for one, other in pairwise(found.values()))

    check()


def test_readings_equal_the_examples_of_seqscore() -> None:
    # The README of SeqScore (github.com/bltlab/seqscore): reference.bio, and invalid.bio, in which an entity begins
    # with `I-ORG`. It prints 100.00, 100.00, 100.00 with `conlleval` repair and, in samples/, 100.00, 66.67, 80.00 with
    # `discard` repair.
    start = ["O"] * 5
    reference = ["B-ORG", "I-ORG", "I-ORG", "O", "O", "B-LOC", "I-LOC", "O", "B-LOC", "O"]
    found, invalid = read_four_ways(make_layer([start, reference], [start, ["I-ORG", *reference[1:]]], "iob2"))
    assert (rounded(found["repaired"]), numbers(found["repaired"])) == ((100.0, 100.0, 100.0), (3, 3, 3))
    assert (rounded(found["discarded"]), numbers(found["discarded"])) == ((100.0, 66.67, 80.0), (3, 2, 2))
    assert invalid == (0, 1)


@pytest.mark.parametrize(
    ("scheme", "tags", "strict", "discarded", "repaired"),
    [
        ("iob2", ["B-X", "I-Y", "I-Y"], 1, 1, 2),  # the first entity is whole, the second has no beginning
        ("bioes", ["B-X", "I-X", "O", "E-X", "S-X"], 1, 1, 3),  # no end, no beginning
        ("bilou", ["B-X", "U-Y", "L-X"], 1, 1, 3),
        ("iob1", ["B-X", "I-X"], 1, 0, 1),  # separates nothing; seqeval counts the `I-X` alone
        ("iob1", ["I-X", "B-X", "B-Y"], 1, 2, 3),  # seqeval ends no entity with a `B-X` before another type
    ],
)
def test_what_each_reading_counts_is_as_written_here(
    scheme: Scheme, tags: list[str], strict: int, discarded: int, repaired: int
) -> None:
    found, invalid = read_four_ways(make_layer([tags], [tags], scheme))
    counted = {name: reading.predicted_entities for name, reading in found.items()}
    assert counted == {"strict": strict, "default": repaired, "discarded": discarded, "repaired": repaired}
    assert invalid == (1, 1)


def test_section_shows_four_columns_where_readings_differ() -> None:
    layer = make_layer([["B-X", "O"], ["B-X", "I-X"]], [["I-X", "O"], ["B-X", "I-X"]], "iob2")
    section = readings(layer)
    assert section.brief == (
        "reading of tags  strict  seqeval default  discarded  repaired",
        "F1               0.6667           1.0000     0.6667    1.0000",
        "precision        1.0000           1.0000     1.0000    1.0000",
        "recall           0.5000           1.0000     0.5000    1.0000",
        "invalid sequences of tags: 0 in gold, 1 in prediction, of 2",
    )
    assert section.tables[0].columns == ("", "strict", "seqeval default", "discarded", "repaired")
    assert section.tables[0].rows[3:] == (
        ("gold entities", 2, 2, 2, 2),
        ("predicted entities", 1, 2, 1, 2),
        ("correct entities", 1, 2, 1, 2),
    )
    assert section.data["strict"]["f1"] == layer.scores.headline
    assert {name: section.data[name]["rule"] for name in RULES} == RULES
    assert (section.data["invalid_gold_sequences"], section.data["invalid_predicted_sequences"]) == (0, 1)


def test_section_says_that_the_rest_of_the_report_reads_invalid_iob1_as_discarded() -> None:
    layer = make_layer([["I-X", "O"]], [["B-X", "I-X"]], "iob1")
    assert (layer.scores.predicted_entities, layer.counts.tolist()) == (1, [[0, 0, 1]])
    assert readings(layer).brief[-1] == (
        "invalid sequences of tags: 0 in gold, 1 in prediction, of 1; interval, partial credit, mistakes and groups "
        "are of `discarded`"
    )


def test_section_says_in_one_line_that_readings_agree() -> None:
    for corpus in ([], [[]], [["O"]], [["B-X", "I-X"]]):
        section = readings(make_layer(corpus, corpus, "iob2"))
        assert section.brief == (
            f"invalid sequences of tags: 0 in gold, 0 in prediction, of {len(corpus)}; all four readings agree",
        )


def test_unknown_gold_and_entities_beside_the_tokens_count_as_in_the_headline() -> None:
    gold = [
        Sentence.from_tokens(["a", "b", "c"], {"ner": TagLayer((None, "O", "B-X"), "iob2")}),
        Sentence.from_tokens(["ab"], {"ner": TagLayer(("O",), "iob2", unaligned=(Unaligned("X", 0, 1),))}),
    ]
    predicted = [
        Sentence.from_tokens(["a", "b", "c"], {"ner": TagLayer(("I-X", "I-X", "B-X"), "iob2")}),
        Sentence.from_tokens(["ab"], {"ner": TagLayer(("O",), "iob2")}),
    ]
    found, invalid = read_four_ways(EntityLayer("ner", tuple(gold), tuple(predicted), "iob2"))
    assert {numbers(reading) for reading in found.values()} == {(2, 1, 1)}
    assert invalid == (0, 0)  # the invalid piece touches unknown gold, so it counts nowhere
