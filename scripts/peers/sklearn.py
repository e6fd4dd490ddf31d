"""Classifiers of scikit-learn over TF-IDF of words and pairs of words."""

import argparse
import pickle
import time
from collections.abc import Iterator, Sequence
from typing import Any

from peers.task import Task, Trained, answers
from tagger import Sentence

STRENGTHS = (0.3, 1.0, 3.0, 10.0)  # C of scikit-learn


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
