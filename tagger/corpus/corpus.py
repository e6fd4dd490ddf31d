"""A corpus: the train, dev and test sentences that the [data] section of a recipe describes.

`files.py` reads them, `splitting.py` decides which sentence goes to which split, and `checking.py` checks and changes
the tags.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from tagger.config import DataConfig, ReadingConfig, SplitConfig, parse_section
from tagger.corpus.checking import finish
from tagger.corpus.files import read_split
from tagger.corpus.splitting import groups_of, plural, split_files, split_rows
from tagger.corpus.synthetic import Split, generate
from tagger.errors import DataError, RecipeError, gather
from tagger.formats.tally import Tally
from tagger.hub.lazy import is_lazy, read_dataset, selected
from tagger.hub.loading import BUILDERS
from tagger.hub.to_rows import to_datasets
from tagger.text.document import Document
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, typed
from tagger.text.tokenization import DEFAULT_RULES, TextRules

if TYPE_CHECKING:
    import datasets

CUT_DEV = 0.1
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Corpus:
    """The sentences of train, dev and test. Each may be given as documents, whose sentences are taken.

    Args:
        train: Sentences to learn from.
        dev: Sentences on which the best weights are chosen.
        test: Sentences that are scored once.
        schemes: The scheme of the files for each tag layer; None for tags without spans.
        notes: What was detected or done while reading, one sentence each.
        rules: How its raw texts were split.
    """

    train: Sequence[Sentence]
    dev: Sequence[Sentence] = ()
    test: Sequence[Sentence] = ()
    schemes: Mapping[str, Scheme | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rules: TextRules = DEFAULT_RULES

    def __post_init__(self) -> None:
        for name, part in self.splits().items():
            if not is_lazy(part) and not all(isinstance(item, Sentence) for item in part):
                object.__setattr__(self, name, sentences_of(part, name))

    def splits(self) -> dict[str, Sequence[Sentence]]:
        """Return the three splits by name."""
        return {"train": self.train, "dev": self.dev, "test": self.test}

    def to_dataset(self) -> "datasets.DatasetDict":
        """Return the corpus as a Hugging Face dataset of its splits, which `load_dataset` reads back.

        Raises:
            DataError: A layer is of two kinds, or two columns have one name.
        """
        import datasets  # imported here: loading it takes seconds

        splits = {HUB_SPLITS[name]: sentences for name, sentences in self.splits().items() if sentences}
        return datasets.DatasetDict(to_datasets(splits))

    def push(self, repository: str, **settings: Any) -> None:
        """Upload the corpus to the Hugging Face hub; `settings` as for `datasets.DatasetDict.push_to_hub`."""
        self.to_dataset().push_to_hub(repository, **settings)


def sentences_of(items: Iterable[object], name: str) -> list[Sentence]:
    """Return sentences, and the sentences of documents; a document is called by its id or its number.

    Raises:
        TypeError: An item is neither a sentence nor a document.
        DataError: A document of several sentences has a label of the whole text.
    """
    found: list[Sentence] = []
    for number, item in enumerate(items, 1):
        if isinstance(item, Sentence):
            found.append(item)
        elif isinstance(item, Document):
            if item.labels and len(item.sentences) > 1:
                raise DataError(
                    f"{name}: document {number} must be one sentence, because it has a label of the whole text, got "
                    f"{len(item.sentences)} sentences"
                )
            document = str(number if item.id is None else item.id)
            found += [replace(s, layers={**s.layers, **item.labels}, document=document) for s in item.sentences]
        else:
            raise TypeError(f"{name} must hold Sentence or Document objects, got {typed(item)}")
    return found


def checked(corpus: Corpus, config: ReadingConfig) -> Corpus:
    """Return a corpus made in Python as one that was read: its tags are checked, and their schemes detected.

    Raises:
        DataError: Tags are invalid, or a sentence has no token.
    """
    corpus = corpus if corpus.rules != DEFAULT_RULES else replace(corpus, rules=config.text_rules)
    if corpus.schemes:
        return corpus
    for name, part in corpus.splits().items():
        for number, sentence in enumerate(part if not is_lazy(part) else (), 1):
            if not sentence.tokens:
                raise DataError(f"{name}: sentence {number} must have at least one token, got none; leave it out")
    finished = finish(dict(corpus.splits()), config, corpus.notes, whole=True)
    return Corpus(**finished.splits, schemes=finished.schemes, notes=finished.notes, rules=corpus.rules)


def load_corpus(**settings: Any) -> Corpus:
    """Return the corpus that the keys of a recipe's [data] section describe.

    For example `load_corpus(train="train.conll", test="test.conll", format="conll", columns=["token", "ner"])`. Paths
    are relative to the working directory. `tokenize` may also be a function that takes a text and returns its tokens,
    or start and end of each.

    A generated corpus (`format="synthetic"`) also takes a `seed`.

    Raises:
        RecipeError: A key is unknown or has a wrong value.
        DataError: A file is missing or broken; names every broken line.
    """
    if "seed" in settings and settings.get("format") != "synthetic":
        raise RecipeError('load_corpus: `seed` is for format = "synthetic" alone; use split = {"dev": 0.1, "seed": 7}')
    function = settings.pop("tokenize") if callable(settings.get("tokenize")) else None
    plain = to_jsonable_python(settings, fallback=lambda value: value)  # lists for tuples, strings for paths
    config = parse_section(DataConfig, plain, where="load_corpus")
    return read_corpus(config if function is None else config.with_function(function))


def load_dataset(dataset: str | Path, **settings: Any) -> Corpus:
    """Return the corpus of a Hugging Face dataset, by id or from a folder; `settings` as for `load_corpus`.

    If a dataset has no dev split, a part of train is used; the notes say so.

    Raises:
        RecipeError: A setting is unknown or has a wrong value.
        DataError: The dataset cannot be loaded, or its columns do not fit.
    """
    return cut_dev(load_corpus(dataset=str(dataset), **settings))


def read_corpus(config: DataConfig, *, folder: Path | None = None, from_files: bool = False, seed: int = 1) -> Corpus:
    """Return the corpus of a [data] section.

    Args:
        config: The section.
        folder: The folder for relative paths, also that of a dataset if it exists. Default: the working directory.
        from_files: Whether to read files even if the section also names a dataset.
        seed: The seed for generating, if the section has none.

    Raises:
        DataError: A file or dataset is missing or broken.
    """
    folder, tally = folder or Path(), Tally()
    said: list[str] = []
    splits: Mapping[str, Sequence[Sequence[Sentence]]]
    if config.dataset is not None and not (from_files and config.train is not None):
        splits, said = _of_dataset(config, config.dataset, folder)
    elif config.format == "synthetic":
        splits = _generate(config.sentences or 0, seed if config.seed is None else config.seed)
    else:
        splits = _of_files(config, folder, tally)
    for name in ("dev", "test"):
        if config.split is not None and getattr(config.split, name) is not None and name in splits:
            raise DataError(
                f"`split.{name}` cuts {name} from train, which must have none yet, but "
                f"{config.dataset or 'the generated corpus'} has a {name} split; leave out `split.{name}`"
            )
    cut, notes = split_files(splits, config.split)
    finished = finish(cut, config.reading(), [*said, *tally.notes(), *notes], whole=True)
    return Corpus(**finished.splits, schemes=finished.schemes, notes=finished.notes, rules=config.text_rules)


def _of_files(config: DataConfig, folder: Path, tally: Tally) -> dict[str, list[list[Sentence]]]:
    """Return the sentences of each file of each split that has files; all of their errors are reported at once."""
    files = {"train": config.train, "dev": config.dev, "test": config.test}
    named = {name: paths for name, paths in files.items() if paths}
    read = gather(partial(read_split, name, paths, config.reading(), folder, tally) for name, paths in named.items())
    return dict(zip(named, read, strict=True))


def _of_dataset(
    config: DataConfig, dataset: str, folder: Path
) -> tuple[dict[str, Sequence[Sequence[Sentence]]], list[str]]:
    """Return the splits of a dataset, which may be a folder, and notes about them."""
    place = folder / dataset
    lazy, read, notes = read_dataset(_in_folder(config, folder), str(place) if place.is_dir() else dataset)
    splits: dict[str, Sequence[Sequence[Sentence]]] = {name: [sentences] for name, sentences in read.items()}
    return (splits if lazy is None else {**splits, "train": [lazy]}), notes


def _in_folder(config: DataConfig, folder: Path) -> DataConfig:
    """Return the section with its `data_files` in the folder, if its dataset is the name of a builder.

    Those of an id or a folder are relative to it, which `datasets` handles; a URL stays the same.
    """
    if config.data_files is None or config.dataset not in BUILDERS:
        return config

    def placed(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(path if "://" in path else str(folder / path) for path in paths)

    files = config.data_files
    moved = {split: placed(p) for split, p in files.items()} if isinstance(files, dict) else placed(files)
    return config.model_copy(update={"data_files": moved})


def _generate(sentences: int, seed: int) -> dict[str, list[list[Sentence]]]:
    """Return a generated corpus: that many sentences for train, a tenth as many each for dev and test."""
    tenth = max(1, sentences // 10)
    sizes: dict[Split, int] = {"train": sentences, "dev": tenth, "test": tenth}
    return {split: [list(generate(size, seed=seed, split=split))] for split, size in sizes.items()}


def cut_dev(corpus: Corpus, config: SplitConfig | None = None) -> Corpus:
    """Return the corpus with a dev split: its own, or a tenth of train, which is noted.

    Args:
        corpus: The corpus.
        config: The split of the recipe, if it has one: what stays together, and the seed.

    Raises:
        DataError: Train is one document, which is not cut.
    """
    if corpus.dev:
        return corpus
    chosen = config.model_dump(include={"group", "seed"}) if config is not None else {}
    how, groups = SplitConfig(dev=CUT_DEV, **chosen), groups_of(corpus.train, chosen.get("group"))
    rows = split_rows(groups, how)
    train, dev = selected(corpus.train, rows["train"]), list(selected(corpus.train, rows["dev"]))
    number = len({*groups.ids[rows["dev"]].tolist()})
    whole = "" if groups.noun == "sentence" else f" ({plural(groups.noun, number)})"
    note = f"no dev split is named: cut {len(dev)} of {len(corpus.train)} train sentences{whole} by seed {how.seed}"
    return replace(corpus, train=train, dev=dev, notes=(*corpus.notes, note))
