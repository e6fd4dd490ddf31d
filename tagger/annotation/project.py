"""A project of annotation: texts, the judgements on them, and a model that suggests and learns beside them.

A judgement is about tokens `[start, end)` of a sentence: they are an entity of a type, or no token of them is in an
entity (type None). All other tokens stay unknown.
"""

import getpass
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagger.annotation.exporting import export
from tagger.annotation.gold import gold_of
from tagger.annotation.judgements import Judged, Judgement, Kind, gaps, holding
from tagger.annotation.selection import MOST, RECENT, Candidate, best
from tagger.annotation.store.settings import HELD_OUT, Settings
from tagger.annotation.store.store import Store
from tagger.annotation.store.texts import Text
from tagger.errors import DataError
from tagger.files.writing import locked_by, one_sentence
from tagger.text.document import Document
from tagger.text.sentence import Sentence
from tagger.wording import counted, quoted, shorten

RESTART = 10.0  # seconds after which a process that ended by itself is started again
PACE = 50  # last judgements whose seconds give the pace
LONGEST_TYPE = 50  # characters


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A span that the model suggests: tokens `[start, end)`, with the probability that they are exactly this entity."""

    start: int
    end: int
    type: str
    probability: float


@dataclass(frozen=True, slots=True)
class Item:
    """A text to judge: one sentence.

    Args:
        id: Its number in the project.
        text: The sentence.
        tokens: Start and end of each token in `text`.
        suggestions: What the model suggests where nothing is judged, in the order of the text.
        judged: The judgements that hold, in the order of the text.
        why: A short reason why this text comes now.
    """

    id: int
    text: str
    tokens: list[tuple[int, int]]
    suggestions: list[Suggestion]
    judged: list[Judged]
    why: str

    @property
    def is_finished(self) -> bool:
        """Whether all tokens are judged."""
        return not gaps(self.judged, len(self.tokens))


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
        self.store = Store(path)
        self._open = ExitStack()
        self._open.callback(self.store.close)
        if teach:
            self._be_alone()
        self.types = self.store.settings.types
        self.person = person if person is not None else _user()
        self._left: set[int] = set()  # texts that were shown and left as they were
        self._lock = threading.RLock()
        self._teach = teach
        self._worker: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._keep_working()

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

    def _be_alone(self) -> None:
        """Lock the project, so that no other process trains for it."""
        path = self.store.path.resolve()
        with one_sentence(path):
            owned = self._open.enter_context(locked_by(path.with_name(f".{path.name}.lock")))
        if not owned:
            self._open.close()
            raise DataError(
                f"{self.store.path}: the project must be open once, but another process has it open; use the page of "
                "that process, or end it first"
            )

    # Texts

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
            self._keep_working()
            judgements = self.store.judgements.all()
            if after is not None:
                self.store.texts.one(after)
                self._left.add(after)
            elif judgements and judgements[-1].kind == "tokens":
                item = self._item(judgements[-1].text, "you have begun it")
                if not item.is_finished:
                    return item
            found = self._fresh(judgements) or self._unfinished(judgements)
            if found is None and self._left:
                self._left = {after} if after is not None else set()
                found = self._fresh(judgements) or self._unfinished(judgements)
            return found

    def _fresh(self, judgements: Sequence[Judgement]) -> Item | None:
        """Return the next text without a judgement."""
        rows = [row for row in self.store.texts.untouched() if row.id not in self._left]
        is_held_out = self.store.settings.is_held_out
        held = [row.id for row in rows if is_held_out(row.draw)]
        others = [(row.id, row.gain) for row in rows if not is_held_out(row.draw)]
        touched = dict.fromkeys(each.text for each in judgements)
        if held and (not others or self._held_out(touched) < len(touched) // HELD_OUT):
            return self._item(held[0], "drawn by chance: judge all of it, to score the model")
        known = any(gain is not None for _, gain in others)
        ranked = sorted(others, key=lambda row: -(row[1] or 0.0))[:MOST] if known else others[:MOST]
        gains = dict(ranked)
        candidates = [_candidate(text, gains[text.id] if known else None) for text in self.store.texts.some(gains)]
        recent = [_words(text.sentence) for text in self.store.texts.some(list(touched)[-RECENT:])]
        order = {id: place for place, id in enumerate(gains)}
        chosen = best(sorted(candidates, key=lambda each: order[each.id]), recent)
        if chosen is None:
            return None
        if not known:
            return self._item(chosen.id, "no model has learned your types yet")
        return self._item(chosen.id, "the model is unsure here" if gains[chosen.id] else "nothing is less sure")

    def _held_out(self, texts: Iterable[int]) -> int:
        """Return how many of these texts are held out from training."""
        return sum(self.store.settings.is_held_out(text.draw) for text in self.store.texts.some(texts))

    def _unfinished(self, judgements: Sequence[Judgement]) -> Item | None:
        """Return the first text that was begun and not finished."""
        skipped = {each.text for each in judgements if each.kind == "skip"}
        for id in dict.fromkeys(each.text for each in judgements):
            if id not in skipped and id not in self._left:
                item = self._item(id, "not all of it is judged")
                if not item.is_finished:
                    return item
        return None

    def item(self, id: int) -> Item:
        """Return a text.

        Raises:
            DataError: There is no such text.
        """
        with self._lock:
            return self._item(id, "you have opened it")

    def _item(self, id: int, why: str) -> Item:
        sentence = self.store.texts.one(id).sentence
        held, said = holding(self.store.judgements.on(id), len(sentence)), self.store.predictions.on(id)
        free = gaps(held, len(sentence))
        suggestions = [
            Suggestion(*span)
            for span in (said.spans if said is not None else ())
            if any(start <= span[0] and span[1] <= end for start, end in free)
        ]
        first, last = sentence.offsets[0][0], sentence.offsets[-1][1]
        tokens = [(start - first, end - first) for start, end in sentence.offsets]
        return Item(id, sentence.text[first:last], tokens, suggestions, held, why)

    # Judgements

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
        return self._item(item, "")

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
            return None if id is None else self._item(id, "taken back")

    # Progress

    def progress(self) -> dict[str, Any]:
        """Return counts, the score of the last training with its interval, and the state of the training.

        `per_minute` is the pace of the last judgements that have seconds; None if none has.
        """
        with self._lock:
            self._keep_working()
            judgements, trainings = self.store.judgements.all(), self.store.trainings.all()
            done = self.store.trainings.ended()
            kinds = Counter(
                judged.type
                for each in self.store.judgements.by_text().values()
                for judged in holding(each, 0)
                if judged.type is not None
            )
            said = [each for each in judgements if each.kind != "skip"]
            running = len(done) < len(trainings) and (self._worker is not None and self._worker.poll() is None)
            last = done[-1] if done else None
            return {
                "judgements": len(said),
                "spans": sum(kinds.values()),
                "texts_judged": len({each.text for each in said}),
                "texts": self.store.texts.count(),
                "per_minute": _pace(said),
                "types": {name: kinds[name] for name in self.types},
                "score": next((t.facts["score"] for t in reversed(done) if t.facts.get("score")), None),
                "training": "running" if running else "idle",
                "trainings": sum("error" not in training.facts for training in done),
                "seconds_of_training": round(last.seconds or 0.0, 1) if last else 0.0,
                "next_training_in": self.store.trainings.due_in(),
                "error": last.facts.get("error") if last else None,
            }

    def export(self, format: str, path: str | Path, *, only_whole: bool = False) -> str:
        """Write the judged sentences to a file, and return in a sentence what was written and what is lost.

        Raises:
            DataError: The format cannot hold entities, or the file cannot be written.
        """
        with self._lock:
            return export(self.store, format, path, only_whole=only_whole)

    # Training

    def learn(self, **settings: Any) -> bool:
        """Train in this process; the arguments and the result are those of `tagger.annotation.learning.learn`."""
        from tagger.annotation.learning import learn

        return learn(self.store, **settings)

    def _keep_working(self) -> None:
        """Start the process that trains, if it is not there or was killed."""
        if not self._teach or (self._worker is not None and self._worker.poll() is None):
            return
        if self._worker is None or time.monotonic() - self._began >= RESTART:
            self._end_worker()
            command = [sys.executable, "-m", "tagger.annotation.worker", str(self.store.path)]
            self._worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self._began = time.monotonic()

    def _end_worker(self) -> None:
        if self._worker is not None and self._worker.stdin is not None:
            self._worker.stdin.close()
            self._worker.wait()

    def close(self) -> None:
        """End the training and close the file."""
        with self._lock:
            self._teach = False
            self._end_worker()
            self._open.close()


def checked_types(types: Sequence[str]) -> list[str]:
    """Return the types of a project.

    Raises:
        DataError: There is none, two are the same, or one cannot be part of a tag.
    """
    found = [name.strip() for name in types]
    wrong = [name for name in found if not name or len(name) > LONGEST_TYPE or any(map(str.isspace, name))]
    if not found or wrong or len({*found}) < len(found):
        raise DataError(
            f"--types: expected different names without white space, such as PER,ORG, got {shorten(','.join(types))}"
        )
    return found


def _candidate(text: Text, gain: float | None) -> Candidate:
    return Candidate(text.id, _words(text.sentence), len(text.sentence), gain)


def _words(sentence: Sentence) -> frozenset[str]:
    return frozenset(token.lower() for token in sentence.tokens)


def _pace(judgements: Sequence[Judgement]) -> float | None:
    """Return how many judgements a person makes in a minute."""
    seconds = [each.seconds for each in judgements if each.seconds > 0][-PACE:]
    return round(60 * len(seconds) / sum(seconds), 1) if seconds else None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return ""


def described(project: Project) -> str:
    """Return in a line how far a project is."""
    facts = project.progress()
    return f"{counted(facts['texts'], 'text')}, {counted(facts['judgements'], 'judgement')}"
