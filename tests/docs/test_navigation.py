"""Each page of the documentation can be found in its navigation."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_navigation_has_each_page_once() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r"^ +- [^:]+: (\S+\.md)$", text, re.MULTILINE)
    copied = ["contributing.md", "index.md"]  # from the root of the repository, when the pages are built
    assert sorted(named) == sorted(copied + [path.name for path in (ROOT / "docs").glob("*.md")])
