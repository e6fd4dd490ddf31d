"""The base class of all sections of a recipe, and the types of values that several sections use."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from tagger.wording import shorten

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[int, Field(ge=1, le=10**9)]
Count = Annotated[int, Field(ge=1, le=10**6)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[int, Field(ge=1, le=10**4)]
Weight = Annotated[float, Field(gt=0.0, le=1e6)]


def as_tuple(value: object) -> object:
    """Return a TOML array, or a single string where a list is expected, as a tuple, so that the section is frozen."""
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value


def must(be: str, holds: Callable[[Any], bool]) -> BeforeValidator:
    """Return the check of a field whose value must be something that no type says, with a rule that says all of it.

    Where several types are allowed, pydantic would report what the value must be for each of them.
    """

    def check(value: object) -> object:
        if not holds(value):
            raise ValueError(f"must be {be}, got {shorten(value)}")
        return value

    return BeforeValidator(check)


def distinct(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return numbers that are all different, or refuse them."""
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"must be different numbers, got {', '.join(map(str, numbers))}")
    return numbers


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
NotEmpty = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A part of a recipe: frozen, closed (no unknown keys) and strict about types.

    The docstring below each field is the meaning of that key in the reference of recipes. It is read from the source
    where it is needed (`docs/tools/recipe_keys.py`), because pydantic's `use_attribute_docstrings` would read it at
    every start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)
    _extension: Any = PrivateAttr(None)  # the part of a user's own that a section of a model names; see `kinds.bound`
