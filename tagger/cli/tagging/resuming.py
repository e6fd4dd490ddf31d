"""The output of `tagger tag`: standard output, or a file that is there when it is complete and that can be continued.

`Target.mark` is called when the output so far is whole. A run that is stopped after it leaves an unfinished output,
which the same command with `--resume` continues; `files/journal.py` says how it is kept.
"""

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from tagger.errors import RecipeError
from tagger.files.journal import Continued, continued
from tagger.files.packing import Packed, packing_of_name
from tagger.files.reading import comes_once
from tagger.files.signals import ended_in_order
from tagger.files.writing import replaced
from tagger.tagging import Tagger
from tagger.wording import counted, visible

HASHED = 1_000_000  # bytes at the start of an input that are compared, beside its size and time

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write.

    Args:
        stream: Takes the text.
        state: Where the run that is continued was, as it was marked; None for a new output.
        mark: Says that the output so far is whole, and where the run is.
    """

    stream: TextIO
    state: State | None = None
    mark: Callable[[State], None] = lambda state: None


def can_continue(file: str, path: Path | None) -> bool:
    """Whether a later run can continue an output: both are files, and the input can be read again."""
    if path is None or file == "-" or comes_once(Path(file)):
        return False
    return path.is_file() or not path.exists()


def check_resume(file: str, path: Path | None) -> None:
    """Refuse `--resume` where there is nothing that a run can continue.

    Raises:
        RecipeError: There is no output file, or the input comes once.
    """
    if path is None:
        raise RecipeError("--resume needs --output FILE, because it continues a file")
    if not can_continue(file, path):
        found = "standard input" if file == "-" else f"{path} or {file}, which is a pipe or a device"
        raise RecipeError(f"--resume needs files that can be read again, got {found}; save the input to a file first")


def facts_of(tagger: Tagger, file: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an output is made from, which must be the same in the run that continues it."""
    source = tagger.model.source
    return {
        "the input": _facts_of_input(Path(file)),
        "the model": source.sha256 if source else None,
        "the backend": type(tagger.backend).__name__,
        "the version of tagger": version("tagger-bilstm"),
        **{f"--{name}": value for name, value in options.items()},
    }


def _facts_of_input(path: Path) -> list[Any]:
    """Return what shows that an input has changed: sizes and times, and the start of a file."""
    if not path.is_file():
        return [[name, part.stat().st_size, part.stat().st_mtime_ns] for name, part in _files_read_of(path)]
    found = path.stat()
    with path.open("rb") as file:
        return [found.st_size, found.st_mtime_ns, sha256(file.read(HASHED)).hexdigest()]


def _files_read_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder that are read, by name; the output may be another file of it."""
    from tagger.formats.columns.parallel import LABEL, TAGS, TOKENS

    for part in sorted(folder.rglob("*")):
        if part.is_file() and (part.suffix in (".txt", ".ann") or part.name in (TOKENS, TAGS, LABEL)):
            yield part.relative_to(folder).as_posix(), part


@contextmanager
def opened(path: Path | None, facts: Mapping[str, Any] | None, *, resume: bool) -> Iterator[Target]:
    """Open the output: standard output, or a file that appears when it is complete, packed as its name says.

    Args:
        path: The file; None for standard output.
        facts: What the output is made from; None if no run can continue it.
        resume: Whether to continue an unfinished output.
    """
    if path is None:
        yield Target(sys.stdout)
        return
    with ended_in_order(), ExitStack() as stack:
        output = stack.enter_context(continued(path, facts, resume=resume)) if facts is not None else None
        if output is not None:
            stack.enter_context(_said(path, output, resume=resume))
        binary = output.stream if output is not None else stack.enter_context(replaced(path))
        packing = packing_of_name(path)
        state = output.state if output is not None else None
        packed = stack.enter_context(Packed(binary, packing, path, begun=bool(state))) if packing else None
        raw: Any = packed if packed is not None else binary
        text = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)

        def mark(state: State) -> None:
            text.flush()
            if packed is not None:
                packed.end_member()
            if output is not None:
                output.mark(state)

        try:
            yield Target(text, state, mark)
        finally:
            text.detach()


@contextmanager
def _said(path: Path, output: Continued, *, resume: bool) -> Iterator[None]:
    """Say on standard error where a run continues, and how to continue it if it is stopped."""
    if resume:
        done = (
            f"continues after {_documents(output)}"
            if output.state
            else "nothing to continue, starts from the beginning"
        )
        sys.stderr.write(f"{visible(f'{path}: {done}')}\n")
    try:
        yield
    except BaseException:
        if output.state:
            said = f"{path}: unfinished after {_documents(output)}; the same command with --resume continues it"
            sys.stderr.write(f"{visible(said)}\n")
        raise


def _documents(output: Continued) -> str:
    return counted(output.state["documents"] if output.state else 0, "document")
