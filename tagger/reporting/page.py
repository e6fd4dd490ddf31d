"""A report as a self-contained page: cards with the headlines, tables, curves, and mistakes that can be filtered.

The page is made of the same sections as the text and the JSON form of a report. `page.html` is its template; what is
here turns sections into what the template inserts.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from tagger.analysis.listing import LISTED
from tagger.metrics.rates import COLUMNS as RATES
from tagger.metrics.section import Cell, Section, Table
from tagger.pages.templates import templates_in
from tagger.reporting.drawing import draw
from tagger.reporting.filterable import filterable
from tagger.reporting.tables import cell_text
from tagger.wording import visible

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LONG = 24  # characters of a cell that may have several lines, so that the cells after it stay on the screen
TEMPLATES = templates_in(Path(__file__).parent)
SHARES = {
    "f1": "F1",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "macro_f1": "macro F1",
    "sentence_accuracy": "whole sentences right",
}
NUMBERS = {
    "gold_entities": "gold entities",
    "predicted_entities": "predicted entities",
    "tokens": "tokens",
    "sentences": "sentences",
}
SCRIPT = """
for (const filter of document.querySelectorAll(".filter")) {
  const items = [...filter.nextElementSibling.children];
  filter.addEventListener("change", () => {
    const [kind, type] = [...filter.querySelectorAll("select")].map((choice) => choice.value);
    let shown = 0;
    for (const item of items) {
      const fits = (!kind || item.dataset.kind === kind) && (!type || item.dataset.types.split(" ").includes(type));
      item.hidden = !fits;
      shown += fits;
    }
    filter.querySelector(".shown").textContent = shown;
  });
}
"""


@dataclass(frozen=True, slots=True)
class PageLayer:
    """A layer as a page shows it.

    Args:
        name: The name of the layer.
        scores: Its scores as JSON values.
        sections: What else the report says about it.
    """

    name: str
    scores: Mapping[str, Any]
    sections: Sequence[Section]


def report_page(title: str, layers: Iterable[PageLayer], facts: Mapping[str, object]) -> str:
    """Return the page of a report.

    Args:
        title: Its heading.
        layers: The layers of the report.
        facts: What the scores were computed from, by name; a mapping or a list is written on several lines.
    """
    template: Any = TEMPLATES.get_template("page.html").module
    return str(
        template.page(
            title=visible(title),
            layers=[_layer(layer) for layer in layers],
            signature=[(name, line) for name, value in facts.items() for line in _lines_of(value)],
            script=Markup(SCRIPT),
            script_hash=b64encode(sha256(SCRIPT.encode()).digest()).decode(),
        )
    )


def _lines_of(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}: {', '.join(_lines_of(one))}" for name, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    return [] if value is None else [str(value)]


def _layer(layer: PageLayer) -> dict[str, Any]:
    return {
        "name": visible(layer.name),
        "cards": list(_cards(layer)),
        "rates": _table(_rates(layer.scores)),
        "sections": [_section(section) for section in layer.sections],
    }


def _cards(layer: PageLayer) -> Iterable[dict[str, str]]:
    """Yield the figures at the top; the first is the headline, with its interval."""
    shares = [(label, layer.scores[key]) for key, label in SHARES.items() if isinstance(layer.scores.get(key), float)]
    between = next((section.data for section in layer.sections if section.key == "interval" and section.data), None)
    for number, (label, value) in enumerate(shares):
        rest = f"{between['low']:.4f} to {between['high']:.4f}" if between and not number else ""
        yield {"name": label, "value": f"{value:.4f}", "rest": rest}
    for key, label in NUMBERS.items():
        if isinstance(layer.scores.get(key), int):
            yield {"name": label, "value": f"{layer.scores[key]:,}", "rest": ""}


def _rates(scores: Mapping[str, Any]) -> Table:
    """Return precision, recall and F1 of each type, tag or class, and their averages."""
    noun = next((noun for noun in ("types", "tags", "classes") if isinstance(scores.get(noun), Mapping)), None)
    rows: list[tuple[Cell, ...]] = []
    if noun is not None:
        rows += [(name, *(found[column] for column in RATES)) for name, found in scores[noun].items()]
        averages = [(name, scores[name]) for name in ("macro", "weighted") if isinstance(scores.get(name), Mapping)]
        rows += [(f"{name} average", *(found[column] for column in RATES[:3]), None) for name, found in averages]
    return Table((noun or "", *RATES), tuple(rows), f"scores of {noun}")


def _section(section: Section) -> dict[str, Any]:
    listed = section.data.get("list") if section.key == "errors" else None
    tables = [table for table in section.tables if listed is None or table.title != LISTED]
    lines = () if tables or section.curves or listed else section.brief
    return {
        "key": section.key,
        "title": section.title,
        "note": "" if any(section.note in line for line in lines) else _coded(section.note),
        "lines": list(map(_coded, lines)),
        "tables": [_table(table) for table in tables],
        "curves": [draw(curve) for curve in section.curves],
        "mistakes": filterable(listed) if listed else None,
    }


def _coded(text: str) -> Markup:
    """Return escaped text with what stands between backticks as code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(visible(text)))))


def _table(table: Table) -> dict[str, Any]:
    """Return the cells of a table as text. Shades are shares of the sum of a row: how a gold value was predicted."""
    rows = []
    for name, *cells in table.rows:
        total = sum(cell for cell in cells if isinstance(cell, (int, float))) if table.shaded else 0
        shaded = [_cell(cell, total, str(name), column) for cell, column in zip(cells, table.columns[1:], strict=True)]
        rows.append([{"text": visible(cell_text(name))}, *shaded])
    return {"columns": list(map(visible, table.columns)), "rows": rows, "title": table.title, "shaded": table.shaded}


def _cell(cell: Cell, total: float, row: str, column: str) -> dict[str, Any]:
    found: dict[str, Any] = {"text": visible(cell_text(cell))}
    if isinstance(cell, str) and len(cell) > LONG:
        found["kind"] = "long"
    if total and isinstance(cell, (int, float)):
        found["text"] = found["text"] if cell else "·"
        found["kind"] = " ".join(["equal"] * (row == column) + ["zero"] * (not cell))
        found["weight"] = f"{0.6 * (cell / total) ** 0.5:.2f}" if cell else ""
        found["title"] = visible(f"{row} → {column}: {cell_text(cell)}, {cell / total:.1%} of the row")
    return found
