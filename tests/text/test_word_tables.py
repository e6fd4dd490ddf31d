"""The tables are those of spaCy."""

import sys
from dataclasses import replace
from pathlib import Path

import list_word_tables
import pytest
from spacy.symbols import ORTH
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex, get_lang_class

from tagger.text.word_tables import LANGUAGES, installed_table, is_known


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rules_of_every_language_are_those_of_spacy(language: str) -> None:
    table, own = installed_table(language), get_lang_class(language).Defaults
    assert table.prefix == compile_prefix_regex(own.prefixes).pattern
    assert table.suffix == compile_suffix_regex(own.suffixes).pattern
    assert table.infix == compile_infix_regex(own.infixes).pattern
    assert table.url == own.url_match.__self__.pattern
    assert table.token == (own.token_match and own.token_match.__self__.pattern)
    specials = {chunk: tuple(word[ORTH] for word in words) for chunk, words in own.tokenizer_exceptions.items()}
    assert table.specials == {chunk: words for chunk, words in specials.items() if not chunk.isspace()}


def test_only_rules_of_released_versions_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {language: installed_table(language) for language in LANGUAGES}
    monkeypatch.setitem(sys.modules, "spacy", None)  # so that the file alone decides
    assert all(is_known(language, table) for language, table in tables.items())
    other = replace(installed_table("de"), infix="x")
    assert not is_known("de", other)
    monkeypatch.undo()
    assert not is_known("de", other)


def test_the_script_adds_the_installed_rules_once() -> None:
    path = Path(list_word_tables.PATH)
    before = path.read_text(encoding="ascii")
    assert sorted(list_word_tables.lines(before)) == sorted(before.splitlines())
    assert "0 spacy 1 xx" in list_word_tables.lines("0 spacy 1 xx\n" + before)
