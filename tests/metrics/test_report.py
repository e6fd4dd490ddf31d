import json
from collections.abc import Sequence
from importlib.metadata import version
from textwrap import dedent

import pytest

from tagger.metrics.accuracy import score_labels, score_tags
from tagger.metrics.entities import EntityScores, score_entities
from tagger.metrics.report import Report


def make_report() -> Report:
    return Report(
        {
            "ner": score_entities(
                [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O", "B-PER"]],
                [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O", "I-PER"]],
                "iob2",
            ),
            "upos": score_tags([["DET", "NOUN", "VERB"], ["NOUN"]], [["DET", "NOUN", "NOUN"], ["NOUN"]]),
            "sentiment": score_labels(["good", "bad"], ["bad", "bad"]),
        },
        {"model": "runs/small", "files": ["test.conll"], "seconds": 0.25},
    )


def make_entity_scores(names: Sequence[str]) -> EntityScores:
    tags = [[f"B-{name}"] for name in names]
    return score_entities(tags, tags, "iob2")


def test_text_of_a_small_report_is_as_written_here() -> None:
    # Counted by hand. ner: 4 gold, 3 predicted, 3 correct; the I-PER that opens no entity is one for default mode.
    expected = f"""\
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
        seqeval default mode: F1 1.0000, precision 1.0000, recall 1.0000
        invalid predicted sequences: 1 of 2
        settings: seqeval {version("seqeval")}, mode=strict, scheme=IOB2, average=micro

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

        mean of ner, upos, sentiment: 0.7024
        """
    assert make_report().to_text() == dedent(expected)


def test_json_form_survives_a_round_trip() -> None:
    found = make_report().to_dict()
    assert json.loads(json.dumps(found)) == found


def test_json_form_has_scores_by_layer_and_the_extra_keys_beside() -> None:
    found = json.loads(json.dumps(make_report().to_dict()))
    assert list(found) == ["scores", "model", "files", "seconds"]
    assert found["scores"]["ner"]["f1"] == pytest.approx(6 / 7)
    assert found["scores"]["upos"]["accuracy"] == 0.75
    assert found["scores"]["sentiment"]["accuracy"] == 0.5


def test_extra_may_not_replace_the_scores() -> None:
    with pytest.raises(ValueError, match="`scores` is the report's own"):
        Report({}, {"scores": {}})


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
        _ = Report({}).main_score


@pytest.mark.parametrize("number", [1, 50])
def test_every_type_has_one_row_and_all_rows_end_in_one_column(number: int) -> None:
    lines = Report({"ner": make_entity_scores([f"type-{i}" for i in range(number)])}).to_text().splitlines()
    rows = lines[1 : 1 + 2 + number + 1 + 3]  # heading, rule, types, rule, averages
    assert len({len(row) for row in rows}) == 1
    assert sum(row.startswith("type-") for row in rows) == number


def test_long_type_name_is_whole_and_does_not_widen_the_table() -> None:
    name = "a-very-long-name-of-an-entity-type-" * 3
    lines = Report({"ner": make_entity_scores(["PER", name])}).to_text().splitlines()
    assert name in lines
    assert lines[lines.index(name) + 1].split() == ["1.0000", "1.0000", "1.0000", "1"]
    assert max(len(line) for line in lines if line != name) < 100


def test_text_names_the_scheme_as_seqeval_does_and_how_default_mode_saw_bilou() -> None:
    text = Report({"ner": score_entities([["U-X"]], [["U-X"]], "bilou")}).to_text()
    assert "scheme=BILOU" in text
    assert "seqeval default mode: F1 1.0000, precision 1.0000, recall 1.0000 (tags given as BIOES)" in text
    assert "scheme=IOBES" in Report({"ner": score_entities([["S-X"]], [["S-X"]], "bioes")}).to_text()


def test_text_of_a_corpus_without_entities_is_a_table_of_zeros() -> None:
    lines = Report({"ner": score_entities([["O"]], [["O"]], "iob2")}).to_text().splitlines()
    assert lines[3].split() == ["micro", "average", "0.0000", "0.0000", "0.0000", "0"]


def test_text_has_no_mean_for_one_layer() -> None:
    assert "mean of" not in Report({"ner": make_entity_scores(["PER"])}).to_text()
