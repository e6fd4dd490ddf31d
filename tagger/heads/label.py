"""The kind `sentence`: one label for the sentence, from a fixed set of classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.config import SentenceHeadConfig, Widths
from tagger.encoding.batches import EncodedSentences
from tagger.encoding.tag_arrays import MISSING
from tagger.errors import RecipeError
from tagger.heads.head import Arrays, Head, HeldOutSentences, Names, Sizes
from tagger.heads.lessons import Lesson, mean_shares
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence

if TYPE_CHECKING:
    from tagger.metrics.layer import ScoredLayer
    from tagger.nn.encoder import RecurrentEncoder
    from tagger.nn.heads import SentenceHead
    from tagger.numpy_nn import heads as numpy_heads
    from tagger.onnx_nn.graph import Graph, Sentences, Weights


ATTENTION_SIZE = 64  # width of the layer that scores a state: the default of `AttentionPooling`


class LabelArrays(NamedTuple):
    """The output of the network for a batch; see `SentenceOutput`. `attention` is None for other poolings."""

    probabilities: NDArray[np.float32]
    attention: NDArray[np.float32] | None = None


class LabelHead(Head[SentenceHeadConfig, "SentenceHead", "numpy_heads.SentenceHead"]):
    """A head that predicts one label for the sentence."""

    layer_type = Label
    answer = "one label per sentence"
    keeps_temperature = True
    task = "labels"

    def labels(self, sentence: Sentence) -> Sequence[str]:
        """Return the one label."""
        return (sentence.label(self.layer).value,)

    def build(self, labels: Sequence[str], encoder: "RecurrentEncoder") -> "SentenceHead":
        """Return the network with fresh weights."""
        from tagger.nn.heads import SentenceHead

        return SentenceHead(
            input_size=encoder.output_size,
            num_classes=len(labels),
            forward_size=encoder.forward_size if encoder.merge == "concat" else encoder.output_size,
            pooling=self.config.pooling,
            hidden_size=self.config.hidden_size,
            dropout=self.config.dropout,
            label_smoothing=self.config.label_smoothing,
        )

    def build_numpy(self, labels: Sequence[str], weights: Arrays, widths: Widths) -> "numpy_heads.SentenceHead":
        """Return the network in NumPy."""
        from tagger.numpy_nn.heads import SentenceHead

        return SentenceHead(weights, forward_size=widths.forward, pooling=self.config.pooling)

    def shapes(self, num_labels: int, widths: Widths) -> Mapping[str, tuple[int, ...]]:
        """Return the shapes of the layers of the attention, if there is one, and of the two layers behind it."""
        hidden = self.config.hidden_size
        scores = {
            "pooling.score.0.weight": (ATTENTION_SIZE, widths.output),
            "pooling.score.0.bias": (ATTENTION_SIZE,),
            "pooling.score.2.weight": (1, ATTENTION_SIZE),
            "pooling.score.2.bias": (1,),
        }
        layers = {
            "classify.1.weight": (hidden, widths.output),
            "classify.1.bias": (hidden,),
            "classify.4.weight": (num_labels, hidden),
            "classify.4.bias": (num_labels,),
        }
        return {**(scores if self.config.pooling == "attention" else {}), **layers}

    def add_to_graph(
        self, graph: "Graph", weights: "Weights", labels: Sequence[str], sentences: "Sentences", temperature: float
    ) -> None:
        """Add the outputs `probabilities` and `attention` of the layer."""
        from tagger.onnx_nn.heads import sentence_head

        pooling = self.config.pooling
        sentence_head(graph, weights, sentences, layer=self.layer, pooling=pooling, temperature=temperature)

    @property
    def graph_outputs(self) -> Sequence[str]:
        """Return the probabilities, and the attention if there is one."""
        return ("probabilities", "attention") if self.config.pooling == "attention" else ("probabilities",)

    def of_graph(
        self,
        network: "numpy_heads.SentenceHead",
        outputs: Mapping[str, NDArray[np.float32]],
        lengths: NDArray[np.int64],
        *,
        n_best: int,
    ) -> Arrays:
        """Return the outputs of the graph as they are."""
        return outputs

    def num_weights(self, num_labels: int, width: int) -> int:
        """Return the number of weights of two linear layers."""
        return self.config.hidden_size * (width + num_labels)

    def memory(self, num_labels: int, sizes: Sizes) -> tuple[str, float]:
        """Return the bytes that training needs at least: those of the weights."""
        return f"`heads.{self.layer}.hidden_size`", sizes.weight * self.num_weights(num_labels, sizes.width)

    def layers(self, arrays: Arrays, names: Names, lengths: Sequence[int], shown: Scheme | None) -> Iterator[Label]:
        """Return the most probable class of each sentence, with the probability of each class."""
        found = LabelArrays(**arrays)
        scores, best = found.probabilities.tolist(), found.probabilities.argmax(1).tolist()
        attention = found.attention.tolist() if found.attention is not None else None
        for row, length in enumerate(lengths):
            weights = tuple(attention[row][:length]) if attention else None
            yield _label(names.tolist(), scores[row], best[row], weights)

    def running(
        self, network: "numpy_heads.SentenceHead", names: Sequence[str], shown: Scheme | None
    ) -> "RunningLabelLayer":
        """Return what predicts the label of the sentence so far."""
        return RunningLabelLayer(network, names)

    def scored(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> "ScoredLayer":
        """Return the labels; where gold annotates only some classes, the most probable of these."""
        from tagger.metrics.layer import ClassLayer

        pairs = zip(gold, predicted, strict=True)
        return ClassLayer(self.layer, tuple(gold), tuple([self._among_types(*pair) for pair in pairs]))

    def _among_types(self, gold: Sentence, predicted: Sentence) -> Sentence:
        """Return a predicted sentence whose label is one of the classes that gold annotates."""
        if (types := gold.label(self.layer).types) is None:
            return predicted
        return replace(predicted, layers={**predicted.layers, self.layer: predicted.label(self.layer).among(types)})

    def prepare(self, network: "SentenceHead", targets: EncodedSentences, names: Sequence[str]) -> list[str]:
        """Give the network the weights of the classes, if the recipe has some."""
        import torch

        wanted, ids = self.config.class_weights, targets.label_targets.get(self.layer)
        if ids is None:  # only a teacher knows the classes
            return []
        if ids.ndim == 2:
            if self.config.label_smoothing:
                raise RecipeError(
                    f"heads.{self.layer}.label_smoothing: must be 0 if a corpus names its classes in `types`, got "
                    f"{self.config.label_smoothing}; remove one of the two"
                )
            ids = np.where((ids == 1).any(1), ids.argmax(1), MISSING)
        if wanted == "none":
            return []
        if wanted == "balanced":
            counts = np.bincount(ids[ids >= 0], minlength=len(names))
            weights = np.where(counts, counts.sum() / ((counts > 0).sum() * np.maximum(counts, 1)), 1.0)
        elif unknown := set(wanted) - set(names):
            raise RecipeError(
                f"heads.{self.layer}.class_weights: each class must occur in train, got {', '.join(sorted(unknown))}; "
                f"the classes are {', '.join(names)}"
            )
        else:
            weights = np.array([wanted.get(name, 1.0) for name in names])
        device = next(network.parameters()).device
        network.class_weights = torch.tensor(weights, dtype=torch.float32, device=device)
        shown = ", ".join(f"{name} {weight:.3g}" for name, weight in zip(names, weights, strict=True))
        return [f"loss of `{self.layer}`: {shown}"]

    def asks_teacher(self, sentence: Sentence) -> bool:
        """Whether a teacher is asked: about every sentence, because it knows more than the gold label."""
        return True

    def learn(self, encoded: EncodedSentences, lesson: Lesson) -> EncodedSentences:
        """Return the training sentences with the probability of each class, as `mean_shares` has it.

        The model in `start` says nothing of other classes than its own, which are -1.

        Source:
            Li and Hoiem (2016), "Learning without Forgetting", section 3, with a temperature of 1.
        """
        known = lesson.vocabulary.labels[self.layer]
        parts = np.zeros((len(lesson.teachers), len(lesson.asked), len(known)), np.float32)
        said: set[str] = set()
        for part, teacher in zip(parts, lesson.teachers, strict=True):
            predicted = teacher.predict(lesson.sentences, lesson.asked)
            scores = [_scores_of(sentence, self.layer) for sentence in predicted]
            lesson.check_known(teacher, self.layer, found := {name for each in scores for name in each})
            said |= found
            part[:] = [[each.get(name, 0.0) for name in known] for each in scores]
        shares = mean_shares(parts)
        if lesson.known is not None:
            shares[:, [name not in lesson.known for name in known]] = -1
        elif silent := [name for name in known if name not in said]:
            lesson.tell(
                f"{lesson.where}: the teacher does not know {', '.join(silent)} and gives these classes probability 0"
            )
        return replace(encoded, taught_labels={**encoded.taught_labels, self.layer: shares})

    def calibrate(
        self, network: "SentenceHead", names: Sequence[str], dev: HeldOutSentences, *, shift: bool = True
    ) -> dict[str, float]:
        """Fit the temperature with the smallest log loss; no weight changes."""
        from tagger.metrics.calibration import fit_temperature, log_loss

        labels = [sentence.label(self.layer) for sentence in dev.sentences]
        predicted = [sentence.label(self.layer).scores or {} for sentence in dev.predict()]
        scores = [
            [score if label.types is None or name in label.types else np.nan for name, score in found.items()]
            for label, found in zip(labels, predicted, strict=True)
        ]
        gold = [names.index(label.value) for label in labels]
        temperature = fit_temperature(scores, gold)
        before, after = log_loss(scores, gold), log_loss(scores, gold, temperature=temperature)
        return {"temperature": temperature, "loss_before": before, "loss_after": after}


def _scores_of(sentence: Sentence, layer: str) -> Mapping[str, float]:
    """Return the probabilities of classes: all, or that of the label, which is certain if it says none."""
    label = sentence.layers.get(layer)
    if not isinstance(label, Label):
        return {}
    return label.scores or {label.value: 1.0 if label.score is None else label.score}


class RunningLabelLayer:
    """The label of the sentence so far."""

    def __init__(self, head: "numpy_heads.SentenceHead", names: Sequence[str]) -> None:
        from tagger.numpy_nn.incremental import RunningPooling

        self.head, self.names = head, names
        self.pooling = RunningPooling(head.pooling)

    def feed(self, state: NDArray[np.float32]) -> Label:
        """Return the label with the next token."""
        vector, attention = self.pooling.feed(state)
        probabilities = self.head.classes(vector)
        weights = None if attention is None else tuple(attention[0].tolist())
        return _label(self.names, probabilities[0].tolist(), int(probabilities[0].argmax()), weights)


def _label(names: Sequence[str], scores: Sequence[float], best: int, attention: tuple[float, ...] | None) -> Label:
    return Label(names[best], scores[best], dict(zip(names, scores, strict=True)), attention)
