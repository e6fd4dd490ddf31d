"""Read JSON: texts with annotations of any dialect, or else sentences of tokens (`jsonl.py`).

The keys of the records show the dialect (`dialects.py`). Offsets count characters (code points). Texts are split into
sentences and tokens by the rules of the library, or into lines if they are already tokenised, and `alignment` aligns
the entities with them; a text with a label of its own stays one sentence. The keys of a record that say something else
stay with its sentences. Blank texts, and examples that were rejected or ignored in Prodigy, are skipped and counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.fields import HEAD
from tagger.formats.faults import Faults
from tagger.formats.jsonl import sentences_from_json
from tagger.formats.source import Source
from tagger.formats.standoff.sentences import check_scheme
from tagger.formats.tally import Tally
from tagger.formats.tools.annotated import Annotated, Translation, shown
from tagger.formats.tools.dialects import KEYED, Dialect, dialect_of
from tagger.formats.tools.items import Item, is_whole, json_items, line_items
from tagger.formats.tools.keyed import text_key
from tagger.formats.tools.layers import Found, annotated_texts
from tagger.text.sentence import Origin, Sentence


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
    lines = source.lines()
    items = json_items(list(lines), source.where) if _is_whole(source.lines()) else line_items(lines, source.where)
    yield from sentences_of_items(items, config, tally, faults, where=source.where)


def sentences_of_items(
    items: Iterable[Item], config: ReadingConfig, tally: Tally, faults: Faults, *, where: str
) -> Iterator[Sentence]:
    """Yield the sentences of items with tokens and tags, or with texts and labels; several of one are a document."""
    for item in items:
        if not _accepted(item, tally):
            continue
        try:
            if isinstance(item.value, DataError):
                raise item.value
            sentences = sentences_from_json(item.value, config.layers, rules=config.text_rules, tally=tally)
        except DataError as error:
            faults.add("form", item.place, str(error))
            continue
        document = str(item.line) if len(sentences) > 1 else None
        for sentence in sentences:
            yield replace(sentence, origin=Origin(where, (item.line,)), document=sentence.document or document)


def holds_texts(lines: Iterable[str]) -> bool:
    """Whether a file has texts with annotations; otherwise it has sentences of tokens, or texts without spans."""
    return _dialect(lines) is not None


def dialect_name(lines: Iterable[str]) -> str | None:
    """Return what a note calls the texts of a file of JSON; None for sentences of tokens."""
    dialect = _dialect(lines)
    return dialect and dialect.name


def _dialect(lines: Iterable[str]) -> Dialect | None:
    """Return the dialect of a file, as its first lines or the items of its array show; None for sentences of tokens."""
    found = iter(lines)
    head = list(islice((line for line in found if line.strip()), HEAD))
    held = [*head, *found] if is_whole(head) else head
    return dialect_of(_record(item) for item in json_items(held, ""))


def _is_whole(lines: Iterable[str]) -> bool:
    return is_whole(list(islice((line for line in lines if line.strip()), HEAD)))


def _record(item: Item) -> Any:
    return _untupled(item).value


def read_texts(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of texts with annotations.

    Raises:
        DataError: The scheme is none for character spans.
    """
    check_scheme(config, source.where)
    items = [_untupled(item) for item in json_items(list(source.lines()), source.where)]
    items = [item for item in items if _accepted(item, tally)]
    rows = [item.value for item in items if isinstance(item.value, dict)]
    how = Translation(config=config, tally=tally, text_key=config.text or text_key(rows))
    dialect = dialect_of(rows) or KEYED
    found = [Found(item.line, item.place, part) for item in items for part in _translated(item, dialect, how)]
    yield from annotated_texts(found, config, tally, faults, where=source.where)


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
