"""The column files that people have: `check`, `convert` and training agree on what each is."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tagger.conversion.convert import convert
from tagger.conversion.options import Conversion
from tagger.corpus.corpus import load_corpus
from tagger.doctor.check import check
from tagger.errors import DataError
from tagger.formats.streaming import stream_documents

WEBANNO = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=de.x.ner.type.NamedEntity|identifier|value\n#T_SP=de.x.pos.POS|PosValue\n"
    "#T_RL=de.x.Dependency|DependencyType|BT_de.x.pos.POS\n\n\n"
    "#Text=Ines Marlow left Quern.\n"
    "1-1\t0-4\tInes\t*[1]\tPER[1]\tNNP\tsubj\t1-3\t\n1-2\t5-11\tMarlow\t*[1]\tPER[1]\tNNP\t_\t_\t\n"
    "1-3\t12-16\tleft\t_\t_\tVBD\t_\t_\t\n1-4\t17-22\tQuern\t*\tLOC\tNNP\t_\t_\t\n1-5\t22-23\t.\t_\t_\t.\t_\t_\t\n"
)
CONLL2012 = "\n".join(
    f"wb/x/00/x_0001   0   {i}   {word}   {pos}   (TOP*)   -   -   -   sp1   {entity}   *   -"
    for i, (word, pos, entity) in enumerate(
        [("Ines", "NNP", "(PERSON*"), ("Marlow", "NNP", "*)"), ("left", "VBD", "*")]
    )
)
CONLL2009 = (
    "1\tInes\tines\tines\tNNP\tNNP\t_\t_\t2\t2\tSBJ\tSBJ\t_\t_\tA0\n"
    "2\tleft\tleave\tleave\tVBD\tVBD\t_\t_\t0\t0\tROOT\tROOT\tY\tleave.01\t_\n\n"
    "1\tIt\tit\tit\tPRP\tPRP\t_\t_\t2\t2\tSBJ\tSBJ\t_\t_\n2\tended\tend\tend\tVBD\tVBD\t_\t_\t0\t0\tROOT\tROOT\t_\t_\n"
)
INES = ("Ines", "Marlow", "left")
TAGS = ("B-PER", "I-PER", "O")


def rows(*tags: str, between: str = "\t") -> str:
    """The words of a sentence with their tags, twice."""
    sentence = "".join(f"{word}{between}{tag}\n" for word, tag in zip(INES, tags, strict=True))
    return f"{sentence}\n{sentence}"


# A file, its format, the layers, and the tags of its first sentence in the last of them.
FILES: dict[str, tuple[str, str, Sequence[str], Sequence[str]]] = {
    "letters": (rows("B", "I", "O"), "conll", ["ner"], ("B-ENTITY", "I-ENTITY", "O")),
    "small letters": (rows("b", "i", "o"), "conll", ["ner"], ("B-ENTITY", "I-ENTITY", "O")),
    "bmes": (rows("B-PER", "E-PER", "O") + "\nA\tB-X\nB\tM-X\nC\tE-X\n", "conll", ["ner"], ("B-PER", "E-PER", "O")),
    "underscore": (rows("B_PER", "I_PER", "O"), "conll", ["ner"], TAGS),
    "suffix": (rows("PER-B", "PER-I", "O"), "conll", ["ner"], TAGS),
    "types": (rows("PER", "PER", "O") + "it\tO\nended\tO\n", "conll", ["ner"], ("I-PER", "I-PER", "O")),
    "header": ("Word\tTag\n" + rows(*TAGS), "conll", ["ner"], TAGS),
    "header of parts of speech": ("FORM\tPOS\n" + rows("NN", "NN", "VB"), "conll", ["pos"], ("NN", "NN", "VB")),
    "germeval": (
        "#\thttp://x.org/1\t[2011]\t\n1\tInes\tB-PER\tO\n2\tMarlow\tI-PER\tB-LOC\n3\tleft\tO\tO\n\n"
        "#\thttp://x.org/2\t[2012]\t\n1\tIt\tO\tO\n2\tended\tO\tO\n",
        "conll",
        ["ner", "ner2"],
        ("O", "B-LOC", "O"),
    ),
    "klue": ("##id-1\t<Ines>\n" + rows(*TAGS) + "\n##id-2\tIt\nIt\tO\n", "conll", ["ner"], TAGS),
    "jnlpba": ("###MEDLINE:1\n\n" + rows(*TAGS) + "\n###MEDLINE:2\n\nIt\tO\n", "conll", ["ner"], TAGS),
    "hipe": (
        "TOKEN\tNE-COARSE-LIT\tMISC\n# hipe:id = a\nInes\tB-PER\t_\nMarlow\tI-PER\t_\nleft\tO\tEndOfSentence\n"
        "It\tO\t_\nended\tO\tEndOfSentence\n\n# hipe:id = b\nQuern\tB-LOC\t_\n",
        "conll",
        ["ne_coarse_lit"],
        TAGS,
    ),
    "comma": (rows(*TAGS, between=","), "conll", ["ner"], TAGS),
    "quoted comma": ('word,label\nInes,B-PER\n"Mar,low",I-PER\n",",O\n\nIt,O\n', "conll", ["ner"], TAGS),
    "comma and blank": (rows(*TAGS, between=", "), "conll", ["ner"], TAGS),
    "apostrophes": ("'Ines',B-PER\n'Marlow',I-PER\n'left',O\n\n'It',O\n", "conll", ["ner"], TAGS),
    "semicolon": (rows(*TAGS, between=";"), "conll", ["ner"], TAGS),
    "sentence ids": (
        "sentence_id,words,labels\n0,Ines,B-PER\n0,Marlow,I-PER\n0,left,O\n1,It,O\n",
        "conll",
        ["ner"],
        TAGS,
    ),
    "sentence marks": (
        "Sentence #,Word,POS,Tag\nSentence: 1,Ines,NN,B-PER\n,Marlow,NN,I-PER\n,left,VB,O\nSentence: 2,It,PRP,O\n",
        "conll",
        ["pos", "ner"],
        TAGS,
    ),
    "offsets": (
        "Ines\t0\t4\tB-PER\nMarlow\t5\t11\tI-PER\nleft\t12\t16\tO\n\nIt\t18\t20\tO\n",
        "conll",
        ["ner"],
        TAGS,
    ),
    "brackets": (CONLL2012 + "\n", "conll", ["pos", "ner"], ("B-PERSON", "I-PERSON", "O")),
    "predicates": (CONLL2009, "conll", ["pos"], ("NNP", "VBD")),
    "ragged": (
        "".join(
            "1\tInes\tB-PER\t-\ta\n2\tMarlow\tI-PER\t-\ta\n3\tleft\tO\n4\tthem\tO\n5\tall\tO\n\n" for _ in range(9)
        ),
        "conll",
        ["ner"],
        (*TAGS, "O", "O"),
    ),
    "parallel": ("Ines Marlow left\tB-PER I-PER O\nIt ended\tO O\n", "parallel", ["ner"], TAGS),
    "slash": ("Ines/NN left/VB ./.\n" * 4, "tagged", ["pos"], ("NN", "VB", ".")),
    "underscores": ("Ines_NN left_VB ._.\n" * 4, "tagged", ["pos"], ("NN", "VB", ".")),
    "two tags behind bars": ("Ines|NN|B-PER Marlow|NN|I-PER left|VB|O\n" * 4, "tagged", ["pos", "ner"], TAGS),
    "two tags behind underscores": ("Ines_NN_PER left_VB_O ._._O\n" * 4, "tagged", ["pos", "ner"], ("I-PER", "O", "O")),
    "webanno": (WEBANNO, "webanno", ["pos", "ner"], ("B-PER", "I-PER", "O", "B-LOC", "O")),
    "label and text": ("pos\ta fine day out\nneg\ta bad day\npos\tgood work all\n", "labelled", ["label"], ()),
    "characters": ("米\tB-PER\n拉\tI-PER\n在\tO\n\n托\tB-PER\n", "conll", ["ner"], TAGS),
}


def write(folder: Path, text: str) -> Path:
    path = folder / "data.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FILES)
def test_check_convert_and_training_read_the_same(name: str, tmp_path: Path) -> None:
    text, format, layers, tags = FILES[name]
    path = write(tmp_path, text)
    diagnosis = check(path)
    assert (diagnosis.format, diagnosis.errors) == (format, ())
    (train,) = diagnosis.splits.values()
    assert {*train.labels, *train.entities} == {*layers}
    parts: list[bytes] = []
    drop = tuple({"_", "...", "start", "end", "relations", "sentence_end"}) if name not in ("header",) else ()
    wanted = Conversion(to="jsonl", drop=drop)
    said = convert(lambda: text.encode().splitlines(keepends=True), parts.append, wanted, where=str(path), path=path)
    assert said.startswith(format)
    assert len(parts) == train.sentences
    settings = {"layer": "label"} if format == "labelled" else {}
    corpus = load_corpus(train=str(path), format=format, **settings)
    assert len(corpus.train) == train.sentences
    assert sum(map(len, corpus.train)) == train.tokens
    if tags:
        scheme = diagnosis.schemes[layers[-1]]
        read = corpus.train[0].tags(layers[-1])
        assert read == tags or (scheme == "io" and [tag[2:] for tag in read] == [tag[2:] for tag in tags])


@pytest.mark.parametrize("tags", ["B_PER I_PER O", "PER-B PER-I O", "b-PER i-PER o", "B-PER M-PER E-PER", "PER PER O"])
def test_tags_in_another_spelling_go_to_any_scheme_in_their_columns(tags: str) -> None:
    parts: list[bytes] = []
    outside = "\nit\tO\nended\tO\nthere\tO\n"
    data = (rows(*tags.split()) + outside).encode()
    convert(lambda: data.splitlines(keepends=True), parts.append, Conversion(to="bioes"), where="f")
    last = "I-PER E-PER" if tags.endswith("E-PER") else "E-PER O"
    assert b"".join(parts).decode() == rows(*f"B-PER {last}".split()) + outside


UNREAD = {
    "tiger": ('<?xml version="1.0"?>\n<corpus id="x">\n<head>\n</head>\n<body>\n', "TIGER XML"),
    "tei": ('<?xml version="1.0"?>\n<!-- x -->\n<TEI xmlns="y">\n', "TEI"),
    "xmi": ('<?xml version="1.0"?>\n<xmi:XMI xmlns:xmi="http://x">\n', "XMI of UIMA"),
    "html": ("<!DOCTYPE html>\n<html>\n", "HTML"),
    "xml": ('<?xml version="1.0"?>\n<other/>\n', "XML"),
    "pdf": ("%PDF-1.4\n", "a PDF"),
    "word": ("PK\x03\x04 [Content_Types].xml word/document.xml\n", "a Word document"),
    "excel": ("PK\x03\x04 xl/workbook.xml\n", "an Excel workbook"),
    "parquet": ("PAR1 x\n", "a Parquet file"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_formats_that_are_not_read_are_named_with_the_way(name: str, tmp_path: Path) -> None:
    text, wanted = UNREAD[name]
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=rf"data\.txt: looks like {wanted}, which tagger does not read.*; \w+"):
        check(path)


def test_file_without_a_layer_is_never_sound(tmp_path: Path) -> None:
    diagnosis = check(write(tmp_path, "The\ncat\n\nnaps\n"))
    assert diagnosis.error_counts == {"layers": 1}


def test_header_is_data_where_the_recipe_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "Word\tTag\n" + rows("NN", "NN", "VB"))
    named = {"train": str(path), "format": "conll", "columns": ["token", "pos"]}
    corpus = load_corpus(**named)
    assert corpus.train[0].tokens == INES
    assert any("skipped 1 header line" in note for note in corpus.notes)
    assert load_corpus(**named, header=False).train[0].tokens == ("Word", *INES)
    assert load_corpus(**named, header=2).train[0].tokens == INES[1:]


def test_settings_of_reading_are_given(tmp_path: Path) -> None:
    path = write(tmp_path, "%% note\nInes~NN\n'left~'~VB\n")
    settings = {"delimiter": "~", "quote": "'", "comments": "%%", "columns": ["token", "pos"]}
    corpus = load_corpus(train=str(path), format="conll", **settings)
    assert [(s.tokens, s.tags("pos")) for s in corpus.train] == [(("Ines", "left~"), ("NN", "VB"))]


def test_marks_between_sequences_are_named(tmp_path: Path) -> None:
    """As in the protein files of UCI, where some chains end in `<end>`, and `_` is a class."""
    path = write(tmp_path, "<>\nM _\nK h\n<end>\n<>\nA e\n \nG _\n<end>")
    settings = {"train": str(path), "format": "conll", "columns": ["token", "structure"]}
    corpus = load_corpus(**settings, boundary=["<>", "<end>"])
    assert [(s.tokens, s.tags("structure")) for s in corpus.train] == [
        (("M", "K"), ("_", "h")),
        (("A",), ("e",)),
        (("G",), ("_",)),
    ]
    assert corpus.train[1].origin is not None
    assert corpus.train[1].origin.at(0).endswith(":6")
    with pytest.raises(DataError, match=r":4: must have 2 columns \(token, structure\), got 1: '<end>'"):
        load_corpus(**settings, boundary="<>")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "latin-1"])
def test_file_in_another_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    text = "Größe\tB-X\r\nñandú\tO\r\n\r\nà\tO\n"
    path = tmp_path / "data.txt"
    path.write_bytes(text.encode(encoding))
    given = None if encoding == "utf-16" else encoding
    diagnosis = check(path, encoding=given)
    assert (diagnosis.format, diagnosis.is_sound) == ("conll", True)
    corpus = load_corpus(train=str(path), format="conll", **({"encoding": given} if given else {}))
    assert [s.tokens for s in corpus.train] == [("Größe", "ñandú"), ("à",)]
    parts: list[bytes] = []
    wanted = Conversion(to="conll", form={"encoding": encoding})
    convert(lambda: path.read_bytes().splitlines(keepends=True), parts.append, wanted, where="f", path=path)
    assert b"".join(parts).decode() == text.replace("\r", "") + "\n" or given is None


def test_bytes_that_are_not_of_the_encoding_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_bytes("Ñ\tB-X\n".encode())
    with pytest.raises(DataError, match=r"data\.txt:1: must be ascii .*; name another encoding"):
        load_corpus(train=str(path), format="conll", encoding="ascii")


def test_lines_with_a_header_that_names_the_token_are_tagged_without_columns() -> None:
    lines = ["Sentence #,Word,POS", "Sentence: 1,Ines,NN", ',",",.', "Sentence: 2,left,VB"]
    found = [s for document in stream_documents(lines, "conll", where="f") for s in document.sentences]
    assert [sentence.tokens for sentence in found] == [("Ines", ","), ("left",)]


def test_folder_of_three_files_is_read_with_its_labels(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        folder = tmp_path / split
        folder.mkdir()
        (folder / "seq.in").write_text("fly to Quern\nwake me\n", encoding="utf-8")
        (folder / "seq.out").write_text("O O B-city\nO O\n", encoding="utf-8")
        (folder / "label").write_text("Flight\nAlarm\n", encoding="utf-8")
    diagnosis = check(tmp_path)
    assert (diagnosis.format, diagnosis.is_sound, {*diagnosis.splits}) == ("parallel", True, {"train", "dev"})
    corpus = load_corpus(train=str(tmp_path / "train"), dev=str(tmp_path / "valid"), format="parallel")
    assert corpus.train[0].label("intent").value == "Flight"
    assert corpus.train[0].tags("ner") == ("O", "O", "B-city")


def test_annotations_of_webanno_that_lie_in_each_other_are_reported_with_the_choice(tmp_path: Path) -> None:
    inside = WEBANNO.replace("*[1]\tPER[1]\tNNP\t_", "*[1]|*\tPER[1]|ORG\tNNP\t_")
    path = write(tmp_path, inside)
    with pytest.raises(DataError, match="nested = "):
        load_corpus(train=str(path), format="webanno")
    corpus = load_corpus(train=str(path), format="webanno", nested="outermost")
    assert corpus.train[0].tags("ner") == ("B-PER", "I-PER", "O", "B-LOC", "O")
