"""Tables as lines of text, of Markdown and of LaTeX."""

import re
from collections.abc import Iterable

from tagger.metrics.section import Cell, Table
from tagger.wording import table_lines

MARKDOWN = re.compile(r"[\\|<*`]")  # with a meaning of their own in a cell
LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "\\": "\\textbackslash{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    "±": "$\\pm$",
}


def text_lines(table: Table) -> list[str]:
    """Return a table as lines of text: its title, if it has one, then its rows."""
    rows = [[cell_text(cell) for cell in row] for row in table.rows]
    return [*([table.title] if table.title else []), *table_lines([table.columns, None, *rows])]


def markdown_lines(table: Table) -> list[str]:
    """Return a table as lines of Markdown: its title, if it has one, then its rows; figures are on the right."""
    rule = ["---:" if right else "---" for right in _on_the_right(table)]
    rows = [table.columns, rule, *([cell_text(cell, "") for cell in row] for row in table.rows)]
    return [*([f"{table.title}:", ""] if table.title else []), *(_markdown_row(row) for row in rows)]


def latex_lines(table: Table) -> list[str]:
    """Return a table as lines of LaTeX, for the package `booktabs`; its title is a comment."""
    sides = "".join("r" if right else "l" for right in _on_the_right(table))
    rows = [_latex_row(cell_text(cell, "--") for cell in row) for row in table.rows]
    return [
        *(f"% {line}" for line in table.title.splitlines()),
        f"\\begin{{tabular}}{{{sides}}}",
        "\\toprule",
        _latex_row(table.columns),
        "\\midrule",
        *rows,
        "\\bottomrule",
        "\\end{tabular}",
    ]


def _on_the_right(table: Table) -> list[bool]:
    """Return which columns have figures alone."""
    figures = [all(not isinstance(cell, str) for cell in cells) for cells in zip(*table.rows, strict=True)]
    return figures or [False] * len(table.columns)


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(escaped(cell) for cell in cells) + " \\\\"


def escaped(text: str) -> str:
    """Return a text for LaTeX, in which characters with a meaning of their own are written as themselves."""
    return " ".join("".join(LATEX.get(char, char) for char in text).split())


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(MARKDOWN.sub(r"\\\g<0>", cell).split()) for cell in cells) + " |"


def cell_text(cell: Cell, undefined: str = "-") -> str:
    """Return a cell as text; `undefined` stands for None."""
    return undefined if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell)
