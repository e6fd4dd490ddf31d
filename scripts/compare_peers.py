"""Train other tools on the corpora of recipes, and put their scores and costs beside ours in `docs/results.json`.

    python scripts/compare_peers.py [NAME ...] --data DIR [--runs DIR] [--tools crfsuite,spacy,sklearn] [--epochs 10]
        [--busy] [--again]

NAME is a recipe; the default is each one with corpora of files and without teachers. Each layer that test has is
learned from train of the corpora that have it: tags by python-crfsuite and spaCy, labels of sentences by scikit-learn.
Settings are chosen on dev, and test is scored once, all by `tagger.score`. An epoch of spaCy takes long on a CPU, so
`--epochs` is the most that it gets; it stops after three epochs without a better dev score.

Tagging is timed on dev, at most 20,000 tokens of it, in turns with the model in RUNS/NAME, or, if there is none, with
a plain network that is trained for one epoch. The training time is that of the chosen setting. Results are written when
a tool is done, and are not measured again without `--again`.
"""

import argparse
import gzip
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from arguments import existing_folder, run_script, whole_number
from benchmark_runtime import consume, in_turns, machine
from benchmark_speed import spacy_tok2vec, window_features
from progress import Progress
from results_data import ROOT, data_hash_of, read_results
from results_table import PLAIN, plain_model, run_folders, some_of_dev, today, write_results
from threadpoolctl import threadpool_limits

import tagger
from tagger import Corpus, DataError, Recipe, Sentence, Tagger

PATIENCE = 3  # epochs of spaCy without a better dev score
BATCH = 32  # sentences in a batch of spaCy
ITERATIONS = 100  # of L-BFGS
PENALTIES = ((0.1, 0.1), (0.1, 0.01), (0.0, 1.0))  # c1 and c2 of python-crfsuite
STRENGTHS = (0.3, 1.0, 3.0, 10.0)  # C of scikit-learn
PACKAGES = {"crfsuite": "python-crfsuite", "spacy": "spacy", "sklearn": "scikit-learn"}


class Task(NamedTuple):
    """A layer to learn, and the sentences that have it."""

    recipe: str
    layer: str
    kind: str  # "entities", "tags" or "labels"
    corpus: Corpus
    vectors: tuple[Path, ...]


class Trained(NamedTuple):
    """A trained tool.

    Args:
        settings: Its settings in words.
        predict: Returns the answer for each sentence: its tags, or its label.
        size: Bytes of the model.
        seconds: Seconds of the training.
    """

    settings: str
    predict: Callable[[Sequence[Sentence]], list[Any]]
    size: int
    seconds: float


def tasks_of(path: Path, data: Path) -> list[Task]:
    """Return the tasks of a recipe: the layers of its heads that test has."""
    recipe, corpora = tagger.load_recipe(path), tagger.load_corpora(path, data=data)
    vectors = tuple(data / name for name in recipe.embeddings.vectors)
    found = []
    for layer, head in recipe.layers.items():
        train, dev, test = (
            [s for corpus in corpora.values() for s in corpus.splits()[split] if layer in s.layers]
            for split in ("train", "dev", "test")
        )
        if test:
            tags = "entities" if head.span_scheme else "tags"
            kind = "labels" if head.kind == "sentence" else tags
            found.append(Task(path.stem, layer, kind, Corpus(train, dev, test), vectors))
    return found


def answers(task: Task, sentences: Sequence[Sentence]) -> list[Any]:
    """Return the gold answer for each sentence: its tags, entities in IOB2, or its label."""
    if task.kind == "labels":
        return [sentence.label(task.layer).value for sentence in sentences]
    scheme: Any = "iob2" if task.kind == "entities" else None
    return [list(map(str, sentence.tags(task.layer, scheme=scheme))) for sentence in sentences]


def scored(task: Task, model: Trained, sentences: Sequence[Sentence]) -> float:
    """Return the score of a tool: strict F1 of entities, or accuracy."""
    gold = [Sentence.from_tokens(s.tokens, {task.layer: s.layers[task.layer]}) for s in sentences]
    found = zip(sentences, model.predict(sentences), strict=True)
    predicted = [Sentence.from_tokens(s.tokens, {task.layer: _layer(answer)}) for s, answer in found]
    return tagger.score(gold, predicted).headline(task.layer)


def _layer(answer: Any) -> Any:
    return tagger.Label(answer) if isinstance(answer, str) else answer


# python-crfsuite


def features(tokens: Sequence[str]) -> list[list[str]]:
    """Return the usual features of each token: its window, more of its own affixes, and what its characters are."""
    found = window_features(tokens)
    for i, (token, own) in enumerate(zip(tokens, found, strict=True)):
        own += ["bias", f"s2={token[-2:]}", f"s4={token[-4:]}", f"p2={token[:2]}", f"p4={token[:4]}"]
        own += [name for name, kind in _KINDS.items() if kind(token)]
        own += ["first"] * (i == 0) + ["last"] * (i == len(tokens) - 1)
    return found


_KINDS: dict[str, Callable[[str], bool]] = {
    "upper": str.isupper,
    "title": str.istitle,
    "digits": str.isdigit,
    "has digit": lambda token: any(c.isdigit() for c in token),
    "has hyphen": lambda token: "-" in token,
    "no letter": lambda token: not any(c.isalpha() for c in token),
}


def train_crfsuite(task: Task, options: argparse.Namespace) -> Iterator[Trained]:
    """Yield a linear-chain CRF for each pair of penalties."""
    rows = [features(sentence.tokens) for sentence in task.corpus.train]
    gold = answers(task, task.corpus.train)
    for c1, c2 in PENALTIES:
        yield _crf(rows, gold, c1, c2)


def _crf(rows: Sequence[Any], gold: Sequence[Any], c1: float, c2: float) -> Trained:
    import pycrfsuite

    started = time.perf_counter()
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": ITERATIONS, "feature.possible_transitions": True})
    for row, tags in zip(rows, gold, strict=True):
        trainer.append(row, tags)
    model = pycrfsuite.Tagger()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        trainer.train(str(path))
        model.open(str(path))  # reads the whole file
        size = path.stat().st_size
    seconds = time.perf_counter() - started

    def predict(sentences: Sequence[Sentence]) -> list[Any]:
        return [model.tag(features(sentence.tokens)) for sentence in sentences]

    return Trained(f"c1 = {c1}, c2 = {c2}", predict, size, seconds)


# spaCy


def read_vectors(paths: Sequence[Path], words: set[str]) -> tuple[list[str], Any]:
    """Return those of the words that have a vector, and their vectors: those of all files side by side."""
    parts = [_vectors_of(path, words) for path in paths]
    known = sorted(set().union(*parts))
    columns = []
    for part in parts:
        zeros = np.zeros(len(next(iter(part.values()))), np.float32)
        columns.append(np.stack([part.get(word, zeros) for word in known]))
    return known, np.concatenate(columns, axis=1)


def _vectors_of(path: Path, words: set[str]) -> dict[str, Any]:
    found = {}
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
        for line in stream:
            word, *numbers = line.rstrip().split(" ")
            if word in words:
                found[word] = np.array(numbers, np.float32)
    return found


def make_pipeline(task: Task) -> Any:
    """Return a blank pipeline of spaCy with the word vectors of the recipe, and `ner` or `tagger`."""
    import spacy

    pipeline = spacy.blank("en" if task.vectors else "xx")
    if task.vectors:
        splits = task.corpus.splits().values()
        words = {token.lower() for part in splits for sentence in part for token in sentence.tokens}
        known, data = read_vectors(task.vectors, words)
        strings = pipeline.vocab.strings
        for word in known:
            strings.add(word)
        pipeline.vocab.vectors = spacy.vectors.Vectors(strings=strings, data=data, keys=known, attr="LOWER")
    encoder: Any = spacy_tok2vec()
    encoder["embed"]["include_static_vectors"] = bool(task.vectors)
    pipeline.add_pipe("ner" if task.kind == "entities" else "tagger", config={"model": {"tok2vec": encoder}})
    return pipeline


def train_spacy(task: Task, options: argparse.Namespace) -> Iterator[Trained]:
    """Yield the best of the epochs of spaCy's own network on dev."""
    from spacy.tokens import Doc
    from spacy.training import Example
    from thinc.api import fix_random_seed

    started = time.perf_counter()
    fix_random_seed(1)
    pipeline = make_pipeline(task)
    key = "entities" if task.kind == "entities" else "tags"
    gold = zip(task.corpus.train, answers(task, task.corpus.train), strict=True)
    examples = [Example.from_dict(Doc(pipeline.vocab, words=list(s.tokens)), {key: tags}) for s, tags in gold]
    optimizer = pipeline.initialize(lambda: examples)

    def predict(sentences: Sequence[Sentence]) -> list[Any]:
        docs = pipeline.pipe(Doc(pipeline.vocab, words=list(sentence.tokens)) for sentence in sentences)
        return [_tags_of(doc, task.kind) for doc in docs]

    best, best_epoch, content, order = -1.0, 0, b"", Random(1)
    for epoch in range(1, options.epochs + 1):
        order.shuffle(examples)
        for first in range(0, len(examples), BATCH):
            pipeline.update(examples[first : first + BATCH], sgd=optimizer, drop=0.1)
        score = scored(task, Trained("", predict, 0, 0.0), task.corpus.dev)
        sys.stderr.write(f"  spaCy, epoch {epoch}: dev {score:.4f}\n")
        if score > best:
            best, best_epoch, content = score, epoch, pipeline.to_bytes()
        elif epoch - best_epoch >= PATIENCE:
            break
    pipeline.from_bytes(content)
    settings = f"epoch {best_epoch} of {epoch}"
    yield Trained(settings, predict, len(content), time.perf_counter() - started)


def _tags_of(doc: Any, kind: str) -> list[str]:
    """Return the tags that spaCy has given; entities in IOB2."""
    if kind == "tags":
        return [token.tag_ for token in doc]
    return [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc]


# scikit-learn


def train_sklearn(task: Task, options: argparse.Namespace) -> Iterator[Trained]:
    """Yield logistic regression and a linear SVM over TF-IDF of words and pairs of words, for each strength."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    for strength in STRENGTHS:
        regression = LogisticRegression(C=strength, max_iter=1000)
        yield _classifier(task, regression, f"logistic regression, C = {strength}")
        yield _classifier(task, LinearSVC(C=strength, random_state=1), f"linear SVM, C = {strength}")


def _classifier(task: Task, classifier: Any, settings: str) -> Trained:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline as joined

    started = time.perf_counter()
    words = TfidfVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True)
    model = joined(words, classifier)
    model.fit([_text(s) for s in task.corpus.train], answers(task, task.corpus.train))
    seconds = time.perf_counter() - started

    def predict(sentences: Sequence[Sentence]) -> list[Any]:
        return [str(value) for value in model.predict([_text(s) for s in sentences])]

    return Trained(settings, predict, len(pickle.dumps(model)), seconds)


def _text(sentence: Sentence) -> str:
    return " ".join(sentence.tokens)


TOOLS: dict[str, tuple[tuple[str, ...], Callable[[Task, argparse.Namespace], Iterator[Trained]]]] = {
    "crfsuite": (("entities", "tags"), train_crfsuite),
    "spacy": (("entities", "tags"), train_spacy),
    "sklearn": (("labels",), train_sklearn),
}


def best_on_dev(task: Task, models: Iterator[Trained]) -> tuple[float, Trained]:
    """Return the trained tool with the highest score on dev, and that score."""
    found: list[tuple[float, Trained]] = []
    for model in models:
        found.append((scored(task, model, task.corpus.dev), model))
        sys.stderr.write(f"  {model.settings}: dev {found[-1][0]:.4f}\n")
    return max(found, key=lambda pair: pair[0])


def timed(task: Task, model: Trained, ours: Tagger, repeats: int) -> dict[str, Any]:
    """Return the seconds of tagging dev by a tool and by ours, in turns with one thread each, and the tokens of dev."""
    dev = some_of_dev({"": task.corpus})
    torch.set_num_threads(1)
    with threadpool_limits(1):
        seconds = in_turns({"seconds": lambda: model.predict(dev), "our_seconds": lambda: consume(ours, dev)}, repeats)
    return {**seconds, "tokens": sum(map(len, dev))}


def compared(task: Task, tool: str, ours: Callable[[], Tagger], options: argparse.Namespace) -> dict[str, Any]:
    """Train a tool on a task, and return its scores and costs."""
    dev, model = best_on_dev(task, TOOLS[tool][1](task, options))
    package = PACKAGES[tool]
    return {
        "recipe": task.recipe,
        "layer": task.layer,
        "tool": f"{package} {version(package)}",
        "settings": model.settings,
        "dev": dev,
        "test": scored(task, model, task.corpus.test),
        "train_seconds": model.seconds,
        "model_bytes": model.size,
        **timed(task, model, ours(), options.repeats),
        "machine": machine(),
        "busy": options.busy,
        "date": today(),
    }


def our_model(path: Path, options: argparse.Namespace) -> Tagger:
    """Return our model of a recipe: that of its runs, or else a plain network that is trained for one epoch."""
    if options.runs is not None and (options.runs / path.stem).is_dir():
        return tagger.load(run_folders(options.runs / path.stem)[0], threads=1)
    corpora = tagger.load_corpora(path, data=options.data)
    folder = (options.runs or Path("runs")) / PLAIN / path.stem
    return plain_model(folder, tagger.load_recipe(path), corpora, options.data, 1)


def is_default(recipe: Recipe) -> bool:
    """Whether a recipe is compared if none is named: its corpora are files of its own task."""
    generated = any(config.format == "synthetic" for config in recipe.all_corpora().values())
    return not generated and not any(head.teacher for head in recipe.heads.values())


def chosen_recipes(names: Sequence[str], root: Path) -> list[Path]:
    """Return the paths of recipes.

    Raises:
        DataError: There is no recipe of a name.
    """
    known = {path.stem: path for path in sorted((root / "recipes").glob("*.toml"))}
    if unknown := [name for name in names if name not in known]:
        raise DataError(f"{unknown[0]}: must be the name of a recipe, such as {next(iter(known))}")
    return [known[name] for name in names] or [p for p in known.values() if is_default(tagger.load_recipe(p))]


def missing(
    results: Mapping[str, Any], recipes: Sequence[Path], options: argparse.Namespace
) -> list[tuple[Path, Task, str]]:
    """Return which tool has to be trained on which task: those that have no result yet on the same corpora."""
    known = set()
    for peer in results["peers"]:
        known.add((peer["recipe"], peer["data"], peer["layer"], peer["tool"].partition(" ")[0]))
    found = []
    for path in recipes:
        for task in tasks_of(path, options.data):
            for tool in [tool for tool in options.tools if task.kind in TOOLS[tool][0]]:
                name = (task.recipe, data_hash_of(path), task.layer, PACKAGES[tool])
                if options.again or name not in known:
                    found.append((path, task, tool))
    return found


def add(peer: Mapping[str, Any], root: Path) -> None:
    """Put a result in the place of that of the same tool on the same task, and write all results."""
    results = read_results(root)  # again, because other results may have been written during the training

    def name(one: Mapping[str, Any]) -> tuple[str, str, str]:
        return one["recipe"], one["layer"], one["tool"].partition(" ")[0]

    results["peers"] = [*(one for one in results["peers"] if name(one) != name(peer)), dict(peer)]
    write_results(results, root)


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("recipes", nargs="*", metavar="NAME", help="recipes whose corpora to use; default: see above")
    option("--data", type=existing_folder, required=True, help="folder of the recipes' data files")
    option("--runs", type=existing_folder, help="folder with the runs of each recipe, to compare the speed with")
    option("--tools", type=_chosen, default=list(TOOLS), metavar="A,B,...", help=f"of {', '.join(TOOLS)}; default: all")
    option("--epochs", type=whole_number(1), default=10, help="most epochs of spaCy")
    option("--busy", action="store_true", help="mark the times of trainings: the machine does other work as well")
    option("--repeats", type=whole_number(1), default=5, help="timed turns")
    option("--again", action="store_true", help="measure again what has results")
    return parser.parse_args(given)


def _chosen(text: str) -> list[str]:
    """Return the names of tools in a list separated by commas."""
    names = text.split(",")
    if not set(names) <= set(TOOLS):
        raise argparse.ArgumentTypeError(f"must be names among {', '.join(TOOLS)}, got {text!r}")
    return names


def main(given: Sequence[str] | None = None, root: Path = ROOT) -> None:
    """Train the tools, and write the result of each when it is done."""
    options = parse_arguments(given)
    recipes = chosen_recipes(options.recipes, root)
    sys.stderr.write(f"reading the corpora of {', '.join(path.stem for path in recipes)}\n")
    found = missing(read_results(root), recipes, options)
    with Progress(len(found)) as progress:
        for path, task, tool in found:
            progress.begin(f"{task.recipe}, {task.layer}, {tool}")
            peer = compared(task, tool, partial(our_model, path, options), options)
            add({**peer, "data": data_hash_of(path)}, root)
            progress.end(f"dev {peer['dev']:.4f}, test {peer['test']:.4f}")


if __name__ == "__main__":
    run_script(main)
