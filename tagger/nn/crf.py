"""A linear-chain conditional random field that answers exactly: likelihood, marginals, spans, best and n best paths.

`LinearChainCRF` is a `torchcrf.CRF` and a drop-in for it: same constructor, parameters, `state_dict`, `forward` and
`decode`. The methods added to these take the batch first and return tensors. The recursions stand in `lattice.py` and
`viterbi.py`; which tags may follow each other is given as tables, and tag names are not known here.

All scores are float32 whatever the surrounding precision (float64 where the emissions are). A mask is True at tokens;
it may have gaps, which are closed up, and rows without a token.
"""

import math
from contextlib import AbstractContextManager, nullcontext

import torch
import torchcrf
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor
from torch.nn import functional as F

from tagger.nn.lattice import Lattice, Rows, Scores, forward_backward, rows_of
from tagger.nn.likelihood import log_partition, path_likelihood, path_score
from tagger.nn.viterbi import best_path, best_paths

UNKNOWN = -100  # a gold tag id that stands for any tag, as in the loss functions of torch and Hugging Face
Mask = Bool[Tensor, "batch tokens"] | Integer[Tensor, "batch tokens"]


class LinearChainCRF(torchcrf.CRF):  # type: ignore[misc]
    """A CRF over the tags of a sentence, optionally with transitions that cannot happen.

    Args:
        num_tags: Number of tags.
        batch_first: Whether `forward` and `decode` take the batch first, as in `torchcrf.CRF`. All other methods do.
        allowed: Which tag may follow which, `[from][to]`; all if left out. What is not allowed has no probability and
            is never decoded.
        allowed_start: Which tags may come first.
        allowed_end: Which tags may come last.

    Source:
        Lafferty, McCallum and Pereira (2001). Compared with enumeration of all sequences in tests/nn/test_crf.py.
    """

    def __init__(
        self,
        num_tags: int,
        batch_first: bool = False,
        *,
        allowed: list[list[bool]] | None = None,
        allowed_start: list[bool] | None = None,
        allowed_end: list[bool] | None = None,
    ) -> None:
        super().__init__(num_tags, batch_first)
        for name, table, shape in (
            ("allowed", allowed, (num_tags, num_tags)),
            ("allowed_start", allowed_start, (num_tags,)),
            ("allowed_end", allowed_end, (num_tags,)),
        ):
            value = torch.ones(shape, dtype=torch.bool) if table is None else torch.tensor(table)
            if value.shape != shape or value.dtype != torch.bool:
                raise ValueError(f"{name} must be booleans of shape {shape}, got {value.dtype} of {tuple(value.shape)}")
            self.register_buffer(name, value, persistent=False)
        self.constrained = not all(table is None for table in (allowed, allowed_start, allowed_end))

    def __repr__(self) -> str:
        return f"CRF(num_tags={self.num_tags})"

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor | None = None, reduction: str = "sum") -> Tensor:
        """The log-likelihood of the tags in nats, reduced over the batch: `torchcrf.CRF.forward`."""
        self._validate(emissions, tags=tags, mask=mask)
        if reduction not in ("none", "sum", "mean", "token_mean"):
            raise ValueError(f"invalid reduction: {reduction}")
        mask = torch.ones_like(tags, dtype=torch.bool) if mask is None else mask
        if not self.batch_first:
            emissions, tags, mask = emissions.transpose(0, 1), tags.transpose(0, 1), mask.transpose(0, 1)
        likelihood = self.log_likelihood(emissions, tags, mask)
        if reduction == "none":
            return likelihood
        if reduction == "token_mean":
            return likelihood.sum() / mask.bool().sum()
        return likelihood.sum() if reduction == "sum" else likelihood.mean()

    def decode(self, emissions: Tensor, mask: Tensor | None = None) -> list[list[int]]:
        """The most probable tags of each row as lists: `torchcrf.CRF.decode`."""
        self._validate(emissions, mask=mask)
        if not self.batch_first:
            emissions, mask = emissions.transpose(0, 1), None if mask is None else mask.transpose(0, 1)
        mask = emissions.new_ones(emissions.shape[:2], dtype=torch.bool) if mask is None else mask.bool()
        path = self.best_path(emissions, mask)
        return [tags.tolist() for tags in path[mask].split(mask.sum(1).tolist())]

    def log_likelihood(
        self,
        emissions: Float[Tensor, "batch tokens tags"],
        tags: Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"],
        mask: Mask,
    ) -> Float[Tensor, " batch"]:
        """Log-probability of each row's gold tags given its emissions, in nats; 0 for a row without a token.

        Args:
            emissions: Score of each tag at each token.
            tags: The gold tag of each token, -100 where it is not known; or which tags are admissible at each token.
                What is not known is summed out. Anything may stand at padding.
            mask: Not 0 at tokens.

        Raises:
            ValueError: A gold tag is no tag, or a row has no sequence that is gold and allowed; names the row.
        """
        tags = _checked_gold(emissions, tags)
        emissions, tags, rows, _ = _left_aligned(_precise(emissions), tags, mask.bool())
        if emissions.numel() == 0:
            return emissions.sum((1, 2))
        scores = self.scores(emissions.dtype)
        with _full_precision(emissions.device):
            tags = self._known(tags, rows.mask)
            if tags.dim() == 2:
                likelihood = path_likelihood(emissions, rows, scores, tags)
            else:
                gold = log_partition(emissions.masked_fill(~tags, -torch.inf), rows, scores)
                likelihood = (gold - log_partition(emissions, rows, scores)).to(emissions.dtype)
        if not math.isfinite(likelihood.detach().sum()):
            _refuse_impossible(likelihood, emissions, rows)
        return likelihood

    def _known(
        self, tags: Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"], mask: Bool[Tensor, "batch tokens"]
    ) -> Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"]:
        """The gold tags if all are known, else which are admissible at each token; 0 or anything at padding."""
        if tags.dim() == 3:
            return tags
        tags = torch.where(mask, tags, 0)
        lowest, highest = tags.aminmax()
        if lowest >= 0 and highest < self.num_tags:
            return tags
        odd, unknown = (tags < 0) | (tags >= self.num_tags), tags == UNKNOWN
        if (odd & ~unknown).any():
            row, token = (int(i) for i in (odd & ~unknown).nonzero()[0])
            raise ValueError(
                f"row {row}, token {token}: a gold tag must be 0 to {self.num_tags - 1}, or {UNKNOWN} where it is "
                f"not known, got {int(tags[row, token])}"
            )
        return F.one_hot(tags.masked_fill(unknown, 0), self.num_tags).bool() | unknown.unsqueeze(2)

    @torch.no_grad()
    def marginals(
        self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask
    ) -> Float[Tensor, "batch tokens tags"]:
        """Probability of each tag at each token given the whole sentence; 0 at padding.

        Raises:
            ValueError: A row has no sequence that keeps to the allowed transitions; names the row.
        """
        aligned, _, rows, places = _left_aligned(_precise(emissions), None, mask.bool())
        if aligned.numel() == 0:
            return aligned
        lattice = self._forward_backward(aligned, rows)
        _check_possible(lattice.log_partition != -torch.inf)
        return _put_back(lattice.marginals, places)

    @torch.no_grad()
    def best_path(self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask) -> Int[Tensor, "batch tokens"]:
        """The most probable tag sequence of each row; 0 at padding.

        Raises:
            ValueError: A row has no sequence that keeps to the allowed transitions; names the row.
        """
        aligned, _, rows, places = _left_aligned(_precise(emissions), None, mask.bool())
        if aligned.numel() == 0:
            return rows.lengths.new_zeros(aligned.shape[:2])
        path, possible = best_path(aligned, rows, self.scores(aligned.dtype))
        _check_possible(possible | (rows.lengths == 0))
        return _put_back(path, places)

    @torch.no_grad()
    def n_best_paths(
        self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask, *, n: int
    ) -> tuple[Int[Tensor, "batch n tokens"], Float[Tensor, "batch n"]]:
        """The n most probable tag sequences of each row, best first, and their probabilities.

        A row that has fewer is filled up with tags 0 at probability 0; one without a token has one, which is empty.

        Raises:
            ValueError: `n` is below 1, or a row has no sequence that keeps to the allowed transitions; names the row.
        """
        aligned, _, rows, places = _left_aligned(_precise(emissions), None, mask.bool())
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        scores = self.scores(aligned.dtype)
        paths, possible = best_paths(aligned, rows, scores, n=n)  # (batch, n, tokens), (batch, n)
        empty = (rows.lengths == 0).unsqueeze(1)
        possible = torch.where(empty, torch.arange(n, device=empty.device) == 0, possible)
        _check_possible(possible[:, 0])
        partition = self._forward_backward(aligned, rows).log_partition
        exact = [path_score(aligned, rows, scores, path) - partition for path in paths.unbind(1)]
        probabilities = torch.stack(exact, 1).exp().to(aligned.dtype).masked_fill(~possible, 0)
        paths = paths.masked_fill(~possible.unsqueeze(2), 0)
        return torch.stack([_put_back(path, places) for path in paths.unbind(1)], 1), probabilities

    @torch.no_grad()
    def posterior(self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask) -> Lattice:
        """What both recursions know of each row, for the functions of `tagger/nn/spans.py` to ask.

        Raises:
            ValueError: The mask has a gap or starts with padding in a row that has tokens.
        """
        mask = mask.bool()
        rows = rows_of(mask.sum(1), mask.shape[1])
        if not torch.equal(mask, rows.mask):
            raise ValueError("mask must have the tokens of each row on its left, without gaps")
        emissions = _precise(emissions)
        return self._forward_backward(emissions, rows, ways=True)

    def scores(self, dtype: torch.dtype = torch.float32) -> Scores:
        """Start, transition and end scores, minus infinity for what cannot happen."""
        if not self.constrained:
            return Scores(*(p.to(dtype) for p in (self.start_transitions, self.transitions, self.end_transitions)))
        return Scores(
            self.start_transitions.to(dtype).masked_fill(~self.allowed_start, -torch.inf),
            self.transitions.to(dtype).masked_fill(~self.allowed, -torch.inf),
            self.end_transitions.to(dtype).masked_fill(~self.allowed_end, -torch.inf),
        )

    def _forward_backward(
        self, emissions: Float[Tensor, "batch tokens tags"], rows: Rows, *, ways: bool = False
    ) -> Lattice:
        with _full_precision(emissions.device):
            return forward_backward(emissions, rows, self.scores(emissions.dtype), ways=ways)


def _full_precision(device: torch.device) -> AbstractContextManager[object]:
    """A context without mixed precision."""
    mixed = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if mixed else nullcontext()


def _checked_gold(emissions: Tensor, tags: Tensor) -> Tensor:
    """Gold tags as 64-bit integers, or admissible tags as they are, of the shape of the emissions."""
    if tags.dtype == torch.bool and tags.shape == emissions.shape:
        return tags
    if tags.dtype.is_floating_point or tags.dtype == torch.bool or tags.shape != emissions.shape[:2]:
        raise ValueError(
            f"tags must be integers of shape {tuple(emissions.shape[:2])} or booleans of shape "
            f"{tuple(emissions.shape)}, got {tags.dtype} of {tuple(tags.shape)}"
        )
    return tags.long()


def _refuse_impossible(likelihood: Tensor, emissions: Tensor, rows: Rows) -> None:
    """Refuse rows without a sequence that is gold and allowed, but for those whose emissions are no numbers."""
    broken = ((emissions.isnan() | (emissions == torch.inf)).any(2) & rows.mask).any(1)  # (batch,)
    impossible = (~likelihood.isfinite() & ~broken).nonzero()
    if len(impossible):
        row = int(impossible[0])
        raise ValueError(f"row {row}: no sequence of its gold tags keeps to the allowed transitions")


def _check_possible(possible: Bool[Tensor, " batch"]) -> None:
    """Refuse rows without any sequence."""
    if not possible.all():
        row = int((~possible).nonzero()[0])
        raise ValueError(f"row {row}: no sequence keeps to the allowed transitions")


def _precise(emissions: Float[Tensor, "batch tokens tags"]) -> Float[Tensor, "batch tokens tags"]:
    """The emissions in float32, or in float64 if they are."""
    return emissions if emissions.dtype == torch.double else emissions.float()


def _left_aligned(emissions: Tensor, tags: Tensor | None, mask: Tensor) -> tuple[Tensor, Tensor, Rows, Tensor | None]:
    """Emissions and tags with the tokens of each row on its left, which these are, and where each came from.

    The places are None where nothing had to move.
    """
    if mask.shape != emissions.shape[:2]:
        raise ValueError(f"mask must be of shape {tuple(emissions.shape[:2])}, got {tuple(mask.shape)}")
    tags = mask if tags is None else tags
    rows = rows_of(mask.sum(1), mask.shape[1])
    if torch.equal(mask, rows.mask):
        return emissions, tags, rows, None
    places = torch.argsort(mask.int(), stable=True, dim=1, descending=True)  # (batch, tokens)
    moved = emissions.gather(1, places.unsqueeze(2).expand_as(emissions))
    wide = places if tags.dim() == 2 else places.unsqueeze(2).expand_as(tags)
    return moved, tags.gather(1, wide), rows, places


def _put_back(values: Tensor, places: Tensor | None) -> Tensor:
    """Values a token, moved from the left of their rows to where the tokens came from."""
    if places is None:
        return values
    wide = places if values.dim() == 2 else places.unsqueeze(2).expand_as(values)
    return torch.zeros_like(values).scatter(1, wide, values)
