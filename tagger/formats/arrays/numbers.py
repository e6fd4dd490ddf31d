"""Numbers and times in text."""

import math
from datetime import UTC, datetime

from tagger.errors import DataError
from tagger.wording import shorten

LARGEST = 3.4e38  # of the numbers that 32 bits can hold
EARLIEST, LATEST = 1e8, 1e10  # seconds since 1970 that are no date without marks (20260301) and no milliseconds
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})


def number_of(text: str) -> float:
    """Return the number that a text is; NaN if it says that there is none.

    Raises:
        DataError: It is no number.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return math.nan
    number = _number(text)
    if number is None:
        raise DataError(f"must be a number, or empty where one is missing, got {shorten(text)}")
    if not abs(number) <= LARGEST:
        raise DataError(f"must be a finite number of at most 3.4e38, got {shorten(text)}; leave it empty if unknown")
    return number


def _number(text: str) -> float | None:
    """Return the number that a text is; None if it is none. Python's `1_000` is none."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def time_of(text: str) -> float:
    """Return the time that a text is, in seconds since 1970 if it is a date, so that times can be compared.

    Raises:
        DataError: It is neither a finite number nor a date in the form of ISO 8601.
    """
    text = text.strip()
    number = _number(text)
    if number is not None and math.isfinite(number):
        return number
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"a time must be a number or a date such as 2026-03-01 12:30:00, got {shorten(text)}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def seconds_of(text: str) -> float:
    """Return the time that a text is, in seconds since 1970, so that its day and its year are known.

    Raises:
        DataError: It is no time, or a number that is no such time.
    """
    time = time_of(text)
    if _number(text) is not None and not EARLIEST <= time <= LATEST:
        raise DataError(
            f"a time that is a number must be seconds since 1970, such as 1772368200, for `cycles`, got {shorten(text)}"
            "; write dates such as 2026-03-01 12:30:00"
        )
    return time
