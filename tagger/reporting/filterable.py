"""Mistakes in context as a page lists them: with a kind and types to filter by, gold and prediction marked."""

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

from tagger.wording import visible

NUM_LISTED = 5000  # mistakes on a page, which stays within a few megabytes


def filterable(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return mistakes in context; types are numbers in the page, because a type may have any characters."""
    shown = found[:NUM_LISTED]
    types = sorted({mention["type"] for entry in shown for side in ("gold", "predicted") for mention in entry[side]})
    numbers = {name: i for i, name in enumerate(types)}
    rest = "" if len(shown) == len(found) else f"The first {len(shown):,} of {len(found):,} mistakes."
    kinds = dict.fromkeys(sorted(entry["kind"] for entry in shown))
    return {
        "found": [_mistake(entry, numbers) for entry in shown],
        "kinds": list(kinds),
        "types": list(map(visible, types)),
        "rest": rest,
    }


def _mistake(entry: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    sides = {side: [mention["type"] for mention in entry[side]] for side in ("gold", "predicted") if entry[side]}
    said = [f"{side} {' + '.join(types)}" for side, types in sides.items()]
    sure = [] if entry["probability"] is None else [f"{entry['probability']:.4f}"]
    return {
        "kind": entry["kind"],
        "types": " ".join(str(numbers[name]) for name in dict.fromkeys(chain(*sides.values()))),
        "left": visible(entry["left"]),
        "right": visible(entry["right"]),
        "parts": _parts(entry),
        "said": visible(", ".join([*said, *sure])),
        "place": visible(entry["place"]),
    }


def _parts(entry: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the text of a mistake, cut where gold or predicted begins or ends."""
    text, sides = entry["text"], {side: entry[side] for side in ("gold", "predicted")}
    cuts = {0, len(text), *(mention[end] for found in sides.values() for mention in found for end in ("start", "end"))}
    edges = sorted(cuts)
    parts = []
    for start, end in pairwise(edges):
        kinds = [side for side, found in sides.items() if any(m["start"] <= start and end <= m["end"] for m in found)]
        parts.append({"text": visible(text[start:end]), "kind": " ".join(kinds)})
    return parts
