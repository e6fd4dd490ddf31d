"""Read JSON: texts with annotations of any dialect, or else sentences of tokens (`jsonl.py`).

The keys of the records show the dialect (`dialects.py`). Offsets count characters (code points). Texts are split into
sentences and tokens by the rules of the library, or into lines if they are already tokenised, and `alignment` aligns
the entities with them; a text with a label of its own stays one sentence. The keys of a record that say something else
stay with its sentences. Blank texts, and examples that were rejected or ignored in Prodigy, are skipped and counted.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.fields import HEAD
from tagger.formats.faults import Faults
from tagger.formats.json_keys import is_class
from tagger.formats.jsonl import iter_jsonl, sentences_from_json
from tagger.formats.source import Source
from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.sentences import BLANK, LAYER, annotated_sentences, check_scheme
from tagger.formats.tally import Tally
from tagger.formats.tools.annotated import Annotated, Translation, shown
from tagger.formats.tools.dialects import KEYED, Dialect, dialect_of
from tagger.formats.tools.items import Item, is_whole, json_items
from tagger.formats.tools.keyed import text_key
from tagger.formats.tools.spans import entities
from tagger.text.sentence import Label, Origin, Sentence


def read_json(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of JSON: of texts with annotations, or else of tokens with tags.

    Raises:
        DataError: A key of the config is for the other kind.
    """
    if holds_texts(source.lines()):
        yield from read_texts(source, config, tally, faults)
        return
    if config.layer is not None:
        raise DataError(
            f"{source.where}: `layer` is for texts with character spans, got tokens or texts without; leave it out, or "
            'give each text its spans, such as "label": [[0, 6, "PER"]]'
        )
    make = partial(sentences_from_json, layers=config.layers, rules=config.text_rules, tally=tally)
    yield from iter_jsonl(source.lines(), make, faults, where=source.where)


def holds_texts(lines: Iterable[str]) -> bool:
    """Whether a file has texts with annotations; otherwise it has sentences of tokens, or bare texts."""
    head = list(islice((line for line in lines if line.strip()), HEAD))
    return is_whole(head) or dialect_of(_record(item) for item in json_items(head, "")) is not None


def dialect_name(lines: Sequence[str]) -> str | None:
    """Return what a note calls the texts of a file of JSON; None for sentences of tokens."""
    if not holds_texts(lines):
        return None
    return (dialect_of(_record(item) for item in json_items(lines, "")) or KEYED).name


def _record(item: Item) -> Any:
    return _untupled(item).value


class _Found(NamedTuple):
    """What an item says, or what is wrong with it."""

    item: Item
    annotated: Annotated | DataError


def read_texts(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of texts with annotations.

    A text of several sentences is a document, and so are all others of its file.

    Raises:
        DataError: The scheme is none for character spans.
    """
    check_scheme(config, source.where)
    items = [_untupled(item) for item in json_items(list(source.lines()), source.where)]
    items = [item for item in items if _accepted(item, tally)]
    rows = [item.value for item in items if isinstance(item.value, dict)]
    how = Translation(config=config, tally=tally, text_key=text_key(rows))
    dialect = dialect_of(rows) or KEYED
    found = [_Found(item, annotated) for item in items for annotated in _translated(item, dialect, how)]
    choice = _Choice.of([each.annotated for each in found if isinstance(each.annotated, Annotated)], config)
    texts: list[list[Sentence]] = []
    for item, annotated in found:
        try:
            if isinstance(annotated, DataError):
                raise annotated
            if not annotated.text.strip():
                tally.count(BLANK, f"at {item.place}")
                continue
            texts.append(_sentences(annotated, item, choice, config, tally, faults, source.where))
        except DataError as error:
            faults.add("form", item.place, str(error))
    if not items:
        faults.add("form", source.where, "the file must hold at least one text to learn from, got none")
    yield from _numbered(texts)


def _translated(item: Item, dialect: Dialect, how: Translation) -> Iterator[Annotated | DataError]:
    """Yield what an item says, up to the first error."""
    if isinstance(item.value, DataError):
        yield item.value
        return
    if not isinstance(item.value, dict):
        yield DataError(f"must be an object with a text and its spans, got {shown(item.value)}")
        return
    try:
        for annotated in dialect.translate(item.value, how, item.place):
            if how.takes_all:
                how.tally.unread.update(annotated.ignored)
            how.tally.has_tokens |= bool(annotated.tokens)
            yield annotated
    except DataError as error:
        yield error


def _untupled(item: Item) -> Item:
    """Return the item, with a training tuple as an object."""
    match item.value:
        case [str(text), dict(values)]:
            return item._replace(value={**values, "text": text})
    return item


def _accepted(item: Item, tally: Tally) -> bool:
    """Whether an item is used: Prodigy marks those that its user rejected or ignored."""
    answer = item.value.get("answer", "accept") if isinstance(item.value, dict) else "accept"
    if answer in ("reject", "ignore"):
        tally.count("skipped {} text|texts that was|were not accepted", f'"{answer}" at {item.place}')
    return answer not in ("reject", "ignore")


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
    annotated: Annotated,
    item: Item,
    choice: _Choice,
    config: ReadingConfig,
    tally: Tally,
    faults: Faults,
    where: str,
) -> list[Sentence]:
    """Return the sentences of a text."""
    spans = {layer: annotated.spans.get(name, annotated.labels.get(name)) or [] for layer, name in choice.spans.items()}
    if choice.layer is not None:
        spans[choice.layer] = _only_list(annotated.spans, tally)
    layers: dict[str, list[Entity]] = {layer: list(entities(found, item.place)) for layer, found in spans.items()}
    values = {layer: annotated.labels.get(name) for layer, name in choice.labels.items()}
    values |= annotated.labels if choice.all_labels else {}
    given = {layer: value for layer, value in values.items() if value not in (None, [])}
    labels = {layer: _label(value, choice.labels.get(layer, layer)) for layer, value in given.items()}
    whole = annotated.whole or bool(labels)
    sentences = annotated_sentences(annotated.text, layers, config, tally, faults, whole=whole, tokens=annotated.tokens)
    origin = Origin(where, (item.line,))
    return [
        replace(s, layers={**s.layers, **labels}, document=annotated.document, origin=origin, record=annotated.others)
        for s in sentences
    ]


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

    A document is called by the `id` of its record, if all have one of their own, or else by its number.
    """
    is_document = any(len(text) > 1 for text in texts)
    ids = [(text[0].record or {}).get("id") for text in texts]
    has_ids = all(isinstance(name, (str, int)) and str(name).strip() for name in ids) and len({*map(str, ids)}) == len(
        ids
    )
    for number, text in enumerate(texts, 1):
        for sentence in text:
            named = sentence.document is not None or not is_document
            name = str(ids[number - 1] if has_ids else number)
            yield sentence if named else replace(sentence, document=name)
