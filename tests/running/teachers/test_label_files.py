"""Files with labels as teachers: equal to the model that wrote them, weighted by confidence, placed by text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_recipes import NER, SMALL, SYNTHETIC

from tagger.config import load_recipe
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import DataError, RecipeError
from tagger.formats.jsonl import sentence_to_json
from tagger.running.teachers.asking import with_teachers
from tagger.running.teachers.finding import find_teachers
from tagger.running.teachers.label_files import read_label_file
from tagger.running.train import train
from tagger.tagging import Tagger
from tagger.text.sentence import Sentence

VOCABULARY = Vocabulary((), (), {"ner": ["O", "B-PER", "I-PER", "E-PER", "S-PER"], "mood": ["bad", "good"]}, 1)
SCHEMES: dict[str, Any] = {"ner": "bioes", "mood": None}
Learn = Callable[..., tuple[EncodedSentences, list[str]]]


@pytest.fixture
def learn(tmp_path: Path) -> Learn:
    """What a head learns from a file with these rows about sentences without labels, and the notes."""

    def learned(
        rows: list[dict[str, Any]], sentences: list[Sentence], **keys: Any
    ) -> tuple[EncodedSentences, list[str]]:
        (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        head = {"kind": "tokens", "teacher": "labels.jsonl"} | keys
        layer = "mood" if head["kind"] == "sentence" else "ner"
        lines = [f"{key} = {json.dumps(value)}" for key, value in head.items()]
        (tmp_path / "pupil.toml").write_text("\n".join((SYNTHETIC, f"[heads.{layer}]", *lines)))
        recipe, notes = load_recipe(tmp_path / "pupil.toml"), list[str]()
        teachers = find_teachers(recipe, tmp_path, None, device="cpu", tell=notes.append)
        plain = encode(pack(sentences), VOCABULARY, SCHEMES)
        found = with_teachers(plain, sentences, teachers, recipe=recipe, vocabulary=VOCABULARY, tell=notes.append)
        return found, [note.removeprefix(str(tmp_path) + "/") for note in notes]

    return learned


def tags_of(found: EncodedSentences) -> list[str]:
    """The taught tags of all tokens; `?` where there is none, and the possible ones where several are."""
    names, taught = VOCABULARY.labels["ner"], found.batch(np.arange(len(found.starts) - 1)).taught["ner"]
    mask = np.arange(taught.shape[1]) < found.lengths[:, None]
    if taught.dtype == bool:
        return ["|".join(name for name, there in zip(names, row, strict=True) if there) for row in taught[mask]]
    return ["?" if i < 0 else names[i] for i in taught[mask]]


def words(text: str) -> Sentence:
    return Sentence.from_tokens(text.split())


def test_tags_of_a_file_are_taught_in_the_scheme_of_the_head(learn: Learn) -> None:
    rows = [{"tokens": ["Ada", "Bo", "ran"], "tags": {"ner": ["B-PER", "I-PER", "O"]}}]
    found, notes = learn(rows, [words("Ada Bo ran"), words("nobody")])
    assert tags_of(found) == ["B-PER", "E-PER", "O", "?"]
    assert notes == [
        "labels.jsonl labels `ner` in at most 2 sentences",
        "labels.jsonl: the file has no labels for 1 of 2 sentences",
    ]


def test_unknown_tags_of_a_file_stay_unknown(learn: Learn) -> None:
    rows = [
        {"tokens": ["Ada", "Bo", "ran"], "tags": {"ner": ["O", None, "O"]}},
        {"tokens": ["Bo", "ran"], "tags": {"ner": ["B-PER", "O"]}},
    ]
    sentences = [words("Ada Bo ran"), words("Bo ran")]
    assert tags_of(learn(rows, sentences)[0]) == ["O", "|".join(VOCABULARY.labels["ner"]), "O", "S-PER", "O"]
    shares = learn(rows, sentences, teacher_targets="marginals")[0].taught_shares["ner"]
    assert shares.sum(1).tolist() == [1, 0, 1, 1, 1]


def test_probabilities_of_a_file_weight_its_labels(learn: Learn) -> None:
    rows = [
        {
            "tokens": ["Ada", "Bo", "ran"],
            "tags": {"ner": ["B-PER", "I-PER", "O"]},
            "tag_scores": {"ner": [0.9, 0.8, 0.75]},
            "spans": {"ner": [{"type": "PER", "start": 0, "end": 2, "score": 0.5}]},
        }
    ]
    shares = learn(rows, [words("Ada Bo ran")], teacher_targets="marginals")[0].taught_shares["ner"]
    expected = np.zeros((3, 5))
    expected[0, 1] = expected[1, 3] = 0.5  # the entity as a whole
    expected[2, 0] = 0.75
    assert np.array_equal(shares, expected)


@pytest.mark.parametrize("tokens", ["Ada Bo ran .", "Ada Bo ran."])
@pytest.mark.parametrize("key", ["score", "confidence", "probability"])
def test_probabilities_of_character_spans_weight_them(learn: Learn, key: str, tokens: str) -> None:
    rows = [{"text": "Ada Bo ran.", "spans": [{"start": 0, "end": 6, "label": "PER", key: 0.25}]}]
    found, notes = learn(rows, [words(tokens)], teacher_targets="marginals")
    shares = found.taught_shares["ner"]
    assert [float(shares[0, 1]), float(shares[1, 3])] == [0.25, 0.25]
    assert (shares[2:, 0] == 1).all()  # nothing is said of the words without an entity
    assert not any("certain" in note for note in notes)


@pytest.mark.parametrize(
    "other",
    [{}, {"score": None}, {"score": 93}, {"score": 10**400}, {"score": True}, {"score": -0.5}, {"score": "high"}],
)
def test_a_text_with_probabilities_of_some_spans_has_none_and_says_so(learn: Learn, other: dict[str, Any]) -> None:
    spans = [{"start": 0, "end": 3, "label": "PER", "score": 0.25}, {"start": 4, "end": 6, "label": "PER", **other}]
    rows = [{"text": "Ada, Bo ran", "spans": [spans[0], {**spans[1], "start": 5, "end": 7}]}]
    rows.append({"text": "Ada ran", "spans": spans[:1]})
    found, notes = learn(rows, [words("Ada , Bo ran"), words("Ada ran")], teacher_targets="marginals")
    assert found.taught_shares["ner"].max(1).tolist() == [1, 1, 1, 1, 0.25, 1]
    assert any("ignored the probabilities of 1 text, where not each span has one from 0 to 1" in note for note in notes)


def test_labels_are_matched_by_their_text_in_any_order_and_with_other_tokens(learn: Learn) -> None:
    rows = [
        {"text": "nobody here"},
        {"text": "Al ran.", "tokens": ["Al", "ran", "."], "tags": {"ner": ["B-PER", "O", "O"]}},
        {"text": "Ada-Bo ran.", "tokens": ["Ada", "-", "Bo", "ran."], "tags": {"ner": ["B-PER", "O", "B-PER", "O"]}},
    ]
    found, notes = learn(rows, [words("Ada-Bo ran ."), words("Al ran.")])
    # The characters of two entities are in one token, and the others begin and end with tokens.
    assert tags_of(found) == ["|".join(VOCABULARY.labels["ner"]), "O", "O", "S-PER", "O"]
    assert notes[1:] == [
        "labels.jsonl: ignored 1 text of the file without a matching sentence to label",
        "labels.jsonl: tags are unknown at 2 entities whose characters do not align with tokens",
    ]


def test_texts_that_a_file_has_again_with_other_labels_are_reported(learn: Learn) -> None:
    texts = (
        ("Ada ran", "B-PER O"),
        ("Ada ran", "O O"),
        ("Bo ran", "O O"),
        ("Bo ran", "O O"),
        ("Al", "O"),
        ("Al", "B-PER"),
    )
    rows = [{"tokens": text.split(), "tags": {"ner": tags.split()}} for text, tags in texts]
    found, notes = learn(rows, [words("Bo ran"), words("Ada ran")])
    assert tags_of(found) == ["O", "O", "S-PER", "O"]
    told = "labels.jsonl: ignored 1 repeated text of the file with other labels or tokens; the first of each is used"
    assert told in notes  # "Al" is no text of these sentences, and "Bo ran" has the same labels again
    assert not any("repeated" in note for note in learn(rows[2:4], [words("Bo ran")])[1])


def test_a_sentence_that_texts_of_a_file_label_in_several_ways_is_reported(learn: Learn) -> None:
    texts = (["Ada", "ran", "home"], "O"), (["Ada", "ran", "off"], "B-PER")
    rows = [
        {"text": " ".join(tokens), "tokens": tokens, "tags": {"ner": [tag, "O", "O"]}, "sentences": [[0, 2], [2, 3]]}
        for tokens, tag in texts
    ]
    found, notes = learn(rows, [words("Ada ran")])
    assert tags_of(found) == ["O", "O"]
    assert any("1 repeated text of" in note for note in notes)


def test_labels_of_sentences_have_their_probability(learn: Learn) -> None:
    rows = [
        {"tokens": ["fine"], "labels": {"mood": {"value": "good", "score": 0.75}}},
        {"tokens": ["awful"], "labels": {"mood": "bad"}},
    ]
    found, _ = learn(rows, [words("awful"), words("fine"), words("so")], kind="sentence")
    assert found.taught_labels["mood"].tolist() == [[1, 0], [0, 0.75], [0, 0]]


def test_a_file_that_says_nothing_of_a_text_does_not_lower_what_others_say(learn: Learn, tmp_path: Path) -> None:
    more = {"tokens": ["fine"], "tags": {"ner": ["O"]}, "labels": {"mood": {"value": "good", "score": 0.5}}}
    (tmp_path / "more.jsonl").write_text(json.dumps(more))
    rows = [
        {"tokens": ["fine"], "tags": {"ner": ["S-PER"]}, "labels": {"mood": "bad"}},
        {"tokens": ["so"], "tags": {"ner": ["O"]}, "labels": {"mood": {"value": "good", "score": 0.75}}},
    ]
    sentences, files = [words("fine"), words("so"), words("what")], ["labels.jsonl", "more.jsonl"]
    labels = learn(rows, sentences, kind="sentence", teacher=files)[0].taught_labels["mood"]
    assert labels.tolist() == [[0.5, 0.25], [0, 0.75], [0, 0]]
    shares = learn(rows, sentences, teacher=files, teacher_targets="marginals")[0].taught_shares["ner"]
    assert shares[:, [0, 4]].tolist() == [[0.5, 0.5], [1, 0], [0, 0]]


def test_a_file_without_the_layer_is_refused(learn: Learn) -> None:
    rows = [{"tokens": ["Ada"], "tags": {"upos": ["NOUN"]}}]
    with pytest.raises(RecipeError, match=r"heads.ner.teacher: labels.jsonl must have .*`ner`.* it has `upos`"):
        learn(rows, [words("Ada")])


@pytest.mark.parametrize("targets", ["tags", "marginals"])
def test_a_type_of_a_file_that_train_lacks_is_reported_with_its_line(learn: Learn, targets: str) -> None:
    tags = [["B-PER", "I-PER", "O"], ["O", "B-ORG", "B-LOC"]]
    rows = [{"tokens": ["Ada", "Bo", "ran"], "tags": {"ner": each}} for each in tags]
    with pytest.raises(
        RecipeError,
        match=r"^heads.ner.teacher: .*labels.jsonl:2 must have only labels that occur in train \(PER\), got LOC, ORG; "
        "correct the file, or add train sentences that have them$",
    ):
        learn([rows[0], {**rows[1], "tokens": ["x", "y", "z"]}], [words("x y z")], teacher_targets=targets)


def test_a_class_of_a_file_that_train_lacks_is_reported_with_its_line(learn: Learn) -> None:
    rows = [{"tokens": ["fine"], "labels": {"mood": mood}} for mood in ("good", "odd")]
    with pytest.raises(RecipeError, match=r"labels.jsonl:2 must have only labels .* \(bad, good\), got odd; correct"):
        learn([rows[0], {**rows[1], "tokens": ["well"]}], [words("well")], kind="sentence")


@pytest.mark.parametrize("text", ["hello there you\nfriend\n", "Ada B-PER\nruns I-LOC\n"])
def test_options_that_help_with_a_file_are_those_of_convert(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(DataError, match=r" --.*; these are options of `tagger convert`, which writes a file that can"):
        read_label_file(tmp_path / "labels.txt", print)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_label_file(tmp_path / "gone.jsonl", print)


def test_a_file_that_a_model_wrote_teaches_as_the_model(tmp_path: Path) -> None:
    (tmp_path / "ner.toml").write_text(SYNTHETIC + NER + SMALL)
    model: Tagger = train(tmp_path / "ner.toml", output=tmp_path / "teacher").tagger
    raw = ["Ada Lovelace lives in Oslo .", "Bob ran to Paris", "nothing here"]
    (tmp_path / "raw.txt").write_text("\n".join(raw))
    tagged = (sentence_to_json(sentence) for sentence in model.stream(raw))
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tagged))
    gold = '[corpora.gold]\nformat = "synthetic"\nsentences = 40\n'
    text = '[corpora.raw]\nformat = "text"\ntrain = "raw.txt"\n'
    (tmp_path / "pupil.toml").write_text(gold + text + NER + 'teacher = "teacher"\n' + SMALL)
    by_model = train(tmp_path / "pupil.toml").tagger
    by_file = train(
        tmp_path / "pupil.toml", overrides=["heads.ner.teacher=labels.jsonl"], output=tmp_path / "run"
    ).tagger
    weights = by_model.network.state_dict()
    assert all(np.array_equal(value, weights[name]) for name, value in by_file.network.state_dict().items())
    again = train(tmp_path / "run" / "recipe.toml", data=tmp_path).tagger
    assert all(np.array_equal(value, weights[name]) for name, value in again.network.state_dict().items())


def test_probabilities_that_cannot_be_used_are_reported(learn: Learn, tmp_path: Path) -> None:
    graded = {"text": "Ada ran", "spans": [{"start": 0, "end": 3, "label": "PER"}], "score": 0.1}
    _, notes = learn([graded], [words("Ada ran")], teacher_targets="marginals", scheme="bioes")
    assert any("has keys such as `score`, but no probabilities in a form that is read" in note for note in notes)
    row = {"tokens": ["A-b", "ran"], "tags": {"pos": ["X", "Y"]}, "tag_scores": {"pos": [0.5, 0.5]}}
    (tmp_path / "other.jsonl").write_text(json.dumps(row) + "\n")
    told: list[str] = []
    found = read_label_file(tmp_path / "other.jsonl", told.append).predict(
        [Sentence.from_tokens(["A", "-b", "ran"])], [True]
    )
    assert [sentence.tags("pos") for sentence in found] == [(None, None, "Y")]
    assert any("the labels of 1 sentence whose tokens differ" in note for note in told)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"tag_scores": {"ner": [0.5, None]}}, "`tag_scores.ner` must have a probability for each tag that is known"),
        (
            {
                "spans": {
                    "ner": [{"type": "PER", "start": 0, "end": 1, "score": 0.5}, {"type": "PER", "start": 1, "end": 2}]
                }
            },
            "each span of `spans.ner` must have a `score`, or none",
        ),
    ],
)
def test_some_probabilities_without_the_others_are_refused(
    scores: dict[str, Any], message: str, tmp_path: Path
) -> None:
    row = {"tokens": ["Ada", "Bo"], "tags": {"ner": ["B-PER", "B-PER"]}, **scores}
    (tmp_path / "labels.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=message):
        read_label_file(tmp_path / "labels.jsonl", print)
    row["tags"], row["tag_scores"], row["spans"] = {"ner": ["B-PER", None]}, {"ner": [0.5, None]}, {}
    (tmp_path / "labels.jsonl").write_text(json.dumps(row) + "\n")
    (sentence,) = read_label_file(tmp_path / "labels.jsonl", print).sentences
    assert sentence.tag_layer("ner").scores == (0.5, 1.0)
