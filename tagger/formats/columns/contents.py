"""What each column of a file holds, as its header or its values show: tokens, numbers, tags, or nothing of use."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from tagger.formats.columns.fields import HALF, MOST, SCHEME_TAG, Sample, is_word_number
from tagger.formats.columns.header import GENERIC, KINDS, plain_name, role_of
from tagger.text.spellings import spelling_of

MAX_TAGS = 1000
RAGGED = 0.02  # share of lines with further columns that are no mistakes
FEW = 5  # lines with further columns that may be mistakes
CHUNKS = {"NP", "VP", "PP", "ADJP", "ADVP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
BRACKET = re.compile(r"(?:\([^()*|]+)?\*\)?|\([^()*|]+\)")  # a value of a column with brackets, none inside another
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
DIGIT = re.compile(r"[0-9]")
SENTENCE_END = "EndOfSentence"
CONLL2009 = ("index", "token", "_", "_", "pos", *["_"] * 9, "...")
CONLL2012 = ("document", "_", "index", "token", "pos", *["_"] * 5, "ner", "...")


def detect_columns(sample: Sample) -> tuple[str, ...]:
    """Return what each column holds: a name of `RESERVED`, or names for those with tags.

    A header names the columns. Otherwise a column whose values are tags of a scheme is `chunk` or `ner`, the next
    `ner2`. Of the others the one with the most distinct values is the token, unless they are ids or places: nearly all
    have a digit. Where there is no scheme, the last is `tags`.
    """
    known = _known_layout(sample)
    if known is not None:
        return known
    rows, further = _alike(sample.rows or [[""]])
    columns = list(zip(*rows, strict=True))
    names = _from_header(sample, columns) or _from_values(sample, columns)
    return (*names, *["..."] * further)


def is_bracketed(values: Sequence[str]) -> bool:
    """Whether the values of a column are entities in brackets, such as `(PERSON*`, `*` and `*)`."""
    return any("*" in value for value in values) and all(BRACKET.fullmatch(value.strip()) for value in values)


def is_ragged(sample: Sample) -> bool:
    """Whether lines differ in columns behind those that hold something."""
    return _known_layout(sample) is not None or _alike(sample.rows)[1]


def _known_layout(sample: Sample) -> tuple[str, ...] | None:
    """Return the columns of the shared tasks of 2009 and 2012, whose lines have one column for each predicate."""
    rows = sample.rows
    widths = {len(row) for row in rows}
    if not rows or min(widths) < 11:
        return None
    brackets = is_bracketed([row[10] for row in rows]) and all("*" in row[5] for row in rows)
    if brackets and all(row[2].isdecimal() for row in rows):
        return CONLL2012
    heads = min(widths) >= 14 and all(row[0].isdecimal() and row[8].isdecimal() for row in rows)
    return CONLL2009 if heads and all(row[12] in ("_", "Y") for row in rows) else None


def _alike(rows: Sequence[Sequence[str]]) -> tuple[list[Sequence[str]], bool]:
    """Return the rows of the most frequent width, and whether many others have further columns, which are cut off."""
    widths = Counter(map(len, rows))
    width = max(widths, key=lambda found: widths[found], default=0)
    further = {
        found: count for found, count in widths.items() if found > width and count > max(FEW, RAGGED * len(rows))
    }
    if width < 2 or not further or sum(further.values()) + widths[width] < MOST * len(rows):
        return [row for row in rows if len(row) == width], False
    return [row[:width] for row in rows if len(row) >= width], True


def _from_header(sample: Sample, columns: Sequence[Sequence[str]]) -> list[str]:
    """Return the names that a header gives the columns; none without a column of tokens."""
    header = sample.header
    roles = [role_of(field) for field in header]
    if len(header) != len(columns) or "token" not in roles:
        return []
    names: list[str] = []
    for field, role, values in zip(header, roles, columns, strict=True):
        layer = _layer_of_header(plain_name(field), values) if role is None else role
        name = "_" if role is not None and role in names else layer
        names.append(name if name == "_" or name not in names else _next_name(name, names))
    return names


def _layer_of_header(name: str, values: Sequence[str]) -> str:
    """Return the layer of a column with this name; `_` if its values are no tags."""
    if any(SENTENCE_END in value.split("|") for value in values):
        return "sentence_end"
    if is_scheme(values):
        return "ner" if name in GENERIC or KINDS.sub("", name) == "ner" else name
    distinct = set(values)
    empty = distinct <= {"_", "-", ""} or "" in {value.strip() for value in distinct}
    if empty or len(distinct) > MAX_TAGS or all(map(NUMBER.fullmatch, distinct)) or name in ("misc", "lemma", "feats"):
        return "_"
    return "tags" if name in GENERIC else KINDS.sub("", name)


def _from_values(sample: Sample, columns: Sequence[Sequence[str]]) -> list[str]:
    """Return names of columns by their values."""
    width = len(columns)
    names = ["_"] * width
    for i, role in _numbers(sample, columns).items():
        names[i] = role
    numeric = [i for i in range(width) if names[i] != "_" or (width > 2 and _counts(columns[i]))]
    tags = [i for i in range(width) if i not in numeric and width > 1 and is_scheme(columns[i])]
    left = [i for i in range(width) if i not in (*numeric, *tags)] or [0]
    ids = [i for i in left if width > 2 and _share(DIGIT.search, columns[i]) >= MOST]
    token = max([i for i in left if i not in ids] or left, key=lambda i: (len(set(columns[i])), -i))
    last = next((i for i in reversed(left) if i not in ids or not _differ(columns[i])), token)
    if not tags and last != token and set(columns[last]) != {"_"} and len(set(columns[last])) <= MAX_TAGS:
        names[last] = "tags"
    for i in tags:
        name = "chunk" if _is_chunk(columns[i]) and "chunk" not in names and len(tags) > 1 else "ner"
        names[i] = name if name not in names else _next_name(name, names)
    names[token] = "token"
    return names


def _next_name(name: str, names: Sequence[str]) -> str:
    """Return the name with the first number from 2 on that no other has."""
    return next(f"{name}{i}" for i in range(2, len(names) + 3) if f"{name}{i}" not in names)


def is_scheme(values: Sequence[str]) -> bool:
    """Whether most values are tags of entities, in any spelling."""
    if _share(SCHEME_TAG.fullmatch, values) > HALF or is_bracketed(values):
        return True
    return spelling_of(Counter(value.strip() for value in values)) is not None


def _is_chunk(values: Sequence[str]) -> bool:
    """Whether the types of tags are those of phrases."""
    types = {value.strip()[2:] for value in values} - {""}
    return bool(types & CHUNKS) and (types <= CHUNKS or len(types & CHUNKS) > 2)


def _numbers(sample: Sample, columns: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return which columns number tokens or sentences, and which hold where a token starts and ends."""
    width = len(columns)
    found: dict[int, str] = {}
    if width > 1 and _share(is_word_number, columns[0]) >= MOST:
        found[0] = "index"
    if width < 3:
        return found
    whole = [i for i in range(width) if all(value.isdecimal() and len(value) < 10 for value in columns[i])]
    separate = not all(map(str.strip, sample.lines))
    for i in whole:
        numbers = list(map(int, columns[i]))
        rises = all(before <= after for before, after in pairwise(numbers))
        if i == 0 and rises and len(set(numbers)) < len(numbers) and not separate:
            found[i] = "sentence"
        elif i + 1 in whole and i not in found and _are_offsets(columns, i):
            found[i], found[i + 1] = "start", "end"
    return found


def _counts(values: Sequence[str]) -> bool:
    """Whether values are numbers, most of which differ, so that they are no classes."""
    return _differ(values) and all(map(NUMBER.fullmatch, values))


def _differ(values: Sequence[str]) -> bool:
    """Whether values differ more than those of classes."""
    return len(set(values)) * 4 > len(values)


def _are_offsets(columns: Sequence[Sequence[str]], start: int) -> bool:
    """Whether two columns are where the words of another column start and end."""
    lengths = [int(e) - int(s) for s, e in zip(columns[start], columns[start + 1], strict=True)]
    others = (column for i, column in enumerate(columns) if i not in (start, start + 1))
    return any(all(len(word) == n for word, n in zip(column, lengths, strict=True)) for column in others)


def _share(test: Callable[[str], object], values: Sequence[str]) -> float:
    """Return the share of values that pass a test."""
    return sum(bool(test(value)) for value in values) / len(values) if values else 0.0
