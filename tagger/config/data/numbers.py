"""How files that hold numbers become sequences: the sections [data.frames] and [data.audio]."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tagger.config.data.values import Pattern
from tagger.config.section import Count, Names, NotEmpty, Section, as_tuple


class FramesReading(Section):
    """How to read files of numbers (format `frames`)."""

    time: NotEmpty | None = None
    """Column of CSV with the time of each step, a number or a date such as `2026-03-01 12:30:00`. A number must be
    seconds since 1970 if `cycles` are used; `20260301` is a number too. Default: a column named `time`, `timestamp`,
    `datetime`, `date` or `ds`, otherwise none: then steps have numbers."""

    values: Annotated[Names, Field(min_length=1)] | None = None
    """Columns of CSV with numbers. An empty field is a missing number. Default: all that no other key names."""

    label: NotEmpty | None = None
    """Column of CSV with the tag of each step. Series to be tagged need not have it. Default: none."""

    windows: NotEmpty | None = None
    """JSON file with labelled ranges of time for each series: `{"NAME.csv": [["START", "END"], ...]}`. Its path is
    relative to the folder of the series. Steps in a range, including both ends, have the tag `tag`, all others `O`.
    Default: none."""

    tag: NotEmpty = "anomaly"
    """Tag of the steps in the ranges of `windows`."""

    window: Count | None = None
    """Number of steps into which a series of CSV is cut; the last window may be shorter. All windows of a file are one
    document. Default: the whole series is one sequence."""

    hop: Count | None = None
    """Number of steps from the start of a train window to that of the next. Windows that are scored or tagged follow
    one another without overlap. Default: `window`."""

    cycles: Annotated[tuple[Literal["day", "week", "year"], ...], BeforeValidator(as_tuple)] = ()
    """Cycles of time whose phase each step gets as two more numbers, sine and cosine: for series that repeat after a
    `day`, a `week` or a `year`. Needs a column of times. Default: none."""

    ahead: Count | None = None
    """Number of steps after each window whose numbers, of the first column of `values`, are the layer `next`: what a
    head of kind `values` with `per = "sentence"` forecasts. A window without so many steps after it lacks the layer.
    All windows then begin `hop` steps after one another, also those that are scored or tagged. Default: no layer."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ahead is not None and self.window is None:
            raise ValueError("`ahead` needs `window`, the number of steps that a forecast reads, got none; set it")
        used = [name for name in (self.time, self.label, *(self.values or ())) if name is not None]
        if twice := [name for name in used if used.count(name) > 1]:
            raise ValueError(
                "`time`, `label` and `values` must be different columns, because the model must not read what it "
                f"predicts, got `{twice[0]}` twice; remove one"
            )
        if self.label is not None and self.windows is not None:
            raise ValueError("`label` and `windows` both give the tags of steps; keep one of the two")
        if self.hop is not None and (self.window is None or self.hop > self.window):
            got = "no `window`" if self.window is None else f"`window = {self.window}`"
            raise ValueError(f"`hop` must be at most `window`, so that no step is lost, got {self.hop} and {got}")
        return self


Milliseconds = Annotated[float, Field(ge=0.1, le=10_000)]


class AudioReading(Section):
    """How to read recordings (format `wav`)."""

    kind: Literal["mfcc", "log-mel"] = "mfcc"
    """Features of a step: the logarithms of the energies in bands of the mel scale (`log-mel`), or the cepstral
    coefficients made of them (`mfcc`), as Kaldi computes them."""

    window: Milliseconds = 25.0
    """Milliseconds of sound that a step describes."""

    hop: Milliseconds = 10.0
    """Milliseconds from one step to the next."""

    bands: Annotated[int, Field(ge=4, le=200)] = 23
    """Number of bands of the mel scale, from 20 Hz to half the sampling rate."""

    coefficients: Annotated[int, Field(ge=1, le=200)] = 13
    """Number of coefficients (`mfcc`), the first of which is the energy; at most `bands`."""

    name: Pattern | None = None
    """Regular expression of the whole name of a file without its suffix, such as
    `(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<take>[0-9]+)`. Its named parts are sources of `layers`, and metadata.
    Default: none."""

    table: NotEmpty | None = None
    """CSV file with a header and a row for each recording, whose column `file` has its name, or its path relative to
    the table if several folders have files of one name. The other columns are sources of `layers`, and metadata. The
    path of the table is relative to the folder of the recording. Default: none."""

    @model_validator(mode="after")
    def _coefficients_of_bands(self) -> Self:
        if self.kind == "mfcc" and self.coefficients > self.bands:
            raise ValueError(f"`coefficients` must be at most `bands`, got {self.coefficients} and {self.bands}")
        return self
