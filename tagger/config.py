"""A recipe: one TOML file that says everything about a training run, read into frozen sections.

Sections are closed: an unknown key, a wrong type or a value out of range is an error, and all errors of a file are
reported at once. This module knows what a recipe may say; what it means is the business of the modules that take a
section as their argument.
"""

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from tagger.errors import RecipeError

MAX_BYTES = 1_000_000  # of a recipe; what is longer is another file
SPANNED = ("jsonl", "brat")  # formats of texts with entities as character spans
Scheme = Literal["iob1", "iob2", "bioes", "bilou"]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(gt=0.0)]
Sampling = Literal["proportion", "sqrt", "even"]
ClassWeights = Literal["none", "balanced"] | dict[str, Weight]


def _as_tuple(value: object) -> object:
    """A TOML array, or a single value where a list is wanted, as the tuple that the frozen section keeps."""
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


def _as_files(value: object) -> object:
    """One path, several, or (labelled text) a table class → path."""
    named = isinstance(value, dict) and all(isinstance(path, str) for path in value.values())
    listed = isinstance(value, list) and all(isinstance(path, str) for path in value)
    if not (named or listed or isinstance(value, (str, tuple))):
        raise ValueError(f"must be a path, a list of paths or a table class = path, got {value!r}")
    return _as_tuple(value)


def _as_number(value: object) -> object:
    """A whole number or a fraction, told in one sentence if it is neither."""
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        raise ValueError(f"must be a number, got {value!r}")
    return value


def _none_as_null(value: object) -> object:
    """The word "none" as the null that TOML does not have."""
    return None if value == "none" else value


def _as_class_weights(value: object) -> object:
    """A word or a table of positive numbers, told in one sentence if it is neither."""
    weights = value.values() if isinstance(value, dict) else ()
    positive = all(isinstance(w, (int, float)) and not isinstance(w, bool) and 0 < w < math.inf for w in weights)
    if not positive or not (isinstance(value, dict) or value in ("none", "balanced")):
        raise ValueError(f'must be "none", "balanced" or a table class = weight with weights above 0, got {value!r}')
    return value


def _as_data_files(value: object) -> object:
    """One path or pattern, several, or a table split → those; a table keeps its lists as tuples."""
    if isinstance(value, dict):
        return {split: _as_files(paths) for split, paths in value.items()}
    return _as_files(value)


Files = Annotated[tuple[str, ...] | dict[str, str], BeforeValidator(_as_files)]

DataFiles = Annotated[tuple[str, ...] | dict[str, tuple[str, ...]], BeforeValidator(_as_data_files)]


class Section(BaseModel):
    """A part of a recipe: frozen, closed, and strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


S = TypeVar("S", bound=Section)


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
    rename: dict[str, Annotated[str, Field(min_length=1)]] = {}
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
            raise ValueError(f"`rename` and `drop` must not name the same, got {_quoted(sorted(twice))} in both")
        if self.layer is not None:
            _alone("layer", ("labelled", *SPANNED), self.format)
        if self.columns is not None:
            _alone("columns", ("conll", "labelled"), self.format)
        if self.format == "labelled" and self.columns is not None and not {self.layer, "text"} <= set(self.columns):
            raise ValueError(f'`columns` of labelled text must name "{self.layer}" (its `layer`) and "text"')
        if self.classes is not None:
            _alone("classes", ("labelled",), self.format)
            if len([name for name, part in self.classes.items() if part == ClassRange()]) > 1:
                raise ValueError("`classes` must have at most one class without `above` and `below`, for the rest")
        if self.layers is not None and self.format == "brat":
            raise ValueError('`layers` is not for format = "brat"; name the layer of its entities in `layer`')
        for key in ("misaligned", "nested"):
            if getattr(self, key) != "error":
                _alone(key, SPANNED, self.format)
        return self


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
        if self.lazy:
            self._leaves_rows_as_they_are()
        return self

    def _leaves_rows_as_they_are(self) -> None:
        """Refuse what a lazy corpus cannot do."""
        keys = {"streaming": self.streaming, "rename": self.rename, "drop": self.drop}
        keys |= {"invalid": self.invalid != "error", "split.every": self.split is not None and self.split.every}
        if found := [key for key, given in keys.items() if given]:
            raise ValueError(
                f"`lazy` leaves train in its file as it stands, got {_quoted(found)} beside it; keep one of the two"
            )

    def reading(self) -> ReadingConfig:
        """How the corpus is read, without where it is; a dataset's column of tokens is no layer of files."""
        values = {key: getattr(self, key) for key in ReadingConfig.model_fields}
        if self.dataset is not None and self.layers:
            values["layers"] = {layer: source for layer, source in self.layers.items() if layer != "token"} or None
        return ReadingConfig.model_construct(**values)


class CorpusConfig(DataConfig):
    """One of several corpora. Its share of an epoch counts `weight` times; see `training.sampling`."""

    weight: Weight = 1.0


class EmbeddingsConfig(Section):
    """What turns a word into a vector.

    With `tune`, words of train get trainable vectors that start from their pretrained ones; all others keep theirs.
    """

    vectors: Names = ()
    max_words: Positive | None = None
    tune: bool = True
    dimension: Positive = 100
    chars: Literal["cnn", "lstm", "none"] = "cnn"
    char_dimension: Positive = 30
    char_hidden: Positive = 50
    dropout: Share = 0.5
    word_dropout: Share = 0.0

    @model_validator(mode="after")
    def _words_of_vectors(self) -> "EmbeddingsConfig":
        if self.max_words is not None and not self.vectors:
            raise ValueError("`max_words` is for `vectors` alone, got no `vectors`")
        return self


class EncoderConfig(Section):
    """The recurrent network under all heads. `hidden_size` is the width of one direction."""

    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    hidden_size: Positive = 200
    layers: Positive = 1
    bidirectional: bool = True
    merge: Literal["concat", "sum", "mean"] = "concat"
    dropout: Share = 0.5


class TokensHeadConfig(Section):
    """A head that gives a tag to each token."""

    kind: Literal["tokens"]
    layer: str | None = None
    weight: Weight = 1.0
    decoder: Literal["crf", "softmax"] = "crf"
    scheme: Literal["iob1", "iob2", "bioes", "bilou", "none"] = "bioes"
    constraints: bool = True

    @property
    def span_scheme(self) -> Scheme | None:
        """The scheme in which the head predicts spans; None where its tags form none."""
        return None if self.scheme == "none" else self.scheme


class SentenceHeadConfig(Section):
    """A head that gives a label to the sentence.

    `class_weights` says what the loss of each class counts: `none`, all alike; `balanced`, so that each class counts as
    much in sum; or a table class = weight, 1 where it names none. `label_smoothing` is the share of the gold class's
    probability that is spread over all classes. With `calibrate`, probabilities are scaled by a temperature that dev
    chooses once training is over.
    """

    kind: Literal["sentence"]
    layer: str | None = None
    weight: Weight = 1.0
    pooling: Literal["attention", "last", "mean", "max"] = "attention"
    hidden_size: Positive = 64
    dropout: Share = 0.5
    class_weights: Annotated[ClassWeights, BeforeValidator(_as_class_weights)] = "none"
    label_smoothing: Share = 0.0
    calibrate: bool = False

    @property
    def span_scheme(self) -> None:
        """None: a class for the sentence forms no spans."""


HeadConfig = Annotated[TokensHeadConfig | SentenceHeadConfig, Field(discriminator="kind")]


class TrainingConfig(Section):
    """How the network is fitted.

    `warmup` is the share of all steps in which the learning rate rises from zero; after it the rate stays (`constant`)
    or falls to zero by a straight line (`linear`) or half a cosine (`cosine`). `weight_decay` is decoupled from the
    gradient. `patience` is the number of epochs without a better dev score after which training stops. `select` names
    the dev score that picks the weights: a layer, or `mean` over heads. `clip_norm = "none"` leaves gradients as they
    are. `sampling` says how the sentences of an epoch are shared out among several corpora: by their sizes
    (`proportion`), by the square roots of these (`sqrt`) or evenly (`even`), each times the corpus's weight.
    """

    epochs: Positive = 30
    batch_size: Positive = 16
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: Weight = 0.002
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    warmup: Share = 0.05
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    clip_norm: Annotated[Weight | None, BeforeValidator(_none_as_null)] = 5.0
    patience: Positive = 8
    select: str = "mean"
    sampling: Sampling = "proportion"


class Recipe(Section):
    """Everything about a training run."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    data: DataConfig | None = None
    corpora: Annotated[dict[str, CorpusConfig], Field(min_length=1)] | None = None
    embeddings: EmbeddingsConfig = EmbeddingsConfig()
    encoder: EncoderConfig = EncoderConfig()
    heads: Annotated[dict[str, HeadConfig], Field(min_length=1)]
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="before")
    @classmethod
    def _fill_layers(cls, values: Any) -> Any:
        """A head predicts the layer of its own name unless it names another."""
        heads = values.get("heads") if isinstance(values, dict) else None
        if not isinstance(heads, dict):
            return values
        filled = {k: {"layer": k, **head} if isinstance(head, dict) else head for k, head in heads.items()}
        return {**values, "heads": filled}

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if (self.data is None) == (self.corpora is None):
            raise ValueError("needs either one corpus in [data] or several in [corpora.NAME]")
        layers = self.layers
        if len(layers) < len(self.heads):
            raise ValueError("two heads predict the same layer; give each head a layer of its own")
        if self.training.select not in ("mean", *layers):
            raise ValueError(
                f"`training.select` must be `mean` or one of the layers {_quoted(layers)}, got `{self.training.select}`"
            )
        return self

    @property
    def layers(self) -> "dict[str, TokensHeadConfig | SentenceHeadConfig]":
        """The heads by the layer that each predicts."""
        return {head.layer or name: head for name, head in self.heads.items()}

    def all_corpora(self) -> dict[str, CorpusConfig]:
        """The corpora by name; the one of [data] is called `data`."""
        if self.corpora is not None:
            return dict(self.corpora)
        assert self.data is not None
        return {"data": CorpusConfig.model_construct(**{**dict(self.data), "weight": 1.0})}


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
    key, got, context = ".".join(path), detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(place[:-1], kind)
            return f"unknown key `{key}`; {_suggestion(path[-1], known)}"
        case "missing":
            return f"`{key}` is missing"
        case "union_tag_not_found":
            return f'`{key}.kind` is missing; choose "tokens" or "sentence"'
        case "union_tag_invalid":
            return f"`{key}.kind` must be 'tokens' or 'sentence', got {context.get('tag')!r}"
        case "literal_error":
            return f"`{key}` must be {context['expected']}, got {got!r}"
        case "value_error":
            error = str(context["error"])
            return error if not key else f"`{key}` {error}" if error.startswith("must") else f"`{key}`: {error}"
        case "too_short" | "string_too_short":
            return f"`{key}` must not be empty"
        case "tuple_type":
            return f"`{key}` must be a list, got {got!r}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"`{key}` must be a table, got {got!r}"
        case _:
            rule = detail["msg"].removeprefix("Input should be ")
            return f"`{key}` must be {rule}, got {got!r}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known keys are {_quoted(known)}"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


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
        return list((TokensHeadConfig if "tokens" in location[2:] else SentenceHeadConfig).model_fields)
    return list(sections[str(location[0])].model_fields)
