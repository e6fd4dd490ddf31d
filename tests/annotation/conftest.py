"""Closes the projects of each test."""

from collections.abc import Iterator

import pytest
from annotation.projects import OPEN


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()
