"""A saved report: all gold and predicted sentences as JSON values, and back.

A row is a sentence: its tokens, where it was read, and for each layer the gold and the predicted version. A text is
kept only where it is not the tokens joined by spaces, and then from the first to the last token.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from tagger.errors import DataError
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.metrics.numbers.layer import ValueLayer
from tagger.reporting.saved_form import fault_of
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Layer, Origin, Sentence, TagLayer, Unaligned, Values
from tagger.wording import shorten

Row = dict[str, Any]


def sentences_to_json(layers: Mapping[str, ScoredLayer]) -> list[Row]:
    """Return the rows of the sentences of these layers, each sentence once."""
    rows: dict[tuple[int, int], Row] = {}
    for name, layer in layers.items():
        met: Counter[int] = Counter()  # a sentence may be there several times
        for gold, predicted in layer.both:
            met[id(gold)] += 1
            row = rows.setdefault((id(gold), met[id(gold)]), _row(gold))
            start = gold.offsets[0][0] if gold.offsets else 0
            found = [_layer_to_json(sentence.layers[name], start) for sentence in (gold, predicted)]
            row["layers"][name] = dict(zip(("gold", "predicted"), found, strict=True))
    return list(rows.values())


def _row(sentence: Sentence) -> Row:
    start, end = (sentence.offsets[0][0], sentence.offsets[-1][1]) if sentence.offsets else (0, 0)
    row: Row = {"tokens": list(sentence.tokens)}
    if sentence.text[start:end] != " ".join(sentence.tokens):
        row["text"] = sentence.text[start:end]
        row["offsets"] = [[first - start, last - start] for first, last in sentence.offsets]
    if sentence.document is not None:
        row["document"] = sentence.document
    if sentence.meta:
        row["meta"] = dict(sentence.meta)
    if sentence.origin is not None:
        row["origin"] = [sentence.origin.path, *sentence.origin.lines]
    return {**row, "layers": {}}


def _layer_to_json(layer: Layer, start: int) -> Any:
    """Return a layer; characters are counted from `start`."""
    if isinstance(layer, Label):
        return {
            k: v for k, v in (("value", layer.value), ("score", layer.score), ("scores", layer.scores)) if v is not None
        }
    if isinstance(layer, Values):
        return {name: value for name, value in asdict(layer).items() if value is not None}
    spans = None if layer.scored_spans is None else [[*span, score] for span, score in layer.scored_spans]
    values = {
        "tags": list(layer.tags),
        "scheme": layer.scheme,
        "shown": layer.shown,
        "scores": layer.scores and list(layer.scores),
        "spans": spans,
        "unaligned": [[kind, first - start, last - start] for kind, first, last in layer.unaligned] or None,
        "types": layer.types and list(layer.types),
    }
    return {key: value for key, value in values.items() if value is not None}


def read_rows(path: Path) -> dict[str, Any]:
    """Return the JSON values of a saved report.

    Raises:
        DataError: The file cannot be read, or is no report, or one that is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise DataError(f"{path}: expected a saved report, but there is no such file; check the path") from None
    except OSError as error:
        raise DataError(f"{path}: expected a saved report, but it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected a saved report, but it cannot be read: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("scores"), dict):
        raise DataError(f"{path}: expected a report that `tagger evaluate --output` wrote, got {shorten(found)}")
    if "systems" in found:
        raise DataError(f"{path}: expected a report, got a comparison of several; give the reports that were compared")
    if "sentences" not in found:
        raise DataError(
            f"{path}: the report has no sentences, because an earlier version wrote it or it came from --json; make a "
            "new one with `tagger evaluate MODEL FILE --output NAME.json`"
        )
    if fault := fault_of(found):
        raise DataError(f"{path}: the report is damaged or of another version: {fault}; make a new report")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def layers_of_json(values: Mapping[str, Any]) -> dict[str, ScoredLayer]:
    """Return what a saved report has compared."""
    pairs = [(row, _sentence(row, "gold"), _sentence(row, "predicted")) for row in values["sentences"]]
    return {name: _scored(name, pairs, values) for name in values["scores"]}


def _scored(name: str, pairs: Iterable[tuple[Row, Sentence, Sentence]], values: Mapping[str, Any]) -> ScoredLayer:
    chosen = [(gold, predicted) for row, gold, predicted in pairs if name in row["layers"]]
    both = tuple(gold for gold, _ in chosen), tuple(predicted for _, predicted in chosen)
    rule = values["signature"]["layers"][name]
    if rule["kind"] == EntityLayer.kind:
        return EntityLayer(name, *both, rule["scheme"])
    return {kind.kind: kind for kind in (TokenLayer, ClassLayer, ValueLayer)}[rule["kind"]](name, *both)


def _sentence(row: Row, side: str) -> Sentence:
    layers = {name: _layer_of_json(layer[side]) for name, layer in row["layers"].items()}
    origin = Origin(row["origin"][0], tuple(row["origin"][1:])) if row.get("origin") else None
    meta, document, tokens = row.get("meta", {}), row.get("document"), row["tokens"]
    if row.get("text") is None:
        return Sentence.from_tokens(tokens, layers, meta=meta, document=document, origin=origin)
    offsets = tuple([(first, last) for first, last in row["offsets"]])
    return Sentence(tuple(tokens), row["text"], offsets, layers, meta, document, origin)


def _layer_of_json(values: Mapping[str, Any]) -> Layer:
    if "value" in values:
        return Label(values["value"], values.get("score"), values.get("scores"))
    if "values" in values:
        low, high = _tuple(values.get("low")), _tuple(values.get("high"))
        return Values(tuple(values["values"]), values["whole"], low, high, values.get("level"))
    spans, types, scores = values.get("spans"), values.get("types"), values.get("scores")
    return TagLayer(
        tuple(values["tags"]),
        values.get("scheme"),
        values.get("shown"),
        _tuple(scores),
        None if spans is None else tuple([(Boundary(*span), score) for *span, score in spans]),
        unaligned=tuple([Unaligned(*entity) for entity in values.get("unaligned", ())]),
        types=_tuple(types),
    )


def _tuple(values: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)
