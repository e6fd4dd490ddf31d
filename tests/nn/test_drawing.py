"""Draws from torch's global generator, which all threads share."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from tiny_transformers import save_bert
from torch import Tensor
from untrained import config_of

from tagger.config import TokensHeadConfig, TransformerConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.features.feature import Given
from tagger.features.transformer import TransformerFeature
from tagger.model.network import build_network
from tagger.nn.drawing import drawing, drawing_from

LABELS = {"upos": ["X", "Y"]}


def weights() -> list[Tensor]:
    config = config_of({"upos": TokensHeadConfig(kind="tokens", scheme="none")})
    return list(build_network(Vocabulary(["a"], ["a"], LABELS, 2), config, seed=1).state_dict().values())


def draws(meanwhile: Callable[[], object] = lambda: None) -> list[float]:
    with drawing_from(torch.Generator().manual_seed(1)):
        found = [float(torch.rand(()))]
        meanwhile()
        return [*found, float(torch.rand(()))]


def in_between(other: "Future[object]") -> None:
    """Give what another thread does time to disturb this one; it should wait until this one has drawn."""
    with suppress(NotYetError):
        other.result(timeout=0.3)


def test_a_network_is_built_alone_while_another_thread_draws_from_a_generator() -> None:
    expected, built = draws(), weights()
    with ThreadPoolExecutor(1) as pool:
        others: list[Future[list[Tensor]]] = []

        def meanwhile() -> None:
            others.append(pool.submit(weights))
            in_between(others[0])

        assert draws(meanwhile) == expected
        assert all(map(torch.equal, others[0].result(), built))


def test_a_transformer_that_is_loaded_disturbs_no_other_thread(tmp_path: Path) -> None:
    save_bert(tmp_path / "bert")
    config = TransformerConfig(kind="transformer", model="bert")
    content = TransformerFeature.prepare("x", config, Given(tmp_path, None, print, "cpu")).content(None)
    before = torch.get_rng_state()
    TransformerFeature.restore("x", config, content)
    assert not torch.equal(torch.get_rng_state(), before)  # it has no pooler, for which weights are drawn
    expected = draws()
    with ThreadPoolExecutor(1) as pool:
        assert draws(lambda: in_between(pool.submit(TransformerFeature.restore, "x", config, content))) == expected


def test_the_global_generator_is_then_as_before() -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    draws()
    assert torch.equal(torch.get_rng_state(), state)


def test_no_generator_draws_from_the_global_one() -> None:
    torch.manual_seed(3)
    first = float(torch.rand(()))
    torch.manual_seed(3)
    with drawing_from(None):
        assert float(torch.rand(())) == first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_draws_while_a_thread_of_its_parent_does() -> None:
    with ThreadPoolExecutor(1) as pool:

        def fork() -> int:
            child = os.fork()
            if child == 0:
                with drawing():
                    os._exit(0)
            return os.waitpid(child, 0)[1]

        with drawing():
            assert pool.submit(fork).result() == 0
