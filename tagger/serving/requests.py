"""What a client sends: texts and lists of words, with ids, and what to do with them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from tagger.errors import DataError
from tagger.inference.items import document_of_text
from tagger.serving.limits import Limits, Refusal, too_large, too_long, too_many
from tagger.text.document import Document
from tagger.text.frames import frames_of
from tagger.text.sentence import sentence_of_frames, sentence_of_tokens
from tagger.text.tokenization import TextRules
from tagger.wording import plain_rule, shorten

OTHER_TYPE = ("string_type", "list_type", "model_type", "model_attributes_type", "dict_type")
ITEM = "must be a text, a list of words, or an object with `text`, `tokens` or `frames`"
ONE_OF = "must have one of `text`, `tokens` and `frames`"
MOST_READINGS = 100
F = TypeVar("F", bound=BaseModel)
TokenList = Annotated[list[str], Field(min_length=1)]
Frame = Annotated[list[float | None], Field(min_length=1)]
FrameList = Annotated[list[Frame], Field(min_length=1)]


class Closed(BaseModel):
    """A part of a request: without unknown keys, and strict about types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Item(Closed):
    """A text, a list of words or a sequence of numbers, with an id that its result has too."""

    id: str | int | None = None
    text: str | None = None
    tokens: TokenList | None = None
    frames: FrameList | None = None

    @model_validator(mode="after")
    def _one_of_all(self) -> "Item":
        if [self.text, self.tokens, self.frames].count(None) != 2:
            raise ValueError(ONE_OF)
        return self


Given = str | TokenList | Item


class TagRequest(Closed):
    """What `POST /tag` takes.

    A text is split into sentences and words as the training texts were; a list of words is one sentence. `frames` has
    the numbers of each step of a sequence, null where one is missing.
    """

    text: Given | None = Field(
        None, description="One text, list of words, or object with `text`, `tokens` or `frames`."
    )
    texts: list[Given] | None = Field(None, description="Several of them.")
    frames: FrameList | None = Field(None, description="One sequence of numbers, in place of `text`.")
    model: str | None = Field(None, description="Name of the model. Default: the first one.")
    n_best: int = Field(0, ge=0, le=MOST_READINGS, description="Number of readings of each tag layer.")
    min_score: float = Field(0.0, ge=0.0, le=1.0, description="Least probability of an entity; others are left out.")
    attention: bool = Field(False, description="Whether labels have the weight of each word.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "TagRequest":
        if [self.text, self.texts, self.frames].count(None) != 2:
            raise ValueError("must have one of `text`, `texts` and `frames`")
        return self

    @property
    def items(self) -> list[Given]:
        """What is to be tagged."""
        if self.frames is not None:
            return [Item(frames=self.frames)]
        return [self.text] if self.text is not None else list(self.texts or ())


class Line(Item):
    """A line of `POST /tag/stream` that is an object; its other keys are kept."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


_LINE: TypeAdapter[str | list[str] | Line] = TypeAdapter(str | TokenList | Line)


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request, of which no more is read than it may have."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise too_large(most)
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > most:
            raise too_large(most)
    return b"".join(parts)


def parse_as(form: type[F], body: bytes) -> F:
    """Return the request that a body holds.

    Raises:
        Refusal: The body is not such a request.
    """
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        raise Refusal(422, explained(error.errors(include_url=False, include_context=False))) from None


def parse_request(body: bytes, limits: Limits) -> TagRequest:
    """Return the request that a body holds.

    Raises:
        Refusal: The body is not such a request, or has too much.
    """
    request = parse_as(TagRequest, body)
    if len(request.items) > limits.items:
        raise too_many(len(request.items), limits.items)
    for number, item in enumerate(request.items):
        check_length(item, limits, f"text {number}")
    return request


def check_length(item: Given, limits: Limits, where: str) -> None:
    """Refuse a text, list of words or sequence of numbers that is too long."""
    if isinstance(item, Item) and item.frames is not None:
        if (size := sum(map(len, item.frames))) > limits.text:
            raise too_long(where, size, limits.text, unit="number")
        return
    found = (item.text if item.tokens is None else item.tokens) if isinstance(item, Item) else item
    length = len(found) if isinstance(found, str) else sum(map(len, found or ()))
    if length > limits.text:
        raise too_long(where, length, limits.text)


def document_of(item: Given, rules: TextRules) -> Document:
    """Return the document of an item, ready to be tagged.

    Raises:
        DataError: A word is empty or white space.
    """
    if isinstance(item, str):
        return document_of_text(item, rules)
    if isinstance(item, list):
        return _of_tokens(item)
    if item.frames is not None:
        sentence = sentence_of_frames(frames_of(_array(item.frames)))
        document = Document(sentence.text, (sentence,))
    else:
        document = document_of_text(item.text, rules) if item.text is not None else _of_tokens(item.tokens or [])
    record = dict(item.model_extra or {})
    return Document(document.text, document.sentences, id=item.id, record=record or None)


def _array(frames: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Return numbers with NaN where one is missing.

    Raises:
        DataError: There are not as many in each step.
    """
    if len({len(frame) for frame in frames}) > 1:
        raise DataError(f"`frames` must have the same numbers in each step, got {len(frames[0])} in the first step")
    return np.array(frames, np.float64)


def _of_tokens(tokens: list[str]) -> Document:
    sentence = sentence_of_tokens(tokens)
    return Document(sentence.text, (sentence,))


def parse_line(line: bytes, limits: Limits) -> Given:
    """Return the item of a line of a stream.

    Raises:
        DataError: The line holds something else.
        Refusal: It is too long.
    """
    try:
        item = _LINE.validate_json(line, strict=True)
    except ValidationError as error:
        raise DataError(explained(error.errors(include_url=False, include_context=False))) from None
    check_length(item, limits, "the text")
    return item


def explained(details: Sequence[Mapping[str, Any]]) -> str:
    """Return the first error of a body, a line or an address as one sentence."""
    # Of a choice of types, the error of the one that fits best.
    found = max(details, key=lambda each: (each["type"] not in OTHER_TYPE, len(each["loc"])))
    place = [str(part) for part in found["loc"] if not _is_type(part)]
    key = ".".join(place)
    if found["type"] == "json_invalid":
        return f"must be JSON in UTF-8: {found['msg'].removeprefix('Invalid JSON: ')}; see /openapi.json"
    if found["type"] == "extra_forbidden":
        return f"unknown key `{key}`; see /openapi.json for the known keys"
    if found["type"] == "missing":
        return f"`{key}` is missing; see /openapi.json"
    if found["type"] == "int_parsing_size":
        return f"`{key}` must be a whole number of fewer digits; see /openapi.json"
    chosen = sum(1 for each in details if each["type"] in OTHER_TYPE and each["input"] is found["input"])
    rule = ITEM if found["type"] in OTHER_TYPE and chosen > 1 else plain_rule(found["msg"])
    got = shorten(_shown(found["input"]))
    return f"`{key}` {rule}, got {got}; see /openapi.json" if key else f"{rule}, got {got}; see /openapi.json"


def _is_type(part: int | str) -> bool:
    """Whether a part of a place is the name of a type that pydantic adds for a choice of types."""
    return part == "str" or str(part).endswith(
        (")", "]", "Item", "Line")
    )  # such as `list[str]` or `function-after[...]`


def _shown(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__


def body_of(form: type[BaseModel]) -> dict[str, Any]:
    """Return the description of the body of a request."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(schema)}}}}


def _inlined(schema: Any, definitions: Mapping[str, Any] | None = None) -> Any:
    """Return a schema in which each reference is replaced by what it means."""
    definitions = definitions if definitions is not None else schema.get("$defs", {})
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items() if key != "$defs"}
    return [_inlined(each, definitions) for each in schema] if isinstance(schema, list) else schema
