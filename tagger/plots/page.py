"""HTML from the template `page.html`. Every value is escaped when it is inserted, so no text can become markup."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from tagger.pages.templates import templates_in

STRONGEST = 0.85  # opacity of the strongest colour behind text, which stays readable on light and dark paper
_TEMPLATES = templates_in(Path(__file__).parent)


def render_html(macro: str, **values: Any) -> Markup:
    """Return a macro of `page.html`, filled with values."""
    rendered: Markup = getattr(_TEMPLATES.get_template("page.html").module, macro)(**values)
    return rendered
