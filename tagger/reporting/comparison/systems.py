"""Several systems on the same gold sentences: how their scores differ, and where they disagree.

A system is a model, a group of runs of one recipe with different seeds, or the predictions of another tool. All are
compared with the first. `differences.py` and `disagreements.py` make the parts, `writing.py` writes them;
`running/comparing.py` makes reports from models and files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from tagger.errors import DataError
from tagger.metrics.section import Section
from tagger.reporting.comparison.comparable import check_same_gold, common_layers, warnings_of
from tagger.reporting.comparison.differences import Side, score_section, type_section
from tagger.reporting.comparison.disagreements import mistake_section, sentence_section
from tagger.reporting.comparison.writing import SUFFIXES, markdown_of, page_of, text_of
from tagger.reporting.output import check_path, to_json, write_text
from tagger.reporting.report import Report


@dataclass(frozen=True, slots=True)
class System:
    """What is compared.

    Args:
        name: What it is called, such as the path of a model.
        reports: The report of each of its runs; one, if it is not a group.
        source: What the reports were made from, in words.
    """

    name: str
    reports: tuple[Report, ...]
    source: str = "report"


@dataclass(frozen=True)
class SystemComparison:
    """The comparison of systems with the first of them.

    Args:
        systems: At least two systems with reports on the same gold sentences.
        seed: Seed of the resampling.

    Raises:
        ValueError: There are fewer than two systems, or a system has no report.
        DataError: The gold sentences differ, there is no common layer, or some systems have one run and others several.
    """

    systems: tuple[System, ...]
    seed: int = 1

    def __post_init__(self) -> None:
        if len(self.systems) < 2 or not all(system.reports for system in self.systems):
            raise ValueError("there must be at least two systems to compare, each with at least one report")
        self._check_runs()
        first = self._reports[0]
        for name in common_layers(self._reports):
            for letter, system in self.letters.items():
                own, *others = system.reports
                for report in others:
                    check_same_gold((letter, letter), own.layers[name], report.layers[name])
                if system is not self.systems[0]:
                    check_same_gold((self._called[0], letter), first.layers[name], own.layers[name])

    def _check_runs(self) -> None:
        """Raise if single runs would be compared with groups: the variance of seeds needs two runs on each side."""
        numbers = {letter: len(system.reports) for letter, system in self.letters.items()}
        if min(numbers.values()) == 1 < max(numbers.values()):
            shown = ", ".join(f"{letter} {number}" for letter, number in numbers.items())
            raise DataError(
                f"systems must all have one run, or all at least two; their numbers of runs are: {shown}. Compare one "
                "run of each, or train more seeds"
            )

    @property
    def letters(self) -> Mapping[str, System]:
        """The systems by their short names in tables: A, B, C and so on."""
        names = [*ascii_uppercase, *(f"S{i}" for i in range(27, len(self.systems) + 1))]
        return dict(zip(names, self.systems, strict=False))

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Why the scores are not comparable, or not entirely; empty if they are."""
        return tuple(warnings_of(self._called, self._reports))

    @property
    def notes(self) -> list[str]:
        """What was noted when the files of reports were read, after the names of the systems that it concerns."""
        found: dict[str, dict[str, None]] = {}
        for name, report in zip(self._called, self._reports, strict=True):
            notes = report.extra.get("notes")
            for note in notes if isinstance(notes, list) and "split" not in report.extra else ():  # else of training
                found.setdefault(str(note), {})[name] = None
        return [f"{', '.join(names)}: {note}" for note, names in found.items()]

    @cached_property
    def sections(self) -> Mapping[str, list[Section]]:
        """What the comparison says about each layer that all systems have."""
        return {name: self._sections_of(name) for name in common_layers(self._reports)}

    def _sections_of(self, layer: str) -> list[Section]:
        sides = [
            Side(letter, tuple([report.layers[layer] for report in system.reports]))
            for letter, system in self.letters.items()
        ]
        found = [score_section(sides, self.seed)]
        if len(sides) > 2:
            return found
        one, two = sides
        found.append(type_section(one, two, self.seed))
        if len(one.runs) == len(two.runs) == 1:
            found += [
                make((one.name, two.name), one.runs[0], two.runs[0]) for make in (sentence_section, mistake_section)
            ]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values: `{"systems": {...}, "warnings": [...], "scores": {layer: {...}}}`."""
        systems = {
            letter: {
                "name": system.name,
                "source": system.source,
                "signatures": [report.signature.to_dict() for report in system.reports],
            }
            for letter, system in self.letters.items()
        }
        scores = {name: {part.key: part.data for part in parts} for name, parts in self.sections.items()}
        return {"systems": systems, "warnings": list(self.warnings), "scores": scores}

    def to_text(self, *, details: bool = False) -> str:
        """Return the comparison as plain text: the systems, then the parts of each layer.

        Args:
            details: Whether to write all tables; otherwise only the most important figures.
        """
        return text_of(self._heading, self.sections, details=details)

    def to_markdown(self) -> str:
        """Return the comparison as Markdown, with all tables."""
        return markdown_of(self._heading, self.sections)

    def to_html(self) -> str:
        """Return the comparison as a page that loads nothing from elsewhere.

        Raises:
            MissingExtraError: jinja2 is not installed.
        """
        named = enumerate(zip(self._called, self._reports, strict=True), 1)
        facts = {f"{number}: {name}": report.signature.to_dict() for number, (name, report) in named}
        return page_of(self._heading, self.sections, facts)

    def save(self, path: str | Path) -> None:
        """Write the comparison to a file, according to the suffix of its name: `.json`, `.html`, `.md` or `.txt`.

        Raises:
            RecipeError: The name has another suffix.
            MissingExtraError: It is a page, and jinja2 is not installed.
            DataError: The file cannot be written.
        """
        check_path(Path(path), SUFFIXES)
        match Path(path).suffix.lower():
            case ".json":
                text = to_json(self.to_dict())
            case ".html":
                text = self.to_html()
            case ".md":
                text = self.to_markdown()
            case _:
                text = self.to_text(details=True)
        write_text(Path(path), text)

    @property
    def _heading(self) -> list[str]:
        """The systems, and what makes them incomparable."""
        systems = [f"{letter}: {system.name} ({system.source})" for letter, system in self.letters.items()]
        return [*systems, *(f"warning: {warning}" for warning in self.warnings)]

    @property
    def _reports(self) -> list[Report]:
        return [report for system in self.systems for report in system.reports]

    @property
    def _called(self) -> list[str]:
        """How messages call each report."""
        return [letter for letter, system in self.letters.items() for _ in system.reports]
