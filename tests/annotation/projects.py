"""Small projects for tests."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tagger.annotation.project import Project
from tagger.corpus.synthetic import generate
from tagger.text.document import Document
from tagger.text.sentence import Sentence

TYPES = ["person", "location"]
Said = list[tuple[int, int, int, str | None]]  # text, start, end, type
ADA: Said = [(1, 0, 2, "person"), (1, 2, 5, None), (2, 0, 1, "location"), (2, 1, 4, None)]
BO: Said = [(1, 0, 1, "person"), (1, 2, 5, None), (2, 0, 1, "location"), (3, 2, 3, "person")]
OPEN: list[Project] = []  # closed after each test
NAMES = ["Barack Obama visited Paris in May .", "Siemens and the European Commission spoke .", "what about boston"]
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


def judged_by(path: Path, name: str, said: Said, texts: Iterable[str] = TEXTS) -> Path:
    """The file of a project that one person has judged."""
    project = make_project(path / f"{name}.sqlite", texts, person=name)
    for judgement in said:
        project.judge(*judgement)
    return project.store.path


def judged_project(path: Path, types: list[str]) -> Project:
    """A project of 80 generated texts, of which 60 are judged from gold."""
    sentences = list(islice(generate(80, seed=1, split="train"), 80))
    documents = [Document(each.text, (replace(each, layers={}),)) for each in sentences]
    project = Project.create(path, documents, types=types, teach=False)
    for number, sentence in enumerate(sentences[:60], 1):
        for span in sentence.spans("ner"):
            if span.type in types:
                project.judge(number, span.start, span.end, span.type)
        project.judge_rest(number)
    return project
