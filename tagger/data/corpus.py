"""A corpus: the train, dev and test sentences that the [data] section of a recipe describes.

Reads the files in their format, splits them where the recipe says so, finds the scheme of each layer over all splits,
and holds every tag against it. Nothing is repaired, renamed or dropped unless the recipe says so, and what is done is
kept in `Corpus.notes`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagger.config import DataConfig, ReadingConfig, SplitConfig, parse_section
from tagger.data.annotated import Tally
from tagger.data.brat import read_brat
from tagger.data.columns import read_conll
from tagger.data.conllu import read_conllu
from tagger.data.labelled import read_classes, read_labelled
from tagger.data.lazy import LazySentences, read_dataset
from tagger.data.schemes import (
    RULES,
    Scheme,
    describe,
    detect_scheme,
    has_scheme,
    invalid_positions,
    is_tag,
    repair_tags,
    spans_to_tags,
    split_tag,
    tags_to_spans,
)
from tagger.data.sentence import Label, Sentence, TagLayer, with_schemes
from tagger.data.spanned import read_json
from tagger.data.synthetic import generate
from tagger.data.tables import to_datasets
from tagger.errors import DataError

if TYPE_CHECKING:
    import datasets

Splits = dict[str, list[Sentence]]
FILES = ("conll", "conllu", "labelled", "jsonl", "brat")
SPLITS = ("train", "dev", "test")
CUT_DEV = 0.1
BLANK = "tokens that are empty or white space"
FILE_READERS = ("parquet", "json", "csv", "arrow")  # a `dataset` that is a format of `data_files`
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences to learn from, to choose by and to report on.

    Args:
        train: Sentences to learn from.
        dev: Sentences that choose the weights.
        test: Sentences that are scored once.
        schemes: The scheme of the files for each tag layer; None for tags without spans.
        notes: What was found out or done while reading, a sentence each, to be said aloud.
    """

    train: Sequence[Sentence]
    dev: Sequence[Sentence] = ()
    test: Sequence[Sentence] = ()
    schemes: Mapping[str, Scheme | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def splits(self) -> dict[str, Sequence[Sentence]]:
        """The three splits by name."""
        return {"train": self.train, "dev": self.dev, "test": self.test}

    def to_dataset(self) -> "datasets.DatasetDict":
        """The corpus as a Hugging Face dataset of the splits that it has, which `load_dataset` reads back.

        Raises:
            DataError: A layer is of two kinds, or two columns have one name.
        """
        import datasets  # imported here: loading it takes seconds

        splits = {HUB_SPLITS[name]: sentences for name, sentences in self.splits().items() if sentences}
        return datasets.DatasetDict(to_datasets(splits))

    def push(self, repository: str, **settings: Any) -> None:
        """Upload the corpus to the Hugging Face hub; `settings` as for `datasets.DatasetDict.push_to_hub`."""
        self.to_dataset().push_to_hub(repository, **settings)


def load_corpus(**settings: Any) -> Corpus:
    """The corpus that the keys of a recipe's [data] section describe.

    For example `load_corpus(train="train.conll", test="test.conll", format="conll", columns=["token", "ner"])`. Paths
    are relative to the working directory.

    Raises:
        RecipeError: A key is unknown or has a wrong value.
        DataError: A file does not hold what it must; names every such line.
    """
    seed = settings.pop("seed", 1)
    plain = {key: _plain(value) for key, value in settings.items()}
    return read_corpus(parse_section(DataConfig, plain, where="load_corpus"), seed=seed)


def _plain(value: Any) -> Any:
    """A setting as a TOML file would have it."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def load_dataset(dataset: str | Path, **settings: Any) -> Corpus:
    """The corpus of a Hugging Face dataset, by id or from a folder; `settings` as for `load_corpus`.

    A dataset without a dev split gets one cut from its train split by the seed, which the notes say.

    Raises:
        RecipeError: A setting is unknown or has a wrong value.
        DataError: The dataset cannot be loaded, or its columns do not fit.
    """
    return cut_dev(load_corpus(dataset=str(dataset), **settings), seed=settings.get("seed", 1))


def read_corpus(config: DataConfig, *, folder: Path | None = None, from_files: bool = False, seed: int = 1) -> Corpus:
    """The corpus of a [data] section.

    Args:
        config: The section.
        folder: Where relative paths start, that of a dataset too if it is there; the working directory if left out.
        from_files: Read files even where the section names a dataset.
        seed: Cuts and generates.

    Raises:
        DataError: A file or dataset does not hold what it must.
    """
    folder = folder or Path()
    said: list[str] = []
    splits: dict[str, list[list[Sentence]]]
    lazy: LazySentences | None = None
    tally = Tally(config.misaligned, config.nested)
    if config.dataset is not None and not (from_files and config.train is not None):
        place = folder / config.dataset
        dataset = str(place) if place.is_dir() else config.dataset
        lazy, read, said = read_dataset(_in_folder(config, folder), dataset)
        splits = {name: [sentences] for name, sentences in read.items()}
    elif config.format == "synthetic":
        splits = {name: [sentences] for name, sentences in _generate(config.sentences or 0, seed).items()}
    else:
        files = {"train": config.train, "dev": config.dev, "test": config.test}
        splits = {name: _read_split(paths, config.reading(), folder, tally) for name, paths in files.items() if paths}
    for name in ("dev", "test"):
        if config.split is not None and getattr(config.split, name) is not None and name in splits:
            raise DataError(
                f"`split.{name}` cuts {name} from train, which must have none yet, but "
                f"{config.dataset or 'the generated corpus'} has a {name} split; leave out `split.{name}`"
            )
    if lazy is not None:
        corpus = _finish_lazy(lazy, {name: _joined(files) for name, files in splits.items()}, config, seed)
    else:
        corpus = _finish(_split(splits, config.split, seed), config.reading(), tally.notes(), whole=True)
    return replace(corpus, notes=(*said, *corpus.notes))


def _finish_lazy(train: LazySentences, others: Splits, config: DataConfig, seed: int) -> Corpus:
    """The corpus of a train split that stays in its file: what is said of it is said of its telling sentences.

    A mistake that many sentences make is told once for each pair of tags that makes it.
    """
    dev, test = others.get("dev", []), others.get("test", [])
    corpus = _finish({"train": train.telling(), "dev": dev, "test": test}, config.reading(), (), whole=True)
    blank = train.packed.num_blank() + sum(not token.strip() for s in (*dev, *test) for token in s.tokens)
    notes = [note for note in corpus.notes if BLANK not in note] + ([f"kept {blank} {BLANK}"] if blank else [])
    corpus = replace(corpus, train=train.in_schemes(corpus.schemes), notes=tuple(notes))
    if config.split is None:
        return corpus
    rows = _cut_rows(len(train), config.split, seed)
    parts = {name: _taken(corpus.train, rows[name]) for name in SPLITS}
    return replace(corpus, train=parts["train"], dev=[*corpus.dev, *parts["dev"]], test=[*corpus.test, *parts["test"]])


def _in_folder(config: DataConfig, folder: Path) -> DataConfig:
    """The section with its `data_files` in the folder, where they are files that `datasets` reads in a format it has.

    Those of an id or a folder are relative to that, which `datasets` sees to; a URL stays as it is.
    """
    if config.data_files is None or config.dataset not in FILE_READERS:
        return config

    def placed(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(path if "://" in path else str(folder / path) for path in paths)

    files = config.data_files
    moved = {split: placed(p) for split, p in files.items()} if isinstance(files, dict) else placed(files)
    return config.model_copy(update={"data_files": moved})


def read_sentences(paths: Sequence[str | Path], config: ReadingConfig) -> tuple[list[Sentence], tuple[str, ...]]:
    """The sentences of files that are no corpus, such as those to be scored, and what is to be said of them.

    Raises:
        DataError: A file does not hold what it must, or there is no format to read it in.
    """
    if config.format in (None, "synthetic"):
        raise DataError(
            f"{paths[0]}: say the format of the file with --format ({', '.join(FILES[:-1])} or {FILES[-1]})"
        )
    tally = Tally(config.misaligned, config.nested)
    sentences = _joined(_read_files(paths, config, Path(), tally))
    corpus = _finish({"train": [], "dev": [], "test": sentences}, config, tally.notes(), whole=False)
    return list(corpus.test), corpus.notes


def change_reading(trained: Sequence[ReadingConfig], given: Mapping[str, Any]) -> ReadingConfig:
    """How to read files that are like those of training but for what is given.

    Args:
        trained: How the corpora of training were read. Where there are several, or another format is given, nothing
            is taken over from them.
        given: Keys of a recipe's [data] section; None stands for a key that is not given.

    Raises:
        RecipeError: A key is unknown or has a wrong value.
    """
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items() if v is not None}
    alike = len(trained) == 1 and plain.get("format", trained[0].format) == trained[0].format
    base = trained[0].model_dump(mode="json", exclude_none=True) if alike else {}
    return parse_section(ReadingConfig, {**base, **plain}, where="evaluate")


def cut_dev(corpus: Corpus, *, seed: int) -> Corpus:
    """The corpus with a dev split: its own, or else a tenth of train, cut by the seed and said in the notes."""
    if corpus.dev:
        return corpus
    rows = _cut_rows(len(corpus.train), SplitConfig(dev=CUT_DEV), seed)
    train, dev = _taken(corpus.train, rows["train"]), list(_taken(corpus.train, rows["dev"]))
    note = f"no dev split is named: cut {len(dev)} of {len(corpus.train)} train sentences by seed {seed}"
    return replace(corpus, train=train, dev=dev, notes=(*corpus.notes, note))


def _generate(sentences: int, seed: int) -> Splits:
    """A generated corpus: that many sentences for train, a tenth as many each for dev and test."""
    sizes = {"train": sentences, "dev": max(1, sentences // 10), "test": max(1, sentences // 10)}
    return {
        "train": list(generate(sizes["train"], seed=seed, split="train")),
        "dev": list(generate(sizes["dev"], seed=seed, split="dev")),
        "test": list(generate(sizes["test"], seed=seed, split="test")),
    }


def _read_split(
    paths: tuple[str, ...] | dict[str, str], config: ReadingConfig, folder: Path, tally: Tally
) -> list[list[Sentence]]:
    """The sentences of each file of a split."""
    if isinstance(paths, dict):
        if config.format != "labelled" or config.layer is None:
            raise DataError(f'a table class = path needs `format = "labelled"`, got "{config.format}"')
        return read_classes(
            {label: folder / path for label, path in paths.items()}, config.layer, tokenize=config.tokenize
        )
    return _read_files(paths, config, folder, tally)


def _read_files(paths: Sequence[str | Path], config: ReadingConfig, folder: Path, tally: Tally) -> list[list[Sentence]]:
    """The sentences of each file; documents of several files are told apart by the file's number, such as `2.1`."""
    files = [_read_file(path, config, folder, tally) for path in paths]
    if len(files) == 1:
        return files
    return [[_in_file(sentence, number) for sentence in file] for number, file in enumerate(files, 1)]


def _in_file(sentence: Sentence, number: int) -> Sentence:
    return sentence if sentence.document is None else replace(sentence, document=f"{number}.{sentence.document}")


def _read_file(path: str | Path, config: ReadingConfig, folder: Path, tally: Tally) -> list[Sentence]:
    path = folder / path
    match config.format:
        case "conll":
            return read_conll(path, config.columns or (), config.layers)
        case "conllu":
            return read_conllu(path, config.layers, tally)
        case "jsonl":
            return read_json(path, config, tally)
        case "brat":
            return read_brat(path, config, tally)
        case "labelled" if config.layer is not None:
            return read_labelled(
                path, config.layer, tokenize=config.tokenize, columns=config.columns, classes=config.classes
            )
    raise DataError(f"{path}: needs a format to be read from files; name `format` in the recipe")


def _split(splits: Mapping[str, list[list[Sentence]]], config: SplitConfig | None, seed: int) -> Splits:
    """Train, dev and test after the recipe's split, if it has one."""
    files = {name: splits.get(name, []) for name in SPLITS}
    if config is None or config.every is None:
        joined = {name: [s for file in files[name] for s in file] for name in SPLITS}
        return joined if config is None else _cut(joined, config, seed)
    goes = {config.dev: "dev", config.test: "test"}
    out: Splits = {"train": [], "dev": _joined(files["dev"]), "test": _joined(files["test"])}
    for file in files["train"]:
        for i, sentence in enumerate(file):
            out[goes.get(i % config.every, "train")].append(sentence)
    return out


def _joined(files: Iterable[list[Sentence]]) -> list[Sentence]:
    return [sentence for file in files for sentence in file]


def _cut(splits: Splits, config: SplitConfig, seed: int) -> Splits:
    """Move seeded shares of train, at least one sentence each, to dev and test; the order of the sentences stays."""
    rows = _cut_rows(len(splits["train"]), config, seed)
    kept = {"train": [], "dev": splits["dev"], "test": splits["test"]}
    return {name: [*kept[name], *_taken(splits["train"], rows[name])] for name in SPLITS}


def _cut_rows(total: int, config: SplitConfig, seed: int) -> dict[str, NDArray[np.int64]]:
    """Which of `total` rows go to each split, in order."""
    order = np.random.default_rng(seed).permutation(total)
    dev = _amount(config.dev, total, left=total)
    test = _amount(config.test, total, left=total - dev)
    parts = {"dev": order[:dev], "test": order[dev : dev + test], "train": order[dev + test :]}
    return {name: np.sort(part) for name, part in parts.items()}


def _taken(sentences: Sequence[Sentence], rows: NDArray[np.int64]) -> Sequence[Sentence]:
    """The sentences of these rows; lazy ones stay in their file."""
    if isinstance(sentences, LazySentences):
        return sentences.select(rows)
    return [sentences[i] for i in rows.tolist()]


def _amount(share: float | None, total: int, *, left: int) -> int:
    """How many sentences a share is: at least one, and at most so many that one of those left stays in train."""
    return max(0, min(max(1, round(share * total)), left - 1)) if share else 0


def _finish(splits: Splits, config: ReadingConfig, said: Sequence[str], *, whole: bool) -> Corpus:
    """The corpus of raw splits: schemes found and held against the tags, types renamed and dropped.

    `said` are the notes of the readers. A whole corpus must have every type that is to be renamed or dropped; some of
    its sentences need not.
    """
    layers = list(dict.fromkeys(n for part in splits.values() for s in part for n in s.layers))
    notes = [*said, *_blank_tokens(splits)]
    schemes: dict[str, Scheme | None] = {}
    for layer in layers:
        if any(isinstance(s.layers.get(layer), TagLayer) for part in splits.values() for s in part):
            schemes[layer] = _scheme_of(layer, splits, config, notes)
    if whole:
        _check_named(layers, schemes, config)
    _check_tags(splits, schemes)
    splits = {name: [with_schemes(s, schemes) for s in part] for name, part in splits.items()}
    splits = _repaired(splits, config, notes)
    splits = _renamed(splits, config, notes, whole=whole)
    return Corpus(splits["train"], splits["dev"], splits["test"], schemes, tuple(notes))


def _tags(splits: Splits, layer: str) -> Iterator[tuple[str, ...]]:
    """The tags of a layer in every sentence that has it."""
    for part in splits.values():
        for sentence in part:
            found = sentence.layers.get(layer)
            if isinstance(found, TagLayer):
                yield found.tags


def _scheme_of(layer: str, splits: Splits, config: ReadingConfig, notes: list[str]) -> Scheme | None:
    """The scheme of a layer: as named by the recipe, or as all splits together show it."""
    distinct = {tag for tags in _tags(splits, layer) for tag in tags}
    if not has_scheme(distinct):
        return None
    if config.scheme is not None:
        return config.scheme
    scheme = detect_scheme(_tags(splits, layer))
    prefixes = {split_tag(tag)[0] for tag in distinct} - {""}
    why = ", for it has no `B-` at all" if scheme == "iob1" and "B" not in prefixes else ""
    notes.append(f"layer `{layer}` reads as {scheme.upper()}{why}")
    return scheme


def _blank_tokens(splits: Splits) -> list[str]:
    """What is to be said of tokens without a visible character, which some published corpora have."""
    blank = [(s, i) for part in splits.values() for s in part for i, t in enumerate(s.tokens) if not t.strip()]
    if not blank:
        return []
    return [f"kept {len(blank)} {BLANK}, the first at {_place(*blank[0])}"]


def _check_named(layers: Sequence[str], schemes: Mapping[str, Scheme | None], config: ReadingConfig) -> None:
    """Refuse a layer or a scheme that the recipe names and the data do not have."""
    for layer, source in (config.layers or {}).items():
        if layer not in layers:
            raise DataError(
                f"`layers` must name what stands in the data, but no sentence has `{layer}` (from `{source}`); "
                f"the layers read are {', '.join(layers) or 'none'}"
            )
    if config.scheme is not None and not any(schemes.values()):
        raise DataError(
            f"`scheme` is {config.scheme}, but no layer has its tags, such as {RULES[config.scheme].prefixes[0]}-PER; "
            f"mend the tags, or leave out `scheme` if they have no spans (layers read: {', '.join(layers) or 'none'})"
        )


def _check_tags(splits: Splits, schemes: Mapping[str, Scheme | None]) -> None:
    """Hold every tag against the scheme of its layer."""
    problems = []
    for sentence in _joined(splits.values()):
        for layer, scheme in schemes.items():
            found = sentence.layers.get(layer)
            if scheme is None or not isinstance(found, TagLayer):
                continue
            for i, tag in enumerate(found.tags):
                if not is_tag(tag, scheme):
                    fits = [name for name in RULES if is_tag(tag, name)]
                    advice = f'pass scheme="{fits[0]}" if the file uses it' if fits else "mend the tag"
                    problems.append(f"{_place(sentence, i)}: tag {tag!r} is no {describe(scheme)}; {advice}")
    if problems:
        raise DataError.of(problems)


def _place(sentence: Sentence, token: int) -> str:
    return sentence.origin.at(token) if sentence.origin else f"sentence {sentence.text[:40]!r}, token {token + 1}"


def _mapped(sentence: Sentence, change: Callable[[str, TagLayer], TagLayer]) -> Sentence:
    """The sentence with each of its tag layers changed."""
    layers = {n: change(n, layer) if isinstance(layer, TagLayer) else layer for n, layer in sentence.layers.items()}
    return replace(sentence, layers=layers)


def _repaired(splits: Splits, config: ReadingConfig, notes: list[str]) -> Splits:
    """Refuse invalid sequences of tags, or repair and count them where the recipe says so."""
    problems: list[str] = []

    def repair(name: str, layer: TagLayer, sentence: Sentence) -> TagLayer:
        if layer.scheme is None or not (wrong := invalid_positions(layer.tags, layer.scheme)):
            return layer
        for i in wrong:
            before = f"after {layer.tags[i - 1]!r}" if i else "at the start of a sentence"
            problems.append(
                f"{_place(sentence, i)}: tag {layer.tags[i]!r} {before} is not valid {layer.scheme.upper()} in layer "
                f'`{name}`; mend it, or repair it by conlleval\'s rule with invalid = "repair"'
            )
        return replace(layer, tags=tuple(repair_tags(layer.tags, layer.scheme)))

    out = {name: [_mapped(s, partial(repair, sentence=s)) for s in part] for name, part in splits.items()}
    if problems and config.invalid == "error":
        raise DataError.of(problems)
    if problems:
        notes.append(f"repaired {len(problems)} invalid tags by conlleval's rule")
    return out


def _renamed(splits: Splits, config: ReadingConfig, notes: list[str], *, whole: bool) -> Splits:
    """Rename and drop entity types and classes as the recipe says; a sentence whose class is dropped goes with it."""
    if not config.rename and not config.drop:
        return splits
    seen: Counter[str] = Counter()

    def rename(name: str, layer: TagLayer) -> TagLayer:
        if layer.scheme is None:
            return layer
        spans = tags_to_spans(layer.tags, layer.scheme)
        seen.update(span.type for span in spans)
        kept = [span._replace(type=config.rename.get(span.type, span.type)) for span in spans if span.type not in drop]
        return replace(layer, tags=tuple(spans_to_tags(kept, len(layer.tags), layer.scheme)))

    drop = set(config.drop)
    out: Splits = {}
    for split, part in splits.items():
        out[split] = []
        for sentence in part:
            labels = {n: label for n, label in sentence.layers.items() if isinstance(label, Label)}
            seen.update(label.value for label in labels.values())
            if not any(label.value in drop for label in labels.values()):
                new = {n: replace(lb, value=config.rename.get(lb.value, lb.value)) for n, lb in labels.items()}
                renamed = _mapped(sentence, rename)
                out[split].append(replace(renamed, layers={**renamed.layers, **new}))
    for name in (*config.rename, *config.drop):
        if whole and name not in seen:
            found = ", ".join(sorted(seen))
            if not found:
                raise DataError(
                    f"`rename` and `drop` must name entity types or classes, got {name!r}, but the data have none; "
                    "leave it out, for tags without spans cannot be renamed"
                )
            raise DataError(f"`rename` and `drop` must name types or classes of the data, got {name!r}; it has {found}")
    notes += [f"renamed {seen[old]} times {old!r} to {new!r}" for old, new in config.rename.items()]
    notes += [f"dropped {seen[name]} times {name!r}" for name in config.drop]
    return out
