"""Windows against the definition: each token from the window in which it has most context."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.features.encoders.windows import NONE, Pieces, Window, most_pieces, windows_of

COUNTS = st.lists(st.integers(0, 4), max_size=120).map(lambda counts: np.array(counts, np.int64))


def context(window: Window, start: int, end: int) -> int:
    """Number of pieces beside a token on its poorer side, below 0 where the window lacks some of the token."""
    return min(start - window.start, window.end - end)


def test_what_fits_is_one_window() -> None:
    assert windows_of(np.array([2, 0, 3]), 5) == [Window(0, 5, 0, 3)]


@given(counts=COUNTS, size=st.integers(16, 40))
def test_windows_share_out_the_tokens_and_overlap_by_half(counts: np.ndarray, size: int) -> None:
    windows = windows_of(counts, size)
    assert [w.first for w in windows] == [0, *(w.last for w in windows[:-1])]
    assert windows[-1].last == len(counts)
    assert (windows[0].start, windows[-1].end) == (0, counts.sum())
    for one, two in itertools.pairwise(windows):
        assert one.end - one.start == two.end - two.start == size
        assert one.start < two.start <= one.start + size // 2 + 1


@given(counts=COUNTS, size=st.integers(16, 40))
def test_each_token_comes_from_the_window_where_it_has_most_context(counts: np.ndarray, size: int) -> None:
    windows, ends = windows_of(counts, size), np.cumsum(counts)
    for token, (start, end) in enumerate(zip((ends - counts).tolist(), ends.tolist(), strict=True)):
        if start == 0 or end == counts.sum():
            continue  # at the edge of the text there is no more context in any window
        [window] = [w for w in windows if w.first <= token < w.last]
        assert context(window, start, end) >= max(context(w, start, end) for w in windows) - 1
        assert context(window, start, end) >= 0


@pytest.mark.parametrize("size", [4, 16, 510])
def test_the_longest_token_is_whole_in_its_window(size: int) -> None:
    counts = np.full(200, most_pieces(size))
    ends = np.cumsum(counts)
    for window in windows_of(counts, size):
        here = slice(window.first, window.last)
        assert ((ends - counts)[here] >= window.start).all()
        assert (ends[here] <= window.end).all()


def make_pieces() -> Pieces:
    """Two texts: tokens of 2, 0 and 1 pieces, and one of 3 pieces after a token that is context."""
    return Pieces(
        ids=np.array([10, 11, 12, 20, 21, 22, 23]),
        counts=np.array([2, 0, 1, 1, 3]),
        lengths=np.array([3, 2]),
        rows=np.array([0, 1, 2, NONE, 3]),
    )


@pytest.mark.parametrize(
    ("pool", "owners"),
    [("mean", [0, 0, 2, -1, 3, 3, 3]), ("first", [0, -1, 2, -1, 3, -1, -1]), ("last", [-1, 0, 2, -1, -1, -1, 3])],
)
def test_pooling_chooses_which_pieces_count(pool, owners: list[int]) -> None:
    assert make_pieces().owners(pool).tolist() == owners


def test_rows_have_special_pieces_at_both_ends_and_are_padded() -> None:
    pieces = make_pieces()
    padded = pieces.padded(pieces.windows(8), pieces.owners("mean"), before=[1], after=[2, 3])
    assert padded.piece_ids.tolist() == [[1, 10, 11, 12, 2, 3, -1], [1, 20, 21, 22, 23, 2, 3]]
    assert padded.token_ids.tolist() == [[-1, 0, 0, 2, -1, -1, -1], [-1, -1, 3, 3, 3, -1, -1]]


def test_windows_of_context_alone_are_not_read() -> None:
    ids, rows = np.arange(100), np.full(100, NONE)
    rows[50] = 0
    [window] = Pieces(ids, np.ones(100, np.int64), np.array([100]), rows).windows(20)
    assert window.first <= 50 < window.last


def test_windows_of_one_text_do_not_depend_on_other_texts() -> None:
    texts = [np.full(n, 2) for n in (30, 3, 50)]
    together = Pieces(np.arange(166), np.concatenate(texts), np.array([30, 3, 50]), np.arange(83)).windows(20)
    shifts = [(0, 0), (60, 30), (66, 33)]
    alone = [
        Window(w.start + piece, w.end + piece, w.first + token, w.last + token)
        for counts, (piece, token) in zip(texts, shifts, strict=True)
        for w in windows_of(counts, 20)
    ]
    assert together == alone
