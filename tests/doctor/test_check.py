"""The check of a corpus: it finds each fault of a table at its line and none in valid files; its counts are right."""

import json
from pathlib import Path

import pytest
import readers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagger.conversion.writing import write_sentences
from tagger.corpus.corpus import Corpus, load_corpus
from tagger.corpus.synthetic import generate
from tagger.doctor.check import check, check_for_training
from tagger.errors import DataError, RecipeError
from tagger.text.sentence import Sentence, TagLayer

GOOD = "Ada\tB-PER\nLovelace\tI-PER\nsleeps\tO\n\nOslo\tB-LOC\nsleeps\tO\n"


def write(folder: Path, text: str | bytes, name: str = "train.conll") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def found(path: Path, **settings) -> list[tuple[str, int]]:
    """Return kind and line of each error."""
    return [(finding.kind, int(finding.place.rpartition(":")[2])) for finding in check(path, **settings).errors]


def kinds(diagnosis, kind: str) -> list[str]:
    return [finding.message for finding in diagnosis.warnings if finding.kind == kind]


def test_a_sound_file_has_no_error_and_its_counts(tmp_path) -> None:
    diagnosis = check(write(tmp_path, GOOD))
    assert diagnosis.is_sound
    assert diagnosis.errors == ()
    assert (diagnosis.format, diagnosis.columns, diagnosis.schemes) == ("conll", ("token", "ner"), {"ner": "iob2"})
    counts = diagnosis.splits["train"]
    assert (counts.sentences, counts.tokens, counts.types, counts.documents) == (2, 5, 4, 0)
    assert counts.entities == {"ner": {"PER": 1, "LOC": 1}}
    assert (counts.longest, counts.longest_place) == (3, f"{tmp_path / 'train.conll'}:1")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Bergen", "columns"),
        ("Bergen\tB-LOC\tx", "columns"),
        ("Bergen\t ", "columns"),
        ("Bergen\tX-LOC", "prefix"),
        ("Bergen\tLOC", "prefix"),
        ("Bergen\tS-LOC", "mixed"),
        ("Bergen\tI-LOC", "transition"),
        ("\tO", "empty"),
        (" \tO", "empty"),
        ("New York\tB-LOC", "space"),
        ("New\u00a0York\tB-LOC", "space"),
        ("Bergen\tB-\x01LOC", "control"),
        ("Ber\x07gen\tO", "control"),
        ("Ber\x00gen\tO", "control"),
        ("TromsÃ¸\tB-LOC", "mojibake"),
        ("itâ€™s\tO", "mojibake"),
        ("Troms\ufffd\tO", "mojibake"),
        (b"Troms\xf8\tO", "encoding"),
    ],
)
def test_each_fault_is_found_at_its_line_and_no_other(line: str | bytes, kind: str, tmp_path) -> None:
    line = line if isinstance(line, bytes) else line.encode()
    path = write(tmp_path, GOOD.encode() + b"\nin\tO\n" + line + b"\nthere\tO\n\n" + GOOD.encode())
    assert found(path) == [(kind, 9)]


def test_a_broken_first_line_does_not_change_how_the_others_are_read(tmp_path) -> None:
    assert found(write(tmp_path, f"Ada\n{GOOD}\nNew York\tB-LOC\n")) == [("columns", 1), ("space", 9)]


def test_all_faults_of_a_file_are_found_at_once(tmp_path) -> None:
    text = f"{GOOD}\nOslo\nsleeps\tI-LOC\n\nYork\tQ-LOC\na\x01b\tO\n\nBerlin\tO\nis\tI-LOC\n\n{GOOD}"
    assert sorted(found(write(tmp_path, text))) == [("columns", 8), ("control", 12), ("prefix", 11), ("transition", 15)]


def test_a_transition_names_the_entity_that_it_damages(tmp_path) -> None:
    (error,) = check(write(tmp_path, f"{GOOD}\nin\tO\nNew\tI-LOC\nYork\tI-LOC\nnow\tO\n\n{GOOD}")).errors
    assert "it damages LOC 'New York'" in str(error)
    assert (error.values["tag"], error.values["before"], error.values["token"]) == ("I-LOC", "O", "New")


def test_an_unfinished_bioes_entity_is_found_where_it_breaks_off(tmp_path) -> None:
    good = "New\tB-LOC\nYork\tE-LOC\n\nOslo\tS-LOC\n\n"
    text = f"{good}Ada\tB-PER\nsleeps\tO\n\nBergen\tB-LOC\n"
    diagnosis = check(write(tmp_path, text))
    assert diagnosis.schemes == {"ner": "bioes"}
    assert [(e.kind, e.values["entity"]) for e in diagnosis.errors] == [
        ("transition", "PER 'Ada'"),
        ("transition", "LOC 'Bergen'"),
    ]


def test_a_file_in_another_scheme_is_one_error(tmp_path) -> None:
    write(tmp_path, GOOD * 3)
    write(tmp_path, "Ada\tB-PER\nLovelace\tE-PER\n\nOslo\tS-LOC\nRome\tS-LOC\n", "dev.conll")
    (error,) = check(tmp_path).errors
    assert (error.kind, error.values["found"], error.values["scheme"]) == ("mixed", "bioes", "iob2")
    assert error.place == f"{tmp_path / 'dev.conll'}:1"


def test_a_named_scheme_is_held_against_the_tags_that_would_read_as_another(tmp_path) -> None:
    path = write(tmp_path, "in\tO\nNew\tI-LOC\nYork\tI-LOC\n")
    assert check(path).schemes == {"ner": "iob1"}
    assert found(path, scheme="iob2") == [("transition", 2)]


def test_two_schemes_in_one_file_are_reported_as_mixed(tmp_path) -> None:
    bioes = "Ada\tB-PER\nLovelace\tE-PER\n\nOslo\tS-LOC\n\n"
    diagnosis = check(write(tmp_path, f"{GOOD}\n" * 4 + bioes * 4))
    assert any("sentences from here on are" in str(e) for e in diagnosis.errors if e.kind == "mixed")


def test_ids_that_stand_twice_are_errors_in_their_file_alone(tmp_path) -> None:
    text = f"# sent_id = a\n{GOOD.strip()}\n\n# sent_id = a\nHi\tO\n"
    (error,) = check(write(tmp_path, text)).errors
    assert (error.kind, error.place) == ("id", f"{tmp_path / 'train.conll'}:10")
    assert error.values["first"] == f"{tmp_path / 'train.conll'}:2"
    one = f"# sent_id = a\n{GOOD}"
    assert check({"train": write(tmp_path, one), "dev": write(tmp_path, one, "dev.conll")}).is_sound


def test_errors_are_all_counted_and_the_first_thousand_kept(tmp_path) -> None:
    diagnosis = check(write(tmp_path, GOOD * 700 + "\n" + "x\tX-A\n\n" * 1200))
    assert diagnosis.error_counts == {"prefix": 1200}
    assert len(diagnosis.errors) == 1000


def test_encoding_of_a_file_is_that_of_its_byte_order_mark(tmp_path) -> None:
    assert list(check(write(tmp_path, GOOD.encode("utf-16"))).files["train"].values()) == ["UTF-16"]
    diagnosis = check(write(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()))
    assert diagnosis.is_sound
    assert list(diagnosis.files["train"].values()) == ["UTF-8 with byte order mark"]


def test_separators_of_white_space_and_words_with_a_hash_are_no_errors(tmp_path) -> None:
    diagnosis = check(write(tmp_path, "#\tO\n#NFL\tO\nAda\tB-PER\n\t\n#\tO\nOslo\tB-LOC\n \nHi\tO\n"))
    assert diagnosis.is_sound
    assert (diagnosis.splits["train"].sentences, diagnosis.splits["train"].tokens) == (3, 6)


def test_conllu_is_checked_and_may_have_blanks_in_words(tmp_path) -> None:
    row = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t_\n"
    good = (
        "# sent_id = {}\n" + row.format(1, "20 000", "NUM") + row.format("2-3", "du", "_") + row.format(2, "de", "ADP")
    )
    text = good.format("a") + "\n" + good.format("b") + "x\ty\n\n" + good.format("b") + row.format("z", "q", "X")
    diagnosis = check(write(tmp_path, text, "train.conllu"))
    assert diagnosis.format == "conllu"
    assert sorted((e.kind, int(e.place.rpartition(":")[2])) for e in diagnosis.errors) == [
        ("columns", 10),
        ("columns", 16),
        ("id", 13),
    ]
    assert diagnosis.warning_counts["space"] == 3
    assert diagnosis.splits["train"].labels["upos"] == {"NUM": 3, "ADP": 3}


def test_json_lines_and_labelled_text_are_checked(tmp_path) -> None:
    good = json.dumps({"tokens": ["Ada", "sleeps"], "tags": {"ner": ["B-PER", "O"]}})
    bad = json.dumps({"tokens": ["Ada"], "tags": {"ner": ["B-PER", "O"]}})
    wrong = json.dumps({"tokens": ["now", "Ada"], "tags": {"ner": ["O", "I-PER"]}})
    path = write(tmp_path, "\n".join([good, bad, "{", good, wrong]), "train.jsonl")
    assert found(path) == [("form", 2), ("form", 3), ("transition", 5)]
    path = write(tmp_path, "good\ta fine film\n\tbad\nbad\ta dull film\n", "train.tsv")
    diagnosis = check(path, layer="sentiment")
    assert (diagnosis.format, [e.kind for e in diagnosis.errors]) == ("labelled", ["form"])
    assert diagnosis.splits["train"].labels == {"sentiment": {"good": 1, "bad": 1}}
    named = check(path, format="labelled", layer="sentiment", columns=["sentiment", "text"])
    assert named.splits["train"].labels == diagnosis.splits["train"].labels
    assert check(path, format="labelled", columns=["label", "text"]).splits["train"].labels.keys() == {"label"}


@pytest.mark.parametrize(("text", "got"), [("", "no bytes"), (" \n", "blank lines only")])
def test_file_without_a_line_is_an_error_that_says_what_it_has(text: str, got: str, tmp_path) -> None:
    (error,) = check(write(tmp_path, text)).errors
    assert error.message == f"the file must not be empty, got {got}; check the path"


def test_settings_that_would_be_ignored_are_refused(tmp_path) -> None:
    with pytest.raises(RecipeError, match=r"^layer \(--layer\) is for labelled text, got conll; remove it$"):
        check(write(tmp_path, GOOD), layer="x")
    with pytest.raises(RecipeError, match=r"format = \"conll\" or \"labelled\" alone, got format = \"conllu\"$"):
        check(write(tmp_path, GOOD), format="conllu", columns=["token"])
    with pytest.raises(RecipeError, match=r"^format \(--format\) is for files, got a corpus or dataset; remove it$"):
        check(Corpus([]), format="conll")


def test_comments_over_all_sentences_read_as_labels(tmp_path) -> None:
    text = "".join(f"# intent = {name}\nplay\tO\n{word}\tB-song\n\n" for word in "abcdef" for name in ("Play", "Book"))
    diagnosis = check(write(tmp_path, text))
    assert diagnosis.splits["train"].labels == {"intent": {"Play": 6, "Book": 6}}
    assert diagnosis.warning_counts["contradiction"] == 6


def corpus_of(**splits: list[tuple[str, str]]) -> Corpus:
    """A corpus of (words, tags), both with blanks between them."""
    made = {
        name: [
            Sentence.from_tokens(words.split(), {"ner": TagLayer(tuple(tags.split()), "iob2")}) for words, tags in part
        ]
        for name, part in splits.items()
    }
    return Corpus(**made, schemes={"ner": "iob2"})


def test_sentences_in_two_splits_are_reported_as_identical_or_as_equal_ignoring_case_and_digits() -> None:
    train = [("Ada is 36", "B-PER O O"), ("It rains", "O O")]
    test = [("Ada is 36", "B-PER O O"), ("ada is 41", "B-PER O O"), ("It snows", "O O")]
    diagnosis = check(corpus_of(train=train, test=test))
    assert diagnosis.overlaps == {"test in train": {"leak": 1, "near_leak": 1}}
    assert (diagnosis.warning_counts["leak"], diagnosis.warning_counts["near_leak"]) == (1, 1)
    assert diagnosis.is_sound


def test_the_same_sentence_with_other_tags_is_shown_side_by_side() -> None:
    diagnosis = check(corpus_of(train=[("Ada naps", "B-PER O"), ("Ada naps", "O O"), ("Ada naps", "B-PER O")]))
    (message,) = kinds(diagnosis, "contradiction")
    assert "(there | here): Ada B-PER | O" in message


def test_surface_forms_of_several_types_are_counted() -> None:
    train = [
        ("Paris sleeps", "B-LOC O"),
        ("Paris wakes", "B-LOC O"),
        ("Paris Hilton", "B-PER I-PER"),
        ("Paris", "B-PER"),
    ]
    (warning,) = [w for w in check(corpus_of(train=train)).warnings if w.kind == "ambiguous"]
    assert warning.values["types"] == {"LOC": 2, "PER": 1}
    assert warning.values["text"] == "Paris"


def test_types_missing_in_train_and_rare_types_are_reported() -> None:
    train = [("Oslo", "B-LOC")] * 5 + [("Ada", "B-PER")]
    diagnosis = check(corpus_of(train=train, dev=[("Acme grows", "B-ORG O")]))
    assert kinds(diagnosis, "unseen_type") == ["type ORG of layer `ner` occurs once in dev and never in train"]
    assert kinds(diagnosis, "rare_type") == ["type PER of layer `ner` occurs only once in train"]


def test_long_entities_and_sentences_begin_above_their_limits() -> None:
    def long(tokens: int, entity: int) -> tuple[str, str]:
        tags = ["B-X"] + ["I-X"] * (entity - 1) + ["O"] * (tokens - entity)
        return " ".join("w" * tokens), " ".join(tags)

    diagnosis = check(corpus_of(train=[long(200, 10), long(201, 11)]))
    assert (diagnosis.warning_counts["long_entity"], diagnosis.warning_counts["long_sentence"]) == (1, 1)


def test_unseen_words_are_counted_with_those_that_vectors_cover(tmp_path) -> None:
    vectors = write(tmp_path, "naps 1 2\nada 1 2\n", "vectors.txt")
    corpus = corpus_of(train=[("Bo sits", "B-PER O")], test=[("Ada sits and naps", "B-PER O O O")])
    (warning,) = [w for w in check(corpus, vectors=vectors).warnings if w.kind == "unseen_words"]
    assert warning.values == {"split": "test", "unseen": 3, "tokens": 4, "covered": 2}


def test_a_generated_corpus_is_sound_and_survives_being_written(tmp_path) -> None:
    sentences = list(generate(200, seed=1, split="train"))
    write_sentences(tmp_path / "train.conll", sentences, format="conll", layers=["ner"])
    diagnosis = check(tmp_path / "train.conll")
    again = readers.read_conll(tmp_path / "train.conll", ["token", "ner"])
    assert diagnosis.is_sound
    assert (diagnosis.splits["train"].sentences, diagnosis.splits["train"].tokens) == (200, sum(map(len, again)))
    spans = sum(len(sentence.boundaries("ner")) for sentence in sentences)
    assert sum(diagnosis.splits["train"].entities["ner"].values()) == spans


def test_a_diagnosis_is_json_with_file_and_line(tmp_path) -> None:
    path = write(tmp_path, f"{GOOD}\nin\tO\nOslo\tI-LOC\n\n{GOOD}")
    plain = json.loads(json.dumps(check(path).to_dict()))
    (error,) = plain["errors"]
    assert (error["kind"], error["file"], error["line"]) == ("transition", str(path), 9)
    assert plain["error_counts"] == {"transition": 1}
    assert plain["splits"]["train"]["tokens"] == 12


def test_folders_give_their_files_by_split_without_licences(tmp_path) -> None:
    for name in ("train.conll", "devel.conll", "test.conll"):
        write(tmp_path, GOOD, name)
    write(tmp_path, "all rights", "LICENSE.txt")
    write(tmp_path, "neg\npos\n", "labels.txt")
    write(tmp_path, "read me", "README.md")
    files = check(tmp_path).files
    names = {split: [Path(path).name for path in paths] for split, paths in files.items()}
    assert names == {"train": ["train.conll"], "dev": ["devel.conll"], "test": ["test.conll"]}


def test_empty_files_are_errors_beside_others(tmp_path) -> None:
    write(tmp_path, GOOD)
    dev, test = write(tmp_path, "\n\n", "dev.conll"), write(tmp_path, "", "test.conll")
    errors = check(tmp_path).errors
    assert [(error.kind, error.place) for error in errors] == [("form", f"{dev}:1"), ("form", f"{test}:1")]
    assert found(test) == [("form", 1)]


def test_a_split_that_is_checked_against_itself_is_all_leak(tmp_path) -> None:
    path = write(tmp_path, GOOD)
    assert check({"train": path, "dev": [path]}).overlaps == {"dev in train": {"leak": 2, "near_leak": 0}}


def test_what_cannot_be_read_is_one_sentence(tmp_path) -> None:
    with pytest.raises(DataError, match="no such file"):
        check([tmp_path / "train.conll", tmp_path / "test.conll"])
    with pytest.raises(DataError, match="expected data files"):
        check(tmp_path)
    with pytest.raises(DataError, match="splits must be named train, dev, test, got validation"):
        check({"validation": write(tmp_path, GOOD)})
    with pytest.raises(DataError, match="expected a file to check"):
        check([])
    prose = "It was a dark night .\nRain fell .\nThe wind was in the trees and he\nslept\n"
    with pytest.raises(DataError, match="say what they are: --format labelled"):
        check(write(tmp_path, prose, "a.txt"))
    with pytest.raises(DataError, match=r"none: no such file; check the path$"):
        check(tmp_path / "none")
    with pytest.raises(RecipeError, match='one of the `columns` must be "token"'):
        check(write(tmp_path, GOOD), columns=["word", "ner"])


def test_a_dataset_folder_is_checked_by_its_rows(tmp_path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {"tokens": [["Ada", "naps"], ["in", "Oslo"]], "ner_tags": [["B-PER", "O"], ["O", "I-LOC"]]}
    good = {"tokens": [["Bo", "naps"]] * 9, "ner_tags": [["B-PER", "O"]] * 9}
    parts = {"train": datasets.Dataset.from_dict(good), "test": datasets.Dataset.from_dict(rows)}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "set"))
    (error,) = check(tmp_path / "set").errors
    assert (error.kind, error.place) == ("transition", f"{tmp_path / 'set'} (test):2")


def test_training_refuses_control_characters_and_says_what_else_it_keeps(tmp_path) -> None:
    settings = {"format": "conll", "columns": ["token", "ner"]}
    corpus = load_corpus(train=write(tmp_path, f"{GOOD}\nTromsÃ¸\tB-LOC\nN Y\tB-LOC\nP Q\tO\n"), **settings)
    spaces, mojibake = check_for_training(corpus)
    assert spaces.startswith("kept 2 tokens with white space, the first at ")
    assert "train.conll:9:" in spaces
    assert mojibake.startswith("kept 1 token decoded with the wrong encoding")
    corpus = load_corpus(train=write(tmp_path, f"{GOOD}\na\x01\tO\nb\x02\tO\n"), **settings)
    with pytest.raises(DataError, match=r"train.conll:8: .*control character(?s:.*)train.conll:9: "):
        check_for_training(corpus)


PIECES = st.sampled_from(
    [*'O#1{"\t\n\0-', "\r\n", "# ", "_\t" * 8, "Ada", "B-PER", "I-PER", "E-X", "\ufeff", "Ã©", "\u2028"]
)
TAGS = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y", "S-X", "E-X"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES | st.text(max_size=3)), format=st.sampled_from([None, "conll", "conllu", "jsonl"]))
def test_every_file_gives_a_diagnosis_or_an_error_of_one_sentence(pieces, format, tmp_path) -> None:
    path = write(tmp_path, "".join(pieces).encode("utf-8", errors="surrogatepass"))
    try:
        said = json.dumps(check(path, format=format).to_dict(), ensure_ascii=False)
    except DataError as error:
        said = str(error)
    assert str(path) in said
    assert said.encode("utf-8")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sequences=st.lists(st.lists(TAGS, min_size=1, max_size=5)),
    scheme=st.sampled_from(["iob1", "iob2", "bioes"]),
)
def test_a_file_without_errors_is_one_that_the_reader_takes(sequences, scheme, tmp_path) -> None:
    lines = ["".join(f"w\t{tag}\n" for tag in tags) for tags in [["O"], *sequences]]
    path = write(tmp_path, "\n".join(lines))
    reading = {"format": "conll", "columns": ["token", "ner"], "scheme": scheme}
    try:
        load_corpus(train=path, **reading)
        refused = False
    except DataError:
        refused = True
    assert refused == (not check(path, **reading).is_sound)


def test_json_lines_under_names_of_dataset_columns_are_checked(tmp_path) -> None:
    rows = [{"id": 1, "tokens": ["Ada", "naps"], "ner_tags": ["B-PER", "O"]}, {"tokens": ["a"], "ner_tags": [3]}]
    diagnosis = check(write(tmp_path, "\n".join(map(json.dumps, rows)), "train.jsonl"))
    assert diagnosis.splits["train"].entities == {"ner": {"PER": 1}}
    assert "1 line has the key `id`, which is not read as a layer" in diagnosis.notes
    assert [(e.kind, e.place[-2:]) for e in diagnosis.errors] == [("form", ":2")]
    assert "names of the tags are missing" in diagnosis.errors[0].message


def test_json_lines_whose_keys_nothing_reads_are_an_error_if_there_is_no_layer(tmp_path) -> None:
    path = write(tmp_path, '{"tokens": ["a"], "tagging": [1]}\n{"tokens": ["b"], "tagging": [1]}\n', "train.jsonl")
    (error,) = check(path).errors
    assert (error.kind, error.place) == ("layers", f"{path}:1")
    assert "`tagging`" in error.message
    assert "2 lines have the key `tagging`, which is not read as a layer" in check(path).notes


TEXT = "Ada Lovelace naps in Oslo. She sleeps."
SPANS = [  # start, end, cause; the first fits
    (0, 12, None),
    (4, 12, "nested"),
    (21, 24, "inside"),
    (21, 30, "sentence"),
    (30, 90, "outside"),
    (3, 4, "empty"),
    (4, 17, "overlap"),
]
CAUSES = sorted(cause for _, _, cause in SPANS if cause)


def brat(folder: Path, name: str, spans: list[tuple[int, int, str | None]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, TEXT + "\n", f"{name}.txt")
    return write(
        folder, "".join(f"T{i}\tPER {a} {b}\t{TEXT[a:b]}\n" for i, (a, b, _) in enumerate(spans, 1)), name + ".ann"
    )


def test_entities_of_brat_that_do_not_fit_are_errors_at_their_lines(tmp_path) -> None:
    path = brat(tmp_path / "texts", "one", SPANS)
    for source in (tmp_path / "texts", path.with_suffix(".txt"), [path, path.with_suffix(".txt")]):
        diagnosis = check(source)
        assert (diagnosis.format, diagnosis.splits["train"].entities) == ("brat", {"ner": {"PER": 1}})
        assert {e.kind for e in diagnosis.errors} == {"span"}
        lines = {f"{path}:{i}": (cause, f"{TEXT}\n"[a:b]) for i, (a, b, cause) in enumerate(SPANS, 1) if cause}
        found = {e.place: (e.values["cause"], e.values["text"]) for e in diagnosis.errors}
        assert found == lines


def test_folders_of_brat_are_splits_by_name_and_sound_ones_are_what_training_reads(tmp_path) -> None:
    for split in ("train", "dev"):
        brat(tmp_path / "c" / split, "one", SPANS[:1])
    diagnosis = check(tmp_path / "c")
    assert diagnosis.is_sound
    corpus = load_corpus(train=str(tmp_path / "c" / "train"), format="brat")
    assert {name: c.sentences for name, c in diagnosis.splits.items()} == dict.fromkeys(
        ("train", "dev"), len(corpus.train)
    )
    assert diagnosis.splits["train"].documents == 1


def test_lines_and_texts_of_brat_that_are_broken_are_errors_beside_the_others(tmp_path) -> None:
    write(tmp_path, "alone\n", "two.txt")
    path = brat(tmp_path, "one", SPANS[:1])
    path.write_text(path.read_text() + "broken\n")
    places = {(e.kind, e.place) for e in check(tmp_path).errors}
    assert places == {("form", f"{path}:2"), ("form", f"{tmp_path / 'two.txt'}:1")}


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("dialect", ["doccano", "labelstudio", "spacy"])
def test_json_with_character_spans_is_detected_and_what_does_not_fit_is_an_error(dialect, array, tmp_path) -> None:
    values = {
        "doccano": {"label": [[a, b, "PER"] for a, b, _ in SPANS]},
        "labelstudio": {"label": [{"start": a, "end": b, "text": TEXT[a:b], "labels": ["PER"]} for a, b, _ in SPANS]},
        "spacy": {"spans": [{"start": a, "end": b, "label": "PER"} for a, b, _ in SPANS]},
    }
    rows = [{"id": 7, "text": TEXT, **values[dialect]}, {"text": "x", "label": [[0]]}]
    text = f"[{json.dumps(rows[0])},\n{json.dumps(rows[1])}]" if array else "\n".join(map(json.dumps, rows))
    path = write(tmp_path, text, "train.json")
    for diagnosis in (check(path), check(path, format="jsonl")):
        assert (diagnosis.format, diagnosis.splits["train"].entities) == ("jsonl", {"ner": {"PER": 1}})
        assert sorted(str(e.values["cause"]) for e in diagnosis.errors if e.kind == "span") == CAUSES
        assert {(e.kind, e.place) for e in diagnosis.errors} == {("span", f"{path}:1"), ("form", f"{path}:2")}
        assert "1 line has the key `id`, which is not read as a layer" in diagnosis.notes


def test_file_of_character_spans_without_a_text_is_an_error(tmp_path) -> None:
    refused = json.dumps({"text": "x", "label": [], "answer": "reject"})
    assert found(write(tmp_path, f"{refused}\n", "train.jsonl")) == [("form", 1)]


WITHOUT_LAYERS = {
    "json of classes under another name": ('[{"id": 1, "text": "a b", "mood": "x"}]', "layers", "`id`, `text`, `mood`"),
    "json of nulls": ('{"id": 1, "text": "a b", "label": null}', "layers", "the keys `id`, `text`, `label`, none of"),
    "array of nulls": ('[{"text": "a b", "label": null}]', "layers", "the keys `text`, `label`, none of which is a"),
    "only refused": ('{"text": "a", "label": "x", "answer": "reject"}', "form", "skipped 1 text that was not accepted"),
}


@pytest.mark.parametrize("name", WITHOUT_LAYERS)
def test_file_without_a_layer_or_a_sentence_is_an_error(name, tmp_path) -> None:
    text, kind, said = WITHOUT_LAYERS[name]
    (error,) = check(write(tmp_path, text, "train.json")).errors
    assert (error.kind, error.place.endswith(":1")) == (kind, True)
    assert said in error.message


DOUBTS = {
    "a header of tags": (
        "Wort\tcategoria\n" + "der\tDET\nHund\tNOUN\n\n" * 3,
        ["1: line 1 may be a header: its tag 'categoria' occurs nowhere else; pass --header 1 if it is"],
        [],
    ),
    "a header of labels": (
        "Klasse\tText des Beitrags\n" + "good\ta fine film\nbad\ta dull one\n" * 3,
        ["1: line 1 may be a header: its label 'Klasse' occurs nowhere else; pass --header 1 if it is"],
        [],
    ),
    "a header of entities": (
        "Wort\tMarke\n" + "Ada\tB-PER\nnaps\tO\n\n" * 3,
        [],
        ["1: tag 'Marke' is not a valid IOB2 tag (B-, I-, O); fix it, or pass --header 1 if line 1 is a header"],
    ),
    "a first tag that is rare": ("Ada\tB-PER\n" + "naps\tO\nOslo\tB-LOC\n\n" * 3, [], []),
    "first tags that all are rare": ("Ada\tNNP\nnaps\tVBZ\nwell\tRB\n.\tP\nshe\tPRP\n", [], []),
    "one sentence": (
        "Ada\tB-PER\nnaps\tO\n</s>\tO\n" * 70,
        [
            "1: the file is one sentence of 210 tokens; put a blank line between sentences, or name a column of "
            "sentence numbers, such as --columns sentence,token,ner; '</s>' occurs 70 times and may end them"
        ],
        [],
    ),
    "labels that are lists": (
        "text,label\n" + "a fine film,\"['B-x', 'O']\"\n" * 2,
        [
            "2: labels are written as lists or objects in layer `label`, the first \"['B-x', 'O']\": these look like "
            "no labels; name another column"
        ],
        [],
    ),
    "labels that never come again": (
        "text,label\n" + "".join(f"a fine film,x{i}\n" for i in range(5)),
        [
            "2: none of the 5 labels occurs twice in layer `label`, the first 'x0': these look like no labels; name "
            "another column"
        ],
        [],
    ),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_is_doubtful_in_a_file_is_a_warning_and_a_note_of_training(name, tmp_path) -> None:
    text, warnings, errors = DOUBTS[name]
    path = write(tmp_path, text, "train.txt")
    diagnosis = check(path)
    doubtful = [w for w in diagnosis.warnings if w.kind in ("header", "labels", "endless")]
    assert [str(warning).removeprefix(f"{path}:") for warning in doubtful] == warnings
    assert [str(error).removeprefix(f"{path}:") for error in diagnosis.errors] == errors
    columns = {"columns": list(diagnosis.columns)} if diagnosis.columns else {"layer": "label"}
    recipe = {"format": diagnosis.format, "train": str(path), **columns}
    if errors:
        with pytest.raises(DataError, match="or set header = 1 if line 1 is a header"):
            load_corpus(**recipe)
        return
    said = [note.removeprefix(f"{path}:") for note in load_corpus(**recipe).notes if note.startswith(f"{path}:")]
    assert [note.partition(";")[0] for note in said] == [warning.partition(";")[0] for warning in warnings]
    assert not any("--" in note for note in said)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.text("aB-O ", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "end", "label", "ner"]), inner)
    ),
    max_leaves=6,
)
KEYS = ["text", "tokens", "words", "sentence", "tags", "labels", "label", "ner_tags", "spans", "entities", "meta", "x"]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES), min_size=1, max_size=3))
def test_json_lines_without_errors_of_form_or_span_are_those_that_the_reader_takes(rows, tmp_path) -> None:
    path = write(tmp_path, "\n".join(map(json.dumps, rows)), "train.jsonl")
    broken = {"form", "span"} & set(check(path).error_counts)
    try:
        readers.read("jsonl", path)
    except DataError:
        assert broken
    else:
        assert not broken


def test_io_is_held_against_tags_and_refused_for_character_spans(tmp_path) -> None:
    text = "Ada\tI-PER\nBob\tI-PER\nnaps\tO\n\nOslo\tI-LOC\nnaps\tO\n"
    diagnosis = check(write(tmp_path, text), scheme="io")
    assert (diagnosis.schemes, diagnosis.errors) == ({"ner": "io"}, ())
    assert diagnosis.splits["train"].entities == {"ner": {"PER": 1, "LOC": 1}}
    assert found(write(tmp_path, text.replace("I-LOC", "B-LOC")), scheme="io") == [("mixed", 5)]
    with pytest.raises(DataError, match="scheme io is for tags"):
        check(brat(tmp_path, "one", SPANS[:1]), scheme="io")


def test_files_of_a_folder_that_are_not_read_are_reported(tmp_path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "read me", "README.md")
    write(tmp_path, "", ".hidden")
    (tmp_path / "more").mkdir()
    assert f"not read in {tmp_path}: README.md, more/; pass them if they are data" in check(tmp_path).notes


def test_a_file_that_is_named_twice_in_a_split_is_refused(tmp_path) -> None:
    path = write(tmp_path, GOOD)
    (tmp_path / "b.conll").symlink_to(path)
    for named in ([path, path], [path, tmp_path / "b.conll"], {"train": [path, path]}, [tmp_path, path]):
        with pytest.raises(DataError, match=r"must be given once, got it [23] times; remove"):
            check(named)


def test_columns_must_have_different_names(tmp_path) -> None:
    with pytest.raises(RecipeError, match="must have different names"):
        check(write(tmp_path, GOOD), columns=["token", "token"])
    assert check(write(tmp_path, "x\ty\ta\tO\n"), columns=["_", "_", "token", "ner"]).is_sound


def test_malformed_tags_are_errors_and_make_no_types(tmp_path) -> None:
    path = write(tmp_path, f"{GOOD}\na\tPER\nb\tB-\nc\tQ-NEW\nd\tO\n")
    diagnosis = check(path)
    assert [error.kind for error in diagnosis.errors] == ["prefix"] * 3
    assert diagnosis.splits["train"].entities == {"ner": {"PER": 1, "LOC": 1}}
    assert sorted({warning.values["type"] for warning in diagnosis.warnings if warning.kind == "rare_type"}) == [
        "LOC",
        "PER",
    ]


def test_a_named_scheme_that_no_layer_has_is_an_error(tmp_path) -> None:
    path = write(tmp_path, "The\tDT\ncat\tNN\nnaps\tVB\n")
    assert [error.message for error in check(path, scheme="iob2").errors] == [
        "expected a layer with IOB2 tags, got none in tags; remove the scheme"
    ]


def lines_of(*tags: str) -> str:
    return "".join(f"w{i}\t{tag}\n" for i, tag in enumerate(tags))


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        (["X-Y", "B-", "B", "b-per"], ["X-Y", "B-", "B", "b-per"]),
        (["B", "I", "O"], None),  # entities of one type
        (["NOUN", "b-per", "i-per"], ["b-per", "i-per"]),
        (["NOUN", "VERB", "X"], None),
        (["B", "S", "V", "Ncms"], None),  # letters that are parts of speech
        (["n-s---mn-", "d--------", "v3spia---"], None),  # those of the Perseus treebanks
        (["O", "O"], None),
    ],
)
def test_tags_that_look_like_broken_ones_of_a_scheme_are_a_warning(
    tags: list[str], shown: list[str] | None, tmp_path
) -> None:
    path = write(tmp_path, lines_of(*tags))
    warnings = [finding for finding in check(path, columns=["token", "x"]).warnings if finding.kind == "scheme"]
    assert [finding.values["tags"] for finding in warnings] == ([shown] if shown else [])


def test_the_next_best_scheme_is_reported_with_its_faults(tmp_path) -> None:
    path = write(tmp_path, "a\tO\nb\tB-X\n\nc\tI-X\n\nd\tI-X\n\ne\tI-Y\n")
    assert "layer `ner` reads as IOB1 (1 fault; 3 as IOB2)" in check(path).notes


def test_a_layer_without_entities_has_no_scheme(tmp_path) -> None:
    path = write(tmp_path, "a\tO\nb\tO\n")
    assert check(path, columns=["token", "ner"]).notes == ("layer `ner` has no entities and reads as IOB2",)


def test_bare_types_are_read_as_io_when_that_is_named(tmp_path) -> None:
    diagnosis = check(write(tmp_path, lines_of("PER", "PER", "O", "LOC")), scheme="io")
    assert (diagnosis.is_sound, dict(diagnosis.schemes)) == (True, {"tags": "io"})
    assert diagnosis.splits["train"].entities == {"tags": {"PER": 1, "LOC": 1}}
    assert "layer `tags` has types without a prefix; they are read with the prefix `I-`" in diagnosis.notes


def test_a_lone_cr_is_an_error_at_its_line(tmp_path) -> None:
    path = write(tmp_path, b"a\tO\r\nb\tB-X\rc\tI-X\r\nd\tO\r\n")
    assert ("control", 2) in found(path)
    assert [str(e) for e in check(path).errors if e.kind == "control"] == [
        f"{path}:2: line ends must be LF or CRLF, got a lone CR; convert the file"
    ]


def test_paths_that_are_no_file_to_check_are_one_sentence(tmp_path) -> None:
    loop = tmp_path / "loop.conll"
    loop.symlink_to(loop)
    said = {
        "": "a file must have a name, got an empty one; pass the file, or . for this folder",
        "-": "-: expected a file, because it is read more than once; write standard input to a file and pass that",
        str(loop): f"{loop}: the file cannot be read: Too many levels of symbolic links",
    }
    for path, sentence in said.items():
        for source in (path, [path], {"dev": path}):
            with pytest.raises(DataError) as caught:
                check(source)
            assert str(caught.value) == sentence


def test_unknown_tags_are_counted_and_are_no_error(tmp_path: Path) -> None:
    path = write(tmp_path, "Ada\t?\nLovelace\tI-PER\nsleeps\tO\n\nOslo\tB-LOC\nsleeps\t?\n")
    diagnosis = check(path, unknown="?")
    assert diagnosis.is_sound
    assert (diagnosis.columns, diagnosis.schemes) == (("token", "ner"), {"ner": "iob2"})
    assert "layer `ner`: 2 of 5 tags are unknown, which count in no score" in diagnosis.notes
    assert diagnosis.splits["train"].entities == {"ner": {"PER": 1, "LOC": 1}}
    assert not check(path).is_sound
    with pytest.raises(RecipeError, match=r"^unknown \(--unknown\) is for columns, got jsonl; remove it$"):
        check(write(tmp_path, '{"tokens": ["a"], "ner_tags": [null]}', "train.jsonl"), unknown="?")
