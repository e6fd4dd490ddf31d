"""Training does not start if a recipe or a corpus has a mistake; the error says where."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_recipes import NER, SYNTHETIC
from small_runs import CONLL, SENTIMENT, Untrained, make_conll_recipe, make_recipe, write_conll

from tagger.errors import DataError, ModelError, RecipeError, TaggerError
from tagger.running.corpora import load_corpora
from tagger.running.train import train
from tagger.text.sentence import Sentence


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            '[heads.ner]\nkind = "sentence"\n',
            "corpus `data`, train: layer `ner` must have one label per sentence, because its head has "
            "kind = 'sentence', got one tag per token; use kind = 'tokens'",
        ),
        (
            '[heads.sentiment]\nkind = "tokens"\n',
            "corpus `data`, train: layer `sentiment` must have one tag per token, because its head has "
            "kind = 'tokens', got one label per sentence; use kind = 'sentence'",
        ),
    ],
)
def test_a_head_of_the_wrong_kind_is_reported_before_training(tmp_path: Path, head: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        train(make_recipe(tmp_path, SYNTHETIC, head))
    assert str(caught.value) == message


def test_a_layer_that_train_lacks_is_reported_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        train(make_recipe(tmp_path, SYNTHETIC, '[heads.chunk]\nkind = "tokens"\n'))
    assert str(caught.value) == (
        "no train sentence has the layer `chunk`; they have ner, sentiment, upos. Check `columns` or `layers` of the "
        "corpora, or the name of the head"
    )


def test_a_corpus_that_teaches_no_head_is_reported_before_training(tmp_path: Path) -> None:
    write_conll(tmp_path / "other", "Ada/NOUN saw/VERB Rome/NOUN")
    other = '[corpora.b]\nformat = "conll"\ncolumns = ["token", "xpos"]\ntrain = "other"\ndev = "other"\n'
    with pytest.raises(RecipeError) as caught:
        train(make_recipe(tmp_path, SYNTHETIC.replace("[data]", "[corpora.a]"), other, NER), output=tmp_path / "run")
    assert str(caught.value) == (
        "corpus `b`: train must have a layer that a head predicts (ner), got xpos; add a head, give a head a `teacher` "
        "that labels the corpus, or remove the corpus"
    )
    assert not (tmp_path / "run").exists()


def test_plain_tags_under_a_head_of_entities_are_reported_before_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='set scheme = "none" for the head if its tags have no spans'):
        train(make_recipe(tmp_path, SYNTHETIC, '[heads.upos]\nkind = "tokens"\n'))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_reported_before_training(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        train(make_recipe(tmp_path, SYNTHETIC, NER), device="cuda")
    assert str(caught.value) == 'device "cuda" is not available on this machine; use "cpu" (or "cuda" with a GPU)'


@pytest.mark.parametrize("key", ["mention_replacement", "token_replacement"])
def test_replacement_without_a_head_of_entities_is_refused(tmp_path: Path, key: str) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, '[heads.upos]\nkind = "tokens"\nscheme = "none"\n')
    with pytest.raises(RecipeError, match=f"`training.{key}` needs a head that predicts entities, got none; remove it"):
        train(recipe, overrides=[f"training.{key}=0.5"])


@pytest.mark.parametrize("key", ["refit=true", "mention_replacement=0.5", "token_replacement=0.5"])
def test_what_reads_all_of_train_is_refused_for_a_lazy_corpus(tmp_path: Path, key: str) -> None:
    recipe = make_recipe(tmp_path, '[data]\ndataset = "d"\nlazy = true\n', NER)
    name = key.partition("=")[0]
    with pytest.raises(RecipeError, match=f"`training.{name}` reads all of train, which `lazy` leaves on disk"):
        train(recipe, overrides=[f"training.{key}"])


def test_a_recipe_names_all_of_its_files_that_are_not_there(tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=["Ada/B-PER ran/O"])
    advice = "no such file; check the path and the --data folder"
    features = ['features.x={kind = "gazetteer", files = {A = ["a.txt"]}}', 'features.y={kind = "charlm", model = "m"}']
    with pytest.raises(DataError) as caught:
        train(recipe, overrides=["data.dev=no.conll", 'embeddings.vectors=["no.txt"]', *features])
    assert str(caught.value).splitlines() == [
        f"{tmp_path / 'no.conll'}: {advice}",
        f"embeddings.vectors: {tmp_path / 'no.txt'}: {advice}",
        f"features.x.files: {tmp_path / 'a.txt'}: {advice}",
        f"features.y.model: {tmp_path / 'm'}: no such folder; train the model with tagger pretrain, or check the path "
        "and the --data folder",
    ]


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ('{kind = "charlm", model = "."}', "features.x.model: "),
        ('{kind = "gazetteer", files = {A = "empty"}}', "features.x.files: "),
        ('{kind = "transformer", model = "."}', "features.x.model: "),
    ],
)
def test_mistakes_of_features_are_found_before_teachers_are_trained(feature: str, said: str, tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=["Ada/B-PER ran/O"] * 2)
    (tmp_path / "teacher.toml").write_text(recipe.read_text())
    labelled = load_corpora(recipe)["data"]
    corpus = replace(labelled, train=[*labelled.train, Sentence.from_tokens(["x"])])
    (tmp_path / "empty").write_bytes(b"\xff")
    (tmp_path / "v.txt").write_text("no vectors")
    changes = [f"features.x={feature}", "heads.ner.teacher=teacher.toml", "embeddings.vectors=v.txt"]
    with pytest.raises(TaggerError, match=f"^{said}") as caught:
        train(recipe, corpus=corpus, overrides=changes, listener=Untrained())
    assert str(caught.value).count("features.x") == 1


@pytest.mark.parametrize(("data", "then"), [("my data", ""), (None, "; then train with --data data")])
def test_missing_files_of_the_catalogue_come_with_the_command_that_fetches_them(
    tmp_path: Path, data: str | None, then: str
) -> None:
    recipe = make_conll_recipe(tmp_path, train=["Ada/B-PER ran/O"])
    changes = ["data.train=ner/wnut17/wnut17train.conll", "data.dev=mine", 'embeddings.vectors=["ner/btc/a.conll"]']
    with pytest.raises(DataError) as caught:
        train(recipe, data=data and tmp_path / data, overrides=changes)
    *lines, last = str(caught.value).splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["no such file; check the path and the --data folder"] * 3
    to = "data" if data is None else f"'{tmp_path / data}'"
    assert last == f"to fetch files that are public: tagger data get wnut17 btc --to {to}{then}"


TAGGED = '{"tokens": ["Ada", "ran"], "tags": {"ner": ["B-PER", "O"]}}\n'


LABELLED = '{"tokens": ["Ada", "ran"], "labels": {"ner": "good"}}\n'


@pytest.mark.parametrize(
    ("split", "line"), [("dev", '{"tokens": ["Ada", "ran"]}\n'), ("dev", LABELLED), ("test", LABELLED)]
)
def test_a_split_that_lacks_the_layer_or_has_another_kind_is_reported_before_training(
    tmp_path: Path, split: str, line: str
) -> None:
    (tmp_path / "a.jsonl").write_text(TAGGED * 20)
    (tmp_path / "b.jsonl").write_text(line)
    files = {"train": "a.jsonl", "dev": "a.jsonl", "test": "a.jsonl", split: "b.jsonl"}
    data = '[data]\nformat = "jsonl"\n' + "".join(f'{name} = "{path}"\n' for name, path in files.items())
    with pytest.raises((DataError, RecipeError)):
        train(make_recipe(tmp_path, data, NER), listener=Untrained())


def test_corpora_whose_layer_is_of_different_kinds_are_reported_before_training(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(TAGGED * 20)
    (tmp_path / "b.jsonl").write_text(LABELLED * 20)
    data = "".join(f'[corpora.{name}]\nformat = "jsonl"\ntrain = "{name}.jsonl"\n' for name in "ab")
    with pytest.raises((DataError, RecipeError)):
        train(make_recipe(tmp_path, data, NER), listener=Untrained())


def test_corpora_in_two_schemes_are_refused_without_a_scheme_to_convert_them_to(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(TAGGED * 20)
    (tmp_path / "b.jsonl").write_text(TAGGED.replace("B-PER", "S-PER") * 20)
    corpora = "".join(f'[corpora.{name}]\nformat = "jsonl"\ntrain = "{name}.jsonl"\n' for name in "ab")
    recipe = make_recipe(tmp_path, corpora, '[heads.ner]\nkind = "tokens"\nscheme = "none"\n')
    with pytest.raises(RecipeError) as caught:
        train(recipe, listener=Untrained())
    assert str(caught.value) == (
        "corpus `b`: layer `ner` must be in the same scheme in all corpora, got bioes beside iob2; give its head a "
        'scheme such as "bioes", which all are converted to'
    )


def test_a_folder_that_cannot_be_written_to_is_reported_before_training(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ModelError) as caught:
        train(make_recipe(tmp_path, SYNTHETIC, NER), output=tmp_path / "taken", listener=Untrained())
    assert str(caught.value) == (f"{tmp_path}/taken: the folder of a run must be writable: File exists")


BROKEN = {
    "columns": ("Ada", "must have 2 columns"),
    "prefix": ("Ada/Q-PER naps/O", "is not a valid IOB2 tag"),
    "transition": ("Ada/I-PER naps/O Bo/B-PER", "is not valid IOB2"),
    "control": ("Ada\x01/B-PER naps/O", "control character"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_training_refuses_a_corpus_with_errors_and_names_their_lines(kind: str, tmp_path: Path) -> None:
    broken, message = BROKEN[kind]
    write_conll(tmp_path / "train.conll", "Ada/B-PER Lovelace/I-PER naps/O Bo/B-PER", broken)
    with pytest.raises(DataError, match=f"train.conll:6: .*{message}"):
        train(make_recipe(tmp_path, CONLL, NER))


def test_a_weight_of_an_unknown_class_is_reported(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, SENTIMENT, "class_weights = { postive = 2.0 }")
    with pytest.raises(
        RecipeError, match=r"class_weights: each class must occur in train, got postive; the classes are"
    ):
        train(recipe)
