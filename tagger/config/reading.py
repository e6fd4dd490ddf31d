"""Read recipes from TOML files, with overrides, and write them."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError

from tagger.config.data.reading import ReadingConfig
from tagger.config.explaining import explained
from tagger.config.network import without_network
from tagger.config.recipe import Recipe
from tagger.config.section import Section
from tagger.errors import RecipeError

MAX_BYTES = 1_000_000  # a longer file is not a recipe
S = TypeVar("S", bound=Section)


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe in a TOML file, after applying `section.key=value` overrides.

    Raises:
        RecipeError: The file is missing or is not TOML, or a key of the recipe is wrong; names all wrong keys.
    """
    try:
        values = tomllib.loads(_recipe_text(Path(path)))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe; give the path of a TOML file") from None
    except OSError as error:
        raise RecipeError(f"{path}: the recipe cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # invalid TOML or UTF-8, or nested too deep
        raise RecipeError(f"{path}: a recipe must be TOML in UTF-8: {error}") from None
    given = {_override(values, override): f"--set {override}" for override in overrides}
    try:
        return Recipe.model_validate(values, context={"where": Path(path).name})
    except ValidationError as error:
        raise explained(error, Recipe, Path(path).name, given) from None


def _recipe_text(path: Path) -> str:
    """Return the text of a recipe; refuse a pipe or device, which may never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise RecipeError(f"{path}: a recipe must be a regular file, got a pipe or a device; give a TOML file")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise RecipeError(f"{path}: a recipe must have at most {MAX_BYTES:,} bytes, got more; give a TOML file")
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def parse_recipe(values: Mapping[str, Any], *, where: str) -> Recipe:
    """Return the recipe that nested plain values describe; each line of an error starts with `where`."""
    return parse_section(Recipe, values, where=where)


def parse_section(kind: type[S], values: Mapping[str, Any], *, where: str) -> S:
    """Return a section, or a whole recipe, from plain values; each line of an error starts with `where`.

    Raises:
        RecipeError: A key is unknown, missing or has a wrong value; names all of them.
    """
    try:
        return kind.model_validate(dict(values), context={"where": where})
    except ValidationError as error:
        raise explained(error, kind, where) from None


def form_settings(form: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return the settings that are given and say how files are written, such as `delimiter`, after checking them.

    Raises:
        RecipeError: One is unknown or has a wrong value.
    """
    given = {key: value for key, value in form.items() if value is not None}
    config = parse_section(ReadingConfig, {"format": "conll", **given}, where=where)
    return {key: getattr(config, key) for key in given}


def dump_recipe(recipe: Recipe) -> str:
    """Return the recipe as TOML, with all defaults that apply; `load_recipe` reads an equal recipe from it."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    values["training"].setdefault("clip_norm", "none")
    return tomli_w.dumps(values if recipe.start is None else without_network(values))


def _override(values: dict[str, Any], override: str) -> str:
    """Apply `section.key=value` to the values, and return the key.

    The value is TOML or a bare string, which commas split for `columns`.
    """
    key, equals, text = override.partition("=")
    *sections, last = key.strip().split(".")
    if not equals or not all((*sections, last)):
        raise RecipeError(f"--set {override}: must be section.key=value, such as training.epochs=5")
    table = values
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise RecipeError(f"--set {override}: `{section}` is a value and has no keys")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith(("[", "{", '"', "'")):
            raise RecipeError(f"--set {override}: the value must be TOML or a bare word: {error}") from None
        split = last == "columns" and "," in text
        table[last] = [name.strip() for name in text.split(",")] if split else text.strip()
    return key.strip()
