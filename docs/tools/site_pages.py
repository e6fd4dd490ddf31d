"""Hook of MkDocs: README.md is the home page of the site, and CONTRIBUTING.md is a page.

Both files are in the root of the repository, where GitHub looks for them, and their links start there. Links to files
that are no pages become plain text.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"\[(?P<text>[^]]+)\]\((?P<target>[\w./-]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the two pages."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=LINK.sub(as_page, text)))
    return files


def as_page(link: re.Match[str]) -> str:
    """Return a link from the root of the repository as a link between pages."""
    target = PAGES.get(link["target"], link["target"].removeprefix("docs/"))
    return link["text"] if "/" in target else f"[{link['text']}]({target})"


def on_page_markdown(markdown: str, **_: object) -> str:
    """Let the other pages link to the two."""
    for name, page in PAGES.items():
        markdown = markdown.replace(f"](../{name})", f"]({page})")
    return markdown
