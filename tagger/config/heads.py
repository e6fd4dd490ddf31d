"""The [heads.NAME] sections of a recipe: one class per kind of head.

`tagger/heads/head.py` says how to add a kind.
"""

from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from tagger.config.kinds import by_kind
from tagger.config.section import Names, NotEmpty, Section, Share, Size, Weight, as_tuple, must
from tagger.extensions import Head
from tagger.text.schemes import Scheme


def _are_class_weights(value: object) -> bool:
    """Whether a value is a word or a table of positive numbers."""
    if not isinstance(value, dict):
        return value in ("none", "balanced")
    return all(isinstance(w, (int, float)) and not isinstance(w, bool) and 0 < w <= 1e6 for w in value.values())


ClassWeights = Annotated[
    Literal["none", "balanced"] | dict[str, Weight],
    must('"none", "balanced" or a table class = weight with weights above 0 and at most 1e6', _are_class_weights),
]
Teachers = Annotated[tuple[NotEmpty, ...], BeforeValidator(as_tuple), Field(min_length=1)]


OF_TEACHERS = {"teacher", "teacher_weight", "teacher_targets"}  # keys of a head that a trained model does not need
# Keys of a head that say nothing of its network.
OF_TRAINING = OF_TEACHERS | {"weight", "calibrate", "metrics", "dropout", "class_weights", "label_smoothing"}


class AnyHeadConfig(Section):
    """The keys that heads of every kind have."""

    kind: str
    """What the head predicts: a tag for each token (`tokens`), one label for the sentence (`sentence`), or numbers for
    tokens or for the sentence (`values`)."""

    layer: str = ""
    """Layer to predict. Default: the layer with the name of the head."""

    weight: Weight = 1.0
    """Factor on the loss of this head in the sum over all heads."""

    teacher: Teachers | None = None
    """What to learn from in addition to gold labels: the folder of a run, the folder of several runs, a model of the
    Hugging Face hub (`hf://owner/name@revision`), a recipe (`.toml`) that is trained first with the same seed and data,
    or a file with labels, such as JSON lines (`.jsonl`).
    The probabilities of several teachers, given as a list, are averaged. Paths are always relative to the folder of
    the recipe. A tokens head learns from teachers on sentences without gold tags; a sentence head learns their class
    probabilities on all sentences; a head of kind `values` cannot have a teacher. Default: no teacher."""

    teacher_weight: Weight = 0.3
    """Factor on the loss against the teacher, multiplied by `weight`."""

    calibrate: bool = False
    """Whether to fit probabilities to dev after training by a temperature, so that they match how often predictions are
    right. If the tags have a scheme, the score of `O` against all entity tags is fitted as well."""

    metrics: Names = ()
    """Further scores of the layer, by their names: `Q3`, `segment_f1` and `segment_f1_50` of tags without spans, and
    those of extensions. Reports show them beside the others."""

    @model_validator(mode="after")
    def _weight_of_a_teacher(self) -> Self:
        for key in ("teacher_weight", "teacher_targets"):
            field = type(self).model_fields.get(key)
            if self.teacher is None and field is not None and getattr(self, key) != field.default:
                raise ValueError(f"`{key}` is for a head with a `teacher`, got no `teacher`")
        return self

    @property
    def span_scheme(self) -> Scheme | None:
        """The scheme in which the head predicts spans; None if it predicts none."""
        return None

    @property
    def learns_marginals(self) -> bool:
        """Whether the head learns the probability of each tag from teachers."""
        return False


class TokensHeadConfig(AnyHeadConfig):
    """A head that predicts a tag for each token."""

    kind: Literal["tokens"]

    decoder: Literal["crf", "softmax"] = "crf"
    """How to score tags: together over the sentence (`crf`) or each token alone (`softmax`)."""

    teacher_targets: Literal["tags", "marginals"] = "tags"
    """What to learn from teachers: their best tags (`tags`), or the probability of each tag at each token
    (`marginals`), which also shows how certain they are and needs teachers whose tags are in the same `scheme`."""

    scheme: Literal["iob1", "iob2", "bioes", "bilou", "none"] = "bioes"
    """Scheme in which the head learns entities, whatever the scheme of the files; `none` for tags that are no entities,
    such as parts of speech."""

    constraints: bool = True
    """Whether to exclude tag transitions that are invalid in the scheme, in training and in prediction."""

    @property
    def span_scheme(self) -> Scheme | None:
        """The scheme in which the head predicts spans; None if its tags form no spans."""
        return None if self.scheme == "none" else self.scheme

    @property
    def learns_marginals(self) -> bool:
        """Whether the head learns the probability of each tag from teachers."""
        return self.teacher_targets == "marginals"


class SentenceHeadConfig(AnyHeadConfig):
    """A head that predicts one label for the sentence."""

    kind: Literal["sentence"]

    pooling: Literal["attention", "last", "mean", "max"] = "attention"
    """How to turn the states of all tokens into one vector."""

    hidden_size: Size = 64
    """Number of features of the hidden layer."""

    dropout: Share = 0.5
    """Probability of dropping each feature before each of the two layers, during training."""

    class_weights: ClassWeights = "none"
    """Factor on the loss of each class: the same for all (`none`), inversely proportional to its frequency in train
    (`balanced`), or a table class = factor, 1 for classes that are not in it."""

    label_smoothing: Share = 0.0
    """Share of the probability of the gold class that is spread evenly over all classes in the loss."""


class ValuesHeadConfig(AnyHeadConfig):
    """A head that predicts a number for each token, or numbers for the sentence."""

    kind: Literal["values"]

    per: Literal["token", "sentence"] = "token"
    """Whether each token has a number (`token`), or the sentence has one or several (`sentence`), such as the next
    steps of a series."""

    pooling: Literal["attention", "last", "mean", "max"] = "last"
    """How to turn the states of all tokens into one vector, for numbers of the sentence."""

    loss: Literal["squared", "quantile"] = "squared"
    """Loss to minimise: the squared error (`squared`), so that the number is the mean of what may come, or the
    quantile loss (`quantile`) of the median and of both ends of an interval, whose width then depends on the input."""

    level: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Share of numbers that the intervals should contain."""

    calibrate: bool = True
    """Whether to widen or narrow the intervals after training, so that the share of dev numbers in them is `level`
    (conformal calibration). With the squared error there are no intervals without it."""


KINDS: dict[str, type[AnyHeadConfig]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind
    for kind in (TokensHeadConfig, SentenceHeadConfig, ValuesHeadConfig)
}
HeadConfig = Annotated[SerializeAsAny[AnyHeadConfig], BeforeValidator(by_kind(KINDS, Head))]
