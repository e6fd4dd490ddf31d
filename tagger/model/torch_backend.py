"""Runs a network with torch."""

from collections.abc import Mapping
from typing import Any

import torch

from tagger.data.batches import Batch
from tagger.model.network import Network, to_tensors
from tagger.model.predict import HeadArrays, LabelArrays, TagArrays
from tagger.nn.heads import TokensOutput


class TorchBackend:
    """A backend on the device of the network's parameters. The network must be in evaluation mode."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @torch.inference_mode()
    def run(self, batch: Batch, *, n_best: int = 0) -> Mapping[str, HeadArrays]:
        """What each head says of a batch, by layer."""
        outputs = self.network(to_tensors(batch, self.network.device), n_best=n_best)
        arrays: dict[str, HeadArrays] = {}
        for layer, output in outputs.items():
            if isinstance(output, TokensOutput):
                rows = None if output.spans is None else output.spans.rows
                tensors = (output.tag_ids, output.probabilities, output.sequences, rows, *output[4:])
                arrays[layer] = TagArrays(*map(_to_numpy, tensors))
            else:
                arrays[layer] = LabelArrays(_to_numpy(output.probabilities), _to_numpy(output.attention))
        return arrays


def _to_numpy(tensor: torch.Tensor | None) -> Any:
    return None if tensor is None else tensor.cpu().numpy()
