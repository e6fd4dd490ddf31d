"""`tagger convert` as its user meets it: files, standard input and output, gzip, mistakes and exit codes."""

import gzip
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tagger.files.reading import raw_lines

IOB2 = "Ada\tB-PER\r\nLovelace\tI-PER\r\n\t\r\nOslo\tB-LOC"
BIOES = "Ada\tB-PER\r\nLovelace\tE-PER\r\n\t\r\nOslo\tS-LOC"
SAID = "column 2: IOB2 to BIOES: 2 sentences, 3 tags, 2 changed"

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.conll").write_bytes(IOB2.encode())
    return partial(call, "convert")


def test_file_is_converted_beside_or_in_place(call: Call, tmp_path: Path) -> None:
    assert call("in.conll", "out.conll", "--to", "bioes") == (0, "", f"in.conll: {SAID}\n")
    assert (tmp_path / "out.conll").read_bytes() == BIOES.encode()
    assert call("in.conll", "in.conll", "--to", "bioes")[0] == 0
    assert (tmp_path / "in.conll").read_bytes() == BIOES.encode()


def test_standard_input_goes_to_standard_output(call: Call) -> None:
    assert call("-", "-", "--to", "bioes", text=IOB2) == (0, BIOES, f"standard input: {SAID}\n")


def test_gzip_is_read_whatever_its_name_and_written_by_name(call: Call, tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_bytes(gzip.compress(IOB2.encode()))
    assert call("in.conll", "out.gz", "--to", "bioes")[0] == 0
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == BIOES.encode()
    assert call("out.gz", "out.conll", "--to", "iob2")[0] == 0
    assert (tmp_path / "out.conll").read_bytes() == IOB2.encode()
    call("in.conll", "again.gz", "--to", "bioes")
    assert (tmp_path / "again.gz").read_bytes() == (tmp_path / "out.gz").read_bytes()


def test_zstd_is_read_and_written_by_name(call: Call, tmp_path: Path) -> None:
    assert call("in.conll", "out.conll.zst", "--to", "bioes")[0] == 0
    assert (tmp_path / "out.conll.zst").read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
    assert call("out.conll.zst", "-", "--to", "bioes")[:2] == (0, BIOES)


def test_error_leaves_no_file_and_no_output(call: Call, tmp_path: Path) -> None:
    wrong = "a B-X\nb I-Y\n"
    code, out, err = call("-", "out.conll", "--to", "bioes", text=wrong)
    assert (code, out) == (1, "")
    assert err.startswith("error: standard input:2: tag 'I-Y' after 'B-X' is not valid IOB2; fix it, or repair it as")
    assert {path.name for path in tmp_path.iterdir()} == {"in.conll"}
    assert call("-", "-", "--to", "bioes", text=wrong)[:2] == (1, "")
    assert call("-", "-", "--to", "bioes", "--invalid", "repair", text=wrong)[:2] == (0, "a S-X\nb S-Y\n")


def test_error_in_the_middle_of_writing_leaves_the_old_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    text = '{"tokens": ["a"], "tags": {"ner": ["O"]}}\n{"tokens": ["b\\tc"], "tags": {"ner": ["O"]}}\n'
    code, _, err = call("-", "out", "--to", "conll", text=text)
    assert (code, (tmp_path / "out").read_text()) == (1, "old")
    assert "token 'b\\tc' must have no tab" in err
    assert {path.name for path in tmp_path.iterdir()} == {"in.conll", "out"}


def test_options_reach_the_conversion(call: Call) -> None:
    text = "# id = 1\nEU B-NP B-ORG\nUN B-NP B-ORG\n\n"
    assert call("-", "-", "--to", "io", "--column", "2", "--merge", text=text)[1] == text.replace("B-NP", "I-NP")
    named = call("-", "-", "--to", "bioes", "--columns", "token,chunk,ner", "--column", "chunk", text=text)[1]
    assert named == text.replace("B-NP", "S-NP")
    assert call("-", "-", "--to", "text", "--drop", "chunk,ner,comments", text=text)[1] == "EU UN\n"
    assert call("-", "-", "--to", "bioes", "--scheme", "iob1", text=text)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("no", "out", "--to", "io"), 1, "error: no: no such file; check the path, or give - for standard input\n"),
        (("in.conll", "out"), 2, None),
        (
            ("in.conll", "out", "--to", "iob3"),
            2,
            "error: --to must be one of iob1, iob2, bioes, bilou, io, conll, conllu, csv, docbin, doccano, "
            "jsonl, labelstudio, spacy, text, got 'iob3'\n",
        ),
        (("in.conll", "out", "--to", "io", "--scheme", "x"), 2, None),
        (
            ("in.conll", "no/out", "--to", "io"),
            1,
            "error: no/out: its folder must exist, but does not; create it first\n",
        ),
    ],
)
def test_mistake_ends_in_one_sentence(call: Call, arguments: tuple[str, ...], code: int, sentence: str | None) -> None:
    found, out, err = call(*arguments)
    assert (found, out) == (code, "")
    assert sentence is None or err == sentence


def test_spans_and_brat_are_converted_and_told(call: Call, tmp_path: Path) -> None:
    spans = '{"text": "Ada came", "label": [[0, 2, "PER"]]}\n'
    assert call("-", "-", "--to", "conll", text=spans)[:2] == (1, "")
    code, out, err = call("-", "-", "--to", "conll", "--misaligned", "expand", text=spans)
    assert (code, out) == (0, "Ada\tB-PER\ncame\tO\n\n")
    assert err.startswith("standard input: spans to conll: 1 sentence; layer `ner` reads as IOB2; expanded 1 entity")
    (tmp_path / "a.txt").write_text("Ada came")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAda\nT2\tX 0 8\tAda came\n")
    for source in ("a.txt", "."):
        code, out, err = call(
            source, "-", "--to", "doccano", "--nested", "innermost", "--drop", "documents,document names"
        )
        assert (code, out) == (0, '{"text": "Ada came", "label": [[0, 3, "PER"]]}\n')
        assert "dropped 1 entity that is nested" in err
    assert call("in.conll", "-", "--to", "jsonl", "--nested", "innermost")[0] == 1


def test_file_that_changes_or_goes_between_two_passes_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"change": lambda path: path.write_text("Bob\tB-X\n"), "go": Path.unlink}
    said = {"change": "the file must not change while it is read, but did", "go": "no such file; check the path"}
    for name, change in changes.items():
        (tmp_path / "a").write_text("Ada\tB-PER\n")
        passes: list[Path] = []

        def spoilt(path: Path, change=change, passes=passes, **options: bool) -> Iterator[bytes]:
            yield from raw_lines(path, **options)
            passes.append(path)
            if len(passes) == 1:
                change(tmp_path / "a")

        monkeypatch.setattr("tagger.cli.corpora.converting.raw_lines", spoilt)
        code, out, err = call("a", "out", "--to", "bioes")
        assert (code, out) == (1, "")
        assert err.startswith(f"error: a: {said[name]}")
        assert not (tmp_path / "out").exists()


def test_named_pipe_and_missing_file_are_reported_with_what_convert_can_read(call: Call, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert call("pipe", "-", "--to", "jsonl")[2] == (
        "error: pipe: must be a regular file, got a named pipe; save its contents to a file, "
        "or give - for standard input\n"
    )


def test_entity_that_does_not_fit_is_reported_with_the_options_of_the_command(call: Call) -> None:
    cut = '{"text": "Ada came", "label": [[0, 2, "PER"]]}\n'
    assert call("-", "-", "--to", "conll", text=cut)[2].endswith("; fix it, or choose --misaligned drop or expand\n")
    nested = '{"text": "Ada came", "label": [[0, 3, "PER"], [0, 8, "X"]]}\n'
    assert call("-", "-", "--to", "conll", text=nested)[2].endswith(
        "or choose --nested outermost or innermost or layers\n"
    )


@pytest.mark.parametrize("to", ["bioes", "jsonl"])
def test_pipe_that_a_shell_has_opened_is_read_whole(call: Call, tmp_path: Path, to: str) -> None:
    data = IOB2.encode() + b"\n\nRome\tB-LOC\n" * 50_000
    (tmp_path / "big").write_bytes(data)
    assert call("big", "plain", "--to", to)[0] == 0
    (tmp_path / "big.gz").write_bytes(gzip.compress(data))
    for name in ("big", "big.gz"):
        with subprocess.Popen(["cat", tmp_path / name], stdout=subprocess.PIPE) as cat:
            assert cat.stdout is not None
            code, _, err = call(f"/dev/fd/{cat.stdout.fileno()}", "out", "--to", to)
        assert (code, err.count("50002 sentences")) == (0, 1)
        assert (tmp_path / "out").read_bytes() == (tmp_path / "plain").read_bytes()
