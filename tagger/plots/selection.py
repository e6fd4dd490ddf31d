"""What a picture is drawn of: the sentences that have tokens, and one layer of several."""

from collections.abc import Iterable, Sequence

from tagger.errors import DataError, TaggerError
from tagger.plots.labels import name_of
from tagger.text.document import Document
from tagger.text.sentence import Sentence

Given = Sentence | Document | Iterable[Sentence | Document]


def select_sentences(given: Given) -> tuple[Sentence, ...]:
    """Return the sentences that have tokens, given alone or in documents.

    Raises:
        DataError: There is none, or an item is neither a sentence nor a document.
    """
    parts = (given,) if isinstance(given, Sentence | Document | str) else given
    items = [item for part in parts for item in (part.sentences if isinstance(part, Document) else (part,))]
    if others := [type(item).__name__ for item in items if not isinstance(item, Sentence)]:
        raise DataError(f"a picture is drawn of sentences, got {others[0]}; pass what `model.tag(text)` returns")
    found = tuple(item for item in items if len(item))
    if not found:
        raise DataError("a picture needs at least one sentence with a token, got none; pass a text that is not empty")
    return found


def select_layer(layer: str | None, known: Sequence[str], *, kind: str, error: type[TaggerError], hint: str) -> str:
    """Return the given layer, or the only one if none is given.

    Args:
        layer: The name, or None.
        known: The suitable layers.
        kind: What these layers are, for error messages.
        error: Raised if the layer is not suitable, or not given where there are several.
        hint: What to do where there is no suitable layer.
    """
    names = ", ".join(f"`{name_of(name)}`" for name in known)
    if not known:
        raise error(f"expected a {kind}, got none; {hint}")
    if layer is None and len(known) > 1:
        raise error(f"expected one {kind}, got {names}; choose one with layer (--layer)")
    if layer is not None and layer not in known:
        raise error(f"`{name_of(layer)}` is not a {kind}; choose {names}")
    return known[0] if layer is None else layer
