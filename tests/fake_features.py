"""A feature of tokens that is a hash of the passage, and that counts what it computes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tagger.config import AnyFeatureConfig
from tagger.features.cache import caching
from tagger.features.feature import TokenFeature
from tagger.features.passages import Passage
from tagger.features.table import Features


class FakeConfig(AnyFeatureConfig):
    kind: Literal["fake"]
    model: str = "a"
    dtype: str = "float16"


class FakeFeature(TokenFeature[FakeConfig]):
    """Four numbers of each token, which depend on the model, the token and its neighbours."""

    def __init__(self, name: str = "x", config: FakeConfig | None = None) -> None:
        super().__init__(name, config or FakeConfig(kind="fake"))
        self.computed: list[Passage] = []

    @property
    def context(self) -> int:
        return 2

    @property
    def fingerprint(self) -> str | None:
        return None if self.config.model == "none" else f"fake {self.config.model} {self.config.dtype}"

    @property
    def width(self) -> int:
        return 4

    def build(self) -> Any:
        raise NotImplementedError

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    def arrays(self, passages: Sequence[Passage]) -> NDArray[Any]:
        self.computed += passages
        rows = [list(self._row(passage, i)) for passage in passages for i in range(len(passage.tokens))]
        return np.array(rows, self.config.dtype).reshape(-1, 4)

    def _row(self, passage: Passage, i: int) -> bytes:
        return sha256(repr((self.config.model, tuple(passage), i)).encode()).digest()[:4]


@contextmanager
def cached(features: Features, **settings: Any) -> Iterator[Features]:
    """Yield the features whose values are kept on disk; the settings are those of `caching`."""
    with caching(**settings) as keep:
        yield keep(features)


def passages(*texts: str) -> list[Passage]:
    return [Passage(tuple(text.split())) for text in texts]


def all_rows(feature: TokenFeature[Any], given: Sequence[Passage]) -> NDArray[Any]:
    rows = feature.arrays(given)
    return rows[np.arange(len(rows))]
