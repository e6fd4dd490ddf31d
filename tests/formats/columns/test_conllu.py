"""CoNLL-U: words are tokens, ranges and empty nodes are not, and bad lines are told together."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers import parse_conllu, parse_jsonl, read_conllu

from tagger.errors import DataError
from tagger.formats.columns.blocks import NO_SENTENCE
from tagger.formats.columns.conllu import FIELDS, conllu_lines
from tagger.formats.jsonl import sentence_to_json
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Sentence, TagLayer


def row(number: str, form: str = "w", *, upos: str = "NOUN", xpos: str = "_") -> str:
    return "\t".join([number, form, form.lower() or "_", upos, xpos, "_", "0", "root", "_", "_"])


def parse(*lines: str, layers: dict[str, str] | None = None) -> list[Sentence]:
    return parse_conllu(lines, layers, where="f")


def error_of(*lines: str, layers: dict[str, str] | None = None) -> str:
    with pytest.raises(DataError) as caught:
        parse(*lines, layers=layers)
    return str(caught.value)


def test_ranges_and_empty_nodes_are_no_tokens() -> None:
    lines = [
        row("0.1", "zero"),
        row("1-2", "du", upos="_"),
        row("1", "de", upos="ADP"),
        row("2", "le", upos="DET"),
        row("2.1", "e"),
    ]
    (sentence,) = parse("# text = du", *lines, row("10", "x", upos="X"))
    assert sentence.tokens == ("de", "le", "x")
    assert sentence.tags("upos") == ("ADP", "DET", "X")
    assert sentence.origin is not None
    assert [sentence.origin.at(i) for i in range(3)] == ["f:4", "f:5", "f:7"]


def test_layers_left_out_are_upos_and_xpos_where_they_are_filled() -> None:
    first, second = parse(row("1", xpos="NN"), "", row("1", upos="_"))
    assert set(first.layers) == {"upos", "xpos"}
    assert set(second.layers) == set()


def test_layers_are_fields_or_comments_under_any_name() -> None:
    lines = ["# intent = play", row("1", "Words", xpos="NNS")]
    (sentence,) = parse(*lines, layers={"pos": "xpos", "base": "lemma", "intent": "# intent", "mood": "# mood"})
    assert sentence.tags("pos") == ("NNS",)
    assert sentence.tags("base") == ("words",)
    assert sentence.label("intent") == Label("play")
    assert set(sentence.layers) == {"pos", "base", "intent"}


def test_layer_from_nowhere_is_reported_the_fields() -> None:
    assert error_of(row("1"), layers={"pos": "ups"}) == (
        f'f: layer `pos` must come from a CoNLL-U field ({", ".join(FIELDS)}) or a comment ("# key"), got "ups"'
    )


def test_named_layer_that_is_not_filled_has_underscores() -> None:
    assert parse(row("1"), layers={"xpos": "xpos"})[0].tags("xpos") == ("_",)


def test_comments_are_metadata_and_open_documents() -> None:
    sentences = parse(
        *("# newdoc id = d1", "# sent_id = 1", row("1"), ""),
        *("#sent_id = 2", row("1"), ""),
        *("# newdoc id = d2", "# sent_id = 3", row("1"), ""),
        *("# newdoc", row("1")),
    )
    assert [sentence.document for sentence in sentences] == ["d1", "d1", "d2", "1"]
    assert [sentence.meta.get("sent_id") for sentence in sentences] == ["1", "2", "3", None]


def test_form_may_be_a_hash_hold_a_blank_or_be_an_underscore() -> None:
    (sentence,) = parse(row("1", "#"), row("2", "10 000"), row("3", "_"))
    assert sentence.tokens == ("#", "10 000", "_")


def test_first_column_must_be_a_word_range_or_empty_node() -> None:
    assert error_of(row("1"), row("x"), row("1-"), row("01")).splitlines() == [
        "f:2: must start with a word number, a range (3-4) or an empty node (8.1), got 'x'",
        "f:3: must start with a word number, a range (3-4) or an empty node (8.1), got '1-'",
        "f:4: must start with a word number, a range (3-4) or an empty node (8.1), got '01'",
    ]


def test_sentence_must_have_a_word() -> None:
    assert error_of(row("1"), "", row("8.1")) == "f:3: a sentence must have a word"


def test_lines_must_have_ten_filled_columns() -> None:
    columns = "10 columns (id, form, lemma, upos, xpos, feats, head, deprel, deps, misc)"
    found = error_of(row("1"), "2\tw\tw", row("3", ""), row("4").replace("\t", " "))
    assert found.splitlines() == [
        f"f:2: must have {columns}, got 3: '2\\tw\\tw'",
        "f:3: column `form` must not be empty: '3\\t\\t_\\tNOUN\\t_\\t_\\t0\\troot\\t_\\t_'",
        f"f:4: must have {columns}, got 1: '4 w w NOUN _ _ 0 root _ _'",
    ]


def test_file_of_comments_has_no_sentence() -> None:
    assert error_of("# a", "", "# b") == f"f: {NO_SENTENCE}"


def test_label_comment_without_a_value_is_a_bad_line() -> None:
    assert error_of("# intent", row("1"), layers={"intent": "# intent"}) == (
        "f:2: the comment `# intent` above must have a value: `# intent = value`"
    )


def test_file_is_read_from_disk_with_crlf(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_bytes(f"# x = 1\r\n{row('1', 'Ä')}\r\n\r\n".encode())
    (sentence,) = read_conllu(path)
    assert (sentence.tokens, sentence.meta) == (("Ä",), {"x": "1"})


def with_misc(number: str, form: str, misc: str = "_") -> str:
    return f"{row(number, form)[:-1]}{misc}"


@pytest.mark.parametrize(
    ("rows", "text", "offsets"),
    [
        ("1/a; 2/b", "a b", [(0, 1), (2, 3)]),
        ("1/a/SpaceAfter=No; 2/,; 3/b/SpaceAfter=No", "a, b", [(0, 1), (1, 2), (3, 4)]),
        ("1/a/X=1|SpaceAfter=No|Y=2; 2/.", "a.", [(0, 1), (1, 2)]),
        ("1/a/SpaceAfter=Yes; 2/b/CorrectSpaceAfter=No; 3/c", "a b c", [(0, 1), (2, 3), (4, 5)]),
        (r"1/a/SpacesAfter=\s\s\n; 2/b", "a  \nb", [(0, 1), (4, 5)]),
        (r"1/a/SpacesAfter=\u00A0; 2/b", "a\u00a0b", [(0, 1), (2, 3)]),
        (r"1/a/SpacesAfter=\p\\\x; 2/b", "a|\\\\xb", [(0, 1), (5, 6)]),
        ("1-2/don't; 1/do; 2/n't; 3/x", "don't x", [(0, 2), (2, 5), (6, 7)]),
        ("1-2/du/SpaceAfter=No; 1/de; 2/le; 3/x", "dux", [(0, 2), (0, 2), (2, 3)]),
        ("1-2/du; 1/de/SpaceAfter=No; 1.1/e; 2/le; 3/x", "du x", [(0, 2), (0, 2), (3, 4)]),
        ("1/a; 1.1/ghost/SpaceAfter=No; 2/b", "a b", [(0, 1), (2, 3)]),
        ("1/10 000; 2/👍🏽; 3/b", "10 000 👍🏽 b", [(0, 6), (7, 9), (10, 11)]),
        ("9/a; 2/b; 2-1/c; 2/d", "a b c d", [(0, 1), (2, 3), (6, 7)]),
    ],
)
def test_text_and_offsets_are_those_of_words_and_ranges(rows: str, text: str, offsets: list[tuple[int, int]]) -> None:
    (sentence,) = parse(*(with_misc(*fields.split("/")) for fields in rows.split("; ")))
    assert (sentence.text, list(sentence.offsets)) == (text, offsets)


def test_text_that_is_not_as_its_comment_says_is_counted() -> None:
    tally = Tally()
    lines = ["# text = a b", row("1", "a"), row("2", "b"), "", "# text = c", row("1", "d"), "", row("1", "e")]
    sentences = parse_conllu(lines, tally=tally, where="f")
    assert [sentence.text for sentence in sentences] == ["a b", "d", "e"]
    assert tally.notes() == ["kept the text of the tokens in 1 sentence with another `# text`, the first at f:6"]


def test_words_of_one_surface_come_back_from_json() -> None:
    (sentence,) = parse(row("1", "x"), row("2-3", "du"), row("2", "de"), row("3", "le"), row("4", "y"))
    assert sentence.offsets == ((0, 1), (2, 4), (2, 4), (5, 6))
    (again,) = parse_jsonl([json.dumps(sentence_to_json(sentence))], where="f")
    assert (again.tokens, again.text, again.offsets) == (sentence.tokens, sentence.text, sentence.offsets)


@pytest.mark.parametrize(
    ("corpus", "sentences"), [("ud-english-atis", 5432), ("ud-english-ewt", 16622), ("ud-french-sequoia", 3099)]
)
def test_text_of_every_sentence_of_a_treebank_is_its_comment(corpus: str, sentences: int, data_folder: Path) -> None:
    read = [s for path in sorted((data_folder / "pos" / corpus).glob("*.conllu")) for s in read_conllu(path)]
    assert sum(sentence.text == sentence.meta["text"] for sentence in read) == len(read) == sentences
    assert all(len(sentence.offsets) == len(sentence) for sentence in read)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=4)
GAPS = st.sampled_from([" ", "", "  ", "\n", "\t \r", "\u00a0"])
VALUES = st.text(st.sampled_from("ab=# |\\_é"), max_size=4).map(str.strip)
KEYS = st.sampled_from(["sent_id", "a b", "x"])


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """A sentence that CoNLL-U can say: words with white space between, and words that share a surface."""
    text, tokens, offsets = "", list[str](), list[tuple[int, int]]()
    for i in range(draw(st.integers(1, 4))):
        text += draw(GAPS) if i else ""
        surface = draw(WORDS)
        words = draw(st.sampled_from([[surface], [surface], ["de", surface], ["\u0301", "le", "x"]]))
        if len(words) > 1 and "".join(words) == surface:
            words = [surface]
        offsets += [(len(text), len(text) + len(surface))] * len(words)
        tokens += words
        text += surface
    tags = {
        name: TagLayer(
            tuple(draw(st.lists(st.sampled_from(["_", "A", "B|c=d"]), min_size=len(tokens), max_size=len(tokens))))
        )
        for name in ("upos", "feats")
    }
    meta = draw(st.dictionaries(KEYS, VALUES, max_size=2))
    return Sentence(tuple(tokens), text, tuple(offsets), tags, meta, draw(st.sampled_from(["d1", "d 2"])))


@given(st.lists(sentences(), min_size=1, max_size=3))
def test_what_is_written_is_read_back_the_same(given_sentences: list[Sentence]) -> None:
    lines = list(conllu_lines(given_sentences, ["upos", "feats"]))
    found = parse_conllu(lines, {"upos": "upos", "feats": "feats"}, where="f")
    added = {"text", "newdoc id"}
    assert [
        replace(s, origin=None, meta={k: v for k, v in s.meta.items() if k not in added}) for s in found
    ] == given_sentences
    assert list(conllu_lines(found, ["upos", "feats"])) == lines


def test_layers_of_other_names_stay_out_and_white_space_goes_to_misc() -> None:
    sentence = Sentence(("a", "b", "c"), "ab  c", ((0, 1), (1, 2), (4, 5)), {"upos": TagLayer(("X", "Y", "Z"))})
    assert list(conllu_lines([replace(sentence, meta={"sent_id": "7"}, document="d")], ["upos"])) == [
        "# newdoc id = d",
        "# sent_id = 7",
        "# text = ab  c",
        "1\ta\t_\tX\t_\t_\t_\t_\t_\tSpaceAfter=No",
        "2\tb\t_\tY\t_\t_\t_\t_\t_\tSpacesAfter=\\s\\s",
        "3\tc\t_\tZ\t_\t_\t_\t_\t_\t_",
        "",
    ]


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (Sentence.from_tokens(["a\tb"]), "form 'a\\tb' must have no tab"),
        (Sentence.from_tokens(["a"], {"upos": TagLayer((" X",))}), "upos ' X' must have no tab"),
        (Sentence.from_tokens(["a"], meta={"x": "b\nc"}), "comment '# x = b\\nc' must have no line break"),
        (Sentence.from_tokens(["a"], meta={"x=y": "z"}), "comment '# x=y = z' must"),
        (Sentence(("a",), "a b", ((0, 1),)), "the text must be tokens and white space"),
        (Sentence(("de",), "du", ((0, 2),)), "the text must be tokens and white space"),
        (
            Sentence(("a", "b"), "ab", ((0, 1), (1, 2)), {"misc": TagLayer(("SpacesAfter=\\n", "_"))}),
            "misc 'SpacesAfter=\\\\n' must agree with the text",
        ),
    ],
)
def test_what_would_not_be_read_back_is_not_written(sentence: Sentence, message: str) -> None:
    with pytest.raises(DataError) as caught:
        list(conllu_lines([sentence], list(sentence.layers)))
    assert str(caught.value).startswith(message)


def test_sentence_behind_a_document_must_be_in_one() -> None:
    both = [Sentence.from_tokens(["a"], document="d"), Sentence.from_tokens(["b"])]
    with pytest.raises(DataError, match=r"^a sentence after document 'd' must be in a document"):
        list(conllu_lines(both, []))


def test_treebank_is_written_as_it_is_read(data_folder: Path) -> None:
    before = read_conllu(data_folder / "pos/ud-english-atis/en_atis-ud-dev.conllu", {name: name for name in FIELDS[2:]})
    after = parse_conllu(conllu_lines(before, FIELDS[2:]), {name: name for name in FIELDS[2:]}, where="f")
    assert [replace(sentence, origin=None) for sentence in after] == [replace(s, origin=None) for s in before]
