"""Results as JSON. Large ones are written in a thread, so that other requests are answered meanwhile."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tagger.text.document import Document, without_unsure
from tagger.text.sentence import Label

LARGE = 1000  # tokens, which take about 15 ms; for fewer a thread would only cost time


async def written(documents: Sequence[Document], write: Callable[[], bytes]) -> bytes:
    """Return what a function writes of these documents, without holding up the event loop."""
    return await asyncio.to_thread(write) if sum(map(len, documents)) > LARGE else write()


def to_json(document: Document, *, least: float = 0.0, attention: bool = False) -> dict[str, Any]:
    """Return the JSON object of a result, without entities of a lower probability than `least`."""
    row = (without_unsure(document, least) if least else document).to_dict()
    if attention:
        row["attention"] = {name: list(label.attention) for name, label in _labels(document) if label.attention}
        row["classes"] = {name: dict(label.scores) for name, label in _labels(document) if label.scores}
    return row


def _labels(document: Document) -> list[tuple[str, Label]]:
    """Return the labels of the whole document."""
    own = document.sentences[0].layers.items() if len(document.sentences) == 1 else ()
    return [*document.labels.items(), *((name, layer) for name, layer in own if isinstance(layer, Label))]


def bytes_of(row: Mapping[str, Any]) -> bytes:
    """Return an object as JSON, written value by value: `json` lets no other thread go on before a call ends."""
    parts = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in row.items()]
    return ("{" + ", ".join(parts) + "}").encode()
