"""The files of `tagger convert`: standard input and output, gzip by name, nothing half written."""

import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from tagger.cli.meter import Meter
from tagger.conversion.convert import convert
from tagger.conversion.options import Conversion
from tagger.errors import DataError
from tagger.files.reading import comes_once, raw_lines
from tagger.files.writing import ended_in_order, kept, passed_on, replaced
from tagger.wording import visible


def convert_file(source: str, output: str, wanted: Conversion) -> None:
    """Convert a file or standard input (`-`) to a file or standard output (`-`), and say so on standard error."""
    where = "standard input" if source == "-" else source
    meter, found, passes = Meter(), set[tuple[int, ...]](), set[tuple[int, int]]()
    once = source == "-" or comes_once(Path(source))
    with ExitStack() as stack:
        stack.enter_context(ended_in_order())
        stack.callback(meter.clear)
        path = stack.enter_context(kept(_opened(source, stack))) if once else Path(source)
        stream: BinaryIO = stack.enter_context(
            passed_on(sys.stdout.buffer) if output == "-" else replaced(Path(output))
        )
        if output.endswith(".gz"):
            stream = stack.enter_context(gzip.GzipFile("", "wb", fileobj=stream, mtime=0))  # type: ignore[assignment]
        place = None if once else path

        def lines() -> Iterator[bytes]:
            _refuse_change(path, found)
            return meter.counted(_as_before(raw_lines(path, else_standard_input=True), passes, where))

        said = convert(lines, stream.write, wanted, where=where, path=place)
    sys.stderr.write(f"{visible(f'{where}: {said}')}\n")


def _opened(source: str, stack: ExitStack) -> BinaryIO:
    """Standard input, or a pipe that the shell has opened."""
    return sys.stdin.buffer if source == "-" else stack.enter_context(Path(source).open("rb"))


def _as_before(lines: Iterable[bytes], passes: set[tuple[int, int]], where: str) -> Iterator[bytes]:
    """The lines of a pass, which if it comes to the end must be those of each pass before that did.

    Raises:
        DataError: They are others.
    """
    number, checksum = 0, 0
    for line in lines:
        number, checksum = number + 1, crc32(line, checksum)
        yield line
    passes.add((number, checksum))
    if len(passes) > 1:
        raise DataError(f"{where}: must hold the same each time it is read, but did not; read it when it is complete")


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
