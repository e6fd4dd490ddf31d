"""Parsers of the scripts' options, which refuse invalid values before any work is done, and output of results."""

import json
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tagger import TaggerError
from tagger.plots import check_path

MOST_THREADS = 1024
MOST_SEED = 2**63 - 1
MOST_RUNS = 1000


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a parser of whole numbers from `least` to `most`."""
    allowed = f"of at least {least}" if most is None else f"from {least} to {most}"

    def read(text: str) -> int:
        with suppress(ValueError):
            number = int(text)
            if least <= number and (most is None or number <= most):
                return number
        raise ArgumentTypeError(f"must be a whole number {allowed}, got {text!r}")

    return read


def different_seeds(text: str) -> list[int]:
    """Return the seeds in a list separated by commas, which must be different."""
    names = text.split(",")
    found = {int(name) for name in names if name.isascii() and name.isdecimal() and len(name) < 20}
    if len(found) < len(names) or max(found) > MOST_SEED:
        raise ArgumentTypeError(f"must be different whole numbers from 0, separated by commas, got {text!r}")
    return [int(name) for name in names]


def seeds_or_number(text: str) -> list[int]:
    """Return the seeds in a list separated by commas; a single number N above 1 stands for the seeds 1 to N."""
    seeds = different_seeds(text)
    if len(seeds) > 1 or seeds[0] < 2:
        return seeds
    return list(range(1, whole_number(1, MOST_RUNS)(text) + 1))


def existing_folder(text: str) -> Path:
    """Return the path of an existing folder."""
    if not text or not Path(text).is_dir():
        raise ArgumentTypeError(f"must be an existing folder, got {text!r}")
    return Path(text)


def writable_file(text: str) -> Path:
    """Return the path of a file that can be written. The file is not changed."""
    path = Path(text)
    try:
        if path.is_dir():
            raise ArgumentTypeError(f"{path}: expected a file to write, got a folder; name a file in it")
        new = not path.exists()
        path.open("ab").close()
        if new:
            path.unlink()
    except OSError as error:
        raise ArgumentTypeError(f"{path}: the file cannot be written: {error.strerror}") from None
    return path


def picture_file(text: str) -> Path:
    """Return the path of a file that can hold a chart."""
    try:
        check_path(Path(text), chart=True)
    except TaggerError as error:
        raise ArgumentTypeError(str(error)) from None
    return writable_file(text)


def with_places(options: Namespace, name: str) -> Namespace:
    """Return the options of a script that trains a recipe, with the defaults of `output` and `data` filled in."""
    options.output = options.output or Path("runs") / f"{name}-{options.recipe.stem}"
    options.data = options.data or options.recipe.parent
    return options


def write_json(path: Path, figures: Any) -> None:
    """Write figures to a file as JSON."""
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def run_script(main: Callable[[], None]) -> None:
    """Run a script. A mistake of the user ends it with one sentence, an interruption with one word."""
    try:
        main()
    except TaggerError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        raise SystemExit(130) from None
