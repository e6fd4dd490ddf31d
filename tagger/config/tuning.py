"""Which values of a recipe a search may try: the sections `[tune."KEY"]`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from tagger.config.section import Section

Number = int | Annotated[float, Field(ge=-1e12, le=1e12)]
Values = tuple[str | int | float | bool, ...]


class SearchConfig(Section):
    """The values of a key: numbers from `low` to `high`, or those of a list."""

    low: Number | None = None
    """Smallest value."""

    high: Number | None = None
    """Largest value. If `low` and `high` are whole numbers, only whole numbers are tried."""

    log: bool = False
    """Whether to search on a logarithmic scale: as many values between 0.001 and 0.01 as between 0.01 and 0.1."""

    values: Annotated[Values, Field(strict=False)] = ()
    """Values to try, instead of `low` and `high`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.values:
            if (self.low, self.high, self.log) != (None, None, False):
                raise ValueError("needs either `values` or `low` and `high`, got both")
            if len(set(self.values)) < 2:
                raise ValueError(f"`values` must be at least two different ones, got {len(set(self.values))}")
        elif self.low is None or self.high is None:
            raise ValueError("needs `low` and `high`, or `values`")
        elif self.low >= self.high:
            raise ValueError(f"`high` must be above `low`, {self.low:g}, got {self.high:g}")
        elif self.log and self.low <= 0:
            raise ValueError(f"`low` must be above 0 with `log`, got {self.low:g}")
        return self
