"""Tags a sentence while its words arrive: feed a token, get its prediction at once.

The prediction for a token is that of the model for the last token of the sentence so far, and never changes. Memory and
time per token do not depend on the number of tokens before, except for the attention of a sentence head, which has one
weight for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tagger.encoding.batches import encode
from tagger.encoding.packed import pack
from tagger.errors import ModelError
from tagger.features.feature import TokenFeature
from tagger.features.table import type_arrays
from tagger.heads.table import heads_of
from tagger.model.model import Model
from tagger.model.numpy_network import NumpyNetwork
from tagger.numpy_nn.incremental import RunningEncoder
from tagger.text.sentence import Label, Sentence, Values, check_token
from tagger.wording import quoted


@dataclass(frozen=True, slots=True)
class TaggedToken:
    """The prediction for a sentence when one of its tokens has arrived.

    Args:
        token: The word.
        position: Its position in the sentence, from 0.
        tags: Its tag in each tag layer, in the scheme of the training files.
        scores: The probability of each of these tags, given the words so far.
        labels: The label of the words so far in each label layer.
        values: The number of the token, or the numbers of the words so far, in each layer of numbers.
    """

    token: str
    position: int
    tags: Mapping[str, str]
    scores: Mapping[str, float]
    labels: Mapping[str, Label]
    values: Mapping[str, Values] = field(default_factory=dict)


class Incremental:
    """Tags one sentence token by token; for one thread at a time.

    Args:
        model: A model that reads in one direction.
        network: Its network.

    Raises:
        ModelError: The model reads in both directions.
    """

    def __init__(self, model: Model, network: NumpyNetwork) -> None:
        check_direction(model)
        self.model = model
        self._network = network
        self.reset()

    def reset(self) -> None:
        """Begin the next sentence."""
        self._position = 0
        self._encoder = RunningEncoder(self._network.encoder)
        networks, labels, shown = self._network.heads, self.model.vocabulary.labels, self.model.config.schemes
        self._layers = {
            layer: head.running(networks[layer], labels[layer], shown.get(layer))
            for layer, head in heads_of(self.model.heads).items()
        }

    def feed(self, token: str) -> TaggedToken:
        """Return the next token of the sentence with its tags, and the labels of the sentence so far.

        Raises:
            DataError: The token is empty or white space; the sentence can continue with another token.
        """
        check_token(token, self._position)
        packed = pack([Sentence.from_tokens([token])])
        known = type_arrays(self.model.features, packed.types)
        batch = encode(packed, self.model.vocabulary, type_features=known).batch(np.zeros(1, np.int64))
        vector = self._network.type_vectors(batch.word_ids, batch.char_ids, batch.char_lengths, known)[0]
        state = self._encoder.feed(vector)
        tags, scores, labels, values = {}, {}, {}, {}
        for layer, running in self._layers.items():
            found = running.feed(state)
            if isinstance(found, Label):
                labels[layer] = found
            elif isinstance(found, Values):
                values[layer] = found
            else:
                tags[layer], scores[layer] = found
        self._position += 1
        return TaggedToken(token, self._position - 1, tags, scores, labels, values)


def check_direction(model: Model) -> None:
    """Refuse a model that reads in both directions, or that has features of whole sentences.

    Raises:
        ModelError: It does.
    """
    if model.config.encoder.bidirectional:
        raise ModelError(
            "incremental tagging needs a model that reads in one direction, got one that reads in both: its "
            "backward pass starts at the end of the sentence, so before that no label is known; "
            "train with encoder.bidirectional = false, or pass whole sentences to tag_tokens"
        )
    if found := [name for name, feature in model.features.items() if isinstance(feature, TokenFeature)]:
        raise ModelError(
            f"incremental tagging needs features of single words, got {quoted(found)}, which reads whole sentences; "
            "train without it, or pass whole sentences to tag_tokens"
        )
