"""Check a corpus: count its contents, and list all errors and warnings with their positions.

Files are read with their faults noted instead of raised, so that all are found at once. Invalid lines, invalid tags and
control characters are errors here and stop training too. Unusual tokens (empty, with white space, wrongly decoded) and
duplicate ids occur in published corpora: they are errors here, but training keeps them and reports their number.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from tagger.config import ReadingConfig, form_settings, parse_section
from tagger.corpus.checking import unknown_notes
from tagger.corpus.corpus import Corpus
from tagger.corpus.doubts import doubts
from tagger.corpus.respelling import respelled
from tagger.doctor import sources
from tagger.doctor.counts import counts_of
from tagger.doctor.diagnosis import Diagnosis
from tagger.doctor.findings import Findings
from tagger.doctor.sources import Material, Paths
from tagger.doctor.splits import (
    check_contradictions,
    check_entities,
    check_groups,
    check_leaks,
    check_lengths,
    check_unseen,
)
from tagger.doctor.tags import check_tags, check_untagged
from tagger.doctor.words import check_words, count_types, oddity_of
from tagger.encoding.vectors import read_vectors
from tagger.errors import DataError, RecipeError
from tagger.formats.texts.labelled import LAYER
from tagger.hub.lazy import holding, packed_of
from tagger.text.choices import FileFormat
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.tokenization import Segment, Tokenize
from tagger.wording import counted

KEPT = {
    "space": ("token", "with white space"),
    "mojibake": ("token", "decoded with the wrong encoding"),
    "id": ("sentence", "with the id of another sentence"),
}


def check(
    source: Corpus | Paths | Mapping[str, Paths],
    *,
    format: FileFormat | None = None,
    columns: Sequence[str] | None = None,
    scheme: Scheme | None = None,
    layer: str | None = None,
    tokenize: Tokenize = "words",
    language: str = "en",
    split_on: str = "",
    segment: Segment | None = None,
    vectors: Paths = (),
    group: str | None = None,
    unknown: str | None = None,
    **form: Any,
) -> Diagnosis:
    """Return the diagnosis of a corpus: counts, errors and warnings with their positions.

    Args:
        source: A corpus; one or several files, whose names determine their splits; a mapping of splits to files; a
            folder of such files; or the id or folder of a Hugging Face dataset.
        format: Format of the files; default: detected.
        columns: Columns of CoNLL files, as in a recipe; default: detected.
        scheme: Scheme of the tags; default: detected.
        layer: Layer of the labels of labelled text; default: `label`.
        tokenize: How to split raw text into tokens, as in a recipe.
        language: The language whose rules split it.
        split_on: Characters that are always tokens of their own.
        segment: How to split raw text into sentences, as in a recipe.
        vectors: Files of word vectors, to count how many unseen words they cover.
        group: A key of the records or a comment, such as `ticket_id`, none of whose values may be in two splits.
            Default: the documents that have names.
        unknown: Mark of unknown tags in columns.
        form: How the files are written, as in a recipe: `delimiter`, `quote`, `comments`, `header`, `encoding`.

    Raises:
        DataError: The file, folder or dataset does not exist, or its format is unknown.
        RecipeError: A setting does not fit the source or another setting.
    """
    brat = format in (None, "brat", "parallel") and columns is None
    if isinstance(source, Corpus):
        material = Material(dict(source.splits()), schemes=source.schemes, notes=list(source.notes))
    elif isinstance(found := sources.find_sources(source, brat=brat), str):
        material = sources.read_material_of_dataset(found)
    else:
        format = format or ("conll" if columns is not None else None)
        if columns is not None:
            labels = {"layer": layer or LAYER} if format == "labelled" else {}
            parse_section(ReadingConfig, {"format": format, "columns": list(columns), **labels}, where="check")
        splitting = {"tokenize": tokenize, "language": language, "split_on": split_on, "segment": segment}
        rules = parse_section(ReadingConfig, splitting, where="check").text_rules
        reading = ReadingConfig.model_construct(
            format=format,
            columns=tuple(columns) if columns else None,
            layer=layer,
            scheme=scheme,
            unknown=unknown,
            **form_settings(form, where="check"),
        )
        material = sources.read_material(found, reading.with_rules(rules))
        material.notes += sources.notes_on_unread(source, brat=brat)
    for name, value in {"format": format, "columns": columns, "layer": layer}.items():
        if value is not None and (not material.files or (name == "layer" and material.format != "labelled")):
            wanted = "labelled text" if name == "layer" else "files"
            raise RecipeError(
                f"{name} (--{name}) is for {wanted}, got {material.format or 'a corpus or dataset'}; remove it"
            )
    if unknown is not None and material.format not in ("conll", "conllu"):
        raise RecipeError(f"unknown (--unknown) is for columns, got {material.format or 'no file'}; remove it")
    return _diagnose(material, scheme, sources.as_list(vectors), group)


def _diagnose(material: Material, scheme: Scheme | None, vectors: Sequence[str | Path], group: str | None) -> Diagnosis:
    """Return the diagnosis of sentences."""
    errors, warnings = material.errors, Findings()
    splits, notes, bare = respelled(material.splits, scheme)
    notes += unknown_notes(splits)
    files = _by_file(splits)
    words = {split: count_types(sentences) for split, sentences in splits.items()}
    check_words(files, set().union(*words.values()), errors, warnings, spaced=material.format == "conllu")
    layers = list(dict.fromkeys(name for part in splits.values() for sentence in part for name in sentence.layers))
    given = {layer: "io" if layer in bare else scheme or material.schemes.get(layer) for layer in layers}
    schemes = _check_layers(files, given, errors, notes, wanted=scheme)
    for layer in [name for name, found in schemes.items() if found is None]:
        check_untagged(chain.from_iterable(splits.values()), layer, warnings)
    for doubt in chain.from_iterable(doubts(part, material.format, options=True) for part in files.values()):
        if doubt.place not in errors.places:
            warnings.add(*doubt)
    overlaps = check_leaks(splits, warnings)
    check_groups(splits, group, warnings)
    check_contradictions(splits, layers, warnings)
    entities = check_entities(splits, [layer for layer in layers if schemes.get(layer)], warnings)
    check_lengths(splits, warnings)
    known = {word: row for row, word in enumerate(read_vectors(vectors).words)} if vectors else None
    check_unseen(words, known, warnings)
    labels = [layer for layer in layers if layer not in entities]
    types = {split: {name: found.types[split] for name, found in entities.items()} for split in splits}
    return Diagnosis(
        format=material.format,
        columns=material.columns,
        schemes=schemes,
        files=material.files,
        notes=tuple(dict.fromkeys([*material.notes, *notes])),
        splits={split: counts_of(part, words[split], types[split], labels) for split, part in splits.items() if part},
        overlaps=overlaps,
        error_counts=dict(errors.counts),
        errors=tuple(errors.kept),
        warning_counts=dict(warnings.counts),
        warnings=tuple(warnings.kept),
    )


def _check_layers(
    files: Mapping[str, Sequence[Sentence]],
    given: Mapping[str, Scheme | None],
    errors: Findings,
    notes: list[str],
    *,
    wanted: Scheme | None,
) -> dict[str, Scheme | None]:
    """Check the tags of each layer, and that there are tags in the scheme that the user wants; return the schemes."""
    schemes = {
        layer: check_tags(files, layer, errors, notes, scheme=scheme)
        for layer, scheme in given.items()
        if any(isinstance(s.layers.get(layer), TagLayer) for part in files.values() for s in part)
    }
    if files and not given and not errors.counts:
        message = "expected tags or labels, got tokens alone; name the columns with --columns, such as token,ner"
        errors.add("layers", f"{next(iter(files))}:1", message)
    if wanted and not any(schemes.values()):
        message = f"expected a layer with {wanted.upper()} tags, got none in {', '.join(given) or 'no layers'}"
        errors.add("prefix", next(iter(files), "the corpus"), f"{message}; remove the scheme")
    return schemes


def _by_file(splits: Mapping[str, Sequence[Sentence]]) -> dict[str, list[Sentence]]:
    """Return the sentences of each file; sentences without a file under the name of their split."""
    files: dict[str, list[Sentence]] = {}
    for split, sentences in splits.items():
        for sentence in sentences:
            files.setdefault(sentence.origin.path if sentence.origin else split, []).append(sentence)
    return files


def check_for_training(corpus: Corpus) -> tuple[str, ...]:
    """Return notes on unusual tokens and duplicate ids that training keeps, one note per kind.

    Invalid lines and tags were refused when the corpus was read. Of a lazy train split, only sentences with unusual
    tokens are read.

    Raises:
        DataError: A token contains a control character; the message names every such token.
    """
    errors, splits = Findings(), corpus.splits()
    odd = {word for part in splits.values() for word in packed_of(part, ()).counts() if oddity_of(word)}
    read = {split: holding(part, odd) for split, part in splits.items()}
    check_words(_by_file(read), odd, errors, Findings())
    if problems := [str(finding) for finding in errors.kept if finding.kind == "control"]:
        raise DataError.of(problems)
    first = {finding.kind: finding for finding in reversed(errors.kept)}
    return tuple(
        f"kept {counted(errors.counts[kind], noun)} {quality}, the first at {first[kind]}"
        for kind, (noun, quality) in KEPT.items()
        if kind in first
    )
