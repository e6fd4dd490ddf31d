"""Vectors of ids against one torch table for each column."""

import pytest
import torch
from torch import nn

from tagger.nn.features import IdEmbeddings


@pytest.mark.parametrize("types", [0, 1, 6])
def test_each_column_has_a_table_of_its_own(types: int) -> None:
    sizes = (3, 1, 5)
    network = IdEmbeddings(sizes, 4)
    tables = [nn.Embedding.from_pretrained(rows) for rows in network.table.weight.data.split(sizes)]
    ids = torch.stack([torch.randint(size, (types,)) for size in sizes], 1)
    wanted = torch.cat([table(column) for table, column in zip(tables, ids.T, strict=True)], 1)
    assert torch.equal(network(ids), wanted)


def test_columns_share_a_single_table() -> None:
    network = IdEmbeddings([7], 4)
    ids = torch.tensor([[6, 0, 6], [1, 2, 3]])
    assert torch.equal(network(ids), network.table(ids).flatten(1))
