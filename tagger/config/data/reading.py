"""How to read the sentences of files and datasets: the keys of [data] that say what a file holds.

`FORMATS_OF_KEYS` says which keys only some formats take.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, WithJsonSchema, model_validator

from tagger.config.data.numbers import AudioReading, FramesReading
from tagger.config.data.values import A_NUMBER, Characters, Delimiter, Encoding, Header, Language, NewName
from tagger.config.kinds import known
from tagger.config.section import Names, NotEmpty, Section
from tagger.extensions import Reader
from tagger.text.choices import Invalid, Misaligned, Nested, Several
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Segment, Split, TextRules, Tokenize
from tagger.wording import quoted, shorten

SPANNED = ("jsonl", "brat", "webanno", "docbin", "pubtator", "rasa", "xml")  # formats of texts with character spans
FORMATS_OF_KEYS = {  # keys that have no effect in other formats
    "layer": ("labelled", "parallel", "tagged", "jsonl", "brat", "frames"),
    "columns": ("conll", "labelled"),
    "delimiter": ("conll", "labelled", "frames"),
    "quote": ("conll", "labelled"),
    "header": ("conll", "labelled"),
    "comments": ("conll",),
    "boundary": ("conll",),
    "frames": ("frames",),
    "audio": ("wav",),
    "classes": ("labelled",),
    "unknown": ("conll", "conllu"),
    "several": ("labelled", "jsonl"),
    "text": ("jsonl",),
    "misaligned": SPANNED,
    "nested": SPANNED,
}


class ClassRange(Section):
    """The range of numbers that form one class. A class without `above` and `below` takes all numbers that are left."""

    above: Annotated[float | None, A_NUMBER] = None
    """The number must be greater than this. Default: no lower limit."""

    below: Annotated[float | None, A_NUMBER] = None
    """The number must be less than this. Default: no upper limit."""

    @model_validator(mode="after")
    def _holds_numbers(self) -> Self:
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(f"`above` must be less than `below`, got {shorten(self.above)} and {shorten(self.below)}")
        return self

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


class ReadingConfig(Section):
    """How to read the sentences of a corpus, but not where they are."""

    layers: dict[str, str] | None = None
    """Where each layer comes from, as a table layer = source. The source is a field of CoNLL-U, a column of a dataset,
    a key of a JSON record, a comment such as `"# intent"`, `tags` or a part of the header of FASTA, or a part of the
    name of a recording. In a dataset, `token` names the column of tokens or text.
    Default: `upos` and `xpos` of CoNLL-U; all columns and keys that hold tags or labels of datasets and JSON."""

    format: Annotated[str, known(Reader), WithJsonSchema({"enum": Reader.built_in})] | None = None
    """Format of the files; see *Data formats*. `text` has no layers, so it is for corpora that teachers label: each
    line is one sentence, or is divided by `segment = "rules"`. `synthetic` reads no file but generates sentences.
    The name of your own reader is a format too. Required unless `dataset` is given."""

    columns: Names | None = None
    """What each column holds, from left to right: `token`, the name of a layer, or `_` for a column to ignore. For
    `conll` one column must be `token`; `index`, `start`, `end`, `document`, `sentence` (a new value begins a sentence)
    and `sentence_end` are no layers either, and a last `...` is any number of ignored columns. Default for `conll`:
    detected and reported. For `labelled` one must be `text` and one the `layer`; default there: as the header says,
    otherwise label and text, in the order that is detected."""

    delimiter: Delimiter | None = None
    """What separates the columns of a line (`conll`, `labelled`, CSV of `frames`): a character, or `tab`, `comma`,
    `semicolon` or `blanks`. Default: detected."""

    quote: Annotated[str, Field(max_length=1)] | None = None
    """Character around fields that hold the delimiter, doubled inside them; `""` for none (`conll`, `labelled`).
    Default: `"` if commas, semicolons or vertical bars separate the columns, else none."""

    comments: NotEmpty | None = None
    """How a comment line starts, such as `###` (`conll`). Such lines are never tokens. Default: detected; `# ` and
    `#key = value` start a comment before the first token of a sentence."""

    boundary: Annotated[Names, Field(min_length=1)] | None = None
    """Lines that separate sentences beside blank ones, such as `"<>"` or `["<>", "<end>"]` (`conll`). Default: blank
    lines alone."""

    header: Header = None
    """Number of lines before the first token that name the columns, or `true` for one and `false` for none (`conll`,
    `labelled`). They are skipped. Default: a line that names the columns is detected and reported."""

    encoding: Encoding | None = None
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

    unknown: NotEmpty | None = None
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

    rename: dict[str, NewName] = Field(default_factory=dict)
    """New names of entity types and classes, as a table old = new. Two types with the same new name become one."""

    drop: Names = ()
    """Entity types to remove from the tags, and classes whose sentences to remove."""

    tokenize: Tokenize = "words"
    """How to split raw text into tokens: into words and punctuation (`words`); exactly as spaCy does (`spacy`); only at
    white space (`blanks`), for text that is already tokenised; into characters (`characters`), for scripts without
    blanks, such as Chinese, Japanese and Thai; or into symbols (`symbols`), one for every character that is not white
    space, as in `ACGT`. The model splits text in the same way when it tags."""

    language: Language = "en"
    """Code of the language whose rules `words` and `spacy` follow: any that spaCy has rules for, such as `de` or `fr`;
    `xx` has general rules for all languages."""

    split_on: Characters = ""
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

    text: NotEmpty | None = None
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
    def _names_differ(self) -> Self:
        named = [name for name in self.columns or () if name != "_"]
        if self.format == "conll" and self.columns is not None and "token" not in named:
            raise ValueError('one of the `columns` must be "token"')
        if "..." in named[:-1]:
            raise ValueError('"..." must be the last of the `columns`')
        if len(set(named)) < len(named):
            raise ValueError("`columns` must have different names; call ignored columns `_`")
        if twice := set(self.rename) & set(self.drop):
            raise ValueError(f"`rename` and `drop` must not name the same, got {quoted(sorted(twice))} in both")
        return self

    @model_validator(mode="after")
    def _says_labelled_text(self) -> Self:
        if self.format != "labelled":
            return self
        if self.layer is None:
            raise ValueError('`format = "labelled"` needs `layer`, the name of the layer to read into')
        if self.columns is not None and not {self.layer, "text"} <= set(self.columns):
            raise ValueError(f'`columns` of labelled text must name "{self.layer}" (its `layer`) and "text"')
        if sum(part == ClassRange() for part in (self.classes or {}).values()) > 1:
            raise ValueError("`classes` must have at most one class without `above` and `below`, for the rest")
        return self

    @model_validator(mode="after")
    def _fits_format(self) -> Self:
        check_formats(self, FORMATS_OF_KEYS)
        if self.layers is not None and self.format == "brat":
            raise ValueError('`layers` is not for format = "brat"; name the layer of its entities in `layer`')
        for key in ("encoding", "layers"):
            if getattr(self, key) is not None and self.format is not None and self.format not in Reader.built_in:
                raise ValueError(
                    f'`{key}` is for formats of the library, got format = "{self.format}", whose reader does not know '
                    "the key; remove it"
                )
        return self


def check_formats(config: ReadingConfig, formats_of_keys: Mapping[str, Sequence[str]]) -> None:
    """Refuse a key that is given, but is not for the format of the section."""
    for key, formats in formats_of_keys.items():
        if config.format not in formats and getattr(config, key) != type(config).model_fields[key].default:
            got = "no `format`" if config.format is None else f'format = "{config.format}"'
            names = " or ".join(f'"{name}"' for name in formats)
            raise ValueError(f"`{key}` is for format = {names} alone, got {got}")
