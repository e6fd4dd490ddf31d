"""Which text comes next.

Texts without a judgement come first: of each five one by chance, the others where the model is unsure, but no copy of
what was just judged. Then those come again that are not finished, and last those that a person left as they were.
"""

from collections.abc import Collection, Sequence

from tagger.annotation.items import Item, item_of
from tagger.annotation.judgements import Judgement
from tagger.annotation.store.settings import HELD_OUT
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import Untouched
from tagger.text.sentence import Sentence

READING = 5  # tokens that reading a text of any length costs
MOST = 200  # texts that are compared
RECENT = 50  # judged texts that the next one should differ from
FIT = range(4, 41)  # tokens of a good first text


class Queue:
    """The texts that are not finished; it remembers those that were shown and left as they were."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._left: set[int] = set()

    def next(self, after: int | None) -> Item | None:
        """Return the text to judge after another one, or after the page was opened; None if there is none."""
        judgements = self._store.judgements.all()
        if after is not None:
            self._left.add(self._store.texts.one(after).id)
        elif judgements and judgements[-1].kind == "tokens":
            item = item_of(self._store, judgements[-1].text, "you have begun it")
            if not item.is_finished:
                return item
        found = self._fresh(judgements) or self._unfinished(judgements)
        if found is None and self._left:
            self._left = {after} if after is not None else set()
            found = self._fresh(judgements) or self._unfinished(judgements)
        return found

    def _fresh(self, judgements: Sequence[Judgement]) -> Item | None:
        """Return the next text without a judgement."""
        is_held_out = self._store.settings.is_held_out
        touched = list(dict.fromkeys(each.text for each in judgements))
        fresh = [text for text in self._store.texts.untouched() if text.id not in self._left]
        held = [text for text in fresh if is_held_out(text.draw)]
        others = [text for text in fresh if not is_held_out(text.draw)]
        if held and (not others or self._held_out(touched) < len(touched) // HELD_OUT):
            return item_of(self._store, held[0].id, "drawn by chance: judge all of it, to score the model")
        return self._best(others, touched[-RECENT:])

    def _held_out(self, ids: Sequence[int]) -> int:
        """Return how many of these texts are held out from training."""
        return sum(self._store.settings.is_held_out(text.draw) for text in self._store.texts.some(ids))

    def _best(self, texts: Sequence[Untouched], recent: Sequence[int]) -> Item | None:
        """Return the text that teaches most for each token to read; the first one wins a tie.

        A model reads a part of many texts; the others come after those where it is unsure.
        """
        is_read = any(text.gain is not None for text in texts)
        ranked = sorted(texts, key=lambda text: -(text.gain or 0.0))[:MOST]
        sentences = {text.id: text.sentence for text in self._store.texts.some([text.id for text in ranked])}
        judged = [words_of(text.sentence) for text in self._store.texts.some(recent)]
        gains = {text.id: text.gain or 0.0 if is_read else None for text in ranked}
        chosen = max(ranked, key=lambda text: worth(sentences[text.id], gains[text.id], judged), default=None)
        if chosen is None:
            return None
        if not is_read:
            return item_of(self._store, chosen.id, "no model has learned your types yet")
        return item_of(self._store, chosen.id, "the model is unsure here" if chosen.gain else "nothing is less sure")

    def _unfinished(self, judgements: Sequence[Judgement]) -> Item | None:
        """Return the first text that was begun and not finished."""
        passed = self._left | {each.text for each in judgements if each.kind == "skip"}
        for id in dict.fromkeys(each.text for each in judgements if each.text not in passed):
            item = item_of(self._store, id, "not all of it is judged")
            if not item.is_finished:
                return item
        return None


def worth(sentence: Sentence, gain: float | None, judged: Collection[frozenset[str]]) -> float:
    """Return how much a text teaches for each token to read; without a model, texts of usual length teach the same.

    Args:
        sentence: The text.
        gain: How much a judgement on it teaches; None if no model has read it.
        judged: The words of texts that were just judged.
    """
    words = words_of(sentence)
    nearest = max((overlap(words, other) for other in judged), default=0.0)
    if gain is None:
        return (1 - nearest) * (len(sentence) in FIT)
    return (1 - nearest) * gain / (len(sentence) + READING)


def words_of(sentence: Sentence) -> frozenset[str]:
    """Return the words of a text in lower case."""
    return frozenset(token.lower() for token in sentence.tokens)


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the words of two texts that both have."""
    return len(one & other) / max(len(one | other), 1)
