"""The `tagger` command: parses, calls, prints."""

from tagger.cli.app import app as commands
from tagger.cli.app import main
from tagger.cli.plotting import plot

commands.add_typer(plot, name="plot")

__all__ = ["main"]
