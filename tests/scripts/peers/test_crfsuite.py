"""The features that python-crfsuite reads."""

from peers.crfsuite import features


def test_features_are_those_of_the_window_and_of_the_word_itself() -> None:
    first, second = features(["B-2", "von"])
    assert {"00=b-2", "10=von", "has digit", "has hyphen", "first", "bias", "s2=-2"} <= set(first)
    assert {"00=von", "-10=b-2", "last", "p2=vo"} <= set(second)
    assert not {"has digit", "first", "upper"} & set(second)
