"""A survey of pairs of tags gives the results of whole sentences, in bounded memory."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.errors import DataError
from tagger.text.schemes import (
    RULES,
    Scheme,
    convert_tags,
    detect_scheme,
    invalid_positions,
    is_tag,
    lenient_spans,
    merge_touching,
)
from tagger.text.tag_survey import Survey, complain, pairs_of, runs

TAGS = ["O", *(f"{prefix}-{name}" for prefix, name in product("BIESLU", "XY"))]
SENTENCES = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=6), max_size=5)


def survey_of(sentences: Sequence[Sequence[str]]) -> Survey:
    survey, line = Survey(), 0
    for tags in sentences:
        survey.add(tags, range(line + 1, line + 1 + len(tags)))
        line += len(tags)
    return survey


def flat(sentences: Sequence[Sequence[str]]) -> list[str]:
    return [tag for tags in sentences for tag in tags]


@given(SENTENCES)
def test_scheme_is_that_of_whole_sentences(sentences: list[list[str]]) -> None:
    assert survey_of(sentences).scheme() == detect_scheme(pairs_of(sentences))


@pytest.mark.parametrize("scheme", RULES)
def test_unknown_invalid_and_touching_tags_are_those_of_whole_sentences(scheme: Scheme) -> None:
    @given(SENTENCES)
    def check(sentences: list[list[str]]) -> None:
        survey = survey_of(sentences)
        unknown = [line for line, tag in enumerate(flat(sentences), 1) if not is_tag(tag, scheme)]
        count, found = survey.unknown(scheme)
        assert (count, [line for line, _ in found]) == (len(unknown), unknown[:10])
        invalid, touching, line = [], 0, 1
        for tags in sentences:
            invalid += [line + i for i in invalid_positions(tags, scheme)]
            spans = lenient_spans(tags)
            touching += len(spans) - len(merge_touching(spans))
            line += len(tags)
        count, found = survey.invalid(scheme)
        assert (count, [line for line, _ in found]) == (len(invalid), invalid[:10])
        assert survey.touching()[0] == touching

    check()


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        ("O O", True),
        ("O B-X typo", True),
        ("B-X I-X", True),
        ("the U-boat S-Bahn O E-mail", True),
        ("the big U-boat in O", False),
        ("O X", False),
        ("NOUN VERB", False),
        ("", False),
    ],
)
def test_column_holds_entities_if_most_of_it_can_be_tags(tags: str, answer: bool) -> None:
    assert survey_of([tags.split()]).has_scheme() is answer


@given(st.lists(st.sampled_from(TAGS), max_size=9), st.sampled_from(["iob1", "iob2", "bioes", "bilou"]))
def test_runs_are_converted_as_whole_sentences_are(tags: list[str], target: Scheme) -> None:
    whole = convert_tags(tags, "iob2", target)
    parts = ["O"] * len(tags)
    for start, run in runs(tags):
        parts[start : start + len(run)] = convert_tags(run, "iob2", target)
    assert parts == whole


def test_words_that_look_like_tags_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagger.text.tag_survey.MANY", 50)
    survey = survey_of([[f"E-{i}"] for i in range(1000)])
    assert len(survey.pairs) == 51
    assert not survey.has_scheme()


def test_error_shows_ten_problems_and_counts_the_rest() -> None:
    survey = survey_of([["I-X"]] * 13)
    with pytest.raises(DataError) as caught:
        complain(survey.invalid("iob2"), "f", "; fix it")
    lines = str(caught.value).splitlines()
    assert lines[0] == "f:1: tag 'I-X' after 'O' is not valid IOB2; fix it"
    assert lines[10:] == ["... and 3 more such problems"]
    complain(survey.invalid("iob1"), "f")
