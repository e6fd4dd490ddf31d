import json

from scored_layers import entity_layer

from tagger.analysis.knowledge import TrainKnowledge, knowledge_of
from tagger.text.sentence import Sentence, TagLayer, Unaligned


def entity_sentence(text: str, tags: str, unaligned: tuple[Unaligned, ...] = ()) -> Sentence:
    return Sentence.from_tokens(text.split(), {"ner": TagLayer(tuple(tags.split()), "iob2", unaligned=unaligned)})


def test_entities_of_train_are_known_by_their_text_without_white_space_and_all_their_types() -> None:
    train = [
        entity_sentence("New York is big", "B-LOC I-LOC O O"),
        entity_sentence("Paris and New York", "B-PER O B-ORG I-ORG"),
        entity_sentence("anti-Paris", "O", (Unaligned("LOC", 5, 10),)),
    ]
    known = knowledge_of(train)
    assert known.entities == {"ner": {"NewYork": {"LOC", "ORG"}, "Paris": {"PER", "LOC"}}}
    assert known.words == {"New", "York", "is", "big", "Paris", "and", "anti-Paris"}


def test_tags_without_spans_and_labels_have_no_entities() -> None:
    sentence = Sentence.from_tokens(["a", "b"], {"upos": ["X", "Y"], "class": "yes"})
    assert knowledge_of([sentence]) == TrainKnowledge({"a", "b"}, {})


def test_json_values_give_the_same_knowledge_back() -> None:
    known = knowledge_of([entity_sentence("New York", "B-LOC I-LOC")]).with_vectors({"York"})
    assert TrainKnowledge.from_dict(json.loads(json.dumps(known.to_dict()))) == known
    without = TrainKnowledge({"a"}, {})
    assert TrainKnowledge.from_dict(json.loads(json.dumps(without.to_dict()))) == without


def test_what_some_sentences_need_is_kept_for_gold_and_predicted_entities() -> None:
    known = TrainKnowledge(
        {"Ada", "Bob", "x"},
        {"ner": {name: frozenset({"PER"}) for name in ("Ada", "Bob", "Eve")}},
        {"Ada", "Eve"},
    )
    layer = entity_layer(("B-PER O O", "O O B-PER"), tokens=["Ada met Eve"])
    kept = known.within([*layer.gold, *layer.predicted])
    assert kept == TrainKnowledge(
        {"Ada"}, {"ner": {"Ada": frozenset({"PER"}), "Eve": frozenset({"PER"})}}, {"Ada", "Eve"}
    )
