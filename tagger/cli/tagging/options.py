"""The options of `tagger tag`: which of them go together, and what they say of the output."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagger.errors import RecipeError
from tagger.files.packing import packing_of_name, unpacked_name
from tagger.text.choices import InputFormat, OutputFormat, Unit

SUFFIXES: Mapping[str, OutputFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """The options of the command.

    Args:
        input_format: Format of the input; None: by its name.
        columns: The columns of a column file.
        form: How the file is written: the values of `delimiter`, `quote`, `comments`, `header` and `encoding`.
        unit: What a document of plain text is.
        n_best: Number of readings of each tag layer.
        skip: Whether invalid records are reported and skipped.
        format: Format of the output.
        path: File to write; None for standard output.
        fields: The keys of JSON lines; None for all.
        min_score: Spans with a lower score are not written.
        resume: Whether to continue an unfinished output.
        settings: Other options of the command that change what is written, by name.
    """

    input_format: InputFormat | None = None
    columns: str | None = None
    form: Mapping[str, Any] = field(default_factory=dict)
    unit: Unit = "line"
    n_best: int = 0
    skip: bool = False
    format: OutputFormat = "text"
    path: Path | None = None
    fields: tuple[str, ...] | None = None
    min_score: float | None = None
    resume: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse options that have no effect together."""
        if self.n_best and self.format not in ("text", "jsonl"):
            raise RecipeError("--nbest needs --output-format text or jsonl, because others hold only one tag sequence")
        if self.fields and self.format != "jsonl":
            raise RecipeError(f"--fields is for --output-format jsonl, got {self.format}; remove it")
        if self.format == "parquet" and self.path is None:
            raise RecipeError("--output-format parquet needs --output FILE, because it is no text")
        if self.format == "parquet" and self.resume:
            raise RecipeError("--resume is not for --output-format parquet, which is written as a whole; remove it")
        if self.format == "parquet" and self.path is not None and packing_of_name(self.path):
            raise RecipeError(f"--output {self.path}: parquet is packed itself; name a file that ends in .parquet")

    @property
    def facts(self) -> dict[str, Any]:
        """The options that change what is written, by name."""
        own = asdict(self)
        kept = {name: own.pop(name) for name in ("form", "settings")}
        for name in ("path", "skip", "resume"):
            del own[name]
        own = {
            "output-format": own.pop("format"),
            "nbest": own.pop("n_best"),
            **own,
            **kept["form"],
            **kept["settings"],
        }
        return {name.replace("_", "-"): value for name, value in own.items()}


def format_of(path: Path | None) -> OutputFormat:
    """Return the format that the name of an output says; `text` if it says none."""
    return SUFFIXES.get(Path(unpacked_name(path)).suffix.lower(), "text") if path else "text"
