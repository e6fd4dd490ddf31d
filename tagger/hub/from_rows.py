"""Make sentences from the rows of a Hugging Face dataset.

Token and tag columns are detected by feature type and name, or chosen by the user through `layers`, where the key
`token` is the column of tokens or text, not a layer. Integer tags are decoded with their `ClassLabel`. The text of a
row with tokens is used only if it has `offsets`, as `to_rows.py` writes them; otherwise it is the tokens joined by
single spaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tagger.config import DataConfig
from tagger.errors import DataError
from tagger.formats.column_names import (
    DOCUMENT,
    LABEL_COLUMNS,
    META,
    NO_LAYERS,
    OFFSETS,
    TEXT_COLUMNS,
    TOKEN_COLUMNS,
    layer_name,
)
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, checked_offsets
from tagger.text.tokenization import TextRules
from tagger.wording import shorten

IGNORED = -100  # class of a token that the losses of torch and Hugging Face ignore: its tag is unknown
STRINGS = ("string", "large_string")


@dataclass(frozen=True, slots=True)
class Reader:
    """Makes a sentence from a row.

    Args:
        tokens: The column of tokens; None to split the text.
        text: The column of the text; None if the tokens have no offsets in it.
        layers: Layer → its column and the names of its classes, if any.
        more: Those of the columns `offsets`, `document` and `meta` that exist.
        rules: How to split a text.
        others: Columns that are kept as they are.
    """

    tokens: str | None
    text: str | None
    layers: Mapping[str, tuple[str, list[str] | None]]
    more: tuple[str, ...]
    rules: TextRules
    others: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        own = [column for column in (self.tokens, self.text, *self.more) if column is not None]
        return list(dict.fromkeys([*own, *(column for column, _ in self.layers.values()), *self.others]))

    def __call__(self, row: Mapping[str, Any]) -> Sentence:
        """Return the sentence of a row.

        Raises:
            DataError: The row has no tokens, or a layer does not fit them.
        """
        sentence = self._plain(row)
        values = {layer: _layer(layer, row[column], names) for layer, (column, names) in self.layers.items()}
        found = {layer: value for layer, value in values.items() if value is not None}
        for layer, value in found.items():
            if isinstance(value, TagLayer) and len(value.tags) != len(sentence):
                raise DataError(f"`{layer}` must have {len(sentence)} tags, got {len(value.tags)}")
        meta = {pair["key"]: pair["value"] for pair in (META in self.more and row.get(META)) or ()}
        document = row.get(DOCUMENT) if DOCUMENT in self.more else None
        record = {column: row[column] for column in self.others} or None
        return replace(sentence, layers=found, meta=meta, document=document, record=record)

    def _plain(self, row: Mapping[str, Any]) -> Sentence:
        """Return the tokens and the text of a row, without layers."""
        if self.tokens is None:
            return self.rules.sentence(_checked_text(row[self.text or ""], "a sentence"))
        sentence = _of_tokens(row[self.tokens])
        offsets = row.get(OFFSETS) if OFFSETS in self.more else None
        if offsets is None or self.text is None:
            return sentence
        text = _checked_text(row[self.text], f"a row with `{OFFSETS}`")
        return replace(sentence, text=text, offsets=checked_offsets(offsets, sentence.tokens, text))


def reader(features: Mapping[str, Any], config: DataConfig, where: str, *, gold: bool = True) -> Reader:
    """Return a reader of rows with these features; if `gold` is false, without layers and with all other columns.

    Raises:
        DataError: There are no layers or no tokens, or a named column does not exist.
    """
    columns = list(features)
    named = dict(config.layers or {})
    token = named.pop("token", None)
    others = {column: feature for column, feature in features.items() if column != token}
    layers = _detect_layers(others) if config.layers is None or (token and not named) else named
    layers = layers if gold else {}
    absent = [column for column in (token, *layers.values()) if column is not None and column not in columns]
    if absent or (gold and not layers):
        raise DataError(
            f"{where}: `layers` must name columns of the dataset, "
            f"got {', '.join(absent) or 'none that could be detected'}; it has {', '.join(columns)}"
        )
    tokens = next((column for column in TOKEN_COLUMNS if column in columns), None)
    text = next((column for column in TEXT_COLUMNS if column in columns), None)
    if token is not None:
        tokens, text = (token, None) if hasattr(features[token], "feature") else (None, token)
    if tokens is None and text is None:
        raise DataError(
            f"{where}: must have a column {' or '.join(TOKEN_COLUMNS + TEXT_COLUMNS)}, got {columns}; "
            'name its column of tokens or text in `layers`, such as {token = "' + columns[0] + '"}'
        )
    decoders = {layer: (column, _class_names(features[column])) for layer, column in layers.items()}
    more = tuple(name for name in (OFFSETS, DOCUMENT, META) if name in others and _is_ours(name, features[name]))
    if tokens is not None and OFFSETS not in more:
        text = None
    used = {tokens, text, *TOKEN_COLUMNS, *TEXT_COLUMNS, *more}
    kept = () if gold else tuple(name for name in columns if name not in used and _is_plain(features[name]))
    return Reader(tokens, text, decoders, more, config.text_rules, kept)


def _is_plain(feature: Any) -> bool:
    """Whether a column has values that need no decoding, as pictures and sounds do."""
    inner = getattr(feature, "feature", None)
    return not hasattr(feature, "decode_example") and (inner is None or isinstance(inner, dict) or _is_plain(inner))


def _is_ours(column: str, feature: Any) -> bool:
    """Whether a column has the type that `to_rows.py` writes under its name."""
    inner = getattr(feature, "feature", None)
    if column == DOCUMENT:
        return getattr(feature, "dtype", "") in STRINGS
    return set(inner) == {"key", "value"} if isinstance(inner, dict) else hasattr(inner, "feature")


def _of_tokens(tokens: Any) -> Sentence:
    if not isinstance(tokens, list) or not tokens:
        raise DataError(f"a sentence must have a list of tokens, got {shorten(repr(tokens))}")
    wrong = [i for i, token in enumerate(tokens) if not isinstance(token, str)]
    if wrong:
        raise DataError(f"token {wrong[0] + 1} must be a word, got {tokens[wrong[0]]!r}")
    return Sentence.from_tokens(tokens)


def _checked_text(text: Any, where: str) -> str:
    if not isinstance(text, str):
        raise DataError(f"{where} must have a text, got {shorten(repr(text))}")
    return text


def _detect_layers(features: Mapping[str, Any]) -> dict[str, str]:
    """Return layer → column: `ner_tags` becomes `ner` unless a column has that name; labels keep the column name."""
    others = (*TOKEN_COLUMNS, *TEXT_COLUMNS, *NO_LAYERS)
    columns = [column for column, feature in features.items() if column not in others and _is_layer(column, feature)]
    layers = {column: column for column in columns if layer_name(column) == column}
    for column in columns:
        if column not in layers:
            name = layer_name(column)
            layers[column if name in layers else name] = column
    return {layer: column for column in columns for layer, own in layers.items() if own == column}


def _is_layer(column: str, feature: Any) -> bool:
    """Whether a column has classes, one string per token, or a label under a usual name for labels."""
    inner = getattr(getattr(feature, "feature", None), "dtype", "")
    own = getattr(feature, "dtype", "")
    labels = column in LABEL_COLUMNS and (own in STRINGS or own.startswith("int"))
    return _class_names(feature) is not None or inner in STRINGS or labels


def _class_names(feature: Any) -> list[str] | None:
    """Return the names of integer classes, for a column of classes or of lists of classes."""
    names: list[str] | None = getattr(getattr(feature, "feature", feature), "names", None)
    return names


def _layer(layer: str, value: Any, names: list[str] | None) -> Layer | None:
    """Return the layer of a row; None if it is missing, which classes also write as -1."""
    if isinstance(value, list):
        return TagLayer(tuple(None if v is None or (names and v == IGNORED) else _name(layer, v, names) for v in value))
    return None if value is None or (names and value == -1) else Label(_name(layer, value, names))


def _name(layer: str, value: Any, names: list[str] | None) -> str:
    if names and isinstance(value, int):
        if not 0 <= value < len(names):
            raise DataError(f"`{layer}` must have classes from 0 to {len(names) - 1}, got {value}")
        return names[value]
    if not isinstance(value, (str, int)) or value == "":
        raise DataError(f"`{layer}` must have names or numbers of classes, got {shorten(repr(value))}")
    return str(value)
