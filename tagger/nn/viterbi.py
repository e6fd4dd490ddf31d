"""The best tag sequences of a linear-chain CRF over a padded batch: the best one, and the n best."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tagger.nn.lattice import Rows, Scores

ONE_THREAD = 2**15  # numbers up to which torch keeps an operation on one thread; to wake another can take longer
CENTRED = 16  # tokens from one taking off of the highest sum to the next


def _centred(transitions: Float[Tensor, "tags tags"]) -> Float[Tensor, "tags tags"]:
    """The transitions less the highest of them, which changes no order of sequences of one length."""
    return transitions - transitions.amax().clamp(min=-1e30)


def best_path(
    emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores
) -> tuple[Int[Tensor, "batch tokens"], Bool[Tensor, " batch"]]:
    """The tag sequence of the highest score in each row, and whether the row has any possible sequence.

    Going forward only the best scores are kept; where they came from is found on the way back, for the tags of the path
    alone. Behind a row's length tags are 0.

    Source:
        Viterbi (1967).
    """
    (batch, num_tokens, num_tags), (mask, _, last) = emissions.shape, rows
    # Only differences decide, and small numbers keep them, so the highest emission of each token is taken off, the
    # highest transition, and every now and then the highest sum. Tags stand before the batch, so that the maximum over
    # tags is one of whole rows of numbers, which is several times as fast as a maximum within each row.
    states, transitions = emissions.new_empty(num_tokens, num_tags, batch), _centred(scores.transitions)
    moves = transitions.unsqueeze(2)
    torch.sub(emissions.permute(1, 2, 0), emissions.amax(2).t().unsqueeze(1), out=states)
    states[0] += scores.start.unsqueeze(1)
    size = max(1, min(num_tags, ONE_THREAD // (num_tags * batch)))
    moves_of = moves.split(size)  # (from, to, 1) each
    ways = [states.new_empty(len(part), num_tags, batch) for part in moves_of]
    columns = states[:-1].unsqueeze(2).split(size, 1)  # (tokens - 1, from, 1, batch) each
    for t, (parts, reached) in enumerate(zip(zip(*columns, strict=True), states[1:], strict=True), 1):
        found = [torch.add(part, move, out=way).amax(0) for part, move, way in zip(parts, moves_of, ways, strict=True)]
        reached += found[0] if len(found) == 1 else torch.stack(found).amax(0)
        if t % CENTRED == 0:
            reached -= reached.amax(0).clamp(min=-1e30)
    final = states.gather(0, last.expand(1, num_tags, -1))[0] + scores.end.unsqueeze(1)  # (tags, batch)
    best, ending = final.max(0)  # (batch,)
    path, incoming = [ending], transitions.t().contiguous()  # (to, from)
    reached_by = states.transpose(1, 2).contiguous().unbind()  # (batch, tags) a token
    shortest = int(last.min())
    for t in range(num_tokens - 2, -1, -1):
        tag = incoming.index_select(0, path[-1]).add_(reached_by[t]).argmax(1)
        path.append(tag if t < shortest else torch.where(t < last, tag, ending))
    tags = torch.stack(path[::-1], 1).masked_fill(~mask, 0)
    return tags, best > -torch.inf


def best_paths(
    emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores, *, n: int
) -> tuple[Int[Tensor, "batch n tokens"], Bool[Tensor, "batch n"]]:
    """The `n` tag sequences of the highest scores in each row, best first, and whether there are so many.

    Behind a row's length tags are 0.

    Source:
        The parallel list algorithm of Seshadri and Sundberg (1994).
    """
    (batch, num_tokens, num_tags), (mask, _, last) = emissions.shape, rows
    incoming = _centred(scores.transitions).t().unsqueeze(2)  # (to, from, 1)
    emissions = emissions - emissions.amax(2, keepdim=True)  # only differences decide, as in `best_path`
    state = torch.full((batch, num_tags, n), -torch.inf, dtype=emissions.dtype, device=emissions.device)
    state[:, :, 0] = scores.start + emissions[:, 0]
    states, pointers = [state], []
    for t, token in enumerate(emissions.unbind(1)[1:], 1):
        reached = (state.unsqueeze(1) + incoming).flatten(2)  # (batch, to, from * n)
        best, pointer = reached.topk(n, 2)
        state = best + token.unsqueeze(2)
        if t % CENTRED == 0:
            state = state - state.amax((1, 2), keepdim=True).clamp(min=-1e30)
        states.append(state)
        pointers.append(pointer.flatten(1))  # (batch, to * n), into from * n
    final = torch.stack(states, 1)[torch.arange(batch, device=last.device), last]  # (batch, tags, n)
    path_scores, place = (final + scores.end.view(1, -1, 1)).flatten(1).topk(n, 1)  # (batch, n)
    path = [place]
    for t in range(num_tokens - 2, -1, -1):
        earlier = pointers[t].gather(1, path[-1])
        path.append(torch.where((t < last).unsqueeze(1), earlier, place))
    tags = torch.stack(path[::-1], 2).div(n, rounding_mode="floor")  # (batch, n, tokens)
    return tags.masked_fill(~mask.unsqueeze(1), 0), path_scores > -torch.inf
