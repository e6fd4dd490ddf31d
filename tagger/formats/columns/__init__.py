"""Formats with one token per line."""
