"""A training of a character language model on standard error: a line per note and round, and a live line below."""

import sys

from tagger.cli.progress import LiveLine
from tagger.cli.training.notes import Notes
from tagger.pretraining.plan import Listener, Round
from tagger.wording import spoken

PARTS = 1000  # steps of the live line


class PretrainingProgress(Notes, Listener):
    """Shows a training on standard error."""

    def stepped(self, done: float, epochs: float, perplexity: float, characters_per_second: float) -> None:
        """Update the live line."""
        if not sys.stderr.isatty():
            return
        text = f"pass {epochs:.2f}  perplexity {perplexity:.3f}  {characters_per_second:,.0f} characters/s"
        self._line = self._line or LiveLine(text, PARTS)
        self._line.update(text, done * PARTS)

    def scored(self, last: Round, done: float) -> None:
        """Print a line for the round, above the live line."""
        left = last.seconds / done * (1 - done)
        rest = f"  about {spoken(left)} left" if left and self._line is None else ""
        self._print(
            f"pass {last.epochs:6.2f}  perplexity {last.perplexity:.3f}  dev {last.dev_perplexity:.3f} "
            f"({last.dev_bits:.3f} bits)  {last.characters_per_second:,.0f} characters/s{rest}"
            f"{'  best' if last.best else ''}"
        )
