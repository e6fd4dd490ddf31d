"""The kind `tokens`: one tag per token, with or without spans."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.config import TokensHeadConfig, Widths
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.packed import pack
from tagger.heads.head import FLOAT, Arrays, Head, HeldOutSentences, Names, Sizes, named
from tagger.heads.last_tag import Ending, extend, last_tag
from tagger.heads.lessons import Lesson, best_tags, taught_tags
from tagger.text.gaps import known_of
from tagger.text.schemes import Boundary, Scheme, legal_transitions, span_tables, span_types
from tagger.text.sentence import Sentence, TagLayer, check_spans

if TYPE_CHECKING:
    from tagger.metrics.layer import ScoredLayer
    from tagger.nn.encoder import RecurrentEncoder
    from tagger.nn.heads import TokensHead
    from tagger.numpy_nn import heads as numpy_heads
    from tagger.onnx_nn.graph import Graph, Sentences, Weights

OUTSIDE = "O"


class TagArrays(NamedTuple):
    """The output of the network for a batch; see `TokensOutput`. `spans_rows` is None if tags form no spans."""

    tag_ids: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    sequences: NDArray[np.float32]
    spans_rows: NDArray[np.int64] | None = None
    spans_starts: NDArray[np.int64] | None = None
    spans_ends: NDArray[np.int64] | None = None
    spans_types: NDArray[np.int64] | None = None
    span_probabilities: NDArray[np.float32] | None = None
    readings: NDArray[np.int64] | None = None
    reading_probabilities: NDArray[np.float32] | None = None


class TagHead(Head[TokensHeadConfig, "TokensHead", "numpy_heads.TokensHead"]):
    """A head that predicts a tag for each token."""

    layer_type = TagLayer
    answer = "one tag per token"

    @property
    def task(self) -> str:
        """Entities if the tags form spans, otherwise tags."""
        return "tags" if self.config.span_scheme is None else "entities"

    def labels(self, sentence: Sentence) -> Sequence[str | None]:
        """Return the tags, in the scheme of the head; None where one is unknown."""
        return sentence.tags(self.layer, scheme=self.config.span_scheme)

    def classes(self, sentence: Sentence) -> Iterable[str]:
        """Return the type of each entity, or the tags if they form no spans."""
        if self.config.span_scheme is None:
            return known_of(self.labels(sentence))
        return (boundary.type for boundary in sentence.boundaries(self.layer))

    def build(self, labels: Sequence[str], encoder: "RecurrentEncoder") -> "TokensHead":
        """Return the network with fresh weights."""
        import torch

        from tagger.nn.heads import TokensHead
        from tagger.nn.spans import SpanTables

        scheme, allowed = self.config.span_scheme, self._allowed(labels) or (None, None, None)
        return TokensHead(
            input_size=encoder.output_size,
            num_tags=len(labels),
            decoder=self.config.decoder,
            allowed=allowed[0],
            allowed_start=allowed[1],
            allowed_end=allowed[2],
            tables=SpanTables(*map(torch.tensor, span_tables(labels, scheme))) if scheme else None,
        )

    def build_numpy(self, labels: Sequence[str], weights: Arrays, widths: Widths) -> "numpy_heads.TokensHead":
        """Return the network in NumPy."""
        from tagger.numpy_nn.heads import TokensHead
        from tagger.numpy_nn.spans import tables_of

        scheme = self.config.span_scheme
        return TokensHead(
            weights,
            decoder=self.config.decoder,
            allowed=self._allowed(labels),
            tables=tables_of(span_tables(labels, scheme)) if scheme else None,
        )

    def shapes(self, num_labels: int, widths: Widths) -> Mapping[str, tuple[int, ...]]:
        """Return the shapes of a linear layer and of the scores of the CRF."""
        return {
            "linear.weight": (num_labels, widths.output),
            "linear.bias": (num_labels,),
            "crf.transitions": (num_labels, num_labels),
            "crf.start_transitions": (num_labels,),
            "crf.end_transitions": (num_labels,),
        }

    def fixed(self) -> Collection[str]:
        """Return the scores of the CRF if the decoder is a softmax."""
        names = ("crf.transitions", "crf.start_transitions", "crf.end_transitions")
        return names if self.config.decoder == "softmax" else ()

    def _allowed(self, labels: Sequence[str]) -> tuple[list[list[bool]], list[bool], list[bool]] | None:
        """Return which tags may follow which, and with which a sentence may begin and end; None if all may."""
        scheme = self.config.span_scheme
        return legal_transitions(labels, scheme) if scheme and self.config.constraints else None

    def add_to_graph(
        self, graph: "Graph", weights: "Weights", labels: Sequence[str], sentences: "Sentences", temperature: float
    ) -> None:
        """Add the outputs `emissions`, `tags` and `marginals` of the layer."""
        from tagger.onnx_nn.heads import tokens_head

        allowed = self._allowed(labels)
        tokens_head(graph, weights, sentences, layer=self.layer, decoder=self.config.decoder, allowed=allowed)

    @property
    def graph_outputs(self) -> Sequence[str]:
        """Return the score of each tag, which is decoded here."""
        return ("emissions",)

    def of_graph(
        self,
        network: "numpy_heads.TokensHead",
        outputs: Mapping[str, NDArray[np.float32]],
        lengths: NDArray[np.int64],
        *,
        n_best: int,
    ) -> Arrays:
        """Return the tags with their spans and readings."""
        return dict(named(network.decode(outputs["emissions"], lengths, n_best=n_best)))

    def graph_marginals(
        self,
        network: "numpy_heads.TokensHead",
        outputs: Mapping[str, NDArray[np.float32]],
        lengths: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Return the probability of each tag at each token."""
        return network.token_marginals(outputs["emissions"], lengths)

    def num_weights(self, num_labels: int, width: int) -> int:
        """Return the number of weights of a linear layer and of the transitions."""
        return num_labels * (width + num_labels)

    def num_frozen(self, num_labels: int) -> int:
        """Return the number of transitions of a softmax, which are all 0."""
        return num_labels * (num_labels + 2) if self.config.decoder == "softmax" else 0

    def memory(self, num_labels: int, sizes: Sizes) -> tuple[str, float]:
        """Return the bytes that training needs at least: a CRF has weights and marginals for each pair of tags."""
        pair = sizes.weight + FLOAT * 2 * sizes.sentences if self.config.decoder == "crf" else FLOAT
        tag = sizes.weight * sizes.width + FLOAT * 6 * sizes.tokens
        return f"the {num_labels:,} tags of `{self.layer}`", num_labels**2 * pair + num_labels * tag

    def layers(self, arrays: Arrays, names: Names, lengths: Sequence[int], shown: Scheme | None) -> Iterator[TagLayer]:
        """Return the predicted tags of each sentence, with the probabilities of tags, spans and sequence."""
        found, scheme = TagArrays(**arrays), self.config.span_scheme
        tags, scores, sequences = names[found.tag_ids].tolist(), found.probabilities.tolist(), found.sequences.tolist()
        spans = _scored_spans(found, names, len(lengths))
        for row, length in enumerate(lengths):
            yield TagLayer(
                tuple(tags[row][:length]),
                scheme,
                shown,
                tuple(scores[row][:length]),
                spans[row] if spans is not None else None,
                sequences[row],
                tuple(_readings(found, names, row, length, scheme, shown)),
            )

    def empty(self, shown: Scheme | None) -> TagLayer:
        """Return a layer without tags."""
        return TagLayer((), self.config.span_scheme, shown, ())

    def running(
        self, network: "numpy_heads.TokensHead", names: Sequence[str], shown: Scheme | None
    ) -> "RunningTagLayer":
        """Return what predicts the tag of each token when it arrives."""
        return RunningTagLayer(network, names, self.config.span_scheme, shown)

    def scored(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> "ScoredLayer":
        """Return the entities if the tags form spans, else the tags."""
        from tagger.metrics.entity_layer import EntityLayer
        from tagger.metrics.layer import TokenLayer

        both = tuple(gold), tuple(predicted)
        if self.config.span_scheme is None:
            return TokenLayer(self.layer, *both)
        check_spans(self.layer, gold)
        return EntityLayer(self.layer, *both, self.config.span_scheme)

    def asks_teacher(self, sentence: Sentence) -> bool:
        """Whether a teacher is asked: about sentences without a tag that is known."""
        found = sentence.layers.get(self.layer)
        return not (isinstance(found, TagLayer) and (known_of(found.tags) or not found.tags))

    def learn(self, encoded: EncodedSentences, lesson: Lesson) -> EncodedSentences:
        """Return the training sentences with what teachers say of sentences that have no gold tags.

        The model in `start` also says something of single tokens, if the set of their possible tags is open.
        """
        if self.config.learns_marginals or lesson.known is not None:
            return self._learn_shares(encoded, lesson)
        layer, scheme = self.layer, self.config.span_scheme
        layers = self._taught_layers(lesson)
        left = iter(layers)
        said = [next(left) if is_asked else None for is_asked in lesson.asked]
        filled = [
            replace(s, layers={layer: found} if found and known_of(found.tags) else {})
            for s, found in zip(lesson.sentences, said, strict=True)
        ]
        given = encode(pack(filled, [layer]), lesson.vocabulary, {layer: scheme})
        return replace(
            encoded,
            taught_tags={**encoded.taught_tags, layer: given.tag_targets[layer]},
            taught_sets={**encoded.taught_sets, **given.tag_sets},
        )

    def _taught_layers(self, lesson: Lesson) -> list[TagLayer]:
        """Return the best tags of each sentence asked about: those of the teacher, or of the mean of several."""
        layer, scheme = self.layer, self.config.span_scheme
        if len(lesson.teachers) > 1:
            names = lesson.vocabulary.labels[layer]
            return [TagLayer(tags, scheme) for tags in best_tags(lesson.shares(layer, scheme), names, scheme)]
        (teacher,) = lesson.teachers
        said = [taught_tags(s, layer, scheme) for s in teacher.predict(lesson.sentences, lesson.asked)]
        found = {tag for tags in said for tag in known_of(tags)}
        lesson.check_known(teacher, layer, found, spans=scheme is not None)
        return [TagLayer(tags, scheme) for tags in said]

    def _learn_shares(self, encoded: EncodedSentences, lesson: Lesson) -> EncodedSentences:
        """Return the training sentences with the probabilities of tags for sentences that have no gold tags."""
        layer, scheme = self.layer, self.config.span_scheme
        shares = np.zeros((len(encoded.type_ids), len(lesson.vocabulary.labels[layer])), np.float16)
        rows = np.flatnonzero(lesson.asked).tolist()
        for row, found in zip(rows, lesson.shares(layer, scheme), strict=True):
            shares[encoded.starts[row] : encoded.starts[row + 1]] = found
        if lesson.known is not None:
            self._leave_to_gold(shares, encoded, lesson, lesson.known)
        return replace(encoded, taught_shares={**encoded.taught_shares, layer: shares})

    def _leave_to_gold(
        self, shares: NDArray[np.float16], encoded: EncodedSentences, lesson: Lesson, known_tags: Collection[str]
    ) -> None:
        """Set shares to -1 for tags that the teacher does not know or gold excludes, and to 0 where gold has a tag."""
        names = lesson.vocabulary.labels[self.layer]
        known = np.array([name in known_tags for name in names])
        if self.layer not in encoded.tag_targets:
            shares[:, ~known] = -1
            return
        sure = np.concatenate([np.eye(len(names), dtype=bool), np.zeros((1, len(names)), bool)])  # the last for no tag
        sets = encoded.tag_sets.get(self.layer, sure)
        sizes = sets.sum(1)
        told = (sets | (sizes == 0)[:, None]) & known
        silent = (sizes == 1) | ~told.any(1)
        ids = encoded.tag_targets[self.layer]
        shares[~told[ids]] = -1
        shares[silent[ids]] = 0
        if not shares.any():
            lesson.tell(
                f"gold has every tag of `{self.layer}`, so the model in `start` teaches none; if a corpus does not "
                "annotate all types that the model knows, name those that it does in `types`"
            )

    def calibrate(
        self, network: "TokensHead", names: Sequence[str], dev: HeldOutSentences, *, shift: bool = True
    ) -> dict[str, float]:
        """Divide all scores by a temperature; with `shift`, if dev has entities, also shift the score of `O`."""
        from tagger.nn.calibration import calibrate_tokens

        tags = {tag for sentence in dev.sentences for tag in self.labels(sentence)}
        shifts = shift and self.config.span_scheme is not None and OUTSIDE in tags and len(tags) > 1
        found = calibrate_tokens(network, dev.states(), shifted=names.index(OUTSIDE) if shifts else None)
        changed = {"temperature": found.temperature, **({"outside": found.shift} if shifts else {})}
        return {**changed, "loss_before": found.before, "loss_after": found.after}


def _scored_spans(arrays: TagArrays, names: Names, rows: int) -> list[tuple[tuple[Boundary, float], ...]] | None:
    """Return the spans that the network found in each of so many sentences, with their probabilities."""
    if arrays.spans_rows is None:
        return None
    types, columns = span_types(names), (column.tolist() for column in arrays[4:8] if column is not None)
    scored = [(Boundary(types[kind], start, end), score) for start, end, kind, score in zip(*columns, strict=True)]
    borders = np.searchsorted(arrays.spans_rows, np.arange(rows + 1)).tolist()
    return [tuple(scored[start:end]) for start, end in pairwise(borders)]


def _readings(
    arrays: TagArrays, names: Names, row: int, length: int, scheme: Scheme | None, shown: Scheme | None
) -> Iterator[TagLayer]:
    """Return the most probable sequences of a sentence, without those of probability 0."""
    if arrays.readings is None or arrays.reading_probabilities is None:
        return
    for ids, score in zip(arrays.readings[row], arrays.reading_probabilities[row].tolist(), strict=True):
        if score > 0:
            yield TagLayer(tuple(names[ids[:length]].tolist()), scheme, shown, score=score)


class RunningTagLayer:
    """The tag of each token when it arrives, in the scheme of the training files.

    How a tag is written in that scheme depends on the tags before it, so the ending of the best sequence of each tag is
    kept.
    """

    def __init__(
        self, head: "numpy_heads.TokensHead", names: Sequence[str], scheme: Scheme | None, shown: Scheme | None
    ) -> None:
        from tagger.numpy_nn.incremental import RunningTags

        self.running = RunningTags(head)
        self.names = names
        self.scheme = scheme
        self.shown = shown
        self.endings = [Ending()] * len(names)

    def feed(self, state: NDArray[np.float32]) -> tuple[str, float]:
        """Return the tag of the next token and its probability."""
        tag_id, score, origins = self.running.feed(state)
        if self.scheme is None or self.shown is None or self.scheme == self.shown:
            return self.names[tag_id], score
        before = self.endings if origins is None else [self.endings[i] for i in origins.tolist()]
        self.endings = [extend(ending, tag, self.scheme) for ending, tag in zip(before, self.names, strict=True)]
        return last_tag(self.endings[tag_id], self.scheme, self.shown), score
