"""The network of an exported model: its graph, run by onnxruntime, and the heads in NumPy that decode the rest.

The graph is run on one thread; several threads may run it at the same time.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.batches import Batch
from tagger.encoding.packed import ranges
from tagger.errors import MissingExtraError, ModelError
from tagger.features.passages import Passage
from tagger.features.table import Features, token_arrays, type_arrays
from tagger.model.model import Model
from tagger.numpy_nn.heads import HeadNetwork
from tagger.wording import shorten

Arrays = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
CHARS = 2**16  # characters of words that are computed at once, with padding
UNDECODED = {"decode": np.array(False)}  # the heads decode here
NO_WORD = {"word_ids": np.zeros(1, np.int32), "char_ids": np.ones((1, 1), np.int32)}  # a graph reads at least one word
NO_TOKEN = {"type_ids": np.zeros((1, 1), np.int32), "lengths": np.ones(1, np.int32)}  # and at least one token


class OnnxNetwork:
    """A graph with the heads that decode its emissions.

    Args:
        graph: The bytes of `model.onnx`.
        heads: By the layer that each predicts.
        where: The path of the graph, for messages.
        features: What else the graph reads of words and sentences, by name.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        ModelError: onnxruntime cannot read the graph.
    """

    def __init__(self, graph: bytes, heads: Mapping[str, HeadNetwork], where: Path, features: Features) -> None:
        # Since 1.29 it sends facts about its use from a thread, for which a forked process waits forever at its end.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError(
                'an exported model needs onnxruntime, which is not installed; run pip install "tagger-bilstm[onnx]"'
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # batches run side by side instead
        options.enable_mem_pattern = False  # it would keep a plan for each shape of a batch
        options.log_severity_level = 4  # what goes wrong is raised
        self.heads = heads
        self.where = where
        no_word, no_token = type_arrays(features, ["x"]), token_arrays(features, [Passage(())])
        self._no_word = {**NO_WORD, **_named(no_word)}
        rows = {name: found[np.zeros(0, np.int64)] for name, found in no_token.items()}  # (0, numbers)
        one = {name: np.zeros((1, 1, found.shape[1]), found.dtype) for name, found in rows.items()}
        self._no_token = {**NO_TOKEN, **_named(one)}
        with self._one_sentence():
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._given = {"known_vectors", *(each.name for each in self._session.get_inputs())}
        self._options = onnxruntime.RunOptions()
        self._options.log_severity_level = 4

    def type_vectors(self, word_ids: Ids, char_ids: Ids, char_lengths: Ids, features: Mapping[str, Ids]) -> Floats:
        """Return the vector of each distinct word, of shape (types, embedding)."""
        starts = np.cumsum(char_lengths) - char_lengths
        vectors: Floats | None = None
        for words in _by_length(char_lengths):  # so that a long word does not add padding to all others
            lengths = char_lengths[words]
            is_char = np.arange(lengths.max()) < lengths[:, None]
            padded = np.zeros(is_char.shape, np.int32)
            padded[is_char] = char_ids[ranges(starts[words], lengths)]
            given = {"word_ids": word_ids[words].astype(np.int32), "char_ids": padded}
            given |= _named({name: ids[words] for name, ids in features.items()})
            found = self._run(["type_vectors"], given | self._no_token)[0]
            if vectors is None:
                vectors = np.empty((len(word_ids), found.shape[1]), np.float32)
            vectors[words] = found
        assert vectors is not None
        return vectors

    def outputs(self, batch: Batch, type_vectors: Floats, names: Sequence[str]) -> list[NDArray[Any]]:
        """Return the outputs of the graph with these names, given the vectors of the words of a batch."""
        tokens = {"type_ids": batch.type_ids.astype(np.int32), "lengths": batch.lengths.astype(np.int32)}
        tokens |= _named(batch.features)
        return self._run(names, tokens | self._no_word | {"known_vectors": type_vectors})

    def _run(self, names: Sequence[str], feeds: Arrays) -> list[NDArray[Any]]:
        given = {name: value for name, value in feeds.items() if name in self._given}
        with self._one_sentence():
            found: list[NDArray[Any]] = self._session.run(names, given | UNDECODED, self._options)
        return found

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        """Turn an error of onnxruntime into one sentence."""
        from onnxruntime.capi import onnxruntime_pybind11_state as errors

        kinds = (errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.InvalidProtobuf)
        try:
            yield
        except (*kinds, errors.NotImplemented, errors.RuntimeException) as error:
            reason = shorten(str(error).removeprefix("[ONNXRuntimeError] : "))
            raise ModelError(
                f"{self.where}: onnxruntime cannot run the graph: {reason}; upgrade onnxruntime, or export again"
            ) from None


def _named(features: Arrays) -> Arrays:
    """Return the values of features under the names of their inputs, in the types that a graph reads."""
    kinds = {"f": np.float32, "i": np.int32}
    return {f"feature:{name}": values.astype(kinds[values.dtype.kind]) for name, values in features.items()}


def _by_length(lengths: Ids) -> Iterator[Ids]:
    """Yield the words of groups in which the longest has less than twice as many characters as the shortest."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        shortest = max(8, int(lengths[order[start]]))
        end = int(np.searchsorted(lengths[order], 2 * shortest))
        end = min(end, start + max(1, CHARS // (2 * shortest)))
        end = max(end, start + 1)
        yield order[start:end]
        start = end


@dataclass(frozen=True)
class OnnxModel(Model):
    """A model with its network in a graph.

    Args:
        network: Computes what the model predicts.
    """

    network: OnnxNetwork = field(repr=False)
