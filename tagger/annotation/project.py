"""A project of annotation: texts, the judgements on them, and a model that suggests and learns beside them.

A judgement is about tokens `[start, end)` of a sentence: they are an entity of a type, or no token of them is in an
entity (type None). All other tokens stay unknown.
"""

import getpass
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tagger.annotation.checking import checked_types, gold_of
from tagger.annotation.exporting import export
from tagger.annotation.items import Item, item_of
from tagger.annotation.judgements import Kind
from tagger.annotation.learning.process import TrainingProcess
from tagger.annotation.progress import progress_of
from tagger.annotation.selection import Queue
from tagger.annotation.store.settings import Settings
from tagger.annotation.store.store import Store
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.sentence import Sentence
from tagger.wording import quoted, shorten


class Project:
    """A project that is open; threads may share it.

    A later judgement replaces earlier entities that it overlaps, and the part of earlier stretches without an entity
    that it overlaps. "Nothing else here" holds for all tokens of the sentence that no entity covers, also for entities
    that are judged later.

    Args:
        path: The file, which `create` has made.
        teach: Whether to start the process that trains after every 20 judgements. Otherwise `learn` trains.
        person: Who judges. Default: the name of the user.

    Raises:
        DataError: There is no such file, or it is no project, or one of another version; or another process teaches.
    """

    def __init__(self, path: str | Path, *, teach: bool = True, person: str | None = None) -> None:
        with ExitStack() as opened:
            self.store = opened.enter_context(closing(Store(path)))
            self._process = opened.enter_context(closing(TrainingProcess(self.store.path))) if teach else None
            self.types = self.store.settings.types
            self.person = person if person is not None else _user()
            self._queue = Queue(self.store)
            self._lock = threading.RLock()
            self._keep_training()
            self._opened = opened.pop_all()

    @classmethod
    def create(
        cls,
        path: str | Path,
        documents: Iterable[Document],
        *,
        types: Sequence[str],
        start: str = "english",
        gold: Sequence[Sentence] = (),
        seed: int = 1,
        teach: bool = True,
        person: str | None = None,
    ) -> "Project":
        """Make the file of a project and open it.

        Args:
            path: The file; there must be none.
            documents: The texts, split into sentences and tokens. Their sentences are what is judged.
            types: The types of entities.
            start: The model that trainings start from. If it finds some of the types, it suggests them from the first
                text on.
            gold: Sentences to score the model on, with entities in the only tag layer. Default: a share of the texts is
                held out from training.
            seed: Seed of the order of texts and of trainings.
            teach: As for an existing file.
            person: As for an existing file.

        Raises:
            DataError: The file is there, cannot be written, or there is no text; or types are missing or invalid.
        """
        checked = checked_types(types)
        sentences = gold_of(gold, checked)
        settings = Settings(checked, start, seed, len(sentences))
        Store.create(path, documents, settings, sentences).close()
        return cls(path, teach=teach, person=person)

    def next(self, after: int | None = None) -> Item | None:
        """Return the text to judge next; None if all are judged or skipped.

        That is the text that teaches most among those without a judgement. One text in five comes by chance instead:
        it is held out from training, to score the model. When no text is without a judgement, those that are not
        finished come again. A text that was left without a judgement comes again last.

        Args:
            after: The text that is left. Default: the page was opened, so that a text that was begun comes again.

        Raises:
            DataError: There is no such text.
        """
        with self._lock:
            self._keep_training()
            return self._queue.next(after)

    def item(self, id: int) -> Item:
        """Return a text.

        Raises:
            DataError: There is no such text.
        """
        with self._lock:
            return item_of(self.store, id, "you have opened it")

    def judge(self, item: int, start: int, end: int, type: str | None, seconds: float = 0.0) -> Item:
        """Save a judgement, and return the text with it.

        Args:
            item: The text.
            start: The first token.
            end: The token after the last one.
            type: The type of the entity; None if no token of them is in an entity.
            seconds: How long the person took.

        Raises:
            DataError: There is no such text, token or type.
        """
        with self._lock:
            length = len(self.store.texts.one(item).sentence)
            if not 0 <= start < end <= length:
                raise DataError(
                    f"text {item}: a judgement must be about tokens [start, end) with 0 <= start < end <= {length}, "
                    f"got [{start}, {end})"
                )
            if type is not None and type not in self.types:
                raise DataError(f"text {item}: the type must be one of {quoted(self.types)}, got {shorten(type)}")
            return self._saved(item, "tokens", start, end, type, seconds)

    def judge_rest(self, item: int, seconds: float = 0.0) -> Item:
        """Judge that the sentence has no entity beside its judged ones, and return the text.

        Raises:
            DataError: There is no such text.
        """
        with self._lock:
            return self._saved(item, "rest", 0, len(self.store.texts.one(item).sentence), None, seconds)

    def _saved(self, item: int, kind: Kind, start: int, end: int, type: str | None, seconds: float) -> Item:
        self.store.judgements.add(item, kind, start, end, type, seconds=max(seconds, 0.0), person=self.person)
        return item_of(self.store, item, "")

    def skip(self, item: int) -> None:
        """Leave a text out: it does not come again.

        Raises:
            DataError: There is no such text.
        """
        with self._lock:
            self.store.texts.one(item)
            self.store.judgements.add(item, "skip", person=self.person)

    def undo(self) -> Item | None:
        """Take the last judgement or skip back, and return its text; None if there is none."""
        with self._lock:
            id = self.store.judgements.undo()
            return None if id is None else item_of(self.store, id, "taken back")

    def progress(self) -> dict[str, Any]:
        """Return counts, the score of the last training with its interval, and the state of the training.

        `per_minute` is the pace of the last judgements that have seconds; None if none has.
        """
        with self._lock:
            self._keep_training()
            return progress_of(self.store, is_training=self._process is not None and self._process.is_running)

    def export(self, format: str, path: str | Path, *, only_whole: bool = False) -> str:
        """Write the judged sentences to a file, and return in a sentence what was written and what is lost.

        Raises:
            DataError: The format cannot hold entities, or the file cannot be written.
        """
        with self._lock:
            return export(self.store, format, path, only_whole=only_whole)

    def learn(self, **settings: Any) -> bool:
        """Train here; the arguments and the result are those of `tagger.annotation.learning.training.learn`."""
        from tagger.annotation.learning.training import learn  # the page itself needs no torch

        return learn(self.store, **settings)

    def _keep_training(self) -> None:
        if self._process is not None:
            self._process.keep_running()

    def close(self) -> None:
        """End the training and close the file."""
        with self._lock:
            self._process = None  # so that no thread starts it again
            self._opened.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return ""
