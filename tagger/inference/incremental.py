"""Tags a sentence while its words arrive: feed a token, get its prediction at once.

The prediction for a token is that of the model for the last token of the sentence so far, and never changes. Memory and
time per token do not depend on the number of tokens before, except for the attention of a sentence head, which has one
weight for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from tagger.encoding.batches import encode
from tagger.encoding.packed import pack
from tagger.errors import ModelError
from tagger.features.feature import TokenFeature
from tagger.features.passages import Passage
from tagger.features.table import check_frames, token_arrays, type_arrays
from tagger.heads.table import heads_of
from tagger.model.model import Model
from tagger.model.numpy_network import NumpyNetwork
from tagger.numpy_nn.incremental import RunningEncoder
from tagger.text.frames import frames_of
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

    def feed(self, token: str | None = None, *, frame: ArrayLike | None = None) -> TaggedToken:
        """Return the next token of the sentence with its tags, and the labels of the sentence so far.

        Args:
            token: The word. Of a sequence of numbers it is the name of the step; default: its number.
            frame: The numbers of the step, for a model that reads numbers.

        Raises:
            DataError: The token is empty or white space, or the model reads other numbers; the sentence can continue
                with another token.
        """
        sentence = sentence_of_step(token, frame, self._position)
        features = self.model.features
        check_frames(features, [sentence])
        packed = pack([sentence])
        known = type_arrays(features, packed.types)
        given = token_arrays(features, [Passage(sentence.tokens, frames=sentence.frames)])
        batch = encode(packed, self.model.vocabulary, type_features=known, features=given).batch(np.zeros(1, np.int64))
        vectors = self._network.type_vectors(batch.word_ids, batch.char_ids, batch.char_lengths, known)
        parts = [embedding(batch.features[name][0]) for name, embedding in self._network.tokens.items()]
        state = self._encoder.feed(np.concatenate([vectors, *parts], axis=1)[0])
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
        return TaggedToken(sentence.tokens[0], self._position - 1, tags, scores, labels, values)


def sentence_of_step(token: str | None, frame: ArrayLike | None, position: int) -> Sentence:
    """Return the sentence of one token, with its numbers if there are some.

    Raises:
        DataError: The token is empty or white space, or there are no numbers in the frame.
        TypeError: There is neither a token nor a frame, or the token is no string.
    """
    if token is None and frame is None:
        raise TypeError("feed must get a token, or the numbers of a step as `frame`, got neither")
    name = str(position) if token is None and frame is not None else token
    check_token(name, position)  # type: ignore[arg-type]  # it refuses None
    sentence = Sentence.from_tokens([str(name)])
    return sentence if frame is None else replace(sentence, frames=frames_of([frame]))  # type: ignore[arg-type]  # an array may be in a list


def check_direction(model: Model) -> None:
    """Refuse a model that reads in both directions, or that has features of whole sentences.

    Features whose numbers depend on one token alone are none.

    Raises:
        ModelError: It does.
    """
    if model.config.encoder.bidirectional:
        raise ModelError(
            "incremental tagging needs a model that reads in one direction, got one that reads in both: its "
            "backward pass starts at the end of the sentence, so before that no label is known; "
            "train with encoder.bidirectional = false, or pass whole sentences to tag_tokens"
        )
    features = model.features.items()
    if found := [name for name, feature in features if isinstance(feature, TokenFeature) and not feature.alone]:
        raise ModelError(
            f"incremental tagging needs features of single words, got {quoted(found)}, which reads more than its word; "
            "train without it, or pass whole sentences to tag_tokens"
        )
