"""Features of tokens that are computed once for each passage, and then read from the user's cache folder.

A passage is found by a hash of its tokens and their neighbours, in the store of the feature's fingerprint (its model,
its tokeniser and its settings), kind and version. Values are mapped into memory, so they may be larger than it. If the
cache cannot be used, the features are computed again each time, and a note says so.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.config import AnyFeatureConfig
from tagger.encoding.batches import Rows
from tagger.features.feature import Feature, TokenFeature
from tagger.features.passages import Passage
from tagger.features.store import DamagedError, Store
from tagger.features.stores import Stores, stores_of_user, waited_for
from tagger.features.table import Features, token_arrays
from tagger.wording import counted, shown_bytes

if TYPE_CHECKING:
    from torch import nn

CHUNK_TOKENS = 8192  # that are computed at once
FIRST_TOKENS = 512  # of the first chunk, which shows how long all of them will take
UNKEYED = {"context", "width"}  # settings that the values of a passage do not depend on, so runs share a store
NOTED_AFTER = 2.0  # seconds of work from which on it is noted
WRITABLE = "set TAGGER_CACHE to a writable folder on a disk with room"
Tell = Callable[[str], None]
Progress = Callable[[str, int, int], None]  # takes what is done in words, how many tokens of it, and of how many


class _NoRoomError(Exception):
    """The cache has no room for features."""


class Keep(Protocol):
    """What `caching` yields."""

    def __call__(self, features: Features, owner: str = "") -> dict[str, Feature[Any]]:
        """Return features whose values are kept on disk; notes name their owner, if that is not the run itself."""
        ...


class CachedFeature(TokenFeature[AnyFeatureConfig]):
    """A feature of tokens whose values are kept on disk.

    Args:
        feature: The feature.
        stores: The stores, of which others may be removed.
        folder: Its own store, which is in use.
        owner: Whose the feature is, for notes; empty: of the run itself.
        tell: Called with each note.
        progress: Called while values are computed.
    """

    def __init__(
        self, feature: TokenFeature[Any], stores: Stores, folder: Path, *, owner: str, tell: Tell, progress: Progress
    ) -> None:
        super().__init__(feature.name, feature.config)
        self._owner, self._what = owner, _named(feature, owner)
        self.feature, self._stores, self._folder = feature, stores, folder
        self._tell, self._progress = tell, progress
        self._store: Store | None = None
        self._usable = True

    @property
    def context(self) -> int:
        """Number of tokens of neighbouring sentences that the feature reads on each side."""
        return self.feature.context

    @property
    def fingerprint(self) -> str | None:
        """What the arrays depend on beside the passages."""
        return self.feature.fingerprint

    @property
    def width(self) -> int:
        """Number of features of a token that its part of the network returns."""
        return self.feature.width

    def build(self) -> "nn.Module":
        """Return its part of the network with fresh weights."""
        return self.feature.build()

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each weight of its part."""
        return self.feature.shapes()

    def content(self, part: "nn.Module | None") -> bytes:
        """Return the content of the file that the feature keeps."""
        return self.feature.content(part)

    def arrays(self, passages: Sequence[Passage]) -> Rows:
        """Return the numbers of the tokens of passages, one passage after another, of shape (tokens, k)."""
        for may_renew in (True, False):
            if not self._usable:
                break
            try:
                return self._kept(passages)
            except DamagedError as error:
                self._damaged(error, may_renew=may_renew)
            except _NoRoomError as error:
                self._give_up(str(error))
            except (OSError, sqlite3.OperationalError) as error:
                self._give_up(f"{error}; {WRITABLE}")
        work, parts = _Work(self._what, passages, self._tell, self._progress), []
        for chunk in _chunks(passages):
            parts.append(_values(self.feature, chunk))
            work.advance(len(parts[-1]))
        return np.concatenate(parts) if parts else self.feature.arrays(passages)

    def _kept(self, passages: Sequence[Passage]) -> Rows:
        """Return the rows of passages from the store, after those that it lacks were computed."""
        store = self._store = self._store or Store(self._folder)
        keys = [key_of(passage) for passage in passages]
        distinct = {key: passage for key, passage in zip(keys, passages, strict=True) if passage.tokens}
        places, damaged = store.find(_lengths(distinct))
        if damaged:
            found = f"{self._what} of {counted(damaged, 'passage')}"
            self._tell(f"{self._folder}: {found} was damaged on disk and is computed again")
        if missing := {key: passage for key, passage in distinct.items() if key not in places}:
            self._compute(missing, store)
            places |= store.find(_lengths(missing))[0]
        if len(places) < len(distinct):
            raise DamagedError("what was written is read differently")
        rows = store.rows([places[key] for key in keys if key in places])
        return self.feature.arrays(passages) if rows is None else rows

    def _compute(self, missing: Mapping[bytes, Passage], store: Store) -> None:
        """Compute the values of passages, and keep them; another process may keep some of them in the meantime."""
        work, has_room = _Work(self._what, missing.values(), self._tell, self._progress), False
        for chunk in _chunks(missing.values()):
            by_key = {key_of(passage): passage for passage in chunk}
            with waited_for(self._folder, work.wait):
                there = store.find(_lengths(by_key))[0]
                left = {key: passage for key, passage in by_key.items() if key not in there}
                if left:
                    values = _values(self.feature, list(left.values()))
                    if not has_room:
                        self._make_room(round(values.nbytes / len(values) * (work.total - work.done)))
                        has_room = True
                    store.append(_lengths(left), values)
            work.advance(sum(_lengths(by_key).values()))

    def _make_room(self, needed: int) -> None:
        if reason := self._stores.make_room(needed):
            raise _NoRoomError(f"needs {shown_bytes(needed)} more, but {self._stores.root} {reason}")

    def _damaged(self, error: DamagedError, *, may_renew: bool) -> None:
        """Begin a new store, or do without one if that was done before."""
        self._store = None
        if not may_renew:
            self._give_up(f"{self._folder} is damaged ({error}); empty it with `tagger cache --clear`")
            return
        self._tell(f"{self._folder}: the cache of {self._what} is damaged ({error}); it is computed again")
        with waited_for(self._folder):
            Store.delete(self._folder)

    def _give_up(self, reason: str) -> None:
        self._usable = False
        self._tell(_not_kept(self.feature, self._owner, reason))


def _named(feature: Feature[Any], owner: str) -> str:
    return f"the feature `{feature.name}` of {owner}" if owner else f"the feature `{feature.name}`"


def _not_kept(feature: Feature[Any], owner: str, reason: str) -> str:
    """Return the note that a feature is not kept, with what that costs: others than the run itself read a text once."""
    when = "by each run" if owner else "for dev in each epoch"
    return f"{_named(feature, owner)} is not kept on disk and is computed again {when}: {reason}"


class _Work:
    """Tells how much is computed, if that takes long.

    Args:
        feature: Which feature it is, in words.
        passages: What is to be computed.
        tell: Called with a note if there is much to do.
        progress: Called after each step, if the work has taken long.
    """

    def __init__(self, feature: str, passages: Iterable[Passage], tell: Tell, progress: Progress) -> None:
        self.total = sum(len(passage.tokens) for passage in passages)
        self.done = 0
        self._feature, self._tell, self._progress = feature, tell, progress
        self._started, self._waits = time.perf_counter(), False

    def advance(self, tokens: int) -> None:
        """Count tokens that are done."""
        first, self.done = not self.done, self.done + tokens
        elapsed = time.perf_counter() - self._started
        left = elapsed / max(self.done, 1) * (self.total - self.done)
        what = f"{self._feature} of {self.total:,} tokens"
        if first and left > NOTED_AFTER:
            self._tell(f"computing {what}; about {left:.0f} s left")
        if elapsed > NOTED_AFTER:
            self._progress(what, self.done, self.total)

    def wait(self) -> None:
        """Say once that another process computes the same feature."""
        if not self._waits and time.perf_counter() - self._started > NOTED_AFTER:
            self._waits = True
            self._tell(f"waiting for another run, which computes {self._feature}")


@contextmanager
def caching(
    *, tell: Tell, progress: Progress = lambda what, done, total: None, stores: Stores | None = None
) -> Iterator[Keep]:
    """Yield a function that returns features whose values are kept on disk within the context.

    Features of word forms, and those without a fingerprint, are returned as they are.

    Args:
        tell: Called with each note.
        progress: Called while values are computed: with what is done in words, how many tokens of it, and of how many.
        stores: Where values are kept. Default: the user's cache folder.
    """
    with ExitStack() as stack:

        def keep(feature: Feature[Any], owner: str) -> Feature[Any]:
            if not isinstance(feature, TokenFeature) or feature.fingerprint is None:
                return feature
            if (place := stores or stores_of_user()) is None:
                tell(_not_kept(feature, owner, f"the user has no home; {WRITABLE}"))
                return feature
            key = f"{feature.config.kind} {feature.version} {feature.fingerprint}"
            about = feature.config.model_dump(mode="json", exclude_defaults=True, exclude=UNKEYED)
            try:
                folder = stack.enter_context(place.opened(key, about))
            except OSError as error:
                tell(_not_kept(feature, owner, f"{error}; {WRITABLE}"))
                return feature
            return CachedFeature(feature, place, folder, owner=owner, tell=tell, progress=progress)

        yield lambda features, owner="": {name: keep(feature, owner) for name, feature in features.items()}


def compute(features: Features, passages: Sequence[Passage]) -> None:
    """Compute what features keep on disk for passages, so that it is only read afterwards."""
    token_arrays({name: each for name, each in features.items() if isinstance(each, CachedFeature)}, passages)


def uncached(features: Features) -> dict[str, Feature[Any]]:
    """Return the features without the cache."""
    return {name: each.feature if isinstance(each, CachedFeature) else each for name, each in features.items()}


def key_of(passage: Passage) -> bytes:
    """Return a hash of the tokens of a passage and of their neighbours; no feature that is kept reads frames."""
    content = dumps(passage[:-1], ensure_ascii=False)
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _lengths(passages: Mapping[bytes, Passage]) -> dict[bytes, int]:
    return {key: len(passage.tokens) for key, passage in passages.items()}


def _values(feature: TokenFeature[Any], passages: Sequence[Passage]) -> NDArray[Any]:
    """Return the values of passages as an array."""
    rows = feature.arrays(passages)
    return rows[np.arange(len(rows))]


def _chunks(passages: Iterable[Passage]) -> Iterator[list[Passage]]:
    """Yield passages in lists of at least `CHUNK_TOKENS` tokens, apart from the first and the last."""
    chunk: list[Passage] = []
    tokens, least = 0, min(FIRST_TOKENS, CHUNK_TOKENS)
    for passage in passages:
        chunk.append(passage)
        tokens += len(passage.tokens)
        if tokens >= least:
            yield chunk
            chunk, tokens, least = [], 0, CHUNK_TOKENS
    if chunk:
        yield chunk
