"""Texts with entities as sentences: what is kept beside the tags, and advice that works the first time."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.sentences import annotated_sentences
from tagger.formats.tally import UNFIT, Tally
from tagger.text.sentence import Sentence, TagLayer, Unaligned

TEXT = "Ada Lovelace saw Rome. She met Lord Byron."
NESTED, CUT, CROSSING, PIECES = (
    Entity("PER", 4, 12),
    Entity("LOC", 18, 21),
    Entity("EVENT", 17, 26),
    Entity("PER", 0, 41, whole=False),
)
MISFITS = [Entity("PER", 0, 12), NESTED, CUT, CROSSING, PIECES, Entity("PER", 31, 41)]


def read(
    text: str, entities: list[Entity], *, missed: frozenset[str] | None = None, **policies: str
) -> tuple[list[Sentence], list[str]]:
    faults, tally = Faults(), Tally(missed=missed)
    config = ReadingConfig.model_validate({"format": "jsonl", **policies})
    sentences = annotated_sentences(text, {"ner": entities}, config, tally, faults)
    faults.close()
    return sentences, tally.notes()


def unaligned(sentences: list[Sentence]) -> list[list[Unaligned]]:
    return [list(sentence.tag_layer("ner").unaligned) for sentence in sentences]


def test_what_tags_cannot_express_stays_with_its_sentence_where_it_is_scored() -> None:
    sentences, notes = read(TEXT, MISFITS, missed=UNFIT)
    assert [sentence.tags("ner")[:3] for sentence in sentences] == [("B-PER", "I-PER", "O"), ("O", "O", "B-PER")]
    assert [set(row) for row in unaligned(sentences)] == [
        {Unaligned(entity.type, entity.start, entity.end) for entity in (NESTED, CUT, CROSSING, PIECES)},
        set(),
    ]
    assert any("counted as missed: 1 entity that is nested" in note for note in notes)


def test_a_policy_that_is_given_for_scoring_removes_them() -> None:
    sentences, _ = read(TEXT, MISFITS, missed=frozenset(), misaligned="drop", nested="outermost")
    assert unaligned(sentences) == [[], []]
    with pytest.raises(DataError, match=r"misaligned = \"drop\""):
        read(TEXT, MISFITS, missed=frozenset({"nested"}), misaligned="error")


def test_training_keeps_what_it_drops_because_a_part_of_it_may_be_scored() -> None:
    sentences, _ = read(TEXT, MISFITS, misaligned="drop", nested="outermost")
    assert len(unaligned(sentences)[0]) == 4
    sentences, _ = read(TEXT, [Entity("X", 13, 15), CROSSING], misaligned="expand")
    assert unaligned(sentences) == [[]]  # both have grown into the tags


@pytest.mark.parametrize("broken", [Entity("X", 3, 99), Entity("X", 3, 4), Entity("X", 0, 3, "Bob")])
def test_an_entity_that_is_no_piece_of_its_text_is_an_error_also_in_scoring(broken: Entity) -> None:
    with pytest.raises(DataError, match="an entity must"):
        read(TEXT, [broken], missed=UNFIT)
    assert unaligned(read(TEXT, [broken], missed=UNFIT, misaligned="drop")[0]) == [[], []]


def test_error_names_all_settings_at_once() -> None:
    with pytest.raises(DataError) as error:
        read(TEXT, [*[CUT] * 12, Entity("PER", 0, 12), NESTED])
    assert str(error.value).endswith(
        'to read the file as it is, set misaligned = "drop" and nested = "outermost" or "innermost" or "layers"'
    )


WORDS = st.lists(
    st.sampled_from(["Ada", "Rome", "don't", "x-y", ".", "!", "U.S.", "(", "\n\n"]), min_size=1, max_size=9
)
RANGES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 40), st.integers(1, 12)), max_size=9)


@given(WORDS, RANGES)
def test_the_advice_of_an_error_never_leads_to_another(words: list[str], ranges: list[tuple[str, int, int]]) -> None:
    text = " ".join(words) if any(word.strip() for word in words) else "Ada"
    entities = [Entity(type_, start, start + length) for type_, start, length in ranges]
    try:
        read(text, entities)
    except DataError as error:
        choices: dict[str, set[str]] = {"misaligned": set(), "nested": set()}
        for key, values in re.findall(r'(misaligned|nested) = ((?:"\w+"(?: or )?)+)', str(error)):
            choices[key] |= set(re.findall(r'"(\w+)"', values))
        assert choices["misaligned"] or choices["nested"]
        for misaligned, nested in product(choices["misaligned"] or {""}, choices["nested"] or {""}):
            followed = {"misaligned": misaligned, "nested": nested}
            read(text, entities, **{key: value for key, value in followed.items() if value})


def test_unaligned_entities_do_not_change_the_tags() -> None:
    layer = TagLayer(("O",), "iob2", unaligned=(Unaligned("PER", 0, 1),))
    assert Sentence.from_tokens(["Ada"], {"ner": layer}).spans("ner") == ()
