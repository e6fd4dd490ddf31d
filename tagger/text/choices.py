"""The words between which a recipe and the command line choose, each set in one place.

The schemes of tags are in `schemes`, the ways to split raw text in `tokenization`.
"""

from typing import Literal

FileFormat = Literal["conll", "conllu", "labelled", "jsonl", "brat"]  # the rows of `formats/table.py` that hold tags
StreamFormat = Literal["text", "conll", "jsonl"]  # the rows that `tagger tag` reads and writes
Invalid = Literal["error", "repair"]
Precision = Literal["float32", "bfloat16"]  # of the encoder
Misaligned = Literal["error", "drop", "expand"]
Nested = Literal["error", "outermost", "innermost"]
