"""What a split contains: documents, sentences, tokens, entities and labels."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tagger.doctor.diagnosis import Counts
from tagger.doctor.tags import tags_of
from tagger.text.sentence import Label, Sentence, place_of


def counts_of(
    sentences: Sequence[Sentence], words: Counter[str], entities: Mapping[str, Counter[str]], labels: Iterable[str]
) -> Counts:
    """Return the contents of a split: its words and entities, and the layers with labels to count."""
    longest = max(sentences, key=len)
    others = {layer: _label_counts(sentences, layer) for layer in labels}
    return Counts(
        documents=_count_documents(sentences),
        sentences=len(sentences),
        tokens=words.total(),
        types=len(words),
        entities={layer: dict(found.most_common()) for layer, found in entities.items()},
        labels={layer: dict(found.most_common()) for layer, found in others.items() if found},
        longest=len(longest),
        longest_place=place_of(longest),
    )


def _count_documents(sentences: Sequence[Sentence]) -> int:
    """Return the number of documents that the files mark; text before the first mark of a file is one too."""
    documents = {(s.origin.path if s.origin else "", s.document) for s in sentences}
    marked = {path for path, document in documents if document is not None}
    return sum(path in marked for path, _ in documents)


def _label_counts(sentences: Sequence[Sentence], layer: str) -> Counter[str]:
    """Return how often each tag or label of a layer occurs."""
    labels = (sentence.layers.get(layer) for sentence in sentences)
    counts = Counter(tag for sentence in sentences for tag in tags_of(sentence, layer) if tag)
    return counts + Counter(label.value for label in labels if isinstance(label, Label))
