"""Sentences as the lines of a column file, which are read back unchanged, or refused."""

import re
from collections.abc import Iterable, Iterator, Sequence

from tagger.errors import DataError
from tagger.formats.columns.fields import DOCUMENT, NEWDOC, Marks, is_document, split_fields
from tagger.text.sentence import Label, Sentence

BREAKS = re.compile(r"[\n\r\0]")


def conll_lines(sentences: Iterable[Sentence], layers: Sequence[str], *, document: str | None = None) -> Iterator[str]:
    """Yield the lines of a column file: the token, then one column for each tag layer, separated by tabs.

    Comments and labels (as `# layer = value`) come before their sentence, a blank line after it. A sentence without
    tokens is a blank line. An unknown tag is written as `?`. A document begins with a line `-DOCSTART-`, unless a
    comment `newdoc` of its first sentence says so.

    Args:
        sentences: The sentences.
        layers: Their tag layers, in the order of the columns.
        document: The document of the sentence before the first.

    Raises:
        DataError: A token, tag or comment would not be read back unchanged, or a sentence lacks a layer.
    """
    marks = Marks()
    for sentence in sentences:
        opened, document = sentence.document != document, sentence.document
        if opened and not NEWDOC & sentence.meta.keys():  # else its comment opens it
            yield from ("\t".join([DOCUMENT] + ["O"] * len(layers)), "")
        labels = {name: layer.value for name, layer in sentence.layers.items() if isinstance(layer, Label)}
        for key, value in {**sentence.meta, **labels}.items() if sentence.tokens else ():
            yield _comment_line(key, value, num_columns=1 + len(layers))
        columns = [marks.written(layer, sentence.tags(layer)) for layer in layers]
        for i, fields in enumerate(zip(sentence.tokens, *columns, strict=True)):
            for name, value in zip(("token", *layers), fields, strict=True):
                if problem := _unwritable(name, value, alone=not layers):
                    raise DataError(f"{sentence.origin.at(i)}: {problem}" if sentence.origin else problem)
            yield "\t".join(fields)
        yield ""


def _comment_line(key: str, value: str, *, num_columns: int) -> str:
    """Return the line of a comment, which must not look like a token line."""
    line = f"# {key} = {value}" if value else f"# {key}"
    fields = split_fields(line, tabs=num_columns > 1)
    if BREAKS.search(line) or len(fields) == num_columns:
        raise DataError(
            f"comment {line!r} must have no line break, and not as many fields as a token, to be written in columns"
        )
    return line


def _unwritable(name: str, value: str, *, alone: bool) -> str | None:
    """Return why a token or tag would not be read back unchanged; `alone` on its line, it must have no blank in it."""
    if "\0" in value:
        return f"{name} {value!r} must have no control character to be written in columns, got a zero byte; remove it"
    broken = BREAKS.search(value) or "\t" in value or (alone and " " in value)
    if name != "token" and value.strip() and value != value.strip():
        return f"{name} {value!r} must have no blank at its ends to be written in columns"
    blank = not value.strip() and (alone or name != "token")
    if broken or blank or (name == "token" and is_document(value)):
        return (
            f"{name} {value!r} must have no tab, no line break{' and no blank' if alone else ''}, not start with "
            f"{DOCUMENT}{'' if name == 'token' and not alone else ' and not be empty'} to be written in columns"
        )
    return None
