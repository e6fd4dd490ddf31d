"""What all sections of a recipe share: they are frozen, closed and strict, and say values in the same way."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Scheme = Literal["iob1", "iob2", "bioes", "bilou", "io"]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(gt=0.0, le=1e6)]


def as_tuple(value: object) -> object:
    """A TOML array, or a single value where a list is wanted, as the tuple that the frozen section keeps."""
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


class Section(BaseModel):
    """A part of a recipe: frozen, closed, and strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
