"""Tagging inside other tools: spaCy, pandas and Arrow."""
