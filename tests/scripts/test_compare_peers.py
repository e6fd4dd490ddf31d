"""Other tools on the corpora of recipes: which are trained on what, and what is kept."""

import json
from pathlib import Path
from typing import NoReturn

import compare_peers as script
import pytest
import results_data
from peers.task import Task, Trained
from small_recipes import NER, SMALL, SYNTHETIC

from tagger import Corpus, Sentence
from tagger.errors import DataError

LAYERS = NER + '[heads.upos]\nkind = "tokens"\nscheme = "none"\n[heads.sentiment]\nkind = "sentence"\n'
PAGE = "<!--scores--><!--/scores-->\n<!--costs--><!--/costs-->\n<!--peers--><!--/peers-->\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("recipes", "docs", "runs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "recipes" / "small.toml").write_text(SYNTHETIC + LAYERS + SMALL, encoding="utf-8")
    (tmp_path / "README.md").write_text("<!--brief--><!--/brief-->\n", encoding="utf-8")
    (tmp_path / "docs" / "results.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_each_tool_learns_the_layers_of_its_kind_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("peers.crfsuite.ITERATIONS", 3)
    monkeypatch.setattr("peers.crfsuite.PENALTIES", ((0.0, 1.0),))
    monkeypatch.setattr("peers.sklearn.STRENGTHS", (1.0,))
    given = ["small", "--data", str(root), "--runs", str(root / "runs"), "--epochs", "1", "--repeats", "1"]
    script.main(given, root)
    peers = results_data.read_results(root)["peers"]
    assert [(peer["layer"], peer["tool"].partition(" ")[0]) for peer in peers] == [
        ("ner", "python-crfsuite"),
        ("ner", "spacy"),
        ("sentiment", "scikit-learn"),
        ("upos", "python-crfsuite"),
        ("upos", "spacy"),
    ]
    for peer in peers:
        assert 0 <= min(peer["dev"], peer["test"]) <= max(peer["dev"], peer["test"]) <= 1
        assert min(peer[name] for name in ("train_seconds", "seconds", "our_seconds", "tokens", "model_bytes")) > 0
    assert results_data.problems(results_data.read_results(root), root) == []
    assert "[5/5] small, sentiment, sklearn: dev " in capsys.readouterr().err

    def train(*_: object) -> NoReturn:
        raise AssertionError("trained")

    monkeypatch.setattr(script, "compared", train)
    script.main(given, root)
    path = root / "docs" / "results.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, "peers": kept["peers"][1:]}), encoding="utf-8")
    with pytest.raises(AssertionError, match="trained"):
        script.main(given, root)


def test_setting_is_chosen_on_dev() -> None:
    sentences = [Sentence.from_tokens(["Ada", "saw", "Rome"], {"upos": ["PROPN", "VERB", "PROPN"]})]
    given = Task("recipe", "upos", "tags", Corpus(sentences, sentences, sentences), ())
    tags = {"worst": ["X", "X", "X"], "best": ["PROPN", "VERB", "PROPN"], "other": ["PROPN", "X", "X"]}
    models = (Trained(name, lambda _, found=found: [found], 0, 0.0) for name, found in tags.items())
    dev, model = script.best_on_dev(given, models)
    assert (dev, model.settings) == (1.0, "best")


def test_recipe_is_compared_by_default_if_its_corpora_are_files_without_teachers(root: Path) -> None:
    conll = '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "x"\n'
    (root / "recipes" / "files.toml").write_text(conll + NER, encoding="utf-8")
    (root / "recipes" / "taught.toml").write_text(conll + NER + 'teacher = "files.toml"\n', encoding="utf-8")
    assert [path.stem for path in script.chosen_recipes([], root)] == ["files"]
    assert [path.stem for path in script.chosen_recipes(["small"], root)] == ["small"]
    with pytest.raises(DataError, match="other: must be the name of a recipe, such as files"):
        script.chosen_recipes(["other"], root)


def test_tools_that_do_not_exist_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.parse_arguments(["--data", ".", "--tools", "spacy,flair"])
    assert "must be names among crfsuite, spacy, sklearn, got 'spacy,flair'" in capsys.readouterr().err
