"""Whatever a model folder holds: it loads and gives finite probabilities, or there is one error of one sentence.

A mutant is a good folder of which one to three values, tensors or bytes are changed. Two thirds have hashes that fit
the changed files, as only somebody who knows the format would make them. 3,000 of them: `python -m pytest -m fuzz
tests/model/folder/test_folder_fuzz.py`.
"""

import copy
import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from signing import sign

import tagger
from tagger.errors import ModelError
from tagger.formats.jsonl import sentence_to_json

SECONDS = 60  # that a mutant may take at most
TEXTS = ["Washington said the film was not terrible.", "a", "The album was great until the ending ruined it . " * 20]
NUMBERS = (-1, 0, 1, 2, 3, 1000, 10**4, 10**6, 2**31, 2**63, 2**64, 10**30, 0.5, 1e-30, float("nan"), float("inf"))
VALUES = (
    *NUMBERS,
    None,
    True,
    "",
    "O",
    "B-",
    "B-X",
    "crf",
    "iob1",
    "none",
    "\ud800",
    "x" * 10_000,
    [],
    {},
    [[]],
    ["O"],
)
WEIGHTS = (float("nan"), float("inf"), -float("inf"), 3e38, -1e30, 1e6, -1e6, 1e3, 1e-40, 0.0)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    (folder / "small.toml").write_text(
        'data = {format = "synthetic", sentences = 30}\n'
        "embeddings = {dimension = 4, char_dimension = 4, char_hidden = 4}\n"
        "encoder = {hidden_size = 4}\n"
        'heads = {ner = {kind = "tokens"}, upos = {kind = "tokens", scheme = "none", decoder = "softmax"}, '
        'sentiment = {kind = "sentence", hidden_size = 4, calibrate = true}}\n'
        "training = {epochs = 1}\n"
    )
    tagger.train(folder / "small.toml", output=folder / "run")
    return folder / "run" / "model"


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError(f"took longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in nested values with each of its keys."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from places(tree[key])


def with_other_value(content: bytes, random: Random) -> bytes:
    tree = json.loads(content)
    place, key = random.choice(list(places(tree)))
    value = copy.deepcopy(random.choice(NUMBERS if type(place[key]) in (int, float) else VALUES))
    match random.randrange(5):
        case 0:
            del place[key]
        case 1 if isinstance(place, dict):
            place[random.choice(("", "new", key + "x"))] = value
        case 2 if isinstance(place, list):
            place.insert(key, random.choice(place))
        case _:
            place[key] = value
    return json.dumps(tree).encode()


def with_other_tensor(content: bytes, random: Random) -> bytes:
    weights = load(content)
    name = random.choice(sorted(weights))
    tensor = weights[name]
    match random.randrange(8):
        case 0:
            del weights[name]
        case 1:
            weights[random.choice(["", "x", name + "x", "x" * 10_000])] = weights.pop(name)
        case 2:
            weights[name] = tensor.to(random.choice([torch.float64, torch.float16, torch.bfloat16, torch.int64]))
        case 3:
            shape = random.choice([(), (0,), (1,), (0, *tensor.shape), (*tensor.shape, 1), tuple(tensor.shape)[::-1]])
            weights[name] = torch.zeros(shape, dtype=tensor.dtype)
        case 4:
            tensor.mul_(random.choice([1e3, 1e5, -1e4]))
        case 5:
            weights[name] = torch.tensor(random.choice(WEIGHTS)).to(tensor.dtype).expand(tensor.shape).contiguous()
        case _ if tensor.numel():
            tensor.view(-1)[random.randrange(tensor.numel())] = torch.tensor(random.choice(WEIGHTS)).to(tensor.dtype)
    return save(weights)


def with_other_bytes(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content))
    end = min(len(content), start + random.choice((1, 1, 8, 1000)))
    changed = bytes(byte ^ (1 << random.randrange(8)) for byte in content[start:end])
    return content[:start] + random.choice((changed, b"", content[start:end] * 2)) + content[end:]


CHANGES: dict[str, Callable[[bytes, Random], bytes]] = {
    "config.json": with_other_value,
    "vocabulary.json": with_other_value,
    "tokenizer.json": with_other_value,
    "weights.safetensors": with_other_tensor,
}


def mutate(folder: Path, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 3))):
        name = random.choice(list(CHANGES))
        change = random.choice((CHANGES[name], CHANGES[name], with_other_bytes))
        try:
            content = change((folder / name).read_bytes(), random)
        except (ValueError, IndexError, SafetensorError, TypeError):
            continue  # broken already by the change before
        (folder / name).write_bytes(content)
    if random.random() < 0.7:
        with suppress(ValueError, TypeError, AttributeError):  # a config that is no JSON object
            sign(folder)


def survive(folder: Path, backend: str) -> str:
    """What became of a folder; fails unless that is one sentence or finite probabilities."""
    try:
        with no_longer_than(SECONDS):
            model = tagger.load(folder, backend=backend)
            for sentence in model.stream(TEXTS, n_best=2):
                json.dumps(sentence_to_json(sentence), allow_nan=False).encode()
    except ModelError as error:
        said = str(error).replace(str(folder), "")
        assert 20 < len(said) < 700
        assert said.isprintable()
        return "refused"
    return "tagged"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("first", "number"), [(0, 300), pytest.param(300, 3000, marks=pytest.mark.fuzz)])
def test_changed_folder_is_refused_in_one_sentence_or_tags_with_finite_probabilities(
    first: int, number: int, good: Path, tmp_path: Path
) -> None:
    found: Counter[str] = Counter()
    for seed in range(first, first + number):
        shutil.rmtree(tmp_path / "m", ignore_errors=True)
        shutil.copytree(good, tmp_path / "m")
        mutate(tmp_path / "m", Random(seed))
        try:
            found[survive(tmp_path / "m", "numpy" if seed % 3 else "torch")] += 1
        except BaseException as error:
            error.add_note(f"mutant {seed}")
            raise
    assert found["refused"] > number / 3
    assert found["tagged"] > number / 20
