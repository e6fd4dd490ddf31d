"""CoNLL-U, the ten columns of Universal Dependencies: words with their parts of speech.

Multi-word ranges (`3-4`) and empty nodes (`8.1`) are no tokens. Trees are not read.

The text of a sentence is what its words and ranges make up: a blank stands behind each but where MISC says
`SpaceAfter=No` or gives `SpacesAfter`. Words of a range stand where their forms are in its surface, if these make it
up (`do` `n't` in `don't`); else all of them stand at the whole surface (`de` and `le` at `du`). The comment `# text` is
only compared.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Any

from tagger.errors import DataError, Problems
from tagger.files.reading import iter_lines
from tagger.formats.columns import BREAKS, add_comment, column_blocks, without_value
from tagger.formats.standoff.sentences import Tally
from tagger.text.sentence import Label, Origin, Sentence, TagLayer

FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
WORD = re.compile(r"[1-9][0-9]*")
ESCAPE = re.compile(r"\\(?:[strnp\\]|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})")
ESCAPES = {r"\s": " ", r"\t": "\t", r"\r": "\r", r"\n": "\n", r"\p": "|", r"\\": "\\"}
UNESCAPED = {char: escape for escape, char in ESCAPES.items()}
NO_WORD = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")


def read_conllu(
    path: str | Path, layers: Mapping[str, str] | None = None, tally: Tally | None = None
) -> list[Sentence]:
    """The sentences of a CoNLL-U file.

    Args:
        path: The file, UTF-8, plain or gzip.
        layers: Layer → CoNLL-U field, or `# key` for a comment; `upos` and `xpos` where they are filled, if left out.
        tally: Is told of texts that are not as their comment says.

    Raises:
        DataError: The file cannot be read, or a line is no CoNLL-U; names all such lines.
    """
    return parse_conllu(iter_lines(Path(path)), layers, tally, where=str(path))


def parse_conllu(
    lines: Iterable[str], layers: Mapping[str, str] | None = None, tally: Tally | None = None, *, where: str
) -> list[Sentence]:
    """The sentences of the lines of a CoNLL-U file; `where` opens each line of an error."""
    same: dict[Any, Any] = {}
    return [sentence.sharing(same) for sentence in iter_conllu(lines, layers, tally, where=where)]


def iter_conllu(
    lines: Iterable[str], layers: Mapping[str, str] | None = None, tally: Tally | None = None, *, where: str
) -> Iterator[Sentence]:
    """The sentences of `parse_conllu`, one at a time; what is wrong is told after the last."""
    for layer, source in (layers or {}).items():
        if source not in FIELDS and not source.startswith("# "):
            raise DataError(
                f"{where}: layer `{layer}` must come from a CoNLL-U field ({', '.join(FIELDS)}) "
                f'or a comment ("# key"), got "{source}"'
            )
    wanted = layers if layers is not None else {"upos": "upos", "xpos": "xpos"}
    keys = [source[2:] for source in wanted.values() if source.startswith("# ")]
    lines = (f"# {line[1:]}" if line.startswith("#") and not line.startswith("# ") else line for line in lines)
    count = 0
    problems = Problems()
    document = None
    for comments, rows, first, _ in column_blocks(lines, FIELDS, tabs=True, where=where):
        document = comments.get("newdoc id", str(count) if "newdoc" in comments else document)
        words = [i for i, row in enumerate(rows) if WORD.fullmatch(row[0])]
        problems += without_value(comments, keys, place=f"{where}:{first}")
        wrong = [
            f"{where}:{first + i}: must start with a word number, a range (3-4) or an empty node (8.1), got {row[0]!r}"
            for i, row in enumerate(rows)
            if not (WORD.fullmatch(row[0]) or NO_WORD.fullmatch(row[0]))
        ]
        problems += wrong if wrong or words else [f"{where}:{first}: a sentence must have a word"]
        if wrong or not words:
            continue
        found: dict[str, TagLayer | Label] = {}
        for layer, source in wanted.items():
            if source.startswith("# "):
                if source[2:] in comments:
                    found[layer] = Label(comments[source[2:]])
                continue
            tags = tuple(rows[i][FIELDS.index(source)].strip() for i in words)
            if layers is not None or any(tag != "_" for tag in tags):
                found[layer] = TagLayer(tags)
        origin = Origin(where, tuple(first + i for i in words))
        text, offsets = _surface(rows)
        if tally is not None and comments.get("text", text) != text:
            tally.count("kept the text of {} sentence|sentences where `# text` says otherwise", f"at {where}:{first}")
        tokens = tuple(rows[i][1] for i in words)
        count += 1
        yield Sentence(tokens, text, offsets, found, comments, document, origin)
    if problems:
        raise DataError.of(problems)
    if not count:
        raise DataError(f"{where}: the file must hold at least one sentence, got only comments and blank lines")


def _surface(rows: Sequence[Sequence[str]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text that the rows of a sentence make up, and where each of its words stands in it."""
    text = gap = ""
    offsets: list[tuple[int, int]] = []
    covered: set[int] = set()
    for i, (number, form, *_, misc) in enumerate(rows):
        if "." in number or i in covered:
            continue
        inner = list(_words_of_range(rows, i)) if "-" in number else [i]
        covered.update(inner)
        text += gap
        offsets += _within(form, [rows[j][1] for j in inner], start=len(text))
        text += form
        gap = _gap(misc)
    return text, tuple(offsets)


def _words_of_range(rows: Sequence[Sequence[str]], row: int) -> Iterator[int]:
    """The rows of the words that a range, which is row `row`, stands before."""
    first, last = map(int, rows[row][0].split("-"))
    for i in range(row + 1, len(rows)):
        number = rows[i][0]
        if WORD.fullmatch(number) and first <= int(number) <= last:
            yield i
        elif "." not in number:
            return


def _gap(misc: str) -> str:
    """What stands behind a word or range: one blank, if MISC says nothing else."""
    facts = dict(fact.partition("=")[::2] for fact in misc.split("|"))
    if facts.get("SpaceAfter") == "No":
        return ""
    return ESCAPE.sub(lambda found: ESCAPES.get(found[0]) or chr(int(found[0][2:], 16)), facts.get("SpacesAfter", " "))


def _within(surface: str, words: Sequence[str], *, start: int) -> list[tuple[int, int]]:
    """Where words stand that are one surface, which begins at `start`."""
    if "".join(words) != surface:
        return [(start, start + len(surface))] * len(words)
    ends = list(accumulate(map(len, words), initial=start))
    return list(pairwise(ends))


def conllu_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """The lines of a CoNLL-U file; layers named after its fields fill these, `_` stands elsewhere.

    Comments stand above their sentence, with labels (`# layer = value`), the text and, where one begins, the document
    (`# newdoc id`). White space between tokens goes to MISC; tokens that stand at one place become a range.

    Raises:
        DataError: A sentence cannot be written so that it is read back as it is.
    """
    document = None
    for count, sentence in enumerate(sentences):
        comments = _comments(sentence, document)
        document = comments.get("newdoc id", str(count) if "newdoc" in comments else document)
        yield from (_comment(key, value) for key, value in comments.items())
        yield from ("\t".join(row) for row in _rows(sentence, layers))
        yield ""


def _comments(sentence: Sentence, document: str | None) -> dict[str, str]:
    """What is said above a sentence; `document` is that of the sentence before."""
    labels = {name: layer.value for name, layer in sentence.layers.items() if isinstance(layer, Label)}
    opened: dict[str, str] = {}
    if sentence.document != document and not {"newdoc", "newdoc id"} & sentence.meta.keys():
        if sentence.document is None:
            raise DataError(f"a sentence behind document {document!r} must be in a document to be written as CoNLL-U")
        opened = {"newdoc id": sentence.document}
    return opened | {**sentence.meta, **labels} | {"text": sentence.meta.get("text", _said(sentence.text))}


def _said(text: str) -> str:
    """A text as a comment can say it: where it holds a line break, with one blank for each stretch of white space."""
    return " ".join(text.split()) if BREAKS.search(text) or text != text.strip() else text


def _comment(key: str, value: str) -> str:
    line = f"# {key} = {value}" if value else f"# {key}"
    found: dict[str, str] = {}
    add_comment(found, line[2:])
    if BREAKS.search(line) or line.count("\t") == len(FIELDS) - 1 or found != {key: value}:
        raise DataError(f"comment {line!r} must hold no line break and no blank at its ends to be written as CoNLL-U")
    return line


def tells_place(sentence: Sentence) -> bool:
    """Whether CoNLL-U can say the text of a sentence and where its tokens stand."""
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
    """Each place in the text where tokens stand, with their numbers from 0."""
    for place, group in groupby(range(len(sentence)), key=lambda i: sentence.offsets[i]):
        yield place, list(group)


def _rows(sentence: Sentence, layers: Sequence[str]) -> Iterator[list[str]]:
    """The rows of a sentence."""
    if not sentence.tokens or not tells_place(sentence):
        raise DataError(f"the text must be its tokens and white space to be written as CoNLL-U, got {sentence.text!r}")
    columns = {name: sentence.tags(name) for name in layers if name in sentence.layers}
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
    """The fields, each of which is read back as it is."""
    for name, value in zip(FIELDS[1:], fields, strict=True):
        if not value.strip() or BREAKS.search(value) or "\t" in value or (name != "form" and value != value.strip()):
            raise DataError(
                f"{name} {value!r} must hold no tab, no line break and not be empty to be written as CoNLL-U"
            )
    return fields


def _misc(misc: str, gap: str | None) -> str:
    """MISC that also says what white space stands behind a token; none is to be said (None) behind the last."""
    if gap is None or _gap(misc) == gap:
        return misc
    if "SpaceAfter=" in misc or "SpacesAfter=" in misc:
        raise DataError(f"misc {misc!r} must agree with the text, where {gap!r} stands behind the token; mend either")
    fact = (
        "SpacesAfter=" + "".join(UNESCAPED.get(char) or f"\\u{ord(char):04X}" for char in gap)
        if gap
        else "SpaceAfter=No"
    )
    return fact if misc == "_" else f"{misc}|{fact}"
