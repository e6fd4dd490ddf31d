"""The exceptions for errors that a user can fix.

    TaggerError
    ├── DataError           a file, a dataset or a text
    ├── RecipeError         a recipe or a `--set` value
    ├── ModelError          a model folder, or a request that the model cannot answer
    └── MissingExtraError   an optional dependency that is not installed

Each message has four parts: where, what is expected, what was found, and how to fix it. A wrong argument in a program
is a plain `ValueError` or `TypeError` instead.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Self, TypeVar

SHOWN = 10  # problems that an error shows; the others are counted
EXTRAS = {
    "anyio": "serve",
    "click": "serve",
    "fastapi": "serve",
    "h11": "serve",
    "jinja2": "plots",
    "kaldi_native_fbank": "audio",
    "markupsafe": "plots",
    "matplotlib": "plots",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "opentelemetry": "serve",
    "prometheus_client": "serve",
    "ray": "ray",
    "soundfile": "audio",
    "starlette": "serve",
    "tokenizers": "transformers",
    "transformers": "transformers",
    "uvicorn": "serve",
}
# What to install for a package that has another name.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "torchcrf": "pytorch-crf", "yaml": "pyyaml"}
V = TypeVar("V")


class Problems:
    """The problems of a file: the first ten messages and the number of all, in bounded memory."""

    def __init__(self, problems: Iterable[str] = ()) -> None:
        self.first: list[str] = []
        self.count = 0
        for problem in problems:
            self.append(problem)

    def append(self, problem: str) -> None:
        """Count a problem, and keep it if it is one of the first."""
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(problem)

    def __len__(self) -> int:
        return self.count


class TaggerError(Exception):
    """Base class of every error that a user can fix."""

    @classmethod
    def of(cls, problems: Sequence[str] | Problems, noun: str = "such problem") -> Self:
        """Return one error for all problems of a file: the first ten, one per line, then the number of the others."""
        lines = list(problems.first if isinstance(problems, Problems) else problems[:SHOWN])
        if len(problems) > SHOWN:
            more = len(problems) - SHOWN
            lines.append(f"... and {more} more {noun}{'s' if more > 1 else ''}")
        return cls("\n".join(lines))


class DataError(TaggerError):
    """A file, a dataset or a text is invalid."""


class RecipeError(TaggerError):
    """A recipe or a `--set` value is invalid."""


class ModelError(TaggerError):
    """A model folder cannot be read, or the model cannot do what was requested."""


class MissingExtraError(TaggerError):
    """An optional dependency is not installed."""


def missing_package(what: str, error: ModuleNotFoundError) -> MissingExtraError:
    """Return the error for a package that tagging does not need, and that is not installed; `what` needs it.

    Raises:
        ModuleNotFoundError: The package is this library.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "tagger"):
        raise error
    advice = f"pip install {DISTRIBUTIONS.get(package, package)}, or install tagger with all its dependencies (README)"
    if package in EXTRAS:
        advice = f"pip install 'tagger-bilstm[{EXTRAS[package]}]'"
    return MissingExtraError(f"{what} needs the package {package}, which is not installed; run {advice}")


def gather(calls: Iterable[Callable[[], V]]) -> list[V]:
    """Return the results of all calls, such as the contents of several files.

    Raises:
        DataError: At least one call raised it. All calls are made, and the first ten errors are joined into one.
    """
    found: list[V] = []
    errors: dict[str, None] = {}  # a dict, because the same file may be read twice and fail twice
    for call in calls:
        try:
            found.append(call())
        except DataError as error:
            errors[str(error)] = None
    if errors:
        raise DataError.of(list(errors), "such file")
    return found
