"""What the JSON values of a saved report must be: one that is damaged or was edited is refused, with the first place.

Types say what each value is, `_Row` also what the values of a sentence must have in common.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    InstanceOf,
    Strict,
    Tag,
    ValidationError,
    model_validator,
)

from tagger.text.gaps import known_spans
from tagger.text.schemes import Boundary, Scheme
from tagger.wording import plain_rule, shorten

A_LABEL, TAGS, NUMBERS = "a label", "tags of tokens", "numbers"  # what a version of a layer may be
KINDS = ("entities", "tags", "labels", "numbers")
FORM = re.compile(r" or instance of _\w+")  # in messages of pydantic
ROUNDED = 1 + 1e-4  # the highest probability, with what 32-bit numbers lose

Text = InstanceOf[str]  # pydantic's own strings cannot have half a surrogate pair
Plain = Text | int | float | None  # of a program's own sentences, numbers too
Number = Annotated[int, Strict()]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Probability = Annotated[float, Strict(), Field(ge=0, le=ROUNDED)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class _Label(_Form):
    value: Text
    score: Probability | None = None
    scores: dict[Text, Probability] | None = None


class _Tags(_Form):
    tags: list[Text | None]
    scheme: Scheme | None = None
    shown: Scheme | None = None
    scores: list[Probability] | None = None
    spans: list[tuple[Text, Number, Number, Probability]] | None = None
    unaligned: list[tuple[Text, Number, Number]] = []
    types: list[Text] | None = None

    def fault(self, num_tokens: int) -> str | None:
        """Return what does not fit the tokens, in words."""
        for key, values in (("tags", self.tags), ("scores", self.scores)):
            if values is not None and len(values) != num_tokens:
                return f"`{key}` must be one per token, {num_tokens} in all, got {len(values)}"
        if self.spans is None:
            return None
        found = [Boundary(kind, start, end) for kind, start, end, _ in self.spans]
        if self.scheme is None or sorted(found) != sorted(known_spans(self.tags, self.scheme)):
            return f"`spans` must be those of the tags, got {shorten([list(span) for span in found])}"
        return None


class _Values(_Form):
    values: list[Finite | None]
    whole: Annotated[bool, Strict()]
    low: list[Finite] | None = None
    high: list[Finite] | None = None
    level: Probability | None = None

    def fault(self, num_tokens: int) -> str | None:
        """Return what does not fit the tokens, in words."""
        size = len(self.values) if self.whole else num_tokens
        for key, values in (("values", self.values), ("low", self.low), ("high", self.high)):
            if values is not None and len(values) != size:
                return f"`{key}` must be {size} numbers, got {len(values)}"
        return None


def _side(values: object) -> str:
    if not isinstance(values, Mapping):
        return TAGS
    return A_LABEL if "value" in values else NUMBERS if "values" in values else TAGS


_Side = Annotated[
    Annotated[_Label, Tag(A_LABEL)] | Annotated[_Tags, Tag(TAGS)] | Annotated[_Values, Tag(NUMBERS)],
    Discriminator(_side),
]


class _Layer(_Form):
    gold: _Side
    predicted: _Side


class _Row(_Form):
    tokens: list[Text]
    text: Text | None = None
    offsets: list[tuple[Number, Number]] | None = None
    document: Plain = None
    meta: dict[Text, Plain] = {}
    origin: list[Text | Number] | None = None
    layers: dict[Text, _Layer]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.text is not None or self.offsets is not None:
            self._check_offsets(self.text or "", self.offsets or [])
        if self.origin is not None and len(self.origin) < 1 + bool(self.tokens):
            raise ValueError(f"`origin` must be a file and its lines, got {shorten(self.origin)}")
        sides = [side for layer in self.layers.values() for side in (layer.gold, layer.predicted)]
        for layer in self.layers.values():
            gold, predicted = layer.gold, layer.predicted
            if not (isinstance(gold, _Values) and isinstance(predicted, _Values)):
                continue
            if len(gold.values) != len(predicted.values) or None in predicted.values:
                raise ValueError("`predicted` must have a number for each of `gold`")
        for side in sides:
            if isinstance(side, _Tags | _Values) and (fault := side.fault(len(self.tokens))):
                raise ValueError(fault)
        return self

    def _check_offsets(self, text: str, offsets: list[tuple[int, int]]) -> None:
        if len(offsets) != len(self.tokens):
            raise ValueError(f"`offsets` must be one pair per token, {len(self.tokens)} in all, got {len(offsets)}")
        before = 0
        for start, end in offsets:
            if not before <= start <= end <= len(text):
                raise ValueError(f"`offsets` must be in order and within the text, got {[start, end]}")
            before = start


class _Signature(_Form):
    layers: dict[Text, dict[Text, Text]]
    gold: Text
    files: dict[Text, Text]
    model: Text | None
    model_sha256: Text | None
    seed: Number | None
    version: Text


class _Train(_Form):
    words: list[Text]
    vectors: list[Text] | None = None
    entities: dict[Text, dict[Text, list[Text]]]


class _Context(_Form):
    by: list[Text]
    wanted_precision: list[Probability]
    train: _Train | None = None
    metrics: dict[Text, dict[Text, float | None]] | None = None


class _Saved(BaseModel):
    scores: dict[Text, Any]
    signature: _Signature
    context: _Context | None = None
    sentences: list[_Row]

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        for name in self.scores:
            rule = self.signature.layers.get(name, {})
            kind = rule.get("kind")
            if kind not in KINDS or (kind == "entities" and rule.get("scheme") not in get_args(Scheme)):
                raise ValueError(f"`signature.layers` must have kind and scheme of `{name}`, got {shorten(rule)}")
            for number, row in enumerate(self.sentences):
                layer = row.layers.get(name)
                if layer and not all(_is_of(side, kind) for side in (layer.gold, layer.predicted)):
                    raise ValueError(f"`sentences.{number}.layers.{name}` must have {kind}")
        return self


def _is_of(side: _Label | _Tags | _Values, kind: str) -> bool:
    if isinstance(side, _Label):
        return kind == "labels"
    if isinstance(side, _Values):
        return kind == "numbers"
    return kind == "tags" or (kind == "entities" and side.scheme is not None)


def fault_of(values: Mapping[str, Any]) -> str | None:
    """Return in words what is wrong in the values of a saved report, and where; None if nothing is."""
    try:
        _Saved.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join([str(part) for part in first["loc"] if part not in (A_LABEL, TAGS, NUMBERS)])
        rule = plain_rule(FORM.sub("", first["msg"]))
        return f"`{place}`: {rule}" if place else rule
    return None
