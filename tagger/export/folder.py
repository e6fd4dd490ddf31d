"""An exported model on disk: one ONNX graph with decoding inside, and the small files around it.

The folder is like that of the trained model, but has `model.onnx` and, for decoding outside the graph, the weights of
the heads (`heads.safetensors`) instead of all weights. No torch is needed to write it, and only onnxruntime to run it.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save

from tagger.errors import MissingExtraError, ModelError
from tagger.export.card import graph_card
from tagger.export.network import build_graph
from tagger.files.exclusive import check_free, writing_to
from tagger.files.holding import check_kind, kind_in
from tagger.files.writing import replace_files
from tagger.model.config import ModelConfig
from tagger.model.folder.feature_files import remove_features
from tagger.model.folder.files import ModelFiles, files_of, read_files
from tagger.model.folder.opening import CARD, GRAPH, HEADS, WEIGHTS, model_folder
from tagger.model.model import Model
from tagger.text.choices import ExportPrecision

if TYPE_CHECKING:
    from onnx import ModelProto

LARGEST = 2**31 - 1  # bytes of an ONNX graph in one file
PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}  # without it, the quantiser warns of unprepared graphs


def export_onnx(
    model: Path, folder: Path, *, precision: ExportPrecision = "float32", overwrite: bool = False
) -> Mapping[str, int]:
    """Write a trained model as an ONNX graph with the small files around it, and return the bytes of each file.

    Args:
        model: Folder of a run, or of a model.
        folder: Where to write; it is created if missing.
        precision: Precision of the recurrence. `int8` is faster, and only for LSTM encoders.
        overwrite: Whether to replace an exported model in the folder.

    Raises:
        MissingExtraError: A package that the export needs is not installed.
        ModelError: The model cannot be read or exported, or the folder holds a model.
        DataError: A file cannot be written.
    """
    _check_packages(precision)
    source = model_folder(model)
    if not (source / WEIGHTS).is_file() and (source / GRAPH).is_file():
        raise ModelError(f"{source}: expected a trained model, got one that was exported; give the folder of its run")
    files = read_files(source)
    _check_precision(source, files.config, precision)
    contents = _contents(files, precision, _card_of(source))
    with writing_to(folder, of="an export", by="export"):
        _check_place(folder, overwrite=overwrite)
        replace_files(folder, contents)
        remove_features(folder, but=contents)
    return {name: len(content) for name, content in contents.items()}


def _contents(files: ModelFiles, precision: ExportPrecision, card: str) -> dict[str, bytes]:
    """Return the bytes of each file of the exported folder."""
    config, vocabulary, weights = files.config, files.vocabulary, files.weights.arrays()
    nodes = build_graph(config, vocabulary, weights, files.features)
    graph = nodes.model({"version": version("tagger-bilstm"), "precision": precision} | PREPARED)
    heads = {name: np.ascontiguousarray(value) for name, value in weights.items() if name.startswith("head:")}
    numbers = {GRAPH: _quantised(graph) if precision == "int8" else _serialised(graph), HEADS: save(heads)}
    model = Model(config, vocabulary, None, rules=files.rules)
    contents = {name: feature.content(None) for name, feature in files.features.items()}
    return files_of(model, numbers, contents, card=graph_card(nodes, precision, card))


def _serialised(model: "ModelProto") -> bytes:
    """Return the bytes of the graph.

    Raises:
        ModelError: They are more than a file of this format can hold.
    """
    if model.ByteSize() > LARGEST:
        raise ModelError(
            f"the graph must have at most {LARGEST:,} bytes, got {model.ByteSize():,}; train with fewer word vectors "
            "(embeddings.max_words)"
        )
    content: bytes = model.SerializeToString()
    return content


def _quantised(model: "ModelProto") -> bytes:
    """Return the graph with 8-bit weights in the recurrence over tokens, whose inputs are rounded while it runs.

    Characters stay float32: their vectors are computed once for each word.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _serialised(model)  # checks the size
    others = [node.name for node in model.graph.node if node.op_type == "LSTM" and not node.name.startswith("encoder.")]
    with TemporaryDirectory(prefix="tagger-") as place:
        path = Path(place, GRAPH)
        quantize_dynamic(
            model, path, op_types_to_quantize=["LSTM"], weight_type=QuantType.QInt8, nodes_to_exclude=others
        )
        return path.read_bytes()


def _check_packages(precision: ExportPrecision) -> None:
    """Raise MissingExtraError if a package that the export needs is not installed."""
    for package in ("onnx", *(["onnxruntime"] if precision == "int8" else [])):
        try:
            __import__(package)
        except ImportError:
            raise MissingExtraError(
                f'the export needs {package}, which is not installed; run pip install "tagger-bilstm[onnx]"'
            ) from None


def _check_precision(source: Path, config: ModelConfig, precision: ExportPrecision) -> None:
    if precision == "int8" and config.encoder.cell != "lstm":
        raise ModelError(
            f'{source}: precision "int8" needs an encoder of the cell "lstm", got "{config.encoder.cell}"; export it '
            'with precision "float32"'
        )


def _check_place(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds anything, unless that is an exported model that may be replaced."""
    check_kind(folder, "export")
    if (folder / "model").exists():  # where `model_folder` would look for a model
        raise ModelError(
            f"{folder}: the folder must be for the exported model alone, but holds a trained one; use another"
        )
    check_free(folder, "an exported model" if kind_in(folder) else "", overwrite=overwrite)


def _card_of(source: Path) -> str:
    """Return the text of the model's README, which people may have changed or deleted."""
    path = source / CARD
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else "# A sequence tagger\n"
