"""Label Studio's full export: tasks with `data`, `annotations` (formerly `completions`) and `predictions`.

`{"data": {"text": ...}, "annotations": [{"result": [{"type": "labels", "from_name": ..., "value": {"start", "end",
"text", "labels"}}]}]}`. Each control tag (`from_name`) with spans is a layer, `ner` if there is one; each choice is a
label of the whole text. Of several annotations, the first that was completed is read. Predictions, drafts, relations
and other kinds of results are counted and ignored.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tagger.errors import DataError
from tagger.formats.tools.annotated import Annotated, Translation, one_class, shown, text_of
from tagger.formats.tools.keyed import fitting_key

NOTES = ("was_cancelled", "skipped")
OF_TASK = {
    "created_at", "updated_at", "inner_id", "total_annotations", "cancelled_annotations", "total_predictions",
    "comment_count", "unresolved_comment_count", "last_comment_updated_at", "project", "updated_by", "comment_authors",
    "file_upload", "drafts", "predictions", "annotations", "completions", "allow_skip", "allow_postpone",
}  # fmt: skip


def is_task(row: Mapping[str, Any]) -> bool:
    """Whether a record is a task with annotations."""
    return isinstance(row.get("data"), dict) and any(
        isinstance(row.get(k), list) for k in ("annotations", "completions")
    )


def translate_task(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the text of a task with the spans and choices of one annotation.

    Raises:
        DataError: The task or its annotation has another form.
    """
    data, results = row.get("data"), _results(row, how, place)
    if results is None:
        return
    if not isinstance(data, dict):
        raise DataError(f"`data` must be an object with the text, got {shown(data)}")
    spans: dict[str, list[Any]] = {}
    labels: dict[str, str | None] = {}
    for result in results:
        _add(result, spans, labels, how, place)
    if None in labels.values():
        return
    key = how.config.text or _text_key(data, [span for values in spans.values() for span in values])
    rest = {name: value for name, value in data.items() if name != key}
    others = {name: value for name, value in row.items() if name not in OF_TASK and name != "data"}
    others |= {"data": rest} if rest else {}
    if row.get("predictions"):
        how.tally.count("ignored the predictions of {} text|texts", f"at {place}")
    ignored = [name for name, value in others.items() if value not in (None, "", [], {})]
    yield Annotated(text=text_of(data, key), spans=spans, named=True, labels=labels, others=others, ignored=ignored)


def _results(row: Mapping[str, Any], how: Translation, place: str) -> list[Any] | None:
    """Return the results of the first annotation that was completed; None if there is none, which is counted."""
    key = "annotations" if "annotations" in row else "completions"
    found = row.get(key)
    if not isinstance(found, list) or not all(isinstance(annotation, dict) for annotation in found):
        raise DataError(f"`{key}` must be a list of objects with `result`, got {shown(found)}")
    completed = [annotation for annotation in found if not any(annotation.get(note) for note in NOTES)]
    if not completed:
        how.tally.count("skipped {} text|texts without a completed annotation", f"at {place}")
        return None
    if len(completed) > 1:
        how.tally.count("read the first annotation of {} text|texts with several", f"at {place}")
    results = completed[0].get("result")
    if not isinstance(results, list):
        raise DataError(f"`result` of an annotation must be a list, got {shown(results)}")
    return results


def _add(result: Any, spans: dict[str, list[Any]], labels: dict[str, str | None], how: Translation, place: str) -> None:
    """Add what a result says to the spans and labels of its text."""
    match result:
        case {"value": {"choices": choices}, "from_name": str(name)}:
            if name in labels:
                raise DataError(f"`{name}` must be given once for each text, got it twice; keep one class")
            labels[name] = one_class(choices, name, how, place)
        case {"value": {"start": _, "labels": _} as value, "from_name": str(name)}:
            spans.setdefault(name, []).append(value)
        case {"value": {"start": _} as value, "from_name": str(name), "type": str(kind)} if kind in value:
            spans.setdefault(name, []).append({**value, "labels": value[kind]})
        case dict():
            how.tally.count("ignored {} result|results that is|are neither a span nor a choice", f"at {place}")
        case _:
            raise DataError(f"a result of an annotation must be an object, got {shown(result)}")


def _text_key(data: Mapping[str, Any], spans: list[Any]) -> str:
    """Return the key of the text: `text`, or the only one whose text agrees with those of its spans."""
    if isinstance(data.get("text"), str):
        return "text"
    return fitting_key(data, [span for span in spans if isinstance(span, dict)]) or "text"
