"""A linear-chain conditional random field with exact likelihood, marginals, span probabilities and n-best sequences.

`LinearChainCRF` is a drop-in replacement for `torchcrf.CRF`: same constructor, parameters, `state_dict`, `forward` and
`decode`. Its other methods take the batch first and return tensors. The recursions are in `lattice.py` and
`viterbi.py`. Which tags may follow each other is given as tables of booleans; tag names are not known here.

All scores are computed in float32 whatever the surrounding precision, or in float64 where the emissions are float64.
A mask is True at tokens. It may have gaps, which are closed before the recursions run, and rows without any token.
"""

import math
from contextlib import AbstractContextManager, nullcontext

import torch
import torchcrf
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor
from torch.nn import functional as F

from tagger.nn.chain.lattice import Lattice, Rows, Scores, forward_backward, rows_of
from tagger.nn.chain.likelihood import log_partition, path_likelihood, path_score, shares_likelihood
from tagger.nn.chain.viterbi import best_path, best_paths

UNKNOWN = -100  # gold tag id of a token whose tag is unknown, as in the loss functions of torch and Hugging Face
Mask = Bool[Tensor, "batch tokens"] | Integer[Tensor, "batch tokens"]


class LinearChainCRF(torchcrf.CRF):  # type: ignore[misc]
    """A CRF over the tags of a sentence, optionally with forbidden transitions.

    Args:
        num_tags: Number of tags.
        batch_first: Whether `forward` and `decode` take the batch first, as in `torchcrf.CRF`. All other methods do.
        allowed: Which tag may follow which, `[from][to]`; default: every tag may follow every tag. A sequence that is
            not allowed has probability 0 and is never decoded.
        allowed_start: Which tags a sentence may begin with; default: all.
        allowed_end: Which tags a sentence may end with; default: all.

    Raises:
        ValueError: A table does not hold booleans or has the wrong shape.

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
        """Return the log-likelihood of the tags in nats, reduced over the batch, as `torchcrf.CRF.forward` does."""
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
        """Return the most probable tags of each row as lists, as `torchcrf.CRF.decode` does."""
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
        """Return the log-probability of each row's gold tags given its emissions, in nats; 0 for a row without a token.

        Where the gold tag of a token is not fully known, it is the log of the summed probabilities of all sequences
        that agree with what is known.

        Args:
            emissions: Score of each tag at each token.
            tags: The gold tag of each token, -100 where it is unknown; or, as booleans, which tags each token may have.
                Values at padding are ignored.
            mask: True (or not 0) at tokens.

        Raises:
            ValueError: A gold tag is out of range, or no allowed sequence agrees with the gold tags of a row; the
                message names the row.

        Source:
            Tsuboi, Kashima, Mori, Oda and Matsumoto (2008), "Training Conditional Random Fields Using Incomplete
            Annotations", equation 4, for tags that are not fully known.
            Compared with enumeration of all sequences in tests/nn/test_crf.py.
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
                # P(gold) = Z(sequences that agree with gold) / Z(all sequences)
                gold = log_partition(emissions.masked_fill(~tags, -torch.inf), rows, scores)
                likelihood = (gold - log_partition(emissions, rows, scores)).to(emissions.dtype)
        if not math.isfinite(likelihood.detach().sum()):
            _refuse_impossible(likelihood, emissions, rows)
        return likelihood

    def token_log_likelihood(
        self,
        emissions: Float[Tensor, "batch tokens tags"],
        shares: Float[Tensor, "batch tokens tags"],
        mask: Mask,
    ) -> Float[Tensor, " batch"]:
        """Return the log-probability of each tag at its token, summed over all tags with their shares, in nats.

        If the shares are probabilities of a teacher, its negative is the cross-entropy between the marginals of the
        teacher and those of this CRF. Tags that no allowed sequence has at a token are ignored.

        Args:
            emissions: Score of each tag at each token.
            shares: Weight of each tag at each token, 0 or more. A token without shares counts in no sum. Values at
                padding are ignored.
            mask: True (or not 0) at tokens.

        Source:
            Wang, Jiang, Bach, Wang, Huang, Huang and Tu (2020), "Structure-Level Knowledge Distillation For
            Multilingual Sequence Labeling", section 3.2, posterior distillation.
            Compared with enumeration of all sequences in tests/nn/chain/test_token_likelihood.py.
        """
        emissions, shares, rows, _ = _left_aligned(_precise(emissions), shares, mask.bool())
        if emissions.numel() == 0:
            return emissions.sum((1, 2))
        with _full_precision(emissions.device):
            return shares_likelihood(emissions, rows, self.scores(emissions.dtype), shares)

    def _known(
        self, tags: Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"], mask: Bool[Tensor, "batch tokens"]
    ) -> Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"]:
        """Return the gold tags if all are known, else which tags each token may have."""
        if tags.dim() == 3:
            return tags
        tags = torch.where(mask, tags, 0)
        lowest, highest = tags.aminmax()
        if lowest >= 0 and highest < self.num_tags:
            return tags
        unknown = tags == UNKNOWN
        invalid = ((tags < 0) | (tags >= self.num_tags)) & ~unknown
        if invalid.any():
            row, token = (int(i) for i in invalid.nonzero()[0])
            raise ValueError(
                f"row {row}, token {token}: a gold tag must be 0 to {self.num_tags - 1}, or {UNKNOWN} where it is "
                f"unknown, got {int(tags[row, token])}"
            )
        return F.one_hot(tags.masked_fill(unknown, 0), self.num_tags).bool() | unknown.unsqueeze(2)

    @torch.no_grad()
    def marginals(
        self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask
    ) -> Float[Tensor, "batch tokens tags"]:
        """Return the probability of each tag at each token given the whole sentence; 0 at padding.

        Raises:
            ValueError: A row has no allowed sequence; the message names the row.
        """
        aligned, _, rows, places = _left_aligned(_precise(emissions), None, mask.bool())
        if aligned.numel() == 0:
            return aligned
        lattice = self._forward_backward(aligned, rows)
        _check_possible(lattice.log_partition != -torch.inf)
        return _put_back(lattice.marginals, places)

    @torch.no_grad()
    def best_path(self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask) -> Int[Tensor, "batch tokens"]:
        """Return the most probable tag sequence of each row; 0 at padding.

        Raises:
            ValueError: A row has no allowed sequence; the message names the row.
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
        """Return the n most probable tag sequences of each row, best first, and their probabilities.

        A row with fewer sequences is padded with sequences of tag 0 and probability 0. A row without a token has one
        sequence, the empty one.

        Raises:
            ValueError: `n` is below 1, or a row has no allowed sequence; the message names the row.
        """
        aligned, _, rows, places = _left_aligned(_precise(emissions), None, mask.bool())
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        if aligned.numel() == 0:
            only = torch.zeros(len(aligned), n, dtype=aligned.dtype, device=aligned.device)
            only[:, 0] = 1.0
            return rows.lengths.new_zeros(len(aligned), n, mask.shape[1]), only
        scores = self.scores(aligned.dtype)
        paths, possible = best_paths(aligned, rows, scores, n=n)  # (batch, n, tokens), (batch, n)
        empty = (rows.lengths == 0).unsqueeze(1)
        possible = torch.where(empty, torch.arange(n, device=empty.device) == 0, possible)
        _check_possible(possible[:, 0])
        partition = self._forward_backward(aligned, rows).log_partition
        # Viterbi's scores are relative to the highest ones; for probabilities the paths are scored again, exactly.
        exact = [path_score(aligned, rows, scores, path) - partition for path in paths.unbind(1)]
        probabilities = torch.stack(exact, 1).exp().to(aligned.dtype).masked_fill(~possible, 0)
        paths = paths.masked_fill(~possible.unsqueeze(2), 0)
        return torch.stack([_put_back(path, places) for path in paths.unbind(1)], 1), probabilities

    @torch.no_grad()
    def posterior(self, emissions: Float[Tensor, "batch tokens tags"], mask: Mask) -> Lattice:
        """Return the lattice of each row, from which `tagger/nn/spans.py` computes span probabilities.

        Raises:
            ValueError: The mask has a gap or starts with padding in a row that has tokens.
        """
        mask = mask.bool()
        rows = rows_of(mask.sum(1), mask.shape[1])
        if not torch.equal(mask, rows.mask):
            raise ValueError("mask must have the tokens of each row on its left, without gaps")
        emissions = _precise(emissions)
        return self._forward_backward(emissions, rows, messages=True)

    def scores(self, dtype: torch.dtype = torch.float32) -> Scores:
        """Return start, transition and end scores, with minus infinity for what is not allowed."""
        if not self.constrained:
            return Scores(*(p.to(dtype) for p in (self.start_transitions, self.transitions, self.end_transitions)))
        return Scores(
            self.start_transitions.to(dtype).masked_fill(~self.allowed_start, -torch.inf),
            self.transitions.to(dtype).masked_fill(~self.allowed, -torch.inf),
            self.end_transitions.to(dtype).masked_fill(~self.allowed_end, -torch.inf),
        )

    def _forward_backward(
        self, emissions: Float[Tensor, "batch tokens tags"], rows: Rows, *, messages: bool = False
    ) -> Lattice:
        with _full_precision(emissions.device):
            return forward_backward(emissions, rows, self.scores(emissions.dtype), messages=messages)


def _full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which mixed precision is off: the recursions need the digits of float32."""
    mixed = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if mixed else nullcontext()


def _checked_gold(emissions: Tensor, tags: Tensor) -> Tensor:
    """Return gold tags as 64-bit integers, or tables of possible tags unchanged.

    Raises:
        ValueError: The tags have another shape than the emissions, or another type.
    """
    if tags.dtype == torch.bool and tags.shape == emissions.shape:
        return tags
    if tags.dtype.is_floating_point or tags.dtype == torch.bool or tags.shape != emissions.shape[:2]:
        raise ValueError(
            f"tags must be integers of shape {tuple(emissions.shape[:2])} or booleans of shape "
            f"{tuple(emissions.shape)}, got {tags.dtype} of {tuple(tags.shape)}"
        )
    return tags.long()


def _refuse_impossible(likelihood: Tensor, emissions: Tensor, rows: Rows) -> None:
    """Raise if no allowed sequence agrees with the gold tags of a row.

    Rows with emissions that are NaN or plus infinity pass: their likelihood is NaN, and gold tags are not the reason.
    """
    broken = ((emissions.isnan() | (emissions == torch.inf)).any(2) & rows.mask).any(1)  # (batch,)
    impossible = (~likelihood.isfinite() & ~broken).nonzero()
    if len(impossible):
        row = int(impossible[0])
        raise ValueError(f"row {row}: no allowed tag sequence agrees with its gold tags")


def _check_possible(possible: Bool[Tensor, " batch"]) -> None:
    """Raise if a row has no allowed sequence."""
    if not possible.all():
        row = int((~possible).nonzero()[0])
        raise ValueError(f"row {row}: no tag sequence is allowed at its length")


def _precise(emissions: Float[Tensor, "batch tokens tags"]) -> Float[Tensor, "batch tokens tags"]:
    """Return the emissions in float32, or unchanged if they are float64."""
    return emissions if emissions.dtype == torch.double else emissions.float()


def _left_aligned(emissions: Tensor, tags: Tensor | None, mask: Tensor) -> tuple[Tensor, Tensor, Rows, Tensor | None]:
    """Return emissions and tags with the tokens of each row moved to its left, the rows, and where tokens came from.

    The last is None if nothing had to be moved.

    Raises:
        ValueError: The mask has another shape than the emissions.
    """
    if mask.shape != emissions.shape[:2]:
        raise ValueError(f"mask must be of shape {tuple(emissions.shape[:2])}, got {tuple(mask.shape)}")
    tags = mask if tags is None else tags
    rows = rows_of(mask.sum(1), mask.shape[1])
    if torch.equal(mask, rows.mask):
        return emissions, tags, rows, None
    # A stable sort of the mask, True first: the tokens in their order, then the padding.
    places = torch.argsort(mask.int(), stable=True, dim=1, descending=True)  # (batch, tokens)
    moved = emissions.gather(1, places.unsqueeze(2).expand_as(emissions))
    wide = places if tags.dim() == 2 else places.unsqueeze(2).expand_as(tags)
    return moved, tags.gather(1, wide), rows, places


def _put_back(values: Tensor, places: Tensor | None) -> Tensor:
    """Return the values of tokens, moved from the left of their rows back to where the tokens came from."""
    if places is None:
        return values
    wide = places if values.dim() == 2 else places.unsqueeze(2).expand_as(values)
    return torch.zeros_like(values).scatter(1, wide, values)
