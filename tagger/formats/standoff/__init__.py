"""Formats that annotate character spans beside the text."""
