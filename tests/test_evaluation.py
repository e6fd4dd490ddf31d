"""Scores of a model against gold sentences: the quick ones equal the full ones, and every gold label counts."""

import random
from dataclasses import replace

import pytest
from untrained import torch_tagger, untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import DataError
from tagger.evaluation import dev_scores, score_predictions
from tagger.metrics.calibration import calibration_error
from tagger.model.network import TorchModel
from tagger.text.schemes import RULES, Boundary, Scheme, spans_to_tags
from tagger.text.sentence import Label, Origin, Sentence, TagLayer, Unaligned, check_spans

SCHEMES: list[Scheme] = ["iob1", "iob2", "bioes", "bilou"]


def make_model(scheme: Scheme = "bioes", *, constraints: bool = True) -> TorchModel:
    """A model with one head of each kind and a vocabulary of few labels."""
    heads: dict[str, HeadConfig] = {
        "ner": TokensHeadConfig(kind="tokens", scheme=scheme, constraints=constraints, decoder="softmax"),
        "upos": TokensHeadConfig(kind="tokens", scheme="none"),
        "intent": SentenceHeadConfig(kind="sentence"),
    }
    tags = ["O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC") for prefix in RULES[scheme].prefixes)]
    labels = {"ner": tags, "upos": ["NOUN", "VERB"], "intent": ["ask", "tell"]}
    vocabulary = Vocabulary([f"w{i}" for i in range(30)], ["w"], labels, 31)
    embeddings, encoder = EmbeddingsConfig(dimension=8), EncoderConfig(hidden_size=8)
    schemes = {"ner": scheme}
    return untrained_model(vocabulary, heads, embeddings=embeddings, encoder=encoder, schemes=schemes, loudness=10)


def random_tags(rng: random.Random, length: int, scheme: Scheme) -> tuple[str, ...]:
    spans, start = [], 0
    while start < length:
        end = rng.randint(start + 1, length)
        if rng.random() < 0.6:
            spans.append(Boundary(rng.choice(["PER", "LOC", "NEW"]), start, end))
        start = end
    return tuple(spans_to_tags(spans, length, scheme))


def make_gold(scheme: Scheme, number: int = 60, *, known: float = 1.0) -> list[Sentence]:
    """Random sentences, some of which lack layers; their labels are in part unknown to the model.

    Each tag is known with this probability; if it is below 1, half of the sentences annotate two types alone.
    """
    rng, out = random.Random(1), []

    def masked(tags: tuple[str, ...]) -> tuple[str | None, ...]:
        return tuple(tag if known == 1 or rng.random() < known else None for tag in tags)

    for _ in range(number):
        tokens = [f"w{rng.randrange(40)}" for _ in range(rng.randint(1, 8))]
        types = ("PER", "NEW") if known < 1 and rng.random() < 0.5 else None
        layers: dict[str, TagLayer | Label] = {
            "ner": TagLayer(masked(random_tags(rng, len(tokens), scheme)), scheme, scheme, types=types),
            "upos": TagLayer(masked(tuple(rng.choice(["NOUN", "VERB", "X"]) for _ in tokens))),
            "intent": Label(rng.choice(["ask", "tell", "sing"])),
        }
        kept = {name: layer for name, layer in layers.items() if rng.random() < 0.7}
        out.append(Sentence.from_tokens(tokens, kept))
    return out


@pytest.mark.parametrize("file_scheme", SCHEMES)
@pytest.mark.parametrize("head_scheme", SCHEMES)
def test_quick_scores_equal_the_full_report(file_scheme: Scheme, head_scheme: Scheme) -> None:
    model, gold = make_model(head_scheme), make_gold(file_scheme)
    predicted = list(torch_tagger(model).predict(gold))
    report = score_predictions(gold, predicted, model)
    quick = dev_scores(gold, predicted, model)
    assert quick == pytest.approx({layer: report.headline(layer) for layer in quick})
    assert set(quick) == {"ner", "upos", "intent"}
    assert all(0 < score < 1 for score in quick.values())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_gold_that_tags_cannot_express_counts_as_missed_and_changes_nothing_else(scheme: Scheme) -> None:
    model, gold = make_model(scheme), make_gold(scheme)
    predicted = list(torch_tagger(model).predict(gold))
    missed = (Unaligned("PER", 0, 1), Unaligned("PER", 0, 1), Unaligned("OTHER", 0, 2))
    more = [
        replace(s, layers={**s.layers, "ner": replace(s.tag_layer("ner"), unaligned=missed)})
        if "ner" in s.layers
        else s
        for s in gold
    ]
    number = 3 * sum("ner" in sentence.layers for sentence in gold)
    before, after = (score_predictions(part, predicted, model) for part in (gold, more))
    assert dev_scores(more, predicted, model)["ner"] == pytest.approx(after.headline("ner"))
    old, new = (report.to_dict()["scores"]["ner"] for report in (before, after))
    assert (new["unaligned_entities"], new["gold_entities"]) == (number, old["gold_entities"] + number)
    for key in ("sentences", "invalid_sequences", "predicted_entities", "correct_entities", "precision"):
        assert new[key] == pytest.approx(old[key])
    assert new["recall"] == pytest.approx(new["correct_entities"] / new["gold_entities"])
    assert new["types"]["PER"]["support"] == old["types"]["PER"]["support"] + number * 2 // 3
    assert new["types"]["OTHER"]["recall"] == 0
    assert f"gold entities that do not fit the tokens, counted as missed: {number}" in after.to_text()
    assert "missed" not in before.scores_text()


@pytest.mark.parametrize("file_scheme", SCHEMES)
@pytest.mark.parametrize("head_scheme", SCHEMES)
def test_quick_scores_equal_the_full_report_where_gold_is_unknown(file_scheme: Scheme, head_scheme: Scheme) -> None:
    model, gold = make_model(head_scheme), make_gold(file_scheme, 200, known=0.7)
    predicted = list(torch_tagger(model).predict(gold))
    report = score_predictions(gold, predicted, model)
    quick = dev_scores(gold, predicted, model)
    assert quick == pytest.approx({layer: report.headline(layer) for layer in quick})
    found = report.to_dict()["scores"]["ner"]
    assert found["unknown_tokens"] > 0
    assert found["unscored_entities"] > 0
    assert found["calibration_error"] is not None
    assert f"{found['unscored_entities']} predicted entities" in report.to_text()


@pytest.mark.parametrize("scheme", ["iob2", "bioes", "bilou"])
def test_quick_scores_equal_the_full_report_for_invalid_predictions(scheme: Scheme) -> None:
    model, gold = make_model(scheme, constraints=False), make_gold(scheme)
    predicted = list(torch_tagger(model).predict(gold))
    report = score_predictions(gold, predicted, model)
    assert report.to_dict()["scores"]["ner"]["invalid_sequences"] > 0
    assert dev_scores(gold, predicted, model)["ner"] == pytest.approx(report.headline("ner"))


def test_each_layer_is_scored_on_the_sentences_that_carry_it() -> None:
    model, gold = make_model(), make_gold("iob2")
    scores = torch_tagger(model).evaluate(gold).to_dict()["scores"]
    for layer in ("ner", "upos", "intent"):
        assert scores[layer]["sentences"] == sum(layer in sentence.layers for sentence in gold) < len(gold)


def with_layers(sentence: Sentence, **layers: TagLayer | Label) -> Sentence:
    return Sentence.from_tokens(sentence.tokens, layers)


def test_gold_labels_unseen_in_training_count_as_errors() -> None:
    model = make_model()
    bare = Sentence.from_tokens(["w1", "w2"])
    gold = [
        with_layers(bare, ner=TagLayer(("S-NEW", "O"), "bioes"), upos=TagLayer(("ADJ", "ADJ")), intent=Label("sing"))
    ]
    predicted = [
        with_layers(bare, ner=TagLayer(("S-PER", "O"), "bioes"), upos=TagLayer(("NOUN", "VERB")), intent=Label("ask"))
    ]
    assert dev_scores(gold, predicted, model) == {"ner": 0.0, "upos": 0.0, "intent": 0.0}
    scores = score_predictions(gold, predicted, model).to_dict()["scores"]
    assert scores["ner"]["gold_entities"] == 1
    assert [scores[layer][key] for layer, key in (("ner", "f1"), ("upos", "accuracy"), ("intent", "accuracy"))] == [
        0
    ] * 3
    torch_tagger(model).evaluate(gold)  # the whole way does not crash either


def test_data_without_any_layer_of_the_model_is_refused() -> None:
    gold = [Sentence.from_tokens(["w1"], {"chunk": TagLayer(("O",), "iob2")})]
    with pytest.raises(DataError) as caught:
        torch_tagger(make_model()).evaluate(gold)
    assert str(caught.value) == (
        "no sentence has a layer that the model predicts (ner, upos, intent); the layers of the data are: chunk"
    )


def test_dev_data_must_carry_every_layer() -> None:
    gold = [Sentence.from_tokens(["w1"], {"upos": TagLayer(("NOUN",))})]
    with pytest.raises(
        DataError, match="no dev sentence has the layer `ner`, so the best epoch cannot be chosen; add some"
    ):
        dev_scores(gold, gold, make_model())


@pytest.mark.parametrize(
    ("layer", "value", "message"),
    [
        ("ner", Label("x"), "the sentence has no tag layer `ner`; its tag layers are: none"),
        ("upos", Label("x"), "the sentence has no tag layer `upos`; its tag layers are: none"),
        ("intent", TagLayer(("x",)), "the sentence has no label layer `intent`; its label layers are: none"),
    ],
)
def test_a_layer_of_the_wrong_kind_is_refused(layer: str, value: Label | TagLayer, message: str) -> None:
    gold = [Sentence.from_tokens(["w1"], {layer: value}, origin=Origin("a.txt", [3]))]
    with pytest.raises(DataError) as caught:
        torch_tagger(make_model()).evaluate(gold)
    assert str(caught.value) == f"a.txt:3: {message}"


def test_plain_tags_where_the_head_predicts_entities_are_refused() -> None:
    gold = [Sentence.from_tokens(["w1"], {"ner": TagLayer(("NOUN",))}, origin=Origin("a.txt", [3]))]
    sentence = (
        "a.txt:3: layer `ner` must have entities (tags such as B-PER and O), got tags such as 'NOUN'; "
        'set scheme = "none" for the head if its tags have no spans'
    )
    with pytest.raises(DataError) as caught:
        torch_tagger(make_model()).evaluate(gold)
    assert str(caught.value) == sentence
    with pytest.raises(DataError) as caught:
        check_spans("ner", gold)
    assert str(caught.value) == sentence


def test_evaluate_reads_a_generator_once_and_drops_nothing() -> None:
    tagger, gold = torch_tagger(make_model()), make_gold("iob2")
    found, expected = (tagger.evaluate(sentences).to_dict() for sentences in (iter(gold), gold))
    assert found["scores"] == expected["scores"]
    assert found["tokens"] == expected["tokens"] == sum(map(len, gold))


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(DataError, match=r"^expected at least one sentence to score, got none$"):
        torch_tagger(make_model()).evaluate([])


def test_predictions_that_are_missing_are_refused() -> None:
    gold = make_gold("iob2")
    predicted = list(torch_tagger(make_model()).predict(gold))
    for score in (dev_scores, score_predictions):
        with pytest.raises(ValueError, match=r"zip\(\)"):
            score(gold, predicted[:-1], make_model())


def test_calibration_errors_are_those_of_entities_tags_and_classes_counted_one_by_one() -> None:
    model, gold = make_model(), make_gold("iob2")
    predicted = list(torch_tagger(model).predict(gold))
    pairs = list(zip(gold, predicted, strict=True))
    believed: dict[str, list[tuple[float, bool]]] = {"ner": [], "upos": [], "intent": []}
    for g, p in pairs:
        if "ner" in g.layers:
            wanted = [(span.type, span.start, span.end) for span in g.spans("ner")]
            believed["ner"] += [(s.score or 0, (s.type, s.start, s.end) in wanted) for s in p.spans("ner")]
        if "upos" in g.layers:
            right = [a == b for a, b in zip(g.tags("upos"), p.tags("upos"), strict=True)]
            believed["upos"] += zip(p.tag_scores("upos") or (), right, strict=True)
        if "intent" in g.layers:
            believed["intent"].append(
                (p.label("intent").score or 0, g.label("intent").value == p.label("intent").value)
            )
    scores = score_predictions(gold, predicted, model).to_dict()["scores"]
    for layer, each in believed.items():
        assert scores[layer]["calibration_error"] == pytest.approx(calibration_error(*zip(*each, strict=True)))
        assert scores[layer]["calibration_error"] > 0.01


def test_predictions_without_probabilities_have_no_calibration_error() -> None:
    gold = make_gold("iob2")
    scores = score_predictions(gold, gold, make_model()).to_dict()["scores"]
    assert [scores[layer]["calibration_error"] for layer in ("ner", "upos", "intent")] == [None] * 3
