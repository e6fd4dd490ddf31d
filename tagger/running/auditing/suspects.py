"""The disagreements of a model with gold sentences, for the search for likely errors of gold."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tagger.analysis.suspects import Search
from tagger.inference.predict import tag_marginals
from tagger.metrics.layer import ClassLayer, ScoredLayer
from tagger.reporting.report import Report
from tagger.tagging import Tagger


def with_suspects(report: Report, tagger: Tagger) -> Report:
    """Return the report of a model with the likely errors of its gold sentences.

    Args:
        report: The report of the model.
        tagger: The model. It was not trained on the gold sentences: it would remember their errors.
    """
    searches = {name: Search(name) for name in report.layers}
    add_disagreements(searches, tagger, report.layers)
    suspects = {name: search.found() for name, search in searches.items()}
    return replace(report, context=replace(report.context, suspects=suspects))


def add_disagreements(searches: Mapping[str, Search], tagger: Tagger, layers: Mapping[str, ScoredLayer]) -> None:
    """Add what a model predicted to the search of each layer, with the probability of each tag or class.

    Args:
        searches: The search of each layer, by name.
        tagger: The model. It was not trained on the gold sentences.
        layers: Gold and predicted sentences of each layer, as in its report.
    """
    for name, layer in layers.items():
        labels = tagger.model.vocabulary.labels[name]
        if isinstance(layer, ClassLayer):
            scores = [sentence.label(name).scores or {} for sentence in layer.predicted]
            probabilities = [np.array([[each.get(label, 0.0) for label in labels]]) for each in scores]
            searches[name].add(layer, labels, probabilities)
        else:
            found = tag_marginals(layer.gold, tagger.backend)
            searches[name].add(layer, labels, (tables.get(name, np.empty((0, len(labels)))) for tables in found))
