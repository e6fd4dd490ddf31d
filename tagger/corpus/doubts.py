"""Signs that a file was read in another way than it was meant: a header as a row, one endless sentence, odd labels."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tagger.text.schemes import RULES, is_tag
from tagger.text.sentence import Label, Sentence, TagLayer, place_of
from tagger.wording import shorten

FEW = 5  # rows that show that a value is no tag, or that no label comes again
LONG = 200  # tokens
MARKS = {"</s>", "<s>", "<eos>", "[eos]", "<bos>", "[bos]", "[sep]", "[cls]", "-eos-", "eos"}  # of sentences
CODE = re.compile(r"\s*[\[{]")  # the start of a list or an object, which is no label
Values = list[tuple[Sentence, int, str]]  # the sentence and token of each value


class Doubt(NamedTuple):
    """What is doubtful, with its place and, as one word, its kind."""

    kind: str
    place: str
    message: str


def doubts(sentences: Sequence[Sentence], format: str | None, *, options: bool) -> Iterator[Doubt]:
    """Yield what is doubtful in a file.

    Args:
        sentences: Its sentences.
        format: Its format; None for sentences of no file.
        options: Whether advice names options of the command line; otherwise it names keys of a recipe.
    """
    for layer in dict.fromkeys(name for sentence in sentences for name in sentence.layers):
        values = _values(sentences, layer)
        if format in ("conll", "labelled"):
            yield from _header(values, layer, options=options)
        yield from _labels(values, layer)
    if format == "conll" and len(sentences) == 1 and len(sentences[0]) > LONG:
        yield _endless(sentences[0], options=options)


def says_header(sentence: Sentence, token: int, tag: str, *, options: bool) -> str:
    """Return how to skip a line if it is the first of its file and its tag is none of any scheme; empty otherwise."""
    first = sentence.origin is not None and sentence.origin.at(token) == f"{sentence.origin.path}:1"
    strange = not any(is_tag(tag, scheme) for scheme in RULES)
    return f", or {_skipped(options=options)} if line 1 is a header" if first and strange else ""


def _skipped(*, options: bool) -> str:
    return "pass --header 1" if options else "set header = 1"


def _values(sentences: Sequence[Sentence], layer: str) -> Values:
    """Return the labels or known tags of a layer."""
    found: Values = []
    for sentence in sentences:
        value = sentence.layers.get(layer)
        if isinstance(value, Label):
            found.append((sentence, 0, value.value))
        elif isinstance(value, TagLayer):
            found += [(sentence, i, tag) for i, tag in enumerate(value.tags) if tag is not None]
    return found


def _header(values: Values, layer: str, *, options: bool) -> Iterator[Doubt]:
    """Yield a doubt if the value of line 1 is no tag of a scheme and occurs nowhere else, and the others come again."""
    sentence, token, value = values[0] if values else (None, 0, "")
    if sentence is None or len(values) < FEW or not says_header(sentence, token, value, options=options):
        return
    counts = Counter(found for _, _, found in values)
    again = 2 * (len(counts) - 1) <= len(values) - 1
    if counts[value] == 1 and again:
        kind = "label" if isinstance(sentence.layers[layer], Label) else "tag"
        message = (
            f"line 1 may be a header: its {kind} {value!r} occurs nowhere else; {_skipped(options=options)} if it is"
        )
        yield Doubt("header", place_of(sentence, token), message)


def _labels(values: Values, layer: str) -> Iterator[Doubt]:
    """Yield a doubt if labels of texts look like code, or if none of them comes again."""
    labels = [(sentence, value) for sentence, _, value in values if isinstance(sentence.layers[layer], Label)]
    code = [(sentence, value) for sentence, value in labels if CODE.match(value)]
    each = len(labels) >= FEW and len({value for _, value in labels}) == len(labels)
    if not each and 2 * len(code) <= len(labels):
        return
    sentence, value = labels[0] if each else code[0]
    why = f"none of the {len(labels)} labels occurs twice" if each else "labels are written as lists or objects"
    message = f"{why} in layer `{layer}`, the first {shorten(value)}: these look like no labels; name another column"
    yield Doubt("labels", place_of(sentence), message)


def _endless(sentence: Sentence, *, options: bool) -> Doubt:
    """Return the doubt about a file that is one long sentence, with the token that may end its sentences."""
    tags: Mapping[str, Sequence[str | None]] = {
        name: layer.tags for name, layer in sentence.layers.items() if isinstance(layer, TagLayer)
    }
    marks = Counter(
        token
        for i, token in enumerate(sentence.tokens)
        if token.lower() in MARKS and any(found[i] == "O" for found in tags.values())
    )
    said = "".join(f"; {token!r} occurs {number} times and may end them" for token, number in marks.most_common(1))
    named = "--columns sentence,token,ner" if options else 'columns = ["sentence", "token", "ner"]'
    message = (
        f"the file is one sentence of {len(sentence)} tokens; put a blank line between sentences, or name a column of "
        f"sentence numbers, such as {named}{said}"
    )
    return Doubt("endless", place_of(sentence), message)
