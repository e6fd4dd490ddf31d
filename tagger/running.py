"""A recipe from start to end: corpora, vocabulary, network, training, report, and the folder that keeps them all."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

import torch

from tagger.config import HeadConfig, Recipe, dump_recipe, load_recipe
from tagger.data.batches import encode
from tagger.data.corpus import Corpus, cut_dev, read_corpus
from tagger.data.schemes import Scheme
from tagger.data.sentence import Label, Sentence, TagLayer
from tagger.data.tokenization import tokenizer_name
from tagger.data.vectors import read_vectors
from tagger.data.vocabulary import build_vocabulary
from tagger.errors import DataError, RecipeError
from tagger.evaluation import Report, check_spans, dev_scores, score_predictions
from tagger.model.card import model_card
from tagger.model.folder import save_model
from tagger.model.model import FORMAT, Model, ModelConfig
from tagger.model.network import build_network
from tagger.tagging import Tagger, check_device
from tagger.training.loop import Epoch, Listener, Outcome, train_network

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What a training run left behind.

    Args:
        tagger: The trained model, ready to use.
        report: Scores of the best weights on test; None if there is no test split or the run was interrupted.
        outcome: The epochs and why training stopped.
        folder: Where the run is kept, if it is.
    """

    tagger: Tagger
    report: Report | None
    outcome: Outcome
    folder: Path | None


class RunListener(Listener):
    """Hears what goes on in a run; a base that writes to the log of this module."""

    def noted(self, message: str) -> None:
        """Something was found out or begun."""
        logger.info(message)

    def scored(self, epoch: Epoch) -> None:
        """An epoch ended and was scored on dev."""
        logger.info("epoch %d: loss %.4f, dev %.4f", epoch.epoch, epoch.loss, epoch.selected)


def train(
    recipe: str | Path | Recipe,
    *,
    data: str | Path | None = None,
    output: str | Path | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    device: str = "cpu",
    threads: int | None = None,
    listener: RunListener | None = None,
) -> Run:
    """A trained model with its report on test.

    Args:
        recipe: A recipe, or the path of its TOML file.
        data: Folder that paths of the recipe are relative to; the recipe's own folder if left out.
        output: Folder to keep the run in; nothing is written if left out.
        seed: In place of the recipe's.
        overrides: `section.key=value` laid over the recipe.
        device: Where the network runs: `cpu`, `cuda` or `cuda:N`.
        threads: Threads of torch on the CPU; as many as torch chooses if left out.
        listener: Is told of what goes on.

    Raises:
        RecipeError: The recipe is not as it must be.
        DataError: A file does not hold what it must.
        ModelError: The device is not there.
    """
    listener = listener or RunListener()
    started = time.perf_counter()
    if not isinstance(recipe, Recipe):
        base = Path(recipe).parent
        recipe = load_recipe(recipe, [*overrides, *([f"seed={seed}"] if seed is not None else [])])
    else:
        base = Path()
        if overrides:
            raise RecipeError("overrides need the path of a recipe; change the Recipe instead")
        recipe = recipe if seed is None else recipe.model_copy(update={"seed": seed})
    check_device(device)
    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    folder = Path(data) if data is not None else base
    corpora = _read_corpora(recipe, folder, from_files=data is not None, listener=listener)
    model = _build_model(recipe, corpora, folder, device, listener)
    outcome = _fit(model, recipe, corpora, listener)
    if outcome.best is None:
        raise KeyboardInterrupt
    listener.noted(f"{outcome.reason}; best dev score {outcome.best.selected:.4f} in epoch {outcome.best.epoch}")
    tagger = Tagger(model)
    report = None if outcome.interrupted else _test(tagger, corpora, outcome, recipe, started)
    run = Run(tagger, report, outcome, Path(output) if output is not None else None)
    if run.folder is not None:
        _write(run, recipe, model_card(recipe, model, report.to_text() if report else None, _licences(recipe, folder)))
        listener.noted(f"the run is in {run.folder}")
    return run


def _read_corpora(recipe: Recipe, folder: Path, *, from_files: bool, listener: RunListener) -> dict[str, Corpus]:
    """The corpora by name, each with a dev split."""
    corpora = {}
    for name, config in recipe.all_corpora().items():
        listener.noted(f"reading {config.dataset if config.dataset and not from_files else config.format} data")
        corpus = cut_dev(read_corpus(config, folder=folder, from_files=from_files, seed=recipe.seed), seed=recipe.seed)
        corpora[name] = corpus
        for note in corpus.notes:
            listener.noted(note)
        sizes = ", ".join(f"{len(split)} {name}" for name, split in corpus.splits().items())
        listener.noted(f"{sizes} sentences, {sum(map(len, corpus.train))} train tokens")
        if not corpus.train:
            raise DataError(f"corpus `{name}` must have a sentence to learn from, got none")
    for layer, head in recipe.layers.items():
        for name, corpus in corpora.items():
            for split, sentences in corpus.splits().items():
                _check_layer(layer, head, sentences, where=f"corpus `{name}`, {split}")
        _check_carried(layer, corpora)
    return corpora


def _check_layer(layer: str, head: HeadConfig, sentences: Sequence[Sentence], *, where: str) -> None:
    """Refuse sentences whose layer is of another kind than the head that is to predict it."""
    wanted = TagLayer if head.kind == "tokens" else Label
    if any(not isinstance(sentence.layers.get(layer, None), wanted | None) for sentence in sentences):
        has, kind = ("a label a sentence", "sentence") if wanted is TagLayer else ("a tag a token", "tokens")
        raise RecipeError(
            f'{where}: layer `{layer}` has {has}, but its head is of kind "{head.kind}"; use kind = "{kind}"'
        )
    if head.span_scheme is not None:
        check_spans(layer, sentences)


def _check_carried(layer: str, corpora: Mapping[str, Corpus]) -> None:
    """Refuse a layer that is nowhere in train, in dev, or in test where there is a test split."""
    for split in ("train", "dev", "test"):
        sentences = [sentence for corpus in corpora.values() for sentence in corpus.splits()[split]]
        if sentences and not any(layer in sentence.layers for sentence in sentences):
            names = sorted({name for sentence in sentences for name in sentence.layers})
            raise DataError(f"no {split} sentence has the layer `{layer}`; they have {', '.join(names) or 'none'}")


def _schemes(recipe: Recipe) -> dict[str, Scheme | None]:
    """The layers that are predicted, each with the scheme of its head."""
    return {layer: head.span_scheme for layer, head in recipe.layers.items()}


def _build_model(
    recipe: Recipe, corpora: Mapping[str, Corpus], folder: Path, device: str, listener: RunListener
) -> Model:
    vectors = None
    if recipe.embeddings.vectors:
        listener.noted("reading word vectors")
        paths = [folder / path for path in recipe.embeddings.vectors]
        vectors = read_vectors(paths, max_words=recipe.embeddings.max_words)
    train = [sentence for corpus in corpora.values() for sentence in corpus.train]
    vocabulary = build_vocabulary(train, layers=_schemes(recipe), vectors=vectors, tune=recipe.embeddings.tune)
    heads = recipe.layers
    config = ModelConfig(
        format=FORMAT,
        version=version("tagger-bilstm"),
        tokenizer=tokenizer_name(),
        embeddings=recipe.embeddings,
        encoder=recipe.encoder,
        heads=heads,
        vector_dimension=vectors.dimension if vectors else recipe.embeddings.dimension,
        schemes={layer: s for corpus in corpora.values() for layer, s in corpus.schemes.items() if layer in heads},
        reading={name: config.reading() for name, config in recipe.all_corpora().items()},
    )
    network = build_network(
        vocabulary, embeddings=recipe.embeddings, encoder=recipe.encoder, heads=heads, vectors=vectors
    )
    return Model(config, vocabulary, network.to(device))


def _fit(model: Model, recipe: Recipe, corpora: Mapping[str, Corpus], listener: RunListener) -> Outcome:
    train = [sentence for corpus in corpora.values() for sentence in corpus.train]
    dev = [sentence for corpus in corpora.values() for sentence in corpus.dev]
    weights = {name: config.weight for name, config in recipe.all_corpora().items()}
    tagger = Tagger(model, cache=False)
    return train_network(
        model.network,
        encode(train, model.vocabulary, _schemes(recipe)),
        config=recipe.training,
        parts=[(len(corpus.train), weights[name]) for name, corpus in corpora.items()],
        head_weights={layer: head.weight for layer, head in recipe.layers.items()},
        score=lambda: dev_scores(dev, tagger.predict(dev), model),
        seed=recipe.seed,
        listener=listener,
    )


def _test(
    tagger: Tagger, corpora: Mapping[str, Corpus], outcome: Outcome, recipe: Recipe, started: float
) -> Report | None:
    """The report on the test sentences of all corpora, with those of each corpus where there are several."""
    tests = {name: list(corpus.test) for name, corpus in corpora.items() if corpus.test}
    if not tests:
        return None
    predicted = {name: list(tagger.predict(test)) for name, test in tests.items()}
    extra: dict[str, object] = {
        "split": "test",
        "seed": recipe.seed,
        "epoch": outcome.best.epoch if outcome.best else None,
        "dev": outcome.best.selected if outcome.best else None,
        "seconds": round(time.perf_counter() - started, 1),
        "notes": [note for corpus in corpora.values() for note in corpus.notes],
    }
    model = tagger.model
    if len(tests) > 1:
        parts = {name: score_predictions(test, predicted[name], model) for name, test in tests.items()}
        extra["corpora"] = {name: part.to_dict() for name, part in parts.items()}
    pooled = [sentence for test in tests.values() for sentence in test]
    return score_predictions(pooled, [s for part in predicted.values() for s in part], model, extra)


def _licences(recipe: Recipe, folder: Path) -> dict[str, list[str]]:
    """For each file of data and vectors, the licence files that lie beside it."""
    files = [folder / path for path in recipe.embeddings.vectors]
    for config in recipe.all_corpora().values():
        for paths in (config.train, config.dev, config.test):
            files += [folder / path for path in (paths.values() if isinstance(paths, dict) else paths or ())]
    patterns = ("licen[cs]e*", "copying*", "acknowledg*")
    return {
        str(file): sorted(
            str(p) for p in file.parent.glob("*") if p.is_file() and any(fnmatch(p.name.lower(), x) for x in patterns)
        )
        for file in files
        if file.exists()
    }


def _write(run: Run, recipe: Recipe, card: str) -> None:
    """Keep a run in its folder."""
    assert run.folder is not None
    save_model(run.tagger.model, run.folder / "model", card=card)
    (run.folder / "recipe.toml").write_text(dump_recipe(recipe), encoding="utf-8")
    lines = "".join(json.dumps(asdict(epoch)) + "\n" for epoch in run.outcome.epochs)
    (run.folder / "log.jsonl").write_text(lines, encoding="utf-8")
    (run.folder / "report.json").unlink(missing_ok=True)  # of an earlier run in this folder
    if run.report is not None:
        text = json.dumps(run.report.to_dict(), indent=2, ensure_ascii=False)
        (run.folder / "report.json").write_text(text + "\n", encoding="utf-8")
