"""spaCy's `DocBin` (`.spacy`): the binary files that spaCy trains on. spaCy is imported only here, when it is needed.

Read are the tokens of each document, its entities (`ents`) as the layer `ner`, each group of spans as a layer of its
own name, and the class in `cats` as the label `label`. Written are the same: the first layer as `ents`, others as
groups of spans.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tagger.config import ReadingConfig
from tagger.errors import DataError, MissingExtraError
from tagger.files.reading import read_bytes
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.standoff.sentences import LAYER, check_scheme
from tagger.formats.tally import Tally
from tagger.formats.tools.annotated import Annotated, Translation
from tagger.formats.tools.classes import class_of_cats
from tagger.formats.tools.layers import Found, annotated_texts
from tagger.formats.tools.writing import grouped_texts, labels_of
from tagger.text.sentence import Sentence
from tagger.wording import quoted, shorten

BROKEN = (zlib.error, struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)


def is_docbin(path: Path) -> bool:
    """Whether a path is a file with the suffix of a DocBin."""
    return path.suffix == ".spacy" and path.is_file()


def read_docbin(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of the documents of a file; their positions are the numbers of the documents.

    Raises:
        DataError: The file cannot be read, or the scheme is none for character spans.
        MissingExtraError: spaCy is not installed.
    """
    check_scheme(config, source.where)
    if source.path is None:
        raise DataError(f"{source.where}: a DocBin is read from a file; name one (.spacy)")
    how = Translation(config=config, tally=tally)
    found = [_found(doc, number, source.where, how) for number, doc in enumerate(_docs(source), 1)]
    yield from annotated_texts(found, config, tally, faults, where=source.where)


def _docs(source: Source) -> list[Any]:
    """Return the documents of a file.

    Raises:
        DataError: It is no DocBin.
    """
    tokens, vocabulary = _spacy()
    assert source.path is not None
    data = read_bytes(source.path)
    try:
        return list(tokens.DocBin().from_bytes(data).get_docs(vocabulary.Vocab()))
    except BROKEN as error:
        reason = shorten(str(error)) if str(error) else type(error).__name__
        raise DataError(f"{source.where}: must be a DocBin of spaCy 3, but it cannot be read ({reason})") from None


def _spacy() -> tuple[Any, Any]:
    """Return the modules of spaCy that are needed.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import spacy.tokens
        import spacy.vocab
    except ImportError:
        raise MissingExtraError("a DocBin needs spaCy, which is not installed; run pip install spacy") from None
    return spacy.tokens, spacy.vocab


def _found(doc: Any, number: int, where: str, how: Translation) -> Found:
    place = f"{where}:{number}"
    try:
        return Found(number, place, _annotated(doc, how, place))
    except DataError as error:
        return Found(number, place, error)


def _annotated(doc: Any, how: Translation, place: str) -> Annotated:
    """Return the text of a document with its entities, groups of spans and class."""
    groups = {name: [_span(span) for span in doc.spans[name]] for name in doc.spans}
    has_entities = doc.has_annotation("ENT_IOB") or not (groups or doc.cats)
    spans = {LAYER: [_span(span) for span in doc.ents]} if has_entities else {}
    label = class_of_cats(dict(doc.cats), "cats", how, place) if doc.cats else None
    return Annotated(
        text=doc.text,
        spans={**spans, **groups},
        named=True,
        labels={} if label is None else {"label": label},
        tokens=[(token.idx, token.idx + len(token)) for token in doc if token.text.strip()],
    )


def _span(span: Any) -> list[Any]:
    return [span.start_char, span.end_char, span.label_]


def docbin_parts(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes of a file with a document for each text.

    Raises:
        DataError: A text has several labels.
        MissingExtraError: spaCy is not installed.
    """
    tokens, vocabulary = _spacy()
    texts = list(grouped_texts(sentences))
    classes = sorted({label for label in map(_label, texts) if label is not None})
    vocab = vocabulary.Vocab()
    docs = [_doc(members, layers, classes, tokens, vocab) for members in texts]
    yield tokens.DocBin(docs=docs, store_user_data=True).to_bytes()


def _label(members: Sequence[Sentence]) -> str | None:
    """Return the label of a text, if it has one.

    Raises:
        DataError: It has several.
    """
    found = labels_of(members)
    if len(found) > 1:
        raise DataError(f"a document of a DocBin holds one label, got {quoted(found)}; drop the others")
    return next(iter(found.values()), None)


def _doc(members: Sequence[Sentence], layers: Sequence[str], classes: Sequence[str], tokens: Any, vocab: Any) -> Any:
    """Return the document of the sentences of a text."""
    words, spaces, starts = _words(members)
    doc = tokens.Doc(vocab, words=words, spaces=spaces, sent_starts=starts)
    for number, layer in enumerate(layers):
        found = [span for sentence in members for span in sentence.spans(layer)]
        spans = [doc.char_span(s.start_char, s.end_char, label=s.type, alignment_mode="expand") for s in found]
        if number == 0:
            doc.set_ents(spans)
        else:
            doc.spans[layer] = spans
    label = _label(members)
    doc.cats = {} if label is None else {name: float(name == label) for name in classes}
    return doc


def _words(members: Sequence[Sentence]) -> tuple[list[str], list[bool], list[bool]]:
    """Return the words of a document, whether a blank follows each, and whether each opens a sentence.

    What is between tokens and more than a blank is a word of its own, as spaCy has it.
    """
    text, end = members[0].text, 0
    words: list[str] = []
    spaces: list[bool] = []
    starts: list[bool] = []

    def fill(gap: str) -> None:
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
            starts.append(False)

    for sentence in members:
        for number, (first, last) in enumerate(sentence.offsets):
            if first < end:  # one word of the text is several tokens
                continue
            fill(text[end:first])
            words.append(text[first:last])
            spaces.append(False)
            starts.append(number == 0)
            end = last
    fill(text[end:])
    return words, spaces, starts
