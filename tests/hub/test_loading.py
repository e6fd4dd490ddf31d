"""Datasets as the hub serves them: folders of parquet, JSON lines or a saved dataset, read offline."""

import json
import pickle
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants
import pytest

from tagger.config import DataConfig
from tagger.corpus.corpus import Corpus, load_corpus, load_dataset, read_corpus
from tagger.errors import DataError
from tagger.hub.from_rows import reader
from tagger.running.run import RunListener
from tagger.running.train import train
from tagger.text.sentence import Label

NER = ["O", "B-PER", "I-PER", "B-LOC"]
ROWS = {
    "tokens": [["Ada", "Lovelace", "sang"], ["Rome"]],
    "ner_tags": [[1, 2, 0], [3]],
    "pos_tags": [["NNP", "NNP", "VBD"], ["NNP"]],
    "intent": [0, 1],
    "id": ["7", "8"],
}
FEATURES = datasets.Features(
    {
        "tokens": datasets.List(datasets.Value("string")),
        "ner_tags": datasets.List(datasets.ClassLabel(names=NER)),
        "pos_tags": datasets.List(datasets.Value("string")),
        "intent": datasets.ClassLabel(names=["tell", "ask"]),
        "id": datasets.Value("string"),
    }
)


@pytest.fixture(autouse=True)
def _offline(own_cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_MODULES_CACHE", str(tmp_path / "modules"))


def make_dataset(rows: dict[str, list[Any]] | None = None, features: Any = None) -> datasets.Dataset:
    return datasets.Dataset.from_dict(ROWS if rows is None else rows, features=FEATURES if rows is None else features)


def saved(folder: Path, **splits: datasets.Dataset) -> Path:
    datasets.DatasetDict(splits).save_to_disk(folder / "saved")
    return folder / "saved"


def parquet(folder: Path, **splits: datasets.Dataset) -> Path:
    for name, dataset in splits.items():
        dataset.to_parquet(folder / "repository" / "data" / f"{name}-00000-of-00001.parquet")
    return folder / "repository"


def json_lines(folder: Path, **splits: list[dict[str, Any]]) -> Path:
    (folder / "repository").mkdir()
    for name, rows in splits.items():
        path = folder / "repository" / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / "repository"


def error_of(dataset: Path | str, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(dataset, **settings)
    return str(caught.value)


def check_rows(corpus: Corpus) -> None:
    first, second = corpus.test
    assert (first.tokens, second.tokens) == (("Ada", "Lovelace", "sang"), ("Rome",))
    assert first.tags("ner") == ("B-PER", "I-PER", "O")
    assert first.tags("pos") == ("NNP", "NNP", "VBD")
    assert (first.label("intent"), second.label("intent")) == (Label("tell"), Label("ask"))
    assert set(first.layers) == {"ner", "pos", "intent"}
    assert corpus.schemes == {"ner": "iob2", "pos": None}


@pytest.mark.parametrize("serve", [saved, parquet])
@pytest.mark.parametrize("dev", ["validation", "dev", "valid"])
def test_dataset_is_read_with_its_classes_by_name(serve: Any, dev: str, tmp_path: Path) -> None:
    dataset = make_dataset()
    folder = serve(tmp_path, train=dataset, test=dataset, **{dev: dataset.select([0])})
    corpus = load_dataset(folder)
    assert [len(split) for split in corpus.splits().values()] == [2, 1, 2]
    check_rows(corpus)


def test_folder_of_json_lines_is_read_with_its_tags_unchanged(tmp_path: Path) -> None:
    rows = [{"tokens": ["Ada", "sang"], "ner_tags": ["B-PER", "O"]}, {"tokens": ["Hm"], "ner_tags": ["O"]}]
    corpus = load_dataset(json_lines(tmp_path, train=rows, validation=rows))
    assert [sentence.tags("ner") for sentence in corpus.dev] == [("B-PER", "O"), ("O",)]


def test_dataset_without_dev_gets_one_from_train(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset(), test=make_dataset())
    corpus = load_dataset(folder)
    assert [len(split) for split in corpus.splits().values()] == [1, 1, 2]
    assert corpus.notes[-1] == "no dev split is named: cut 1 of 2 train sentences by seed 1"
    assert load_corpus(dataset=str(folder)).dev == []


def test_dev_that_a_dataset_has_is_not_cut_from_train_as_well(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset(), validation=make_dataset())
    assert error_of(folder, split={"dev": 0.5}) == (
        f"`split.dev` cuts dev from train, which must have none yet, but {folder} has a dev split; "
        "leave out `split.dev`"
    )


def test_folder_of_a_dataset_starts_where_paths_of_the_corpus_do(tmp_path: Path) -> None:
    saved(tmp_path, train=make_dataset())
    assert len(read_corpus(DataConfig(dataset="saved"), folder=tmp_path).train) == 2


def test_layers_may_be_named(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset())
    corpus = load_dataset(folder, layers={"entities": "ner_tags", "who": "id"})
    assert {name for sentence in corpus.train for name in sentence.layers} == {"entities", "who"}


def test_text_is_split_and_labels_keep_the_name_of_their_column(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    rows = {"text": ["It's fine.", "No!"], "label": [1, 0]}
    corpus = load_dataset(saved(tmp_path, train=make_dataset(rows, features), test=make_dataset(rows, features)))
    assert [(s.tokens, s.label("label").value) for s in corpus.test] == [
        (("It", "'s", "fine", "."), "yes"),
        (("No", "!"), "no"),
    ]


def test_sentence_without_a_label_lacks_the_layer(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    rows = {"text": ["a", "b", "c"], "label": [1, -1, None]}
    folder = saved(tmp_path, train=make_dataset(rows, features), test=make_dataset(rows, features))
    assert [dict(s.layers) for s in load_dataset(folder).test] == [{"label": Label("yes")}, {}, {}]


def test_integers_without_names_are_their_digits(tmp_path: Path) -> None:
    rows = {"tokens": [["a", "b"]], "tags": [[0, 12]]}
    (sentence,) = load_corpus(dataset=str(saved(tmp_path, train=make_dataset(rows))), layers={"x": "tags"}).train
    assert sentence.tags("x") == ("0", "12")


def test_two_columns_of_one_layer_name_are_both_kept(tmp_path: Path) -> None:
    rows = {"tokens": [["a"]], "ner_tags": [["O"]], "ner_labels": [["B-X"]]}
    (sentence,) = load_corpus(dataset=str(saved(tmp_path, train=make_dataset(rows)))).train
    assert (sentence.tags("ner"), sentence.tags("ner_labels")) == (("O",), ("B-X",))


@pytest.mark.parametrize("columns", [("ner_tags", "ner"), ("ner", "ner_tags")])
def test_column_of_a_layers_own_name_is_kept_beside_its_tags_in_any_order(
    columns: tuple[str, str], tmp_path: Path
) -> None:
    values = {"ner_tags": [["O"]], "ner": [["B-X"]]}
    rows = {"tokens": [["a"]], **{column: values[column] for column in columns}}
    (sentence,) = load_corpus(dataset=str(saved(tmp_path, train=make_dataset(rows)))).train
    assert (sentence.tags("ner"), sentence.tags("ner_tags")) == (("B-X",), ("O",))


def test_error_of_a_missing_column_lists_the_columns(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset())
    assert error_of(folder, layers={"ner": "ner_tag"}) == (
        f"{folder} (train): `layers` must name columns of the dataset, got ner_tag; "
        "it has tokens, ner_tags, pos_tags, intent, id"
    )


def test_dataset_whose_layers_cannot_be_found_says_so(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset({"tokens": [["a"]], "x": [1]}))
    assert error_of(folder) == (
        f"{folder} (train): `layers` must name columns of the dataset, got none that could be detected; "
        "it has tokens, x"
    )


def test_dataset_must_have_tokens_or_text(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset({"body": ["a"], "tags": [["O"]]}))
    assert error_of(folder) == (
        f"{folder} (train): must have a column tokens or words or text or sentence, got ['body', 'tags']; "
        'name its column of tokens or text in `layers`, such as {token = "body"}'
    )


@pytest.mark.parametrize("layers", [{"token": "body"}, {"token": "body", "ner": "ner_tags"}])
def test_column_of_tokens_may_be_named_and_is_no_layer(layers: dict[str, str], tmp_path: Path) -> None:
    rows = {"body": [["Ada", "sang"]], "ner_tags": [["B-X", "O"]], "text": ["Ada sang."]}
    (sentence,) = load_corpus(dataset=str(saved(tmp_path, train=make_dataset(rows))), layers=layers).train
    assert sentence.tokens == ("Ada", "sang")
    assert {name: sentence.tags(name) for name in sentence.layers} == {"ner": ("B-X", "O")}


def test_column_of_text_may_be_named(tmp_path: Path) -> None:
    features = datasets.Features({"body": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    folder = saved(tmp_path, train=make_dataset({"body": ["It's"], "label": [1]}, features))
    (sentence,) = load_corpus(dataset=str(folder), layers={"token": "body"}).train
    assert (sentence.tokens, dict(sentence.layers)) == (("It", "'s"), {"label": Label("yes")})


def test_named_column_of_tokens_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset())
    assert error_of(folder, layers={"token": "body"}).startswith(
        f"{folder} (train): `layers` must name columns of the dataset, got body; it has tokens, "
    )


def test_dataset_saved_without_splits_is_train(tmp_path: Path) -> None:
    make_dataset().save_to_disk(tmp_path / "single")
    corpus = load_corpus(dataset=str(tmp_path / "single"))
    assert [len(split) for split in corpus.splits().values()] == [2, 0, 0]


def test_dataset_must_have_a_train_split(tmp_path: Path) -> None:
    folder = saved(tmp_path, test=make_dataset())
    assert error_of(folder) == f"{folder}: must have a split `train`, got test"


def test_all_bad_rows_are_reported_together(tmp_path: Path) -> None:
    rows = {
        "tokens": [["a"], [], ["b", None], None, ["c", "d"], ["e"]],
        "ner_tags": [["O"], [], ["O", "O"], ["O"], ["O"], [""]],
    }
    folder = saved(tmp_path, train=make_dataset(rows))
    assert error_of(folder).splitlines() == [
        f"{folder} (train), row 1: a sentence must have a list of tokens, got '[]'",
        f"{folder} (train), row 2: token 2 must be a word, got None",
        f"{folder} (train), row 3: a sentence must have a list of tokens, got 'None'",
        f"{folder} (train), row 4: `ner` must have 2 tags, got 1",
        f"{folder} (train), row 5: `ner` must have names or numbers of classes, got \"''\"",
    ]


def test_tag_without_a_class_is_a_bad_row(tmp_path: Path) -> None:
    features = datasets.Features({key: FEATURES[key] for key in ("tokens", "ner_tags")})
    folder = saved(tmp_path, train=make_dataset({"tokens": [["a"]], "ner_tags": [[-1]]}, features))
    assert error_of(folder) == f"{folder} (train), row 0: `ner` must have classes from 0 to 3, got -1"


def test_text_that_is_missing_or_blank_is_a_bad_row(tmp_path: Path) -> None:
    rows = {"text": ["a", None, " "], "kind": ["x", "y", "z"]}
    folder = saved(tmp_path, train=make_dataset(rows))
    lines = error_of(folder, layers={"kind": "kind"}).splitlines()
    assert lines[0] == f"{folder} (train), row 1: a sentence must have a text, got 'None'"
    assert lines[1].startswith(f"{folder} (train), row 2: the text has no token")


ADVICE = "to use files of your own, set `format` and `train` in the recipe and pass --data"


def test_dataset_that_cannot_be_reached_says_what_else_to_do() -> None:
    found = error_of("no-such-owner/no-such-dataset")
    assert found.startswith(
        "no-such-owner/no-such-dataset: there is no such folder, and the Hugging Face hub cannot be reached ("
    )
    assert "or give the folder of a copy of the dataset" in found
    assert "lhoestq/conll2003" in found
    assert found.endswith(ADVICE)
    assert "\n" not in found


def test_broken_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert error_of(tmp_path / "empty").startswith(f"{tmp_path}/empty: the dataset cannot be loaded: ")
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"tokens": ["a"\n', encoding="utf-8")
    assert error_of(folder).startswith(f"{folder}: the dataset cannot be loaded: ")
    assert error_of(folder).endswith(ADVICE)


def test_dataset_with_a_loading_script_is_refused_with_a_hint_at_its_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "scripted"
    folder.mkdir()
    (folder / "scripted.py").write_text("raise AssertionError('run')\n", encoding="utf-8")
    found = error_of(folder)
    assert found.startswith(f"{folder}: datasets with a loading script no longer load since `datasets` 4 (")
    assert 'revision = "refs/convert/parquet", or a copy without a script, such as lhoestq/conll2003' in found


def test_id_revision_name_and_files_are_handed_on_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}

    def load(path: str, name: str | None, **options: Any) -> datasets.DatasetDict:
        given.update(path=path, name=name, **options)
        return datasets.DatasetDict(train=make_dataset())

    monkeypatch.setattr(datasets, "load_dataset", load)
    files = {"train": "a/*.parquet", "test": ["b", "c"]}
    load_corpus(dataset="x/y", name="n", revision="r", data_files=files)
    files = {"train": ["a/*.parquet"], "test": ["b", "c"]}
    wanted = {"path": "x/y", "name": "n", "revision": "r", "data_files": files, "streaming": False}
    assert given == wanted


CARD = """---
configs:
- config_name: small
  data_files:
  - split: train
    path: small/train-*
- config_name: large
  data_files:
  - split: train
    path: large/train-*
  - split: valid
    path: large/valid-*
---
# A dataset
"""


def repository(folder: Path) -> Path:
    """A repository as the hub has it: a card that names two configurations, and parquet under each."""
    for path, rows in (("small/train", [0]), ("large/train", [0, 1]), ("large/valid", [1])):
        make_dataset().select(rows).to_parquet(folder / "repository" / f"{path}-00000-of-00001.parquet")
    (folder / "repository" / "README.md").write_text(CARD, encoding="utf-8")
    return folder / "repository"


@pytest.mark.parametrize("streaming", [False, True])
def test_configuration_of_a_card_is_chosen_by_name(streaming: bool, tmp_path: Path) -> None:
    folder = repository(tmp_path)
    large = load_corpus(dataset=str(folder), name="large", streaming=streaming)
    assert [len(split) for split in large.splits().values()] == [2, 1, 0]
    assert large.dev[0].tags("ner") == ("B-LOC",)
    assert len(load_corpus(dataset=str(folder), name="small", streaming=streaming).train) == 1


def test_configurations_are_listed_where_none_is_named(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    assert error_of(folder) == (
        f"{folder}: the dataset has several configurations; set `name` to one of 'small', 'large'; {ADVICE}"
    )


def test_streamed_dataset_is_the_one_that_is_loaded(tmp_path: Path) -> None:
    folder = parquet(tmp_path, train=make_dataset(), test=make_dataset())
    assert load_corpus(dataset=str(folder), streaming=True) == load_corpus(dataset=str(folder))
    rows = [{"tokens": ["Ada", "sang"], "ner_tags": ["B-PER", "O"]}]
    (tmp_path / "lines").mkdir()
    (sentence,) = load_corpus(dataset=str(json_lines(tmp_path / "lines", train=rows)), streaming=True).train
    assert sentence.tags("ner") == ("B-PER", "O")


def test_broken_row_of_a_stream_is_reported(tmp_path: Path) -> None:
    folder = json_lines(tmp_path, train=[{"tokens": ["a"], "ner_tags": ["O"]}] * 3)
    with (folder / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"tokens": ["a"\n')
    found = error_of(folder, streaming=True)
    assert found.startswith(f"{folder} (train): the dataset cannot be loaded: JSON parse error: ")


def test_choice_that_a_saved_folder_does_not_have_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset())
    assert error_of(folder, revision="main") == (
        f"{folder}: a folder written by `save_to_disk` does not support `revision`, got 'main'; remove `revision`"
    )


def test_data_files_choose_among_those_of_a_folder(tmp_path: Path) -> None:
    rows = [{"words": ["Ada"], "upos": ["PROPN"]}]
    folder = json_lines(tmp_path, a=rows * 3, b=rows)
    corpus = load_dataset(folder, data_files={"train": "a.jsonl", "validation": ["b.jsonl"]})
    assert [len(split) for split in corpus.splits().values()] == [3, 1, 0]
    assert corpus.dev[0].tags("upos") == ("PROPN",)


def test_data_files_of_a_plain_format_start_where_paths_of_the_corpus_do(tmp_path: Path) -> None:
    rows = [{"tokens": ["Ada"], "upos": ["PROPN"]}]
    json_lines(tmp_path, a=rows)
    config = DataConfig(dataset="json", data_files=["repository/a.jsonl"])  # type: ignore[arg-type]
    assert len(read_corpus(config, folder=tmp_path).train) == 1


def test_columns_of_known_corpora_are_found() -> None:
    strings, classes = datasets.List(datasets.Value("string")), datasets.List(datasets.ClassLabel(names=["O"]))
    conll2003 = {"id": datasets.Value("string"), "tokens": strings}
    conll2003 |= {"pos_tags": classes, "chunk_tags": classes, "ner_tags": classes}
    treebank = {"idx": datasets.Value("string"), "text": datasets.Value("string"), "tokens": strings}
    treebank |= {"lemmas": strings, "upos": classes, "xpos": strings, "feats": strings, "head": strings}
    treebank |= {"deprel": strings, "deps": strings, "misc": strings}
    sentiment = {"sentence": datasets.Value("string"), "label": datasets.Value("int64"), "idx": datasets.Value("int32")}
    found = [reader(features, DataConfig(dataset="x"), "x") for features in (conll2003, treebank, sentiment)]
    assert [(r.tokens, r.text, list(r.layers)) for r in found] == [
        ("tokens", None, ["pos", "chunk", "ner"]),
        ("tokens", None, ["upos", "xpos", "deprel"]),
        (None, "sentence", ["label"]),
    ]


def test_split_that_is_not_read_is_reported(tmp_path: Path) -> None:
    folder = saved(tmp_path, train=make_dataset(), unsupervised=make_dataset())
    assert load_corpus(dataset=str(folder)).notes[0] == f"split `unsupervised` of {folder} is not read"


def test_recipe_cuts_a_missing_dev_from_train_and_leaves_test_alone(tmp_path: Path) -> None:
    rows = {"tokens": [[f"w{i}"] for i in range(40)], "ner_tags": [["B-X" if i % 2 else "O"] for i in range(40)]}
    tests = {"tokens": [["t"]] * 5, "ner_tags": [["B-X"]] * 5}
    saved(tmp_path, train=make_dataset(rows), test=make_dataset(tests))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[data]\ndataset = "saved"\n[heads.ner]\nkind = "tokens"\n[encoder]\nhidden_size = 4\n[training]\nepochs = 1\n'
    )
    said: list[str] = []

    class Ear(RunListener):
        def noted(self, message: str) -> None:
            said.append(message)

    train(recipe, listener=Ear())
    assert "no dev split is named: cut 4 of 40 train sentences by seed 1" in said
    assert any(line.startswith("36 train, 4 dev, 5 test sentences") for line in said)


def test_bad_rows_of_all_splits_are_reported_at_once(tmp_path: Path) -> None:
    bad = make_dataset({"tokens": [["a"], []], "ner_tags": [["O"], []]}, None)
    folder = saved(tmp_path, train=bad, validation=bad, test=bad)
    for lazy in (False, True):
        with pytest.raises(DataError) as caught:
            load_dataset(folder, lazy=lazy)
        assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
            f"{folder} ({split}), row 1" for split in ("train", "validation", "test")
        ]


class Payload:
    """Unpickled, it makes the file `ran`."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.ran,)


@pytest.mark.parametrize("builder", ["pandas", "webdataset"])
def test_builder_that_can_run_code_is_refused(builder: str, tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    assert error_of(builder, data_files=str(tmp_path / "x.pkl")) == (
        f"{builder}: `dataset` must be an id of the hub, a folder or one of parquet, json, csv, arrow, text, got "
        "another builder of `datasets`, which may run code from its files; convert the data to one of these formats"
    )
    assert not (tmp_path / "ran").exists()


def test_folder_named_like_a_builder_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = json_lines(tmp_path, train=[{"tokens": ["Ada"], "ner_tags": ["B-PER"]}])
    folder.rename(tmp_path / "pandas")
    monkeypatch.chdir(tmp_path)
    assert len(load_corpus(dataset="pandas").train) == 1
