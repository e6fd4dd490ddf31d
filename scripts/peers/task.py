"""What a tool learns, what it is when it is trained, and its score."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tagger
from tagger import Corpus, Sentence


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
