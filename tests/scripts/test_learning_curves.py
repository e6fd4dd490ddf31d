"""Scores by the number of sentences, with and without a start."""

import json
from pathlib import Path

import learning_curves as script
import pytest
from small_recipes import NER, SYNTHETIC
from small_runs import make_recipe

import tagger


def test_both_networks_learn_from_the_same_sentences_and_test_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    tagger.train(recipe, output=tmp_path / "first")
    given = [str(recipe), "--start", str(tmp_path / "first"), "--sizes", "20,10", "--seeds", "1,2"]
    given += ["--output", str(tmp_path / "runs"), "--set", "training.epochs=1"]
    script.main([*given, "--json", str(tmp_path / "a.json"), "--picture", str(tmp_path / "a.svg")])
    rows = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["layer"], row["sentences"]) for row in rows] == [("ner", 10), ("ner", 20)]
    assert (tmp_path / "a.svg").stat().st_size > 1000
    assert "[8/8] start, 20 sentences, seed 2: ner " in capsys.readouterr().err
    reports = [tagger.load_report(tmp_path / "runs" / f"{name}-20" / "seed-1") for name in ("scratch", "start")]
    assert [report.extra["train_sentences"] for report in reports] == [16, 16]
    corpus = tagger.load_corpora(recipe)["data"]
    assert all([s.tokens for s in report.layers["ner"].gold] == [s.tokens for s in corpus.dev] for report in reports)
    assert script.drawn(corpus, 20, 1) == script.drawn(corpus, 20, 1) != script.drawn(corpus, 20, 2)
    capsys.readouterr()
    script.main([*given, "--picture", str(tmp_path / "b.png"), "--beside", str(tmp_path / "a.json")])
    assert "took" not in capsys.readouterr().err  # the runs are used again
    assert (tmp_path / "b.png").stat().st_size > (tmp_path / "a.svg").stat().st_size / 10


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_one_of_several_corpora_is_learned_with_its_heads_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, layer in (("a", "ner"), ("b", "upos")):
        lines = (
            {"tokens": s.tokens, "tags": {layer: list(s.tags(layer))}}
            for s in tagger.generate(30, seed=3, split="train")
        )
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    corpora = "".join(
        f'[corpora.{name}]\nformat = "jsonl"\ntrain = "{name}.jsonl"\ndev = "{name}.jsonl"\n' for name in "ab"
    )
    tags = '[heads.upos]\nkind = "tokens"\nscheme = "none"\nteacher = "x.toml"\n'
    (tmp_path / "r.toml").write_text(f'{corpora}{NER}{tags}[training]\nselect = "ner"\n')
    recipe, found = tagger.load_recipe(tmp_path / "r.toml"), tagger.load_corpora(tmp_path / "r.toml")
    one = script.recipe_of_corpus(recipe, "b", found["b"])
    assert (list(one.corpora or ()), list(one.heads), one.heads["upos"].teacher) == (["b"], ["upos"], None)
    assert (one.training.select, one.training.teacher_seeds) == ("mean", ())
    assert script.recipe_of_corpus(recipe, "a", found["a"]).training.select == "ner"
    with pytest.raises(tagger.DataError, match="--corpus c: expected one of the corpora a, b"):
        script.chosen_corpus("c", found, [5])
    with pytest.raises(tagger.DataError, match="the recipe has the corpora a, b; choose one with --corpus"):
        script.chosen_corpus(None, found, [5])
    tagger.train(make_recipe(tmp_path, SYNTHETIC, NER), output=tmp_path / "first")
    given = [str(tmp_path / "r.toml"), "--start", str(tmp_path / "first"), "--sizes", "10", "--seeds", "1"]
    given += ["--corpus", "b", "--output", str(tmp_path / "runs"), "--set", "training.epochs=1"]
    script.main(given)
    assert capsys.readouterr().err.count("upos ") == 2
    with pytest.raises(tagger.DataError, match="has runs of another recipe or start; use another --output"):
        script.main([*given, "--set", "training.batch_size=4"])


def test_a_run_that_was_stopped_ends_the_script_and_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    tagger.train(recipe, output=tmp_path / "first")
    given = [str(recipe), "--start", str(tmp_path / "first"), "--sizes", "10", "--seeds", "1"]
    given += ["--output", str(tmp_path / "runs")]
    with monkeypatch.context() as patch:
        patch.setattr(script.Progress, "scored", stop)
        with pytest.raises(KeyboardInterrupt):
            script.main(given)
    assert not script.is_finished(tmp_path / "runs" / "scratch-10" / "seed-1")
    script.main(given)
    assert script.is_finished(tmp_path / "runs" / "scratch-10" / "seed-1")


def test_the_size_for_a_score_is_read_from_a_line_over_logarithmic_sizes() -> None:
    line = [(10, 0.2), (100, 0.4), (1000, 0.5)]
    assert script.size_for(line, 0.3) == pytest.approx(10**1.5)
    assert script.size_for(line, 0.4) == pytest.approx(100)
    assert (script.size_for(line, 0.6), script.size_for(line, 0.1)) == (None, None)


def test_a_corpus_that_is_too_small_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    with pytest.raises(tagger.DataError, match="at least 1000 train sentences, got 4 and 40; use smaller --sizes"):
        script.main([str(recipe), "--start", "x"])
