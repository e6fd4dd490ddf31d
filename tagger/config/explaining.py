"""Errors of a recipe: each error of pydantic becomes one plain sentence."""

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tagger.config import features, heads, kinds
from tagger.config.kinds import Kinds, section_of
from tagger.config.section import Section
from tagger.errors import RecipeError
from tagger.extensions import Feature, Head
from tagger.wording import plain_rule, quoted, shorten

# Of sections that a user names: the class of each `kind`, and the extensions that add kinds.
KINDS: Mapping[str, tuple[Kinds, type[Head] | type[Feature]]] = {
    "heads": (heads.KINDS, Head),
    "features": (features.KINDS, Feature),
}


def explained(
    error: ValidationError, kind: type[Section], where: str, overrides: Mapping[str, str] = MappingProxyType({})
) -> RecipeError:
    """Return all errors in the values of a section as one.

    Args:
        error: The errors.
        kind: The section.
        where: Where the values are, at the start of each line.
        overrides: Where values are instead that were given elsewhere, by their keys, such as `training.epochs`.
    """
    details = error.errors()
    return RecipeError.of([f"{_place(each, overrides) or where}: {_explain(each, kind)}" for each in details])


def _place(detail: ErrorDetails, overrides: Mapping[str, str]) -> str | None:
    """Return where the wrong value was given as an override; None if it was not."""
    key = ".".join(path_of(detail["loc"]))
    names_key = detail["type"] in ("extra_forbidden", kinds.NO_KIND)  # which may be inside what was given
    for given, place in overrides.items():
        if f"{key}.".startswith(f"{given}.") or (names_key and given.startswith(f"{key}.")):
            return place
    return None


def path_of(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that lead to a place, without the kind of a section, which pydantic adds."""
    has_kind = bool(place) and str(place[0]) in KINDS
    return [str(part) for i, part in enumerate(place) if not (has_kind and i == 2)]


def _explain(detail: ErrorDetails, kind: type[Section]) -> str:
    """Return one error of pydantic as a plain sentence."""
    place = detail["loc"]
    path = path_of(place)
    key, got, context = ".".join(path), shorten(detail["input"]), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(place[:-1], kind)
            return f"unknown key `{key}`; {_suggestion(path[-1], known)}"
        case "missing":
            return f"`{key}` is missing"
        case kinds.NO_KIND:
            return f"`{key}` {detail['msg']}"
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
            return f"`{key}` {plain_rule(detail['msg'])}, got {got}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known keys are {quoted(known)}"


def _known_keys(place: tuple[int | str, ...], section: type[Section]) -> list[str]:
    """Return the keys of the section at a place within another section, such as the recipe."""
    parts = [str(part) for part in place]
    if len(parts) > 2 and parts[0] in KINDS:
        section = section_of(parts[2], *KINDS[parts[0]]) or section
        parts = parts[3:]
    for part in parts:
        field = section.model_fields.get(part)  # None for a name that the user chose
        inner = _sections(field.annotation) if field else []
        section = inner[0] if inner else section
    return list(section.model_fields)


def _sections(annotation: Any) -> list[type[Section]]:
    """Return the sections in a type, such as those of `dict[str, CorpusConfig] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
