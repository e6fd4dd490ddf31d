"""What can go wrong because of what a user gave.

    TaggerError
    ├── DataError           a file, a dataset or a text
    ├── RecipeError         a recipe or a `--set` value
    ├── ModelError          a model folder, or what was asked of a model
    └── MissingExtraError   an optional dependency that is not installed

Each message is a sentence: where, what must hold, what was found, what to do. A programmer's wrong argument is a plain
`ValueError` or `TypeError` and not in this tree.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Self, TypeVar

SHOWN = 10
V = TypeVar("V")


class Problems:
    """What is wrong with a file: the first ten sentences and the number of all, however many there are."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def append(self, problem: str) -> None:
        """Count a problem, and keep it if it is one of the first."""
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(problem)

    def __iadd__(self, problems: Iterable[str]) -> Self:
        for problem in problems:
            self.append(problem)
        return self

    def __len__(self) -> int:
        return self.count


class TaggerError(Exception):
    """The root of every error that a user can mend."""

    @classmethod
    def of(cls, problems: Sequence[str] | Problems, noun: str = "such problem") -> Self:
        """One error for all problems of a file: the first ten, a line each, then how many more there are."""
        lines = list(problems.first if isinstance(problems, Problems) else problems[:SHOWN])
        if len(problems) > SHOWN:
            more = len(problems) - SHOWN
            lines.append(f"... and {more} more {noun}{'s' if more > 1 else ''}")
        return cls("\n".join(lines))


class DataError(TaggerError):
    """A file, a dataset or a text does not hold what it must."""


class RecipeError(TaggerError):
    """A recipe or a `--set` value is not as the recipe table says."""


class ModelError(TaggerError):
    """A model folder cannot be read, or the model does not have what was asked of it."""


class MissingExtraError(TaggerError):
    """An optional dependency is not installed."""


def gather(calls: Iterable[Callable[[], V]]) -> list[V]:
    """What each call returns, such as the reading of each file.

    Raises:
        DataError: Some of them raise it; all are called, and each of the first ten errors stands in it whole.
    """
    found: list[V] = []
    errors: dict[str, None] = {}  # the same file may be read twice
    for call in calls:
        try:
            found.append(call())
        except DataError as error:
            errors[str(error)] = None
    if errors:
        raise DataError.of(list(errors), "such file")
    return found
