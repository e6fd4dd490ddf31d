"""The `tagger` command: parses, calls, prints."""

from tagger.cli.app import main

__all__ = ["main"]
