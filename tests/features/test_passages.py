from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.features.passages import Passage, joined, passages_of, with_passages
from tagger.text.sentence import Sentence


def sentence(words: str, document: str | None = None) -> Sentence:
    return Sentence.from_tokens(words.split(), document=document)


def test_neighbours_are_those_of_the_same_document_on_both_sides() -> None:
    sentences = [sentence("a b", "x"), sentence("c", "x"), sentence("d e f", "x"), sentence("g", "y"), sentence("h")]
    assert [passage for _, passage in passages_of(sentences, 2)] == [
        Passage(("a", "b"), (), ("c", "d"), (), (1,)),
        Passage(("c",), ("a", "b"), ("d", "e")),
        Passage(("d", "e", "f"), ("b", "c"), (), (1,)),
        Passage(("g",)),
        Passage(("h",)),
    ]


@given(
    st.lists(st.tuples(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), st.sampled_from("xy"))),
    st.integers(0, 6),
)
def test_context_is_what_stands_around_the_sentence_in_its_document(
    parts: list[tuple[list[str], str]], size: int
) -> None:
    sentences = [sentence(" ".join(words), document) for words, document in parts]
    found = list(passages_of(sentences, size))
    assert [each for each, _ in found] == sentences
    for i, (_, passage) in enumerate(found):
        first = i
        while first and sentences[first - 1].document == sentences[i].document:
            first -= 1
        last = i
        while last + 1 < len(sentences) and sentences[last + 1].document == sentences[i].document:
            last += 1
        before = [token for each in sentences[first:i] for token in each.tokens]
        after = [token for each in sentences[i + 1 : last + 1] for token in each.tokens]
        assert passage[:3] == (
            sentences[i].tokens,
            tuple(before[len(before) - min(size, len(before)) :]),
            tuple(after[:size]),
        )
        firsts = [token for each in sentences for token in (True, *[False] * (len(each) - 1))]
        position = sum(map(len, sentences[:i]))
        shown = firsts[position - len(passage.before) : position]
        assert passage.starts_before == tuple(n for n, is_first in enumerate(shown) if is_first and n)
        position += len(passage.tokens)
        shown = firsts[position : position + len(passage.after)]
        assert passage.starts_after == tuple(n for n, is_first in enumerate(shown) if is_first and n)
        for fewer in range(size):
            assert passage.within(fewer) == [*passages_of(sentences, fewer)][i][1]


def test_documents_of_two_parts_are_two_also_with_the_same_name() -> None:
    one = [sentence("a", "0"), sentence("b", "1")]
    two = [sentence("c", "1"), sentence("d", "1"), sentence("e", "2")]
    found = joined([one, (), two, two, [sentence("f", None)], [sentence("g", None)]])
    assert [each.document for each in found] == ["0", "1", "3.1", "3.1", "2", "1", "1", "2", None, None]
    assert joined([[], one]) == one
    assert [passage.before for _, passage in passages_of(joined([one, two]), 9)] == [(), (), (), ("c",), ()]


def test_a_sentence_without_a_document_is_passed_on_before_the_next_one_is_read() -> None:
    read = []

    def source() -> Iterator[Sentence]:
        for word in "ab":
            read.append(word)
            yield sentence(word)

    found = passages_of(source(), 64)
    next(found)
    assert read == ["a"]


def test_no_more_is_read_than_the_context_needs() -> None:
    read = []

    def source() -> Iterator[Sentence]:
        for number in range(100):
            read.append(number)
            yield sentence("a b c", "x")

    next(with_passages(source(), 5))
    assert len(read) == 3


@pytest.mark.parametrize(("context", "expected"), [(0, Passage(("x",))), (1, Passage(("x",), ("b",), ("c",)))])
def test_a_feature_gets_as_much_context_as_it_asks_for(context: int, expected: Passage) -> None:
    assert Passage(("x",), ("a", "b"), ("c", "d")).within(context) == expected
