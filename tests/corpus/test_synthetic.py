"""The generator: same arguments give same sentences, one annotation per text, tags that later words decide."""

import subprocess
import sys
from collections import Counter, defaultdict
from itertools import islice, pairwise
from typing import TypeAlias

import pytest

from tagger.corpus.synthetic import ENTITY_TYPES, MAX_TOKENS, Split, generate
from tagger.text.schemes import invalid_positions
from tagger.text.sentence import Sentence

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
# Universal Dependencies, version 2, without INTJ, SYM and X.
UPOS = {
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "VERB"),
}


Pair: TypeAlias = tuple[str, str]  # entity tag and part of speech of a token
Readings: TypeAlias = dict[tuple[str, ...], dict[Pair, Counter[bool]]]


@pytest.fixture(scope="module")
def sample() -> list[Sentence]:
    return list(generate(20_000, seed=1, split="train"))


@pytest.fixture(scope="module")
def large_sample() -> list[Sentence]:
    """Return enough sentences for rare words to occur together in a certain order."""
    return list(generate(60_000, seed=4, split="train"))


def later_positions(sentence: Sentence) -> set[int]:
    return {int(position) for position in sentence.meta.get("later", "").split()}


def annotation(sentence: Sentence) -> tuple[object, ...]:
    later = sentence.meta.get("later")
    return sentence.tags("ner"), sentence.tags("upos"), sentence.label("sentiment").value, later


@pytest.fixture(scope="module")
def readings(sample: list[Sentence]) -> Readings:
    """Return for each beginning of a sentence the tags of its last word, and how often that word is marked."""
    readings: Readings = defaultdict(lambda: defaultdict(Counter))
    for sentence in sample:
        later = later_positions(sentence)
        for i, pair in enumerate(zip(sentence.tags("ner"), sentence.tags("upos"), strict=True)):
            readings[sentence.tokens[: i + 1]][pair][i in later] += 1
    return readings


@pytest.mark.parametrize("split", SPLITS)
def test_equal_arguments_give_equal_sentences(split: Split) -> None:
    assert list(generate(300, seed=5, split=split)) == list(generate(300, seed=5, split=split))


def test_sentences_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    program = (
        "from tagger.corpus.synthetic import generate; [print(s.text) for s in generate(50, seed=3, split='test')]"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].splitlines() == [sentence.text for sentence in generate(50, seed=3, split="test")]


def test_more_sentences_of_a_seed_begin_with_the_same_ones() -> None:
    assert list(islice(generate(10**9, seed=2, split="dev"), 100)) == list(generate(100, seed=2, split="dev"))


def test_seeds_give_different_sentences() -> None:
    texts = [[sentence.text for sentence in generate(1_000, seed=seed, split="train")] for seed in (1, 2)]
    assert texts[0] != texts[1]
    assert len(set(texts[0]) & set(texts[1])) < 100


def test_no_sentence_is_in_two_splits_whatever_the_seeds() -> None:
    texts = [
        {s.text for seed in seeds for s in generate(2_500, seed=seed, split=split)}
        for split, seeds in zip(SPLITS, ((1, 2), (1, 3), (1, 4)), strict=True)
    ]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]


@pytest.mark.parametrize("sentences", [0, 1, 17])
def test_the_requested_number_of_sentences_is_generated(sentences: int) -> None:
    assert sum(1 for _ in generate(sentences, seed=1, split="test")) == sentences


def test_negative_number_of_sentences_is_refused_before_the_first_is_drawn() -> None:
    with pytest.raises(ValueError, match="sentences must be 0 or more, got -1"):
        generate(-1, seed=1, split="train")


def test_error_of_an_unknown_split_lists_the_splits() -> None:
    with pytest.raises(ValueError, match="train, dev, test, got 'valid'"):
        generate(1, seed=1, split="valid")  # type: ignore[arg-type]


def test_entity_tags_are_valid_iob2_of_all_types(sample: list[Sentence]) -> None:
    assert not any(invalid_positions(sentence.tags("ner"), "iob2") for sentence in sample)
    assert {tag for sentence in sample for tag in sentence.tags("ner")} == {"O"} | {
        f"{prefix}-{entity_type}" for prefix in "BI" for entity_type in ENTITY_TYPES
    }


def test_parts_of_speech_are_the_universal_ones(sample: list[Sentence]) -> None:
    assert {tag for sentence in sample for tag in sentence.tags("upos")} == UPOS


def test_offsets_cut_the_tokens_out_of_the_text(sample: list[Sentence]) -> None:
    for sentence in sample:
        assert tuple(sentence.text[start:end] for start, end in sentence.offsets) == sentence.tokens
        assert len(sentence) == len(sentence.tags("ner")) == len(sentence.tags("upos"))


def test_sentences_begin_with_a_capital_end_with_a_stop_and_have_3_to_25_tokens(sample: list[Sentence]) -> None:
    assert all(sentence.text[0].isupper() and sentence.tokens[-1] in (".", "!") for sentence in sample)
    lengths = {len(sentence) for sentence in sample}
    assert (min(lengths), max(lengths)) == (3, MAX_TOKENS)


def test_one_token_sequence_has_one_annotation(sample: list[Sentence]) -> None:
    annotations = defaultdict(set)
    for split in SPLITS:  # other seeds generate some short sentences again
        for sentence in (*sample, *generate(3_000, seed=9, split=split)):
            annotations[sentence.tokens].add(annotation(sentence))
    assert max(map(len, annotations.values())) == 1
    assert len(annotations) < len(sample) + 9_000  # some occurred twice, so the line above compared something


def test_ambiguous_names_have_several_types_behind_the_same_words(readings: Readings) -> None:
    types = {
        tokens: {ner for (ner, _), marks in pairs.items() if ner != "O" and marks[True]}
        for tokens, pairs in readings.items()
    }
    assert types["Washington",] == {f"B-{entity_type}" for entity_type in ENTITY_TYPES}
    assert sum(len(found) >= 3 for tokens, found in types.items() if len(tokens) == 1) > 20
    assert sum(len(found) >= 2 for tokens, found in types.items() if len(tokens) > 3) > 20


@pytest.mark.parametrize(
    ("word", "tags"),
    [
        ("Book", {"NOUN", "VERB"}),
        ("Record", {"NOUN", "VERB"}),
        ("Before", {"ADP", "SCONJ"}),
        ("That", {"DET", "PRON"}),
        ("There", {"ADV", "PRON"}),
        ("like", {"ADP", "VERB"}),
        ("back", {"ADJ", "NOUN"}),
        ("'s", {"AUX", "PART"}),
        ("had", {"AUX", "VERB"}),
        ("did", {"AUX", "VERB"}),
        ("to", {"ADP", "PART"}),
        ("that", {"DET", "PRON", "SCONJ"}),
    ],
)
def test_part_of_speech_of_a_word_is_open_until_later_words(readings: Readings, word: str, tags: set[str]) -> None:
    assert any({upos for _, upos in pairs} == tags for tokens, pairs in readings.items() if tokens[-1] == word)


def test_every_word_whose_tag_is_open_is_marked(readings: Readings) -> None:
    contested = [pairs for pairs in readings.values() if len(pairs) > 1]
    assert len(contested) > 200
    assert all(set(marks) == {True} for pairs in contested for marks in pairs.values())


def test_only_words_whose_tag_is_open_are_marked(readings: Readings) -> None:
    often = {tokens: pairs for tokens, pairs in readings.items() if sum(marks[True] for marks in pairs.values()) >= 25}
    assert len(often) > 50
    assert not [tokens for tokens, pairs in often.items() if len(pairs) == 1]


def test_marked_words_have_other_tags_elsewhere(sample: list[Sentence]) -> None:
    pairs: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    marked: set[str] = set()
    for sentence in sample:
        tokens = [token.lower() for token in sentence.tokens]
        for token, *pair in zip(tokens, sentence.tags("ner"), sentence.tags("upos"), strict=True):
            pairs[token].add(tuple(pair))
        marked.update(tokens[i] for i in later_positions(sentence))
    assert len(marked) > 50
    assert not [token for token in marked if len(pairs[token]) == 1]


def test_marks_are_positions_of_the_sentence(sample: list[Sentence]) -> None:
    for sentence in sample:
        assert sentence.meta.get("later") != ""
        assert later_positions(sentence) <= set(range(len(sentence) - 1))


def test_later_words_decide_a_tag_in_at_least_a_quarter_of_the_sentences(sample: list[Sentence]) -> None:
    share = sum("later" in sentence.meta for sentence in sample) / len(sample)
    assert 0.25 < share < 0.95  # and some have none


def test_each_sentiment_has_at_least_a_fifth_of_the_sentences(sample: list[Sentence]) -> None:
    counts = Counter(sentence.label("sentiment").value for sentence in sample)
    assert set(counts) == {"positive", "negative", "neutral"}
    assert min(counts.values()) > len(sample) / 5


def test_later_words_can_change_the_sentiment(large_sample: list[Sentence]) -> None:
    values = defaultdict(set)
    for sentence in large_sample:
        for end in range(4, len(sentence)):
            values[sentence.tokens[:end]].add(sentence.label("sentiment").value)
    turned = [tokens for tokens, found in values.items() if {"positive", "negative"} <= found]
    assert sum("great" in tokens for tokens in turned) > 3
    assert sum("terrible" in tokens for tokens in turned) > 3


@pytest.mark.parametrize(
    ("phrase", "value"),
    [
        ("was not terrible .", "positive"),
        ("was not great .", "negative"),
        ("was not only dull but also", "negative"),
        ("was great until the ending ruined it", "negative"),
        ("was terrible at first , wonderful by the end", "positive"),
        ("Nothing about the film was bad", "positive"),
    ],
)
def test_denied_and_contrasted_words_have_the_sentiment_of_their_meaning(
    large_sample: list[Sentence], phrase: str, value: str
) -> None:
    assert {s.label("sentiment").value for s in large_sample if phrase in s.text} == {value}


@pytest.mark.parametrize(
    ("phrase", "tags"),
    [
        ("Washington said that", ("B-person", "O", "O")),
        ("Washington is a state", ("B-location", "O", "O", "O")),
        ("Washington reported record profits", ("B-organization", "O", "O", "O")),
    ],
)
def test_the_words_after_washington_decide_its_type(
    large_sample: list[Sentence], phrase: str, tags: tuple[str, ...]
) -> None:
    words = tuple(phrase.split())
    found = [sentence for sentence in large_sample if sentence.tokens[: len(words)] == words]
    assert {sentence.tags("ner")[: len(words)] for sentence in found} == {tags}


def test_entities_of_several_tokens_several_a_sentence_and_side_by_side_occur(sample: list[Sentence]) -> None:
    spans = [sentence.spans("ner") for sentence in sample]
    lengths = Counter(span.end - span.start for found in spans for span in found)
    assert min(lengths[1], lengths[2], lengths[3]) > 100
    assert sum(len(found) >= 2 for found in spans) > len(spans) / 5
    neighbours = sum(a.end == b.start for found in spans for a, b in pairwise(found))
    assert neighbours > 100
    assert any(not found for found in spans)


def test_nine_of_ten_sentences_are_distinct(sample: list[Sentence]) -> None:
    assert len({sentence.text for sentence in sample}) > 0.9 * len(sample)


def test_two_thousand_sentences_show_nearly_every_word(sample: list[Sentence]) -> None:
    known = {token for sentence in sample[:2_000] for token in sentence.tokens}
    unseen = [token for s in generate(1_000, seed=1, split="test") for token in s.tokens if token not in known]
    assert len(known) > 500
    assert len(unseen) < 50  # of about 11,000
