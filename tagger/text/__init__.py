"""Sentences, their tags, and how raw text is split into them."""
