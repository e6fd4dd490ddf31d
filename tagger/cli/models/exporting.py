"""What `tagger export` writes, and what it says about that."""

import sys
from pathlib import Path

from tagger.export.folder import export_onnx
from tagger.files.signals import ended_in_order
from tagger.model.folder.opening import GRAPH
from tagger.text.choices import ExportPrecision
from tagger.wording import visible


def export_model(model: Path, folder: Path, *, precision: ExportPrecision, overwrite: bool) -> None:
    """Export a model to a folder, and report its files on standard error."""
    with ended_in_order():
        sizes = export_onnx(model, folder, precision=precision, overwrite=overwrite)
    sys.stderr.write(
        f"{visible(str(folder))}: wrote {GRAPH} ({sizes[GRAPH] / 1e6:.1f} MB) and {len(sizes) - 1} smaller files\n"
    )
