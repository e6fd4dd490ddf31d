"""The `tagger` command. `app` has its commands, the other modules what each of them prints."""

from tagger.cli.annotating import annotations
from tagger.cli.app import app as commands
from tagger.cli.app import main
from tagger.cli.disk.fetching import data
from tagger.cli.plotting.commands import plot
from tagger.cli.recipes import recipes

commands.add_typer(annotations, name="annotations")
commands.add_typer(data, name="data")
commands.add_typer(plot, name="plot")
commands.add_typer(recipes, name="recipes")

__all__ = ["commands", "main"]
