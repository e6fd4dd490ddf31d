"""Predictions of any tool against gold: formats, layers, schemes, one file with both, and what is said of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tagger
from tagger.analysis.confusion import NOTHING, confusion_pairs
from tagger.errors import DataError, RecipeError
from tagger.metrics.entities import EntityScores
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import TokenLayer
from tagger.reporting.report import load_report
from tagger.reporting.sections import Context
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Sentence, TagLayer, Unaligned

WORDS = [["Ada", "lives", "in", "New", "York", "."], ["Bo", "left"]]
GOLD = [["B-PER", "O", "O", "B-LOC", "I-LOC", "O"], ["B-PER", "O"]]
FOUND = [["B-PER", "O", "O", "B-ORG", "I-ORG", "O"], ["B-PER", "O"]]  # 2 of 3 right
CHARACTERS = [[[0, 3, "PER"], [13, 21, "ORG"]], [[0, 2, "PER"]]]
TYPES = {"B-PER": "PER", "B-ORG": "ORG", "I-ORG": "ORG", "O": "O"}


def conll(tags: Sequence[Sequence[str]], words: Sequence[Sequence[str]] = WORDS) -> str:
    """A column file of words and tags."""
    sentences = [zip(*each, strict=True) for each in zip(words, tags, strict=True)]
    return "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in each) for each in sentences) + "\n"


def jsonl(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def sentences(tags: Sequence[Sequence[str]], layer: str = "ner") -> list[Sentence]:
    return [Sentence.from_tokens(words, {layer: each}) for words, each in zip(WORDS, tags, strict=True)]


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


FORMATS = {
    "predicted.conll": conll(FOUND),
    "predicted.jsonl": jsonl([{"tokens": w, "tags": {"ner": t}} for w, t in zip(WORDS, FOUND, strict=True)]),
    "rows.jsonl": jsonl([{"tokens": w, "ner_tags": t} for w, t in zip(WORDS, FOUND, strict=True)]),
    "spans.jsonl": jsonl(
        [{"text": t, "label": s} for t, s in zip(("Ada lives in New York.", "Bo left"), CHARACTERS, strict=True)]
    ),
    "types.conll": conll([[TYPES[tag] for tag in each] for each in FOUND]),
    "bioes.conll": conll([["S-PER", "O", "O", "B-ORG", "E-ORG", "O"], ["S-PER", "O"]]),
    "predicted.csv": "sentence,token,ner\n"
    + "".join(f"{n},{w},{t}\n" for n in (0, 1) for w, t in zip(WORDS[n], FOUND[n], strict=True)),
    "one.conll": conll([[*FOUND[0], *FOUND[1]]], [[*WORDS[0], *WORDS[1]]]),
    "other.tokens": conll(
        [["B-PER", "O", "O", "B-ORG", "O"], ["B-PER", "O"]], [[*WORDS[0][:3], "NewYork", "."], WORDS[1]]
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_predictions_of_any_format_have_the_same_score(tmp_path: Path, name: str) -> None:
    gold, predicted = write(tmp_path, "gold.conll", conll(GOLD)), write(tmp_path, name, FORMATS[name])
    report = tagger.score(gold, predicted)
    scores = report.scores["ner"]
    assert isinstance(scores, EntityScores)
    assert (scores.correct_entities, scores.predicted_entities, scores.gold_entities) == (2, 3, 3)
    assert (scores.scheme, scores.sentences) == ("iob2", 2)
    assert report.extra["predicted_files"] == [str(predicted)]
    assert [*report.signature.files] == [str(gold)]


def test_gold_may_be_a_text_with_character_spans_and_the_prediction_tokens(tmp_path: Path) -> None:
    rows = [{"text": t, "label": s} for t, s in zip(("Ada lives in New York.", "Bo left"), CHARACTERS, strict=True)]
    report = tagger.score(write(tmp_path, "g.jsonl", jsonl(rows)), write(tmp_path, "p.conll", conll(FOUND)))
    assert report.headline("ner") == 1.0


def test_predicted_entities_that_overlap_are_noted_as_such(tmp_path: Path) -> None:
    text = "Ada Lovelace left"
    rows = [[[0, 12, "PER"]], [[0, 12, "PER"], [4, 12, "PER"]]]
    files = [write(tmp_path, f"{i}.jsonl", jsonl([{"text": text, "label": row}])) for i, row in enumerate(rows)]
    report = tagger.score(*files)
    assert report.layers["ner"].counts.tolist() == [[1, 2, 1]]
    notes = "\n".join(report.extra["notes"])  # type: ignore[arg-type]
    assert "prediction: not expressed by tags: 1 entity that is nested, the first 'Lovelace' (PER, cha" in notes


def test_files_documents_and_sentences_can_be_scored(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{i}.conll", conll(GOLD[i : i + 1], WORDS[i : i + 1])) for i in (0, 1)]
    predicted = sentences(FOUND)
    documents = [tagger.Document(each.text, (each,), id=i) for i, each in enumerate(predicted)]
    reports = [tagger.score(files, predicted), tagger.score(sentences(GOLD), documents)]
    assert [report.headline("ner") for report in reports] == [2 / 3, 2 / 3]
    with pytest.raises(DataError, match="predicted: must have at least one sentence, got none"):
        tagger.score(files, [])
    with pytest.raises(RecipeError, match="PREDICTED must be given, unless GOLD is one file"):
        tagger.score(predicted)


def test_invalid_sequences_reach_the_scorer_as_they_are(tmp_path: Path) -> None:
    wrong = [["I-PER", "O", "O", "B-LOC", "I-LOC", "O"], ["I-PER", "O"]]
    gold, predicted = write(tmp_path, "g.conll", conll(GOLD)), write(tmp_path, "p.conll", conll(wrong))
    report = tagger.score(gold, predicted)
    scores = report.scores["ner"]
    assert isinstance(scores, EntityScores)
    assert (scores.correct_entities, scores.predicted_entities, scores.invalid_sequences) == (1, 1, 2)
    assert scores.default.f1 == 1.0
    layer = report.layers["ner"]
    assert layer.predicted[1].tags("ner") == ("I-PER", "O")
    assert tagger.score(gold, predicted, predicted_scheme="iob1").scores["ner"].to_dict()["invalid_sequences"] != 2


def test_invalid_tags_in_another_scheme_stay_in_theirs(tmp_path: Path) -> None:
    wrong = [["S-PER", "O", "O", "B-LOC", "O", "O"], ["S-PER", "O"]]
    report = tagger.score(write(tmp_path, "g", conll(GOLD)), write(tmp_path, "p", conll(wrong)))
    layer = report.layers["ner"]
    assert isinstance(layer, EntityLayer)
    assert layer.scheme == "bioes"
    assert layer.scores.invalid_sequences == 1
    assert (layer.scores.correct_entities, layer.scores.gold_entities) == (2, 3)


def test_probabilities_reach_the_report() -> None:
    spans = ((Boundary("PER", 0, 1), 0.75), (Boundary("LOC", 3, 5), 0.25))
    second = ((Boundary("PER", 0, 1), 1.0),)
    layers = [TagLayer(tuple(tags), scored_spans=each) for tags, each in zip(GOLD, (spans, second), strict=True)]
    predicted = [Sentence.from_tokens(words, {"ner": layer}) for words, layer in zip(WORDS, layers, strict=True)]
    report = tagger.score(sentences(GOLD), predicted)
    assert [score for score, _ in report.layers["ner"].hits] == [0.75, 0.25, 1.0]  # type: ignore[attr-defined]
    assert report.scores["ner"].to_dict()["calibration_error"] == pytest.approx(1 / 3)


def test_a_predicted_entity_that_gold_tokens_cannot_express_counts_as_wrong() -> None:
    gold = Sentence.from_tokens(["New", "York-based"], {"ner": TagLayer(("O", "O"), "iob2")})
    predicted = Sentence.from_tokens(["New", "York", "-based"], {"ner": ["B-LOC", "I-LOC", "O"]})
    report = tagger.score([gold], [predicted])
    layer = report.layers["ner"]
    assert isinstance(layer, EntityLayer)
    assert layer.counts.tolist() == [[0, 1, 0]]
    assert (layer.scores.predicted_entities, layer.scores.types["LOC"].support) == (1, 0)
    assert any("1 predicted entity that the tokens" in note for note in report.extra["notes"])  # type: ignore[attr-defined]
    data = report.to_dict()["scores"]["ner"]
    assert data["errors"]["kinds"]["invented"] == {"mistakes": 1, "gold": 0, "predicted": 1}
    assert [pair for pair in confusion_pairs(layer).items() if pair[1]] == [((NOTHING, "LOC"), 1)]
    same = TagLayer(("O", "O"), "iob2", unaligned=(Unaligned("LOC", 0, 8),))
    found = tagger.score([Sentence.from_tokens(gold.tokens, {"ner": same})], [predicted]).layers["ner"]
    assert found.counts.tolist() == [[1, 1, 1]]
    assert found.scores.headline == found.headline == 1.0


def test_a_stray_entity_counts_only_where_gold_is_known() -> None:
    stray = TagLayer(("O", "O", "O"), "iob2", unaligned=(Unaligned("X", 2, 5),))
    for tags, types, expected in (
        (("O", "O", "O"), None, [0, 1, 0]),
        (("O", None, "O"), None, [0, 0, 0]),
        (("O", "O", "O"), ("Y",), [0, 0, 0]),
    ):
        gold = Sentence.from_tokens(["a", "bb", "cc"], {"ner": TagLayer(tags, "iob2", types=types)})
        predicted = Sentence.from_tokens(["a", "bb", "cc"], {"ner": stray})
        layer = tagger.score([gold], [predicted]).layers["ner"]
        assert isinstance(layer, EntityLayer)
        assert layer.counts.tolist() == [expected]
        assert layer.scores.unscored_entities == 1 - expected[1]


def test_of_predicted_entities_on_the_same_tokens_the_one_of_gold_is_right() -> None:
    text = "New York Times"
    rows = [Sentence.from_tokens(text.split(), {"ner": TagLayer(tags, "iob2", unaligned=beside)}) for tags, beside in (
        (("B-LOC", "I-LOC", "O"), ()),
        (("B-ORG", "I-ORG", "I-ORG"), (Unaligned("LOC", 0, 8),)),
    )]  # fmt: skip
    assert tagger.score(rows[:1], rows[1:]).layers["ner"].counts.tolist() == [[1, 2, 1]]
    assert tagger.score(rows[1:], rows[:1]).layers["ner"].counts.tolist() == [[1, 1, 2]]


def test_layers_are_matched_by_name_or_as_the_only_ones_of_their_kind() -> None:
    def both(layers: dict[str, Any]) -> list[Sentence]:
        return [Sentence.from_tokens(["a"], layers)]

    report = tagger.score(both({"ner": ["B-X"], "upos": ["N"]}), both({"ner": ["B-X"], "lemma": ["a"]}))
    assert [*report.layers] == ["ner"]
    notes = report.extra["notes"]
    assert "not scored, because the prediction does not have it: `upos` of gold" in notes  # type: ignore[operator]
    assert "not scored, because gold does not have it: `lemma` of the prediction" in notes  # type: ignore[operator]
    report = tagger.score(both({"ner": ["B-X"], "mood": Label("good")}), both({"tags": ["B-X"], "label": Label("bad")}))
    assert {name: report.headline(name) for name in report.layers} == {"ner": 1.0, "mood": 0.0}
    assert "layer `tags` of the prediction is scored as `ner`" in report.extra["notes"]  # type: ignore[operator]
    with pytest.raises(DataError, match="must have a layer in common, got `a`, `b` in gold and `c` in the prediction"):
        tagger.score(both({"a": ["N"], "b": ["N"]}), both({"c": ["N"]}))
    with pytest.raises(DataError, match="layer `a` must be of one kind, got tags in gold and labels in the prediction"):
        tagger.score(both({"a": ["N"]}), both({"a": Label("N")}))


def test_what_is_wrong_with_layers_is_named_with_its_place(tmp_path: Path) -> None:
    gold = write(tmp_path, "g.conll", conll(GOLD))
    some = jsonl([{"tokens": WORDS[0], "tags": {"ner": FOUND[0]}}, {"tokens": WORDS[1]}])
    with pytest.raises(DataError, match=r"g.conll:8: layer `ner` must be predicted for each sentence of gold"):
        tagger.score(gold, write(tmp_path, "some.jsonl", some))
    unknown = jsonl([{"tokens": w, "tags": {"ner": t}} for w, t in zip(WORDS, [FOUND[0], [None, "O"]], strict=True)])
    with pytest.raises(DataError, match=r"g.conll:8: each token must have a predicted tag in layer `ner`, got an un"):
        tagger.score(gold, write(tmp_path, "unknown.jsonl", unknown))
    with pytest.raises(DataError, match=r"p.conll:1: tag 'PER' is not a valid IOB2 tag"):
        tagger.score(gold, write(tmp_path, "p.conll", conll([["PER", *FOUND[0][1:]], FOUND[1]])))
    strange = tagger.score(sentences(GOLD), sentences([["B-X", *["O"] * 5], ["B-Y", "O"]]))
    assert strange.headline("ner") == 0.0
    assert "gold has `LOC`, `PER`, the prediction `X`, `Y`" in str(strange.extra["notes"])


def test_unknown_gold_and_files_without_entities_have_defined_scores() -> None:
    nothing = [["O"] * len(words) for words in WORDS]
    assert tagger.score(sentences(nothing), sentences(nothing)).headline("ner") == 0.0
    assert tagger.score(sentences(GOLD), sentences(nothing)).headline("ner") == 0.0
    assert tagger.score(sentences(nothing), sentences(FOUND)).scores["ner"].to_dict()["predicted_entities"] == 3
    gold = [Sentence.from_tokens(WORDS[1], {"ner": TagLayer(("B-PER", None))})]
    assert tagger.score(gold, sentences(FOUND)[1:]).layers["ner"].counts.tolist() == [[0, 0, 0]]


def test_tags_without_spans_and_labels_in_comments_are_scored(tmp_path: Path) -> None:
    def labelled(values: Sequence[str]) -> str:
        rows = (f"# domain = news\n# intent = {value}\n{conll([['V', 'N']], [['go', 'home']])}\n" for value in values)
        return "".join(rows)

    gold = write(tmp_path, "g.conll", labelled(["go", "stay"] * 10))
    report = tagger.score(gold, write(tmp_path, "p.conll", labelled(["go"] * 20)))
    assert {name: report.headline(name) for name in report.layers} == {"tags": 1.0, "intent": 0.5}
    assert isinstance(report.layers["tags"], TokenLayer)
    assert [*tagger.score(gold, gold).layers] == ["tags"]  # a comment that is the same in both is no prediction
    assert tagger.score(gold, gold, labels=["intent"]).headline("intent") == 1.0
    rows = [{"tokens": ["go", "home"], "labels": {"intent": {"value": "stay", "score": 0.6}}}] * 20
    report = tagger.score(gold, write(tmp_path, "p.jsonl", jsonl(rows)))
    assert {name: report.headline(name) for name in report.layers} == {"intent": 0.5}


CONLLEVAL = "Ada NNP B-PER B-PER\nsaw VBD O O\nBo NNP B-PER I-PER\n\nOslo NNP B-LOC O\n"


@pytest.mark.parametrize("columns", [None, ("token", "_", "gold", "predicted")])
def test_one_file_has_gold_and_prediction_in_its_last_columns(tmp_path: Path, columns: tuple[str, ...] | None) -> None:
    report = tagger.score(write(tmp_path, "both.txt", CONLLEVAL), columns=columns)
    layer = report.layers["ner"]
    assert layer.counts.tolist() == [[1, 1, 2], [0, 0, 1]]
    assert layer.predicted[0].tags("ner") == ("B-PER", "O", "I-PER")
    swapped = tagger.score(tmp_path / "both.txt", columns=("token", "_", "predicted", "gold"))
    assert swapped.layers["ner"].counts.tolist() == [[1, 2, 1], [0, 1, 0]]


def test_one_file_without_both_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must have at least three columns .*, got 2; pass the file"):
        tagger.score(write(tmp_path, "gold.conll", conll(GOLD)))
    row = jsonl([{"tokens": ["a"], "tags": {"gold": ["N"], "other": ["N"]}}])
    with pytest.raises(DataError, match="must have the layers `gold`, `predicted`, got no `predicted` among `gold`"):
        tagger.score(write(tmp_path, "both.jsonl", row))


def test_a_prediction_that_is_clearly_in_another_format_than_gold_is_read_as_it_shows(tmp_path: Path) -> None:
    rows = [{"tokens": list(words), "tags": {"ner": list(tags)}} for words, tags in zip(WORDS, FOUND, strict=True)]
    brat = tmp_path / "brat"
    brat.mkdir()
    write(brat, "a.txt", "Ada left")
    write(brat, "a.ann", "T1\tPER 0 3\tAda\n")
    named, unnamed = write(tmp_path, "p.jsonl", jsonl(rows)), write(tmp_path, "p.out", jsonl(rows))
    columns, gold = write(tmp_path, "p.txt", conll(FOUND)), write(tmp_path, "gold.txt", conll(GOLD))
    expected = tagger.score(gold, columns, format="conll").headline("ner")
    for found in (named, unnamed):
        for format in ("conll", None):
            assert tagger.score(gold, found, format=format, columns=("token", "ner")).headline("ner") == expected
        assert tagger.score(found, columns, format="jsonl").headline("ner") == 1.0
    short = write(tmp_path, "short.txt", "Ada\tB-PER\nleft\tO\n")
    assert tagger.score(short, brat, format="conll").headline("ner") == 1.0
    with pytest.raises(DataError, match=r"p\.jsonl:2: must have 15 columns"):
        tagger.score(gold, named, format="conll", columns=("token", "ner"), predicted_format="conll")


RESULT = {"tokens": ["Ada", "left"], "tags": {"ner": ["B-PER", "O"]}, "spans": {}, "labels": {}}
INPUTS: list[dict[str, Any]] = [  # gold as tools write it, whose keys `tagger tag` keeps
    {"text": "Ada left", "label": [[0, 3, "ORG"]]},
    {"text": "Ada left", "entities": [{"start": 0, "end": 3, "label": "ORG"}], "cats": {"good": 1.0}},
    {"text": "Ada left", "tokens": ["Ada", "left"], "ner_tags": ["B-ORG", "O"]},
    {"text": "Ada left", "tokens": ["Ada", "left"], "ner": ["B-ORG", "O"]},
    {"text": "Ada left", "ner": [[0, 3, "ORG"]], "label": "good"},
]


@pytest.mark.parametrize("gold", INPUTS)
def test_tagged_gold_is_read_by_the_keys_of_the_result(tmp_path: Path, gold: dict[str, Any]) -> None:
    scores = {"tag_scores": {"ner": [0.9, 0.8]}, "sequence_scores": {"ner": 0.7}}
    files = [write(tmp_path, f"{i}.jsonl", jsonl([row])) for i, row in enumerate((gold, gold | RESULT | scores))]
    report = tagger.score(files[0], files[1], **({"layer": "ner"} if "tokens" not in gold else {}))
    assert report.headline("ner") == 0.0
    assert {tag for s in report.layers["ner"].predicted for tag in s.tags("ner")} == {"B-PER", "O"}
    assert not any("_scores`" in note for note in report.to_dict()["notes"])


def test_settings_must_concern_a_file(tmp_path: Path) -> None:
    gold = write(tmp_path, "g.txt", "B-PER Ada\nO left\n")
    predicted = write(tmp_path, "p.jsonl", jsonl([{"tokens": ["Ada", "left"], "tags": {"ner": ["B-PER", "O"]}}]))
    assert tagger.score(gold, predicted, columns=("ner", "token")).headline("ner") == 1.0
    assert tagger.score(predicted, gold, predicted_columns=("ner", "token")).headline("ner") == 1.0
    assert tagger.score(gold, predicted, format="conll", columns=["ner", "token"], predicted_format="jsonl").layers
    with pytest.raises(RecipeError, match="--unknown says nothing about jsonl; remove it"):
        tagger.score(predicted, predicted, unknown="?")
    with pytest.raises(RecipeError, match="unknown key `colums`; did you mean `columns`"):
        tagger.score(predicted, predicted, colums=("token", "ner"))
    with pytest.raises(RecipeError, match="--header says nothing about sentences; remove it"):
        tagger.score(sentences(GOLD), sentences(GOLD), header=1)
    assert tagger.score(sentences(GOLD), sentences(GOLD), scheme="bioes").scores["ner"].to_dict()["scheme"] == "bioes"


def test_a_saved_report_scores_the_same(tmp_path: Path) -> None:
    from tagger.reporting.report import load_report

    gold = Sentence.from_tokens(["New", "York-based"], {"ner": TagLayer(("B-X", "O"), "iob2")})
    predicted = Sentence.from_tokens(["New", "York", "-based"], {"ner": ["B-LOC", "I-LOC", "O"]})
    report = tagger.score([gold], [predicted])
    report.save(tmp_path / "report.json")
    assert load_report(tmp_path / "report.json").to_dict()["scores"] == report.to_dict()["scores"]


def test_train_tells_what_was_seen_there_in_its_own_scheme(tmp_path: Path) -> None:
    train = conll([["U-PER", "O"], ["B-ORG", "L-ORG"]], [["Ada", "sang"], ["New", "York"]])
    files = [write(tmp_path, f"{i}.conll", text) for i, text in enumerate((conll(GOLD), conll(FOUND), train))]
    report = tagger.score(files[0], files[1], train=[files[2]])
    groups = report.to_dict()["scores"]["ner"]["breakdown"]["seen"]
    counted = {name: (group["correct"], group["predicted"], group["gold"]) for name, group in groups.items()}
    assert counted == {"seen in train": (1, 2, 1), "seen with another type": (0, 0, 1), "unseen": (1, 1, 1)}
    assert "not in train" in report.to_dict()["scores"]["ner"]["breakdown"]["words"]


def test_a_comment_that_looks_like_a_label_stays_a_comment_if_only_one_file_has_it(tmp_path: Path) -> None:
    comments = "".join(f"# source = {'ab'[i % 2]}\nAda\tB-PER\n\n" for i in range(20))
    gold, columns = write(tmp_path, "g.conll", comments), write(tmp_path, "p.conll", "Ada\tB-PER\n\n" * 20)
    lines = write(tmp_path, "p.jsonl", jsonl([{"tokens": ["Ada"], "tags": {"ner": ["B-PER"]}}] * 20))
    for predicted in (columns, lines):
        for sides, name in (((gold, predicted), "gold"), ((predicted, gold), "prediction")):
            report = tagger.score(*sides)
            notes = [note for note in report.to_dict()["notes"] if "source" in note]
            assert [*report.layers] == ["ner"]
            assert notes == [
                f"{name}: the comment `# source` looks like a label, but stays a comment, because the other file has "
                "no label"
            ]
    labelled = write(tmp_path, "l.jsonl", jsonl([{"tokens": ["Ada"], "labels": {"mood": "a"}}] * 20))
    assert tagger.score(gold, labelled).headline("source") == 0.5  # the only labels of two files may differ in name


def test_sentences_are_grouped_by_keys_of_their_records_of_meta_and_by_comments(tmp_path: Path) -> None:
    kinds = [{"source": "web", "meta": {"year": 1999, "genre": "news"}}, {"source": "book", "meta": {"year": 2001}}]
    rows = [{"tokens": w, "tags": {"ner": t}, **k} for w, t, k in zip(WORDS, GOLD, kinds, strict=True)]
    comments = "# source = web\n" + conll(GOLD).replace("\n\n", "\n\n# source = book\n")
    predicted = write(tmp_path, "predicted.conll", conll(FOUND))
    for name, content, by, groups in (
        ("g.jsonl", jsonl(rows), ("source", "year", "genre"), [["book", "web"], ["1999", "2001"], ["news", "(none)"]]),
        ("g.conll", comments, ("source",), [["book", "web"]]),
    ):  # fmt: skip
        gold = write(tmp_path, name, content)
        report = tagger.score(gold, predicted, context=Context(by=by))
        data = report.to_dict()["scores"]["ner"]["breakdown"]
        assert [list(data[f"meta.{key}"]) for key in by] == groups
        report.save(tmp_path / "report.json")
        assert load_report(tmp_path / "report.json").to_dict()["scores"]["ner"]["breakdown"].keys() == data.keys()
        with pytest.raises(DataError, match=r"--by: `sorce` must be .*; the keys of these sentences: .*`source`"):
            tagger.score(gold, predicted, context=Context(by=("source", "sorce")))
