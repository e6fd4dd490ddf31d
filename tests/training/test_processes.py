"""Two processes that train one network: the same weights as one process, the same end, and no hang."""

import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_recipes import NER, SYNTHETIC
from small_runs import SENTIMENT, UPOS, make_conll_recipe, make_recipe, make_two_corpora

from tagger.running.train import train
from tagger.training.processes import Alone, own_device

STILL = ["embeddings.dropout=0", "encoder.dropout=0", "training.epochs=5", "training.patience=5"]
MARGINALS = 'teacher = "teacher.toml"\nteacher_targets = "marginals"\n'


def _trained(rank: int, size: int, port: int, recipe: Path, folder: Path, settings: dict[str, Any]) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    train(recipe, output=folder, threads=1, **settings)


def train_together(recipe: Path, folder: Path, *, size: int = 2, **settings: Any) -> list[int | None]:
    """Train in several processes, and return their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tagger.running.train"])
    found = [server.Process(target=_trained, args=(rank, size, port, recipe, folder, settings)) for rank in range(size)]
    for process in found:
        process.start()
    for process in found:
        process.join(300)
        process.kill()
    return [process.exitcode for process in found]


def assert_same(one: Path, two: Path) -> None:
    """Compare the weights of two runs. Words are kept in half precision, which rounds small differences up.

    A number that is added to the scores of all tokens changes no attention, so its gradient is rounding alone.
    """
    first, second = (load_file(folder / "model" / "weights.safetensors") for folder in (one, two))
    assert first.keys() == second.keys()
    for name, weight in first.items():
        if "pooling" not in name or weight.numel() > 1:
            close = 2e-3 if weight.dtype == torch.float16 else 1e-5
            torch.testing.assert_close(
                second[name], weight, rtol=0, atol=close, msg=lambda text, name=name: name + text
            )


pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="needs processes that fork"
)


@pytest.mark.parametrize(
    ("parts", "overrides"),
    [
        ([NER, UPOS, SENTIMENT + "dropout = 0.0\n"], []),
        ([NER, SENTIMENT + 'dropout = 0.0\nclass_weights = "balanced"\n'], ["training.batch_size=7"]),
        ([NER], ["training.optimizer=sgd", "embeddings.quantize=true", "heads.ner.decoder=softmax"]),
        ([NER], ["training.batch_size=1", "training.epochs=2", "training.average=0.9"]),
        ([NER, SENTIMENT + "dropout = 0.0\n"], ["training.batch_size=12", "training.accumulate=3"]),
    ],
)
def test_two_processes_make_the_steps_of_one(parts: list[str], overrides: list[str], tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC.replace("40", "80"), *parts)
    changes = [*STILL, "training.learning_rate=0.002", *overrides]
    run = train(recipe, output=tmp_path / "one", overrides=changes, threads=1)
    assert train_together(recipe, tmp_path / "two", overrides=changes) == [0, 0]
    assert_same(tmp_path / "one", tmp_path / "two")
    assert run.report is not None
    assert (tmp_path / "two" / "report.json").is_file()


def test_layers_that_only_some_sentences_have_and_teachers_count_as_in_one_process(tmp_path: Path) -> None:
    teacher = make_two_corpora(tmp_path).rename(tmp_path / "teacher.toml")
    still = {"[embeddings]": "[embeddings]\ndropout = 0.0", "[encoder]": "[encoder]\ndropout = 0.0"}
    for section, without_dropout in still.items():
        teacher.write_text(teacher.read_text().replace(section, without_dropout))
    pupil = make_two_corpora(tmp_path)
    pupil.write_text(pupil.read_text().replace(UPOS, UPOS + MARGINALS))
    train(pupil, output=tmp_path / "one", overrides=STILL, threads=1)
    assert train_together(pupil, tmp_path / "two", overrides=STILL) == [0, 0]
    assert_same(tmp_path / "one", tmp_path / "two")


def test_both_processes_see_the_same_refit_and_the_run_can_be_continued(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    changes = ["training.refit=true", "training.epochs=3"]
    assert train_together(recipe, tmp_path / "one", overrides=changes, checkpoint_every=1) == [0, 0]
    assert train_together(recipe, tmp_path / "two", overrides=changes, checkpoint_every=1) == [0, 0]
    one, two = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("one", "two"))
    assert all(torch.equal(weight, two[name]) for name, weight in one.items())


def test_an_error_of_the_data_ends_both(tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=["Ada/B-PER ran/O"])
    (tmp_path / "train.conll").unlink()
    assert train_together(recipe, tmp_path / "run") == [1, 1]


def test_a_process_alone_has_all_sentences_and_its_own_values() -> None:
    alone = Alone()
    assert alone.leads
    assert alone.agreed("x") == "x"
    assert alone.summed(0.5, [], []) == 0.5
    assert own_device("cpu") == "cpu"


def test_each_process_of_a_machine_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert own_device("cuda") == "cuda:3"
    assert own_device("cuda:1") == "cuda:1"
    assert own_device("cpu") == "cpu"
