"""The table of formats: reading, writing, detection, `tagger check`, `tagger convert` and the documents all use it.

A new format is a module and a row here; the names of those that a recipe can read are also in `text/choices.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from tagger.config import ReadingConfig
from tagger.errors import DataError, TaggerError
from tagger.extensions import Reader, find, running
from tagger.files.packing import unpacked_name
from tagger.formats.arrays.frames import SUFFIXES, is_frames, read_frames
from tagger.formats.arrays.sound import SUFFIXES as OF_SOUND
from tagger.formats.arrays.sound import is_sound, read_sound, read_unlabelled
from tagger.formats.arrays.ts import looks_like_ts
from tagger.formats.columns.conll import looks_like_columns, read_conll
from tagger.formats.columns.conll_writing import conll_lines
from tagger.formats.columns.conllu import FIELDS, conllu_lines, looks_like_conllu, read_conllu
from tagger.formats.columns.csv_writing import csv_lines
from tagger.formats.columns.fields import Sample
from tagger.formats.columns.parallel import is_parallel, looks_like_parallel, read_parallel
from tagger.formats.columns.tagged import looks_like_tagged, read_tagged
from tagger.formats.columns.webanno import looks_like_webanno, read_webanno
from tagger.formats.documents import (
    Read,
    stream_brat,
    stream_columns,
    stream_conllu,
    stream_csv,
    stream_json,
    stream_read,
)
from tagger.formats.faults import Faults
from tagger.formats.jsonl import jsonl_lines, looks_like_json
from tagger.formats.source import Source
from tagger.formats.standoff.brat import is_brat, read_brat
from tagger.formats.standoff.docbin import docbin_parts, is_docbin, read_docbin
from tagger.formats.standoff.inline_xml import looks_like_inline_xml, read_inline_xml
from tagger.formats.standoff.pubtator import looks_like_pubtator, read_pubtator
from tagger.formats.standoff.rasa import looks_like_rasa, read_rasa
from tagger.formats.tally import Tally
from tagger.formats.texts.fasta import looks_like_fasta, read_fasta, read_symbols
from tagger.formats.texts.labelled import looks_like_labelled, read_labelled
from tagger.formats.texts.plain_text import looks_like_text, read_plain_text, stream_text, text_lines
from tagger.formats.tools.reading import read_json
from tagger.formats.tools.writing import Written, spanned_lines
from tagger.text.choices import InputFormat
from tagger.text.document import Document
from tagger.text.sentence import Sentence, text_as_numbers
from tagger.wording import shorten

Stream = Callable[[Source, ReadingConfig, Tally, Faults], Iterator[Document]]
Write = Callable[[Iterable[Sentence], Sequence[str]], Iterator[str]]
Dump = Callable[[Iterable[Sentence], Sequence[str]], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A row of the table.

    Args:
        about: What a file holds, in one sentence.
        example: A small file; empty for a binary format.
        read: Yields the sentences of a source; what is wrong goes to the faults.
        stream: Yields documents to be tagged, each as soon as its lines arrive. None: all lines are read first.
        write: Yields the lines of sentences, with these tag layers.
        dump: Yields the bytes of sentences, with these tag layers, where a file has no lines.
        suffixes: Endings of names that are always of this format.
        is_path: Whether a path is of this format.
        looks_like: Whether the first lines of a file are of this format; the rows are asked in their order.
        holds: What it can write of a sentence: `tags` and `entities` (layers without and with a scheme), `labels`,
            `numbers` (otherwise they are written as tags or labels),
            `comments`, `documents`, `document names` (other than their number), `tokens` (where they are in the
            text; without it, texts are split when they are read), `text` (white space between tokens), `offsets`
            (text that is no token), `keys` (of a record, such as its id), `unknown tags`, `blank lines`.
        holds_of_labelled: The same of sentences with labels and without tags, if that is something else.
        single: Whether it can write one layer of entities only.
        whole: Whether it writes the sentences of a text together, as one item.
        layers: The only names that its tag layers can have; None for any.
        has_columns: Whether a file has columns, in one of which tags can be changed in place.
    """

    about: str
    example: str = ""
    read: Read | None = None
    stream: Stream | None = None
    write: Write | None = None
    dump: Dump | None = None
    suffixes: tuple[str, ...] = ()
    is_path: Callable[[Path], bool] | None = None
    looks_like: Callable[[Sample], bool] | None = None
    holds: frozenset[str] = frozenset()
    holds_of_labelled: frozenset[str] | None = None
    single: bool = False
    whole: bool = False
    layers: tuple[str, ...] | None = None
    has_columns: bool = False


def _write_conll(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a column file, with the texts that its tokens do not imply as comments."""
    return conll_lines((_with_text(sentence) for sentence in sentences), layers)


def _with_text(sentence: Sentence) -> Sentence:
    """Return the sentence with its text as a comment, where that is more than its tokens with blanks between them."""
    if "text" in sentence.meta or sentence.text == " ".join(sentence.tokens):
        return sentence
    return replace(sentence, meta={**sentence.meta, "text": sentence.text})


def _of_tool(dialect: Written, said: str, example: str) -> Format:
    """Return the row of the JSON of an annotation tool, which holds texts with character spans."""
    return Format(
        about=f"Texts with character spans as {said}; read as `jsonl`.",
        example=f"{example}\n",
        write=partial(spanned_lines, dialect=dialect),
        holds=frozenset({"entities", "text", "offsets"}),
        single=True,
        whole=True,
    )


ALL = frozenset(
    {"tags", "entities", "labels", "comments", "documents", "document names", "tokens", "text", "unknown tags"}
)
FORMATS: Mapping[str, Format] = {
    "brat": Format(
        about="A text in `NAME.txt` with its entities as character spans in `NAME.ann`, or a folder of these.",
        example="T1\tPER 0 3\tAda\nT2\tLOC 13 17\tOslo\n",
        read=read_brat,
        stream=stream_brat,
        is_path=is_brat,
    ),
    "docbin": Format(
        about="The binary files that spaCy trains on (`DocBin`): tokens, entities, groups of spans and `cats`.",
        read=read_docbin,
        dump=docbin_parts,
        is_path=is_docbin,
        holds=frozenset({"entities", "labels", "tokens", "text", "offsets"}),
        whole=True,
    ),
    "frames": Format(
        about="Numbers for each step of a sequence: `.npy`, `.npz`, Parquet, JSON lines with `frames`, `.ts` files "
        "of time series, or CSV with a column of times.",
        example="@problemName Turns\n@univariate true\n@classLabel true up down\n@data\n1.0,2.0,3.5:up\n3,?,1:down\n",
        read=read_frames,
        suffixes=SUFFIXES,
        is_path=is_frames,
        looks_like=looks_like_ts,
        holds=frozenset({"tokens"}),
    ),
    "wav": Format(
        about="Recordings (WAV, FLAC, Ogg), each read as a sequence of frames with features of the sound.",
        read=read_sound,
        stream=partial(stream_read, read_unlabelled),
        suffixes=OF_SOUND,
        is_path=is_sound,
    ),
    "pubtator": Format(
        about="PubTator: title, abstract and entities of articles, with a blank line between them.",
        example="7|t|Oslo waits\n7|a|Ada left it.\n7\t0\t4\tOslo\tLOC\n7\t11\t14\tAda\tPER\n",
        read=read_pubtator,
        looks_like=looks_like_pubtator,
    ),
    "rasa": Format(
        about="Rasa's training data in YAML: examples with their intent (a label) and entities.",
        example="nlu:\n- intent: go\n  examples: |\n    - fly to [Oslo](city)\n    - take me away\n",
        read=read_rasa,
        looks_like=looks_like_rasa,
    ),
    "fasta": Format(
        about="FASTA: sequences of symbols, such as proteins and DNA, each below a header; tags may follow them.",
        example=">P1 organism=human\nMKVLAA\nGIVG\n>P2 organism=yeast\nMSTN\n",
        read=read_fasta,
        stream=partial(stream_read, read_symbols),
        suffixes=(".fasta", ".fa", ".faa", ".fna"),
        looks_like=looks_like_fasta,
        holds=frozenset({"tokens"}),
    ),
    "jsonl": Format(
        about="JSON, one object per line or one array: sentences as `tagger tag` writes them, rows of datasets, or "
        "texts with character spans or classes from doccano, Label Studio, spaCy, Prodigy, DataTurks, CLUENER, Rasa, "
        "GLiNER, SpERT or DyGIE.",
        example='{"tokens": ["Ada", "lives", "in", "Oslo"], "tags": {"ner": ["B-PER", "O", "O", "B-LOC"]}}\n'
        '{"text": "Ada lives in Oslo", "label": [[0, 3, "PER"], [13, 17, "LOC"]]}\n',
        read=read_json,
        stream=stream_json,
        write=jsonl_lines,
        suffixes=(".jsonl", ".ndjson", ".json"),
        looks_like=looks_like_json,
        holds=ALL | {"numbers", "offsets", "keys"},
    ),
    "conllu": Format(
        about="CoNLL-U: the ten columns of Universal Dependencies, one word per line, a blank line between sentences.",
        example="# text = Ada sleeps\n1\tAda\tAda\tPROPN\tNNP\t_\t2\tnsubj\t_\t_\n"
        "2\tsleeps\tsleep\tVERB\tVBZ\t_\t0\troot\t_\t_\n",
        read=read_conllu,
        stream=stream_conllu,
        write=conllu_lines,
        suffixes=(".conllu",),
        looks_like=looks_like_conllu,
        holds=ALL,
        layers=FIELDS[2:],
        has_columns=True,
    ),
    "webanno": Format(
        about="WebAnno TSV 3, as WebAnno and INCEpTION export it: tokens, and the layers of their spans.",
        example="#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.NamedEntity|value\n\n#Text=Ada sleeps\n"
        "1-1\t0-3\tAda\tPER\t\n1-2\t4-10\tsleeps\t_\t\n",
        read=read_webanno,
        looks_like=looks_like_webanno,
        holds=frozenset({"tokens"}),
    ),
    "parallel": Format(
        about="One sentence per line, a tab and its tags; or a folder of the files `seq.in` (sentences), `seq.out` "
        "(their tags) and `label`.",
        example="Ada lives in Oslo\tB-PER O O B-LOC\nShe sleeps\tO O\n",
        read=read_parallel,
        is_path=is_parallel,
        looks_like=looks_like_parallel,
        holds=frozenset({"tokens"}),
    ),
    "labelled": Format(
        about="Texts with a label: `label TAB text`, `text TAB label`, CSV with a header, other columns that you name, "
        "or fastText's `__label__good a fine film`.",
        example="good\ta fine film\nbad\ta dull one\n",
        read=read_labelled,
        looks_like=looks_like_labelled,
    ),
    "tagged": Format(
        about="One sentence per line, with the tag of each word after it: `word/TAG` or `word_TAG`.",
        example="The/DT cat/NN saw/VBD the/DT dog/NN ./.\nThe/DT dog/NN slept/VBD ./.\n",
        read=read_tagged,
        looks_like=looks_like_tagged,
        holds=frozenset({"tokens"}),
    ),
    "xml": Format(
        about="Texts with their entities as elements, one text per line.",
        example="<PER>Ada</PER> lives in <LOC>Oslo</LOC>.\n",
        read=read_inline_xml,
        looks_like=looks_like_inline_xml,
    ),
    "conll": Format(
        about="Columns as in the CoNLL shared tasks: one token per line, followed by its tags; a blank line between "
        "sentences.",
        example="# intent = tell\nAda\tB-PER\nlives\tO\nin\tO\nOslo\tB-LOC\n\n",
        read=read_conll,
        stream=stream_columns,
        write=_write_conll,
        looks_like=looks_like_columns,
        holds=ALL - {"document names"},
        has_columns=True,
    ),
    "text": Format(
        about="Plain text, one sentence per line.",
        example="Ada lives in Oslo.\n",
        read=read_plain_text,
        stream=stream_text,
        write=text_lines,
        looks_like=looks_like_text,
        holds=frozenset({"text", "offsets", "blank lines"}),
    ),
    "csv": Format(
        about="CSV with a header: a row for each token with its sentence and tags (read as `conll`), or a row for each "
        "text with its labels (read as `labelled`).",
        example="sentence,token,ner\n1,Ada,B-PER\n1,sleeps,O\n",
        write=csv_lines,
        holds=frozenset({"tags", "entities", "tokens"}),
        holds_of_labelled=frozenset({"labels", "text", "offsets"}),
    ),
    "doccano": _of_tool(
        "doccano", "doccano exports them", '{"text": "Ada lives in Oslo", "label": [[0, 3, "PER"], [13, 17, "LOC"]]}'
    ),
    "labelstudio": Format(
        about="Tasks of Label Studio with their annotations, as it imports and exports them; read as `jsonl`.",
        example='[{"data": {"text": "Ada sleeps"}, "annotations": [{"result": [{"from_name": "label", '
        '"to_name": "text", "type": "labels", "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}}]}]}]',
        write=partial(spanned_lines, dialect="labelstudio"),
        holds=frozenset({"entities", "labels", "text", "offsets"}),
        whole=True,
    ),
    "spacy": _of_tool(
        "spacy",
        "spaCy and Prodigy exchange them",
        '{"text": "Ada sleeps", "spans": [{"start": 0, "end": 3, "label": "PER"}]}',
    ),
}
STREAMS: Mapping[str, Stream] = {
    **{name: partial(stream_read, row.read) for name, row in FORMATS.items() if row.read is not None},
    **{name: row.stream for name, row in FORMATS.items() if row.stream is not None},
    "csv": stream_csv,  # texts in a column, which are only tagged
}
READABLE = tuple(sorted(name for name, row in FORMATS.items() if row.read is not None))
WRITABLE = tuple(sorted(name for name, row in FORMATS.items() if row.write is not None or row.dump is not None))


def written(format: str, sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[bytes]:
    """Yield the parts of a file of sentences in a format that can be written, with these tag layers.

    Raises:
        DataError: The format cannot hold a sentence.
    """
    row = FORMATS[format]
    if row.write is not None:
        yield from (f"{line}\n".encode() for line in row.write(sentences, layers))
    elif row.dump is not None:
        yield from row.dump(sentences, layers)
    else:
        raise ValueError(f"format must be one of {', '.join(WRITABLE)}, got {format!r}")


def iter_sentences(
    format: str, source: Source, config: ReadingConfig, tally: Tally, faults: Faults
) -> Iterator[Sentence]:
    """Yield the sentences of a source in a format that can be read.

    A file that is not empty and has none is a fault.
    """
    row = FORMATS.get(format) or _own_format(format)
    if row is None or row.read is None:
        raise ValueError(f"format must be one of {', '.join(READABLE)}, got {format!r}")
    before, wrong, sentence = tally.counts.copy(), faults.total, None
    for sentence in row.read(source, config, tally, faults):
        yield text_as_numbers(sentence, config.numbers) if config.numbers else sentence
    if sentence is None and faults.total == wrong:
        reasons = "".join(f"; {said}" for said in tally.skipped_since(before))
        if reasons or (row.is_path is None and any(map(str.strip, source.lines()))):
            faults.add("form", source.where, f"the file must hold at least one sentence, got none{reasons}")


def _own_format(name: str) -> Format | None:
    """Return the row of a reader that is an extension; None if there is none."""
    own = find(Reader, name)
    return None if own is None else Format(about="", read=partial(_read_own, own))


def _read_own(
    reader: Reader, source: Source, config: ReadingConfig, tally: Tally, faults: Faults
) -> Iterator[Sentence]:
    """Yield the sentences of an extension's reader."""
    if source.path is None:
        raise DataError(f'{source.where}: format = "{reader.name}" is read from a file; name one')
    where = f"{source.where}: the reader `{reader.name}`"
    try:
        with running(where, DataError, known=(TaggerError, ValueError, OSError)):
            found = reader.read(source.path)
            if not isinstance(found, Iterable):
                raise DataError(f"{where} must yield sentences, got {shorten(found)}; yield or return them")
            for number, sentence in enumerate(found, 1):
                if not isinstance(sentence, Sentence):
                    raise DataError(f"{where} must yield sentences, got {shorten(sentence)}; use Sentence.from_tokens")
                if not sentence.tokens:
                    raise DataError(f"{where} must yield sentences with tokens, got none in sentence {number}; skip it")
                yield sentence
    except (TaggerError, ValueError) as error:
        said = str(error) or type(error).__name__
        raise DataError(said if said.startswith(source.where) else f"{source.where}: {said}") from error
    except OSError as error:
        raise DataError(f"{source.where}: the file cannot be read: {error.strerror or error}") from error


def read_file(format: str, source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> list[Sentence]:
    """Return the sentences of a source, which share equal tokens and tags.

    Raises:
        DataError: The source cannot be read, or the faults raise what is wrong with it.
    """
    same: dict[Any, Any] = {}  # so that a word or tag that comes again takes no memory again
    sentences = [sentence.sharing(same) for sentence in iter_sentences(format, source, config, tally, faults)]
    faults.close()
    return tally.settled(sentences)


def input_format_of(path: str) -> InputFormat:
    """Return the format of a path to be tagged, judging by its name: `text` if it says nothing."""
    name = Path(unpacked_name(path)).name
    for key in get_args(InputFormat):
        is_path = FORMATS[key].is_path if key != "brat" or Path(path).is_dir() else None
        if is_path is not None and is_path(Path(path)):
            return key  # type: ignore[no-any-return]
    if name.endswith((".csv", ".tsv")):
        return "csv"
    return next((key for key in get_args(InputFormat) if name.endswith(FORMATS[key].suffixes)), "text")
