"""Column files: what is a token, a comment, a separator and a document, and what each bad line is told."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers import parse_conll, read_conll

from tagger.config import ReadingConfig
from tagger.conversion.writing import write_sentences
from tagger.errors import DataError
from tagger.formats.columns.blocks import NO_SENTENCE
from tagger.formats.columns.conll import read_conll as read_source
from tagger.formats.columns.conll_writing import conll_lines
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Origin, Sentence, TagLayer


def parse(text: str, columns: str = "token ner", **layers: str) -> list[Sentence]:
    return parse_conll(text.split("\n"), columns.split(), layers or None, where="f")


def error_of(text: str, columns: str = "token ner", **layers: str) -> str:
    with pytest.raises(DataError) as caught:
        parse(text, columns, **layers)
    return str(caught.value)


def tokens(sentences: list[Sentence]) -> list[tuple[str, ...]]:
    return [sentence.tokens for sentence in sentences]


@pytest.mark.parametrize("gap", ["\t", " ", "   ", " \t"])
def test_columns_stand_between_tabs_or_runs_of_blanks(gap: str) -> None:
    if gap == " \t":  # blanks beside a tab belong to the field
        assert parse(f"a{gap}O")[0].tokens == ("a ",)
        return
    (sentence,) = parse(f"Ada{gap}B-PER\nsaw{gap}O")
    assert sentence.tokens == ("Ada", "saw")
    assert sentence.tags("ner") == ("B-PER", "O")


def test_token_of_a_file_with_tabs_may_hold_blanks() -> None:
    assert tokens(parse("New York\tO\n1 000\tO")) == [("New York", "1 000")]


def test_no_break_space_is_part_of_a_token() -> None:
    assert tokens(parse("1\u00a0000 O")) == [("1\u00a0000",)]


@pytest.mark.parametrize("separator", ["", " ", "\t", " \t ", "\n\n", "\t\n"])
@pytest.mark.parametrize("gap", ["\t", " "])
def test_separator_lines_may_hold_white_space(separator: str, gap: str) -> None:
    assert tokens(parse(f"a{gap}O\n{separator}\nb{gap}O")) == [("a",), ("b",)]


def test_lines_are_remembered_for_each_token() -> None:
    first, second = parse("# a comment\n\na O\nb O\n\n\nc O")
    assert first.origin is not None
    assert second.origin is not None
    assert (first.origin.at(0), first.origin.at(1), second.origin.at(0)) == ("f:3", "f:4", "f:7")


@pytest.mark.parametrize("opening", ["-DOCSTART- O", "-DOCSTART-", "-DOCSTART- -X- O O", "-DOCSTART-\tO"])
@pytest.mark.parametrize("gap", ["\t", " "])
def test_docstart_opens_a_document_and_is_no_token(opening: str, gap: str) -> None:
    sentences = parse(f"{opening}\n\na{gap}O\n\nb{gap}O\n{opening}\nc{gap}O")
    assert [(sentence.tokens, sentence.document) for sentence in sentences] == [
        (("a",), "1"),
        (("b",), "1"),
        (("c",), "2"),
    ]


def test_comment_newdoc_opens_a_document_and_is_written_back_alone(tmp_path: Path) -> None:
    text = "# newdoc id = x\na\tO\n\nb\tO\n\n# newdoc\nc\tO\n\n-DOCSTART-\tO\n\nd\tO\n\n"
    sentences = parse(text)
    assert [sentence.document for sentence in sentences] == ["x", "x", "1", "2"]
    write_sentences(tmp_path / "a", sentences, format="conll", layers=["ner"])
    assert (tmp_path / "a").read_text() == text


def test_file_without_docstart_has_no_documents() -> None:
    assert [sentence.document for sentence in parse("a O\n\nb O")] == [None, None]


def test_comments_before_the_first_token_are_metadata() -> None:
    first, second = parse("# sent_id = 7\n# text = a = b\n# newpar\na\tO\n\nb\tO")
    assert first.meta == {"sent_id": "7", "text": "a = b", "newpar": ""}
    assert (first.tokens, second.meta) == (("a",), {})


def test_second_comment_of_a_key_is_kept_whole() -> None:
    (sentence,) = parse("# note = one\n# note = two\n# = x\na\tO")
    assert sentence.meta == {"note": "one", "note = two": "", "= x": ""}


@pytest.mark.parametrize("line", ["#NFL\tO", "#\tO", "# \tO", "##\tB-X"])
def test_hash_may_be_a_token_of_a_file_with_tabs(line: str) -> None:
    word = line.split("\t")[0]
    assert tokens(parse(f"a\tO\n\n{line}\n{line}")) == [("a",), (word, word)]


def test_hash_with_the_columns_of_a_token_is_a_token() -> None:
    assert tokens(parse("# O\n1 O\n\na O\n# O")) == [("#", "1"), ("a", "#")]
    assert tokens(parse("# this is a comment\n# O")) == [("#",)]


def test_first_tabs_may_stand_behind_comments_and_documents() -> None:
    assert tokens(parse("# made by hand\n-DOCSTART- O\n\nNew York\tO")) == [("New York",)]


def test_comment_behind_the_first_token_is_a_bad_line() -> None:
    assert error_of("a\tO\n# comment") == "f:2: must have 2 columns (token, ner), got 1: '# comment'"


def test_label_layers_are_read_from_comments() -> None:
    first, second = parse("# intent = play\na\tO\n\n# other = x\nb\tO", intent="# intent")
    assert first.label("intent") == Label("play")
    assert "intent" not in second.layers
    assert first.tags("ner") == ("O",)


def test_any_number_of_columns_in_any_order() -> None:
    (sentence,) = parse("x\t1\tA\tDT\tO\tz\ny\t2\tb\tNN\tB-X\tz", "_ index token xpos ner _")
    assert sentence.tokens == ("A", "b")
    assert set(sentence.layers) == {"xpos", "ner"}
    assert sentence.tags("xpos") == ("DT", "NN")
    many = [f"c{i}" for i in range(500)]
    (wide,) = parse(" ".join(["w", *many]), " ".join(["token", *many]))
    assert wide.tags("c499") == ("c499",)
    assert tokens(parse("a\nb\n\nc", "token")) == [("a", "b"), ("c",)]


def test_ignored_column_may_be_empty() -> None:
    assert tokens(parse("a\t\tO", "token _ ner")) == [("a",)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Berlin\tNNP", "f:2: must have 3 columns (token, pos, ner), got 2: 'Berlin\\tNNP'"),
        ("Berlin\tNNP\tO\tx", "f:2: must have 3 columns (token, pos, ner), got 4: 'Berlin\\tNNP\\tO\\tx'"),
        ("Berlin\tNNP\tO\t", "f:2: must have 3 columns (token, pos, ner), got 4: 'Berlin\\tNNP\\tO\\t'"),
        ("Berlin NNP O", "f:2: must have 3 columns (token, pos, ner), got 1: 'Berlin NNP O'"),
        ("Berlin\t\tO", "f:2: column `pos` must not be empty: 'Berlin\\t\\tO'"),
        ("Berlin\tNNP\t ", "f:2: column `ner` must not be empty: 'Berlin\\tNNP\\t '"),
        ("x" * 99, f"f:2: must have 3 columns (token, pos, ner), got 1: '{'x' * 57}...'"),
    ],
)
def test_bad_line_is_named_and_shown(line: str, sentence: str) -> None:
    assert error_of(f"In\tIN\tO\n{line}", "token pos ner") == sentence


@pytest.mark.parametrize("columns", ["token ner", "token _ ner"])
def test_plain_text_in_place_of_columns_is_called_so(columns: str) -> None:
    names = columns.replace(" ", ", ")
    assert error_of("Ada lives in Oslo.\nBob does not.\n\nReally?\n", columns) == (
        f"f: must have a token and its tags in each line ({names}), got plain text: 'Ada lives in Oslo.'; name a file "
        'with tags, or use format = "text" and a `teacher`'
    )


def test_all_bad_lines_are_reported_together() -> None:
    lines = error_of("a O\nb\n\nc O O\n" + "d\n" * 20).splitlines()
    assert lines[0] == "f:2: must have 2 columns (token, ner), got 1: 'b'"
    assert lines[1] == "f:4: must have 2 columns (token, ner), got 3: 'c O O'"
    assert lines[10] == "... and 12 more such problems"
    assert len(lines) == 11


@pytest.mark.parametrize("text", ["# only some\n# more comments\n", "-DOCSTART- O\n\n", "\n# x = 1\n\n"])
def test_file_without_a_sentence_is_refused(text: str) -> None:
    assert error_of(text) == f"f: {NO_SENTENCE}"


def test_label_layer_must_come_from_a_comment() -> None:
    advice = "a layer that has a column is named in `columns` alone"
    assert error_of("a O", intent="intent") == (
        f'f: layer `intent` must come from a comment, such as "# intent", got "intent"; {advice}'
    )
    assert error_of("a O", ner="# ner") == (
        f'f: layer `ner` must come from a comment, such as "# ner", got "# ner"; {advice}'
    )


def test_label_without_a_value_is_a_bad_line() -> None:
    assert error_of("# intent\na\tO\n\n# intent =\nb\tO", intent="# intent").splitlines() == [
        "f:2: the comment `# intent` above must have a value: `# intent = value`",
        "f:5: the comment `# intent` above must have a value: `# intent = value`",
    ]


def test_file_is_read_with_mark_crlf_and_no_end_of_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes("\ufeff# text = Ä\r\nÄ\tB-X\r\n\t\r\nb\tO".encode())
    first, second = read_conll(path, ["token", "ner"])
    assert (first.tokens, first.tags("ner"), first.meta) == (("Ä",), ("B-X",), {"text": "Ä"})
    assert (second.tokens, second.tags("ner")) == (("b",), ("O",))


def field_values(*, blanks: bool) -> st.SearchStrategy[str]:
    """Words as the writer takes them: no control characters, not only white space."""
    hard = st.sampled_from(["#", "# a", "##", "-", "a#", "\u00a0x", "Ä\u2028", "=", "'", "\u200b", "_"])
    words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r\0\ufeff"), min_size=1)
    kept = (words | hard).filter(lambda word: bool(word.strip()) and not word.startswith("-DOCSTART-"))
    return kept if blanks else kept.filter(lambda word: " " not in word)


@st.composite
def corpora(draw: st.DrawFn, layers: tuple[str, ...]) -> list[Sentence]:
    names = field_values(blanks=bool(layers))
    comments = st.dictionaries(st.sampled_from(["sent_id", "a text", "#"]), st.sampled_from(["", "7", "a = b", "# x"]))
    sentences, document = [], None
    for _ in range(draw(st.integers(1, 4))):
        words = draw(st.lists(names, min_size=1, max_size=4))
        tags = {layer: TagLayer(tuple(draw(names).strip() for _ in words)) for layer in layers}
        if draw(st.booleans()):
            document = str(int(document or 0) + 1)
        meta = draw(comments)
        meta = {k: v for k, v in meta.items() if v or k == "sent_id"} if "=" not in meta else {}
        meta.pop("note = 2", None)
        sentences.append(Sentence.from_tokens(words, tags, meta=meta, document=document))
    return sentences


@pytest.mark.parametrize("layers", [("ner",), ("pos", "ner"), ()])
def test_what_is_written_is_read_back_the_same(layers: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "out.conll"

    @given(corpora(layers))
    def check(sentences: list[Sentence]) -> None:
        write_sentences(path, sentences, format="conll", layers=layers)
        assert read_conll(path, ["token", *layers]) == sentences

    check()


def test_duplicate_comments_come_back_as_they_were(tmp_path: Path) -> None:
    sentences = parse("# note = one\n# note = two\n# = x\n# flag =\na\tO")
    write_sentences(tmp_path / "a", sentences, format="conll", layers=["ner"])
    assert read_conll(tmp_path / "a", ["token", "ner"]) == sentences


def test_labels_are_written_as_comments_and_read_back(tmp_path: Path) -> None:
    sentence = Sentence.from_tokens(["a"], {"ner": TagLayer(("O",)), "intent": Label("play it")})
    write_sentences(tmp_path / "a", [sentence], format="conll", layers=["ner", "intent"])
    assert (tmp_path / "a").read_text(encoding="utf-8") == "# intent = play it\na\tO\n\n"
    (again,) = read_conll(tmp_path / "a", ["token", "ner"], {"intent": "# intent"})
    assert again.layers == sentence.layers


def test_sentence_without_tokens_is_a_blank_line() -> None:
    empty = Sentence((), "", (), {"intent": Label("x"), "ner": TagLayer(())})
    assert list(conll_lines([empty], ["ner"])) == [""]


@pytest.mark.parametrize("token", ["a\tb", "a\nb", "a\r", "-DOCSTART-", "-DOCSTART- x"])
def test_token_that_would_not_be_read_back_is_not_written(token: str) -> None:
    with pytest.raises(DataError) as caught:
        list(conll_lines([Sentence.from_tokens([token], {"ner": TagLayer(("O",))})], ["ner"]))
    assert str(caught.value) == (
        f"token {token!r} must have no tab, no line break, not start with -DOCSTART- to be written in columns"
    )


def test_zero_byte_is_reported_as_the_cause_with_the_line_of_its_token() -> None:
    for tokens, tags, name in ((("a", "b\0"), ("O", "O"), "token"), (("a", "b"), ("O", "b\0"), "ner")):
        layers = {"ner": TagLayer(tags)}
        with pytest.raises(DataError) as caught:
            list(conll_lines([replace(Sentence.from_tokens(tokens, layers), origin=Origin("f", (3, 4)))], ["ner"]))
        assert str(caught.value) == (
            f"f:4: {name} 'b\\x00' must have no control character to be written in columns, got a zero byte; remove it"
        )


@pytest.mark.parametrize("token", ["", " ", "\u00a0"])
def test_token_without_a_visible_character_is_kept_between_tabs_and_never_written_alone(token: str) -> None:
    (sentence,) = parse(f"a\tO\n{token}\tO\nb\tB-X")
    assert sentence.tokens == ("a", token, "b")
    assert list(conll_lines([sentence], ["ner"])) == ["a\tO", f"{token}\tO", "b\tB-X", ""]
    with pytest.raises(DataError) as caught:
        list(conll_lines([sentence], []))
    assert str(caught.value) == (
        f"f:2: token {token!r} must have no tab, no line break and no blank, not start with -DOCSTART- and not be "
        "empty to be written in columns"
    )


def test_tag_that_would_not_be_read_back_is_not_written() -> None:
    with pytest.raises(DataError, match=r"^ner 'a\\tb' must have no tab"):
        list(conll_lines([Sentence.from_tokens(["a"], {"ner": TagLayer(("a\tb",))})], ["ner"]))


def test_blanks_around_a_tag_between_tabs_mean_nothing() -> None:
    (sentence,) = parse("a \tB-X \n b\t I-X")
    assert (sentence.tokens, sentence.tags("ner")) == (("a ", " b"), ("B-X", "I-X"))


def test_tag_with_a_blank_at_its_end_is_not_written() -> None:
    with pytest.raises(DataError) as caught:
        list(conll_lines([Sentence.from_tokens(["a"], {"ner": TagLayer(("B-X ",))})], ["ner"]))
    assert str(caught.value) == "ner 'B-X ' must have no blank at its ends to be written in columns"


def test_word_with_a_blank_is_not_written_alone_in_its_line() -> None:
    with pytest.raises(DataError, match=r"^token 'New York' must have no tab, no line break and no blank"):
        list(conll_lines([Sentence.from_tokens(["New York"])], []))


@pytest.mark.parametrize("value", ["x\ny", "x\ty"])
def test_comment_that_would_be_read_as_a_token_is_not_written(value: str) -> None:
    sentence = Sentence.from_tokens(["a"], {"ner": TagLayer(("O",))}, meta={"text": value})
    with pytest.raises(DataError, match=r"^comment '# text = x\\[nt]y' must have no line break, and not as many"):
        list(conll_lines([sentence], ["ner"]))


def test_sentence_without_the_layer_to_write_is_an_error() -> None:
    with pytest.raises(DataError, match="no tag layer `ner`"):
        list(conll_lines([Sentence.from_tokens(["a"])], ["ner"]))


DIALECTS = {
    "tag first": ("ner token", "O the\nB-LOC Rome", {}),
    "tag first, tabs": ("ner token", "O\tthe\nB-LOC\tRome", {}),
    "four columns": ("token _ _ ner", "the DT B-NP O\nRome NNP I-NP B-LOC", {}),
    "columns of the opening": ("token _ _ ner", "-DOCSTART- -X- -X- O\n\nthe DT B-NP O\nRome NNP I-NP B-LOC", {}),
    "opening without a blank line": ("token _ ner", "-DOCSTART- -DOCSTART- O\nthe DT O\nRome NNP B-LOC", {}),
    "index": ("index token ner", "1\tthe\tO\n2\tRome\tB-LOC", {}),
    "index and blanks": ("index token ner", "1 the O\n2 Rome B-LOC", {}),
    "aligned by blanks": ("token ner", "the    O\nRome   B-LOC", {}),
    "aligned by tabs": ("token ner", "the\t\tO\nRome\tB-LOC", {}),
    "tabs and blanks in a line": ("token _ ner", "the DT\tO\nRome NNP\tB-LOC", {}),
    "tabs and blanks by turns": ("token ner", "the O\nRome\tB-LOC", {}),
    "tab at each end": ("token ner", "the\tO\t\nRome\tB-LOC\t", {}),
    "blanks around": ("token ner", " the O \n Rome B-LOC ", {}),
    "comment": ("token ner", "# a note here\nthe O\nRome B-LOC", {"a note here": ""}),
    "comment with a key": ("token ner", "# id = 7\nthe\tO\nRome\tB-LOC", {"id": "7"}),
    "comment without a blank": ("token ner", "#id = 7\nthe\tO\nRome\tB-LOC", {"id": "7"}),
    "short comment without a blank": ("token ner", "#id=7\nthe O\nRome B-LOC", {"id": "7"}),
    "comment as wide as a token": (
        "token _ _ ner",
        "# id 7 domain=en\nthe _ _ O\nRome _ _ B-LOC",
        {"id 7 domain": "en"},
    ),
    "comment with a tab, tokens with blanks": (
        "token _ _ ner",
        "# id 7\tdomain=en\nthe _ _ O\nRome _ _ B-LOC",
        {"id 7\tdomain": "en"},
    ),
    "comment behind a tab": (
        "index token ner _",
        "#\tn-tv.de [2005]\n1\tthe\tO\tO\n2\tRome\tB-LOC\tO",
        {"n-tv.de [2005]": ""},
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_each_dialect_of_columns_is_read(name: str) -> None:
    columns, text, meta = DIALECTS[name]
    (sentence,) = parse(text, columns)
    assert (sentence.tokens, sentence.tags("ner"), sentence.meta) == (("the", "Rome"), ("O", "B-LOC"), meta)
    assert sentence.document == ("1" if "DOCSTART" in text else None)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("the\tO\nRome B-LOC", 2),
        ("#note 1\nthe\tO", 1),
        ("#NFL\nthe O", 1),
        ("the\tO\n\n#NFL\nRome\tO", 3),
        ("a O\n====", 2),
    ],
)
def test_line_that_may_be_a_broken_token_is_no_comment(text: str, line: int) -> None:
    assert error_of(text).startswith(f"f:{line}: must have 2 columns (token, ner), got 1: ")


def test_a_tab_in_a_blank_line_does_not_divide_columns() -> None:
    sentences = parse_conll(["# O", "\t", "# B-X"], ["token", "ner"], where="f")
    assert [(s.tokens, s.tags("ner")) for s in sentences] == [(("#",), ("O",)), (("#",), ("B-X",))]


def test_mark_of_unknown_tags_is_read_and_written() -> None:
    source = Source("f", lambda: ["Ada\tB-PER\t?", "sang\t?\tVERB", ""])
    config = ReadingConfig(format="conll", columns=("token", "ner", "upos"), unknown="?")
    (sentence,) = read_source(source, config, Tally(), Faults())
    assert (sentence.tags("ner"), sentence.tags("upos")) == (("B-PER", None), (None, "VERB"))
    assert list(conll_lines([sentence], ["ner", "upos"])) == ["Ada\tB-PER\t?", "sang\t?\tVERB", ""]


def test_tag_that_is_the_mark_is_written_only_without_unknown_tags() -> None:
    known, unknown = (Sentence.from_tokens(["a"], {"x": TagLayer((tag,))}) for tag in ("?", None))
    assert list(conll_lines([known, known], ["x"])) == ["a\t?", "", "a\t?", ""]
    with pytest.raises(DataError, match=r"^layer `x` must not have the tag '\?' to be written in columns"):
        list(conll_lines([known, unknown], ["x"]))
