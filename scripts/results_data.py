"""The measured figures of all recipes in one file, and the tables of the documents that are written from it.

`results_table.py` and `compare_peers.py` add figures. A figure belongs to the recipe as it was when it was measured:
`problems` names those of a recipe that has changed since.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagger import DataError
from tagger.metrics import Spread

ROOT = Path(__file__).resolve().parents[1]
DATA = "docs/results.json"
EMPTY: dict[str, Any] = {"recipes": {}, "peers": []}
GENERATED = "quickstart"  # the recipe that makes its sentences itself
UPDATE = "python scripts/results_table.py"
Entry = Mapping[str, Any]  # the figures of a recipe


def read_results(root: Path) -> dict[str, Any]:
    """Return all figures; none if the file does not exist yet.

    Raises:
        DataError: The file is damaged.
    """
    path = root / DATA
    if not path.exists():
        return json.loads(json.dumps(EMPTY))  # type: ignore[no-any-return]
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {"recipes": dict(found["recipes"]), "peers": list(found["peers"])}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path}: expected the figures that {UPDATE} wrote, got another file: {error}") from None


def hash_of(recipe: Path, sections: Sequence[str] = ()) -> str:
    """Return a hash of what a recipe says, or of some of its sections. Comments and layout do not matter."""
    values = tomllib.loads(recipe.read_text(encoding="utf-8"))
    chosen = {key: value for key, value in values.items() if not sections or key in sections}
    return sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]


def data_hash_of(recipe: Path) -> str:
    """Return a hash of the corpora of a recipe, which is all that other tools share with it."""
    return hash_of(recipe, ("data", "corpora"))


def problems(results: Mapping[str, Any], root: Path) -> list[str]:
    """Return what is wrong with the figures and the documents, one sentence each."""
    return [*_stale(results, root), *_unwritten(results, root)]


def _stale(results: Mapping[str, Any], root: Path) -> Iterator[str]:
    """Yield which figures are of recipes that do not exist, or that have changed."""
    measured: list[tuple[str, str, Callable[[Path], str]]] = []
    measured += [(name, entry["recipe"], hash_of) for name, entry in results["recipes"].items()]
    measured += [(peer["recipe"], peer["data"], data_hash_of) for peer in results["peers"]]
    for name, known, hashed in dict.fromkeys(measured):
        path = root / "recipes" / f"{name}.toml"
        if not path.is_file():
            yield f"{DATA}: has figures of `{name}`, but there is no such recipe; run {UPDATE} --drop {name}"
        elif hashed(path) != known:
            what = "its corpora were" if hashed is data_hash_of else "it was"
            yield (
                f"{DATA}: has figures of `{name}`, but {what} changed after they were measured; measure them again, or "
                f"run {UPDATE} --drop {name}"
            )


def _unwritten(results: Mapping[str, Any], root: Path) -> Iterator[str]:
    """Yield which documents have other tables than the figures give."""
    for name, text in documents(results, root).items():
        if text != (root / name).read_text(encoding="utf-8"):
            yield f"{name}: its tables differ from {DATA}; run {UPDATE}"


def documents(results: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Return the text of each document with its tables, by the path of the document.

    Raises:
        DataError: A document has no place for a table.
    """
    found: dict[str, str] = {}
    for name, parts in DOCUMENTS.items():
        text = (root / name).read_text(encoding="utf-8")
        for part, make in parts.items():
            begin, end = f"<!--{part}-->", f"<!--/{part}-->"
            before, found_begin, rest = text.partition(begin)
            _, found_end, after = rest.partition(end)
            if not (found_begin and found_end):
                raise DataError(f"{name}: must have {begin} and, after it, {end}, between which a table is written")
            text = f"{before}{begin}\n\n{make(results) or 'Nothing is measured yet.'}\n\n{end}{after}"
        found[name] = text
    return found


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], *, gap: str = " ") -> str:
    """Return a Markdown table, with `gap` around each cell; an empty text if it has no row."""
    lines = [*rows]
    written = [heading, ["---"] * len(heading), *lines] if lines else []
    return "\n".join("|" + "|".join(f"{gap}{cell}{gap}" for cell in line) + "|" for line in written)


def score(values: Sequence[float], plus_minus: str = " ± ") -> str:
    """Return a score with three decimals: the mean, and the standard deviation over several seeds."""
    spread = Spread.of(values)
    return f"{spread.mean:.3f}" + ("" if spread.deviation is None else f"{plus_minus}{spread.deviation:.3f}")


def duration(seconds: float) -> str:
    """Return a duration in seconds, or in minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s" if rest >= 10 else f"{seconds:.1f} s"


def megabytes(count: float) -> str:
    """Return a size in megabytes of a million bytes."""
    return f"{count / 1e6:.1f} MB"


def scores_of(entry: Entry, split: str, layer: str) -> list[float]:
    """Return the score of a layer in each run that has one."""
    return [run[split][layer] for run in entry["runs"].values() if layer in run[split]]


def training_of(entry: Entry) -> str:
    """Return the mean time of a training; that of a longer first one, which computes features, on its own."""
    first, *others = [run["seconds"] for run in entry["runs"].values()]
    if entry["features"] and others and first > Spread.of(others).mean:
        return f"{duration(first)}, then {duration(Spread.of(others).mean)}{mark(entry)}"
    return f"{duration(Spread.of([first, *others]).mean)}{mark(entry)}"


def mark(entry: Entry) -> str:
    """Return the mark of a time that was measured while the machine did other work."""
    return "\\*" if entry["busy"] else ""


def brief_table(results: Mapping[str, Any]) -> str:
    """Return the table of the README, in few words: the recipes with real sentences."""
    rows = []
    for name, entry in results["recipes"].items():
        if name == GENERATED:
            continue
        tested = {layer: score(found, "±") for layer in entry["measures"] if (found := scores_of(entry, "test", layer))}
        cells = [f"{layer} {value}" if len(tested) > 1 else value for layer, value in tested.items()]
        rows.append((f"`{name}`", ", ".join(cells), minutes_of(entry)))
    return table(("recipe", "on test", "training"), rows, gap="")  # the README is short


def minutes_of(entry: Entry) -> str:
    """Return the mean time of a training in minutes and seconds, such as 2:05."""
    minutes, seconds = divmod(round(Spread.of([run["seconds"] for run in entry["runs"].values()]).mean), 60)
    return f"{minutes}:{seconds:02d}{mark(entry)}"


def score_table(results: Mapping[str, Any]) -> str:
    """Return the table of scores: one row for each layer of each recipe."""
    rows: list[tuple[str, ...]] = []
    for name, entry in results["recipes"].items():
        for layer, measure in entry["measures"].items():
            splits = (scores_of(entry, split, layer) for split in ("test", "dev"))
            test, dev = [score(found) if found else "" for found in splits]
            dev += " †" * entry.get("refit", False)
            rows.append((f"`{name}`", f"`{layer}`", measure, test, dev, ", ".join(entry["runs"])))
            rows += _corpora_rows(name, entry, layer)
    return table(("recipe", "layer", "score", "on test", "on dev", "seeds"), rows)


def _corpora_rows(recipe: str, entry: Entry, layer: str) -> Iterator[tuple[str, ...]]:
    """Yield the scores of a layer on test of each corpus, if several corpora have it."""
    runs = list(entry["runs"].values())
    names = [name for name, scores in runs[0].get("corpora", {}).items() if layer in scores]
    for name in names if len(names) > 1 else ():
        found = [run["corpora"][name][layer] for run in runs]
        yield (
            f"`{recipe}`",
            f"`{layer}` of `{name}`",
            entry["measures"][layer],
            score(found),
            "",
            ", ".join(entry["runs"]),
        )


def cost_table(results: Mapping[str, Any]) -> str:
    """Return the table of what each recipe costs, and where it was measured."""
    rows = []
    for name, entry in results["recipes"].items():
        speed = entry.get("speed")
        rate = f"{speed['tokens_per_second']:,.0f}" if speed else ""
        ratio = f"{speed['tokens_per_second'] / speed['plain_tokens_per_second']:.2f}" if speed else ""
        command = f"`{entry['command']}`"
        rows.append((f"`{name}`", training_of(entry), rate, ratio, megabytes(entry["model_bytes"]), command))
    heading = ("recipe", "training", "tokens per second", "of the plain network", "model", "command")
    return "\n\n".join(filter(None, (table(heading, rows), machines(results["recipes"]))))


def machines(entries: Mapping[str, Entry]) -> str:
    """Return a list of the machines on which figures were measured."""
    found: dict[str, list[str]] = {}
    for name, entry in entries.items():
        facts = ", ".join(f"{key} {value}" for key, value in entry["machine"].items())
        speed = entry.get("speed")
        product = f"; matrix products at {speed['gflops']:.0f} GFLOP/s" if speed else ""
        found.setdefault(f"{facts}; {entry['date']}{product}", []).append(f"`{name}`")
    return "\n".join(f"- {', '.join(names)}: {facts}" for facts, names in found.items())


def peer_table(results: Mapping[str, Any]) -> str:
    """Return the table of other tools: for each corpus and layer, ours first where it is measured."""
    rows: list[tuple[str, ...]] = []
    for recipe, layer in dict.fromkeys((peer["recipe"], peer["layer"]) for peer in results["peers"]):
        rows += _ours(results["recipes"].get(recipe), recipe, layer)
        for peer in results["peers"]:
            if (peer["recipe"], peer["layer"]) == (recipe, layer):
                rows.append((f"`{recipe}`", f"`{layer}`", *_theirs(peer)))
    heading = ("corpora of", "layer", "tool", "on test", "on dev", "training", "tokens per second", "speed", "model")
    return table(heading, rows)


def _theirs(peer: Entry) -> tuple[str, ...]:
    """Return the cells of another tool."""
    speed = peer["our_seconds"] / peer["seconds"]
    times = f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"
    rate, scores = f"{peer['tokens'] / peer['seconds']:,.0f}", (f"{peer['test']:.3f}", f"{peer['dev']:.3f}")
    costs = (f"{duration(peer['train_seconds'])}{mark(peer)}", rate, times, megabytes(peer["model_bytes"]))
    return f"{peer['tool']}, {peer['settings']}", *scores, *costs


def _ours(entry: Entry | None, recipe: str, layer: str) -> Iterator[tuple[str, ...]]:
    """Yield the row of this library, if the recipe is measured."""
    if entry is not None and layer in entry["measures"]:
        cells = [score(scores_of(entry, split, layer)) for split in ("test", "dev")]
        place = (f"`{recipe}`", f"`{layer}`", "tagger")
        yield (*place, *cells, training_of(entry), "", "1", megabytes(entry["model_bytes"]))


DOCUMENTS: dict[str, dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "README.md": {"brief": brief_table},
    "docs/results.md": {"scores": score_table, "costs": cost_table, "peers": peer_table},
}
