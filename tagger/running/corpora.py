"""Read the corpora of a recipe, and check before training that they fit its heads."""

import logging
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagger.catalogue.entries import names_for
from tagger.config import Recipe, load_recipe
from tagger.config.features import MISSING
from tagger.corpus.corpus import Corpus, checked, cut_dev, read_corpus
from tagger.doctor.check import check_for_training
from tagger.errors import SHOWN, DataError, RecipeError
from tagger.files.patterns import matching
from tagger.heads.head import Head
from tagger.heads.table import KINDS, heads_of
from tagger.hub.lazy import is_lazy, packed_of, telling
from tagger.text.schemes import span_types
from tagger.text.sentence import Sentence, check_spans
from tagger.wording import counted, quoted

Tell = Callable[[str], None]

logger = logging.getLogger(__name__)


def read_corpora(
    recipe: Recipe,
    folder: Path,
    *,
    from_files: bool,
    tell: Tell,
    given: Corpus | Mapping[str, Corpus] | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Corpus]:
    """Return the corpora by name, each with a dev split.

    Args:
        recipe: Names the corpora, the vectors and the heads.
        folder: The folder that paths of the recipe are relative to.
        from_files: Whether to read a corpus that has both a dataset and files from the files.
        tell: Called with each note on what is read.
        given: A corpus to use in place of the one that the recipe describes, or corpora by name in place of all.
        labels: Labels of layers that the network knows before training.

    Raises:
        RecipeError: A corpus does not fit the heads or the other corpora.
        DataError: A file is missing or invalid, or train or dev lacks the layer of a head.
    """
    check_files(recipe, folder, from_files=from_files, given=given)
    corpora = {}
    configs = recipe.all_corpora()
    named = given if isinstance(given, Mapping) else dict.fromkeys(configs, given)
    _check_lazy(recipe, named)
    for name, config in configs.items():
        if (ready := named[name]) is not None:
            corpus = checked(ready, config.reading())
        else:
            tell(f"reading corpus `{name}`")
            corpus = read_corpus(config, folder=folder, from_files=from_files, seed=recipe.seed)
        corpus = _only_train(corpus, name) if _is_unlabelled(corpus, recipe) else cut_dev(corpus, config.split)
        corpora[name] = corpus = replace(corpus, notes=(*corpus.notes, *check_for_training(corpus)))
        for note in corpus.notes:
            tell(note)
        sizes = ", ".join(f"{len(split)} {name}" for name, split in corpus.splits().items())
        tell(f"{sizes} sentences, {counted(len(packed_of(corpus.train, ()).type_ids), 'train token')}")
        if not corpus.train:
            raise DataError(f"corpus `{name}`: train must have at least one sentence, got none; check its files")
    if not any(corpus.dev for corpus in corpora.values()):
        raise DataError(
            "dev must have at least one sentence, which is needed to choose the best epoch, got none; name a file in "
            "`dev`, or give train at least two sentences, so that one of them can be dev"
        )
    for head in heads_of(recipe.layers).values():
        for name, corpus in corpora.items():
            for split, sentences in corpus.splits().items():
                _check_layer(head, telling(sentences), where=f"corpus `{name}`, {split}")
        _check_carried(head.layer, corpora, tell)
        _note_unseen(head, corpora, (labels or {}).get(head.layer, ()), tell, refit=recipe.training.refit)
    _check_used(corpora, recipe)
    return corpora


def _check_lazy(recipe: Recipe, given: Mapping[str, Corpus | None]) -> None:
    """Refuse what needs all of train in memory, if a corpus of the recipe or one that is given leaves it on disk."""
    configs = recipe.all_corpora()
    lazy = [name for name, corpus in given.items() if configs[name].lazy or (corpus and is_lazy(corpus.train))]
    if lazy and len(configs) > 1:
        raise RecipeError(f"corpora.{lazy[0]}: a `lazy` corpus must be the only one, got {len(configs)}; remove `lazy`")
    if lazy and (problem := recipe.reads_all()):
        raise RecipeError(problem)


def load_corpora(recipe: str | Path | Recipe, *, data: str | Path | None = None) -> dict[str, Corpus]:
    """Return the corpora of a recipe by name, as `train` reads them; a single one is called `data`.

    Args:
        recipe: A recipe, or the path of its TOML file.
        data: Folder that relative paths start in. Default: the folder of the recipe.

    Raises:
        RecipeError: The recipe is invalid, or a corpus does not fit its heads.
        DataError: A file is missing or invalid.
    """
    base = Path() if isinstance(recipe, Recipe) else Path(recipe).parent
    given = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    return read_corpora(given, Path(data or base), from_files=data is not None, tell=logger.info)


def check_files(
    recipe: Recipe, folder: Path, *, from_files: bool, given: Corpus | Mapping[str, Corpus] | None = None
) -> None:
    """Refuse a recipe with missing files, before any file is read; those of corpora that are `given` are not needed.

    Raises:
        RecipeError: The recipe has no corpus and none is given, or other corpora than those given.
        DataError: A file is missing; names all such files.
    """
    if given is None and recipe.data is None and recipe.corpora is None:
        raise RecipeError(
            "the recipe needs either one corpus in [data] or several in [corpora.NAME]; in Python, `train` also takes "
            "a `corpus`"
        )
    if isinstance(given, Corpus) and recipe.corpora is not None:
        raise RecipeError(
            "`corpus` must be a dictionary of corpora by name, because the recipe has [corpora.NAME], got one corpus; "
            "`load_corpora` returns such a dictionary"
        )
    if isinstance(given, Mapping) and given.keys() != (names := recipe.all_corpora().keys()):
        raise RecipeError(f"`corpus` must have the corpora {quoted(names)}, got {quoted(given) or 'none'}")
    read = [] if given is not None else _paths_of_corpora(recipe, from_files=from_files)
    vectors = [("embeddings.vectors: ", path, MISSING) for path in recipe.embeddings.vectors]
    named = [*(("", path, MISSING) for path in read), *vectors, *_paths_of_features(recipe)]
    found = [(where, path, problem) for where, path, problem in named if _is_missing(folder / path)]
    if found:
        error = DataError.of([f"{where}{folder / path}: {problem}" for where, path, problem in found])
        missing = [path for _, path, _ in found]
        raise DataError("\n".join((str(error), *_how_to_fetch(missing, folder if from_files else None))))


def missing_folder(recipe: Recipe, data: Path) -> DataError:
    """Return the error for a data folder that does not exist, with the command that fetches what the recipe needs."""
    problem = f"{data}: no such folder; give the folder of the recipe's data files with --data"
    return DataError("\n".join((problem, *_how_to_fetch(_paths(recipe, from_files=True), data))))


def _paths(recipe: Recipe, *, from_files: bool) -> list[str]:
    """Return the paths of all files of corpora and of word vectors that are read, as the recipe gives them."""
    return [*_paths_of_corpora(recipe, from_files=from_files), *recipe.embeddings.vectors]


def _paths_of_corpora(recipe: Recipe, *, from_files: bool) -> list[str]:
    read = [c for c in recipe.all_corpora().values() if c.dataset is None or (from_files and c.train is not None)]
    return [path for config in read for path in config.files()]


def _paths_of_features(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    """Yield the key of each path of features (`features.NAME.files: `), the path, and what to say if it is missing."""
    for name, config in recipe.features.items():
        for key, paths in config.paths().items():
            yield from ((f"features.{name}.{key}: ", path, config.missing) for path in paths)


def _how_to_fetch(missing: Sequence[str], data: Path | None) -> Iterator[str]:
    """Yield the command that fetches missing files of the catalogue, if there are any."""
    names = names_for(missing)
    if names:
        to = shlex.quote(str(data or "data"))
        then = "" if data else f"; then train with --data {to}"
        yield f"to fetch files that are public: tagger data get {' '.join(names)} --to {to}{then}"


def _is_missing(path: Path) -> bool:
    """Whether nothing exists at a path, or matches it if it is a pattern.

    Other reasons why a file cannot be read are reported when it is read.
    """
    try:
        if matching(path) != [path]:
            return not matching(path)
        path.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        pass
    return False


def _check_layer(head: Head[Any, Any, Any], sentences: Sequence[Sentence], *, where: str) -> None:
    """Refuse sentences whose layer is not what the head predicts."""
    for found in (sentence.layers[head.layer] for sentence in sentences if head.layer in sentence.layers):
        if not isinstance(found, head.layer_type):
            fitting = [name for name, kind in KINDS.items() if isinstance(found, kind.layer_type)]
            raise RecipeError(
                f"{where}: layer `{head.layer}` must have {head.answer}, because its head has kind = "
                f"{head.config.kind!r}, got {KINDS[fitting[0]].answer}; use kind = {' or '.join(map(repr, fitting))}"
            )
    if head.config.span_scheme is not None:
        check_spans(head.layer, sentences)


def _check_carried(layer: str, corpora: Mapping[str, Corpus], tell: Tell) -> None:
    """Refuse a layer that is missing from all of train or all of dev; note one that is missing from test."""
    for split in ("train", "dev", "test"):
        sentences = [sentence for corpus in corpora.values() for sentence in telling(corpus.splits()[split])]
        if any(layer in sentence.layers for sentence in sentences):
            continue
        if split == "test":
            tell(f"layer `{layer}` is not scored on test, because no test sentence has it")
            continue
        names = sorted({name for sentence in sentences for name in sentence.layers})
        raise DataError(
            f"no {split} sentence has the layer `{layer}`; they have {', '.join(names) or 'none'}. Check `columns` or "
            f"`layers` of the corpora, or the name of the head"
        )


def _note_unseen(
    head: Head[Any, Any, Any], corpora: Mapping[str, Corpus], labels: Sequence[str], tell: Tell, *, refit: bool
) -> None:
    """Note the types or labels in dev and test that train lacks, because the model cannot predict them.

    The network knows some labels before training. With `refit`, the model that is trained again with dev can predict
    those of dev.
    """

    def classes(split: str) -> Iterator[str]:
        parts = [corpus.splits()[split] for corpus in corpora.values()]
        sentences = (s for part in parts for s in (telling(part) if split == "train" else part))
        return (name for sentence in sentences if head.layer in sentence.layers for name in head.classes(sentence))

    before = labels if head.config.span_scheme is None else span_types(labels)
    known, learned = {*before, *classes("train")}, {"dev"} if refit else set()
    for split in ("dev", "test"):
        counts = Counter(classes(split))
        unseen = [f"{name} ({count})" for name, count in counts.most_common() if name not in known]
        if unseen:
            more = f" and {len(unseen) - SHOWN} more" if len(unseen) > SHOWN else ""
            lacking = "train and dev lack" if refit and split == "test" else "train lacks"
            which = "only the model that is trained again with dev can" if split in learned else "the model cannot"
            tell(
                f"{split} has labels of `{head.layer}` that {lacking}, so {which} predict them: "
                f"{', '.join(unseen[:SHOWN])}{more}"
            )
        if split in learned:
            known |= counts.keys()


def _is_unlabelled(corpus: Corpus, recipe: Recipe) -> bool:
    """Whether a corpus has no layer of any head, so that teachers label it."""
    taught = recipe.keep is not None or any(head.teacher for head in recipe.heads.values())
    return taught and not has_layer(corpus.train, recipe.layers)


def has_layer(sentences: Sequence[Sentence], layers: Collection[str]) -> bool:
    """Whether a sentence has one of these layers."""
    return any(layer in sentence.layers for sentence in telling(sentences) for layer in layers)


def _only_train(corpus: Corpus, name: str) -> Corpus:
    """Return a corpus that teachers label without dev and test, which could not be scored."""
    note = f"corpus `{name}` has no layer of a head, so only teachers label its train sentences"
    ignored = quoted(split for split in ("dev", "test") if corpus.splits()[split])
    notes = (*corpus.notes, f"{note}; its {ignored} are not used" if ignored else note)
    return replace(corpus, dev=(), test=(), notes=notes)


def _check_used(corpora: Mapping[str, Corpus], recipe: Recipe) -> None:
    """Refuse a corpus without a layer of any head, which no teacher labels."""
    for name, corpus in corpora.items():
        if _is_unlabelled(corpus, recipe) or has_layer(corpus.train, recipe.layers):
            continue
        sentences = telling(corpus.train)
        found = ", ".join(sorted({layer for sentence in sentences for layer in sentence.layers})) or "none"
        raise RecipeError(
            f"corpus `{name}`: train must have a layer that a head predicts ({', '.join(recipe.layers)}), got {found}; "
            f"add a head, give a head a `teacher` that labels the corpus, or remove the corpus"
        )
