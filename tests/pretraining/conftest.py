"""What tests of character language models share: a small model and its text."""

import random
from pathlib import Path

import pytest

from tagger.pretraining.plan import Plan

SMALL = Plan(hidden_size=16, dimension=4, dropout=0.1, batch_size=4, window=30, epochs=3)


@pytest.fixture
def small() -> Plan:
    """Return a plan that takes a second."""
    return SMALL


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """Return a file of 300 short sentences."""
    draw = random.Random(5)
    words = ["Ada", "Oslo", "waits", "for", "the", "train", "æbler", "and", "sleeps"]
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(draw.choices(words, k=5)) + " .\n" for _ in range(300)), encoding="utf-8")
    return path
