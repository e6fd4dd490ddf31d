"""Stand-off annotation of brat: a text in `NAME.txt` and its entities in `NAME.ann`. Read, not written.

`T1<TAB>Type 0 5<TAB>words` is an entity, `T1<TAB>Type 0 5;16 23<TAB>words` one in pieces; pieces with only white space
between them, into which brat cuts an entity at a line break, are one. Relations, events, attributes and notes are
counted and ignored; the trigger of an event is an entity like any other. Offsets count the characters of the file, also
those of line ends.
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
from tagger.formats.faults import Faults, split_place
from tagger.formats.source import Source
from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.nesting import by_depth, filled_layers
from tagger.formats.standoff.sentences import BLANK, LAYER, annotated_sentences, check_scheme
from tagger.formats.tally import Tally
from tagger.text.sentence import Origin, Sentence
from tagger.wording import shorten

ENTITY = re.compile(r"(T[^\t]*)\t([^ \t]+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*)(?:\t(.*))?")
IGNORED = "ignored {} annotation|annotations of brat that is|are no entity|entities"
OTHER = re.compile(r"(?:[REAMN][^\t]*|#[^\t]*|\*)\t.*")


def read_brat(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a text file and its annotations, or of all those of a folder, each a document.

    Raises:
        DataError: The source has no path, or the scheme is none for character spans.
    """
    path = source.path
    if path is None:
        raise DataError(f"{source.where}: brat has annotations beside its texts; name a text (.txt) or a folder")
    check_scheme(config, str(path))
    texts = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    if not texts:
        faults.add("form", str(path), "the folder must hold texts (.txt) with their annotations (.ann), got none")
    sentences: list[Sentence] = []
    for text in texts:
        name = str(text.relative_to(path).with_suffix("")) if path.is_dir() else text.stem
        try:
            sentences += _read_document(text, name, config, tally, faults)
        except DataError as error:
            for problem in str(error).split("\n"):
                faults.add("form", *split_place(problem, str(text)))
    yield from filled_layers(sentences) if config.nested == "layers" else sentences


def is_brat(path: Path) -> bool:
    """Whether a path is a folder with annotations of texts, or a text with its annotations beside it."""
    if path.is_dir():
        return next(path.rglob("*.ann"), None) is not None
    return path.suffix == ".txt" and path.with_suffix(".ann").is_file()


def _read_document(path: Path, name: str, config: ReadingConfig, tally: Tally, faults: Faults) -> list[Sentence]:
    """Return the sentences of one text."""
    if path.suffix != ".txt":
        raise DataError(f"{path}: must be a folder or a text (.txt) with its annotations beside it (.ann)")
    beside = path.with_suffix(".ann")
    if not beside.is_file():
        raise DataError(
            f"{path}: must have its annotations beside it, got no {beside.name}; create that file, which may be empty"
        )
    text = read_text(path)
    entities = list(_entities(read_text(beside), text, str(beside), tally, faults))
    if not text.strip():
        if entities:
            raise DataError(f"{path}: a text with entities must not be empty or white space; remove both or fix them")
        tally.count(BLANK, f"at {path}")
        return []
    layers = {config.layer or LAYER: entities}
    layers = by_depth(layers) if config.nested == "layers" else layers
    sentences = annotated_sentences(text, layers, config, tally, faults)
    breaks = [match.end() for match in re.finditer("\n", text)]
    return [
        replace(
            sentence,
            document=name,
            origin=Origin(str(path), tuple(bisect_right(breaks, start) + 1 for start, _ in sentence.offsets)),
        )
        for sentence in sentences
    ]


def _entities(annotations: str, text: str, where: str, tally: Tally, faults: Faults) -> Iterator[Entity]:
    """Yield the entities of an annotation file; a line that is no annotation is a fault."""
    for number, line in enumerate(annotations.split("\n"), 1):
        line = line.removesuffix("\r")
        place = f"{where}:{number}"
        if found := ENTITY.fullmatch(line):
            yield _entity(found, text, place)
        elif OTHER.fullmatch(line):
            tally.count(IGNORED, f"{line[:1]} at {place}")
        elif line.strip():
            message = f"must be an annotation, such as T1<TAB>Type 0 5<TAB>words, got {shorten(line)}; fix it"
            faults.add("form", place, message)


def _entity(found: re.Match[str], text: str, place: str) -> Entity:
    _, type_, ranges, words = found.groups()
    pieces = [(int(start), int(end)) for start, end in (piece.split(" ") for piece in ranges.split(";"))]
    whole = all(a[1] <= b[0] and not text[a[1] : b[0]].strip() for a, b in pairwise(pieces))
    return Entity(type_, pieces[0][0], pieces[-1][1], words or None, whole, place)
