"""Write what was judged to a file in any format that holds entities."""

from dataclasses import replace
from pathlib import Path

from tagger.annotation.judgements import LAYER, SCHEME, holding, tags_of
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import Text, alone
from tagger.conversion.writing import write_sentences
from tagger.errors import DataError
from tagger.formats.table import FORMATS, WRITABLE
from tagger.text.gaps import all_known, filled
from tagger.text.sentence import Sentence, TagLayer
from tagger.wording import counted

EXPORTS = tuple(name for name in WRITABLE if "entities" in FORMATS[name].holds and FORMATS[name].layers is None)
SUFFIXES = {".conll": "conll", ".csv": "csv", ".json": "labelstudio", ".jsonl": "jsonl", ".spacy": "docbin"}


def format_of_name(path: str | Path) -> str:
    """Return the format of a file to write, by its name.

    Raises:
        DataError: The name says none.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}; choose a format with --format")
    return SUFFIXES[suffix]


def export(store: Store, format: str, path: str | Path, *, only_whole: bool = False) -> str:
    """Write the sentences with a judgement to a file, and return in a sentence what was written and what is lost.

    Unknown tokens stay unknown where the format can say so; elsewhere they count as outside entities. Such a format has
    each sentence as a text of its own: in a whole document, sentences that nobody judged would have no entities either.

    Args:
        store: The file of the project.
        format: One of `EXPORTS`.
        path: The file to write.
        only_whole: Whether to write only sentences all of whose tokens are judged.

    Raises:
        DataError: There is no such format, or the file cannot be written.
    """
    if format not in EXPORTS:
        raise DataError(f"the format must be one of {', '.join(EXPORTS)}, got {format}")
    judged = [text.sentence for text in judged_texts(store)]
    whole = [sentence for sentence in judged if all_known(sentence.tag_layer(LAYER).tags)]
    chosen, lost = whole if only_whole else judged, 0
    if "unknown tags" not in FORMATS[format].holds:
        lost = sum(sentence.tag_layer(LAYER).tags.count(None) for sentence in chosen)
        chosen = [alone(_filled(sentence)) for sentence in chosen]
    write_sentences(path, chosen, format=format, layers=[LAYER])
    said = f"{path}: {counted(len(chosen), 'sentence')} written as {format}"
    if only_whole and len(whole) < len(judged):
        said += f"; {counted(len(judged) - len(whole), 'sentence')} left out, because not all tokens are judged"
    if lost:
        said += (
            f"; {counted(lost, 'unknown token')} written as outside entities, because {format} cannot say that a token "
            "is unknown: use jsonl or conll, or --only-whole"
        )
    return said


def judged_texts(store: Store) -> list[Text]:
    """Return each text with a judgement, whose sentence has the tags that are known."""
    by_text = store.judgements.by_text()
    found = []
    for text in store.texts.some(by_text):
        tags = tags_of(holding(by_text[text.id], len(text.sentence)), len(text.sentence))
        sentence = replace(text.sentence, layers={LAYER: TagLayer(tags, SCHEME, SCHEME)})
        found.append(text._replace(sentence=sentence))
    return found


def _filled(sentence: Sentence) -> Sentence:
    layer = sentence.tag_layer(LAYER)
    return replace(sentence, layers={LAYER: replace(layer, tags=tuple(filled(layer.tags)))})
