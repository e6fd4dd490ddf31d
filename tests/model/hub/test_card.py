"""The head of a card: what it says of a run, and what it leaves out because nobody knows it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

import tagger
from tagger.config import dump_recipe, parse_recipe
from tagger.model.hub.card import card_for_hub
from tagger.model.hub.uploading import read_card

NER = {"f1": 0.91239, "precision": 0.9, "recall": 0.925, "macro": {"f1": 0.5}}
MOOD = {"accuracy": 0.75, "macro_f1": 0.6}


def make_run(folder: Path, place: Path, *, report: object = None, **data: object) -> tagger.Tagger:
    """Return a model whose run has a report and a recipe."""
    shutil.copytree(folder, place / "model")
    model = tagger.load(place, backend="numpy", threads=1)
    if report is not None:
        assert model.model.source is not None
        signature = {"signature": {"model_sha256": model.model.source.sha256}}
        whole = {**signature, **report} if isinstance(report, dict) else report
        (place / "report.json").write_text(json.dumps(whole))
    if data:
        values = {"heads": {"ner": {"kind": "tokens"}}, **data}
        (place / "recipe.toml").write_text(dump_recipe(parse_recipe(values, where="test")))
    return model


def head_of(model: tagger.Tagger, card: str = "# A tagger\n", **given: Any) -> dict[str, Any]:
    found = card_for_hub(model.model, card, "ada/small", **{"licence": None, "languages": None, **given})
    return ModelCard(found).data.to_dict()


def metric(kind: str, value: float, name: str) -> dict[str, object]:
    return {"type": kind, "value": value, "name": name, "verified": False}


def test_the_scores_of_the_run_are_those_that_the_hub_shows(folder: Path, tmp_path: Path) -> None:
    scores = {"ner": NER, "sentiment": MOOD}
    data = {"dataset": "ada/letters", "name": "en", "revision": "v1"}
    head = head_of(make_run(folder, tmp_path, report={"scores": scores}, data=data))
    assert head["datasets"] == ["ada/letters"]
    assert head["metrics"] == ["f1", "precision", "recall", "accuracy"]
    dataset = {"type": "ada/letters", "name": "ada/letters", "config": "en", "split": "test", "revision": "v1"}
    (model,) = head["model-index"]
    assert model["name"] == "small"
    assert [(result["task"], result["dataset"]) for result in model["results"]] == [
        ({"type": "token-classification"}, dataset),
        ({"type": "text-classification"}, dataset),
    ]
    assert [result["metrics"] for result in model["results"]] == [
        [
            metric("f1", 0.9124, "ner F1 (strict, micro average)"),
            metric("precision", 0.9, "ner precision (strict, micro average)"),
            metric("recall", 0.925, "ner recall (strict, micro average)"),
        ],
        [metric("accuracy", 0.75, "sentiment accuracy"), metric("f1", 0.6, "sentiment F1 (macro average)")],
    ]


def test_each_corpus_has_scores_of_its_own(folder: Path, tmp_path: Path) -> None:
    files = {"format": "conll", "columns": ["token", "ner"], "train": "train.conll"}
    corpora = {"news": {**files, "test": ["news/test.conll"]}, "letters": {"dataset": "ada/letters"}}
    parts = {"news": {"scores": {"ner": {"f1": 0.5}}}, "letters": {"scores": {"ner": {"f1": 0.25}}}}
    report = {"scores": {"ner": {"f1": 0.4}}, "corpora": parts}
    head = head_of(make_run(folder, tmp_path, report=report, corpora=corpora))
    results = head["model-index"][0]["results"]
    assert [(result["dataset"]["type"], result["dataset"]["name"]) for result in results] == [
        ("news", "test.conll"),
        ("ada/letters", "ada/letters"),
    ]
    assert [result["metrics"][0]["value"] for result in results] == [0.5, 0.25]
    assert head["datasets"] == ["ada/letters"]


@pytest.mark.parametrize(
    ("data", "dataset"),
    [
        ({"format": "synthetic", "sentences": 5}, ("synthetic", "sentences that tagger generates")),
        (
            {"format": "conll", "columns": ["token", "ner"], "train": "a/all.conll", "split": {"test": 0.1}},
            ("all", "all.conll"),
        ),
        ({"dataset": "./letters"}, ("letters", "letters")),
        (None, ("test", "test sentences of the run")),
    ],
)
def test_the_dataset_has_a_name(
    folder: Path, tmp_path: Path, data: dict[str, object] | None, dataset: tuple[str, str]
) -> None:
    given = {"data": data} if data else {}
    head = head_of(make_run(folder, tmp_path, report={"scores": {"ner": NER}}, **given))
    found = head["model-index"][0]["results"][0]["dataset"]
    assert (found["type"], found["name"]) == dataset
    assert "datasets" not in head


def test_a_report_of_another_model_is_not_used(folder: Path, tmp_path: Path) -> None:
    report = {"scores": {"ner": NER}, "signature": {"model_sha256": "0" * 64}}
    assert "model-index" not in head_of(make_run(folder, tmp_path, report=report))


def test_a_newer_report_replaces_the_scores_of_the_card(folder: Path, tmp_path: Path) -> None:
    run = make_run(folder, tmp_path, report={"scores": {"ner": NER}})
    before = "---\nmodel-index:\n- name: old\n  results: []\nlicense: mit\ntags:\n- mine\n---\n# A tagger\n"
    head = head_of(run, before)
    assert [model["name"] for model in head["model-index"]] == ["small"]
    assert (head["license"], head["tags"][:2]) == ("mit", ["mine", "tagger"])


def test_what_is_given_comes_before_what_the_card_says(folder: Path, tmp_path: Path) -> None:
    before = "---\nlicense: mit\nlanguage: en\n---\n# A tagger\n"
    head = head_of(make_run(folder, tmp_path), before, licence="cc0-1.0", languages=["de"])
    assert (head["license"], head["language"]) == ("cc0-1.0", ["de"])


@pytest.mark.parametrize(
    ("card", "body"),
    [
        ("\ufeff---\nlicense: mit\nlibrary_name: mine\n---\nhi\n", "hi\n"),
        ("---\r\nlicense: mit\r\nlibrary_name: mine\r\n---\r\nhi\r\n", "hi\n"),
    ],
)
def test_a_head_keeps_its_values(folder: Path, tmp_path: Path, card: str, body: str) -> None:
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "README.md").write_bytes(card.encode())
    model = tagger.load(tmp_path, backend="numpy", threads=1)
    found = card_for_hub(model.model, read_card(tmp_path / "model" / "README.md"), "a/b", licence=None, languages=None)
    head = ModelCard(found).data.to_dict()
    assert (head["license"], head["library_name"]) == ("mit", "mine")
    assert found.endswith(f"---\n\n{body}")


@pytest.mark.parametrize("card", ["----\nhi\n", "--- no head\nhi\n"])
def test_a_line_that_begins_no_head_is_text(folder: Path, tmp_path: Path, card: str) -> None:
    found = card_for_hub(make_run(folder, tmp_path).model, card, "a/b", licence=None, languages=None)
    assert found.endswith(f"---\n\n{card}")


def test_a_missing_metric_does_not_prevent_publishing(folder: Path, tmp_path: Path) -> None:
    model = make_run(folder, tmp_path, report={"scores": {"ner": NER}})
    text = '[data]\nformat = "synthetic"\nsentences = 9\n[heads.ner]\nkind = "tokens"\nmetrics = ["gone"]\n'
    (tmp_path / "recipe.toml").write_text(text)
    assert head_of(model)["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.9124
    (tmp_path / "recipe.toml").write_text("nonsense = [")
    with pytest.raises(tagger.RecipeError, match="a recipe must be TOML"):
        head_of(model)


def test_neither_a_licence_nor_a_language_is_guessed(folder: Path, tmp_path: Path) -> None:
    assert head_of(make_run(folder, tmp_path)).keys() & {"license", "language", "datasets", "model-index"} == set()


@pytest.mark.parametrize("report", [[], {"scores": {"ner": {"f1": "high"}}}, {"scores": 3}, {}])
def test_a_damaged_report_is_told_in_one_sentence(folder: Path, tmp_path: Path, report: object) -> None:
    with pytest.raises(tagger.ModelError, match=r"report\.json: the report is damaged or cannot be read; delete it"):
        head_of(make_run(folder, tmp_path, report=report))


@pytest.mark.parametrize("head", ["- a\n- b", "tags: [", "model-index: 3"])
def test_a_damaged_head_is_told_in_one_sentence(folder: Path, tmp_path: Path, head: str) -> None:
    with pytest.raises(
        tagger.ModelError, match=r"^README\.md: must begin with valid YAML between two lines ---"
    ) as found:
        head_of(make_run(folder, tmp_path), f"---\n{head}\n---\n# A tagger\n")
    assert "\n" not in str(found.value)
