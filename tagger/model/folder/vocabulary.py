"""`vocabulary.json` of a model folder: the names of the ids of words, characters and labels."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import FailFast, Field

from tagger.config import Positive, Section
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.model.config import ModelConfig
from tagger.model.folder.opening import AGAIN
from tagger.text.schemes import Scheme, describe, tags_of_types
from tagger.wording import shorten

Strings = Annotated[list[str], FailFast()]


class VocabularySection(Section):
    """The content of `vocabulary.json`; see `Vocabulary`."""

    words: Strings
    num_trainable: Positive
    chars: Strings
    labels: dict[str, Annotated[Strings, Field(min_length=1)]]


def vocabulary_to_json(vocabulary: Vocabulary) -> bytes:
    """Return the bytes of `vocabulary.json`."""
    names = {
        "words": list(vocabulary.words),
        "num_trainable": vocabulary.num_trainable,
        "chars": list(vocabulary.chars),
        "labels": {layer: list(labels) for layer, labels in vocabulary.labels.items()},
    }
    return f"{json.dumps(names, ensure_ascii=False)}\n".encode()


def vocabulary_of(section: VocabularySection, path: Path, config: ModelConfig) -> Vocabulary:
    """Return the vocabulary in a `vocabulary.json`.

    Raises:
        ModelError: It does not fit the configuration, or its values do not fit each other.
    """
    if odd := section.labels.keys() ^ config.heads.keys():
        keys = f"must have the keys {', '.join(config.heads)}; missing or unknown: {shorten(', '.join(sorted(odd)))}"
        raise ModelError(f"{path}: `labels` {keys}; {AGAIN}")
    if section.num_trainable > len(section.words) + 1:
        raise ModelError(f"{path}: `num_trainable` must be at most the number of words and 1; {AGAIN}")
    for key, found in (("words", section.words), ("chars", section.chars), *section.labels.items()):
        if len(set(found)) < len(found):
            twice = Counter(found).most_common(1)[0][0]
            raise ModelError(f"{path}: `{key}` must not have a name twice, got {shorten(twice)} twice; {AGAIN}")
    for layer, head in config.heads.items():
        if head.span_scheme is not None and not _is_complete(section.labels[layer], head.span_scheme):
            raise ModelError(
                f"{path}: `labels.{layer}` must be each {describe(head.span_scheme)} of each type; {AGAIN}"
            )
    return Vocabulary(section.words, section.chars, section.labels, section.num_trainable)


def _is_complete(labels: Sequence[str], scheme: Scheme) -> bool:
    """Whether labels are `O` and then all tags that a scheme has for some types."""
    types = {label[2:] for label in labels[1:]}
    return labels[0] == "O" and sorted(labels) == sorted(tags_of_types(types, scheme))
