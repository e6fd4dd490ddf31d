"""Numbers and times in text."""

import math
from datetime import UTC, datetime

from tagger.errors import DataError
from tagger.wording import shorten

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})


def number_of(text: str) -> float:
    """Return the number that a text is; NaN if it says that there is none.

    Raises:
        DataError: It is no number.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise DataError(f"must be a number, or empty where one is missing, got {shorten(text)}") from None


def time_of(text: str) -> float:
    """Return the time that a text is, in seconds if it is a date, so that times can be compared.

    Raises:
        DataError: It is neither a number nor a date in the form of ISO 8601.
    """
    text = text.strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"a time must be a number or a date such as 2026-03-01 12:30:00, got {shorten(text)}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
