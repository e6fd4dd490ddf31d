"""A text as a person judges it: with what the model suggests and the judgements that hold."""

from dataclasses import dataclass

from tagger.annotation.judgements import Judged, gaps, holding
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import alone


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A span that the model suggests: tokens `[start, end)`, with the probability that they are exactly this entity."""

    start: int
    end: int
    type: str
    probability: float


@dataclass(frozen=True, slots=True)
class Item:
    """A text to judge: one sentence.

    Args:
        id: Its number in the project.
        text: The sentence.
        tokens: Start and end of each token in `text`.
        suggestions: What the model suggests where nothing is judged, in the order of the text.
        judged: The judgements that hold, in the order of the text.
        why: A short reason why this text comes now.
    """

    id: int
    text: str
    tokens: list[tuple[int, int]]
    suggestions: list[Suggestion]
    judged: list[Judged]
    why: str

    @property
    def is_finished(self) -> bool:
        """Whether all tokens are judged."""
        return not gaps(self.judged, len(self.tokens))


def item_of(store: Store, id: int, why: str) -> Item:
    """Return a text of a project.

    Raises:
        DataError: There is no such text.
    """
    sentence = alone(store.texts.one(id).sentence)
    held, said = holding(store.judgements.on(id), len(sentence)), store.predictions.on(id)
    free = gaps(held, len(sentence))
    suggestions = [
        Suggestion(*span)
        for span in (said.spans if said is not None else ())
        if any(start <= span[0] and span[1] <= end for start, end in free)
    ]
    return Item(id, sentence.text, list(sentence.offsets), suggestions, held, why)
