"""Read recipes from TOML files, with overrides, and write them. Each error of pydantic becomes one plain sentence."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import tomli_w
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tagger.config.heads import KINDS
from tagger.config.recipe import Recipe
from tagger.config.section import Section
from tagger.errors import RecipeError
from tagger.wording import quoted, shorten

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
    for override in overrides:
        _override(values, override)
    return parse_recipe(values, where=Path(path).name)


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
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise RecipeError.of([f"{where}: {_explain(detail, kind)}" for detail in error.errors()]) from None


def dump_recipe(recipe: Recipe) -> str:
    """Return the recipe as TOML, with all defaults; `load_recipe` reads an equal recipe from it."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    values["training"].setdefault("clip_norm", "none")
    return tomli_w.dumps(values)


def _override(values: dict[str, Any], override: str) -> None:
    """Apply `section.key=value` to the values; the value is TOML or a bare string, which commas split for `columns`."""
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


def _explain(detail: ErrorDetails, kind: type[Section]) -> str:
    """Return one error of pydantic as a plain sentence."""
    place = detail["loc"]
    in_head = place[:1] == ("heads",)  # then the third part of the place is the kind of the head
    path = [str(part) for i, part in enumerate(place) if not (in_head and i == 2)]
    key, got, context = ".".join(path), shorten(detail["input"]), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(place[:-1], kind)
            return f"unknown key `{key}`; {_suggestion(path[-1], known)}"
        case "missing":
            return f"`{key}` is missing"
        case "union_tag_not_found":
            return f"`{key}.kind` is missing; choose {' or '.join(map(repr, KINDS))}"
        case "union_tag_invalid":
            return f"`{key}.kind` must be {' or '.join(map(repr, KINDS))}, got {shorten(context.get('tag'))}"
        case "literal_error":
            return f"`{key}` must be {context['expected']}, got {got}"
        case "value_error":
            error = str(context["error"])
            return error if not key else f"`{key}` {error}" if error.startswith("must") else f"`{key}`: {error}"
        case "too_short" | "string_too_short":
            return f"`{key}` must not be empty"
        case "tuple_type":
            return f"`{key}` must be a list, got {got}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"`{key}` must be a table, got {got}"
        case _:
            rule = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            return f"`{key}` must be {rule}, got {got}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known keys are {quoted(known)}"


def _known_keys(place: tuple[int | str, ...], section: type[Section]) -> list[str]:
    """Return the keys of the section at a place within another section, such as the recipe."""
    for part in map(str, place):
        field = section.model_fields.get(part)  # None for a name that the user chose, and for the kind of a head
        inner = _sections(field.annotation) if field else [KINDS.get(part, section)]
        section = inner[0] if inner else section
    return list(section.model_fields)


def _sections(annotation: Any) -> list[type[Section]]:
    """Return the sections in a type, such as those of `dict[str, CorpusConfig] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
