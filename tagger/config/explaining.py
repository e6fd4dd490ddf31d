"""Errors of a recipe: each error of pydantic becomes one plain sentence."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tagger.config import features, heads
from tagger.config.section import Section
from tagger.errors import RecipeError
from tagger.wording import quoted, shorten

# Of sections that a user names, the class of each `kind`.
KINDS: Mapping[str, Mapping[str, type[Section]]] = {"heads": heads.KINDS, "features": features.KINDS}


def explained(error: ValidationError, kind: type[Section], where: str) -> RecipeError:
    """Return all errors in the values of a section as one; each line starts with `where`."""
    return RecipeError.of([f"{where}: {_explain(detail, kind)}" for detail in error.errors()])


def _explain(detail: ErrorDetails, kind: type[Section]) -> str:
    """Return one error of pydantic as a plain sentence."""
    place = detail["loc"]
    kinds = KINDS.get(str(place[0]), {}) if place else {}  # if there are any, the third part of the place is the kind
    path = [str(part) for i, part in enumerate(place) if not (kinds and i == 2)]
    key, got, context = ".".join(path), shorten(detail["input"]), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(place[:-1], kind)
            return f"unknown key `{key}`; {_suggestion(path[-1], known)}"
        case "missing":
            return f"`{key}` is missing"
        case "union_tag_not_found":
            return f"`{key}.kind` is missing; choose {' or '.join(map(repr, kinds))}"
        case "union_tag_invalid":
            return f"`{key}.kind` must be {' or '.join(map(repr, kinds))}, got {shorten(context.get('tag'))}"
        case "literal_error":
            return f"`{key}` must be {context['expected']}, got {got}"
        case "value_error":
            error = str(context["error"])
            return error if not key else f"`{key}` {error}" if error.startswith("must") else f"`{key}`: {error}"
        case "too_short" | "string_too_short":
            return f"`{key}` must not be empty"
        case "string_pattern_mismatch":  # of the name of a feature
            return f"`{key}`: a name must have 1 to 50 letters from A to Z, digits, `-` and `_`, got {got}"
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
    kinds: Mapping[str, type[Section]] = KINDS.get(str(place[0]), {}) if place else {}
    for part in map(str, place):
        field = section.model_fields.get(part)  # None for a name that the user chose, and for a kind
        inner = _sections(field.annotation) if field else [kinds.get(part, section)]
        section = inner[0] if inner else section
    return list(section.model_fields)


def _sections(annotation: Any) -> list[type[Section]]:
    """Return the sections in a type, such as those of `dict[str, CorpusConfig] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
