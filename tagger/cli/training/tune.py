"""The command `tune`."""

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
    print_json,
)


def tune(
    recipe: RecipeArgument,
    trials: Annotated[int, typer.Option(min=1, help="Total number of trials.")] = 30,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="MINUTES", help="Start no new trial after this time.")
    ] = None,
    data: DataOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the search. Default: runs/RECIPE-tune.")] = None,
    seed: SeedOption = None,
    overrides: OverridesOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the trials as HTML, SVG or PNG. Needs the extra `plots`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Search for values of a recipe with a higher dev score; test is never looked at. Needs the extra `tune` (optuna).

    The sections [tune."KEY"] of the recipe say what is tried. The first trial is the recipe itself; a trial whose dev
    scores stay below those of others is stopped early. The folder gets the best recipe (best.toml) and all trials.

    The same command continues a search that was stopped. Several processes with the same folder share the trials.
    """
    from tagger.cli.training.tuning import TuneProgress
    from tagger.config import load_recipe
    from tagger.files.signals import cut_short
    from tagger.running.corpora import missing_folder
    from tagger.running.tuning.study import BEST
    from tagger.running.tuning.study import tune as search

    if picture is not None:
        from tagger import plots

        plots.check_path(picture, chart=True)
    if data is not None and not data.is_dir():
        raise missing_folder(load_recipe(recipe, overrides or ()), data)
    folder = output or Path("runs") / f"{recipe.stem}-tune"
    settings: dict[str, Any] = {"data": data, "overrides": overrides or (), "seed": seed}
    with cut_short():
        with TuneProgress() as progress:
            found = search(
                recipe,
                trials=trials,
                timeout=timeout,
                output=folder,
                device=device,
                threads=threads,
                listener=progress,
                **settings,
            )
        if as_json:
            print_json(found.to_dict())
        else:
            sys.stdout.write(found.to_text())
        if picture is not None:
            plots.trials(found).save(picture)
        sys.stderr.write(f"the best recipe is {folder / BEST}\n")
