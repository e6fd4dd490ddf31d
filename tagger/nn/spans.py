"""Spans in tag sequences: where they are, and the probability of each, summed over all tag sequences that contain it.

Tag names are not known here: tables over tag ids say how a scheme writes spans.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from tagger.nn.chain.lattice import BLOCK, Lattice, token_mask


class SpanTables(NamedTuple):
    """How a scheme writes spans, as tables over tags.

    The index after the last tag means the edge of the sentence: "before the first token" or "after the last token".

    Args:
        own: The tags of each span type.
        types: The span type of each tag; -1 for a tag outside spans.
        begins: `[before, tag]`: whether a span begins with `tag` where `before` precedes it.
        continues: `[tag, after]`: whether the span of `tag` continues in `after`.
        closes: `[tag, after]`: whether a span ends with `tag` where `after` follows it.
    """

    own: Int[Tensor, "types own"]
    types: Int[Tensor, " tags"]
    begins: Bool[Tensor, "tags_and_edge tags"]
    continues: Bool[Tensor, "tags tags"]
    closes: Bool[Tensor, "tags tags_and_edge"]


class Spans(NamedTuple):
    """The spans of a batch, ordered by sentence and position.

    Args:
        rows: The sentence of each span.
        starts: Its first token.
        ends: The token after its last one.
        types: Its span type.
    """

    rows: Int[Tensor, " spans"]
    starts: Int[Tensor, " spans"]
    ends: Int[Tensor, " spans"]
    types: Int[Tensor, " spans"]


def find_spans(tags: Int[Tensor, "batch tokens"], lengths: Int[Tensor, " batch"], tables: SpanTables) -> Spans:
    """Return the spans in tag sequences; a piece that is not exactly as the scheme writes spans is not a span."""
    num_tokens = tags.shape[1]
    edge = len(tables.types)
    here = tags.masked_fill(~token_mask(lengths, num_tokens), edge)  # padding counts as edge
    padded = F.pad(here, (1, 1), value=edge)  # (batch, tokens + 2): token t is at t + 1
    # The tables have no column or row for the edge where no span can be; `pad` adds one that is False.
    begins = F.pad(tables.begins, (0, 1))[padded[:, :-2], here]  # (batch, tokens): from token t - 1 to t
    continues = F.pad(tables.continues, (0, 1, 0, 1))[padded[:, :-1], padded[:, 1:]][:, 1:]  # from token t to t + 1
    closes = F.pad(tables.closes, (0, 0, 0, 1))[here, padded[:, 2:]]  # from token t to t + 1
    # A span that begins at t ends at the first token from t on that does not continue it. Each such token t has the
    # value t + 1, all others the largest possible one; the minimum over all tokens from t on is the end of the span.
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
    """Return the probability that these tokens form exactly this span: its type and both its boundaries.

    It is summed over every way in which the scheme can write the span, and over all tags around it. Under a CRF the
    tags of a sentence are a Markov chain, whose marginals and transition probabilities the lattice has:

        P(span) = sum over tags u before, y[first..final] inside and v after
                  P(u) P(y[first] | u) P(y[first+1] | y[first]) ... P(v | y[final])
                  where u begins y[first], each y continues into the next, and y[final] closes before v

    The sum runs from left to right over the span's own tags, one to four for each type, like a forward recursion.

    Args:
        lattice: The lattice of the rows, computed with its messages.
        transitions: The transition scores of that lattice.
        lengths: Number of tokens of each row.
        spans: The spans whose probabilities are wanted.
        tables: How the scheme writes spans.

    Source:
        Culotta and McCallum (2004), "Confidence estimation for information extraction", section 3: the constrained
        forward-backward probability. Compared with enumeration of all sequences in tests/nn/test_spans.py.
    """
    if len(spans.rows) == 0:
        return lattice.marginals.new_zeros(0)
    if len(spans.rows) > BLOCK:  # each span needs memory for a few tables of all tags
        parts = (Spans(*part) for part in zip(*(column.split(BLOCK) for column in spans), strict=True))
        return torch.cat([span_probabilities(lattice, transitions, lengths, part, tables) for part in parts])
    own = tables.own[spans.types]  # (spans, own): the tags that can write each span
    edge = len(tables.types)
    rows, first, final = spans.rows, spans.starts, spans.ends - 1
    # The first token: P(y[first], the span begins here). At the start of a sentence the tag before it is the edge.
    before = (first - 1).clamp(min=0)
    every = torch.arange(edge, device=own.device).expand(len(rows), -1)  # (spans, tags)
    joint = lattice.marginals[rows, before].unsqueeze(2) * _moves(lattice, transitions, rows, before, every, own)
    begins = tables.begins[:, own].permute(1, 0, 2)  # (spans, tags and edge, own)
    alone = lattice.marginals[rows, first].gather(1, own)
    state = torch.where((first == 0).unsqueeze(1), alone * begins[:, edge], (joint * begins[:, :edge]).sum(1))
    # The tokens inside, one after another for all spans. A span that has ended keeps its state.
    inside = tables.continues[own.unsqueeze(2), own.unsqueeze(1)]  # (spans, from, to)
    for t in range(1, int((spans.ends - first).max())):
        here = torch.minimum(first + t - 1, final - 1).clamp(min=0)  # stays within the sentence for ended spans
        moves = _moves(lattice, transitions, rows, here, own, own) * inside
        onward = torch.bmm(state.unsqueeze(1), moves).squeeze(1)  # (spans, own)
        state = torch.where((first + t <= final).unsqueeze(1), onward, state)
    # The boundary after the last token: P(the span ends here | y[final]), which is 0 or 1 at the end of a sentence.
    closes = tables.closes[own]  # (spans, own, tags and edge)
    after = _moves(lattice, transitions, rows, final, own, every)
    at_edge = (spans.ends == lengths[rows]).unsqueeze(1)
    closed = torch.where(at_edge, closes[:, :, edge].to(after.dtype), (after * closes[:, :, :edge]).sum(2))
    return (state * closed).sum(1).clamp(max=1)  # rounding may pass 1


def _moves(
    lattice: Lattice,
    transitions: Float[Tensor, "tags tags"],
    rows: Int[Tensor, " spans"],
    positions: Int[Tensor, " spans"],
    start: Int[Tensor, "spans from"],
    to: Int[Tensor, "spans to"],
) -> Float[Tensor, "spans from to"]:
    """Return the probability of each tag in `to` at the token after `positions`, given each tag in `start` there."""
    following = (positions + 1).clamp(max=lattice.marginals.shape[1] - 1)
    entering = lattice.entering[rows, following].gather(1, to).unsqueeze(1)  # (spans, 1, to)
    leaving = lattice.leaving[rows, positions].gather(1, start).unsqueeze(2)  # (spans, from, 1)
    moves = transitions[start.unsqueeze(2), to.unsqueeze(1)]  # (spans, from, to)
    # A tag that nothing can follow has minus infinity in `leaving` and in all moves: their difference is NaN. Its own
    # probability is 0, so any finite number will do.
    return (moves + entering - leaving).exp().nan_to_num(0.0, posinf=0.0)
