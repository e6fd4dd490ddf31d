"""Where the sentences of a corpus are, and what becomes dev and test: the rest of [data], and [data.split]."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from tagger.config.data.reading import ReadingConfig, check_formats
from tagger.config.data.values import A_NUMBER, DataFiles, Files, Fold
from tagger.config.section import Count, NotEmpty, Section, Seed, Weight
from tagger.wording import shorten


class SplitConfig(Section):
    """How to cut dev and test from train, for data without such splits."""

    every: Annotated[int, Field(ge=2, le=10**6)] | None = None
    """Split each file by number: document *i* (from 0), or row *i* of a file without documents, goes to dev if *i*
    modulo `every` is `dev`, to test if it is `test`, else to train.
    Default: documents or rows are drawn at random, with `seed`."""

    dev: Annotated[float | int | None, A_NUMBER] = None
    """What becomes dev: a share of the sentences between 0 and 1, or with `every` a remainder (from 0 to `every` - 1).
    Whole documents are cut, so the share is as near as they allow. Default: no sentence."""

    test: Annotated[float | int | None, A_NUMBER] = None
    """What becomes test, given as for `dev`. Default: no sentence."""

    fold: Fold = None
    """One fold of a cross-validation, such as `[1, 5]` for the first of five: these train sentences become test, in
    place of any other test split, after `dev` and `test` are cut. `tagger train --folds` sets it. Default: no folds."""

    group: NotEmpty | None = None
    """What stays together instead of documents: all sentences with the same value of this key, such as `ticket_id`. It
    is a key of the JSON record or of its `meta`, a comment of a column file, or `"text"`, so that equal texts stay
    together. `"sentence"`: cut between any two sentences, also inside a document. Default: the document."""

    shuffle: bool = True
    """Whether shares are drawn at random. `false`: in the order of the file, train comes first, then dev, then test."""

    seed: Seed = 1
    """Seed of a random split and of folds. It is not the seed of the run, so runs with other seeds have the same test
    set."""

    @model_validator(mode="after")
    def _cuts_something(self) -> Self:
        only_fold = self.dev is None and self.test is None
        if only_fold and (self.fold is None or self.every is not None):
            raise ValueError("must name `dev`, `test` or both")
        if not self.shuffle and only_fold:
            raise ValueError("`shuffle` is for `dev` and `test`, got only `fold`; remove it")
        if not self.shuffle and self.every is not None:
            raise ValueError("`shuffle` is for shares alone, got `every` too; remove one of them")
        return self

    @model_validator(mode="after")
    def _remainders_or_shares(self) -> Self:
        for name, value in (("dev", self.dev), ("test", self.test)):
            if value is None:
                continue
            if self.every is None and not 0 < value < 1:
                raise ValueError(f"`{name}` must be a share between 0 and 1, got {shorten(value)}")
            if self.every is not None and (not isinstance(value, int) or not 0 <= value < self.every):
                raise ValueError(
                    f"`{name}` must be a remainder from 0 to {self.every - 1} beside `every`, got {shorten(value)}"
                )
        if self.every is None and (self.dev or 0) + (self.test or 0) >= 1:
            raise ValueError("`dev` and `test` together must leave a share for train")
        if self.every is not None and self.dev is not None and self.dev == self.test:
            raise ValueError(f"`dev` and `test` must be different remainders, got {shorten(self.dev)} twice")
        return self


class DataConfig(ReadingConfig):
    """One corpus: where its sentences are and how to read them."""

    dataset: str | None = None
    """Hugging Face dataset: an id on the hub, a folder, or a file type such as `parquet` together with `data_files`."""

    name: str | None = None
    """Configuration of the dataset, for datasets that have several."""

    revision: str | None = None
    """Branch, tag or commit of the dataset on the hub. Default: its main branch."""

    data_files: DataFiles | None = None
    """Files of the dataset to read: paths or patterns, or a table split = paths. Default: all its files."""

    streaming: bool = False
    """Whether to read the rows of the dataset as they arrive, without keeping a copy of it on disk. The sentences are
    still held in memory for training."""

    lazy: bool = False
    """Whether to leave the train sentences of the dataset on disk and make each one when it is needed, so that train
    may be larger than memory."""

    train: Files | None = None
    """Files to train on: a path, a pattern such as `speech/*_[0-4].wav`, or a list of these, absolute or relative to
    the `--data` folder or, without `--data`, to the folder of the recipe. For `labelled`, a table class = path reads
    one sentence per line, all of that class, with `encoding` and `header` but no other key for lines."""

    dev: Files | None = None
    """Files to choose the best epoch with, given as `train`. Default: `split.dev`, or else 10 % of train, cut as by
    `split`."""

    test: Files | None = None
    """Files to score once at the end, given as `train`. Default: `split.test`, or else no test."""

    split: SplitConfig | None = None
    """How to cut dev and test from train."""

    sentences: Count | None = None
    """Number of sentences to generate, for format `synthetic` only (required there)."""

    seed: Seed | None = None
    """Seed of the generated sentences, for format `synthetic` only. Default: the `seed` of the recipe."""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.format is None and self.dataset is None:
            raise ValueError("needs `format` (with files) or `dataset`")
        if self.format == "synthetic" and self.sentences is None:
            raise ValueError('`format = "synthetic"` needs `sentences`, the number to generate')
        if self.format not in (None, "synthetic") and not self.train and self.dataset is None:
            raise ValueError("needs `train`, the file to learn from")
        for name in ("dev", "test"):
            if self.split is not None and getattr(self, name) and getattr(self.split, name) is not None:
                raise ValueError(f"`{name}` names files and `split.{name}` cuts them from train; keep one of the two")
        return self

    @model_validator(mode="after")
    def _fits_source(self) -> Self:
        check_formats(self, {"sentences": ("synthetic",), "seed": ("synthetic",)})
        for name in ("name", "revision", "data_files", "streaming", "lazy"):
            if getattr(self, name) not in (None, False) and self.dataset is None:
                raise ValueError(f"`{name}` is for a `dataset` alone, got no `dataset`")
        if self.lazy and self.streaming:
            raise ValueError("`lazy` reads from a copy on disk, which `streaming` does not keep; keep one of the two")
        if self.lazy and self.types is not None:
            raise ValueError("`lazy` is for a corpus that is the only one, where `types` has no effect; remove `types`")
        if self.lazy and self.scheme == "io":
            raise ValueError('`lazy` leaves tags in the scheme of their file, which must not be "io"; convert the file')
        return self

    def reading(self) -> ReadingConfig:
        """Return the part that says how to read, without the token column of a dataset, because files have none."""
        values = {key: getattr(self, key) for key in ReadingConfig.model_fields}
        if self.dataset is not None and self.layers:
            values["layers"] = {layer: source for layer, source in self.layers.items() if layer != "token"} or None
        return ReadingConfig.model_construct(**values).with_rules(self._rules)

    def files(self) -> list[str]:
        """Return the paths of all splits as the recipe gives them."""
        splits = (self.train, self.dev, self.test)
        return [path for paths in splits for path in (paths.values() if isinstance(paths, dict) else paths or ())]


class CorpusConfig(DataConfig):
    """One of several corpora."""

    weight: Annotated[Weight, Field(le=1000)] = 1.0
    """Factor on the share of each epoch that this corpus gets; see `training.sampling`."""
