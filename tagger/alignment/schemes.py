"""The scheme of the tags of a prediction, beside that of gold."""

from collections.abc import Sequence

from tagger.text.schemes import Scheme, is_tag
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.tag_survey import Pairs, best_scheme, num_faults, pairs_of, tags_in


def scheme_of_prediction(pairs: Pairs, gold: Scheme) -> Scheme:
    """Return the scheme of predicted tags: that of gold, unless they clearly are in another.

    They are if their prefixes are not those of gold's scheme, or if they have few faults in another scheme and many in
    that of gold. Faults alone do not show it: `I-` at the start of entities is IOB1 or invalid IOB2.
    """
    tags = tags_in(pairs) - {"O"}
    best = best_scheme(pairs)
    if not all(is_tag(tag, gold) for tag in tags):
        return best
    begins = any(tag[0] in "BSU" for tag in tags)
    allowed = 0 if {gold, best} == {"iob1", "iob2"} else num_faults(pairs, gold) // 2 - 1
    return best if begins and num_faults(pairs, best) <= allowed < num_faults(pairs, gold) else gold


def tag_pairs(sentences: Sequence[Sentence], name: str) -> Pairs | None:
    """Return how often tags of a layer follow each other; None if no sentence has it as a tag layer."""
    layers = [layer for sentence in sentences if isinstance(layer := sentence.layers.get(name), TagLayer)]
    return pairs_of(layer.tags for layer in layers) if layers else None
