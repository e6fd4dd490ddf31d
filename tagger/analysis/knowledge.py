"""What a model may have learned by heart: the words and the entities of train.

`breakdown.py` compares the scores of what was seen in train with the scores of what was not.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tagger.text.sentence import Sentence, TagLayer

Surfaces = Mapping[str, frozenset[str]]  # text of an entity, without white space → its types


@dataclass(frozen=True, slots=True)
class TrainKnowledge:
    """The words and entities of train.

    Args:
        words: The words, as written.
        entities: For each layer of entities the text of each entity, without white space, with all its types.
        vectors: Words that the model knows, among them those that only pretrained vectors have; None if that is not
            known. It need only have the words of the sentences that are scored.
    """

    words: Collection[str]
    entities: Mapping[str, Surfaces]
    vectors: Collection[str] | None = None

    def within(self, sentences: Iterable[Sentence]) -> "TrainKnowledge":
        """Return what is needed for these sentences alone, predicted entities included."""
        texts: set[str] = set()
        words: set[str] = set()
        for sentence in sentences:
            words.update(sentence.tokens)
            texts.update(surface(sentence.text, *place) for places in _places(sentence).values() for place, _ in places)
        entities = {
            layer: {text: types for text, types in found.items() if text in texts}
            for layer, found in self.entities.items()
        }
        vectors = None if self.vectors is None else words.intersection(self.vectors)
        return TrainKnowledge(words.intersection(self.words), entities, vectors)

    def with_vectors(self, words: Collection[str]) -> "TrainKnowledge":
        """Return the same with these words as those that the model knows."""
        return replace(self, vectors=words)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        entities = {
            layer: {text: sorted(found[text]) for text in sorted(found)} for layer, found in self.entities.items()
        }
        vectors = {} if self.vectors is None else {"vectors": sorted(self.vectors)}
        return {"words": sorted(self.words), **vectors, "entities": entities}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainKnowledge":
        """Return the knowledge that `to_dict` has written.

        Raises:
            LookupError, TypeError, AttributeError: The values are others.
        """
        entities = {
            layer: {text: frozenset(types) for text, types in found.items()}
            for layer, found in values["entities"].items()
        }
        known = values.get("vectors")
        vectors = None if known is None else frozenset(known)
        return cls(frozenset(values["words"]), entities, vectors)


def knowledge_of(train: Iterable[Sentence]) -> TrainKnowledge:
    """Return the words and entities of train sentences."""
    words: set[str] = set()
    entities: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for sentence in train:
        words.update(sentence.tokens)
        for layer, places in _places(sentence).items():
            for place, name in places:
                entities[layer][surface(sentence.text, *place)].add(name)
    frozen = {layer: {text: frozenset(types) for text, types in found.items()} for layer, found in entities.items()}
    return TrainKnowledge(words, frozen)


def surface(text: str, start: int, end: int) -> str:
    """Return a part of a text without white space, so that raw and tokenised text agree."""
    return "".join(text[start:end].split())


def _places(sentence: Sentence) -> dict[str, list[tuple[tuple[int, int], str]]]:
    """Return start, end and type of each entity of each layer, also of those that tokens cannot express."""
    found = {}
    for name, layer in sentence.layers.items():
        if isinstance(layer, TagLayer) and layer.scheme is not None:
            spans: Sequence[Any] = (*sentence.spans(name), *layer.unaligned)
            found[name] = [((span.start_char, span.end_char), span.type) for span in spans]
    return found
