"""Check a corpus: count its contents, and list all errors and warnings with their positions.

Files are read with their faults noted instead of raised, so that all are found at once. Invalid lines, invalid tags and
control characters are errors here and stop training too. Unusual tokens (empty, with white space, wrongly decoded) and
duplicate ids occur in published corpora: they are errors here, but training keeps them and reports their number.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from tagger.corpus.checking import said_of_scheme
from tagger.corpus.corpus import Corpus
from tagger.corpus.edits import prefixed
from tagger.doctor import splits as findings_of_splits
from tagger.doctor.diagnosis import Counts, Diagnosis
from tagger.doctor.findings import Findings
from tagger.doctor.sources import (
    Material,
    Paths,
    as_list,
    find_sources,
    left_aside,
    read_material,
    read_material_of_dataset,
)
from tagger.doctor.tags import check_tags, check_untagged, count_pairs, tag_counts
from tagger.doctor.words import check_ids, check_tokens, check_values, count_types, oddity_of
from tagger.encoding.vectors import read_vectors
from tagger.errors import DataError
from tagger.formats.detection import Reading
from tagger.hub.lazy import holding, packed_of
from tagger.text.choices import FileFormat
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.text.tag_survey import said_of_rival
from tagger.text.tokenization import Tokenize

STOPS_TRAINING = ("control",)
KEPT = {
    "space": "tokens that contain white space",
    "mojibake": "tokens that were decoded with the wrong encoding",
    "id": "sentences with the id of another sentence",
}


def check(
    source: Corpus | Paths | Mapping[str, Paths],
    *,
    format: FileFormat | None = None,
    columns: Sequence[str] | None = None,
    scheme: Scheme | None = None,
    layer: str = "label",
    tokenize: Tokenize = "words",
    vectors: Paths = (),
) -> Diagnosis:
    """Return the diagnosis of a corpus: counts, errors and warnings with their positions.

    Args:
        source: A corpus; one or several files, whose names determine their splits; a mapping of splits to files; a
            folder of such files; or the id or folder of a Hugging Face dataset.
        format: Format of the files; default: detected.
        columns: Columns of CoNLL files, as in a recipe; default: detected.
        scheme: Scheme of the tags; default: detected.
        layer: Layer of the labels of labelled text.
        tokenize: How to split raw text.
        vectors: Files of word vectors, to count how many unseen words they cover.

    Raises:
        DataError: The file, folder or dataset does not exist, or its format is unknown.
    """
    brat = format in (None, "brat") and columns is None
    if isinstance(source, Corpus):
        material = Material(dict(source.splits()), schemes=source.schemes, notes=list(source.notes))
    elif isinstance(sources := find_sources(source, brat=brat), str):
        material = read_material_of_dataset(sources)
    else:
        material = read_material(sources, _reading(format, columns), layer=layer, tokenize=tokenize, scheme=scheme)
        material.notes += left_aside(source, brat=brat)
    return diagnose(material, scheme=scheme, vectors=as_list(vectors))


def _reading(format: FileFormat | None, columns: Sequence[str] | None) -> Reading | None:
    """Return how to read the files, as far as the arguments define it."""
    if columns is None:
        return Reading(format) if format else None
    if "token" not in columns or format not in (None, "conll"):
        raise DataError(
            f'columns need format "conll" and must include "token", got {", ".join(columns)} and '
            f"{format or 'no format'}"
        )
    if twice := [name for name, count in Counter(columns).items() if count > 1 and name != "_"]:
        raise DataError(
            f"columns must have different names, got {', '.join(columns)} with {twice[0]!r} twice; name columns to "
            "ignore `_`"
        )
    return Reading("conll", tuple(columns))


def diagnose(material: Material, *, scheme: Scheme | None = None, vectors: Sequence[str | Path] = ()) -> Diagnosis:
    """Return the diagnosis of sentences."""
    errors, warnings = material.errors, Findings()
    splits, bare = prefixed(material.splits) if scheme == "io" else (material.splits, [])
    files = _by_file(splits)
    words = {split: count_types(sentences) for split, sentences in splits.items()}
    spaced = material.reading is not None and material.reading.format == "conllu"
    _check_words(files, words, errors, warnings, spaced=spaced)
    layers = list(findings_of_splits.layers_of(splits))
    schemes = {
        layer: check_tags(files, layer, errors, scheme=scheme or material.schemes.get(layer))
        for layer in layers
        if any(isinstance(s.layers.get(layer), TagLayer) for part in splits.values() for s in part)
    }
    if scheme and not any(schemes.values()):
        message = f"expected a layer with {scheme.upper()} tags, got none in {', '.join(layers) or 'no layers'}"
        errors.add("prefix", next(iter(files), "the corpus"), f"{message}; remove the scheme")
    for layer in [name for name, found in schemes.items() if found is None]:
        check_untagged(chain.from_iterable(splits.values()), layer, warnings)
    overlaps = findings_of_splits.check_leaks(splits, warnings)
    findings_of_splits.check_contradictions(splits, layers, warnings)
    entities = _check_entities(splits, [layer for layer in layers if schemes.get(layer)], warnings)
    findings_of_splits.check_lengths(splits, warnings)
    known = {word: row for row, word in enumerate(read_vectors(vectors).words)} if vectors else None
    findings_of_splits.check_unseen_words(words, known, warnings)
    return Diagnosis(
        splits={name: _counts(part, words[name], layers, entities, name) for name, part in splits.items() if part},
        schemes=schemes,
        errors=tuple(errors.kept),
        warnings=tuple(warnings.kept),
        error_counts=dict(errors.counts),
        warning_counts=dict(warnings.counts),
        overlaps=overlaps,
        format=material.reading.format if material.reading else None,
        columns=material.reading.columns if material.reading else None,
        files=material.files,
        notes=tuple(dict.fromkeys([*material.notes, *bare, *_said_of_schemes(schemes, splits)])),
    )


def _check_entities(
    splits: Mapping[str, Sequence[Sentence]], layers: Iterable[str], warnings: Findings
) -> dict[str, findings_of_splits.Entities]:
    """Return the entities of each layer with a scheme, and add warnings about them."""
    entities = {layer: findings_of_splits.gather_entities(splits, layer, warnings) for layer in layers}
    for layer, found in entities.items():
        findings_of_splits.check_entities(found, layer, warnings)
    return entities


def _by_file(splits: Mapping[str, Sequence[Sentence]]) -> dict[str, list[Sentence]]:
    """Return the sentences of each file; sentences without a file under the name of their split."""
    files: dict[str, list[Sentence]] = {}
    for split, sentences in splits.items():
        for sentence in sentences:
            files.setdefault(sentence.origin.path if sentence.origin else split, []).append(sentence)
    return files


def _check_words(
    files: Mapping[str, Sequence[Sentence]],
    words: Mapping[str, Counter[str]],
    errors: Findings,
    warnings: Findings,
    *,
    spaced: bool = False,
) -> None:
    """Check tokens, values and ids; if words may be `spaced`, spaces inside them are only a warning."""
    broken = set(errors.places)
    types = set().union(*words.values())
    for sentences in files.values():
        check_tokens(sentences, types, errors, warnings, known=broken, spaced=spaced)
    check_values(files, errors, known=broken)
    check_ids(files, errors)


def _counts(
    sentences: Sequence[Sentence],
    words: Counter[str],
    layers: Iterable[str],
    entities: Mapping[str, findings_of_splits.Entities],
    split: str,
) -> Counts:
    length, place = findings_of_splits.longest(sentences)
    labels = {layer: _label_counts(sentences, layer) for layer in layers if layer not in entities}
    return Counts(
        documents=_count_documents(sentences),
        sentences=len(sentences),
        tokens=words.total(),
        types=len(words),
        entities={layer: dict(found.types[split].most_common()) for layer, found in entities.items()},
        labels={layer: dict(found.most_common()) for layer, found in labels.items() if found},
        longest=length,
        longest_place=place,
    )


def _count_documents(sentences: Sequence[Sentence]) -> int:
    """Return the number of documents that the files mark; text before the first mark of a file is one too."""
    documents = {(s.origin.path if s.origin else "", s.document) for s in sentences}
    marked = {path for path, document in documents if document is not None}
    return sum(path in marked for path, _ in documents)


def _label_counts(sentences: Sequence[Sentence], layer: str) -> Counter[str]:
    """Return how often each tag or label of a layer occurs."""
    labels = (sentence.layers.get(layer) for sentence in sentences)
    return tag_counts(sentences, layer) + Counter(label.value for label in labels if isinstance(label, Label))


def _said_of_schemes(schemes: Mapping[str, Scheme | None], splits: Mapping[str, Sequence[Sentence]]) -> list[str]:
    """Return a note on the scheme of each layer that has one."""
    notes = []
    for layer, scheme in schemes.items():
        if scheme is not None:
            pairs = count_pairs(chain.from_iterable(splits.values()), layer)
            distinct = {tag for _, tag in pairs if tag}
            notes.append(said_of_scheme(layer, scheme, distinct) + said_of_rival(pairs, scheme))
    return notes


def check_for_training(corpus: Corpus) -> tuple[str, ...]:
    """Return notes on unusual tokens and duplicate ids that training keeps, one note per kind.

    Invalid lines and tags were refused when the corpus was read. Of a lazy train split, only sentences with unusual
    tokens are read.

    Raises:
        DataError: A token contains a control character; the message names every such token.
    """
    errors, splits = Findings(), corpus.splits()
    words = {split: packed_of(part, ()).counts() for split, part in splits.items()}
    odd = {word for counts in words.values() for word in counts if oddity_of(word)}
    read = {split: holding(part, odd) for split, part in splits.items()}
    _check_words(_by_file(read), words, errors, Findings())
    if problems := [str(finding) for finding in errors.kept if finding.kind in STOPS_TRAINING]:
        raise DataError.of(problems)
    first = {finding.kind: finding for finding in reversed(errors.kept)}
    return tuple(
        f"kept {errors.counts[kind]} {KEPT[kind]}, the first at {first[kind]}" for kind in KEPT if kind in first
    )
