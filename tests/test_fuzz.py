"""Whatever bytes a reader is given, it gives what they say, whole, or one error that is a sentence.

A reader is a row of `READERS`. Two kinds of bytes: files made of the pieces of good ones and of the characters that
break parsers, and heads of real files in which bytes and lines are flipped, lost, doubled and moved. A minute of each
for each reader: `python -m pytest -m fuzz tests/test_fuzz.py`, or `-k NAME` for one of them.
"""

import gzip
import json
import re
import signal
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readers import read, read_conll, read_conllu, read_jsonl, read_labelled

from tagger.config import ReadingConfig, load_recipe
from tagger.conversion.writing import write_sentences
from tagger.corpus.synthetic import generate
from tagger.encoding.vectors import read_vectors
from tagger.errors import SHOWN, DataError, RecipeError
from tagger.files.reading import decode_lines, raw_lines, read_lines
from tagger.formats.jsonl import sentence_to_json
from tagger.formats.streaming import stream_documents
from tagger.formats.texts.labelled import read_classes
from tagger.text.sentence import Sentence

HEAD = 4000  # bytes of a real file
SECONDS = 60.0  # of the long run, for each reader and kind
SLOWEST = 20.0  # seconds that a reader may take for some thousand bytes
ROOT = Path(__file__).parents[1]

# What must be there when bytes are read without an error: a number counted from the text in another way than the
# reader does, beside the same number of what it gave.
Counts = tuple[int, int]


def no_blanks(text: str) -> int:
    return len("".join(text.split()))


def conll_tokens(text: str, sentences: Sequence[Sentence], columns: int | None = 2) -> Counts:
    """The lines with the number of columns: as the first token line shows, one or two, where it is None."""
    lines = [line for line in text.split("\n") if line.strip(" \t\r") and not re.match(r"-DOCSTART-([ \t\r]|$)", line)]
    first = [line for line in lines if line.strip() and not line.startswith(("# ", "-DOCSTART-"))][:1]
    tabs = any("\t" in line for line in first or lines)
    fields = [len(line.split("\t") if tabs else re.findall(r"[^ \t]+", line)) for line in lines]
    if columns is None:
        shown = fields[lines.index(first[0])] if first else next(reversed(fields), 2)
        columns = min(shown, 2)
    return fields.count(columns), sum(map(len, sentences))


def parallel_tokens(text: str, sentences: Sequence[Sentence]) -> Counts:
    return sum(len(line.split("\t")[0].split()) for line in text.split("\n")), sum(map(len, sentences))


def conllu_words(text: str, sentences: Sequence[Sentence]) -> Counts:
    return len(re.findall(r"^[1-9][0-9]*\t", text, re.MULTILINE)), sum(map(len, sentences))


def json_tokens(text: str, sentences: Sequence[Sentence]) -> Counts:
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    words = ["".join(row["text"] if row.get("tokens") is None else row["tokens"]) for row in rows]
    assert len(sentences) == len(rows)
    return sum(map(no_blanks, words)), sum(no_blanks("".join(s.tokens)) for s in sentences)


def characters(text: str, sentences: Sequence[Sentence]) -> Counts:
    return no_blanks(text), sum(no_blanks("".join(sentence.tokens)) for sentence in sentences)


def characters_and_labels(text: str, sentences: Sequence[Sentence]) -> Counts:
    """The lines with a text behind their first tab; others are no texts."""
    lines = [line for line in text.split("\n") if line.partition("\t")[2].strip()]
    whole, words = characters("".join(lines), sentences)
    return whole, words + sum(no_blanks(sentence.label("class").value) for sentence in sentences)


def vector_words(text: str, words: Sequence[str]) -> Counts:
    rows = text.removesuffix("\n").split("\n")
    rows = rows[1:] if re.fullmatch(r"[0-9]+ [0-9]+ *\r?", rows[0]) else rows
    return len({row.split(" ")[0] for row in rows}), len(words)


def line_count(text: str, lines: Sequence[str]) -> Counts:
    return text.count("\n") + (not text.endswith("\n")), len(lines)


def stream(format: Any, path: Path) -> list[Sentence]:
    documents = stream_documents(decode_lines(raw_lines(path), where="f"), format, ["token", "x"], where="f")
    return [sentence for document in documents for sentence in document.sentences]


@dataclass(frozen=True)
class Reader:
    """A reader, files to begin with (below $TAGGER_DATA, or made by the test), and what must not be lost."""

    read: Callable[[Path], Any]
    seeds: Sequence[str]
    counts: Callable[[str, Any], Counts] | None = None
    errors: tuple[type[Exception], ...] = (DataError,)
    tree: Literal["json", "toml"] | None = None  # for files that are nested values, whose values are then changed too


CONLL = ("made/good.conll", "ner/wnut17/wnut17train.conll", "ner/wikigold/wikigold.conll.txt", "ner/snips/train.bio")
JSONL = ("made/good.jsonl", "made/text.jsonl")
TEXT = ("made/good.txt", "sentiment/mr/rt-polarity.neg")
TOOLS: list[Any] = [
    {"id": 1, "text": "Ada saw Oslo.", "label": [[0, 3, "PER"], [8, 12, "LOC"]]},
    {"text": "Ada", "tokens": [{"text": "Ada", "start": 0, "end": 3}], "spans": [{"start": 0, "end": 3, "label": "P"}]},
    {
        "data": {"text": "Ada saw Oslo."},
        "annotations": [
            {"result": [
                {"value": {"start": 0, "end": 3, "text": "Ada", "labels": ["P"]}, "from_name": "l", "type": "labels"},
                {"value": {"choices": ["calm"]}, "from_name": "mood", "type": "choices"},
            ]}
        ],
    },
    {"content": "Ada saw", "annotation": [{"label": ["P"], "points": [{"start": 0, "end": 2, "text": "Ada"}]}]},
    {"text": "Ada saw", "label": {"name": {"Ada": [[0, 2]]}}},
    {"rasa_nlu_data": {"common_examples": [
        {"text": "to Oslo", "intent": "go", "entities": [{"start": 3, "end": 7, "entity": "to"}]}
    ]}},
    {"tokenized_text": ["Ada", "saw"], "ner": [[0, 0, "P"]]},
    {"tokens": ["Ada", "saw"], "entities": [{"type": "P", "start": 0, "end": 1}]},
    {"doc_key": "d", "sentences": [["Ada", "saw"], ["Oslo"]], "ner": [[[0, 0, "P"]], [[2, 2, "L"]]]},
    {"id": 4, "paragraphs": [{"sentences": [{"tokens": [{"orth": "Ada", "ner": "U-P"}]}], "cats": []}]},
    {"text": "It is cold", "cats": {"weather": 1, "food": 0.0}},
    {"text": "It is cold", "label": ["weather"]},
    {"text": "It is cold", "options": [{"id": "a"}], "accept": ["a"], "answer": "accept"},
]  # fmt: skip
READERS = {
    "lines": Reader(read_lines, (*TEXT, "made/good.txt.gz"), None),
    "lines-plain": Reader(read_lines, TEXT, line_count),
    "conll": Reader(lambda path: read_conll(path, ["token", "ner"], {"intent": "# intent"}), CONLL, conll_tokens),
    "detected": Reader(lambda path: read("conll", path), ("made/good.csv", "made/good.hash", *CONLL)),
    "webanno": Reader(lambda path: read("webanno", path), ("made/good.webanno",)),
    "parallel": Reader(lambda path: read("parallel", path), ("made/good.parallel",), parallel_tokens),
    "tagged": Reader(lambda path: read("tagged", path), ("made/good.tagged", "text/masc/written/lw1.txt")),
    "conllu": Reader(read_conllu, ("made/good.conllu", "pos/ud-english-ewt/en_ewt-ud-dev.conllu"), conllu_words),
    "jsonl": Reader(read_jsonl, JSONL, json_tokens, tree="json"),
    "labelled": Reader(
        lambda path: read_labelled(path, "class", columns=("class", "text")),
        ("made/good.labelled", "sentiment/vader-tweets/tweets_GroundTruth.txt"),
        characters_and_labels,
    ),
    "labelled-any": Reader(
        lambda path: read_labelled(path, "class", several="join"),
        ("made/good.labelled", "made/labels.csv", "made/fasttext.txt", "made/elements.txt", "made/opinions.txt"),
    ),
    "tools": Reader(
        partial(read, "jsonl", misaligned="drop", nested="outermost"),
        [f"made/tool{i}.jsonl" for i in range(len(TOOLS))],
        tree="json",
    ),
    "rasa": Reader(partial(read, "rasa", misaligned="drop"), ("made/nlu.yml",)),
    "pubtator": Reader(partial(read, "pubtator", misaligned="drop", nested="layers"), ("made/pubtator.txt",)),
    "xml": Reader(partial(read, "xml", misaligned="drop", nested="layers"), ("made/inline.txt",)),
    "docbin": Reader(partial(read, "docbin", misaligned="drop", nested="layers"), ("made/good.spacy",)),
    "classes": Reader(
        lambda path: read_classes({"bad": path}, ReadingConfig(format="labelled", layer="class"))[0], TEXT, characters
    ),
    "vectors": Reader(
        lambda path: read_vectors([path]).words,
        ("made/good.vectors", "vectors/glove.6B.50d.top100k.txt.gz"),
        vector_words,
    ),
    "text-stream": Reader(partial(stream, "text"), TEXT, characters),
    "conll-stream": Reader(partial(stream, "conll"), CONLL, partial(conll_tokens, columns=None)),
    "jsonl-stream": Reader(partial(stream, "jsonl"), JSONL, json_tokens),
    "recipe": Reader(load_recipe, ("made/recipe.toml", "made/full.toml"), None, (RecipeError,), "toml"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good file of each kind in `made`."""
    folder = tmp_path_factory.mktemp("fuzz")
    made = folder / "made"
    made.mkdir()
    rows = [sentence_to_json(sentence) for sentence in generate(6, seed=1, split="train")]
    files = {
        "good.conll": "# intent = x\n" + "\n".join("\n".join(f"{t}\tO" for t in r["tokens"]) + "\n" for r in rows),
        "good.conllu": "# sent_id = 1\n1-2\tdon't" + "\t_" * 8 + "\n" + "1\tdo\tdo\tAUX\tVB" + "\t_" * 5 + "\n"
        "2\tn't\tnot\tPART\tRB" + "\t_" * 5 + "\n2.1\tx" + "\t_" * 8 + "\n",
        "good.csv": 'Sentence #,Word,Tag\nSentence: 1,Ada,B-PER\n,",",O\nSentence: 2,It,O\n,rained,O\n',
        "good.hash": "###A:1\n\nAda\tB-PER\nnaps\tO\n\n###A:2\n\nIt\tO\n",
        "good.webanno": "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|identifier|value\n#T_SP=x.POS|PosValue\n\n"
        "#Text=Ada B. naps.\n1-1\t0-3\tAda\t*[1]\tPER[1]\tNN\n1-2\t4-6\tB.\t*[1]\tPER[1]\tNN\n"
        "1-3\t7-11\tnaps\t_\t_\t"
        "VB\n1-4\t11-12\t.\t_\t_\t.\n",
        "good.parallel": "Ada naps\tB-PER O\tsleep\nIt rains in Oslo\tO O O B-LOC\tweather\n",
        "good.tagged": "Ada/NNP naps/VBZ ./.\n\nIt/PRP is/VBZ 1\\/2/CD ./. untagged\n",
        "good.jsonl": "\n".join(json.dumps(row) for row in rows),
        "text.jsonl": "\n".join(json.dumps({"text": r["text"], "labels": {"a": "b"}}) for r in rows),
        "good.txt": "\n".join(row["text"] for row in rows) + "\n",
        "good.labelled": "\n".join(f"pos\t{row['text']}" for row in rows) + "\n",
        "nlu.yml": 'nlu:\n- intent: go\n  examples: |\n    - to [Oslo](city)\n    - [it]{"entity": "a", "role": "b"}\n',
        "pubtator.txt": "7|t|Oslo waits\n7|a|Ada left.\n7\t0\t4\tOslo\tLOC\tC1\n7\tCID\tC\tD\n\n8|t|Rain\n8|a|\n",
        "inline.txt": '<PER>Ada</PER> &amp; I saw <N TYPE="LOC">Oslo <X>Sentral</X></N>.\n',
        "labels.csv": 'id,text,label\n1,"it went, ""well""",up\n3,"it\nwas so",down\n',
        "fasttext.txt": "__label__up it went well\n__label__down __label__up it did not\n",
        "elements.txt": " <Pros>it is small</Pros>\n<Cons>it is loud</Cons>\n",
        "opinions.txt": "[t] title\n##it came .\nprice[+2],size[-1][p]##it is fine .\nnoise[-3]##it is loud .\n",
        **{f"tool{i}.jsonl": f"{json.dumps(item)}\n" * 2 for i, item in enumerate(TOOLS)},
        "good.vectors": "2 3\nthe 0.1 -2 3e-2\nof 1 2 3\n",
        "recipe.toml": (ROOT / "recipes" / "quickstart.toml").read_text(encoding="utf-8"),
        "full.toml": (ROOT / "recipes" / "ner-wnut17.toml").read_text(encoding="utf-8"),
    }
    for name, text in files.items():
        (made / name).write_text(text, encoding="utf-8")
    write_sentences(made / "good.spacy", list(generate(3, seed=1, split="train")), format="docbin", layers=["ner"])
    (made / "good.txt.gz").write_bytes(gzip.compress(files["good.txt"].encode()))
    return folder


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Break off what takes longer."""

    def stop(*_: object) -> None:
        raise AssertionError(f"took longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check(reader: Reader, data: bytes, folder: Path) -> bool:
    """Whether the bytes could be read; fails where they are neither read whole nor refused with a sentence."""
    path = folder / "file"
    path.write_bytes(data)
    try:
        with no_longer_than(SLOWEST):
            found = reader.read(path)
    except reader.errors as error:
        lines = str(error).split("\n")
        assert len(lines) <= SHOWN + 1
        assert all(lines), "an error says what is wrong"
        return False
    if reader.counts is not None and data[:2] != b"\x1f\x8b":
        there, given = reader.counts(data.decode("utf-8-sig").replace("\r\n", "\n"), found)
        assert given == there, "nothing may be lost or made up"
    return True


def seeds(reader: Reader, folders: Sequence[Path]) -> list[bytes]:
    """The heads of the files that a reader begins with, cut behind a line."""
    paths = [folder / name for name in reader.seeds for folder in folders if (folder / name).is_file()]
    heads = [_head(path) for path in paths]
    assert heads
    return heads


def _head(path: Path) -> bytes:
    if path.suffix in (".gz", ".safetensors", ".json", ".toml"):
        whole = path.read_bytes() if path.stat().st_size < 100_000 else None
        if whole is not None:
            return whole
    data = b""
    for line in raw_lines(path):
        data += line
        if len(data) > HEAD:
            break
    return data


# Characters on which parsers stumble: those that only str.splitlines takes for line ends, blanks that are no ASCII,
# marks, half of nothing, digits and numbers of other kinds, and brackets.
NASTY = (
    *"\t \r\n\v\f\x1c\x1d\x85\u2028\u2029\xa0\u3000\u200b\ufeff\0\x7f\u0301\U0001f600\udc80\\\"'{}[]:,=#-_.%",
    *("-DOCSTART-", "# ", "# intent =", "# newdoc", "\r\n", "\n\n", "1", "0", "-1", "1-2", "1.1", "\u0663", "\u00b2"),
    *(
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "true",
        "null",
        "\\ud800",
        "[" * 2000,
        '{"a":' * 2000,
        "10000000",
    ),
    *('"tokens"', '"text"', '"tags"', '"labels"', '"offsets"', "B-", "I-", "O", "B-X", "S-X"),
)


def from_pieces(heads: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Files made of the pieces of good ones and of what is nasty."""
    pieces = sorted({p for head in heads for p in re.findall(r"\w+|\s|.", head.decode("utf-8", "replace"))[:500]})
    lines = sorted({line for head in heads for line in head.decode("utf-8", "replace").split("\n")})
    piece = st.one_of(st.sampled_from(pieces), st.sampled_from(NASTY), st.text(max_size=3))
    line = st.one_of(st.sampled_from(lines), st.lists(piece, max_size=8).map("".join))
    end = st.sampled_from(["\n", "\n", "\n", "\r\n"])
    text = st.lists(st.tuples(line, end).map("".join), max_size=8).map("".join)
    return text.map(lambda found: found.encode("utf-8", "surrogatepass"))


@st.composite
def mutated(draw: st.DrawFn, heads: Sequence[bytes]) -> bytes:
    """A good file in which bytes or lines are flipped, lost, doubled, moved or replaced by what is nasty."""
    data = draw(st.sampled_from(heads))
    for _ in range(draw(st.integers(1, 4))):
        lines = draw(st.booleans())
        parts: Sequence[Any] = data.splitlines(keepends=True) if lines else data
        start = draw(st.integers(0, len(parts)))
        end = min(len(parts), start + draw(st.integers(0, 3 if lines else 40)))
        before, chosen, after = parts[:start], parts[start:end], parts[end:]
        join = b"".join if lines else bytes
        match draw(st.sampled_from(["flip", "lose", "double", "move", "nasty", "cut", "other"])):
            case "flip" if join(chosen):
                middle = bytes([join(chosen)[0] ^ (1 << draw(st.integers(0, 7)))]) + join(chosen)[1:]
            case "lose" | "flip":
                middle = b""
            case "double":
                middle = join(chosen) * draw(st.integers(2, 5))
            case "move":
                before, middle = join(chosen), join(before)
                data = before + middle + join(after)
                continue
            case "nasty":
                middle = draw(st.sampled_from(NASTY)).encode("utf-8", "surrogatepass")
            case "cut":
                middle, after = join(chosen), after[:0]
            case _:
                middle = draw(st.sampled_from(heads))[:300]
        data = join(before) + middle + join(after)
    return data


NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 1000, 10**6, 2**31, 2**63, 2**64, 10**30, 0.5, float("inf")])
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.sampled_from(NASTY[-20:]),
        st.sampled_from([-1, 0, 1, 2, 10**6, 2**31, 2**63, 2**64, 0.5, "conll", "crf", "iob1", "token", "# x"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "ner", "kind", "every"]), inner),
    max_leaves=4,
)  # fmt: skip


@st.composite
def with_other_values(draw: st.DrawFn, heads: Sequence[bytes], form: Literal["json", "toml"]) -> bytes:
    """Good nested values, one to three of which are replaced, lost or joined by a new one, as a file."""
    text = draw(st.sampled_from(heads)).decode()
    tree = (
        tomllib.loads(text) if form == "toml" else json.loads(text if text.startswith("{\n") else text.split("\n")[0])
    )
    for _ in range(draw(st.integers(1, 3))):
        place, key = draw(st.sampled_from(list(_places(tree))))
        if key is None and isinstance(place, list):
            place.append(draw(VALUES))
        else:
            number = key is not None and isinstance(place[key], (int, float))
            new = draw(NUMBERS if number and draw(st.booleans()) else VALUES)
            place[draw(st.text(max_size=3)) if key is None else key] = new
    return (_toml(tree) if form == "toml" else json.dumps(tree)).encode("utf-8", "surrogatepass")


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in nested values that may hold another value, and None for a new one; of lists the first few."""
    yield tree, None
    for key in list(tree) if isinstance(tree, dict) else range(min(5, len(tree))):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from _places(tree[key])


def _toml(tree: Any) -> str:
    """The values as TOML, without those that it does not have."""

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: known(part) for key, part in value.items() if part is not None}
        return [known(part) for part in value if part is not None] if isinstance(value, list) else value

    return tomli_w.dumps(known(tree))


def kinds_of_files(reader: Reader, heads: Sequence[bytes]) -> list[st.SearchStrategy[bytes]]:
    """Files by structure: of pieces of good ones and, for nested values, with other values."""
    return [from_pieces(heads), *([with_other_values(heads, reader.tree)] if reader.tree else [])]


def survive(reader: Reader, files: st.SearchStrategy[bytes], folder: Path, *, examples: int, seed: bool) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=seed,
        suppress_health_check=list(HealthCheck),
    )
    @given(files)
    def survives(data: bytes) -> None:
        check(reader, data, folder)

    survives()


def hang(path: Path) -> None:
    time.sleep(5)


@pytest.mark.parametrize(
    ("reader", "failure"),
    [
        (Reader(lambda path: read_conll(path, ["token", "_"])[1:], (), conll_tokens), AssertionError),
        (Reader(lambda path: {}["key"], ()), KeyError),
        (Reader(hang, ()), AssertionError),
        (Reader(lambda path: load_recipe(path), ()), RecipeError),
    ],
    ids=["loses a sentence", "another exception", "hangs", "an error of another kind"],
)
def test_check_finds_what_is_wrong(
    reader: Reader, failure: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.SLOWEST", 1.0)
    with pytest.raises(failure):
        check(reader, b"a\tO\n\nb\tO\n", tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_good_files_are_read(name: str, made: Path) -> None:
    heads = seeds(READERS[name], [made])
    assert [check(READERS[name], head, made) for head in heads] == [True] * len(heads)


@pytest.mark.parametrize("name", READERS)
def test_reader_survives_any_structure(name: str, made: Path) -> None:
    for files in kinds_of_files(READERS[name], seeds(READERS[name], [made])):
        survive(READERS[name], files, made, examples=40, seed=True)


@pytest.mark.parametrize("name", READERS)
def test_reader_survives_damaged_real_files(name: str, made: Path, data_folder: Path) -> None:
    survive(READERS[name], mutated(seeds(READERS[name], [made, data_folder])), made, examples=40, seed=True)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
def test_reader_survives_a_minute_of_anything(name: str, made: Path, data_folder: Path) -> None:
    heads, until = seeds(READERS[name], [made, data_folder]), time.monotonic() + SECONDS
    while time.monotonic() < until:
        for files in (*kinds_of_files(READERS[name], heads), mutated(heads)):
            survive(READERS[name], files, made, examples=100, seed=False)
