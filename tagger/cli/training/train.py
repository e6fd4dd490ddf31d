"""The command `train`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tagger.cli.arguments import (
    DataOption,
    DeviceOption,
    JsonOption,
    OverridesOption,
    RecipeArgument,
    SeedOption,
    ThreadsOption,
    check_runs,
    default_run_name,
    print_json,
    seeds_of,
)
from tagger.errors import RecipeError


def train(
    recipe: RecipeArgument,
    data: DataOption = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of the run. Default: runs/RECIPE; of several, runs/RECIPE-seeds or -folds."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run in this folder, once the new one has ended.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a run that was stopped or killed, from its last checkpoint.")
    ] = False,
    checkpoint_every: Annotated[
        str,
        typer.Option(metavar="N|Nm", help="Write a checkpoint every N steps, as 500, or every N minutes, as 5m."),
    ] = "5m",
    track: Annotated[
        str | None, typer.Option(help="Also log the run to tensorboard, mlflow or wandb; several with commas.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Train one network in N processes, each with a part of every batch.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only check everything, make a few steps, and estimate memory and time."),
    ] = False,
    seed: SeedOption = None,
    seeds: Annotated[
        str | None, typer.Option(help="Train once with each of these seeds, such as 1,2,3, and summarise the scores.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Cross-validate: cut train into N folds, and test one run on each.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="With --seeds or --folds: runs at a time, in processes. Default: 1.")
    ] = None,
    overrides: OverridesOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model from a recipe, score it once on test, and keep it in a folder.

    After each epoch the folder holds the best model so far. Ctrl-C, SIGTERM and SIGHUP end training early and keep it;
    after the last two the exit code is 128 plus the number of the signal.

    With --resume a run that was stopped or killed continues from its last checkpoint. The result is the same, to the
    last bit, as without the interruption.

    With --seeds or --folds there are several runs, each in its own folder. Finished ones are used again.
    """
    from tagger.cli.training.runs import train_group, train_once
    from tagger.config import load_recipe
    from tagger.files.signals import cut_short
    from tagger.running.corpora import missing_folder

    check_runs(seed, seeds, folds, jobs)
    if seeds is not None or folds is not None:
        if processes is not None:
            raise RecipeError("--processes is for a single run; --jobs makes several runs at a time")
        if dry_run:
            raise RecipeError("--dry-run is for a single run; remove --seeds or --folds")
    if data is not None and not data.is_dir():
        raise missing_folder(load_recipe(recipe, overrides or ()), data)
    settings: dict[str, Any] = {"data": data, "overrides": overrides or (), "seed": seed}
    settings |= {"device": device, "threads": threads}
    if dry_run:
        from tagger.cli.training.runs import rehearse

        found = rehearse(recipe, settings)
        print_json(found.to_dict()) if as_json else sys.stdout.write(found.to_text())
        return
    if processes is not None and processes > 1:
        from tagger.cli.training.launching import launch, without_processes

        raise typer.Exit(launch(without_processes(sys.argv[1:], processes, threads), processes))
    settings["track"] = [name.strip() for name in track.split(",")] if track else ()
    settings |= {"overwrite": overwrite, "resume": resume, "checkpoint_every": checkpoint_every}
    folder = output or Path("runs") / default_run_name(recipe, seeds, folds)
    if seeds is None and folds is None:
        with cut_short():
            report = train_once(recipe, folder, settings)
            if as_json:
                print_json({"scores": {}} if report is None else report.to_dict())
            elif report is not None:
                sys.stdout.write(report.to_text())
        return
    with cut_short():
        group = train_group(recipe, folder, seeds_of(seeds), folds, jobs or 1, settings)
        if as_json:
            print_json(group.to_dict())
        else:
            sys.stdout.write(group.to_text())
    if group.failed or group.stopped:
        raise typer.Exit(1)
