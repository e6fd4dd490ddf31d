"""Graphs of bricks, run by onnxruntime, for comparison with the bricks of torch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime import InferenceSession, SessionOptions
from torch import nn

from tagger.encoding.batches import Batch
from tagger.onnx_nn.graph import Graph, Sentences

Feeds = Mapping[str, np.ndarray[Any, Any]]


def arrays_of(module: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def session_of(graph: Graph) -> InferenceSession:
    model = graph.model({})
    onnx.checker.check_model(model)
    options = SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    return InferenceSession(model.SerializeToString(), options)


def run(session: InferenceSession, feeds: Feeds) -> dict[str, np.ndarray[Any, Any]]:
    """All outputs; the graph may lack some of the inputs."""
    names = [output.name for output in session.get_outputs()]
    given = {each.name: feeds[each.name] for each in session.get_inputs() if each.name in feeds}
    return dict(zip(names, session.run(names, given), strict=True))


def sentences_input(graph: Graph, forward_size: int) -> Sentences:
    """Inputs `states`, (batch, tokens, hidden), `mask` and `lengths`, as heads read them."""
    states = graph.input("states", "FLOAT", "batch", "tokens", "hidden")
    mask = graph.input("mask", "BOOL", "batch", "tokens")
    lengths = graph.input("lengths", "INT64", "batch")
    first, rows = graph.add("Transpose", states, perm=[1, 0, 2]), graph.add("Transpose", mask, perm=[1, 0])
    return Sentences(first, rows, lengths, graph.optional_input("decode", "BOOL", np.array(True)), forward_size)


def padded(lengths: list[int], width: int, *, seed: int = 0, scale: float = 1.0) -> dict[str, np.ndarray[Any, Any]]:
    """Random vectors for sentences of these lengths; NaN at padding, which must not matter."""
    array = np.random.default_rng(seed).normal(0, scale, (len(lengths), max(lengths), width)).astype(np.float32)
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    array[~mask] = np.nan
    return {"states": array, "mask": mask, "lengths": np.array(lengths, np.int64)}


def tensors(feeds: Feeds) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(feeds["states"]), torch.from_numpy(feeds["mask"])


def feeds_of(batch: Batch) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of the graph of a model."""
    is_char = np.arange(batch.char_lengths.max()) < batch.char_lengths[:, None]
    char_ids = np.zeros(is_char.shape, np.int32)
    char_ids[is_char] = batch.char_ids
    integers = {"word_ids": batch.word_ids, "type_ids": batch.type_ids, "lengths": batch.lengths}
    return {name: array.astype(np.int32) for name, array in integers.items()} | {"char_ids": char_ids}
