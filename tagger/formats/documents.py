"""Documents to be tagged: of columns, JSON, CSV and brat, each as soon as its lines arrive.

Plain text is in `texts/plain_text.py`. All other formats are read as they are for training, and `stream_read` joins the
sentences of each text.

Every record gives one document, which keeps the keys of the record. Layers that a file has are ignored, and texts are
split as `config.text_rules` says. A record that cannot be read is a fault.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.files.reading import MAX_LINE, read_text
from tagger.formats.columns.conll import stream_conll
from tagger.formats.columns.conllu import read_conllu
from tagger.formats.faults import Faults
from tagger.formats.json_keys import FRAMES, frames_in, text_key, token_key
from tagger.formats.jsonl import kept_keys, sentences_from_json
from tagger.formats.source import Source
from tagger.formats.standoff.sentences import annotated_sentences
from tagger.formats.tally import UNFIT, Tally
from tagger.formats.tools.annotated import Translation, shown
from tagger.formats.tools.dialects import dialect_of
from tagger.formats.tools.items import Item, is_whole, json_items, value_of
from tagger.formats.tools.spans import lists, own_tokens
from tagger.text.document import Document
from tagger.text.sentence import Origin, Sentence
from tagger.wording import quoted

Read = Callable[[Source, ReadingConfig, Tally, Faults], Iterator[Sentence]]


def stream_columns(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Document]:
    """Yield a document for each sentence of a column file."""
    return map(_of_sentence, stream_conll(source, config, tally, faults))


def stream_conllu(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Document]:
    """Yield a document for each sentence of a CoNLL-U file."""
    return map(_of_sentence, read_conllu(source, config, tally, faults))


def _of_sentence(sentence: Sentence) -> Document:
    return Document(sentence.text, (replace(sentence, layers={}),), meta=sentence.meta)


def stream_read(read: Read, source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Document]:
    """Yield a document for the sentences of each text that a reader gives; its record has the id.

    Entities that no tags can express and texts with several labels are no faults, because layers are ignored.
    """
    frames = config.frames and config.frames.model_copy(update={"windows": None})
    config = config.model_copy(update={"several": "join", "invalid": "repair", "frames": frames})
    held = list(source.lines())  # a reader may go through them twice
    source = source._replace(lines=lambda: held)
    group: list[Sentence] = []
    for sentence in read(source, config, replace(tally, missed=UNFIT), faults):
        if group and not _continues(group[-1], sentence):
            yield _of_group(group)
            group = []
        group.append(sentence)
    if group:
        yield _of_group(group)


def _continues(first: Sentence, second: Sentence) -> bool:
    """Whether the second sentence comes after the first in the same text."""
    same = first.document == second.document and first.text == second.text
    return same and bool(first.offsets and second.offsets) and first.offsets[-1][1] <= second.offsets[0][0]


def _of_group(group: Sequence[Sentence]) -> Document:
    first = group[0]
    record = dict(first.record) if first.record else None
    sentences = tuple([replace(sentence, layers={}) for sentence in group])
    return Document(first.text, sentences, id=_id(record or {}), meta=first.meta, record=record)


def stream_brat(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Document]:
    """Yield a document for each text of a folder, or for one text, named after its file."""
    path = source.path or Path(source.where)
    texts = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    if not texts:
        faults.add("form", str(path), "the folder must hold texts (.txt), got none")
    for text in texts:
        name = str(text.relative_to(path).with_suffix("")) if path.is_dir() else text.stem
        content = read_text(text)
        yield _placed(Document(content, tuple(config.text_rules.split(content)), id=name), str(text), 1)


def stream_csv(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Document]:
    """Yield a document for each row of a file with a header, one of whose columns has the texts."""
    header = 1 if config.header is None else int(config.header)
    lines = islice(source.lines(), max(header - 1, 0), None)
    head = next(lines, "")
    csv.field_size_limit(MAX_LINE)  # the limit of a line everywhere
    rows = csv.DictReader(
        (f"{line}\n" for line in chain([head], lines)),
        fieldnames=None if header else ["text"],
        delimiter=config.delimiter or max("\t;,", key=head.count),
        quotechar=config.quote or '"',
        quoting=csv.QUOTE_NONE if config.quote == "" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    number = 1
    while True:
        try:
            _check_names(rows.fieldnames or ())
            row = next(rows, None)
            if row is None:
                return
            number = rows.line_num
            document = _of_row(row, config.text)
        except (csv.Error, DataError) as error:
            faults.add("form", f"{source.where}:{rows.line_num}", f"{error}")
        else:
            yield _placed(_split(document, config), source.where, number)


def _check_names(names: Sequence[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"the columns must have different names, got `{twice[0]}` twice; rename one")


def _of_row(row: dict[str | Any, Any], named: str | None) -> Document:
    if None in row or None in row.values():
        raise DataError("must have one field for each column of the header, got more or fewer; quote the text")
    key = named or text_key(row) or (next(iter(row)) if len(row) == 1 else None)
    if not isinstance(row.get(key), str):
        raise DataError(
            f"must have a column `{named or 'text'}`, got {', '.join(row)}; name the column of the texts with --text"
        )
    return Document(row[key], id=_id(row), record=row)


def stream_json(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Document]:
    """Yield a document for each record of JSON, and for each of several texts in one record of an annotation tool."""
    for item in _items(iter(source.lines()), source.where):
        try:
            documents = list(_of_item(item, config, tally))
        except DataError as error:
            faults.add("form", item.place, str(error))
        else:
            yield from (_placed(document, source.where, item.line) for document in documents)


def _items(lines: Iterator[str], where: str) -> Iterator[Item]:
    """Yield the records of lines as they arrive, or those of the one array or object that they are."""
    before, first = 0, ""
    for first in lines:
        if first.strip():
            break
        before += 1
    if is_whole([first]):
        yield from json_items([""] * before + [first, *lines], where)
        return
    for number, each in enumerate(chain([first], lines), before + 1):
        if each.strip():
            yield Item(value_of(each), number, f"{where}:{number}")


def _of_item(item: Item, config: ReadingConfig, tally: Tally) -> Iterator[Document]:
    """Yield the documents of a record.

    Raises:
        DataError: It has no text and no tokens.
    """
    row = item.value
    match row:
        case DataError():
            raise row
        case [str(first), dict(values)]:  # a training tuple of spaCy
            row = {**values, "text": first}
    if not isinstance(row, dict):
        raise DataError(f"must be a JSON object, got {shown(row)}")
    tokens, text = row.get(token_key(row) or "tokens"), _text(row, config.text)
    if frames_in(row) is not None and tokens is None:
        sentences = sentences_from_json(row, {}, rules=config.text_rules)
        yield Document(sentences[0].text, tuple(sentences), id=_id(row), record=kept_keys(row))
    elif tokens == [] and not (text or "").strip():
        yield Document(text or "", id=_id(row), record=kept_keys(row))
    elif isinstance(tokens, list) and not lists(tokens, dict):
        sentences = sentences_from_json(row, {}, rules=config.text_rules)
        yield Document(sentences[0].text, tuple(sentences), id=_id(row), record=kept_keys(row))
    elif text is not None:
        document = Document(text, id=_id(row), record=kept_keys(row))
        yield _split(document, config, own_tokens(row.get("tokens"), text))
    elif (dialect := dialect_of([row])) is not None and dialect.is_sure:
        how = Translation(config=config, tally=tally)
        for found in dialect.translate(row, how, item.place):
            document = Document(found.text, id=_id(found.others), record=kept_keys(found.others))
            yield _split(document, config, found.tokens, whole=found.whole)
    elif row.get(FRAMES) is not None:
        sentences_from_json(row, {}, rules=config.text_rules)  # says what is wrong with them
    else:
        raise DataError(
            f"must have `tokens` (a list of words) or `{config.text or 'text'}` (a text), got the keys "
            f"{quoted(row) or 'none'}"
        )


def _text(row: Mapping[str, Any], named: str | None) -> str | None:
    """Return the text of a record; older versions of doccano and tasks of Label Studio have it under `data`.

    Args:
        row: The record.
        named: The key of the text, if it is given.
    """
    data = row.get("data")
    if named is not None:
        found = row.get(named, data.get(named) if isinstance(data, dict) else None)
        return found if isinstance(found, str) else None
    if (key := text_key(row)) is not None and isinstance(row.get(key), str):
        return str(row[key])
    if isinstance(data, dict):
        texts = [value for value in data.values() if isinstance(value, str)]
        return data["text"] if isinstance(data.get("text"), str) else texts[0] if len(texts) == 1 else None
    return data if isinstance(data, str) else None


def _split(document: Document, config: ReadingConfig, tokens: Any = (), *, whole: bool = False) -> Document:
    """Return the document with its sentences, of its own tokens if it has some; a blank one has none."""
    if not document.text.strip():
        return document
    if not tokens and not whole:
        return replace(document, sentences=tuple(config.text_rules.split(document.text)))
    parts = annotated_sentences(document.text, {}, config, Tally(), Faults(), whole=whole, tokens=tokens)
    return replace(document, sentences=tuple(parts))


def _id(row: Mapping[str, Any]) -> str | int | None:
    value = row.get("id")
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _placed(document: Document, where: str, number: int) -> Document:
    """Return the document with the place of its sentences."""
    origin = Origin(where, (number,))
    return replace(document, sentences=tuple([replace(part, origin=origin) for part in document.sentences]))
