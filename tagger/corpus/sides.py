"""Gold and prediction as they are read: two files of any format, one file with both, or sentences.

Whether their texts and layers fit together is left to `alignment`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tagger.alignment.layers import kinds_of
from tagger.config import ReadingConfig, parse_section
from tagger.corpus.corpus import sentences_of
from tagger.corpus.detecting import (
    Watch,
    label_comments,
    read_detected,
    said_of_comment,
    shows_other_format,
    with_labels,
)
from tagger.corpus.respelling import respelled
from tagger.errors import DataError, RecipeError
from tagger.formats.columns.fields import SAMPLE, Sample
from tagger.formats.detection import detect_format
from tagger.formats.source import source_of
from tagger.formats.tally import UNFIT, Tally
from tagger.text.document import Document
from tagger.text.schemes import Scheme, has_scheme
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.wording import quoted

Paths = str | Path | Sequence[str | Path]
Sentences = Sequence[Sentence | Document]

OWN = ("format", "columns", "scheme")  # settings that may differ between gold and prediction
COLUMNS = ("gold", "predicted")  # of one file with both


@dataclass(frozen=True, slots=True)
class Side:
    """The sentences of gold or of the prediction.

    Args:
        sentences: The sentences.
        config: How they were read.
        used: The given settings that say something about their format.
        notes: What was detected or done.
        files: The files that they were read from.
        io: The layers of types without a prefix.
    """

    sentences: list[Sentence]
    config: ReadingConfig
    used: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    io: frozenset[str] = frozenset()

    def scheme(self, layer: str) -> Scheme | None:
        """Return the scheme that is given for a layer, or that its sentences say; None if it must be detected."""
        if layer in self.io:
            return "io"
        layers = (sentence.layers.get(layer) for sentence in self.sentences)
        said = next((found.scheme for found in layers if isinstance(found, TagLayer) and found.scheme), None)
        return said or self.config.scheme


def read_sides(
    gold: Paths | Sentences,
    predicted: Paths | Sentences | None,
    reading: Mapping[str, Any],
    *,
    labels: Sequence[str] = (),
    watch: Watch = iter,
) -> tuple[Side, Side]:
    """Return gold and prediction; the arguments are those of `tagger.score`.

    Raises:
        RecipeError: A setting is unknown, has a wrong value, or concerns none of the files.
        DataError: A file cannot be read.
    """
    if predicted is None:
        ours, theirs = _both_of_one(gold, reading, watch)
    else:
        ours, theirs = _side("gold", gold, reading, watch), _side("predicted", predicted, reading, watch)
    _refuse_unused(reading, ours, theirs)
    return _with_comments(ours, theirs, labels)


def read_side(source: Paths | Sentences, reading: Mapping[str, Any], *, watch: Watch = iter) -> Side:
    """Return sentences with layers of their own, such as those of train, read like gold or as their format shows.

    Raises:
        RecipeError: A setting has a wrong value.
        DataError: A file cannot be read.
    """
    items = [source] if isinstance(source, (str, Path)) else list(source)
    own = {key: value for key, value in reading.items() if not key.startswith("predicted_")}
    return _side("gold", source, {**own, **_changes(items, own)}, watch)


def _side(side: str, source: Paths | Sentences, reading: Mapping[str, Any], watch: Watch) -> Side:
    """Return what one of the two has."""
    items = [source] if isinstance(source, (str, Path)) else list(source)
    own = {key: reading.get(key) for key in reading if not key.startswith("predicted_")}
    if side == "predicted":
        own |= _changes(items, reading)
    if not items:
        raise DataError(f"{side}: must have at least one sentence, got none")
    if all(isinstance(item, (str, Path)) for item in items):
        found = _read([str(item) for item in items], own, watch)
        if side == "predicted":  # what readers say of files that are scored is about gold
            notes = [note.replace("counted as missed:", "not expressed by tags:") for note in found.notes]
            found = replace(found, notes=tuple(notes))
        return _respelled(found)
    config = parse_section(ReadingConfig, {"scheme": own.get("scheme")}, where="the options")
    return _respelled(Side(sentences_of(items, side), config, frozenset({"scheme"})))


def _changes(items: Sequence[Any], reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in which the prediction differs from gold: as is given, or a format that its file shows."""
    changes = {key: value for key in OWN if (value := reading.get(f"predicted_{key}")) is not None}
    format = reading.get("format") or ("conll" if reading.get("columns") else None)
    if format and "format" not in changes and items and isinstance(items[0], (str, Path)):
        changes |= {"format": None} if shows_other_format(Path(items[0]), format, reading.get("encoding")) else {}
    if "format" in changes:  # the columns of gold are those of another format
        changes.setdefault("columns", None)
    return changes


def _read(paths: Sequence[str], given: Mapping[str, Any], watch: Watch) -> Side:
    found = read_detected(paths, given, Tally(options=True, missed=UNFIT, probabilities=True), watch=watch)
    return Side(found.sentences, found.config, found.used, found.notes, tuple(paths))


def _respelled(side: Side) -> Side:
    """Return a side with tags as the library spells them."""
    splits, notes, bare = respelled({"test": side.sentences}, side.config.scheme)
    return replace(side, sentences=list(splits["test"]), notes=(*side.notes, *notes), io=frozenset(bare))


def _refuse_unused(reading: Mapping[str, Any], *sides: Side) -> None:
    """Refuse settings that say nothing about any of the files."""
    used = frozenset().union(*(side.used for side in sides))
    for key, value in reading.items():
        if value is not None and key.removeprefix("predicted_") not in used:
            formats = (
                " and ".join(dict.fromkeys(str(side.config.format) for side in sides if side.files)) or "sentences"
            )
            raise RecipeError(f"--{key.replace('_', '-')} says nothing about {formats}; remove it")


def _both_of_one(source: Paths | Sentences, reading: Mapping[str, Any], watch: Watch) -> tuple[Side, Side]:
    """Return gold and prediction of one file that has both."""
    items = [source] if isinstance(source, (str, Path)) else list(source)
    if len(items) != 1 or not isinstance(items[0], (str, Path)):
        raise RecipeError("score: PREDICTED must be given, unless GOLD is one file with columns of both; add it")
    path = Path(items[0])
    given = dict(reading)
    if given.get("columns") is None:
        given["columns"] = _last_two(path, given)
    side = _read([str(path)], given, watch)
    kinds = kinds_of(side.sentences)
    if absent := [name for name in COLUMNS if name not in kinds]:
        raise DataError(
            f"{path}: one file with gold and prediction must have the layers {quoted(COLUMNS)}, got no "
            f"{quoted(absent)} among {quoted(kinds) or 'none'}; name the columns, such as --columns "
            "token,gold,predicted, or pass a second file"
        )
    used = side.used | ({"columns"} if reading.get("columns") is not None else frozenset())
    name = _name_of_one(side.sentences)
    sides = [replace(side, sentences=_only(side.sentences, column, name), used=used) for column in COLUMNS]
    return _respelled(sides[0]), _respelled(replace(sides[1], notes=()))


def _last_two(path: Path, given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the columns of a file as conlleval reads them; None if it is no file of columns."""
    source = source_of(path, given.get("encoding"))
    head = list(islice(source.lines(), SAMPLE))
    if (given.get("format") or detect_format(head, where=str(path), path=path)) != "conll":
        return None
    config = ReadingConfig.model_construct(delimiter=given.get("delimiter"), quote=given.get("quote"))
    width = Sample(head, config=config).width[0]
    if width < 3:
        raise DataError(
            f"{path}: one file with gold and prediction must have at least three columns (a token, its gold and its "
            f"predicted tag), got {width}; pass the file with the prediction too"
        )
    return ("token", *["_"] * (width - 3), *COLUMNS)


def _name_of_one(sentences: Sequence[Sentence]) -> str:
    tags = {tag for s in sentences if isinstance(layer := s.layers.get("gold"), TagLayer) for tag in layer.tags if tag}
    return "ner" if has_scheme(tags) else "tags"


def _only(sentences: Sequence[Sentence], column: str, name: str) -> list[Sentence]:
    return [replace(s, layers={name: s.layers[column]} if column in s.layers else {}) for s in sentences]


def _with_comments(ours: Side, theirs: Side, labels: Sequence[str]) -> tuple[Side, Side]:
    """Return both sides with labels from comments of columns.

    These are the given ones, or those that look like labels in one file, or are labels of the other. A comment that
    both files have with the same values is metadata that the prediction has kept, and no prediction. If one file
    has no label at all, those of the other stay comments, which is noted.
    """
    sides = [side for side in (ours, theirs) if side.config.format == "conll"]
    keys = dict.fromkeys(labels)
    if not labels:
        keys |= dict.fromkeys(key for side in sides for key in label_comments(side.sentences))
        kinds = [kinds_of(side.sentences) for side in (ours, theirs)]
        keys |= dict.fromkeys(name for found in kinds for name, kind in found.items() if kind is Label)
        if len(sides) == 2:
            values = {key: [[s.meta.get(key) for s in side.sentences] for side in sides] for key in keys}
            keys = {key: None for key, (one, other) in values.items() if one != other}
        found = [{*kind, *_comments(side)} for kind, side in zip(kinds, (ours, theirs), strict=True)]
        if not all(names & keys.keys() for names in found):
            ours, theirs = (replace(s, notes=(*s.notes, *_of_one_file(s, keys))) for s in (ours, theirs))
            keys = {}
    return _with_labels(ours, keys), _with_labels(theirs, keys)


def _comments(side: Side) -> set[str]:
    """Return the keys of the comments of columns."""
    return {key for sentence in side.sentences for key in sentence.meta} if side.config.format == "conll" else set()


def _of_one_file(side: Side, keys: Iterable[str]) -> Iterator[str]:
    """Yield a note on each comment that looks like a label, if the other file has none."""
    for key in [key for key in keys if key in _comments(side)]:
        yield f"the comment `# {key}` looks like a label, but stays a comment, because the other file has no label"


def _with_labels(side: Side, keys: Iterable[str]) -> Side:
    """Return a side with these comments of columns as labels, which is noted."""
    own = [key for key in keys if side.config.format == "conll" and any(key in s.meta for s in side.sentences)]
    if not own:
        return side
    sentences = [with_labels(sentence, own) for sentence in side.sentences]
    return replace(side, sentences=sentences, notes=(*side.notes, *map(said_of_comment, own)))
