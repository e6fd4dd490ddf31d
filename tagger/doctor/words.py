"""Check tokens and ids: empty tokens, white space, control characters, wrong encodings, duplicate ids."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tagger.doctor.findings import Findings
from tagger.text.sentence import Label, Sentence, TagLayer, place_of

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")
C1 = re.compile(r"[\x80-\x9f]")
SPACE = re.compile(r"\s")
INVISIBLE = re.compile(r"[\u00ad\u200b\u2060\ufeff]")
ENCODINGS = ("cp1252", "latin-1")
ALONE = {"GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC"}  # scripts whose letters no Latin word has
RARE = {"SYRIAC", "THAANA", "NKO"}  # what `Ü`, `Þ` and `ß` before a quotation mark would be


class Oddity(NamedTuple):
    """What is unusual about a token."""

    kind: str
    message: str
    is_error: bool = True


def oddity_of(token: str) -> Oddity | None:
    """Return what is unusual about a token, or None."""
    if token.isascii() and token.isprintable() and token and " " not in token:
        return None
    if not token.strip():
        return Oddity("empty", f"a token must have a visible character, got {token!r}")
    if found := CONTROL.search(token):
        return Oddity("control", f"a token must not contain control characters, got {found[0]!a} in {token!a}")
    if (meant := unmangled(token)) is not None:
        return Oddity(
            "mojibake",
            f"token {token!r} was decoded with the wrong encoding and probably is {meant!r}; fix the encoding",
        )
    if C1.search(token) or "\ufffd" in token:
        return Oddity(
            "mojibake", f"token {token!a} was decoded with the wrong encoding and lost characters; fix the encoding"
        )
    if found := SPACE.search(token):
        return Oddity("space", f"a token must not contain white space, got {found[0]!a} in {token!r}")
    if found := INVISIBLE.search(token):
        name = unicodedata.name(found[0], "SOFT HYPHEN")
        return Oddity("invisible", f"token {token!a} contains the invisible character {name}", is_error=False)
    return None


def unmangled(token: str) -> str | None:
    """Return the original of UTF-8 text that was decoded as cp1252 or latin-1; None if that did not happen.

    The bytes of the whole token must be valid UTF-8 with fewer characters, and the letters of the result of one
    script. So `Spaß«` is a word, although its last two characters are the bytes of a letter of N'Ko.
    """
    if token.isascii():
        return None
    for encoding in ENCODINGS:
        try:
            meant = token.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if len(meant) < len(token) and meant.isprintable() and _is_word(meant):
            return meant
    return None


def _is_word(meant: str) -> bool:
    """Whether the letters of a decoded token go together: no letter of another script beside Latin ones."""
    scripts = {unicodedata.name(c, "?").split()[0].split("-")[0] for c in meant if unicodedata.category(c)[0] in "LM"}
    mixed = "LATIN" in scripts and bool(scripts & ALONE)
    return not mixed and not scripts & RARE and not unicodedata.combining(meant[0])


def check_words(
    files: Mapping[str, Sequence[Sentence]],
    types: Iterable[str],
    errors: Findings,
    warnings: Findings,
    *,
    spaced: bool = False,
) -> None:
    """Check tokens, values and ids, except for values on invalid lines, which were reported already.

    Where all tokens are single characters, a blank is one of them by design, and only a warning.

    Args:
        files: The sentences of each file.
        types: All distinct tokens.
        errors: Receives the errors.
        warnings: Receives the warnings.
        spaced: Whether words may contain spaces, as in CoNLL-U; then these are warnings.
    """
    known, types = set(errors.places), set(types)
    single = all(len(token) == 1 for token in types)
    sentences = list(chain.from_iterable(files.values()))
    odd = {token: found for token in types if (found := oddity_of(token))}
    for sentence in sentences if odd else ():
        if odd.keys().isdisjoint(sentence.tokens):
            continue
        for i, token in enumerate(sentence.tokens):
            if (found := odd.get(token)) and (place := place_of(sentence, i)) not in known:
                usual = (spaced and found.kind == "space" and token == token.strip()) or (single and token == " ")
                is_error = found.is_error and not usual
                (errors if is_error else warnings).add(found.kind, place, found.message, token=token)
    for sentence in sentences:
        _check_values(sentence, known, errors)
    for part in files.values():
        _check_ids(part, errors)


def _check_values(sentence: Sentence, known: Collection[str], errors: Findings) -> None:
    """Add an error for every tag and label with a control character, except at `known` positions."""
    for name, layer in sentence.layers.items():
        if isinstance(layer, TagLayer):
            kind, values = "tag", [tag or "" for tag in layer.tags]
        elif isinstance(layer, Label):
            kind, values = "label", [layer.value]
        else:
            continue
        if not CONTROL.search("".join(values)):
            continue
        for i, value in enumerate(values):
            if (found := CONTROL.search(value)) and (place := place_of(sentence, i)) not in known:
                message = f"a {kind} must not contain control characters, got {found[0]!a} in {value!a}"
                errors.add("control", place, message, layer=name, tag=value)


def _check_ids(sentences: Iterable[Sentence], errors: Findings) -> None:
    """Add an error for every sentence whose `sent_id` or `id` occurred before in its file."""
    first: dict[str, Sentence] = {}
    for sentence in sentences:
        name = sentence.meta.get("sent_id") or sentence.meta.get("id")
        if name and first.setdefault(name, sentence) is not sentence:
            place = place_of(first[name])
            message = f"sentence ids must be unique, got {name!r} here and at {place}"
            errors.add("id", place_of(sentence), message, id=name, first=place)


def count_types(sentences: Iterable[Sentence]) -> Counter[str]:
    """Return how often each distinct token occurs."""
    return Counter(chain.from_iterable(sentence.tokens for sentence in sentences))
