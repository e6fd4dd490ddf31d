"""A corpus: splits, schemes and notes, and nothing repaired, renamed or dropped unless it is asked for."""

from pathlib import Path
from typing import Any

import pytest

from tagger.config import DataConfig, ReadingConfig, SplitConfig
from tagger.corpus.corpus import Corpus, cut_dev, load_corpus, read_corpus
from tagger.corpus.files import read_sentences
from tagger.errors import DataError, RecipeError
from tagger.text.sentence import Label, Sentence

COLUMNS = ("token", "ner")


def lines(*sentences: str) -> str:
    """Column lines of sentences written as `word/tag word/tag`."""
    return "\n\n".join(s.replace("/", "\t").replace(" ", "\n") for s in sentences) + "\n"


def write(folder: Path, name: str, *sentences: str) -> str:
    path = folder / name
    path.write_text(lines(*sentences), encoding="utf-8")
    return str(path)


def load(folder: Path, *sentences: str, **settings: Any) -> Corpus:
    """A corpus whose train file has these sentences."""
    train = write(folder, "train.txt", *sentences)
    return load_corpus(**{"train": train, "format": "conll", "columns": COLUMNS, **settings})


def error_of(folder: Path, *sentences: str, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, *sentences, **settings)
    return str(caught.value)


def words(sentences: Any) -> list[str]:
    return [sentence.tokens[0] for sentence in sentences]


def numbered(count: int) -> list[str]:
    return [f"{i}/O x/B-X" for i in range(count)]


def test_files_of_each_split_are_joined_in_order(tmp_path: Path) -> None:
    first, second = write(tmp_path, "1", "a/B-X", "b/O"), write(tmp_path, "2", "c/O")
    corpus = load_corpus(
        train=[Path(first), second], dev=second, test=(second, first), format="conll", columns=["token", "ner"]
    )
    assert [words(split) for split in corpus.splits().values()] == [["a", "b", "c"], ["c"], ["c", "a", "b"]]
    assert corpus.schemes == {"ner": "iob2"}


def test_paths_are_relative_to_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "a/O")
    config = DataConfig(format="conll", columns=COLUMNS, train=("a.txt",))
    assert words(read_corpus(config, folder=tmp_path).train) == ["a"]


def test_split_that_is_there_is_not_cut_from_train_as_well() -> None:
    with pytest.raises(DataError) as caught:
        load_corpus(format="synthetic", sentences=20, split={"test": 0.5})
    assert str(caught.value) == (
        "`split.test` cuts test from train, which must have none yet, but the generated corpus has a test split; "
        "leave out `split.test`"
    )


def test_documents_of_several_files_are_reported_apart(tmp_path: Path) -> None:
    text = "-DOCSTART- O\n\na O\n\nb O\n\n-DOCSTART- O\n\nc O\n"
    for name, content in (("1", text), ("2", text), ("3", "d O\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    files = [str(tmp_path / name) for name in "123"]
    reading: dict[str, Any] = {"format": "conll", "columns": COLUMNS}
    wanted = ["1.1", "1.1", "1.2", "2.1", "2.1", "2.2", None]
    assert [s.document for s in load_corpus(train=files, **reading).train] == wanted
    assert [s.document for s in read_sentences(files, ReadingConfig(**reading))[0]] == wanted
    assert [s.document for s in load_corpus(train=files[0], **reading).train] == ["1", "1", "2"]


def test_every_sends_rows_of_each_file_by_their_remainder(tmp_path: Path) -> None:
    first, second = write(tmp_path, "1", *numbered(25)), write(tmp_path, "2", *numbered(11))
    split = {"every": 10, "dev": 8, "test": 9}
    corpus = load_corpus(train=[first, second], format="conll", columns=COLUMNS, split=split)
    assert words(corpus.dev) == ["8", "18", "8"]
    assert words(corpus.test) == ["9", "19", "9"]
    assert words(corpus.train) == [str(i) for n in (25, 11) for i in range(n) if i % 10 < 8]


def test_remainder_zero_is_a_remainder_and_test_may_be_left_out(tmp_path: Path) -> None:
    corpus = load(tmp_path, *numbered(6), split={"every": 3, "dev": 0})
    assert (words(corpus.dev), words(corpus.test), len(corpus.train)) == (["0", "3"], [], 4)


def test_shares_are_cut_by_seed_without_loss_in_the_order_of_the_file(tmp_path: Path) -> None:
    corpora = [load(tmp_path, *numbered(50), split={"dev": 0.1, "test": 0.2, "seed": seed}) for seed in (1, 1, 2)]
    parts = [[[int(word) for word in words(split)] for split in corpus.splits().values()] for corpus in corpora]
    assert [len(part) for part in parts[0]] == [35, 5, 10]
    assert sorted(i for part in parts[0] for i in part) == list(range(50))
    assert all(part == sorted(part) for part in parts[0])
    assert parts[0] == parts[1]
    assert parts[0] != parts[2]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (4, [2, 1, 1]), (40, [38, 1, 1])]
)
def test_share_of_a_small_file_is_one_sentence_and_train_keeps_one(
    count: int, sizes: list[int], tmp_path: Path
) -> None:
    corpus = load(tmp_path, *numbered(count), split={"dev": 0.01, "test": 0.01})
    assert [len(split) for split in corpus.splits().values()] == sizes


def test_dev_is_cut_from_train_and_never_from_test_and_said(tmp_path: Path) -> None:
    test = write(tmp_path, "test.txt", *numbered(30))
    corpus = load(tmp_path, *numbered(20), test=test)
    assert corpus.dev == []
    cut = cut_dev(corpus, SplitConfig(test=0.5, seed=3))
    assert cut.test == corpus.test
    assert (len(cut.train), len(cut.dev)) == (18, 2)
    assert sorted(words(cut.train) + words(cut.dev)) == sorted(words(corpus.train))
    assert cut.notes[-1] == "no dev split is named: cut 2 of 20 train sentences by seed 3"
    assert cut_dev(cut) is cut


def test_scheme_is_found_over_all_splits(tmp_path: Path) -> None:
    dev = write(tmp_path, "dev.txt", "a/B-X b/E-X")
    corpus = load(tmp_path, "a/B-X b/E-X c/O", dev=dev, test=write(tmp_path, "test.txt", "a/S-X"))
    assert corpus.schemes == {"ner": "bioes"}
    assert corpus.notes == ("layer `ner` reads as BIOES",)
    # alone, these train sentences would be IOB2
    dev = write(tmp_path, "dev.txt", "a/U-X")
    assert load(tmp_path, "a/O", "b/O", dev=dev).schemes == {"ner": "bilou"}


def test_file_without_any_b_is_iob1_and_this_is_said(tmp_path: Path) -> None:
    corpus = load(tmp_path, "a/I-X b/I-X c/O")
    assert corpus.schemes == {"ner": "iob1"}
    assert corpus.notes == ("layer `ner` reads as IOB1, because it never uses `B-`",)
    assert [span.type for span in corpus.train[0].spans("ner")] == ["X"]


def test_sentences_show_their_tags_in_the_scheme_of_the_file(tmp_path: Path) -> None:
    (sentence,) = load(tmp_path, "a/I-X b/B-X").train
    assert sentence.tags("ner") == ("I-X", "B-X")
    assert sentence.tags("ner", scheme="bioes") == ("S-X", "S-X")


def test_tags_without_spans_have_no_scheme_beside_those_that_have_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("Ada\tPROPN\tB-PER\nsang\tVERB\tO\n", encoding="utf-8")
    for scheme in (None, "iob2"):
        corpus = load_corpus(train=path, format="conll", columns=["token", "upos", "ner"], scheme=scheme)
        assert corpus.schemes == {"upos": None, "ner": "iob2"}


def test_tag_unknown_to_the_scheme_is_reported_the_scheme_that_has_it(tmp_path: Path) -> None:
    dev = write(tmp_path, "dev.txt", *["x/O"] * 43, "a/O b/S-PER")
    assert error_of(tmp_path, "a/B-PER", dev=dev, scheme="iob2") == (
        f"{dev}:88: tag 'S-PER' is not a valid IOB2 tag (B-, I-, O); pass scheme=\"bioes\" if the file uses it"
    )


def test_tag_of_no_scheme_is_an_error(tmp_path: Path) -> None:
    assert error_of(tmp_path, "a/B-PER b/NOUN c/O d/o").splitlines() == [
        f"{tmp_path}/train.txt:2: tag 'NOUN' is not a valid IOB2 tag (B-, I-, O); fix the tag",
        f"{tmp_path}/train.txt:4: tag 'o' is not a valid IOB2 tag (B-, I-, O); fix the tag",
    ]


def test_scheme_that_no_layer_has_is_refused(tmp_path: Path) -> None:
    assert error_of(tmp_path, "a/PER b/O", scheme="iob2") == (
        "`scheme` is iob2, but no layer has tags such as B-PER; fix the tags, "
        "or remove `scheme` if they have no spans (layers: ner)"
    )


def test_invalid_sequences_are_refused_with_place_and_remedy(tmp_path: Path) -> None:
    path = f"{tmp_path}/train.txt"
    remedy = 'is not valid IOB2 in layer `ner`; fix it, or repair it by conlleval\'s rule with invalid = "repair"'
    assert error_of(tmp_path, "a/I-X b/B-X", "c/B-X d/I-Y", scheme="iob2").splitlines() == [
        f"{path}:1: tag 'I-X' at the start of a sentence {remedy}",
        f"{path}:5: tag 'I-Y' after 'B-X' {remedy}",
    ]


def test_invalid_sequences_are_repaired_and_counted_when_asked(tmp_path: Path) -> None:
    corpus = load(tmp_path, "a/I-X b/I-X", "c/B-X d/I-Y", "e/B-X f/I-X", scheme="iob2", invalid="repair")
    assert [sentence.tags("ner") for sentence in corpus.train] == [
        ("B-X", "I-X"),
        ("B-X", "B-Y"),
        ("B-X", "I-X"),
    ]
    first = f"{tmp_path}/train.txt:1"
    assert corpus.notes == (f"repaired 2 invalid tags by conlleval's rule: 2 in train (the first at {first})",)


def test_valid_corpus_is_not_said_to_be_repaired(tmp_path: Path) -> None:
    assert load(tmp_path, "a/B-X", scheme="iob2", invalid="repair").notes == ()


def test_types_are_renamed_and_dropped_and_counted(tmp_path: Path) -> None:
    corpus = load(
        tmp_path, "a/B-PER b/I-PER c/B-MISC", "d/B-PER e/B-LOC", rename={"PER": "person"}, drop="MISC", scheme="iob2"
    )
    assert [sentence.tags("ner") for sentence in corpus.train] == [
        ("B-person", "I-person", "O"),
        ("B-person", "B-LOC"),
    ]
    assert corpus.notes == ("renamed 'PER' to 'person' 2 times", "dropped 'MISC' 1 time")


def test_renaming_two_types_to_one_keeps_neighbours_apart_in_iob1(tmp_path: Path) -> None:
    corpus = load(tmp_path, "a/I-X b/I-Y c/B-Y", rename={"X": "Y"}, scheme="iob1")
    assert corpus.train[0].tags("ner") == ("I-Y", "B-Y", "B-Y")


def test_name_that_the_data_do_not_have_is_refused(tmp_path: Path) -> None:
    assert error_of(tmp_path, "a/B-PER b/B-LOC", rename={"PRE": "person"}) == (
        "`rename` and `drop` must name types or classes of the data, got 'PRE'; the data have LOC, PER"
    )


def make_classes(folder: Path, **classes: str) -> dict[str, Path]:
    for name, text in classes.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in classes}


def test_classes_are_renamed_and_sentences_of_dropped_ones_go(tmp_path: Path) -> None:
    files = make_classes(tmp_path, pos="a\nb\n", neg="c\n", unsure="d\ne\n")
    settings = {"format": "labelled", "layer": "mood", "tokenize": "blanks"}
    corpus = load_corpus(train=files, rename={"pos": "good"}, drop=["unsure"], **settings)
    assert [(s.tokens[0], s.label("mood")) for s in corpus.train] == [
        ("a", Label("good")),
        ("b", Label("good")),
        ("c", Label("neg")),
    ]
    assert corpus.notes == ("renamed 'pos' to 'good' 2 times", "dropped 'unsure' 2 times")
    assert corpus.schemes == {}


def test_tags_without_spans_cannot_be_renamed(tmp_path: Path) -> None:
    assert error_of(tmp_path, "a/NOUN b/VERB", rename={"NOUN": "N"}) == (
        "`rename` and `drop` must name entity types or classes, got 'NOUN', but the data have none; "
        "remove it: tags without spans cannot be renamed"
    )


def test_every_counts_rows_in_each_file_of_a_class(tmp_path: Path) -> None:
    files = make_classes(tmp_path, pos="0\n1\n2\n3\n", neg="4\n5\n6\n")
    split = {"every": 3, "test": 2}
    corpus = load_corpus(train=files, format="labelled", layer="mood", tokenize="blanks", split=split)
    assert (words(corpus.train), words(corpus.test)) == (["0", "1", "3", "4", "5"], ["2", "6"])


def test_table_of_classes_needs_labelled_text(tmp_path: Path) -> None:
    assert error_of(tmp_path, "a/O", train={"a": "b"}) == (
        'a table class = path needs `format = "labelled"`, got "conll"'
    )


@pytest.mark.parametrize(
    ("format", "text", "settings"),
    [
        ("conll", "# intent = x\na\tO\n", {"columns": ["token", "ner"], "layers": {"intent": "# intent"}}),
        ("conllu", "1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n", {"layers": {"intent": "upos"}}),
        ("labelled", "x\ta\n", {"layer": "intent"}),
        ("jsonl", '{"tokens": ["a"], "labels": {"intent": "x"}}\n', {}),
    ],
)
def test_each_format_is_read_by_its_reader(format: str, text: str, settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text, encoding="utf-8")
    (sentence,) = load_corpus(train=tmp_path / "a", format=format, **settings).train
    assert sentence.tokens == ("a",)
    assert "intent" in sentence.layers


def test_layer_that_no_sentence_has_is_refused(tmp_path: Path) -> None:
    assert error_of(tmp_path, "a/O", layers={"intent": "# intnet"}) == (
        "`layers` must name layers of the data, but no sentence has `intent` (from `# intnet`); the data have ner"
    )


def test_layer_that_some_sentences_have_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("# intent = x\na\tO\n\nb\tO\n", encoding="utf-8")
    settings: dict[str, Any] = {"format": "conll", "columns": COLUMNS, "layers": {"intent": "# intent"}}
    assert [len(s.layers) for s in load_corpus(train=tmp_path / "a", **settings).train] == [2, 1]


def test_generated_corpus_has_three_splits_by_seed() -> None:
    first, again, other = (load_corpus(format="synthetic", sentences=30, seed=seed) for seed in (1, 1, 2))
    assert [len(split) for split in first.splits().values()] == [30, 3, 3]
    assert first == again
    assert first.train != other.train
    assert first.schemes["ner"] is not None


def test_tokens_without_a_visible_character_are_kept_and_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a\tO\n\tO\n \tO\n", encoding="utf-8")
    corpus = load_corpus(train=tmp_path / "a", format="conll", columns=COLUMNS, scheme="iob2")
    assert corpus.train[0].tokens == ("a", "", " ")
    assert corpus.notes == (f"kept 2 tokens that are empty or white space, the first at {tmp_path}/a:2",)


def test_mistake_in_a_setting_is_reported_as_in_a_recipe() -> None:
    with pytest.raises(RecipeError) as caught:
        load_corpus(train="a", fromat="conll")
    assert "load_corpus: unknown key `fromat`; did you mean `format`?" in str(caught.value)


def test_dataset_with_files_of_ones_own_needs_a_format() -> None:
    config = DataConfig(dataset="x/y", train=("a.txt",))
    with pytest.raises(DataError) as caught:
        read_corpus(config, folder=Path("data"), from_files=True)
    assert str(caught.value) == "data/a.txt: needs a format to be read from files; name `format` in the recipe"


def test_token_column_of_a_dataset_is_nothing_to_files_of_ones_own(tmp_path: Path) -> None:
    train = write(tmp_path, "a", "a/B-X")
    config = DataConfig(dataset="x/y", layers={"token": "body"}, format="conll", columns=COLUMNS, train=(train,))
    assert words(read_corpus(config, from_files=True).train) == ["a"]
    assert config.reading().layers is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing", "no such file; check the path"),
        ("folder", "must be a file, got a folder; name a file in it"),
        ("empty", "the file must not be empty, got no bytes; check the path"),
        ("binary", "1: must be text, got a binary file (a zero byte); name a text file"),
        ("gzip", "the gzip data are broken or cut short; fetch the file again"),
    ],
)
@pytest.mark.parametrize(
    "settings",
    [
        {"format": "conll", "columns": ["token", "ner"]},
        {"format": "conllu"},
        {"format": "labelled", "layer": "x"},
        {"format": "jsonl"},
    ],
    ids=lambda settings: settings["format"],
)
def test_bad_file_reads_the_same_in_every_format(
    name: str, sentence: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    contents = {"empty": b"", "binary": b"\x7fELF\0", "utf16": "a O\n".encode("utf-16"), "gzip": b"\x1f\x8b\x08"}
    for file, data in contents.items():
        (tmp_path / file).write_bytes(data)
    path = tmp_path / name
    with pytest.raises(DataError) as caught:
        load_corpus(train=str(path), **settings)
    assert str(caught.value) == f"{path}:{'' if sentence[0] == '1' else ' '}{sentence}"


def test_sentences_are_given_whole() -> None:
    corpus = Corpus([Sentence.from_tokens(["a"])])
    assert corpus.splits() == {"train": corpus.train, "dev": (), "test": ()}


@pytest.mark.parametrize("tag", ["", "/S-X", "/I-X"], ids=["columns", "tags", "order"])
def test_problems_of_all_files_are_reported_at_once(tmp_path: Path, tag: str) -> None:
    broken = [f"a{tag}", f"b{tag}"]
    files = {name: [write(tmp_path, name, "c/B-Y", *broken)] for name in ("train", "dev", "test")}
    files["train"] += [write(tmp_path, "more", *broken * 6)]
    with pytest.raises(DataError) as caught:
        load_corpus(**files, format="conll", columns=COLUMNS, scheme="iob2")
    lines = str(caught.value).splitlines()
    told = [[line for line in lines if line.startswith(f"{path}:")] for split in files.values() for path in split]
    assert [len(found) for found in told] == [2, 10, 2, 2]
    assert [line for line in lines if line.startswith("...")] == ["... and 2 more such problems"]


def test_file_that_is_missing_hides_no_broken_one(tmp_path: Path) -> None:
    train = write(tmp_path, "train", "a")
    with pytest.raises(DataError) as caught:
        load_corpus(train=[tmp_path / "nowhere", train, train], format="conll", columns=COLUMNS)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [f"{tmp_path}/nowhere", f"{train}:1"]


def test_bare_types_are_io_where_the_recipe_says_so(tmp_path: Path) -> None:
    corpus = load(tmp_path, "a/PER b/PER c/O d/LOC", scheme="io")
    assert corpus.train[0].tags("ner") == ("B-PER", "I-PER", "O", "B-LOC")
    assert corpus.notes[0] == "layer `ner` has types without a prefix; they are read with the prefix `I-`"
    assert "is not a valid IO tag" in error_of(tmp_path, "a/PER b/I-PER c/O", scheme="io")
    assert "no layer has tags such as" in error_of(tmp_path, "a/B b/I c/O", scheme="io")


def test_tags_that_io_does_not_have_are_reported_the_scheme_that_fits_the_file(tmp_path: Path) -> None:
    found = error_of(tmp_path, "a/B-PER b/I-PER c/B-PER", scheme="io").splitlines()
    assert len(found) == 2
    assert all(line.endswith('pass scheme="iob2" if the file uses it') for line in found)
    assert 'pass scheme="bioes"' in error_of(tmp_path, "a/B-X b/E-X c/S-X", scheme="io")


def test_repairs_are_reported_by_split_with_the_first_of_each(tmp_path: Path) -> None:
    dev, test = write(tmp_path, "dev.txt", "a/B-X", "b/I-X"), write(tmp_path, "test.txt", "a/B-X b/I-Y c/I-X")
    corpus = load(tmp_path, "a/B-X b/O c/I-X", dev=dev, test=test, scheme="iob2", invalid="repair")
    assert corpus.notes == (
        f"repaired 4 invalid tags by conlleval's rule: 1 in train (the first at {tmp_path}/train.txt:3), "
        f"1 in dev (the first at {dev}:3), 2 in test (the first at {test}:2)",
    )


def test_next_best_scheme_and_absent_entities_are_reported(tmp_path: Path) -> None:
    corpus = load(tmp_path, "a/O b/B-X", "c/I-X", "d/I-X", "e/I-Y", invalid="repair")
    assert corpus.notes[0] == "layer `ner` reads as IOB2 (3 faults; 1 as IOB1)"
    assert load(tmp_path, "a/O").notes == ("layer `ner` has no entities and reads as IOB2",)


def test_new_name_that_looks_like_a_tag_is_reported(tmp_path: Path) -> None:
    corpus = load(tmp_path, "a/B-LOC", rename={"LOC": "B-X"}, scheme="iob2")
    assert corpus.notes == ("renamed 'LOC' to 'B-X' (a type that looks like a tag) 1 time",)
    assert [span.type for span in corpus.train[0].spans("ner")] == ["B-X"]
