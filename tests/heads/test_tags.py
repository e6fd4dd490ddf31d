"""The head of tags: which sentences it asks a teacher about."""

import pytest

from tagger.config import TokensHeadConfig
from tagger.heads.tags import TagHead
from tagger.text.sentence import Sentence, TagLayer


@pytest.mark.parametrize(
    ("layers", "asks"),
    [
        ({}, True),
        ({"ner": TagLayer((None, None))}, True),
        ({"ner": TagLayer(("O", None))}, False),
        ({"ner": TagLayer(("O", "O"))}, False),
    ],
)
def test_teacher_is_asked_about_sentences_without_a_known_tag(layers: dict[str, TagLayer], asks: bool) -> None:
    head = TagHead("ner", TokensHeadConfig(kind="tokens", layer="ner"))
    assert head.asks_teacher(Sentence.from_tokens(["a", "b"], layers)) is asks
