"""Tagging a sentence while its words arrive, with a backend that keeps no state between them.

Each token is tagged together with all tokens before it, so the time of a token grows with their number.
"""

from tagger.inference.incremental import Incremental, TaggedToken, check_direction
from tagger.inference.predict import Backend, predict
from tagger.text.sentence import Label, Sentence, TagLayer, Values, check_token


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
        self._tokens: list[str] = []

    def feed(self, token: str) -> TaggedToken:
        """Return the next token of the sentence with its tags, and the labels of the sentence so far.

        Raises:
            DataError: The token is empty or white space; the sentence can continue with another token.
        """
        position = len(self._tokens)
        check_token(token, position)
        self._tokens.append(token)
        sentence = next(predict([Sentence.from_tokens(self._tokens)], self._backend))
        layers = sentence.layers
        tags = {layer: str(sentence.tags(layer)[-1]) for layer, found in layers.items() if isinstance(found, TagLayer)}
        scores = {layer: (sentence.tag_scores(layer) or ())[-1] for layer in tags}
        labels = {layer: found for layer, found in layers.items() if isinstance(found, Label)}
        numbers = {layer: found for layer, found in layers.items() if isinstance(found, Values)}
        values = {layer: found if found.whole else found.last for layer, found in numbers.items()}
        return TaggedToken(token, position, tags, scores, labels, values)
