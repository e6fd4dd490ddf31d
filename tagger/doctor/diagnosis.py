"""The result of a check: counts, errors and warnings, also as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tagger.doctor.findings import Finding
from tagger.text.schemes import Scheme


@dataclass(frozen=True, slots=True)
class Counts:
    """The contents of a split.

    Args:
        documents: Number of documents that the files mark.
        sentences: Number of sentences.
        tokens: Number of tokens.
        types: Number of distinct tokens.
        entities: Layer → type → number, for layers with a scheme.
        labels: Layer → tag or label → number, for the others.
        longest: Number of tokens of the longest sentence.
        longest_place: Its position.
    """

    documents: int
    sentences: int
    tokens: int
    types: int
    entities: Mapping[str, Mapping[str, int]]
    labels: Mapping[str, Mapping[str, int]]
    longest: int
    longest_place: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of a check.

    Args:
        splits: The contents of each split.
        schemes: The scheme of each tag layer; None for tags without spans.
        errors: The first thousand errors of each kind.
        warnings: The first thousand warnings of each kind.
        error_counts: The number of errors of each kind.
        warning_counts: The number of warnings of each kind.
        overlaps: `test in train` → number of sentences, identical (`leak`) and ignoring case and digits (`near_leak`).
        format: The format of the files; None for a corpus or dataset.
        columns: The names of their columns.
        files: The files of each split and their encodings.
        notes: What was detected or decided, one sentence each.
    """

    splits: Mapping[str, Counts]
    schemes: Mapping[str, Scheme | None]
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    error_counts: Mapping[str, int]
    warning_counts: Mapping[str, int]
    overlaps: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    format: str | None = None
    columns: tuple[str, ...] | None = None
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether there are no errors."""
        return not self.error_counts

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as JSON values."""
        names = Counts.__slots__
        return {
            "format": self.format,
            "columns": list(self.columns) if self.columns else None,
            "schemes": dict(self.schemes),
            "files": {split: dict(files) for split, files in self.files.items()},
            "notes": list(self.notes),
            "splits": {split: {name: getattr(c, name) for name in names} for split, c in self.splits.items()},
            "overlaps": {pair: dict(counts) for pair, counts in self.overlaps.items()},
            "error_counts": dict(self.error_counts),
            "errors": [finding.to_dict() for finding in self.errors],
            "warning_counts": dict(self.warning_counts),
            "warnings": [finding.to_dict() for finding in self.warnings],
        }
