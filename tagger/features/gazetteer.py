"""Lists of names: where the entries of each list are in a sentence.

Each token gets a number for each type of list and each place in an entry: 1 where the token is the beginning, the
inside or the end of an entry of several tokens, or an entry alone. `words/trie.py` finds the entries.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import FailFast, Field, ValidationError

from tagger.config import GazetteerConfig, Section
from tagger.encoding.packed import Packed
from tagger.errors import ModelError
from tagger.features.feature import Floats, Given, ReadyFeature
from tagger.features.passages import Passage
from tagger.features.words.trie import Match, Trie
from tagger.files.reading import iter_lines, utf8_alone
from tagger.text.tokenization import TextRules
from tagger.wording import plain_rule, quoted

if TYPE_CHECKING:
    from torch import nn


BEGINNING, INSIDE, END, SINGLE = PLACES = range(4)
NOTHING = ", so the list teaches nothing; check its case, its language and how its entries are split into words"
Entry = tuple[str, ...]


class _Lists(Section):
    """The file of the feature: the entries of each type, each as its tokens."""

    entries: dict[str, Annotated[list[Annotated[list[str], Field(min_length=1)]], FailFast()]]


class GazetteerFeature(ReadyFeature[GazetteerConfig]):
    """The entries of lists that a sentence has.

    Args:
        name: Its name in the recipe.
        config: Its section of the recipe.
        entries: The entries of each type in order, as tokens; in the case in which they are compared.
    """

    suffix = "json"

    def __init__(self, name: str, config: GazetteerConfig, entries: Mapping[str, Sequence[Entry]]) -> None:
        super().__init__(name, config)
        self.entries = entries
        self._trie = Trie(entries)

    @classmethod
    def prepare(cls, name: str, config: GazetteerConfig, given: Given) -> Self:
        """Return the feature with the entries of its files, and tell how many of them occur in train.

        Raises:
            DataError: A file cannot be read, or has no entry.
        """
        entries = {}
        for kind, paths in config.files.items():
            lines = (line for path in paths for line in _lines(given.folder / path))
            found = (entry for line in lines for entry in entries_of(line, given.rules))
            entries[kind] = list(dict.fromkeys(_cased(entry, config) for entry in found))
        feature = cls(name, config, entries)
        for note in feature.notes(given.train):
            given.tell(note)
        return feature

    @classmethod
    def restore(cls, name: str, config: GazetteerConfig, content: bytes) -> Self:
        """Return the feature with the entries of its file.

        Raises:
            ModelError: The content is damaged, or has other types than the section.
        """
        try:
            lists = _Lists.model_validate_json(content)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, detail["loc"]))
            found = f"`{place}` {plain_rule(detail['msg'])}" if place else detail["msg"]
            raise _damaged(name, f"have the entries of each type as lists of tokens, got: {found}") from None
        if list(lists.entries) != list(config.files):
            raise _damaged(name, f"have the types {quoted(config.files)}, got {quoted(lists.entries)}")
        return cls(name, config, {kind: [tuple(entry) for entry in own] for kind, own in lists.entries.items()})

    def content(self, part: "nn.Module | None") -> bytes:
        """Return the entries of each type as JSON."""
        return f"{json.dumps({'entries': self.entries}, ensure_ascii=False)}\n".encode()

    @property
    def width(self) -> int:
        """Number of types times number of places."""
        return len(self.entries) * len(PLACES)

    def arrays(self, passages: Sequence[Passage]) -> Floats:
        """Return 1 for each place of each type that a token has, else 0, of shape (tokens, types x places)."""
        rows: list[int] = []
        columns: list[int] = []
        first = 0
        for passage in passages:
            for start, end, type_id in self.matches(passage.tokens):
                rows += range(first + start, first + end)
                columns += [type_id * len(PLACES) + place for place in _places(end - start)]
            first += len(passage.tokens)
        found = np.zeros((first, self.width), np.float32)
        found[rows, columns] = 1
        return found

    def matches(self, tokens: Sequence[str]) -> Iterator[Match]:
        """Return the entries in a sentence; see `Trie.matches`."""
        return self._trie.matches(_cased(tokens, self.config))

    def notes(self, train: Packed) -> Iterator[str]:
        """Yield how many entries of each type occur in train, and how many tokens they cover."""
        found: dict[int, set[Entry]] = {type_id: set() for type_id in range(len(self.entries))}
        covered = dict.fromkeys(found, 0)
        words = np.array(_cased(train.types, self.config), dtype=object)
        for start, end in zip(train.starts.tolist(), train.starts.tolist()[1:], strict=False):
            tokens = words[train.type_ids[start:end]].tolist()
            for match in self._trie.matches(tokens):
                found[match.type_id].add(tuple(tokens[match.start : match.end]))
                covered[match.type_id] += match.end - match.start
        for type_id, (kind, entries) in enumerate(self.entries.items()):
            counts = f"entries of `{kind}` found in train: {len(found[type_id]):,} of {len(entries):,}"
            tokens = f", in {covered[type_id]:,} of {len(train.type_ids):,} tokens"
            yield f"features.{self.name}: {counts}{tokens if found[type_id] else NOTHING}"


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a list, whose encoding no key of a recipe names."""
    with utf8_alone():
        yield from iter_lines(path)


def entries_of(line: str, rules: TextRules) -> Iterable[Entry]:
    """Return the entries of a line as tokens: split at blanks, and as a text is split; none for a blank line.

    Files of a corpus may be split in either way, so both may occur in a sentence.
    """
    split = tuple(line[start:end] for start, end in rules.tokens(line))
    return filter(None, dict.fromkeys((tuple(line.split()), split)))


def _cased(tokens: Sequence[str], config: GazetteerConfig) -> Entry:
    """Return tokens in the case in which they are compared."""
    return tuple(map(str.casefold, tokens) if config.case == "fold" else tokens)


def _places(length: int) -> Sequence[int]:
    """Return the place of each token of an entry."""
    return [SINGLE] if length == 1 else [BEGINNING, *[INSIDE] * (length - 2), END]


def _damaged(name: str, problem: str) -> ModelError:
    return ModelError(f"feature.{name}.json: must {problem}; copy the folder again")
