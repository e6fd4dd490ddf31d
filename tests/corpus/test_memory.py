"""The memory of readers is a small multiple of the file: most read line by line, and all keep equal words once."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from readers import read, read_conll, read_conllu, read_labelled

from tagger.corpus.synthetic import generate
from tagger.encoding.vectors import read_vectors
from tagger.errors import DataError
from tagger.formats.jsonl import sentence_to_json

SENTENCES = list(generate(1000, seed=1, split="train"))


def conllu() -> str:
    blocks = (
        "".join(f"{i}\t{t}\t{t}\tNOUN\tNN\t_\t0\tx\t_\t_\n" for i, t in enumerate(s.tokens, 1)) for s in SENTENCES
    )
    return "\n".join(blocks)


def conll() -> str:
    return "\n".join(
        line for s in SENTENCES for line in [*map("\t".join, zip(s.tokens, s.tags("ner"), strict=True)), ""]
    )


def read_columns(path: Path) -> object:
    return read_conll(path, ["token", "ner"])


# The reader, a file, and its peak of memory over the size of the file, half as much again as was measured. A sentence
# takes some 700 bytes however short it is, and those here are short.
READERS: dict[str, tuple[Callable[[Path], object], Callable[[], str], float]] = {
    "conll": (read_columns, conll, 18),
    "conllu": (read_conllu, conllu, 7),
    "jsonl": (partial(read, "jsonl"), lambda: "\n".join(json.dumps(sentence_to_json(s)) for s in SENTENCES), 5),
    "labelled": (
        lambda path: read_labelled(path, "x", tokenize="blanks"),
        lambda: "".join(f"good\t{' '.join(s.tokens)}\n" for s in SENTENCES),
        25,
    ),
    "vectors": (
        lambda path: read_vectors([path]),
        lambda: "".join(f"w{i} {' '.join(['-0.12345'] * 50)}\n" for i in range(2000)),
        6,
    ),
    "json that is all wrong": (partial(read, "jsonl"), lambda: "x\n" * 10_000, 5),
    "labels that are all wrong": (lambda path: read_labelled(path, "x"), lambda: "x\n" * 50_000, 5),
}


@pytest.mark.parametrize("name", READERS)
def test_memory_is_a_small_multiple_of_the_file(
    name: str, tmp_path: Path, peak_memory: Callable[[Callable[[], object]], int]
) -> None:
    read, make, most = READERS[name]
    path = tmp_path / "file"
    path.write_text(make(), encoding="utf-8")

    def call() -> None:
        with pytest.raises(DataError) if "wrong" in name else nullcontext():
            read(path)

    assert peak_memory(call) < most * path.stat().st_size
