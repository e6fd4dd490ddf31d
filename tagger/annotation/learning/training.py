"""One training: a model from the judgements so far, its score, and what it says of texts."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from tagger.annotation.exporting import judged_texts
from tagger.annotation.judgements import LAYER, SCHEME
from tagger.annotation.learning.suggesting import predictions, span_layer
from tagger.annotation.store.settings import Settings
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import Text
from tagger.config import Recipe
from tagger.config.heads import OF_TRAINING
from tagger.corpus.corpus import Corpus
from tagger.errors import TaggerError
from tagger.heads.table import head_of
from tagger.metrics.resampling import interval
from tagger.running.run import Run, RunListener
from tagger.running.train import train
from tagger.tagging import Tagger, load
from tagger.text.gaps import all_known, known_spans
from tagger.text.sentence import Sentence
from tagger.training.loop import Epoch, StopTraining

SECONDS = 12.0  # of the epochs of a training; loading, scoring and reading the texts come on top
RATE = 1500.0  # tokens per second before a training has measured it
LATE = 1.2  # share of the planned time after which no further epoch begins
EPOCHS = (3, 60)  # fewest and most
READ = 2000  # texts without judgement that a new model reads
CHOSEN_ON = 200  # sentences of train on which the epoch is chosen
TRAINING = {"batch_size": 8, "learning_rate": 0.003}


class _Deadline(RunListener):
    """Ends a training that takes longer than planned, and writes nothing to the log."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def noted(self, message: str) -> None:
        """Drop the note."""

    def scored(self, epoch: Epoch) -> None:
        """Make this epoch the last one if the time is over."""
        if epoch.seconds > self.seconds:
            raise StopTraining("the time is over")


def suggest_from_start(store: Store) -> None:
    """Save what the model that trainings start from says of texts, if it finds one of the types."""
    tagger = load(store.settings.start, backend="torch")
    layer = span_layer(tagger, store.settings.types)
    if layer is not None:
        store.predictions.add(predictions(tagger, layer, store.settings.types, _to_read(store)))


def learn(
    store: Store,
    *,
    folder: Path | None = None,
    threads: int | None = None,
    seconds: float = SECONDS,
    epochs: int | None = None,
) -> bool:
    """Train a model with the judgements so far, score it, and save what it says of texts.

    Args:
        store: The file of the project.
        folder: The run folder of the model; what it held stays until the training has ended. None: it is not kept.
        threads: Number of CPU threads.
        seconds: How long the epochs may take; as many of them are made as the speed of the last training allows.
        epochs: Number of epochs, however long they take. Default: by `seconds`.

    Returns:
        Whether there was something to learn: an entity in two texts that are not held out.

    Raises:
        TaggerError: The model to start from cannot be loaded, or the folder is in use. The project has the reason.
    """
    settings, judged = store.settings, judged_texts(store)
    sentences = [text.sentence for text in judged if not settings.is_held_out(text.draw)]
    if len(sentences) < 2 or not any(sentence.spans(LAYER) for sentence in sentences):
        return False
    held = [text.sentence for text in judged if settings.is_held_out(text.draw)]
    number, began = store.trainings.begin(), time.monotonic()
    deadline = _Deadline(LATE * seconds if epochs is None else math.inf)
    epochs = epochs or _epochs_in(seconds, store, sentences)
    try:
        run, layer = _trained(settings, sentences, epochs, folder, threads, deadline)
        scored = store.gold() or [sentence for sentence in held if all_known(sentence.tag_layer(LAYER).tags)]
        facts = _size(run, sentences)
        facts["score"] = score(run.tagger, layer, settings.types, scored) if scored else None
        said = list(predictions(run.tagger, layer, settings.types, _to_read(store)))
    except TaggerError as error:
        store.trainings.end(number, 0.0, {"error": str(error)})  # the next one begins after as many judgements again
        raise
    store.trainings.end(number, time.monotonic() - began, facts, said)
    return True


def _epochs_in(seconds: float, store: Store, sentences: Sequence[Sentence]) -> int:
    """Return how many epochs fit into some seconds, at the speed of the last training."""
    rates = [RATE, *(training.facts["rate"] for training in store.trainings.all() if "rate" in training.facts)]
    fewest, most = EPOCHS
    return max(fewest, min(most, int(seconds * rates[-1] / sum(map(len, sentences)))))


def _size(run: Run, sentences: Sequence[Sentence]) -> dict[str, Any]:
    """Return how much was learned, and how many tokens in a second."""
    tokens, epochs = sum(map(len, sentences)), run.outcome.epochs
    rate = tokens * len(epochs) / max(epochs[-1].seconds, 0.1)
    return {"sentences": len(sentences), "tokens": tokens, "epochs": len(epochs), "rate": rate}


def _trained(
    settings: Settings,
    sentences: Sequence[Sentence],
    epochs: int,
    folder: Path | None,
    threads: int | None,
    listener: RunListener,
) -> tuple[Run, str]:
    """Return the run, and the layer of its entities."""
    start = load(settings.start, backend="torch")
    layer = span_layer(start, settings.types)
    recipe = _recipe(settings, epochs, start, layer)
    layer = layer or LAYER
    named = _named(sentences, layer, settings.types)
    corpus = Corpus(named, dev=_chosen_on(named, layer), schemes={layer: SCHEME}, rules=start.model.text_rules)
    run = train(recipe, corpus=corpus, output=folder, overwrite=folder is not None, threads=threads, listener=listener)
    return run, layer


def _recipe(settings: Settings, epochs: int, start: Tagger, layer: str | None) -> Recipe:
    """Return the recipe of a training.

    If the model to start from finds some of the types, in a layer, all its heads stay, and it teaches what the
    judgements leave open; otherwise the network begins with its words, characters and encoder.
    """
    values: dict[str, Any] = {"start": settings.start, "seed": settings.seed}
    values["training"] = {**TRAINING, "epochs": epochs, "patience": epochs}
    if layer is None:
        values["heads"] = {LAYER: {"kind": "tokens", "scheme": SCHEME}}
    else:
        own = start.model.heads[layer].model_dump(exclude_unset=True, exclude=OF_TRAINING | {"layer"})
        values |= {"keep": 1.0, "heads": {layer: own}}
        values["training"]["select"] = layer
    return Recipe.model_validate(values)


def _named(sentences: Sequence[Sentence], layer: str, types: Sequence[str]) -> list[Sentence]:
    """Return sentences whose judged entities are in a layer, and whose `O` excludes some types alone."""
    return [replace(s, layers={layer: replace(s.tag_layer(LAYER), types=tuple(types))}) for s in sentences]


def _chosen_on(sentences: Sequence[Sentence], layer: str) -> list[Sentence]:
    """Return the sentences on which the epoch is chosen: of train, because the others measure; those with entities."""
    return sorted(sentences, key=lambda s: -len(known_spans(s.tag_layer(layer).tags, SCHEME)))[:CHOSEN_ON]


def score(tagger: Tagger, layer: str, types: Sequence[str], gold: Sequence[Sentence]) -> dict[str, Any]:
    """Return strict F1 of entities of some types on gold sentences, with its bootstrap interval over sentences."""
    named = _named(gold, layer, types)
    scored = head_of(layer, tagger.model.heads[layer]).scored(named, list(tagger.predict(named)))
    found = interval(scored.counts, scored.statistic)
    ends = {"low": None, "high": None} if found is None else {"low": found.low, "high": found.high}
    return {"f1": scored.headline, **ends, "sentences": len(named)}


def _to_read(store: Store) -> list[Text]:
    """Return the texts that a new model reads: those begun and not finished, and a draw of those without judgement."""
    untouched = [text.id for text in store.texts.untouched()]
    random = Random(f"{store.settings.seed} {len(store.trainings.all())}")
    drawn = untouched if len(untouched) <= READ else random.sample(untouched, READ)
    return store.texts.some([*store.judgements.by_text(), *drawn])
