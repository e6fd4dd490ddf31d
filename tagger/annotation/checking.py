"""What a new project is given: types of entities, and gold sentences to score the model on."""

from collections.abc import Sequence
from dataclasses import replace

from tagger.annotation.judgements import LAYER, SCHEME
from tagger.errors import DataError
from tagger.text.gaps import known_spans
from tagger.text.schemes import spans_to_tags
from tagger.text.sentence import Sentence, TagLayer
from tagger.wording import quoted, shorten

LONGEST_TYPE = 50  # characters


def checked_types(types: Sequence[str]) -> list[str]:
    """Return the types of a project.

    Raises:
        DataError: There is none, two are the same, or one cannot be part of a tag.
    """
    found = [name.strip() for name in types]
    wrong = [name for name in found if not name or len(name) > LONGEST_TYPE or any(map(str.isspace, name))]
    if not found or wrong or len({*found}) < len(found):
        raise DataError(
            f"--types: expected different names without white space, such as PER,ORG, got {shorten(','.join(types))}"
        )
    return found


def gold_of(sentences: Sequence[Sentence], types: Sequence[str]) -> list[Sentence]:
    """Return sentences with the entities of these types alone.

    Raises:
        DataError: They have no layer of entities, or several, or no entity of these types.
    """
    layers = {
        name for s in sentences for name, layer in s.layers.items() if isinstance(layer, TagLayer) and layer.scheme
    }
    if not sentences:
        return []
    if len(layers) != 1:
        raise DataError(f"--dev: expected one layer of entities, got {quoted(sorted(layers)) or 'none'}")
    (name,) = layers
    found = [_only(sentence, name, types) for sentence in sentences if name in sentence.layers]
    if not any(sentence.spans(LAYER) for sentence in found):
        kinds = sorted({span.type for s in sentences if name in s.layers for span in s.spans(name)})
        raise DataError(f"--dev: expected entities of the types {quoted(types)}, got {quoted(kinds) or 'none'}")
    return found


def _only(sentence: Sentence, layer: str, types: Sequence[str]) -> Sentence:
    gold = sentence.tag_layer(layer)
    assert gold.scheme is not None
    if None in gold.tags:
        return replace(sentence, layers={LAYER: TagLayer(sentence.tags(layer, scheme=SCHEME), SCHEME, SCHEME)})
    spans = [span for span in known_spans(gold.tags, gold.scheme) if span.type in types]
    tags = spans_to_tags(spans, len(sentence), SCHEME)
    return replace(sentence, layers={LAYER: TagLayer(tuple(tags), SCHEME, SCHEME, unaligned=gold.unaligned)})
