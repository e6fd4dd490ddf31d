"""Sentences as datasets, and back."""

from dataclasses import replace
from pathlib import Path

import datasets
import pytest

from tagger.config import DataConfig
from tagger.corpus.corpus import Corpus, load_corpus, load_dataset
from tagger.corpus.synthetic import generate
from tagger.doctor.check import check
from tagger.errors import DataError
from tagger.hub.from_rows import reader
from tagger.hub.loading import sentences_of, stream_dataset
from tagger.hub.to_rows import to_dataset
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.text.tokenization import sentence_from_text

pytestmark = pytest.mark.usefixtures("own_cache")


def make_sentence(words: str, **layers: TagLayer | Label) -> Sentence:
    return Sentence.from_tokens(words.split(), layers)


def test_features_say_what_each_column_is() -> None:
    ner = TagLayer(("B-PER", "O"), "iob2", "iob2")
    dataset = to_dataset(
        [make_sentence("Ada sang", ner=ner, mood=Label("glad")), make_sentence("Hm", mood=Label("sad"))]
    )
    assert dataset.features == datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "text": datasets.Value("string"),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B-PER"])),
            "mood": datasets.ClassLabel(names=["glad", "sad"]),
        }
    )
    assert dataset[:] == {
        "tokens": [["Ada", "sang"], ["Hm"]],
        "text": ["Ada sang", "Hm"],
        "ner_tags": [[1, 0], None],
        "mood": [0, 1],
    }


def make_corpus() -> Corpus:
    """A corpus with all that a sentence may carry: own text, documents, meta, absent layers, awkward layer names."""
    train = list(generate(30, seed=3, split="train"))
    corpus = Corpus(train[:20], train[20:25], train[25:], dict.fromkeys(train[0].layers))
    written = sentence_from_text("It's \t fine: don't!", "words")
    tags = {"ner": TagLayer(("O",) * len(written), "iob2", "iob2"), "odd_tags": TagLayer(("x",) * len(written))}
    extra = Sentence(
        written.tokens, written.text, written.offsets, {**tags, "kind_label": Label("y")}, {"sent_id": "7"}, "12"
    )
    plain = make_sentence("Ada sang", ner=TagLayer(("B-PER", "O"), "iob2", "iob2"))
    return Corpus([extra, plain, *corpus.train], corpus.dev, corpus.test)


@pytest.mark.parametrize("way", ["disk", "parquet", "stream"])
def test_corpus_to_dataset_and_back_is_the_same_corpus(way: str, tmp_path: Path) -> None:
    corpus = make_corpus()
    dataset = corpus.to_dataset()
    assert list(dataset) == ["train", "validation", "test"]
    if way == "disk":
        dataset.save_to_disk(tmp_path / "data")
    for name, split in dataset.items() if way != "disk" else ():
        split.to_parquet(tmp_path / "data" / f"{name}.parquet")
    back = load_dataset(tmp_path / "data", streaming=way == "stream")
    for split in ("train", "dev", "test"):
        for found, wanted in zip(back.splits()[split], corpus.splits()[split], strict=True):
            assert found == wanted
    assert back.schemes["ner"] == "iob2"


def test_splits_that_a_corpus_does_not_have_are_left_out() -> None:
    assert list(Corpus([make_sentence("a", x=Label("y"))]).to_dataset()) == ["train"]


def test_real_corpus_comes_back_as_it_was(data_folder: Path, tmp_path: Path) -> None:
    folder = data_folder / "ner/wikigold"
    corpus = load_corpus(train=folder / "wikigold.conll.txt", format="conll", columns=["token", "ner"])
    corpus.to_dataset().save_to_disk(tmp_path / "data")
    back = load_corpus(dataset=str(tmp_path / "data"))
    assert back.train == corpus.train
    assert back.schemes == corpus.schemes == {"ner": "iob1"}


def test_predicted_sentences_keep_scores_spans_and_all_classes() -> None:
    ner = TagLayer(("S-PER", "O"), "bioes", "iob2", (0.5, 0.75), ((Boundary("PER", 0, 1), 0.25),), 0.125)
    mood = Label("glad", 0.75, {"glad": 0.75, "sad": 0.25}, (0.5, 0.5))
    dataset = to_dataset(iter([make_sentence("Ada sang", ner=ner, mood=mood), Sentence((), "", ())]))
    assert dataset.features["mood"].names == ["glad", "sad"]
    first, blank = dataset
    span = {"type": "PER", "start": 0, "end": 1, "start_char": 0, "end_char": 3, "score": 0.25}
    assert first == {
        "tokens": ["Ada", "sang"],
        "text": "Ada sang",
        "ner_tags": [1, 0],
        "mood": 0,
        "ner_scores": [0.5, 0.75],
        "ner_score": 0.125,
        "ner_spans": [span],
        "mood_score": 0.75,
        "mood_scores": [0.75, 0.25],
        "mood_attention": [0.5, 0.5],
    }
    assert blank["tokens"] == []
    assert all(value is None for name, value in blank.items() if name not in ("tokens", "text"))


def test_predicted_layers_are_read_back_without_their_scores(tmp_path: Path) -> None:
    ner = TagLayer(("B-PER", "O"), "iob2", "iob2", (0.5, 0.75), ((Boundary("PER", 0, 1), 0.25),), 0.125)
    to_dataset([make_sentence("Ada sang", ner=ner)]).save_to_disk(tmp_path / "data")
    (sentence,) = load_corpus(dataset=str(tmp_path / "data")).train
    assert sentence == make_sentence("Ada sang", ner=TagLayer(ner.tags, "iob2", "iob2"))


def test_layer_of_two_kinds_is_refused() -> None:
    with pytest.raises(DataError, match="layer `x` must be tags, labels or numbers in all sentences, got several"):
        to_dataset([make_sentence("a", x=Label("y")), make_sentence("a", x=TagLayer(("y",)))])


@pytest.mark.parametrize("layer", ["tokens", "text", "document", "offsets"])
def test_layer_whose_column_is_taken_is_refused(layer: str) -> None:
    with pytest.raises(DataError, match=f"two columns would be called {layer}; rename the layer"):
        to_dataset([make_sentence("a", **{layer: Label("y")})])


def test_push_hands_the_dataset_and_the_settings_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(datasets.DatasetDict, "push_to_hub", lambda *args, **kwargs: given.append((args, kwargs)))
    corpus = Corpus([make_sentence("a", x=Label("y"))])
    corpus.push("me/mine", private=True)
    ((dataset, name), settings) = given[0]
    assert (dataset["train"][:], name, settings) == (corpus.to_dataset()["train"][:], "me/mine", {"private": True})


FRENCH = (
    "# newdoc id = d\n# sent_id = 1\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\t_\tADP\t_\t_\t_\t_\t_\t_\n"
    "2\tle\t_\tDET\t_\t_\t_\t_\t_\t_\n3\tpain\t_\tNOUN\t_\t_\t_\t_\t_\tSpaceAfter=No\n"
    "4\t.\t_\tPUNCT\t_\t_\t_\t_\t_\t_\n\n1\tOui\t_\tINTJ\t_\t_\t_\t_\t_\t_\n\n"
)


@pytest.mark.parametrize("settings", [{}, {"lazy": True}, {"streaming": True}])
def test_words_of_one_range_come_back_with_the_offsets_that_they_share(
    settings: dict[str, bool], tmp_path: Path
) -> None:
    (tmp_path / "a.conllu").write_text(FRENCH, encoding="utf-8")
    corpus = load_corpus(train=tmp_path / "a.conllu", format="conllu")
    assert corpus.train[0].offsets[:2] == ((0, 2), (0, 2))
    (tmp_path / "rows").mkdir()
    corpus.to_dataset()["train"].to_parquet(str(tmp_path / "rows/train.parquet"))
    again = load_corpus(dataset=str(tmp_path / "rows"), **settings).train
    assert list(again) == [replace(sentence, origin=None) for sentence in corpus.train]
    assert check(str(tmp_path / "rows")).is_sound


def test_unknown_tags_come_through_a_dataset() -> None:
    gaps = make_sentence("Ada sang", ner=TagLayer(("B-PER", None), "iob2", "iob2"))
    dataset = to_dataset([gaps, make_sentence("Hm", ner=TagLayer(("O",), "iob2", "iob2"))])
    assert dataset["ner_tags"][:] == [[1, None], [0]]
    config = DataConfig(dataset="d")
    assert [s.tags("ner") for s in sentences_of(dataset, config, "d")] == [("B-PER", None), ("O",)]


def test_class_of_ignored_tokens_is_an_unknown_tag() -> None:
    classes = datasets.List(datasets.ClassLabel(names=["O", "B-PER"]))
    read = reader(
        {"tokens": datasets.List(datasets.Value("string")), "ner_tags": classes}, DataConfig(dataset="d"), "d"
    )
    assert read({"tokens": ["Ada", "sang"], "ner_tags": [1, -100]}).tags("ner") == ("B-PER", None)


def test_other_columns_come_back_beside_predictions() -> None:
    rows = {
        "id": ["a", "b"],
        "text": ["Ada ran.", "Bo sat."],
        "page": [3, None],
        "meta": [{"x": 1}, {"x": 2}],
        "ner_tags": [["O"], ["O"]],
    }
    sentences = list(stream_dataset(datasets.Dataset.from_dict(rows)))
    assert [sentence.record for sentence in sentences] == [
        {"id": rows["id"][i], "page": rows["page"][i], "meta": rows["meta"][i], "ner_tags": ["O"]} for i in range(2)
    ]
    layers = {"ner": TagLayer(("O", "O", "O"))}
    written = to_dataset(replace(sentence, layers=layers) for sentence in sentences)
    assert written[:]["id"] == ["a", "b"]
    assert (written[:]["page"], written[:]["meta"]) == ([3, None], [{"x": 1}, {"x": 2}])
    mixed = [replace(s, record={"odd": value}) for s, value in zip(sentences, (1, ["a"]), strict=True)]
    assert to_dataset(mixed)[:]["odd"] == ["1", '["a"]']
