"""A diagnosis of a corpus on standard output: tables of counts, then errors and warnings, the first of each kind."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tagger.doctor.diagnosis import Diagnosis
from tagger.doctor.findings import Finding
from tagger.wording import visible

ERRORS_SHOWN = 10
WARNINGS_SHOWN = 5
ROWS_SHOWN = 50
TITLES = {
    "form": "lines that are not of the format",
    "columns": "lines that do not have the columns",
    "layers": "files without a layer",
    "span": "entities that do not fit their text",
    "encoding": "lines that are no UTF-8",
    "prefix": "tags of no scheme",
    "mixed": "tags or files in another scheme",
    "transition": "tags that may not stand where they stand",
    "control": "control characters in tokens",
    "empty": "tokens without a visible character",
    "space": "white space in tokens",
    "mojibake": "tokens that were decoded wrongly",
    "id": "sentence ids that stand twice",
    "leak": "sentences that stand in another split",
    "near_leak": "sentences that stand in another split but for case and digits",
    "contradiction": "the same sentence with different labels",
    "ambiguous": "the same words as entities of different types",
    "unseen_type": "types that train does not have",
    "rare_type": "types that are rare in train",
    "long_entity": "very long entities",
    "long_sentence": "very long sentences",
    "invisible": "invisible characters in tokens",
    "unseen_words": "words that train does not have",
}


def print_diagnosis(diagnosis: Diagnosis) -> None:
    """Print a diagnosis; no colour where standard output is no terminal, and places are never cut or wrapped."""
    console = Console(file=sys.stdout, highlight=False)
    for split, files in diagnosis.files.items():
        for path, encoding in files.items():
            _say(console, f"{split}: {path} ({encoding})")
    for note in diagnosis.notes:
        _say(console, note)
    console.print(_sizes(diagnosis))
    for layer, scheme in {**dict.fromkeys(_layers(diagnosis)), **diagnosis.schemes}.items():
        _print_layer(console, diagnosis, layer, scheme)
    for pair, counts in diagnosis.overlaps.items():
        later, earlier = pair.split(" in ")
        alike = f"{counts['leak']} as they are, {counts['near_leak']} more but for case and digits"
        _say(console, f"sentences of {later} that stand in {earlier} too: {alike}")
    _print_findings(console, "errors", diagnosis.errors, diagnosis.error_counts, ERRORS_SHOWN)
    _print_findings(console, "warnings", diagnosis.warnings, diagnosis.warning_counts, WARNINGS_SHOWN)
    total = sum(diagnosis.error_counts.values()), sum(diagnosis.warning_counts.values())
    _say(console, f"\n{_counted(total[0], 'error')}, {_counted(total[1], 'warning')}")


def _say(console: Console, line: str) -> None:
    console.print(visible(line), markup=False, soft_wrap=True)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _table(*names: str) -> Table:
    """A table whose first column is text and whose others are numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i else "left", overflow="fold")
    return table


def _sizes(diagnosis: Diagnosis) -> Table:
    table = _table("", "documents", "sentences", "tokens", "types", "longest")
    for split, counts in diagnosis.splits.items():
        numbers = (counts.documents, counts.sentences, counts.tokens, counts.types, counts.longest)
        table.add_row(split, *(str(number) for number in numbers))
    return table


def _layers(diagnosis: Diagnosis) -> list[str]:
    return list(dict.fromkeys(name for counts in diagnosis.splits.values() for name in counts.labels))


def _print_layer(console: Console, diagnosis: Diagnosis, layer: str, scheme: str | None) -> None:
    """How often each type, tag or label of a layer stands in each split."""
    parts = {
        split: Counter((counts.entities if scheme else counts.labels).get(layer, {}))
        for split, counts in diagnosis.splits.items()
    }
    total: Counter[str] = sum(parts.values(), Counter())
    table = _table(f"{layer} ({scheme.upper()})" if scheme else layer, *parts)
    for name, _ in total.most_common(ROWS_SHOWN):
        table.add_row(_plain(name), *(str(part[name]) for part in parts.values()))
    if len(total) > ROWS_SHOWN:
        rest = [sum(part[name] for name, _ in total.most_common()[ROWS_SHOWN:]) for part in parts.values()]
        table.add_row(f"({len(total) - ROWS_SHOWN} more)", *map(str, rest))
    table.add_row("all", *(str(part.total()) for part in parts.values()))
    console.print()
    console.print(table)


def _plain(name: str) -> str:
    """A name that a table does not take for markup, nor a terminal for commands."""
    return visible(name).replace("[", "\\[")


def _print_findings(
    console: Console, title: str, findings: Sequence[Finding], counts: Mapping[str, int], shown: int
) -> None:
    """The first findings of each kind, and how many there are."""
    for kind, count in counts.items():
        _say(console, f"\n{title}: {TITLES[kind]}: {count}")
        first = [finding for finding in findings if finding.kind == kind][:shown]
        for finding in first:
            _say(console, f"  {finding}")
        if count > len(first):
            _say(console, f"  ... and {count - len(first)} more")
