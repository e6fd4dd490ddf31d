"""Add the rules of the installed spaCy to those that a model may have without being trusted.

    python docs/tools/list_word_tables.py

A model has the rules of its language as data: patterns, which take forever on some texts if they are made for it. So
`tagger.load` runs those of released versions of spaCy, whose SHA-256 is in `tagger/text/word_tables.sha256`.
"""

from pathlib import Path

from tagger.text import word_tables
from tagger.text.word_tables import LANGUAGES, installed_table, source_name

PATH = Path(word_tables.__file__).with_suffix(".sha256")


def lines(content: str) -> list[str]:
    """Return the lines of the file with those of the installed spaCy: a SHA-256, name and version, and languages."""
    languages: dict[str, list[str]] = {}
    for language in LANGUAGES:
        languages.setdefault(installed_table(language).sha256, []).append(language)
    before = [line for line in content.splitlines() if line.split()[0] not in languages]
    return [*before, *(f"{sha256} {source_name()} {' '.join(names)}" for sha256, names in languages.items())]


if __name__ == "__main__":
    found = PATH.read_text(encoding="ascii") if PATH.exists() else ""
    PATH.write_text("".join(f"{line}\n" for line in lines(found)), encoding="ascii")
