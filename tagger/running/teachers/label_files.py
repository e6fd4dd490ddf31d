"""Files with labels as teachers: those of another tool, of a language model or of people.

Labels are matched with sentences by text. Where tokens differ, an entity keeps its characters (`alignment`).
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import compress, groupby
from pathlib import Path

import numpy as np

from tagger.alignment.align import aligned
from tagger.alignment.blocks import by_words
from tagger.alignment.transfer import NO_TOKEN
from tagger.config import AnyHeadConfig
from tagger.corpus.checking import finish
from tagger.corpus.sides import read_side
from tagger.errors import DataError, RecipeError
from tagger.files.reading import iter_lines, utf8_alone
from tagger.formats.probabilities import settled
from tagger.heads.lessons import Opinion, taught_tags
from tagger.heads.table import head_of
from tagger.text.gaps import known_of
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer, Values
from tagger.wording import counted, quoted

SCORES = re.compile(r'"(score|tag_scores|confidence|probability)"\s*:')  # keys that may hold probabilities
CONVERT = "; these are options of `tagger convert`, which writes a file that can teach"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LabelFile:
    """Sentences with labels.

    Args:
        name: What messages call the file.
        sentences: Its sentences, with valid tags and the probabilities of the file.
        tell: Called with a note on each kind of label that cannot be placed.
    """

    name: str
    sentences: Sequence[Sentence]
    tell: Tell

    def predict(self, sentences: Sequence[Sentence], asked: Sequence[bool]) -> Iterable[Sentence]:
        """Return those sentences that are asked about, with the layers that the file has for their text."""
        sentences = list(compress(sentences, asked))
        texts = _texts(self.sentences)
        parts = [*texts, *([sentence] for text in texts if len(text) > 1 for sentence in text)]
        keyed = [(_characters(part), part) for part in parts]
        labelled = dict(reversed(keyed))  # the first of each text
        found: list[Sentence] = []
        used, counts = set[str](), Counter[str]()
        for text in _texts(sentences):
            whole = [text] if _characters(text) in labelled else [[sentence] for sentence in text]
            for part in whole:
                key = _characters(part)
                found += _placed(part, labelled[key], counts) if key in labelled else _without_layers(part)
                used.add(key)
        counts["absent"] = sum(not sentence.layers for sentence in found) - counts["unclear"]
        counts["unused"] = sum(_characters(t) not in used and not used & set(_each(t)) for t in texts)
        counts["repeated"] = sum(key in used and _labels(part) != _labels(labelled[key]) for key, part in keyed)
        for note in _notes(counts, len(sentences)):
            self.tell(f"{self.name}: {note}")
        return found

    def opinions(
        self, sentences: Sequence[Sentence], asked: Sequence[bool], layer: str, scheme: Scheme | None
    ) -> Iterator[Opinion]:
        """Yield the tags with their probabilities; the rest of the probability of a token stays unknown."""
        for sentence in self.predict(sentences, asked):
            tags, found = taught_tags(sentence, layer, scheme), sentence.layers.get(layer)
            names = sorted({*known_of(tags)})
            shares = np.zeros((len(tags), len(names)), np.float32)
            scores = _scores(found) if isinstance(found, TagLayer) else ()
            for i, (tag, score) in enumerate(zip(tags, scores, strict=False)):
                if tag is not None:
                    shares[i, names.index(tag)] = score
            yield Opinion(names, shares)

    def having(self, layer: str, classes: Collection[str]) -> tuple[str, str]:
        """Return the first line of the file with one of these classes, and how to fix that train lacks them."""
        for sentence in self.sentences:
            token = _first_of(sentence, layer, {*classes})
            if token is not None and sentence.origin is not None:
                return sentence.origin.at(token), "correct the file, or add train sentences that have them"
        return self.name, "correct the file, or add train sentences that have them"


def _first_of(sentence: Sentence, layer: str, classes: Set[str]) -> int | None:
    """Return the first token that has one of these classes; None if there is none."""
    found = sentence.layers.get(layer)
    if not isinstance(found, TagLayer):
        return 0 if isinstance(found, Label) and classes & {found.value, *(found.scores or ())} else None
    if found.scheme is not None:
        return next((span.start for span in sentence.boundaries(layer) if span.type in classes), None)
    return next((i for i, tag in enumerate(found.tags) if tag in classes), None)


def read_label_file(path: Path, tell: Tell) -> LabelFile:
    """Return the labels of a file, whose format is detected.

    Raises:
        DataError: The file cannot be read, or its tags are invalid.
    """
    try:
        with utf8_alone():
            side = read_side(path, {})
        finished = finish({"test": side.sentences}, side.config, side.notes, whole=False)
    except DataError as error:
        raise DataError(f"{error}{CONVERT if ' --' in str(error) else ''}") from None
    sentences = [settled(sentence) for sentence in finished.splits["test"]]
    ignored = [note for note in side.notes if note.startswith("ignored")]
    for note in ignored:
        tell(f"{path}: {note}; their labels count as certain")
    if (
        side.config.format == "jsonl"
        and not ignored
        and not any(map(_has_scores, sentences))
        and _mentions_scores(path)
    ):
        tell(
            f"{path}: has keys such as `score`, but no probabilities in a form that is read, so each of its labels "
            "counts as certain; give each span or label a `score`, as `tagger tag --output-format jsonl` does"
        )
    return LabelFile(str(path), sentences, tell)


def _mentions_scores(path: Path) -> bool:
    return any(SCORES.search(line) for line in iter_lines(path))


def _has_scores(sentence: Sentence) -> bool:
    """Whether a layer of a sentence has probabilities."""
    return any(
        layer.score is not None or (isinstance(layer, TagLayer) and (layer.scores or layer.scored_spans))
        for layer in sentence.layers.values()
        if not isinstance(layer, Values)
    )


def _notes(counts: Counter[str], asked: int) -> Iterator[str]:
    """Yield a note on each kind of thing that was counted."""
    unfit = f"{counts['unfit']} {'entity' if counts['unfit'] == 1 else 'entities'}"
    for what, text in (
        ("absent", f"the file has no labels for {counts['absent']} of {counted(asked, 'sentence')}"),
        ("unused", f"ignored {counted(counts['unused'], 'text')} of the file without a matching sentence to label"),
        (
            "repeated",
            f"ignored {counted(counts['repeated'], 'repeated text')} of the file with other labels or tokens; the "
            "first of each is used",
        ),
        ("unfit", f"tags are unknown at {unfit} whose characters do not align with tokens"),
        (
            "unclear",
            f"ignored the labels of {counted(counts['unclear'], 'sentence')} whose tokens differ from those of the "
            "file, which has unknown tags there",
        ),
        (
            "unscored",
            f"the labels of {counted(counts['unscored'], 'sentence')} whose tokens differ from those of the file count "
            "as certain, because its probabilities cannot be placed",
        ),
    ):
        if counts[what]:
            yield text


def check_layer(where: str, head: AnyHeadConfig, file: LabelFile) -> None:
    """Refuse a file without the layer of a head.

    Raises:
        RecipeError: No sentence has it, or it is of another kind.
    """
    wanted = head_of(head.layer, head)
    layers = {name: found for sentence in file.sentences for name, found in sentence.layers.items()}
    if not isinstance(layers.get(head.layer), wanted.layer_type):
        raise RecipeError(
            f"{where} must have the layer `{head.layer}` with {wanted.answer}; it has {quoted(layers) or 'no layer'}"
        )
    found = [s.tag_layer(head.layer) for s in file.sentences if isinstance(s.layers.get(head.layer), TagLayer)]
    if head.span_scheme is not None and all(layer.scheme is None for layer in found):
        raise RecipeError(f"{where} must have entities in the layer `{head.layer}`, got tags without a scheme")


def _texts(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """Return the sentences of each text; sentences without a text of their own are apart."""
    groups = groupby(enumerate(sentences), key=lambda pair: (pair[1].document, pair[1].text))
    parts = [[sentence for _, sentence in group] for _, group in groups]
    return [run for part in parts for run in ([part] if _goes_on(part) else [[sentence] for sentence in part])]


def _goes_on(part: Sequence[Sentence]) -> bool:
    """Whether each sentence begins behind the one before it in their text."""
    ends = [sentence.offsets[-1][1] for sentence in part if sentence.offsets]
    starts = [sentence.offsets[0][0] for sentence in part if sentence.offsets]
    return len(ends) == len(part) and all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def _characters(part: Iterable[Sentence]) -> str:
    return "".join(by_words(sentence).chars for sentence in part)


def _each(part: Iterable[Sentence]) -> Iterator[str]:
    return (_characters([sentence]) for sentence in part)


def _labels(part: Iterable[Sentence]) -> list[tuple[object, object]]:
    return [(sentence.tokens, sentence.layers) for sentence in part]


def _without_layers(part: Iterable[Sentence]) -> list[Sentence]:
    return [replace(sentence, layers={}) for sentence in part]


def _placed(part: Sequence[Sentence], labelled: Sequence[Sentence], counts: Counter[str]) -> list[Sentence]:
    """Return sentences with the layers of others that have the same characters."""
    same = [s.tokens for s in part] == [s.tokens for s in labelled]
    if not same and any(None in layer.tags for s in labelled for layer in _tag_layers(s)):
        counts["unclear"] += len(part)
        return _without_layers(part)
    found = [_with_gaps(sentence, counts) for sentence in aligned(_without_layers(part), labelled).sentences]
    if any(map(_has_scores, labelled)):
        counts["unscored"] += sum(bool(sentence.layers) and not _has_scores(sentence) for sentence in found)
    return found


def _tag_layers(sentence: Sentence) -> Iterator[TagLayer]:
    return (layer for layer in sentence.layers.values() if isinstance(layer, TagLayer))


def _with_gaps(sentence: Sentence, counts: Counter[str]) -> Sentence:
    """Return a sentence with unknown tags at entities that its tokens cannot express."""
    layers = dict(sentence.layers)
    for name, layer in layers.items():
        if isinstance(layer, TagLayer):
            counts["unfit"] += len(layer.unaligned)
            gaps = [
                any(first < end and start < last for _, start, end in layer.unaligned)
                for first, last in sentence.offsets
            ]
            tags = [None if gap or tag == NO_TOKEN else tag for tag, gap in zip(layer.tags, gaps, strict=True)]
            layers[name] = replace(layer, tags=tuple(tags), unaligned=())
    return replace(sentence, layers=layers)


def _scores(layer: TagLayer) -> Sequence[float]:
    """Return the probability of each tag: that of its entity if the entity has one, else its own, else 1."""
    scores = list(layer.scores or [1.0] * len(layer.tags))
    for span, score in layer.scored_spans or ():
        scores[span.start : span.end] = [score] * (span.end - span.start)
    return scores
