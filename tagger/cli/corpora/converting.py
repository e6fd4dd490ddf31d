"""Files for `tagger convert`: standard input and output, and an output that is complete or unchanged.

The name of the output says whether it is packed by gzip or zstd.
"""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from tagger.cli.progress import Meter
from tagger.conversion.convert import convert
from tagger.conversion.options import Conversion
from tagger.errors import DataError
from tagger.files.packing import Packed, packing_of_name
from tagger.files.reading import comes_once, raw_lines
from tagger.files.signals import ended_in_order
from tagger.files.writing import kept, passed_on, replaced
from tagger.wording import visible


def convert_file(source: str, output: str, wanted: Conversion) -> None:
    """Convert a file or standard input (`-`) to a file or standard output (`-`); report it on standard error."""
    where = "standard input" if source == "-" else source
    found: set[tuple[int, ...]] = set()
    once = source == "-" or comes_once(Path(source))
    with ExitStack() as stack:
        stack.enter_context(ended_in_order())
        meter = stack.enter_context(Meter("lines read"))
        path = stack.enter_context(kept(_opened(source, stack))) if once else Path(source)
        stream: BinaryIO = stack.enter_context(
            passed_on(sys.stdout.buffer) if output == "-" else replaced(Path(output))
        )
        if packing := packing_of_name(output):
            stream = stack.enter_context(Packed(stream, packing, output))  # type: ignore[assignment]

        def lines() -> Iterable[bytes]:
            _refuse_change(path, found)
            return meter.counting(raw_lines(path, else_standard_input=True))

        said = convert(lines, stream.write, wanted, where=where, path=None if once else path)
    sys.stderr.write(f"{visible(f'{where}: {said}')}\n")


def _opened(source: str, stack: ExitStack) -> BinaryIO:
    """Return standard input, or a pipe that the shell has opened."""
    return sys.stdin.buffer if source == "-" else stack.enter_context(Path(source).open("rb"))


def _refuse_change(path: Path, found: set[tuple[int, ...]]) -> None:
    """Refuse a file whose inode, size or time differs from the pass before.

    Raises:
        DataError: It has changed.
    """
    try:
        now = path.stat()
    except (OSError, ValueError):
        return  # the reader reports it
    found.add((now.st_ino, now.st_size, now.st_mtime_ns))
    if len(found) > 1:
        raise DataError(f"{path}: the file must not change while it is read, but did; read it when it is complete")
