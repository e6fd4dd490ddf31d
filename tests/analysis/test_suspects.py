"""Likely errors of gold: which disagreements count, how probable both readings are, and the number of suspects."""

from collections.abc import Sequence

import numpy as np
import pytest

from tagger.analysis.suspects import Search
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, TokenLayer
from tagger.text.sentence import Label, Origin, Sentence, TagLayer, Unaligned

TAGS = ("O", "B-PER", "I-PER", "B-LOC")


def entities(tags: Sequence[str | None], **more: object) -> Sentence:
    words = [f"w{i}" for i in range(len(tags))]
    origin = Origin("train.conll", range(1, len(tags) + 1))
    return Sentence.from_tokens(words, {"ner": TagLayer(tuple(tags), "iob2", **more)}, origin=origin)  # type: ignore[arg-type]


def sure(tags: Sequence[str], probability: float = 0.97) -> np.ndarray:
    """The probability of each tag where that of each of these is high."""
    rest = (1 - probability) / (len(TAGS) - 1)
    return np.array([[probability if name == tag else rest for name in TAGS] for tag in tags])


def search(gold: Sequence[Sentence], predicted: Sequence[Sequence[str]], tables: Sequence[np.ndarray]) -> Search:
    found = Search("ner")
    layer = EntityLayer("ner", tuple(gold), tuple(map(entities, predicted)), "iob2")
    found.add(layer, TAGS, tables)
    return found


@pytest.mark.parametrize(
    ("gold", "predicted", "kind", "tokens"),
    [
        ("O O O", "O B-PER I-PER", "missing entity", (1, 3)),
        ("O B-LOC O", "O O O", "extra entity", (1, 2)),
        ("O B-LOC O", "O B-PER O", "wrong type", (1, 2)),
        ("O B-PER O", "O B-PER I-PER", "wrong boundary", (1, 3)),
        ("O B-LOC O", "O B-PER I-PER", "wrong type and boundary", (1, 3)),
        ("B-PER I-PER I-PER", "B-PER O B-PER", "split", (0, 3)),
        ("B-PER O B-PER", "B-PER I-PER I-PER", "merged", (0, 3)),
    ],
)
def test_an_entity_that_differs_is_one_suspect_with_its_kind(
    gold: str, predicted: str, kind: str, tokens: tuple[int, int]
) -> None:
    found = search([entities(gold.split())], [predicted.split()], [sure(predicted.split())]).found()
    (suspect,) = found.ranked
    assert (suspect.kind, suspect.tokens, suspect.place) == (kind, tokens, f"train.conll:{tokens[0] + 1}")
    assert (suspect.probability, suspect.gold_probability) == pytest.approx((0.97, 0.01))


def test_a_reading_is_as_probable_as_its_least_probable_tag() -> None:
    table = np.array([[0.1, 0.8, 0.05, 0.05], [0.3, 0.0, 0.6, 0.1]])
    (suspect,) = search([entities(["B-PER", "O"])], [["B-PER", "I-PER"]], [table]).found().ranked
    assert (suspect.probability, suspect.gold_probability) == (0.6, 0.3)
    assert suspect.to_dict() == {
        "place": "train.conll:1",
        "layer": "ner",
        "kind": "wrong boundary",
        "left": "",
        "text": "w0 w1",
        "right": "",
        "gold": [{"type": "PER", "text": "w0", "start": 0, "end": 2}],
        "proposed": [{"type": "PER", "text": "w0 w1", "start": 0, "end": 5}],
        "probability": 0.6,
        "gold_probability": 0.3,
    }


def test_only_confident_disagreements_are_likely_errors_and_the_surest_comes_first() -> None:
    """The thresholds are (0.4 + 30 * 0.97) / 31 = 0.9516 for O and (0.97 + 0.97 + 0.01 + 0.1) / 4 = 0.5125 for B-PER.
    That of B-LOC is infinite, because no gold tag has it."""
    gold = ["B-PER", "B-PER", "B-PER", "B-PER", "O"]
    predicted = ["B-PER", "B-PER", "O", "B-LOC", "B-PER"]
    tables = [sure([tag]) for tag in predicted[:3]] + [np.array([[0.2, 0.1, 0.0, 0.7]]), np.array([[0.4, 0.6, 0, 0]])]
    tables += [sure(["O"])] * 30
    sentences = [entities([tag]) for tag in gold] + [entities(["O"])] * 30
    found = search(sentences, [[tag] for tag in predicted] + [["O"]] * 30, tables).found()
    assert [suspect.kind for suspect in found.ranked] == ["extra entity", "wrong type", "missing entity"]
    assert (found.noun, found.total, found.number) == ("entity", 4, 2)
    assert found.likely == found.ranked[:2]


def test_what_gold_leaves_unknown_or_cannot_express_is_no_suspect() -> None:
    unknown = entities(["O", None, "O"])
    partly = entities(["O", "O", "O"], types=("LOC",))
    beside = entities(["O", "O", "O"], unaligned=(Unaligned("LOC", 4, 5),))
    predicted = ["O", "B-PER", "O"]
    found = search([unknown, partly, beside], [predicted] * 3, [sure(predicted)] * 3).found()
    assert (found.ranked, found.number) == ((), 0)


def test_tags_and_labels_have_suspects_too() -> None:
    tagged, other = (
        tuple([Sentence.from_tokens(["a", "b"], {"pos": TagLayer(tags)}) for tags in side])
        for side in ((("X", "Y"), ("X", None)), (("X", "X"), ("X", "Y")))
    )
    pos = Search("pos")
    table = np.array([[0.9, 0.1], [0.95, 0.05]])
    pos.add(TokenLayer("pos", tagged, other), ("X", "Y"), [table, table])
    (suspect,) = pos.found().likely
    assert (suspect.kind, suspect.tokens, suspect.probability) == ("wrong tag", (1, 2), 0.95)
    labels = Search("mood")
    gold = [Sentence.from_tokens(["a", "b"], {"mood": Label(value)}) for value in ("good", "good", "bad", "bad")]
    scores = [(0.9, 0.1), (0.1, 0.9), (0.2, 0.8), (0.4, 0.6)]
    found = [
        Sentence.from_tokens(["a", "b"], {"mood": Label(max(zip(row, ("good", "bad"), strict=True))[1], max(row))})
        for row in scores
    ]
    labels.add(ClassLayer("mood", tuple(gold), tuple(found)), ("good", "bad"), [np.array([row]) for row in scores])
    (suspect,) = labels.found().likely
    assert (suspect.kind, suspect.tokens, suspect.gold_probability) == ("wrong label", (0, 2), 0.1)


def test_models_with_other_tags_share_one_search_and_an_unseen_gold_tag_has_probability_0() -> None:
    found = search([entities(["B-LOC"])], [["B-LOC"]], [sure(["B-LOC"])])
    layer = EntityLayer("ner", (entities(["B-LOC"]),), (entities(["B-PER"]),), "iob2")
    found.add(layer, ("B-PER", "O"), [np.array([[0.99, 0.01]])])
    (suspect,) = found.found().ranked
    assert (suspect.probability, suspect.gold_probability) == (0.99, 0.0)


def test_nothing_to_compare_has_no_suspects() -> None:
    found = Search("ner").found()
    assert (found.ranked, found.number, found.total) == ((), 0, 0)
    assert search([entities(["O"])], [["O"]], [sure(["O"])]).found().number == 0
