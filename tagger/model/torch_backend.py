"""Runs a network with torch."""

from collections.abc import Mapping

import torch

from tagger.data.batches import Batch
from tagger.model.network import Network, to_tensors
from tagger.model.predict import HeadArrays
from tagger.nn.heads import TokensOutput


class TorchBackend:
    """A backend on the device of the network's parameters. The network must be in evaluation mode."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @torch.inference_mode()
    def run(self, batch: Batch) -> Mapping[str, HeadArrays]:
        """What each head says of a batch, by layer."""
        outputs = self.network(to_tensors(batch, self.network.device))
        arrays = {}
        for layer, output in outputs.items():
            if isinstance(output, TokensOutput):
                arrays[layer] = HeadArrays(output.tag_ids.cpu().numpy(), output.probabilities.cpu().numpy())
            else:
                attention = output.attention
                weights = None if attention is None else attention.cpu().numpy()
                arrays[layer] = HeadArrays(None, output.probabilities.cpu().numpy(), weights)
        return arrays
