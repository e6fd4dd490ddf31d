"""Read a corpus: the train, dev and test sentences that the [data] section of a recipe describes.

`splitting.py` decides which sentence goes to which split, and `checking.py` checks and changes the tags.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic_core import to_jsonable_python

from tagger.config import DataConfig, ReadingConfig, SplitConfig, parse_section
from tagger.corpus.checking import finish
from tagger.corpus.splitting import Splits, groups_of, joined, plural, split_files, split_rows
from tagger.corpus.synthetic import Split, generate
from tagger.errors import DataError, RecipeError, gather
from tagger.files.patterns import matching
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.table import FORMATS, read_file
from tagger.formats.tally import UNFIT, Tally
from tagger.formats.texts.labelled import read_classes
from tagger.hub.lazy import is_lazy, read_dataset, selected
from tagger.hub.loading import BUILDERS
from tagger.hub.to_rows import to_datasets
from tagger.text.choices import FileFormat
from tagger.text.document import Document
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, typed
from tagger.text.tokenization import DEFAULT_RULES, TextRules
from tagger.wording import quoted

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
    folder = folder or Path()
    said: list[str] = []
    splits: dict[str, Sequence[Sequence[Sentence]]]
    tally = Tally()
    if config.dataset is not None and not (from_files and config.train is not None):
        place = folder / config.dataset
        dataset = str(place) if place.is_dir() else config.dataset
        lazy, read, said = read_dataset(_in_folder(config, folder), dataset)
        splits = {name: [sentences] for name, sentences in read.items()}
        if lazy is not None:
            splits["train"] = [lazy]
    elif config.format == "synthetic":
        chosen = seed if config.seed is None else config.seed
        splits = {name: [sentences] for name, sentences in _generate(config.sentences or 0, chosen).items()}
    else:
        files = {"train": config.train, "dev": config.dev, "test": config.test}
        named = {name: paths for name, paths in files.items() if paths}
        read_all = (partial(_read_split, name, paths, config.reading(), folder, tally) for name, paths in named.items())
        splits = dict(zip(named, gather(read_all), strict=True))
    for name in ("dev", "test"):
        if config.split is not None and getattr(config.split, name) is not None and name in splits:
            raise DataError(
                f"`split.{name}` cuts {name} from train, which must have none yet, but "
                f"{config.dataset or 'the generated corpus'} has a {name} split; leave out `split.{name}`"
            )
    cut, notes = split_files(splits, config.split)
    finished = finish(cut, config.reading(), [*said, *tally.notes(), *notes], whole=True)
    return Corpus(**finished.splits, schemes=finished.schemes, notes=finished.notes, rules=config.text_rules)


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


def read_sentences(
    paths: Sequence[str | Path], config: ReadingConfig, *, scheme_given: bool = True, chosen: Collection[str] = ()
) -> tuple[list[Sentence], tuple[str, ...]]:
    """Return the sentences of files that are not a corpus, such as those to be scored, and notes about them.

    Args:
        paths: The files.
        config: How to read them.
        scheme_given: Whether the scheme was chosen for these files; that of training, if it is IO, is ignored for
            other tags.
        chosen: Which of `misaligned` and `nested` were chosen for these files. In place of the others, those of
            training, an entity that tags cannot express counts as missed.

    Raises:
        DataError: A file is missing or broken.
    """
    tally = Tally(options=True, missed=UNFIT - {*chosen})
    sentences = joined(read_files(paths, config, Path(), tally))
    finished = finish(
        {"train": [], "dev": [], "test": sentences}, config, tally.notes(), whole=False, scheme_given=scheme_given
    )
    return list(finished.splits["test"]), finished.notes


def change_reading(trained: Sequence[ReadingConfig], given: Mapping[str, Any]) -> ReadingConfig:
    """Return how to read files: as in training, apart from what is given.

    Args:
        trained: How the corpora of training were read; those without files and of other formats than a given one are
            ignored, and so is what differs between the rest.
        given: Keys of a recipe's [data] section; None for a key that is not given.

    Raises:
        RecipeError: A key is unknown or has a wrong value, or one that is needed is neither given nor the same in all
            corpora of training.
    """
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items() if v is not None}
    dumped = [config.model_dump(mode="json", exclude_none=True) for config in trained if config.of_files]
    alike = [config for config in dumped if plain.get("format", config["format"]) == config["format"]]
    shared = {k: v for k, v in alike[0].items() if all(other.get(k) == v for other in alike)} if alike else {}
    config = {**shared, **plain}
    for key in ("format", "columns", "layer"):
        found = [other[key] for other in alike if key in other]
        if key not in config and found:
            shown = dict.fromkeys(value if isinstance(value, str) else ",".join(value) for value in found)
            raise RecipeError(f"--{key} must be given, because the files of training differ in it: {quoted(shown)}")
    if "format" not in config:
        *names, last = get_args(FileFormat)
        raise RecipeError(f"say the format of the files with --format ({', '.join(names)} or {last})")
    return parse_section(ReadingConfig, config, where="evaluate")


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


def _generate(sentences: int, seed: int) -> Splits:
    """Return a generated corpus: that many sentences for train, a tenth as many each for dev and test."""
    tenth = max(1, sentences // 10)
    sizes: dict[Split, int] = {"train": sentences, "dev": tenth, "test": tenth}
    return {split: list(generate(size, seed=seed, split=split)) for split, size in sizes.items()}


def _read_split(
    split: str, paths: tuple[str, ...] | dict[str, str], config: ReadingConfig, folder: Path, tally: Tally
) -> list[list[Sentence]]:
    """Return the sentences of each file of a split; in dev and test, entities that do not fit the tokens are missed."""
    if split != "train":
        tally = replace(tally, missed=UNFIT)
    if isinstance(paths, dict):
        if config.format != "labelled" or config.layer is None:
            raise DataError(f'a table class = path needs `format = "labelled"`, got "{config.format}"')
        named = {label: folder / path for label, path in paths.items()}
        return read_classes(named, config, tally)
    found = read_files(paths, config, folder, tally)
    if config.format == "text":  # blank lines
        return [[sentence for sentence in file if sentence.tokens] for file in found]
    return found


def read_files(
    paths: Sequence[str | Path],
    config: ReadingConfig,
    folder: Path,
    tally: Tally,
    *,
    opened: Callable[[Path, str | None], Source] = source_of,
) -> list[list[Sentence]]:
    """Return the sentences of each file; with several files, their documents get the number of the file: `2.1`.

    Args:
        paths: The files, patterns and folders of files.
        config: How to read them.
        folder: The folder for relative paths.
        tally: Counts what is done and ignored.
        opened: Returns the source that a path in an encoding is.

    Raises:
        DataError: A file cannot be read.
    """
    named = [file for path in paths for found in matching(folder / path) for file in _files_of(found, config.format)]
    files = gather(partial(_read_file, path, config, tally, opened) for path in named)
    if len(files) == 1:
        return files
    return [
        [s if s.document is None else replace(s, document=f"{number}.{s.document}") for s in file]
        for number, file in enumerate(files, 1)
    ]


def _files_of(path: Path, format: str | None) -> list[Path]:
    """Return the files of a folder with a suffix of the format or `.txt`; a path that is no folder or read as a whole.

    If the folder has no such file, the path itself is returned.
    """
    if not path.is_dir() or any(row.is_path is not None and row.is_path(path) for row in FORMATS.values()):
        return [path]
    row = FORMATS.get(format or "")
    suffixes = {".txt", *(row.suffixes if row is not None else ())}
    return sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes) or [path]


def _read_file(
    path: Path, config: ReadingConfig, tally: Tally, opened: Callable[[Path, str | None], Source]
) -> list[Sentence]:
    if config.format in (None, "synthetic"):
        raise DataError(f"{path}: needs a format to be read from files; name `format` in the recipe")
    return read_file(config.format, opened(path, config.encoding), config, tally, Faults())
