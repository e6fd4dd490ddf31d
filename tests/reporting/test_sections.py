"""The sections of a report: the interval, and what all sections have in common."""

from scored_layers import class_layer, entity_layer

from tagger.reporting.report import Report, signature_of
from tagger.reporting.sections import Context, sections_of


def test_a_report_says_why_a_layer_has_no_interval_and_when_one_may_be_too_narrow() -> None:
    for layer, said in (
        (class_layer(("a", "b")), "no confidence interval: it needs at least two sentences, got 1"),
        (class_layer(("a", "a"), ("b", "b")), "no confidence interval: all resamples have the same score, so the 2 "
         "sentences do not show how much it varies"),
        (entity_layer(("O", "O"), ("O", "O")), "no confidence interval: there is nothing to score"),
        (class_layer(("a", "a"), ("b", "a")), "; with fewer than 100 sentences it may be too narrow"),
    ):  # fmt: skip
        section = sections_of(layer, Context())[0]
        assert section.brief[0].endswith(said)
        assert Report({layer.name: layer}, signature_of({layer.name: layer})).to_html().count(said) == 1


def test_no_note_of_a_section_begins_with_its_title() -> None:
    for layer in (class_layer(("a", "b"), ("b", "b")), entity_layer(("B-X", "B-Y"), ("O", "O"))):
        for section in sections_of(layer, Context()):
            assert not section.note.lower().startswith(section.title.lower())
