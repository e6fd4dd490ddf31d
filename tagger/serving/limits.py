"""What a service accepts, and what it answers if that is exceeded."""

from dataclasses import dataclass

from tagger.wording import counted


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service accepts.

    Args:
        body: Bytes of the body of a request, and of a line of a stream.
        text: Characters of a text, or of all words of a list, or numbers of a sequence.
        items: Texts and lists of words in a request.
        waiting: Texts and lists of words that may wait for a model at the same time.
        seconds: Time that a request may wait for its results.
    """

    body: int = 10_000_000
    text: int = 1_000_000
    items: int = 10_000
    waiting: int = 20_000
    seconds: float = 60.0


class Refusal(Exception):  # noqa: N818
    """A request is not answered; the message is one sentence for its sender.

    Args:
        status: The HTTP status.
        message: Where, what is expected, what was found, and what to do.
        retry: Seconds after which the request may succeed; None if it will not.
    """

    def __init__(self, status: int, message: str, *, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry = status, message, retry


def too_long(where: str, length: int, most: int, *, unit: str = "character") -> Refusal:
    """Return the refusal of a text or a sequence that is too long."""
    return Refusal(413, f"{where} must have at most {most:,} {unit}s, got {length:,}; divide it into several texts")


def too_many(found: int, most: int) -> Refusal:
    """Return the refusal of a request with too many items."""
    return Refusal(
        413, f"a request must have at most {most:,} texts, got {found:,}; send several requests, or use /tag/stream"
    )


def too_large(most: int) -> Refusal:
    """Return the refusal of a body that is too large."""
    return Refusal(
        413, f"the body must have at most {most:,} bytes, got more; send several requests, or use /tag/stream"
    )


def too_busy(waiting: int, most: int) -> Refusal:
    """Return the refusal of a request for which there is no room."""
    return Refusal(
        429,
        f"at most {most:,} texts may wait at once, and {counted(waiting, 'text')} wait; send it again later",
        retry=1,
    )


def too_slow(seconds: float) -> Refusal:
    """Return the refusal of a request that waited too long."""
    return Refusal(503, f"no result within {seconds:g} s; send it again later, or send less at once", retry=5)


def stopping() -> Refusal:
    """Return the refusal of a request that comes while the service stops."""
    return Refusal(503, "the service is stopping; send the request again to another one, or later", retry=5)
