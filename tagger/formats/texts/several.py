"""What is done with a text that has several labels."""

from collections.abc import Iterable

from tagger.errors import DataError
from tagger.formats.tally import Tally
from tagger.text.choices import Several
from tagger.wording import quoted

SKIPPED = "skipped {} text|texts with several labels"
JOINED = "joined the labels of {} text|texts with several"
SHOWN = 5


def only_label(labels: Iterable[str], several: Several, tally: Tally, place: str) -> str | None:
    """Return the label of a text; None if it has several and is skipped, which is counted.

    Raises:
        DataError: There are several, and that is an error.
    """
    found = list(dict.fromkeys(labels))
    if len(found) == 1:
        return found[0]
    if several == "error":
        choice = "" if tally.options else ', or choose several = "skip" or "join"'
        names = quoted(found[:SHOWN])
        raise DataError(f"a text must have one label, got {len(found)}, {names}; keep one{choice}")
    tally.count(SKIPPED if several == "skip" else JOINED, f"at {place}")
    return None if several == "skip" else "+".join(found)
