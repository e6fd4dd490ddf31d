"""`tagger tag --ray`: tag files on a cluster, and write a folder."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from tagger.cli.arguments import checked_splitting, local_folder, quickest_backend
from tagger.cli.progress import Meter
from tagger.errors import RecipeError
from tagger.files.signals import ended_in_order
from tagger.wording import counted, visible

SPLITTING = ("tokenize", "language", "split_on", "segment")
OPTIONS = {"ray", "output", "resume", "text", "backend", "precision", "threads", "trust", *SPLITTING}  # beside `--ray`


def checked_output(context: typer.Context, output: Path | None) -> Path:
    """Return the folder to write. Refuse options of `tagger tag` that have no effect together with `--ray`.

    Raises:
        RecipeError: There is one, or no output.
    """
    if output is None:
        raise RecipeError("--ray needs --output FOLDER, because it writes a file per block")
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if parameter.param_type_name == "option" and name not in OPTIONS and source and source.name == "COMMANDLINE":
            raise RecipeError(
                f"{parameter.opts[0]} is not for --ray, which writes a row per text with all that is found; remove it"
            )
    return output


def tag_on_cluster(
    address: str,
    model: Path,
    file: str,
    output: Path,
    *,
    resume: bool,
    text: str | None,
    threads: int | None,
    loading: Mapping[str, Any],
) -> None:
    """Tag a file or a folder on a cluster of Ray, and say on standard error what was done.

    Args:
        address: Where the cluster is.
        model: The model.
        file: The file or folder to tag.
        output: The folder to write.
        resume: Whether to continue it.
        text: The column of texts; None for `text`.
        threads: Threads, and cores, of each process; None for one.
        loading: The other options that say how to load the model.

    Raises:
        RecipeError: The input is standard input, or there is no cluster at the address.
        TaggerError: See `tagger.ray.tag_files`.
    """
    if file == "-":
        raise RecipeError(
            "--ray needs a file or a folder that all machines can read, got standard input; save it first"
        )
    from tagger.ray import cluster, tag_files
    from tagger.ray.jobs import PARTS

    splitting = checked_splitting({name: loading[name] for name in SPLITTING})
    backend = quickest_backend(local_folder(model), loading["backend"], "cpu", loading["precision"])
    settings = {"backend": backend, "precision": loading["precision"], "trusted": loading["trusted"]}
    with ended_in_order(), cluster(address), Meter("blocks tagged") as meter:
        try:
            found = tag_files(
                file,
                str(model),
                output,
                resume=resume,
                text=text or "text",
                threads=threads or 1,
                watch=lambda rows, total: meter.counting(rows, total=total),
                **settings,
                **splitting,
            )
        except BaseException:
            if done := len(list(output.glob(PARTS))):
                said = f"{output}: {counted(done, 'block')} done; the same command with --resume continues it"
                sys.stderr.write(f"{visible(said)}\n")
            raise
    before = f"; {counted(found.before, 'block')} from before" if found.before else ""
    said = f"{output}: {counted(found.blocks, 'block')} with {counted(found.rows, 'row')}{before}"
    sys.stderr.write(f"{visible(said)}\n")
