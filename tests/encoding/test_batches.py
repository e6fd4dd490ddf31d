"""Batches equal a slow reference that looks at one sentence at a time, and lose no sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.encoding.batches import (
    MISSING,
    TAG_PAIRS,
    batches_by_length,
    encode,
    most_rows,
    ranges,
    shuffled_batches,
)
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer

LAYERS: dict[str, Scheme | None] = {"ner": "bioes", "upos": None, "mood": None}
WORDS = ["a", "B", "cat", "Über", "x1", "x2", "the"]


@st.composite
def sentences(draw: st.DrawFn) -> list[Sentence]:
    """Sentences of which some lack some layers; the first has all."""
    found = []
    for i in range(draw(st.integers(1, 6))):
        words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5))
        tags = draw(st.lists(st.sampled_from(["O", "B-X", "B-Y"]), min_size=len(words), max_size=len(words)))
        layers: dict[str, TagLayer | Label] = {
            "ner": TagLayer(tuple(tags), "iob2"),
            "upos": TagLayer(tuple(word.upper() for word in words)),
            "mood": Label(draw(st.sampled_from(["good", "bad"]))),
        }
        kept = {name: layer for name, layer in layers.items() if i == 0 or draw(st.booleans())}
        found.append(Sentence.from_tokens(words, kept))
    return found


@given(sentences())
def test_batch_equals_a_slow_reference(corpus: list[Sentence]) -> None:
    vocabulary = build_vocabulary(pack(corpus), layers=LAYERS)
    rows = np.random.default_rng(len(corpus)).permutation(len(corpus))[: max(1, len(corpus) - 1)]
    batch = encode(pack(corpus), vocabulary, LAYERS).batch(rows)
    chosen = [corpus[row] for row in rows]
    width = max(len(sentence) for sentence in chosen)
    assert batch.lengths.tolist() == [len(sentence) for sentence in chosen]
    assert batch.num_tokens == sum(len(sentence) for sentence in chosen)
    assert batch.type_ids.shape == (len(chosen), width)
    assert len(batch.word_ids) == len({token for sentence in chosen for token in sentence.tokens})
    starts = np.concatenate([[0], np.cumsum(batch.char_lengths)])
    assert len(batch.char_ids) == starts[-1]
    ids = {layer: {name: i for i, name in enumerate(names)} for layer, names in vocabulary.labels.items()}
    for i, sentence in enumerate(chosen):
        padding = [MISSING] * (width - len(sentence))
        for j, token in enumerate(sentence.tokens):
            type_id = batch.type_ids[i, j]
            assert batch.word_ids[type_id] == vocabulary.word_id(token)
            chars = batch.char_ids[starts[type_id] : starts[type_id + 1]]
            assert chars.tolist() == vocabulary.char_ids([token]).tolist()
        assert (batch.type_ids[i, len(sentence) :] == 0).all()
        for layer, scheme in (("ner", "bioes"), ("upos", None)):
            gold = [MISSING] * len(sentence)
            if layer in sentence.layers:
                gold = [ids[layer][tag] for tag in sentence.tags(layer, scheme=scheme)]
            assert batch.targets[layer][i].tolist() == gold + padding
        label = ids["mood"][sentence.label("mood").value] if "mood" in sentence.layers else MISSING
        assert batch.targets["mood"][i] == label


def test_sentences_are_encoded_without_targets_where_none_are_wanted() -> None:
    corpus = [Sentence.from_tokens(["new", "words"])]
    vocabulary = build_vocabulary(pack([Sentence.from_tokens(["a"])]), layers={})
    batch = encode(pack(corpus), vocabulary).batch(np.array([0]))
    assert (dict(batch.targets), batch.word_ids.tolist()) == ({}, [0, 0])


@given(st.lists(st.integers(1, 40), max_size=200), st.integers(1, 8), st.integers(0, 3))
def test_each_sentence_is_in_one_shuffled_batch(lengths: list[int], size: int, seed: int) -> None:
    batches = shuffled_batches(np.array(lengths, np.int64), size, np.random.default_rng(seed))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(0 < len(batch) <= size for batch in batches)


def test_shuffled_batches_differ_by_epoch_agree_by_seed_and_pad_little() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, size=3000)
    rng = np.random.default_rng(1)
    first, second = shuffled_batches(lengths, 16, rng), shuffled_batches(lengths, 16, rng)
    again = shuffled_batches(lengths, 16, np.random.default_rng(1))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in again]
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]
    padded = sum(len(batch) * lengths[batch].max() for batch in first)
    assert padded < 1.15 * lengths.sum()  # unsorted batches of 16 would be near twice the tokens
    means = [lengths[batch].mean() for batch in first]
    assert means != sorted(means)


@given(st.lists(st.integers(0, 40), max_size=100), st.integers(1, 100), st.integers(1, 20))
def test_each_sentence_with_tokens_is_in_one_batch_by_length(
    lengths: list[int], max_tokens: int, max_rows: int
) -> None:
    array = np.array(lengths, np.int64)
    batches = list(batches_by_length(array, max_tokens, max_rows=max_rows))
    assert sorted(row for batch in batches for row in batch) == [i for i, n in enumerate(lengths) if n]
    for batch in batches:
        assert len(batch) == 1 or len(batch) * array[batch].max() <= max_tokens
        assert len(batch) <= max_rows


def test_batches_by_length_are_as_large_as_they_may_be() -> None:
    batches = list(batches_by_length(np.array([2, 2, 2, 2, 5, 9]), 6))
    assert [batch.tolist() for batch in batches] == [[0, 1, 2], [3], [4], [5]]
    batches = list(batches_by_length(np.array([2, 2, 2, 2, 5, 9]), 6, max_rows=2))
    assert [batch.tolist() for batch in batches] == [[0, 1], [2, 3], [4], [5]]


@pytest.mark.parametrize("n_best", [0, 1, 5])
@pytest.mark.parametrize("num_tags", [1, 37, 1201, 10_000])
def test_a_batch_has_a_bounded_number_of_pairs_of_tags(num_tags: int, n_best: int) -> None:
    rows = most_rows(num_tags, n_best=n_best)
    assert rows == 1 or rows * num_tags**2 * max(1, n_best) <= TAG_PAIRS
    assert rows * num_tags**2 * max(1, n_best) > TAG_PAIRS / 2


@pytest.mark.parametrize(
    ("starts", "lengths", "expected"),
    [([5, 0, 2], [2, 0, 3], [5, 6, 2, 3, 4]), ([], [], []), ([3], [1], [3])],
)
def test_ranges_stand_one_behind_the_other(starts: list[int], lengths: list[int], expected: list[int]) -> None:
    found = ranges(np.array(starts, np.int64), np.array(lengths, np.int64))
    assert found.tolist() == expected
