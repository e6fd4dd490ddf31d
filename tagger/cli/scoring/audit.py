"""The command `audit`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.arguments import (
    DataOption,
    DeviceOption,
    JsonOption,
    OverridesOption,
    RecipeArgument,
    ThreadsOption,
    print_json,
)
from tagger.text.choices import MOST_SEED
from tagger.wording import counted, visible


def audit(
    recipe: RecipeArgument,
    data: DataOption = None,
    folds: Annotated[int, typer.Option(min=2, max=1000, help="Number of folds; a model is trained for each.")] = 5,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_SEED, help="Seed to use instead of the recipe's; it also determines the folds."),
    ] = None,
    overrides: OverridesOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File for the suspects: .jsonl, one object per line; or .txt. Default: standard output.",
        ),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder in which to keep the run of each fold. Default: none.")
    ] = None,
    as_json: JsonOption = False,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
) -> None:
    """Find likely label errors in the training set of a recipe: each fold is tagged by a model of the others.

    The suspects are those places where the models disagree with gold confidently, the likeliest errors first. Ctrl-C
    ends the audit with the folds that are done.
    """
    from tagger.cli.training.runs import TrainingProgress
    from tagger.config import load_recipe
    from tagger.files.signals import cut_short
    from tagger.reporting.audit import SUFFIXES
    from tagger.reporting.output import check_path
    from tagger.running.auditing.audit import audit as audit_recipe
    from tagger.running.corpora import missing_folder

    if output is not None:
        check_path(output, SUFFIXES)
    if data is not None and not data.is_dir():
        raise missing_folder(load_recipe(recipe, overrides or ()), data)
    with cut_short():
        with TrainingProgress() as progress:
            found = audit_recipe(
                recipe,
                data=data,
                folds=folds,
                seed=seed,
                overrides=overrides or (),
                keep=keep,
                device=device,
                threads=threads,
                listener=progress,
            )
        if output is not None:
            found.save(output)
            number = sum(each.number for each in found.suspects.values())
            sys.stderr.write(f"{output}: wrote {counted(number, 'suspect')}\n")
        if as_json:
            print_json(found.to_dict())
        else:
            sys.stdout.write(found.summary() if output is not None else found.to_text())
            sys.stderr.writelines(f"{visible(note)}\n" for note in found.notes)
