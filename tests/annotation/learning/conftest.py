"""A model to suggest and to learn from."""

import pytest

import tagger
from tagger.tagging import Tagger


@pytest.fixture(scope="module")
def english() -> Tagger:
    return tagger.load("english", backend="torch", threads=1)
