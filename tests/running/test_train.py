"""A recipe from start to end: what a run leaves behind."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
import torch
from small_recipes import NER, SYNTHETIC
from small_runs import (
    CONLL,
    FILES,
    Notes,
    make_conll_recipe,
    make_recipe,
    make_two_corpora,
    same_bits,
    weights,
    write_conll,
)

from tagger.config import load_recipe
from tagger.corpus.synthetic import generate
from tagger.errors import DataError, RecipeError
from tagger.nn.side_by_side import torch_threads
from tagger.running.description import describe_model
from tagger.running.run import Run
from tagger.running.scoring import evaluate_files
from tagger.running.testing import hashes_of_recipe
from tagger.running.train import train
from tagger.tagging import load

MISSING = pytest.raises(DataError, match="no such file")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("finished")
    heads = NER + '[heads.upos]\nkind = "tokens"\nscheme = "none"\n[heads.sentiment]\nkind = "sentence"\n'
    return train(make_recipe(folder, "seed = 3", SYNTHETIC, heads), output=folder / "run")


def test_a_run_folder_holds_model_recipe_log_and_report(finished: Run) -> None:
    assert finished.folder is not None
    assert {path.name for path in finished.folder.iterdir()} == FILES
    assert not [path for path in finished.folder.rglob("*") if path.suffix in (".pt", ".pkl", ".bin", ".pickle")]


def test_the_log_has_a_line_an_epoch(finished: Run) -> None:
    lines = [json.loads(line) for line in (finished.folder / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert all(set(line["dev"]) == {"ner", "upos", "sentiment"} for line in lines)
    assert [line["selected"] for line in lines] == pytest.approx([sum(line["dev"].values()) / 3 for line in lines])


def test_the_report_has_the_scores_of_the_best_weights_on_test(finished: Run) -> None:
    found = json.loads((finished.folder / "report.json").read_text())
    assert found == finished.report.to_dict(sentences=True)
    assert {"f1", "precision", "recall"} <= set(found["scores"]["ner"])
    assert "accuracy" in found["scores"]["upos"]
    assert "accuracy" in found["scores"]["sentiment"]
    assert {"split", "seed", "epoch", "dev", "seconds", "notes"} <= set(found)
    assert (found["split"], found["seed"], found["epoch"]) == ("test", 3, finished.outcome.best.epoch)
    assert found["dev"] == finished.outcome.best.selected
    test = list(generate(4, seed=3, split="test"))
    assert load(finished.folder).evaluate(test).to_dict()["scores"] == found["scores"]


def test_the_dev_score_of_the_best_epoch_is_that_of_the_saved_model(finished: Run) -> None:
    dev = list(generate(4, seed=3, split="dev"))
    assert load(finished.folder).evaluate(dev).main_score == pytest.approx(finished.outcome.best.selected)


def test_the_folder_gives_the_tagger_of_the_run(finished: Run) -> None:
    texts = ["The soup was good .", "Ada flew to Paris ."]
    assert list(load(finished.folder).stream(texts)) == list(finished.tagger.stream(texts))


def test_the_kept_recipe_reproduces_the_run_bit_by_bit(finished: Run, tmp_path: Path) -> None:
    again = train(finished.folder / "recipe.toml", output=tmp_path / "again")
    assert same_bits(weights(again), weights(finished))
    first, second = (
        {**json.loads((run.folder / "report.json").read_text()), "seconds": 0} for run in (finished, again)
    )
    assert [report["signature"].pop("model") for report in (first, second)] == [finished.folder.name, "again"]
    assert first == second
    kept = [(run.folder / "recipe.toml").read_text().partition("\n")[2] for run in (finished, again)]
    assert kept[0] == kept[1]


def test_overrides_and_seed_are_run_and_kept(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, "seed = 1", SYNTHETIC, NER)
    run = train(recipe, output=tmp_path / "run", seed=7, overrides=["training.epochs=1", "encoder.hidden_size=5"])
    kept = load_recipe(tmp_path / "run" / "recipe.toml")
    assert (kept.seed, kept.training.epochs, kept.encoder.hidden_size) == (7, 1, 5)
    assert len(run.outcome.epochs) == 1
    assert run.report.to_dict()["seed"] == 7
    assert not same_bits(weights(run), weights(train(recipe, overrides=["training.epochs=1", "encoder.hidden_size=5"])))


def test_a_recipe_object_runs_as_its_file_does(tmp_path: Path) -> None:
    path = make_recipe(tmp_path, SYNTHETIC, NER)
    assert same_bits(weights(train(path)), weights(train(load_recipe(path))))
    with pytest.raises(RecipeError, match="overrides need the path of a recipe"):
        train(load_recipe(path), overrides=["seed=2"])


@pytest.mark.parametrize("hidden_size", [40, 160])  # the second is wide enough for a thread per direction
def test_the_number_of_threads_changes_no_bit(hidden_size: int, tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    found = [
        weights(train(recipe, overrides=[f"encoder.hidden_size={hidden_size}"], threads=threads)) for threads in (1, 3)
    ]
    assert same_bits(*found)


@pytest.mark.parametrize(("wrong", "ends"), [([], nullcontext()), (["embeddings.vectors=no.txt"], MISSING)])
def test_torch_has_as_many_threads_after_a_training_as_before(
    tmp_path: Path, wrong: list[str], ends: AbstractContextManager[object]
) -> None:
    path = make_recipe(tmp_path, SYNTHETIC, NER)
    with torch_threads(2):
        with ends:
            train(path, overrides=["training.epochs=1", *wrong], threads=1)
        assert torch.get_num_threads() == 2


def test_trainings_in_threads_give_the_models_that_they_give_alone_whatever_else_draws(
    finished: Run, tmp_path: Path
) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    alone = {seed: weights(train(recipe, seed=seed)) for seed in (1, 2)}
    over = threading.Event()

    def disturb() -> None:
        while not over.is_set():
            load(finished.folder)

    with ThreadPoolExecutor(4) as pool:
        other = pool.submit(disturb)
        runs = [(seed, pool.submit(train, recipe, seed=seed)) for seed in (1, 2, 1)]
        together = [(seed, weights(run.result())) for seed, run in runs]
        over.set()
        other.result()
    assert all(same_bits(found, alone[seed]) for seed, found in together)


def test_nothing_is_written_without_an_output(tmp_path: Path) -> None:
    run = train(make_recipe(tmp_path, SYNTHETIC, NER), overrides=["training.epochs=1"])
    assert run.folder is None
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]


def test_several_corpora_train_one_model_and_are_scored_together_and_apart(tmp_path: Path) -> None:
    run = train(make_two_corpora(tmp_path), output=tmp_path / "run")
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["scores"]["ner"]["sentences"] == 24
    assert report["scores"]["upos"]["sentences"] == 12
    parts = {name: report["corpora"][name]["scores"] for name in ("one", "two")}
    assert set(parts["one"]) == {"ner"}
    assert set(parts["two"]) == {"ner", "upos"}
    gold = [parts[name]["ner"]["gold_entities"] for name in ("one", "two")]
    assert gold == [24, 12]
    assert report["scores"]["ner"]["correct_entities"] == sum(p["ner"]["correct_entities"] for p in parts.values())
    assert run.tagger.layers == ("ner", "upos")


def test_a_corpus_whose_test_has_no_predicted_layer_leaves_the_scores_of_the_others(tmp_path: Path) -> None:
    for split, tags in (("train", {"ner": ["B-PER", "O"]}), ("dev", {"ner": ["B-PER", "O"]}), ("test", {})):
        sentence = {"tokens": ["Ada", "saw"], "tags": {**tags, "upos": ["NOUN", "VERB"]}}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(sentence) + "\n")
    other = '[corpora.b]\nformat = "jsonl"\n' + "".join(f'{s} = "{s}.jsonl"\n' for s in ("train", "dev", "test"))
    run = train(make_recipe(tmp_path, SYNTHETIC.replace("[data]", "[corpora.a]"), other, NER), output=tmp_path / "run")
    assert run.report is not None
    assert list(json.loads((tmp_path / "run" / "report.json").read_text())["scores"]) == ["ner"]


def test_a_corpus_without_dev_gets_one_and_says_so(tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=[f"Ada/B-PER ran{i}/O" for i in range(20)], test=["Ada/B-PER ran/O"])
    report = train(recipe).report.to_dict()
    assert report["train_sentences"] == 18
    assert report["recipe"] == hashes_of_recipe(load_recipe(recipe))
    assert "no dev split is named: cut 2 of 20 train sentences by seed 1" in report["notes"]


def test_a_run_without_test_has_no_scores_but_keeps_how_it_was_made_and_what_was_repaired(tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=[f"Ada/B-PER ran{i}/O" for i in range(20)] + ["Bo/I-PER naps/O"] * 2)
    run = train(recipe, output=tmp_path / "run", overrides=["data.invalid=repair"])
    assert run.report is None
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    best = run.outcome.best
    assert (report["scores"], report["split"], report["ended"]) == ({}, None, run.outcome.reason)
    assert (report["dev"], report["dev_scores"], report["epoch"]) == (best.selected, best.dev, best.epoch)
    (note,) = [note for note in report["notes"] if note.startswith("repaired")]
    assert note.startswith("repaired 2 invalid tags by conlleval's rule: 2 in train (the first at ")
    assert "scores" not in describe_model(run.folder)


def test_gold_in_io_is_scored_as_the_entities_that_io_can_tell_apart(tmp_path: Path) -> None:
    sentences = [f"Ada/I-PER Bo/I-PER ran{i}/O Oslo/I-LOC" for i in range(12)]
    recipe = make_conll_recipe(tmp_path, train=sentences, dev=sentences, test=sentences)
    run = train(recipe, output=tmp_path / "run", overrides=["data.scheme=io", "training.epochs=20"])
    note = "layer `ner` is in IO, where neighbours of one type are one entity, and is converted to IOB2"
    assert run.report.to_dict()["notes"].count(note) == 1
    assert run.report.to_dict()["scores"]["ner"]["gold_entities"] == 24
    assert run.report.headline("ner") == 1.0
    model = load(run.folder)
    assert model.tag_tokens(["Ada", "Bo", "ran1", "Oslo"]).tags("ner") == ("B-PER", "I-PER", "O", "B-LOC")
    assert evaluate_files(model, [tmp_path / "test.conll"]).headline("ner") == 1.0
    write_conll(tmp_path / "iob2.conll", "Ada/B-PER Bo/B-PER ran/O")
    assert evaluate_files(model, [tmp_path / "iob2.conll"], scheme="iob2").headline("ner") == 0.0
    with pytest.raises(
        DataError, match=r"iob2.conll:1: tag 'B-PER' is not a valid IO tag \(I-, O\); pass --scheme iob2 if"
    ):
        evaluate_files(model, [tmp_path / "iob2.conll"], scheme="io")
    unasked = evaluate_files(model, [tmp_path / "iob2.conll"])
    assert unasked.headline("ner") == 0.0
    assert unasked.to_dict()["notes"] == [
        "layer `ner` reads as IOB2, not as IO like the training files, because it has `B-`"
    ]


def test_test_data_with_new_types_counts_them_as_errors(tmp_path: Path) -> None:
    sentences = [f"Ada/B-PER ran{i}/O" for i in range(20)]
    recipe = make_conll_recipe(tmp_path, train=sentences, dev=["Rome/B-LOC fell/O"], test=["Rome/B-LOC fell/O"])
    scores = train(recipe).report.to_dict()["scores"]["ner"]
    assert (scores["gold_entities"], scores["correct_entities"]) == (1, 0)


def test_paths_are_relative_to_data_and_licences_are_reported(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make_conll_recipe(data, train=[f"Ada/B-PER ran{i}/O" for i in range(20)])
    (data / "LICENSE").write_text("Public domain\n")
    (data / "LICENSES").mkdir()  # a folder of that name is no licence file
    recipe = tmp_path / "elsewhere.toml"
    (data / "recipe.toml").rename(recipe)
    train(recipe, data=data, output=tmp_path / "run")
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "- `train.conll`: `LICENSE`: Public domain" in card


def test_vectors_are_kept_with_the_model(tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=[f"Ada/B-PER ran{i}/O" for i in range(20)])
    (tmp_path / "v.txt").write_text("ada 0.5 1.5 0.1\nunseen 2 2 2\n")
    run = train(recipe, output=tmp_path / "run", overrides=['embeddings.vectors=["v.txt"]', "embeddings.tune=false"])
    (tmp_path / "v.txt").unlink()
    model = load(tmp_path / "run").model
    rows = model.network.words(torch.tensor([model.vocabulary.word_id(word) for word in ("Ada", "unseen")]))
    assert rows.tolist() == torch.tensor([[0.5, 1.5, 0.1], [2, 2, 2]]).half().tolist()
    assert run.tagger.model.config.vector_dimension == 3


def test_a_layer_that_no_test_sentence_has_is_said_and_the_others_are_scored(tmp_path: Path) -> None:
    both = '{"tokens": ["Ada", "ran"], "tags": {"ner": ["B-PER", "O"]}, "labels": {"mood": "good"}}\n'
    (tmp_path / "a.jsonl").write_text(both * 9)
    (tmp_path / "b.jsonl").write_text('{"tokens": ["Ada", "ran"], "tags": {"ner": ["B-PER", "O"]}}\n')
    data = '[data]\nformat = "jsonl"\ntrain = "a.jsonl"\ndev = "a.jsonl"\ntest = "b.jsonl"\n'
    notes = Notes()
    run = train(make_recipe(tmp_path, data, NER, '[heads.mood]\nkind = "sentence"\n'), listener=notes)
    assert "layer `mood` is not scored on test, because no test sentence has it" in notes.said
    assert set(run.report.scores) == {"ner"}


def test_a_model_is_kept_before_it_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tagger.running.train.score_on_test", broken)
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(tmp_path, SYNTHETIC, NER), output=tmp_path / "run")
    assert load(tmp_path / "run").layers == ("ner",)


def test_repairs_and_odd_tokens_that_are_kept_stand_in_the_report(tmp_path: Path) -> None:
    good = ["Ada/B-PER Lovelace/I-PER naps/O Bo/B-PER"] * 9
    write_conll(tmp_path / "train.conll", *good, "TromsÃ¸/O Ada/I-PER naps/O")
    write_conll(tmp_path / "test.conll", *good)
    files = CONLL + 'dev = "test.conll"\ntest = "test.conll"\ninvalid = "repair"\n'
    run = train(make_recipe(tmp_path, files, NER), output=tmp_path / "run", overrides=["training.epochs=1"])
    notes = json.loads((tmp_path / "run" / "report.json").read_text())["notes"]
    assert run.report is not None
    place = f"{tmp_path / 'train.conll'}:47"
    assert f"repaired 1 invalid tag by conlleval's rule: 1 in train (the first at {place})" in notes
    assert any(note.startswith("kept 1 token decoded with the wrong encoding, the first at ") for note in notes)
