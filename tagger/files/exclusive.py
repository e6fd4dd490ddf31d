"""A folder that one process at a time writes to, such as that of a run or of a model."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tagger.errors import ModelError
from tagger.files.writing import locked, settle


@contextmanager
def writing_to(folder: Path, *, of: str, by: str) -> Iterator[None]:
    """Lock a folder, which is created if missing, within the context. If it is then still empty, it is deleted again.

    What a killed process has not finished there is deleted, and what it has finished is moved to its place.

    Args:
        folder: The folder.
        of: What it is the folder of, for messages: "a run".
        by: What writes to it, for messages: "training".

    Raises:
        ModelError: The folder cannot be written to, or another process has the lock.
    """
    existed = folder.exists()
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            owned = stack.enter_context(locked(folder))
        except OSError as error:
            raise ModelError(f"{folder}: the folder of {of} must be writable: {error.strerror}") from None
        if not owned:
            raise ModelError(f"{folder}: another {by} is writing to this folder; wait for its end or use another one")
        try:
            settle(folder)
            yield
        finally:
            stack.close()  # deletes the lock
            if not existed:
                with suppress(OSError):  # not empty, or in use
                    folder.rmdir()


def check_free(folder: Path, held: str, *, overwrite: bool, choice: str = "") -> None:
    """Raise ModelError if a folder holds something that may not be replaced: `held`, a phrase, empty if nothing.

    `choice` is what else can be done about it, as the error says it.
    """
    if held and not overwrite:
        raise ModelError(
            f"{folder}: the folder already holds {held}; use another one{choice}, or replace it with --overwrite "
            "(overwrite=True in Python)"
        )
