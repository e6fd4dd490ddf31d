"""The [data] section: where sentences are (`corpus.py`), how to read them (`reading.py`), what keys may be."""
