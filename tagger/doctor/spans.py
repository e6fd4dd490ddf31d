"""Texts with entities as character spans in an audit: what fits is read, and everything that does not is an error.

An entity that training would refuse is noted with its cause and left out of the counts.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.doctor.findings import Findings
from tagger.errors import DataError
from tagger.formats.detection import split_of
from tagger.formats.standoff.alignment import Misfit
from tagger.formats.standoff.annotation_tools import collect_spanned, unread_keys
from tagger.formats.standoff.brat import collect_brat, is_brat
from tagger.formats.standoff.sentences import Tally, check_scheme
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence

PLACE = re.compile(r"(?s)(.+?:[0-9]+): (.*)")


@dataclass
class SpanTally(Tally):
    """A tally that notes each entity that does not fit as an error of kind `span`; `scheme` is that of the tags."""

    errors: Findings = field(default_factory=Findings)
    scheme: Scheme | None = None

    def refuse(self, misfit: Misfit, text: str) -> None:
        """Note a misfit with its text, its type and its cause."""
        entity, cause, _ = misfit
        place, item = _located(f"{entity.place}: ")
        found = text[max(0, entity.start) : max(0, entity.end)]
        values = {"text": found, "type": entity.type, "start": entity.start, "end": entity.end, "cause": cause}
        self.errors.add("span", place, item + self.said_of(misfit, text), **values)


def scan_spanned(lines: Sequence[str], tally: SpanTally, where: str) -> list[Sentence]:
    """The sentences of the lines of a file of texts with character spans.

    Raises:
        DataError: The scheme of the tally is none for character spans.
    """
    config = ReadingConfig(format="jsonl", scheme=tally.scheme)
    check_scheme(config, where)

    def collect(problems: list[str]) -> list[Sentence]:
        sentences = collect_spanned(lines, config, tally, problems, where=where)
        tally.keys.unread.update(unread_keys(lines, ()))
        return sentences

    return _noted(collect, tally, where)


def scan_brat(path: Path, tally: SpanTally) -> list[Sentence]:
    """The sentences of a text with its annotations beside it, or of a folder of such.

    Raises:
        DataError: The scheme of the tally is none for character spans.
    """
    config = ReadingConfig(format="brat", scheme=tally.scheme)
    check_scheme(config, str(path))
    return _noted(lambda problems: collect_brat(path, config, tally, problems), tally, str(path))


def _noted(collect: Callable[[list[str]], list[Sentence]], tally: SpanTally, where: str) -> list[Sentence]:
    """What is collected; the problems that are told, and those of the tally, are noted as errors of form."""
    problems: list[str] = []
    sentences: list[Sentence] = []
    try:
        sentences = collect(problems)
    except DataError as error:
        problems.append(str(error))
    problems, tally.problems = problems + tally.problems, []
    for problem in "\n".join(problems).split("\n") if problems else ():
        place, message = _located(problem)
        tally.errors.add("form", place or f"{where}:1", message.removeprefix(f"{where}: "))
    return sentences


def _located(problem: str) -> tuple[str, str]:
    """Where a problem is, as `file:line`, and what is said of it; no place where it names neither line nor text."""
    if found := PLACE.fullmatch(problem):
        return found[1], found[2]
    file, _, message = problem.partition(": ")
    return (f"{file}:1", message) if file.endswith((".txt", ".ann")) else ("", problem)


def brat_sources(path: Path) -> list[Path]:
    """The folders of brat in a folder: those inside that are named as splits, or itself."""
    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and is_brat(folder)]
    named = any(map(split_of, inside)) and not any(path.glob("*.ann"))
    return inside if named else [path]


def without_annotations(paths: Sequence[Path]) -> list[Path]:
    """The paths, each once, with the text of brat in the place of the annotations beside it."""
    texts = (path.with_suffix(".txt") if path.suffix == ".ann" else path for path in paths)
    return list(dict.fromkeys(text if is_brat(text) else path for text, path in zip(texts, paths, strict=True)))
