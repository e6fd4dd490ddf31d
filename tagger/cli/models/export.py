"""The command `export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tagger.cli.arguments import (
    ModelArgument,
)
from tagger.text.choices import ExportPrecision


def export(
    model: ModelArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    format: Annotated[Literal["onnx"], typer.Option(help="What to write: one ONNX graph, decoding included.")] = "onnx",
    precision: Annotated[
        ExportPrecision, typer.Option(help="Precision of the recurrence; int8 is faster, and only for LSTM encoders.")
    ] = "float32",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an exported model in this folder.")] = False,
) -> None:
    """Write a trained model for other programs: a graph that onnxruntime runs from any language."""
    from tagger.cli.models.exporting import export_model

    export_model(model, folder, precision=precision, overwrite=overwrite)
