"""The result of a check: counts, errors and warnings, also as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The result of a check.

    Args:
        format: The format of the files; None for a corpus or dataset.
        columns: The names of their columns.
        schemes: The scheme of each tag layer; None for tags without spans.
        files: The files of each split and their encodings.
        notes: What was detected or decided, one sentence each.
        splits: The contents of each split.
        overlaps: `test in train` → number of sentences, identical (`leak`) and ignoring case and digits (`near_leak`).
        error_counts: The number of errors of each kind.
        errors: The first thousand errors of each kind.
        warning_counts: The number of warnings of each kind.
        warnings: The first thousand warnings of each kind.
    """

    format: str | None
    columns: tuple[str, ...] | None
    schemes: Mapping[str, Scheme | None]
    files: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...]
    splits: Mapping[str, Counts]
    overlaps: Mapping[str, Mapping[str, int]]
    error_counts: Mapping[str, int]
    errors: tuple[Finding, ...]
    warning_counts: Mapping[str, int]
    warnings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there are no errors."""
        return not self.error_counts

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as JSON values."""
        findings = {key: [finding.to_dict() for finding in getattr(self, key)] for key in ("errors", "warnings")}
        lists = {"columns": list(self.columns) if self.columns else None, "notes": list(self.notes)}
        return asdict(replace(self, errors=(), warnings=())) | lists | findings
