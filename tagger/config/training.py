"""How to fit the network: the section [training]."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from tagger.config.section import Count, Section, Seed, Share, Weight, as_tuple, distinct
from tagger.text.choices import Perturbation

Sampling = Literal["proportion", "sqrt", "even"]


def _none_as_null(value: object) -> object:
    """Return None for the word "none", because TOML has no null."""
    return None if value == "none" else value


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

    learning_rate: Weight = 0.005
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
