"""`tagger train --dry-run`: read and check everything, build the network, make a few steps, and estimate the rest."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tagger.config import Recipe
from tagger.corpus.corpus import Corpus
from tagger.evaluation import dev_scores
from tagger.features.cache import uncached
from tagger.features.table import passages_for, token_arrays
from tagger.hub.lazy import packed_of
from tagger.inference.torch_backend import TorchBackend, check_device
from tagger.model.network import TorchModel
from tagger.nn.side_by_side import torch_threads
from tagger.running.corpora import read_corpora
from tagger.running.fitting.calibration import check_calibrated
from tagger.running.fitting.memory import estimate_memory
from tagger.running.fitting.start import with_start
from tagger.running.fitting.steps import Training
from tagger.running.folder import RunFolder
from tagger.running.run import RunListener
from tagger.running.teachers.asking import check_taught
from tagger.running.teachers.finding import find_teachers
from tagger.running.train import read_recipe
from tagger.tagging import Tagger
from tagger.text.sentence import Sentence
from tagger.training.stepper import Stepper
from tagger.training.task import Task, share_epoch
from tagger.wording import counted, spoken

STEPS, SECONDS = 2, 3.0  # at least so many steps; more until so much time is over
SAMPLE = 200  # sentences of each corpus, and of dev, that are measured


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a training needs, measured on its first steps.

    Args:
        parameters: Number of all weights.
        trained: Number of those that are trained.
        memory: Bytes that training needs at least.
        steps: Number of steps of an epoch.
        tokens: Number of tokens of an epoch.
        epochs: Number of epochs at most.
        feature_seconds: Time to compute the features of all sentences, once.
        epoch_seconds: Time of the steps of an epoch.
        dev_seconds: Time to score dev after an epoch.
        untrained: The teachers that are trained first, whose time is not counted.
    """

    parameters: int
    trained: int
    memory: float
    steps: int
    tokens: int
    epochs: int
    feature_seconds: float
    epoch_seconds: float
    dev_seconds: float
    untrained: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Time of the whole training if it has all its epochs."""
        return self.feature_seconds + self.epochs * (self.epoch_seconds + self.dev_seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {**asdict(self), "seconds": self.seconds}

    def to_text(self) -> str:
        """Return the figures in lines."""
        pace = self.tokens / max(self.epoch_seconds, 1e-9)
        lines = [
            f"network   {self.parameters:,} weights, of which {self.trained:,} are trained",
            f"memory    at least {self.memory / 2**30:.2f} GiB",
            f"epoch     {counted(self.steps, 'step')}, {self.tokens:,} tokens: about {spoken(self.epoch_seconds)} "
            f"({pace:,.0f} tokens/s), and {spoken(self.dev_seconds)} to score dev",
        ]
        if self.feature_seconds > 1:
            lines.append(f"features  about {spoken(self.feature_seconds)} once; they are kept in the cache")
        lines.append(f"training  at most {counted(self.epochs, 'epoch')}: about {spoken(self.seconds)}")
        if self.untrained:
            lines.append(f"teachers  {', '.join(self.untrained)}: trained before that, which is not counted here")
        return "\n".join(lines) + "\n"


def dry_run(
    recipe: str | Path | Recipe,
    *,
    corpus: Corpus | Mapping[str, Corpus] | None = None,
    data: str | Path | None = None,
    base: str | Path | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    device: str = "cpu",
    threads: int | None = None,
    listener: RunListener | None = None,
) -> DryRun:
    """Check a training run without finishing it, and estimate its memory and time from a few steps.

    Nothing is written. The arguments are those of `train`, and so are the errors, apart from those of teachers: these
    are not asked, and those that are recipes are not trained or counted.
    """
    listener = listener or RunListener()
    recipe, base = read_recipe(recipe, overrides, seed, base)
    check_device(device)
    folder = Path(data) if data is not None else base
    with torch_threads(threads or torch.get_num_threads()):
        found = find_teachers(recipe, base, None, data=data, device=device, tell=listener.noted)
        used, start = with_start(recipe, base, None, device=device)
        labels = start.labels if start is not None else {}
        corpora = read_corpora(
            recipe, folder, from_files=data is not None, tell=listener.noted, given=corpus, labels=labels
        )
        nowhere = RunFolder(None, None, recipe, data=folder, base=base)
        training = Training(used, folder, corpora, device, nowhere, listener, uncached, start)
        check_calibrated(recipe.layers, training.packed, training.dev, labels)
        check_taught(recipe, training.train)
        model = training.build_model(*training.prepare())
        heads = {name: head.model_copy(update={"teacher": None}) for name, head in used.heads.items()}
        sampled = {name: replace(corpus, train=corpus.train[:SAMPLE]) for name, corpus in corpora.items()}
        untaught = used.model_copy(update={"heads": heads})
        task = replace(training, recipe=untaught, corpora=sampled).task(model, {})
        untrained = tuple([name for name, teacher in found.items() if isinstance(teacher, Recipe)])
        return _measured(training, model, task, untrained)


def _measured(training: Training, model: TorchModel, task: Task, untrained: tuple[str, ...]) -> DryRun:
    """Make some steps, and return what the whole training needs."""
    recipe, features = training.recipe, uncached(model.features)
    corpora = list(training.corpora.values())
    sample = [sentence for corpus in corpora for sentence in corpus.train[:SAMPLE]]
    tokens = [_tokens(corpus.train) for corpus in corpora]
    shares = [part / len(corpus.train[:SAMPLE]) for (part, _), corpus in zip(task.parts, corpora, strict=True)]
    sizes = [round(share * len(corpus.train)) for share, corpus in zip(shares, corpora, strict=True)]
    weights = [config.weight for config in recipe.all_corpora().values()]
    drawn = share_epoch(sizes, weights, recipe.training.sampling)
    whole = replace(task, parts=list(zip(sizes, drawn, strict=True)))
    in_epoch = sum(
        number * count / len(corpus.train) for number, count, corpus in zip(drawn, tokens, corpora, strict=True)
    )
    feature_pace = _pace(lambda: token_arrays(features, passages_for(features, sample)), _tokens(sample))
    step_pace = _step_pace(model, task)
    dev = _sample_with(training.learned, training.dev)
    tagger = Tagger(TorchBackend(model, cache=False))
    dev_pace = _pace(lambda: dev_scores(dev, tagger.predict(dev), model, training.learned), _tokens(dev))
    parts = estimate_memory(
        recipe,
        model.vocabulary,
        np.diff(training.packed.starts).tolist(),
        vectors=model.config.vector_dimension,
        features=model.features,
    )
    weights_of = [(parameter.numel(), parameter.requires_grad) for parameter in model.network.parameters()]
    return DryRun(
        parameters=sum(number for number, _ in weights_of),
        trained=sum(number for number, is_trained in weights_of if is_trained),
        memory=sum(parts.values()),
        steps=whole.num_batches,
        tokens=round(in_epoch),
        epochs=recipe.training.epochs * (2 if recipe.training.refit else 1),
        feature_seconds=(sum(tokens) + _tokens(training.dev)) / feature_pace,
        epoch_seconds=in_epoch / step_pace,
        dev_seconds=_tokens(training.dev) / dev_pace,
        untrained=untrained,
    )


def _sample_with(layers: Collection[str], dev: Sequence[Sentence]) -> list[Sentence]:
    """Return sentences from all parts of dev, which has one corpus after another, and one with each of the layers."""
    first: dict[str, int] = {}
    for row, sentence in enumerate(dev):
        for layer in sentence.layers.keys() & set(layers):
            first.setdefault(layer, row)
    rows = {*range(0, len(dev), max(1, len(dev) // SAMPLE)), *first.values()}
    return [dev[row] for row in sorted(rows)]


def _tokens(sentences: Sequence[Sentence]) -> int:
    return len(packed_of(sentences, ()).type_ids)


def _pace(work: Callable[[], object], tokens: int) -> float:
    """Return the tokens per second of some work."""
    started = time.perf_counter()
    work()
    return tokens / max(time.perf_counter() - started, 1e-9)


class _EnoughError(Exception):
    """Ends the steps."""


def _step_pace(model: TorchModel, task: Task) -> float:
    """Return the training tokens per second of a few steps, the first of which is a warm-up."""
    until, paces = time.perf_counter() + SECONDS, [0.0]

    def stepped(step: int, loss: float, tokens_per_second: float) -> None:
        paces.append(tokens_per_second)
        if step >= STEPS and time.perf_counter() > until:
            raise _EnoughError

    stepper = Stepper(model.network, task, stepped)
    try:
        while stepper.step < STEPS or time.perf_counter() < until:
            stepper.run_epoch()
    except _EnoughError:
        pass
    model.network.eval()
    return paces[-1]
