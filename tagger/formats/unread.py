"""Text formats that are recognised but not read, with what to do with them."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

LINES = 50  # that show a format


class Unread(NamedTuple):
    """A format that is not read: its name, whether the first lines are of it, and what to do."""

    name: str
    test: Callable[[Sequence[str]], object]
    advice: str


def _finds(pattern: str) -> Callable[[Sequence[str]], object]:
    """Return a test of whether the first lines have a pattern."""
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda lines: compiled.match("\n".join(lines[:LINES]).lstrip("\ufeff \t\r\n"))


XML = r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!DOCTYPE[^>]*>\s*)?"
COLUMNS = "convert it to CoNLL columns or CoNLL-U first"
UNREAD = (
    Unread("TIGER XML", _finds(XML + r"<corpus\b.*<(?:head|body|s|subcorpus)\b"), COLUMNS),
    Unread("TEI", _finds(XML + r"<(?:\w+:)?TEI(?:Corpus)?\b"), "convert it to CoNLL columns or plain text first"),
    Unread("XMI of UIMA", _finds(XML + r"<xmi:XMI\b"), "export it as WebAnno TSV 3 from INCEpTION"),
    Unread("FoLiA", _finds(XML + r"<FoLiA\b"), COLUMNS),
    Unread("NAF", _finds(XML + r"<NAF\b"), COLUMNS),
    Unread("GATE XML", _finds(XML + r"<GateDocument\b"), "export it as JSON or columns from GATE"),
    Unread("BioC XML", _finds(XML + r"<collection>.*<document>"), "convert it to brat or PubTator first"),
    Unread("HTML", _finds(r"(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE html|<html\b)"), "save its text in a file first"),
    Unread("XML", _finds(r"<\?xml\b"), "convert it to JSON lines with `text` and `spans`, or to CoNLL columns first"),
)


def refusal(lines: Sequence[str]) -> str | None:
    """Return what a file looks like and what to do, if its format is known and not read."""
    for name, test, advice in UNREAD:
        if test(lines):
            return f"looks like {name}, which tagger does not read; {advice}"
    return None
