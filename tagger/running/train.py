"""A recipe from start to end: corpora, vocabulary, network, training, report, and the folder that keeps them all."""

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tagger.config import CorpusConfig, HeadConfig, ReadingConfig, Recipe, dump_recipe, load_recipe
from tagger.corpus.corpus import Corpus
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.vectors import read_vectors
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import ModelError, RecipeError
from tagger.evaluation import Report, dev_scores, score_predictions
from tagger.model.card import model_card
from tagger.model.folder import CARD, save_model
from tagger.model.model import FORMAT, Model, ModelConfig
from tagger.model.network import build_network
from tagger.running.calibration import Facts, calibrate, check_calibrated, describe_calibration
from tagger.running.corpora import check_files, read_corpora
from tagger.running.teachers import NEW, check_taught, find_teachers, keep_teachers, with_kept_teachers, with_teachers
from tagger.tagging import Tagger, check_device
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence
from tagger.text.tokenization import tokenizer_name
from tagger.training.loop import Epoch, Listener, Outcome, share_epoch, train_network

logger = logging.getLogger(__name__)

REPORT = "report.json"


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
    """A trained model with its report on test. Teachers that are recipes are trained first, in the same way.

    Args:
        recipe: A recipe, or the path of its TOML file.
        data: Folder that paths of corpora and vectors are relative to; the recipe's own folder if left out.
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
    recipe, base = _read_recipe(recipe, overrides, seed)
    check_device(device)
    run_folder = Path(output) if output is not None else None
    if run_folder is not None:
        _make_folder(run_folder)
    if threads is not None:
        torch.set_num_threads(threads)
    folder = Path(data) if data is not None else base
    found = find_teachers(recipe, base, run_folder, device=device)
    for name, teacher in found.items():
        if isinstance(teacher, Recipe):
            check_files(teacher, folder if data is not None else (base / name).parent, from_files=data is not None)
    corpora = read_corpora(recipe, folder, from_files=data is not None, tell=listener.noted)
    dev = [sentence for corpus in corpora.values() for sentence in corpus.dev]
    check_calibrated(recipe.layers, _all_train(corpora), dev)
    if found:
        check_taught(recipe, _all_train(corpora))
    teachers = _train_teachers(found, base, run_folder, listener, data=data, seed=recipe.seed, device=device)
    torch.manual_seed(recipe.seed)
    model = _build_model(recipe, corpora, folder, device, listener)
    outcome = _fit(model, recipe, corpora, dev, teachers, listener)
    if outcome.best is None:
        _remove_empty(run_folder)
        raise KeyboardInterrupt
    listener.noted(f"{outcome.reason}; best dev score {outcome.best.selected:.4f} in epoch {outcome.best.epoch}")
    licences = _licences(recipe, folder)
    run = Run(Tagger(model), None, outcome, run_folder)
    if run_folder is not None:  # kept before it is calibrated and scored, so that nothing can cost the training
        _keep(run, recipe, folder, base, licences)
        listener.noted(f"the model is in {run_folder}")
    model, calibrated = _calibrate(model, dev, outcome.best.dev, run_folder, listener)
    if run_folder is not None and calibrated:
        save_model(model, run_folder / "model", card=model_card(recipe, model, None, licences))
    for layer, result in calibrated.items():
        listener.noted(describe_calibration(layer, result))
    facts = _facts(corpora, outcome, recipe) | ({"calibrated": calibrated} if calibrated else {})
    report = None if outcome.interrupted else _test(Tagger(model), corpora, facts, started)
    run = replace(run, tagger=Tagger(model), report=report)
    if run_folder is not None and report is not None:
        _keep_report(run_folder, report)
        (run_folder / "model" / CARD).write_text(model_card(recipe, model, report.to_text(), licences), "utf-8")
    elif run_folder is not None:
        _keep_report(run_folder, Report({}, {"split": None, **facts, "seconds": _seconds_since(started)}))
    return run


def _read_recipe(recipe: str | Path | Recipe, overrides: Sequence[str], seed: int | None) -> tuple[Recipe, Path]:
    """The recipe of a run, with the folder that its paths are relative to."""
    if not isinstance(recipe, Recipe):
        given = [*overrides, *([f"seed={seed}"] if seed is not None else [])]
        return load_recipe(recipe, given), Path(recipe).parent
    if overrides:
        raise RecipeError("overrides need the path of a recipe; change the Recipe instead")
    return recipe if seed is None else recipe.model_copy(update={"seed": seed}), Path()


def _train_teachers(
    found: Mapping[str, Recipe | Tagger], base: Path, run_folder: Path | None, listener: RunListener, **settings: Any
) -> dict[str, Tagger]:
    """The models that teach: those that are recipes are trained as `settings` say, and kept in the run's folder."""
    if run_folder is not None and (run_folder / NEW).is_dir():
        shutil.rmtree(run_folder / NEW)  # of a run that was cut off
    teachers = {name: teacher for name, teacher in found.items() if isinstance(teacher, Tagger)}
    untrained = [name for name in found if name not in teachers]
    for number, name in enumerate(untrained, 1):
        listener.noted(f"training teacher {number} of {len(untrained)}: {name} with seed {settings['seed']}")
        kept = run_folder and run_folder / NEW / Path(name).stem
        try:
            lesson = train(base / name, output=kept, listener=listener, **settings)
            if lesson.outcome.interrupted:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            _remove_empty(kept, kept and kept.parent, run_folder)
            listener.noted("a teacher was stopped, so the run that it was to teach ends here")
            raise
        teachers[name] = lesson.tagger
    return teachers


def _remove_empty(*folders: Path | None) -> None:
    """Leave no folder in which nothing was kept."""
    for folder in folders:
        if folder is not None and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _make_folder(folder: Path) -> None:
    """Make the folder of a run before anything is read or trained.

    Raises:
        ModelError: It cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ModelError(
            f"{folder}: the run must be kept in a folder that can be written to: {error.strerror}"
        ) from None


def _all_train(corpora: Mapping[str, Corpus]) -> Sequence[Sentence]:
    """The train sentences of all corpora, one corpus behind the other; those of a single one as they are."""
    parts = [corpus.train for corpus in corpora.values()]
    return parts[0] if len(parts) == 1 else [sentence for part in parts for sentence in part]


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
    vocabulary = build_vocabulary(
        _all_train(corpora), layers=_schemes(recipe), vectors=vectors, tune=recipe.embeddings.tune
    )
    heads = recipe.layers
    for layer, names in vocabulary.labels.items():
        if len(names) == 1:
            listener.noted(f"train has only one label of `{layer}`, {names[0]}: there is nothing to tell apart")
    config = ModelConfig(
        format=FORMAT,
        version=version("tagger-bilstm"),
        tokenizer=tokenizer_name(),
        embeddings=recipe.embeddings,
        encoder=recipe.encoder,
        heads=heads,
        vector_dimension=vectors.dimension if vectors else recipe.embeddings.dimension,
        schemes=_file_schemes(corpora, heads, listener),
        reading={name: _reading(config, corpora[name]) for name, config in recipe.all_corpora().items()},
    )
    network = build_network(
        vocabulary, embeddings=recipe.embeddings, encoder=recipe.encoder, heads=heads, vectors=vectors
    )
    return Model(config, vocabulary, network.to(device))


def _reading(config: CorpusConfig, corpus: Corpus) -> ReadingConfig:
    """How the files of a corpus are read, in the scheme that they were found to be in."""
    found = {scheme for scheme in corpus.schemes.values() if scheme is not None}
    return config.reading().model_copy(
        update={"scheme": found.pop()} if len(found) == 1 and config.scheme != "io" else {}
    )


def _file_schemes(
    corpora: Mapping[str, Corpus], heads: Mapping[str, HeadConfig], listener: RunListener
) -> dict[str, Scheme | None]:
    """The scheme in which tags of each layer are given back: that of its first corpus."""
    schemes: dict[str, Scheme | None] = {}
    for name, corpus in corpora.items():
        for layer, scheme in corpus.schemes.items():
            if layer not in heads or schemes.setdefault(layer, scheme) == scheme:
                continue
            if heads[layer].span_scheme is None:
                raise RecipeError(
                    f"corpus `{name}`: layer `{layer}` must be in the same scheme in all corpora, got {scheme} beside "
                    f'{schemes[layer]}; give its head a scheme such as "bioes", which all are converted to'
                )
            listener.noted(f"layer `{layer}` is in several schemes; tags are given back as {schemes[layer]}")
    return schemes


def _fit(
    model: Model,
    recipe: Recipe,
    corpora: Mapping[str, Corpus],
    dev: Sequence[Sentence],
    teachers: Mapping[str, Tagger],
    listener: RunListener,
) -> Outcome:
    weights = {name: config.weight for name, config in recipe.all_corpora().items()}
    tagger = Tagger(model, cache=False)
    sentences = _all_train(corpora)
    encoded = encode(sentences, model.vocabulary, _schemes(recipe))
    if teachers:
        encoded = with_teachers(
            encoded, sentences, teachers, recipe=recipe, vocabulary=model.vocabulary, tell=listener.noted
        )
    _weigh_classes(model, encoded, listener)
    sizes = [len(corpus.train) for corpus in corpora.values()]
    drawn = share_epoch(sizes, [weights[name] for name in corpora], recipe.training.sampling)
    if drawn != sizes:
        shares = ", ".join(f"{n} of {size} {name}" for name, size, n in zip(corpora, sizes, drawn, strict=True))
        listener.noted(f"an epoch has {shares} sentences")
    return train_network(
        model.network,
        encoded,
        config=recipe.training,
        parts=list(zip(sizes, drawn, strict=True)),
        head_weights={layer: head.weight for layer, head in recipe.layers.items()},
        taught_weights={layer: head.weight * head.teacher_weight for layer, head in recipe.layers.items()},
        score=lambda: dev_scores(dev, tagger.predict(dev), model),
        seed=recipe.seed,
        listener=listener,
    )


def _weigh_classes(model: Model, encoded: EncodedSentences, listener: RunListener) -> None:
    """Give each sentence head the weights of its classes, where the recipe has some."""
    for layer, head in model.heads.items():
        if head.kind != "sentence" or head.class_weights == "none":
            continue
        names, ids = model.vocabulary.labels[layer], encoded.label_targets[layer]
        counts = np.bincount(ids[ids >= 0], minlength=len(names))
        if head.class_weights == "balanced":
            weights = counts.sum() / (len(names) * counts)
        elif unknown := set(head.class_weights) - set(names):
            raise RecipeError(
                f"heads.{layer}.class_weights: each class must stand in train, got {', '.join(sorted(unknown))}; the "
                f"classes are {', '.join(names)}"
            )
        else:
            weights = np.array([head.class_weights.get(name, 1.0) for name in names])
        listener.noted(f"loss of `{layer}`: " + ", ".join(f"{n} {w:.3g}" for n, w in zip(names, weights, strict=True)))
        module = model.network.heads[layer]
        module.class_weights = torch.tensor(weights, dtype=torch.float32, device=model.network.device)


def _calibrate(
    model: Model, dev: Sequence[Sentence], trained: Mapping[str, float], run_folder: Path | None, listener: RunListener
) -> tuple[Model, Facts]:
    """The calibrated model and how that was done; who stops it is told what is left."""
    try:
        return calibrate(model, dev, trained)
    except KeyboardInterrupt:
        if run_folder is not None:
            listener.noted(f"stopped before heads were calibrated; the model in {run_folder} is as training left it")
        raise


def _test(tagger: Tagger, corpora: Mapping[str, Corpus], facts: Mapping[str, object], started: float) -> Report | None:
    """The report on the test sentences of all corpora, with those of each corpus where there are several."""
    model = tagger.model
    tests = {
        name: list(corpus.test)
        for name, corpus in corpora.items()
        if any(layer in sentence.layers for sentence in corpus.test for layer in model.heads)
    }
    if not tests:
        return None
    predicted = {name: list(tagger.predict(test)) for name, test in tests.items()}
    extra = {"split": "test", **facts, "seconds": _seconds_since(started)}
    if len(tests) > 1:
        parts = {name: score_predictions(test, predicted[name], model) for name, test in tests.items()}
        extra["corpora"] = {name: part.to_dict() for name, part in parts.items()}
    pooled = [sentence for test in tests.values() for sentence in test]
    return score_predictions(pooled, [s for part in predicted.values() for s in part], model, extra)


def _facts(corpora: Mapping[str, Corpus], outcome: Outcome, recipe: Recipe) -> dict[str, object]:
    """How a run was made: what its report says beside the scores, or alone where there are none.

    The dev scores are those that chose the weights, before anything was calibrated.
    """
    return {
        "seed": recipe.seed,
        "epoch": outcome.best.epoch if outcome.best else None,
        "dev": outcome.best.selected if outcome.best else None,
        "dev_scores": dict(outcome.best.dev) if outcome.best else {},
        "select": recipe.training.select,
        "ended": outcome.reason,
        "notes": [note for corpus in corpora.values() for note in corpus.notes],
    }


def _seconds_since(started: float) -> float:
    return round(time.perf_counter() - started, 1)


def _licences(recipe: Recipe, folder: Path) -> dict[str, list[str]]:
    """For each file of data and vectors, the licence files that lie beside it."""
    files = [folder / path for path in recipe.embeddings.vectors]
    files += [folder / path for config in recipe.all_corpora().values() for path in config.files()]
    patterns = ("licen[cs]e*", "copying*", "acknowledg*")
    return {
        str(file): sorted(
            str(p) for p in file.parent.glob("*") if p.is_file() and any(fnmatch(p.name.lower(), x) for x in patterns)
        )
        for file in files
        if file.exists()
    }


def _keep(run: Run, recipe: Recipe, folder: Path, base: Path, licences: Mapping[str, list[str]]) -> None:
    """Keep model, recipe and log of a run in its folder; a report of an earlier run there goes."""
    assert run.folder is not None
    (run.folder / REPORT).unlink(missing_ok=True)
    save_model(run.tagger.model, run.folder / "model", card=model_card(recipe, run.tagger.model, None, licences))
    keep_teachers(run.folder)
    again = f"# tagger train recipe.toml --data {folder.resolve()}\n\n"
    (run.folder / "recipe.toml").write_text(again + dump_recipe(with_kept_teachers(recipe, base)), encoding="utf-8")
    lines = "".join(json.dumps(asdict(epoch)) + "\n" for epoch in run.outcome.epochs)
    (run.folder / "log.jsonl").write_text(lines, encoding="utf-8")


def _keep_report(folder: Path, report: Report) -> None:
    """Keep the report of a run; one that was not scored on test says how it was made, and has no scores."""
    text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    (folder / REPORT).write_text(text + "\n", encoding="utf-8")
