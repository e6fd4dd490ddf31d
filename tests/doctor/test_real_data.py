"""The data doctor on the real corpora: what is known to be in them, and the readers' counts."""

from pathlib import Path

import pytest
from readers import read_conll, read_conllu

from tagger.doctor.check import check
from tagger.doctor.words import oddity_of

UNER = ("index", "token", "ner", "_", "_")
PAIR = ("token", "ner")
FOLDERS = {
    "ner/wnut17": PAIR,
    "ner/wikigold": PAIR,
    "ner/btc": PAIR,
    "ner/bc5cdr/iob2": PAIR,
    "ner/bc5cdr/bioes": PAIR,
    "ner/ncbi-disease/iob2": PAIR,
    "ner/ncbi-disease/bioes": PAIR,
    "ner/uner-danish": UNER,
    "ner/uner-portuguese": UNER,
    "ner/snips": PAIR,
    "pos/ud-english-ewt": None,
    "pos/ud-english-atis": None,
    "pos/ud-french-sequoia": None,
}
SCHEMES = {"ner/wikigold": "iob1", "ner/bc5cdr/bioes": "bioes", "ner/ncbi-disease/bioes": "bioes"}
ERRORS = {  # all others have none; counted beside this code by another pass over the characters
    "ner/btc": {"mojibake": 1, "space": 139, "empty": 6},
    "ner/snips": {"mojibake": 29},
    "ner/uner-danish": {"transition": 7},
    "ner/uner-portuguese": {"space": 1},
    "pos/ud-english-ewt": {"mojibake": 1},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_corpus_is_detected_and_counted_as_the_readers_have_it(name: str, data_folder: Path) -> None:
    diagnosis = check(data_folder / name)
    columns = FOLDERS[name]
    assert diagnosis.columns == columns
    for split, files in diagnosis.files.items():
        read = [s for path in files for s in (read_conll(path, columns) if columns else read_conllu(path))]
        counts = diagnosis.splits[split]
        assert (counts.sentences, counts.tokens) == (len(read), sum(map(len, read)))
    if columns:
        assert diagnosis.schemes["ner"] == SCHEMES.get(name, "iob2")
    assert diagnosis.error_counts == ERRORS.get(name, {})


def test_invalid_entity_starts_of_danish_are_named_with_their_lines(data_folder: Path) -> None:
    diagnosis = check(data_folder / "ner/uner-danish")
    places = [(Path(str(e.to_dict()["file"])).name, e.to_dict()["line"]) for e in diagnosis.errors]
    assert [name for name, _ in places] == ["train.iob2"] * 6 + ["test.iob2"]
    for name, number in places:
        before, line = (
            (data_folder / "ner/uner-danish" / name).read_text(encoding="utf-8").split("\n")[number - 2 : number]
        )
        tag = line.split("\t")[2]
        assert tag.startswith("I-")
        assert before.split("\t")[2] not in (f"B-{tag[2:]}", tag)


@pytest.mark.parametrize(("name", "leaks"), [("bc5cdr", 16), ("ncbi-disease", 1)])
def test_test_sentences_that_train_has_are_counted(name: str, leaks: int, data_folder: Path) -> None:
    diagnosis = check(data_folder / "ner" / name / "iob2")
    assert diagnosis.overlaps["test in train"]["leak"] == leaks
    warnings = [w for w in diagnosis.warnings if w.kind == "leak" and w.values["split"] == "test"]
    assert sum(w.values["other_split"] == "train" for w in warnings) == leaks


def test_wikigold_is_iob1_with_its_documents(data_folder: Path) -> None:
    diagnosis = check(data_folder / "ner/wikigold")
    assert "layer `ner` reads as IOB1, because it never uses `B-`" in diagnosis.notes
    assert (
        diagnosis.splits["train"].documents == 145
    )  # the first has no mark before it, the last mark stands at the end


def test_only_real_mojibake_is_flagged(data_folder: Path) -> None:
    files = [*(data_folder / "ner").rglob("*.tsv"), *(data_folder / "ner/wnut17").glob("*.*")]
    tokens = {token for path in files for s in read_conll(path, PAIR) for token in s.tokens}
    for name in ("danish", "portuguese"):
        folder = data_folder / f"ner/uner-{name}"
        tokens |= {token for path in folder.glob("*.iob2") for s in read_conll(path, UNER) for token in s.tokens}
    for path in (data_folder / "pos/ud-french-sequoia").glob("*.conllu"):
        tokens |= {token for s in read_conllu(path) for token in s.tokens}
    assert sum(not token.isascii() for token in tokens) > 5000
    assert [token for token in tokens if (found := oddity_of(token)) and found.kind == "mojibake"] == []
