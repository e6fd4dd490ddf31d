"""What a file is: formats and columns in the dialects of published corpora, and splits by name, as tables."""

from pathlib import Path

import pytest

from tagger.doctor.check import check
from tagger.errors import DataError
from tagger.formats.detection import detect_reading, split_of

CONLLU = "1\tOslo\t_\tPROPN\t_\t_\t_\t_\t_\t_"
READINGS = [
    ("Ada\tB-PER\nnaps\tO", "conll", ("token", "ner")),
    ("Ada B-PER\nnaps O", "conll", ("token", "ner")),
    ("B-PER\tAda\nO\tnaps", "conll", ("ner", "token")),
    ("1\tAda\tB-PER\tB-PER#O\tx\n2\tnaps\tO\tO#O\tx\n3\t.\tO\tO#O\tx", "conll", ("index", "token", "ner", "_", "_")),
    (
        "-DOCSTART- -X- O O\n\nU.N. NNP I-NP B-ORG\nofficial NN I-NP O\nheads VBZ B-VP O\nfor IN B-PP O",
        "conll",
        ("token", "_", "chunk", "ner"),
    ),
    ("Ada\t0-3\tB-PER\nnaps\t4-8\tO\nAda\t9-12\tB-PER", "conll", ("token", "_", "ner")),
    ("a0f0\tAda\tB-PER\na0f1\tnaps\tO\na0f2\tAda\tB-PER", "conll", ("_", "token", "ner")),
    ("0:3\tAda\tNNP\n4:8\tnaps\tVBZ\n9:12\tAda\tNNP", "conll", ("_", "token", "tags")),
    ("Ada\tNNP\ts0\nnaps\tVBZ\ts1\nAda\tNNP\ts2", "conll", ("token", "tags", "_")),
    ("The DT\ncat NN\nand CC\n\ndog NN", "conll", ("token", "tags")),
    ("The\ncat\n\nnaps", "conll", ("token",)),
    ("Ada\tB-PER\nnaps\tO\nOslo\tX-LOC\nbroken\n.\tO", "conll", ("token", "ner")),
    ("# text = Oslo\n" + CONLLU, "conllu", None),
    ("#text\n" + CONLLU + "\n" + CONLLU + "\nbroken", "conllu", None),
    ('{"tokens": ["Ada"]}', "jsonl", None),
    ("good\ta fine film\nbad\ta dull one", "labelled", None),
    ("The/DT cat/NN", "tagged", None),
    ("The/DT cat/NN\n\nIt/PRP sleeps/VBZ ./.\n", "tagged", None),
]


@pytest.mark.parametrize(("text", "format", "columns"), READINGS)
def test_format_and_columns_are_reported_from_the_lines(
    text: str, format: str, columns: tuple[str, ...] | None
) -> None:
    assert detect_reading(text.split("\n"), where="f") == (format, columns)


def test_prose_is_no_column_file() -> None:
    with pytest.raises(DataError, match=r"^f: must have the same number of columns .*: --format labelled"):
        detect_reading(["It was dark .", "Rain fell on all of it .", "slept"], where="f")


def test_words_with_what_may_be_a_tag_are_named_as_such() -> None:
    with pytest.raises(DataError, match=r"^f: must have the same number of columns .*: --format tagged"):
        detect_reading(["the/det cat/noun", "it/pron sleeps/verb now/adv", "a/art b/c d/e f/g"], where="f")


def test_columns_without_tags_are_refused_with_advice() -> None:
    rows = [f"{i}\t{i / 7}\tword{i}" for i in range(2000)]
    with pytest.raises(DataError, match=r"^f: one of the 3 columns must hold tags, .* --columns, such as token,_,ner$"):
        detect_reading(rows, where="f")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("wnut17train.conll", "train"),
        ("emerging.dev.conll", "dev"),
        ("emerging.test.annotated", "test"),
        ("en_ewt-ud-dev.conllu", "dev"),
        ("devel.tsv", "dev"),
        ("validate.bio", "dev"),
        ("valid.txt", "dev"),
        ("eng.testa", "dev"),
        ("eng.testb", "test"),
        ("test-00000.jsonl", "test"),
        ("TRAIN.TXT", "train"),
        ("contest.conll", None),
        ("device.conll", None),
        ("a.conll", None),
        ("wikigold.conll.txt", None),
        ("train/a.conll", None),
    ],
)
def test_split_is_reported_from_the_name(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_lines_of_many_widths_are_reported_by_their_first_lines() -> None:
    with pytest.raises(
        DataError, match=r"got 1 column in 2 lines \(first: line 1\), 2 columns in 2 lines \(first: line 2\), 3"
    ):
        detect_reading(["a", "b O", "c", "d B-X x", "e O", "f O x"], where="f")


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.jsonl", "jsonl"), ("a.JSON", "jsonl"), ("a.jsonl.gz", "jsonl"), ("a.conllu.gz", "conllu"), ("a.txt", "conll")],
)
def test_a_name_that_says_a_format_is_believed(name: str, format: str) -> None:
    assert detect_reading(["Ada B-PER"], where=name)[0] == format


def test_commas_between_columns_of_tokens_are_seen() -> None:
    lines = ["Ada,NNP,B-PER", "ran,VBD,O", "", "Oslo,NNP,B-LOC"]
    assert detect_reading(lines, where="data.csv") == ("conll", ("token", "_", "ner"))
    assert detect_reading(["Ada\tB-PER", "ran\tO"], where="data.csv") == ("conll", ("token", "ner"))


@pytest.mark.parametrize("lines", [["A fine film, good", "dull, bad"], ["What a film", "One of the best of all, good"]])
def test_prose_with_commas_is_neither_text_nor_columns(lines: list[str]) -> None:
    with pytest.raises(DataError, match=r"^data\.csv: "):
        detect_reading(lines, where="data.csv")


def test_texts_between_tabs_are_no_columns_and_the_likely_readings_are_named() -> None:
    lines = [f"{i}\ta text of {i} words\t{label}\tx" for i, label in enumerate(["good", "bad"] * 20)]
    with pytest.raises(DataError) as caught:
        detect_reading(lines, where="f")
    assert "--format labelled --delimiter tab --columns _,text,label,_ (texts with a label)" in str(caught.value)


TEXTS_OF_CSV = {
    "a header": ("reseña,estrellas", '"a fine, ""long"" text {}",{}', "comma", "text,label", True),
    "four fields": ("nº;juicio;nota;fecha", '{0};"a fine; text {0}";{1};2020', "semicolon", "_,text,label,_", True),
    "the label first": ("nota|opinión", "{1}|a fine, text {0}", "'|'", "label,text", True),
    "no header": ('good,"a fine, text"', '{1},"a fine, text {0}"', "comma", "label,text", False),
}


@pytest.mark.parametrize("name", TEXTS_OF_CSV)
def test_the_advice_for_texts_of_csv_reads_them(name: str, tmp_path: Path) -> None:
    first, line, delimiter, columns, header = TEXTS_OF_CSV[name]
    path = tmp_path / "data.csv"
    rows = [line.format(i, label) for i, label in enumerate(["good", "bad"] * 6)]
    path.write_text("\n".join([first, *rows]), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        check(path)
    option = " --header 1" if header else ""
    advice = f"--format labelled --delimiter {delimiter} --columns {columns}{option} (texts with a label)"
    assert advice in str(caught.value)
    form = {"delimiter": delimiter.strip("'"), "header": header or None}
    diagnosis = check(path, format="labelled", columns=columns.split(","), **form)
    assert diagnosis.errors == ()
    assert diagnosis.splits["train"].labels == {"label": {"good": 6 + (not header), "bad": 6}}
