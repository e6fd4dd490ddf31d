"""Tables as text, Markdown and LaTeX."""

from tagger.metrics.section import Table
from tagger.reporting.tables import latex_lines, markdown_lines

ODD = Table(("a_b", "50 %"), (("{x} & y", 0.5), ("~^\\#$", None), ("a|b <c>", 2)), "a title")


def test_latex_shows_every_character_as_itself_and_undefined_figures_as_dashes() -> None:
    assert latex_lines(ODD) == [
        "% a title",
        "\\begin{tabular}{lr}",
        "\\toprule",
        "a\\_b & 50 \\% \\\\",
        "\\midrule",
        "\\{x\\} \\& y & 0.5000 \\\\",
        "\\textasciitilde{}\\textasciicircum{}\\textbackslash{}\\#\\$ & -- \\\\",
        "a\\textbar{}b \\textless{}c\\textgreater{} & 2 \\\\",
        "\\bottomrule",
        "\\end{tabular}",
    ]


def test_markdown_shows_characters_with_a_meaning_of_their_own_as_themselves() -> None:
    table = Table(("tag",), (("a|b\\|c",), ("<b>*x* `y`",)))
    assert markdown_lines(table)[2:] == ["| a\\|b\\\\\\|c |", "| \\<b>\\*x\\* \\`y\\` |"]
