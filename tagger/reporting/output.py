"""The files of reports, comparisons and audits: which names they may have, and how they are written."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tagger.errors import RecipeError, missing_package
from tagger.files.writing import check_place, replaced


def check_path(path: Path, suffixes: Sequence[str]) -> None:
    """Raise if nothing can be written here under this name; call it before expensive work.

    Args:
        path: The file.
        suffixes: The suffixes that its name may have, at least two.

    Raises:
        RecipeError: The name has another suffix.
        MissingExtraError: The suffix is that of a page, and jinja2 is not installed.
        DataError: The place cannot be written to.
    """
    if path.suffix.lower() not in suffixes:
        choices = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise RecipeError(f"{path}: the name must end in {choices}, got {path.suffix or 'no suffix'}")
    if path.suffix.lower() == ".html":
        check_page()
    check_place(path)


def check_page() -> None:
    """Raise if no page can be made.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_package("a page", error) from None


def write_text(path: Path, text: str) -> None:
    """Write a text to a file, which has all of it or stays as it was.

    Raises:
        DataError: The file cannot be written.
    """
    with replaced(path) as stream:
        stream.write(encoded(text))


def encoded(text: str) -> bytes:
    """Return a text in UTF-8; half a surrogate pair becomes its escape, which in JSON is read as the same."""
    return text.encode(errors="backslashreplace")


def to_json(values: Mapping[str, Any]) -> str:
    """Return the text of a JSON file, with each sentence of a report on a line of its own."""
    others = {key: value for key, value in values.items() if key != "sentences"}
    text = json.dumps(others, indent=2, ensure_ascii=False)
    if "sentences" not in values:
        return f"{text}\n"
    rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in values["sentences"])
    return f'{text.removesuffix("}").rstrip()},\n  "sentences": [\n{rows}\n  ]\n}}\n'
