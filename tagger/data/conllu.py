"""CoNLL-U, the ten columns of Universal Dependencies: words with their parts of speech.

Multi-word ranges (`3-4`) and empty nodes (`8.1`) are no tokens. Trees are not read.

The text of a sentence is what its words and ranges make up: a blank stands behind each but where MISC says
`SpaceAfter=No` or gives `SpacesAfter`. Words of a range stand where their forms are in its surface, if these make it
up (`do` `n't` in `don't`); else all of them stand at the whole surface (`de` and `le` at `du`). The comment `# text` is
only compared.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from tagger.data.annotated import Tally
from tagger.data.columns import column_blocks, without_value
from tagger.data.files import iter_lines
from tagger.data.sentence import Label, Origin, Sentence, TagLayer
from tagger.errors import DataError, Problems

FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
WORD = re.compile(r"[1-9][0-9]*")
ESCAPE = re.compile(r"\\(?:[strnp\\]|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})")
ESCAPES = {r"\s": " ", r"\t": "\t", r"\r": "\r", r"\n": "\n", r"\p": "|", r"\\": "\\"}
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
            tally.count("kept the text of {} sentences that their `# text` says otherwise", f"at {where}:{first}")
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
