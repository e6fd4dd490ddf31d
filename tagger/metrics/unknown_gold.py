"""Gold entities of which some are unknown, made ready for scores that count only what is known.

A gold entity counts if it is fully known. A predicted entity does not count if it has a token whose gold entity is not
fully known, or a type that is not annotated: nobody can say whether it is right.
"""

from collections.abc import Collection, Iterable, Sequence

from tagger.text.gaps import is_counted
from tagger.text.schemes import RULES, Boundary, Scheme, lenient_spans, spans_to_tags, split_tag


def known_part(
    known: Iterable[Boundary],
    unclear: Collection[int],
    predicted: Sequence[str],
    scheme: Scheme,
    types: Collection[str] | None,
) -> tuple[list[str], list[str]]:
    """Return gold and predicted tags of a sentence with `O` for all entities that do not count.

    Args:
        known: The gold entities that are fully known.
        unclear: The tokens whose gold entity is not fully known; see `open_tokens`.
        predicted: The predicted tags.
        scheme: The scheme of these and of the result.
        types: The entity types that are annotated; None: all.
    """
    left_out = [span for span in lenient_spans(predicted) if not is_counted(span, unclear, types)]
    return spans_to_tags(known, len(predicted), scheme), without_spans(predicted, left_out, scheme)


def without_spans(tags: Sequence[str], spans: Iterable[Boundary], scheme: Scheme) -> list[str]:
    """Return the tags without these entities."""
    rules, out = RULES[scheme], list(tags)
    for span in spans:
        out[span.start : span.end] = ["O"] * (span.end - span.start)
    for i, tag in enumerate(out) if rules.dividing else ():
        prefix, entity_type = split_tag(tag)
        if i and prefix == rules.dividing and split_tag(tags[i - 1])[1] == entity_type != split_tag(out[i - 1])[1]:
            out[i] = f"{rules.opening[0]}-{entity_type}"  # nothing is left that it would have to be divided from
    return out
