"""The entities of a layer: which of them count, and how gold and prediction differ in them, sentence by sentence.

What all layers have is in `layer.py`. Entities that tokens cannot express count too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from tagger.metrics.entities import EntityScores, score_entities
from tagger.metrics.layer import Counts, ScoredLayer, error_of
from tagger.metrics.resampling import Statistic, f1
from tagger.metrics.unknown_gold import known_part, without_spans
from tagger.text.gaps import all_known, is_counted, known_of, open_tokens
from tagger.text.schemes import Boundary, Scheme, spans_to_tags
from tagger.text.sentence import Sentence, Span, TagLayer, Unaligned, tokens_in


@dataclass(frozen=True, slots=True)
class SpanPair:
    """The entities of one sentence that count. Those that touch unknown gold, or have a type that gold lacks, do not.

    Args:
        gold: The gold entities.
        predicted: The predicted entities.
        probabilities: The probability of each predicted entity; None if one has none.
        beside: The gold entities that tokens cannot express, each with whether the same characters were predicted with
            its type. Such a predicted entity is not in `predicted`.
        stray: The predicted entities that tokens cannot express and gold does not have; they are wrong. They have no
            probability.
    """

    gold: tuple[Boundary, ...]
    predicted: tuple[Boundary, ...]
    probabilities: tuple[float, ...] | None = None
    beside: tuple[tuple[Unaligned, bool], ...] = ()
    stray: tuple[Unaligned, ...] = ()

    @property
    def entities(self) -> Iterator[tuple[Boundary | Unaligned, bool, bool]]:
        """Each entity of either side once, with whether it is predicted and whether it is gold."""
        gold, predicted = {*self.gold}, {*self.predicted}
        yield from ((entity, entity in predicted, entity in gold) for entity in gold | predicted)
        yield from ((entity, found, True) for entity, found in self.beside)
        yield from ((entity, True, False) for entity in self.stray)


@dataclass(frozen=True)
class EntityLayer(ScoredLayer):
    """A tag layer whose tags form entities.

    Args:
        scheme: The scheme in which both versions are scored.
    """

    kind: ClassVar[str] = "entities"

    scheme: Scheme

    @cached_property
    def pairs(self) -> tuple[SpanPair, ...]:
        """The entities of each sentence that count."""
        return tuple([self._pair(gold, predicted) for gold, predicted in self.both])

    @cached_property
    def counts(self) -> Counts:
        """Number of correct, predicted and gold entities of each sentence."""
        rows = []
        for pair in self.pairs:
            found = sum(found for _, found in pair.beside)
            correct = len({*pair.gold} & {*pair.predicted})
            predicted = len(pair.predicted) + found + len(pair.stray)
            rows.append((correct + found, predicted, len(pair.gold) + len(pair.beside)))
        return np.array(rows, np.int64).reshape(-1, 3)

    @property
    def statistic(self) -> Statistic:
        """Micro F1."""
        return f1

    @cached_property
    def tags(self) -> tuple[list[list[str]], list[list[str]]]:
        """Gold and predicted tags in the scheme, with `O` for entities that do not count.

        After the sentences, each entity that tokens cannot express is a sentence of one token of its own: a gold one
        with the same prediction if it was found and `O` if it was missed, a predicted one with the gold tag `O`.
        """
        known = [self._known_part(gold, predicted) for gold, predicted in self.both]
        for pair in self.pairs:
            known += [self._alone(entity, gold=True, predicted=found) for entity, found in pair.beside]
            known += [self._alone(entity, gold=False, predicted=True) for entity in pair.stray]
        return [gold for gold, _ in known], [predicted for _, predicted in known]

    def _alone(self, entity: Unaligned, *, gold: bool, predicted: bool) -> tuple[list[str], list[str]]:
        """Return an entity as the tags of a sentence of one token, on the sides that have it."""
        tags = spans_to_tags([Boundary(entity.type, 0, 1)], 1, self.scheme)
        return tags if gold else ["O"], tags if predicted else ["O"]

    @cached_property
    def unscored(self) -> int:
        """Number of predicted entities that do not count."""
        return sum(
            len(predicted.boundaries(self.name))
            - len(self._counted(gold, predicted))
            + len(set(predicted.tag_layer(self.name).unaligned))
            - len(self._counted_beside(gold, predicted))
            for gold, predicted in self.both
            if not _is_complete(gold.tag_layer(self.name))
        )

    @cached_property
    def hits(self) -> tuple[tuple[float, bool], ...]:
        """The probability of each predicted entity that counts and whether it is right; nothing if one has none."""
        found = []
        for gold, predicted in self.both:
            right = {*gold.boundaries(self.name), *self._elsewhere(gold, predicted)}
            for span, score in self._counted(gold, predicted):
                if score is None:
                    return ()
                found.append((score, span in right))
            if self._counted_beside(gold, predicted):
                return ()
        return tuple(found)

    @cached_property
    def scores(self) -> EntityScores:
        """The scores of entities."""
        return replace(
            score_entities(*self.tags, self.scheme),
            sentences=len(self.gold),
            unaligned_entities=sum(len(pair.beside) for pair in self.pairs),
            unknown_tokens=sum(sentence.tag_layer(self.name).tags.count(None) for sentence in self.gold),
            unscored_entities=self.unscored,
            calibration_error=error_of(self.hits),
        )

    def _pair(self, gold: Sentence, predicted: Sentence) -> SpanPair:
        elsewhere = self._elsewhere(gold, predicted)
        counted = [(span, score) for span, score in self._counted(gold, predicted) if span not in elsewhere]
        scores = tuple([score for _, score in counted if score is not None])
        beside = self._counted_beside(gold, predicted)
        unaligned, found = gold.tag_layer(self.name).unaligned, {*map(_in_text, elsewhere.values()), *beside}
        return SpanPair(
            tuple(gold.boundaries(self.name)),
            tuple([span for span, _ in counted]),
            scores if len(scores) == len(counted) and not beside else None,
            tuple([(entity, entity in found) for entity in unaligned]),
            tuple([entity for entity in beside if entity not in unaligned]),
        )

    def _counted_beside(self, gold: Sentence, predicted: Sentence) -> list[Unaligned]:
        """Return the predicted entities that tokens cannot express and that can be compared with gold, each once."""
        layer, found = gold.tag_layer(self.name), list(dict.fromkeys(predicted.tag_layer(self.name).unaligned))
        if not found or _is_complete(layer):
            return found
        unclear = open_tokens(layer.tags)
        return [entity for entity in found if is_counted(_touched(entity, gold), unclear, layer.types)]

    def _elsewhere(self, gold: Sentence, predicted: Sentence) -> dict[Boundary, Span]:
        """Return the predicted entities that equal a gold entity which tokens cannot express."""
        unaligned = set(gold.tag_layer(self.name).unaligned)
        spans = predicted.spans(self.name) if unaligned else ()
        return {Boundary(span.type, span.start, span.end): span for span in spans if _in_text(span) in unaligned}

    def _known_part(self, gold: Sentence, predicted: Sentence) -> tuple[list[str], list[str]]:
        """Return gold and predicted tags of a sentence without the entities that do not count."""
        layer, found = gold.tag_layer(self.name), known_of(predicted.tags(self.name, scheme=self.scheme))
        if elsewhere := self._elsewhere(gold, predicted):
            found = without_spans(found, elsewhere, self.scheme)
        if _is_complete(layer):
            return known_of(gold.tags(self.name, scheme=self.scheme)), found
        return known_part(gold.boundaries(self.name), open_tokens(layer.tags), found, self.scheme, layer.types)

    def _counted(self, gold: Sentence, predicted: Sentence) -> list[tuple[Boundary, float | None]]:
        """Return the predicted entities of a sentence that can be compared with gold, with their probabilities."""
        layer, own = gold.tag_layer(self.name), predicted.tag_layer(self.name).scored_spans
        spans: list[tuple[Boundary, float | None]] = [*own] if own is not None else []
        spans += [(span, None) for span in predicted.boundaries(self.name)] if own is None else []
        if _is_complete(layer):
            return spans
        unclear = open_tokens(layer.tags)
        return [(span, score) for span, score in spans if is_counted(span, unclear, layer.types)]


def _touched(entity: Unaligned, sentence: Sentence) -> Boundary:
    """Return the tokens that have a character of an entity."""
    inside = tokens_in(sentence, entity.start_char, entity.end_char)
    return Boundary(entity.type, inside[0], inside[-1] + 1) if inside else Boundary(entity.type, 0, 0)


def _is_complete(layer: TagLayer) -> bool:
    """Whether all entities of a gold layer are known, so that every predicted entity counts."""
    return layer.types is None and all_known(layer.tags)


def _in_text(span: Span) -> Unaligned:
    return Unaligned(span.type, span.start_char, span.end_char)
