"""JSON lines: one object per sentence, as `tagger tag` writes them.

`{"text", "tokens", "tags": {layer: [...]}, "spans": {layer: [...]}, "labels": {layer: {"value", ...}}}`, and numbers
in `"values": {layer: {"values": [...], "whole": true, "low": [...], "high": [...], "level": 0.9}}`. With `whole` these
are numbers of the sentence, otherwise one per token, for which a list alone is enough; null is unknown, and numbers
must be below 1e30. Reading needs
`tokens` or `text`, and takes entities from the tags. If the text is not just the tokens with white space between them,
such as one sentence of a document, there is also `"offsets": [[start, end], ...]`; tokens that are one word of the
text, such as `de` and `le` in `du`, have the same offsets. Comments are in `"meta": {key: value}`, the document in
`"document": name`; these keys are ignored if they have other types. Predictions also have
`"tag_scores": {layer: [...]}` and `"sequence_scores": {layer: probability}`, which only scoring reads
(`probabilities`).

A sequence of numbers has `"frames": [[...], ...]`, the numbers of each step (null where one is missing), or
`"frames": {name: [...]}`, a number of each step for each name. Without `tokens`, `"steps": [...]` names the steps, or
else they are counted from 0.

Rows of Hugging Face datasets, `{"tokens", "ner_tags": [...]}`, are read too (`json_keys`). Texts with entities as
character spans, as annotation tools write them, are read in `tools/reading.py`.

If a text has several sentences, `"sentences": [[start, end], ...]` are their ranges of tokens, and labels that each
sentence has are lists, `"labels": {layer: [{"value", ...}, ...]}`. `formats/documents.py` reads records to be tagged.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tagger.errors import DataError
from tagger.formats.column_names import DOCUMENT, META, TEXT_COLUMNS, TOKEN_COLUMNS
from tagger.formats.columns.fields import Sample
from tagger.formats.json_keys import (
    FRAMES,
    STEPS,
    comments,
    frames_in,
    has_steps,
    is_class,
    own_layers,
    refuse_numbers,
    text_key,
    token_key,
)
from tagger.formats.probabilities import scored_label, with_probabilities
from tagger.formats.tally import Tally
from tagger.text.frames import Frames
from tagger.text.gaps import known_of, known_spans
from tagger.text.records import RESULTS, record_of
from tagger.text.schemes import RULES, Boundary, is_tag
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, Values, checked_offsets, sentence_of_frames
from tagger.text.tokenization import DEFAULT_RULES, TextRules
from tagger.wording import quoted, shorten

KNOWN = (*RESULTS, *TEXT_COLUMNS, *TOKEN_COLUMNS, META, DOCUMENT)
ARRAY = re.compile(r'\s*\[\s*(?:[{\[]\s*"|".*"\s*,\s*\{)')  # the start of an array of items, or of a training tuple
LARGEST = 1e30  # of numbers in `values`; messages and documents name it
FEW = 20  # lines in which the start of an array shows
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def looks_like_json(sample: Sample) -> bool:
    """Whether lines are JSON: an array of items, or lines of which the first has a brace and one is an object."""
    if ARRAY.match("\n".join(sample.lines[:FEW])):
        return True
    return sample.first.lstrip().startswith("{") and any(map(_is_object, sample.lines))


def _is_object(line: str) -> bool:
    """Whether a line is a JSON object."""
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def kept_keys(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an object to be tagged that its result keeps: all but those of an earlier result."""
    return {key: value for key, value in row.items() if not _is_result(key, value)}


def _is_result(key: str, value: Any) -> bool:
    """Whether a value has the form of a result under this key."""
    if key in ("sentences", "offsets"):
        return _are_ranges(value)
    if key not in RESULTS or not isinstance(value, dict):
        return False
    kind = {"labels": dict | list | str | int, "sequence_scores": int | float}.get(key, list)
    return all(isinstance(part, kind) for part in value.values())


def json_value(text: str, start: int | None = None) -> tuple[Any, int]:
    """Return the JSON value of a text, or the one at `start` in it, and where it ends.

    Raises:
        DataError: There is no valid value, an object has a key twice, or a string is not valid Unicode.
    """
    try:
        value, end = (DECODER.decode(text), len(text)) if start is None else DECODER.raw_decode(text, start)
        if SURROGATE.search(text, start or 0, end):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise DataError(f"must be Unicode text, got half a surrogate pair ({half})") from None
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        shown = text if start is None else text[start : start + 100].split("\n")[0]
        raise DataError(f"must be a JSON object, got {shorten(shown)} ({reason})") from None
    return value, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, each of whose keys must be unique."""
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DataError(f"must have each key once, got {twice!r} twice")
    return row


DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def sentences_from_json(
    row: Any,
    layers: Mapping[str, str] | None = None,
    *,
    rules: TextRules = DEFAULT_RULES,
    tally: Tally | None = None,
) -> list[Sentence]:
    """Return the sentences of one JSON object: those that its `sentences` say, or one.

    A text with a label of its own stays one sentence.

    Raises:
        DataError: As for `sentence_from_json`, or `sentences` do not cover the tokens.
    """
    ranges = row.get("sentences") if isinstance(row, dict) else None
    if not isinstance(ranges, list) or not _are_ranges(ranges) or row.get("tokens") is None:
        return [sentence_from_json(row, layers, rules=rules, tally=tally)]
    labels = row["labels"] if isinstance(row.get("labels"), dict) else {}
    values = row["values"] if isinstance(row.get("values"), dict) else {}
    each = {
        name: value
        for name, value in [*labels.items(), *((n, v) for n, v in values.items() if v and _has_objects(v))]
        if isinstance(value, list) and len(value) == len(ranges)
    }
    rest = {key: value for key, value in row.items() if key != "sentences"}
    if each:
        rest["labels"] = {name: value for name, value in labels.items() if name not in each}
        rest["values"] = {name: value for name, value in values.items() if name not in each}
    whole = sentence_from_json(rest, layers, rules=rules, tally=tally)
    if [0, *(end for _, end in ranges)] != [*(start for start, _ in ranges), len(whole)]:
        raise DataError(
            f"`sentences` must be [start, end] of each sentence in tokens, from 0 to {len(whole)} without gaps, "
            f"got {shorten(json.dumps(ranges))}"
        )
    if any(isinstance(layer, Label) or (isinstance(layer, Values) and layer.whole) for layer in whole.layers.values()):
        return [whole]
    found = each if layers is None else {}
    scored = tally is not None and tally.probabilities
    return [
        _part(whole, start, end, {name: values[i] for name, values in found.items()}, scored=scored)
        for i, (start, end) in enumerate(ranges)
    ]


def _has_objects(value: Any) -> bool:
    """Whether a value is a list of objects, such as the numbers of each of several sentences."""
    return isinstance(value, list) and all(isinstance(part, dict) for part in value)


def _are_ranges(value: Any) -> bool:
    """Whether a value is a list of ranges of tokens."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is type(pair[1]) is int and pair[0] < pair[1]
        for pair in value
    )


def _part(whole: Sentence, start: int, end: int, labels: Mapping[str, Any], *, scored: bool) -> Sentence:
    """Return the tokens `[start, end)` of the sentence of a text, with labels of their own."""
    layers = {name: _cut(layer, start, end) for name, layer in whole.layers.items()}
    for name, value in labels.items():
        layer = _layer(name, value, end - start)
        layers[name] = scored_label(name, layer, value) if scored and isinstance(layer, Label) else layer
    return replace(
        whole,
        tokens=whole.tokens[start:end],
        offsets=whole.offsets[start:end],
        layers=layers,
        frames=whole.frames and whole.frames.part(start, end),
    )


def _cut(layer: Layer, start: int, end: int) -> Layer:
    """Return the tags `[start, end)` of a layer with their probabilities, or the numbers."""
    if isinstance(layer, Values):
        return layer.part(start, end)
    if isinstance(layer, Label):
        return layer
    spans = layer.scored_spans and tuple(
        [
            (Boundary(kind, first - start, last - start), score)
            for (kind, first, last), score in layer.scored_spans
            if start <= first < end
        ]
    )
    return TagLayer(layer.tags[start:end], scores=layer.scores and layer.scores[start:end], scored_spans=spans)


def sentence_from_json(
    row: Any,
    layers: Mapping[str, str] | None = None,
    *,
    rules: TextRules = DEFAULT_RULES,
    tally: Tally | None = None,
) -> Sentence:
    """Return the sentence of one JSON object; `tally` counts its keys that are ignored.

    Raises:
        DataError: The object has neither tokens nor text, or a layer does not fit the tokens.
    """
    if not isinstance(row, dict):
        raise DataError(f"must be a JSON object, got {shorten(json.dumps(row))}")
    frames = frames_in(row)
    sentence = _tokens(row, rules, frames)
    if layers is None:
        tally = tally or Tally()
        values, others = _all_layers(row, len(sentence), tally)
        tally.left["scores"] += _has_scores(row)
    else:
        values = {layer: row[key] for layer, key in layers.items() if row.get(key) is not None}
        numbers = [FRAMES] * (frames is not None) + [STEPS] * has_steps(row)
        known = (*KNOWN, *layers.values(), *numbers)
        others = {key: value for key, value in row.items() if key not in known}
    found = {layer: _layer(layer, value, len(sentence)) for layer, value in values.items()}
    if layers is None:
        _check_spans(row, found)
    if tally is not None and tally.probabilities:
        found = with_probabilities(found, row)
    document = row.get("document")
    return replace(
        sentence,
        layers=found,
        meta=comments(row.get("meta")) or {},
        document=document if isinstance(document, str) else None,
        record=others or None,
    )


def _all_layers(row: Mapping[str, Any], num_tokens: int, tally: Tally) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of the layers in `tags` and `labels`, and of those under keys of their own; and other keys."""
    tables = {key: _table(row, key) for key in ("tags", "labels")}
    values = row["values"] if isinstance(row.get("values"), dict) else {}
    tables["values"] = {name: {"values": value} if isinstance(value, list) else value for name, value in values.items()}
    tabled: dict[str, str] = {}
    for key, table in tables.items():
        if both := sorted(tabled.keys() & table.keys()):
            raise DataError(f"layer `{both[0]}` must be in `{tabled[both[0]]}` or in `{key}`, got it in both")
        tabled |= dict.fromkeys(table, key)
    own, others = own_layers(row, num_tokens, tally, tabled)
    return {**tables["tags"], **tables["labels"], **tables["values"], **own}, others


def _has_scores(row: Mapping[str, Any]) -> bool:
    """Whether an object has probabilities of spans or labels, which are not read."""
    spans, labels = (value if isinstance(value := row.get(key), dict) else {} for key in ("spans", "labels"))
    scored = [*(span for layer in spans.values() if isinstance(layer, list) for span in layer), *labels.values()]
    return any(isinstance(value, dict) and value.get("score") is not None for value in scored)


def _table(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the layers under a key; none if the key is a layer itself."""
    value = row.get(key) or {}
    if isinstance(value, list) or (isinstance(value, str) and key == "labels"):
        return {}
    if not isinstance(value, dict):
        raise DataError(f"`{key}` must be an object layer → values, got {shorten(json.dumps(value))}")
    return value


def _tokens(row: Mapping[str, Any], rules: TextRules, frames: Frames | None) -> Sentence:
    """Return the sentence of an object without its layers."""
    if frames is not None and token_key(row) is None:
        return sentence_of_frames(frames, steps=_steps(row))
    if frames is not None:
        sentence = _tokens(row, rules, None)
        if len(sentence) != len(frames):
            raise DataError(f"`frames` must have a step for each of {len(sentence)} tokens, got {len(frames)}")
        return replace(sentence, frames=frames)
    named, own = token_key(row) or "tokens", text_key(row) or "text"
    text, tokens, offsets = row.get(own), row.get(named), row.get("offsets")
    if offsets is not None and (tokens is None or not isinstance(text, str)):
        absent = "tokens" if tokens is None else "text"
        raise DataError(f"`offsets` needs `tokens` and `text`, got no `{absent}`; add it or remove `offsets`")
    if tokens is None:
        if not isinstance(text, str) and row.get(FRAMES) is not None:
            raise DataError(
                f"`{FRAMES}` must be a list of numbers for each step, or a list of all steps for each name, where null "
                f"is a missing number, got {shorten(json.dumps(row[FRAMES]))}"
            )
        if not isinstance(text, str):
            keys = f"the keys {quoted(row)}" if row else "no key"
            raise DataError(f"must have `tokens` (a list of words) or `text` (a sentence), got {keys}")
        return rules.sentence(text)
    if not isinstance(tokens, list) or not tokens or not all(isinstance(t, str) and t.strip() for t in tokens):
        raise DataError(f"`{named}` must be a list of words that are not empty, got {shorten(json.dumps(tokens))}")
    if not isinstance(text, str):
        return Sentence.from_tokens(tokens)
    if offsets is None:
        return align_tokens(tokens, text)
    return Sentence(tuple(tokens), text, checked_offsets(offsets, tokens, text))


def _steps(row: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the steps of an object without tokens, which may be numbers; None if it has none.

    Raises:
        DataError: They are no list of texts and numbers.
    """
    steps = row.get(STEPS)
    if steps is not None and not (isinstance(steps, list) and all(isinstance(s, str | int | float) for s in steps)):
        raise DataError(f"`{STEPS}` must be a list of names of the steps, got {shorten(json.dumps(steps))}")
    return None if steps is None else [str(step) for step in steps]


def align_tokens(tokens: list[str], text: str) -> Sentence:
    """Return a sentence whose tokens follow one another in `text`, with only white space between them.

    Raises:
        DataError: A token is not the next word of the text, or the text continues after the last one.
    """
    offsets, position = [], 0
    for token in tokens:
        start = text.find(token, position)
        if start < 0 or text[position:start].strip():
            rest = shorten(text[position:].strip())
            raise DataError(f"token {token!r} must come next in `text`, got {rest}; fix it or add `offsets`")
        position = start + len(token)
        offsets.append((start, position))
    if rest := text[position:].strip():
        raise DataError(f"`text` must end with the last token, got {shorten(rest)} after it; fix it or add `offsets`")
    return Sentence(tuple(tokens), text, tuple(offsets))


def _layer(name: str, value: Any, num_tokens: int) -> Layer:
    """Return the layer that a value is: a label, or a list with a tag for each token."""
    if isinstance(value, dict) and "values" in value:
        return _values(name, value, num_tokens)
    if isinstance(value, dict):
        value = value.get("value")
    if is_class(value):
        return Label(str(value))
    if isinstance(value, list):
        refuse_numbers(name, value)
    if not isinstance(value, list) or not all(tag is None or (isinstance(tag, str) and tag.strip()) for tag in value):
        raise DataError(f"layer `{name}` must be a label or a list of tags, got {shorten(json.dumps(value))}")
    if len(value) != num_tokens:
        raise DataError(f"layer `{name}` must have one tag per token, {num_tokens} in all, got {len(value)}")
    return TagLayer(tuple(value))


def _values(name: str, row: Mapping[str, Any], num_tokens: int) -> Values:
    """Return the numbers of an object."""
    whole = row.get("whole") is True
    size = len(row["values"]) if whole and isinstance(row["values"], list) else num_tokens
    sides: list[tuple[float | None, ...] | None] = []
    for key in ("values", "low", "high"):
        found = row.get(key)
        if found is None and key != "values":
            sides.append(None)
            continue
        if not isinstance(found, list) or not all(map(_is_number if key != "values" else _is_number_or_null, found)):
            raise DataError(
                f"`values.{name}` must have a list of numbers below 1e30 as `{key}`, got {shorten(json.dumps(found))}"
            )
        if len(found) != size or not found:
            wanted = f"{size} numbers as `{key}`, as in `values`" if whole else f"one number per token, {size} in all"
            raise DataError(f"`values.{name}` must have {wanted}, got {len(found)}")
        sides.append(tuple([None if number is None else float(number) for number in found]))
    level = row.get("level")
    if level is not None and not (_is_number(level) and 0 < level < 1):
        raise DataError(f"`values.{name}.level` must be a number between 0 and 1, got {shorten(json.dumps(level))}")
    return Values(sides[0] or (), whole, sides[1], sides[2], level)  # type: ignore[arg-type]  # None is refused above


def _is_number(value: Any) -> bool:
    """Whether a value is a number whose errors and their sums are finite in 32 bits."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_number_or_null(value: Any) -> bool:
    return value is None or _is_number(value)


def _check_spans(row: Mapping[str, Any], layers: Mapping[str, Layer]) -> None:
    """Refuse spans that contradict the tags of their layer, which are what is read.

    One line does not show its scheme, so the spans must be those of the tags in some scheme that has all the tags.

    Raises:
        DataError: The spans of a layer are not those of its tags in any such scheme.
    """
    spans = row.get("spans") if isinstance(row.get("tags"), dict) else None
    for name, written in spans.items() if isinstance(spans, dict) else ():
        found = layers.get(name)
        if name not in row["tags"] or not isinstance(found, TagLayer):
            continue
        schemes = [scheme for scheme in RULES if all(is_tag(tag, scheme) for tag in known_of(found.tags))]
        boundaries = _boundaries(written)
        if schemes and all(boundaries != sorted(known_spans(found.tags, scheme)) for scheme in schemes):
            raise DataError(
                f"layer `{name}` must be given once, got it in two places, `tags.{name}` and `spans.{name}`, "
                f"whose spans {shorten(json.dumps(written))} are not those of the tags; fix or remove one of them"
            )


def _boundaries(spans: Any) -> list[tuple[Any, ...]] | None:
    """Return type and token range of each span, sorted; None if a span has another form."""
    try:
        return sorted((span["type"], span["start"], span["end"]) for span in spans)
    except (TypeError, KeyError):
        return None


def jsonl_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield each sentence, with all its layers, as a line of JSON."""
    return (json.dumps(sentence_to_json(sentence), ensure_ascii=False) for sentence in sentences)


def sentence_to_json(sentence: Sentence) -> dict[str, Any]:
    """Return the JSON object of a sentence, ready for `json.dumps`.

    It has probabilities and `readings` if the sentence has them, `offsets` if they do not follow from tokens and text,
    `meta` and `document` if the sentence has them, and all other keys of its record.
    """
    kept = sentence.record
    if (frames := sentence.frames) is not None:
        kept = {**(kept or {}), FRAMES: frames_to_json(frames)}
    return record_of(sentence.text, [sentence], kept=kept, meta=sentence.meta)


def frames_to_json(frames: Frames) -> list[Any] | dict[str, Any]:
    """Return the numbers of each step, or of all steps for each name, with None where one is missing."""
    rows = frames.values.T if frames.names else frames.values
    numbers = [[None if number != number else float(str(number)) for number in row] for row in rows]
    return dict(zip(frames.names, numbers, strict=True)) if frames.names else numbers
