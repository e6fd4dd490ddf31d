"""The commands of `tagger recipes`: list the recipes that come with the package, and copy one to a folder."""

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.arguments import JsonOption, print_json
from tagger.errors import DataError, RecipeError
from tagger.wording import shorten

if TYPE_CHECKING:
    from tagger.config import Recipe

FOLDER = Path(__file__).parents[1] / "recipes"

recipes = typer.Typer(
    help="List the recipes that come with tagger, and copy one to run or to edit it.",
    epilog="Example: tagger recipes copy quickstart",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@recipes.command("list", epilog="Example: tagger recipes list --json")
def list_recipes(as_json: JsonOption = False) -> None:
    """List the recipes that come with tagger: name, task, and what the model learns."""
    found = [_facts(name) for name in _names()]
    if as_json:
        print_json(found)
        return
    rows = [("name", "task", "about"), *(tuple(facts.values()) for facts in found)]
    name_width, task_width = (max(map(len, column)) for column in list(zip(*rows, strict=True))[:2])
    sys.stdout.writelines(f"{name:{name_width}}  {task:{task_width}}  {about}\n" for name, task, about in rows)


@recipes.command("copy", epilog="Example: tagger recipes copy quickstart my-recipes")
def copy_recipe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name from `tagger recipes list`.")],
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder to copy it to; made if it does not exist.")
    ] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Copy a recipe to DIR/NAME.toml, with the recipes of its teachers and with its data, if the package has them."""
    from tagger.files.writing import replaced

    files = _files_of(name)
    there = [folder / file for file in files if (folder / file).exists()]
    if there and not overwrite:
        raise DataError(f"{there[0]}: the file exists; choose another folder, or pass --overwrite to replace it")
    for place in dict.fromkeys((folder / file).parent for file in files):
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{place}: the folder cannot be made: {error.strerror}; choose another one") from None
    for file in files:
        with replaced(folder / file) as stream:
            stream.write((FOLDER / file).read_bytes())
        sys.stderr.write(f"wrote {folder / file}\n")


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def _facts(name: str) -> dict[str, str]:
    """Return the name of a recipe, the tasks of its heads, and the first sentence of its comment."""
    from tagger.heads.table import heads_of

    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    comment = text.partition("\n#\n")[2].partition("\n\n")[0]
    about = " ".join(line.removeprefix("# ") for line in comment.splitlines()).partition(". ")[0]
    tasks = dict.fromkeys(head.task for head in heads_of(_recipe(name).heads).values())
    return {"name": name, "task": ", ".join(tasks), "about": f"{about.removesuffix('.')}."}


def _recipe(name: str) -> "Recipe":
    """Return a recipe of the package.

    Raises:
        RecipeError: There is none of this name.
    """
    from tagger.config import load_recipe

    names = _names()
    if name not in names:
        near = get_close_matches(name.removesuffix(".toml").lower(), names, n=1)
        advice = f"did you mean `{near[0]}`?" if near else "see `tagger recipes list`"
        raise RecipeError(f"no such recipe {shorten(name)}; {advice}")
    return load_recipe(FOLDER / f"{name}.toml")


def _files_of(name: str) -> list[str]:
    """Return the paths of a recipe, of those that train its teachers, and of its data that the package has.

    Data come with all files of their folder, which hold their licence.
    """
    recipe = _recipe(name)
    teachers = (teacher for head in recipe.heads.values() for teacher in head.teacher or ())
    data = (FOLDER / path for corpus in recipe.all_corpora().values() for path in corpus.files())
    own = sorted({file for path in data if path.is_file() for file in path.parent.iterdir()})
    return list(dict.fromkeys([f"{name}.toml", *teachers, *(str(path.relative_to(FOLDER)) for path in own)]))
