"""What a conversion is to do."""

from dataclasses import dataclass
from typing import get_args

from tagger.errors import RecipeError
from tagger.formats.table import WRITABLE
from tagger.text.choices import Misaligned, Nested
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Tokenize

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What is to be done to a file, as the options of the command say it.

    Args:
        to: A scheme or a format.
        format: Of the file; detected if left out.
        columns: Of a column file, as in a recipe; detected if left out.
        column: Number or name of the column to change; the last that holds a scheme if left out.
        scheme: Of the file; detected if left out.
        repair: Read invalid sequences by conlleval's rule where they else are an error.
        merge: Let entities that IO cannot tell apart become one.
        labels: Comments (`# intent = x`), or keys of texts with spans, that are read as label layers.
        drop: What may be lost, by name.
        misaligned: What becomes of character spans that are not whole tokens of one sentence.
        nested: Which of two character spans stays where one stands in the other.
        tokenize: How raw text is split into tokens: `words` if left out, or `blanks`.
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
            raise RecipeError(f"{option} does nothing with --to {self.to}; leave it out")
