"""The values that a recipe and the command line accept for their choices and seeds, each set defined once.

`schemes.py` has those for tag schemes, `tokenization.py` those for splitting raw text.
"""

from typing import Literal

FileFormat = Literal[  # the rows of `formats/table.py` that hold tags
    "conll",
    "conllu",
    "labelled",
    "jsonl",
    "brat",
    "docbin",
    "fasta",
    "frames",
    "parallel",
    "pubtator",
    "rasa",
    "tagged",
    "wav",
    "webanno",
    "xml",
]
WITHOUT_LINES = ("brat", "docbin", "frames", "wav")  # those whose readers open the files themselves
InputFormat = Literal["text", "csv", FileFormat]  # the rows that `tagger tag` reads
OutputFormat = Literal["text", "conll", "jsonl", "csv", "parquet", "doccano", "labelstudio", "prodigy"]  # and writes
Unit = Literal["line", "document", "file"]  # of plain text that is tagged
Invalid = Literal["error", "repair"]
BackendName = Literal["auto", "torch", "numpy", "onnx"]  # what runs a model
Precision = Literal["float32", "bfloat16", "auto"]  # of the encoder; `auto` is the faster on this machine
ExportPrecision = Literal["float32", "int8"]  # of the encoder of an exported model
Misaligned = Literal["error", "drop", "expand"]
Several = Literal["error", "skip", "join"]
Perturbation = Literal["lower", "upper", "typographic", "scanned", "unpunctuated"]
Nested = Literal["error", "outermost", "innermost", "layers"]
MOST_SEED = 2**63 - 1  # seeds are whole numbers from 0
