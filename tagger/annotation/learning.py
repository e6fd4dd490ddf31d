"""The training beside the person: a model from the judgements so far, its score, and what it says of texts."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from tagger.annotation.exporting import judged_sentences
from tagger.annotation.judgements import LAYER, SCHEME
from tagger.annotation.selection import is_held_out
from tagger.annotation.store import Store, Text
from tagger.annotation.suggesting import predictions, span_layer
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
    settings = store.settings()
    tagger = load(settings["start"], backend="torch")
    layer = span_layer(tagger, settings["types"])
    if layer is not None:
        texts = _to_read(store, settings["seed"])
        store.add_predictions(predictions(tagger, layer, settings["types"], texts))


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
    settings = store.settings()
    types, gold = settings["types"], store.gold(LAYER, SCHEME)
    judged = judged_sentences(store)
    held = [s for draw, s in judged if is_held_out(draw) and not gold]
    sentences = [s for draw, s in judged if gold or not is_held_out(draw)]
    if len(sentences) < 2 or not any(s.spans(LAYER) for s in sentences):
        return False
    number, began = store.begin_training(), time.monotonic()
    tokens = sum(map(len, sentences))
    rate = next((done.facts["rate"] for done in reversed(store.trainings()) if "rate" in done.facts), RATE)
    limit = math.inf if epochs is not None else LATE * seconds
    epochs = epochs or max(EPOCHS[0], min(EPOCHS[1], int(seconds * rate / tokens)))
    try:
        run, layer = _trained(settings, sentences, epochs, folder, threads, _Deadline(limit))
        done = run.outcome.epochs
        scored = gold or [s for s in held if all_known(s.tag_layer(LAYER).tags)]
        facts: dict[str, Any] = {
            "sentences": len(sentences),
            "tokens": tokens,
            "epochs": len(done),
            "rate": tokens * len(done) / max(done[-1].seconds, 0.1),
            "score": score(run.tagger, layer, types, scored) if scored else None,
        }
        said = list(predictions(run.tagger, layer, types, _to_read(store, settings["seed"])))
    except TaggerError as error:
        store.end_training(number, 0.0, {"error": str(error)})  # the next one begins after as many judgements again
        raise
    store.end_training(number, time.monotonic() - began, facts, said)
    return True


def _trained(
    settings: dict[str, Any],
    sentences: Sequence[Sentence],
    epochs: int,
    folder: Path | None,
    threads: int | None,
    listener: RunListener,
) -> tuple[Run, str]:
    """Return the run, and the layer of its entities.

    If the model to start from finds some of the types, all its heads stay, and it teaches what the judgements leave
    open; otherwise the network begins with its words, characters and encoder.
    """
    start = load(settings["start"], backend="torch")
    layer = span_layer(start, settings["types"])
    values: dict[str, Any] = {"start": settings["start"], "seed": settings["seed"]}
    values["training"] = {**TRAINING, "epochs": epochs, "patience": epochs}
    if layer is None:
        layer = LAYER
        values["heads"] = {layer: {"kind": "tokens", "scheme": SCHEME}}
    else:
        own = start.model.heads[layer].model_dump(exclude_unset=True, exclude=OF_TRAINING | {"layer"})
        values |= {"keep": 1.0, "heads": {layer: own}}
        values["training"]["select"] = layer
    only = tuple(settings["types"])  # an `O` excludes these alone
    named = [replace(s, layers={layer: replace(s.tag_layer(LAYER), types=only)}) for s in sentences]
    corpus = Corpus(named, dev=_chosen_on(named, layer), schemes={layer: SCHEME}, rules=start.model.text_rules)
    run = train(
        Recipe.model_validate(values),
        corpus=corpus,
        output=folder,
        overwrite=folder is not None,
        threads=threads,
        listener=listener,
    )
    return run, layer


def _chosen_on(sentences: Sequence[Sentence], layer: str) -> list[Sentence]:
    """Return the sentences on which the epoch is chosen: of train, because the others measure; those with entities."""
    return sorted(sentences, key=lambda s: -len(known_spans(s.tag_layer(layer).tags, SCHEME)))[:CHOSEN_ON]


def score(tagger: Tagger, layer: str, types: Sequence[str], gold: Sequence[Sentence]) -> dict[str, Any]:
    """Return strict F1 of entities of some types on gold sentences, with its bootstrap interval over sentences."""
    named = [replace(s, layers={layer: replace(s.tag_layer(LAYER), types=tuple(types))}) for s in gold]
    scored = head_of(layer, tagger.model.heads[layer]).scored(named, list(tagger.predict(named)))
    found = interval(scored.counts, scored.statistic)
    ends = {"low": None, "high": None} if found is None else {"low": found.low, "high": found.high}
    return {"f1": scored.headline, **ends, "sentences": len(named)}


def _to_read(store: Store, seed: int) -> list[Text]:
    """Return the texts that a new model reads: those begun and not finished, and a draw of those without judgement."""
    untouched = [id for id, _, _ in store.untouched()]
    random = Random(f"{seed} {len(store.trainings())}")
    drawn = untouched if len(untouched) <= READ else random.sample(untouched, READ)
    return store.texts([*store.judgements_by_text(), *drawn])
