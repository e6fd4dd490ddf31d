"""Carry predicted layers over to the tokens and sentences of gold, where a prediction has others.

A predicted entity keeps its characters. If tokens of one gold sentence express it, it gets their tags; otherwise it
stays beside the tags (`TagLayer.unaligned`), and scores count it as predicted. A tag without spans stays on a token
with the same characters; a gold token that the prediction does not have gets the tag `NO_TOKEN`. A label stays on a
sentence with the same characters.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate

from tagger.alignment.blocks import Measure, Range
from tagger.errors import DataError
from tagger.text.schemes import Boundary, Scheme, invalid_positions, spans_to_tags
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, Unaligned, Values, place_of
from tagger.wording import counted

NO_TOKEN = "(no such token)"


class Text:
    """Sentences with the ranges of their tokens in the visible characters of all of them.

    Args:
        sentences: The sentences of one side of a block.
        measure: That of the block.
    """

    def __init__(self, sentences: Sequence[Sentence], measure: Callable[[Sentence], Measure]) -> None:
        self.sentences = sentences
        measures = [measure(sentence) for sentence in sentences]
        starts = list(accumulate((len(each.chars) for each in measures), initial=0))
        self.size = starts[-1]
        self.ranges = [[(s + a, s + b) for a, b in each.ranges] for each, s in zip(measures, starts, strict=False)]
        visible = [
            (pair, (n, i)) for n, part in enumerate(self.ranges) for i, pair in enumerate(part) if len({*pair}) > 1
        ]
        self.starts = {start: token for (start, _), token in reversed(visible)}  # the first token of one word
        self.ends = {end: token for (_, end), token in visible}  # and the last

    def range(self, number: int, span: Boundary) -> Range:
        """Return the visible characters of tokens of a sentence."""
        return self.ranges[number][span.start][0], self.ranges[number][span.end - 1][1]

    def char(self, number: int, offset: int) -> int | None:
        """Return how many visible characters precede an offset in the text of a sentence; None if it is elsewhere."""
        text = self.sentences[number].text
        for sentence, ranges in zip(self.sentences[number:], self.ranges[number:], strict=True):
            for (start, end), (first, last) in zip(sentence.offsets, ranges, strict=True):
                if sentence.text == text and start <= offset <= end:
                    return min(last, first + len("".join(text[start:offset].split())))
        return None

    def offset(self, char: int) -> tuple[int, int]:
        """Return the sentence of a visible character, and its place in the text of this sentence."""
        found = ((n, i, pair) for n, part in enumerate(self.ranges) for i, pair in enumerate(part))
        number, i, (first, _) = next(each for each in found if each[2][0] <= char < each[2][1])
        start, end = self.sentences[number].offsets[i]
        visible = [k for k in range(start, end) if not self.sentences[number].text[k].isspace()]
        return number, visible[min(char - first, len(visible) - 1)]


def carried_layers(name: str, target: Text, source: Text, counts: Counter[str]) -> Sequence[Layer | None]:
    """Return a predicted layer for each gold sentence; None where the prediction does not have it."""
    found = [sentence.layers.get(name) for sentence in source.sentences]
    tagged = [layer for layer in found if isinstance(layer, TagLayer)]
    if any(isinstance(layer, Label) or (isinstance(layer, Values) and layer.whole) for layer in found):
        return _labels(name, target, source)
    if len(tagged) < len(found):
        return [None] * len(target.sentences)
    if all(layer.scheme is None for layer in tagged):
        return _tags(tagged, target, source, counts)
    return _entities(name, tagged, target, source, counts)


def _labels(name: str, target: Text, source: Text) -> Sequence[Layer | None]:
    ours, theirs = target.sentences, source.sentences
    if len(ours) == len(theirs) == 1:
        return [theirs[0].layers[name]]
    if any(name in sentence.layers for sentence in ours):
        raise DataError(
            f"{place_of(ours[0])}: layer `{name}` has one label per sentence, so gold and prediction must have the "
            f"same sentences, got {counted(len(ours), 'sentence')} in gold and {len(theirs)} at {place_of(theirs[0])} "
            "in the prediction; divide its texts as gold does"
        )
    return [None] * len(ours)


def _tags(tagged: Sequence[TagLayer], target: Text, source: Text, counts: Counter[str]) -> list[TagLayer]:
    """Return the tags of tokens that gold has too."""
    at: defaultdict[Range, deque[tuple[str | None, float | None]]] = defaultdict(deque)
    for layer, ranges in zip(tagged, source.ranges, strict=True):
        for pair, tag, score in zip(ranges, layer.tags, layer.scores or [None] * len(layer.tags), strict=True):
            at[pair].append((tag, score))
    layers = []
    for ranges in target.ranges:
        own = [at[pair].popleft() if at[pair] else (NO_TOKEN, None) for pair in ranges]
        counts["absent"] += sum(tag == NO_TOKEN for tag, _ in own)
        scores = tuple([score for _, score in own if score is not None])
        layers.append(TagLayer(tuple([tag for tag, _ in own]), scores=scores if len(scores) == len(own) else None))
    return layers


def _entities(
    name: str, tagged: Sequence[TagLayer], target: Text, source: Text, counts: Counter[str]
) -> list[TagLayer]:
    """Return the entities that tokens of one gold sentence express as tags, and the others beside them.

    Of several on the same tokens, one that gold has too gets the tags, so that each counts as what it is.
    """
    kept: list[dict[Boundary, float | None]] = [{} for _ in target.sentences]
    beside: list[dict[Unaligned, None]] = [{} for _ in target.sentences]
    taken: set[tuple[int, int]] = set()
    wanted = {(span.type, target.range(n, span)) for n, span in _gold(name, target)}
    found = [each for number, layer in enumerate(tagged) for each in _found(name, number, layer, source)]
    counts["invalid"] += sum(bool(layer.scheme and invalid_positions(layer.tags, layer.scheme)) for layer in tagged)
    for number, entity, pair, score in sorted(found, key=lambda each: (each[1].type, each[2]) not in wanted):
        first, last = (target.starts.get(pair[0]), target.ends.get(pair[1])) if pair else (None, None)
        covered = _between(first, last)
        if first is not None and covered and not covered & taken:
            taken |= covered
            kept[first[0]][Boundary(entity.type, first[1], first[1] + len(covered))] = score
        else:
            counts["unfit"] += 1
            where, moved = beside_tags(entity, number, target, source)
            beside[where][moved] = None
    scheme = next(layer.scheme for layer in tagged if layer.scheme is not None)
    parts = zip(target.sentences, kept, beside, strict=True)
    return [_layer(sentence, spans, tuple(others), scheme) for sentence, spans, others in parts]


def _gold(name: str, target: Text) -> Iterator[tuple[int, Boundary]]:
    """Yield the gold entities of a layer, each with the number of its sentence."""
    for number, sentence in enumerate(target.sentences):
        layer = sentence.layers.get(name)
        if isinstance(layer, TagLayer) and layer.scheme is not None:
            yield from ((number, span) for span in sentence.boundaries(name))


def _found(
    name: str, number: int, layer: TagLayer, source: Text
) -> Iterator[tuple[int, Unaligned, Range | None, float | None]]:
    """Yield each entity of a predicted sentence, its visible characters and its probability; those of tags first."""
    sentence = source.sentences[number]
    for span in sentence.spans(name) if layer.scheme is not None else ():
        pair = source.range(number, Boundary(span.type, span.start, span.end))
        yield number, Unaligned(span.type, span.start_char, span.end_char), pair, span.score
    for entity in layer.unaligned:
        start, end = source.char(number, entity.start_char), source.char(number, entity.end_char)
        yield number, entity, None if start is None or end is None else (start, end), None


def _between(first: tuple[int, int] | None, last: tuple[int, int] | None) -> set[tuple[int, int]]:
    """Return the tokens from the first to the last, each with the number of its sentence; none across sentences."""
    if first is None or last is None or first[0] != last[0]:
        return set()
    return {(first[0], i) for i in range(first[1], last[1] + 1)}


def beside_tags(entity: Unaligned, number: int, target: Text, source: Text) -> tuple[int, Unaligned]:
    """Return an entity of a predicted sentence in the text of the gold sentence in which it begins, and its number.

    Where the texts differ, an entity that ends after the block has the end of the sentence.
    """
    start, end = source.char(number, entity.start_char), source.char(number, entity.end_char)
    where, first = target.offset(min(start or 0, target.size - 1))
    text = target.sentences[where].text
    if text == source.sentences[number].text:
        return where, entity
    last_in, last = target.offset(min(end or target.size, target.size) - 1)
    same = target.sentences[last_in].text == text
    return where, Unaligned(entity.type, first, last + 1 if same else len(text))


def _layer(
    sentence: Sentence, spans: Mapping[Boundary, float | None], others: tuple[Unaligned, ...], scheme: Scheme
) -> TagLayer:
    """Return the layer of a gold sentence with these entities, and with probabilities if all have one."""
    ordered = sorted(spans.items(), key=lambda item: item[0].start)
    scored = tuple([(span, score) for span, score in ordered if score is not None])
    return TagLayer(
        tuple(spans_to_tags(spans, len(sentence), scheme)),
        scheme,
        scored_spans=scored if len(scored) == len(spans) else None,
        unaligned=others,
    )
