"""The report of a trained model on the test sentences of its corpora."""

import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagger.analysis.knowledge import TrainKnowledge
from tagger.config import Recipe, dump_recipe
from tagger.corpus.corpus import Corpus
from tagger.evaluation import Report, score_predictions
from tagger.files.hashes import CONFIG
from tagger.hub.lazy import is_lazy
from tagger.inference.torch_backend import TorchBackend
from tagger.model.folder.torch_model import model_files
from tagger.model.network import TorchModel
from tagger.reporting.report import signature_of
from tagger.reporting.sections import Context
from tagger.reporting.signature import hashes_of_files
from tagger.tagging import Tagger
from tagger.text.sentence import Sentence


def score_on_test(
    model: TorchModel,
    corpora: Mapping[str, Corpus],
    facts: Mapping[str, object],
    *,
    seen: TrainKnowledge,
    name: str | None,
    started: float,
) -> Report | None:
    """Return the report on the test sentences of all corpora, and of each corpus if there are several.

    Args:
        model: The trained model.
        corpora: The corpora of the recipe.
        facts: How the run was made, among it its `seed`.
        seen: The words and entities of train.
        name: The name of the run.
        started: When the run began, on the clock of `time.perf_counter`.
    """
    tests = {name: list(corpus.test) for name, corpus in corpora.items() if _has_layer(corpus.test, model)}
    if not tests:
        return None
    tagger, context = Tagger(TorchBackend(model)), Context(train=seen)
    predicted = {name: list(tagger.predict(test)) for name, test in tests.items()}
    extra = {"split": "test", **facts, "seconds": _seconds_since(started)}
    if len(tests) > 1:
        parts = {name: score_predictions(test, predicted[name], model, context=context) for name, test in tests.items()}
        extra["corpora"] = {name: part.to_dict() for name, part in parts.items()}
    pooled = [sentence for test in tests.values() for sentence in test]
    known = {"model": name, "seed": facts["seed"], "files": files_of(pooled), "model_sha256": _identity(model)}
    found = [sentence for part in predicted.values() for sentence in part]
    return score_predictions(pooled, found, model, extra, known=known, context=context)


def unscored(facts: Mapping[str, object], *, started: float) -> Report:
    """Return the report of a model that was not scored on test; the arguments are those of `score_on_test`."""
    return Report({}, signature_of({}), {"split": None, **facts, "seconds": _seconds_since(started)})


def _seconds_since(started: float) -> float:
    return round(time.perf_counter() - started, 1)


def _has_layer(sentences: Any, model: TorchModel) -> bool:
    return any(layer in sentence.layers for sentence in sentences for layer in model.heads)


def _identity(model: TorchModel) -> str:
    """Return the SHA-256 of the `config.json` that the model will have on disk."""
    return sha256(model_files(model, card="")[CONFIG]).hexdigest()


def files_of(sentences: Sequence[Sentence]) -> dict[str, str]:
    """Return the SHA-256 of each file that the sentences were read from; nothing for lazy ones, which have no file."""
    if is_lazy(sentences):
        return {}
    paths = dict.fromkeys(sentence.origin.path for sentence in sentences if sentence.origin is not None)
    return hashes_of_files(path for path in paths if Path(path).exists())


def hashes_of_recipe(recipe: Recipe) -> dict[str, str]:
    """Return the SHA-256 of a recipe without its seed, `whole`, and also without its data, `settings`: 12 digits each.

    Runs whose recipes have the same `whole` differ only in their seed.
    """
    whole = recipe.model_copy(update={"seed": 0})
    parts = {"whole": whole, "settings": whole.model_copy(update={"data": None, "corpora": None})}
    return {name: sha256(dump_recipe(part).encode()).hexdigest()[:12] for name, part in parts.items()}
