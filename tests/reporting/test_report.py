"""The report: its text, its JSON form, and the file from which the same report can be made."""

import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent

import pytest

from tagger.errors import DataError, MissingExtraError, RecipeError
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.reporting.output import check_path
from tagger.reporting.report import SUFFIXES, Report, load_report, signature_of
from tagger.reporting.signature import Signature, hash_of_gold, hashes_of_files
from tagger.text.frames import frames_of
from tagger.text.schemes import Boundary, Scheme
from tagger.text.sentence import Origin, Sentence, TagLayer, Unaligned, sentence_of_frames


def entity_layer(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: Scheme) -> EntityLayer:
    sides = [
        tuple(Sentence.from_tokens(["w"] * len(tags), {"ner": TagLayer(tuple(tags), scheme)}) for tags in side)
        for side in (gold, predicted)
    ]
    return EntityLayer("ner", sides[0], sides[1], scheme)


def token_layer(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> TokenLayer:
    sides = [
        tuple(Sentence.from_tokens(["w"] * len(tags), {"upos": tags}) for tags in side) for side in (gold, predicted)
    ]
    return TokenLayer("upos", sides[0], sides[1])


def class_layer(gold: Sequence[str], predicted: Sequence[str]) -> ClassLayer:
    sides = [tuple(Sentence.from_tokens(["w"], {"sentiment": label}) for label in side) for side in (gold, predicted)]
    return ClassLayer("sentiment", sides[0], sides[1])


def report_of(*layers: ScoredLayer, **extra: object) -> Report:
    found = {layer.name: layer for layer in layers}
    return Report(found, signature_of(found), extra)


def make_report() -> Report:
    return report_of(
        entity_layer(
            [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O", "B-PER"]],
            [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O", "I-PER"]],
            "iob2",
        ),
        token_layer([["DET", "NOUN", "VERB"], ["NOUN"]], [["DET", "NOUN", "NOUN"], ["NOUN"]]),
        class_layer(["good", "bad"], ["bad", "bad"]),
        model="runs/small",
        files=["test.conll"],
        seconds=0.25,
    )


def make_entities(names: Sequence[str]) -> EntityLayer:
    tags = [[f"B-{name}"] for name in names]
    return entity_layer(tags, tags, "iob2")


def test_text_of_a_small_report_is_as_written_here() -> None:
    # Counted by hand. ner: 4 gold, 3 predicted, 3 correct; the I-PER opens no entity.
    expected = """\
        ner: F1 0.8571, precision 1.0000, recall 0.7500
        type              precision     recall         f1    support
        ------------------------------------------------------------
        LOC                  1.0000     1.0000     1.0000          2
        PER                  1.0000     0.5000     0.6667          2
        ------------------------------------------------------------
        micro average        1.0000     0.7500     0.8571          4
        macro average        1.0000     0.7500     0.8333          4
        weighted average     1.0000     0.7500     0.8333          4
        ------------------------------------------------------------
        entities: 4 gold, 3 predicted, 3 correct

        upos: accuracy 0.7500 of 4 tokens
        tag   precision     recall         f1    support
        ------------------------------------------------
        DET      1.0000     1.0000     1.0000          1
        NOUN     0.6667     1.0000     0.8000          2
        VERB     0.0000     0.0000     0.0000          1
        ------------------------------------------------
        sentences with every tag right: 0.5000 of 2

        sentiment: accuracy 0.5000 of 2 sentences
        class  precision     recall         f1    support
        -------------------------------------------------
        bad       0.5000     1.0000     0.6667          1
        good      0.0000     0.0000     0.0000          1
        -------------------------------------------------
        macro F1: 0.3333
        """
    report = make_report()
    found = [f"{name}: " + "\n".join(scores.lines()) for name, scores in report.scores.items()]
    assert "\n\n".join(found) + "\n" == report.scores_text() == dedent(expected)
    text = report.to_text()
    assert all(line in text for part in found for line in part.splitlines())
    assert text.splitlines()[1].startswith("95 % interval: 0.6667 to 1.0000, bootstrap over 2 sentences")
    assert "mean of ner, upos, sentiment: 0.7024" in text
    assert f"signature: ner by entities, seqeval {version('seqeval')}, strict, micro F1, iob2; upos by tags" in text


def test_json_form_survives_a_round_trip() -> None:
    found = make_report().to_dict()
    assert json.loads(json.dumps(found)) == found


def test_json_form_has_scores_by_layer_and_the_extra_keys_beside() -> None:
    found = json.loads(json.dumps(make_report().to_dict()))
    assert list(found) == ["scores", "signature", "model", "files", "seconds"]
    assert found["scores"]["ner"]["f1"] == pytest.approx(6 / 7)
    assert found["scores"]["upos"]["accuracy"] == 0.75
    assert found["scores"]["sentiment"]["accuracy"] == 0.5


def test_extra_may_not_replace_the_scores() -> None:
    with pytest.raises(ValueError, match="`scores` is the report's own"):
        Report({}, signature_of({}), {"scores": {}})


def test_headline_is_f1_of_entities_and_accuracy_of_the_rest() -> None:
    report = make_report()
    headlines = [report.headline(layer) for layer in ("ner", "upos", "sentiment")]
    assert headlines == [pytest.approx(6 / 7), 0.75, 0.5]
    assert report.main_score == pytest.approx(sum(headlines) / 3)


def test_headline_of_an_absent_layer_names_those_that_are_there() -> None:
    with pytest.raises(ValueError, match="no layer `pos`; its layers are: ner, upos, sentiment"):
        make_report().headline("pos")


def test_main_score_of_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="without layers"):
        _ = report_of().main_score


@pytest.mark.parametrize("number", [1, 50])
def test_every_type_has_one_row_and_all_rows_end_in_one_column(number: int) -> None:
    lines = report_of(make_entities([f"type-{i}" for i in range(number)])).scores["ner"].lines()
    rows = lines[1 : 1 + 2 + number + 1 + 3]  # heading, rule, types, rule, averages
    assert len({len(row) for row in rows}) == 1
    assert sum(row.startswith("type-") for row in rows) == number


def test_text_without_details_has_the_types_with_the_largest_support_and_says_how_many_more() -> None:
    names = [f"type-{i:02d}" for i in range(30)]
    text = report_of(make_entities([*names, *names[10:22]])).to_text()
    assert [name for name in names if f"\n{name} " in text] == names[10:22]
    assert "\n18 more (--details)\n" in text
    assert len(text.splitlines()) < 50


def test_long_type_name_is_whole_and_does_not_widen_the_table() -> None:
    name = "a-very-long-name-of-an-entity-type-" * 3
    lines = report_of(make_entities(["PER", name])).scores["ner"].lines()
    assert name in lines
    assert lines[lines.index(name) + 1].split() == ["1.0000", "1.0000", "1.0000", "1"]
    assert max(len(line) for line in lines if line != name) < 100


def test_text_names_the_scheme() -> None:
    text = report_of(entity_layer([["U-X"]], [["U-X"]], "bilou")).to_text()
    assert "strict, micro F1, bilou" in text


def test_text_and_json_have_the_readings_and_the_partial_credit_of_entities_alone() -> None:
    report = make_report()
    assert "F1               0.8571           1.0000     0.8571    1.0000" in report.to_text().splitlines()
    assert "partial credit (SemEval-2013), F1: strict 0.8571, exact 0.8571" in report.to_text()
    having = {name for name, scores in report.to_dict()["scores"].items() if {"readings", "partial"} <= set(scores)}
    assert having == {"ner"}


def test_text_of_a_corpus_without_entities_is_a_table_of_zeros() -> None:
    lines = report_of(entity_layer([["O"]], [["O"]], "iob2")).scores["ner"].lines()
    assert lines[3].split() == ["micro", "average", "0.0000", "0.0000", "0.0000", "0"]


def test_text_has_no_mean_for_one_layer() -> None:
    assert "mean of" not in report_of(make_entities(["PER"])).to_text()


def rich_layer() -> EntityLayer:
    """Return entities with all that a sentence may have: text, document, origin, unknown tags, probabilities."""
    text, offsets = "Oh: Ada Lovelace's.", ((4, 7), (8, 16), (16, 18), (18, 19))
    tokens, origin = ("Ada", "Lovelace", "'s", "."), Origin("a.conll", (3, 4, 5, 6))
    tags = TagLayer(
        ("B-PER", "I-PER", None, "O"), "iob2", "iob2", unaligned=(Unaligned("X", 8, 11),), types=("PER", "X")
    )
    found = TagLayer(
        ("B-PER", "E-PER", "O", "O"), "bioes", "iob2", (0.9, 0.8, 0.7, 0.6), (((Boundary("PER", 0, 2)), 0.75),)
    )
    gold = Sentence(tokens, text, offsets, {"ner": tags}, {"source": "web"}, "d1", origin)
    predicted = Sentence(tokens, text, offsets, {"ner": found}, {"source": "web"}, "d1", origin)
    return EntityLayer("ner", (gold, gold), (predicted, predicted), "bioes")


def test_saved_report_is_the_same_report(tmp_path: Path) -> None:
    for number, report in enumerate((make_report(), report_of(rich_layer(), split="test"))):
        path = tmp_path / f"{number}.json"
        report.save(path)
        again = load_report(path)
        assert again.to_dict() == report.to_dict()
        assert again.to_text(details=True) == report.to_text(details=True)
        assert [len(layer.gold) for layer in again.layers.values()] == [len(x.gold) for x in report.layers.values()]
    sentence = again.layers["ner"].gold[1]
    assert (sentence.text, sentence.document, sentence.meta) == ("Ada Lovelace's.", "d1", {"source": "web"})
    assert sentence.origin is not None
    assert sentence.origin.at(1) == "a.conll:4"
    assert again.layers["ner"].predicted[0].spans("ner")[0].score == 0.75


def test_report_without_sentences_or_of_another_kind_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content, message in [
        (json.dumps(make_report().to_dict()), "has no sentences"),
        ("[1]", "expected a report"),
        ("{", "cannot be read"),
        (json.dumps({"systems": {}, "warnings": [], "scores": {}}), "expected a report, got a comparison of several"),
        (json.dumps({**make_report().to_dict(sentences=True), "sentences": [{"tokens": 1}]}), "is damaged"),
    ]:
        path.write_text(content)
        with pytest.raises(DataError, match=message):
            load_report(path)
    with pytest.raises(DataError, match=r"absent\.json: expected a saved report, but there is no such file") as found:
        load_report(tmp_path / "absent.json")
    assert "Errno" not in str(found.value)


def test_name_of_a_report_says_its_form(tmp_path: Path) -> None:
    make_report().save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == make_report().to_text(details=True)
    make_report().save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == make_report().to_html()
    with pytest.raises(RecipeError, match=r"must end in \.json"):
        make_report().save(tmp_path / "a.png")


def test_half_a_surrogate_pair_in_a_token_is_saved_as_an_escape(tmp_path: Path) -> None:
    sides = [(Sentence.from_tokens(["\ud800"], {"ner": TagLayer((tag,), "iob2")}),) for tag in ("B-PER", "O")]
    report = report_of(EntityLayer("ner", sides[0], sides[1], "iob2"))
    for name in ("a.json", "a.html", "a.txt"):
        report.save(tmp_path / name)
        assert "\\ud800" in (tmp_path / name).read_text()
    assert load_report(tmp_path / "a.json").to_dict() == report.to_dict()


def test_control_characters_of_names_and_tokens_are_written_out_in_a_text() -> None:
    sides = [(Sentence.from_tokens(["a\x1b[2J"], {"n\x07": TagLayer((tag,), "iob2")}),) for tag in ("B-\x9b", "O")]
    report = report_of(EntityLayer("n\x07", sides[0], sides[1], "iob2"))
    text = report.to_text(details=True) + report.scores_text()
    assert all(shown in text for shown in ("a\\x1b[2J", "n\\x07", "\\x9b"))
    assert not {"\x1b", "\x07", "\x9b"} & {*text}


def test_a_folder_with_a_file_whose_name_is_no_unicode_has_a_hash(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xe9.txt")).write_text("x")
    assert len(hashes_of_files([tmp_path])[str(tmp_path)]) == 64


def test_without_jinja2_a_page_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"a page needs the package jinja2, .* run pip install"):
        check_path(tmp_path / "a.html", SUFFIXES)
    make_report().save(tmp_path / "a.txt")


def test_a_signature_names_few_files_and_counts_many() -> None:
    def data_of(number: int) -> str:
        return Signature({}, "0" * 64, {f"d/{i}.wav": f"{i:064}" for i in range(number)}, version="1").lines()[1]

    assert data_of(2) == "  on 0.wav (000000000000), 1.wav (000000000000); tagger 1"
    assert data_of(300).startswith("  on 300 files (")
    assert data_of(300) != data_of(301)


def test_frames_are_part_of_the_gold_sentences_of_a_signature() -> None:
    def hash_of(number: float) -> str:
        sentence = sentence_of_frames(frames_of([[number], [2.0]]), {"t": ["a", "b"]})
        return hash_of_gold({"t": TokenLayer("t", (sentence,), (sentence,))})

    assert hash_of(1.0) == hash_of(1.0) != hash_of(3.0)


def test_signatures_differ_in_rule_data_and_version_but_not_in_model_and_seed() -> None:
    layers = {"ner": make_entities(["PER"])}
    one = signature_of(layers, model="a", seed=1)
    assert one.differences(signature_of(layers, model="b", seed=2)) == []
    other = signature_of({"ner": entity_layer([["S-X"]], [["S-X"]], "bioes")}, version="0")
    assert [text.split()[0] for text in one.differences(other)] == ["`ner`:", "gold", "tagger"]
