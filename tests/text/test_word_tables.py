"""The tables are those of spaCy."""

import pytest
from spacy.symbols import ORTH
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex, get_lang_class

from tagger.text.word_tables import LANGUAGES, installed_table


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
