"""Sentences of tokens with entities as ranges of tokens, which may be nested.

- GLiNER: `{"tokenized_text": [...], "ner": [[first, last, type]]}`;
- SpERT: `{"tokens": [...], "entities": [{"type", "start", "end"}]}`, where `end` is the token after the last;
- DyGIE: `{"doc_key": ..., "sentences": [[...]], "ner": [[[first, last, type]]]}`, where tokens are counted in the
  whole document;
- spaCy 2: `{"paragraphs": [{"sentences": [{"tokens": [{"orth", "ner"}]}], "cats": [{"label", "value"}]}]}`, with BILUO
  tags.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tagger.errors import DataError
from tagger.formats.tools.annotated import Annotated, Translation, filled, joined, shown
from tagger.formats.tools.classes import class_of_cats
from tagger.formats.tools.corpora import behind
from tagger.formats.tools.spans import lists
from tagger.text.schemes import is_tag, tags_to_spans

LAYER = "ner"


def is_gliner(row: Mapping[str, Any]) -> bool:
    """Whether a record is of GLiNER."""
    return lists(row.get("tokenized_text"), str) and isinstance(row.get("ner"), list)


def is_spert(row: Mapping[str, Any]) -> bool:
    """Whether a record is of SpERT."""
    entities = row.get("entities")
    return lists(row.get("tokens"), str) and lists(entities, dict) and all("type" in e for e in entities or () if e)


def is_dygie(row: Mapping[str, Any]) -> bool:
    """Whether a record is a document of DyGIE."""
    return lists(row.get("sentences"), list) and isinstance(row.get("ner"), list)


def is_spacy_2(row: Mapping[str, Any]) -> bool:
    """Whether a record is a document of spaCy 2."""
    return lists(row.get("paragraphs"), dict)


def translate_gliner(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the sentence of a record."""
    spans = _triples(row.get("ner"), "ner")
    yield _sentence(row.get("tokenized_text"), spans, _others(row, "tokenized_text", "ner"))


def translate_spert(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the sentence of a record; relations are ignored."""
    entities = row.get("entities")
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise DataError(f"`entities` must be a list of objects with `type`, `start` and `end`, got {shown(entities)}")
    spans = [(entity.get("start"), entity.get("end"), entity.get("type")) for entity in entities]
    yield _sentence(row.get("tokens"), spans, _others(row, "tokens", "entities"))


def translate_dygie(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the sentences of a document."""
    sentences, found = row.get("sentences"), row.get("ner")
    if not isinstance(sentences, list) or not isinstance(found, list) or len(sentences) != len(found):
        raise DataError("`ner` must be a list of the entities of each of the `sentences`, got another number of lists")
    document, first = str(row.get("doc_key", place)), 0
    others = _others(row, "sentences", "ner", "doc_key")
    for tokens, entities in zip(sentences, found, strict=True):
        spans = [(_minus(start, first), _minus(end, first), type_) for start, end, type_ in _triples(entities, "ner")]
        yield _sentence(tokens, spans, others, document=document)
        first += len(tokens)


def _minus(place: Any, first: int) -> Any:
    """Return a place of the document in its sentence."""
    return place - first if type(place) is int else place


def _triples(spans: Any, key: str) -> list[tuple[Any, Any, Any]]:
    """Return spans whose end is their last token, as start, end and type."""
    if not isinstance(spans, list) or not all(isinstance(span, list) and len(span) >= 3 for span in spans):
        raise DataError(f"`{key}` must be a list of [first, last, type], got {shown(spans)}")
    return [(span[0], behind(span[1]), span[2]) for span in spans]


def _others(row: Mapping[str, Any], *read: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in read}


def _sentence(
    tokens: Any,
    spans: Sequence[tuple[Any, Any, Any]],
    others: Mapping[str, Any],
    *,
    document: str | None = None,
    spaces: Sequence[Any] = (),
    labels: Mapping[str, str] | None = None,
) -> Annotated:
    """Return the tokens of a sentence as a text, with its entities as character spans."""
    text, offsets = joined(tokens, spaces)
    for span in spans:
        start, end, _ = span
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(offsets):
            raise DataError(f"an entity must be a range of the {len(offsets)} tokens with a type, got {shown(span)}")
    return Annotated(
        text=text,
        spans={LAYER: [[offsets[start][0], offsets[end - 1][1], type_] for start, end, type_ in spans]},
        labels=labels or {},
        others=others,
        tokens=offsets,
        whole=True,
        document=document,
        ignored=filled(others, without=()),
    )


def translate_spacy_2(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the sentences of a document."""
    paragraphs = row.get("paragraphs")
    if not isinstance(paragraphs, list):
        raise DataError(f"`paragraphs` must be a list, got {shown(paragraphs)}")
    others = _others(row, "paragraphs")
    for paragraph in paragraphs:
        match paragraph:
            case {"sentences": [*sentences]}:
                label = _cats_of(paragraph.get("cats"), len(sentences), how, place)
                for sentence in sentences:
                    yield _tagged(sentence, others, str(row.get("id", place)), label)
            case _:
                raise DataError(f"a paragraph must have `sentences`, got {shown(paragraph)}")


def _cats_of(cats: Any, num_sentences: int, how: Translation, place: str) -> dict[str, str]:
    """Return the class of a paragraph of one sentence; none if it has no classes."""
    match cats:
        case [*values] if values and num_sentences == 1 and all(isinstance(value, dict) for value in values):
            found = {str(value.get("label")): value.get("value") for value in values}
            label = class_of_cats(found, "cats", how, place)
            return {} if label is None else {"label": label}
    return {}


def _tagged(sentence: Any, others: Mapping[str, Any], document: str, labels: Mapping[str, str]) -> Annotated:
    """Return a sentence whose tokens have BILUO tags; `-` is a tag that is unknown."""
    tokens = sentence.get("tokens") if isinstance(sentence, dict) else None
    if not isinstance(tokens, list) or not all(isinstance(token, dict) for token in tokens):
        raise DataError(f"a sentence must have `tokens`, which are objects, got {shown(sentence)}")
    tags = [token.get("ner", "O") for token in tokens]
    if not all(isinstance(tag, str) and is_tag(tag, "bilou") for tag in tags):
        wrong = next(tag for tag in tags if not (isinstance(tag, str) and is_tag(tag, "bilou")))
        raise DataError(f"`ner` of a token must be a BILUO tag, such as U-PER or O, got {shown(wrong)}")
    spans = [(start, end, type_) for type_, start, end in tags_to_spans(tags, "bilou")]
    words = [token.get("orth") for token in tokens]
    return _sentence(words, spans, others, document=document, labels=labels)
