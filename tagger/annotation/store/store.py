"""A project on disk: one file with settings, gold sentences, texts, judgements, predictions and trainings."""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from tagger.annotation.judgements import LAYER, SCHEME
from tagger.annotation.store.database import Database, new_file, to_json
from tagger.annotation.store.judgements import Judgements
from tagger.annotation.store.predictions import Predictions
from tagger.annotation.store.schema import check_tables, make_tables
from tagger.annotation.store.settings import Settings, read_settings
from tagger.annotation.store.texts import Texts, insert_documents
from tagger.annotation.store.trainings import Trainings
from tagger.errors import DataError
from tagger.formats.jsonl import sentence_from_json, sentence_to_json
from tagger.text.document import Document
from tagger.text.sentence import Sentence, with_schemes


class Store:
    """An open file.

    Args:
        path: The file, which `create` has made.

    Raises:
        DataError: There is no such file, or it is no project, one of another version, or damaged. All methods raise it
            if the file cannot be read or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DataError(f"{path}: there is no such file; make one with tagger annotate TEXTS --types TYPE,TYPE")
        with ExitStack() as opened:
            self.database = opened.enter_context(closing(Database(self.path)))
            check_tables(self.database)
            self.settings = read_settings(self.database)
            opened.pop_all()
        self.texts = Texts(self.database)
        self.judgements = Judgements(self.database)
        self.predictions = Predictions(self.database)
        self.trainings = Trainings(self.database)

    @classmethod
    def create(
        cls, path: str | Path, documents: Iterable[Document], settings: Settings, gold: Iterable[Sentence] = ()
    ) -> "Store":
        """Make the file of a project, which is complete or not there.

        Args:
            path: The file; there must be none.
            documents: The texts. Sentences without tokens are dropped.
            settings: What holds for the project.
            gold: Sentences to score the model on.

        Raises:
            DataError: The file is there, cannot be written, or there is no text, or a sequence of numbers.
        """
        advice = f"open it with tagger annotate {path}, or choose another --output"
        with (
            new_file(Path(path), advice) as part,
            closing(Database(part)) as database,
            database.changes() as connection,
        ):
            make_tables(connection)
            if not insert_documents(connection, documents, settings.seed):
                raise DataError(f"{path}: expected at least one text with a word, got none")
            values = [(name, to_json(value)) for name, value in settings._asdict().items()]
            connection.executemany("INSERT INTO settings VALUES (?, ?)", values)
            sentences = [(to_json(sentence_to_json(sentence)),) for sentence in gold]
            connection.executemany("INSERT INTO gold (sentence) VALUES (?)", sentences)
        return cls(path)

    def gold(self) -> list[Sentence]:
        """Return the sentences to score the model on."""
        rows = self.database.all("SELECT sentence FROM gold ORDER BY id")
        found = [sentence_from_json(self.database.from_json(row)) for (row,) in rows]
        return [with_schemes(sentence, {LAYER: SCHEME}) for sentence in found]

    def close(self) -> None:
        """Close the file."""
        self.database.close()
