"""The network of spaCy, with the word vectors of a recipe."""

import argparse
import gzip
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from benchmark_speed import spacy_tok2vec

from peers.task import Task, Trained, answers, scored
from tagger import Sentence

PATIENCE = 3  # epochs without a better dev score
BATCH = 32  # sentences in a batch


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
    key = "ents" if task.kind == "entities" else "tags"  # entities in IOB2
    gold = zip(task.corpus.train, answers(task, task.corpus.train), strict=True)
    given: Iterator[dict[str, Any]] = ({"words": list(sentence.tokens), key: list(tags)} for sentence, tags in gold)
    docs = (Doc(pipeline.vocab, **words) for words in given)
    examples = [Example(Doc(pipeline.vocab, words=[token.text for token in doc]), doc) for doc in docs]
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
