"""What teachers say about training sentences, as a head learns it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError
from tagger.text.schemes import Scheme, legal_transitions, span_types, spans_to_tags
from tagger.text.sentence import Sentence

Shares = NDArray[np.float32]
Tags = tuple[str | None, ...]


class Opinion(NamedTuple):
    """The probability of each tag at each token of a sentence.

    Args:
        names: The tags.
        shares: Of shape (tokens, tags); the sum of a token is less than 1 where the teacher does not know it.
    """

    names: Sequence[str]
    shares: Shares


class Teacher(Protocol):
    """A model, or a file with labels."""

    def predict(self, sentences: Sequence[Sentence], asked: Sequence[bool]) -> Iterable[Sentence]:
        """Yield those sentences that are asked about, with the layers that the teacher knows of each."""
        ...

    def opinions(
        self, sentences: Sequence[Sentence], asked: Sequence[bool], layer: str, scheme: Scheme | None
    ) -> Iterable[Opinion]:
        """Yield the probabilities of the tags of a layer, in a scheme, for each sentence that is asked about."""
        ...

    def having(self, layer: str, classes: Collection[str]) -> tuple[str, str]:
        """Return where the teacher has one of these classes of a layer, and how to fix that train lacks them."""
        ...


@dataclass(frozen=True, slots=True)
class Lesson:
    """Training sentences, and the teachers of a head.

    Args:
        sentences: The training sentences.
        asked: Whether the head asks its teachers about each; the others are context.
        teachers: The teachers.
        vocabulary: Gives the ids of labels.
        where: The key of the recipe that names the teachers, for messages.
        tell: Is called with each note.
        known: The labels of the teacher if it is the model in `start`, which teaches nothing of other labels and
            nothing against gold. None: any other teacher.
    """

    sentences: Sequence[Sentence]
    asked: Sequence[bool]
    teachers: Sequence[Teacher]
    vocabulary: Vocabulary
    where: str
    tell: Callable[[str], None]
    known: Collection[str] | None = None

    def check_known(self, teacher: Teacher, layer: str, found: Iterable[str], *, spans: bool = False) -> None:
        """Refuse a teacher that predicts labels which train lacks.

        Args:
            teacher: The teacher.
            layer: The layer of the labels.
            found: The labels.
            spans: Whether they are tags of spans; the error names the types of these.

        Raises:
            RecipeError: Names these labels.
        """
        known: Sequence[str] = self.vocabulary.labels[layer]
        if unknown := sorted(set(found) - set(known)):
            known, unknown = (span_types(known), span_types(unknown)) if spans else (known, unknown)
            place, advice = teacher.having(layer, unknown)
            raise RecipeError(
                f"{self.where}: {place} must have only labels that occur in train ({', '.join(known)}), got "
                f"{', '.join(unknown)}; {advice}"
            )

    def shares(self, layer: str, scheme: Scheme | None) -> Iterator[Shares]:
        """Yield the probability of each tag at each token of each sentence asked about, as `mean_shares` has it.

        Raises:
            RecipeError: A teacher knows a tag that train lacks.
        """
        known = self.vocabulary.labels[layer]
        index = {name: i for i, name in enumerate(known)}
        said = (teacher.opinions(self.sentences, self.asked, layer, scheme) for teacher in self.teachers)
        for opinions in zip(*said, strict=True):
            parts = np.zeros((len(opinions), len(opinions[0].shares), len(known)), np.float32)
            for part, teacher, (names, shares) in zip(parts, self.teachers, opinions, strict=True):
                self.check_known(teacher, layer, names, spans=scheme is not None)
                part[:, [index[name] for name in names]] = shares
            yield mean_shares(parts)


def mean_shares(parts: NDArray[np.float32]) -> Shares:
    """Return the mean over teachers, in each row over those that say something of it, with a sum above 0.

    Args:
        parts: Of shape (teachers, rows, labels); a row of zeros is that of a teacher who does not know it.
    """
    said = (parts.sum(2, keepdims=True) > 0).sum(0)
    mean: Shares = parts.sum(0) / np.maximum(said, 1).astype(np.float32)
    return mean


def best_tags(sentences: Iterable[Shares], names: Sequence[str], scheme: Scheme | None) -> Iterator[Tags]:
    """Yield for each sentence the most probable of the sequences that are valid in a scheme, each token taken alone.

    A token without shares is unknown (None).
    """
    from tagger.numpy_nn.lattice import Scores  # tagging has no teacher
    from tagger.numpy_nn.viterbi import best_path

    tags = len(names)
    allowed = legal_transitions(names, scheme) if scheme is not None else (np.ones((tags, tags)), *np.ones((2, tags)))
    moves, start, end = (np.where(np.array(table, bool), 0, -np.inf) for table in allowed)
    scores = Scores(start, moves, end)
    for shares in sentences:
        emissions: NDArray[Any] = np.log(np.maximum(shares.astype(np.float64), 1e-30))
        path, _ = best_path(emissions[None], np.array([len(shares)]), scores)
        known = (shares.sum(1) > 0).tolist()
        yield tuple([names[i] if is_known else None for i, is_known in zip(path[0].tolist(), known, strict=True)])


def taught_tags(sentence: Sentence, layer: str, scheme: Scheme | None) -> Tags:
    """Return the tags of a layer in a scheme, None where they are unknown or the sentence does not have the layer.

    A sequence without unknown tags may be invalid in the scheme; tags made of its entities are not.
    """
    if layer not in sentence.layers:
        return (None,) * len(sentence)
    tags = sentence.tags(layer, scheme=scheme)
    if scheme is None or None in tags:
        return tags
    return tuple(spans_to_tags(sentence.boundaries(layer), len(sentence), scheme))
