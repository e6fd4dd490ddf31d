"""Spans in tag sequences, and the probability of each; see `nn/spans.py`, which also derives the sums."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.lattice import Floats, Lattice, Lengths
from tagger.numpy_nn.packing import Ids

Table = NDArray[np.bool_]
BLOCK = 4096  # spans at once: each needs memory for a few tables of all tags


class SpanTables(NamedTuple):
    """How a scheme writes spans; see `SpanTables` of `nn/spans.py`."""

    own: Ids
    types: Ids
    begins: Table
    continues: Table
    closes: Table


class Spans(NamedTuple):
    """The spans of a batch, ordered by sentence and position.

    Args:
        rows: The sentence of each span.
        starts: Its first token.
        ends: The token after its last one.
        types: Its span type.
    """

    rows: Ids
    starts: Ids
    ends: Ids
    types: Ids


def tables_of(tables: Sequence[Sequence[Any]]) -> SpanTables:
    """Return the tables of a scheme, given as lists."""
    return SpanTables(*map(np.array, tables))


def find_spans(tags: Ids, lengths: Lengths, tables: SpanTables) -> Spans:
    """Return the spans in tag sequences; a piece that is not exactly as the scheme writes spans is not a span."""
    (batch, num_tokens), edge = tags.shape, len(tables.types)
    here = np.where(np.arange(num_tokens) < np.asarray(lengths)[:, None], tags, edge)  # padding counts as edge
    padded = np.full((batch, num_tokens + 2), edge)  # token t is at t + 1
    padded[:, 1:-1] = here
    begins = np.pad(tables.begins, ((0, 0), (0, 1)))[padded[:, :-2], here]  # from token t - 1 to t
    continues = np.pad(tables.continues, ((0, 1), (0, 1)))[here, padded[:, 2:]]  # from token t to t + 1
    closes = np.pad(tables.closes, ((0, 1), (0, 0)))[here, padded[:, 2:]]  # from token t to t + 1
    # A span that begins at t ends at the first token from t on that does not continue it.
    breaks = np.where(continues, num_tokens, np.arange(1, num_tokens + 1))
    ends = np.minimum.accumulate(breaks[:, ::-1], axis=1)[:, ::-1]
    closed = np.take_along_axis(closes, ends - 1, 1)
    rows, starts = (begins & closed).nonzero()
    return Spans(rows, starts, ends[rows, starts], tables.types[tags[rows, starts]])


def span_probabilities(
    lattice: Lattice, transitions: Floats, lengths: Lengths, spans: Spans, tables: SpanTables
) -> Floats:
    """Return the probability that these tokens form exactly this span: its type and both its boundaries.

    Args:
        lattice: The lattice of the rows, computed with its messages.
        transitions: The transition scores of that lattice.
        lengths: Number of tokens of each row.
        spans: The spans whose probabilities are wanted.
        tables: How the scheme writes spans.

    Source:
        Compared with `span_probabilities` of `nn/spans.py` in tests/numpy_nn/test_heads.py.
    """
    parts = [Spans(*(column[i : i + BLOCK] for column in spans)) for i in range(0, len(spans.rows), BLOCK)]
    with np.errstate(invalid="ignore", over="ignore"):
        found = [_probabilities(lattice, transitions, np.asarray(lengths), part, tables) for part in parts]
    return np.concatenate([lattice.marginals[:0, 0, 0], *found])


def _probabilities(lattice: Lattice, transitions: Floats, lengths: Lengths, spans: Spans, tables: SpanTables) -> Floats:
    own = tables.own[spans.types]  # (spans, own): the tags that can write each span
    edge = len(tables.types)
    rows, first, final = spans.rows, spans.starts, spans.ends - 1
    # The first token: P(y[first], the span begins here). At the start of a sentence the tag before it is the edge.
    before = np.maximum(first - 1, 0)
    every = np.broadcast_to(np.arange(edge), (len(rows), edge))  # (spans, tags)
    joint = lattice.marginals[rows, before][:, :, None] * _moves(lattice, transitions, rows, before, every, own)
    begins = tables.begins[:, own].transpose(1, 0, 2)  # (spans, tags and edge, own)
    alone = np.take_along_axis(lattice.marginals[rows, first], own, 1)
    state = np.where((first == 0)[:, None], alone * begins[:, edge], (joint * begins[:, :edge]).sum(1))
    # The tokens inside, one after another for all spans. A span that has ended keeps its state.
    inside = tables.continues[own[:, :, None], own[:, None]]  # (spans, from, to)
    for t in range(1, int((spans.ends - first).max())):
        here = np.maximum(np.minimum(first + t - 1, final - 1), 0)  # stays within the sentence for ended spans
        moves = _moves(lattice, transitions, rows, here, own, own) * inside
        onward = (state[:, None] @ moves)[:, 0]  # (spans, own)
        state = np.where((first + t <= final)[:, None], onward, state)
    # The boundary after the last token: P(the span ends here | y[final]), which is 0 or 1 at the end of a sentence.
    closes = tables.closes[own]  # (spans, own, tags and edge)
    after = _moves(lattice, transitions, rows, final, own, every)
    at_edge = (spans.ends == lengths[rows])[:, None]
    closed = np.where(at_edge, closes[:, :, edge], (after * closes[:, :, :edge]).sum(2))
    found: Floats = np.minimum((state * closed).sum(1), 1)  # rounding may pass 1
    return found


def _moves(lattice: Lattice, transitions: Floats, rows: Ids, positions: Ids, start: Ids, to: Ids) -> Floats:
    """Return the probability of each tag in `to` at the token after `positions`, given each tag in `start` there."""
    assert lattice.entering is not None
    assert lattice.leaving is not None
    following = np.minimum(positions + 1, lattice.marginals.shape[1] - 1)
    entering = np.take_along_axis(lattice.entering[rows, following], to, 1)[:, None]  # (spans, 1, to)
    leaving = np.take_along_axis(lattice.leaving[rows, positions], start, 1)[:, :, None]  # (spans, from, 1)
    moves = transitions[start[:, :, None], to[:, None]]  # (spans, from, to)
    # A tag that nothing can follow has minus infinity in `leaving` and in all moves: their difference is NaN. Its own
    # probability is 0, so any finite number will do.
    found: Floats = np.nan_to_num(np.exp(moves + entering - leaving), nan=0.0, posinf=0.0)
    return found
