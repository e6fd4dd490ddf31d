"""Tagged sentences on standard output: for people, as columns, or as JSON lines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TextIO

from tagger.data.columns import conll_lines
from tagger.data.jsonl import sentence_to_json
from tagger.data.sentence import Label, Sentence, TagLayer


def write_sentences(
    sentences: Iterable[Sentence],
    format: Literal["text", "conll", "jsonl"],
    layers: Sequence[str],
    stream: TextIO,
    *,
    flush: bool = False,
) -> None:
    """Write sentences as they come; `flush` shows each at once."""
    for sentence in sentences:
        match format:
            case "text":
                lines = text_lines(sentence)
            case "jsonl":
                lines = iter([json.dumps(sentence_to_json(sentence), ensure_ascii=False)])
            case "conll":
                tags = [layer for layer in layers if isinstance(sentence.layers.get(layer), TagLayer)]
                lines = conll_lines([sentence], tags)
        stream.writelines(f"{line}\n" for line in lines)
        if flush:
            stream.flush()


def text_lines(sentence: Sentence) -> Iterator[str]:
    """The text, then a line a layer: entities with their type, words with their tag, labels with their probability."""
    yield sentence.text
    width = max((len(name) for name in sentence.layers), default=0)
    for name, layer in sentence.layers.items():
        if isinstance(layer, Label):
            found = f"{layer.value} ({layer.score:.2f})" if layer.score is not None else layer.value
        elif layer.scheme is None:
            found = " ".join(f"{token}/{tag}" for token, tag in zip(sentence.tokens, layer.tags, strict=True))
        else:
            found = ", ".join(_entity(sentence, name)) or "-"
        yield f"  {name:{width}}  {found}"


def _entity(sentence: Sentence, layer: str) -> Iterator[str]:
    for span in sentence.spans(layer):
        score = "" if span.score is None else f" ({span.score:.2f})"
        yield f"[{sentence.text[span.start_char : span.end_char]}] {span.type}{score}"
