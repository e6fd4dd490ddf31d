"""The training loop: every head learns, the best weights are kept, and equal seeds give identical weights."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import pytest
import torch
from untrained import torch_tagger, untrained_model

from tagger.config import (
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
    TrainingConfig,
)
from tagger.corpus.synthetic import generate
from tagger.encoding.batches import encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import TaggerError
from tagger.evaluation import dev_scores
from tagger.model.network import Network
from tagger.text.sentence import Sentence
from tagger.training.loop import (
    Epoch,
    Listener,
    Outcome,
    StopTraining,
    refit_network,
    train_network,
)
from tagger.training.task import Task

NER: dict[str, HeadConfig] = {"ner": TokensHeadConfig(kind="tokens")}
CONFIG = TrainingConfig(epochs=3, batch_size=4, learning_rate=0.02)


class Lesson:
    """Return twenty sentences, a small network and a function that scores it on them."""

    def __init__(self, heads: Mapping[str, HeadConfig], *, seed: int = 1, dropout: float = 0.0) -> None:
        self.heads = heads
        self.sentences: list[Sentence] = list(generate(20, seed=4, split="train"))
        layers = {layer: head.span_scheme for layer, head in heads.items()}
        self.vocabulary = build_vocabulary(pack(self.sentences), layers=layers)
        self.encoded = encode(pack(self.sentences), self.vocabulary, layers)
        embeddings = EmbeddingsConfig(dimension=16, char_hidden=30, dropout=dropout)
        encoder = EncoderConfig(hidden_size=24, dropout=dropout)
        self.model = untrained_model(self.vocabulary, heads, embeddings=embeddings, encoder=encoder, seed=seed)
        self.network: Network = self.model.network

    def score(self) -> dict[str, float]:
        return dev_scores(self.sentences, torch_tagger(self.model).predict(self.sentences), self.model)

    def train(
        self,
        config: TrainingConfig = CONFIG,
        *,
        score: Callable[[], Mapping[str, float]] | None = None,
        listener: Listener | None = None,
        seed: int = 1,
    ) -> Outcome:
        return train_network(self.network, self.task(config, seed), score=score or self.score, listener=listener)

    def task(self, config: TrainingConfig, seed: int = 1) -> Task:
        return Task(
            self.encoded,
            config,
            parts=[(len(self.sentences), len(self.sentences))],
            head_weights={layer: head.weight for layer, head in self.heads.items()},
            seed=seed,
        )

    def weights(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.network.state_dict().items()}


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


class Scripted:
    """Dev scores in a given order; remembers the weights that each was given for."""

    def __init__(self, lesson: Lesson, values: list[float]) -> None:
        self.lesson, self.values = lesson, iter(values)
        self.seen: list[dict[str, torch.Tensor]] = []

    def __call__(self) -> dict[str, float]:
        self.seen.append(self.lesson.weights())
        return {"ner": next(self.values)}


class Satisfied(Listener):
    """Ends training when everything is known, to save time."""

    def scored(self, epoch: Epoch) -> None:
        if epoch.selected == 1.0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "heads",
    [
        {"ner": TokensHeadConfig(kind="tokens")},
        {"ner": TokensHeadConfig(kind="tokens", decoder="softmax", scheme="iob2")},
        {"ner": TokensHeadConfig(kind="tokens", decoder="softmax", constraints=False)},
        {"upos": TokensHeadConfig(kind="tokens", scheme="none")},
        {"upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax")},
        *({"sentiment": SentenceHeadConfig(kind="sentence", pooling=p, dropout=0.0)} for p in ("attention", "last")),
        *({"sentiment": SentenceHeadConfig(kind="sentence", pooling=p, dropout=0.0)} for p in ("mean", "max")),
        {"ner": TokensHeadConfig(kind="tokens"), "sentiment": SentenceHeadConfig(kind="sentence", dropout=0.0)},
    ],
)
def test_every_head_learns_twenty_sentences_by_heart(heads: dict[str, HeadConfig]) -> None:
    lesson = Lesson(heads)
    lesson.train(TrainingConfig(epochs=80, batch_size=5, learning_rate=0.02, patience=80), listener=Satisfied())
    assert lesson.score() == dict.fromkeys(heads, 1.0)


def test_sgd_learns_too() -> None:
    lesson = Lesson(NER)
    config = TrainingConfig(epochs=80, batch_size=5, learning_rate=0.5, patience=80, optimizer="sgd", clip_norm=5.0)
    lesson.train(config, listener=Satisfied())
    assert lesson.score() == {"ner": 1.0}


def test_the_weights_of_the_best_epoch_come_back() -> None:
    lesson = Lesson(NER)
    score = Scripted(lesson, [0.1, 0.6, 0.3, 0.6])
    outcome = lesson.train(TrainingConfig(epochs=4, batch_size=4), score=score)
    assert outcome.best is not None
    assert outcome.best.epoch == 2  # the first of two equals
    assert [epoch.best for epoch in outcome.epochs] == [True, True, False, False]
    assert same(lesson.weights(), score.seen[1])
    assert not same(lesson.weights(), score.seen[3])
    assert outcome.reason == "all epochs done"
    assert not lesson.network.training


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_refit_of_the_same_sentences_gives_the_weights_that_the_epoch_had(average: float) -> None:
    config = TrainingConfig(epochs=4, batch_size=4, learning_rate=0.02, average=average)
    lesson, again = Lesson(NER), Lesson(NER)
    score = Scripted(lesson, [0.1, 0.6, 0.3, 0.2])
    outcome = lesson.train(config, score=score)
    assert outcome.best is not None
    refit_network(again.network, again.task(config), epochs=outcome.best.epoch)
    assert same(again.weights(), score.seen[1])
    assert not again.network.training


def test_training_stops_when_patience_is_over() -> None:
    lesson = Lesson(NER)
    score = Scripted(lesson, [0.1, 0.5, 0.4, 0.4, 0.9])
    outcome = lesson.train(TrainingConfig(epochs=9, batch_size=4, patience=2), score=score)
    assert len(outcome.epochs) == 4
    assert outcome.reason == "no better dev score for 2 epochs"
    assert same(lesson.weights(), score.seen[1])


def test_dev_is_scored_without_dropout_and_training_goes_on_with_it() -> None:
    lesson, modes = Lesson(NER), []

    class Recorder(Listener):
        def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
            modes.append(lesson.network.training)

    def score() -> dict[str, float]:
        modes.append(lesson.network.training)
        return {"ner": 0.5}

    lesson.train(TrainingConfig(epochs=2, batch_size=10), score=score, listener=Recorder())
    assert modes == [True, True, False] * 2


def test_a_first_epoch_that_scores_zero_is_kept() -> None:
    lesson = Lesson(NER)
    outcome = lesson.train(TrainingConfig(epochs=1), score=lambda: {"ner": 0.0})
    assert outcome.best is outcome.epochs[0]


class Stopper(Listener):
    """Presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def test_an_interrupted_training_ends_with_the_best_weights() -> None:
    lesson = Lesson(NER)
    score = Scripted(lesson, [0.7, 0.2, 0.9])
    outcome = lesson.train(TrainingConfig(epochs=9, batch_size=5), score=score, listener=Stopper(4 * 2 + 3))
    assert outcome.interrupted
    assert outcome.reason == "stopped by the user"
    assert len(outcome.epochs) == 2
    assert same(lesson.weights(), score.seen[0])
    assert not lesson.network.training


def test_an_interruption_while_an_epoch_is_reported_keeps_that_epoch() -> None:
    class Late(Listener):
        def scored(self, epoch: Epoch) -> None:
            raise KeyboardInterrupt

    lesson = Lesson(NER)
    outcome = lesson.train(listener=Late())
    assert outcome.interrupted
    assert outcome.best is outcome.epochs[0]


@pytest.mark.parametrize(("reason", "expected"), [("good enough", "good enough"), ("", "stopped by a listener")])
def test_a_listener_may_end_training_as_if_the_epoch_were_the_last(reason: str, expected: str) -> None:
    class Second(Listener):
        def scored(self, epoch: Epoch) -> None:
            if epoch.epoch == 2:
                raise StopTraining(reason)

    outcome = Lesson(NER).train(listener=Second())
    assert (len(outcome.epochs), outcome.reason, outcome.interrupted) == (2, expected, False)


def test_training_interrupted_before_any_score_has_no_best_epoch() -> None:
    outcome = Lesson(NER).train(listener=Stopper(1))
    assert outcome.best is None
    assert outcome.epochs == []


def test_a_loss_that_is_not_a_number_is_an_error_with_advice() -> None:
    lesson = Lesson(NER)
    lesson.network.heads["ner"].linear.bias.data[0] = torch.nan
    with pytest.raises(TaggerError) as caught:
        lesson.train()
    assert str(caught.value) == (
        "step 1: the loss of its sentences must be a number, got nan; lower training.learning_rate or "
        "training.clip_norm"
    )


def test_errors_in_a_step_name_its_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, config = Lesson(NER), TrainingConfig(batch_size=10**6)
    task = replace(lesson.task(config), place=lambda row: f"train.conll:{row}")
    longest = max(map(len, lesson.sentences))
    lesson.network.heads["ner"].linear.bias.data[0] = torch.nan
    with pytest.raises(TaggerError, match=r"sentences \(at (train.conll:\d+,? ){3}and \d+ more\) must"):
        train_network(lesson.network, task, score=lesson.score)

    def lacks_memory(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 byte")

    monkeypatch.setattr(lesson.network, "losses", lacks_memory)
    with pytest.raises(TaggerError) as caught:
        train_network(lesson.network, task, score=lesson.score)
    assert re.fullmatch(
        rf"step 1: out of memory with {len(lesson.sentences)} sentences, the longest of which has {longest} tokens "
        r"\(at train.conll:\d+\); lower training.batch_size \(now 1000000\), or split long sentences",
        str(caught.value),
    )


def test_weights_with_which_no_model_can_be_loaded_end_training_before_they_are_scored() -> None:
    lesson = Lesson(NER)
    with pytest.raises(TaggerError, match=r"^step 1: every weight must be at most 1,000,000, got [0-9.e+]+; lower "):
        lesson.train(TrainingConfig(epochs=1, batch_size=10**6, learning_rate=1e6, weight_decay=1e3, warmup=0.0))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_equal_seeds_give_identical_weights(optimizer: str) -> None:
    ends = []
    for seed in (1, 1, 2):
        lesson = Lesson(NER, dropout=0.3)
        lesson.train(TrainingConfig(epochs=3, batch_size=4, optimizer=optimizer), seed=seed)
        ends.append(lesson.weights())
    assert same(ends[0], ends[1])
    assert not same(ends[0], ends[2])


@pytest.mark.parametrize("accumulate", [2, 3, 100])
def test_a_batch_in_parts_makes_the_same_steps(accumulate: int) -> None:
    whole, parts = Lesson(NER), Lesson(NER)
    whole.train(TrainingConfig(epochs=3, batch_size=5))
    parts.train(TrainingConfig(epochs=3, batch_size=5, accumulate=accumulate))
    for name, weight in whole.weights().items():
        torch.testing.assert_close(parts.weights()[name], weight, rtol=0, atol=1e-5)


def test_scoring_leaves_training_as_it_is() -> None:
    ends = []
    for times in (1, 3):
        lesson = Lesson(NER, dropout=0.3)

        def score(lesson: Lesson = lesson, times: int = times) -> dict[str, float]:
            found = [lesson.score() for _ in range(times)]
            assert found == found[:1] * times
            return found[0]

        lesson.train(score=score)
        ends.append(lesson.weights())
    assert same(ends[0], ends[1])


def test_the_log_of_an_epoch_holds_what_was_seen() -> None:
    class Recorder(Listener):
        def __init__(self) -> None:
            self.plan: tuple[int, int] | None = None
            self.steps: list[tuple[int, float]] = []
            self.epochs: list[Epoch] = []

        def started(self, num_epochs: int, num_steps: int) -> None:
            self.plan = num_epochs, num_steps

        def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
            self.steps.append((step, loss))

        def scored(self, epoch: Epoch) -> None:
            self.epochs.append(epoch)

    lesson, recorder = Lesson(NER), Recorder()
    outcome = lesson.train(TrainingConfig(epochs=2, batch_size=8, learning_rate=0.002, warmup=0.0), listener=recorder)
    assert recorder.plan == (2, 6)
    assert [step for step, _ in recorder.steps] == [1, 2, 3, 4, 5, 6]
    assert recorder.epochs == outcome.epochs
    assert [epoch.epoch for epoch in outcome.epochs] == [1, 2]
    assert [epoch.loss for epoch in outcome.epochs] == [recorder.steps[2][1], recorder.steps[5][1]]
    assert outcome.epochs[0].learning_rate == pytest.approx(0.002 * (1 - 2 / 6))
    for epoch in outcome.epochs:
        assert epoch.selected == epoch.dev["ner"]
        assert epoch.tokens_per_second > 0
    assert 0 < outcome.epochs[0].seconds < outcome.epochs[1].seconds
    assert set(json.loads(json.dumps(asdict(outcome.epochs[0])))) == {
        "epoch",
        "loss",
        "dev",
        "selected",
        "best",
        "learning_rate",
        "tokens_per_second",
        "seconds",
    }


def test_select_names_the_dev_score_that_chooses() -> None:
    heads = {**NER, "upos": TokensHeadConfig(kind="tokens", scheme="none")}
    for select, best in (("mean", 2), ("ner", 1), ("upos", 3)):
        scores = iter([(0.9, 0.1), (0.8, 0.8), (0.1, 0.9)])
        config = TrainingConfig(epochs=3, select=select)
        outcome = Lesson(heads).train(config, score=lambda scores=scores: dict(zip(heads, next(scores), strict=True)))
        assert outcome.best is not None
        assert outcome.best.epoch == best


def test_head_weights_scale_the_loss() -> None:
    class First(Listener):
        loss = math.nan

        def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
            self.loss = loss if step == 1 else self.loss

    found = []
    for weight in (1.0, 3.0):
        listener = First()
        Lesson({"ner": TokensHeadConfig(kind="tokens", weight=weight)}).train(listener=listener)
        found.append(listener.loss)
    assert found[1] == pytest.approx(3 * found[0])


def test_training_accepts_sentences_without_any_layer() -> None:
    lesson = Lesson(NER)
    bare = [Sentence.from_tokens(sentence.tokens) for sentence in lesson.sentences[:10]]
    lesson.sentences = [*bare, *lesson.sentences[10:]]
    lesson.encoded = encode(pack(lesson.sentences), lesson.vocabulary, {"ner": "bioes"})
    outcome = lesson.train(TrainingConfig(epochs=2, batch_size=1))
    assert all(math.isfinite(epoch.loss) for epoch in outcome.epochs)


def test_averaged_weights_are_scored_and_kept_and_training_goes_on_from_its_own() -> None:
    plain, averaged = Lesson(NER), Lesson(NER)
    scores = [0.5, 0.9, 0.1]
    scripted = [Scripted(plain, scores), Scripted(averaged, scores)]
    plain_outcome = plain.train(score=scripted[0])
    outcome = averaged.train(CONFIG.model_copy(update={"average": 0.9}), score=scripted[1])
    assert [epoch.loss for epoch in outcome.epochs] == [epoch.loss for epoch in plain_outcome.epochs]
    assert not same(scripted[0].seen[1], scripted[1].seen[1])
    assert same(averaged.weights(), scripted[1].seen[1])
