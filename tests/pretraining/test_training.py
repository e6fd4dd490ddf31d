"""The training of both directions: mirror images, learning, and the same numbers after an interruption."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tagger.errors import ModelError, TaggerError
from tagger.nn.tensor_files import pack, unpack
from tagger.pretraining import training as module
from tagger.pretraining.characters import Characters
from tagger.pretraining.model import CharLMSizes, build_charlm
from tagger.pretraining.plan import Listener, Plan, Round
from tagger.pretraining.training import Training

TEXT = "\n" + "".join(f"{word} sleeps in {place} .\n" for word in ("Ada", "Bo", "Eva") for place in ("Oslo", "Rio")) * 8
DEV = "\nEva sleeps in Oslo .\nBo sleeps in Rio .\n" * 5


def make_training(plan: Plan, text: str = TEXT, dev: str = DEV) -> Training:
    characters = Characters.of(text)
    sizes = CharLMSizes(dimension=plan.dimension, hidden_size=plan.hidden_size)
    model = build_charlm(sizes, characters, {}, seed=plan.seed, dropout=plan.dropout)
    return Training(model, characters.ids(text), characters.ids(dev), plan)


def run(training: Training, *, threads: int = 1, stop: Callable[[], bool] = lambda: False) -> Training:
    training.run(threads=threads, listener=Listener(), stepped=stop, scored=lambda last: None)
    return training


def after(steps: int) -> Callable[[], bool]:
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def without_time(last: Round) -> dict[str, Any]:
    return {name: getattr(last, name) for name in Round.__slots__ if name not in ("seconds", "characters_per_second")}


def weights_of(training: Training) -> list[Tensor]:
    return list(training.model.network.state_dict().values())


def test_the_model_from_the_right_mirrors_the_model_of_the_reversed_text(small: Plan) -> None:
    forward, mirrored = run(make_training(small)), run(make_training(small, TEXT[::-1], DEV[::-1]))
    for one, other in zip(forward.model.network.directions, mirrored.model.network.directions[::-1], strict=True):
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(mine, theirs)
    assert forward.rounds[-1].dev_rightward == mirrored.rounds[-1].dev_leftward


def test_the_perplexity_of_a_periodic_text_tends_to_one(small: Plan) -> None:
    plan = replace(small, epochs=40, dropout=0.0, learning_rate=0.02)
    training = run(make_training(plan, "\nabcde fghij" * 100, "\nabcde fghij" * 10))
    assert training.rounds[0].dev_perplexity > 2
    assert training.rounds[-1].dev_perplexity < 1.05
    assert training.rounds[-1].dev_bits < 0.07


def test_a_second_thread_changes_no_bit(small: Plan) -> None:
    one, two = run(make_training(small)), run(make_training(small), threads=2)
    assert all(map(torch.equal, weights_of(one), weights_of(two)))
    assert list(map(without_time, one.rounds)) == list(map(without_time, two.rounds))


@pytest.mark.parametrize("steps", [1, 8, 13])
def test_a_continued_training_gives_the_same_bits(small: Plan, steps: int) -> None:
    whole = run(make_training(small))
    stopped = run(make_training(small), stop=after(steps))
    assert 0 < stopped.done < 1
    continued = make_training(small)
    continued.restore(*unpack(pack(*stopped.state()), "checkpoint"), "checkpoint")
    assert continued.done == stopped.done
    run(continued)
    assert list(map(without_time, continued.rounds)) == list(map(without_time, whole.rounds))
    assert all(map(torch.equal, weights_of(continued), weights_of(whole)))
    for each in (continued, whole):
        each.use_best()
    assert all(map(torch.equal, weights_of(continued), weights_of(whole)))


def test_a_text_is_hashed_once_and_its_parts_go_round(small: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    training = make_training(small)
    monkeypatch.setattr(module, "sha256", None)
    assert training.state()[1]["text"] == training.state()[1]["text"]
    direction = training._directions[1]
    text = Characters.of(TEXT).ids(TEXT)[::-1]
    direction.start(text, 100, 3)
    expected = np.roll(text, -100)[: len(text) // 3 * 3].reshape(3, -1)
    for number in range(-(-(expected.shape[1] - 1) // small.window)):
        window = direction.window(number).numpy()
        np.testing.assert_array_equal(window, expected[:, number * small.window : (number + 1) * small.window + 1])


def test_the_best_weights_are_kept(small: Plan) -> None:
    scored: list[tuple[Round, list[Tensor]]] = []
    training = make_training(replace(small, epochs=6, learning_rate=0.3, dropout=0.0))
    training.run(
        threads=1,
        listener=Listener(),
        stepped=lambda: False,
        scored=lambda last: scored.append((last, [weight.clone() for weight in weights_of(training)])),
    )
    best = min(scored, key=lambda pair: pair[0].dev_perplexity)
    assert training.best == best[0]
    training.use_best()
    assert all(map(torch.equal, weights_of(training), best[1]))


def test_a_long_text_is_scored_more_than_once_in_a_pass(small: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND", len(TEXT) // 3)
    training = run(make_training(replace(small, epochs=2)))
    assert len(training.rounds) == 6
    assert training.rounds[2].epochs == 1
    assert training.rounds[-1].epochs == 2


def test_a_training_of_some_time_ends_then(small: Plan) -> None:
    training = run(make_training(replace(small, epochs=None, minutes=0.01)))
    assert training.done == 1
    assert training.rounds[-1].seconds >= 0.6
    assert training.rounds[-1].learning_rate == pytest.approx(0, abs=1e-4)


def test_a_diverging_training_ends_with_one_sentence(small: Plan) -> None:
    training = make_training(small)
    training.model.network.rightward.output.weight.data.fill_(float("nan"))
    with pytest.raises(TaggerError, match="training diverged: the loss is not a number"):
        run(training)


def test_only_the_same_text_and_plan_can_be_continued(small: Plan) -> None:
    state = run(make_training(small), stop=after(2)).state()
    with pytest.raises(TaggerError, match=r"^here: must be continued with the same text"):
        make_training(small, TEXT + "x").restore(*state, "here")
    with pytest.raises(TaggerError, match=r"same options, got batch-size 3 and not 4; give the same options"):
        make_training(replace(small, batch_size=3)).restore(*state, "here")
    make_training(replace(small, epochs=9)).restore(*state, "here")


@pytest.mark.parametrize("damage", ["tensor", "size", "value", "round"])
def test_a_checkpoint_without_a_part_is_damaged(small: Plan, damage: str) -> None:
    tensors, described = run(make_training(small), stop=after(2)).state()
    name = "1.exp_avg.lstm.weight_hh_l0"
    if damage == "tensor":
        del tensors["0.weight.output.bias"]
    elif damage == "size":
        tensors["0.weight.output.bias"] = torch.zeros(1000)
    elif damage == "value":
        del described["loss"]
    else:
        described["rounds"] = [{"round": 1}]
    assert name in tensors
    with pytest.raises(ModelError, match=r"^here: the file is damaged or incomplete"):
        make_training(small).restore(tensors, described, "here")


@pytest.mark.parametrize(
    "figures",
    [
        {"step": float("inf")},
        {"step": 10**9},
        {"step": -1},
        {"step": 1.5},
        {"step": "1"},
        {"count": float("nan")},
        {"seconds": float("inf")},
        {"loss": True},
        {"since": 10**400},
        {"rounds": 7},
    ],
)
def test_figures_that_no_training_has_are_damage(small: Plan, figures: dict[str, Any]) -> None:
    tensors, described = run(make_training(small), stop=after(2)).state()
    with pytest.raises(ModelError, match=r"^here: the file is damaged or incomplete"):
        make_training(small).restore(tensors, described | figures, "here")


@pytest.mark.parametrize("figures", [{"epochs": "1"}, {"best": 1}, {"dev_bits": float("nan")}, {"seconds": None}])
def test_rounds_that_no_training_has_are_damage(small: Plan, figures: dict[str, Any]) -> None:
    tensors, described = run(make_training(replace(small, epochs=1))).state()
    described["rounds"][0] |= figures
    with pytest.raises(ModelError, match=r"^here: the file is damaged or incomplete"):
        make_training(small).restore(tensors, described, "here")


def test_a_training_that_is_to_be_shorter_than_it_was_is_done(small: Plan) -> None:
    state = run(make_training(small)).state()
    shorter = make_training(replace(small, epochs=1))
    shorter.restore(*state, "here")
    assert shorter.done == 1


def test_a_step_is_small_where_a_text_is_short(small: Plan) -> None:
    training = run(make_training(replace(small, batch_size=64, window=500), TEXT[:700]))
    assert np.isfinite(training.rounds[-1].dev_perplexity)
