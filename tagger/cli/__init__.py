"""The `tagger` command: parses, calls, prints."""

from tagger.cli.app import app, main
from tagger.cli.plotting import plot

app.add_typer(plot, name="plot")

__all__ = ["main"]
