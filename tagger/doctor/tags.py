"""Check tags against their scheme, file by file: unknown prefixes, other schemes, invalid transitions.

The scheme of a layer is the one that the fewest pairs of adjacent tags violate, so a few invalid tags among many do not
change it. For valid files it is the scheme that training detects. An empty tag (of an invalid line) or an unknown tag
counts as one error, not also as an invalid transition.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from tagger.corpus.checking import said_of_scheme
from tagger.corpus.doubts import says_header
from tagger.doctor.findings import Findings
from tagger.text.gaps import Tags
from tagger.text.schemes import (
    UNKNOWN,
    Scheme,
    describe,
    goes_on,
    has_scheme,
    invalid_positions,
    is_legal,
    is_tag,
    lenient_spans,
)
from tagger.text.sentence import Sentence, TagLayer, place_of
from tagger.text.tag_survey import (
    ORDER,
    Pairs,
    best_scheme,
    num_faults,
    pairs_of,
    said_of_rival,
    speaks_against,
    tags_in,
)

MIXED = 3  # sentences, at least, that make a mixture of schemes
MIXED_SHARE = 0.1  # and at least this share of the file
PREFIXES = "BIESLU"
BROKEN = re.compile(r"[^\W\d_]-\w*")  # a mistyped tag of a scheme: `B-`, `b-per`, `X-Y`


def tags_of(sentence: Sentence, layer: str) -> tuple[str | None, ...]:
    """Return the tags of a layer as in the file, None where one is unknown; no tags if the sentence lacks the layer."""
    found = sentence.layers.get(layer)
    return found.tags if isinstance(found, TagLayer) else ()


def count_pairs(sentences: Iterable[Sentence], layer: str) -> Pairs:
    """Return how often each tag follows each other; None is the edge of a sentence."""
    return pairs_of(tags_of(sentence, layer) for sentence in sentences)


def choose_scheme(pairs: Pairs) -> Scheme | None:
    """Return the scheme of these tags; None if they have none."""
    tags = tags_in(pairs)
    if not has_scheme(tags) and not _looks_prefixed(tags):
        return None
    return best_scheme(pairs)


def _looks_prefixed(tags: set[str]) -> bool:
    """Whether most tags other than `O` are a letter, a hyphen and a type, and there is an `O` or a valid tag."""
    others = tags - {"O"}
    known = "O" in tags or any(map(_is_any_tag, others))
    return known and 0 < len(others) < 2 * sum(tag[1:2] == "-" and len(tag) > 2 for tag in others)


@cache
def _is_any_tag(tag: str) -> bool:
    """Whether a tag is valid in any scheme."""
    return any(is_tag(tag, scheme) for scheme in ORDER)


def _well_formed(tags: Tags) -> list[str]:
    """Return the tags with `O` for each that no scheme has, so that `PER` or `B-` add no entity type."""
    return [tag if tag is not None and _is_any_tag(tag) else "O" for tag in tags]


def check_tags(
    files: Mapping[str, Sequence[Sentence]], layer: str, errors: Findings, notes: list[str], *, scheme: Scheme | None
) -> Scheme | None:
    """Return the scheme of a layer, given or detected, with a note on it, and add errors for all tags that violate it.

    A file that is entirely in another scheme than the corpus is one error, of the kind `mixed`.
    """
    pairs = {path: count_pairs(sentences, layer) for path, sentences in files.items()}
    total: Pairs = sum(pairs.values(), Counter())
    own = choose_scheme(total)
    if own is None and not (scheme and any(after == "O" for _, after in total)):
        return None
    scheme = scheme or own
    assert scheme is not None
    notes.append(said_of_scheme(layer, scheme, tags_in(total)) + said_of_rival(total, scheme))
    for path, found in pairs.items():
        wrong = {pair for pair in found if speaks_against(pair, scheme)}
        if not wrong:
            continue
        if other := _whole_in_another(found, scheme):
            message = f"reads as {other.upper()} in layer `{layer}`, but the corpus is {scheme.upper()}; convert it"
            errors.add("mixed", f"{path}:1", message, layer=layer, scheme=scheme, found=other)
            continue
        faulty = [s for s in files[path] if not wrong.isdisjoint(count_pairs([s], layer))]
        for sentence in faulty:
            _check_sentence(sentence, layer, scheme, errors)
        _check_mixture(faulty, len(files[path]), layer, scheme, errors)
    return scheme


def check_untagged(sentences: Iterable[Sentence], layer: str, warnings: Findings) -> None:
    """Warn about a layer without a scheme whose tags look like mistyped ones: `B-`, `b-per`, or `B` and `O`."""
    first: dict[str, str] = {}
    for sentence in sentences:
        for i, tag in enumerate(tags_of(sentence, layer)):
            if tag and tag not in first:
                first[tag] = place_of(sentence, i)
    others = first.keys() - {"O"}
    bare = {tag for tag in others if tag in PREFIXES}
    broken = bare | {tag for tag in others if BROKEN.fullmatch(tag)}
    several = len(broken) > 1 and broken != bare and 2 * len(broken) > len(others)
    if not broken or not (several or (broken == others and "O" in first)):
        return
    shown = [tag for tag in first if tag in broken]
    message = (
        f"layer `{layer}` is read as tags without entities, but {', '.join(map(repr, shown[:5]))} look like mistyped "
        "tags of a scheme, such as B-PER; fix them if they are entities"
    )
    warnings.add("scheme", first[shown[0]], message, layer=layer, tags=shown)


def _check_mixture(faulty: Sequence[Sentence], total: int, layer: str, scheme: Scheme, errors: Findings) -> None:
    """Add an error if many sentences of a file are in another scheme and valid in it."""
    for other in ORDER if len(faulty) >= max(MIXED, total * MIXED_SHARE) else ():
        whole = [s for s in faulty if other != scheme and not num_faults(count_pairs([s], layer), other)]
        if len(whole) >= max(MIXED, total * MIXED_SHARE):
            message = (
                f"{len(whole)} sentences from here on are {other.upper()} in layer `{layer}`, not {scheme.upper()}"
            )
            errors.add("mixed", place_of(whole[0]), message, layer=layer, scheme=scheme, found=other)
            return


def _whole_in_another(pairs: Pairs, scheme: Scheme) -> Scheme | None:
    """Return another scheme in which a file has no fault, if at least half of its entities have one in `scheme`.

    Files with very few entities are not judged.
    """
    entities = sum(n for (a, b), n in pairs.items() if b not in (None, "O", UNKNOWN) and not goes_on(a, b))
    if entities < MIXED or num_faults(pairs, scheme) * 2 < entities:
        return None
    return next((other for other in ORDER if other != scheme and not num_faults(pairs, other)), None)


def _check_sentence(sentence: Sentence, layer: str, scheme: Scheme, errors: Findings) -> None:
    """Add errors for the tags of a sentence that are not in the scheme, and for invalid transitions."""
    tags = tags_of(sentence, layer)
    strange = {i: tag for i, tag in enumerate(tags) if tag is not None and not is_tag(tag, scheme)}
    for i, tag in strange.items():
        if tag:  # otherwise the line is invalid, which was reported already
            others = [other for other in ORDER if is_tag(tag, other)]
            kind, advice = ("mixed", f"it is {others[0].upper()}; use one scheme") if others else ("prefix", "fix it")
            advice += says_header(sentence, i, tag, options=True)
            message = f"tag {tag!r} is not a valid {describe(scheme)}; {advice}"
            errors.add(kind, place_of(sentence, i), message, layer=layer, tag=tag, token=sentence.tokens[i])
    for i in invalid_positions(tags, scheme):
        if {i - 1, i} & strange.keys():
            continue
        before = tags[i - 1] if i else None
        where = f"after {before!r}" if before else "at the start of a sentence"
        if is_legal(UNKNOWN if i and before is None else before, tags[i], scheme):
            where = "at the end of a sentence"
        entity = _entity_at(sentence, tags, i if tags[i] != "O" else i - 1)
        message = f"tag {tags[i]!r} {where} is not valid {scheme.upper()} in layer `{layer}`; it damages {entity}"
        values = {"layer": layer, "tag": tags[i], "before": before, "token": sentence.tokens[i], "entity": entity}
        errors.add("transition", place_of(sentence, i), message, **values)


def _entity_at(sentence: Sentence, tags: Tags, token: int) -> str:
    """Return type and words of the entity that conlleval's rule finds at a token."""
    for span in lenient_spans(_well_formed(tags)):
        if span.start <= token < span.end:
            return f"{span.type} {' '.join(sentence.tokens[span.start : span.end])!r}"
    return repr(sentence.tokens[token])


def entities_of(sentence: Sentence, layer: str) -> Iterator[tuple[str, int, int]]:
    """Yield type and range of each entity by conlleval's rule, which agrees with the scheme if the tags are valid.

    A tag that no scheme has is not part of an entity.
    """
    tags = tags_of(sentence, layer)
    if any(tag != "O" for tag in tags):
        yield from lenient_spans(_well_formed(tags))
