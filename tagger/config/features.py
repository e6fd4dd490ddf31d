"""The [features.NAME] sections of a recipe: one class per kind of feature.

`tagger/features/feature.py` says how to add a kind. The docstring below each field is the meaning of that key in the
reference of recipes.
"""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from tagger.config.section import Count, Names, Section, Size, as_tuple


class AnyFeatureConfig(Section):
    """The keys that features of every kind have."""

    kind: str
    """What the feature says about a token."""


class ShapeConfig(AnyFeatureConfig):
    """Case, digits, marks, length and shape of a word."""

    kind: Literal["shape"]

    dimension: Size = 10
    """Number of features of each property of a word."""

    buckets: Count = 1000
    """Number of vectors that all shapes such as `Xxx-dd` share. A shape is hashed to one of them."""


def _distinct(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Return lengths that are all different, or refuse them."""
    if len(set(lengths)) < len(lengths):
        raise ValueError(f"must be different lengths, got {', '.join(map(str, lengths))}")
    return lengths


Length = Annotated[int, Field(ge=1, le=100)]


class AffixesConfig(AnyFeatureConfig):
    """The first and last characters of a word."""

    kind: Literal["affixes"]

    lengths: Annotated[
        tuple[Length, ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(_distinct)
    ] = (1, 2, 3, 4)
    """Lengths of the prefixes and suffixes, in characters."""

    dimension: Size = 10
    """Number of features of each prefix and each suffix."""

    buckets: Count = 10000
    """Number of vectors that all prefixes and suffixes share. Each is hashed to one of them."""

    case: Literal["keep", "fold"] = "keep"
    """Whether upper and lower case are different (`keep`) or the same (`fold`)."""


class GazetteerConfig(AnyFeatureConfig):
    """Lists of names or terms: where their entries are in a sentence."""

    kind: Literal["gazetteer"]

    files: Annotated[
        dict[Annotated[str, Field(min_length=1)], Annotated[Names, Field(min_length=1)]], Field(min_length=1)
    ]
    """The lists: a table type = file, or type = list of files, with one entry per line, plain, gzip or zstd. Paths are
    relative to the `--data` folder or else to the folder of the recipe. The model keeps the entries."""

    case: Literal["keep", "fold"] = "keep"
    """Whether upper and lower case are different (`keep`) or the same (`fold`)."""


class CharLMConfig(AnyFeatureConfig):
    """States of a character language model, which `tagger pretrain` trains on any text."""

    kind: Literal["charlm"]

    model: Annotated[str, Field(min_length=1)]
    """Folder that `tagger pretrain` wrote, relative to the `--data` folder or else to the folder of the recipe."""

    context: Annotated[int, Field(ge=0, le=10_000)] = 64
    """Number of tokens of neighbouring sentences of the document to read on each side."""

    width: Size | None = None
    """Number of features that a learned projection makes of the states. Default: the states, without a projection."""


FeatureConfig = Annotated[ShapeConfig | AffixesConfig | GazetteerConfig | CharLMConfig, Field(discriminator="kind")]
KINDS: dict[str, type[AnyFeatureConfig]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(get_args(FeatureConfig)[0])
}
