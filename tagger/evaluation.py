"""A model against gold sentences: the full report, and the quick scores that choose weights."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tagger.errors import DataError
from tagger.metrics.accuracy import TagScores, score_labels, score_tags
from tagger.metrics.calibration import calibration_error
from tagger.metrics.entities import EntityScores, score_entities, span_f1
from tagger.metrics.report import Report as Report
from tagger.metrics.report import Scores
from tagger.model.model import Model
from tagger.text.sentence import Label, Sentence, check_spans


def score_predictions(
    gold: Sequence[Sentence],
    predicted: Iterable[Sentence],
    model: Model,
    extra: Mapping[str, object] | None = None,
) -> Report:
    """The scores of each head on the gold sentences that carry its layer.

    Args:
        gold: Sentences with gold layers.
        predicted: The same sentences with predicted layers, in the same order.
        model: The model that predicted.
        extra: More keys for the report.

    Raises:
        DataError: No gold sentence carries any layer of the model, or a layer is of another kind than its head.
    """
    pairs = list(zip(gold, predicted, strict=True))
    scores: dict[str, Scores] = {}
    for layer in model.heads:
        carried = [(g, p) for g, p in pairs if layer in g.layers]
        if carried:
            scores[layer] = _score_layer(layer, model, carried)
    if not scores:
        found = sorted({name for sentence in gold for name in sentence.layers})
        raise DataError(
            f"no sentence carries a layer that the model predicts ({', '.join(model.heads)}); "
            f"the layers of the data are: {', '.join(found) or 'none'}"
        )
    return Report(scores, extra or {})


def _score_layer(layer: str, model: Model, pairs: Sequence[tuple[Sentence, Sentence]]) -> Scores:
    head = model.heads[layer]
    if head.kind == "sentence":
        found = [p.label(layer) for _, p in pairs]
        sure = [label.score for label in found if label.score is not None]
        gold = [g.label(layer).value for g, _ in pairs]
        return score_labels(gold, [label.value for label in found], sure if len(sure) == len(found) else None)
    scheme = head.span_scheme
    if scheme is None:
        scores: TagScores | EntityScores = score_tags(
            [g.tags(layer) for g, _ in pairs], [p.tags(layer) for _, p in pairs]
        )
        sure = [score for _, p in pairs for score in p.tag_scores(layer) or ()]
        right = [hit for g, p in pairs for hit in _hits(g, p, layer)]
    else:
        check_spans(layer, [g for g, _ in pairs])
        scores = score_entities(
            [g.tags(layer, scheme=scheme) for g, _ in pairs], [p.tags(layer, scheme=scheme) for _, p in pairs], scheme
        )
        sure = [span.score for _, p in pairs for span in p.spans(layer) if span.score is not None]
        right = [hit for g, p in pairs for hit in _entity_hits(g, p, layer)]
    known = right and len(sure) == len(right)
    return replace(scores, calibration_error=calibration_error(sure, right)) if known else scores


def dev_scores(gold: Sequence[Sentence], predicted: Iterable[Sentence], model: Model) -> dict[str, float]:
    """The headline of each layer alone, computed fast: strict span F1, or accuracy.

    Source:
        Equal to the full report's; compared in tests/test_evaluation.py.
    """
    pairs = list(zip(gold, predicted, strict=True))
    scores = {}
    for layer, head in model.heads.items():
        carried = [(g, p) for g, p in pairs if layer in g.layers]
        if not carried:
            raise DataError(f"no dev sentence carries the layer `{layer}`, so nothing can choose its weights")
        if head.span_scheme is not None:
            scores[layer] = span_f1(
                (g.boundaries(layer) for g, _ in carried), (p.boundaries(layer) for _, p in carried)
            )
        else:
            hits = [hit for g, p in carried for hit in _hits(g, p, layer)]
            scores[layer] = sum(hits) / len(hits)
    return scores


def _hits(gold: Sentence, predicted: Sentence, layer: str) -> list[bool]:
    """Which tags of a sentence are right, or whether its label is."""
    if isinstance(gold.layers[layer], Label):
        return [gold.label(layer).value == predicted.label(layer).value]
    return [g == p for g, p in zip(gold.tags(layer), predicted.tags(layer), strict=True)]


def _entity_hits(gold: Sentence, predicted: Sentence, layer: str) -> list[bool]:
    """Which predicted entities of a sentence are right in type and boundaries."""
    wanted = set(gold.boundaries(layer))
    return [found in wanted for found in predicted.boundaries(layer)]
