"""A recipe as a whole: the sections of network and training beside those of the corpora, and what must fit together."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tagger.config.data import CorpusConfig, DataConfig
from tagger.config.section import Names, Positive, Scheme, Section, Share, Weight
from tagger.wording import quoted

Sampling = Literal["proportion", "sqrt", "even"]
ClassWeights = Literal["none", "balanced"] | dict[str, Weight]


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


class AnyHeadConfig(Section):
    """What heads of both kinds have.

    A `teacher` is a model that predicts the layer: the folder of a run, or a recipe (`.toml`) that is trained first
    with the seed and the data of this one. Paths are relative to the folder of the recipe. The head then also learns
    from what its teacher says of sentences that lack the layer, and a sentence head from how sure the teacher is of
    each class in all sentences; that loss counts `teacher_weight` beside the one of gold labels.

    With `calibrate`, dev makes probabilities what they say once training is over: scores are divided by a temperature,
    and where tags have a scheme and dev has both, `O` is made more or less likely than entities.
    """

    kind: Literal["tokens", "sentence"]
    layer: str | None = None
    weight: Weight = 1.0
    teacher: Annotated[str, Field(min_length=1)] | None = None
    teacher_weight: Weight = 0.3
    calibrate: bool = False

    @model_validator(mode="after")
    def _weight_of_a_teacher(self) -> Self:
        if self.teacher is None and self.teacher_weight != type(self).model_fields["teacher_weight"].default:
            raise ValueError("`teacher_weight` is for a head with a `teacher`, got no `teacher`")
        return self


class TokensHeadConfig(AnyHeadConfig):
    """A head that gives a tag to each token."""

    kind: Literal["tokens"]
    decoder: Literal["crf", "softmax"] = "crf"
    scheme: Literal["iob1", "iob2", "bioes", "bilou", "none"] = "bioes"
    constraints: bool = True

    @property
    def span_scheme(self) -> Scheme | None:
        """The scheme in which the head predicts spans; None where its tags form none."""
        return None if self.scheme == "none" else self.scheme


class SentenceHeadConfig(AnyHeadConfig):
    """A head that gives a label to the sentence.

    `class_weights` says what the loss of each class counts: `none`, all alike; `balanced`, so that each class counts as
    much in sum; or a table class = weight, 1 where it names none. `label_smoothing` is the share of the gold class's
    probability that is spread over all classes.
    """

    kind: Literal["sentence"]
    pooling: Literal["attention", "last", "mean", "max"] = "attention"
    hidden_size: Positive = 64
    dropout: Share = 0.5
    class_weights: Annotated[ClassWeights, BeforeValidator(_as_class_weights)] = "none"
    label_smoothing: Share = 0.0

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
    (`proportion`), by the square roots of these (`sqrt`) or evenly (`even`), each times the corpus's weight. With
    `batches = "separate"` each batch is of one corpus, with `mixed` of all: then a head has only some sentences of a
    batch to learn from, and a noisy gradient where these are few.
    With `average`, such as 0.998, what is scored and kept are not the weights of the last step but their running
    average, of which that share stays at each step.
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
    batches: Literal["separate", "mixed"] = "separate"
    average: Share = 0.0


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
                f"`training.select` must be `mean` or one of the layers {quoted(layers)}, got `{self.training.select}`"
            )
        if any(head.teacher for head in layers.values()) and any(c.lazy for c in self.all_corpora().values()):
            raise ValueError("a `teacher` reads all of train, which `lazy` leaves on disk; keep one of the two")
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
