"""Texts with entities as character spans: the JSON of doccano, Label Studio and spaCy (or Prodigy).

A file has one object per line, or is one array of objects:

- doccano: `{"text": ..., "label": [[start, end, type], ...]}`; older versions say `data` and `labels`, projects with
  relations `"entities": [{"start_offset", "end_offset", "label"}]`;
- Label Studio's minimal JSON: the text under the key that it was imported with, and a key for each set of labels,
  `"label": [{"start", "end", "text", "labels": [type]}]`, which is missing if nothing was labelled;
- spaCy: `{"text": ..., "spans": [...]}` or `"entities"` with `[start, end, label]` or `{"start", "end", "label"}`, and
  training tuples `[text, {"entities": [...]}]`. Examples that were rejected or ignored in Prodigy are skipped, and its
  `"tokens": [{"text", "start", "end", "id"}]` are the tokens of their text, apart from white space.

The keys of each item show which of these it is. Offsets count characters (code points). Texts are split into sentences
and tokens by the rules of the library, or into lines if they are already tokenised, and `alignment` aligns the entities
with them; a text with a label of its own stays one sentence. Relations and comments are ignored.
"""

import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, groupby
from typing import Any, Literal, NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.json_keys import is_class
from tagger.formats.jsonl import iter_jsonl, json_value, sentence_from_json
from tagger.formats.source import Source
from tagger.formats.standoff.alignment import Entity, same_words
from tagger.formats.standoff.sentences import LAYER, annotated_sentences, check_scheme
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Origin, Sentence
from tagger.text.tokenization import CharSpan
from tagger.wording import shorten

BLANK = " \t\r\n"

Dialect = Literal["doccano", "labelstudio", "spacy"]
KEYS = ("label", "labels", "entities", "spans")
OF_SPANS = {"start", "end", "start_offset", "end_offset", "label", "labels", "text", "token_start", "token_end"}
OF_LABEL_STUDIO = {"annotator", "created_at", "updated_at"}


class Item(NamedTuple):
    """A value of a file (or the error in its place), the line where it begins, and its place in error messages."""

    value: Any
    line: int
    place: str


def json_items(lines: Sequence[str], where: str) -> Iterator[Item]:
    """Yield the items of a file, one per line, or those of the one array that it is."""
    if _is_array(lines):
        yield from _array(lines, where)
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Item(_value(line), number, f"{where}:{number}")


def _value(line: str) -> Any:
    try:
        return json_value(line)[0]
    except DataError as error:
        return error


def _is_array(lines: Sequence[str]) -> bool:
    """Whether a file opens with a bracket that is not that of a training tuple on one line."""
    first = next((line for line in lines if line.strip()), "")
    try:
        value, _ = json_value(first)
    except DataError:
        return first.lstrip().startswith("[")
    return isinstance(value, list) and not (value and isinstance(value[0], str))


def _array(lines: Sequence[str], where: str) -> Iterator[Item]:
    """Yield the items of an array, each with the line it begins in, up to the first error."""
    text = "\n".join(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    position, number = text.index("["), 0
    while True:
        position = _behind_blanks(text, position + 1)
        if number == 0 and text[position : position + 1] == "]":
            break
        line, number = bisect_right(starts, position), number + 1
        place = f"{where}:{line}: item {number}"
        try:
            value, position = json_value(text, position)
        except DataError as error:
            yield Item(error, line, place)
            return
        yield Item(value, line, place)
        position = _behind_blanks(text, position)
        if text[position : position + 1] != ",":
            break
    if text[position:].strip() != "]":
        found = shorten(text[position : position + 100].split("\n")[0])
        line = bisect_right(starts, position)
        problem = DataError(f"the array must continue with a comma or end with ], got {found} after item {number}")
        yield Item(problem, line, f"{where}:{line}")


def _behind_blanks(text: str, position: int) -> int:
    """Return the position of the next character that is not white space."""
    while position < len(text) and text[position] in BLANK:
        position += 1
    return position


def read_json(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of JSON: of texts with character spans, or else of tokens with tags.

    Raises:
        DataError: A key of the config is for the other kind.
    """
    if holds_spans(source.lines()):
        yield from read_spans(source, config, tally, faults)
        return
    if config.layer is not None:
        raise DataError(
            f"{source.where}: `layer` is for texts with character spans, got tokens or texts without; leave it out, or "
            'give each text its spans, such as "label": [[0, 6, "PER"]]'
        )
    make = partial(sentence_from_json, layers=config.layers, rules=config.text_rules, tally=tally)
    yield from iter_jsonl(source.lines(), make, faults, where=source.where)


def holds_spans(lines: Iterable[str]) -> bool:
    """Whether a file has texts with character spans, as its first item shows that is clearly one or the other."""
    for line in lines:
        if line.lstrip().startswith("["):
            return True
        try:
            row, _ = json_value(line)
        except DataError:
            continue
        if not isinstance(row, dict):
            continue
        if _lists(row.get("tokens"), str) or any(isinstance(row.get(key), dict) for key in ("tags", *KEYS)):
            return False
        if any(_are_spans(value) or (key in KEYS and value == []) for key, value in row.items()):
            return True
    return False


def _lists(value: Any, kind: type) -> bool:
    """Whether a value is a list with an item of this type in it."""
    return isinstance(value, list) and any(isinstance(item, kind) for item in value)


def read_spans(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of texts with spans.

    A text of several sentences is a document, and so are all others of its file.

    Raises:
        DataError: The scheme is none for character spans.
    """
    check_scheme(config, source.where)
    found = json_items(list(source.lines()), source.where)
    items = [_untupled(item) for item in found if _accepted(item, tally)]
    rows = [item.value for item in items if isinstance(item.value, dict)]
    key = _text_key(rows)
    named = config.layers or {}
    spanned = {layer for layer, name in named.items() if any(_are_spans(row.get(name)) for row in rows)}
    texts: list[list[Sentence]] = []
    for item in items:
        try:
            if isinstance(item.value, DataError):
                raise item.value
            text, layers, labels = _read_item(item.value, item.place, key, config, spanned, tally)
            tokens = _own_tokens(item.value, text)
            sentences = annotated_sentences(text, layers, config, tally, faults, whole=bool(labels), tokens=tokens)
            origin = Origin(source.where, (item.line,))
            texts.append([replace(s, layers={**s.layers, **labels}, origin=origin) for s in sentences])
        except DataError as error:
            faults.add("form", item.place, str(error))
    if not items:
        faults.add("form", source.where, "the file must hold at least one text to learn from, got none")
    if config.layers is None or config.layer is not None:
        tally.unread.update(_unread_keys(rows, key, named.values()))
    tally.has_tokens |= any(_lists(row.get("tokens"), dict) for row in rows)
    if any(len(text) > 1 for text in texts):
        texts = [[replace(s, document=str(number)) for s in text] for number, text in enumerate(texts, 1)]
    yield from (sentence for text in texts for sentence in text)


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


def _text_key(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the key of the texts: `text`, `data`, or the only one whose value agrees with the texts of its spans."""
    for row in rows:
        for key in ("text", "data"):
            if isinstance(row.get(key), str):
                return key
        spans = [span for value in row.values() if _are_spans(value) for span in value if isinstance(span, dict)]
        texts = {k: v for k, v in row.items() if isinstance(v, str) and k not in OF_LABEL_STUDIO}
        fitting = [key for key, text in texts.items() if all(_reads(text, span) for span in spans)]
        if len(fitting) == 1:
            return fitting[0]
    return "text"


def _reads(text: str, span: Mapping[str, Any]) -> bool:
    """Whether a span has the same words as its range of a text; true if it has no text of its own."""
    match span:
        case {"start": int(start), "end": int(end), "text": str(found)}:
            return same_words(found, text[start:end])
    return True


def _are_spans(value: Any) -> bool:
    """Whether a value is a list with a character span in it."""
    return isinstance(value, list) and any(_is_span(span) for span in value)


def _is_span(value: Any) -> bool:
    """Whether a value looks like a character span in any dialect."""
    if isinstance(value, dict):
        return ("start" in value or "start_offset" in value) and ("label" in value or "labels" in value)
    return isinstance(value, list) and len(value) == 3 and type(value[0]) is type(value[1]) is int


def _read_item(
    row: Any, place: str, key: str, config: ReadingConfig, spanned: Collection[str], tally: Tally
) -> tuple[str, dict[str, list[Entity]], dict[str, Label]]:
    """Return the text of an item, its entities by layer, and its labels; `spanned` are the layers that have spans."""
    if not isinstance(row, dict):
        raise DataError(f"must be an object with a text and its spans, got {shorten(json.dumps(row))}")
    text = row.get(key)
    if not isinstance(text, str) and _lists(row.get("tokens"), str):
        raise DataError(
            "must be a text with character spans, like the other items of the file, got a sentence of tokens; put "
            "sentences of tokens into a file of their own, one object per line"
        )
    if not isinstance(text, str):
        raise DataError(f"must have a text under `{key}`, got {shorten(json.dumps(text))}")
    named = config.layers or {}
    spans = {layer: row.get(named[layer]) or [] for layer in named if layer in spanned}
    classes = {layer: row.get(source) for layer, source in named.items() if layer not in spanned}
    labels = {layer: _label(value, named[layer]) for layer, value in classes.items() if value not in (None, [])}
    if config.layers is None or config.layer is not None:
        spans[config.layer or LAYER] = _only_spans(row, place, tally)
    return text, {layer: list(_entities(value, place)) for layer, value in spans.items()}, labels


def _own_tokens(row: Mapping[str, Any], text: str) -> list[CharSpan]:
    """Return the offsets of the tokens of an item, as Prodigy writes them, apart from white space; none if it has none.

    Raises:
        DataError: They are not the words of the text in order.
    """
    found: list[CharSpan] = []
    end = 0
    for token in row["tokens"] if _lists(row.get("tokens"), dict) else ():
        first, last = _place_of_token(token, end, text)
        found += [(first, last)] if text[first:last].strip() else []
        end = last
    if found and text[end:].strip():
        raise DataError(f"`tokens` must cover all words of the text, got none for {shorten(text[end:])}; fix them")
    return found


def _place_of_token(token: Any, end: int, text: str) -> CharSpan:
    """Return the offsets of a token, with only white space between it and the `end` of the one before."""
    match token:
        case {"start": int(first), "end": int(last)} if end <= first < last <= len(text):
            if token.get("text", text[first:last]) == text[first:last] and not text[end:first].strip():
                return first, last
    raise DataError(
        "each of `tokens` must have `start` and `end` in the text, after the token before it, got "
        f"{shorten(json.dumps(token))}; fix it, or remove `tokens`"
    )


def _only_spans(row: Mapping[str, Any], place: str, tally: Tally) -> list[Any]:
    """Return the list of spans of an item, whatever its key."""
    found = [key for key, value in row.items() if _are_spans(value)]
    if len(found) > 1:
        names = " and ".join(f"`{key}`" for key in found)
        choice = "remove one" if tally.options else f'name what to read: layers = {{ner = "{found[0]}"}}'
        raise DataError(f"must have one list of spans, got {names}; {choice}")
    if found:
        return list(row[found[0]])
    for key in KEYS:
        if row.get(key):
            raise DataError(f"`{key}` must be a list of [start, end, type], got {shorten(json.dumps(row[key]))}")
    if not any(row.get(key) == [] for key in KEYS):
        tally.count("read {} text|texts without a list of spans as having no entities", f"at {place}")
    return []


def _label(value: Any, key: str) -> Label:
    """Return the class of the whole text, which may be in a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if is_class(value):
        return Label(str(value))
    raise DataError(f"`{key}` must be a class or a list of spans, got {shorten(json.dumps(value))}")


def _entities(spans: Any, place: str) -> Iterator[Entity]:
    """Yield the entities of spans in any dialect."""
    if not isinstance(spans, list):
        raise DataError(f"spans must be a list of [start, end, type], got {shorten(json.dumps(spans))}")
    for span in spans:
        start, end, types, text = _parts(span)
        named = types and all(isinstance(name, str) and name.strip() for name in types)
        if type(start) is not int or type(end) is not int or not named:
            raise DataError(
                f"a span must have a start and an end in characters and a type, got {shorten(json.dumps(span))}"
            )
        yield from (Entity(name, start, end, text if isinstance(text, str) else None, place=place) for name in types)


def _parts(span: Any) -> tuple[Any, Any, list[Any], Any]:
    """Return start, end, types and text of a span; None for what it does not have."""
    if isinstance(span, dict):
        label, labels = span.get("label"), span.get("labels")
        types = labels if isinstance(labels, list) else [label]
        start, end = span.get("start", span.get("start_offset")), span.get("end", span.get("end_offset"))
        return start, end, types, span.get("text")
    if isinstance(span, list) and len(span) == 3:
        return span[0], span[1], [span[2]], None
    return None, None, [], None


def spanned_lines(sentences: Iterable[Sentence], layers: Sequence[str], dialect: Dialect) -> Iterator[str]:
    """Yield JSON lines of texts with the entities of one layer, or of none; the sentences of a text are one line.

    Tokens are not written: the text is split again when it is read.

    Raises:
        DataError: A sentence has no such layer, or its tags have no spans.
    """
    for _, part in groupby(_numbered(sentences), key=lambda pair: pair[0]):
        members = [sentence for _, sentence in part]
        found = [span for layer in layers for sentence in members for span in sentence.spans(layer)]
        spans = [(span.start_char, span.end_char, span.type) for span in found]
        yield json.dumps(_row(members[0].text, spans, dialect), ensure_ascii=False)


def _unread_keys(rows: Iterable[Mapping[str, Any]], text: str, read: Collection[str]) -> Iterator[str]:
    """Yield the name of each thing that is filled in an item and ignored.

    Args:
        rows: The items.
        text: The key of their texts.
        read: The keys of their labels.
    """
    for row in rows:
        reported = () if any(map(_are_spans, row.values())) else KEYS  # by the reader, if they are not empty
        for key, value in row.items():
            if _are_spans(value):
                names = {name for span in value if isinstance(span, dict) for name in span} - OF_SPANS
                yield from (f"{name} of spans" for name in sorted(names))
            elif (key == "tokens" and _lists(value, dict)) or (key, value) == ("answer", "accept"):
                continue
            elif key not in (text, *read, *reported) and value not in (None, "", [], {}):
                yield key


def _numbered(sentences: Iterable[Sentence]) -> Iterator[tuple[int, Sentence]]:
    """Yield sentences with the number of their text."""
    number, before = 0, None
    for sentence in sentences:
        number += before is None or not _goes_on(before, sentence)
        before = sentence
        yield number, sentence


def _goes_on(before: Sentence, after: Sentence) -> bool:
    """Whether a sentence comes after another in the text of one document."""
    same = after.document is not None and after.document == before.document and after.text == before.text
    return same and bool(before.offsets and after.offsets) and before.offsets[-1][1] <= after.offsets[0][0]


def _row(text: str, spans: Sequence[tuple[int, int, str]], dialect: Dialect) -> dict[str, Any]:
    match dialect:
        case "doccano":
            return {"text": text, "label": [list(span) for span in spans]}
        case "labelstudio":
            return {"text": text, "label": [_region(text, *span) for span in spans]}
        case "spacy":
            return {"text": text, "spans": [{"start": a, "end": b, "label": type_} for a, b, type_ in spans]}


def _region(text: str, start: int, end: int, type_: str) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text[start:end], "labels": [type_]}
