"""Likely errors of gold data as lines of text and as a section of a report."""

from collections import Counter
from typing import Any

from tagger.analysis.listing import BRIEF_WIDTH, WIDTH, marked, types_of
from tagger.analysis.suspects import Suspects
from tagger.metrics.section import Cell, Section, Table
from tagger.wording import counted

NUM_BRIEF = 3  # suspects in the short form of a report
TITLE = "Likely errors of gold"
NOTE = (
    "Where the model disagrees with gold and its tag or class has at least the mean probability of its class. They are "
    "ranked by how many times more probable the model's reading is than that of gold; the probability of a reading is "
    "that of its least probable tag. A model remembers sentences that it was trained on: `tagger audit` is for these."
)


def suspects_section(found: Suspects) -> Section:
    """Return the likely errors of gold, as a section of the report of a layer."""
    likely = [suspect.to_dict() for suspect in found.likely]
    rows: list[tuple[Cell, ...]] = [
        (
            marked(entry),
            entry["place"],
            entry["kind"],
            types_of(entry, "gold") or "-",
            types_of(entry, "proposed") or "-",
            entry["probability"],
            entry["gold_probability"],
        )
        for entry in likely
    ]
    columns = ("text", "place", "likely error", "gold", "proposed", "probability", "of gold")
    return Section(
        key="suspects",
        title=TITLE,
        note=NOTE,
        data={"number": found.number, "kinds": dict(kinds_of(found)), "list": likely},
        brief=(
            f"likely errors of gold: {_count(found)}",
            *(suspect_line(entry, BRIEF_WIDTH) for entry in likely[:NUM_BRIEF]),
        ),
        tables=(Table(columns, tuple(rows), "likely errors in context"),),
    )


def kinds_of(found: Suspects) -> Counter[str]:
    """Return the number of likely errors of each kind, the most frequent first."""
    counts = Counter(suspect.kind for suspect in found.likely)
    return Counter(dict(counts.most_common()))


def summary_lines(found: Suspects) -> list[str]:
    """Return the score of the models of an audit in a layer, how many likely errors it has, and of which kinds."""
    score = f"{found.layer}: {_score(found)} of the models on the sentences that they did not learn from"
    return [score, f"{found.layer}: {_count(found)}"]


def warning_of(found: Suspects) -> str | None:
    """Return a warning if the models of an audit have learned too little to tell errors of gold from their own."""
    if found.is_reliable:
        return None
    guess = f", and {found.guess:.4f} for a guess" if found.guess else ""
    return (
        f"layer `{found.layer}`: the models learned too little ({_score(found)}{guess}), so most suspects are likely "
        "their mistakes and not errors of gold; raise `training.epochs`, or use more folds or more data"
    )


def suspect_line(entry: dict[str, Any], width: int = WIDTH) -> str:
    """Return a likely error as a line: place, context of so many characters, what is wrong and both probabilities."""
    sides = [f"{side} {types_of(entry, side) or 'nothing'}" for side in ("gold", "proposed")]
    figures = f"{entry['probability']:.4f} against {entry['gold_probability']:.4f}"
    return f"{entry['place']}: {marked(entry, width)} ({entry['kind']}: {', '.join(sides)}; {figures})"


def _score(found: Suspects) -> str:
    return f"{'F1' if found.noun == 'entity' else 'accuracy'} {found.score:.4f}"


def _count(found: Suspects) -> str:
    plural = {"entity": "entities"}.get(found.noun, f"{found.noun}s")
    total = f"{found.total} gold {found.noun if found.total == 1 else plural}"
    kinds = ", ".join(f"{kind} {number}" for kind, number in kinds_of(found).items())
    return f"{counted(found.number, 'suspect')} among {total}{kinds and ': '}{kinds}"
