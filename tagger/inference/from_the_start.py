"""Tagging a sentence while its words arrive, with a backend that keeps no state between them.

Each token is tagged together with all tokens before it, so the time of a token grows with their number.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from tagger.errors import DataError
from tagger.inference.incremental import Incremental, TaggedToken, check_direction, sentence_of_step
from tagger.inference.predict import Backend, predict
from tagger.text.frames import frames_of
from tagger.text.sentence import Label, Sentence, TagLayer, Values


class FromTheStart(Incremental):
    """Tags one sentence token by token; for one thread at a time.

    Args:
        backend: Runs a model that reads in one direction.

    Raises:
        ModelError: The model reads in both directions.
    """

    def __init__(self, backend: Backend) -> None:
        check_direction(backend.model)
        self.model = backend.model
        self._backend = backend
        self.reset()

    def reset(self) -> None:
        """Begin the next sentence."""
        self._steps: list[Sentence] = []

    def feed(self, token: str | None = None, *, frame: ArrayLike | None = None) -> TaggedToken:
        """Return the next token of the sentence with its tags, and the labels of the sentence so far.

        Args:
            token: The word. Of a sequence of numbers it is the name of the step; default: its number.
            frame: The numbers of the step, for a model that reads numbers.

        Raises:
            DataError: The token is empty or white space, or the model reads other numbers; the sentence can continue
                with another token.
        """
        position = len(self._steps)
        steps = [*self._steps, sentence_of_step(token, frame, position)]
        sentence = next(predict([_joined(steps)], self._backend))
        self._steps = steps
        layers = sentence.layers
        tags = {layer: str(sentence.tags(layer)[-1]) for layer, found in layers.items() if isinstance(found, TagLayer)}
        scores = {layer: (sentence.tag_scores(layer) or ())[-1] for layer in tags}
        labels = {layer: found for layer, found in layers.items() if isinstance(found, Label)}
        numbers = {layer: found for layer, found in layers.items() if isinstance(found, Values)}
        values = {layer: found if found.whole else found.last for layer, found in numbers.items()}
        return TaggedToken(sentence.tokens[-1], position, tags, scores, labels, values)


def _joined(steps: Sequence[Sentence]) -> Sentence:
    """Return the sentence of tokens that arrived one by one.

    Raises:
        DataError: Some have numbers and others have not, or other ones.
    """
    sentence = Sentence.from_tokens([step.tokens[0] for step in steps])
    found = [step.frames.values for step in steps if step.frames is not None]
    if not found:
        return sentence
    if len(found) < len(steps) or len({values.shape for values in found}) > 1:
        raise DataError(f"step {len(steps) - 1} must have the same numbers as those before it; pass them as `frame`")
    return replace(sentence, frames=frames_of(np.concatenate(found)))
