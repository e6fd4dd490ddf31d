"""The corpora of a recipe: read, and held against the heads that are to learn from them, before anything is trained."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tagger.config import HeadConfig, Recipe
from tagger.corpus.corpus import Corpus, cut_dev, read_corpus
from tagger.doctor.check import check_for_training
from tagger.errors import SHOWN, DataError, RecipeError
from tagger.heads.table import KINDS, head_of
from tagger.hub.lazy import packed_of, telling
from tagger.text.sentence import Sentence, check_spans

Tell = Callable[[str], None]


def read_corpora(recipe: Recipe, folder: Path, *, from_files: bool, tell: Tell) -> dict[str, Corpus]:
    """The corpora by name, each with a dev split.

    Args:
        recipe: Names the corpora, the vectors and the heads.
        folder: What paths of the recipe are relative to.
        from_files: Corpora with a dataset and files are read from the files.
        tell: Is told what is read and what was found out.

    Raises:
        RecipeError: A corpus does not fit the heads, or the others.
        DataError: A file is not there, is not as it must be, or has nothing that a head could learn or be chosen by.
    """
    check_files(recipe, folder, from_files=from_files)
    corpora = {}
    configs = recipe.all_corpora()
    for name in [name for name, config in configs.items() if config.lazy and len(configs) > 1]:
        raise RecipeError(f"corpora.{name}: a `lazy` corpus must be the only one, got {len(configs)}; leave out `lazy`")
    for name, config in configs.items():
        tell(f"reading corpus `{name}`")
        corpus = cut_dev(read_corpus(config, folder=folder, from_files=from_files, seed=recipe.seed), seed=recipe.seed)
        corpora[name] = corpus = replace(corpus, notes=(*corpus.notes, *check_for_training(corpus)))
        for note in corpus.notes:
            tell(note)
        sizes = ", ".join(f"{len(split)} {name}" for name, split in corpus.splits().items())
        tell(f"{sizes} sentences, {len(packed_of(corpus.train, ()).type_ids)} train tokens")
        if not corpus.train:
            raise DataError(f"corpus `{name}` must have a sentence to learn from, got none")
    if not any(corpus.dev for corpus in corpora.values()):
        raise DataError(
            "dev must have at least one sentence, by which the best epoch is chosen, got none; name a file in `dev`, "
            "or give train at least two sentences, so that one of them can be dev"
        )
    for layer, head in recipe.layers.items():
        for name, corpus in corpora.items():
            for split, sentences in corpus.splits().items():
                _check_layer(layer, head, telling(sentences), where=f"corpus `{name}`, {split}")
        _check_carried(layer, corpora, tell)
        _note_unseen(layer, head, corpora, tell)
    _check_used(corpora, recipe.layers)
    return corpora


def check_files(recipe: Recipe, folder: Path, *, from_files: bool) -> None:
    """Refuse a recipe some of whose files are not there, before any is read.

    Raises:
        DataError: A file is not there; names all such files.
    """
    read = [c for c in recipe.all_corpora().values() if c.dataset is None or (from_files and c.train is not None)]
    paths = [path for config in read for path in config.files()]
    missing = [folder / path for path in (*paths, *recipe.embeddings.vectors) if _is_missing(folder / path)]
    if missing:
        raise DataError.of([f"{path}: no such file; check the path and the --data folder" for path in missing])


def _is_missing(path: Path) -> bool:
    """Whether there is nothing at a path; what else keeps a file from being read is told where it is read."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        pass
    return False


def _check_layer(layer: str, head: HeadConfig, sentences: Sequence[Sentence], *, where: str) -> None:
    """Refuse sentences whose layer is of another kind than the head that is to predict it."""
    wanted = head_of(layer, head)
    for found in (sentence.layers[layer] for sentence in sentences if layer in sentence.layers):
        if not isinstance(found, wanted.layer_type):
            fitting = [name for name, kind in KINDS.items() if isinstance(found, kind.layer_type)]
            raise RecipeError(
                f"{where}: layer `{layer}` must have {wanted.answer}, because its head has kind = {head.kind!r}, got "
                f"{KINDS[fitting[0]].answer}; use kind = {' or '.join(map(repr, fitting))}"
            )
    if head.span_scheme is not None:
        check_spans(layer, sentences)


def _check_carried(layer: str, corpora: Mapping[str, Corpus], tell: Tell) -> None:
    """Refuse a layer that is nowhere in train or in dev; say that one which is nowhere in test is not scored."""
    for split in ("train", "dev", "test"):
        sentences = [sentence for corpus in corpora.values() for sentence in telling(corpus.splits()[split])]
        if any(layer in sentence.layers for sentence in sentences):
            continue
        if split == "test":
            tell(f"layer `{layer}` is not scored on test, for no test sentence has it")
            continue
        names = sorted({name for sentence in sentences for name in sentence.layers})
        raise DataError(f"no {split} sentence has the layer `{layer}`; they have {', '.join(names) or 'none'}")


def _note_unseen(layer: str, head: HeadConfig, corpora: Mapping[str, Corpus], tell: Tell) -> None:
    """Name the types or labels in dev and test that train lacks, because the model cannot predict them."""
    parts = [corpus.splits() for corpus in corpora.values()]
    known = {name for part in parts for name in _classes(telling(part["train"]), layer, head)}
    for split in ("dev", "test"):
        counts = Counter(name for part in parts for name in _classes(part[split], layer, head))
        unseen = [f"{name} ({count})" for name, count in counts.most_common() if name not in known]
        if unseen:
            more = f" and {len(unseen) - SHOWN} more" if len(unseen) > SHOWN else ""
            tell(
                f"{split} has labels of `{layer}` that train lacks, so the model cannot predict them: "
                f"{', '.join(unseen[:SHOWN])}{more}"
            )


def _classes(sentences: Iterable[Sentence], layer: str, head: HeadConfig) -> Iterator[str]:
    asked = head_of(layer, head)
    return (name for sentence in sentences if layer in sentence.layers for name in asked.classes(sentence))


def _check_used(corpora: Mapping[str, Corpus], layers: Collection[str]) -> None:
    """Refuse a corpus that teaches no head anything."""
    for name, corpus in corpora.items():
        sentences = telling(corpus.train)
        if any(layer in sentence.layers for sentence in sentences for layer in layers):
            continue
        found = ", ".join(sorted({layer for sentence in sentences for layer in sentence.layers})) or "none"
        raise RecipeError(
            f"corpus `{name}`: train must carry a layer that a head predicts ({', '.join(layers)}), got {found}; "
            f"add a head or leave the corpus out"
        )
