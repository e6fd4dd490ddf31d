"""Generated English sentences with entities, parts of speech and sentiment, in any number.

The grammar in `grammar.txt` generates tokens together with their tags. In many sentences later words determine the
annotation of earlier ones. `Washington` is a person, a location or an organization, depending on what follows; `Book`
is a verb in `Book the room` and a noun in `Book sales rose`; an opinion that begins positive may end negative. The
whole sentence is never ambiguous: the same tokens always have the same annotation.

Words are split as in the Penn Treebank (`did n't`, `Maria 's`) and tagged with the parts of speech of Universal
Dependencies. The sentiment is that of an opinion: a report of facts is neutral, a denied negative is positive, and of
two opinions that in the main clause, or else the later one, counts.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from random import Random
from typing import Literal, NamedTuple, TypeAlias, get_args
from zlib import crc32

from tagger.text.sentence import Label, Layer, Sentence, TagLayer

Split = Literal["train", "dev", "test"]

MAX_TOKENS = 25
ENTITY_TYPES = ("person", "location", "organization", "product")
SPLITS: tuple[Split, ...] = (*("train",) * 8, "dev", "test")  # the checksum of a text, modulo 10, is the index
STARTS = {"positive": ("opinion+", 3), "negative": ("opinion-", 3), "neutral": ("report", 4)}  # label: rule and weight


def generate(sentences: int, *, seed: int, split: Split) -> Iterator[Sentence]:
    """Yield sentences with the layers `ner`, `upos` and `sentiment`; equal arguments give equal sentences anywhere.

    A text belongs to one split, whatever the seed, so the splits never share a sentence. Within a split a short
    sentence may occur twice. `meta["later"]`, if present, has the indices, separated by spaces, of the tokens whose
    `ner` or `upos` tag later words decide.

    Args:
        sentences: Number of sentences.
        seed: Selects the stream of a split; a longer stream begins with the sentences of a shorter one.
        split: `train` has eight tenths of all texts, `dev` and `test` one tenth each, so theirs take longer to find.

    Raises:
        ValueError: `sentences` is negative, or `split` is unknown.
    """
    if sentences < 0:
        raise ValueError(f"sentences must be 0 or more, got {sentences}")
    if split not in get_args(Split):
        raise ValueError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
    return _stream(sentences, Random(f"{seed} {split}").random, split)


class Phrase(NamedTuple):
    """Words with their tags; `later` is true if later words decide a tag of the first."""

    text: str
    upos: tuple[str, ...]
    ner: tuple[str, ...]
    later: bool


Words: TypeAlias = tuple[Phrase, ...]
Rule: TypeAlias = list[tuple["Rule | Words", ...]]  # alternatives, each a sequence of word choices and other rules


def _stream(sentences: int, random: Callable[[], float], split: Split) -> Iterator[Sentence]:
    starts = _starts()
    while sentences:
        label, rule = starts[int(random() * len(starts))]
        phrases: list[Phrase] = []
        _expand(rule, random, phrases)
        text = " ".join([phrase.text for phrase in phrases])
        text = text[0].upper() + text[1:]
        if text.count(" ") < MAX_TOKENS and SPLITS[crc32(text.encode()) % len(SPLITS)] == split:
            sentences -= 1
            yield _sentence(text, phrases, label)


def _expand(rule: Rule, random: Callable[[], float], phrases: list[Phrase]) -> None:
    """Add one expansion of a rule to `phrases`.

    Only `random()` is used: it is the one method of `Random` whose results are the same in every version of Python.
    """
    for part in rule[int(random() * len(rule))]:
        if isinstance(part, list):
            _expand(part, random, phrases)
        else:
            phrases.append(part[int(random() * len(part))] if len(part) > 1 else part[0])


def _sentence(text: str, phrases: list[Phrase], label: Label) -> Sentence:
    """Return the sentence made of these phrases."""
    upos: list[str] = []
    ner: list[str] = []
    later: list[str] = []
    for phrase in phrases:
        if phrase.later:
            later.append(str(len(upos)))
        upos += phrase.upos
        ner += phrase.ner
    layers: Mapping[str, Layer]
    layers = {"ner": TagLayer(tuple(ner), "iob2", "iob2"), "upos": TagLayer(tuple(upos)), "sentiment": label}
    return Sentence.from_tokens(text.split(" "), layers, meta={"later": " ".join(later)} if later else None)


@cache
def _starts() -> list[tuple[Label, Rule]]:
    """Return each label with its start rule, repeated according to its weight."""
    grammar = _Grammar()
    return [(Label(label), grammar.rule(name)) for label, (name, weight) in STARTS.items() for _ in range(weight)]


class _Grammar:
    """The parsed table; a rule is built when it is first requested."""

    def __init__(self) -> None:
        self.common: dict[str, str] = {}
        self.words: dict[str, tuple[str, list[str]]] = {}
        written: dict[str, str] = {}
        table = files(__package__).joinpath("grammar.txt").read_text(encoding="utf-8")
        # an entry begins at the margin, without `#`, and goes on in indented lines
        for entry in re.findall(r"^[^#\s].*(?:\n .*)*", table, re.MULTILINE):
            name, _, text = entry.partition(" = ")
            name, _, tag = name.partition("/")
            if not tag:
                written[name] = text
            elif name:
                self.words[name] = tag, text.split()
            else:
                self.common |= dict.fromkeys(text.split(), tag)
        self.texts = {_mirrored(name): _mirrored(text) for name, text in written.items()} | written
        self.built: dict[str, Rule] = {}

    def rule(self, name: str) -> Rule:
        """Return a rule with all rules and words in it."""
        if name not in self.built:
            first_word = name.split(".")[0]
            entity_type = first_word if first_word in ENTITY_TYPES else None
            texts = self.texts[name].split("|")
            self.built[name] = [parts for text in texts for parts in self._alternative(text, entity_type)]
        return self.built[name]

    def _alternative(self, text: str, entity_type: str | None) -> list[tuple[Rule | Words, ...]]:
        """Return the parts of an alternative, repeated according to its weight."""
        items = text.split()
        weight = int(items.pop(0).removesuffix("*")) if items[0].endswith("*") else 1
        tags = [f"{'I' if i else 'B'}-{entity_type}" if entity_type else "O" for i in range(len(items))]
        return [tuple(self._part(item, tag) for item, tag in zip(items, tags, strict=True) if item != "_")] * weight

    def _part(self, item: str, ner: str) -> Rule | Words:
        """Return the meaning of an item: a rule, the words of a list, or one word."""
        name, _, tag = item.rstrip("^").strip("{}").partition("/")
        if item[0] == "{" and name in self.texts:
            return self.rule(name)
        if item[0] == "{":
            usual, words = self.words[name]
            return tuple(_phrase(word, tag or usual, ner, later=item[-1] == "^") for word in words)
        return (_phrase(name, tag or self.common[name], ner, later=item[-1] == "^"),)


def _phrase(word: str, upos: str, ner: str, *, later: bool) -> Phrase:
    tokens = word.split("_")
    inside = ner.replace("B-", "I-")
    return Phrase(" ".join(tokens), (upos,) * len(tokens), (ner, *[inside] * (len(tokens) - 1)), later)


def _mirrored(text: str) -> str:
    """Return a text with + and - exchanged."""
    return text.translate(str.maketrans("+-", "-+"))
