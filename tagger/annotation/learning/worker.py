"""The process that trains beside the page: `python -m tagger.annotation.learning.worker FILE`.

It looks at the file for judgements to learn from, and ends when its standard input does, in the middle of whatever it
does: nothing is half written, because results become valid in one transaction.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from tagger.annotation.learning.training import learn, suggest_from_start
from tagger.annotation.store.store import Store
from tagger.errors import TaggerError
from tagger.wording import visible

PAUSE = 0.3  # seconds between looks at the file


def folder_of(path: Path) -> Path:
    """Return the folder of the trained model, beside the file of the project."""
    return path.with_suffix(".model")


def work(path: Path) -> None:
    """Train whenever enough has been judged, until the process is ended."""
    os.nice(5)  # the page comes first
    store = Store(path)
    store.trainings.forget_unfinished()  # one process at a time works on a project
    tried = -1
    with suppress(TaggerError):  # the training says what is wrong with the model
        if not store.predictions.any():
            suggest_from_start(store)
    while True:
        number = store.judgements.count()
        if number != tried and store.trainings.due_in() == 0:
            tried = number
            with suppress(TaggerError):  # the project has the reason
                learn(store, folder=folder_of(path), threads=1)
        time.sleep(PAUSE)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Work on the file that the command names."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        work(Path(sys.argv[1]))
    except TaggerError as error:  # of the file
        sys.exit(f"error: {visible(str(error))}")


if __name__ == "__main__":
    main()
