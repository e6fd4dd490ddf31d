"""Other tools on the corpora of recipes: what they learn from, how they are scored, and what is kept."""

import gzip
import json
from pathlib import Path
from typing import Any, NoReturn

import compare_peers as script
import numpy as np
import pytest
import results_data
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
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


def task(kind: str, *gold: Any, tokens: str = "Ada saw Rome") -> script.Task:
    layers = [{"layer": tagger.Label(one) if kind == "labels" else one.split()} for one in gold]
    sentences = [Sentence.from_tokens(tokens.split(), layer) for layer in layers]
    corpus = tagger.Corpus(sentences, sentences, sentences)
    return script.Task("recipe", "layer", kind, corpus, ())


def test_each_tool_learns_the_layers_of_its_kind_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "ITERATIONS", 3)
    monkeypatch.setattr(script, "PENALTIES", ((0.0, 1.0),))
    monkeypatch.setattr(script, "STRENGTHS", (1.0,))
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


@pytest.mark.parametrize(
    ("kind", "gold", "answer", "score"),
    [
        ("entities", "B-PER O B-LOC", ["B-PER", "O", "O"], 2 / 3),
        ("entities", "B-PER O B-LOC", ["B-PER", "I-PER", "B-LOC"], 1 / 2),
        ("tags", "PROPN VERB PROPN", ["PROPN", "VERB", "X"], 2 / 3),
        ("labels", "good", "good", 1.0),
        ("labels", "good", "bad", 0.0),
    ],
)
def test_answers_are_scored_as_ours_are(kind: str, gold: str, answer: Any, score: float) -> None:
    given = task(kind, gold)
    if kind == "entities":
        layer = {"layer": tagger.Sentence.from_tokens(["a"] * 3, {"layer": gold.split()}).layers["layer"]}
        given = given._replace(corpus=Corpus([Sentence.from_tokens(["Ada", "saw", "Rome"], layer)]))
    model = script.Trained("", lambda sentences: [answer] * len(sentences), 0, 0.0)
    assert script.scored(given, model, given.corpus.train) == pytest.approx(score)


def test_setting_is_chosen_on_dev() -> None:
    given = task("tags", "PROPN VERB PROPN")
    tags = {"worst": ["X", "X", "X"], "best": ["PROPN", "VERB", "PROPN"], "other": ["PROPN", "X", "X"]}
    models = (script.Trained(name, lambda _, found=found: [found], 0, 0.0) for name, found in tags.items())
    dev, model = script.best_on_dev(given, models)
    assert (dev, model.settings) == (1.0, "best")


def test_features_are_those_of_the_window_and_of_the_word_itself() -> None:
    first, second = script.features(["B-2", "von"])
    assert {"00=b-2", "10=von", "has digit", "has hyphen", "first", "bias", "s2=-2"} <= set(first)
    assert {"00=von", "-10=b-2", "last", "p2=vo"} <= set(second)
    assert not {"has digit", "first", "upper"} & set(second)


def test_vectors_of_several_files_stand_side_by_side(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt.gz", tmp_path / "two.txt"
    one.write_bytes(gzip.compress(b"a 1 2\nb 3 4\nother 5 6\n"))
    two.write_text("c 7\na 8\n", encoding="utf-8")
    words, vectors = script.read_vectors([one, two], {"a", "b", "c", "d"})
    assert words == ["a", "b", "c"]
    assert np.array_equal(vectors, [[1, 2, 8], [3, 4, 0], [0, 0, 7]])


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
