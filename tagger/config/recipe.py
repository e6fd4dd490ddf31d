"""The whole recipe: its sections, and the rules that join them."""

from typing import Annotated, Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator
from pydantic_core import to_jsonable_python

from tagger.config.data.corpus import CorpusConfig, DataConfig
from tagger.config.explaining import explained
from tagger.config.features import AnyTokenFeatureConfig, FeatureConfig
from tagger.config.heads import HeadConfig
from tagger.config.network import HOW_TO_TRAIN, OF_NETWORK, EmbeddingsConfig, EncoderConfig, without_network
from tagger.config.section import NotEmpty, Section, Seed, Weight
from tagger.config.training import TrainingConfig
from tagger.config.tuning import SearchConfig
from tagger.errors import RecipeError
from tagger.extensions import Metric, find, must_be
from tagger.text.tokenization import Split
from tagger.wording import quoted

FeatureName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]  # part of a file name


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

    start: NotEmpty | None = None
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
    def _one_corpus_and_start(self) -> Self:
        if self.data is not None and self.corpora is not None:
            raise ValueError("needs either one corpus in [data] or several in [corpora.NAME], got both")
        if self.start is not None and (keys := self._chosen_by_start()):
            raise ValueError(f"the model in `start` decides `{keys[0]}`; remove the key or `start`")
        if self.keep is not None and self.start is None:
            raise ValueError("`keep` needs a model in `start`, got none; add `start` or remove `keep`")
        return self

    @model_validator(mode="after")
    def _heads_and_scores(self) -> Self:
        layers = self.layers
        if len(layers) < len(self.heads):
            raise ValueError("two heads predict the same layer; give each head a layer of its own")
        if self.training.select not in ("mean", *layers):
            raise ValueError(
                f"`training.select` must be `mean` or one of the layers {quoted(layers)}, got `{self.training.select}`"
            )
        for name, head in self.heads.items():
            for metric in head.metrics:
                if metric in Metric.built_in and head.kind in ("sentence", "values"):
                    raise ValueError(f"`heads.{name}.metrics`: {metric} is for a head of tokens, got `{head.kind}`")
                if metric not in Metric.built_in and find(Metric, metric) is None:
                    raise ValueError(f"`heads.{name}.metrics` {must_be(Metric, metric)}")
        return self

    @model_validator(mode="after")
    def _network_and_training(self) -> Self:
        if any(config.lazy for config in self.all_corpora().values()) and (problem := self.reads_all()):
            raise ValueError(problem)
        if self.start is None and not (self.embeddings.words or self.embeddings.chars != "none" or self.features):
            raise ValueError("`embeddings.words = false` needs a section [features.NAME] to read a step by, got none")
        if self.training.copies and any(config.of_frames for config in self.features.values()):
            raise ValueError(
                f"`training.{self.training.copies[0]}` changes words, but features of frames read numbers; remove it"
            )
        for key in ("mention_replacement", "token_replacement"):
            if getattr(self.training, key) and not any(head.span_scheme for head in self.heads.values()):
                raise ValueError(f"`training.{key}` needs a head that predicts entities, got none; remove it")
        if self.training.refit and any(head.calibrate for head in self.heads.values()):
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
        found = [
            f"{name}.{key}"
            for name, kind in OF_NETWORK.items()
            for key in kind.model_fields
            if key in getattr(self, name).model_fields_set - HOW_TO_TRAIN
        ]
        return [*found, *(f"features.{name}" for name in self.features)]

    def with_start(self, model: str) -> "Recipe":
        """Return the recipe that begins with a model; of its own network only the keys on training are left."""
        values = without_network(self.model_dump(exclude_unset=True))
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
