"""Texts with entities as characters, read for an audit: what does not fit is noted and the rest is read.

The readers are those of `brat` and `spanned`; where and how an entity does not fit is theirs to say.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.data.annotated import Tally
from tagger.data.brat import scan_brat
from tagger.data.findings import Findings
from tagger.data.labelled import Tokenize
from tagger.data.sentence import Sentence
from tagger.data.spanned import scan_spanned, tell_unread_keys
from tagger.errors import DataError

PLACE = re.compile(r"(.+?:[0-9]+): (.*)", re.DOTALL)


def audit_brat(path: Path, errors: Findings, tally: Tally, tokenize: Tokenize) -> list[Sentence]:
    """The sentences of a text, or of all texts of a folder, with their annotations."""
    problems: list[str] = []
    try:
        found = scan_brat(path, ReadingConfig(format="brat", tokenize=tokenize), tally, problems)
    except DataError as error:
        problems, found = [*problems, *str(error).split("\n")], []
    _note(problems, tally, errors, str(path))
    return found


def audit_spanned(
    lines: Sequence[str], errors: Findings, tally: Tally, *, where: str, tokenize: Tokenize
) -> list[Sentence]:
    """The sentences of the lines of a file of JSON that has texts with character spans."""
    problems: list[str] = []
    found = scan_spanned(lines, ReadingConfig(format="jsonl", tokenize=tokenize), tally, problems, where=where)
    tell_unread_keys(lines, tally, where=where)
    _note(problems, tally, errors, where)
    return found


def _note(problems: Iterable[str], tally: Tally, errors: Findings, where: str) -> None:
    """Note what is wrong with a file, and with its entities, each at its place."""
    misfits, tally.problems = tally.problems, []
    for kind, found in (("form", problems), ("entity", misfits)):
        for problem in found:
            place, message = placed.groups() if (placed := PLACE.fullmatch(problem)) else (where, problem)
            errors.add(kind, place, message.removeprefix(f"{where}: "))
