"""Convert entity spans to tags and back: IOB1, IOB2, BIOES, BILOU and IO.

A scheme is a row of a table. Every question (may this tag follow that one? where are the entities? is this sequence
valid?) is answered from the row. Reading is strict: tags that the scheme does not allow form no entity. `repair_tags`
reads leniently instead and writes the result as valid tags.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

Scheme = Literal["iob1", "iob2", "bioes", "bilou", "io"]


class Boundary(NamedTuple):
    """An entity as token positions: its type and the half-open range `[start, end)`."""

    type: str
    start: int
    end: int


class Rules(NamedTuple):
    """The prefixes of a scheme and the conditions that each sets for its neighbours."""

    prefixes: str
    opening: str  # an entity may begin with these anywhere
    dividing: str  # an entity begins with these only directly after another of the same type
    unfinished: str  # the entity must continue after these
    last: str  # the entity never continues after these
    single: str  # how an entity of one token is written
    final: str  # how the last token of a longer entity is written


RULES: dict[Scheme, Rules] = {
    "iob1": Rules(prefixes="IB", opening="I", dividing="B", unfinished="", last="", single="I", final="I"),
    "iob2": Rules(prefixes="BI", opening="B", dividing="", unfinished="", last="", single="B", final="I"),
    "bioes": Rules(prefixes="BIES", opening="BS", dividing="", unfinished="BI", last="ES", single="S", final="E"),
    "bilou": Rules(prefixes="BILU", opening="BU", dividing="", unfinished="BI", last="LU", single="U", final="L"),
    "io": Rules(prefixes="I", opening="I", dividing="", unfinished="", last="", single="I", final="I"),
}
UNKNOWN = "\0"  # an unknown tag in pairs of tags, where None is the edge of a sentence
STARTING = "BSU"  # in every scheme these begin an entity and never continue one
CLOSING = "ESLU"  # in every scheme these end one


def split_tag(tag: str) -> tuple[str, str]:
    """Return the prefix and the entity type of a tag; both are empty for `O`."""
    return ("", "") if tag == "O" else (tag[:1], tag[2:])


def is_tag(tag: str, scheme: Scheme) -> bool:
    """Whether a tag is `O` or a prefix of the scheme, a hyphen and a type."""
    return tag == "O" or (len(tag) > 2 and tag[1] == "-" and tag[0] in RULES[scheme].prefixes)


def tags_of_types(types: Iterable[str], scheme: Scheme) -> list[str]:
    """Return `O` and every tag of a scheme for each type, type by type."""
    return ["O", *(f"{prefix}-{entity_type}" for entity_type in types for prefix in RULES[scheme].prefixes)]


def describe(scheme: Scheme) -> str:
    """Return the tags of a scheme for an error message: `IOB2 tag (B-, I-, O)`."""
    return f"{scheme.upper()} tag ({', '.join(f'{prefix}-' for prefix in RULES[scheme].prefixes)}, O)"


def can_divide(scheme: Scheme) -> bool:
    """Whether the scheme can separate two adjacent entities of the same type; IO cannot."""
    rules = RULES[scheme]
    return bool(rules.dividing) or set(rules.opening) <= set(STARTING)


def is_legal(before: str | None, after: str | None, scheme: Scheme) -> bool:
    """Whether tag `after` may follow tag `before`; None means the edge of the sentence, `UNKNOWN` any tag."""
    if UNKNOWN in (before, after):
        return True
    rules = RULES[scheme]
    left, left_type = split_tag(before or "O")
    right, right_type = split_tag(after or "O")
    same = left_type == right_type
    if left and left in rules.unfinished:
        return bool(right) and same and right not in rules.opening
    if not right or right in rules.opening:
        return True
    return bool(left) and same and left not in rules.last


def legal_transitions(tags: Sequence[str], scheme: Scheme) -> tuple[list[list[bool]], list[bool], list[bool]]:
    """Return which of these tags may follow which, `[from][to]`, which may come first, and which may come last."""
    table = _of_pairs(lambda before, after: is_legal(before, after, scheme), tags, tags)
    return table, [is_legal(None, tag, scheme) for tag in tags], [is_legal(tag, None, scheme) for tag in tags]


def _of_pairs(
    rule: Callable[[str | None, str | None], bool], rows: Sequence[str | None], columns: Sequence[str | None]
) -> list[list[bool]]:
    """Return `rule(row, column)` for all tags and the edge (None), `[row][column]`.

    A rule depends only on the prefixes and on whether the types are equal. So rows of one prefix are copies of a row
    whose type no column has, apart from the columns of their own type. With many types this saves nearly all calls.
    """
    columns_of: dict[str, list[int]] = defaultdict(list)
    for i, column in enumerate(columns):
        columns_of[split_tag(column or "O")[1]].append(i)
    unlike: dict[str, list[bool]] = {}
    table = []
    for row in rows:
        prefix, entity_type = split_tag(row or "O")
        if prefix not in unlike:
            other = f"{prefix}-{''.join(columns_of)}!" if prefix else None
            unlike[prefix] = [rule(other, column) for column in columns]
        table.append(unlike[prefix].copy())
        for i in columns_of[entity_type]:
            table[-1][i] = rule(row, columns[i])
    return table


def invalid_positions(tags: Sequence[str | None], scheme: Scheme) -> list[int]:
    """Return the positions of tags that may not follow the tag before them, and of a last tag that may not be last.

    Any tag may stand beside an unknown one (None).
    """
    tags = [UNKNOWN if tag is None else tag for tag in tags]
    found = [i for i, tag in enumerate(tags) if not is_legal(tags[i - 1] if i else None, tag, scheme)]
    if tags and not is_legal(tags[-1], None, scheme) and found[-1:] != [len(tags) - 1]:
        found.append(len(tags) - 1)
    return found


def lenient_spans(tags: Sequence[str]) -> list[Boundary]:
    """Return entities as conlleval reads them, in any scheme: a new type or a beginning prefix begins an entity."""
    spans: list[Boundary] = []
    start, before, before_type = 0, "", ""  # outside entities the prefix before is empty
    for i, tag in enumerate(tags):
        if not before and tag == "O":  # so are most tags
            continue
        prefix, entity_type = split_tag(tag)
        if not prefix or prefix in STARTING or entity_type != before_type or before in CLOSING:
            if before:
                spans.append(Boundary(before_type, start, i))
            start = i
        before, before_type = prefix, entity_type
    if before:
        spans.append(Boundary(before_type, start, len(tags)))
    return spans


def tags_to_spans(tags: Sequence[str], scheme: Scheme) -> list[Boundary]:
    """Return the entities in `tags`; a piece that is not exactly as the scheme writes entities is ignored.

    Source:
        Agrees with seqeval's strict mode, except for tags that are not valid IOB1: there seqeval accepts an `I-X` after
        a `B-X` that separates nothing, and misses a `B-X` directly before a `B-Y`. Compared in
        tests/text/test_schemes.py.
    """
    rules = RULES[scheme]
    spans = []
    for span in lenient_spans(tags):
        first, last = tags[span.start][0], tags[span.end - 1][0]
        valid_start = first in rules.opening or (
            first in rules.dividing and span.start > 0 and split_tag(tags[span.start - 1])[1] == span.type
        )
        inside = all(is_legal(tags[i - 1], tags[i], scheme) for i in range(span.start + 1, span.end))
        if valid_start and inside and last not in rules.unfinished:
            spans.append(span)
    return spans


def spans_to_tags(spans: Iterable[Boundary], length: int, scheme: Scheme) -> list[str]:
    """Return the tags of a sentence of `length` tokens whose entities are `spans`.

    Raises:
        ValueError: A span is empty, outside the sentence or overlaps another, or the scheme cannot separate it from the
            span before it; `merge_touching` merges such spans.
    """
    rules, spans = RULES[scheme], list(spans)
    tags = ["O"] * length
    if not can_divide(scheme) and merge_touching(spans) != sorted(spans, key=lambda span: span.start):
        raise ValueError(f"{scheme.upper()} cannot say that two spans of one type stand side by side: {spans}")
    for entity_type, start, end in spans:
        if not 0 <= start < end <= length or any(tag != "O" for tag in tags[start:end]):
            raise ValueError(f"span {entity_type} [{start}, {end}) is empty, overlaps or exceeds {length} tokens")
        prefixes = rules.single if end - start == 1 else rules.opening[0] + "I" * (end - start - 2) + rules.final
        tags[start:end] = [f"{prefix}-{entity_type}" for prefix in prefixes]
    if rules.dividing:
        _divide(tags, spans, rules.dividing)
    return tags


def _divide(tags: list[str], spans: Sequence[Boundary], prefix: str) -> None:
    """Mark each entity that directly follows another of its type."""
    ends = {(span.type, span.end) for span in spans}
    for span in spans:
        if (span.type, span.start) in ends:
            tags[span.start] = f"{prefix}-{span.type}"


def merge_touching(spans: Iterable[Boundary]) -> list[Boundary]:
    """Return the spans in order, with adjacent spans of the same type merged."""
    merged: list[Boundary] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and (merged[-1].type, merged[-1].end) == (span.type, span.start):
            merged[-1] = merged[-1]._replace(end=span.end)
        else:
            merged.append(span)
    return merged


def convert_tags(tags: Sequence[str], source: Scheme, target: Scheme) -> list[str]:
    """Return tags with the same entities in another scheme; with equal schemes the tags are unchanged."""
    return list(tags) if source == target else spans_to_tags(tags_to_spans(tags, source), len(tags), target)


def repair_tags(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Return valid tags for the entities that conlleval reads in `tags`; valid tags are unchanged."""
    return spans_to_tags(lenient_spans(tags), len(tags), scheme)


def has_scheme(tags: Iterable[str]) -> bool:
    """Whether tags look like entities: at least one has a prefix, and there is an `O` or all have a prefix."""
    distinct = set(tags)
    prefixed = {tag for tag in distinct if len(tag) > 2 and tag[1] == "-" and tag[0] in "BIESLU"}
    return distinct == {"O"} or (bool(prefixed) and ("O" in distinct or prefixed == distinct))


def detect_scheme(pairs: Iterable[tuple[str | None, str | None]]) -> Scheme:
    """Return the scheme of tags, given the pairs of tags that follow each other; None is the edge of a sentence.

    `L-` and `U-` mean BILOU, `E-` and `S-` BIOES. With `B-` and `I-` alone it is IOB1 if an entity begins with `I-` and
    every `B-` is where IOB1 needs one; else IOB2. Without any `B-` it is IOB1, although IOB2 with mistakes looks the
    same: the caller warns about it.
    """
    distinct = {(before, tag) for before, tag in pairs if tag not in (None, "O", UNKNOWN)}
    prefixes = {str(tag)[0] for _, tag in distinct}
    if prefixes & {"L", "U"}:
        return "bilou"
    if prefixes & {"E", "S"}:
        return "bioes"
    outside_iob2 = any(not is_legal(before, tag, "iob2") for before, tag in distinct)
    outside_iob1 = any(not is_legal(before, tag, "iob1") for before, tag in distinct)
    return "iob1" if outside_iob2 and not outside_iob1 else "iob2"


def goes_on(before: str | None, after: str | None) -> bool:
    """Whether the entity of tag `before` continues in tag `after`, in any scheme, valid or not."""
    left, left_type = split_tag(before or "O")
    right, right_type = split_tag(after or "O")
    return bool(left and right) and left_type == right_type and right not in STARTING and left not in CLOSING


def touches(before: str, after: str) -> bool:
    """Whether tag `after` begins an entity directly after another of its type, in any scheme."""
    return before != "O" != after and split_tag(before)[1] == split_tag(after)[1] and not goes_on(before, after)


class SpanTables(NamedTuple):
    """How a scheme writes entities, as tables over tags; the index after the last tag is the edge of a sentence.

    `own` has the indices of the tags of each type; `types` the type of each tag, -1 for `O`. If tag `b` follows tag
    `a`, an entity begins with `b` where `begins[a][b]`, continues where `continues[a][b]`, and ends with `a` where
    `closes[a][b]`.
    """

    own: list[list[int]]
    types: list[int]
    begins: list[list[bool]]
    continues: list[list[bool]]
    closes: list[list[bool]]


def span_types(tags: Iterable[str]) -> list[str]:
    """Return the types of the spans that these tags can form, in order."""
    return sorted({split_tag(tag)[1] for tag in tags} - {""})


def span_tables(tags: Sequence[str], scheme: Scheme) -> SpanTables:
    """Return the rules of `tags_to_spans` as tables, for computations over all tag sequences at once."""
    rules = RULES[scheme]
    edged = [*tags, None]
    types, type_of = span_types(tags), [split_tag(tag)[1] for tag in tags]

    def begins(before: str | None, tag: str | None) -> bool:
        prefix, entity_type = split_tag(tag or "O")
        fresh = bool(prefix) and prefix in rules.opening and not goes_on(before, tag)
        return fresh or (bool(prefix) and prefix in rules.dividing and split_tag(before or "O")[1] == entity_type)

    def continues(tag: str | None, after: str | None) -> bool:
        return goes_on(tag, after) and is_legal(tag, after, scheme)

    def closes(tag: str | None, after: str | None) -> bool:
        prefix = split_tag(tag or "O")[0]
        return bool(prefix) and prefix not in rules.unfinished and not goes_on(tag, after)

    return SpanTables(
        [[i for i, found in enumerate(type_of) if found == entity_type] for entity_type in types],
        [types.index(entity_type) if entity_type else -1 for entity_type in type_of],
        _of_pairs(begins, edged, tags),
        _of_pairs(continues, tags, tags),
        _of_pairs(closes, tags, edged),
    )
