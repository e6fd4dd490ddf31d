"""The sentences of annotated texts: which of their annotations become which layers.

Every reader of texts with annotations ends here, whatever its file looks like.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.json_keys import is_class
from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.nesting import by_depth, filled_layers
from tagger.formats.standoff.sentences import BLANK, LAYER, annotated_sentences
from tagger.formats.tally import Tally
from tagger.formats.tools.annotated import Annotated, shown
from tagger.formats.tools.spans import entities
from tagger.text.sentence import Label, Origin, Sentence


class Found(NamedTuple):
    """What a part of a file says, or what is wrong with it, with its line and its place in errors."""

    line: int
    place: str
    annotated: Annotated | DataError


def annotated_texts(
    found: Sequence[Found], config: ReadingConfig, tally: Tally, faults: Faults, *, where: str
) -> Iterator[Sentence]:
    """Yield the sentences of the texts of a file.

    A text of several sentences is a document, and so are all others of its file. Blank texts are skipped and counted.
    """
    choice = _Choice.of([each.annotated for each in found if isinstance(each.annotated, Annotated)], config)
    texts: list[list[Sentence]] = []
    for each in found:
        try:
            if isinstance(each.annotated, DataError):
                raise each.annotated
            if not each.annotated.text.strip():
                tally.count(BLANK, f"at {each.place}")
                continue
            tally.has_tokens |= bool(each.annotated.tokens)
            texts.append(_sentences(each, choice, config, tally, faults, where))
        except DataError as error:
            faults.add("form", each.place, str(error))
    sentences = _numbered(texts)
    yield from filled_layers(list(sentences)) if config.nested == "layers" else sentences


class _Choice(NamedTuple):
    """Which annotations of a file become which layers.

    Args:
        spans: The layers of named lists of spans, with the names of the lists.
        labels: The layers of named labels, with their names.
        layer: The layer of the only list of spans; None if no such list is read.
        all_labels: Whether all labels are read, each into the layer of its name.
    """

    spans: Mapping[str, str]
    labels: Mapping[str, str]
    layer: str | None
    all_labels: bool

    @classmethod
    def of(cls, found: Sequence[Annotated], config: ReadingConfig) -> "_Choice":
        """Return what a recipe names, and what the file has where it names nothing."""
        lists = dict.fromkeys(name for annotated in found for name in annotated.spans)
        named = config.layers or {}
        spans = {layer: name for layer, name in named.items() if name in lists}
        labels = {layer: name for layer, name in named.items() if name not in lists}
        takes_all = config.layers is None or config.layer is not None
        if takes_all and config.layer is None and len(lists) > 1 and all(annotated.named for annotated in found):
            return cls({name: name for name in lists}, {}, None, True)
        has_spans = bool(lists) or not any(annotated.labels for annotated in found)
        layer = (config.layer or LAYER) if takes_all and has_spans else None
        return cls(spans, labels, layer, config.layers is None)


def _sentences(
    found: Found, choice: _Choice, config: ReadingConfig, tally: Tally, faults: Faults, where: str
) -> list[Sentence]:
    """Return the sentences of a text."""
    annotated = found.annotated
    assert isinstance(annotated, Annotated)
    spans = {layer: annotated.spans.get(name, annotated.labels.get(name)) or [] for layer, name in choice.spans.items()}
    if choice.layer is not None:
        spans[choice.layer] = _only_list(annotated.spans, tally)
    layers = {layer: list(entities(part, found.place)) for layer, part in spans.items()}
    if tally.probabilities:
        layers = {layer: _certain_or_scored(part, found.place, tally) for layer, part in layers.items()}
    layers = by_depth(layers) if config.nested == "layers" else layers
    values = {layer: annotated.labels.get(name) for layer, name in choice.labels.items()}
    values |= annotated.labels if choice.all_labels else {}
    given = {layer: value for layer, value in values.items() if value not in (None, [])}
    labels = {layer: _label(value, choice.labels.get(layer, layer)) for layer, value in given.items()}
    whole = annotated.whole or bool(labels)
    sentences = annotated_sentences(annotated.text, layers, config, tally, faults, whole=whole, tokens=annotated.tokens)
    origin = Origin(where, (found.line,))
    return [
        replace(s, layers={**s.layers, **labels}, document=annotated.document, origin=origin, record=annotated.others)
        for s in sentences
    ]


def _certain_or_scored(found: list[Entity], place: str, tally: Tally) -> list[Entity]:
    """Return the entities of a text, without probabilities if not all of them have one."""
    scores = [entity.score for entity in found if entity.score is not None]
    if scores and (len(scores) < len(found) or not all(0 <= score <= 1 for score in scores)):
        tally.count(
            "ignored the probabilities of {} text|texts, where not each span has one from 0 to 1", f"at {place}"
        )
        return [entity._replace(score=None) for entity in found]
    return found


def _only_list(spans: Mapping[str, Any], tally: Tally) -> Any:
    """Return the only list of spans of a text, whatever its name.

    Raises:
        DataError: There are several.
    """
    found = [name for name, value in spans.items() if value]
    if len(found) > 1:
        names = " and ".join(f"`{name}`" for name in found)
        choice = "remove one" if tally.options else f'name what to read: layers = {{ner = "{found[0]}"}}'
        raise DataError(f"must have one list of spans, got {names}; {choice}")
    return spans[found[0]] if found else []


def _label(value: Any, key: str) -> Label:
    """Return the class of the whole text, which may be in a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if is_class(value):
        return Label(str(value))
    raise DataError(f"`{key}` must be a class or a list of spans, got {shown(value)}")


def _numbered(texts: Collection[Sequence[Sentence]]) -> Iterator[Sentence]:
    """Yield the sentences of texts, each text a document if one of them has several sentences.

    A document is called by the `id` of its record if each text has its own, or else by its number.
    """
    is_document = any(len(text) > 1 for text in texts)
    names = _own_ids(texts) or [str(number) for number in range(1, len(texts) + 1)]
    for name, text in zip(names, texts, strict=True):
        for sentence in text:
            named = sentence.document is not None or not is_document
            yield sentence if named else replace(sentence, document=name)


def _own_ids(texts: Collection[Sequence[Sentence]]) -> list[str]:
    """Return the `id` of the record of each text; empty unless all have one, and each another."""
    ids = [(text[0].record or {}).get("id") for text in texts]
    names = [str(name) for name in ids if isinstance(name, (str, int)) and str(name).strip()]
    return names if len(set(names)) == len(texts) else []
