"""Comparisons of systems: hand-made examples whose every figure is counted by eye."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from compared_reports import entity_report, label_report, report_of, tag_report

from tagger.errors import DataError, RecipeError
from tagger.reporting.comparison.systems import System, SystemComparison
from tagger.reporting.report import Report

GOLD = ["B-PER O B-LOC", "O O", "B-PER I-PER O", "B-LOC"] * 10
OLD = ["B-PER O O", "O O", "B-PER O O", "B-LOC"] * 10
NEW = ["B-PER O B-LOC", "O B-LOC", "B-PER I-PER O", "B-PER"] * 5 + OLD[20:]


def comparison(*reports: Report) -> SystemComparison:
    return SystemComparison(tuple(System(f"runs/{i}", (report,)) for i, report in enumerate(reports)))


def old_and_new() -> SystemComparison:
    return comparison(entity_report(GOLD, OLD), entity_report(GOLD, NEW))


def test_the_difference_is_that_of_the_second_from_the_first() -> None:
    found = old_and_new().to_dict()["scores"]["ner"]["comparison"]
    # 40 gold entities; old: 30 predicted, 20 correct; new: 25 + 15 predicted, 15 + 10 correct.
    assert found["systems"]["A"]["score"] == pytest.approx(2 * 20 / (30 + 40))
    assert found["systems"]["B"]["score"] == pytest.approx(2 * 25 / (40 + 40))
    difference = found["differences"]["B"]
    assert difference["difference"] == pytest.approx(2 * 25 / 80 - 2 * 20 / 70)
    assert difference["low"] < difference["difference"] < difference["high"]
    assert (found["baseline"], found["over"], found["number"]) == ("A", "sentences", 40)


def test_types_have_the_f1_of_both_and_the_surest_difference_first() -> None:
    found = old_and_new().to_dict()["scores"]["ner"]["types"]
    assert list(found) == ["PER", "LOC"]
    per, loc = found["PER"], found["LOC"]
    assert (per["support"], per["A"], per["B"]) == (20, pytest.approx(0.5), pytest.approx(2 * 15 / (25 + 20)))
    # LOC of new: 5 of the first kind of sentence and 5 of the last; 5 invented in the second kind
    assert (loc["support"], loc["A"], loc["B"]) == (20, pytest.approx(2 / 3), pytest.approx(2 * 10 / (15 + 20)))
    p_values = [per["p_randomisation"], loc["p_randomisation"]]
    assert per["p_randomisation_holm"] == pytest.approx(2 * min(p_values))


def test_sentences_and_mistakes_of_one_system_alone_are_counted_and_shown_in_context() -> None:
    scores = old_and_new().to_dict()["scores"]["ner"]
    sentences, mistakes = scores["sentences"], scores["mistakes"]
    assert (sentences["both"], sentences["only"], sentences["neither"]) == (10, {"A": 10, "B": 10}, 10)
    assert (mistakes["A"], mistakes["B"], mistakes["fixed"], mistakes["new"]) == (20, 20, 10, 10)
    assert mistakes["fixed_kinds"] == {"missed": 5, "wrong boundary": 5}
    assert mistakes["new_kinds"] == {"invented": 5, "wrong type": 5}
    assert [len(found) for found in mistakes["lists"].values()] == [10, 10]
    text = old_and_new().to_text()
    assert "sentences without a mistake: both 10, only A 10, only B 10, neither 10" in text
    assert "mistakes: A 20, of which 10 fixed; B 20, of which 10 new" in text
    assert "w0 [w1] (invented: predicted LOC)" in text


def test_a_mistake_on_the_same_gold_entity_is_the_same_whatever_was_predicted() -> None:
    gold = ["B-PER I-PER O", "B-PER O O"]
    found = comparison(entity_report(gold, ["O O O", "B-PER O O"]), entity_report(gold, ["B-LOC O O", "O O B-LOC"]))
    mistakes = found.to_dict()["scores"]["ner"]["mistakes"]
    assert (mistakes["A"], mistakes["B"]) == (1, 3)
    assert (mistakes["fixed"], mistakes["new_kinds"]) == (0, {"missed": 1, "invented": 1})


@pytest.mark.parametrize(
    "report",
    [
        entity_report(GOLD, OLD),
        tag_report(GOLD, OLD),
        label_report("a b a c", "a a a b"),
        entity_report(["O O"], ["O O"]),
    ],
    ids=["entities", "tags", "labels", "no entities"],
)
def test_equal_systems_differ_by_nothing_with_p_values_of_1(report: Report) -> None:
    (scores,) = comparison(report, report).to_dict()["scores"].values()
    differences = [scores["comparison"]["differences"]["B"], *scores["types"].values()]
    for each in differences:
        assert each["difference"] == 0
        assert each["low"] in (0, None)
        assert each["p_bootstrap"] == each["p_randomisation"] == each["p_randomisation_holm"] == 1
    assert scores["sentences"]["only"] == {"A": 0, "B": 0}
    assert scores["mistakes"]["fixed"] == scores["mistakes"]["new"] == 0


def test_tags_and_labels_are_compared_by_accuracy() -> None:
    tags = comparison(tag_report(["N V", "N N"], ["N N", "N N"]), tag_report(["N V", "N N"], ["N V", "V N"]))
    found = tags.to_dict()["scores"]["upos"]
    assert found["comparison"]["systems"] == {"A": {"score": 0.75}, "B": {"score": 0.75}}
    assert (found["types"]["N"]["A"], found["types"]["V"]["B"]) == (pytest.approx(6 / 7), pytest.approx(2 / 3))
    assert (found["mistakes"]["fixed"], found["mistakes"]["new"]) == (1, 1)
    labels = comparison(label_report("x y x", "x x x"), label_report("x y x", "x y x")).to_dict()["scores"]["mood"]
    assert labels["comparison"]["differences"]["B"]["difference"] == pytest.approx(1 / 3)
    assert labels["sentences"]["only"] == {"A": 0, "B": 1}


def test_more_than_two_systems_are_all_compared_with_the_first_and_corrected_after_holm() -> None:
    reports = [entity_report(GOLD, each) for each in (OLD, NEW, GOLD, OLD)]
    found = comparison(*reports)
    scores = found.to_dict()["scores"]["ner"]
    assert list(scores) == ["comparison"]
    differences = scores["comparison"]["differences"]
    assert list(differences) == ["B", "C", "D"]
    smallest = min(differences.values(), key=lambda each: each["p_bootstrap"])
    assert smallest["p_bootstrap_holm"] == pytest.approx(3 * smallest["p_bootstrap"])
    assert differences["D"]["p_bootstrap_holm"] == 1
    assert "corrected after Holm for 3 comparisons" in found.to_text()


def test_documents_are_resampled_where_there_are_any() -> None:
    names = [f"d{i // 4}" for i in range(40)]
    reports = [entity_report(GOLD, each, documents=names) for each in (OLD, NEW)]
    found = comparison(*reports).to_dict()["scores"]["ner"]["comparison"]
    assert (found["over"], found["number"]) == ("documents", 10)


def test_one_sentence_has_no_interval() -> None:
    found = comparison(entity_report(GOLD[:1], OLD[:1]), entity_report(GOLD[:1], GOLD[:1]))
    difference = found.to_dict()["scores"]["ner"]["comparison"]["differences"]["B"]
    assert (difference["low"], difference["high"], difference["p_bootstrap"]) == (None, None, 1.0)
    assert found.to_text()


def test_the_interval_contains_0_where_the_bootstrap_is_not_significant() -> None:
    """Both use the same resamples. Near 0.05 they may disagree: only the interval is corrected for skewness."""
    for number in range(0, 40, 4):
        new = NEW[:number] + OLD[number:]
        each = comparison(entity_report(GOLD, OLD), entity_report(GOLD, GOLD[:number] + OLD[number:])).to_dict()
        found = each["scores"]["ner"]["comparison"]["differences"]["B"]
        if not 0.02 < found["p_bootstrap"] < 0.1:
            assert (found["low"] <= 0 <= found["high"]) == (found["p_bootstrap"] >= 0.05), (number, new)


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (entity_report(["O O"], ["O O"]), entity_report(["O O", "O"], ["O O", "O"]), "there are 1 and 2"),
        (entity_report(["O O"], ["O O"]), entity_report(["O"], ["O"]), "sentence 1 differs: 'w0 w1' and 'w0'"),
        (
            entity_report(["O", "B-PER O"], ["O", "O O"]),
            entity_report(["O", "B-LOC O"], ["O", "O O"]),
            "sentence 2 is annotated differently: 'w0 w1': 'B-PER O' and 'B-LOC O'",
        ),
        (tag_report(["N N"], ["N N"]), tag_report(["N V"], ["N N"]), "sentence 1 is annotated differently"),
        (label_report("x y", "x x"), label_report("x x", "x x"), "sentence 2 is annotated differently"),
        (tag_report(["N"], ["N"]), label_report("x", "x"), "must have a layer in common"),
    ],
)
def test_different_gold_is_refused_with_the_first_difference(one: Report, two: Report, message: str) -> None:
    with pytest.raises(DataError) as error:
        comparison(one, two)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_layers_of_one_system_alone_are_named_and_the_others_compared() -> None:
    tags, labels = tag_report(["N", "N"], ["N", "V"]), label_report("x y", "x x")
    both = report_of(*tags.layers.values(), *labels.layers.values())
    found = comparison(both, tags)
    assert list(found.sections) == ["upos"]
    assert found.warnings == ("layer `mood` is not compared, because B lacks it",)
    assert "warning: layer `mood`" in found.to_text()


def test_only_what_makes_scores_incomparable_gives_a_warning() -> None:
    layer = entity_report(GOLD, OLD).layers["ner"]
    base = report_of(layer, model="one", seed=1, version="1.0")
    assert comparison(base, report_of(layer, model="two", seed=2, version="1.0")).warnings == ()
    (warning,) = comparison(base, report_of(layer, model="two", seed=2, version="2.0")).warnings
    assert warning == "A and B were not scored in the same way: tagger 1.0 and 2.0"


def test_notes_on_reading_name_the_systems_that_they_concern_but_not_those_of_training() -> None:
    report = label_report("x", "x")
    noted = [replace(report, extra={"notes": ["repaired 2 tags", note]}) for note in ("kept 1 token", "kept 2 tokens")]
    trained = replace(report, extra={"split": "test", "notes": ["cut 10 sentences"]})
    assert comparison(*noted, trained).notes == ["A, B: repaired 2 tags", "A: kept 1 token", "B: kept 2 tokens"]


def test_fewer_than_two_systems_or_a_system_without_reports_is_refused() -> None:
    report = label_report("x", "x")
    for systems in [(), (System("a", (report,)),), (System("a", (report,)), System("b", ()))]:
        with pytest.raises(ValueError, match="at least two systems"):
            SystemComparison(systems)


def test_a_comparison_is_saved_in_the_form_of_its_suffix(tmp_path: Path) -> None:
    found = old_and_new()
    for name in ("c.json", "c.md", "c.txt"):
        found.save(tmp_path / name)
    assert json.loads((tmp_path / "c.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    assert (tmp_path / "c.txt").read_text() == found.to_text(details=True)
    markdown = (tmp_path / "c.md").read_text()
    assert "| PER | 20 | 0.5000 | 0.6667 |" in markdown
    with pytest.raises(RecipeError, match=r"must end in"):
        found.save(tmp_path / "c.pdf")


def test_half_a_surrogate_pair_and_control_characters_are_saved_as_escapes(tmp_path: Path) -> None:
    report = tag_report(["\ud800 \x1b[2J"], ["x y"])
    found = comparison(report, report)
    for name in ("c.json", "c.html", "c.md", "c.txt"):
        found.save(tmp_path / name)
        assert "\\ud800" in (tmp_path / name).read_text()
    assert "\\x1b[2J" in found.to_text(details=True)
    assert "\x1b" not in found.to_text(details=True) + found.to_markdown()


def test_the_page_names_the_systems_and_has_all_tables(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    found = old_and_new()
    found.save(tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    for part in ("A: runs/0 (report)", "Changes by type", "+0.1667", "fixed, A alone", "w0 w1 [w2]"):
        assert part in page


def test_the_text_of_two_systems_fits_on_a_screen() -> None:
    lines = old_and_new().to_text().splitlines()
    assert len(lines) < 50
    assert max(map(len, lines)) <= 120
