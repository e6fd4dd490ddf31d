"""Which keys of a JSON object are layers, and which no reader takes.

Our own form has its layers in `tags` and `labels`. Objects that were written from a Hugging Face dataset have them at
the top, under the names that `rows.py` knows: `ner_tags` is the layer `ner`, `label` a label. Tags must be names there:
numbers have theirs in the features of a dataset, which a file of JSON does not carry.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from tagger.data.annotated import Tally
from tagger.data.columns import shorten
from tagger.data.rows import LABEL_COLUMNS, TEXT_COLUMNS, TOKEN_COLUMNS, layer_name
from tagger.data.sentence import Sentence
from tagger.errors import DataError

TABLES = ("tags", "labels")
NAMED = re.compile(r"tags|.+_(tags?|labels?)")
TREEBANK = ("ner", "chunk", "pos", "upos", "xpos")  # tag columns whose names do not end in `_tags`
READ = {*TABLES, "spans", "offsets"}


def layer_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all layers of an object, by the layers' names.

    Raises:
        DataError: A layer stands twice, a table is none, or tags are numbers without names.
    """
    tags, labels = (row.get(key) or {} if not _stands_alone(key, row.get(key)) else {} for key in TABLES)
    for key, table in zip(TABLES, (tags, labels), strict=True):
        if not isinstance(table, dict):
            raise DataError(f"`{key}` must be an object layer → values, got {shorten(json.dumps(table))}")
    if both := sorted(set(tags) & set(labels)):
        raise DataError(f"layer `{both[0]}` must stand in `tags` or in `labels`, got it in both")
    layers = {**tags, **labels}
    for key, value in row.items():
        if _stands_alone(key, value):
            name = layer_name(key)
            layers[key if name in layers else name] = _named(key, value)
    return layers


def _stands_alone(key: str, value: Any) -> bool:
    """Whether a key at the top is a layer: by its name, and a label or a list by its value."""
    if isinstance(value, list):
        return key in (*LABEL_COLUMNS, *TREEBANK) or NAMED.fullmatch(key) is not None
    if isinstance(value, int) and not isinstance(value, bool):
        return key in LABEL_COLUMNS
    return isinstance(value, str) and (key in LABEL_COLUMNS or NAMED.fullmatch(key) is not None)


def _named(key: str, value: Any) -> Any:
    """A value that has names for its tags."""
    if isinstance(value, list) and any(isinstance(tag, int) for tag in value):
        raise DataError(
            f"`{key}` must hold the names of tags, got numbers without names: {shorten(json.dumps(value))}; write the "
            "names, or load the dataset whose features have them"
        )
    return value


def unread_keys(row: Mapping[str, Any]) -> Iterator[str]:
    """The keys of an object that are filled and that no reader takes, in order."""
    words = next((key for key in TOKEN_COLUMNS if row.get(key) is not None), None)
    text = next((key for key in TEXT_COLUMNS if row.get(key) is not None), None)
    read = {*READ, words, text if words is None or text == "text" else None}
    for key, value in row.items():
        known = (key == "meta" and is_meta(value)) or (key == "document" and isinstance(value, str))
        if not (known or key in read or value in (None, "", [], {}) or _stands_alone(key, value)):
            yield key
    spans, tags = row.get("spans"), row.get("tags")
    if spans and not (isinstance(spans, dict) and isinstance(tags, dict) and spans.keys() <= tags.keys()):
        yield "spans"


def tell_unread(row: Mapping[str, Any], tally: Tally, first: str) -> None:
    """Count the keys of an object that no reader takes; `first` says where the object stands."""
    for key in unread_keys(row):
        shown = shorten(key).replace("{", "{{").replace("}", "}}")
        tally.count(f"the key {shown} of {{}} lines is not read", first)


def without_layers(sentences: Iterable[Sentence], unread: Tally) -> str | None:
    """What is wrong with a file that has no layer, but keys that are not read and may be meant for one."""
    if not unread.counts or any(sentence.layers for sentence in sentences):
        return None
    return (
        f"must have a layer in `tags` or `labels`, got none; {'; '.join(unread.notes())}; move what is a layer there, "
        'or name it in a recipe: layers = {ner = "KEY"}'
    )


def is_meta(value: Any) -> TypeGuard[dict[str, str]]:
    """Whether a value is comments as they are written here: an object key → text."""
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
