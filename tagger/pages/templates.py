"""HTML from templates. Every value is escaped when it is inserted, so no text can become markup."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader


def templates_in(folder: Path) -> Environment:
    """Return the templates of a folder. They may import `base.html`, which is beside this file."""
    folders = (folder, Path(__file__).parent)
    return Environment(loader=FileSystemLoader(folders), autoescape=True, trim_blocks=True, lstrip_blocks=True)
