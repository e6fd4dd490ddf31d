"""Stand-off annotation of brat: a text in `NAME.txt` and its entities beside it in `NAME.ann`. Read, not written.

`T1<TAB>Type 0 5<TAB>words` is an entity, `T1<TAB>Type 0 5;16 23<TAB>words` one in pieces; pieces with nothing but white
space between them, as brat cuts an entity at a line break, are one. Relations, events, attributes and notes are counted
and left out; the trigger of an event is an entity as any other. Offsets count characters of the file, line ends too.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.files.reading import read_text
from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.sentences import LAYER, Tally, annotated_sentences, check_scheme
from tagger.text.sentence import Origin, Sentence
from tagger.wording import shorten

ENTITY = re.compile(r"(T[^\t]*)\t([^ \t]+) ([0-9]+ [0-9]+(?:;[0-9]+ [0-9]+)*)(?:\t(.*))?")
LEFT_OUT = "left out {} annotation|annotations of brat that is|are no entity|entities"
OTHER = re.compile(r"(?:[REAMN][^\t]*|#[^\t]*|\*)\t.*")


def read_brat(path: str | Path, config: ReadingConfig, tally: Tally) -> list[Sentence]:
    """The sentences of a text file and its annotations, or of all those of a folder, each a document of its own.

    Raises:
        DataError: A file is not there or cannot be read, a line is no annotation, or an entity does not fit and the
            policy is `error`; names all such lines.
    """
    problems: list[str] = []
    sentences = collect_brat(Path(path), config, tally, problems)
    problems, tally.problems = problems + tally.problems, []
    if problems:
        raise DataError.of([line for problem in problems for line in problem.split("\n")])
    return sentences


def collect_brat(path: Path, config: ReadingConfig, tally: Tally, problems: list[str]) -> list[Sentence]:
    """The sentences of the texts that are in order; what is wrong with the others goes to `problems`.

    Raises:
        DataError: There are no texts, or the scheme is none for character spans.
    """
    check_scheme(config, str(path))
    texts = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    if not texts:
        raise DataError(f"{path}: the folder must hold texts (.txt) with their annotations (.ann), got none")
    sentences: list[Sentence] = []
    for text in texts:
        name = str(text.relative_to(path).with_suffix("")) if path.is_dir() else text.stem
        try:
            sentences += _read_document(text, name, config, tally)
        except DataError as error:
            problems.append(str(error))
    return sentences


def is_brat(path: Path) -> bool:
    """Whether a path is a folder that holds annotations of texts, or a text that has them beside it."""
    if path.is_dir():
        return next(path.rglob("*.ann"), None) is not None
    return path.suffix == ".txt" and path.with_suffix(".ann").is_file()


def _read_document(path: Path, name: str, config: ReadingConfig, tally: Tally) -> list[Sentence]:
    """The sentences of one text."""
    if path.suffix != ".txt":
        raise DataError(f"{path}: must be a folder or a text (.txt) with its annotations beside it (.ann)")
    beside = path.with_suffix(".ann")
    if not beside.is_file():
        raise DataError(f"{path}: must have its annotations beside it, got no {beside.name}; make it, if need be empty")
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path}: the text must not be empty or white space; take it and its annotations away")
    entities = list(_entities(read_text(beside), text, str(beside), tally))
    layers = {config.layer or LAYER: entities}
    sentences = annotated_sentences(text, layers, config, tally)
    breaks = [match.end() for match in re.finditer("\n", text)]
    return [
        replace(
            sentence,
            document=name,
            origin=Origin(str(path), tuple(bisect_right(breaks, start) + 1 for start, _ in sentence.offsets)),
        )
        for sentence in sentences
    ]


def _entities(annotations: str, text: str, where: str, tally: Tally) -> Iterator[Entity]:
    """The entities of an annotation file; lines that are no annotations are told to the tally."""
    for number, line in enumerate(annotations.split("\n"), 1):
        line = line.removesuffix("\r")
        place = f"{where}:{number}"
        if found := ENTITY.fullmatch(line):
            yield _entity(found, text, place)
        elif OTHER.fullmatch(line):
            tally.count(LEFT_OUT, f"{line[:1]} at {place}")
        elif line.strip():
            tally.problems.append(
                f"{place}: must be an annotation, such as T1<TAB>Type 0 5<TAB>words, got {shorten(line)}; mend it"
            )


def _entity(found: re.Match[str], text: str, place: str) -> Entity:
    _, type_, ranges, words = found.groups()
    pieces = [(int(start), int(end)) for start, end in (piece.split(" ") for piece in ranges.split(";"))]
    whole = all(a[1] <= b[0] and not text[a[1] : b[0]].strip() for a, b in pairwise(pieces))
    return Entity(type_, pieces[0][0], pieces[-1][1], words or None, whole, place)
