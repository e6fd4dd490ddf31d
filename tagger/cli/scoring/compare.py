"""The command `compare`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.arguments import (
    BackendOption,
    ColumnsOption,
    DeviceOption,
    JsonOption,
    PrecisionOption,
    SchemeOption,
    ThreadsOption,
    TrustOption,
    load_tagger,
    print_json,
    split_columns,
)
from tagger.cli.progress import Meter
from tagger.cli.scoring.output import DetailsOption
from tagger.text.choices import FileFormat
from tagger.wording import visible


def compare(
    systems: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...",
            help="Models, runs, folders of runs, saved reports (.json) or files of predictions; commas join the runs "
            "of a group.",
        ),
    ],
    on: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="File with gold layers, which models tag and predictions are compared with; may be repeated. Default: "
            "the saved report of each run.",
        ),
    ] = None,
    format: Annotated[FileFormat | None, typer.Option(help="Format of these files. Default: as in training.")] = None,
    predicted_format: Annotated[
        FileFormat | None, typer.Option(help="Format of predictions, if --format is that of the other files alone.")
    ] = None,
    columns: ColumnsOption = None,
    predicted_columns: Annotated[
        str | None, typer.Option(help="Columns of predictions, if --columns are those of the other files alone.")
    ] = None,
    scheme: SchemeOption = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the whole comparison: .json, .html, .md or .txt."),
    ] = None,
    details: DetailsOption = False,
    as_json: JsonOption = False,
    backend: BackendOption = "auto",
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    threads: ThreadsOption = None,
    trust: TrustOption = False,
) -> None:
    """Compare the scores of several systems with the first: how much they differ, how surely, and where.

    Two systems are also compared type by type and mistake by mistake. Two or more runs of one recipe, joined by commas
    or in one folder, are one system, whose scores vary with the seed.
    """
    from tagger.reporting.comparison.writing import SUFFIXES
    from tagger.reporting.output import check_path
    from tagger.running.comparing import compare as compare_systems

    if output is not None:
        check_path(output, SUFFIXES)
    with Meter("sentences tagged") as meter:
        found = compare_systems(
            *systems,
            on=on or (),
            load=lambda path: load_tagger(path, device, threads, precision, backend=backend, trusted=trust),
            watch=meter.counting,
            format=format,
            predicted_format=predicted_format,
            columns=split_columns(columns, None),
            predicted_columns=split_columns(predicted_columns, None),
            scheme=scheme,
        )
    if output is not None:
        found.save(output)
    if as_json:
        print_json(found.to_dict())
    else:
        sys.stdout.write(found.to_text(details=details))
        sys.stderr.writelines(f"{visible(note)}\n" for note in found.notes)
