"""`tokenizer.json` of a model folder: how texts become sentences and tokens, with the rules of the language as data.

So a model tags the same tokens for ever, and without spaCy. Its patterns could be made to take forever on some texts.
Those of released versions of spaCy are known not to; others are refused unless the user trusts the model.
"""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from tagger.config import Section
from tagger.errors import ModelError
from tagger.text.splitting.word_rules import WordTable
from tagger.text.tokenization import VERSION, Segment, TextRules, Tokenize
from tagger.text.word_tables import is_known
from tagger.wording import shorten


class TableSection(Section):
    """The rules of a language; see `WordTable`."""

    specials: dict[str, tuple[str, ...]]
    prefix: str
    suffix: str
    infix: str
    token: str | None
    url: str | None


class TokenizerSection(Section):
    """The content of `tokenizer.json`; see `TextRules`."""

    version: int
    tokenize: Tokenize | Literal["function"]
    language: str
    split_on: str
    segment: Segment | None
    table: TableSection | None
    function_name: str = ""


def rules_to_json(rules: TextRules) -> bytes:
    """Return the bytes of `tokenizer.json`.

    Raises:
        DataError: The rules of the language are those of spaCy, which is not installed.
    """
    values = asdict(replace(rules.with_table(), function=None))
    del values["function"]
    return f"{json.dumps(values, ensure_ascii=False)}\n".encode()


def rules_of(section: TokenizerSection, path: Path) -> TextRules:
    """Return the rules in a `tokenizer.json`, whose patterns were not run yet.

    Raises:
        ModelError: The file is of a newer version, or its values do not fit each other.
    """
    if section.version > VERSION:
        raise ModelError(f"{path}: `version` must be at most {VERSION}, got {section.version}; upgrade tagger")
    if (section.table is not None) != (section.tokenize in ("words", "spacy")):
        raise ModelError(f"{path}: `table` must be there for words and spacy only; copy the folder again")
    table = WordTable(**dict(section.table)) if section.table is not None else None
    for string, words in table.specials.items() if table else ():
        if "".join(words) != string or not all(words):
            found = shorten(" ".join(words))
            raise ModelError(f"{path}: the words of {shorten(string)} must form it, got {found}; copy the folder again")
    return TextRules(**dict(section) | {"table": table})


def check_table(rules: TextRules, path: Path, *, trusted: bool) -> None:
    """Refuse rules that are not those of spaCy, unless the model is trusted; then refuse those that are no patterns.

    Raises:
        ModelError: The rules are refused.
    """
    table = rules.table
    if table is None or is_known(rules.language, table):
        return
    if not trusted:
        raise ModelError(
            f"{path}: the rules for words must be those of a known spaCy, got others, which could take forever on some "
            "texts; if you trust whoever made this model, load it with trusted=True (--trust)"
        )
    for key in ("prefix", "suffix", "infix", "token", "url"):
        try:
            re.compile(getattr(table, key) or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise ModelError(f"{path}: `table.{key}` must be a regular expression: {shorten(str(error))}") from None
