"""The `tagger` command: parses, calls, prints."""
