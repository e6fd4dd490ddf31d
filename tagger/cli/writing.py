"""Write tagged sentences to standard output: for people, as columns, or as JSON lines."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

from tagger.formats.columns.conll import conll_lines
from tagger.formats.jsonl import sentence_to_json
from tagger.text.choices import StreamFormat
from tagger.text.sentence import Label, Sentence, TagLayer


def write_sentences(
    sentences: Iterable[Sentence],
    format: StreamFormat,
    layers: Sequence[str],
    stream: TextIO,
    *,
    waits: Callable[[], bool],
) -> None:
    """Write each sentence as soon as it is tagged, whole or not at all.

    Args:
        sentences: The tagged sentences.
        format: The format to write.
        layers: The layers of the model.
        stream: The output.
        waits: Whether the input waits for its next line; what is written is flushed then.
    """
    document = None
    for sentence in sentences:
        match format:
            case "text":
                lines = list(text_lines(sentence))
            case "jsonl":
                lines = [json.dumps(sentence_to_json(sentence), ensure_ascii=False)]
            case "conll":
                tags = [layer for layer in layers if isinstance(sentence.layers.get(layer), TagLayer)]
                lines = list(conll_lines([sentence], tags, document=document))
                document = sentence.document
        stream.writelines(f"{line}\n" for line in lines)
        if waits():
            stream.flush()


def text_lines(sentence: Sentence) -> Iterator[str]:
    """Yield the text, then one line per layer: entities with type, words with tag, labels with probability.

    The readings of a layer, if any, follow it with the probability of the whole sequence. A sentence without tokens is
    its text alone.
    """
    yield sentence.text
    if not sentence.tokens:
        return
    width = max((len(name) for name in sentence.layers), default=0)
    for name, layer in sentence.layers.items():
        if isinstance(layer, Label):
            yield f"  {name:{width}}  {layer.value}{_shown(layer.score)}"
            continue
        yield f"  {name:{width}}  {_tags(sentence, name)}"
        for reading in sentence.readings(name):
            yield f"  {'':{width}}  {reading.sequence_score(name):8.4f}  {_tags(reading, name)}"


def _tags(sentence: Sentence, layer: str) -> str:
    if sentence.tag_layer(layer).scheme is None:
        return " ".join(f"{token}/{tag}" for token, tag in zip(sentence.tokens, sentence.tags(layer), strict=True))
    spans = sentence.spans(layer)
    found = (f"[{sentence.text[s.start_char : s.end_char]}] {s.type}{_shown(s.score)}" for s in spans)
    return ", ".join(found) or "-"


def _shown(score: float | None) -> str:
    return "" if score is None else f" ({score:.2f})"
