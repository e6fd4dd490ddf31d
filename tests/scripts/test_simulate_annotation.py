"""Gold answers in the place of a person: what is judged, and that finished runs are used again."""

import json
from pathlib import Path

import pytest
import simulate_annotation as script
from small_recipes import NER, SYNTHETIC
from small_runs import make_recipe

import tagger
from tagger import Document, Sentence
from tagger.annotation import Item, Project, Suggestion
from tagger.text.sentence import TagLayer

TAGS = TagLayer(("B-P", "I-P", "O", "B-L", "O"), "iob2", "iob2")
GOLD = Sentence.from_tokens(["Ada", "Lovelace", "saw", "Oslo", "today"], {"ner": TAGS})


def oracle_of(path: Path, strategy: str, rest: str) -> script.Oracle:
    project = Project.create(path, [Document(GOLD.text, (GOLD,))], types=["P", "L"], teach=False)
    return script.Oracle(project, [GOLD], "ner", strategy, rest)


SAID = [Suggestion(0, 1, "P", 0.9), Suggestion(4, 5, "L", 0.4)]  # a wrong boundary, and no entity


@pytest.mark.parametrize(
    ("strategy", "rest", "judged", "spans", "tokens"),
    [
        ("uncertainty", "unsure", [(0, 2, "P"), (4, 5, None)], 2, 3),
        ("uncertainty", "always", [(0, 2, "P"), (2, 3, None), (3, 4, "L"), (4, 5, None)], 3, 5),
        ("sentences", "never", [(0, 2, "P"), (2, 3, None), (3, 4, "L"), (4, 5, None)], 2, 5),
    ],
)
def test_oracle_judges_what_is_shown_and_counts_it(
    tmp_path: Path, strategy: str, rest: str, judged: list[tuple[int, int, str | None]], spans: int, tokens: int
) -> None:
    oracle = oracle_of(tmp_path / "p.sqlite", strategy, rest)
    oracle.has_model = True
    item = oracle.project.item(1)
    oracle.judge(Item(item.id, item.text, item.tokens, SAID, [], ""))
    assert [(each.start, each.end, each.type) for each in oracle.project.item(1).judged] == judged
    assert (oracle.sentences, oracle.spans, oracle.tokens) == (1, spans, tokens)
    oracle.project.close()


def test_scores_are_written_drawn_and_used_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    tagger.train(recipe, output=tmp_path / "start")
    given = [str(recipe), "--start", str(tmp_path / "start"), "--seeds", "1,2", "--strategies", "sentences,uncertainty"]
    given += ["--most-judgements", "24", "--first", "12", "--step", "12", "--epochs", "1", "--sentences", "3"]
    given += ["--output", str(tmp_path / "runs")]
    script.main([*given, "--json", str(tmp_path / "a.json"), "--picture", str(tmp_path / "a.svg")])
    figures = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert {name: len(axes["tokens"]) for name, axes in figures["curves"].items()} == {"sentences": 2, "uncertainty": 2}
    assert figures["target"]["sentences"] >= 3
    assert (tmp_path / "a.svg").stat().st_size > 1000
    assert "sentences, seed 2" in capsys.readouterr().err
    script.main([*given, "--picture", str(tmp_path / "b.svg"), "--beside", str(tmp_path / "a.json")])
    assert "seed" not in capsys.readouterr().err  # the runs are used again
    with pytest.raises(tagger.DataError, match="was made with other options; use another --output, or remove it"):
        script.main([*given, "--epochs", "2"])


def test_needed_is_read_from_the_line_between_scores() -> None:
    line = [{"at": 100, "mean": 0.1}, {"at": 200, "mean": 0.3}, {"at": 300, "mean": 0.5}]
    assert script.needed(line, 0.4) == pytest.approx(250)
    assert script.needed(line, 0.6) is None
    assert script.needed(line, 0.05) == 100
