"""Texts with one label: between delimiters, with marks, or from a file for each class."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from readers import read_labelled

from tagger.config import ClassRange, ReadingConfig
from tagger.corpus.corpus import load_corpus
from tagger.errors import DataError
from tagger.formats.columns.fields import Sample
from tagger.formats.detection import detect_format
from tagger.formats.tally import Tally
from tagger.formats.texts.labelled import looks_like_labelled, read_classes


def write(folder: Path, data: str, name: str = "a.tsv") -> Path:
    path = folder / name
    path.write_bytes(data.encode())
    return path


def test_line_is_a_label_a_tab_and_a_text(tmp_path: Path) -> None:
    path = write(tmp_path, "pos\tIt's good.\r\n neg \tbad\tand long\n")
    first, second = read_labelled(path, "mood")
    assert (first.tokens, first.label("mood").value, first.text) == (("It", "'s", "good", "."), "pos", "It's good.")
    assert (second.tokens, second.label("mood").value) == (("bad", "and", "long"), "neg")
    assert second.origin is not None
    assert second.origin.at(2) == f"{path}:2"


def test_text_that_is_tokenised_is_split_at_blanks_only(tmp_path: Path) -> None:
    (sentence,) = read_labelled(write(tmp_path, "pos\tit's  good."), "mood", tokenize="blanks")
    assert sentence.tokens == ("it's", "good.")


def test_lines_without_label_are_reported_together(tmp_path: Path) -> None:
    path = write(tmp_path, "pos\tgood\nno tab\n\tno label\npos\t \n\n")
    with pytest.raises(DataError) as caught:
        read_labelled(path, "mood")
    assert str(caught.value).splitlines() == [
        f"{path}:2: must be a label, a tab and a text, got 'no tab'",
        f"{path}:3: must be a label, a tab and a text, got '\\tno label'",
    ]


def test_each_file_is_a_class(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good .\nfine\n", "good"), write(tmp_path, "a\tb\n", "bad")
    files = read_classes(
        {"pos": good, "neg": str(bad)}, ReadingConfig(format="labelled", layer="mood", tokenize="blanks")
    )
    assert [[(s.tokens, s.label("mood").value) for s in file] for file in files] == [
        [(("good", "."), "pos"), (("fine",), "pos")],
        [(("a", "b"), "neg")],
    ]


def test_blank_texts_are_skipped_and_counted(tmp_path: Path) -> None:
    tally = Tally()
    path = write(tmp_path, "pos\tgood\nneg\t \n\nneg\tbad\n")
    assert [s.label("mood").value for s in read_labelled(path, "mood", tally=tally)] == ["pos", "neg"]
    assert tally.notes() == [f"skipped 2 blank texts, the first at {path}:2"]


def test_blank_lines_of_a_class_are_skipped_and_missing_files_reported(tmp_path: Path) -> None:
    tally = Tally()
    good, bad = write(tmp_path, "good\n\nfine\n", "good"), write(tmp_path, " \nbad\n", "bad")
    with pytest.raises(DataError, match=f"^{tmp_path}/nowhere: "):
        read_classes(
            {"none": tmp_path / "nowhere", "pos": good, "neg": bad},
            ReadingConfig(format="labelled", layer="mood"),
            tally,
        )
    assert tally.notes() == [f"skipped 2 blank texts, the first at {good}:2"]


CLASSES = {"bad": ClassRange(below=-0.5), "good": ClassRange(above=0.5), "neither": ClassRange()}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("-4", "bad"),
        ("-0.51", "bad"),
        ("-0.5", "neither"),
        ("0", "neither"),
        ("0.5", "neither"),
        ("5e-1", "neither"),
        ("0.5000001", "good"),
        ("inf", "good"),
    ],
)
def test_a_number_becomes_the_class_whose_range_it_is_in(tmp_path: Path, number: str, expected: str) -> None:
    path = write(tmp_path, f"17\t{number}\tIt is.\r\n")
    (sentence,) = read_labelled(path, "mood", columns=("_", "mood", "text"), classes=CLASSES)
    assert (sentence.tokens, sentence.label("mood").value) == (("It", "is", "."), expected)


def test_columns_may_stand_in_any_order_and_the_last_keeps_its_tabs(tmp_path: Path) -> None:
    (first,) = read_labelled(write(tmp_path, "so it is\t9\tgood"), "mood", columns=("text", "_", "mood"))
    assert (first.text, first.label("mood").value) == ("so it is", "good")
    (second,) = read_labelled(write(tmp_path, "9\tgood\tso\tit is"), "mood", columns=("_", "mood", "text"))
    assert second.text == "so\tit is"


def test_lines_without_the_columns_or_a_class_are_reported_together(tmp_path: Path) -> None:
    path = write(tmp_path, "1\t0.9\tgood\n2\t0.9\n3\thigh\tgood\n4\tnan\tgood\n5\t-0.2\tbad\n6\t0\tso\n")
    overlapping = {"low": ClassRange(below=0.0), "high": ClassRange(above=-0.5)}
    with pytest.raises(DataError) as caught:
        read_labelled(path, "mood", columns=("_", "mood", "text"), classes=overlapping)
    assert str(caught.value).splitlines() == [
        f"{path}:2: must be _ TAB mood TAB text, got '2\\t0.9'",
        f"{path}:3: the label must be a number, which `classes` turns into a class, got 'high'",
        f"{path}:4: the label must be a number, which `classes` turns into a class, got 'nan'",
        f"{path}:5: the label must be in one range of `classes`, got -0.2, which is in 2",
    ]


UP_AND_DOWN = [("up", "it went well"), ("down", "it did not")]

# A file, its name, and the labels and texts that it holds.
FORMS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "label, then text": (
        "a.tsv",
        "up\tit went well\ndown\tit did not\n",
        [("up", "it went well"), ("down", "it did not")],
    ),
    "text, then label": (
        "a.tsv",
        "it went well\tup\nit did not\tdown\n",
        [("up", "it went well"), ("down", "it did not")],
    ),
    "numbers": ("a.txt", "it went well\t3\nit did not\t1\n", [("3", "it went well"), ("1", "it did not")]),
    "header": (
        "a.tsv",
        "id\tmood\tText\n7\tup\tit went well\n8\tdown\tit did not\n",
        [("up", "it went well"), ("down", "it did not")],
    ),
    "commas": (
        "a.csv",
        'text,label\n"it went, well",up\n"he said ""no""\nand left",down\n',
        [("up", "it went, well"), ("down", 'he said "no"\nand left')],
    ),
    "semicolons": ("a.csv", "label;review\nup;it went well\n", [("up", "it went well")]),
    "fastText": ("a.txt", "__label__up it went well\n__label__down no\n", [("up", "it went well"), ("down", "no")]),
    "fastText and a tab": ("a.txt", "__label__up\tit went well\n", [("up", "it went well")]),
    "elements": (
        "a.txt",
        "  <Pros>it is small, <fast> no</Pros>\n<Pros>light</Pros>\n<Cons>loud</Cons>\n".replace("<fast> ", ""),
        [("Pros", "it is small, no"), ("Pros", "light"), ("Cons", "loud")],
    ),
    "opinions": (
        "a.txt",
        "* of a shop\n\n[t] a title\n##i bought it .\nprice[+2],size[+1][p]##it is fine .\nnoise[-3]##it is loud .\n",
        [("positive", "it is fine ."), ("negative", "it is loud .")],
    ),
}


def labels_and_texts(path: Path, **settings: Any) -> list[tuple[str, str]]:
    return [(s.label("mood").value, s.text) for s in read_labelled(path, "mood", **settings)]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_detected_and_read(tmp_path: Path, name: str) -> None:
    file, text, expected = FORMS[name]
    path = write(tmp_path, text, file)
    assert labels_and_texts(path) == expected
    if name != "header":  # whose label has a name of its own
        assert detect_format(text.split("\n"), where=str(path)) == "labelled"


# How a file is written, the settings that say so, and the labels and texts that it holds.
GIVEN: dict[str, tuple[bytes, dict[str, Any], list[tuple[str, str]]]] = {
    "delimiter": (
        b"up;it went, well\ndown;it did\tnot\n",
        {"delimiter": ";"},
        [("up", "it went, well"), ("down", "it did\tnot")],
    ),
    "delimiter above a header": (
        b"text,label\tgood\n",
        {"delimiter": "\t", "columns": ("text", "mood")},
        [("good", "text,label")],
    ),
    "blanks": (b"up it went well\ndown no\n", {"delimiter": " "}, [("up", "it went well"), ("down", "no")]),
    "quote": (b"label,text\nup,'it went, well'\n", {"quote": "'"}, [("up", "it went, well")]),
    "quote between tabs": (b'up\t"it went\twell"\n', {"quote": '"'}, [("up", "it went\twell")]),
    "no quote": (b'label,text\nup,"it" went\ndown,no "\n', {"quote": ""}, [("up", '"it" went'), ("down", 'no "')]),
    "no header": (
        b"text\tlabel\nup\tit went well\n",
        {"header": False, "columns": ("mood", "text")},
        [("text", "label"), ("up", "it went well")],
    ),
    "header of unknown names": (
        b"Stimmung\tAussage\nup\tit went well\ndown\tno it did not\n",
        {"header": True},
        [("up", "it went well"), ("down", "no it did not")],
    ),
    "header without a meaning": (
        b"made by hand\nMood\tText\nup\tit went well\ndown\tno it did not\n",
        {"header": 2},
        [("up", "it went well"), ("down", "no it did not")],
    ),
    "header and columns": (
        b"a,b,c\n1,up,it went well\n",
        {"header": 1, "columns": ("_", "mood", "text")},
        [("up", "it went well")],
    ),
    "encoding": ("up\tça va\n".encode("cp1252"), {"encoding": "cp1252"}, [("up", "ça va")]),
}


@pytest.mark.parametrize("name", GIVEN)
def test_given_settings_stand_above_detection(tmp_path: Path, name: str) -> None:
    data, settings, expected = GIVEN[name]
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert labels_and_texts(path, **settings) == expected


TEN = "".join(f"{'up' if i % 3 else 'down'}\tit went {i}\n" for i in range(12))
TURNED = "".join(f"it went {i}\t{'up' if i % 3 else 'down'}\n" for i in range(12))


@pytest.mark.parametrize(
    ("header", "rows", "num_sentences"),
    [
        ("sentiment\ttext\n", TEN, 12),
        ("text\tsentiment\n", TURNED, 12),
        ("Label\tReview\n", TEN, 12),
        ("Stimmung\tText\n", TEN, 12),
        ("text\tStimmung\n", TURNED, 12),
        ("rating\tAussage\n", TEN, 12),
        ("Aussage\trating\n", TURNED, 12),
        ("up\ttext\n", TEN, 13),  # a class of others: a row
        ("other\tfine\n", TEN, 13),
        ("rating\tit went home\n", TEN, 13),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_header_is_skipped_with_a_note(tmp_path: Path, header: str, rows: str, num_sentences: int, end: str) -> None:
    path = write(tmp_path, (header + rows).replace("\n", end))
    assert detect_format((header + rows).split("\n"), where="a.txt") == "labelled"
    tally = Tally()
    assert len(read_labelled(path, "mood", tally=tally)) == num_sentences
    assert any(note.startswith("read 1 file with the columns") for note in tally.notes()) == (num_sentences == 12)


def test_classes_are_read_in_the_encoding_and_without_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Texte\nça va\n".encode("cp1252"))
    config = ReadingConfig(format="labelled", layer="mood", encoding="cp1252", header=1)
    ((sentence,),) = read_classes({"up": path}, config)
    assert (sentence.text, sentence.label("mood").value) == ("ça va", "up")


def test_a_tab_of_tokens_and_tags_is_no_labelled_text() -> None:
    lines = ["Ada left Oslo\tB-PER O B-LOC", "It rained\tO O"]
    assert not looks_like_labelled(Sample(lines))


def test_other_columns_stay_with_the_text_and_are_told(tmp_path: Path) -> None:
    tally = Tally()
    path = write(tmp_path, "id,label,text\n7,up,it went well\n", "a.csv")
    (sentence,) = read_labelled(path, "mood", tally=tally)
    assert sentence.record == {"id": "7"}
    assert tally.notes() == [
        f"read 1 file with the columns `id`, `label`, `text`, the first is {path}",
        "1 line has the key `id`, which is not read as a layer",
    ]


@pytest.mark.parametrize(
    "text", ["__label__a __label__b it went well\n__label__a ok\n", "it went well\t1,2\nok then\t1\n"]
)
def test_several_labels_of_a_text_are_an_error_with_the_way(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=r"a.tsv:1: a text must have one label, got 2, .*; keep one, or choose several"):
        read_labelled(path, "mood")
    assert len(labels_and_texts(path, several="skip")) == 1
    assert labels_and_texts(path, several="join")[0][0] in ("a+b", "1+2")


def test_a_broken_quote_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'text,label\n"' + "a" * 200_000 + "\n", "a.csv")
    with pytest.raises(DataError, match=r"a.csv:2: must be text,label, got 'aaa"):
        read_labelled(path, "mood")


# The corpora of the data folder, each by the keys of a [data] section, with the number of texts of each class, which
# were counted with awk.
RECIPES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "goemotions": (
        {
            "train": ["sentiment/goemotions/dev.tsv"],
            "columns": ["text", "feeling", "_"],
            "several": "skip",
            "rename": {"0": "ambiguous", "1": "negative", "2": "neutral", "3": "positive"},
        },
        {"ambiguous": 459, "negative": 1014, "neutral": 1592, "positive": 1941},
    ),
    "xed": (
        {"train": ["sentiment/xed/en-annotated.tsv", "sentiment/xed/neu_en.txt"], "several": "skip"},
        {
            **{"1": 2391, "2": 2028, "3": 1413, "4": 1529, "5": 1721, "6": 1527, "7": 1429, "8": 1617},
            "9": 9674,
        },
    ),
    "pros-cons": (
        {"train": ["sentiment/pros-cons/IntegratedPros.txt", "sentiment/pros-cons/IntegratedCons.txt"]},
        {"Pros": 22_936, "Cons": 22_931},  # and five of each that are empty
    ),
    "product-reviews": (
        {"train": ["sentiment/product-reviews/product_reviews_1/Canon_G3.txt"], "several": "skip"},
        {"positive": 183, "negative": 53},
    ),
}


@pytest.mark.data
@pytest.mark.parametrize("name", RECIPES)
def test_a_corpus_is_read_as_its_authors_publish_it(name: str, data_folder: Path) -> None:
    keys, expected = RECIPES[name]
    files = [str(data_folder / path) for path in keys["train"]]
    corpus = load_corpus(**{**keys, "train": files, "dev": files[:1]}, format="labelled", layer="feeling")
    found = Counter(sentence.label("feeling").value for sentence in corpus.train)
    assert found == expected
