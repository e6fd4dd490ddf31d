"""The meaning of recipe keys: every key of every section has one."""

import pytest
from recipe_keys import meanings

from tagger.config import (
    ClassRange,
    CorpusConfig,
    EmbeddingsConfig,
    EncoderConfig,
    Recipe,
    Section,
    SentenceHeadConfig,
    SplitConfig,
    TokensHeadConfig,
    TrainingConfig,
)

SECTIONS = (
    Recipe,
    CorpusConfig,
    SplitConfig,
    ClassRange,
    EmbeddingsConfig,
    EncoderConfig,
    TokensHeadConfig,
    SentenceHeadConfig,
    TrainingConfig,
)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_has_a_meaning_that_is_a_sentence(section: type[Section]) -> None:
    for key, text in meanings(section).items():
        assert text[0].isupper() or text.startswith("`"), key
        assert text.endswith("."), key


def test_a_key_declared_again_keeps_the_meaning_of_its_base() -> None:
    assert meanings(TokensHeadConfig)["kind"].startswith("What the head predicts")


class Undocumented(Section):
    key: int = 1


def test_a_key_without_a_meaning_is_an_error() -> None:
    with pytest.raises(KeyError, match="key"):
        meanings(Undocumented)
