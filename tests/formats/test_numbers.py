"""Layers of numbers in files: read and written as such in JSON, as tags and labels in all other formats."""

import json
from pathlib import Path
from typing import Any

import pytest
from readers import parse, parse_jsonl, read

from tagger.conversion.writing import write_sentences
from tagger.encoding.packed import Packed, pack
from tagger.errors import DataError
from tagger.formats.jsonl import sentence_to_json
from tagger.text.document import Document
from tagger.text.rows import rows_of
from tagger.text.sentence import Label, Sentence, TagLayer, Values, numbers_as_text, text_as_numbers

PER_TOKEN = Values((1.5, None, -2.0), low=(1.0, 0.0, -3.0), high=(2.0, 1.0, 3.5), level=0.9)
WHOLE = Values((7.0, 8.25), whole=True)
SENTENCE = Sentence.from_tokens(["a", "b", "c"], {"load": PER_TOKEN, "next": WHOLE})


def of_json(**values: Any) -> Sentence:
    return parse_jsonl([json.dumps({"tokens": ["a", "b", "c"], "values": values})], where="f")[0]


def test_json_has_numbers_with_their_intervals_and_reads_them_back() -> None:
    row = sentence_to_json(SENTENCE)
    assert row["values"]["next"] == {"values": [7.0, 8.25], "whole": True}
    assert parse_jsonl([json.dumps(row)], where="f")[0].layers == SENTENCE.layers
    assert "values" not in sentence_to_json(Sentence.from_tokens(["a"]))


def test_a_list_alone_has_a_number_for_each_token() -> None:
    assert of_json(load=[1, None, 2.5]).values("load") == Values((1.0, None, 2.5))


def test_sentences_of_one_text_have_their_own_numbers() -> None:
    text = "a b c"
    first, second = (
        Sentence(("a",), text, ((0, 1),), {"load": Values((1.0,), low=(0.0,), high=(2.0,)), "next": WHOLE}),
        Sentence(("b", "c"), text, ((2, 3), (4, 5)), {"load": Values((2.0, 3.0), low=(0.0, 1.0), high=(2.0, 4.0))}),
    )
    second = Sentence(second.tokens, text, second.offsets, {**second.layers, "next": Values((9.0, 1.0), whole=True)})
    row = Document(text, (first, second)).to_dict()
    assert row["values"]["load"]["values"] == [1.0, 2.0, 3.0]
    found = parse_jsonl([json.dumps(row)], where="f")
    assert [sentence.layers for sentence in found] == [first.layers, second.layers]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"load": [1.0, 2.0]}, "`values.load` must have one number per token, 3 in all, got 2"),
        ({"load": [1.0, "x", 2.0]}, "`values.load` must have a list of numbers below 1e30 as `values`, got"),
        ({"load": [1.0, True, 2.0]}, "`values.load` must have a list of numbers below 1e30 as `values`"),
        ({"load": [1.0, 1e300, 2.0]}, "`values.load` must have a list of numbers below 1e30 as `values`"),
        ({"load": {"values": []}}, "`values.load` must have one number per token, 3 in all, got 0"),
        ({"load": {"values": [1.0], "whole": True, "low": [1.0, 2.0]}}, "must have 1 numbers as `low`, as in `values`"),
        (
            {"load": {"values": [1.0], "whole": True, "level": 2}},
            "`values.load.level` must be a number between 0 and 1",
        ),
    ],
)
def test_what_is_no_layer_of_numbers_is_an_error(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        of_json(**values)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("format", ["conll", "csv"])
def test_columns_hold_numbers_as_tags(tmp_path: Path, format: str) -> None:
    path = tmp_path / "a.file"
    write_sentences(path, [Sentence.from_tokens(["a", "b"], {"load": Values((0.1, 1e6))})], format=format)
    if format == "conll":
        found = read("conll", path, columns=["token", "load"], numbers=("load",))
        assert found[0].values("load") == Values((0.1, 1e6))
    else:
        assert path.read_text() == "sentence,token,load\n1,a,0.1\n1,b,1000000.0\n"


def test_columns_and_labels_are_read_as_numbers() -> None:
    lines = ["# next = 1.5 nan 2", "a\t1", "b\t?"]
    settings: dict[str, Any] = {"columns": ["token", "load"], "layers": {"next": "# next"}, "unknown": "?"}
    found = parse("conll", lines, where="f", numbers=("load", "next"), **settings)
    assert found[0].layers == {"load": Values((1.0, None)), "next": Values((1.5, None, 2.0), whole=True)}


def test_a_tag_that_is_no_number_is_an_error_with_its_place() -> None:
    with pytest.raises(DataError, match=r"f:2: layer `load` must have finite numbers, got 'x'"):
        parse("conll", ["a\t1", "b\tx"], where="f", columns=["token", "load"], numbers=("load",))


def test_text_of_numbers_is_the_way_back() -> None:
    plain = numbers_as_text(SENTENCE)
    assert plain.layers == {"load": TagLayer(("1.5", None, "-2.0")), "next": Label("7.0 8.25")}
    back = text_as_numbers(plain, ["load", "next"])
    assert back.layers == {"load": Values(PER_TOKEN.values), "next": WHOLE}


def test_a_table_has_a_row_for_each_number() -> None:
    rows = list(rows_of(Document("a b", (Sentence.from_tokens(["a", "b"], {"load": Values((1.5, 2.0))}),)), 1))
    assert [(row["text"], row["type"]) for row in rows] == [("a", "1.5"), ("b", "2.0")]


def test_packed_numbers_are_selected_and_saved(tmp_path: Path) -> None:
    sentences = [SENTENCE, Sentence.from_tokens(["d"]), Sentence.from_tokens(["e"], {"load": Values((5.0,))})]
    packed = pack(sentences)
    assert packed.numbers["next"].names == ["1", "2"]
    assert packed.select(pack(sentences).starts[:0]).numbers["load"].values.shape == (0,)
    chosen = packed.select(pack([*sentences[:3]]).starts[[2]] - 2)  # the last sentence
    assert chosen.numbers["load"].values.tolist() == [5.0]
    assert packed.telling_rows() == [0]
    packed.save(tmp_path)
    assert Packed.load(tmp_path).numbers["next"].values.tolist()[0] == [7.0, 8.25]


def test_numbers_of_two_sizes_or_kinds_are_an_error() -> None:
    with pytest.raises(DataError, match="2 for each whole sentence, as in the first one, got 3"):
        pack([SENTENCE, Sentence.from_tokens(["x"], {"next": Values((1.0, 2.0, 3.0), whole=True)})])
    with pytest.raises(DataError, match="got several; use one layer for each"):
        pack([SENTENCE, Sentence.from_tokens(["x"], {"load": ["tag"]})])
