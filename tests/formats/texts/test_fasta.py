"""FASTA: symbols below headers, with labels in the header and tags below the symbols."""

from collections.abc import Iterable

import pytest
import readers

import tagger
from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.detection import detect_format
from tagger.formats.streaming import stream_documents
from tagger.formats.tally import Tally
from tagger.tagging import read_documents
from tagger.text.sentence import Sentence


def parse(text: str, **settings: object) -> list[Sentence]:
    return readers.parse("fasta", text.splitlines(), where="f", **settings)


def error_of(text: str, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        parse(text, **settings)
    return str(caught.value)


def test_symbols_on_several_lines_are_one_sequence() -> None:
    first, second = parse(";made by hand\n>P1 Aspartate OS=Homo sapiens OX=9606\nMK-\n\n va*\n>P2\nM\n")
    assert (first.text, first.tokens) == ("MK-va*", tuple("MK-va*"))
    assert first.offsets[2] == (2, 3)
    assert first.meta == {"id": "P1", "OS": "Homo sapiens", "OX": "9606"}
    assert (second.tokens, second.meta) == (("M",), {"id": "P2"})
    assert second.origin is not None
    assert second.origin.at(0) == "f:7"


def test_labels_are_in_the_header_by_key_and_by_number() -> None:
    (named,) = parse(">P1 organism=human kind=x y\nMK", layers={"organism": "organism", "class": "kind"})
    assert (named.label("organism").value, named.label("class").value) == ("human", "x y")
    (numbered,) = parse(">P1|EUKARYA|NO_SP|0\nMK", layers={"kingdom": "2", "partition": "4"})
    assert (numbered.label("kingdom").value, numbered.label("partition").value) == ("EUKARYA", "0")


@pytest.mark.parametrize("lines", ["MKVA\nIIMM", "MK\nVA\nII\nMM"])
def test_tags_are_below_the_symbols_on_as_many_lines(lines: str) -> None:
    (sequence,) = parse(f">P1|TM|0\n{lines}", layers={"topology": "tags", "type": "2"})
    assert (sequence.text, sequence.tags("topology")) == ("MKVA", ("I", "I", "M", "M"))
    assert sequence.label("type").value == "TM"


@pytest.mark.parametrize(
    ("text", "layers", "message"),
    [
        (
            ">P1\nMKV\nII\n",
            {"t": "tags"},
            "f:1: the record must have a tag for each symbol, on as many lines as its symbols, "
            "got 3 symbols and 2 tags on 2 lines",
        ),
        (
            ">P1\nMKV\n",
            {"t": "tags"},
            "f:1: the record must have a tag for each symbol, on as many lines as its symbols, "
            "got 0 symbols and 3 tags on 1 line",
        ),
        (">P1\nM\n>P2\n", {}, "f:3: the header must have symbols below it, got none; remove it"),
        (">P1\n>P2\nM", {"t": "tags"}, "f:1: the header must have symbols below it, got none; remove it"),
        (
            "MKV\n>P1\nM\n",
            {},
            "f:1: must be a header that starts with >, got 'MKV'",
        ),
        (
            ">P1 kind=x\nM",
            {"class": "organism"},
            "f:1: the header must have `organism=VALUE` for the layer `class`, got 'P1 kind=x'; "
            "its keys are `id`, `kind`",
        ),
        (
            ">P1|TM\nM",
            {"class": "3"},
            "f:1: the header must have a field 3 between vertical bars for the layer `class`, got 'P1|TM'",
        ),
    ],
)
def test_what_is_wrong_with_a_record_is_said(text: str, layers: dict[str, str], message: str) -> None:
    assert message in error_of(text, layers=layers)


@pytest.mark.parametrize(
    ("text", "format"),
    [
        (">P1|TM\nMKV\nIIM\n", "fasta"),
        (";x\n>P1\nACGT\nACGT", "fasta"),
        ("> quoted text\nof a mail with words\n", "text"),
    ],
)
def test_fasta_is_detected_by_its_headers(text: str, format: str) -> None:
    assert detect_format(text.splitlines(), where="f") == format


def tokens_of(text: str, tags: Iterable[str] | None) -> list[str]:
    """The symbols of a file that a model with these tags is to tag."""
    config = ReadingConfig.model_construct(format="fasta", layers={"t": "tags"})
    tally = Tally(tags=None if tags is None else frozenset(tags))
    documents = stream_documents(text.splitlines(), "fasta", reading=config, where="f", tally=tally)
    return ["".join(part.tokens) for document in documents for part in document.sentences]


@pytest.mark.parametrize("tags", ["io", None])
def test_a_file_to_be_tagged_may_have_tags_or_not(tags: str | None) -> None:
    def tokens(text: str) -> list[str]:
        return tokens_of(text, tags)

    assert tokens(">P1\nMK\nio\n>P2\nMKV\niio") == ["MK", "MKV"]
    assert tokens(">P1\nMK\nVA\n>P2\nMKV") == ["MKVA", "MKV"]


def test_lines_of_symbols_of_equal_length_are_no_tags() -> None:
    lines = "MKVLAAGIVGLPNVGKSTLF\nNALTKAGIEAANYPFCTIEP\n"
    assert tokens_of(f">P1\n{lines}", "IMOS") == [lines.replace("\n", "")]
    assert tokens_of(f">P1\n{lines[:21]}IIIIIIIIIIIIMMMMMMMM\n", "IMOS") == [lines[:20]]
    assert tokens_of(f">P1\n{lines}{lines}", "IMOS") == [2 * lines.replace("\n", "")]


def test_tags_of_spans_are_known_by_their_letters() -> None:
    assert tokens_of(">P1\nMKVA\niiio\n", ["I-ENTITY", "O"]) == ["MKVA"]
    assert tokens_of(">P1\nMKVA\nAVKM\n", ["I-ENTITY", "O"]) == ["MKVAAVKM"]


@pytest.mark.parametrize(
    ("second", "tags"), [("GATTACAGATTACA", "ACGT"), ("IIIIIIIIIIIIIX", "IMO"), ("GATTACAGATTACA", None)]
)
def test_lines_that_may_be_symbols_or_tags_are_refused(second: str, tags: str | None) -> None:
    with pytest.raises(DataError, match="f: the second half of each record must be symbols or tags of the model, got"):
        tokens_of(f">P1\nACGTACGTACGTAC\n{second}", tags)


def test_a_model_knows_its_tags_in_files_to_be_tagged() -> None:
    recipe = tagger.Recipe(
        embeddings={"chars": "none", "dimension": 4},
        encoder={"hidden_size": 4},
        heads={"t": {"kind": "tokens", "scheme": "none"}},
        training={"epochs": 1},
    )
    chains = [Sentence.from_tokens("MKVAA", {"t": list("IIMMM")})] * 4
    model = tagger.train(recipe, corpus=tagger.Corpus(chains, dev=chains)).tagger
    reading = ReadingConfig.model_construct(format="fasta", layers={"t": "tags"})
    model.model.config.reading["x"] = reading

    def tokens(text: str) -> list[str]:
        documents = read_documents(model, text.encode().splitlines(keepends=True), format="fasta", where="f")
        return [document.text for document in documents]

    assert tokens(">P1\nMKVA\nIIMM\n") == ["MKVA"]
    assert tokens(">P1\nMKVA\nAVKM\n") == ["MKVAAVKM"]


def test_white_space_between_symbols_is_ignored_and_digits_are_refused() -> None:
    (found,) = parse(">P1\tkind=x\nMK VA\nII MM", layers={"t": "tags"})
    assert (found.text, found.tags("t"), found.meta) == ("MKVA", tuple("IIMM"), {"id": "P1", "kind": "x"})
    assert "f:1: symbols must not be digits, got '1'; remove the numbers" in error_of(">P1\n1 MKVA")


def test_a_field_of_the_header_ends_before_keys_and_values() -> None:
    (found,) = parse(">P1|EUKARYA|train organism=human\nMK", layers={"part": "3", "organism": "organism"})
    assert (found.label("part").value, found.label("organism").value) == ("train", "human")
