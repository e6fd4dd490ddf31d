"""Options of several commands about reports, and how a report is written: to standard output, and to a file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.arguments import names_of, print_json
from tagger.wording import visible

if TYPE_CHECKING:
    from tagger.reporting.report import Report
    from tagger.reporting.sections import Context

OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="File for the whole report: .html, a page; .json, with all sentences, for `tagger compare`; or .txt.",
    ),
]
DetailsOption = Annotated[
    bool, typer.Option("--details", help="Print all tables, not only the most important figures.")
]
LayerOption = Annotated[
    str | None, typer.Option("--layer", help="Layer for the labels (labelled) or the character spans (jsonl, brat).")
]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="KEY,...", help="Keys of the metadata by which to group sentences.")
]

WantedPrecisionOption = Annotated[
    list[float] | None,
    typer.Option(
        "--wanted-precision",
        metavar="P",
        min=0,
        max=1,
        help="Find the lowest threshold with this precision; repeatable. Default: 0.8, 0.9, 0.95 and 0.99.",
    ),
]
TrainOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--train",
        metavar="FILE",
        help="Training file, to tell seen words and entities from unseen; repeatable. Default: those that a run kept.",
    ),
]


def context_of(by: str | None, wanted_precision: list[float] | None) -> "Context":
    """Return what the sections of a report need, as the options say."""
    from tagger.analysis.thresholds import WANTED
    from tagger.reporting.sections import Context

    return Context(by=names_of(by), wanted_precision=tuple(wanted_precision or WANTED))


def check_output(output: Path | None) -> None:
    """Raise if a report cannot be written under this name; call it before expensive work."""
    if output is not None:
        from tagger.reporting.output import check_path
        from tagger.reporting.report import SUFFIXES

        check_path(output, SUFFIXES)


def write_report(report: "Report", output: Path | None, *, as_json: bool, details: bool) -> None:
    """Write a report to a file, if one is named, and to standard output; its notes go to standard error."""
    if output is not None:
        report.save(output)
    if as_json:
        print_json(report.to_dict())
        return
    sys.stdout.write(report.to_text(details=details))
    notes = report.extra.get("notes", ())
    sys.stderr.writelines(f"{visible(str(note))}\n" for note in (notes if isinstance(notes, (list, tuple)) else ()))
