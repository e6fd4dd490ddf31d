"""Texts with lists of spans under a key: doccano, Label Studio's minimal JSON, spaCy and Prodigy.

- doccano: `{"text": ..., "label": [[start, end, type], ...]}`; older versions say `data` and `labels`, projects with
  relations `"entities": [{"start_offset", "end_offset", "label"}]`, and the oldest `annotations`, whose labels may be
  numbers: type 3 is `label3`;
- Label Studio's minimal JSON: the text under the key that it was imported with, and a key for each set of labels,
  `"label": [{"start", "end", "text", "labels": [type]}]`, which is missing if nothing was labelled;
- spaCy: `{"text": ..., "spans": [...]}` or `"entities"` with `[start, end, label]` or `{"start", "end", "label"}`, and
  training tuples `[text, {"entities": [...]}]`; a class in `"cats": {"good": 1.0, "bad": 0.0}` or
  `"cats": ["good"]`;
- Prodigy's `"tokens": [{"text", "start", "end", "id"}]` are the tokens of their text, apart from white space.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tagger.errors import DataError
from tagger.formats.tools.annotated import Annotated, Translation, filled, one_class, shown, text_of
from tagger.formats.tools.classes import LAYER, class_of_cats
from tagger.formats.tools.spans import OF_SPANS, OF_TOOLS, SCORES, are_spans, lists, own_tokens, reads

KEYS = ("label", "labels", "entities", "spans", "annotations", "ents")
OF_LABEL_STUDIO = {"annotator", "created_at", "updated_at"}


def has_spans(row: Mapping[str, Any]) -> bool:
    """Whether a record has a list with spans."""
    return any(are_spans(value) for value in row.values())


def has_empty_list(row: Mapping[str, Any]) -> bool:
    """Whether a record has an empty list under a key of spans."""
    return any(row.get(key) == [] for key in KEYS)


def translate_keyed(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the text of a record with its lists of spans; a recipe may name any key as a label.

    Raises:
        DataError: It has no text, or its spans are none.
    """
    text = row.get(how.text_key)
    if not isinstance(text, str) and lists(row.get("tokens"), str):
        raise DataError(
            "must be a text with character spans, like the other items of the file, got a sentence of tokens; put "
            "sentences of tokens into a file of their own, one object per line"
        )
    text = text_of(row, how.text_key)
    found = {key: _named(value, how, place) for key, value in row.items() if are_spans(value)}
    if not found and how.takes_all:
        _refuse_no_spans(row, how, place)
    read = {how.text_key, *found}
    labels = _labels(row, how, read, place)
    if None in labels.values():
        return
    read |= labels.keys()
    yield Annotated(
        text=text,
        spans=found,
        labels=labels if how.config.layers is not None else dict.fromkeys([LAYER], labels["cats"]) if labels else {},
        others={key: value for key, value in row.items() if key not in read and not _is_used(key, value)},
        tokens=own_tokens(row.get("tokens"), text),
        ignored=list(_ignored(row, read, how)),
    )


def _labels(row: Mapping[str, Any], how: Translation, read: Collection[str], place: str) -> dict[str, Any]:
    """Return the values of the keys that a recipe names; without names, the class of `cats`, if there is one."""
    names = ("cats",) if how.config.layers is None else how.config.layers.values()
    values = {name: row[name] for name in names if name not in read and row.get(name) not in (None, [], {})}
    cats = values.get("cats")
    if isinstance(cats, dict):
        values["cats"] = class_of_cats(cats, "cats", how, place)
    elif lists(cats, str):
        values["cats"] = one_class(cats, "cats", how, place)
    return values if how.config.layers is not None or isinstance(cats, dict) or lists(cats, str) else {}


def _named(spans: Sequence[Any], how: Translation, place: str) -> list[Any]:
    """Return spans with names for labels that are numbers."""
    numbered = [span for span in spans if isinstance(span, dict) and type(span.get("label")) is int]
    if numbered:
        how.tally.count(
            "read {} text|texts whose labels are numbers as `labelN`; name them with `rename`", f"at {place}"
        )
    return [{**span, "label": f"label{span['label']}"} if span in numbered else span for span in spans]


def _refuse_no_spans(row: Mapping[str, Any], how: Translation, place: str) -> None:
    """Refuse a record whose key of spans holds something else; count one that has none.

    Raises:
        DataError: The value of a key is no list of spans.
    """
    named = (how.config.layers or {}).values()
    for key in KEYS:
        if row.get(key) and key not in named:
            raise DataError(f"`{key}` must be a list of [start, end, type], got {shown(row[key])}")
    if not has_empty_list(row):
        how.tally.count("read {} text|texts without a list of spans as having no entities", f"at {place}")


def _is_used(key: str, value: Any) -> bool:
    """Whether a key says something that the sentences say too, or that the item was accepted."""
    return (key in KEYS and value == []) or (key == "tokens" and lists(value, dict)) or (key, value) == ANSWER


ANSWER = ("answer", "accept")


def _ignored(row: Mapping[str, Any], read: Collection[str], how: Translation) -> Iterator[str]:
    """Yield the name of each thing that is filled in a record and not read."""
    known = {*OF_SPANS, *OF_TOOLS, *(SCORES if how.tally.probabilities else ())}
    for key, value in row.items():
        if are_spans(value):
            names = {name for span in value if isinstance(span, dict) for name in span} - known
            yield from (f"{name} of spans" for name in sorted(names))
        elif key in filled(row, without=read) and not _is_used(key, value):
            yield key


def text_key(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the key of the texts: `text`, `data`, or the only one whose value agrees with the texts of its spans."""
    for row in rows:
        for key in ("text", "data"):
            if isinstance(row.get(key), str):
                return key
        found = [span for value in row.values() if are_spans(value) for span in value if isinstance(span, dict)]
        if (fitting := fitting_key(row, found)) is not None:
            return fitting
    return "text"


def fitting_key(row: Mapping[str, Any], spans: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the only key of a record whose text agrees with the texts of these spans; None if there is no such key."""
    texts = {k: v for k, v in row.items() if isinstance(v, str) and k not in OF_LABEL_STUDIO}
    fitting = [key for key, text in texts.items() if all(reads(text, span) for span in spans)]
    return fitting[0] if len(fitting) == 1 else None
