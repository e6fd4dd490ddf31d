"""The commands of `tagger data`: list the catalogue of public corpora, and fetch corpora from it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.arguments import JsonOption, print_json

if TYPE_CHECKING:
    from tagger.catalogue.entries import Entry

HEADING = ("name", "task", "language", "contents", "MB", "licence", "checked", "source")

data = typer.Typer(
    help="List public corpora and word vectors, and fetch them into a folder for the recipes.",
    epilog="Example: tagger data get wnut17 btc glove-50d glove-100d --to data",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@data.command("list", epilog="Example: tagger data list --json")
def list_corpora(as_json: JsonOption = False) -> None:
    """List the corpora and word vectors that `tagger data get` fetches.

    The column `checked` says whether the hashes are those of the pinned public source (`hash known`), or those of a
    copy that nobody has compared with the source (`not checked`).
    """
    from tagger.catalogue.entries import catalogue

    entries = list(catalogue().values())
    if as_json:
        print_json([facts(entry) for entry in entries])
        return
    rows = [HEADING, *(tuple(row_of(entry)) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(n) if name == "MB" else cell.ljust(n) for name, cell, n in zip(HEADING, row, widths, strict=True)
        )
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


@data.command("get", epilog="Example: tagger data get wnut17 btc glove-50d glove-100d --to data")
def get_corpora(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names from `tagger data list`.")],
    to: Annotated[Path, typer.Option("--to", help="Folder for the data; give it to `tagger train` with --data.")],
    mirror: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL",
            help="Address of a folder with the same layout, instead of the public sources. "
            "Default: $TAGGER_DATA_MIRROR, if set.",
        ),
    ] = None,
) -> None:
    """Fetch corpora and word vectors, check their sizes and hashes, and write their licences beside them.

    Files that are complete are not fetched again, and an interrupted download continues where it stopped.
    """
    from tagger.catalogue.fetch import fetch
    from tagger.cli.disk.downloading import DownloadProgress
    from tagger.files.signals import ended_in_order

    with ended_in_order():
        fetch(names, to, mirror=mirror, listener=DownloadProgress())


def row_of(entry: "Entry") -> tuple[str, ...]:
    """Return the cells of an entry in the table."""
    size = f"{entry.num_bytes / 1e6:.1f}"
    return (entry.name, entry.task, entry.language, entry.contents, size, entry.licence, entry.checked, entry.source)


def facts(entry: "Entry") -> dict[str, object]:
    """Return an entry for JSON."""
    return {
        "name": entry.name,
        "title": entry.title,
        "task": entry.task,
        "language": entry.language,
        "contents": entry.contents,
        "bytes": entry.num_bytes,
        "licence": entry.licence,
        "licence_url": entry.licence_url,
        "authors": entry.authors,
        "source": entry.source,
        "changes": entry.changes,
        "checked": entry.checked,
        "files": [
            {
                "path": file.path,
                "bytes": file.num_bytes,
                "sha256": file.sha256,
                "checked": file.checked,
                "url": file.source.url,
            }
            for file in entry.files
        ],
    }
