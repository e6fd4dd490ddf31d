"""Scores of a model: what it predicted, compared with gold sentences, layer by layer."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from tagger.analysis.knowledge import TrainKnowledge
from tagger.errors import DataError, ModelError
from tagger.extensions import Metric, find, must_be, running
from tagger.files.writing import newest
from tagger.heads.table import heads_of
from tagger.metrics.layer import ScoredLayer
from tagger.metrics.named.table import NAMED, Score
from tagger.model.model import Model
from tagger.reporting.report import Report as Report
from tagger.reporting.report import signature_of
from tagger.reporting.sections import Context
from tagger.text.sentence import Sentence
from tagger.wording import shorten

SEEN = "seen.json"  # in the folder of a run: the words and entities of train


def score_predictions(
    gold: Sequence[Sentence],
    predicted: Iterable[Sentence],
    model: Model,
    extra: Mapping[str, object] | None = None,
    *,
    known: Mapping[str, Any] | None = None,
    context: Context | None = None,
) -> Report:
    """Return the scores of each head on the gold sentences that have its layer.

    Args:
        gold: Sentences with gold layers.
        predicted: The same sentences with predicted layers, in the same order.
        model: The model that predicted.
        extra: More keys for the report.
        known: More values for its signature, such as `files`.
        context: What its sections need beside the sentences. Without `train`, the run folder of the model is asked.

    Raises:
        DataError: No gold sentence has a layer of the model, or a layer has tags where the head predicts labels, or the
            other way round.
        ModelError: A file of the run folder of the model is damaged.
    """
    pairs = list(zip(gold, predicted, strict=True))
    layers = {}
    for layer, head in heads_of(model.heads).items():
        carried = _having(layer, pairs)
        if carried[0]:
            layers[layer] = head.scored(*carried)
    if not layers:
        found = sorted({name for sentence in gold for name in sentence.layers})
        raise DataError(
            f"no sentence has a layer that the model predicts ({', '.join(model.heads)}); "
            f"the layers of the data are: {', '.join(found) or 'none'}"
        )
    metrics = {layer: own_metrics(scored, model.heads[layer].metrics) for layer, scored in layers.items()}
    context = replace(context or Context(), metrics={layer: scores for layer, scores in metrics.items() if scores})
    train = context.train or read_seen(model)
    if train is not None:
        context = replace(context, train=_within(train, model, layers.values()))
    return Report(layers, signature_of(layers, **known or {}), extra or {}, context)


def own_metrics(layer: ScoredLayer, names: Iterable[str]) -> dict[str, float | None]:
    """Return the scores of a layer that its head asks for, by their names.

    Raises:
        ModelError: An extension is missing, or raises an error, or returns no finite number.
    """
    scores = {}
    for name, compute in _metrics(layer.name, names).items():
        where = f"the layer `{layer.name}` cannot be scored: the metric `{name}`"
        with running(where, ModelError):
            found = compute(layer.gold, layer.predicted, layer.name)
        try:
            score = None if found is None or isinstance(found, str | bytes) else float(found)
        except (TypeError, ValueError, OverflowError):  # such as a list, or an integer of 400 digits
            score = None
        if found is not None and (score is None or not isfinite(score)):
            raise ModelError(
                f"{where} must return a finite number, or None if it is not defined, got {shorten(found)}; correct its "
                "code"
            )
        scores[name] = score
    return scores


def check_metrics(
    gold: Sequence[Sentence], predict: Callable[[Sequence[Sentence]], Iterable[Sentence]], model: Model
) -> None:
    """Compute the metrics of extensions for a model that is not trained yet, so that they cannot fail at its end.

    Args:
        gold: The dev sentences.
        predict: Returns them with predicted layers; not called if no head has such a metric.
        model: The model.

    Raises:
        ModelError: An extension is missing, or raises an error, or returns no finite number.
    """
    heads = {layer: head for layer, head in heads_of(model.heads).items() if head.config.metrics}
    for layer, head in heads.items():
        _metrics(layer, head.config.metrics)
    pairs = list(zip(gold, predict(gold), strict=True)) if heads else []
    for layer, head in heads.items():
        carried = _having(layer, pairs)
        if carried[0]:
            own_metrics(head.scored(*carried), head.config.metrics)


def _metrics(layer: str, names: Iterable[str]) -> dict[str, Score]:
    """Return the scores with these names, of the library or of extensions, or refuse a missing one."""
    found: dict[str, Score] = {}
    for name in names:
        if name in NAMED:
            found[name] = NAMED[name]
            continue
        if (metric := find(Metric, name)) is None:
            raise ModelError(
                f"the layer `{layer}` cannot be scored: `metrics` {must_be(Metric, name)}; install it, or pass it in "
                "`extensions`"
            )
        found[name] = metric.score
    return found


def read_seen(model: Model) -> TrainKnowledge | None:
    """Return the words and entities of train that the run folder of a model has kept; None if it has no such file.

    Raises:
        ModelError: The file is damaged.
    """
    if model.source is None or model.source.folder.name != "model":
        return None
    path = newest(model.source.folder.parent / SEEN)
    if not path.is_file():
        return None
    try:
        return TrainKnowledge.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        advice = "delete it, or name the training files with --train FILE"
        raise ModelError(
            f"{path}: expected the words and entities of train, but it cannot be read: {shorten(str(error))}; {advice}"
        ) from None


def _within(train: TrainKnowledge, model: Model, layers: Iterable[ScoredLayer]) -> TrainKnowledge:
    """Return what train and the model know of the sentences of these layers."""
    sentences = [sentence for layer in layers for sentence in (*layer.gold, *layer.predicted)]
    words = {word for sentence in sentences for word in sentence.tokens}
    known = frozenset(word for word in words if model.vocabulary.word_id(word))
    return train.with_vectors(known).within(sentences)


def dev_scores(
    gold: Sequence[Sentence], predicted: Iterable[Sentence], model: Model, layers: Collection[str] | None = None
) -> dict[str, float]:
    """Return the headline of each of these layers alone, computed fast: strict span F1, or accuracy.

    Args:
        gold: Sentences with gold layers.
        predicted: The same sentences with predicted layers, in the same order.
        model: The model that predicted.
        layers: Layers of the model; default: all.

    Raises:
        DataError: No gold sentence has one of the layers.

    Source:
        Equal to the headlines of the full report; compared in tests/test_evaluation.py.
    """
    pairs = list(zip(gold, predicted, strict=True))
    scores = {}
    for layer, head in heads_of(model.heads).items():
        if layers is not None and layer not in layers:
            continue
        carried = _having(layer, pairs)
        if not carried[0]:
            raise DataError(f"no dev sentence has the layer `{layer}`, so the best epoch cannot be chosen; add some")
        scores[layer] = head.scored(*carried).headline
    return scores


def _having(layer: str, pairs: Sequence[tuple[Sentence, Sentence]]) -> tuple[list[Sentence], list[Sentence]]:
    """Return the gold sentences that have a layer, and the predicted sentences that belong to them."""
    carried = [pair for pair in pairs if layer in pair[0].layers]
    return [gold for gold, _ in carried], [predicted for _, predicted in carried]
