"""Each format to each other: what comes back is the same, or an error names what has no place."""

import json
from pathlib import Path
from typing import Any

import pytest
from readers import parse_jsonl

from tagger.conversion.convert import convert
from tagger.conversion.options import SCHEMES, Conversion
from tagger.errors import DataError, RecipeError
from tagger.files.reading import raw_lines
from tagger.formats.table import FORMATS, WRITABLE

TEXT = "Ada lives in Oslo."
SPANS = [[0, 3, "PER"], [13, 17, "LOC"]]
TOKENS, TAGS = ["Ada", "lives", "in", "Oslo", "."], ["B-PER", "O", "O", "B-LOC", "O"]
ROW = {"text": TEXT, "tokens": TOKENS, "tags": {"ner": TAGS}}
WORDS = "".join(f"{i}\t{token}" + "\t_" * 8 + "\n" for i, token in enumerate(TOKENS, 1))
OSLO = {"start": 13, "end": 17, "text": "Oslo", "labels": ["LOC"]}
RESULTS = [
    {"id": f"r{i}", "to_name": "text", "from_name": "label", "type": "labels", "value": value}
    for i, value in enumerate([{**OSLO, "start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}, OSLO])
]
TASK = {"data": {"text": TEXT}, "annotations": [{"result": RESULTS}]}

SOURCES = {
    "conll": "".join(f"{token}\t{tag}\n" for token, tag in zip(TOKENS, TAGS, strict=True)) + "\n",
    "conllu": "# text = Ada lives in Oslo .\n" + WORDS + "\n",
    "jsonl": json.dumps(ROW) + "\n",
    "text": TEXT + "\n",
    "doccano": json.dumps({"text": TEXT, "label": SPANS}) + "\n",
    "labelstudio": f"[\n{json.dumps(TASK)}\n]\n",
    "spacy": json.dumps({"text": TEXT, "spans": [{"start": a, "end": b, "label": c} for a, b, c in SPANS]}) + "\n",
}
ANNOTATIONS = "T1\tPER 0 3\tAda\nT2\tLOC 13 17\tOslo\n"

# What is lost from a source (row) to a target (column), by the name it has in --drop; all else is kept.
LOST: dict[str, dict[str, str]] = {
    "conll": {"conllu": "ner", "text": "ner"},
    "conllu": dict.fromkeys(("text", "doccano", "labelstudio", "spacy", "csv", "docbin"), "comments"),
    "jsonl": {
        "conllu": "ner",
        "text": "ner,tokens",
        "doccano": "tokens",
        "labelstudio": "tokens",
        "spacy": "tokens",
        "csv": "text",
    },
    "text": {"csv": "text"},
    "doccano": {"conllu": "ner", "text": "ner", "csv": "text"},
    "labelstudio": {"conllu": "ner", "text": "ner", "csv": "text"},
    "spacy": {"conllu": "ner", "text": "ner", "csv": "text"},
    "brat": {
        "conll": "document names",
        "conllu": "ner",
        "text": "ner,documents,document names",
        "doccano": "documents,document names",
        "labelstudio": "documents,document names",
        "spacy": "documents,document names",
        "csv": "documents,document names,text",
        "docbin": "documents,document names",
    },
}


def run(source: Path, to: str, **options: Any) -> tuple[str, str]:
    parts: list[bytes] = []
    said = convert(lambda: raw_lines(source), parts.append, Conversion(to=to, **options), where="f", path=source)
    return b"".join(parts).decode("latin-1" if to == "docbin" else "utf-8"), said


def error_of(source: Path, to: str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        run(source, to, **options)
    return str(caught.value)


def make_file(folder: Path, text: str) -> Path:
    path = folder / "source"
    path.write_text(text, encoding="utf-8")
    return path


def make_source(folder: Path, name: str) -> Path:
    if name != "brat":
        return make_file(folder, SOURCES[name])
    (folder / "doc.txt").write_text(TEXT)
    (folder / "doc.ann").write_text(ANNOTATIONS)
    return folder / "doc.txt"


@pytest.mark.parametrize("to", WRITABLE)
@pytest.mark.parametrize("source", LOST)
def test_all_comes_over_or_what_does_not_is_named(source: str, to: str, tmp_path: Path) -> None:
    path = make_source(tmp_path, source)
    lost = LOST[source].get(to, "")
    if lost:
        names = ", ".join(f"`{name}`" for name in lost.split(","))
        assert error_of(path, to).startswith(f"f: {to} cannot hold {names}; ")
    there, said = run(path, to, drop=tuple(lost.split(",")) if lost else ())
    assert said.startswith(f"{'spans' if source in ('doccano', 'labelstudio', 'spacy') else source} ")
    again = tmp_path / {"docbin": "again.spacy", "csv": "again.csv"}.get(to, "again")
    again.write_text(there, encoding="latin-1" if to == "docbin" else "utf-8", newline="")
    (before,) = parse_jsonl(run(path, "jsonl")[0].splitlines(), where="f")
    kept = {name: layer for name, layer in before.layers.items() if name not in lost.split(",")}
    given = {"format": "conll", "columns": ("token", *kept)} if to == "conll" else {}
    (after,) = parse_jsonl(run(again, "jsonl", **given)[0].splitlines(), where="f")
    new = ({"misc"} if to == "conllu" else {"ner"} if FORMATS[to].whole else set()) - kept.keys()
    assert {name: layer for name, layer in after.layers.items() if name not in new} == kept
    assert after.tokens == before.tokens
    if to == "conll":  # has the text in a comment
        assert after.meta.get("text", after.text) == before.meta.get("text", before.text)
    elif "text" not in lost.split(","):
        assert (after.text, after.offsets) == (before.text, before.offsets)


@pytest.mark.parametrize("to", ["doccano", "labelstudio", "spacy"])
@pytest.mark.parametrize("source", ["doccano", "labelstudio", "spacy"])
def test_dialect_becomes_each_other_byte_by_byte(source: str, to: str, tmp_path: Path) -> None:
    assert run(make_source(tmp_path, source), to)[0] == SOURCES[to]


def test_text_of_several_sentences_stays_one_text(tmp_path: Path) -> None:
    row = {"text": "Ada came.  Bob left. ", "label": [[0, 3, "PER"], [11, 14, "PER"]]}
    path = make_file(tmp_path, json.dumps([row, row]))
    assert run(path, "doccano")[0] == f"{json.dumps(row)}\n" * 2
    rows = [json.loads(line) for line in run(path, "jsonl")[0].splitlines()]
    assert [row["document"] for row in rows] == ["1", "1", "2", "2"]
    assert error_of(path, "conll").startswith("f: conll cannot hold `offsets`; ")
    assert run(path, "conll", drop=("offsets",))[0].startswith(
        "-DOCSTART-\tO\n\n# text = Ada came.\nAda\tB-PER\ncame\tO\n.\tO\n\n# text = Bob left.\n"
    )


def test_brat_folder_keeps_its_documents_and_names_what_is_no_entity(tmp_path: Path) -> None:
    make_source(tmp_path, "brat")
    (tmp_path / "b.txt").write_text("Oslo")
    (tmp_path / "b.ann").write_text("T1\tLOC 0 4\tOslo\n#1\tNote T1\tcold\n")
    assert error_of(tmp_path, "jsonl").startswith("f: jsonl cannot hold `annotations`; ")
    there, said = run(tmp_path, "jsonl", drop=("annotations",))
    assert [json.loads(line)["document"] for line in there.splitlines()] == ["b", "doc"]
    assert said == ("brat to jsonl: 2 sentences; layer `ner` reads as IOB2; discarded `annotations` of 1 line")


def test_brat_is_read_from_a_place_only() -> None:
    with pytest.raises(DataError, match=r"^f: brat has annotations beside its texts; name a text \(.txt\) or a folder"):
        convert(lambda: [b"a\n"], lambda part: None, Conversion(to="jsonl", format="brat"), where="f")


def test_policies_decide_and_their_counts_are_reported(tmp_path: Path) -> None:
    path = make_file(tmp_path, json.dumps({"text": TEXT, "label": [[0, 2, "PER"], [10, 17, "X"], [13, 17, "LOC"]]}))
    message = error_of(path, "jsonl")
    assert "an entity must begin and end with a token" in message
    assert "must not lie inside another" in message
    there, said = run(path, "jsonl", misaligned="expand", nested="innermost")
    assert json.loads(there)["tags"]["ner"] == TAGS
    assert "; expanded 1 entity that begins or ends inside a token, the first" in said
    assert "; dropped 1 entity that is nested, the first" in said
    assert json.loads(run(path, "jsonl", misaligned="drop", nested="outermost")[0])["tags"]["ner"] == [
        *("O", "O", "B-X", "I-X", "O")
    ]


def test_what_is_beside_the_spans_is_named(tmp_path: Path) -> None:
    row = {"id": 7, "text": TEXT, "label": [{**OSLO, "id": 1}], "Comments": [], "mood": "calm"}
    path = make_file(tmp_path, json.dumps(row))
    assert error_of(path, "doccano").startswith("f: doccano cannot hold `id`, `id of spans`, `mood`; ")
    there, said = run(path, "jsonl", labels=("mood",), drop=("id", "id of spans"))
    assert json.loads(there)["labels"]["mood"]["value"] == "calm"
    assert said.endswith("discarded `id` of 1 text; discarded `id of spans` of 1 text")


@pytest.mark.parametrize(
    ("source", "options", "sentence"),
    [
        ("conll", {"misaligned": "drop"}, "f: --misaligned is for character spans, got conll; remove it"),
        ("jsonl", {"nested": "innermost"}, "f: --nested is for character spans, got jsonl; remove it"),
        ("spacy", {"scheme": "bioes"}, "f: --scheme is for tags, got character spans; remove it"),
    ],
)
def test_options_of_other_formats_are_refused(
    source: str, options: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    assert error_of(make_source(tmp_path, source), "text", **options) == sentence


@pytest.mark.parametrize("source", ["doccano", "brat", "jsonl"])
@pytest.mark.parametrize("to", SCHEMES)
def test_scheme_is_of_columns(source: str, to: str, tmp_path: Path) -> None:
    assert "changes tags in columns" in error_of(make_source(tmp_path, source), to)


def test_one_layer_of_entities_has_a_place_and_a_second_is_named(tmp_path: Path) -> None:
    path = make_file(tmp_path, "EU\tB-NP\tB-ORG\n\n")
    assert error_of(path, "spacy").startswith("f: spacy cannot hold `ner`; ")
    assert json.loads(run(path, "doccano", drop=("chunk",))[0])["label"] == [[0, 2, "ORG"]]


@pytest.mark.parametrize(
    "text",
    [
        "-DOCSTART-\tO\n\n# id = 1\n# note\na\tB-X\nb\tO\n\n-DOCSTART-\tO\n\n# text = c\nc\tO\n\n",
        "a\tO\n\n-DOCSTART-\tO\n\nb\tB-X\n\n",
    ],
)
def test_comments_and_documents_of_columns_come_back_from_json(text: str, tmp_path: Path) -> None:
    there = run(make_file(tmp_path, text), "jsonl")[0]
    assert run(make_file(tmp_path, there), "conll")[0] == text


def test_names_of_documents_that_columns_cannot_say_are_named(tmp_path: Path) -> None:
    path = make_file(tmp_path, json.dumps({**ROW, "text": " ".join(TOKENS), "document": "a"}))
    assert error_of(path, "conll").startswith("f: conll cannot hold `document names`; ")
    assert run(path, "conllu", drop=("ner",))[0].startswith("# newdoc id = a\n# text = Ada")


def test_key_named_as_something_else_is_a_loss_all_the_same(tmp_path: Path) -> None:
    path = make_file(tmp_path, json.dumps({"tokens": ["a"], "comments": "x", "meta": {"n": 1}}))
    assert error_of(path, "conll").startswith("f: conll cannot hold `comments`, `meta`; ")


def test_wrong_target_names_all_that_there_are() -> None:
    with pytest.raises(RecipeError, match=", ".join([*SCHEMES, *WRITABLE])):
        Conversion(to="x")


def test_treebank_comes_back_from_json_byte_by_byte(data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / "pos/ud-english-atis/en_atis-ud-dev.conllu"
    there = make_file(tmp_path, run(path, "jsonl")[0])
    assert run(there, "conllu")[0].encode() == path.read_bytes()
    assert run(path, "conllu")[0].encode() == path.read_bytes()


def test_keys_of_a_record_stay_with_its_sentences(tmp_path: Path) -> None:
    path = make_file(
        tmp_path, json.dumps({"id": 7, "text": "Ada came. Bob left.", "label": [[0, 3, "PER"]], "url": None})
    )
    rows = [json.loads(line) for line in run(path, "jsonl")[0].splitlines()]
    assert [(row["id"], row["url"]) for row in rows] == [(7, None), (7, None)]
    assert error_of(path, "conll", drop=("offsets",)).startswith("f: conll cannot hold `id`; ")
    rows = [json.loads(line) for line in run(path, "jsonl", drop=("id",))[0].splitlines()]
    assert ["id" in row for row in rows] == [False, False]


def test_class_of_a_text_is_a_label(tmp_path: Path) -> None:
    path = make_file(tmp_path, json.dumps({"text": "It is cold.", "cats": {"weather": 1, "food": 0}}))
    assert json.loads(run(path, "jsonl")[0])["labels"] == {"label": {"value": "weather", "score": None}}


def test_unknown_tags_come_through_columns_and_are_lost_in_spans_only_if_that_is_allowed(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    row = {"tokens": TOKENS, "tags": {"ner": ["B-PER", None, "O", "B-LOC", "O"]}}
    source.write_text(json.dumps(row))
    columns, said = run(source, "conll")
    assert [line.split("\t")[1:] for line in columns.splitlines()[:2]] == [["B-PER"], ["?"]]
    assert said.endswith("unknown tags are written as '?'; read them with unknown = '?'")
    (tmp_path / "in.conll").write_text(columns)
    back, _ = run(tmp_path / "in.conll", "jsonl", unknown="?", columns=("token", "ner"))
    assert json.loads(back)["tags"] == row["tags"]
    assert "cannot hold `unknown tags`" in error_of(source, "doccano", drop=("tokens",))
    spans, _ = run(source, "doccano", drop=("tokens", "unknown tags"))
    assert json.loads(spans)["label"] == [[13, 17, "LOC"]]
    known, _ = run(source, "conll", drop=("unknown tags",))
    assert [line.split("\t")[1] for line in known.splitlines()[:5]] == ["O", "O", "O", "B-LOC", "O"]
    assert "--unknown is for columns" in error_of(source, "conll", unknown="?")
