"""Tags change, and nothing else: over random dialects of column files, and byte for byte on the real ones."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers import parse_conll

from tagger.conversion.layout import read_layout
from tagger.conversion.options import Conversion
from tagger.conversion.retag import Retagged, retag
from tagger.errors import DataError
from tagger.files.reading import decode_lines
from tagger.text.schemes import Boundary, Scheme, spans_to_tags

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")
BOM = b"\xef\xbb\xbf"


class Output(NamedTuple):
    data: bytes
    done: Retagged


def retagged(data: bytes, target: Scheme, **options: Any) -> Output:
    parts: list[bytes] = []
    wanted = Conversion(to=target, **options)
    done = retag(lambda: data.splitlines(keepends=True), parts.append, target, wanted, where="f")
    return Output(b"".join(parts), done)


def error_of(text: str, target: Scheme = "bioes", **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        retagged(text.encode(), target, **options)
    return str(caught.value)


@st.composite
def tag_sequences(draw: st.DrawFn) -> list[Boundary]:
    spans, position = [], 0
    for gap, length, name in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(["PER", "work-of-art"])), max_size=4)
    ):
        spans.append(Boundary(name, position + gap, position + gap + length))
        position += gap + length
    return spans


@st.composite
def files(draw: st.DrawFn, scheme: Scheme) -> bytes:
    """A valid column file in some dialect: tabs or blanks, CRLF or LF, comments, documents, a mark, no last end."""
    tabs = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n"]))
    behind = draw(st.booleans())  # a column behind the tags
    words = st.sampled_from(
        ["Ada", "é\u2028", "#", "#NFL", "B-52", "I-PER", "\u00a01", *(["New York", ""] if tabs else [])]
    )
    gaps = st.just("\t") if tabs else st.sampled_from([" ", "   "])
    around = st.sampled_from(["", " "])
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        spans = draw(tag_sequences())
        length = max((span.end for span in spans), default=0) + draw(st.integers(1, 2))
        lines += draw(st.lists(st.sampled_from(["-DOCSTART- O", "", " ", "\t", "# id = 1 B-PER O x"]), max_size=3))
        for tag in spans_to_tags(spans, length, scheme):
            last = [draw(gaps) + "X"] if behind else []
            word = draw(words) if "\n".join(lines).count("Ada") else "Ada"  # "# O" alone does not show its dialect
            lines.append("".join([word, draw(gaps), draw(around), tag, draw(around), *last]))
        lines.append(draw(st.sampled_from(["", " ", "\t \t"])))
    text = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    return draw(st.sampled_from([b"", BOM])) + text.encode()


@pytest.mark.parametrize("scheme", [*SCHEMES, "io"])
def test_own_scheme_is_the_same_bytes(scheme: Scheme) -> None:
    @given(files("iob1" if scheme == "io" else scheme))
    def check(data: bytes) -> None:
        source = data.replace(b"B-PER", b"I-PER").replace(b"B-work", b"I-work") if scheme == "io" else data
        output = retagged(source, scheme, scheme=scheme, column="2")
        assert output.data == source
        assert output.done.num_changed == 0

    check()


@given(files("iob1"))
def test_round_of_all_schemes_is_the_same_bytes(data: bytes) -> None:
    there = data
    for source, target in pairwise((*SCHEMES, "iob1")):
        there = retagged(there, target, scheme=source, column="2").data
    assert there == data


@pytest.mark.parametrize("target", SCHEMES)
def test_only_the_tags_are_others(target: Scheme) -> None:
    @given(files("iob2"))
    def check(data: bytes) -> None:
        output, done = retagged(data, target, scheme="iob2", column="2")
        width = read_layout(lambda: data.splitlines(keepends=True), None, "f").names
        columns = ["token", "ner", "x"][: len(width)]
        before, after = (
            parse_conll(list(decode_lines(part.splitlines(keepends=True), where="f")), columns, where="f")
            for part in (data, output)
        )
        assert [s.tokens for s in after] == [s.tokens for s in before]
        assert [s.meta for s in after] == [s.meta for s in before]
        changed = 0
        for old, new in zip(before, after, strict=True):
            spans = spans_of(old.tags("ner"))
            assert list(new.tags("ner")) == spans_to_tags(spans, len(old), target)
            changed += sum(a != b for a, b in zip(old.tags("ner"), new.tags("ner"), strict=True))
        assert (done.num_sentences, done.num_tags, done.num_changed) == (len(before), sum(map(len, before)), changed)

    check()


def spans_of(tags: Sequence[str]) -> list[Boundary]:
    """Entities of valid IOB2, by its definition."""
    starts = [i for i, tag in enumerate(tags) if tag.startswith("B-")]
    spans = []
    for start in starts:
        end = start + 1
        while end < len(tags) and tags[end].startswith("I-"):
            end += 1
        spans.append(Boundary(tags[start][2:], start, end))
    return spans


UNER = (
    "# sent_id = 1\n# text = Ada Lovelace i Oslo\n1\tAda\tB-PER\tB-PER#O\ts\n2\tLovelace\tI-PER\tI-PER#O\ts\n"
    "3\ti\tO\tO#O\ts\n4\tOslo\tB-LOC\tB-LOC#O\ts\n\n"
)


def test_tags_need_not_stand_in_the_last_column() -> None:
    output, done = retagged(UNER.encode(), "bioes")
    assert done.column == "column 3"
    assert output.decode() == UNER.replace("\tI-PER\t", "\tE-PER\t").replace("\tB-LOC\t", "\tS-LOC\t")


def test_last_column_with_a_scheme_is_changed_unless_another_is_named() -> None:
    text = "EU B-NP B-ORG x\nrules I-NP O x\n"
    assert retagged(text.encode(), "bioes").data == b"EU B-NP S-ORG x\nrules I-NP O x\n"
    changed = b"EU B-NP B-ORG x\nrules E-NP O x\n"
    assert retagged(text.encode(), "bioes", column="2").data == changed
    names = ("token", "chunk", "ner", "_")
    assert retagged(text.encode(), "bioes", columns=names, column="chunk").data == changed


def test_column_of_outside_tags_alone_gives_way_to_one_with_entities() -> None:
    assert retagged(b"1\tEU\tB-ORG\tO\n", "bioes").data == b"1\tEU\tS-ORG\tO\n"
    assert retagged(b"EU\tO\n", "bioes").data == b"EU\tO\n"


def test_range_without_a_tag_is_passed_over_in_numbered_lines() -> None:
    text = "#text = im Haus\n1-2\tim\t_\n1\ti\tB-X\n2\tdem\tI-X\n2.1\tx\t_\n3\tHaus\tI-X\n"
    assert retagged(text.encode(), "bilou").data.decode() == text.replace("Haus\tI", "Haus\tL")


def test_tag_of_a_range_is_an_error() -> None:
    assert error_of("1-2\tim\tB-X\n1\ti\tO\n2\tdem\tO\n") == (
        "f:1: a range (3-4) or an empty node (8.1) must have no tag; move the tag to the words"
    )


def test_token_that_looks_like_a_range_is_a_token() -> None:
    assert retagged(b"1 x B-X\n3-4 x I-X\n", "bioes").data == b"1 x B-X\n3-4 x E-X\n"
    assert retagged(b"1 B-X\n3-4 I-X\n", "bioes").data == b"1 B-X\n3-4 E-X\n"


ERRORS = {
    "columns": (
        "a B-X\nb\n\nc O O\n",
        {},
        "f:2: must have 2 columns, got 1: 'b'\nf:4: must have 2 columns, got 3: 'c O O'",
    ),
    "no scheme": (
        "a NOUN\nb VERB\n",
        {},
        "f: a column must hold tags such as B-PER and O, got none; name it with --column",
    ),
    "named column without tags": (
        "a B-X\nb O\n",
        {"column": "1"},
        "f: column 1 must hold tags such as B-PER and O, got 'a' in line 1",
    ),
    "no such column": ("a O\n", {"column": "3"}, "f: --column must be a number from 1 to 2, got '3'"),
    "no such name": (
        "a O\n",
        {"columns": ("token", "ner"), "column": "pos"},
        "f: --column must be a number from 1 to 2 or one of ner, got 'pos'",
    ),
    "unknown": (
        "a B-X\nb typo\nc O\n",
        {},
        "f:2: tag 'typo' is not a valid IOB2 tag (B-, I-, O); fix the tag",
    ),
    "other scheme": (
        "a B-X\nb E-X\n",
        {"scheme": "iob2"},
        "f:2: tag 'E-X' is not a valid IOB2 tag (B-, I-, O); pass the scheme, such as bioes, if the file uses it",
    ),
    "empty tag": ("a\tB-X\nb\tO\nc\t\n", {}, "f:3: tag '' is not a valid IOB2 tag (B-, I-, O); fix the tag"),
    "only comments": (
        "\n \n",
        {},
        "f: the file must hold at least one sentence, got only comments and blank lines; check the path",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_wrong_file_is_reported_by_line(name: str) -> None:
    text, options, sentence = ERRORS[name]
    assert error_of(text, **options) == sentence


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DataError, match=r"^f:2: must be UTF-8, got byte 0xff"):
        retagged(b"a O\n\xff O\n", "bioes")


def test_invalid_tags_are_an_error_or_repaired_and_counted() -> None:
    text = "a I-X\nb I-X\n\nc B-X\nd I-Y\n"
    advice = "fix it, or repair it as conlleval does (--invalid repair)"
    assert error_of(text, scheme="iob2") == (
        f"f:1: tag 'I-X' after 'O' is not valid IOB2; {advice}\nf:5: tag 'I-Y' after 'B-X' is not valid IOB2; {advice}"
    )
    output, done = retagged(text.encode(), "iob2", scheme="iob2", repair=True)
    assert output == b"a B-X\nb I-X\n\nc B-X\nd B-Y\n"
    assert (done.num_repaired, done.num_changed) == (2, 2)


def test_io_cannot_hold_entities_side_by_side() -> None:
    text = "a B-X\nb B-X\nc I-X\nd B-Y\n"
    assert error_of(text, "io") == (
        "f:2: an entity of type 'X' directly follows another, which IO cannot express; "
        "choose another scheme, or merge them (--merge)"
    )
    output, done = retagged(text.encode(), "io", merge=True)
    assert output == b"a I-X\nb I-X\nc I-X\nd I-Y\n"
    assert done.num_merged == 1
    assert retagged(output, "bioes").data == b"a B-X\nb I-X\nc E-X\nd S-Y\n"


def test_what_was_done_is_said_in_a_line() -> None:
    assert str(retagged(b"a I-X\nb O\n", "bioes").done) == (
        "column 2: IOB1 (`B-` never occurs) to BIOES: 1 sentence, 2 tags, 1 changed"
    )


def test_memory_does_not_grow_with_the_file(streamed: Callable[..., Retagged]) -> None:
    done = streamed(lambda lines, write: retag(lines, write, "bioes", Conversion(to="bioes"), where="f"), 20_000)
    assert (done.num_sentences, done.num_changed) == (20_000, 20_000)


def converted(path: Path, target: Scheme, **options: Any) -> bytes:
    return retagged(path.read_bytes(), target, **options).data


@pytest.mark.parametrize("corpus", ["bc5cdr", "ncbi-disease"])
@pytest.mark.parametrize("split", ["train", "devel", "test"])
def test_published_iob2_and_bioes_are_converted_to_each_other(data_folder: Path, corpus: str, split: str) -> None:
    iob2, bioes = (data_folder / "ner" / corpus / scheme / f"{split}.tsv" for scheme in ("iob2", "bioes"))
    assert converted(iob2, "bioes") == bioes.read_bytes() + b"\n"  # the IOB2 files end with one blank line more
    assert converted(bioes, "iob2") + b"\n" == iob2.read_bytes()
    assert converted(bioes, "bioes") == bioes.read_bytes()


def test_wikigold_to_iob2_and_back_is_the_same_file(data_folder: Path) -> None:
    path = data_folder / "ner/wikigold/wikigold.conll.txt"
    there, done = retagged(path.read_bytes(), "iob2")
    assert (done.source, done.num_sentences, done.num_tags, done.num_changed) == ("iob1", 1696, 39007, 3558)
    assert retagged(there, "iob1").data == path.read_bytes()


@pytest.mark.parametrize(("split", "count"), [("train", 6), ("test", 1)])
def test_invalid_tags_of_danish_are_named(data_folder: Path, split: str, count: int) -> None:
    path = data_folder / f"ner/uner-danish/{split}.iob2"
    with pytest.raises(DataError) as caught:
        converted(path, "bioes")
    lines = path.read_text(encoding="utf-8").split("\n")
    told = str(caught.value).splitlines()
    assert len(told) == count
    for problem in told:
        tag = lines[int(problem.split(":")[1]) - 1].split("\t")[2]
        assert f"tag {tag!r} after" in problem
        assert tag.startswith("I-")
    assert retagged(path.read_bytes(), "iob2", repair=True).done.num_changed == count


@pytest.mark.parametrize("name", ["wnut17/wnut17train.conll", "uner-portuguese/dev.iob2", "snips/validate.bio"])
def test_real_files_come_back_from_all_schemes(data_folder: Path, name: str) -> None:
    data = there = (data_folder / "ner" / name).read_bytes()
    for target in ("bioes", "iob1", "bilou", "iob2"):
        there = retagged(there, target).data
    assert there == data


def test_unknown_tags_stay_and_tags_that_depend_on_them_become_unknown() -> None:
    lines = ["a B-X", "b ?", "c I-X", "d I-X", "e O", "f B-Y", "g O"]
    found = retagged("\n".join(lines).encode(), "bioes", unknown="?")
    assert found.data.decode().split("\n") == ["a ?", "b ?", "c I-X", "d E-X", "e O", "f S-Y", "g O"]
    back = retagged(found.data, "iob2", unknown="?")
    assert back.data.decode().split("\n") == ["a ?", "b ?", "c I-X", "d I-X", "e O", "f B-Y", "g O"]
    assert "not a valid" in error_of("\n".join(lines), "bioes", scheme="iob2")
