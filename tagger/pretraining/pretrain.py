"""`tagger pretrain`: from files of text to a folder with a character language model.

The folder holds the best model so far, and a checkpoint, from which a training that was stopped or killed continues as
if nothing had happened. After each round both are written at once, and between rounds the checkpoint at regular times.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagger.files.writing import replace_files, replaced
from tagger.nn.tensor_files import pack, unpack
from tagger.pretraining.characters import Characters
from tagger.pretraining.folder import CHECKPOINT, LOG, card, open_folder
from tagger.pretraining.model import CharLM, CharLMSizes, build_charlm, charlm_files
from tagger.pretraining.plan import Listener, Plan, Round
from tagger.pretraining.texts import FEWEST, Reading, check_columns, hold_out, read_texts
from tagger.pretraining.training import Training

SAVED_EVERY = 60.0  # seconds from one checkpoint to the next


@dataclass(frozen=True)
class Outcome:
    """The result of a training.

    Args:
        model: The best model.
        best: The round that it comes from.
        rounds: All rounds.
        finished: Whether the training was not stopped.
    """

    model: CharLM
    best: Round
    rounds: Sequence[Round]
    finished: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as values of JSON."""
        best = asdict(self.best)
        for name in ("best", "learning_rate"):
            del best[name]
        return {"finished": self.finished, **dict(self.model.facts), "rounds": len(self.rounds), "best": best}


def pretrain(
    files: Sequence[Path],
    output: Path,
    *,
    plan: Plan,
    dev: Path | None = None,
    reading: Reading | None = None,
    overwrite: bool = False,
    resume: bool = False,
    threads: int = 1,
    listener: Listener | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train a character language model in both directions, and keep it in a folder.

    Args:
        files: The texts to learn from.
        output: The folder.
        plan: How to train.
        dev: A text to score the model on. Default: the last lines of the others, which are then not learned from.
        reading: How all files are read.
        overwrite: Whether to replace what the folder holds.
        resume: Whether to continue the training whose checkpoint the folder holds. Texts and plan must be the same,
            apart from `epochs` and `minutes`; a note says what another length changes.
        threads: Number of CPU threads; two are used at most, one for each direction.
        listener: Receives the events of the training.
        stop: Asked after each step whether to stop. The training can then be continued.

    Raises:
        DataError: A file cannot be read, or there is too little text.
        ModelError: The folder cannot be used, or its checkpoint is damaged.
        RecipeError: Columns are given for files that have none.
        TaggerError: The checkpoint is of another text or plan, or training diverged.
    """
    listener = listener or Listener()
    with open_folder(output, overwrite=overwrite, resume=resume):
        reading = reading or Reading()
        check_columns([*files, *([dev] if dev is not None else [])], reading)
        text = read_texts(files, reading)
        text, held_out = (
            hold_out(text) if dev is None else (text, read_texts([dev], reading, name="the held-out text (--dev)"))
        )
        characters = Characters.of(text)
        facts = {
            "files": [str(file).encode("utf-8", "backslashreplace").decode() for file in files],
            "characters": len(text),
            "dev_characters": len(held_out),
            "known_characters": len(characters) - 1,
            "seed": plan.seed,
        }
        listener.noted(
            f"{len(text):,} characters to learn from, {len(held_out):,} held out, {len(characters) - 1} different ones"
        )
        if len(held_out) < FEWEST:  # of the default; a file has at least as many
            listener.noted(
                f"only {len(held_out):,} characters are held out, so the scores that choose the best model are rough; "
                f"name a held-out text of at least {FEWEST:,} characters with --dev"
            )
        sizes = CharLMSizes(dimension=plan.dimension, hidden_size=plan.hidden_size)
        model = build_charlm(sizes, characters, facts, seed=plan.seed, dropout=plan.dropout)
        training = Training(model, characters.ids(text), characters.ids(held_out), plan)
        return _Run(training, output, facts, listener, stop).carried_out(resume=resume, threads=threads)


@dataclass
class _Run:
    """A training, and the folder that it is kept in.

    Args:
        training: The training.
        folder: The folder.
        facts: How the model is made.
        listener: Receives the events.
        stop: Whether to stop.
    """

    training: Training
    folder: Path
    facts: dict[str, Any]
    listener: Listener
    stop: Callable[[], bool]
    _saved: float = field(init=False, default_factory=time.monotonic)

    def carried_out(self, *, resume: bool, threads: int) -> Outcome:
        """Train from the start or from the checkpoint, and return the outcome."""
        training, checkpoint = self.training, self.folder / CHECKPOINT
        if resume:
            training.restore(*unpack(checkpoint.read_bytes(), str(checkpoint)), str(checkpoint))
            self.listener.noted(f"continued from {checkpoint}: {training.done:.0%} done")
            if (length := training.plan.length) != training.planned:
                self.listener.noted(
                    f"the training ends after {length} instead of {training.planned}; the learning rate changes here, "
                    f"so the model is not the one of a training that had {length} from the start"
                )
        finished = training.run(threads=threads, listener=self.listener, stepped=self._stepped, scored=self._scored)
        last = training.best
        if last is None:  # stopped before the first round
            self._save_checkpoint()
            last = training.score_now()
        training.use_best()
        model = self._model_of(last)
        files = self._files(model, last, finished=finished)
        replace_files(self.folder, {**files, LOG: _log(training.rounds)})
        if finished:
            checkpoint.unlink(missing_ok=True)
        else:
            self.listener.noted(f"stopped after {training.done:.0%}; --resume continues")
        return Outcome(model, last, training.rounds, finished)

    def _stepped(self) -> bool:
        """Save the state of the training at regular times and before it stops; return whether it stops."""
        stops = self.stop()
        if stops or time.monotonic() > self._saved + SAVED_EVERY:
            self._save_checkpoint()
        return stops

    def _save_checkpoint(self) -> None:
        with replaced(self.folder / CHECKPOINT) as stream:
            stream.write(self._checkpoint())
        self._saved = time.monotonic()

    def _checkpoint(self) -> bytes:
        return pack(*self.training.state())

    def _scored(self, last: Round) -> None:
        """Keep the log and the checkpoint after a round, and the model if it is the best so far: all at once."""
        model = self._files(self._model_of(last), last, finished=False) if last.best else {}
        replace_files(self.folder, {**model, LOG: _log(self.training.rounds), CHECKPOINT: self._checkpoint()})
        self._saved = time.monotonic()

    def _files(self, model: CharLM, last: Round, *, finished: bool) -> dict[str, bytes]:
        """Return the files of the model."""
        return charlm_files(model, card(model, last, finished=finished))

    def _model_of(self, last: Round) -> CharLM:
        """Return the model with how it was made and scored."""
        found = asdict(last)
        scores = {name: found[name] for name in ("epochs", "seconds", *(n for n in found if n.startswith("dev_")))}
        model = self.training.model
        return CharLM(model.sizes, model.characters, model.network, self.facts | scores)


def _log(rounds: Sequence[Round]) -> bytes:
    return "".join(json.dumps(asdict(each)) + "\n" for each in rounds).encode()
