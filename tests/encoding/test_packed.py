"""Sentences as arrays, held against the same sentences as objects."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.corpus.synthetic import generate
from tagger.encoding import packed as packed_arrays
from tagger.encoding import tag_arrays
from tagger.encoding.batches import encode
from tagger.encoding.packed import Packed, first_positions, pack
from tagger.encoding.tag_arrays import MISSING
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import DataError
from tagger.text.schemes import Boundary, Scheme, convert_tags, spans_to_tags
from tagger.text.sentence import Label, Sentence, TagLayer, Values

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")


def make_sentence(words: str, **layers: TagLayer | Label) -> Sentence:
    return Sentence.from_tokens(words.split(), layers)


def contents(packed: Packed) -> list[object]:
    """The words and names of each sentence, read back out of the arrays."""
    rows: list[object] = []
    for i, (start, end) in enumerate(zip(packed.starts[:-1], packed.starts[1:], strict=True)):
        found = {"words": [packed.types[j] for j in packed.type_ids[start:end]]}
        for name, layer in packed.layers.items():
            ids = layer.ids[i : i + 1] if layer.is_label else layer.ids[start:end]
            found[name] = [layer.names[j] if j != MISSING else "" for j in ids]
        rows.append(found)
    return rows


SENTENCES = [
    make_sentence("a b a", pos=TagLayer(("X", "Y", "X"))),
    make_sentence("c", mood=Label("glad")),
    make_sentence("b d", pos=TagLayer(("Y", "Z")), mood=Label("sad")),
]
ROWS = [
    {"words": ["a", "b", "a"], "pos": ["X", "Y", "X"], "mood": [""]},
    {"words": ["c"], "pos": [""], "mood": ["glad"]},
    {"words": ["b", "d"], "pos": ["Y", "Z"], "mood": ["sad"]},
]


def test_arrays_hold_words_and_layers_and_where_there_are_none() -> None:
    packed = pack(iter(SENTENCES))
    assert contents(packed) == ROWS
    assert packed.types == ["a", "b", "c", "d"]
    assert packed.counts() == Counter(a=2, b=2, c=1, d=1)
    assert contents(pack([])) == []


def test_layer_of_two_kinds_is_refused() -> None:
    with pytest.raises(
        DataError, match="layer `x` must have tags in all sentences, labels in all or numbers in all, got several"
    ):
        pack([make_sentence("a", x=Label("y")), make_sentence("a", x=TagLayer(("y",)))])


def test_what_was_saved_is_mapped_and_the_same(tmp_path: Path) -> None:
    packed = pack(SENTENCES)
    packed.save(tmp_path)
    loaded = Packed.load(tmp_path)
    assert contents(loaded) == ROWS
    assert isinstance(loaded.type_ids, np.memmap)


@given(st.sets(st.integers(0, 39)))
def test_selected_rows_are_as_if_no_other_had_been_there(rows: set[int]) -> None:
    sentences = list(generate(40, seed=2, split="train"))
    chosen = sorted(rows)
    selected, wanted = pack(sentences).select(np.array(chosen, np.int64)), pack([sentences[i] for i in chosen])
    assert selected.types == wanted.types
    assert selected.type_ids.tolist() == wanted.type_ids.tolist()
    assert selected.starts.tolist() == wanted.starts.tolist()
    if rows:
        assert contents(selected) == contents(wanted)


@given(st.lists(st.integers(0, 4)))
def test_first_positions_are_where_an_id_comes_first(ids: list[int]) -> None:
    wanted = [ids.index(i) if i in ids else -1 for i in range(5)]
    assert first_positions(np.array(ids, np.int32), 5).tolist() == wanted


def pairs(sentences: list[Sentence]) -> set[object]:
    """Every two tags side by side, edges too, and every label."""
    found: set[object] = set()
    for sentence in sentences:
        for name, layer in sentence.layers.items():
            tags = (None, *layer.tags, None) if isinstance(layer, TagLayer) else (layer.value, None)
            found.update((name, *pair) for pair in pairwise(tags))
    return found


def test_telling_rows_are_few_and_have_every_pair_of_tags_and_every_label() -> None:
    sentences = [*generate(3000, seed=4, split="train"), make_sentence("Hm", rare=Label("once"))]
    rows = pack(sentences).telling_rows()
    assert pairs([sentences[i] for i in rows]) == pairs(sentences)
    assert len(rows) < 400


def test_arrays_that_are_read_in_parts_give_what_they_give_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = list(generate(300, seed=4, split="train"))
    partly = [
        replace(s, layers={"ner": replace(s.tag_layer("ner"), tags=(None, *s.tags("ner")[1:]))}) for s in sentences
    ]
    sentences = [*sentences, *partly, make_sentence("no tags here"), make_sentence("")]
    index = {tag: i for i, tag in enumerate(pack(sentences).layers["ner"].names)}

    def found() -> tuple[object, ...]:
        packed = pack(sentences)
        ids, sets = packed.targets("ner", index, "iob2")
        assert sets is not None
        return packed.counts(), packed.telling_rows(), packed.layers["ner"].counts(), ids.tolist(), sets.tolist()

    whole = found()
    monkeypatch.setattr(tag_arrays, "STRETCH", 7)
    monkeypatch.setattr(tag_arrays, "COUNTED", 5)
    monkeypatch.setattr(packed_arrays, "COUNTED", 5)
    assert found() == whole


@pytest.mark.parametrize("held", [1, 7, 2**20])
def test_arrays_in_a_folder_are_those_in_memory(held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = Values((0.5, None), whole=False)
    late = Sentence.from_tokens(["a", "b"], {"heat": numbers, "mood": Values((1.0, 2.0, 3.0), whole=True)})
    sentences = [make_sentence("no tags here"), *generate(40, seed=4, split="train"), late, make_sentence("")]
    monkeypatch.setattr(packed_arrays, "HELD", held)
    found, wanted = pack(sentences, room=tmp_path), pack(sentences)
    assert isinstance(found.type_ids, np.memmap)
    assert contents(found) == contents(wanted)
    for name in ("heat", "mood"):
        np.testing.assert_array_equal(found.numbers[name].values, wanted.numbers[name].values)


def test_packing_in_a_folder_needs_no_more_memory_for_more_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peak_memory: Callable[[Callable[[], object]], int]
) -> None:
    monkeypatch.setattr(packed_arrays, "HELD", 256)
    few = list(generate(50, seed=4, split="train"))

    def peak(times: int, room: Path | None) -> int:
        sentences = chain.from_iterable(few for _ in range(times))
        return peak_memory(lambda: pack(sentences, ["ner", "upos"], room=room))

    rooms = [tmp_path / name for name in ("warm", "few", "many")]
    for room in rooms:
        room.mkdir()
    peak(1, rooms[0])
    starts = 3 * 8 * len(few) * 80  # the only array in memory, and what it is made of
    assert peak(100, rooms[2]) < peak(20, rooms[1]) + starts
    assert peak(100, None) > peak(20, None) + 2 * starts  # as it is without the folder


@pytest.mark.parametrize("name", ["telling_rows", "counts", "batch"])
def test_what_reads_all_sentences_needs_no_more_memory_for_more_of_them(
    name: str, monkeypatch: pytest.MonkeyPatch, peak_memory: Callable[[Callable[[], object]], int]
) -> None:
    monkeypatch.setattr(tag_arrays, "STRETCH", 200)
    monkeypatch.setattr(tag_arrays, "COUNTED", 256)
    monkeypatch.setattr(packed_arrays, "COUNTED", 256)
    few = list(generate(200, seed=4, split="train"))

    def peak(times: int) -> int:
        packed = pack(few * times)
        encoded = encode(packed, build_vocabulary(packed, layers={}))
        rows = np.arange(0, len(few), 10)
        run = {"telling_rows": packed.telling_rows, "counts": packed.counts, "batch": lambda: encoded.batch(rows)}[name]
        run()  # the first run also loads modules
        return peak_memory(run)

    assert peak(50) < 1.1 * peak(5)


@st.composite
def spans_of_a_sentence(draw: st.DrawFn) -> tuple[int, list[Boundary]]:
    length = draw(st.integers(1, 8))
    borders = sorted(draw(st.sets(st.integers(0, length))))
    kept = [draw(st.sampled_from(["", "A", "B"])) for _ in borders[1:]]
    found = zip(kept, borders, borders[1:], strict=False)
    return length, [Boundary(kind, start, end) for kind, start, end in found if kind]


@given(st.lists(spans_of_a_sentence(), min_size=1), st.sampled_from(SCHEMES), st.sampled_from(SCHEMES))
def test_converted_ids_are_those_of_converted_tags(
    drawn: list[tuple[int, list[Boundary]]], source: Scheme, target: Scheme
) -> None:
    index = {tag: i for i, tag in enumerate(["O", *(f"{p}-{t}" for t in "AB" for p in "BIESLU")])}
    tags = [spans_to_tags(spans, length, source) for length, spans in drawn]
    sentences = [make_sentence("w " * len(row), ner=TagLayer(tuple(row))) for row in tags]
    packed = pack([*sentences, make_sentence("without tags")]).with_schemes({"ner": source})
    wanted = [index[tag] for row in tags for tag in convert_tags(row, source, target)]
    assert packed.targets("ner", index, target)[0].tolist() == [*wanted, MISSING, MISSING]


def test_layer_that_is_nowhere_has_no_targets() -> None:
    assert pack(SENTENCES).targets("ner", {}, None)[0].tolist() == [MISSING] * 6


def test_types_that_occur_in_no_selected_row_need_no_ids() -> None:
    sentences = [make_sentence("a", ner=TagLayer((tag,), "iob2")) for tag in ("B-X", "B-Y")]
    selected = pack(sentences).select(np.array([0]))
    assert selected.targets("ner", {"O": 0, "S-X": 1, "B-X": 2, "I-X": 3, "E-X": 4}, "bioes")[0].tolist() == [1]


def test_tags_in_several_schemes_are_converted_to_the_first() -> None:
    layers = [TagLayer(("B-X", "I-X"), "iob2"), TagLayer(("S-X", "S-X"), "bioes")]
    packed = pack([make_sentence("a b", ner=layer) for layer in layers])
    assert packed.layers["ner"].scheme == "iob2"
    assert [packed.layers["ner"].names[i] for i in packed.layers["ner"].ids] == ["B-X", "I-X", "B-X", "B-X"]


@pytest.mark.parametrize("number", [1, 126, 127, 128, 129, 32766, 32767, 32768])
def test_targets_are_exact_in_the_smallest_type_that_holds_them(number: int) -> None:
    names = tuple(f"t{i}" for i in range(number))
    packed = pack([Sentence.from_tokens(["w"] * number, {"pos": TagLayer(names)}), make_sentence("no tags")])
    targets, sets = packed.targets("pos", {name: i for i, name in enumerate(names)}, None)
    assert targets.tolist() == [*range(number), MISSING, MISSING]
    assert sets is None
    assert targets.itemsize == (1 if number < 128 else 2 if number < 32768 else 4)


@pytest.mark.parametrize("number", [30, 31, 32, 33])
def test_targets_of_many_types_are_exact_in_another_scheme(number: int) -> None:
    tags = tuple(f"B-{i}" for i in range(number))
    packed = pack([Sentence.from_tokens(["w"] * number, {"ner": TagLayer(tags, "iob2")})])
    index = {tag: i for i, tag in enumerate(["O", *(f"{p}-{i}" for i in range(number) for p in "BIES")])}
    targets, _ = packed.targets("ner", index, "bioes")
    assert targets.tolist() == [index[f"S-{i}"] for i in range(number)]
