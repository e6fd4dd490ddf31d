"""A model with its network in NumPy, from its folder."""

from pathlib import Path

import numpy as np

from tagger.model.folder.files import read_files
from tagger.model.folder.opening import TOKENIZER, model_folder
from tagger.model.folder.tokenizer import check_table
from tagger.model.model import Source
from tagger.model.numpy_network import NumpyModel, numpy_network


def load_numpy_model(path: str | Path, *, trusted: bool = False) -> NumpyModel:
    """Load the model of a run folder or of its `model/` folder.

    A large table of frozen word vectors stays in its file, which must not be changed in its place meanwhile. Training
    and `tagger` itself replace files as a whole, which does no harm.

    Raises:
        ModelError: The folder is missing, lacks a file, or has one that is damaged or of a newer format.
    """
    folder = model_folder(Path(path))
    config, vocabulary, rules, features, weights, digest = read_files(folder)
    check_table(rules, folder / TOKENIZER, trusted=trusted)
    # Small weights are copied, so that only the tables of frozen or quantised vectors depend on the file.
    arrays = {
        name: array if name == "words.frozen" or array.dtype == np.int8 else array.copy()
        for name, array in weights.arrays().items()
    }
    network = numpy_network(vocabulary, config, arrays, features)
    source = Source(folder.resolve(), digest)
    return NumpyModel(config, vocabulary, source, network, arrays, rules=rules, features=features)
