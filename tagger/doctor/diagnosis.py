"""What an audit says of a corpus: counts, errors and warnings, for people and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tagger.doctor.findings import Finding
from tagger.text.schemes import Scheme


@dataclass(frozen=True, slots=True)
class Counts:
    """What a split holds.

    Args:
        documents: Documents that the files mark.
        sentences: Sentences.
        tokens: Tokens.
        types: Distinct tokens.
        entities: Layer → type → how many, for layers with a scheme.
        labels: Layer → tag or label → how many, for the others.
        longest: Tokens of the longest sentence.
        longest_place: Where it stands.
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
    """What an audit found.

    Args:
        splits: What each split holds.
        schemes: The scheme of each tag layer; None for tags without spans.
        errors: The first thousand errors of each kind.
        warnings: The first thousand warnings of each kind.
        error_counts: How many errors there are of each kind.
        warning_counts: How many warnings there are of each kind.
        overlaps: `test in train` → how many sentences, as they are (`leak`) and but for case and digits (`near_leak`).
        format: The format of the files; None for a corpus or dataset.
        columns: What stands in their columns.
        files: The files of each split and their encodings.
        notes: What was found out or decided, a sentence each.
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
        """Whether nothing is an error."""
        return not self.error_counts

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as JSON has it."""
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
