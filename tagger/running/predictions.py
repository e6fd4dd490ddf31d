"""The report of predictions, of this library or any other, against gold: no model is needed.

`corpus/sides.py` reads them, and `alignment` puts the predictions on the tokens of gold. Invalid sequences of tags stay
as they are on both sides; the scores say what they do with them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tagger.alignment.align import aligned
from tagger.alignment.layers import both_with, matched
from tagger.alignment.schemes import scheme_of_prediction, tag_pairs
from tagger.analysis.knowledge import TrainKnowledge, knowledge_of
from tagger.corpus.checking import finish
from tagger.corpus.detecting import Watch
from tagger.corpus.metadata import with_values
from tagger.corpus.sides import Paths, Sentences, Side, read_side, read_sides
from tagger.formats.probabilities import settled
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.metrics.numbers.layer import ValueLayer
from tagger.reporting.report import Report, signature_of
from tagger.reporting.sections import Context
from tagger.reporting.signature import hashes_of_files
from tagger.text.schemes import Scheme, detect_scheme, has_scheme
from tagger.text.sentence import Label, Sentence, Values
from tagger.text.tag_survey import num_faults, tags_in
from tagger.wording import quoted

Schemes = dict[str, Scheme | None]


def score(
    gold: Paths | Sentences,
    predicted: Paths | Sentences | None = None,
    *,
    labels: Sequence[str] = (),
    context: Context | None = None,
    train: Paths | Sentences = (),
    watch: Watch = iter,
    **reading: Any,
) -> Report:
    """Return the report on predictions of any tool, scored against gold.

    The two may differ in format, in tokens and in the boundaries of sentences, but must have the same text; those of
    gold count. Layers are matched by name. Probabilities are kept, and invalid sequences of tags stay as they are.

    Args:
        gold: A file, several files, or sentences or documents with gold layers.
        predicted: The same with predicted layers. None: `gold` is one file with both, in columns that are called
            `gold` and `predicted`; if `columns` does not name them, they are the last two, as for conlleval.
        labels: Comments in columns that are labels. Default: those that look like labels and differ.
        context: What sections of the report need beside the sentences.
        train: The training files or sentences of the tool, read like gold, for the scores of what was seen in train.
        watch: Passes on the lines of each file, and may show how many there are.
        reading: How to read files, as keys of a recipe's [data] section, such as `format`, `columns` and `scheme`;
            `predicted_format`, `predicted_columns` and `predicted_scheme` where the prediction differs. Default:
            detected.

    Raises:
        RecipeError: A setting is unknown, has a wrong value, or concerns none of the files.
        DataError: A file cannot be read, the texts differ (names the first difference), no layer is in both, or no
            sentence has a key of `context.by`.
    """
    ours, theirs = read_sides(gold, predicted, reading, labels=labels, watch=watch)
    context = context or Context()
    ours = replace(ours, sentences=with_values(ours.sentences, context.by))
    found = matched(ours.sentences, theirs.sentences)
    theirs = replace(theirs, sentences=found.predicted)
    schemes = _schemes(ours, theirs, found.names)
    ours, theirs = _finished(ours, schemes[0], "gold"), _finished(theirs, schemes[1], "prediction")
    placed = aligned(ours.sentences, theirs.sentences)
    layers = {name: _layer(name, *both_with(name, ours.sentences, placed.sentences)) for name in found.names}
    notes = [*ours.notes, *theirs.notes, *found.notes, *placed.notes, *_strange_types(layers.values())]
    files = {"files": list(ours.files), "predicted_files": list(theirs.files)}
    signature = signature_of(layers, files=hashes_of_files(ours.files))
    if train:
        context = replace(context, train=_seen(train, reading, layers, watch))
    return Report(layers, signature, {**files, "notes": notes}, context)


def _seen(
    train: Paths | Sentences, reading: Mapping[str, Any], layers: Mapping[str, ScoredLayer], watch: Watch
) -> TrainKnowledge:
    """Return what train has of the words and entities of these layers."""
    side = read_side(train, reading, watch=watch)
    side = _finished(side, _schemes(side, side, layers)[0], "train")
    sentences = [sentence for layer in layers.values() for sentence in (*layer.gold, *layer.predicted)]
    return knowledge_of(side.sentences).within(sentences)


def _schemes(ours: Side, theirs: Side, names: Iterable[str]) -> tuple[Schemes, Schemes]:
    """Return the scheme of each tag layer in gold and in the prediction; None for tags without spans."""
    gold: Schemes = {}
    predicted: Schemes = {}
    for name in names:
        mine, other = tag_pairs(ours.sentences, name), tag_pairs(theirs.sentences, name)
        if mine is None or other is None:
            continue  # labels
        scheme = ours.scheme(name)
        if scheme is None and has_scheme(tags_in(mine)):
            scheme = detect_scheme(mine if tags_in(mine) != {"O"} else other)
        gold[name] = scheme
        predicted[name] = None if scheme is None else theirs.scheme(name) or scheme_of_prediction(other, scheme)
    return gold, predicted


def _finished(side: Side, schemes: Schemes, name: str) -> Side:
    """Return a side with checked tags in these schemes, and with all notes, which name it."""
    finished = finish({"test": side.sentences}, side.config, side.notes, whole=False, known=schemes, sequences=False)
    sentences = [settled(sentence) for sentence in finished.splits["test"]]
    said = [f"layer `{layer}` reads as {scheme.upper()}" for layer, scheme in schemes.items() if scheme]
    return replace(side, sentences=sentences, notes=tuple(f"{name}: {note}" for note in (*finished.notes, *said)))


def _layer(name: str, gold: tuple[Sentence, ...], predicted: tuple[Sentence, ...]) -> ScoredLayer:
    """Return a layer that is ready to be scored.

    If gold and prediction are in two schemes, that of gold counts. But invalid tags of the prediction stay as they are
    only in its own scheme, to which valid gold is converted without loss.
    """
    first, second = gold[0].layers[name], predicted[0].layers[name]
    if isinstance(first, Label) or isinstance(second, Label):
        return ClassLayer(name, gold, predicted)
    if isinstance(first, Values) or isinstance(second, Values):
        return ValueLayer(name, gold, predicted)
    if first.scheme is None or second.scheme is None:
        return TokenLayer(name, gold, predicted)
    own = first.scheme == second.scheme or _is_valid(name, predicted, second.scheme)
    scheme = first.scheme if own or not _is_valid(name, gold, first.scheme) else second.scheme
    return EntityLayer(name, gold, predicted, scheme)


def _is_valid(name: str, sentences: Sequence[Sentence], scheme: Scheme) -> bool:
    """Whether no sequence of tags is invalid in a scheme."""
    pairs = tag_pairs(sentences, name)
    return pairs is None or not num_faults(pairs, scheme)


def _strange_types(layers: Iterable[ScoredLayer]) -> Iterator[str]:
    """Yield a note on each layer of entities in which gold and prediction have no type in common."""
    for layer in layers:
        if isinstance(layer, EntityLayer):
            ours, theirs = (
                sorted({span.type for s in side for span in s.boundaries(layer.name)})
                for side in (layer.gold, layer.predicted)
            )
            if ours and theirs and not {*ours} & {*theirs}:
                yield (
                    f"layer `{layer.name}`: gold and prediction have no type in common; gold has {quoted(ours[:5])}, "
                    f"the prediction {quoted(theirs[:5])}"
                )
