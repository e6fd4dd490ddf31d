"""Pictures of sequences: what is drawn of series and of symbols, where, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from test_picture import svg_of, texts_of

import tagger
from tagger import Recipe, Sentence, Tagger, plots
from tagger.errors import DataError, ModelError
from tagger.pages.palette import COLOURS
from tagger.plots.sequences.axis import axis_of
from tagger.plots.sequences.colours import PLAIN, looks_of
from tagger.plots.sequences.contents import Run, Track, contents_of
from tagger.plots.sequences.panels import Alarm, alarms_of
from tagger.plots.sequences.picture import WIDTH, Chart, Steps
from tagger.text.frames import frames_of
from tagger.text.schemes import split_tag
from tagger.text.sentence import Origin, TagLayer, Values, sentence_of_frames

TRAINING = {"epochs": 1, "batch_size": 4}
PLAIN_STEPS = Steps(seconds=False, ahead=None, phases=frozenset())


def series(steps: int, *, width: int = 2, first: int = 0, seed: int = 0, **layers: object) -> Sentence:
    """Return a window of a series with random numbers and gold states."""
    values = np.random.default_rng(seed).normal(size=(steps, width)).astype(np.float32)
    states = ["fault" if value > 1 else "normal" for value in values[:, 0]]
    return sentence_of_frames(
        frames_of(values, [f"sensor {i}" for i in range(width)]),
        {"state": states, **layers},  # type: ignore[dict-item]
        first=first,
        document="pump",
        origin=Origin("pump.csv", range(first + 2, first + 2 + steps)),
    )


def trained(sentences: Sequence[Sentence], heads: dict[str, dict[str, object]], *, frames: bool = True) -> Tagger:
    words = {"words": False} if frames else {"dimension": 4, "min_count": 1}
    recipe = Recipe.model_validate(
        {
            "embeddings": {**words, "chars": "none"},
            "features": {"numbers": {"kind": "frames"}} if frames else {},
            "encoder": {"hidden_size": 4},
            "heads": heads,
            "training": TRAINING,
        }
    )
    half = len(sentences) // 2
    return tagger.train(recipe, corpus=tagger.Corpus(sentences[:half], dev=sentences[half:])).tagger


STATE = {"state": {"kind": "tokens", "scheme": "none"}}
WINDOWS = [series(10, first=10 * i, seed=i) for i in range(8)]


@pytest.fixture(scope="module")
def pump() -> Tagger:
    """A model of the states of a series."""
    return trained(WINDOWS, STATE)


@pytest.fixture(scope="module")
def everything() -> tuple[Tagger, list[Sentence]]:
    """A model with a head of each kind, and its sequences."""

    def sequence(seed: int) -> Sentence:
        numbers = Values(tuple(float(i + seed) for i in range(10)))
        whole = Values((1.0 + seed, 2.0), whole=True)
        return series(10, seed=seed, load=numbers, pair=whole, kind=tagger.Label("up" if seed % 2 else "down"))

    sequences = [sequence(seed) for seed in range(30)]
    heads: dict[str, dict[str, object]] = {
        **STATE,
        "load": {"kind": "values"},
        "pair": {"kind": "values", "per": "sentence", "loss": "quantile", "level": 0.8},
        "kind": {"kind": "sentence"},
    }
    return trained(sequences, heads), sequences


@pytest.fixture(scope="module")
def protein() -> tuple[Tagger, list[Sentence]]:
    chains = [
        Sentence.from_tokens("MKVAAMKVAA" * 10, {"fold": list("__hhhee__h" * 10)}, meta={"id": f"P{i}"})
        for i in range(4)
    ]
    return trained(chains, {"fold": {"kind": "tokens", "scheme": "none"}}, frames=False), chains


def test_a_series_has_its_numbers_gold_beside_predicted_tags_and_probabilities(pump: Tagger, tmp_path: Path) -> None:
    texts = texts_of(svg_of(plots.sequence(pump, WINDOWS[0]), tmp_path))
    assert {"pump", "sensor 0", "sensor 1", "predicted", "gold", "fault", "normal", "probability", "step"} <= set(texts)
    (found,) = pump.predict(WINDOWS[:1])
    right = sum(one == two for one, two in zip(found.tags("state"), WINDOWS[0].tags("state"), strict=True))
    assert f"state: gold and predicted tags agree at {right} of 10 steps ({right / 10:.0%})" in texts


def test_a_sequence_without_gold_has_predictions_alone(pump: Tagger, tmp_path: Path) -> None:
    predicted = pump.tag_frames(np.ones((5, 2)))
    for sentence in (predicted, replace(predicted, layers={})):  # what was predicted is no gold
        texts = texts_of(svg_of(plots.sequence(pump, sentence), tmp_path))
        assert "predicted" in texts
        assert "gold" not in texts


def test_each_kind_of_head_is_drawn(everything: tuple[Tagger, list[Sentence]], tmp_path: Path) -> None:
    model, sequences = everything
    texts = texts_of(svg_of(plots.sequence(model, sequences[1]), tmp_path))
    assert {"state", "load", "pair", "attention", "interval of level 0.8", "interval of level 0.9"} - {"state"} <= set(
        texts
    )
    label = next(model.predict(sequences[1:2])).label("kind")
    (note,) = [text for text in texts if text.startswith("kind: ")]
    assert note.startswith(f"kind: {label.value} {label.score:.2f} (then ")
    assert note.endswith("; gold up")


def test_a_chosen_layer_is_drawn_alone(everything: tuple[Tagger, list[Sentence]], tmp_path: Path) -> None:
    model, sequences = everything
    texts = texts_of(svg_of(plots.sequence(model, sequences[1], layer="load"), tmp_path))
    assert "load" in texts
    assert not {"pair", "attention", "probability"} & set(texts)


def test_windows_that_follow_each_other_are_one_sequence(pump: Tagger) -> None:
    (found,) = contents_of(pump, WINDOWS[:3], ["state"])
    assert found.tokens == tuple(str(i) for i in range(30))
    predicted = [tag for sentence in pump.predict(WINDOWS[:3]) for tag in sentence.tags("state")]
    gold = [tag for sentence in WINDOWS[:3] for tag in sentence.tags("state")]
    for runs, tags in ((found.tracks[0].predicted, predicted), (found.tracks[0].gold, gold)):
        assert runs is not None
        assert [run.type for run in runs for _ in range(run.start, run.end)] == tags
        assert all(one.type != two.type for one, two in pairwise(runs))
    shares = [pump.marginals(sentence)["state"].array for sentence in WINDOWS[:3]]
    np.testing.assert_allclose(found.tracks[0].shares, np.concatenate(shares), atol=1e-6)


def test_windows_stay_apart_out_of_order_or_with_a_layer_of_the_whole(
    pump: Tagger, everything: tuple[Tagger, list[Sentence]]
) -> None:
    assert len(contents_of(pump, [WINDOWS[1], WINDOWS[0]], ["state"])) == 2
    assert len(contents_of(pump, [WINDOWS[0], replace(WINDOWS[1], document="other")], ["state"])) == 2
    windows = [replace(everything[1][0], origin=WINDOWS[i].origin) for i in range(2)]
    assert len(contents_of(everything[0], windows, ["kind"])) == 2
    assert len(contents_of(everything[0], windows, ["load"])) == 1


def test_probabilities_of_a_type_are_those_of_its_tags() -> None:
    sentences = [Sentence.from_tokens("abcde", {"ner": TagLayer(("O", "B-X", "I-X", "B-X", "O"), "iob2")})] * 4
    model = trained(sentences, {"ner": {"kind": "tokens"}}, frames=False)
    (track,) = contents_of(model, sentences[:1], ["ner"])[0].tracks
    assert track.gold == (Run("O", 0, 1), Run("X", 1, 3), Run("X", 3, 4), Run("O", 4, 5))
    marginals = model.marginals(sentences[0])["ner"]
    of_x = [i for i, tag in enumerate(marginals.tags) if split_tag(tag)[1] == "X"]
    np.testing.assert_allclose(track.share_of("X"), marginals.array[:, of_x].sum(1), rtol=1e-6)


def test_alarms_are_the_steps_with_at_least_the_threshold() -> None:
    shares = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], np.float32)
    track = Track("state", ("normal", "fault"), (), None, shares)
    assert alarms_of(track, Alarm("fault", 0.5)) == (Run("fault", 1, 3), Run("fault", 4, 5))
    assert alarms_of(track, Alarm("fault", 0.81)) == ()


def test_an_alarm_has_its_own_strip_and_threshold(pump: Tagger, tmp_path: Path) -> None:
    texts = texts_of(svg_of(plots.sequence(pump, WINDOWS[:2], alarm="fault", threshold=0.25), tmp_path))
    assert {"alarm", "threshold 0.25", "probability of"} <= set(texts)


@pytest.mark.parametrize(
    ("names", "seconds", "name", "places"),
    [
        (["3", "4", "5"], False, "step", [3, 4, 5]),
        (["0.00", "0.02", "0.04"], True, "time (seconds)", [0, 0.02, 0.04]),
        (["10", "20", "25"], False, "time", [10, 20, 25]),
        (["1970-01-02T00:00:00", "1970-01-02T12:00:00"], False, "time", [1, 1.5]),
        (["1970-01-02T01:00:00+01:00", "1970-01-02T12:00:00+00:00"], False, "time (UTC)", [1, 1.5]),
        (["b", "a"], False, "position", [1, 2]),
        (["5", "4"], False, "position", [1, 2]),
        (["nan", "4"], False, "position", [1, 2]),
    ],
)
def test_steps_are_at_their_times(names: list[str], seconds: bool, name: str, places: list[float]) -> None:
    axis = axis_of(names, seconds=seconds)
    assert axis.name == name
    assert axis.places.tolist() == pytest.approx(places)


def test_edges_are_between_neighbours_and_steps_go_on_behind() -> None:
    axis = axis_of(["10", "20", "30", "50"])
    assert axis.edges.tolist() == [5, 15, 25, 40, 55]
    assert axis.behind(2).tolist() == [60, 70]
    assert axis_of(["7"]).edges.tolist() == [6.5, 7.5]


def test_tags_that_say_nothing_are_grey_and_no_other_two_look_the_same() -> None:
    types = ["O", "_", "normal", *(f"type {i}" for i in range(3 * len(COLOURS)))]
    looks = looks_of(types)
    assert {looks[type_].colour for type_ in types[:3]} == {PLAIN}
    assert len({(looks[type_].colour, looks[type_].hatch) for type_ in types[3:]}) == 3 * len(COLOURS)


def test_many_numbers_are_one_heat_map(tmp_path: Path) -> None:
    wide = [series(10, width=9, seed=seed) for seed in range(4)]
    values = wide[0].frames.values.copy()  # type: ignore[union-attr]
    values[2, 3], values[:, 4] = np.nan, 7.0
    model = trained(wide, STATE)
    texts = texts_of(svg_of(plots.sequence(model, replace(wide[0], frames=frames_of(values))), tmp_path))
    assert "number 1" in texts
    assert "deviations from" in texts


def test_a_forecast_goes_on_behind_the_last_step(everything: tuple[Tagger, list[Sentence]], tmp_path: Path) -> None:
    model, sequences = everything
    (found,) = contents_of(model, sequences[:1], ["pair"])
    chart, apart = (Chart(found, None, PLAIN_STEPS._replace(ahead=ahead)) for ahead in (2, None))
    assert chart.end == pytest.approx(11.5)
    assert apart.end == pytest.approx(9.5)
    assert (len(chart.apart), len(apart.apart)) == (0, 1)


def test_phases_of_cycles_are_not_drawn(pump: Tagger) -> None:
    (found,) = contents_of(pump, WINDOWS[:1], ["state"])
    charts = [Chart(found, None, PLAIN_STEPS._replace(phases=frozenset(names))) for names in ((), ("sensor 1",))]
    assert [len(chart.panels) for chart in charts] == [4, 3]


def test_symbols_are_rows_with_runs_named(protein: tuple[Tagger, list[Sentence]], tmp_path: Path) -> None:
    model, chains = protein
    texts = texts_of(svg_of(plots.sequence(model, chains[0]), tmp_path))
    assert [text for text in texts if text in "MKVA"] == list(chains[0].tokens)
    assert {"P0", "1", "61", "predicted", "gold", "position"} <= set(texts)
    assert "121" not in texts
    assert texts.count("gold") == 2


def test_panels_are_below_the_letters_of_a_single_row(protein: tuple[Tagger, list[Sentence]]) -> None:
    model, _ = protein
    short, long = (contents_of(model, [Sentence.from_tokens("MKVAA" * n)], ["fold"])[0] for n in (6, 30))
    for contents, is_single in ((short, True), (long, False)):
        rows = Chart(contents, None, PLAIN_STEPS).rows
        assert rows is not None
        assert rows.is_single == is_single
    assert Chart(short, None, PLAIN_STEPS).rows.width == pytest.approx(WIDTH / 2)  # type: ignore[union-attr]


def test_several_sequences_are_one_below_the_other(protein: tuple[Tagger, list[Sentence]], tmp_path: Path) -> None:
    picture = plots.sequence(protein[0], protein[1])
    assert picture.title == "Predictions for 4 sequences"
    texts = texts_of(svg_of(picture, tmp_path))
    assert [text for text in texts if text.startswith("P")] == ["P0", "P1", "P2", "P3"]


def test_the_same_sequence_gives_the_same_bytes(pump: Tagger, tmp_path: Path) -> None:
    assert svg_of(plots.sequence(pump, WINDOWS), tmp_path) == svg_of(plots.sequence(pump, WINDOWS), tmp_path)


def test_what_the_model_does_not_have_is_refused(pump: Tagger) -> None:
    with pytest.raises(ModelError, match="`ner` is not a layer of the model; choose `state`"):
        plots.sequence(pump, WINDOWS, layer="ner")
    with pytest.raises(
        ModelError, match=r"alarm \(--alarm\) must be a tag of the model, got `falt`; its tags are `fault`"
    ):
        plots.sequence(pump, WINDOWS, alarm="falt")
    with pytest.raises(ValueError, match="threshold must be a probability from 0 to 1, got 2"):
        plots.sequence(pump, WINDOWS, threshold=2)
    with pytest.raises(DataError, match="at least one sentence with a token"):
        plots.sequence(pump, [])
