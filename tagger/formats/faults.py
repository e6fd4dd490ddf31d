"""What is wrong with the lines of a file, and when that becomes an error.

Every reader takes one `Faults` and reports to it. The caller decides what follows: one error after the last line
(`Faults`), an error at the first fault (`FirstFault`), or a list of findings (`tagger check`).
"""

import re

from tagger.errors import DataError, Problems

PLACE = re.compile(r"(?s)(.+?:[0-9]+): (.*)")


class Faults:
    """Collects the faults of a file, to raise them together."""

    def __init__(self) -> None:
        self._problems = Problems()
        self._choices: dict[str, None] = {}

    def add(self, kind: str, place: str, message: str, **values: object) -> None:
        """Report a fault.

        Args:
            kind: One word for it, such as `columns`.
            place: Where it is, as `file:line` or `file:line: item 2`.
            message: What is expected, what was found, and how to fix it.
            values: The same for programs.
        """
        self._problems.append(f"{place}: {message}")

    @property
    def total(self) -> int:
        """The number of faults that were reported."""
        return len(self._problems)

    def advise(self, choice: str) -> None:
        """Name a setting without which the file cannot be read as it is; the error names all of them together."""
        self._choices[choice] = None

    def close(self) -> None:
        """Raise the faults that were reported.

        Raises:
            DataError: There are some.
        """
        if self._problems:
            error = DataError.of(self._problems)
            together = f"\nto read the file as it is, set {' and '.join(self._choices)}"
            raise DataError(f"{error}{together}") if len(self._choices) > 1 else error


class FirstFault(Faults):
    """Raises each fault at once, for streams that are tagged while they are read."""

    def add(self, kind: str, place: str, message: str, **values: object) -> None:
        """Raise a fault.

        Raises:
            DataError: Always.
        """
        raise DataError(f"{place}: {message}")


def split_place(problem: str, file: str) -> tuple[str, str]:
    """Return the `file:line` that a problem starts with and the rest; `file` where it names no line."""
    found = PLACE.fullmatch(problem)
    return (found[1], found[2]) if found else (file, problem.removeprefix(f"{file}: "))
