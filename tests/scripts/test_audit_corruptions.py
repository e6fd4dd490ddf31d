"""The corruptions by which an audit is measured."""

from dataclasses import dataclass

from audit_corruptions import KINDS, Corruption, Entity, corrupt, found_among

from tagger.corpus.synthetic import generate
from tagger.text.sentence import Sentence

SENTENCES = list(generate(200, seed=1, split="train"))


@dataclass
class Found:
    sentence: Sentence
    tokens: tuple[int, int]


def entities(sentence: Sentence) -> set[Entity]:
    return {Entity(span.type, span.start, span.end) for span in sentence.spans("ner")}


def test_each_corruption_changes_one_entity_as_its_kind_says() -> None:
    changed, corruptions = corrupt(SENTENCES, "ner", share=0.3, seed=2)
    wanted = [entities(sentence) for sentence in SENTENCES]
    for number, kind, before, after in corruptions:
        wanted[number].remove(before)
        if after is not None:
            wanted[number].add(after)
        if kind == "retyped":
            assert after is not None
            assert after[1:] == before[1:]
            assert after.type != before.type
        elif kind == "moved":
            assert after is not None
            assert after.type == before.type
            assert abs(after.start - before.start) + abs(after.end - before.end) == 1
        else:
            assert (kind, after) == ("removed", None)
    assert [entities(sentence) for sentence in changed] == wanted
    counts = [sum(each.kind == kind for each in corruptions) for kind in KINDS]
    assert max(counts) - min(counts) <= 3
    assert (
        corrupt(SENTENCES, "ner", share=0.3, seed=2)[1]
        == corruptions
        != corrupt(SENTENCES, "ner", share=0.3, seed=3)[1]
    )


def test_a_corruption_is_found_by_a_suspect_that_shares_a_token_with_it() -> None:
    changes = [
        Corruption(0, "moved", Entity("A", 1, 2), Entity("A", 1, 3)),
        Corruption(1, "removed", Entity("A", 0, 1), None),
    ]
    assert found_among(changes, SENTENCES, [Found(SENTENCES[0], (2, 4))]) == {0}
    assert found_among(changes, SENTENCES, [Found(SENTENCES[0], (0, 1)), Found(SENTENCES[1], (0, 2))]) == {1}
    assert found_among(changes, SENTENCES, []) == set()
