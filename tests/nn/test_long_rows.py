"""Very long rows run in blocks of tokens, with the results of one pass."""

import pytest
import torch

from tagger.nn import encoder, spans
from tagger.nn.chain import lattice, viterbi
from tagger.nn.chain.lattice import token_mask
from tagger.nn.crf import LinearChainCRF
from tagger.nn.encoder import RecurrentEncoder

LENGTHS = torch.tensor([23, 7, 1, 16])


@pytest.mark.parametrize("block", [1, 5, 23])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@torch.no_grad()
def test_states_do_not_depend_on_the_block(
    cell: str, bidirectional: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    reader = RecurrentEncoder(input_size=4, hidden_size=3, cell=cell, layers=2, bidirectional=bidirectional)
    vectors, mask = torch.randn(4, 23, 4), token_mask(LENGTHS, 23)
    expected = reader(vectors, mask)
    monkeypatch.setattr(encoder, "BLOCK", block)
    torch.testing.assert_close(reader(vectors, mask)[mask], expected[mask], atol=1e-6, rtol=0)


@pytest.mark.parametrize("block", [1, 5, 22])
@pytest.mark.parametrize("long", [10, 100])
def test_tags_and_lattice_do_not_depend_on_the_block(long: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    crf = LinearChainCRF(5)
    emissions, mask = torch.randn(4, 23, 5) * 3, token_mask(LENGTHS, 23)
    monkeypatch.setattr(lattice, "IN_NUMPY", ())  # torch's recursions have blocks
    monkeypatch.setattr(lattice, "LONG", long)
    path, expected = crf.best_path(emissions, mask), crf.posterior(emissions, mask)
    for module in (lattice, viterbi, spans):
        monkeypatch.setattr(module, "BLOCK", block)
    assert torch.equal(crf.best_path(emissions, mask), path)
    found = crf.posterior(emissions, mask)
    torch.testing.assert_close(found.log_partition, expected.log_partition, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.marginals, expected.marginals, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.counts, expected.counts, atol=1e-5, rtol=0)
    for name in ("leaving", "entering"):
        torch.testing.assert_close(getattr(found, name)[mask], getattr(expected, name)[mask], atol=1e-4, rtol=0)
