"""Sentences in other forms: in lower case, in capitals, as in print, as in a bad scan, or without marks at the end.

Tokens stay tokens, and layers stay as they are. Copies of train sentences in these forms make a model more robust.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tagger.text.choices import Perturbation
from tagger.text.sentence import Sentence, TagLayer

MISREAD = 0.04  # share of the characters that a scan changes
# What optical character recognition takes a character for.
SIMILAR = {
    **{"a": "o", "b": "h", "c": "e", "e": "c", "f": "t", "g": "q", "h": "b", "i": "l", "l": "1", "m": "rn", "n": "u"},
    **{"o": "0", "q": "g", "r": "n", "s": "5", "t": "f", "u": "n", "v": "y", "w": "vv", "y": "v", "z": "2"},
    **{"B": "8", "D": "O", "E": "F", "G": "6", "I": "l", "O": "0", "S": "5", "T": "7", "Z": "2"},
    **{"0": "O", "1": "l", "5": "S", "8": "B", ".": ",", ",": ".", "-": "~", "'": "`"},
}
PRINTED = {"--": "—", "---": "—", "...": "…", "``": "“", "''": "”"}
APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)|^'(?=\w)|(?<=\w)'$|^'$")  # inside a word, at one of its ends, or alone
MARKS = re.compile(r"[^\w\s]+")

Rng = np.random.Generator
Change = Callable[[Sequence[str], Rng], list[str]]


def _typographic(tokens: Sequence[str], rng: Rng) -> list[str]:
    """Return tokens with the quotes, apostrophes and dashes of printed text."""
    found, inside = [], False
    for token in tokens:
        if token == '"':
            inside = not inside
            found.append("“" if inside else "”")
        else:
            found.append(PRINTED.get(token) or APOSTROPHE.sub("’", token))
    return found


def _scanned(tokens: Sequence[str], rng: Rng) -> list[str]:
    """Return tokens in which some characters are taken for others."""

    def read(token: str) -> str:
        wrong = rng.random(len(token)) < MISREAD
        return "".join(SIMILAR.get(char, char) if odd else char for char, odd in zip(token, wrong, strict=True))

    return [read(token) for token in tokens]


CHANGES: Mapping[Perturbation, Change] = {
    "lower": lambda tokens, rng: [token.lower() for token in tokens],
    "upper": lambda tokens, rng: [token.upper() for token in tokens],
    "typographic": _typographic,
    "scanned": _scanned,
    "unpunctuated": lambda tokens, rng: list(tokens[: _end(tokens)]),
}


def _end(tokens: Sequence[str]) -> int:
    """Return the number of tokens before the marks at the end; all, if there is nothing else."""
    words = (i for i in range(len(tokens), 0, -1) if not MARKS.fullmatch(tokens[i - 1]))
    return next(words, len(tokens))


def perturb(sentences: Iterable[Sentence], kind: Perturbation, *, seed: int = 1) -> list[Sentence]:
    """Return sentences in another form, with their layers and documents.

    A sentence that cannot be in this form stays as it is, and so does one with entities that tokens cannot express,
    because their places in the text would change.

    Args:
        sentences: The sentences.
        kind: `lower`: in lower case; `upper`: in capitals; `typographic`: with the quotes, apostrophes and dashes of
            print; `scanned`: with 4 % of the characters taken for similar ones; `unpunctuated`: without the marks at
            their end, unless these belong to an entity.
        seed: Determines which characters a scan changes.

    Raises:
        ValueError: There is no such form.
    """
    if kind not in CHANGES:
        raise ValueError(f"kind must be one of {', '.join(CHANGES)}, got {kind!r}")
    rng = np.random.default_rng(seed)
    found = ((sentence, perturbed(sentence, kind, rng)) for sentence in sentences)
    return [old if new is old else replace(new, document=old.document) for old, new in found]


def perturbed(sentence: Sentence, kind: Perturbation, rng: Rng) -> Sentence:
    """Return a sentence in another form, with its layers; it has no document, and is as it was if nothing changes.

    Args:
        sentence: The sentence.
        kind: The form; see `perturb`.
        rng: Source of randomness.
    """
    tokens = CHANGES[kind](sentence.tokens, rng)
    cut = len(tokens)
    if tokens == [*sentence.tokens] or not _may_change(sentence, cut):
        return sentence
    layers = {
        name: TagLayer(layer.tags[:cut], layer.scheme, layer.shown, types=layer.types)
        if isinstance(layer, TagLayer)
        else layer
        for name, layer in sentence.layers.items()
    }
    return Sentence.from_tokens(tokens, layers)


def _may_change(sentence: Sentence, end: int) -> bool:
    """Whether no entity is lost if a sentence has another text, and only its tokens before `end`."""
    layers = [layer for layer in sentence.layers.values() if isinstance(layer, TagLayer) and layer.scheme]
    return not any(layer.unaligned for layer in layers) and all(
        tag in ("O", None) for layer in layers for tag in layer.tags[end:]
    )


def perturbed_copies(
    sentences: Sequence[Sentence], shares: Mapping[Perturbation, float], rng: Rng
) -> Iterator[Sentence]:
    """Yield copies of some sentences in other forms; a sentence that a form does not change has no copy in it.

    Args:
        sentences: The sentences.
        shares: The share of the sentences that have a copy in each form.
        rng: Determines which, and what is drawn in them.
    """
    for kind, share in shares.items():
        for i in np.flatnonzero(rng.random(len(sentences)) < share).tolist():
            if (copy := perturbed(sentences[i], kind, rng)) is not sentences[i]:
                yield copy
