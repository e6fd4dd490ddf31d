"""CoNLL-U, the ten columns of Universal Dependencies: words with their parts of speech.

Multi-word ranges (`3-4`) and empty nodes (`8.1`) are no tokens. Trees are not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tagger.data.columns import column_blocks, without_value
from tagger.data.files import read_lines
from tagger.data.sentence import Label, Origin, Sentence, TagLayer
from tagger.errors import DataError

FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
WORD = re.compile(r"[1-9][0-9]*")
NO_WORD = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")


def read_conllu(path: str | Path, layers: Mapping[str, str] | None = None) -> list[Sentence]:
    """The sentences of a CoNLL-U file.

    Args:
        path: The file, UTF-8, plain or gzip.
        layers: Layer → CoNLL-U field, or `# key` for a comment; `upos` and `xpos` where they are filled, if left out.

    Raises:
        DataError: The file cannot be read, or a line is no CoNLL-U; names all such lines.
    """
    return parse_conllu(read_lines(Path(path)), layers, where=str(path))


def parse_conllu(lines: Sequence[str], layers: Mapping[str, str] | None = None, *, where: str) -> list[Sentence]:
    """The sentences of the lines of a CoNLL-U file; `where` opens each line of an error."""
    return list(iter_conllu(lines, layers, where=where))


def iter_conllu(lines: Iterable[str], layers: Mapping[str, str] | None = None, *, where: str) -> Iterator[Sentence]:
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
    problems: list[str] = []
    document = None
    for comments, rows, first, _ in column_blocks(lines, FIELDS, tabs=True, where=where):
        document = comments.get("newdoc id", str(count) if "newdoc" in comments else document)
        words = [i for i, row in enumerate(rows) if WORD.fullmatch(row[0])]
        problems += without_value(comments, keys, place=f"{where}:{first}")
        problems += [
            f"{where}:{first + i}: must start with a word number, a range (3-4) or an empty node (8.1), got {row[0]!r}"
            for i, row in enumerate(rows)
            if not (WORD.fullmatch(row[0]) or NO_WORD.fullmatch(row[0]))
        ]
        if not words:
            problems.append(f"{where}:{first}: a sentence must have a word")
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
        tokens = [rows[i][1] for i in words]
        count += 1
        yield Sentence.from_tokens(tokens, found, meta=comments, document=document, origin=origin)
    if problems:
        raise DataError.of(problems)
    if not count:
        raise DataError(f"{where}: the file must hold at least one sentence, got only comments and blank lines")
