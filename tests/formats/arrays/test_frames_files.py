"""Files of numbers: what each kind says, and the errors of broken ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import readers

from tagger.config import FramesReading
from tagger.errors import DataError
from tagger.formats import table
from tagger.formats.arrays import stored
from tagger.formats.streaming import stream_documents
from tagger.formats.tally import UNFIT, Tally
from tagger.text.frames import frames_of
from tagger.text.sentence import Label, Sentence, TagLayer, Values, sentence_of_frames

FRAMES = np.array([[1, 2], [3, np.nan], [5, 6], [7, 8], [9, 10]], np.float32)
CSV = "Time,temp,load,state\n2026-01-01 00:00,1,2,ok\n2026-01-01 00:05,3,,ok\n2026-01-01 00:10,5,6,bad\n"


def read(path: Path, **settings: Any) -> list[Sentence]:
    return readers.read("frames", path, **settings)


def error_of(path: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **settings)
    return str(caught.value)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def of(rows: Any, layers: Any = None, names: tuple[str, ...] = (), **settings: Any) -> Sentence:
    return sentence_of_frames(frames_of(rows, names), layers, **settings)


def test_an_npy_file_is_one_sequence_or_several_of_one_length(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, FRAMES)
    assert read(path) == [of(FRAMES)]
    np.save(path, FRAMES[:, 0])
    assert read(path) == [of(FRAMES[:, :1])]
    np.save(path, FRAMES[:4].reshape(2, 2, 2))
    assert read(path) == [of(FRAMES[:2]), of(FRAMES[2:4])]


def test_an_npz_file_has_sequences_with_tags_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    tags, labels = np.array(list("abcde")), np.array([3, 4])
    np.savez(path, frames=FRAMES, lengths=[2, 3], names=["x", "y"], tags=tags, mood=labels, document=["p", "q"])
    first = of(FRAMES[:2], {"tags": ["a", "b"], "mood": Label("3")}, ("x", "y"), document="p")
    second = of(FRAMES[2:], {"tags": ["c", "d", "e"], "mood": Label("4")}, ("x", "y"), document="q")
    assert read(path) == [first, second]
    assert read(path, layers={"state": "tags"})[0].layers == {"state": TagLayer(("a", "b"))}
    padded = np.zeros((2, 3, 2), np.float32)
    padded[0, :2], padded[1] = FRAMES[:2], FRAMES[2:]
    grid = np.array([["a", "b", ""], ["c", "d", "e"]])
    np.savez(path, frames=padded, lengths=[2, 3], names=["x", "y"], tags=grid, mood=labels, document=["p", "q"])
    assert read(path) == [first, second]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": FRAMES}, "must have the arrays `frames`, got `x`"),
        ({"frames": FRAMES, "lengths": [2, 2]}, "`lengths` must add up to 5 steps, got 4"),
        ({"frames": FRAMES, "lengths": [0, 5]}, "`lengths` must be whole numbers from 1"),
        ({"frames": FRAMES[None], "lengths": [6]}, "must be 1 numbers of at most 5"),
        (
            {"frames": FRAMES, "tags": ["a", "b"]},
            "`tags` must have one value for each step, of shape (5,), or for each sequence",
        ),
        ({"frames": FRAMES, "tags": FRAMES[:, 0]}, "`tags` must be texts or whole numbers, got an array of float32"),
        ({"frames": np.array([["a"]])}, "sequence 1: frames must be an array of numbers"),
        (
            {"frames": FRAMES[None], "tags": [list("abcde")[:2]]},
            "`tags` must have one value for each step, of shape (1, 5)",
        ),
        ({"frames": FRAMES[:4].reshape(2, 2, 2), "tags": [["a", "b"]]}, "of shape (2, 2), or for each sequence, of"),
        ({"frames": FRAMES[None], "tags": [[c] for c in "abcde"]}, "got the shape (5, 1)"),  # transposed
        ({"frames": FRAMES[None], "steps": [[c] for c in "abcde"]}, "`steps` must have one value for each step, of"),
        ({"frames": FRAMES, "steps": list("abcdef")}, "`steps` must have one value for each step, of shape (5,)"),
        ({"frames": FRAMES, "document": ["a", "b"]}, "`document` must have one value for each sequence, of shape (1,)"),
        ({"frames": FRAMES, "names": "ab"}, "`names` must have one value for each number, of shape (2,), got the sh"),
        ({"frames": FRAMES, "tags": np.array([b"\xff"] * 5)}, "`tags` must be UTF-8, got other bytes"),
        ({"frames": np.zeros(())}, "`frames` must have the shape (steps, numbers)"),
        ({"frames": np.array([object()])}, "without objects"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    assert said in error_of(path)


def test_what_numpy_cannot_read_is_refused(tmp_path: Path) -> None:
    for name in ("a.npy", "a.npz"):
        assert "must hold arrays of numbers or texts" in error_of(written(tmp_path / name, "no array\n"))
    assert "no such file" in error_of(tmp_path / "b.npy")
    path = tmp_path / "huge.npy"
    with path.open("wb") as file:
        head = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 5)}
        np.lib.format.write_array_header_1_0(file, head)
    assert "must hold arrays of numbers or texts" in error_of(path)


def test_damage_of_packed_arrays_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, frames=FRAMES, tags=list("abcde"))
    whole = path.read_bytes()
    said = set()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read(path)
        except DataError as error:
            said.add(str(error).removeprefix(f"{path}: ")[:20])
    assert "must hold arrays of " in said


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, frames=FRAMES, tags=np.full(5, "x" * 100_000))
    monkeypatch.setattr(stored, "MIN_BOMB", 1000)
    assert "the arrays must be at most 100 times as large as the file, got 2000" in error_of(path)


def test_the_kind_of_a_numpy_file_shows_in_its_bytes(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=FRAMES, tags=list("abcde"))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    assert read(tmp_path / "a.npy") == [of(FRAMES, {"tags": list("abcde")})]
    np.save(tmp_path / "b.npy", FRAMES)
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    assert read(tmp_path / "b.npz") == [of(FRAMES)]


def test_arrays_to_be_tagged_need_no_layers_and_empty_tags_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, frames=FRAMES)
    assert "must have the arrays `state`" in error_of(path, layers={"t": "state"})
    assert read(path, layers={"t": "state"}, tally=Tally(missed=UNFIT)) == [of(FRAMES)]
    np.savez(path, frames=FRAMES, t=["a", "", "b", " ", "c"])
    assert read(path)[0].tags("t") == ("a", None, "b", None, "c")
    np.savez(path, frames=FRAMES[:, None], mood=["a", "", "b", "", "c"])
    assert [{*sentence.layers} for sentence in read(path)] == [{"mood"}, set(), {"mood"}, set(), {"mood"}]


def test_a_parquet_table_has_a_row_for_each_sequence(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    rows = {"frames": [[[1.0, 2.0], [3.0, None]], [[5.0, 6.0]]], "tags": [["a", None], ["b"]], "mood": ["x", None]}
    parquet.write_table(pyarrow.table(rows), path)
    assert read(path) == [
        of(FRAMES[:2], {"tags": TagLayer(("a", None)), "mood": Label("x")}),
        of(FRAMES[2:3], {"tags": ["b"]}),
    ]
    parquet.write_table(pyarrow.table({"text": ["a"]}), path)
    assert error_of(path).endswith("row 1: must have the column `frames`, got `text`")
    assert "must be a Parquet file" in error_of(written(tmp_path / "b.parquet", "x"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"frames": [[1.0], [2.0, 3.0]]}, "frames must be an array of numbers"),
        ({"frames": [["a"]]}, "frames must be an array of numbers"),
        ({"frames": [b"abc"]}, "frames must be an array of numbers"),
        ({"frames": b"abc"}, "frames must be an array of numbers"),
        ({"frames": 1.0}, "frames must be an array of numbers"),
        ({"frames": [{"x": 1.0}]}, "frames must be an array of numbers"),
        ({"frames": [[1.0], [2.0]], "steps": 3}, "`steps` must be a list of texts, got 3"),
        ({"frames": [[1.0], [2.0]], "names": "a"}, "`names` must be a list of texts, got 'a'"),
        ({"frames": [[1.0], [2.0]], "tags": ["a"]}, "layer `tags` must have one tag for each of 2 tokens, got 1"),
    ],
)
def test_rows_that_do_not_fit_are_refused(row: dict[str, Any], said: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({key: [value] for key, value in row.items()}), path)
    assert f"row 1: {said}" in error_of(path)


def test_json_lines_have_numbers_for_each_step_or_each_name(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"frames": [[1, 2], [3, None]], "tags": {"t": ["a", "b"]}, "labels": {"m": {"value": "x"}}},
        {"frames": {"p": [1, 3], "q": [2, None]}, "tokens": ["one", "two"], "id": 7},
        {"frames": [1, None, 3]},
    ]
    path = written(tmp_path / "a.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    found = read(path)
    assert found == readers.read("jsonl", path)
    assert found == [
        of(FRAMES[:2], {"t": ["a", "b"], "m": Label("x")}),
        of(FRAMES[:2], names=("p", "q"), steps=["one", "two"]),
        of([[1], [None], [3]]),
    ]
    assert found[1].record == {"id": 7}
    written(path, '{"text": "a"}\n')
    assert error_of(path) == f"{path}:1: must have `frames`, a list of numbers for each step, got text"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"frames": [[1], [2, 3]]}, "`frames` must have the same numbers in each step, got 1 in the first step"),
        ({"frames": {"a": [1], "b": [1, 2]}}, "`frames` must have as many steps under each name, got [1, 2]"),
        ({"frames": []}, "`frames` must be a list of numbers for each step, or a list of all steps for each name"),
        ({"frames": [["1"]]}, """null is a missing number, got '[["1"]]'"""),
        ({"frames": [[1], None]}, "`frames` must be a list of numbers for each step"),
        ({"frames": [[True]]}, "`frames` must be a list of numbers for each step"),
        ({"frames": [[1], [10**400]]}, "frames must have finite numbers of at most 3.4e38, got a larger one"),
        ({"frames": {"a": [10**400]}}, "frames must have finite numbers of at most 3.4e38, got a larger one"),
        ({"frames": [[1], [2]], "steps": 3}, "`steps` must be a list of names of the steps, got '3'"),
        ({"frames": [[1], [2]], "steps": ["a"]}, "frames must have one name for each of 2 steps, got 1"),
        ({"frames": [[1], [2]], "tokens": ["a"]}, "`frames` must have a step for each of 1 tokens, got 2"),
    ],
)
def test_frames_of_json_that_do_not_fit_are_refused(row: Any, said: str, tmp_path: Path) -> None:
    assert said in error_of(written(tmp_path / "a.jsonl", json.dumps(row)))
    with pytest.raises(DataError) as caught:
        list(stream_documents([json.dumps(row)], "jsonl", where="f"))
    assert said in str(caught.value)


def test_steps_of_json_are_named_as_in_files_of_arrays() -> None:
    row = {"frames": [[1], [2]], "steps": ["09:00", 5], "labels": {"m": {"value": "x"}}, "id": 1}
    (sentence,) = readers.parse("jsonl", [json.dumps(row)], where="f")
    assert sentence == of([[1], [2]], {"m": Label("x")}, steps=["09:00", "5"])
    assert sentence.record == {"id": 1}
    (document,) = stream_documents([json.dumps(row)], "jsonl", where="f")
    assert document.sentences[0].tokens == ("09:00", "5")
    (of_text,) = readers.parse("jsonl", ['{"tokens": ["a", "b"], "steps": ["x", "y"]}'], where="f")
    assert of_text.tags("steps") == ("x", "y")


def test_a_key_frames_of_another_kind_stays_a_key_of_the_record() -> None:
    row = {"tokens": ["Ada", "ran"], "frames": [{"name": "Motion"}]}
    (sentence,) = readers.parse("jsonl", [json.dumps(row)], where="f")
    assert (sentence.frames, sentence.record) == (None, {"frames": [{"name": "Motion"}]})


def test_numbers_survive_json(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, frames=FRAMES, names=["x", "y"], tags=list("abcde"))
    lines = b"".join(table.written("jsonl", read(path), ["tags"]))
    (tmp_path / "a.jsonl").write_bytes(lines)
    assert read(tmp_path / "a.jsonl") == read(path)


def test_a_ts_file_has_a_series_a_line_with_its_class(tmp_path: Path) -> None:
    head = "#about\n@problemName X\n@timeStamps false\n@classLabel true a b\n@data\n"
    path = written(tmp_path / "a.ts", f"{head}1,3,5:2,?,6:a\n\n7,9:8,10:b\n")
    assert read(path) == [of(FRAMES[:3], {"label": Label("a")}), of(FRAMES[3:], {"label": Label("b")})]
    assert [s.origin.at(0) for s in read(path) if s.origin] == [f"{path}:6", f"{path}:8"]
    assert read(path, layer="who")[0].label("who").value == "a"
    written(path, "@classLabel false\n@data\n1,2\n")
    assert read(path) == [of([1, 2])]
    written(path, f"{head}1,2:3:a\n1,x:a\n1:2:\n")
    assert error_of(path).split("\n") == [
        f"{path}:6: all dimensions of a series must have as many numbers, got [2, 1]",
        f"{path}:7: must be a number, or empty where one is missing, got 'x'",
        f"{path}:8: a series must end with a colon and its class, as @classLabel true says, got none",
    ]
    written(path, "@classLabel true a b\n@dimensions\t2\n@data\n1:2:c\n1:a\n1:2:b\n")
    assert error_of(path).split("\n") == [
        f"{path}:4: the class must be one of those of @classLabel (`a`, `b`), got 'c'",
        f"{path}:5: the number of dimensions of a series must be 2, as the head says, got 1",
    ]
    assert "must be 1, as the head says, got 2" in error_of(written(path, "@univariate true\n@data\n1:2\n"))
    assert "got numbers as their targets (@targetlabel true)" in error_of(
        written(path, "@targetlabel true\n@data\n1:2\n")
    )
    assert "@timestamps true" in error_of(written(path, "@timeStamps true\n@data\n1\n"))
    assert "must have a line @data" in error_of(written(path, "@problemName x\n"))


def test_a_csv_file_is_cut_into_windows_of_one_document(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", CSV)
    names = ("temp", "load")
    how = FramesReading(label="state", window=2, hop=1)
    steps = ["2026-01-01T00:00", "2026-01-01T00:05", "2026-01-01T00:10"]

    def window(start: int, end: int) -> Sentence:
        tags = {"tags": ["ok", "ok", "bad"][start:end]}
        return of(FRAMES[start:end], tags, names, steps=steps[start:end], document="a")

    assert read(path, frames=how) == [window(0, 2), window(1, 3)]
    assert read(path, frames=how, tally=Tally(missed=UNFIT)) == [window(0, 2), window(2, 3)]  # in dev and test
    assert read(path, frames=FramesReading(label="state")) == [window(0, 3)]
    assert read(path, frames=how)[1].origin.at(1) == f"{path}:4"  # type: ignore[union-attr]
    (chosen,) = read(path, frames=FramesReading(values=("load",)), layer="x")
    assert chosen == of(FRAMES[:3, 1], names=("load",), steps=steps, document="a")


def test_windows_of_series_without_times_are_numbered_from_its_start(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "x;y\n1;2\n3;\n5;6\n")
    first, second = read(path, frames=FramesReading(window=2))
    assert (first.tokens, second.tokens) == (("0", "1"), ("2",))


def test_labelled_ranges_of_time_give_the_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", CSV.replace(",state", "").replace(",ok", "").replace(",bad", ""))
    ranges = {"x/b.csv": [], "x/a.csv": [["2026-01-01 00:05:00.000", "2026-01-01 00:10:00"]]}
    written(tmp_path / "ranges.json", json.dumps(ranges))
    (found,) = read(path, frames=FramesReading(windows="ranges.json"))
    assert found.tags("tags") == ("O", "anomaly", "anomaly")
    (found,) = read(path, frames=FramesReading(windows="ranges.json", tag="bad"), layer="state")
    assert found.tags("state") == ("O", "bad", "bad")


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        (CSV, {"label": "status"}, ":1: the first line must name the columns, among them `status`"),
        (CSV, {}, ":2: column `state` must be a number, or empty where one is missing, got 'ok'; if it holds none"),
        ("1,2\n3,4\n", {}, ":1: the first line must name the columns, got the numbers"),
        ("time\n1\n", {}, ":1: a column must hold numbers, got only `time`"),
        ("a,a\n1,2\n", {}, ":1: the columns must have different names, got `a` twice"),
        ("a,b\n1\n", {}, ":2: expected 2 columns as in the header, got 1"),
        ("time,a\n2,1\n1,1\n", {}, ":3: times must not go back, got '1' after '2'; sort the lines by time"),
        ("time,a\nnow,1\n", {}, ":2: a time must be a number or a date such as"),
        ("a\n1\n1e39\n", {}, ":3: column `a` must be a finite number of at most 3.4e38, got '1e39'"),
        ("a\ninf\n", {}, ":2: column `a` must be a finite number of at most 3.4e38, got 'inf'"),
        ("a\n1_000\n", {}, ":2: column `a` must be a number, or empty where one is missing, got '1_000'"),
        ("time,a\nnan,1\n", {}, ":2: a time must be a number or a date such as"),
        ("time,a\n1,1\ninf,1\n", {}, ":3: a time must be a number or a date such as"),
        ("time,a\n20260301,1\n", {"cycles": "week"}, ":2: a time that is a number must be seconds since 1970"),
        ("time,a\n1772368200000,1\n", {"cycles": "day"}, ":2: a time that is a number must be seconds since 1970"),
        ("time,a\n1,1\n", {"windows": "v.json"}, "v.json: `s.csv`: a time must be a number or a date such as"),
        ("time,a\n1,1\n", {"windows": "w.json"}, "w.json: must be JSON, got"),
        ("a\n1\n", {"windows": "r.json"}, "`windows` needs a column of times, got none"),
        ("time,a\n1,1\n", {"windows": "none.json"}, "no such file"),
        ("time,a\n1,1\n", {"windows": "s.csv"}, "must be JSON"),
        ("time,a\n1,1\n", {"windows": "r.json"}, "r.json: must have one key that ends in the name of the series"),
        ("time,a\n1,1\n", {"windows": "t.json"}, "t.json: `s.csv`: a range must have a start and an end, got [1]"),
        ("time,a\n1,1\n", {"windows": "u.json"}, "u.json: `s.csv`: a range must not end before it starts"),
    ],
)
def test_a_broken_series_is_refused_with_its_line(
    text: str, settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    for name, content in (
        ("r", {"other.csv": []}),
        ("t", {"s.csv": [[1]]}),
        ("u", {"s.csv": [[2, 1]]}),
        ("v", {"s.csv": [["nan", 3]]}),
    ):
        written(tmp_path / f"{name}.json", json.dumps(content))
    written(tmp_path / "w.json", "[" * 200_000)
    assert said in error_of(written(tmp_path / "s.csv", text), frames=FramesReading.model_validate(settings))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"label": "a", "windows": "b"}, "keep one of the two"),
        ({"hop": 2}, "got 2 and no `window`"),
        ({"window": 2, "hop": 3}, "got 3 and `window = 2`"),
        ({"label": "a", "values": ["a", "b"]}, "must be different columns, .* got `a` twice"),
        ({"time": "a", "label": "a"}, "must be different columns, .* got `a` twice"),
    ],
)
def test_keys_that_contradict_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FramesReading.model_validate(settings)


def test_files_are_tagged_with_the_frames_that_are_evaluated(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    written(tmp_path / "a.csv", "x,y\n1,2\n3,4\n")
    for name in ("a.npy", "a.csv"):
        (document,) = stream_documents([], "frames", where=str(tmp_path / name))
        assert [replaced.frames for replaced in document.sentences] == [s.frames for s in read(tmp_path / name)]
    lines = ['{"frames": [[1, 2], [3, null]], "id": 5}']
    (document,) = stream_documents(lines, "jsonl", where="standard input")
    assert (document.id, document.sentences[0].frames) == (5, frames_of(FRAMES[:2]))


def test_steps_behind_a_window_are_numbers_to_forecast(tmp_path: Path) -> None:
    lines = [f"2026-01-01 {i:02}:00,{i if i != 4 else ''},{-i}" for i in range(7)]
    path = written(tmp_path / "a.csv", "\n".join(["time,load,other", *lines]))
    how = FramesReading(window=3, hop=1, ahead=2)
    found = read(path, frames=how)
    assert [sentence.layers for sentence in found] == [
        {"next": Values((3.0, None), whole=True)},  # those of the first column
        {"next": Values((None, 5.0), whole=True)},
        {"next": Values((5.0, 6.0), whole=True)},
        {},  # one step is left
        {},
    ]
    assert [sentence.frames.values[-1, 1] for sentence in found if sentence.frames] == [-2, -3, -4, -5, -6]
    assert read(path, frames=how, missed=UNFIT) == found


def test_times_become_phases_of_their_cycles(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "time,load\n2026-01-01 06:00,1\n2026-01-02 00:00,2\n")  # the first a Thursday
    frames = read(path, frames=FramesReading(cycles=("day", "week")))[0].frames
    assert frames is not None
    assert frames.names == ("load", "sine of day", "cosine of day", "sine of week", "cosine of week")
    np.testing.assert_allclose(frames.values[:, 1:3], [[1, 0], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(frames.values[1, 3:], [np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7)], atol=1e-6)


def test_cycles_of_seconds_are_those_of_dates(tmp_path: Path) -> None:
    how = FramesReading(cycles=("day", "week"))
    (seconds,) = read(written(tmp_path / "a.csv", "time,load\n1772368200,1\n"), frames=how)
    (date,) = read(written(tmp_path / "a.csv", "time,load\n2026-03-01 12:30:00,1\n"), frames=how)
    assert seconds.frames == date.frames


def test_a_column_with_the_name_of_times_may_be_the_label(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "date,load\nmonday,1\nsunday,2\n")
    (found,) = read(path, frames=FramesReading(label="date"))
    assert (found.tokens, found.tags("tags")) == (("0", "1"), ("monday", "sunday"))


def test_cycles_need_times(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "load\n1\n")
    assert "`cycles` needs a column of times" in error_of(path, frames=FramesReading(cycles=("day",)))
