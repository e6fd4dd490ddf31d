"""Names of the columns of tokens, texts, tags and labels in public datasets."""

import re

TOKEN_COLUMNS = ("tokens", "words")
TEXT_COLUMNS = ("text", "sentence")
OFFSETS = "offsets"  # of each token in the text: its first character and the one after its last
DOCUMENT = "document"
META = "meta"  # the comments, as pairs of key and value
LABEL_COLUMNS = ("label", "labels", "intent", "sentiment", "category")  # label layers, also without a ClassLabel
NO_LAYERS = ("lemmas", "feats", "head", "deps", "misc")  # lists of strings beside the tags of treebanks; not read


def layer_name(column: str) -> str:
    """Return the default layer of a column."""
    return re.sub(r"_(tags?|labels?)$", "", column)
