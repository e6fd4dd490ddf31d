"""Tags a sentence while its words arrive: feed a token, get its label now.

What is said of a token is what the model says of the last token of the sentence so far, and never taken back. Memory
and time of a token do not depend on how many came before, but for the attention of a sentence head, which has a weight
for each of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tagger.encoding.batches import Batch, encode
from tagger.encoding.packed import pack
from tagger.errors import ModelError
from tagger.inference.last_tag import Ending, extend, last_tag
from tagger.model.model import Model
from tagger.nn.heads import SentenceHead, TokensHead
from tagger.nn.incremental import RunningClass, RunningEncoder, RunningTags
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, check_token


@dataclass(frozen=True, slots=True)
class TaggedToken:
    """What is known of a sentence when one of its tokens has arrived.

    Args:
        token: The word.
        position: Its place in the sentence, from 0.
        tags: Its tag in each tag layer, in the scheme of the training files.
        scores: The probability of each of these tags, given the words so far.
        labels: For each label layer the label of the words so far.
    """

    token: str
    position: int
    tags: Mapping[str, str]
    scores: Mapping[str, float]
    labels: Mapping[str, Label]


class Incremental:
    """Tags one sentence token by token; for one thread at a time.

    Args:
        model: A model that reads in one direction, in evaluation mode.
        type_vectors: Gives the vectors of a batch's words.

    Raises:
        ModelError: The model reads in both directions.
    """

    def __init__(self, model: Model, type_vectors: Callable[[Batch], Tensor]) -> None:
        if model.config.encoder.bidirectional:
            raise ModelError(
                "incremental tagging needs a model that reads in one direction, got one that reads in both: its "
                "backward pass starts at the end of the sentence, so before that no label is known; "
                "train with encoder.bidirectional = false, or pass whole sentences to tag_tokens"
            )
        self.model = model
        self._type_vectors = type_vectors
        self.reset()

    def reset(self) -> None:
        """Begin the next sentence."""
        self._position = 0
        self._encoder = RunningEncoder(self.model.network.encoder)
        self._layers: dict[str, _RunningTagLayer | _RunningLabelLayer] = {}
        for layer, head in self.model.network.heads.items():
            labels = self.model.vocabulary.labels[layer]
            if isinstance(head, TokensHead):
                scheme, shown = self.model.heads[layer].span_scheme, self.model.config.schemes.get(layer)
                self._layers[layer] = _RunningTagLayer(head, labels, scheme, shown)
            else:
                self._layers[layer] = _RunningLabelLayer(head, labels)

    @torch.inference_mode()
    def feed(self, token: str) -> TaggedToken:
        """The next token of the sentence with its tags, and the labels of the sentence so far.

        Raises:
            DataError: The token is empty or white space; the sentence can go on with another.
        """
        check_token(token, self._position)
        batch = encode(pack([Sentence.from_tokens([token])]), self.model.vocabulary).batch(np.zeros(1, np.int64))
        state = self._encoder.feed(self._type_vectors(batch)[0])
        tags, scores, labels = {}, {}, {}
        for layer, running in self._layers.items():
            if isinstance(running, _RunningTagLayer):
                tags[layer], scores[layer] = running.feed(state)
            else:
                labels[layer] = running.feed(state)
        self._position += 1
        return TaggedToken(token, self._position - 1, tags, scores, labels)


class _RunningTagLayer:
    """The tag of each token by name, in the scheme of the training files.

    How a tag is written there depends on the tags before it, so the ending of the best sequence of each tag is kept.
    """

    def __init__(self, head: TokensHead, names: Sequence[str], scheme: Scheme | None, shown: Scheme | None) -> None:
        self.running = RunningTags(head)
        self.names = names
        self.scheme = scheme
        self.shown = shown
        self.endings = [Ending()] * len(names)

    def feed(self, state: Tensor) -> tuple[str, float]:
        """The tag of the next token and its probability."""
        tag_id, score, origins = self.running.feed(state)
        if self.scheme is None or self.shown is None or self.scheme == self.shown:
            return self.names[tag_id], score
        before = self.endings if origins is None else [self.endings[i] for i in origins.tolist()]
        self.endings = [extend(ending, tag, self.scheme) for ending, tag in zip(before, self.names, strict=True)]
        return last_tag(self.endings[tag_id], self.scheme, self.shown), score


class _RunningLabelLayer:
    """The label of the sentence so far, by name."""

    def __init__(self, head: SentenceHead, names: Sequence[str]) -> None:
        self.running = RunningClass(head)
        self.names = names

    def feed(self, state: Tensor) -> Label:
        """The label with the next token."""
        probabilities, attention = self.running.feed(state)
        scores = probabilities[0].tolist()
        best = int(probabilities[0].argmax())
        weights = None if attention is None else tuple(attention[0].tolist())
        return Label(self.names[best], scores[best], dict(zip(self.names, scores, strict=True)), weights)
