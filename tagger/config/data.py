"""The [data] section of a recipe: where the sentences of a corpus are, and how to read and split them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from tagger.config.section import Names, Positive, Scheme, Section, Weight, as_tuple
from tagger.wording import quoted

SPANNED = ("jsonl", "brat")  # formats of texts with entities as character spans


def _as_files(value: object) -> object:
    """One path, several, or (labelled text) a table class → path."""
    named = isinstance(value, dict) and all(isinstance(path, str) for path in value.values())
    listed = isinstance(value, list) and all(isinstance(path, str) for path in value)
    if not (named or listed or isinstance(value, (str, tuple))):
        raise ValueError(f"must be a path, a list of paths or a table class = path, got {value!r}")
    return as_tuple(value)


def _as_number(value: object) -> object:
    """A whole number or a fraction, told in one sentence if it is neither."""
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        raise ValueError(f"must be a number, got {value!r}")
    return value


def _as_data_files(value: object) -> object:
    """One path or pattern, several, or a table split → those; a table keeps its lists as tuples."""
    if isinstance(value, dict):
        return {split: _as_files(paths) for split, paths in value.items()}
    return _as_files(value)


def _as_new_name(value: object) -> object:
    """The new name of a type or class."""
    if isinstance(value, str) and (value.strip() != value or value == "O"):
        advice = "to leave a type out, name it in `drop`" if value == "O" else "write a name without blanks around it"
        raise ValueError(f"must be the name of a type or class, got {value!r}; {advice}")
    return value


Files = Annotated[tuple[str, ...] | dict[str, str], BeforeValidator(_as_files)]

DataFiles = Annotated[tuple[str, ...] | dict[str, tuple[str, ...]], BeforeValidator(_as_data_files)]


class SplitConfig(Section):
    """How rows are sent to train, dev and test where the files do not say it.

    `dev` and `test` are shares cut from train by the seed; with `every`, they are the remainders of the row number of
    each file by `every` that go there.
    """

    every: Annotated[int, Field(ge=2)] | None = None
    dev: Annotated[float | int | None, BeforeValidator(_as_number)] = None
    test: Annotated[float | int | None, BeforeValidator(_as_number)] = None

    @model_validator(mode="after")
    def _shares_or_remainders(self) -> "SplitConfig":
        if self.dev is None and self.test is None:
            raise ValueError("must name `dev`, `test` or both")
        for name, value in (("dev", self.dev), ("test", self.test)):
            if value is None:
                continue
            if self.every is not None and (not isinstance(value, int) or not 0 <= value < self.every):
                raise ValueError(f"`{name}` must be a remainder from 0 to {self.every - 1} beside `every`, got {value}")
            if self.every is None and not 0 < value < 1:
                raise ValueError(f"`{name}` must be a share between 0 and 1, got {value}")
        if self.every is not None and self.dev is not None and self.dev == self.test:
            raise ValueError(f"`dev` and `test` must be different remainders, got {self.dev} twice")
        if self.every is None and (self.dev or 0) + (self.test or 0) >= 1:
            raise ValueError("`dev` and `test` together must leave a share for train")
        return self


class ClassRange(Section):
    """The numbers that are a class: those above one number, below another, or both; the rest where neither is named."""

    above: Annotated[float | None, BeforeValidator(_as_number)] = None
    below: Annotated[float | None, BeforeValidator(_as_number)] = None

    @model_validator(mode="after")
    def _holds_numbers(self) -> "ClassRange":
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(f"`above` must be less than `below`, got {self.above} and {self.below}")
        return self

    def holds(self, value: float) -> bool:
        """Whether a number is in the range."""
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


class ReadingConfig(Section):
    """How sentences are read, without where they are.

    Labelled text has lines `label TAB text`, or the `columns` that are named. With `classes`, labels are numbers, and
    each becomes the class whose range it is in.

    Texts with entities as character spans (`jsonl` from doccano, Label Studio or spaCy, and `brat`) are tokenised; the
    entities go to `layer`, or `ner`. `misaligned` says what becomes of one that is not whole tokens of one sentence, or
    overlaps another: an `error`, `drop` it, or `expand` it to whole tokens and its sentences to one. `nested` says
    which of two stays where one stands in the other: an `error`, the `outermost` or the `innermost`. What is dropped or
    expanded is counted and told.
    """

    layers: dict[str, str] | None = None
    format: Literal["conll", "conllu", "labelled", "jsonl", "brat", "synthetic"] | None = None
    columns: Names | None = None
    layer: str | None = None
    scheme: Scheme | None = None
    invalid: Literal["error", "repair"] = "error"
    misaligned: Literal["error", "drop", "expand"] = "error"
    nested: Literal["error", "outermost", "innermost"] = "error"
    rename: dict[str, Annotated[str, BeforeValidator(_as_new_name), Field(min_length=1)]] = Field(default_factory=dict)
    drop: Names = ()
    tokenize: Literal["words", "blanks"] = "words"
    classes: Annotated[dict[str, ClassRange], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _fits_format(self) -> "ReadingConfig":
        if self.format == "labelled" and self.layer is None:
            raise ValueError('`format = "labelled"` needs `layer`, the name of the layer to read into')
        named = [name for name in self.columns or () if name != "_"]
        if self.format == "conll" and "token" not in named:
            raise ValueError('`format = "conll"` needs `columns`, and one of them must be "token"')
        if len(set(named)) < len(named):
            raise ValueError("`columns` must have different names; call columns that are not read `_`")
        if twice := set(self.rename) & set(self.drop):
            raise ValueError(f"`rename` and `drop` must not name the same, got {quoted(sorted(twice))} in both")
        if self.layer is not None:
            _alone("layer", ("labelled", *SPANNED), self.format)
        if self.columns is not None:
            _alone("columns", ("conll", "labelled"), self.format)
        if self.classes is not None:
            _alone("classes", ("labelled",), self.format)
        if self.format == "labelled":
            self._fits_labelled_text()
        if self.layers is not None and self.format == "brat":
            raise ValueError('`layers` is not for format = "brat"; name the layer of its entities in `layer`')
        for key in ("misaligned", "nested"):
            if getattr(self, key) != "error":
                _alone(key, SPANNED, self.format)
        return self

    def _fits_labelled_text(self) -> None:
        if self.columns is not None and not {self.layer, "text"} <= set(self.columns):
            raise ValueError(f'`columns` of labelled text must name "{self.layer}" (its `layer`) and "text"')
        if sum(part == ClassRange() for part in (self.classes or {}).values()) > 1:
            raise ValueError("`classes` must have at most one class without `above` and `below`, for the rest")


def _alone(key: str, wanted: Sequence[str], found: str | None) -> None:
    """Refuse a key that does nothing in another format than those it is for."""
    if found not in wanted:
        got = "no `format`" if found is None else f'format = "{found}"'
        names = " or ".join(f'"{name}"' for name in wanted)
        raise ValueError(f"`{key}` is for format = {names} alone, got {got}")


class DataConfig(ReadingConfig):
    """One corpus: where its sentences are and how to read them.

    With `streaming`, the rows of a dataset are read as they arrive and no copy of it is kept on disk; the sentences are
    held in memory all the same, for training goes through them many times. With `lazy`, the sentences of train stay in
    the file that `datasets` keeps and are made when they are asked for, so that train may be larger than memory.
    """

    dataset: str | None = None
    name: str | None = None
    revision: str | None = None
    data_files: DataFiles | None = None
    streaming: bool = False
    lazy: bool = False
    train: Files | None = None
    dev: Files | None = None
    test: Files | None = None
    split: SplitConfig | None = None
    sentences: Positive | None = None

    @model_validator(mode="after")
    def _says_where(self) -> "DataConfig":
        if self.format is None and self.dataset is None:
            raise ValueError("needs `format` (with files) or `dataset`")
        if self.format == "synthetic" and self.sentences is None:
            raise ValueError('`format = "synthetic"` needs `sentences`, the number to generate')
        if self.format not in (None, "synthetic") and not self.train and self.dataset is None:
            raise ValueError("needs `train`, the file to learn from")
        for name in ("dev", "test"):
            if self.split is not None and getattr(self, name) and getattr(self.split, name) is not None:
                raise ValueError(f"`{name}` names files and `split.{name}` cuts them from train; keep one of the two")
        if self.sentences is not None:
            _alone("sentences", ("synthetic",), self.format)
        for name in ("name", "revision", "data_files", "streaming", "lazy"):
            if getattr(self, name) not in (None, False) and self.dataset is None:
                raise ValueError(f"`{name}` is for a `dataset` alone, got no `dataset`")
        if self.lazy and self.streaming:
            raise ValueError("`lazy` reads from a copy on disk, which `streaming` does not keep; keep one of the two")
        if self.lazy and self.scheme == "io":
            raise ValueError('`lazy` leaves tags in the scheme of their file, which must not be "io"; convert the file')
        return self

    def reading(self) -> ReadingConfig:
        """How the corpus is read, without where it is; a dataset's column of tokens is no layer of files."""
        values = {key: getattr(self, key) for key in ReadingConfig.model_fields}
        if self.dataset is not None and self.layers:
            values["layers"] = {layer: source for layer, source in self.layers.items() if layer != "token"} or None
        return ReadingConfig.model_construct(**values)

    def files(self) -> list[str]:
        """The paths of all splits, as the recipe names them."""
        splits = (self.train, self.dev, self.test)
        return [path for paths in splits for path in (paths.values() if isinstance(paths, dict) else paths or ())]


class CorpusConfig(DataConfig):
    """One of several corpora. Its share of an epoch counts `weight` times; see `training.sampling`."""

    weight: Annotated[Weight, Field(le=1000)] = 1.0
