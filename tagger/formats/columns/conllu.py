"""CoNLL-U, the ten columns of Universal Dependencies: words with their parts of speech.

Multi-word ranges (`3-4`) and empty nodes (`8.1`) are not tokens. Trees are not read.

The text of a sentence is built from its words and ranges, with a blank after each unless MISC says `SpaceAfter=No` or
gives `SpacesAfter`. If the words of a range make up its surface (`do` `n't` in `don't`), each has its part of it;
otherwise each has the whole surface (`de` and `le` have `du`). The comment `# text` is only compared.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress, groupby, pairwise
from itertools import count as count_from

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.blocks import (
    NO_SENTENCE,
    Block,
    add_comment,
    check_values,
    column_blocks,
    document_of,
)
from tagger.formats.columns.conll_writing import BREAKS
from tagger.formats.columns.fields import NEWDOC, NO_WORD, WORD, Form, Marks, Sample, is_word_number, read_tags
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Layer, Origin, Sentence, TagLayer

FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
ESCAPE = re.compile(r"\\(?:[strnp\\]|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})")
ESCAPES = {r"\s": " ", r"\t": "\t", r"\r": "\r", r"\n": "\n", r"\p": "|", r"\\": "\\"}
UNESCAPED = {char: escape for escape, char in ESCAPES.items()}


def spaced_comments(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with a blank after the `#` of each comment, which column files need and CoNLL-U does not."""
    return (f"# {line[1:]}" if line[:1] == "#" and line[:2] != "# " else line for line in lines)


def looks_like_conllu(sample: Sample) -> bool:
    """Whether most lines have ten fields between tabs, the first of which is the number of a word."""
    rows = sample.split(tabs=True)
    return sum(len(row) == len(FIELDS) and is_word_number(row[0]) for row in rows) * 2 > len(rows)


def read_conllu(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a CoNLL-U file.

    The config's `layers` name a field or a comment (`# key`) for each layer; the default is `upos` and `xpos` where
    they are filled.

    Raises:
        DataError: A layer has another source.
    """
    where = source.where
    for layer, field in (config.layers or {}).items():
        if field not in FIELDS and not field.startswith("# "):
            raise DataError(
                f"{where}: layer `{layer}` must come from a CoNLL-U field ({', '.join(FIELDS)}) "
                f'or a comment ("# key"), got "{field}"'
            )
    layers = config.layers if config.layers is not None else {"upos": "upos", "xpos": "xpos"}
    keys = [field[2:] for field in layers.values() if field.startswith("# ")]
    lines = spaced_comments(source.lines())
    empty = True
    for block in column_blocks(lines, FIELDS, form=Form("\t"), where=where, faults=faults):
        empty = False
        comments, first = block.comments, block.line
        check_values(block, keys, where, faults)
        is_word = [WORD.fullmatch(row[0]) is not None for row in block.rows]
        rows = [row for row, word in zip(block.rows, is_word, strict=True) if word or NO_WORD.fullmatch(row[0])]
        words = list(compress(block.rows, is_word))
        if len(words) < len(block.rows):
            _check_numbers(block, bool(words), where, faults)
        tally.left["ranges"] += len(rows) - len(words)
        if not words:
            continue
        found: dict[str, Layer] = {}
        for layer, field in layers.items():
            if field.startswith("# "):
                if field[2:] in comments:
                    found[layer] = Label(comments[field[2:]])
                continue
            column = FIELDS.index(field)
            tags = read_tags((row[column] for row in words), config.unknown)
            if config.layers is not None or any(tag != "_" for tag in tags):
                found[layer] = TagLayer(tags)
        text, offsets = _surface(rows)
        if comments.get("text", text) != text:
            tally.count(
                "kept the text of the tokens in {} sentence|sentences with another `# text`", f"at {where}:{first}"
            )
        origin = Origin(where, tuple(compress(count_from(first), is_word)))
        yield Sentence(tuple([row[1] for row in words]), text, offsets, found, comments, block.document, origin)
    if empty:
        faults.add("form", where, NO_SENTENCE)


def _check_numbers(block: Block, has_words: bool, where: str, faults: Faults) -> None:
    """Report rows without a valid number, and a sentence without a word if nothing else is wrong with it."""
    wrong = False
    for i, (number, *_) in enumerate(block.rows):
        if i not in block.broken and not WORD.fullmatch(number) and not NO_WORD.fullmatch(number):
            wrong = True
            message = f"must start with a word number, a range (3-4) or an empty node (8.1), got {number!r}"
            faults.add("columns", f"{where}:{block.line + i}", message)
    if not (has_words or wrong or block.broken):
        faults.add("columns", f"{where}:{block.line}", "a sentence must have a word")


def _surface(rows: Sequence[Sequence[str]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the text of a sentence, and the offsets of each of its words."""
    text = gap = ""
    offsets: list[tuple[int, int]] = []
    covered: set[int] = set()
    for i, (number, form, *_, misc) in enumerate(rows):
        if "." in number or i in covered:
            continue
        text += gap
        if "-" in number:
            inner = list(_words_of_range(rows, i))
            covered.update(inner)
            offsets += _within(form, [rows[j][1] for j in inner], start=len(text))
        else:
            offsets.append((len(text), len(text) + len(form)))
        text += form
        gap = _gap(misc)
    return text, tuple(offsets)


def _words_of_range(rows: Sequence[Sequence[str]], row: int) -> Iterator[int]:
    """Yield the rows of the words of the range in row `row`."""
    first, last = map(int, rows[row][0].split("-"))
    for i in range(row + 1, len(rows)):
        number = rows[i][0]
        if WORD.fullmatch(number) and first <= int(number) <= last:
            yield i
        elif "." not in number:
            return


def _gap(misc: str) -> str:
    """Return the white space after a word or range: one blank, unless MISC says something else."""
    if misc == "_":
        return " "
    facts = dict(fact.partition("=")[::2] for fact in misc.split("|"))
    if facts.get("SpaceAfter") == "No":
        return ""
    return ESCAPE.sub(lambda found: ESCAPES.get(found[0]) or chr(int(found[0][2:], 16)), facts.get("SpacesAfter", " "))


def _within(surface: str, words: Sequence[str], *, start: int) -> list[tuple[int, int]]:
    """Return the offsets of words that share one surface, which begins at `start`."""
    if "".join(words) != surface:
        return [(start, start + len(surface))] * len(words)
    ends = list(accumulate(map(len, words), initial=start))
    return list(pairwise(ends))


def conllu_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a CoNLL-U file; layers with the name of a field fill it, and other fields are `_`. An unknown
    tag is written as `?`.

    The comments of a sentence come first: labels (`# layer = value`), the text and, where one begins, the document
    (`# newdoc id`). White space between tokens goes to MISC; tokens with the same offsets become a range.

    Raises:
        DataError: A sentence would not be read back unchanged.
    """
    document, documents, marks = None, 0, Marks()
    for sentence in sentences:
        comments = _comments(sentence, document)
        documents += "newdoc" in comments
        document = document_of(comments, document, documents)
        yield from (_comment(key, value) for key, value in comments.items())
        yield from ("\t".join(row) for row in _rows(sentence, layers, marks))
        yield ""


def _comments(sentence: Sentence, document: str | None) -> dict[str, str]:
    """Return the comments of a sentence; `document` is that of the sentence before."""
    labels = {name: layer.value for name, layer in sentence.layers.items() if isinstance(layer, Label)}
    opened: dict[str, str] = {}
    if sentence.document != document and not NEWDOC & sentence.meta.keys():
        if sentence.document is None:
            raise DataError(f"a sentence after document {document!r} must be in a document to be written as CoNLL-U")
        opened = {"newdoc id": sentence.document}
    return opened | {**sentence.meta, **labels} | {"text": sentence.meta.get("text", _said(sentence.text))}


def _said(text: str) -> str:
    """Return a text as a comment can hold it: with a line break in it, each run of white space is one blank."""
    return " ".join(text.split()) if BREAKS.search(text) or text != text.strip() else text


def _comment(key: str, value: str) -> str:
    """Return the line of a comment, which must be read back unchanged."""
    line = f"# {key} = {value}" if value else f"# {key}"
    found: dict[str, str] = {}
    add_comment(found, line[2:])
    if BREAKS.search(line) or line.count("\t") == len(FIELDS) - 1 or found != {key: value}:
        raise DataError(f"comment {line!r} must have no line break and no blank at its ends to be written as CoNLL-U")
    return line


def has_conllu_text(sentence: Sentence) -> bool:
    """Whether CoNLL-U can express the text of a sentence and the offsets of its tokens."""
    ends = [(0, 0), *sentence.offsets]
    for (start, end), tokens in _places(sentence):
        surface, gap = sentence.text[start:end], sentence.text[ends[0][1] : start]
        alone = len(tokens) == 1 and sentence.tokens[tokens[0]] == surface
        shared_place = len(tokens) > 1 and "".join(sentence.tokens[i] for i in tokens) != surface
        if not (alone or (shared_place and surface.strip())) or gap.strip() or (gap and tokens[0] == 0):
            return False
        ends[0] = (start, end)
    return ends[0][1] == len(sentence.text)


def _places(sentence: Sentence) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Yield each pair of offsets, with the numbers of the tokens that have it."""
    for place, group in groupby(range(len(sentence)), key=lambda i: sentence.offsets[i]):
        yield place, list(group)


def _rows(sentence: Sentence, layers: Sequence[str], marks: Marks) -> Iterator[list[str]]:
    """Yield the rows of a sentence."""
    if not sentence.tokens or not has_conllu_text(sentence):
        raise DataError(f"the text must be tokens and white space to be written as CoNLL-U, got {sentence.text!r}")
    columns = {name: marks.written(name, sentence.tags(name)) for name in layers if name in sentence.layers}
    places = list(_places(sentence))
    for number, ((_, end), tokens) in enumerate(places):
        gap = sentence.text[end : places[number + 1][0][0]] if number + 1 < len(places) else None
        if len(tokens) > 1:
            surface = sentence.text[slice(*sentence.offsets[tokens[0]])]
            yield [f"{tokens[0] + 1}-{tokens[-1] + 1}", surface, *["_"] * 7, _misc("_", gap)]
        for i in tokens:
            fields = [columns[name][i] if name in columns else "_" for name in FIELDS[2:]]
            if len(tokens) == 1:
                fields[-1] = _misc(fields[-1], gap)
            yield [str(i + 1), *_checked([sentence.tokens[i], *fields])]


def _checked(fields: list[str]) -> list[str]:
    """Return the fields, each of which would be read back unchanged."""
    for name, value in zip(FIELDS[1:], fields, strict=True):
        if not value.strip() or BREAKS.search(value) or "\t" in value or (name != "form" and value != value.strip()):
            raise DataError(
                f"{name} {value!r} must have no tab, no line break and not be empty to be written as CoNLL-U"
            )
    return fields


def _misc(misc: str, gap: str | None) -> str:
    """Return MISC with the white space after a token; None for the last token, after which it is not recorded."""
    if gap is None or _gap(misc) == gap:
        return misc
    if "SpaceAfter=" in misc or "SpacesAfter=" in misc:
        raise DataError(f"misc {misc!r} must agree with the text, where {gap!r} follows the token; fix one of them")
    fact = (
        "SpacesAfter=" + "".join(UNESCAPED.get(char) or f"\\u{ord(char):04X}" for char in gap)
        if gap
        else "SpaceAfter=No"
    )
    return fact if misc == "_" else f"{misc}|{fact}"
