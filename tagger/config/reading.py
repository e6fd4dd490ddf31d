"""Recipes read from TOML files with overrides, and written; each error of pydantic is told in a sentence of ours."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tagger.config.data import CorpusConfig, DataConfig, SplitConfig
from tagger.config.heads import KINDS
from tagger.config.recipe import EmbeddingsConfig, EncoderConfig, Recipe, TrainingConfig
from tagger.config.section import Section
from tagger.errors import RecipeError
from tagger.wording import quoted, shorten

MAX_BYTES = 1_000_000  # of a recipe; what is longer is another file
S = TypeVar("S", bound=Section)


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of a TOML file with `section.key=value` overrides laid over it.

    Raises:
        RecipeError: The file is missing or no TOML, or the recipe is not as it must be; names every wrong key at once.
    """
    try:
        values = tomllib.loads(_recipe_text(Path(path)))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe; give the path of a TOML file") from None
    except OSError as error:
        raise RecipeError(f"{path}: the recipe cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number too long or a list too deep to be read
        raise RecipeError(f"{path}: a recipe must be TOML in UTF-8: {error}") from None
    for override in overrides:
        _override(values, override)
    return parse_recipe(values, where=Path(path).name)


def _recipe_text(path: Path) -> str:
    """The text of a recipe, from a file that ends."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise RecipeError(f"{path}: a recipe must be a regular file, got a pipe or a device; give a TOML file")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise RecipeError(f"{path}: a recipe must have at most {MAX_BYTES:,} bytes, got more; give a TOML file")
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def parse_recipe(values: Mapping[str, Any], *, where: str) -> Recipe:
    """The recipe that nested plain values describe; `where` opens each line of an error."""
    return parse_section(Recipe, values, where=where)


def parse_section(kind: type[S], values: Mapping[str, Any], *, where: str) -> S:
    """A section, or a whole recipe, of plain values; `where` opens each line of an error.

    Raises:
        RecipeError: A key is unknown, missing or has a wrong value; names all of them.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise RecipeError.of([f"{where}: {_explain(detail, kind)}" for detail in error.errors()]) from None


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as TOML that `load_recipe` reads back to an equal one; every default is written out."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    values["training"].setdefault("clip_norm", "none")
    return tomli_w.dumps(values)


def _override(values: dict[str, Any], override: str) -> None:
    """Lay `section.key=value` over the values; the value is TOML, or a bare string, for columns split at commas."""
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
    """One pydantic error as our sentence."""
    place = detail["loc"]
    in_head = place[:1] == ("heads",)  # then pydantic's third part is the kind of the head
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


def _known_keys(location: tuple[int | str, ...], kind: type[Section]) -> list[str]:
    """The keys of the section at a place of what was read as `kind`."""
    sections: dict[str, type[Section]] = {
        "data": DataConfig,
        "corpora": CorpusConfig,
        "embeddings": EmbeddingsConfig,
        "encoder": EncoderConfig,
        "training": TrainingConfig,
    }
    if not location:
        return list(kind.model_fields)
    if location[-1] == "split":
        return list(SplitConfig.model_fields)
    if location[0] == "heads":
        return list(KINDS[str(location[2])].model_fields)
    return list(sections[str(location[0])].model_fields)
