"""The [data] section of a recipe: where the sentences of a corpus are, and how to read and split them.

The docstring below each field is the meaning of that key in the reference of recipes.
"""

import codecs
import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, WithJsonSchema, model_validator

from tagger.config.section import Count, Names, Section, Seed, Weight, as_tuple
from tagger.extensions import Reader, find, must_be
from tagger.text.choices import Invalid, Misaligned, Nested, Several
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Segment, Split, TextRules, Tokenize
from tagger.text.word_tables import check_language
from tagger.wording import quoted, shorten

SPANNED = ("jsonl", "brat", "webanno", "docbin", "pubtator", "rasa", "xml")  # formats of texts with character spans


def _as_files(value: object) -> object:
    """Return one path or several as a tuple; a table class → path (for labelled text) stays a table."""
    named = isinstance(value, dict) and all(isinstance(path, str) for path in value.values())
    listed = isinstance(value, list) and all(isinstance(path, str) for path in value)
    if not (named or listed or isinstance(value, (str, tuple))):
        raise ValueError(f"must be a path, a list of paths or a table class = path, got {shorten(value)}")
    return as_tuple(value)


def _as_number(value: object) -> object:
    """Return a number unchanged, or refuse the value once (pydantic would report each type of the union)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        raise ValueError(f"must be a number, got {shorten(value)}")
    return value


def _as_data_files(value: object) -> object:
    """Return paths or patterns as a tuple, or a table split → such a tuple."""
    if isinstance(value, dict):
        return {split: _as_files(paths) for split, paths in value.items()}
    return _as_files(value)


def _known_format(name: str) -> str:
    """Return the name of a format unchanged, or refuse it."""
    if name not in Reader.built_in and find(Reader, name) is None:
        raise ValueError(must_be(Reader, name))
    return name


def _as_new_name(value: object) -> object:
    """Return the new name of a type or class unchanged, or refuse it."""
    if isinstance(value, str) and (value.strip() != value or value == "O"):
        advice = "to remove a type, list it in `drop`" if value == "O" else "remove the spaces around it"
        raise ValueError(f"must be the name of a type or class, got {shorten(value)}; {advice}")
    return value


def _as_language(value: object) -> object:
    """Return the code of a language that has rules unchanged, or refuse it."""
    check_language(str(value))
    return value


def _as_header(value: object) -> object:
    """Return a number of lines, or whether there is one, unchanged; refuse other values once."""
    if value is not None and (not isinstance(value, int) or not 0 <= value <= 1000):
        raise ValueError(f"must be a number of lines from 0 to 1,000, or true or false, got {shorten(value)}")
    return value


def _as_characters(value: object) -> object:
    """Return characters that are not white space unchanged, or refuse them."""
    if not isinstance(value, str) or any(char.isspace() for char in value):
        raise ValueError(f"must be characters without white space, such as '/#-', got {shorten(value)}")
    return value


DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "blanks": " "}


def _as_delimiter(value: object) -> object:
    """Return a delimiter as a character, or refuse it."""
    if isinstance(value, str):
        value = DELIMITERS.get(value, value)
    if not isinstance(value, str) or len(value) != 1 or value in "\r\n\0":
        raise ValueError(f"must be a character or one of {', '.join(DELIMITERS)}, got {shorten(value)}")
    return value


def _as_encoding(value: object) -> object:
    """Return the name of an encoding of text, or refuse it."""
    try:
        if isinstance(value, str) and codecs.lookup(value)._is_text_encoding:
            return value
    except (LookupError, ValueError):
        pass
    raise ValueError(f"must be the name of an encoding in Python, such as cp1252 or utf-16, got {shorten(value)}")


Files = Annotated[tuple[str, ...] | dict[str, str], BeforeValidator(_as_files)]

DataFiles = Annotated[tuple[str, ...] | dict[str, tuple[str, ...]], BeforeValidator(_as_data_files)]


def _as_fold(value: object) -> object:
    """Return the number of a fold and the number of folds as a tuple, or refuse the value once."""
    pair = as_tuple(value)
    if isinstance(pair, tuple) and len(pair) == 2 and all(type(part) is int for part in pair):
        number, total = pair
        if 2 <= total <= 1000 and 1 <= number <= total:
            return pair
    raise ValueError(f"must be a fold and the number of folds (2 to 1,000), such as [1, 5], got {shorten(value)}")


class SplitConfig(Section):
    """How to cut dev and test from train, for data without such splits."""

    every: Annotated[int, Field(ge=2, le=10**6)] | None = None
    """Split each file by number: document *i* (from 0), or row *i* of a file without documents, goes to dev if *i*
    modulo `every` is `dev`, to test if it is `test`, else to train.
    Default: documents or rows are drawn at random, with `seed`."""

    dev: Annotated[float | int | None, BeforeValidator(_as_number)] = None
    """What becomes dev: a share of the sentences between 0 and 1, or with `every` a remainder (from 0 to `every` - 1).
    Whole documents are cut, so the share is as near as they allow. Default: no sentence."""

    test: Annotated[float | int | None, BeforeValidator(_as_number)] = None
    """What becomes test, given as for `dev`. Default: no sentence."""

    fold: Annotated[tuple[int, int] | None, BeforeValidator(_as_fold)] = None
    """One fold of a cross-validation, such as `[1, 5]` for the first of five: these train sentences become test, in
    place of any other test split, after `dev` and `test` are cut. `tagger train --folds` sets it. Default: no folds."""

    group: Annotated[str, Field(min_length=1)] | None = None
    """What stays together instead of documents: all sentences with the same value of this key, such as `ticket_id`. It
    is a key of the JSON record or of its `meta`, a comment of a column file, or `"text"`, so that equal texts stay
    together. `"sentence"`: cut between any two sentences, also inside a document. Default: the document."""

    shuffle: bool = True
    """Whether shares are drawn at random. `false`: in the order of the file, train comes first, then dev, then test."""

    seed: Seed = 1
    """Seed of a random split and of folds. It is not the seed of the run, so runs with other seeds have the same test
    set."""

    @model_validator(mode="after")
    def _shares_or_remainders(self) -> "SplitConfig":
        if self.dev is None and self.test is None and (self.fold is None or self.every is not None):
            raise ValueError("must name `dev`, `test` or both")
        if not self.shuffle and self.dev is None and self.test is None:
            raise ValueError("`shuffle` is for `dev` and `test`, got only `fold`; remove it")
        if not self.shuffle and self.every is not None:
            raise ValueError("`shuffle` is for shares alone, got `every` too; remove one of them")
        for name, value in (("dev", self.dev), ("test", self.test)):
            if value is None:
                continue
            if self.every is not None and (not isinstance(value, int) or not 0 <= value < self.every):
                raise ValueError(
                    f"`{name}` must be a remainder from 0 to {self.every - 1} beside `every`, got {shorten(value)}"
                )
            if self.every is None and not 0 < value < 1:
                raise ValueError(f"`{name}` must be a share between 0 and 1, got {shorten(value)}")
        if self.every is not None and self.dev is not None and self.dev == self.test:
            raise ValueError(f"`dev` and `test` must be different remainders, got {shorten(self.dev)} twice")
        if self.every is None and (self.dev or 0) + (self.test or 0) >= 1:
            raise ValueError("`dev` and `test` together must leave a share for train")
        return self


class ClassRange(Section):
    """The range of numbers that form one class. A class without `above` and `below` takes all numbers that are left."""

    above: Annotated[float | None, BeforeValidator(_as_number)] = None
    """The number must be greater than this. Default: no lower limit."""

    below: Annotated[float | None, BeforeValidator(_as_number)] = None
    """The number must be less than this. Default: no upper limit."""

    @model_validator(mode="after")
    def _holds_numbers(self) -> "ClassRange":
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(f"`above` must be less than `below`, got {shorten(self.above)} and {shorten(self.below)}")
        return self

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


class FramesReading(Section):
    """How to read files of numbers (format `frames`)."""

    time: Annotated[str, Field(min_length=1)] | None = None
    """Column of CSV with the time of each step, a number or a date such as `2026-03-01 12:30:00`. A number must be
    seconds since 1970 if `cycles` are used; `20260301` is a number too. Default: a column named `time`, `timestamp`,
    `datetime`, `date` or `ds`, otherwise none: then steps have numbers."""

    values: Annotated[Names, Field(min_length=1)] | None = None
    """Columns of CSV with numbers. An empty field is a missing number. Default: all that no other key names."""

    label: Annotated[str, Field(min_length=1)] | None = None
    """Column of CSV with the tag of each step. Series to be tagged need not have it. Default: none."""

    windows: Annotated[str, Field(min_length=1)] | None = None
    """JSON file with labelled ranges of time for each series: `{"NAME.csv": [["START", "END"], ...]}`. Its path is
    relative to the folder of the series. Steps in a range, including both ends, have the tag `tag`, all others `O`.
    Default: none."""

    tag: Annotated[str, Field(min_length=1)] = "anomaly"
    """Tag of the steps in the ranges of `windows`."""

    window: Count | None = None
    """Number of steps into which a series of CSV is cut; the last window may be shorter. All windows of a file are one
    document. Default: the whole series is one sequence."""

    hop: Count | None = None
    """Number of steps from the start of a train window to that of the next. Windows that are scored or tagged follow
    one another without overlap. Default: `window`."""

    cycles: Annotated[tuple[Literal["day", "week", "year"], ...], BeforeValidator(as_tuple)] = ()
    """Cycles of time whose phase each step gets as two more numbers, sine and cosine: for series that repeat after a
    `day`, a `week` or a `year`. Needs a column of times. Default: none."""

    ahead: Count | None = None
    """Number of steps after each window whose numbers, of the first column of `values`, are the layer `next`: what a
    head of kind `values` with `per = "sentence"` forecasts. A window without so many steps after it lacks the layer.
    All windows then begin `hop` steps after one another, also those that are scored or tagged. Default: no layer."""

    @model_validator(mode="after")
    def _consistent(self) -> "FramesReading":
        if self.ahead is not None and self.window is None:
            raise ValueError("`ahead` needs `window`, the number of steps that a forecast reads, got none; set it")
        used = [name for name in (self.time, self.label, *(self.values or ())) if name is not None]
        if twice := [name for name in used if used.count(name) > 1]:
            raise ValueError(
                "`time`, `label` and `values` must be different columns, because the model must not read what it "
                f"predicts, got `{twice[0]}` twice; remove one"
            )
        if self.label is not None and self.windows is not None:
            raise ValueError("`label` and `windows` both give the tags of steps; keep one of the two")
        if self.hop is not None and (self.window is None or self.hop > self.window):
            got = "no `window`" if self.window is None else f"`window = {self.window}`"
            raise ValueError(f"`hop` must be at most `window`, so that no step is lost, got {self.hop} and {got}")
        return self


def _as_pattern(value: str) -> str:
    """Return a regular expression with named parts unchanged, or refuse it."""
    try:
        names = re.compile(value).groupindex
    except re.error as error:
        raise ValueError(f"must be a regular expression, got {shorten(value)}: {error}") from None
    if not names:
        raise ValueError(f"must have a named part, such as (?P<speaker>[a-z]+), got {shorten(value)}")
    return value


Milliseconds = Annotated[float, Field(ge=0.1, le=10_000)]


class AudioReading(Section):
    """How to read recordings (format `wav`)."""

    kind: Literal["mfcc", "log-mel"] = "mfcc"
    """Features of a step: the logarithms of the energies in bands of the mel scale (`log-mel`), or the cepstral
    coefficients made of them (`mfcc`), as Kaldi computes them."""

    window: Milliseconds = 25.0
    """Milliseconds of sound that a step describes."""

    hop: Milliseconds = 10.0
    """Milliseconds from one step to the next."""

    bands: Annotated[int, Field(ge=4, le=200)] = 23
    """Number of bands of the mel scale, from 20 Hz to half the sampling rate."""

    coefficients: Annotated[int, Field(ge=1, le=200)] = 13
    """Number of coefficients (`mfcc`), the first of which is the energy; at most `bands`."""

    name: Annotated[str, AfterValidator(_as_pattern)] | None = None
    """Regular expression of the whole name of a file without its suffix, such as
    `(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<take>[0-9]+)`. Its named parts are sources of `layers`, and metadata.
    Default: none."""

    table: Annotated[str, Field(min_length=1)] | None = None
    """CSV file with a header and a row for each recording, whose column `file` has its name, or its path relative to
    the table if several folders have files of one name. The other columns are sources of `layers`, and metadata. The
    path of the table is relative to the folder of the recording. Default: none."""

    @model_validator(mode="after")
    def _coefficients_of_bands(self) -> "AudioReading":
        if self.kind == "mfcc" and self.coefficients > self.bands:
            raise ValueError(f"`coefficients` must be at most `bands`, got {self.coefficients} and {self.bands}")
        return self


class ReadingConfig(Section):
    """How to read the sentences of a corpus, but not where they are."""

    layers: dict[str, str] | None = None
    """Where each layer comes from, as a table layer = source. The source is a field of CoNLL-U, a column of a dataset,
    a key of a JSON record, a comment such as `"# intent"`, `tags` or a part of the header of FASTA, or a part of the
    name of a recording. In a dataset, `token` names the column of tokens or text.
    Default: `upos` and `xpos` of CoNLL-U; all columns and keys that hold tags or labels of datasets and JSON."""

    format: Annotated[str, AfterValidator(_known_format), WithJsonSchema({"enum": Reader.built_in})] | None = None
    """Format of the files; see *Data formats*. `text` has no layers, so it is for corpora that teachers label: each
    line is one sentence, or is divided by `segment = "rules"`. `synthetic` reads no file but generates sentences.
    The name of your own reader is a format too. Required unless `dataset` is given."""

    columns: Names | None = None
    """What each column holds, from left to right: `token`, the name of a layer, or `_` for a column to ignore. For
    `conll` one column must be `token`; `index`, `start`, `end`, `document`, `sentence` (a new value begins a sentence)
    and `sentence_end` are no layers either, and a last `...` is any number of ignored columns. Default for `conll`:
    detected and reported. For `labelled` one must be `text` and one the `layer`; default there: as the header says,
    otherwise label and text, in the order that is detected."""

    delimiter: Annotated[str, BeforeValidator(_as_delimiter)] | None = None
    """What separates the columns of a line (`conll`, `labelled`, CSV of `frames`): a character, or `tab`, `comma`,
    `semicolon` or `blanks`. Default: detected."""

    quote: Annotated[str, Field(max_length=1)] | None = None
    """Character around fields that hold the delimiter, doubled inside them; `""` for none (`conll`, `labelled`).
    Default: `"` if commas, semicolons or vertical bars separate the columns, else none."""

    comments: Annotated[str, Field(min_length=1)] | None = None
    """How a comment line starts, such as `###` (`conll`). Such lines are never tokens. Default: detected; `# ` and
    `#key = value` start a comment before the first token of a sentence."""

    boundary: Annotated[Names, Field(min_length=1)] | None = None
    """Lines that separate sentences beside blank ones, such as `"<>"` or `["<>", "<end>"]` (`conll`). Default: blank
    lines alone."""

    header: Annotated[Annotated[int, Field(ge=0, le=1000)] | bool | None, BeforeValidator(_as_header)] = None
    """Number of lines before the first token that name the columns, or `true` for one and `false` for none (`conll`,
    `labelled`). They are skipped. Default: a line that names the columns is detected and reported."""

    encoding: Annotated[str, BeforeValidator(_as_encoding)] | None = None
    """Encoding of the files, by its name in Python, such as `cp1252`. Default: UTF-8, or UTF-16 if the file starts with
    its byte order mark."""

    layer: str | None = None
    """Layer that receives the label (`labelled`; required there), the entities (character spans; default: `ner`) or the
    tags (`parallel`, `tagged`; default: `ner`, or `tags` and `pos` if they are no entities). For `frames`, the tags of
    CSV (default: `tags`) or the label of a `.ts` series (default: `label`)."""

    scheme: Scheme | None = None
    """Scheme of the entity tags in the files. Default: detected from the tags and reported."""

    invalid: Invalid = "error"
    """What to do with tag sequences that are invalid in their scheme. `repair` reads them as the CoNLL evaluation
    script does, and reports how many tags changed."""

    unknown: Annotated[str, Field(min_length=1)] | None = None
    """Mark of unknown tags in columns (`conll`, `conllu`), such as `?`: nothing is learned from a token with it, and it
    counts in no score. In JSON an unknown tag is `null`. Default: no mark."""

    types: Annotated[Names, Field(min_length=1)] | None = None
    """Entity types that this corpus annotates, after `rename` and `drop`. Then `O` only means that there is none of
    these, and the types of other corpora count as unknown here, in training and in scores. In a corpus with labels and
    no entities: its classes. Then nothing is learned about the classes of other corpora, and the most probable of these
    is scored. Default: all types and classes."""

    misaligned: Misaligned = "error"
    """What to do in train with an entity whose characters do not align with tokens, that overlaps another, or that
    crosses the end of a sentence (character spans): stop with an error, drop it, or expand it to whole tokens and join
    its sentences. Entities of one type that meet because they were expanded become one. The number of such entities is
    reported. In dev, test and `tagger evaluate` such an entity counts as missed."""

    nested: Nested = "error"
    """Which of two nested entities to keep in train (character spans), or `layers` to keep both: those inside others
    of the layer `ner` become the layer `ner2`, and so on. The number of removed entities is reported.
    In dev, test and `tagger evaluate` the outermost is kept, and the others count as missed."""

    rename: dict[str, Annotated[str, BeforeValidator(_as_new_name), Field(min_length=1)]] = Field(default_factory=dict)
    """New names of entity types and classes, as a table old = new. Two types with the same new name become one."""

    drop: Names = ()
    """Entity types to remove from the tags, and classes whose sentences to remove."""

    tokenize: Tokenize = "words"
    """How to split raw text into tokens: into words and punctuation (`words`); exactly as spaCy does (`spacy`); only at
    white space (`blanks`), for text that is already tokenised; into characters (`characters`), for scripts without
    blanks, such as Chinese, Japanese and Thai; or into symbols (`symbols`), one for every character that is not white
    space, as in `ACGT`. The model splits text in the same way when it tags."""

    language: Annotated[str, BeforeValidator(_as_language)] = "en"
    """Code of the language whose rules `words` and `spacy` follow: any that spaCy has rules for, such as `de` or `fr`;
    `xx` has general rules for all languages."""

    split_on: Annotated[str, BeforeValidator(_as_characters), Field(max_length=100)] = ""
    """Characters that are always tokens of their own, such as `"/#-"`. Default: as the other rules say."""

    segment: Segment | None = None
    """Where the sentences of a text end: at marks such as `.` and `?` (`rules`), at line breaks (`lines`), or only with
    the text (`none`). A text with a label of its own is always one sentence. Default: `lines` if `tokenize` is
    `blanks` or `symbols`, otherwise `rules`."""

    classes: Annotated[dict[str, ClassRange], Field(min_length=2)] | None = None
    """For `labelled` text whose labels are numbers: the range of each class, for example
    `{ negative = { below = 0.4 }, positive = { above = 0.6 }, neutral = {} }`. Default: labels are names."""

    several: Several = "error"
    """What to do with a text that has several labels (`labelled`, `jsonl`): skip it, or join them with `+` to one name.
    The number of such texts is reported. In a column, several labels are numbers separated by commas."""

    text: Annotated[str | None, Field(min_length=1)] = None
    """Key of the text in `jsonl` with character spans, such as `body`. Default: `text`, `data`, or the only key whose
    text agrees with the spans."""

    numbers: Names = ()
    """Layers whose tags or labels are numbers, for heads of kind `values`. A label may have several, with blanks
    between them; `nan` is unknown. Numbers in the table `values` of `jsonl` need no mention."""

    frames: FramesReading | None = None
    """How files of numbers are read (`frames`): a section `[data.frames]`."""

    audio: AudioReading | None = None
    """How recordings are read (`wav`): a section `[data.audio]`."""

    _rules: TextRules | None = PrivateAttr(None)

    @property
    def of_files(self) -> bool:
        """Whether the corpus is read from files with labels."""
        return self.format not in (None, "text", "synthetic")

    @property
    def text_rules(self) -> TextRules:
        """Return how a text becomes sentences and tokens: as the keys say, or as `with_rules` has set it."""
        return self._rules or TextRules(self.tokenize, self.language, self.split_on, self.segment)

    @property
    def given_rules(self) -> TextRules | None:
        """Return what `with_rules` has set."""
        return self._rules

    def with_rules(self, rules: TextRules | None) -> Self:
        """Return a copy that splits texts by these rules, such as those of a model; None for those of the keys."""
        copy = self.model_copy()
        copy._rules = rules
        return copy

    def with_function(self, tokenize: Split) -> Self:
        """Return a copy that splits texts into tokens by a function."""
        return self.with_rules(self.text_rules.with_function(tokenize))

    @model_validator(mode="after")
    def _fits_format(self) -> "ReadingConfig":
        if self.format == "labelled" and self.layer is None:
            raise ValueError('`format = "labelled"` needs `layer`, the name of the layer to read into')
        named = [name for name in self.columns or () if name != "_"]
        if self.format == "conll" and self.columns is not None and "token" not in named:
            raise ValueError('one of the `columns` must be "token"')
        if "..." in named[:-1]:
            raise ValueError('"..." must be the last of the `columns`')
        if len(set(named)) < len(named):
            raise ValueError("`columns` must have different names; call ignored columns `_`")
        if twice := set(self.rename) & set(self.drop):
            raise ValueError(f"`rename` and `drop` must not name the same, got {quoted(sorted(twice))} in both")
        if self.layer is not None:
            _alone("layer", ("labelled", "parallel", "tagged", "jsonl", "brat", "frames"), self.format)
        if self.columns is not None:
            _alone("columns", ("conll", "labelled"), self.format)
        for key in ("delimiter", "quote", "header", "comments", "boundary"):
            if getattr(self, key) is not None:
                columns, texts = ("conll",), ("conll", "labelled")
                found = {"comments": columns, "boundary": columns, "delimiter": (*texts, "frames")}
                _alone(key, found.get(key, texts), self.format)
        if self.frames is not None:
            _alone("frames", ("frames",), self.format)
        if self.audio is not None:
            _alone("audio", ("wav",), self.format)
        if self.classes is not None:
            _alone("classes", ("labelled",), self.format)
        if self.format == "labelled":
            self._fits_labelled_text()
        if self.unknown is not None:
            _alone("unknown", ("conll", "conllu"), self.format)
        if self.layers is not None and self.format == "brat":
            raise ValueError('`layers` is not for format = "brat"; name the layer of its entities in `layer`')
        for key in ("encoding", "layers"):
            if getattr(self, key) is not None and self.format is not None and self.format not in Reader.built_in:
                raise ValueError(
                    f'`{key}` is for formats of the library, got format = "{self.format}", whose reader does not know '
                    "the key; remove it"
                )
        if self.several != "error":
            _alone("several", ("labelled", "jsonl"), self.format)
        if self.text is not None:
            _alone("text", ("jsonl",), self.format)
        for key in ("misaligned", "nested"):
            if getattr(self, key) != "error":
                _alone(key, SPANNED, self.format)
        return self

    def _fits_labelled_text(self) -> None:
        if self.columns is not None and not {self.layer, "text"} <= set(self.columns):
            raise ValueError(f'`columns` of labelled text must name "{self.layer}" (its `layer`) and "text"')
        if sum(part == ClassRange() for part in (self.classes or {}).values()) > 1:
            raise ValueError("`classes` must have at most one class without `above` and `below`, for the rest")


def _alone(key: str, wanted: Sequence[str], found: str | None) -> None:
    """Refuse a key that has no effect in the format found."""
    if found not in wanted:
        got = "no `format`" if found is None else f'format = "{found}"'
        names = " or ".join(f'"{name}"' for name in wanted)
        raise ValueError(f"`{key}` is for format = {names} alone, got {got}")


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

    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """Seed of the generated sentences, for format `synthetic` only. Default: the `seed` of the recipe."""

    @model_validator(mode="after")
    def _says_where(self) -> "DataConfig":
        if self.format is None and self.dataset is None:
            raise ValueError("needs `format` (with files) or `dataset`")
        if self.format == "synthetic" and self.sentences is None:
            raise ValueError('`format = "synthetic"` needs `sentences`, the number to generate')
        if self.format not in (None, "synthetic") and not self.train and self.dataset is None:
            raise ValueError("needs `train`, the file to learn from")
        for name in ("dev", "test"):
            if self.split is not None and getattr(self, name) and getattr(self.split, name) is not None:
                raise ValueError(f"`{name}` names files and `split.{name}` cuts them from train; keep one of the two")
        for key in ("sentences", "seed"):
            if getattr(self, key) is not None:
                _alone(key, ("synthetic",), self.format)
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
