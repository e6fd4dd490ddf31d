"""A diagnosis of a corpus on standard output: tables of counts, then errors and warnings, the first of each kind."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tagger.doctor.diagnosis import Diagnosis
from tagger.doctor.findings import Finding
from tagger.wording import counted, table_lines, visible

ERRORS_SHOWN = 10
WARNINGS_SHOWN = 5
ROWS_SHOWN = 50
TITLES = {
    "form": "lines that are invalid in the format",
    "columns": "lines with a wrong number of columns",
    "layers": "files without a layer",
    "span": "entities that do not align with their text",
    "encoding": "lines that are not UTF-8",
    "prefix": "tags that belong to no scheme",
    "mixed": "tags or files in another scheme",
    "scheme": "layers whose tags look like mistyped ones of a scheme",
    "transition": "invalid tag transitions",
    "control": "control characters in tokens",
    "empty": "tokens without a visible character",
    "space": "white space in tokens",
    "mojibake": "tokens decoded with the wrong encoding",
    "id": "duplicate sentence ids",
    "leak": "sentences that also occur in another split",
    "near_leak": "sentences that occur in another split with other case or digits",
    "group": "documents or groups in two splits",
    "contradiction": "the same sentence with different labels",
    "ambiguous": "the same words as entities of different types",
    "unseen_type": "types that train lacks",
    "rare_type": "types that are rare in train",
    "long_entity": "very long entities",
    "long_sentence": "very long sentences",
    "invisible": "invisible characters in tokens",
    "unseen_words": "words that train lacks",
}


def print_diagnosis(diagnosis: Diagnosis) -> None:
    """Print a diagnosis, without colour; places are never cut or wrapped."""
    for split, files in diagnosis.files.items():
        for path, encoding in files.items():
            _say(f"{split}: {path} ({encoding})")
    for note in diagnosis.notes:
        _say(note)
    _say(*table_lines(_sizes(diagnosis)))
    for layer, scheme in {**dict.fromkeys(_layers(diagnosis)), **diagnosis.schemes}.items():
        _say("", *table_lines(_layer(diagnosis, layer, scheme)))
    for pair, counts in diagnosis.overlaps.items():
        later, earlier = pair.split(" in ")
        alike = f"{counts['leak']} unchanged, {counts['near_leak']} with other case or digits"
        _say(f"sentences of {later} that also occur in {earlier}: {alike}")
    _print_findings("errors", diagnosis.errors, diagnosis.error_counts, ERRORS_SHOWN)
    _print_findings("warnings", diagnosis.warnings, diagnosis.warning_counts, WARNINGS_SHOWN)
    total = sum(diagnosis.error_counts.values()), sum(diagnosis.warning_counts.values())
    _say(f"\n{counted(total[0], 'error')}, {counted(total[1], 'warning')}")


def _say(*lines: str) -> None:
    print(*map(visible, lines), sep="\n")


def _sizes(diagnosis: Diagnosis) -> Iterator[Sequence[str]]:
    """Return the rows of the table of splits."""
    yield "", "documents", "sentences", "tokens", "types", "longest"
    for split, counts in diagnosis.splits.items():
        numbers = (counts.documents, counts.sentences, counts.tokens, counts.types, counts.longest)
        yield split, *map(str, numbers)


def _layers(diagnosis: Diagnosis) -> list[str]:
    return list(dict.fromkeys(name for counts in diagnosis.splits.values() for name in counts.labels))


def _layer(diagnosis: Diagnosis, layer: str, scheme: str | None) -> Iterator[Sequence[str]]:
    """Return the rows of a table that says how often each type, tag or label of a layer occurs in each split."""
    parts = {
        split: Counter((counts.entities if scheme else counts.labels).get(layer, {}))
        for split, counts in diagnosis.splits.items()
    }
    total: Counter[str] = sum(parts.values(), Counter())
    yield visible(f"{layer} ({scheme.upper()})" if scheme else layer), *parts
    for name, _ in total.most_common(ROWS_SHOWN):
        yield visible(name), *(str(part[name]) for part in parts.values())
    if len(total) > ROWS_SHOWN:
        rest = [sum(part[name] for name, _ in total.most_common()[ROWS_SHOWN:]) for part in parts.values()]
        yield f"({len(total) - ROWS_SHOWN} more)", *map(str, rest)
    yield "all", *(str(part.total()) for part in parts.values())


def _print_findings(title: str, findings: Sequence[Finding], counts: Mapping[str, int], shown: int) -> None:
    """Print the first findings of each kind, and how many there are."""
    for kind, count in counts.items():
        _say(f"\n{title}: {TITLES[kind]}: {count}")
        first = [finding for finding in findings if finding.kind == kind][:shown]
        _say(*(f"  {finding}" for finding in first))
        if count > len(first):
            _say(f"  ... and {count - len(first)} more")
