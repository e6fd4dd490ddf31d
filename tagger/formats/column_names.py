"""The names that columns of tokens, texts, tags and labels have in public datasets."""

import re

TOKEN_COLUMNS = ("tokens", "words")
TEXT_COLUMNS = ("text", "sentence")
OFFSETS = "offsets"  # with tokens and text: first and past-the-last character of each token
DOCUMENT = "document"
META = "meta"  # pairs of key and value
LABEL_COLUMNS = ("label", "labels", "intent", "sentiment", "category")  # are layers without a ClassLabel too
NO_LAYERS = ("lemmas", "feats", "head", "deps", "misc")  # lists of strings that hubs put beside the tags of treebanks


def layer_name(column: str) -> str:
    """The layer that a column is read into where the user does not say it."""
    return re.sub(r"_(tags?|labels?)$", "", column)
