"""An exported model, from its folder."""

from pathlib import Path

from tagger.model.folder.files import read_exported
from tagger.model.folder.opening import GRAPH, TOKENIZER, model_folder
from tagger.model.folder.tokenizer import check_table
from tagger.model.model import Source
from tagger.model.numpy_network import numpy_heads
from tagger.model.onnx_network import OnnxModel, OnnxNetwork


def load_onnx_model(path: str | Path, *, trusted: bool = False) -> OnnxModel:
    """Load the model of an exported folder.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        ModelError: The folder lacks a file, or has one that is damaged or of a newer format.
    """
    folder = model_folder(Path(path))
    config, vocabulary, rules, features, weights, graph, digest = read_exported(folder)
    check_table(rules, folder / TOKENIZER, trusted=trusted)
    arrays = {name: array.copy() for name, array in weights.arrays().items()}  # the file may be replaced
    network = OnnxNetwork(graph, numpy_heads(vocabulary, config, arrays), folder / GRAPH, features)
    return OnnxModel(config, vocabulary, Source(folder.resolve(), digest), network, rules=rules, features=features)
