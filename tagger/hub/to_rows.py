"""Convert sentences to a Hugging Face dataset, with typed columns.

The columns are those that `from_rows.py` reads: `tokens`, `text`, `ner_tags` for a tag layer `ner`, and a class under
the name of a label layer. Other keys of records, such as `id`, keep their columns. Optional values, such as scores,
have a column only if a sentence has them. The readings of `n_best` are not written.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from tagger.errors import DataError
from tagger.formats.column_names import DOCUMENT, META, OFFSETS, layer_name
from tagger.text.gaps import known_of
from tagger.text.sentence import Label, Sentence, TagLayer, Values

if TYPE_CHECKING:
    import datasets

Columns = dict[str, tuple[Any, Callable[[Sentence], Any]]]  # name → its feature, and its value for a sentence
CHUNK = 10_000  # rows that are Python objects at the same time


def to_dataset(sentences: Iterable[Sentence]) -> "datasets.Dataset":
    """Return sentences as a dataset with their layers and, if predicted, scores and spans; `push_to_hub` shares it.

    Raises:
        DataError: A layer has tags in one sentence and a label in another, or two columns have the same name.
    """
    return to_datasets({"all": list(sentences)})["all"]


def to_datasets(splits: Mapping[str, Sequence[Sentence]]) -> "dict[str, datasets.Dataset]":
    """Return a dataset for each split, all with the same features; see `to_dataset`."""
    import datasets  # imported here: loading it takes seconds, and only this function needs it

    columns = _columns(splits)
    features = datasets.Features({name: feature for name, (feature, _) in columns.items()})

    def rows(sentences: Sequence[Sentence]) -> "datasets.Dataset":
        values = {name: [value(sentence) for sentence in sentences] for name, (_, value) in columns.items()}
        return datasets.Dataset.from_dict(values, features=features)

    return {
        split: datasets.concatenate_datasets([rows(chunk) for chunk in _chunks(sentences)] or [rows([])])
        for split, sentences in splits.items()
    }


def _chunks(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    rest = iter(sentences)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _columns(splits: Mapping[str, Sequence[Sentence]]) -> Columns:
    """Return the columns that the sentences of all splits need."""
    from datasets import List, Value

    columns: Columns = {
        "tokens": (List(Value("string")), lambda s: list(s.tokens)),
        "text": (Value("string"), lambda s: s.text),
    }
    optional: Columns = {OFFSETS: (List(List(Value("int32"))), _own_offsets)}
    for layer, (kind, names) in _layers(splits).items():
        wanted, extra = COLUMNS[kind](layer, names)
        if twice := {*wanted, *extra} & {*columns, *optional, DOCUMENT, META}:
            raise DataError(f"layer `{layer}`: two columns would be called {min(twice)}; rename the layer")
        columns |= _where_present(layer, wanted)
        optional |= _where_present(layer, extra)
    optional[DOCUMENT] = (Value("string"), lambda s: s.document)
    optional[META] = (List({"key": Value("string"), "value": Value("string")}), _pairs)
    for name, (feature, value) in optional.items():
        if any(value(sentence) is not None for sentence in chain.from_iterable(splits.values())):
            columns[name] = (feature, value)
    return columns | {name: column for name, column in _kept_columns(splits).items() if name not in columns}


def _kept_columns(splits: Mapping[str, Sequence[Sentence]]) -> Columns:
    """Return the columns of the other keys of records; values of several types become JSON."""
    records = [sentence.record or {} for sentence in chain.from_iterable(splits.values())]
    names = dict.fromkeys(name for record in records for name in record)
    return {name: _kept_column(name, [record.get(name) for record in records]) for name in names}


def _kept_column(name: str, values: Sequence[Any]) -> tuple[Any, Callable[[Sentence], Any]]:
    import datasets
    import pyarrow

    def value(sentence: Sentence) -> Any:
        return (sentence.record or {}).get(name)

    try:
        schema = pyarrow.schema([(name, pyarrow.array(values).type)])
        return datasets.Features.from_arrow_schema(schema)[name], value
    except pyarrow.ArrowException:
        return datasets.Value("string"), lambda sentence: json.dumps(value(sentence), ensure_ascii=False)


def _where_present(layer: str, columns: Columns) -> Columns:
    """Return the columns of a layer, with no value for sentences without it."""

    def guarded(value: Callable[[Sentence], Any]) -> Callable[[Sentence], Any]:
        return lambda s: value(s) if layer in s.layers else None

    return {name: (feature, guarded(value)) for name, (feature, value) in columns.items()}


def _layers(splits: Mapping[str, Sequence[Sentence]]) -> dict[str, tuple[type, list[str]]]:
    """Return kind and tag or class names of each layer: `O` first, then in alphabetical order."""
    kinds: dict[str, type] = {}
    names: dict[str, set[str]] = {}
    for sentence in chain.from_iterable(splits.values()):
        for layer, found in sentence.layers.items():
            if kinds.setdefault(layer, type(found)) is not type(found):
                raise DataError(
                    f"layer `{layer}` must be tags, labels or numbers in all sentences, got several; rename one of them"
                )
            names.setdefault(layer, set()).update(_names(sentence, layer))
    return {layer: (kind, sorted(names[layer], key=lambda name: (name != "O", name))) for layer, kind in kinds.items()}


def _names(sentence: Sentence, layer: str) -> Iterable[str]:
    found = sentence.layers[layer]
    if isinstance(found, Values):
        return ()
    return known_of(sentence.tags(layer)) if isinstance(found, TagLayer) else found.scores or (found.value,)


def _tag_columns(layer: str, names: Sequence[str]) -> tuple[Columns, Columns]:
    """Return the column of the tags, and the optional columns of a prediction: scores and spans."""
    from datasets import ClassLabel, List, Value

    ids = {name: i for i, name in enumerate(names)}
    span = {"type": Value("string"), "score": Value("float32")}
    span |= {key: Value("int32") for key in ("start", "end", "start_char", "end_char")}

    def spans(s: Sentence) -> list[dict[str, Any]] | None:
        if s.tag_layer(layer).scored_spans is None:
            return None
        return [{key: getattr(found, key) for key in span} for found in s.spans(layer)]

    return {
        f"{layer}_tags": (
            List(ClassLabel(names=list(names))),
            lambda s: [None if tag is None else ids[tag] for tag in s.tags(layer)],
        )
    }, {
        f"{layer}_scores": (List(Value("float32")), lambda s: list(s.tag_scores(layer) or ()) or None),
        f"{layer}_score": (Value("float32"), lambda s: s.sequence_score(layer)),
        f"{layer}_spans": (List(span), spans),
    }


def _label_columns(layer: str, names: Sequence[str]) -> tuple[Columns, Columns]:
    """Return the column of the label, and the optional columns of a prediction: scores and attention."""
    from datasets import ClassLabel, List, Value

    def scores(s: Sentence) -> list[float] | None:
        found = s.label(layer).scores
        return [found.get(name, 0.0) for name in names] if found else None

    def attention(s: Sentence) -> list[float] | None:
        found = s.label(layer).attention
        return None if found is None else list(found)

    # a column `ner_tags` would be read back as the layer `ner`, so a label layer with such a name gets another ending
    column = layer if layer_name(layer) == layer else f"{layer}_label"
    return {column: (ClassLabel(names=list(names)), lambda s: s.label(layer).value)}, {
        f"{layer}_score": (Value("float32"), lambda s: s.label(layer).score),
        f"{layer}_scores": (List(Value("float32")), scores),
        f"{layer}_attention": (List(Value("float32")), attention),
    }


def _value_columns(layer: str, names: Sequence[str]) -> tuple[Columns, Columns]:
    """Return the column of the numbers, and the optional columns of their intervals."""
    from datasets import List, Value

    numbers = List(Value("float64"))

    def ends(key: str) -> Callable[[Sentence], list[float] | None]:
        return lambda s: list(getattr(s.values(layer), key) or ()) or None

    return {layer: (numbers, lambda s: list(s.values(layer).values))}, {
        f"{layer}_low": (numbers, ends("low")),
        f"{layer}_high": (numbers, ends("high")),
    }


COLUMNS: Mapping[type, Callable[[str, Sequence[str]], tuple[Columns, Columns]]] = {
    TagLayer: _tag_columns,
    Label: _label_columns,
    Values: _value_columns,
}


def _own_offsets(sentence: Sentence) -> list[list[int]] | None:
    """Return the offsets of the tokens, or None if the text is the tokens joined by single spaces."""
    plain = Sentence.from_tokens(sentence.tokens)
    same = (sentence.text, sentence.offsets) == (plain.text, plain.offsets)
    return None if same else [list(pair) for pair in sentence.offsets]


def _pairs(sentence: Sentence) -> list[dict[str, str]] | None:
    return [{"key": key, "value": value} for key, value in sentence.meta.items()] or None
