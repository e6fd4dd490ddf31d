"""Real corpora: every count of their table, and every trap that is known to be in them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from readers import parse_conll

from tagger.corpus.corpus import Corpus, load_corpus
from tagger.errors import DataError
from tagger.files.reading import read_lines
from tagger.text.sentence import Sentence

Counts = tuple[int, int, int]
UNIVERSAL = {  # Universal Dependencies, version 2
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
}
UNER = ("index", "token", "ner", "_", "_")


def load(folder: Path, name: str, **settings: Any) -> Corpus:
    """A corpus of the data folder; file names are relative to `name`."""
    files = {key: settings.pop(key) for key in ("train", "dev", "test") if key in settings}
    paths = {
        key: [folder / name / file for file in (value if isinstance(value, list) else [value])]
        for key, value in files.items()
    }
    return load_corpus(**{"format": "conll", "columns": ("token", "ner"), **paths, **settings})


def counts(sentences: Any, layer: str = "ner") -> Counts:
    """Sentences, tokens and entities."""
    return len(sentences), sum(map(len, sentences)), sum(len(sentence.boundaries(layer)) for sentence in sentences)


def load_wnut17(folder: Path) -> Corpus:
    files = {"train": "wnut17train.conll", "dev": "emerging.dev.conll", "test": "emerging.test.annotated"}
    return load(folder, "ner/wnut17", **files)


def load_uner(folder: Path, name: str, **settings: Any) -> Corpus:
    files = {"train": "train.iob2", "dev": "dev.iob2", "test": "test.iob2"}
    return load(folder, f"ner/uner-{name}", columns=UNER, **files, **settings)


def load_tsv(folder: Path, name: str) -> Corpus:
    return load(folder, f"ner/{name}", train="train.tsv", dev="devel.tsv", test="test.tsv")


def test_wnut17_has_the_counts_of_its_table(data_folder: Path) -> None:
    corpus = load_wnut17(data_folder)
    assert [counts(split) for split in corpus.splits().values()] == [
        (3394, 62730, 1975),
        (1009, 15733, 836),
        (1287, 23394, 1079),
    ]
    assert corpus.schemes == {"ner": "iob2"}
    assert len({span.type for sentence in corpus.train for span in sentence.boundaries("ner")}) == 6


def test_separators_with_a_tab_and_hashes_of_wnut17_are_read_rightly(data_folder: Path) -> None:
    path = data_folder / "ner/wnut17/wnut17train.conll"
    lines = read_lines(path)
    assert sum(line.startswith("\t") and not line.strip() for line in lines) == 2394
    sentences = parse_conll(lines, ["token", "ner"], where="f")
    hashes = [token for sentence in sentences for token in sentence.tokens if token.startswith("#")]
    assert len(hashes) == sum(line.startswith("#") for line in lines) == 828
    assert "#NFL" in hashes
    assert all(not sentence.meta for sentence in sentences)


def test_wikigold_is_iob1_with_documents_and_hash_tokens(data_folder: Path) -> None:
    corpus = load(data_folder, "ner/wikigold", train="wikigold.conll.txt")
    assert counts(corpus.train) == (1696, 39007, 3558)
    assert corpus.schemes == {"ner": "iob1"}
    assert corpus.notes == ("layer `ner` reads as IOB1, because it never uses `B-`",)
    # 145 lines stand between and behind the documents: none before the first, which has no name, one behind the last
    assert len({sentence.document for sentence in corpus.train}) == 145
    assert [sentence.document for sentence in corpus.train[:7]] == [None] * 6 + ["1"]
    tokens = [token for sentence in corpus.train for token in sentence.tokens]
    assert tokens.count("#") >= 39
    assert "-DOCSTART-" not in tokens
    assert all(not sentence.meta for sentence in corpus.train)


def test_broad_twitter_corpus_has_the_counts_of_its_table(data_folder: Path) -> None:
    corpus = load(data_folder, "ner/btc", train=[f"{section}.conll" for section in "abefgh"])
    assert counts(corpus.train) == (9339, 150387, 14885)
    assert corpus.schemes == {"ner": "iob2"}
    # six lines have a tag and no word
    assert corpus.notes[0] == (
        f"kept 6 tokens that are empty or white space, the first at {data_folder}/ner/btc/f.conll:16301"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bc5cdr", [(4560, 118170, 9385), (4581, 117453, 9593), (4797, 124750, 9809)]),
        ("ncbi-disease", [(5424, 135701, 5134), (923, 23969, 787), (940, 24497, 960)]),
    ],
)
def test_iob2_converted_to_bioes_equals_the_files_in_bioes(
    name: str, expected: list[Counts], data_folder: Path
) -> None:
    iob2, bioes = load_tsv(data_folder, f"{name}/iob2"), load_tsv(data_folder, f"{name}/bioes")
    assert (iob2.schemes, bioes.schemes) == ({"ner": "iob2"}, {"ner": "bioes"})
    assert [counts(split) for split in iob2.splits().values()] == expected
    for split, sentences in iob2.splits().items():
        converted = [(sentence.tokens, sentence.tags("ner", scheme="bioes")) for sentence in sentences]
        assert converted == [(sentence.tokens, sentence.tags("ner")) for sentence in bioes.splits()[split]]


def test_seven_invalid_tags_of_danish_are_refused_by_line(data_folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_uner(data_folder, "danish")
    folder = data_folder / "ner/uner-danish"
    places = [line.split(": tag ")[0] for line in str(caught.value).splitlines()]
    assert len(places) == 7
    assert [Path(place.rsplit(":", 1)[0]).name for place in places] == ["train.iob2"] * 6 + ["test.iob2"]
    for place in places:
        path, number = place.rsplit(":", 1)
        lines = (folder / Path(path).name).read_text(encoding="utf-8").split("\n")
        tag, before = (lines[int(number) - k].split("\t") for k in (1, 2))
        assert tag[2].startswith("I-")
        assert len(before) < 3 or before[2][2:] != tag[2][2:]


def test_danish_repaired_has_the_counts_of_its_table(data_folder: Path) -> None:
    corpus = load_uner(data_folder, "danish", invalid="repair")
    assert [counts(split) for split in corpus.splits().values()] == [
        (4383, 80378, 3028),
        (564, 10332, 379),
        (565, 10023, 447),
    ]
    assert corpus.notes[-1].startswith("repaired 7 invalid tags by conlleval's rule: ")
    assert all(sentence.meta["sent_id"] and sentence.meta["text"] for sentence in corpus.train)


def test_portuguese_has_the_counts_of_its_table(data_folder: Path) -> None:
    corpus = load_uner(data_folder, "portuguese")
    assert [counts(split) for split in corpus.splits().values()] == [
        (7018, 171776, 8101),
        (1172, 28447, 1401),
        (1167, 27604, 1215),
    ]


def test_snips_has_slots_and_an_intent_over_each_sentence(data_folder: Path) -> None:
    settings: dict[str, Any] = {"columns": ("token", "slots"), "layers": {"intent": "# intent"}}
    corpus = load(data_folder, "ner/snips", train="train.bio", test="validate.bio", **settings)
    assert (counts(corpus.train, "slots"), counts(corpus.test, "slots")) == ((13784, 126179, 35748), (700, 6594, 1794))
    everything = [*corpus.train, *corpus.test]
    assert len({sentence.label("intent").value for sentence in everything}) == 7
    assert len({span.type for sentence in everything for span in sentence.boundaries("slots")}) == 39


@pytest.mark.parametrize(
    ("name", "prefix", "sizes"),
    [
        ("ud-english-ewt", "en_ewt", [12544, 2001, 2077]),
        ("ud-english-atis", "en_atis", [4274, 572, 586]),
        ("ud-french-sequoia", "fr_sequoia", [2231, 412, 456]),
    ],
)
def test_treebank_has_the_sentences_of_its_table_and_a_tag_a_word(
    name: str, prefix: str, sizes: list[int], data_folder: Path
) -> None:
    files = {split: f"{prefix}-ud-{split}.conllu" for split in ("train", "dev", "test")}
    corpus = load(data_folder, f"pos/{name}", format="conllu", columns=None, layers={"upos": "upos"}, **files)
    assert [len(split) for split in corpus.splits().values()] == sizes
    assert corpus.schemes == {"upos": None}
    words = sum(
        line.split("\t", 1)[0].isdigit()
        for file in files.values()
        for line in (data_folder / "pos" / name / file).read_text(encoding="utf-8").split("\n")
    )
    everything = [sentence for split in corpus.splits().values() for sentence in split]
    assert sum(map(len, everything)) == words
    assert {tag for sentence in everything for tag in sentence.tags("upos")} <= UNIVERSAL


def sentiment(sentences: Any, value: str) -> int:
    return sum(sentence.label("sentiment").value == value for sentence in sentences)


def test_movie_reviews_are_split_by_row_in_each_file(data_folder: Path) -> None:
    files = {"neg": data_folder / "sentiment/mr/rt-polarity.neg", "pos": data_folder / "sentiment/mr/rt-polarity.pos"}
    corpus = load_corpus(
        format="labelled",
        layer="sentiment",
        tokenize="blanks",
        train=files,
        split={"every": 10, "dev": 8, "test": 9},
    )
    # rows 0 to 5330 of each file: 533 are 8 and 533 are 9 modulo 10
    assert [len(split) for split in corpus.splits().values()] == [8530, 1066, 1066]
    for split in corpus.splits().values():
        assert sentiment(split, "neg") == sentiment(split, "pos") == len(split) // 2
    row = files["pos"].read_text(encoding="utf-8").split("\n")[19]
    positive: list[Sentence] = [s for s in corpus.test if s.label("sentiment").value == "pos"]
    assert positive[1].tokens == tuple(row.split())


def test_french_treebank_comes_back_from_a_dataset_the_same(data_folder: Path, tmp_path: Path, own_cache: Path) -> None:
    path = data_folder / "pos/ud-french-sequoia/fr_sequoia-ud-dev.conllu"
    corpus = load_corpus(train=str(path), format="conllu")
    assert any(len(set(s.offsets)) < len(s) for s in corpus.train)
    corpus.to_dataset().save_to_disk(str(tmp_path / "rows"))
    again = load_corpus(dataset=str(tmp_path / "rows"))
    assert again.train == [replace(sentence, origin=None) for sentence in corpus.train]
