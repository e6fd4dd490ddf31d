"""Small projects for tests."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from tagger.annotation.project import Project
from tagger.corpus.synthetic import generate
from tagger.text.document import Document
from tagger.text.sentence import Sentence

TYPES = ["person", "location"]
OPEN: list[Project] = []  # closed after each test
TEXTS = ["Ada Lovelace lives in Oslo", "Oslo is cold today", "She met Ada there", "Nobody came to see her"]


def documents(texts: Iterable[str] = TEXTS) -> list[Document]:
    """Documents of one sentence each, whose words are between blanks."""
    return [
        Document(text, (Sentence.from_tokens(text.split()),), id=f"n{number}", record={"channel": "mail"})
        for number, text in enumerate(texts, 1)
    ]


def make_project(path: Path, texts: Iterable[str] = TEXTS, **settings: object) -> Project:
    """A project without a process that trains."""
    given = {"types": TYPES, "teach": False, "person": "ada", **settings}
    OPEN.append(Project.create(path, documents(texts), **given))  # type: ignore[arg-type]
    return OPEN[-1]


def gold_sentences(number: int, *, seed: int = 1) -> list[Sentence]:
    """Generated sentences with persons and locations among other entities."""
    return list(islice(generate(number, seed=seed, split="train"), number))
