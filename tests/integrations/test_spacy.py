"""The component of spaCy on real pipelines: what it sets, beside whom, in batches and processes, on disk and back."""

import copy
import importlib
import pickle
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from untrained import untrained_model

import tagger
import tagger.integrations.spacy  # registers the factory, as the entry point of an installed package does
from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.model.folder.opening import OWN
from tagger.model.folder.torch_model import save_model
from tagger.text.sentence import Sentence

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Maria Rossi loved Paris. She moved to Altavia Inc. in Oslo. It was great!"
TEXTS = [TEXT, "", "  \n", "Oslo", "We met Ada Lovelace in London ;\n\n  it rained.", "Paris is in France."] * 3


def pipeline(model: str | Path = "english", *, before: Sequence[str] = (), **config: Any) -> Language:
    nlp = spacy.blank("en")
    for name in before:
        nlp.add_pipe(name)
    nlp.add_pipe("tagger_bilstm", config={"model": str(model), **config})
    return nlp


@pytest.fixture(scope="module")
def nlp() -> Language:
    return pipeline()


@pytest.fixture(scope="module")
def english() -> tagger.Tagger:
    return tagger.load("english")


@pytest.fixture(scope="module")
def odd_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two layers of entities, tags of other names, and two layers of labels with the same classes."""
    types = ["O", "B-A", "I-A", "E-A", "S-A"]
    labels = {"ner": types, "chunks": types, "upos": ["N", "V"], "case": ["x", "y"], "mood": ["a", "b"], "tone": ["b"]}
    made = untrained_model(
        Vocabulary(["ada", "oslo"], ["a", "d", "o"], labels, 3),
        {name: TokensHeadConfig(kind="tokens") for name in ("ner", "chunks")}
        | {name: TokensHeadConfig(kind="tokens", scheme="none") for name in ("upos", "case")}
        | {name: SentenceHeadConfig(kind="sentence") for name in ("mood", "tone")},
        embeddings=EmbeddingsConfig(dimension=4, char_dimension=3, char_hidden=2),
        encoder=EncoderConfig(hidden_size=4),
        schemes={"ner": "iob2", "chunks": "iob2", "upos": None, "case": None},
        loudness=30,
    )
    save_model(made, folder := tmp_path_factory.mktemp("odd"), card="")
    return folder


def annotations(doc: Doc) -> dict[str, Any]:
    group = doc.spans["tagger"]
    return {
        "ents": [(span.start, span.end, span.label_) for span in doc.ents],
        "tags": [token.tag_ for token in doc],
        "pos": [token.pos_ for token in doc],
        "cats": doc.cats,
        "spans": [(span.start, span.end, span.label_) for span in group],
        "scores": group.attrs["scores"],
    }


def same(docs: Sequence[Doc], others: Sequence[Doc]) -> bool:
    """Whether documents have equal annotations, apart from the last digits of probabilities."""
    pairs = [(annotations(doc), annotations(other)) for doc, other in zip(docs, others, strict=True)]
    numbers = ("cats", "scores")
    return all(
        found == {**wanted, **{name: pytest.approx(wanted[name], abs=1e-5) for name in numbers}}
        for found, wanted in pairs
    )


def of_sentences(sentences: Sequence[Sentence]) -> list[tuple[str, str, float | None]]:
    return [(span.text, span.type, span.score) for sentence in sentences for span in sentence.spans("ner")]


def scored(doc: Doc) -> list[tuple[str, str, float]]:
    group = doc.spans["tagger"]
    return [(span.text, span.label_, score) for span, score in zip(group, group.attrs["scores"], strict=True)]


def test_entities_tags_and_categories_are_those_of_the_model(nlp: Language, english: tagger.Tagger) -> None:
    doc, wanted = nlp(TEXT), english.tag_document(TEXT)
    assert [token.text for token in doc] == list(wanted.tokens)
    assert [(span.start, span.end, span.label_) for span in doc.ents] == [
        (span.start, span.end, span.type) for span in wanted.spans("ner")
    ]
    assert len(doc.ents) == 4
    assert [token.tag_ for token in doc] == list(wanted.tags("xpos"))
    assert [token.pos_ for token in doc] == list(wanted.tags("upos"))
    assert doc.cats == pytest.approx(wanted.label("sentiment").scores, abs=1e-6)
    assert sum(doc.cats.values()) == pytest.approx(1, abs=1e-5)
    assert doc.spans["tagger"].attrs["scores"] == pytest.approx([s.score for s in wanted.spans("ner")], abs=1e-6)


def test_tokens_are_those_of_the_pipeline(english: tagger.Tagger) -> None:
    nlp = pipeline()
    nlp.tokenizer = lambda text: Doc(nlp.vocab, words=text.split())
    wanted = english.tag_tokens(["Ada", "Lovelace", "lives", "in", "Oslo,", "Norway."])
    doc = nlp("Ada Lovelace lives in Oslo, Norway.")
    assert [token.tag_ for token in doc] == list(wanted.tags("xpos"))
    assert [(text, kind) for text, kind, _ in scored(doc)] == [(s.text, s.type) for s in wanted.spans("ner")]


def test_the_model_does_not_see_white_space(nlp: Language) -> None:
    plain, spaced = nlp(TEXT), nlp("\n " + TEXT.replace(" ", "  \t ") + " \n\n")
    words = [token for token in spaced if not token.is_space]
    assert len(words) == len(plain) < len(spaced)
    assert [(t.text, t.tag_, t.pos_) for t in words] == [(t.text, t.tag_, t.pos_) for t in plain]
    assert {(t.tag_, t.pos_) for t in spaced if t.is_space} == {("_SP", "SPACE")}
    assert [" ".join(text.split()) for text, _, _ in scored(spaced)] == [text for text, _, _ in scored(plain)]
    assert not any(span[0].is_space or span[-1].is_space for span in spaced.ents)
    assert spaced.cats == pytest.approx(plain.cats, abs=1e-5)


def test_a_document_without_words_has_no_categories(nlp: Language) -> None:
    for text in ("", " ", "\n\n \t"):
        doc = nlp(text)
        assert (doc.ents, doc.cats, list(doc.spans["tagger"]), doc.spans["tagger"].attrs) == (
            (),
            {},
            [],
            {"scores": []},
        )


def test_sentences_of_the_pipeline_are_used_if_there_are_some(english: tagger.Tagger) -> None:
    nlp = pipeline(before=["sentencizer"])
    nlp.get_pipe("sentencizer").punct_chars = {";"}  # type: ignore[attr-defined]
    text = "Ada met Bob ; Maria Rossi moved to Oslo. She likes Altavia ; fine"
    doc = nlp(text)
    assert len(list(doc.sents)) == 3
    parts = [Sentence.from_tokens([token.text for token in sentence]) for sentence in doc.sents]
    wanted = list(english.predict(parts))
    assert [token.tag_ for token in doc] == [tag for sentence in wanted for tag in sentence.tags("xpos")]
    assert [score for _, _, score in scored(doc)] == pytest.approx([s for _, _, s in of_sentences(wanted)], abs=1e-5)
    other = [score for _, _, score in scored(pipeline()(text))]
    assert other != pytest.approx([s for _, _, s in of_sentences(wanted)], abs=1e-5)


def test_sentences_are_not_set(nlp: Language) -> None:
    assert not nlp(TEXT).has_annotation("SENT_START")


@pytest.mark.parametrize("batch_size", [1, 4, 1000])
def test_batches_give_what_single_documents_give(nlp: Language, batch_size: int) -> None:
    assert same(list(nlp.pipe(TEXTS, batch_size=batch_size)), [nlp(text) for text in TEXTS])


def test_two_processes_give_the_same(nlp: Language) -> None:
    docs = list(nlp.pipe([(text, i) for i, text in enumerate(TEXTS)], as_tuples=True, n_process=2, batch_size=4))
    assert [i for _, i in docs] == list(range(len(TEXTS)))
    assert same([doc for doc, _ in docs], [nlp(text) for text in TEXTS])


def test_saved_pipeline_has_its_model_with_it(nlp: Language, tmp_path: Path) -> None:
    shutil.copytree(OWN / "english", tmp_path / "model")
    pipeline(tmp_path / "model", spans_key="found").to_disk(tmp_path / "saved")
    shutil.rmtree(tmp_path / "model")
    (tmp_path / "saved").rename(tmp_path / "moved")
    loaded = spacy.load(tmp_path / "moved")
    doc = loaded(TEXT)
    assert [(span.text, span.label_) for span in doc.spans["found"]] == [(t, k) for t, k, _ in scored(nlp(TEXT))]
    assert (tmp_path / "moved" / "tagger_bilstm" / "ATTRIBUTION.md").is_file()
    loaded.to_disk(tmp_path / "again")
    assert spacy.load(tmp_path / "again")(TEXT).cats == nlp(TEXT).cats


@pytest.mark.parametrize("way", ["bytes", "pickle", "copy", "pickle of bytes", "bytes of bytes"])
def test_copies_annotate_alike(nlp: Language, way: str) -> None:
    component = nlp.get_pipe("tagger_bilstm")
    found = nlp
    if "bytes" in way:
        found = pipeline("a model that is not here").from_bytes(nlp.to_bytes())
    if way == "bytes of bytes":
        found = pipeline("a model that is not here").from_bytes(found.to_bytes())
    if "pickle" in way:
        component = pickle.loads(pickle.dumps(found.get_pipe("tagger_bilstm")))
    elif way == "copy":
        component = copy.deepcopy(component)
    else:
        component = found.get_pipe("tagger_bilstm")
    assert component.name == "tagger_bilstm"  # type: ignore[attr-defined]
    assert same([component(nlp.make_doc(TEXT))], [nlp(TEXT)])


def test_a_model_that_was_replaced_is_not_saved(tmp_path: Path, odd_model: Path) -> None:
    shutil.copytree(OWN / "english", tmp_path / "model")
    nlp = pipeline(tmp_path / "model")
    nlp("Ada")
    shutil.rmtree(tmp_path / "model")
    shutil.copytree(odd_model, tmp_path / "model")
    with pytest.raises(ModelError, match="must hold the model that was loaded, but holds another one now"):
        nlp.to_disk(tmp_path / "saved")


def ruled(*, overwrite: bool) -> Language:
    """A pipeline whose ruler says that `Rossi` is a brand."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "BRAND", "pattern": "Rossi", "id": "r1"}])  # type: ignore[attr-defined]
    nlp.add_pipe("tagger_bilstm", config={"model": "english", "overwrite": overwrite})
    return nlp


def test_entities_that_were_set_before_stay(nlp: Language) -> None:
    doc = ruled(overwrite=False)(TEXT)
    wanted = [span for span in nlp(TEXT).ents if span.text != "Maria Rossi"]
    assert [(span.text, span.label_) for span in doc.ents] == [
        ("Rossi", "BRAND"),
        *((span.text, span.label_) for span in wanted),
    ]
    assert doc.ents[0].ent_id_ == "r1"
    assert [text for text, _, _ in scored(doc)] == [text for text, _, _ in scored(nlp(TEXT))]


def test_entities_that_were_set_before_can_be_replaced(nlp: Language) -> None:
    assert same([ruled(overwrite=True)(TEXT)], [nlp(TEXT)])


def test_no_entity_is_set_on_blocked_tokens(nlp: Language) -> None:
    doc = nlp.make_doc(TEXT)
    doc.set_ents([], blocked=[doc[0:1]], default="missing")
    doc = nlp.get_pipe("tagger_bilstm")(doc)
    assert [span.text for span in doc.ents] == [span.text for span in nlp(TEXT).ents][1:]
    assert [token.ent_iob_ for token in doc[:5]] == ["B", "O", "O", "B", "O"]


@pytest.mark.parametrize(("overwrite", "first"), [(False, ("UH", "INTJ")), (True, ("NNP", "PROPN"))])
def test_tags_that_were_set_before_stay_unless_they_are_to_be_replaced(overwrite: bool, first: tuple[str, str]) -> None:
    nlp = pipeline(overwrite=overwrite)
    doc = nlp.make_doc(TEXT)
    doc[0].tag_, doc[0].pos_ = "UH", "INTJ"
    doc = nlp.get_pipe("tagger_bilstm")(doc)
    assert (doc[0].tag_, doc[0].pos_) == first
    assert (doc[1].tag_, doc[1].pos_) == ("NNP", "PROPN")


def test_it_works_beside_components_of_spacy(nlp: Language) -> None:
    full = spacy.blank("en")
    for name in (
        "sentencizer",
        "tagger",
        "textcat",
        "tagger_bilstm",
        "attribute_ruler",
        "merge_entities",
        "span_ruler",
    ):
        full.add_pipe(name, config={"model": "english"} if name == "tagger_bilstm" else {})
    gold = {"tags": ["XX"] * 5, "cats": {"news": 1.0, "mail": 0.0}}
    full.initialize(lambda: [Example.from_dict(full.make_doc("Maria Rossi loved Paris."), gold)])
    full.get_pipe("attribute_ruler").add([[{"LOWER": "loved"}]], {"LEMMA": "love"})  # type: ignore[attr-defined]
    full.get_pipe("span_ruler").add_patterns([{"label": "FUN", "pattern": "great"}])  # type: ignore[attr-defined]
    doc = full(TEXT)
    assert [token.text for token in doc][:4] == ["Maria Rossi", "loved", "Paris", "."]
    assert doc[1].lemma_ == "love"
    assert {token.tag_ for token in doc} == {"XX"}  # spaCy's own `tagger` was first
    assert set(doc.cats) == {"news", "mail", "negative", "neutral", "positive"}
    assert [span.text for span in doc.ents] == [span.text for span in nlp(TEXT).ents]
    assert [token.pos_ for token in doc][:4] == ["PROPN", "VERB", "PROPN", "PUNCT"]
    assert [span.text for span in doc.spans["ruler"]] == ["great"]
    assert full.analyze_pipes()["summary"]["tagger_bilstm"]["assigns"]


def test_ner_of_spacy_keeps_our_entities(nlp: Language) -> None:
    both = pipeline()
    both.add_pipe("ner").add_label("BRAND")  # type: ignore[attr-defined]
    both.initialize()
    kept = {(span.text, span.label_) for span in both(TEXT).ents}
    assert {(text, kind) for text, kind, _ in scored(nlp(TEXT))} <= kept


def test_settings_choose_layers(odd_model: Path) -> None:
    nlp = pipeline(odd_model, pos=None, cats="mood", tag="case", ents="chunks", spans_key="sc")
    doc = nlp("Ada likes Oslo and Oslo likes Ada")
    wanted = tagger.load(odd_model).predict([Sentence.from_tokens([token.text for token in doc])])
    sentence = next(wanted)
    assert [token.tag_ for token in doc] == list(sentence.tags("case"))
    assert not any(token.pos_ for token in doc)
    assert doc.cats == pytest.approx(sentence.label("mood").scores)
    assert set(doc.spans) == {"sc", "ner"}


def test_each_layer_of_entities_has_its_group(odd_model: Path) -> None:
    nlp = pipeline(odd_model, pos=None, cats=None, ents="ner")
    text = "Ada likes Oslo Ada Ada Oslo o o d"
    doc = nlp(text)
    sentence = tagger.load(odd_model).tag(text)
    for key, layer in (("tagger", "ner"), ("chunks", "chunks")):
        assert [(s.start, s.end, s.label_) for s in doc.spans[key]] == [
            (s.start, s.end, s.type) for s in sentence.spans(layer)
        ]
        assert len(doc.spans[key].attrs["scores"]) == len(doc.spans[key])
    assert sentence.spans("ner") or sentence.spans("chunks")
    assert not doc.cats
    assert not any(token.tag_ for token in doc)  # no layer is called `xpos`
    assert set(pipeline(odd_model, pos=None, cats=None, ents=None)(text).spans) == {"ner", "chunks"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"ents": "upos"},
            "component `tagger_bilstm`: `ents` must be a layer that can set it (`ner`, `chunks`), `auto`",
        ),
        ({"pos": None, "cats": ["mood", "moood"]}, "(`mood`, `tone`), `auto` or None, got `moood`"),
        ({}, "the tags of `upos`, which sets token.pos_, must be universal parts of speech, got `N`, `V`; set pos"),
        ({"pos": None}, "the layers `mood`, `tone` must not share classes in doc.cats; name one in `cats`"),
    ],
)
def test_settings_that_do_not_fit_the_model_are_one_sentence(
    odd_model: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        pipeline(odd_model, **config)("Ada")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_model_is_one_sentence_and_goes_to_the_error_handler(tmp_path: Path) -> None:
    nlp = pipeline(tmp_path / "none")
    with pytest.raises(ModelError, match="no such model folder"):
        nlp("Ada")
    failed: list[str] = []
    nlp.set_error_handler(lambda name, proc, docs, error: failed.extend(doc.text for doc in docs))
    assert list(nlp.pipe(["Ada", "Bob"])) == []
    assert failed == ["Ada", "Bob"]


def test_keyword_arguments_of_load_are_passed_on(nlp: Language) -> None:
    small = pipeline(load={"backend": "numpy", "threads": 1})
    assert same([small(TEXT)], [nlp(TEXT)])
    assert type(small.get_pipe("tagger_bilstm").tagger.backend).__name__ == "NumpyBackend"  # type: ignore[attr-defined]


def test_what_it_sets_is_scored_as_spacy_scores_its_own_components(nlp: Language) -> None:
    gold = nlp.make_doc(TEXT)
    gold.set_ents([Span(gold, 0, 2, "PER"), Span(gold, 3, 4, "ORG")])
    for token, predicted in zip(gold, nlp(TEXT), strict=True):
        token.tag_, token.pos_ = "NN" if token.i < 3 else predicted.tag_, predicted.pos_
    predicted = nlp(TEXT)
    gold.cats = {name: float(name == "positive") for name in predicted.cats}
    scores = nlp.evaluate([Example(nlp.make_doc(TEXT), gold)])
    assert len(predicted.ents) == 4  # one of them is right, and one of gold's two is found
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == pytest.approx((1 / 4, 1 / 2, 1 / 3))
    assert scores["ents_per_type"]["PER"]["r"] == pytest.approx(1)
    assert scores["tag_acc"] == pytest.approx((len(gold) - 3) / len(gold))
    assert scores["pos_acc"] == pytest.approx(1)
    assert max(predicted.cats, key=predicted.cats.__getitem__) == "positive"
    assert scores["cats_f_per_type"]["positive"]["f"] == pytest.approx(1)
    assert scores["cats_micro_f"] == pytest.approx(1)
    alone = nlp.evaluate([Example(nlp.make_doc(TEXT), gold)], per_component=True)["tagger_bilstm"]
    assert alone["ents_f"] == scores["ents_f"]


def test_what_gold_lacks_is_not_scored(nlp: Language) -> None:
    docs = [nlp.make_doc(text) for text in (TEXT, "", " ")]
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    assert (scores["ents_f"], scores["tag_acc"], scores["pos_acc"]) == (None, None, None)
    assert not any(name.startswith("cats") for name in scores)
    blank = Example.from_dict(nlp.make_doc(""), {"cats": {"positive": 1.0}})  # no class is predicted for it
    assert not any(name.startswith("cats") for name in nlp.evaluate([blank]))


def test_each_of_several_layers_of_labels_has_its_scores(tmp_path: Path) -> None:
    labels = {"mood": ["a", "b"], "tone": ["c", "d"]}
    made = untrained_model(
        Vocabulary(["ada", "oslo"], ["a", "d", "o"], labels, 3),
        {name: SentenceHeadConfig(kind="sentence") for name in labels},
        embeddings=EmbeddingsConfig(dimension=4, char_dimension=3, char_hidden=2),
        encoder=EncoderConfig(hidden_size=4),
        loudness=30,
    )
    save_model(made, tmp_path / "model", card="")
    nlp = pipeline(tmp_path / "model")
    found = nlp("Ada").cats
    mood, tone = (max(names, key=found.__getitem__) for names in labels.values())
    wrong = "c" if tone == "d" else "d"
    scores = nlp.evaluate([Example.from_dict(nlp.make_doc("Ada"), {"cats": {mood: 1.0, wrong: 1.0}})])
    assert (scores["cats_mood_micro_f"], scores["cats_tone_micro_f"]) == (pytest.approx(1), 0)
    assert "cats_micro_f" not in scores


def test_labels_are_those_of_the_chosen_layers(odd_model: Path, nlp: Language) -> None:
    component: Any = pipeline(odd_model, pos=None, cats="mood", tag="case", ents="chunks").get_pipe("tagger_bilstm")
    assert component.label_data == {"ents": ["A"], "spans": ["A"], "tag": ["x", "y"], "pos": [], "cats": ["a", "b"]}
    assert component.labels == ("A", "x", "y", "a", "b")
    assert {"PER", "NNP", "PROPN", "positive"} <= set(nlp.pipe_labels["tagger_bilstm"])


def test_initialize_loads_the_model_and_finds_mistakes(tmp_path: Path) -> None:
    nlp = pipeline()
    assert "tagger_bilstm" not in nlp.meta["labels"]  # which loads nothing
    nlp.initialize()
    assert "PER" in nlp.meta["labels"]["tagger_bilstm"]
    with pytest.raises(ModelError, match="no such model folder"):
        pipeline(tmp_path / "none").initialize()
    with pytest.raises(ModelError, match="`ents` must be a layer that can set it"):
        pipeline(ents="upos").initialize()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "`model` must be a folder or a name, as for tagger.load, got None; see docs/integrations.md"),
        ({"model": 5}, "`model` must be a folder or a name, as for tagger.load, got 5"),
        ({"model": ""}, "`model` must be a folder or a name"),
        ({"model": "english", "load": ["numpy"]}, "`load` must be keyword arguments of tagger.load, got ['numpy']"),
        ({"model": "english", "ents": 5}, "`ents` must be a layer, `auto` or None, got 5"),
        ({"model": "english", "pos": ["upos"]}, "`pos` must be a layer, `auto` or None, got ['upos']"),
        ({"model": "english", "cats": [None]}, "`cats` must be a layer, a list of layers, `auto` or None, got [None]"),
        ({"model": "english", "spans_key": ""}, "`spans_key` must be a name, got ''"),
        ({"model": "english", "overwrite": "yes"}, "`overwrite` must be true or false, got 'yes'"),
    ],
)
def test_settings_of_a_wrong_type_are_one_sentence(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        spacy.blank("en").add_pipe("tagger_bilstm", name="mine", config=config)
    assert str(caught.value).startswith(f"component `mine`: {message}")
    assert "\n" not in str(caught.value)


def test_spans_survive_a_docbin(nlp: Language) -> None:
    doc = nlp(TEXT)
    copied = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert same([copied], [doc])
    assert all(isinstance(span, Span) for span in copied.spans["tagger"])


def test_entry_point_names_the_factory() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(project["entry-points"]["spacy_factories"]) == ["tagger_bilstm"]
    module, _, name = project["entry-points"]["spacy_factories"]["tagger_bilstm"].partition(":")
    function = getattr(importlib.import_module(module), name)
    assert spacy.blank("en").get_factory_meta("tagger_bilstm").factory == "tagger_bilstm"
    assert not any(isinstance(kind, str) for kind in function.__annotations__.values() if kind != "TaggerComponent")
