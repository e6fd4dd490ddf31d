"""CRFs and batches with random scores, and the score of every sequence: what exact results are compared with."""

from itertools import pairwise, product

import torch
from torch import Tensor

from tagger.nn.crf import LinearChainCRF

Tables = tuple[list[list[bool]], list[bool], list[bool]]


def make_crf(num_tags: int, *, seed: int = 1, scale: float = 1.0, tables: Tables | None = None) -> LinearChainCRF:
    allowed, start, end = tables or (None, None, None)
    crf = LinearChainCRF(num_tags, batch_first=True, allowed=allowed, allowed_start=start, allowed_end=end)
    generator = torch.Generator().manual_seed(seed)
    for parameter in crf.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale
    return crf


def make_tables(num_tags: int, seed: int) -> Tables:
    """Return random tables in which tag 0 is allowed everywhere, so that every length has an allowed sequence."""
    generator = torch.Generator().manual_seed(seed)
    allowed = torch.rand(num_tags, num_tags, generator=generator) < 0.5
    start, end = (torch.rand(num_tags, generator=generator) < 0.5 for _ in range(2))
    allowed[0, 0] = start[0] = end[0] = True
    return allowed.tolist(), start.tolist(), end.tolist()


def make_batch(lengths: list[int], num_tags: int, *, seed: int = 1, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    emissions = torch.randn(len(lengths), max(lengths), num_tags, generator=generator) * scale
    return emissions, torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


def enumerate_sequences(crf: LinearChainCRF, emissions: Tensor) -> dict[tuple[int, ...], float]:
    """Return the score of every sequence that the tables allow, for the emissions of one sentence, one by one."""
    emitted = emissions.double().tolist()
    start, move, end = (p.double().tolist() for p in (crf.start_transitions, crf.transitions, crf.end_transitions))
    scores = {}
    for tags in product(range(crf.num_tags), repeat=len(emitted)):
        moves = list(pairwise(tags))
        if crf.allowed_start[tags[0]] and crf.allowed_end[tags[-1]] and all(crf.allowed[i, j] for i, j in moves):
            inside = sum(emitted[t][tag] for t, tag in enumerate(tags)) + sum(move[i][j] for i, j in moves)
            scores[tags] = inside + start[tags[0]] + end[tags[-1]]
    return scores
