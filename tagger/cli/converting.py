"""The files of `tagger convert`: standard input and output, gzip by name, nothing half written."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from tagger.cli.meter import Meter
from tagger.data.convert import convert
from tagger.data.files import raw_lines
from tagger.data.staging import kept, passed_on, replaced
from tagger.data.targets import Conversion
from tagger.errors import DataError


def convert_file(source: str, output: str, wanted: Conversion) -> None:
    """Convert a file or standard input (`-`) to a file or standard output (`-`), and say so on standard error."""
    where = "standard input" if source == "-" else source
    meter, found = Meter(), set[tuple[int, ...]]()
    with ExitStack() as stack:
        stack.callback(meter.clear)
        path = stack.enter_context(kept(sys.stdin.buffer)) if source == "-" else Path(source)
        stream: BinaryIO = stack.enter_context(
            passed_on(sys.stdout.buffer) if output == "-" else replaced(Path(output))
        )
        if output.endswith(".gz"):
            stream = stack.enter_context(gzip.GzipFile("", "wb", fileobj=stream, mtime=0))  # type: ignore[assignment]
        place = None if source == "-" else path

        def lines() -> Iterator[bytes]:
            _refuse_change(path, found)
            return meter.counted(raw_lines(path, else_standard_input=True))

        said = convert(lines, stream.write, wanted, where=where, path=place)
    sys.stderr.write(f"{where}: {said}\n")


def _refuse_change(path: Path, found: set[tuple[int, ...]]) -> None:
    """Refuse a file that is another, by what the disk says of it, than in the pass before.

    Raises:
        DataError: It has changed.
    """
    try:
        now = path.stat()
    except (OSError, ValueError):
        return  # told, in its own words, where the file is opened
    found.add((now.st_ino, now.st_size, now.st_mtime_ns))
    if len(found) > 1:
        raise DataError(f"{path}: the file must not change while it is read, but did; read it when it is complete")
