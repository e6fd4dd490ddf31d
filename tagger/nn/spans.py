"""Spans in tag sequences: where they are, and how probable each is, summed over all tags around it.

Nothing here knows tag names: how a scheme writes spans comes as tables over tag ids.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from tagger.nn.lattice import Lattice, token_mask


class SpanTables(NamedTuple):
    """How a scheme writes spans, as tables over tags. The index behind the last tag stands for a sentence's edge.

    Args:
        own: The tags of each span type.
        types: The span type of each tag; -1 for a tag outside spans.
        begins: Whether a span begins with a tag behind another, or behind the edge.
        continues: Whether a span goes on from one tag to another.
        closes: Whether a span ends with a tag before another, or before the edge.
    """

    own: Int[Tensor, "types own"]
    types: Int[Tensor, " tags"]
    begins: Bool[Tensor, "tags_and_edge tags"]
    continues: Bool[Tensor, "tags tags"]
    closes: Bool[Tensor, "tags tags_and_edge"]


class Spans(NamedTuple):
    """Spans of a batch, a row a span, in the order of the sentences and of the tokens in them."""

    rows: Int[Tensor, " spans"]
    starts: Int[Tensor, " spans"]
    ends: Int[Tensor, " spans"]
    types: Int[Tensor, " spans"]


def find_spans(tags: Int[Tensor, "batch tokens"], lengths: Int[Tensor, " batch"], tables: SpanTables) -> Spans:
    """The spans that stand in tag sequences exactly as the scheme writes them."""
    num_tokens = tags.shape[1]
    edge = len(tables.types)
    here = tags.masked_fill(~token_mask(lengths, num_tokens), edge)
    padded = F.pad(here, (1, 1), value=edge)  # (batch, tokens + 2)
    begins = F.pad(tables.begins, (0, 1))[padded[:, :-2], here]  # (batch, tokens)
    continues = F.pad(tables.continues, (0, 1, 0, 1))[padded[:, :-1], padded[:, 1:]][:, 1:]  # (batch, tokens)
    closes = F.pad(tables.closes, (0, 0, 0, 1))[here, padded[:, 2:]]
    # A span goes on up to the next token that does not continue it.
    breaks = torch.arange(1, num_tokens + 1, device=tags.device).expand_as(here).masked_fill(continues, num_tokens)
    ends = breaks.flip(1).cummin(1).values.flip(1)
    closed = closes.gather(1, ends - 1)
    rows, starts = (begins & closed).nonzero().unbind(1)
    return Spans(rows, starts, ends[rows, starts], tables.types[tags[rows, starts]])


def span_probabilities(
    lattice: Lattice,
    transitions: Float[Tensor, "tags tags"],
    lengths: Int[Tensor, " batch"],
    spans: Spans,
    tables: SpanTables,
) -> Float[Tensor, " spans"]:
    """Probability that these tokens form exactly this span: its type and both its boundaries.

    It is summed over every way in which the scheme may write the span and over all tags around it.

    Args:
        lattice: Of the rows of the spans, with its ways.
        transitions: The scores that the lattice was made with.
        lengths: Number of tokens of each row.
        spans: The spans that are asked about.
        tables: How the scheme writes spans.

    Source:
        Culotta and McCallum (2004), "Confidence estimation for information extraction", section 3: the constrained
        forward-backward probability. Compared with enumeration of all sequences in tests/nn/test_spans.py.
    """
    if len(spans.rows) == 0:
        return lattice.marginals.new_zeros(0)
    own = tables.own[spans.types]  # (spans, own)
    edge = len(tables.types)
    rows, first, final = spans.rows, spans.starts, spans.ends - 1
    before = (first - 1).clamp(min=0)
    every = torch.arange(edge, device=own.device).expand(len(rows), -1)  # (spans, tags)
    joint = lattice.marginals[rows, before].unsqueeze(2) * _moves(lattice, transitions, rows, before, every, own)
    begins = tables.begins[:, own].permute(1, 0, 2)  # (spans, tags and edge, own)
    alone = lattice.marginals[rows, first].gather(1, own)
    state = torch.where((first == 0).unsqueeze(1), alone * begins[:, edge], (joint * begins[:, :edge]).sum(1))
    inside = tables.continues[own.unsqueeze(2), own.unsqueeze(1)]  # (spans, own, own)
    for t in range(1, int((spans.ends - first).max())):
        here = torch.minimum(first + t - 1, final - 1).clamp(min=0)
        moves = _moves(lattice, transitions, rows, here, own, own) * inside
        onward = torch.bmm(state.unsqueeze(1), moves).squeeze(1)
        state = torch.where((first + t <= final).unsqueeze(1), onward, state)
    closes = tables.closes[own]  # (spans, own, tags and edge)
    after = _moves(lattice, transitions, rows, final, own, every)
    at_edge = (spans.ends == lengths[rows]).unsqueeze(1)
    closed = torch.where(at_edge, closes[:, :, edge].to(after.dtype), (after * closes[:, :, :edge]).sum(2))
    return (state * closed).sum(1)


def _moves(
    lattice: Lattice,
    transitions: Float[Tensor, "tags tags"],
    rows: Int[Tensor, " spans"],
    places: Int[Tensor, " spans"],
    start: Int[Tensor, "spans from"],
    to: Int[Tensor, "spans to"],
) -> Float[Tensor, "spans from to"]:
    """Probability of each tag of `to` at the token behind `places`, given each tag of `start` at `places`."""
    behind = (places + 1).clamp(max=lattice.marginals.shape[1] - 1)
    entering = lattice.entering[rows, behind].gather(1, to).unsqueeze(1)  # (spans, 1, to)
    leaving = lattice.leaving[rows, places].gather(1, start).unsqueeze(2)  # (spans, from, 1)
    moves = transitions[start.unsqueeze(2), to.unsqueeze(1)]  # (spans, from, to)
    return (moves + entering - leaving).exp().nan_to_num(0.0, posinf=0.0)
