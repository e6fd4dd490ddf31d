"""A file in another format has all that was in it, or an error says by name what has no place there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers import parse_conll, parse_jsonl, read_conllu, read_jsonl

from tagger.conversion.convert import convert
from tagger.conversion.options import Conversion
from tagger.doctor.check import check
from tagger.errors import DataError, RecipeError
from tagger.formats.detection import detect_format
from tagger.text.schemes import spans_to_tags


def converted(text: str | bytes, to: str, **options: Any) -> str:
    return run(text, to, **options)[0]


def run(text: str | bytes, to: str, **options: Any) -> tuple[str, str]:
    data = text.encode() if isinstance(text, str) else text
    parts: list[bytes] = []
    said = convert(lambda: data.splitlines(keepends=True), parts.append, Conversion(to=to, **options), where="f")
    return b"".join(parts).decode(), said


def error_of(text: str, to: str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        converted(text, to, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ('{"tokens": ["a"]}\n', "jsonl"),
        ("{ O\n} O\n\n", "conll"),
        ("a\tO\nb\tB-X\n", "conll"),
        ("# x = 1\n-DOCSTART- O\n\na O\nb B-X\n", "conll"),
        ("a NN\n\nb VB\n", "conll"),
        ("1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n", "conllu"),
        ("# text = im\n1-2\tim\t_\t_\t_\t_\t_\t_\t_\t_\n", "conllu"),
        ("It's me.\nHi there\n", "text"),
        ("Ada was born\n\nin Oslo.\n", "text"),
        ("Hi there\nIt rains\n\n", "text"),
        ("word\n", "text"),
        ("", "text"),
    ],
)
def test_format_is_detected(text: str, format: str) -> None:
    assert detect_format(text.split("\n"), where="f") == format


@pytest.mark.parametrize(
    "text",
    [
        "Ada\tB-PER\nnaps\tO\n\nOslo\tB-LOC\n",
        "Ada NN\nnaps VB\n\nOslo NN\n",
        "good\ta fine film\nbad\ta dull film\n",
        '{"tokens": ["Ada"], "tags": {"ner": ["B-PER"]}}\n',
        '{"text": "Ada", "label": [[0, 3, "PER"]]}\n',
        "1\tAda\tAda\tPROPN\t_\t_\t0\troot\t_\t_\n",
    ],
)
def test_convert_and_check_agree_on_what_a_file_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    _, said = run(text, "jsonl")
    found = check(tmp_path / "a.txt").format
    assert said.split()[0].replace("spans", "jsonl") == found


@pytest.mark.parametrize(
    "data",
    [
        b"It's  me.\r\n\r\n\tBye ",
        b"\xef\xbb\xbfa\n",
        b"",
        b'{"tokens": ["a"], "x":  1}\n',
        b"a\tO\r\n\t\r\n",
    ],
)
def test_format_to_itself_is_the_same_bytes(data: bytes) -> None:
    format = detect_format(data.decode("utf-8-sig").splitlines(), where="f")
    assert converted(data, format).encode() == data


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_to_text_is_the_same_bytes(text: str) -> None:
    assert converted(text, "text", format="text") == text


def test_columns_to_json_and_back_are_the_same() -> None:
    text = "Ada\tB-PER\nLovelace\tI-PER\nis\tO\n\nOslo\tB-LOC\n\n"
    there, said = run(text, "jsonl")
    (first, second) = map(json.loads, there.splitlines())
    assert first["spans"]["ner"][0]["text"] == "Ada Lovelace"
    assert second["tags"] == {"ner": ["B-LOC"]}
    assert said == "conll (columns token,ner) to jsonl: 2 sentences; layer `ner` reads as IOB2"
    assert converted(there, "conll") == text


def test_columns_have_the_names_that_are_given_or_can_be_seen() -> None:
    text = "1\ta\tNN\tB-X\tz\n\n"
    (guessed,) = parse_jsonl(converted(text, "jsonl").splitlines(), where="f")
    assert {name: guessed.tags(name) for name in guessed.layers} == {
        "column3": ("NN",),
        "ner": ("B-X",),
        "column5": ("z",),
    }
    columns = ("index", "token", "xpos", "slots", "_")
    (named,) = parse_jsonl(converted(text, "jsonl", columns=columns, drop=("_",)).splitlines(), where="f")
    assert set(named.layers) == {"xpos", "slots"}


def test_token_is_found_behind_its_tags() -> None:
    (sentence,) = parse_jsonl(converted("B-X\ta\nO\tb\n", "jsonl").splitlines(), where="f")
    assert (sentence.tokens, sentence.tags("ner")) == (("a", "b"), ("B-X", "O"))


REFUSED = '{"text": "a b", "label": "x", "answer": "reject"}'
ACCEPTED = '{"text": "c d", "label": "y"}'


@pytest.mark.parametrize("text", [f"{REFUSED}\n{ACCEPTED}\n", f"[{REFUSED},\n{ACCEPTED}]\n"])
def test_a_text_that_was_refused_is_not_written_and_an_array_becomes_lines(text: str) -> None:
    written, said = run(text, "jsonl")
    assert [json.loads(line)["text"] for line in written.splitlines()] == ["c d"]
    assert "skipped 1 text that was not accepted" in said
    assert error_of(REFUSED, "jsonl").endswith("at least one sentence, got none; skipped 1 text that was not accepted")


LOST = {
    "layers": ("a\tB-X\nb\tO\n", "text", {}, "ner"),
    "comments": ("# id = 1\na\tB-X\n", "spacy", {}, "comments"),
    "documents": ("-DOCSTART-\tO\n\na\tB-X\n", "spacy", {}, "documents"),
    "columns not read": ("a\tx\tB-X\n", "jsonl", {"columns": ("token", "_", "ner")}, "_"),
    "ranges": ("1-2\tim\t_\t_\t_\t_\t_\t_\t_\t_\n" + "1\ti\ti\tX\t_\t_\t0\tr\t_\t_\n", "jsonl", {}, "ranges"),
    "misc": ("1\ti\ti\tX\t_\t_\t0\tr\t_\tSpaceAfter=No\n", "text", {}, "lemma,upos,head,deprel,misc"),
    "labels": ('{"tokens": ["a"], "labels": {"intent": "x"}}', "text", {}, "intent"),
    "offsets": ('{"tokens": ["b"], "text": "a b c", "offsets": [[2, 3]]}', "conll", {}, "offsets"),
    "other keys": ('{"tokens": ["a"], "id": 7}', "conll", {}, "id"),
    "scores": ('{"tokens": ["a"], "labels": {"y": {"value": "x", "score": 0.5}}}', "conll", {}, "scores"),
    "spans without tags": ('{"tokens": ["a"], "spans": {"ner": [{"type": "X"}]}}', "conll", {}, "spans"),
    "blank lines": ("a\n\nb\n", "jsonl", {"format": "text"}, "blank lines"),
    "tokens": ('{"tokens": ["It", "\'s"], "text": "It\'s"}', "text", {}, "tokens"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_would_be_lost_is_named_and_left_out_when_named_by_the_user(name: str) -> None:
    text, to, options, lost = LOST[name]
    message = error_of(text, to, **options)
    assert message.startswith(f"f: {to} cannot hold `{lost.split(',')[-1] if ',' not in lost else 'lemma'}`")
    assert message.endswith(f'discard what may be lost with --drop "{lost}"')
    parts = {"comments"} if name in ("documents", "ranges") else set()
    assert not parts & set(lost.split(","))
    _, said = run(text, to, **options, drop=tuple(lost.split(",")))
    noun = "text" if name in ("other keys", "spans without tags") else "sentence"
    assert f"discarded `{lost.split(',')[0]}` of 1 {noun}" in said


def test_what_may_be_lost_and_is_not_there_is_reported_and_nothing_else_is_lost_for_it() -> None:
    out, said = run("a\tB-X\n", "text", drop=("ner", "pos"))
    assert out == "a\n"
    assert said.endswith("discarded `ner` of 1 sentence; there is no `pos` to discard, only `ner`")
    assert "text cannot hold `ner`" in error_of("a\tB-X\n", "text", drop=("nre",))
    assert run("a\n", "text", format="text", drop=("ner",))[1].endswith("there is no `ner` to discard, only text")


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("text", "don't go"),
        ("jsonl", '{"text": "don\'t go"}\n'),
        ("spans", '{"text": "don\'t go", "label": [[6, 8, "X"]]}\n'),
    ],
)
def test_raw_text_is_split_as_asked(format: str, text: str) -> None:
    read = format if format == "text" else None
    for tokenize, words in ((None, "do n't go"), ("words", "do n't go"), ("blanks", "don't go")):
        lines = run(text, "conll", format=read, tokenize=tokenize)[0].splitlines()
        assert [line.split("\t")[0] for line in lines if line and not line.startswith("#")] == words.split()


def test_raw_text_of_json_lines_is_split_as_asked_in_json_lines() -> None:
    text = '{"text": "don\'t go"}\n'
    assert run(text, "jsonl") == (text, "jsonl to jsonl: copied as it is")
    assert json.loads(run(text, "jsonl", tokenize="blanks")[0])["tokens"] == ["don't", "go"]


@pytest.mark.parametrize(
    ("format", "text", "problem"),
    [
        ("jsonl", ">sp|P69905|HBA\nMVLSPADKTN\n", "must be a JSON object"),
        ("jsonl", '{"tokens": ["Ada", null]}\n', "tokens"),
        ("conll", "Ada\tB-PER\nsleeps\n\n", "columns"),
        ("conllu", "1\tAda\n\n", "10 columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_copied(format: str, text: str, problem: str) -> None:
    assert problem in error_of(text, format, format=format)


def test_splitting_is_refused_where_there_are_tokens() -> None:
    assert error_of("a\tB-X\n", "jsonl", tokenize="blanks") == (
        "f: --tokenize is for raw text, got conll, which has tokens; remove it"
    )


def test_comments_become_labels_when_asked() -> None:
    text = "# intent = play\na\tB-X\n\n"
    row = json.loads(converted(text, "jsonl", labels=("intent",)))
    assert row["labels"]["intent"]["value"] == "play"
    assert converted(json.dumps(row), "conll") == text
    assert error_of(text, "jsonl", labels=("mood",)) == (
        "f: --labels must name comments, but no sentence has `# mood = ...`"
    )


def test_raw_text_is_kept_over_its_columns() -> None:
    assert converted("It's me.\n", "conll") == "# text = It's me.\nIt\n's\nme\n.\n\n"
    assert error_of(" Hi\n", "conll").startswith("f: conll cannot hold `offsets`")


def test_fields_of_conllu_become_layers() -> None:
    text = "# sent_id = 1\n1\ti\tj\tX\t_\t_\t0\troot\t_\t_\n\n"
    assert converted(text, "conll") == "# sent_id = 1\ni\tj\tX\t0\troot\n\n"


def test_invalid_tags_are_refused_or_repaired() -> None:
    text = "a\tO\nb\tI-X\nc\tB-Y\nd\tI-X\n\n"
    options = {"scheme": "iob2", "columns": ("token", "ner")}
    assert error_of(text, "jsonl", **options).startswith("f:2: tag 'I-X' after 'O' is not valid IOB2; fix it, or")
    there, said = run(text, "jsonl", **options, repair=True)
    assert json.loads(there)["tags"]["ner"] == ["O", "B-X", "B-Y", "B-X"]
    assert said.endswith("; 2 invalid tags repaired as conlleval does")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"to": "rtf"},
            "--to must be one of iob1, iob2, bioes, bilou, io, conll, conllu, csv, docbin, doccano, "
            "jsonl, labelstudio, spacy, text, got 'rtf'",
        ),
        ({"to": "bioes", "merge": True}, "--merge does nothing with --to bioes; remove it"),
        ({"to": "jsonl", "column": "2"}, "--column does nothing with --to jsonl; remove it"),
        ({"to": "io", "drop": ("x",)}, "--drop does nothing with --to io; remove it"),
    ],
)
def test_options_that_do_nothing_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Conversion(**options)
    assert str(caught.value) == sentence


def test_json_has_no_columns_to_change() -> None:
    assert error_of('{"tokens": ["a"]}', "bioes") == (
        "f: --to bioes changes tags in columns, got jsonl; convert it to conll first"
    )


@given(
    st.lists(st.lists(st.tuples(st.sampled_from(["a", "é", "# x"]), st.sampled_from("OBI")), min_size=1), min_size=1)
)
def test_columns_of_any_valid_tags_go_to_json_and_back(rows: list[list[tuple[str, str]]]) -> None:
    lines = []
    for row in rows:
        tags, before = [], "O"
        for _, kind in row:
            before = "O" if kind == "O" else "B-X" if kind == "B" or before == "O" else "I-X"
            tags.append(before)
        lines += [f"{word}\t{tag}" for (word, _), tag in zip(row, tags, strict=True)] + [""]
    text = "\n".join(lines) + "\n"
    options = {"columns": ("token", "ner"), "format": "conll"}
    there = converted(text, "jsonl", **options)
    assert converted(there, "conll") == text
    before, after = parse_conll(lines, ["token", "ner"], where="f"), parse_jsonl(there.splitlines(), where="f")
    assert [sentence.layers for sentence in before] == [sentence.layers for sentence in after]


def test_memory_of_sentences_does_not_grow_with_the_file(streamed: Callable[..., object]) -> None:
    streamed(lambda lines, write: convert(lines, write, Conversion(to="jsonl"), where="f"), 12_000)


@pytest.mark.parametrize(("name", "columns"), [("ncbi-disease/iob2/devel.tsv", 2), ("wnut17/emerging.dev.conll", 2)])
def test_real_columns_come_back_from_json(data_folder: Path, name: str, columns: int, tmp_path: Path) -> None:
    data = (data_folder / "ner" / name).read_bytes()
    there = converted(data, "jsonl")
    (tmp_path / "a.jsonl").write_text(there, encoding="utf-8")
    lines = data.decode().removeprefix("\ufeff").split("\n")
    before = parse_conll(lines, ["token", "ner"], where="f")
    assert [(s.tokens, s.tags("ner")) for s in read_jsonl(tmp_path / "a.jsonl")] == [
        (s.tokens, s.tags("ner")) for s in before
    ]
    back = parse_conll(converted(there, "conll").split("\n"), ["token", "ner"], where="f")
    assert back == before


def test_treebank_loses_nothing_but_its_ranges(data_folder: Path) -> None:
    path = data_folder / "pos/ud-english-atis/en_atis-ud-dev.conllu"
    there = converted(path.read_bytes(), "conll")
    before = read_conllu(path)
    columns = ["token", "lemma", "upos", "xpos", "feats", "head", "deprel", "misc"]
    width = len(next(line for line in there.split("\n") if line and not line.startswith(("#", "-DOC"))).split("\t"))
    after = parse_conll(there.split("\n"), [*columns, "deps"][:width], where="f")
    assert [(s.tokens, s.tags("upos"), s.meta) for s in after] == [(s.tokens, s.tags("upos"), s.meta) for s in before]


def test_spans_of_json_are_those_of_the_tags() -> None:
    text = "a\tB-X\nb\tE-X\nc\tS-X\n\n"
    row = json.loads(converted(text, "jsonl"))
    spans = [(span["type"], span["start"], span["end"]) for span in row["spans"]["ner"]]
    assert spans_to_tags([], 0, "bioes") == []
    assert spans == [("X", 0, 2), ("X", 2, 3)]


def test_json_under_names_of_dataset_columns_keeps_its_tags() -> None:
    rows = '{"tokens": ["Ada", "naps"], "ner_tags": ["B-PER", "O"]}\n'
    assert converted(rows, "conll") == "Ada\tB-PER\nnaps\tO\n\n"


@pytest.mark.parametrize("order", [1, -1])
def test_key_that_is_no_layer_in_one_line_must_be_named_to_be_lost(order: int) -> None:
    rows = [
        '{"tokens": ["a", "b"], "tags": ["O", "B-X"], "topics": ["x"]}',
        '{"tokens": ["a"], "tags": ["O"], "topics": ["x"]}',
    ]
    text = "\n".join(rows[::order]) + "\n"
    assert error_of(text, "conll").endswith('--drop "topics"')
    assert "x" not in converted(text, "conll", drop=("topics",))


def test_what_opens_as_json_is_not_taken_for_columns_but_a_brace_may_be_a_token() -> None:
    broken = '{"tokens": ["a"]\n\n{"tokens": ["b"]}\n'
    assert error_of(broken, "conll").startswith("f:1: must be a JSON object, got ")
    for text in ("{ O\na B-X\n\n", '["\tO\na\tB-X\n\n', "[ [ O\na b B-X\n\n"):
        assert converted(text, "bioes") == text.replace("B-X", "S-X")


@pytest.mark.parametrize("text", ['{"tokens": ["a"]\n', "{\n", "[" * 20_000, '[Laughs] "Yes."\n'])
def test_what_opens_as_json_and_is_none_is_text_only_where_that_is_said(text: str) -> None:
    sentence = error_of(text, "jsonl")
    assert sentence.startswith("f:1: must be JSON, because it begins like JSON, got ")
    assert sentence.endswith("or pass --format text")
    assert converted(text, "text", format="text") == text


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.jsonl", '{"tokens": ["a"]\n', "a.jsonl:1: must be a JSON object, got "),
        ("a.json", "{\n", "a.json:1: must be a JSON object, got '{'"),
        ("a.jsonl.gz", "word\n", "a.jsonl.gz:1: must be a JSON object, got 'word'"),
        ("a.conllu", "word\n", "a.conllu:1: must have 10 columns"),
    ],
)
def test_name_that_says_a_format_is_believed(name: str, text: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        convert(lambda: [text.encode()], lambda data: None, Conversion(to="text"), where=name)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("to", ["bioes", "conll", "jsonl", "text"])
def test_lone_cr_is_refused_whatever_the_target(to: str) -> None:
    with pytest.raises(DataError) as caught:
        convert(lambda: [b"a\tO\n", b"a\tB-X\rb\tI-X\r\rc\tO\r"], lambda data: None, Conversion(to=to), where="f")
    assert str(caught.value) == "f:2: line ends must be LF or CRLF, got a lone CR; convert the file"


def test_layer_that_some_sentences_lack_is_reported_with_what_to_do() -> None:
    text = '{"tokens": ["a"], "tags": {"ner": ["O"], "pos": ["N"]}}\n{"tokens": ["b"], "tags": {"ner": ["O"]}}\n'
    assert error_of(text, "conll") == (
        "f: a column of conll must be in all 2 sentences, got `pos` in 1; convert to jsonl, or discard it with "
        '--drop "pos"'
    )
    assert converted(text, "conll", drop=("pos",)) == "a\tO\n\nb\tO\n\n"


def test_tokens_of_texts_with_spans_are_kept_or_named_to_be_lost() -> None:
    tokens = [{"text": "Ada-Mae", "start": 0, "end": 7, "id": 0}, {"text": "ran.", "start": 8, "end": 12, "id": 1}]
    row = {"text": "Ada-Mae ran.", "tokens": tokens, "spans": [{"start": 0, "end": 7, "label": "PER"}]}
    assert converted(json.dumps({**row, "answer": "accept"}), "conll") == "Ada-Mae\tB-PER\nran.\tO\n\n"
    assert converted(json.dumps(row), "doccano") == '{"text": "Ada-Mae ran.", "label": [[0, 7, "PER"]]}\n'
    tokens[1:] = [{"text": "ran", "start": 8, "end": 11, "id": 1}, {"text": ".", "start": 11, "end": 12, "id": 2}]
    assert error_of(json.dumps(row), "doccano").endswith('--drop "tokens"')
    assert converted(json.dumps(row), "doccano", drop=("tokens",)).startswith('{"text": "Ada-Mae ran."')
