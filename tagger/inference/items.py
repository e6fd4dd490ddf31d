"""The items that a user gives to a tagger, as sentences and documents to be tagged.

An empty or blank text becomes an empty sentence or document, so that every item has its result.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.sentence import Sentence, is_ordered, plain, sentence_of_tokens, typed
from tagger.text.tokenization import TextRules

logger = logging.getLogger(__name__)

Report = Callable[[int, Exception], object]
Errors = Literal["raise", "skip"] | Report


def sentence_of_text(text: str, rules: TextRules) -> Sentence:
    """Return a text as one sentence, without tokens if it is blank.

    Raises:
        TypeError: It is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}; tag_tokens takes a list of words")
    return rules.sentence(text) if text.strip() else Sentence((), plain(text), ())


def document_of_text(text: str, rules: TextRules) -> Document:
    """Return a text as a document, split into sentences by the rules; without sentences if it is blank.

    Raises:
        TypeError: It is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    return Document(plain(text), tuple(rules.split(text)))


def sentences_of(items: Iterable[str | Sequence[str]], rules: TextRules, report: Report) -> Iterator[Sentence]:
    """Yield the sentence of each text or list of words; that of an item that is reported as invalid is empty."""
    for i, item in enumerate(items):
        try:
            sentence = sentence_of_item(item, rules)
        except (DataError, TypeError) as error:
            report(i, type(error)(f"item {i}: {error}"))
            sentence = Sentence((), "", ())
        yield sentence


def sentence_of_item(item: Any, rules: TextRules) -> Sentence:
    """Return the sentence of a text or of a list of words."""
    if isinstance(item, str):
        return sentence_of_text(item, rules)
    if not is_ordered(item):
        raise TypeError(f"must be a text or a list of words, got {typed(item)}")
    return sentence_of_tokens(item)


def documents_of(
    items: Iterable[Any], rules: TextRules, report: Report, contexts: deque[Any] | None = None
) -> Iterator[Document]:
    """Yield the document of each text; that of an item that is reported as invalid is empty.

    Args:
        items: The texts, or pairs of text and context.
        rules: How to split a text.
        report: Called with the position of an invalid item and its error.
        contexts: Takes the contexts of pairs. None: the items are texts.
    """
    for i, item in enumerate(items):
        context = None
        try:
            text, context = (item, None) if contexts is None else _pair(item)
            if not isinstance(text, str):
                raise TypeError(f"must be a text, got {typed(text)}")
            document = document_of_text(text, rules)
        except (DataError, TypeError) as error:
            report(i, type(error)(f"item {i}: {error}"))
            document = Document("")
        if contexts is not None:
            contexts.append(context)
        yield document


def _pair(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise TypeError(f"must be a pair (text, context), got {typed(item)}")
    return item[0], item[1]


def reporter(errors: Errors) -> Report:
    """Return what is called with the position of an invalid item and its error.

    Raises:
        ValueError: `errors` is neither a known word nor a function.
    """
    if callable(errors):
        return errors
    if errors not in ("raise", "skip"):
        raise ValueError(f'errors must be "raise", "skip" or a function, got {errors!r}')
    return _raise if errors == "raise" else _log


def _raise(position: int, error: Exception) -> None:
    raise error from None


def _log(position: int, error: Exception) -> None:
    logger.warning("%s", error)
