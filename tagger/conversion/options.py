"""The options of a conversion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from tagger.config import ReadingConfig, parse_section
from tagger.errors import RecipeError
from tagger.formats.table import WRITABLE
from tagger.text.choices import Misaligned, Nested
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Segment, Tokenize

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What to do with a file, as the options of `tagger convert` say it.

    Args:
        to: A scheme or a format.
        format: Format of the file. Default: detected.
        columns: Columns of a column file, as in a recipe. Default: detected.
        column: Number or name of the column to change. Default: the last one that holds tags of a scheme.
        scheme: Scheme of the file. Default: detected.
        repair: Whether to read invalid tag sequences as conlleval does; otherwise they are an error.
        merge: Whether to merge entities that IO cannot separate; otherwise they are an error.
        labels: Comments (`# intent = x`), or keys of texts with spans, to read as label layers.
        drop: Names of things that may be lost.
        misaligned: What to do with character spans that do not align with tokens.
        nested: Which of two nested character spans to keep.
        tokenize: How to split raw text into tokens, as in a recipe. Default: `words`.
        language: The language whose rules split it. Default: `en`.
        split_on: Characters that are always tokens of their own.
        segment: How to split raw text into sentences, as in a recipe.
        unknown: Mark of unknown tags in columns, as in a recipe.
        form: How the file is written: `delimiter`, `quote`, `comments`, `header` and `encoding`, as in a recipe.
    """

    to: str
    format: str | None = None
    columns: tuple[str, ...] | None = None
    column: str | None = None
    scheme: Scheme | None = None
    repair: bool = False
    merge: bool = False
    labels: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    misaligned: Misaligned = "error"
    nested: Nested = "error"
    tokenize: Tokenize | None = None
    language: str | None = None
    split_on: str | None = None
    segment: Segment | None = None
    unknown: str | None = None
    form: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = (*SCHEMES, *WRITABLE)
        if self.to not in known:
            raise RecipeError(f"--to must be one of {', '.join(known)}, got {self.to!r}")
        to_scheme = self.to in SCHEMES
        idle = {
            "--column": self.column is not None and not to_scheme,
            "--merge": self.merge and self.to != "io",
            "--drop": bool(self.drop) and to_scheme,
            "--labels": bool(self.labels) and to_scheme,
        }
        for option in (name for name, given in idle.items() if given):
            raise RecipeError(f"{option} does nothing with --to {self.to}; remove it")

    @property
    def reading(self) -> ReadingConfig:
        """Return how the file is written.

        Raises:
            RecipeError: A value of `form` is wrong.
        """
        return parse_section(ReadingConfig, {"format": "conll", **self.form}, where="convert")

    @property
    def splitting(self) -> dict[str, str]:
        """Return the keys of a recipe that say how to split raw text, as far as they are given."""
        given = {
            "tokenize": self.tokenize,
            "language": self.language,
            "split_on": self.split_on,
            "segment": self.segment,
        }
        return {key: value for key, value in given.items() if value is not None}
