"""The steps from corpora to a trained and calibrated model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tagger.analysis.knowledge import TrainKnowledge, knowledge_of
from tagger.config import Recipe
from tagger.corpus.corpus import Corpus
from tagger.encoding.vectors import read_vectors
from tagger.encoding.vocabulary import Vectors, build_vocabulary
from tagger.errors import DataError, RecipeError
from tagger.evaluation import check_metrics, dev_scores
from tagger.extensions import Cell
from tagger.features.cache import compute
from tagger.features.feature import Given
from tagger.features.passages import have_neighbours, joined
from tagger.features.table import (
    Features,
    check_frames,
    longest_context,
    passages_for,
    prepare_features,
    read_alone,
)
from tagger.heads.table import heads_of
from tagger.hub.lazy import packed_of, telling
from tagger.inference.torch_backend import TorchBackend
from tagger.model.network import TorchModel, build_network
from tagger.running.fitting.calibration import Facts, calibrate, describe_calibration
from tagger.running.fitting.memory import check_memory
from tagger.running.fitting.model_config import config_of
from tagger.running.fitting.splitting import TOKENIZED, stays_whole, text_rules_of
from tagger.running.fitting.start import Start, begin_with, vectors_of
from tagger.running.fitting.task import of_parts, task_of
from tagger.running.folder import HOW, RunFolder
from tagger.running.run import RunListener
from tagger.running.teachers.finding import Teachers
from tagger.running.testing import files_of, hashes_of_recipe
from tagger.tagging import Tagger
from tagger.text.schemes import Scheme, span_types
from tagger.text.sentence import Sentence
from tagger.text.tokenization import TextRules
from tagger.training.checkpoint import Checkpoints, Every, Saved
from tagger.training.loop import STOPPED, Epoch, Outcome, refit_network, train_network
from tagger.training.processes import Alone
from tagger.training.task import Task
from tagger.wording import counted, quoted


class Trained(NamedTuple):
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
class Training:
    """The steps from corpora to a trained and calibrated model.

    Args:
        recipe: The recipe of the run.
        folder: Folder that the paths of word vectors are relative to.
        corpora: The corpora of the recipe, in its order.
        device: Where the network runs.
        run_folder: Where the best model so far is kept.
        listener: Called on events of the run.
        keep: Returns features whose values are kept on disk.
        start: The model that the network begins with; None for random weights.
        every: How often the state of the training is kept in the folder.
        processes: Those that share the sentences of a batch. The first one writes and scores.
    """

    recipe: Recipe
    folder: Path
    corpora: Mapping[str, Corpus]
    device: str
    run_folder: RunFolder
    listener: RunListener
    keep: Callable[[Features], Features]
    start: Start | None = None
    every: Every | None = None
    processes: Alone = field(default_factory=Alone)
    checkpoints: Checkpoints = field(init=False, default_factory=Checkpoints)
    added: int | None = field(init=False, default=None)  # changed copies, if the recipe has any

    def __post_init__(self) -> None:
        self.schemes = {layer: head.span_scheme for layer, head in self.recipe.layers.items()}
        self.train = of_parts([corpus.train for corpus in self.corpora.values()])
        self.dev = joined(corpus.dev for corpus in self.corpora.values())
        kept = self.start.kept if self.start is not None else ()
        self.learned = [layer for layer in self.recipe.layers if layer not in kept]  # from gold labels
        self.packed = packed_of(self.train, self.learned)

    def prepare(self) -> tuple[TextRules, Features]:
        """Return how texts are split, and the features of the recipe."""
        by_corpus = {name: corpus.rules for name, corpus in self.corpora.items()}
        tokenized = {name for name, config in self.recipe.all_corpora().items() if config.format in TOKENIZED}
        rules = text_rules_of(by_corpus, self.packed, self.listener.noted, tokenized=tokenized)
        given = Given(self.folder, self.packed, self.listener.noted, self.device, rules, self.train)
        features = prepare_features(self.recipe.features, given) if self.start is None else self.start.model.features
        check_frames(features, telling(self.train))
        return rules, self._as_trained(features)

    def run(self, rules: TextRules, features: Features, teachers: Mapping[str, Teachers]) -> Trained:
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
        return Trained(model, outcome, facts, knowledge_of(training.train))

    def build_model(self, rules: TextRules, features: Features) -> TorchModel:
        """Return a model with fresh weights, and with the words and labels of the train sentences.

        Raises:
            RecipeError: A part of the network is an extension that is not what it says, or the memory is too small.
        """
        if self.recipe.training.precision != "float32" and self.recipe.encoder.cell not in Cell.built_in:
            raise RecipeError(
                f'training.precision: must be "float32" for the cell `{self.recipe.encoder.cell}`, which the library '
                f'cannot run in another, got "{self.recipe.training.precision}"; remove the key'
            )
        recipe, embeddings, vectors = self.recipe, self.recipe.embeddings, self._read_vectors()
        chars = () if self.start is None else self.start.model.vocabulary.chars
        labels = {} if self.start is None else self.start.labels
        vocabulary = build_vocabulary(
            self.packed,
            layers=self.schemes,
            vectors=vectors,
            tune=embeddings.tune,
            min_count=embeddings.min_count,
            chars=chars,
            labels=labels,
            has_words=embeddings.words,
        )
        for layer, names in labels.items():
            if new := _new_labels(names, vocabulary.labels[layer], self.schemes[layer]):
                self.listener.noted(f"the head of `{layer}` learns {quoted(new)} beside the labels that it knows")
        for layer in self.start.lost_temperatures(recipe) if self.start is not None else ():
            self.listener.noted(
                f"the temperature of `{layer}` was fitted to the head before this training, so the new model has none; "
                "`calibrate = true` in its section fits one"
            )
        dimension = vectors.dimension if vectors else embeddings.dimension if embeddings.words else 0
        features = self.keep(features)
        lengths = np.diff(self.packed.starts).tolist()
        check_memory(recipe, vocabulary, lengths, vectors=dimension, features=features, device=self.device)
        for layer, names in vocabulary.labels.items():
            if len(names) == 1 and layer not in self.packed.numbers:
                self.listener.noted(
                    f"train has only one label of `{layer}`, {names[0]}, so its head has nothing to learn"
                )
        config = config_of(
            recipe, self.corpora, rules=rules, dimension=dimension, features=features, tell=self.listener.noted
        )
        if self.start is not None:
            config = self.start.config_with_kept(config)
        if rules.segment is None and stays_whole(config, telling(self.train)):
            rules = rules.changed(segment="none")
            self.listener.noted("each train text has a label, so the model does not split a text into sentences")
        network = build_network(
            vocabulary, config, features=features, vectors=vectors, seed=recipe.seed, device=self.device
        )
        if self.start is not None:
            begin_with(self.start, network)
        network.set_temperatures(config.temperatures)
        return TorchModel(config, vocabulary, None, network, rules=rules, features=features)

    def _read_vectors(self) -> Vectors | None:
        """Return the vectors of the model to start from and of the files of the recipe; None if there are neither."""
        embeddings, found = self.recipe.embeddings, None
        if embeddings.vectors:
            self.listener.noted("reading word vectors")
            found = read_vectors([self.folder / path for path in embeddings.vectors], max_words=embeddings.max_words)
        return found if self.start is None else vectors_of(self.start.model, found)

    def _as_trained(self, features: Features) -> Features:
        """Return the features; if train has no neighbours to read, they do not read any in tagging either."""
        if longest_context(features) and not have_neighbours(self.train):
            names = quoted(read_alone(features))
            self.listener.noted(
                f"train has no documents of several sentences, so the model reads no context (features: {names}); in "
                "column files, `-DOCSTART-`, `# newdoc` or a column `document` marks documents"
            )
        return features

    def fit(self, model: TorchModel, teachers: Mapping[str, Teachers]) -> Outcome:
        """Train a model, and keep the best weights so far after each epoch."""
        tell = self.listener.noted

        def keep(epochs: Sequence[Epoch]) -> None:
            try:
                self.run_folder.keep(model, epochs)
            except DataError as error:  # such as a full disk, which may have room again before training ends
                tell(f"{error}; training goes on, but the folder lacks epoch {epochs[-1].epoch}")

        tagger = Tagger(TorchBackend(model, cache=False))
        task = self.task(model, teachers)
        compute(model.features, passages_for(model.features, self.dev))
        model.network.eval()  # each step sets it to training
        check_metrics(self.dev, tagger.predict, model)
        self.checkpoints = self._checkpoints(model, task)
        return train_network(
            model.network,
            task,
            score=lambda: dev_scores(self.dev, tagger.predict(self.dev), model, self.learned),
            keep=keep,
            listener=self.listener,
            checkpoints=self.checkpoints,
            processes=self.processes,
        )

    def _checkpoints(self, model: TorchModel, task: Task) -> Checkpoints:
        """Return where the states of this training go, with the state that it goes on from."""
        if self.run_folder.path is None:  # nothing is kept; the first of several processes may keep something
            return Checkpoints(found=self.processes.agreed(None))
        source = self.start.model.source if self.start is not None else None
        mine = {
            **({} if source is None else {"weights of the model in `start`": source.sha256}),
            "train sentences": task.digest(),
            "dev sentences": _digest(self.dev),
            "test sentences": _digest(joined(corpus.test for corpus in self.corpora.values())),
            "vectors, or another model in `start`": _digest_of_tensors(model.network.state_dict().values()),
            "files of features": _digest_of_features(model),
            HOW: f"{torch.get_num_threads()} threads, torch {torch.__version__}, {self.device}",
        }
        found = self.run_folder.read_state(mine, self.listener.noted) if self.run_folder.resumed else None

        def write(saved: Saved) -> None:
            try:
                self.run_folder.keep_state(saved, mine)
            except DataError as error:  # such as a full disk, which may have room again before training ends
                self.listener.noted(f"{error}; training goes on, but would be continued from an earlier point")

        return Checkpoints(write, self.every, self.processes.agreed(found))

    def refit(
        self, model: TorchModel, best: Epoch, teachers: Mapping[str, Teachers], outcome: Outcome
    ) -> tuple[TorchModel, "Training", Outcome]:
        """Return a fresh model, trained on train and dev for as many epochs as the best one has, and its training.

        If that is interrupted, the model, this training and the outcome of an interruption are returned instead.
        """
        count, epochs = sum(map(len, (self.train, self.dev))), counted(best.epoch, "epoch")
        self.listener.noted(f"training again on all {count} sentences of train and dev, for {epochs}")
        corpora = _with_dev_in_train(self.corpora, epochs)
        again = replace(self, corpora=corpora)
        try:
            fresh = again.build_model(*again.prepare())
            task = again.task(fresh, teachers)
            refit_network(
                fresh.network,
                task,
                epochs=best.epoch,
                listener=self.listener,
                checkpoints=self.checkpoints,
                fitted=outcome.state,
                processes=self.processes,
            )
        except KeyboardInterrupt:
            self.listener.noted("stopped before that has ended; the model is the one that dev has chosen")
            return model, self, replace(outcome, reason=STOPPED, interrupted=True)
        return fresh, again, outcome

    def task(self, model: TorchModel, teachers: Mapping[str, Teachers]) -> Task:
        """Return what the network of a model learns."""
        train = {name: corpus.train for name, corpus in self.corpora.items()}
        task = task_of(model, self.recipe, train, self.packed, teachers, self.listener.noted)
        if self.recipe.training.copies:
            self.added = sum(size for size, _ in task.parts) - len(self.train)
        return task

    def calibrate(self, model: TorchModel, best: Epoch) -> tuple[TorchModel, Facts]:
        """Calibrate a model. If that is interrupted, a note says which model is kept."""
        try:
            model, calibrated = calibrate(model, self.dev, best.dev)
        except KeyboardInterrupt:
            if (work := self.run_folder.work) is not None:
                self.listener.noted(f"stopped before calibration; the model in {work} is not calibrated")
            raise
        heads = heads_of(model.heads)
        for layer, result in calibrated.items():
            self.listener.noted(describe_calibration(heads[layer], result))
        return model, calibrated

    def facts(self, best: Epoch, reason: str, calibrated: Facts) -> dict[str, object]:
        """Return how a model was made, for its report.

        The dev scores are those that chose the weights, before anything was calibrated.
        """
        facts: dict[str, object] = {
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
        if self.added is not None:
            facts["added_sentences"] = self.added
        if self.start is not None and (source := self.start.model.source) is not None:
            facts["start"] = {"model": str(source.folder), "sha256": source.sha256}
        return facts | ({"calibrated": calibrated} if calibrated else {})


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


def _new_labels(known: Sequence[str], labels: Sequence[str], scheme: Scheme | None) -> list[str]:
    """Return the labels that are not known yet; of tags in a scheme their types."""
    new = [name for name in labels if name not in known]
    return new if scheme is None else span_types(new)


def _digest(sentences: Sequence[Sentence]) -> str:
    """Return a hash of the tokens, layers and frames of sentences."""
    found = sha256()
    for sentence in sentences:
        found.update(repr((sentence.tokens, sentence.layers)).encode("utf-8", "surrogatepass"))
        found.update(sentence.frames.values.tobytes() if sentence.frames is not None else b"")
    return found.hexdigest()


def _digest_of_tensors(tensors: Iterable[Tensor]) -> str:
    """Return a hash of the weights that a training begins with, among them the vectors of words."""
    found = sha256()
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def _digest_of_features(model: TorchModel) -> str:
    """Return a hash of the files of features: lists, and models whose states are read."""
    found = sha256()
    for name, feature in model.features.items():
        found.update(name.encode() + feature.content(model.network.types.get(name) or model.network.tokens.get(name)))
    return found.hexdigest()
