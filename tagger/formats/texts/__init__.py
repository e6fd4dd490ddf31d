"""Formats of whole texts, plain or with a label."""
