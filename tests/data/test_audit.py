"""The data doctor: each fault of a table is found at its line, sound files have none, and counts are the readers'."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagger.data.audit import check, check_for_training
from tagger.data.columns import read_conll, write_conll
from tagger.data.corpus import Corpus, load_corpus
from tagger.data.sentence import Sentence, TagLayer
from tagger.data.synthetic import generate
from tagger.errors import DataError

GOOD = "Ada\tB-PER\nLovelace\tI-PER\nsleeps\tO\n\nOslo\tB-LOC\nsleeps\tO\n"


def write(folder: Path, text: str | bytes, name: str = "train.conll") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def found(path: Path, **settings) -> list[tuple[str, int]]:
    """Kind and line of each error."""
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
        ("Ber\x07gen\tO", "control"),
        ("Ber\x00gen\tO", "control"),
        ("TromsÃ¸\tB-LOC", "mojibake"),
        ("itâ€™s\tO", "mojibake"),
        ("Troms\ufffd\tO", "mojibake"),
        (b"Troms\xf8\tO", "encoding"),
    ],
)
def test_each_fault_is_found_at_its_line_and_nothing_else(line: str | bytes, kind: str, tmp_path) -> None:
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


def test_two_schemes_in_one_file_are_said_to_be_mixed(tmp_path) -> None:
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


def test_a_file_of_another_encoding_is_an_error_and_not_a_traceback(tmp_path) -> None:
    assert found(write(tmp_path, GOOD.encode("utf-16"))) == [("encoding", 1)]
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
    path = write(tmp_path, "good\ta fine film\nbad\t\nbad\ta dull film\n", "train.tsv")
    diagnosis = check(path, layer="sentiment")
    assert (diagnosis.format, [e.kind for e in diagnosis.errors]) == ("labelled", ["form"])
    assert diagnosis.splits["train"].labels == {"sentiment": {"good": 1, "bad": 1}}


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


def test_sentences_in_two_splits_are_told_exactly_and_but_for_case_and_digits() -> None:
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


def test_types_that_train_lacks_and_rare_types_are_told() -> None:
    train = [("Oslo", "B-LOC")] * 5 + [("Ada", "B-PER")]
    diagnosis = check(corpus_of(train=train, dev=[("Acme grows", "B-ORG O")]))
    assert kinds(diagnosis, "unseen_type") == ["type ORG of layer `ner` stands once in dev and never in train"]
    assert kinds(diagnosis, "rare_type") == ["type PER of layer `ner` stands only once in train"]


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
    write_conll(tmp_path / "train.conll", sentences, ["ner"])
    diagnosis = check(tmp_path / "train.conll")
    again = read_conll(tmp_path / "train.conll", ["token", "ner"])
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
    write(tmp_path, "read me", "README.md")
    files = check(tmp_path).files
    names = {split: [Path(path).name for path in paths] for split, paths in files.items()}
    assert names == {"train": ["train.conll"], "dev": ["devel.conll"], "test": ["test.conll"]}


def test_what_is_not_read_of_a_folder_is_told(tmp_path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "read me", "README.md")
    write(tmp_path, "", ".hidden")
    (tmp_path / "more").mkdir()
    assert f"not read in {tmp_path}: README.md, more/; name them if they are data" in check(tmp_path).notes


def test_a_file_that_is_named_twice_in_a_split_is_refused(tmp_path) -> None:
    path = write(tmp_path, GOOD)
    (tmp_path / "b.conll").symlink_to(path)
    for named in ([path, path], [path, tmp_path / "b.conll"], {"train": [path, path]}, [tmp_path, path]):
        with pytest.raises(DataError, match=r"must be named once in train, got it [23] times$"):
            check(named)


def test_columns_must_have_different_names(tmp_path) -> None:
    with pytest.raises(DataError, match="must have different names, got token, token with 'token' twice"):
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


def test_a_named_io_is_held_against_the_tags(tmp_path) -> None:
    path = write(tmp_path, "Ada\tI-PER\nnaps\tO\nOslo\tB-LOC\n")
    assert found(path, scheme="io") == [("mixed", 3)]
    assert check(write(tmp_path, "Ada\tI-PER\nOslo\tI-LOC\n"), scheme="io").schemes == {"ner": "io"}


def test_a_named_scheme_that_no_layer_has_is_an_error(tmp_path) -> None:
    path = write(tmp_path, "The\tDT\ncat\tNN\nnaps\tVB\n")
    assert [error.message for error in check(path, scheme="iob2").errors] == [
        "must have a layer with IOB2 tags, got none in tags; leave out the scheme"
    ]


def test_unread_keys_of_json_lines_are_told(tmp_path) -> None:
    row = {"tokens": ["Ada", "naps"], "ner_tags": ["B-PER", "O"], "lemmas": ["Ada", "nap"]}
    path = write(tmp_path, f"{json.dumps(row)}\n" * 3, "train.jsonl")
    diagnosis = check(path)
    assert diagnosis.splits["train"].entities == {"ner": {"PER": 3}}
    assert f"the key 'lemmas' of 3 lines is not read, the first at {path}:1" in diagnosis.notes


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
    with pytest.raises(DataError, match="must hold data files"):
        check(tmp_path)
    with pytest.raises(DataError, match="splits must be named train, dev, test, got validation"):
        check({"validation": write(tmp_path, GOOD)})
    with pytest.raises(DataError, match="there must be a file to check"):
        check([])
    prose = "It was a dark night .\nRain fell .\nThe wind was in the trees and he\nslept\n"
    with pytest.raises(DataError, match="name it with --format"):
        check(write(tmp_path, prose, "a.txt"))
    with pytest.raises(DataError, match=r"none.conll: no such file; check the path$"):
        check(tmp_path / "none.conll")
    with pytest.raises(DataError, match=r"none: no such file; check the path$"):
        check(tmp_path / "none")
    with pytest.raises(DataError, match='"token" among them'):
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
    assert spaces.startswith("kept 2 tokens with white space in them, the first at ")
    assert "train.conll:9:" in spaces
    assert mojibake.startswith("kept 1 tokens that were decoded wrongly")
    corpus = load_corpus(train=write(tmp_path, f"{GOOD}\na\x01\tO\nb\x02\tO\n"), **settings)
    with pytest.raises(DataError, match=r"train.conll:8: .*control character(?s:.*)train.conll:9: "):
        check_for_training(corpus)


PIECES = st.sampled_from(
    [*'O#1{"\t\n\0-', "\r\n", "# ", "_\t" * 8, "Ada", "B-PER", "I-PER", "E-X", "\ufeff", "Ã©", "\u2028"]
)
TAGS = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y", "S-X", "E-X"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES | st.text(max_size=3)), format=st.sampled_from([None, "conll", "conllu", "jsonl"]))
def test_whatever_stands_in_a_file_is_a_diagnosis_or_one_sentence(pieces, format, tmp_path) -> None:
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
