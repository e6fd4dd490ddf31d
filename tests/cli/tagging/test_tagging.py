"""`tagger tag`: records in, records out, in every output, whole or not at all."""

import csv
import inspect
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest
import readers

from tagger.cli import app
from tagger.cli.progress import shows_colours
from tagger.cli.tagging.writing import painter
from tagger.text.sentence import with_schemes

RECORDS = [
    {"id": 1, "text": "Ada came to Paris. She left Oslo in May.", "meta": {"a": [1]}},
    {"id": "b", "text": "", "url": "u"},
    {"id": 3, "data": {"text": "Nobody knows!", "page": 2}},
    {"id": 4, "tokens": ["Maria", "sang"]},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    return path


def test_one_record_in_is_one_record_out_with_its_keys(model: Path, file: Path, call: Callable, tmp_path: Path) -> None:
    done = call("tag", model, file, "--output-format", "jsonl", "--output", tmp_path / "out.jsonl")
    assert (done.code, done.out, done.err) == (0, "", "")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 4
    assert all({key: row[key] for key in record} == record for record, row in zip(RECORDS, rows, strict=True))
    assert rows[0]["sentences"] == [[0, 5], [5, 11]]
    assert (rows[1]["tokens"], rows[1]["tags"], rows[1]["spans"], rows[1]["labels"]) == (
        [],
        {"ner": []},
        {"ner": []},
        {},
    )
    assert all(isinstance(rows[i]["labels"]["sentiment"]["value"], str) for i in (0, 2, 3))
    spans = rows[0]["spans"]["ner"]
    assert spans
    assert all(rows[0]["text"][s["start_char"] : s["end_char"]] == s["text"] for s in spans)
    again = call("tag", model, tmp_path / "out.jsonl", "--output-format", "jsonl")
    assert [json.loads(line)["tags"] for line in again.out.splitlines()] == [row["tags"] for row in rows]


def test_table_has_a_row_for_each_entity_in_both_forms(model: Path, file: Path, call: Callable, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call("tag", model, file, "--output-format", "csv").out)))
    found = [json.loads(line) for line in call("tag", model, file, "--output-format", "jsonl").out.splitlines()]
    assert [(row["id"], int(row["start"]), int(row["end"]), row["text"], row["type"]) for row in rows] == [
        (str(record["id"]), span["start_char"], span["end_char"], span["text"], span["type"])
        for record in found
        for span in record["spans"]["ner"]
    ]
    path = tmp_path / "entities.parquet"
    assert call("tag", model, file, "--output-format", "parquet", "--output", path).code == 0
    table = pyarrow.parquet.read_table(path).to_pylist()
    assert [{key: str(value) for key, value in row.items()} for row in table] == rows


def test_unsure_entities_are_written_nowhere(model: Path, file: Path, call: Callable) -> None:
    found = call("tag", model, file, "--output-format", "jsonl").out.splitlines()
    scores = sorted(span["score"] for line in found for span in json.loads(line)["spans"]["ner"])
    least = scores[len(scores) // 2]
    for format in ("jsonl", "csv"):
        out = call("tag", model, file, "--output-format", format, "--min-score", least).out
        if format == "jsonl":
            rows = [json.loads(line) for line in out.splitlines()]
            kept = [span["score"] for row in rows for span in row["spans"]["ner"]]
            assert all(
                sum(tag.startswith("B-") for tag in row["tags"]["ner"]) == len(row["spans"]["ner"]) for row in rows
            )
        else:
            kept = [float(row["score"]) for row in csv.DictReader(io.StringIO(out))]
        assert sorted(kept) == pytest.approx([score for score in scores if score >= least], abs=1e-5)


def test_fields_choose_the_keys_and_an_unknown_one_is_refused(model: Path, file: Path, call: Callable) -> None:
    done = call("tag", model, file, "--output-format", "jsonl", "--fields", "spans,id,meta")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [list(row) for row in rows] == [["spans", "id", "meta"], *[["spans", "id"]] * 3]
    done = call("tag", model, file, "--output-format", "jsonl", "--fields", "id,span")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --fields: no such key 'span'; choose from id, meta, text, tokens, tags, spans, ")


def test_keys_that_are_also_keys_of_a_result_come_back_under_input(model: Path, call: Callable, tmp_path: Path) -> None:
    record = {"id": 1, "text": "Oslo", "tags": ["urgent"], "labels": ["a"], "tokens": 512, "readings": {"blood": 120}}
    (tmp_path / "in.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    row = json.loads(call("tag", model, tmp_path / "in.jsonl", "--output-format", "jsonl").out)
    assert row["input"] == {"tags": ["urgent"], "labels": ["a"], "tokens": 512}
    assert (row["id"], row["readings"], row["tokens"]) == (1, {"blood": 120}, ["Oslo"])
    (tmp_path / "again.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    again = json.loads(call("tag", model, tmp_path / "again.jsonl", "--output-format", "jsonl").out)
    assert again == row


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl", "conll"])
def test_the_name_of_the_output_says_its_format(
    suffix: str, model: Path, file: Path, call: Callable, tmp_path: Path
) -> None:
    call("tag", model, file, "--output", tmp_path / f"a.{suffix}")
    call("tag", model, file, "--output-format", suffix, "--output", tmp_path / "b")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", ["in.conll", "in.tsv", "in.iob2"])
def test_a_column_file_is_tagged_as_columns_whatever_its_name(
    name: str, model: Path, call: Callable, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("Ada\tB-PER\nsings\tO\n\nOslo\tB-LOC\nsleeps\tO\n", encoding="utf-8")
    rows = [json.loads(x) for x in call("tag", model, tmp_path / name, "--output-format", "jsonl").out.splitlines()]
    assert [row["tokens"] for row in rows] == [["Ada", "sings"], ["Oslo", "sleeps"]]


@pytest.mark.parametrize(
    ("name", "content", "options", "wanted"),
    [
        ("in.csv", 'id,text\r\n1,"Oslo.\r\nRome is big"\r\n', (), ["Oslo.\r\nRome is big"]),
        ("in.txt", "Oslo.\r\nRome is big\r\n", ("--unit", "file"), ["Oslo.\r\nRome is big"]),
        ("in.txt", "Oslo.\r\nRome\r\n\r\nBonn\r\n", ("--unit", "document"), ["Oslo.\r\nRome", "Bonn"]),
        ("in.txt", "Oslo.\r\nRome\r\n", (), ["Oslo.", "Rome"]),
    ],
)
def test_texts_keep_their_line_ends_so_that_offsets_count_in_them(
    name: str, content: str, options: tuple[str, ...], wanted: list[str], model: Path, call: Callable, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    done = call("tag", model, tmp_path / name, *options, "--output-format", "jsonl")
    assert [json.loads(line)["text"] for line in done.out.splitlines()] == wanted


@pytest.mark.parametrize(
    ("name", "content"),
    [("in.csv", "ticket,body\n7,Oslo\n"), ("in.jsonl", '{"ticket": "7", "body": "Oslo"}\n')],
)
def test_texts_may_have_any_key(name: str, content: str, model: Path, call: Callable, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert call("tag", model, tmp_path / name).code == 1
    row = json.loads(call("tag", model, tmp_path / name, "--text", "body", "--output-format", "jsonl").out)
    assert (row["text"], row["ticket"], row["body"]) == ("Oslo", "7", "Oslo")


def test_csv_with_long_fields_is_read_and_one_with_equal_names_is_refused(
    model: Path, call: Callable, tmp_path: Path
) -> None:
    text = f"Oslo is {'x' * 900}. " * 150  # longer than the limit of the csv module, in few tokens
    (tmp_path / "in.csv").write_text(f'id,text\n1,"{text}"\n', encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(call("tag", model, tmp_path / "in.csv", "--output-format", "csv").out)))
    assert {row["id"] for row in rows} == {"1"}
    (tmp_path / "twice.csv").write_text("text,text\nOslo,Rome\n", encoding="utf-8")
    done = call("tag", model, tmp_path / "twice.csv")
    assert (done.code, "the columns must have different names, got `text` twice" in done.err) == (1, True)


@pytest.mark.parametrize("tool", ["doccano", "labelstudio", "prodigy"])
def test_suggestions_are_read_back_as_the_entities_that_were_found(
    tool: str, model: Path, file: Path, call: Callable, tmp_path: Path
) -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in RECORDS if record["id"] != "b"), encoding="utf-8")
    found = [json.loads(line) for line in call("tag", model, file, "--output-format", "jsonl").out.splitlines()]
    written = call("tag", model, file, "--output-format", tool).out
    rows = json.loads(written) if tool == "labelstudio" else [json.loads(line) for line in written.splitlines()]
    if tool == "labelstudio":  # a person submits a prediction as an annotation
        for row in rows:
            (prediction,) = row.pop("predictions")
            assert prediction["score"] == min(result["score"] for result in prediction["result"])
            choices = [result for result in prediction["result"] if result["type"] == "choices"]
            assert [choice["from_name"] for choice in choices] == ["sentiment"]
            row["annotations"] = [{"result": [r for r in prediction["result"] if r["type"] == "labels"]}]
    path = tmp_path / "corrected.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found_again = readers.read("jsonl", path, layers={"ner": "spans" if tool == "prodigy" else "label"})
    sentences = [with_schemes(sentence, {"ner": "iob2"}) for sentence in found_again]
    places = [(s.text, x.type, x.start_char, x.end_char) for s in sentences for x in s.spans("ner")]
    assert places == [(r["text"], x["type"], x["start_char"], x["end_char"]) for r in found for x in r["spans"]["ner"]]
    if tool == "prodigy":
        for row in rows:
            for span in row["spans"]:
                first, last = row["tokens"][span["token_start"]], row["tokens"][span["token_end"]]
                assert (first["start"], last["end"]) == (span["start"], span["end"])


def test_a_bad_record_ends_the_run_after_those_before_it_or_is_skipped(model: Path, call: Callable) -> None:
    text = '{"id": 1, "text": "a"}\n{"id": 2}\n{"id": 3, "text": "b"}\n'
    options = ("--input-format", "jsonl", "--output-format", "jsonl", "--fields", "id")
    done = call("tag", model, *options, text=text)
    assert (done.code, done.out) == (1, '{"id": 1}\n')
    assert (
        done.err
        == "error: standard input:2: must have `tokens` (a list of words) or `text` (a text), got the keys `id`\n"
    )
    done = call("tag", model, *options, "--on-error", "skip", text=text)
    assert (done.code, done.out) == (1, '{"id": 1}\n{"id": 3}\n')
    assert (
        done.err
        == "skipped: standard input:2: must have `tokens` (a list of words) or `text` (a text), got the keys `id`\n"
    )


def test_a_sentence_that_columns_cannot_hold_is_skipped_whole(model: Path, call: Callable) -> None:
    text = '{"tokens": ["Maria", "a\\tb"]}\n{"tokens": ["Oslo"]}\n'
    options = ("--input-format", "jsonl", "--output-format", "conll")
    done = call("tag", model, *options, text=text)
    assert (done.code, done.out) == (1, "")
    done = call("tag", model, *options, "--on-error", "skip", text=text)
    assert (done.code, [line for line in done.out.splitlines() if "Maria" in line]) == (1, [])
    assert "Oslo\t" in done.out
    assert done.err.startswith("skipped: standard input:1: token 'a\\tb'")


def test_a_run_that_fails_leaves_the_output_file_as_it_was(model: Path, call: Callable, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before", encoding="utf-8")
    done = call("tag", model, "--input-format", "jsonl", "--output-format", "csv", "--output", out, text='{"id": 1}\n')
    assert (done.code, out.read_text(encoding="utf-8"), list(tmp_path.iterdir())) == (1, "before", [out])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--output-format", "parquet"), "--output-format parquet needs --output FILE, because it is no text"),
        (("--fields", "id"), "--fields is for --output-format jsonl, got text; remove it"),
        (("--unit", "file", "--input-format", "jsonl"), "--unit is for plain text, got jsonl; remove it"),
        (("--nbest", "2", "--output-format", "csv"), "--nbest needs --output-format text or jsonl, because others "),
    ],
)
def test_options_that_do_not_fit_are_refused(model: Path, call: Callable, options: tuple, problem: str) -> None:
    done = call("tag", model, *options, text="a\n")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {problem}")


# A file, the options, and the texts of the documents.
WRITTEN: dict[str, tuple[str, bytes, list[str], list[str]]] = {
    "encoding": ("a.txt", "ça va\n".encode("cp1252"), ["--encoding", "cp1252"], ["ça va"]),
    "csv": (
        "a.csv",
        b"made by hand\nid|text\n1|'a|b'\n",
        ["--delimiter", "|", "--quote", "'", "--header", "2"],
        ["a|b"],
    ),
    "csv without a header": ("a.csv", b"one two\nthree\n", ["--header", "0"], ["one two", "three"]),
    "columns": (
        "a.txt",
        b"%% x\nw;t\nAda;O\nsang;O\n",
        ["--input-format", "conll", "--columns", "token,_", "--delimiter", ";", "--comments", "%%", "--header", "1"],
        ["Ada sang"],
    ),
    "labelled": (
        "a.txt",
        b"up;it went\ndown;\n",
        ["--input-format", "labelled", "--delimiter", "semicolon"],
        ["it went"],
    ),
    "split": ("a.txt", b"a/b\n", ["--split-on", "/"], ["a/b"]),
    "bad lines": ("a.txt", b"one\n\xff\ntwo\n", ["--on-error", "skip"], ["one", "", "two"]),
    "bad records": ("a.jsonl", b'{"text": "one"}\n\xff\n{"text": "two"}\n', ["--on-error", "skip"], ["one", "two"]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_options_say_how_a_file_is_written(model: Path, call: Callable, tmp_path: Path, name: str) -> None:
    file, data, options, texts = WRITTEN[name]
    (tmp_path / file).write_bytes(data)
    done = call("tag", model, tmp_path / file, "--output-format", "jsonl", *options)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["text"] for row in rows] == texts
    if name.startswith("bad"):
        assert (done.code, done.err) == (
            1,
            f"skipped: {tmp_path / file}:2: must be UTF-8, got byte 0xff at byte {data.index(255)} "
            "of the file, byte 0 of the line; convert it to UTF-8, or name its encoding\n",
        )
    elif name == "labelled":
        assert (done.code, done.err) == (0, f"skipped 1 blank text, the first at {tmp_path / file}:2\n")
    else:
        assert (done.code, done.err) == (0, "")
    if name == "split":
        assert rows[0]["tokens"] == ["a", "/", "b"]


@pytest.mark.parametrize(
    ("file", "option", "message"),
    [
        ("a.jsonl", ["--delimiter", ","], "--delimiter is not for jsonl; remove it"),
        ("a.csv", ["--comments", "#"], "--comments is not for csv; remove it"),
        ("a.txt", ["--encoding", "nothing"], "must be the name of an encoding in Python"),
    ],
)
def test_an_option_without_effect_is_refused(
    model: Path, call: Callable, tmp_path: Path, file: str, option: list[str], message: str
) -> None:
    (tmp_path / file).write_text("a\n", encoding="utf-8")
    done = call("tag", model, tmp_path / file, *option)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_file_is_described_by_the_same_options_when_it_is_tagged_and_when_it_is_evaluated() -> None:
    tagged, evaluated = (set(inspect.signature(command).parameters) for command in (app.tag, app.evaluate))
    gold = {"files", "format", "scheme", "layer", "invalid", "misaligned", "nested", "unknown", "as_json"}
    report = {"by", "train", "output", "details", "suspects", "wanted_precision"}
    assert evaluated - gold - report <= tagged
    assert {"delimiter", "quote", "comments", "header", "encoding", "split_on"} <= evaluated


def test_a_terminal_shows_entities_and_tags_in_colours_and_a_file_has_none(
    model: Path, file: Path, call: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = call("tag", model, file).out
    monkeypatch.setattr("tagger.cli.tagging.tag_file.shows_colours", lambda: True)
    coloured = call("tag", model, file).out
    assert re.sub(r"\x1b\[\d+m", "", coloured) == bare
    types = re.findall(r"\x1b\[3\d+m\[[^\x1b]+\] (\w+)\x1b\[0m", coloured)
    assert types == re.findall(r"\[[^]]+\] (\w+)", bare) != []
    assert painter(["A"])("", "/DET") == "\x1b[2m/DET\x1b[0m"
    call("tag", model, file, "--output", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == bare


@pytest.mark.parametrize(
    ("terminal", "changes", "shown"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_show_them_and_people_who_want_them(
    terminal: bool, changes: dict[str, str], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **changes}.items():
        monkeypatch.setenv(name, value)
    assert shows_colours() is shown
