"""The table of dialects: how a record of each is recognised, by its keys, and what it says.

A new dialect is a row here and a function that yields `Annotated` texts for one record.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from tagger.formats.tools.annotated import Annotated, Translation, one_class
from tagger.formats.tools.classes import class_of_cats, has_cats, has_choices, has_class_list, translate_class
from tagger.formats.tools.corpora import (
    is_cluener,
    is_dataturks,
    is_rasa,
    translate_cluener,
    translate_dataturks,
    translate_rasa,
)
from tagger.formats.tools.keyed import KEYS, has_empty_list, has_spans, translate_keyed
from tagger.formats.tools.label_studio import is_task, translate_task
from tagger.formats.tools.spans import lists
from tagger.formats.tools.tokens import (
    is_dygie,
    is_gliner,
    is_spacy_2,
    is_spert,
    translate_dygie,
    translate_gliner,
    translate_spacy_2,
    translate_spert,
)
from tagger.text.records import is_result

Record = Mapping[str, Any]


class Dialect(NamedTuple):
    """A row of the table.

    Args:
        name: What a note calls it.
        is_record: Whether a record is of this dialect.
        translate: Yields what a record says.
        is_sure: Whether one record shows it; otherwise other records of the file may show another dialect.
    """

    name: str
    is_record: Callable[[Record], bool]
    translate: Callable[[Record, Translation, str], Iterator[Annotated]]
    is_sure: bool = True


KEYED = Dialect("character spans", has_spans, translate_keyed)
DIALECTS = (
    Dialect("Label Studio", is_task, translate_task),
    Dialect("DataTurks", is_dataturks, translate_dataturks),
    Dialect("CLUENER", is_cluener, translate_cluener),
    Dialect("Rasa", is_rasa, translate_rasa),
    Dialect("GLiNER", is_gliner, translate_gliner),
    Dialect("SpERT", is_spert, translate_spert),
    Dialect("DyGIE", is_dygie, translate_dygie),
    Dialect("spaCy 2", is_spacy_2, translate_spacy_2),
    KEYED,
    Dialect(
        "Prodigy's choices", has_choices, partial(translate_class, keys=("accept",), find=one_class), is_sure=False
    ),
    Dialect("spaCy's cats", has_cats, partial(translate_class, keys=("cats",), find=class_of_cats), is_sure=False),
    Dialect(
        "doccano's classes",
        has_class_list,
        partial(translate_class, keys=("label", "labels"), find=one_class),
        is_sure=False,
    ),
    KEYED._replace(is_record=has_empty_list, is_sure=False),
)


def dialect_of(records: Iterable[Any]) -> Dialect | None:
    """Return the dialect of a file, as its first record shows that is clearly of one; None for sentences of tokens."""
    possible: set[int] = set()
    for record in records:
        if not isinstance(record, dict):
            continue
        if is_result(record):
            return None
        number = next((i for i, dialect in enumerate(DIALECTS) if dialect.is_record(record)), None)
        if number is not None and DIALECTS[number].is_sure and not (_has_tokens(record) and DIALECTS[number] is KEYED):
            return DIALECTS[number]
        if _has_tokens(record):
            return None
        possible |= set() if number is None else {number}
    return DIALECTS[min(possible)] if possible else None


def _has_tokens(record: Record) -> bool:
    """Whether a record is a sentence of tokens, or has tables of layers as `tagger tag` writes them."""
    return lists(record.get("tokens"), str) or any(isinstance(record.get(key), dict) for key in ("tags", *KEYS))
