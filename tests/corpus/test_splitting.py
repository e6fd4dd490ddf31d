"""Splits: what belongs together stays together, and a seed of their own decides."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.config import DataConfig, SplitConfig
from tagger.corpus.corpus import Corpus, cut_dev, load_corpus, read_corpus
from tagger.corpus.splitting import fold_rows, groups_of, split_files, split_rows
from tagger.errors import DataError, RecipeError
from tagger.text.sentence import Sentence

Documents = list[tuple[str | None, int]]


def sentences_of(documents: Documents) -> list[Sentence]:
    """The sentences of documents, each a word with the number of its sentence."""
    names = [name for name, size in documents for _ in range(size)]
    return [Sentence.from_tokens([str(i)], document=name) for i, name in enumerate(names)]


def rows_of(documents: Documents, **split: Any) -> dict[str, list[int]]:
    rows = split_rows(groups_of(sentences_of(documents), split.get("group")), SplitConfig(**split))
    return {name: found.tolist() for name, found in rows.items()}


def test_sentences_without_documents_are_cut_as_by_a_permutation_of_the_seed() -> None:
    order = np.random.default_rng(1).permutation(50)  # as in released versions, with which results were published
    wanted = {"dev": sorted(order[:5]), "test": sorted(order[5:15]), "train": sorted(order[15:])}
    assert rows_of([(None, 50)], dev=0.1, test=0.2) == {name: wanted[name] for name in ("train", "dev", "test")}
    assert rows_of([(None, 7)], every=3, test=2) == {"train": [0, 1, 3, 4, 6], "dev": [], "test": [2, 5]}


def test_without_shuffling_the_end_of_a_file_is_test_and_what_is_before_it_dev() -> None:
    documents: Documents = [(f"d{i}", 2) for i in range(10)]
    split = {"dev": 0.1, "test": 0.2, "shuffle": False}
    assert rows_of(documents, **split) == {"train": [*range(14)], "dev": [14, 15], "test": [*range(16, 20)]}
    assert rows_of([(None, 10)], **split) == {"train": [*range(7)], "dev": [7], "test": [8, 9]}
    assert rows_of(documents, dev=0.3, shuffle=False)["dev"] == [*range(14, 20)]
    with pytest.raises(ValueError, match="`shuffle` is for shares alone, got `every` too"):
        SplitConfig(every=2, dev=0, shuffle=False)


@given(st.lists(st.integers(1, 30), min_size=3, max_size=40), st.integers(0, 5))
def test_no_document_is_in_two_splits_and_shares_are_as_near_as_documents_allow(sizes: list[int], seed: int) -> None:
    documents: Documents = [(f"d{i}", size) for i, size in enumerate(sizes)]
    rows = rows_of(documents, dev=0.1, test=0.2, seed=seed)
    names = [sentence.document for sentence in sentences_of(documents)]
    parts = {name: {names[row] for row in found} for name, found in rows.items()}
    assert sorted(row for found in rows.values() for row in found) == list(range(sum(sizes)))
    assert sum(map(len, parts.values())) == len(documents)
    assert all(parts.values())
    for name, share in (("dev", 0.1), ("test", 0.2)):
        assert abs(len(rows[name]) - share * sum(sizes)) <= max(sizes)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), min_size=5, max_size=40), st.integers(0, 5))
def test_each_sentence_is_in_one_fold_with_its_document_and_folds_are_about_even(
    sizes: list[tuple[bool, int]], seed: int
) -> None:
    sentences = sentences_of([(f"d{i}" if whole else None, size) for i, (whole, size) in enumerate(sizes)])
    found = fold_rows(sentences, 5, seed=seed)
    assert sorted(row for rows in found for row in rows.tolist()) == list(range(len(sentences)))
    documents = [{sentences[row].document for row in rows.tolist()} - {None} for rows in found]
    assert sum(map(len, documents)) == len({sentence.document for sentence in sentences} - {None})
    largest = max([size for whole, size in sizes if whole], default=1)
    assert max(map(len, found)) - min(map(len, found)) <= largest
    assert all((rows[1:] > rows[:-1]).all() for rows in found)


def test_folds_depend_on_the_seed_alone_and_may_cut_documents_only_if_asked() -> None:
    sentences = sentences_of([("a", 3), ("b", 3)])
    one, again, other = (
        [rows.tolist() for rows in fold_rows(sentences_of([(None, 30)]), 3, seed=seed)] for seed in (1, 1, 2)
    )
    assert one == again != other
    assert sorted(map(len, fold_rows(sentences, 4, group="sentence"))) == [1, 1, 2, 2]
    message = (
        "each document stays whole, so 3 folds need at least 3 of them, got 2 for 6 sentences; use fewer folds, or cut "
        'inside with group = "sentence"'
    )
    with pytest.raises(DataError) as refused:
        fold_rows(sentences, 3)
    assert str(refused.value) == message


def test_each_train_sentence_is_test_in_one_fold_and_the_named_test_split_is_not_used(tmp_path: Path) -> None:
    for name, number in (("train", 20), ("test", 3)):
        (tmp_path / f"{name}.conll").write_text("".join(f"{name}{i} O\n\n" for i in range(number)))
    files = {name: str(tmp_path / f"{name}.conll") for name in ("train", "test")}
    found = [
        load_corpus(**files, format="conll", columns=["token", "ner"], split={"dev": 0.1, "fold": [k, 3]})
        for k in (1, 2, 3)
    ]
    tested = [sentence.tokens[0] for corpus in found for sentence in corpus.test]
    kept = {sentence.tokens[0] for sentence in found[0].dev}
    assert len(tested) == 18
    assert {*tested} == {f"train{i}" for i in range(20)} - kept
    for corpus in found:
        words = [{sentence.tokens[0] for sentence in part} for part in corpus.splits().values()]
        assert sum(map(len, words)) == 20
        assert {sentence.tokens[0] for sentence in corpus.dev} == kept
    assert "fold 2 of 3 by seed 1: test is 6 of 18 train sentences, in place of the test split" in found[1].notes


def test_generated_sentences_may_have_a_seed_of_their_own() -> None:
    one, other = (load_corpus(format="synthetic", sentences=5, seed=seed).train for seed in (1, 2))
    assert one != other
    config = DataConfig(format="synthetic", sentences=5, seed=2)
    assert read_corpus(config, seed=1).train == other


def test_documents_may_be_in_pieces_and_sentences_between_them_are_alone() -> None:
    documents: Documents = [("a", 2), (None, 1), ("b", 2), ("a", 1), (None, 1)]
    assert rows_of(documents, every=4, dev=0, test=1) == {"train": [3, 4, 6], "dev": [0, 1, 5], "test": [2]}
    assert rows_of(documents, every=7, test=1, group="sentence")["test"] == [1]


def test_one_document_is_not_cut_and_the_error_says_what_to_do() -> None:
    message = (
        "each document stays whole, so cutting dev from train needs at least 2 of them, got 1 for 9 sentences; name "
        'other files for dev, or cut inside: split = { dev = 0.1, group = "sentence" }'
    )
    with pytest.raises(DataError) as error:
        cut_dev(Corpus(sentences_of([("a", 9)])))
    assert str(error.value) == message
    assert len(rows_of([("a", 9)], dev=0.1, group="sentence")["dev"]) == 1
    with pytest.raises(DataError, match="needs at least 3 of them, got 2"):
        rows_of([("a", 9), ("b", 1)], dev=0.1, test=0.1)


def tickets(folder: Path, number: int = 30) -> Path:
    """Records of ten tickets, each of a first and a second sentence."""
    rows = [
        {"id": 100 + i, "ticket_id": i % 10, "text": f"Ticket {i} is open. It waits.", "label": []}
        for i in range(number)
    ]
    path = folder / "tickets.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_records_with_one_value_of_the_group_stay_together(tmp_path: Path) -> None:
    split = {"dev": 0.2, "test": 0.2, "group": "ticket_id"}
    corpus = load_corpus(train=tickets(tmp_path), format="jsonl", split=split)
    found = {name: {(s.record or {})["ticket_id"] for s in part} for name, part in corpus.splits().items()}
    assert {name: len(values) for name, values in found.items()} == {"train": 6, "dev": 2, "test": 2}
    assert len(set().union(*found.values())) == 10
    assert (
        "cut 12 sentences of 2 values of `ticket_id` for dev and 12 sentences of 2 values of `ticket_id` for test "
        "from train by seed 1" in corpus.notes
    )


def test_records_are_documents_with_their_ids_and_are_cut_whole(tmp_path: Path) -> None:
    corpus = load_corpus(train=tickets(tmp_path), format="jsonl", split={"test": 0.1})
    assert [sentence.document for sentence in corpus.test[::2]] == [sentence.document for sentence in corpus.test[1::2]]
    assert {str(s.document) for part in corpus.splits().values() for s in part} == {str(100 + i) for i in range(30)}
    assert "cut 6 sentences of 3 documents for test from train by seed 1" in corpus.notes


def test_equal_texts_stay_together_if_they_are_the_group() -> None:
    sentences = [Sentence.from_tokens([word]) for word in ["a", "b", "a", "c", "b", "d"]]
    assert groups_of(sentences, "text").ids.tolist() == [0, 1, 0, 2, 1, 3]
    spaced = [*sentences, replace(sentences[0], text=" a ", offsets=((1, 2),))]
    assert groups_of(spaced, "text").ids.tolist()[-1] == 0


def test_group_of_a_column_file_is_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("".join(f"# ticket = {i // 3}\nw{i} O\n\n" for i in range(12)), encoding="utf-8")
    split = {"every": 4, "test": 3, "group": "ticket"}
    corpus = load_corpus(train=path, format="conll", columns=["token", "ner"], split=split)
    assert [sentence.tokens[0] for sentence in corpus.test] == ["w9", "w10", "w11"]


def test_missing_group_is_named_with_its_place_and_the_keys_that_exist(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"tickets\.jsonl:1: every record must have a value under `ticket`.*`ticket_id`"
    ):
        load_corpus(train=tickets(tmp_path), format="jsonl", split={"dev": 0.1, "group": "ticket"})


def test_seed_of_load_corpus_is_for_generated_sentences_alone(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="`seed` is for format"):
        load_corpus(train=tickets(tmp_path), format="jsonl", seed=3)


def test_notes_say_what_was_cut_at_random() -> None:
    splits, notes = split_files({"train": [sentences_of([(None, 20)])]}, SplitConfig(dev=0.1, seed=4))
    assert (len(splits["dev"]), notes) == (2, ["cut 2 sentences for dev from train by seed 4"])
