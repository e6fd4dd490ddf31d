"""A recipe from start to end: corpora, vocabulary, network, training, report and run folder."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tagger.analysis.knowledge import TrainKnowledge, knowledge_of
from tagger.config import CorpusConfig, ReadingConfig, Recipe, load_recipe
from tagger.corpus.augmentation import with_copies
from tagger.corpus.corpus import Corpus
from tagger.encoding.vectors import read_vectors
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import DataError, RecipeError
from tagger.evaluation import Report, dev_scores
from tagger.features.cache import CachedFeature, caching, uncached
from tagger.features.feature import Given
from tagger.features.passages import Passage, have_neighbours, joined, passages_of
from tagger.features.table import (
    Features,
    longest_context,
    prepare_features,
    read_alone,
    reads_sentences,
    token_arrays,
)
from tagger.heads.table import heads_of
from tagger.hub.lazy import packed_of, telling
from tagger.inference.predict import encoded_for
from tagger.inference.torch_backend import TorchBackend, check_device
from tagger.model.config import FORMAT, WITHOUT_FEATURES, ModelConfig
from tagger.model.network import TorchModel, build_network
from tagger.reporting.report import signature_of
from tagger.running.calibration import Facts, calibrate, check_calibrated, describe_calibration
from tagger.running.corpora import read_corpora
from tagger.running.folder import RunFolder, open_run_folder
from tagger.running.memory import check_memory
from tagger.running.run import Run, RunListener
from tagger.running.splitting import stays_whole, text_rules_of
from tagger.running.teachers.asking import check_taught, with_teachers
from tagger.running.teachers.finding import Teachers, find_teachers
from tagger.running.teachers.models import ModelTeacher
from tagger.running.testing import files_of, hashes_of_recipe, score_on_test
from tagger.tagging import Tagger
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence
from tagger.text.tokenization import Split, TextRules
from tagger.training.loop import STOPPED, Epoch, Outcome, refit_network, train_network
from tagger.training.task import Task, share_epoch
from tagger.wording import counted, quoted


def train(
    recipe: str | Path | Recipe,
    *,
    corpus: Corpus | Mapping[str, Corpus] | None = None,
    data: str | Path | None = None,
    base: str | Path | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    device: str = "cpu",
    threads: int | None = None,
    listener: RunListener | None = None,
    tokenize: Split | None = None,
) -> Run:
    """Train a model and score it on test. Teachers that are recipes are trained first, in the same way.

    Args:
        recipe: A recipe, or the path of its TOML file.
        corpus: Sentences or documents made in Python, to be used in place of the corpus of the recipe. For a recipe
            with several corpora, one for each by name, as `load_corpora` returns them.
        data: Folder that paths of corpora and vectors are relative to; default: the folder of the recipe.
        base: Folder that the paths of a `Recipe` are relative to; default: the working directory. A file has its own.
        output: Folder of the run; default: nothing is written. It has the best model so far after each epoch.
        overwrite: Whether to replace a run that `output` already holds. It stays until the new run has ended.
        seed: Replaces the seed of the recipe.
        overrides: Values of the recipe to replace, as `section.key=value`.
        device: Where the network runs: `cpu`, `cuda` or `cuda:N`.
        threads: Number of CPU threads; default: all cores. A training uses two at most.
        listener: Called on events of the run, such as the end of an epoch.
        tokenize: Function that splits raw text: it takes a text and returns its tokens, or start and end of each. The
            model keeps its name only, and needs it again: `tagger.load(output, tokenize=...)`.

    Raises:
        RecipeError: The recipe is invalid.
        DataError: A file of the data is invalid, or a file of the run cannot be written.
        ModelError: The device is not available, or `output` holds a run, is in use or is not writable.
    """
    listener = listener or RunListener()
    started = time.perf_counter()
    recipe, base = read_recipe(recipe, overrides, seed, base)
    if tokenize is not None:
        recipe = recipe.with_function(tokenize)
        corpus = corpus and _with_function(corpus, tokenize)
    check_device(device)
    path = Path(output) if output is not None else None
    folder = Path(data) if data is not None else base
    with (
        open_run_folder(path, recipe, data=folder, base=base, overwrite=overwrite) as run_folder,
        caching(tell=listener.noted, progress=listener.advanced) as keep,
    ):
        if run_folder.work != path:
            listener.noted(
                f"the run in {path} stays until this one has ended; this one is in {run_folder.work} until then"
            )
        if threads is not None:
            torch.set_num_threads(threads)
        found = find_teachers(recipe, base, path, data=data, device=device, tell=listener.noted)
        corpora = read_corpora(recipe, folder, from_files=data is not None, tell=listener.noted, given=corpus)
        training = _Training(recipe, folder, corpora, device, run_folder, listener, keep)
        check_calibrated(recipe.layers, training.packed, training.dev)
        check_taught(recipe, training.train)
        prepared = training.prepare()  # before teachers are trained, so that mistakes in [features] are found first
        teachers = _train_teachers(found, base, run_folder, listener, data=data, seed=recipe.seed, device=device)
        model, outcome, facts, seen = training.run(*prepared, teachers)
        report = None
        if not outcome.interrupted:
            name = path.name if path is not None else None
            report = score_on_test(model, corpora, facts, seen=seen, name=name, started=started)
        elif any(corpus.test for corpus in corpora.values()):
            listener.noted("not scored on test, because training was stopped")
        seconds = round(time.perf_counter() - started, 1)
        unscored = Report({}, signature_of({}), {"split": None, **facts, "seconds": seconds})
        run_folder.finish(model, outcome.epochs, report or unscored, seen)
        if path is not None:
            listener.noted(f"the model is in {path}")
        tagger = Tagger(TorchBackend(replace(model, features=uncached(model.features))))
        return Run(tagger, report, outcome, path)


def read_recipe(
    recipe: str | Path | Recipe,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    base: str | Path | None = None,
) -> tuple[Recipe, Path]:
    """Return the recipe of a run, and the folder that its paths are relative to; the arguments are those of `train`."""
    if not isinstance(recipe, Recipe):
        given = [*overrides, *([f"seed={seed}"] if seed is not None else [])]
        return load_recipe(recipe, given), Path(recipe).parent
    if overrides:
        raise RecipeError("overrides need the path of a recipe; change the Recipe instead")
    return recipe if seed is None else recipe.model_copy(update={"seed": seed}), Path(base or "")


def _with_function(corpus: Corpus | Mapping[str, Corpus], tokenize: Split) -> Corpus | Mapping[str, Corpus]:
    """Return the given corpora with a function that splits their raw text."""
    if isinstance(corpus, Corpus):
        return replace(corpus, rules=corpus.rules.with_function(tokenize))
    return {name: replace(each, rules=each.rules.with_function(tokenize)) for name, each in corpus.items()}


def _train_teachers(
    found: Mapping[str, Recipe | Teachers], base: Path, run_folder: RunFolder, listener: RunListener, **settings: Any
) -> dict[str, Teachers]:
    """Return the teachers; those that are recipes are trained with `settings`, in the folder of the run."""
    teachers = {name: teacher for name, teacher in found.items() if not isinstance(teacher, Recipe)}
    untrained = [name for name in found if name not in teachers]
    for number, name in enumerate(untrained, 1):
        listener.noted(f"training teacher {number} of {len(untrained)}: {name} with seed {settings['seed']}")
        try:
            lesson = train(base / name, output=run_folder.teacher(name), listener=listener, **settings)
            if lesson.outcome.interrupted:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            listener.noted("training of a teacher was stopped, so this run ends too")
            raise
        teachers[name] = (ModelTeacher(lesson.tagger),)
    return teachers


class _Trained(NamedTuple):
    """A model at the end of its training.

    Args:
        model: The model.
        outcome: The epochs of its training.
        facts: How it was made, for the report.
        seen: The words and entities of train.
    """

    model: TorchModel
    outcome: Outcome
    facts: dict[str, object]
    seen: TrainKnowledge


@dataclass
class _Training:
    """The steps from corpora to a trained and calibrated model.

    Args:
        recipe: The recipe of the run.
        folder: Folder that the paths of word vectors are relative to.
        corpora: The corpora of the recipe, in its order.
        device: Where the network runs.
        run_folder: Where the best model so far is kept.
        listener: Called on events of the run.
        keep: Returns features whose values are kept on disk.
    """

    recipe: Recipe
    folder: Path
    corpora: Mapping[str, Corpus]
    device: str
    run_folder: RunFolder
    listener: RunListener
    keep: Callable[[Features], Features]

    def __post_init__(self) -> None:
        self.schemes = {layer: head.span_scheme for layer, head in self.recipe.layers.items()}
        parts = [corpus.train for corpus in self.corpora.values()]
        self.train = _of_parts(parts)
        self.dev = joined(corpus.dev for corpus in self.corpora.values())
        self.packed = packed_of(self.train, self.recipe.layers)

    def prepare(self) -> tuple[TextRules, Features]:
        """Return how texts are split, and the features of the recipe."""
        by_corpus = {name: corpus.rules for name, corpus in self.corpora.items()}
        rules = text_rules_of(by_corpus, self.packed, self.listener.noted)
        given = Given(self.folder, self.packed, self.listener.noted, self.device, rules)
        return rules, self._as_trained(prepare_features(self.recipe.features, given))

    def run(self, rules: TextRules, features: Features, teachers: Mapping[str, Teachers]) -> _Trained:
        """Train a model whose weights dev chooses, calibrate it, and train it again with dev if the recipe says so."""
        model = self.build_model(rules, features)
        outcome = self.fit(model, teachers)
        best, training = outcome.best, self
        if best is None:
            raise KeyboardInterrupt
        self.listener.noted(f"{outcome.reason}; best dev score {best.selected:.4f} in epoch {best.epoch}")
        model, calibrated = self.calibrate(model, best)
        if self.recipe.training.refit and not outcome.interrupted:
            model, training, outcome = self.refit(model, best, teachers, outcome)
        facts = training.facts(best, outcome.reason, calibrated)
        return _Trained(model, outcome, facts, knowledge_of(training.train))

    def build_model(self, rules: TextRules, features: Features) -> TorchModel:
        """Return a model with fresh weights, and with the words and labels of the train sentences."""
        recipe, embeddings, vectors = self.recipe, self.recipe.embeddings, None
        if embeddings.vectors:
            self.listener.noted("reading word vectors")
            paths = [self.folder / path for path in embeddings.vectors]
            vectors = read_vectors(paths, max_words=embeddings.max_words)
        vocabulary = build_vocabulary(self.packed, layers=self.schemes, vectors=vectors, tune=embeddings.tune)
        dimension = vectors.dimension if vectors else embeddings.dimension
        features = self.keep(features)
        widths = {name: feature.width for name, feature in features.items()}
        lengths = np.diff(self.packed.starts).tolist()
        check_memory(recipe, vocabulary, lengths, vectors=dimension, features=features, device=self.device)
        for layer, names in vocabulary.labels.items():
            if len(names) == 1:
                self.listener.noted(
                    f"train has only one label of `{layer}`, {names[0]}, so its head has nothing to learn"
                )
        config = ModelConfig(
            format=FORMAT if features else WITHOUT_FEATURES,
            version=version("tagger-bilstm"),
            tokenizer=rules.name,
            embeddings=embeddings,
            encoder=recipe.encoder,
            heads=recipe.layers,
            vector_dimension=dimension,
            schemes=self._file_schemes(),
            features={name: feature.config for name, feature in features.items()},
            feature_widths=widths,
            reading={name: _reading(config, self.corpora[name]) for name, config in recipe.all_corpora().items()},
        )
        if rules.segment is None and stays_whole(config, telling(self.train)):
            rules = rules.changed(segment="none")
            self.listener.noted("each train text has a label, so the model does not split a text into sentences")
        network = build_network(
            vocabulary, config, features=features, vectors=vectors, seed=recipe.seed, device=self.device
        )
        return TorchModel(config, vocabulary, None, network, rules=rules, features=features)

    def _as_trained(self, features: Features) -> Features:
        """Return the features; if train has no neighbours to read, they do not read any in tagging either."""
        if longest_context(features) and not have_neighbours(self.train):
            names = quoted(read_alone(features))
            self.listener.noted(
                f"train has no documents of several sentences, so the model reads no context (features: {names})"
            )
        return features

    def _file_schemes(self) -> dict[str, Scheme | None]:
        """Return the scheme in which the tags of each layer are written: that of its first corpus."""
        schemes: dict[str, Scheme | None] = {}
        for name, corpus in self.corpora.items():
            for layer, scheme in corpus.schemes.items():
                if layer not in self.schemes or schemes.setdefault(layer, scheme) == scheme:
                    continue
                if self.schemes[layer] is None:
                    raise RecipeError(
                        f"corpus `{name}`: layer `{layer}` must be in the same scheme in all corpora, got {scheme} "
                        f'beside {schemes[layer]}; give its head a scheme such as "bioes", which all are converted to'
                    )
                self.listener.noted(f"layer `{layer}` is in several schemes; tags are given back as {schemes[layer]}")
        return schemes

    def fit(self, model: TorchModel, teachers: Mapping[str, Teachers]) -> Outcome:
        """Train a model, and keep the best weights so far after each epoch."""
        tell = self.listener.noted

        def keep(epochs: Sequence[Epoch]) -> None:
            try:
                self.run_folder.keep(model, epochs)
            except DataError as error:  # such as a full disk, which may have room again before training ends
                tell(f"{error}; training goes on, but the folder lacks epoch {epochs[-1].epoch}")

        tagger = Tagger(TorchBackend(model, cache=False))
        task = self._task(model, teachers)
        kept = {name: feature for name, feature in model.features.items() if isinstance(feature, CachedFeature)}
        token_arrays(kept, self._passages(kept, self.dev))  # now, so that the epochs only read them
        return train_network(
            model.network,
            task,
            score=lambda: dev_scores(self.dev, tagger.predict(self.dev), model),
            keep=keep,
            listener=self.listener,
        )

    def refit(
        self, model: TorchModel, best: Epoch, teachers: Mapping[str, Teachers], outcome: Outcome
    ) -> tuple[TorchModel, "_Training", Outcome]:
        """Return a fresh model, trained on train and dev for as many epochs as the best one has, and its training.

        If that is interrupted, the model, this training and the outcome of an interruption are returned instead.
        """
        count, epochs = sum(map(len, (self.train, self.dev))), counted(best.epoch, "epoch")
        self.listener.noted(f"training again on all {count} sentences of train and dev, for {epochs}")
        corpora = _with_dev_in_train(self.corpora, epochs)
        again = replace(self, corpora=corpora)
        try:
            fresh = again.build_model(*again.prepare())
            task = again._task(fresh, teachers)
            refit_network(fresh.network, task, epochs=best.epoch, listener=self.listener)
        except KeyboardInterrupt:
            self.listener.noted("stopped before that has ended; the model is the one that dev has chosen")
            return model, self, replace(outcome, reason=STOPPED, interrupted=True)
        return fresh, again, outcome

    def _task(self, model: TorchModel, teachers: Mapping[str, Teachers]) -> Task:
        """Return what the network of a model learns."""
        recipe, tell = self.recipe, self.listener.noted
        parts: list[Sequence[Sentence]] = [corpus.train for corpus in self.corpora.values()]
        learned, packed = self.train, self.packed
        if probability := recipe.training.mention_replacement:
            layers = [layer for layer, scheme in self.schemes.items() if scheme is not None]
            parts, added = with_copies(parts, layers, probability=probability, seed=recipe.seed)
            tell(f"train has {counted(added, 'added sentence')} with replaced entities")
            learned = _of_parts(parts)
            packed = packed_of(learned, recipe.layers)
        encoded = encoded_for(model, packed, self._passages(model.features, learned), self.schemes)
        encoded = with_teachers(encoded, learned, teachers, recipe=recipe, vocabulary=model.vocabulary, tell=tell)
        for layer, head in heads_of(model.heads).items():
            for note in head.prepare(model.network.heads[layer], encoded, model.vocabulary.labels[layer]):
                tell(note)
        sizes = [len(part) for part in parts]
        weights = [config.weight for config in recipe.all_corpora().values()]
        drawn = share_epoch(sizes, weights, recipe.training.sampling)
        if drawn != sizes:
            shares = [f"{n} of {size} {name}" for name, size, n in zip(self.corpora, sizes, drawn, strict=True)]
            tell(f"an epoch has {', '.join(shares)} sentences")
        return Task(
            encoded,
            recipe.training,
            parts=list(zip(sizes, drawn, strict=True)),
            head_weights={layer: head.weight for layer, head in recipe.layers.items()},
            taught_weights={layer: head.weight * head.teacher_weight for layer, head in recipe.layers.items()},
            seed=recipe.seed,
        )

    def _passages(self, features: Features, sentences: Sequence[Sentence]) -> list[Passage]:
        """Return the sentences with their neighbours; none if there are no features that read them."""
        pairs = passages_of(sentences, longest_context(features)) if reads_sentences(features) else ()
        return [passage for _, passage in pairs]

    def calibrate(self, model: TorchModel, best: Epoch) -> tuple[TorchModel, Facts]:
        """Calibrate a model. If that is interrupted, a note says which model is kept."""
        try:
            model, calibrated = calibrate(model, self.dev, best.dev)
        except KeyboardInterrupt:
            if (work := self.run_folder.work) is not None:
                self.listener.noted(f"stopped before calibration; the model in {work} is not calibrated")
            raise
        for layer, result in calibrated.items():
            self.listener.noted(describe_calibration(layer, result))
        return model, calibrated

    def facts(self, best: Epoch, reason: str, calibrated: Facts) -> dict[str, object]:
        """Return how a model was made, for its report.

        The dev scores are those that chose the weights, before anything was calibrated.
        """
        facts = {
            "seed": self.recipe.seed,
            "epoch": best.epoch,
            "dev": best.selected,
            "dev_scores": dict(best.dev),
            "select": self.recipe.training.select,
            "ended": reason,
            "notes": [note for corpus in self.corpora.values() for note in corpus.notes],
            "train_sentences": len(self.train),
            "recipe": hashes_of_recipe(self.recipe),
            "train_files": files_of(self.train),
        }
        return facts | ({"calibrated": calibrated} if calibrated else {})


def _of_parts(parts: Sequence[Sequence[Sentence]]) -> Sequence[Sentence]:
    """Return the train sentences of all corpora; those of a single corpus unchanged, because they may be lazy."""
    return parts[0] if len(parts) == 1 else joined(parts)


def _with_dev_in_train(corpora: Mapping[str, Corpus], epochs: str) -> dict[str, Corpus]:
    """Return corpora whose train has the sentences of dev too; a note of the first one says so."""
    note = (
        f"the model was trained again on train and dev for {epochs}, which dev had chosen; the dev scores are those of "
        "the model before, which was trained on train alone"
    )
    notes = {name: (note,) if number == 0 else () for number, name in enumerate(corpora)}
    return {
        name: replace(corpus, train=joined([corpus.train, corpus.dev]), dev=(), notes=(*corpus.notes, *notes[name]))
        for name, corpus in corpora.items()
    }


def _reading(config: CorpusConfig, corpus: Corpus) -> ReadingConfig:
    """Return how the files of a corpus are read, with the scheme that was found in them."""
    found = {scheme for scheme in corpus.schemes.values() if scheme is not None}
    return config.reading().model_copy(
        update={"scheme": found.pop()} if len(found) == 1 and config.scheme != "io" else {}
    )
