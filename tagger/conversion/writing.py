"""Write sentences to a file in any format that can be written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tagger.errors import DataError
from tagger.files.writing import replaced
from tagger.formats.table import FORMATS, WRITABLE, written
from tagger.text.document import Document
from tagger.text.sentence import Layer, Sentence, TagLayer, numbers_as_text


def write_sentences(
    path: str | Path,
    sentences: Iterable[Sentence | Document],
    *,
    format: str = "jsonl",
    layers: Sequence[str] | None = None,
) -> None:
    """Write sentences, or those of documents, to a file; if that fails, the file stays as it was.

    What the format cannot hold, such as probabilities in columns, is not written.

    Args:
        path: The file; what it held before is replaced.
        sentences: Any iterable, such as the result of `Tagger.stream` or `Tagger.tag_documents`; it is not held in
            memory.
        format: A format that can be written: `jsonl`, `conll`, `conllu`, `csv`, `text`, `doccano`,
            `docbin`, `labelstudio` or `spacy`.
        layers: The layers to write, for `conll` in the order of the columns. Default: all layers of the first sentence.

    Raises:
        DataError: A sentence lacks a layer, the format cannot hold the layers, or the file cannot be written.
    """
    row = FORMATS.get(format)
    if row is None or format not in WRITABLE:
        raise ValueError(f"format must be one of {', '.join(WRITABLE)}, got {format!r}")
    rest: Iterator[Sentence] = chain.from_iterable(map(_sentences_of, sentences))
    if "numbers" not in row.holds:
        rest = map(numbers_as_text, rest)
    first = next(rest, None)
    names = tuple(layers if layers is not None else first.layers if first else ())
    tags = [name for name in names if first and isinstance(first.layers.get(name), TagLayer)]
    if row.single and len(tags) > 1:
        raise DataError(f"{path}: {format} holds one layer of tags, got {', '.join(tags)}; choose one with `layers`")
    kept = _with_layers(chain([first] if first else [], rest), names, first.layers if first else {})
    with replaced(Path(path)) as stream:
        for part in written(format, kept, tags):
            stream.write(part)


def _sentences_of(item: Sentence | Document) -> Iterable[Sentence]:
    """Return the sentences of a document, which carry its id and the labels of its whole text; or the sentence."""
    if isinstance(item, Sentence):
        return [item]
    name = None if item.id is None else str(item.id)
    if not item.sentences:
        return [Sentence((), item.text, (), document=name)]
    return [replace(s, document=name or s.document, layers={**s.layers, **item.labels}) for s in item.sentences]


def _with_layers(
    sentences: Iterable[Sentence], names: Sequence[str], layers: Mapping[str, Layer]
) -> Iterator[Sentence]:
    """Yield the sentences with these layers only; one without tokens has empty tags like those of `layers`."""
    kinds = {name: layers[name] for name in names if name in layers}
    empty = {name: TagLayer((), kind.scheme, kind.shown) for name, kind in kinds.items() if isinstance(kind, TagLayer)}
    for number, sentence in enumerate(sentences):
        if not sentence.tokens:
            yield replace(sentence, layers=empty)
            continue
        if missing := [name for name in names if name not in sentence.layers]:
            found = ", ".join(sentence.layers) or "none"
            raise DataError(f"sentence {number} must have the layer `{missing[0]}`; its layers are: {found}")
        yield replace(sentence, layers={name: sentence.layers[name] for name in names})
