"""A pickled tagger is the path of its folder, of which the process keeps the model that it read last."""

import copy
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from backends import BACKENDS, folder_for
from signing import make_older
from untrained import untrained_model

import tagger
from tagger.config import EmbeddingsConfig, EncoderConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.inference import pickled as pickled_module
from tagger.tagging import Tagger

Save = Callable[[int], Path]
TOKENS = ["Ada", "came", "to", "Paris"] * 3


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    pickled_module._kept.cache_clear()
    name: str = request.param
    return name


@pytest.fixture
def save(backend: str, tmp_path: Path) -> Save:
    """Save a model whose weights depend on a number to the same folder."""
    vocabulary = Vocabulary(["Ada", "Paris"], list("adirs"), {"pos": ["X", "Y", "Z"]}, 3)

    def write(seed: int) -> Path:
        heads = {"pos": TokensHeadConfig(kind="tokens", scheme="none")}
        sizes = {"embeddings": EmbeddingsConfig(dimension=6), "encoder": EncoderConfig(hidden_size=5)}
        return folder_for(backend, untrained_model(vocabulary, heads, **sizes, loudness=5, seed=seed), tmp_path / "m")

    return write


def scores(model: Tagger) -> tuple[float, ...]:
    return model.tag_tokens(TOKENS).tag_scores("pos")


def test_a_tagger_that_was_loaded_is_pickled_as_the_path_of_its_folder(save: Save, backend: str) -> None:
    model = tagger.load(save(1), backend=backend)
    assert len(pickle.dumps(model)) < 1000
    again = pickle.loads(pickle.dumps(model))
    for found in (again, copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(again))):
        assert scores(found) == pytest.approx(scores(model), abs=1e-6)
        assert found.model.source == model.model.source


def test_pickles_of_one_model_are_read_once(save: Save, backend: str) -> None:
    pickled = pickle.dumps(tagger.load(save(1), backend=backend))
    first, second = pickle.loads(pickled), pickle.loads(pickled)
    assert first.backend is second.backend
    blanks = pickle.dumps(tagger.load(save(1), backend=backend, tokenize="blanks"))
    assert pickle.loads(blanks).tag("Ada came.").tokens == ("Ada", "came.")
    assert pickle.loads(pickle.dumps(pickle.loads(blanks))).tag("Ada came.").tokens == ("Ada", "came.")
    assert pickle.loads(pickle.dumps(tagger.load(save(1), backend=backend))).tag("Ada came.").tokens[-1] == "."


@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.parametrize("read_before", [True, False])
def test_a_folder_that_changed_since_pickling_is_refused(
    hashed: bool, read_before: bool, save: Save, backend: str
) -> None:
    if backend == "onnx" and not hashed:
        pytest.skip("exported models have had hashes from the start")
    folder = save(1)
    if not hashed:  # as models of older versions have none
        make_older(folder, 1, hashed=False)
    pickled = pickle.dumps(tagger.load(folder, backend=backend))
    if read_before:
        pickle.loads(pickled)
    save(2)
    if not hashed:
        make_older(folder, 1, hashed=False)
    with pytest.raises(ModelError, match="must hold the model that was pickled, but holds another one now"):
        pickle.loads(pickled)
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match="no such model folder"):
        pickle.loads(pickled)
