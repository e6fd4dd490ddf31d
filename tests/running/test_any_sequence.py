"""Every kind of input through training, saving, loading on every backend, tagging and scoring."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_recipes import SMALL
from small_runs import Notes, same_bits, weights
from sounds import tone, write_wav
from typer.testing import CliRunner

import tagger
from tagger import Tagger
from tagger.cli.app import app
from tagger.export.folder import export_onnx
from tagger.running.run import Run
from tagger.running.train import train


class CutError(Exception):
    """What ends a training at its third step."""


class Cutter(Notes):
    """Cuts a training at its third step."""

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step == 3:
            raise CutError


STEPS, SEQUENCES = 6, 24  # of a small file
HEADS = '[heads.tags]\nkind = "tokens"\nscheme = "none"\n[heads.mood]\nkind = "sentence"\npooling = "{pooling}"\n'
NUMBERS = '[features.numbers]\nkind = "frames"\n'


def sequences() -> tuple[NDArray[np.float32], list[list[str]], list[str]]:
    """Numbers with a tag for each step that they show, and a label for each sequence; some are missing."""
    values = np.random.default_rng(1).normal(size=(SEQUENCES, STEPS, 2)).astype(np.float32) * [100, 1] + [500, 0]
    tags = [["up" if first > 500 else "down" for first, _ in each] for each in values]
    labels = ["left" if each[:, 1].sum() > 0 else "right" for each in values]
    values[::5, 2, 1] = np.nan
    return values.astype(np.float32), tags, labels


def write_npz(folder: Path) -> str:
    values, tags, labels = sequences()
    np.savez(folder / "all.npz", frames=values, tags=np.array(tags), mood=np.array(labels))
    return 'format = "frames"\ntrain = "all.npz"'


def write_parquet(folder: Path) -> str:
    import pyarrow
    from pyarrow import parquet

    values, tags, labels = sequences()
    rows = [[[None if number != number else number for number in step] for step in each] for each in values.tolist()]
    parquet.write_table(pyarrow.table({"frames": rows, "tags": tags, "mood": labels}), folder / "all.parquet")
    return 'format = "frames"\ntrain = "all.parquet"'


def write_json(folder: Path) -> str:
    rows = [
        {
            "frames": [[None if number != number else number for number in step] for step in each],
            "tags": {"tags": tags},
            "labels": {"mood": label},
        }
        for each, tags, label in zip(sequences()[0].tolist(), *sequences()[1:], strict=True)
    ]
    (folder / "all.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return 'format = "frames"\ntrain = "all.jsonl"'


def write_ts(folder: Path) -> str:
    values, _, labels = sequences()
    lines = [
        ":".join([*(",".join("?" if n != n else str(n) for n in column) for column in each.T), label])
        for each, label in zip(values, labels, strict=True)
    ]
    head = "@problemName All\n@timeStamps false\n@classLabel true left right\n@data\n"
    (folder / "all.ts").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return 'format = "frames"\nlayer = "mood"\ntrain = "all.ts"'


def write_csv(folder: Path) -> str:
    values, tags, _ = sequences()
    steps = zip(values.reshape(-1, 2), [tag for each in tags for tag in each], strict=True)
    lines = [f"{i},{a},{'' if b != b else b},{tag}" for i, ((a, b), tag) in enumerate(steps)]
    (folder / "all.csv").write_text("time,a,b,state\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return (
        'format = "frames"\ntrain = "all.csv"\nsplit = {group = "sentence", dev = 0.2, test = 0.2}\n'
        f'frames = {{label = "state", window = {STEPS}}}'
    )


def write_words(folder: Path) -> str:
    lines = [f"# mood = {mood}\n{word}\tup\nb\tdown\n" for mood, word in (("left", "a"), ("right", "c"))]
    (folder / "all.conll").write_text("\n".join(lines * (SEQUENCES // 2)), encoding="utf-8")
    return 'format = "conll"\ncolumns = ["token", "tags"]\nlayers = {mood = "# mood"}\ntrain = "all.conll"'


def write_fasta(folder: Path) -> str:
    """Proteins whose tags are below them, with a label in the header."""
    rows = [f">P{i}|{'left' if i % 2 else 'right'}|0\n{'MA'[i % 2]}KKA\n{'io'[i % 2]}iio\n" for i in range(SEQUENCES)]
    (folder / "all.fasta").write_text("".join(rows), encoding="utf-8")
    return 'format = "fasta"\nlayers = {tags = "tags", mood = "2"}\ntrain = "all.fasta"'


def write_symbols(folder: Path) -> str:
    rows = [f"{'left' if i % 2 else 'right'},d{i},  AC{'GT'[i % 2]}A\n" for i in range(SEQUENCES)]
    (folder / "all.csv").write_text("label,name,text\n" + "".join(rows), encoding="utf-8")
    return (
        'format = "labelled"\nlayer = "mood"\ntokenize = "symbols"\ncolumns = ["mood", "_", "text"]\n'
        'delimiter = "comma"\nheader = 1\ntrain = "all.csv"'
    )


def write_sounds(folder: Path) -> str:
    for i in range(SEQUENCES):
        name = f"left_{i:02}" if i % 2 else f"right_{i:02}"
        write_wav(folder / f"{name}.wav", tone(300 if i % 2 else 900, seed=i))
    return (
        'format = "wav"\nlayers = {mood = "word"}\ntrain = "*_??.wav"\n'
        'audio = {name = "(?P<word>[a-z]+)_(?P<take>[0-9]+)", hop = 50, coefficients = 3}'
    )


OVERRIDES = ["encoder.bidirectional=false", "encoder.stride=2"]


# Each kind of input: what writes its file and says how to read it, and how a recipe describes a step.
INPUTS: dict[str, tuple[Callable[[Path], str], str]] = {
    "npz": (write_npz, NUMBERS),
    "parquet": (write_parquet, NUMBERS),
    "json": (write_json, NUMBERS),
    "ts": (write_ts, NUMBERS),
    "csv": (write_csv, NUMBERS),
    "words": (write_words, ""),
    "fasta": (write_fasta, ""),
    "symbols": (write_symbols, ""),
    "wav": (write_sounds, NUMBERS),
}
WITHOUT = {
    "ts": {"tags"},
    "csv": {"mood"},
    "symbols": {"tags"},
    "wav": {"tags"},
}  # layers that a kind of file does not have


def make_recipe(folder: Path, kind: str, *, pooling: str = "mean") -> Path:
    """Write the files of a kind of input and a recipe for them."""
    write, steps = INPUTS[kind]
    found = write(folder)
    split = "" if "split" in found else "split = {dev = 0.2, test = 0.2}\n"
    heads = HEADS.format(pooling=pooling).split("[heads.")[1:]
    kept = "".join(f"[heads.{head}" for head in heads if head.split("]")[0] not in WITHOUT.get(kind, ()))
    small = SMALL.replace("[embeddings]\n", "[embeddings]\nwords = false\n") if steps else SMALL
    path = folder / "recipe.toml"
    path.write_text(f"[data]\n{found}\n{split}\n{kept}\n{steps}{small}", encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=INPUTS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Run]:
    """A kind of input, the folder of its files, and a run that was trained on them."""
    if request.param == "wav":
        pytest.importorskip("soundfile")
        pytest.importorskip("kaldi_native_fbank")
    folder = tmp_path_factory.mktemp(request.param)
    recipe = make_recipe(folder, request.param)
    return request.param, folder, train(recipe, output=folder / "run", overrides=OVERRIDES)


def backends_of(folder: Path) -> dict[str, Tagger]:
    """The model of a run on each backend."""
    exported = folder / "exported"
    if not exported.exists():
        export_onnx(folder / "run", exported)
    return {
        "torch": tagger.load(folder / "run", backend="torch"),
        "numpy": tagger.load(folder / "run", backend="numpy"),
        "onnx": tagger.load(exported, backend="onnx"),
    }


def test_every_backend_tags_and_scores_as_torch_does(trained: tuple[str, Path, Run]) -> None:
    kind, folder, run = trained
    assert run.report is not None
    assert set(run.report.scores) == {"tags", "mood"} - WITHOUT.get(kind, set())
    (corpus,) = tagger.load_corpora(folder / "recipe.toml").values()
    test = list(corpus.test)
    expected = list(run.tagger.predict(test))
    assert [sentence.frames for sentence in expected] == [sentence.frames for sentence in test]
    for name, model in backends_of(folder).items():
        found = list(model.predict(test))
        for one, other in zip(found, expected, strict=True):
            assert one.layers.keys() == other.layers.keys(), name
            for layer in one.layers:
                if layer == "tags":
                    assert one.tags(layer) == other.tags(layer), name
                    assert one.tag_scores(layer) == pytest.approx(other.tag_scores(layer), abs=1e-5), name
                else:
                    assert one.label(layer).scores == pytest.approx(other.label(layer).scores, abs=1e-5), name
        scores = model.evaluate(test).scores
        assert {layer: each.accuracy for layer, each in scores.items()} == {
            layer: each.accuracy for layer, each in run.report.scores.items()
        }


def test_every_backend_tags_step_by_step_what_it_tags_whole(trained: tuple[str, Path, Run]) -> None:
    _, folder, _ = trained
    (corpus,) = tagger.load_corpora(folder / "recipe.toml").values()
    for sentence in corpus.test[:2]:
        for name, model in backends_of(folder).items():
            running, whole = model.incremental(), next(model.predict([sentence]))
            for i, token in enumerate(sentence.tokens):
                frame = None if sentence.frames is None else sentence.frames.values[i]
                found = running.feed(token, frame=frame)
                assert (found.token, found.position) == (token, i)
            for layer, label in found.labels.items():
                assert label.score == pytest.approx(whole.label(layer).score, abs=1e-5), name
            assert set(found.tags) | set(found.labels) == set(whole.layers)
            if "tags" in whole.layers:
                assert found.tags["tags"] == whole.tags("tags")[-1]


def test_the_command_tags_the_file_and_scores_it(trained: tuple[str, Path, Run], tmp_path: Path) -> None:
    kind, folder, run = trained
    file = next(folder.glob("all.*"), folder / "left_01.wav")
    output = tmp_path / "out.jsonl"
    runner = CliRunner()
    format = ["--input-format", "csv"] if kind == "symbols" else []
    result = runner.invoke(app, ["tag", str(folder / "run"), str(file), "--output", str(output), *format])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    (corpus,) = tagger.load_corpora(folder / "recipe.toml").values()
    sentences = sorted([*corpus.train, *corpus.dev, *corpus.test], key=lambda s: s.origin.lines[0])  # type: ignore[union-attr]
    if kind == "wav":
        sentences = [sentence for sentence in sentences if sentence.meta["file"] == file.name]
    expected = list(run.tagger.predict(sentences))
    assert [row["tokens"] for row in rows] == [list(sentence.tokens) for sentence in expected]
    if "tags" in run.tagger.layers:
        assert [row["tags"]["tags"] for row in rows] == [list(sentence.tags("tags")) for sentence in expected]
    result = runner.invoke(app, ["evaluate", str(folder / "run"), str(file)])
    assert result.exit_code == 0, result.output


def test_the_service_tags_what_the_model_tags(trained: tuple[str, Path, Run]) -> None:
    testclient = pytest.importorskip("starlette.testclient")
    from tagger.serving.app import create_app

    _, folder, run = trained
    (corpus,) = tagger.load_corpora(folder / "recipe.toml").values()
    sentence, expected = corpus.test[0], next(run.tagger.predict(corpus.test[:1]))
    given: dict[str, Any] = {"text": list(sentence.tokens)}
    if sentence.frames is not None:
        given = {"frames": [[None if n != n else n for n in step] for step in sentence.frames.values.tolist()]}
    with testclient.TestClient(create_app({"m": run.tagger})) as client:
        (found,) = client.post("/tag", json=given).json()["results"]
        assert found["tags"] == {name: list(expected.tags(name)) for name in run.tagger.layers if name == "tags"}
        assert {name: label["value"] for name, label in found["labels"].items()} == {
            name: expected.label(name).value for name in run.tagger.layers if name == "mood"
        }
        for wrong in ({"frames": [[1.0], [1.0, 2.0]]}, {"frames": []}, {"frames": [["a"]]}, {"frames": [[1.0]] * 3}):
            answer = client.post("/tag", json=wrong)
            assert answer.status_code == 422
            assert "frames" in answer.json()["error"]


def test_a_cut_training_goes_on_to_the_same_model(trained: tuple[str, Path, Run], tmp_path: Path) -> None:
    _, folder, run = trained
    settings = {"overrides": OVERRIDES, "data": folder, "output": tmp_path / "run"}
    with pytest.raises(CutError):
        train(folder / "recipe.toml", **settings, listener=Cutter(), checkpoint_every=1)
    again = train(folder / "recipe.toml", **settings, resume=True, listener=Notes())
    assert same_bits(weights(again), weights(run))


def test_a_network_learns_from_that_of_another_recipe(trained: tuple[str, Path, Run]) -> None:
    kind, folder, _ = trained
    if "mood" in WITHOUT.get(kind, ()):
        pytest.skip("a layer of tags with gold asks no teacher")
    text = (folder / "recipe.toml").read_text(encoding="utf-8")
    taught = text.replace("[heads.mood]", '[heads.mood]\nteacher = "recipe.toml"\nteacher_weight = 1000.0')
    (folder / "student.toml").write_text(taught, encoding="utf-8")
    run = train(folder / "student.toml", output=folder / "student", overrides=OVERRIDES)
    taught_loss, own_loss = (found.outcome.epochs[0].loss for found in (run, trained[2]))
    assert taught_loss > 2 * own_loss


def test_a_model_of_numbers_keeps_no_words(trained: tuple[str, Path, Run]) -> None:
    kind, folder, run = trained
    vocabulary = json.loads((folder / "run" / "model" / "vocabulary.json").read_text(encoding="utf-8"))
    of_words = not INPUTS[kind][1]
    assert bool(vocabulary["words"]) == of_words
    assert run.tagger.model.config.vector_dimension == (8 if of_words else 0)
