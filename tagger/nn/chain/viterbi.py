"""The best tag sequences of a linear-chain CRF over a padded batch: the best one, and the n best.

The recursions are those of `lattice.py` with a maximum in the place of the sum, in log space:

    delta[t, j] = e[t, j] + max_i (delta[t-1, i] + A[i, j])     best score of a sequence that reaches tag j at token t

Only differences between sequences of one row decide. So three things are subtracted that all sequences of a row share:
the highest emission of each token, the highest transition score, and every `CENTRED` tokens the highest score so far.
Without this the scores of long rows would grow until float32 could not tell two close sequences apart.

On a CPU NumPy computes both (`tagger/numpy_nn/viterbi.py` and `n_best.py`), which takes less time.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tagger.nn.chain.lattice import BLOCK, Rows, Scores, numpy_scores, readable
from tagger.numpy_nn import n_best as numpy_n_best
from tagger.numpy_nn import viterbi as numpy_viterbi
from tagger.numpy_nn.viterbi import CENTRED


def _centred(transitions: Float[Tensor, "tags tags"]) -> Float[Tensor, "tags tags"]:
    """Return the transitions minus the highest of them, which does not change the order of sequences of one length."""
    # The clamp keeps the difference from being NaN where every transition is minus infinity.
    return transitions - transitions.amax().clamp(min=-1e30)


def best_path(
    emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores
) -> tuple[Int[Tensor, "batch tokens"], Bool[Tensor, " batch"]]:
    """Return the tag sequence with the highest score in each row, and whether the row has any possible sequence.

    Tags at padding are 0.

    The textbook algorithm stores for each token and tag which tag it was reached from: an index of (batch, from, to)
    candidates at each token. Here only the scores are stored; the way back computes the argmax again, and only for the
    tags on the best path.

    Source:
        Viterbi (1967). Compared with enumeration in tests/nn/test_crf.py.
    """
    if readable(emissions):
        arrays = (emissions.detach().numpy(), rows.lengths.numpy(), numpy_scores(scores))
        best_tags, is_possible = numpy_viterbi.best_path(*arrays)
        return torch.from_numpy(best_tags), torch.from_numpy(is_possible)
    (batch, num_tokens, num_tags), (mask, _, last) = emissions.shape, rows
    # The batch is the last dimension: a maximum over the tags is then an elementwise maximum of whole vectors, which is
    # several times as fast as a reduction within each vector.
    states, transitions = emissions.new_empty(num_tokens, num_tags, batch), _centred(scores.transitions)
    moves = transitions.unsqueeze(2)  # (from, to, 1)
    torch.sub(emissions.permute(1, 2, 0), emissions.amax(2).t().unsqueeze(1), out=states)
    states[0] += scores.start.unsqueeze(1)
    # `states` now has the emissions; the loop adds the best score of a way to each tag, which makes it delta.
    for t in range(1, num_tokens):
        states[t] += (states[t - 1].unsqueeze(1) + moves).amax(0)  # (from, to, batch) -> (to, batch)
        if t % CENTRED == 0:
            states[t] -= states[t].amax(0).clamp(min=-1e30)
    # Rows end at different tokens: each takes delta of its own last token and adds the end scores there.
    final = states.gather(0, last.expand(1, num_tags, -1))[0] + scores.end.unsqueeze(1)  # (tags, batch)
    best, ending = final.max(0)  # (batch,)
    # The way back. At padding, and at the last token, the path holds the final tag of its row; from there it moves to
    # the tag from which the tag behind it was reached best.
    incoming = transitions.t().contiguous()  # (to, from)
    tags, tag, shortest = mask.new_zeros(num_tokens, batch, dtype=torch.long), ending, int(last.min())
    tags[-1] = ending
    for end in range(num_tokens - 1, 0, -BLOCK):
        start, path = max(0, end - BLOCK), []
        reached_by = states[start:end].transpose(1, 2).contiguous().unbind()  # (batch, tags) a token
        for t in range(end - 1, start - 1, -1):
            tag = incoming.index_select(0, tag).add_(reached_by[t - start]).argmax(1)  # (batch, from) -> (batch,)
            tag = tag if t < shortest else torch.where(t < last, tag, ending)
            path.append(tag)
        tags[start:end] = torch.stack(path[::-1])
    return tags.t().masked_fill(~mask, 0), best > -torch.inf


def best_paths(
    emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores, *, n: int
) -> tuple[Int[Tensor, "batch n tokens"], Bool[Tensor, "batch n"]]:
    """Return the `n` tag sequences with the highest scores in each row, best first, and which of them exist.

    Tags at padding are 0.

    The recursion keeps for each tag the scores of the `n` best sequences that reach it, instead of one. That is enough:
    whatever follows, a sequence that is not among the `n` best to its tag is beaten by `n` others with the same
    continuation.

    Source:
        The parallel list algorithm of Seshadri and Sundberg (1994). Compared with enumeration in tests/nn/test_crf.py.
    """
    if readable(emissions):
        arrays = (emissions.detach().numpy(), rows.lengths.numpy(), numpy_scores(scores))
        found, exist = numpy_n_best.best_paths(*arrays, n=n)
        return torch.from_numpy(found), torch.from_numpy(exist)
    (batch, num_tokens, num_tags), (mask, _, last) = emissions.shape, rows
    incoming = _centred(scores.transitions).t().unsqueeze(2)  # (to, from, 1)
    emissions = emissions - emissions.amax(2, keepdim=True)
    # Only one sequence reaches a tag at the first token. Minus infinity in the other places says that there is no
    # second; sequences that do not exist keep that score to the end.
    state = torch.full((batch, num_tags, n), -torch.inf, dtype=emissions.dtype, device=emissions.device)
    state[:, :, 0] = scores.start + emissions[:, 0]
    states, pointers = [state], []
    for t, token in enumerate(emissions.unbind(1)[1:], 1):
        candidates = (state.unsqueeze(1) + incoming).flatten(2)  # (batch, to, from * n)
        best, pointer = candidates.topk(n, 2)  # (batch, to, n)
        state = best + token.unsqueeze(2)
        if t % CENTRED == 0:
            state = state - state.amax((1, 2), keepdim=True).clamp(min=-1e30)
        states.append(state)
        pointers.append(pointer.flatten(1))  # (batch, to * n): tag and rank, from * n + rank, that each came from
    final = torch.stack(states, 1)[torch.arange(batch, device=last.device), last]  # (batch, tags, n)
    path_scores, ending = (final + scores.end.view(1, -1, 1)).flatten(1).topk(n, 1)  # (batch, n), into tags * n
    # The way back as in `best_path`, but along stored pointers: a path continues with a tag and a rank at that tag.
    path = [ending]
    for t in range(num_tokens - 2, -1, -1):
        earlier = pointers[t].gather(1, path[-1])  # pointers[t] lead from token t + 1 to token t
        path.append(torch.where((t < last).unsqueeze(1), earlier, ending))
    tags = torch.stack(path[::-1], 2).div(n, rounding_mode="floor")  # drop the rank: (batch, n, tokens)
    return tags.masked_fill(~mask.unsqueeze(1), 0), path_scores > -torch.inf
