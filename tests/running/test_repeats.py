"""One seed gives one model, to the last byte of its files: in fresh processes, and in two threads of one process."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from small_recipes import NER, SMALL, SYNTHETIC
from small_runs import SENTIMENT, UPOS
from tiny_transformers import save_bert

from tagger.files.writing import replace_files
from tagger.pretraining.characters import Characters
from tagger.pretraining.model import CharLMSizes, build_charlm, charlm_files
from tagger.running.train import train

FEATURES = """
[features.form]
kind = "shape"
[features.ends]
kind = "affixes"
[features.names]
kind = "gazetteer"
files = { PER = "names.txt" }
[features.chars]
kind = "charlm"
model = "lm"
[features.bert]
kind = "transformer"
model = "bert"
trainable = true
"""
EVERYTHING = ["training.average=0.9", "embeddings.word_dropout=0.2", "encoder.dropout=0.3"]
VARIANTS = {
    "features": [],
    "gru": ["encoder.cell=gru", "encoder.layers=2", "embeddings.chars=lstm", "training.mention_replacement=0.5"],
    "rnn": ["encoder.cell=rnn", "encoder.bidirectional=false", "embeddings.chars=none", "heads.ner.decoder=softmax"],
    "sgd": ["training.optimizer=sgd", "embeddings.quantize=true", "heads.sentiment.pooling=max"],
    "refit": ["training.refit=true", "heads.ner.scheme=iob2"],
    "calibrated": ["heads.ner.calibrate=true", "heads.sentiment.calibrate=true"],
}
SCRIPT = """
import json, sys
from pathlib import Path
from test_repeats import VARIANTS, digests
json.dump({name: digests(Path(sys.argv[1]), Path(sys.argv[2]), name) for name in VARIANTS}, sys.stdout)
"""


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe of each variant."""
    folder = tmp_path_factory.mktemp("recipes")
    save_bert(folder / "bert")
    (folder / "names.txt").write_text("Ada\nEva Smith\n")
    model = build_charlm(CharLMSizes(dimension=2, hidden_size=4), Characters.of("Ada lives in Oslo ." * 3), {}, seed=1)
    replace_files(folder / "lm", charlm_files(model, ""))
    for name in VARIANTS:
        features = FEATURES if name == "features" else ""
        text = "\n".join((SYNTHETIC, features, NER, UPOS, SENTIMENT, SMALL))
        (folder / f"{name}.toml").write_text(text)
    return folder


def digests(recipes: Path, output: Path, name: str) -> dict[str, str]:
    """The SHA-256 of each file of the model of a variant."""
    train(recipes / f"{name}.toml", output=output / name, overrides=[*EVERYTHING, *VARIANTS[name]], threads=1)
    files = sorted(path for path in (output / name / "model").rglob("*") if path.is_file())
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_fresh_processes_make_the_same_files(recipes: Path, tmp_path: Path) -> None:
    found = []
    for hash_seed in ("1", "2"):  # which orders sets differently
        paths = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-c", SCRIPT, str(recipes), str(tmp_path / hash_seed)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert found[0].keys() == VARIANTS.keys()
    assert len({tuple(files.values()) for files in found[0].values()}) == len(VARIANTS)
    assert found[0] == found[1]


def test_two_threads_of_a_process_make_the_same_files_as_one(recipes: Path, tmp_path: Path) -> None:
    names = ["features", "gru"]
    alone = {name: digests(recipes, tmp_path / "alone", name) for name in names}
    with ThreadPoolExecutor(4) as pool:
        places = [(name, tmp_path / f"{name}-{number}") for number in (1, 2) for name in names]
        together = list(pool.map(lambda place: digests(recipes, place[1], place[0]), places))
    assert [alone[name] for name, _ in places] == together
