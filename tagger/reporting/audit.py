"""The result of an audit: the likely label errors of a training set, as text and as JSON lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagger.analysis.suspect_list import kinds_of, summary_lines, suspect_line
from tagger.analysis.suspects import Suspects
from tagger.reporting.output import check_path, write_text
from tagger.wording import counted, visible

SUFFIXES = (".jsonl", ".txt")


@dataclass(frozen=True)
class Audit:
    """The likely label errors of a training set.

    Args:
        suspects: For each layer, where the models disagree with gold, and how many of these places are likely errors.
        sentences: Number of train sentences that were compared.
        folds: Number of folds.
        seed: Seed of the folds and of the trainings.
        left_out: Number of sentences of dev and test, which are not compared, by split.
        notes: What was ignored or not compared, and whether the models learned too little, one sentence each.
    """

    suspects: Mapping[str, Suspects]
    sentences: int
    folds: int
    seed: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON values, with the likely errors of each layer under `suspects`, likeliest first."""
        return {
            "sentences": self.sentences,
            "left_out": dict(self.left_out),
            "folds": self.folds,
            "seed": self.seed,
            "notes": list(self.notes),
            "layers": {
                name: {
                    f"gold_{found.noun}": found.total,
                    "f1" if found.noun == "entity" else "accuracy": found.score,
                    "disagreements": len(found.ranked),
                    "number": found.number,
                    "kinds": dict(kinds_of(found)),
                }
                for name, found in self.suspects.items()
            },
            "suspects": {name: [each.to_dict() for each in found.likely] for name, found in self.suspects.items()},
        }

    def summary(self) -> str:
        """Return what was compared, and the score and likely errors of each layer, as plain text."""
        rest = " and ".join(f"{number} {split}" for split, number in self.left_out.items())
        first = f"{counted(self.sentences, 'train sentence')} compared{rest and f'; not compared: {rest}'}"
        lines = [first, *(line for found in self.suspects.values() for line in summary_lines(found))]
        return "".join(f"{visible(line)}\n" for line in lines)

    def to_text(self) -> str:
        """Return the summary, and all likely errors in context, likeliest first, as plain text."""
        lines = [suspect_line(each.to_dict()) for found in self.suspects.values() for each in found.likely]
        return self.summary() + "".join(f"{visible(line)}\n" for line in lines)

    def save(self, path: str | Path) -> None:
        """Write all likely errors to a file: `.jsonl` has one object per line, `.txt` is `to_text`.

        Raises:
            RecipeError: The name has another suffix.
            DataError: The file cannot be written.
        """
        check_path(Path(path), SUFFIXES)
        likely = [each.to_dict() for found in self.suspects.values() for each in found.likely]
        lines = "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in likely)
        write_text(Path(path), lines if Path(path).suffix.lower() == ".jsonl" else self.to_text())
