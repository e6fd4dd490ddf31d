"""Scores of a model: what it predicted, compared with gold sentences, layer by layer."""

from collections.abc import Iterable, Mapping, Sequence

from tagger.errors import DataError
from tagger.heads.table import heads_of
from tagger.metrics.report import Report as Report
from tagger.model.model import Model
from tagger.text.sentence import Sentence


def score_predictions(
    gold: Sequence[Sentence],
    predicted: Iterable[Sentence],
    model: Model,
    extra: Mapping[str, object] | None = None,
) -> Report:
    """Return the scores of each head on the gold sentences that have its layer.

    Args:
        gold: Sentences with gold layers.
        predicted: The same sentences with predicted layers, in the same order.
        model: The model that predicted.
        extra: More keys for the report.

    Raises:
        DataError: No gold sentence has a layer of the model, or a layer has tags where the head predicts labels, or the
            other way round.
    """
    pairs = list(zip(gold, predicted, strict=True))
    scores = {}
    for layer, head in heads_of(model.heads).items():
        carried = _having(layer, pairs)
        if carried[0]:
            scores[layer] = head.score(*carried)
    if not scores:
        found = sorted({name for sentence in gold for name in sentence.layers})
        raise DataError(
            f"no sentence has a layer that the model predicts ({', '.join(model.heads)}); "
            f"the layers of the data are: {', '.join(found) or 'none'}"
        )
    return Report(scores, extra or {})


def dev_scores(gold: Sequence[Sentence], predicted: Iterable[Sentence], model: Model) -> dict[str, float]:
    """Return the headline of each layer alone, computed fast: strict span F1, or accuracy.

    Raises:
        DataError: No gold sentence has a layer of the model.

    Source:
        Equal to the headlines of the full report; compared in tests/test_evaluation.py.
    """
    pairs = list(zip(gold, predicted, strict=True))
    scores = {}
    for layer, head in heads_of(model.heads).items():
        carried = _having(layer, pairs)
        if not carried[0]:
            raise DataError(f"no dev sentence has the layer `{layer}`, so the best epoch cannot be chosen; add some")
        scores[layer] = head.dev_score(*carried)
    return scores


def _having(layer: str, pairs: Sequence[tuple[Sentence, Sentence]]) -> tuple[list[Sentence], list[Sentence]]:
    """Return the gold sentences that have a layer, and the predicted sentences that belong to them."""
    carried = [pair for pair in pairs if layer in pair[0].layers]
    return [gold for gold, _ in carried], [predicted for _, predicted in carried]
