"""Entity spans written as tags, and back: IOB1, IOB2, BIOES, BILOU and IO.

A scheme is a row of a table; every question (may this tag follow that one? where are the entities? is this sequence
valid?) is answered from the row. Reading is strict: a piece that the scheme does not allow is no entity. `repair_tags`
reads leniently and writes what it read properly. Files, models and scores are the business of others.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

Scheme = Literal["iob1", "iob2", "bioes", "bilou", "io"]


class Boundary(NamedTuple):
    """An entity as token positions: its type and the half-open range `[start, end)`."""

    type: str
    start: int
    end: int


class Rules(NamedTuple):
    """Which prefixes a scheme has and what each of them asks of its neighbours."""

    prefixes: str
    opening: str  # an entity may begin with these wherever it stands
    dividing: str  # an entity begins with these only right behind another of the same type
    unfinished: str  # the entity must go on after these
    last: str  # the entity never goes on after these
    single: str  # how an entity of one token is written
    final: str  # how the last token of a longer entity is written


RULES: dict[Scheme, Rules] = {
    "iob1": Rules(prefixes="IB", opening="I", dividing="B", unfinished="", last="", single="I", final="I"),
    "iob2": Rules(prefixes="BI", opening="B", dividing="", unfinished="", last="", single="B", final="I"),
    "bioes": Rules(prefixes="BIES", opening="BS", dividing="", unfinished="BI", last="ES", single="S", final="E"),
    "bilou": Rules(prefixes="BILU", opening="BU", dividing="", unfinished="BI", last="LU", single="U", final="L"),
    "io": Rules(prefixes="I", opening="I", dividing="", unfinished="", last="", single="I", final="I"),
}
STARTING = "BSU"  # in every scheme these begin an entity and never continue one
CLOSING = "ESLU"  # in every scheme these end one


def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and entity type of a tag; both are empty for `O`."""
    return ("", "") if tag == "O" else (tag[:1], tag[2:])


def is_tag(tag: str, scheme: Scheme) -> bool:
    """Whether a tag is `O` or a prefix of the scheme, a hyphen and a type."""
    return tag == "O" or (len(tag) > 2 and tag[1] == "-" and tag[0] in RULES[scheme].prefixes)


def describe(scheme: Scheme) -> str:
    """The tags of a scheme as a reader of an error message wants them: `IOB2 tag (B-, I-, O)`."""
    return f"{scheme.upper()} tag ({', '.join(f'{prefix}-' for prefix in RULES[scheme].prefixes)}, O)"


def can_divide(scheme: Scheme) -> bool:
    """Whether the scheme can say that two entities of one type stand side by side; IO cannot."""
    rules = RULES[scheme]
    return bool(rules.dividing) or set(rules.opening) <= set(STARTING)


def is_legal(before: str | None, after: str | None, scheme: Scheme) -> bool:
    """Whether tag `after` may follow tag `before`; None stands for the edge of the sentence."""
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
    """What a scheme allows among these tags: the table `[from][to]`, which may come first and which may come last."""
    table = [[is_legal(before, after, scheme) for after in tags] for before in tags]
    return table, [is_legal(None, tag, scheme) for tag in tags], [is_legal(tag, None, scheme) for tag in tags]


def invalid_positions(tags: Sequence[str], scheme: Scheme) -> list[int]:
    """Positions whose tag may not follow the tag before it; the last position if the sentence may not end there."""
    found = [i for i, tag in enumerate(tags) if not is_legal(tags[i - 1] if i else None, tag, scheme)]
    if tags and not is_legal(tags[-1], None, scheme) and found[-1:] != [len(tags) - 1]:
        found.append(len(tags) - 1)
    return found


def lenient_spans(tags: Sequence[str]) -> list[Boundary]:
    """Entities by conlleval's rule, in any scheme: a change of type and a prefix that begins both begin an entity."""
    spans: list[Boundary] = []
    start, before, before_type = 0, "", ""
    for i, tag in enumerate((*tags, "O")):
        prefix, entity_type = split_tag(tag)
        begins = prefix in STARTING or entity_type != before_type or (before != "" and before in CLOSING)
        if before and (not prefix or begins):
            spans.append(Boundary(before_type, start, i))
        if prefix and (not before or begins):
            start = i
        before, before_type = prefix, entity_type
    return spans


def tags_to_spans(tags: Sequence[str], scheme: Scheme) -> list[Boundary]:
    """Entities that stand in `tags` exactly as the scheme writes them; any other piece is no entity.

    Source:
        Agrees with seqeval's strict mode, but for tags that are not valid IOB1: there seqeval takes an `I-X` behind a
        `B-X` that divides nothing, and misses a `B-X` right before a `B-Y`. Compared in tests/text/test_schemes.py.
    """
    rules = RULES[scheme]
    spans = []
    for span in lenient_spans(tags):
        first, last = tags[span.start][0], tags[span.end - 1][0]
        well_begun = first in rules.opening or (
            first in rules.dividing and span.start > 0 and split_tag(tags[span.start - 1])[1] == span.type
        )
        inside = all(is_legal(tags[i - 1], tags[i], scheme) for i in range(span.start + 1, span.end))
        if well_begun and inside and last not in rules.unfinished:
            spans.append(span)
    return spans


def spans_to_tags(spans: Iterable[Boundary], length: int, scheme: Scheme) -> list[str]:
    """The tags of a sentence of `length` tokens whose entities are `spans`.

    Raises:
        ValueError: A span is empty, lies outside the sentence or overlaps another, or the scheme cannot tell it from
            the one before it; `merge_touching` makes one of such.
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
    """Mark each entity that stands right behind another of its type."""
    ends = {(span.type, span.end) for span in spans}
    for span in spans:
        if (span.type, span.start) in ends:
            tags[span.start] = f"{prefix}-{span.type}"


def merge_touching(spans: Iterable[Boundary]) -> list[Boundary]:
    """The spans in order, those of one type that stand side by side made one."""
    merged: list[Boundary] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and (merged[-1].type, merged[-1].end) == (span.type, span.start):
            merged[-1] = merged[-1]._replace(end=span.end)
        else:
            merged.append(span)
    return merged


def convert_tags(tags: Sequence[str], source: Scheme, target: Scheme) -> list[str]:
    """The same entities in another scheme; tags of an equal scheme come back as they are."""
    return list(tags) if source == target else spans_to_tags(tags_to_spans(tags, source), len(tags), target)


def repair_tags(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """The tags that the scheme has for what conlleval reads in `tags`; valid tags come back unchanged."""
    return spans_to_tags(lenient_spans(tags), len(tags), scheme)


def has_scheme(tags: Iterable[str]) -> bool:
    """Whether a layer looks like entities: it has an `O` or nothing else than prefixed tags, and one of those."""
    distinct = set(tags)
    prefixed = {tag for tag in distinct if len(tag) > 2 and tag[1] == "-" and tag[0] in "BIESLU"}
    return distinct == {"O"} or (bool(prefixed) and ("O" in distinct or prefixed == distinct))


def detect_scheme(sequences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme that these tag sequences are written in.

    `E-`, `S-`, `L-` and `U-` decide at once. With `B-` and `I-` alone it is IOB1 if an entity begins with `I-` and no
    `B-` stands where IOB1 does not write one; else IOB2. Without any `B-` it is IOB1, which is IOB2's wrong twin: the
    caller says so.
    """
    return detect_scheme_of_pairs(pair for tags in sequences for pair in pairwise(("O", *tags)))


def detect_scheme_of_pairs(pairs: Iterable[tuple[str, str]]) -> Scheme:
    """What `detect_scheme` says, from each tag and the one before it; a sentence begins behind an `O`."""
    distinct = {(before, tag) for before, tag in pairs if tag != "O"}
    prefixes = {tag[0] for _, tag in distinct}
    if prefixes & {"L", "U"}:
        return "bilou"
    if prefixes & {"E", "S"}:
        return "bioes"
    outside_iob2 = any(not is_legal(before, tag, "iob2") for before, tag in distinct)
    outside_iob1 = any(not is_legal(before, tag, "iob1") for before, tag in distinct)
    return "iob1" if outside_iob2 and not outside_iob1 else "iob2"


def goes_on(before: str | None, after: str | None) -> bool:
    """Whether the entity of tag `before` goes on in tag `after`, in any scheme, legally or not."""
    left, left_type = split_tag(before or "O")
    right, right_type = split_tag(after or "O")
    return bool(left and right) and left_type == right_type and right not in STARTING and left not in CLOSING


def touches(before: str, after: str) -> bool:
    """Whether tag `after` begins an entity right behind another of its type, in any scheme."""
    return before != "O" != after and split_tag(before)[1] == split_tag(after)[1] and not goes_on(before, after)


class SpanTables(NamedTuple):
    """How a scheme writes entities, as tables over some tags; the index behind the last tag is a sentence's edge.

    `own` has the positions of the tags of each type; `types` the type of each tag, -1 for `O`. An entity begins with
    tag `b` behind tag `a` where `begins[a][b]`, goes on where `continues[a][b]`, and ends at `a` where `closes[a][b]`.
    """

    own: list[list[int]]
    types: list[int]
    begins: list[list[bool]]
    continues: list[list[bool]]
    closes: list[list[bool]]


def span_tables(tags: Sequence[str], scheme: Scheme) -> SpanTables:
    """What `tags_to_spans` reads, as tables for those who compute with all tag sequences at once."""
    rules = RULES[scheme]
    edged = [*tags, None]
    types = sorted({split_tag(tag)[1] for tag in tags} - {""})

    def begins(before: str | None, tag: str) -> bool:
        prefix, entity_type = split_tag(tag)
        fresh = bool(prefix) and prefix in rules.opening and not goes_on(before, tag)
        return fresh or (bool(prefix) and prefix in rules.dividing and split_tag(before or "O")[1] == entity_type)

    def closes(tag: str, after: str | None) -> bool:
        prefix = split_tag(tag)[0]
        return bool(prefix) and prefix not in rules.unfinished and not goes_on(tag, after)

    return SpanTables(
        [[i for i, tag in enumerate(tags) if split_tag(tag)[1] == entity_type] for entity_type in types],
        [types.index(split_tag(tag)[1]) if tag != "O" else -1 for tag in tags],
        [[begins(before, tag) for tag in tags] for before in edged],
        [[goes_on(a, b) and is_legal(a, b, scheme) for b in tags] for a in tags],
        [[closes(tag, after) for after in edged] for tag in tags],
    )
