"""The report of a model on files."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagger.analysis.knowledge import knowledge_of
from tagger.config import ReadingConfig
from tagger.corpus.detecting import detected_form, shows_other_format
from tagger.corpus.files import change_reading, read_sentences
from tagger.corpus.metadata import with_values
from tagger.evaluation import Report
from tagger.formats.standoff.brat import is_brat
from tagger.heads.table import heads_of
from tagger.metrics.entity_layer import EntityLayer
from tagger.model.model import Model
from tagger.reporting.sections import Context
from tagger.reporting.signature import hashes_of_files
from tagger.running.auditing.suspects import with_suspects
from tagger.running.description import seed_of, train_files_of
from tagger.tagging import Tagger
from tagger.text.schemes import split_tag
from tagger.text.sentence import Label, Sentence
from tagger.text.tokenization import DEFAULT_RULES, TextRules
from tagger.wording import quoted

SHOWN = 5  # values in a note
Watch = Callable[[Iterable[Sentence]], Iterator[Sentence]]


def evaluate_files(
    tagger: Tagger,
    files: Sequence[str | Path],
    *,
    watch: Watch = iter,
    context: Context | None = None,
    train: Sequence[str | Path] = (),
    suspects: bool = False,
    **reading: Any,
) -> Report:
    """Return the report of a model on files. They are read as its training files were, except as `reading` says.

    Format and columns are detected, with a note, if neither says them, as for a model of generated sentences. Types and
    classes are renamed and dropped as they were in training, whatever the format of the files.

    Args:
        tagger: The model.
        files: Paths of files with gold layers.
        watch: Passes on the predicted sentences, and may show how many there are.
        context: What sections of the report need beside the sentences.
        train: Paths of the training files, for the scores of what was seen in train. They are read in the same way, or
            as they show if they are in another format. Default: what the run folder of the model has kept.
        suspects: Whether to search for likely errors of gold.
        reading: Keys of a recipe's [data] section, such as `format`, `columns` and `scheme`; None is ignored.

    Raises:
        RecipeError: A key of `reading` is invalid.
        DataError: A file cannot be read, has no layer of the model, or no key of `context.by`.
    """
    config, given, detected = _config(tagger.model, reading, files)
    sentences, notes = read_sentences(files, config, scheme_given="scheme" in given, chosen=given)
    context = context or Context()
    sentences = with_values(sentences, context.by)
    if train:
        seen = [sentence for file in train for sentence in _read_train(file, config, reading, tagger.model)]
        context = replace(context, train=knowledge_of(seen))
    hashes = hashes_of_files(files)
    report = tagger.evaluate(sentences, watch=watch, files=hashes, context=context)
    notes = (*detected, *notes, *_notes_on_layers(report, tagger.model), *_notes_on_train(hashes, tagger.model))
    report = replace(report, extra={"files": [str(file) for file in files], "notes": list(notes), **report.extra})
    report = replace(report, signature=replace(report.signature, seed=_seed_of(tagger.model)))
    return with_suspects(report, tagger) if suspects else report


def read_gold(tagger: Tagger, files: Sequence[str | Path], **reading: Any) -> list[Sentence]:
    """Return the sentences of files with their gold layers, as `evaluate_files` reads them.

    Raises:
        RecipeError: A key of `reading` is invalid.
        DataError: A file cannot be read, or lacks the layers of training.
    """
    config, given, _ = _config(tagger.model, reading, files)
    return read_sentences(files, config, scheme_given="scheme" in given, chosen=given)[0]


def _config(
    model: Model, reading: Mapping[str, Any], files: Sequence[str | Path]
) -> tuple[ReadingConfig, set[str], list[str]]:
    """Return how to read files, the keys that are given or detected for it, and notes on what was detected."""
    trained = list(model.config.reading.values())
    labels = [layer for layer, head in heads_of(model.heads).items() if head.layer_type is Label]
    reading, notes = _with_form(dict(reading), trained, files)
    if reading.get("format") == "labelled" and reading.get("layer") is None and len(labels) == 1:
        reading["layer"] = labels[0]
    config = change_reading(trained, reading)
    config = config.with_rules(_rules_for(config.text_rules, model.text_rules, reading))
    return _with_changes_of_training(config, model), {key for key, value in reading.items() if value is not None}, notes


def _read_train(file: str | Path, config: ReadingConfig, reading: Mapping[str, Any], model: Model) -> list[Sentence]:
    """Return the sentences of a training file: read like the scored files, or if it is in another format, as it shows.

    Args:
        file: The training file.
        config: How the scored files were read.
        reading: What was given for the scored files.
        model: The model, whose own reading of the other format counts.
    """
    if shows_other_format(Path(file), str(config.format), config.encoding):
        reading = {"format": detected_form(Path(file), {})[0]}
    config, given, _ = _config(model, reading, [file])
    return read_sentences([file], config, scheme_given="scheme" in given, chosen=given)[0]


def _with_form(
    reading: dict[str, Any], trained: Sequence[ReadingConfig], files: Sequence[str | Path]
) -> tuple[dict[str, Any], list[str]]:
    """Return how to read files, with format and columns as they show where training says nothing of them, and notes."""
    if reading.get("format") is None and files and all(is_brat(Path(file)) for file in files):
        return {**reading, "format": "brat"}, []
    known = {config.format for config in trained if config.of_files}
    if not files or (known if reading.get("format") is None else reading["format"] in known):
        return reading, []
    format, columns, notes = detected_form(Path(files[0]), reading)
    return {**reading, "format": format, "columns": columns}, notes


def _notes_on_layers(report: Report, model: Model) -> Iterator[str]:
    """Yield a note for each layer of the model that was not scored, or whose gold has values that it does not know."""
    heads = heads_of(model.heads)
    if absent := [name for name in heads if name not in report.layers]:
        yield f"not scored, because no sentence of the files has these layers of the model: {quoted(absent)}"
    for name, layer in report.layers.items():
        labels = model.vocabulary.labels[name]
        types = isinstance(layer, EntityLayer)
        known = dict.fromkeys(split_tag(label)[1] if types else label for label in labels if not types or label != "O")
        counts = Counter(value for sentence in layer.gold for value in heads[name].classes(sentence))
        if unknown := [value for value in counts if value not in known]:
            noun = "types" if types else layer.kind
            shown = ", ".join(f"`{value}` ({counts[value]})" for value in unknown[:SHOWN])
            yield (
                f"layer `{name}`: gold has {noun} that the model does not know and cannot predict: {shown}"
                + (f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else "")
                + (f"; none is one of the model's: {quoted([*known][:SHOWN])}" if len(unknown) == len(counts) else "")
            )


def _seed_of(model: Model) -> int | None:
    """Return the seed of the training of a model, if it is in the folder of its run and was not changed since."""
    return None if model.source is None else seed_of(model.source.folder, model.source.sha256)


def _notes_on_train(hashes: Mapping[str, str], model: Model) -> Iterator[str]:
    """Yield a note for each file that the model was trained on, by its SHA-256, as far as its run folder says so."""
    trained = train_files_of(model.source.folder) if model.source is not None else {}
    for file in [file for file, digest in hashes.items() if digest in trained.values()]:
        yield (
            f"{file}: the model was trained on this file (equal SHA-256) and remembers its labels: scores are too "
            "high, and few of its label errors are suspects; `tagger audit` finds more of them"
        )


def _with_changes_of_training(config: ReadingConfig, model: Model) -> ReadingConfig:
    """Return how to read files, with the types that some corpus renamed or dropped and that the model cannot predict.

    Corpora may differ in what they change, and the files may be in another format than those of training.
    """
    trained = list(model.config.reading.values())
    labels = {name for names in model.vocabulary.labels.values() for name in names}
    known = labels | {split_tag(tag)[1] for tag in labels}
    rename = {old: new for reading in trained for old, new in reading.rename.items() if old not in known}
    rename |= config.rename
    drop = [name for reading in trained for name in reading.drop if name not in known and name not in rename]
    return config.model_copy(update={"rename": rename, "drop": tuple(dict.fromkeys([*config.drop, *drop]))})


def _rules_for(own: TextRules, trained: TextRules, given: Mapping[str, Any]) -> TextRules:
    """Return how to split the raw text of files: as the model does, or as their corpus if that has rules of its own.

    Args:
        own: The rules of a corpus, with what is given.
        trained: The rules of the model.
        given: Keys of a recipe's [data] section; they stand above both.
    """
    rules = trained if own == DEFAULT_RULES else trained.changed(**own.settings)
    return rules.changed(**{key: given[key] for key in own.settings if given.get(key) is not None})
