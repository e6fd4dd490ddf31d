"""The whole recipe: the sections for corpora, network, heads and training, and the rules that join them.

The docstring below each field is the meaning of that key in the reference of recipes.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import to_jsonable_python

from tagger.config.data import CorpusConfig, DataConfig
from tagger.config.explaining import explained
from tagger.config.features import AnyTokenFeatureConfig, FeatureConfig
from tagger.config.heads import HeadConfig
from tagger.config.section import Count, Names, Positive, Section, Seed, Share, Size, Weight, as_tuple, distinct
from tagger.config.tuning import SearchConfig
from tagger.errors import RecipeError
from tagger.extensions import Cell, Metric, find, must_be
from tagger.text.choices import Perturbation
from tagger.text.tokenization import Split
from tagger.wording import quoted

FeatureName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]  # part of a file name
Sampling = Literal["proportion", "sqrt", "even"]


def _none_as_null(value: object) -> object:
    """Return None for the word "none", because TOML has no null."""
    return None if value == "none" else value


def _known_cell(name: str) -> str:
    """Return the name of a cell unchanged, or refuse it."""
    if name not in Cell.built_in and find(Cell, name) is None:
        raise ValueError(must_be(Cell, name))
    return name


class EmbeddingsConfig(Section):
    """How to turn a word into a vector."""

    words: bool = True
    """Whether words have vectors. `false` is for sequences of numbers, whose steps are not words: then only `features`,
    and `chars` if given, describe a step."""

    vectors: Names = ()
    """Files of pretrained word vectors, in the text format of GloVe or word2vec, plain, gzip or zstd. The vectors of
    several files are concatenated. Paths are relative to the `--data` folder or, without `--data`, to the folder of the
    recipe. Default: word vectors are learned from train alone."""

    max_words: Positive | None = None
    """Number of words to read from each file of `vectors`, from the top. Default: all."""

    min_count: Count = 2
    """How often a word that is not in `vectors` must occur in train to have a vector of its own. Rarer words share the
    vector of unknown words; their characters are still read. With `vectors` and without `tune`, only words in `vectors`
    have one."""

    tune: bool = True
    """Whether the vectors of words in train are trained further. All other words keep their pretrained vectors."""

    quantize: bool = False
    """Whether to store each number of a word vector in 8 bits, scaled by a power of two for each word. The table of
    word vectors then takes at most half of the disk space. The network is trained with the rounded vectors."""

    dimension: Size = 100
    """Size of a word vector if there are no `vectors`."""

    chars: Literal["cnn", "lstm", "none"] = "cnn"
    """Network that reads the characters of a word: a convolution (`cnn`), a bidirectional LSTM (`lstm`), or none.
    Default: `cnn`, or `none` if `words` is `false`."""

    char_dimension: Size = 30
    """Size of a character vector."""

    char_hidden: Size = 50
    """Number of filters of the convolution, or hidden size of the LSTM in each direction."""

    dropout: Share = 0.5
    """Probability of dropping each feature of a token before the encoder, during training."""

    word_dropout: Share = 0.0
    """Probability of replacing the vector of a word by that of unknown words, during training. Characters stay."""

    @model_validator(mode="before")
    @classmethod
    def _without_words(cls, values: Any) -> Any:
        """Read no characters where there are no words, unless the recipe says so."""
        given = isinstance(values, dict) and values.get("words") is False
        return {"chars": "none", **values} if given else values

    @model_validator(mode="after")
    def _words_of_vectors(self) -> "EmbeddingsConfig":
        for key in ("vectors", "quantize"):
            if getattr(self, key) and not self.words:
                raise ValueError(f"`{key}` needs word vectors, got `words = false`; remove one of the two")
        if self.max_words is not None and not self.vectors:
            raise ValueError("`max_words` is for `vectors` alone, got no `vectors`")
        return self


class EncoderConfig(Section):
    """The recurrent network that all heads share."""

    cell: Annotated[str, AfterValidator(_known_cell), WithJsonSchema({"enum": Cell.built_in})] = "lstm"
    """Type of the recurrent cell, or the name of your own cell."""

    hidden_size: Size = 200
    """Number of features of a state in one direction."""

    layers: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of recurrent layers."""

    bidirectional: bool = True
    """Whether to read the sentence in both directions. Models that read in one direction can tag word by word."""

    stride: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of tokens from each one that the encoder reads to the next, for long sequences of frames. A token between
    two of them gets the state of the one before it."""

    merge: Literal["concat", "sum", "mean"] = "concat"
    """How to join the states of the two directions."""

    dropout: Share = 0.5
    """Probability of dropping each feature between layers and between the encoder and the heads, during training."""


OF_NETWORK = ("embeddings", "encoder")  # sections that a model in `start` decides, apart from these keys:
HOW_TO_TRAIN = {"vectors", "max_words", "min_count", "tune", "quantize", "dropout", "word_dropout"}


class TrainingConfig(Section):
    """How to fit the network."""

    epochs: Count = 30
    """Maximum number of passes over the training sentences."""

    batch_size: Count = 16
    """Number of sentences in a batch."""

    accumulate: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of parts of a batch that are computed one after another, whose gradients are added up. A step then needs
    the memory of the largest part, takes longer, and is the same apart from rounding and dropout."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision in which the encoder computes in training. `bfloat16` is faster on CPUs that support it, and is not
    available for your own cells. Weights, gradients, the CRF and losses stay in float32, and the saved model is the
    same kind of model."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Optimiser: Adam, or stochastic gradient descent with a momentum of 0.9."""

    learning_rate: Weight = 0.002
    """Highest learning rate."""

    schedule: Literal["constant", "linear", "cosine"] = "linear"
    """Course of the learning rate after `warmup`: it stays, or falls to zero along a line or along half a cosine."""

    warmup: Share = 0.05
    """Share of all steps during which the learning rate rises from zero."""

    weight_decay: Annotated[float, Field(ge=0.0, le=1e6)] = 0.0
    """Weight decay: each step also multiplies the weights by 1 - learning rate x this value. Word vectors have none."""

    clip_norm: Annotated[Weight | None, BeforeValidator(_none_as_null)] = 5.0
    """Largest norm of the gradient over all parameters; a larger gradient is scaled down. `"none"`: no limit."""

    patience: Count = 8
    """Number of epochs without a better dev score after which training stops."""

    select: str = "mean"
    """Dev score that chooses the best epoch: the name of a layer, or `mean` over the layers of all heads."""

    sampling: Sampling = "proportion"
    """How to divide an epoch among several corpora: in proportion to their sizes (`proportion`), to the square roots of
    their sizes (`sqrt`), or equally (`even`); each share is multiplied by the `weight` of the corpus."""

    batches: Literal["separate", "mixed"] = "separate"
    """Whether each batch has sentences of one corpus or of all. In `mixed` batches each head sees fewer sentences, so
    use a larger `batch_size`."""

    average: Share = 0.0
    """Decay of a running average of the weights, for example 0.998; the averaged weights are scored and kept. 0: no
    averaging."""

    mention_replacement: Share = 0.0
    """Probability of replacing each entity of train with another one of its type from train. Copies of sentences with a
    replaced entity are added to train (Dai and Adel 2020). A copy has the entities of one layer and the labels of its
    sentence; teachers label it like any other sentence. Sentences with unknown tags have no copy. 0: no copies."""

    token_replacement: Share = 0.0
    """Probability of replacing each token of train with another one that has the same tag in train (Dai and Adel 2020,
    label-wise). Copies of sentences are added as for `mention_replacement`. 0: no copies."""

    perturbation: dict[Perturbation, Share] = Field(default_factory=dict)
    """Share of the train sentences of which a copy in another form is added, as in `{ lower = 0.1, upper = 0.05 }`:
    in lower case (`lower`), in capitals (`upper`), with typographic quotes, apostrophes and dashes (`typographic`),
    with characters replaced by similar ones as in a scan (`scanned`), or without the marks at its end
    (`unpunctuated`). A copy has all layers of its sentence. Default: no copies."""

    refit: bool = False
    """Whether to train a new network on train and dev together, for as many epochs as dev has chosen. The dev scores of
    the report are those of the first network, which has not seen dev."""

    teacher_seeds: Annotated[tuple[Seed, ...], BeforeValidator(as_tuple), AfterValidator(distinct)] = ()
    """Seeds with which each teacher that is a recipe is trained. The probabilities of these runs are averaged. Default:
    once, with the seed of the run."""

    @property
    def copies(self) -> list[str]:
        """The keys that add changed copies of train sentences."""
        return [key for key in ("mention_replacement", "token_replacement", "perturbation") if getattr(self, key)]


def _refuse(value: object) -> object:
    """Refuse what a recipe cannot hold."""
    advice = "pass a function that splits texts as tagger.train(recipe, tokenize=FUNCTION)"
    found = getattr(value, "__qualname__", type(value).__qualname__)
    raise RecipeError(f"Recipe: values must be texts, numbers, lists or dictionaries, got {found}; {advice}")


class Recipe(Section):
    """Everything about a training run.

    In Python its sections are keyword arguments, each a dictionary: `Recipe(heads={"ner": {"kind": "tokens"}})`.

    Raises:
        RecipeError: A key is unknown, missing or has a wrong value; names all of them.
    """

    seed: Seed = 1
    """Seed of all random numbers of training: weights, order of sentences, dropout. Splits have a seed of their own."""

    start: Annotated[str | None, Field(min_length=1)] = None
    """Model to start from: the folder of a run or of a model, relative to the recipe, or `hf://owner/name@revision`, a
    model of the Hugging Face hub. The network begins with its words, characters, features and encoder, and with new
    heads unless `keep` is given. `[embeddings]` and `[encoder]` may then only have `min_count`, `tune`, `quantize`,
    `dropout`, `word_dropout`, `vectors` and `max_words`; the last two give vectors to words that the model does not
    know. Default: the network begins with random weights."""

    keep: Weight | None = None
    """Weight of the loss against the model in `start`, so that training does not make the network forget what it knows.
    All heads of the model then stay. One that the recipe does not name learns from the model alone. One that the recipe
    names by its layer also learns the labels of train, which may be new; it needs the same `kind`, `scheme` and size.
    The model teaches what gold leaves open: in a sentence head the probabilities of its own classes given that it is
    one of them, in a tokens head those of its own tags where gold tags are missing or, because of `types`, unknown.
    Default: all heads are new, and the model teaches nothing."""

    data: DataConfig | None = None
    """The corpus; for several corpora use `corpora` instead. Neither is needed if `tagger.train` gets a `corpus`."""

    corpora: Annotated[dict[str, CorpusConfig], Field(min_length=1)] | None = None
    """Several corpora, each in a section `[corpora.NAME]`."""

    embeddings: EmbeddingsConfig = EmbeddingsConfig()
    """How to turn a word into a vector."""

    features: dict[FeatureName, FeatureConfig] = Field(default_factory=dict)
    """Additional features of a token, each in a section `[features.NAME]`."""

    encoder: EncoderConfig = EncoderConfig()
    """The recurrent network that all heads share."""

    heads: Annotated[dict[str, HeadConfig], Field(min_length=1)]
    """What to predict: each head in a section `[heads.NAME]`."""

    training: TrainingConfig = TrainingConfig()
    """How to fit the network."""

    tune: dict[str, SearchConfig] = Field(default_factory=dict)
    """What `tagger tune` tries, each key of the recipe in a section such as `[tune."training.learning_rate"]`. Other
    commands ignore it. Default: dropout, learning rate, batch size, averaging, weight decay and the size of the
    network."""

    @model_validator(mode="before")
    @classmethod
    def _fill_layers(cls, values: Any) -> Any:
        """Give each head without a `layer` the layer with its own name."""
        heads = values.get("heads") if isinstance(values, dict) else None
        if not isinstance(heads, dict):
            return values
        filled = {k: {"layer": k, **head} if isinstance(head, dict) else head for k, head in heads.items()}
        return {**values, "heads": filled}

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.data is not None and self.corpora is not None:
            raise ValueError("needs either one corpus in [data] or several in [corpora.NAME], got both")
        if self.start is not None and (keys := self._chosen_by_start()):
            raise ValueError(f"the model in `start` has its own `{keys[0]}`; remove the key or `start`")
        if self.keep is not None and self.start is None:
            raise ValueError("`keep` needs a model in `start`, got none; add `start` or remove `keep`")
        layers = self.layers
        if len(layers) < len(self.heads):
            raise ValueError("two heads predict the same layer; give each head a layer of its own")
        if self.training.select not in ("mean", *layers):
            raise ValueError(
                f"`training.select` must be `mean` or one of the layers {quoted(layers)}, got `{self.training.select}`"
            )
        if any(config.lazy for config in self.all_corpora().values()) and (problem := self.reads_all()):
            raise ValueError(problem)
        for name, head in self.heads.items():
            for metric in head.metrics:
                if metric in Metric.built_in and head.kind in ("sentence", "values"):
                    raise ValueError(f"`heads.{name}.metrics`: {metric} is for a head of tokens, got `{head.kind}`")
                if metric not in Metric.built_in and find(Metric, metric) is None:
                    raise ValueError(f"`heads.{name}.metrics` {must_be(Metric, metric)}")
        if self.start is None and not (self.embeddings.words or self.embeddings.chars != "none" or self.features):
            raise ValueError("`embeddings.words = false` needs a section [features.NAME] to read a step by, got none")
        if self.training.copies and any(config.of_frames for config in self.features.values()):
            raise ValueError(
                f"`training.{self.training.copies[0]}` changes words, but features of frames read numbers; remove it"
            )
        for key in ("mention_replacement", "token_replacement"):
            if getattr(self.training, key) and not any(head.span_scheme for head in layers.values()):
                raise ValueError(f"`training.{key}` needs a head that predicts entities, got none; remove it")
        if self.training.refit and any(head.calibrate for head in layers.values()):
            raise ValueError(
                "`calibrate` needs a dev set that was not trained on, but `training.refit` trains on it; keep one"
            )
        return self

    @model_validator(mode="wrap")  # after the other validators, so that it explains their errors too
    @classmethod
    def _explain(cls, values: Any, handler: ModelWrapValidatorHandler["Recipe"], info: ValidationInfo) -> "Recipe":
        """Explain the errors of keyword arguments; what reads a file does so itself."""
        if info.context is not None:
            return handler(values)
        try:
            return handler(to_jsonable_python(values, fallback=_refuse))  # lists for tuples, paths as text
        except ValidationError as error:
            raise explained(error, cls, "Recipe") from None

    @property
    def layers(self) -> dict[str, HeadConfig]:
        """The heads by the layer that each predicts."""
        return {head.layer: head for head in self.heads.values()}

    def _chosen_by_start(self) -> list[str]:
        """Return the keys that are given, but come from the model in `start`."""
        sections: dict[str, Section] = {name: getattr(self, name) for name in OF_NETWORK}
        found = [
            f"{name}.{key}"
            for name, section in sections.items()
            for key in type(section).model_fields
            if key in section.model_fields_set - HOW_TO_TRAIN
        ]
        return [*found, *(f"features.{name}" for name in self.features)]

    def with_start(self, model: str) -> "Recipe":
        """Return the recipe that begins with a model; of its own network only the keys on training are left."""
        values: dict[str, Any] = self.model_dump(exclude_unset=True)
        for name in OF_NETWORK:
            values[name] = {key: value for key, value in values.get(name, {}).items() if key in HOW_TO_TRAIN}
        return Recipe.model_validate({**values, "features": {}, "start": model})

    def reads_all(self) -> str | None:
        """Return, as an error, what reads all of train, which a `lazy` corpus must not have; None if nothing does."""
        if any(head.teacher for head in self.layers.values()):
            reader = "a `teacher` reads"
        elif self.keep is not None:
            reader = "the model in `start` reads, because of `keep`,"
        elif names := [name for name, config in self.features.items() if isinstance(config, AnyTokenFeatureConfig)]:
            reader = f"features of sentences ({quoted(names)}) read"
        elif keys := [*(["refit"] if self.training.refit else []), *self.training.copies]:
            reader = f"`training.{keys[0]}` reads"
        else:
            return None
        return f"{reader} all of train, which `lazy` leaves on disk; keep one of the two"

    def all_corpora(self) -> dict[str, CorpusConfig]:
        """Return the corpora by name; the one in [data], or that `train` gets, is called `data`."""
        if self.data is None:
            return dict(self.corpora or {"data": CorpusConfig.model_construct()})
        corpus = CorpusConfig.model_construct(**{**dict(self.data), "weight": 1.0})
        return {"data": corpus.with_rules(self.data.given_rules)}

    def with_function(self, tokenize: Split) -> "Recipe":
        """Return a copy whose corpora are split into tokens by a function."""
        data = self.data and self.data.with_function(tokenize)
        corpora = self.corpora and {name: corpus.with_function(tokenize) for name, corpus in self.corpora.items()}
        return self.model_copy(update={"data": data, "corpora": corpora})
