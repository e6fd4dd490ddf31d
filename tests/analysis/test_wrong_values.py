from scored_layers import class_layer, token_layer

from tagger.analysis.wrong_values import class_errors, tag_errors


def test_wrong_tags_are_listed_by_probability_and_unknown_gold_is_skipped() -> None:
    layer = token_layer(
        ("NOUN ? VERB", "VERB VERB VERB"),
        ("NOUN ADJ", "VERB NOUN"),
        scores=[[0.5, 0.9, 0.9], [0.6, 0.7]],
        tokens=["a walk goes", "the red"],
    )
    section = tag_errors(layer)
    found = [(entry["text"], entry["probability"], entry["gold"][0]["type"]) for entry in section.data["list"]]
    assert found == [("red", 0.7, "ADJ"), ("the", 0.6, "NOUN"), ("a", 0.5, "NOUN")]
    assert (section.data["tokens"], section.data["right"]) == (4, 1)
    assert section.brief[0] == "3 of 4 tokens wrong"


def test_wrong_labels_are_listed_in_full_by_probability() -> None:
    section = class_errors(class_layer(("yes", "no"), ("no", "no"), ("no", "yes"), scores=[0.6, 0.9, 0.8]))
    assert [(entry["text"], entry["probability"]) for entry in section.data["list"]] == [
        ("text 2", 0.8),
        ("text 0", 0.6),
    ]
    assert section.brief[0] == "2 of 3 sentences wrong"


def test_layers_without_sentences_have_no_mistakes() -> None:
    assert tag_errors(token_layer()).brief == ("no token to compare",)
    assert class_errors(class_layer()).brief == ("no sentence to compare",)
    assert tag_errors(token_layer(("A", "A"))).brief == ("0 of 1 token wrong",)
