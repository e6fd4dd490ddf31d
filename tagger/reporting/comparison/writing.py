"""A comparison as text, as Markdown and as a page, from its sections."""

from collections.abc import Mapping, Sequence

from tagger.metrics.section import Section
from tagger.reporting.output import check_page
from tagger.reporting.tables import markdown_lines, text_lines
from tagger.wording import visible

SUFFIXES = (".json", ".html", ".md", ".txt")
Sections = Mapping[str, Sequence[Section]]  # by layer


def text_of(heading: Sequence[str], sections: Sections, *, details: bool) -> str:
    """Return a comparison as plain text; with `details`, with all tables."""
    lines = list(heading)
    for layer, parts in sections.items():
        for part in parts:
            lines += ["", f"{layer}: {part.title}"]
            tables = [line for table in part.tables for line in ("", *text_lines(table))]
            lines += [part.note, *tables] if details else part.brief
    return visible("\n".join(lines) + "\n")


def markdown_of(heading: Sequence[str], sections: Sections) -> str:
    """Return a comparison as Markdown, with all tables."""
    lines = ["# Comparison", "", *(f"- {line}" for line in heading)]
    for layer, parts in sections.items():
        for part in parts:
            lines += ["", f"## {layer}: {part.title}", "", part.note]
            for table in part.tables:
                lines += ["", *markdown_lines(table)]
    return visible("\n".join(lines) + "\n")


def page_of(heading: Sequence[str], sections: Sections, facts: Mapping[str, object]) -> str:
    """Return a comparison as a page that loads nothing from elsewhere; `facts` are the signatures of its reports.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    check_page()
    from tagger.reporting.page import PageLayer, report_page  # comparing alone needs no jinja2

    systems = Section("systems", "Systems", "All are compared with A.", None, tuple(heading))
    return report_page(
        "Comparison", [PageLayer(name, {}, [systems, *parts]) for name, parts in sections.items()], facts
    )
