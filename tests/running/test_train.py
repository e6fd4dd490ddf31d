"""A recipe from start to end: what a run leaves behind, and which mistakes are told before it starts."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_recipes import NER, SMALL, SYNTHETIC

from tagger.config import load_recipe
from tagger.corpus.synthetic import generate
from tagger.errors import DataError, ModelError, RecipeError, TaggerError
from tagger.evaluation import dev_scores
from tagger.running.corpora import load_corpora
from tagger.running.description import describe_model
from tagger.running.fitting.calibration import calibrate
from tagger.running.run import Run, RunListener
from tagger.running.scoring import evaluate_files
from tagger.running.testing import hashes_of_recipe
from tagger.running.train import train
from tagger.tagging import load
from tagger.text.sentence import Sentence
from tagger.training.loop import Epoch

FILES = {"model", "recipe.toml", "log.jsonl", "report.json", "seen.json"}


def make_recipe(folder: Path, *parts: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text("\n".join((*parts, SMALL)))
    return path


def weights(run: Run) -> dict[str, torch.Tensor]:
    return run.tagger.network.state_dict()


def same_bits(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


def write_conll(path: Path, *sentences: str) -> str:
    path.write_text("\n".join("".join(f"{word.replace('/', ' ')}\n" for word in s.split()) for s in sentences))
    return path.name


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


def make_two_corpora(folder: Path) -> Path:
    """One corpus with entities in IOB2, another with parts of speech beside entities in BIOES."""
    ner = [f"Ada/B-PER Byron/I-PER saw/O place{i}/B-LOC ./O" for i in range(12)]
    both = [f"Go/O/VERB to/O/ADP Rome{i}/S-LOC/PROPN" for i in range(12)]
    lines = ""
    for name, sentences in (("one", ner), ("two", both)):
        columns = '["token", "ner"]' if name == "one" else '["token", "ner", "upos"]'
        files = {split: write_conll(folder / f"{name}.{split}", *sentences) for split in ("train", "dev", "test")}
        paths = "".join(f'{split} = "{path}"\n' for split, path in files.items())
        lines += f'[corpora.{name}]\nformat = "conll"\ncolumns = {columns}\n{paths}\n'
    return make_recipe(folder, lines, NER, '[heads.upos]\nkind = "tokens"\nscheme = "none"\n')


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


def test_a_corpus_with_a_weight_is_drawn_as_often(tmp_path: Path) -> None:
    class Counter(RunListener):
        steps = 0

        def started(self, num_epochs: int, num_steps: int) -> None:
            self.steps = num_steps

    recipe = make_two_corpora(tmp_path)
    counts = []
    for weight in ("1.0", "5.0"):
        listener = Counter()
        train(recipe, overrides=[f"corpora.one.weight={weight}", "training.epochs=1"], listener=listener)
        counts.append(listener.steps)
    assert counts == [4, 10]  # 12 and 12 sentences in eights, then 5 * 12 and 12


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


def test_a_corpus_whose_test_has_no_predicted_layer_leaves_the_scores_of_the_others(tmp_path: Path) -> None:
    for split, tags in (("train", {"ner": ["B-PER", "O"]}), ("dev", {"ner": ["B-PER", "O"]}), ("test", {})):
        sentence = {"tokens": ["Ada", "saw"], "tags": {**tags, "upos": ["NOUN", "VERB"]}}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(sentence) + "\n")
    other = '[corpora.b]\nformat = "jsonl"\n' + "".join(f'{s} = "{s}.jsonl"\n' for s in ("train", "dev", "test"))
    run = train(make_recipe(tmp_path, SYNTHETIC.replace("[data]", "[corpora.a]"), other, NER), output=tmp_path / "run")
    assert run.report is not None
    assert list(json.loads((tmp_path / "run" / "report.json").read_text())["scores"]) == ["ner"]


def test_plain_tags_under_a_head_of_entities_are_reported_before_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='set scheme = "none" for the head if its tags have no spans'):
        train(make_recipe(tmp_path, SYNTHETIC, '[heads.upos]\nkind = "tokens"\n'))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_reported_before_training(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        train(make_recipe(tmp_path, SYNTHETIC, NER), device="cuda")
    assert str(caught.value) == 'device "cuda" is not available on this machine; use "cpu" (or "cuda" with a GPU)'


class Interrupter(RunListener):
    """Presses Ctrl-C when an epoch was scored, or at a step."""

    def __init__(self, *, epoch: int = 0, step: int = 0) -> None:
        self.epoch, self.step = epoch, step
        self.notes: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def scored(self, epoch: Epoch) -> None:
        if epoch.epoch == self.epoch:
            raise KeyboardInterrupt

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def test_an_interrupted_run_keeps_the_best_model_and_reports_no_score(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    listener = Interrupter(epoch=1)
    run = train(recipe, output=tmp_path / "run", listener=listener, overrides=["training.epochs=50"])
    assert run.outcome.interrupted
    assert "not scored on test, because training was stopped" in listener.notes
    with pytest.raises(ModelError, match="already holds a run that was stopped; use another one"):
        train(recipe, output=tmp_path / "run")
    assert run.report is None
    assert {path.name for path in run.folder.iterdir()} == FILES
    assert same_bits(load(run.folder).network.state_dict(), weights(run))
    assert "This model was not scored on a test split." in (run.folder / "model" / "README.md").read_text()


def test_an_interrupted_run_leaves_no_scores_of_an_earlier_run(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    train(recipe, output=tmp_path / "run", overrides=["training.epochs=1"])
    run = train(recipe, output=tmp_path / "run", overwrite=True, listener=Interrupter(epoch=1))
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert (report["scores"], report["split"], report["ended"]) == ({}, None, run.outcome.reason)


def test_a_run_interrupted_before_any_score_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(tmp_path, SYNTHETIC, NER), output=tmp_path / "run", listener=Interrupter(step=1))
    assert not (tmp_path / "run").exists()


def make_conll_recipe(folder: Path, **splits: list[str]) -> Path:
    files = {split: write_conll(folder / f"{split}.conll", *sentences) for split, sentences in splits.items()}
    paths = "".join(f'{split} = "{path}"\n' for split, path in files.items())
    return make_recipe(folder, f'[data]\nformat = "conll"\ncolumns = ["token", "ner"]\n{paths}', NER)


class AtRefit(Interrupter):
    """Presses Ctrl-C at the first step of the training on train and dev."""

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if any(note.startswith("training again") for note in self.notes):
            raise KeyboardInterrupt


def make_refit(folder: Path) -> Path:
    train_sentences = [f"Ada/B-PER ran{i}/O" for i in range(20)]
    dev = ["Bo/B-LOC fell/O", "Bo/B-LOC fell/O"]
    return make_conll_recipe(folder, train=train_sentences, dev=dev, test=["Bo/B-LOC fell/O"])


def test_a_refit_learns_from_dev_and_reports_the_dev_scores_before(tmp_path: Path) -> None:
    recipe = make_refit(tmp_path)
    before = train(recipe).report.to_dict()
    run = train(recipe, overrides=["training.refit=true"])
    report = run.report.to_dict()
    assert {"Bo", "fell"} <= set(run.tagger.backend.model.vocabulary.words)
    assert "S-LOC" in run.tagger.backend.model.vocabulary.labels["ner"]
    assert {key: report[key] for key in ("epoch", "dev", "dev_scores")} == {
        key: before[key] for key in ("epoch", "dev", "dev_scores")
    }
    assert (before["train_sentences"], report["train_sentences"]) == (20, 22)
    assert [Path(path).name for path in report["train_files"]] == ["train.conll", "dev.conll"]
    epochs = "1 epoch" if report["epoch"] == 1 else f"{report['epoch']} epochs"
    assert report["notes"][-1] == (
        f"the model was trained again on train and dev for {epochs}, which dev had chosen; the dev scores are those of "
        "the model before, which was trained on train alone"
    )
    assert same_bits(weights(run), weights(train(recipe, overrides=["training.refit=true"])))


def test_dev_of_each_corpus_joins_its_own_train(tmp_path: Path) -> None:
    listener = Interrupter()
    corpora = "".join(
        f'[corpora.{name}]\nformat = "synthetic"\nsentences = {size}\n' for name, size in (("a", 40), ("b", 60))
    )
    recipe = make_recipe(tmp_path, corpora, NER)
    train(recipe, listener=listener, overrides=["training.refit=true", "corpora.a.weight=0.5"])
    shares = [note for note in listener.notes if note.startswith("an epoch has")]
    assert shares == [
        "an epoch has 20 of 40 a, 60 of 60 b sentences",
        "an epoch has 22 of 44 a, 66 of 66 b sentences",
    ]
    assert "training again on all 110 sentences of train and dev" in "".join(listener.notes)


def test_an_interrupted_refit_keeps_the_model_that_dev_has_chosen(tmp_path: Path) -> None:
    recipe, listener = make_refit(tmp_path), AtRefit()
    run = train(recipe, listener=listener, output=tmp_path / "run", overrides=["training.refit=true"])
    assert same_bits(weights(run), weights(train(recipe)))
    assert (run.outcome.interrupted, run.report) == (True, None)
    assert json.loads((tmp_path / "run" / "report.json").read_text())["train_sentences"] == 20
    assert "stopped before that has ended; the model is the one that dev has chosen" in listener.notes


def test_a_refit_with_calibration_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER + "calibrate = true\n")
    with pytest.raises(RecipeError, match=r"needs a dev set that was not trained on, but `training\.refit` trains"):
        train(recipe, overrides=["training.refit=true"])


def test_replaced_mentions_are_learned_but_are_no_words_or_sentences_of_train(tmp_path: Path) -> None:
    names = [f"{first}/B-PER ran{i}/O" for i, first in enumerate(["Ada", "Bo", "Cy"])]
    recipe = make_conll_recipe(tmp_path, train=names, dev=["Ada/B-PER sat/O"], test=["Ada/B-PER sat/O"])
    listener, replacing = Interrupter(), ["training.mention_replacement=0.9"]
    run = train(recipe, listener=listener, overrides=replacing, seed=5)
    plain = train(recipe, seed=5)
    assert "train has 3 added sentences with replaced entities or tokens" in listener.notes
    assert run.report.to_dict()["train_sentences"] == 3
    assert run.tagger.backend.model.vocabulary == plain.tagger.backend.model.vocabulary
    assert not same_bits(weights(run), weights(plain))
    assert same_bits(weights(run), weights(train(recipe, overrides=replacing, seed=5)))


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


def test_a_recipe_names_all_of_its_files_that_are_not_there(tmp_path: Path) -> None:
    recipe = make_conll_recipe(tmp_path, train=["Ada/B-PER ran/O"])
    advice = "no such file; check the path and the --data folder"
    features = ['features.x={kind = "gazetteer", files = {A = ["a.txt"]}}', 'features.y={kind = "charlm", model = "m"}']
    with pytest.raises(DataError) as caught:
        train(recipe, overrides=["data.dev=no.conll", 'embeddings.vectors=["no.txt"]', *features])
    assert str(caught.value).splitlines() == [
        f"{tmp_path / 'no.conll'}: {advice}",
        f"{tmp_path / 'no.txt'}: {advice}",
        f"features.x.files: {tmp_path / 'a.txt'}: {advice}",
        f"features.y.model: {tmp_path / 'm'}: {advice}",
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
    assert [line.partition(":")[2] for line in lines] == [" no such file; check the path and the --data folder"] * 3
    to = "data" if data is None else f"'{tmp_path / data}'"
    assert last == f"to fetch files that are public: tagger data get wnut17 btc --to {to}{then}"


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


class Untrained(RunListener):
    """Fails the test if training starts."""

    def started(self, num_epochs: int, num_steps: int) -> None:
        pytest.fail("training started")


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


class Notes(RunListener):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def noted(self, message: str) -> None:
        self.said.append(message)


def test_a_layer_that_no_test_sentence_has_is_said_and_the_others_are_scored(tmp_path: Path) -> None:
    both = '{"tokens": ["Ada", "ran"], "tags": {"ner": ["B-PER", "O"]}, "labels": {"mood": "good"}}\n'
    (tmp_path / "a.jsonl").write_text(both * 9)
    (tmp_path / "b.jsonl").write_text(TAGGED)
    data = '[data]\nformat = "jsonl"\ntrain = "a.jsonl"\ndev = "a.jsonl"\ntest = "b.jsonl"\n'
    notes = Notes()
    run = train(make_recipe(tmp_path, data, NER, '[heads.mood]\nkind = "sentence"\n'), listener=notes)
    assert "layer `mood` is not scored on test, because no test sentence has it" in notes.said
    assert set(run.report.scores) == {"ner"}


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


def test_a_model_is_kept_before_it_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tagger.running.train.score_on_test", broken)
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(tmp_path, SYNTHETIC, NER), output=tmp_path / "run")
    assert load(tmp_path / "run").layers == ("ner",)


BROKEN = {
    "columns": ("Ada", "must have 2 columns"),
    "prefix": ("Ada/Q-PER naps/O", "is not a valid IOB2 tag"),
    "transition": ("Ada/I-PER naps/O Bo/B-PER", "is not valid IOB2"),
    "control": ("Ada\x01/B-PER naps/O", "control character"),
}
CONLL = '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "train.conll"\n'


@pytest.mark.parametrize("kind", BROKEN)
def test_training_refuses_a_corpus_with_errors_and_names_their_lines(kind: str, tmp_path: Path) -> None:
    broken, message = BROKEN[kind]
    write_conll(tmp_path / "train.conll", "Ada/B-PER Lovelace/I-PER naps/O Bo/B-PER", broken)
    with pytest.raises(DataError, match=f"train.conll:6: .*{message}"):
        train(make_recipe(tmp_path, CONLL, NER))


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


SENTIMENT = '[heads.sentiment]\nkind = "sentence"\n'


def test_calibration_chooses_a_temperature_on_dev_and_keeps_it_with_the_model(tmp_path: Path) -> None:
    listener = Notes()
    plain = train(make_recipe(tmp_path, SYNTHETIC, SENTIMENT))
    recipe = make_recipe(tmp_path, SYNTHETIC, SENTIMENT, "calibrate = true")
    run = train(recipe, output=tmp_path / "run", listener=listener)
    temperature = run.tagger.model.config.temperatures["sentiment"]
    note = next(note for note in listener.said if note.startswith("calibrated `sentiment` on 4 dev sentences: "))
    assert f"temperature {temperature:.3f}" in note
    loaded = load(tmp_path / "run")
    assert temperature != 1.0
    for sentence in generate(10, seed=9, split="test"):
        raw, scaled = (tagger.tag_tokens(sentence.tokens).label("sentiment") for tagger in (plain.tagger, loaded))
        assert raw.value == scaled.value
        expected = (torch.tensor(list(raw.scores.values())).log() / temperature).softmax(0).tolist()
        assert list(scaled.scores.values()) == pytest.approx(expected, abs=1e-5)


UPOS = '[heads.upos]\nkind = "tokens"\nscheme = "none"\n'


def test_calibration_of_tags_is_kept_in_the_weights_and_has_nothing_left_to_do(tmp_path: Path) -> None:
    # Trained for long enough that the best temperature lies well within its bounds, on every processor.
    listener, longer = Notes(), ["data.sentences=200", "training.epochs=6"]
    plain = train(make_recipe(tmp_path, SYNTHETIC, NER, UPOS), overrides=longer)
    recipe = make_recipe(tmp_path, SYNTHETIC, NER + "calibrate = true", UPOS + "calibrate = true")
    run = train(recipe, overrides=longer, output=tmp_path / "run", listener=listener)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    facts = report["calibrated"]
    assert facts.keys() == {"ner", "upos"}
    assert all(0.1 < found["temperature"] < 10 for found in facts.values())
    assert facts["ner"]["outside"] != 0.0
    assert "outside" not in facts["upos"]
    assert report["dev_scores"] == plain.outcome.best.dev
    assert describe_model(tmp_path / "run")["calibrated"] == facts
    dev = list(generate(20, seed=1, split="dev"))
    tagger = load(tmp_path / "run")
    for layer, found in facts.items():
        assert (found["sentences"], found["left_out"]) == (20, 0)
        assert found["loss_after"] < found["loss_before"]
        note = next(note for note in listener.said if note.startswith(f"calibrated `{layer}` on 20 dev sentences: "))
        assert f"temperature {found['temperature']:.3f}" in note
    assert facts["ner"]["dev_before"] == plain.outcome.best.dev["ner"]
    assert facts["ner"]["dev_after"] == dev_scores(dev, tagger.predict(dev), tagger.model)["ner"]
    again = calibrate(tagger.model, dev, {"ner": 0.0, "upos": 0.0})[1]
    assert [found["temperature"] for found in again.values()] == pytest.approx([1.0, 1.0], rel=0.01)
    assert again["ner"]["outside"] == pytest.approx(0.0, abs=0.01)
    for sentence in generate(10, seed=9, split="test"):  # a temperature alone changes no tag
        raw, scaled = (model.tag_tokens(sentence.tokens) for model in (plain.tagger, run.tagger))
        assert raw.tags("upos") == scaled.tags("upos")
        assert raw.tag_scores("upos") != scaled.tag_scores("upos")


def make_calibrated(folder: Path, *dev: str) -> Path:
    """A recipe whose entities are calibrated on these dev sentences."""
    write_conll(folder / "train.conll", *["Ada/B-PER naps/O", "rain/O falls/O"] * 9)
    write_conll(folder / "dev.conll", *dev)
    return make_recipe(folder, CONLL + 'dev = "dev.conll"\n', NER, "calibrate = true")


def test_dev_sentences_with_tags_that_train_lacks_do_not_calibrate_and_are_counted(tmp_path: Path) -> None:
    listener = Notes()
    recipe = make_calibrated(tmp_path, "Ada/B-PER naps/O", "Oslo/B-LOC sleeps/O", "rain/O falls/O")
    train(recipe, output=tmp_path / "run", listener=listener)
    said = "calibrated `ner` on 2 dev sentences (1 unused, because train lacks their labels): temperature "
    assert any(note.startswith(said) for note in listener.said)
    found = json.loads((tmp_path / "run" / "report.json").read_text())["calibrated"]["ner"]
    assert (found["sentences"], found["left_out"]) == (2, 1)


def test_nothing_that_could_calibrate_is_reported_before_training(tmp_path: Path) -> None:
    listener = Notes()
    with pytest.raises(DataError) as refused:
        train(make_calibrated(tmp_path, "Oslo/B-LOC sleeps/O"), listener=listener)
    assert str(refused.value) == (
        "heads.ner.calibrate: there must be a dev sentence whose labels of `ner` all occur in train, got none; "
        "remove the key or add such sentences to dev"
    )
    assert not any("epoch" in note for note in listener.said)


@pytest.mark.parametrize("dev", ["rain/O falls/O", "Ada/B-PER"])
def test_dev_without_entities_or_with_nothing_else_does_not_say_how_many_there_are(tmp_path: Path, dev: str) -> None:
    listener = Notes()
    train(make_calibrated(tmp_path, dev), output=tmp_path / "run", listener=listener)
    found = json.loads((tmp_path / "run" / "report.json").read_text())["calibrated"]["ner"]
    assert "outside" not in found
    at_limit = found["temperature"] == pytest.approx(0.05) or found["temperature"] == pytest.approx(20.0)
    assert at_limit == any("the fit is at its limit" in note for note in listener.said)


def test_a_run_that_is_stopped_while_it_is_calibrated_keeps_what_training_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    plain, listener = train(make_recipe(tmp_path, SYNTHETIC, NER)), Notes()
    monkeypatch.setattr("tagger.nn.calibration.calibrate_tokens", stop)
    recipe = make_recipe(tmp_path, SYNTHETIC, NER, "calibrate = true")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, output=tmp_path / "run", listener=listener)
    assert listener.said[-1] == f"stopped before calibration; the model in {tmp_path / 'run'} is not calibrated"
    assert same_bits(load(tmp_path / "run").network.state_dict(), weights(plain))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('"balanced"', lambda counts: [sum(counts) / (3 * count) for count in counts]),
        ("{ positive = 3 }", lambda counts: [1.0, 1.0, 3.0]),
    ],
)
def test_class_weights_reach_the_loss(tmp_path: Path, given: str, expected: object) -> None:
    run = train(make_recipe(tmp_path, SYNTHETIC, SENTIMENT, f"class_weights = {given}"))
    train_part = list(generate(40, seed=1, split="train"))
    names = run.tagger.model.vocabulary.labels["sentiment"]
    assert names == ["negative", "neutral", "positive"]
    counts = [sum(s.label("sentiment").value == name for s in train_part) for name in names]
    found = run.tagger.network.heads["sentiment"].class_weights
    assert found.tolist() == pytest.approx(expected(counts))


def test_a_weight_of_an_unknown_class_is_reported(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, SENTIMENT, "class_weights = { postive = 2.0 }")
    with pytest.raises(
        RecipeError, match=r"class_weights: each class must occur in train, got postive; the classes are"
    ):
        train(recipe)


def test_a_layer_of_one_class_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good\tfine film\n" * 3)
    data = '[data]\nformat = "labelled"\nlayer = "sentiment"\ntrain = "a.txt"\ndev = "a.txt"\n'
    listener = Notes()
    train(make_recipe(tmp_path, data, SENTIMENT), overrides=["training.epochs=1"], listener=listener)
    assert "train has only one label of `sentiment`, good, so its head has nothing to learn" in listener.said


def test_sampling_over_corpora_is_said_and_done(tmp_path: Path) -> None:
    corpora = "".join(
        f'[corpora.{name}]\nformat = "synthetic"\nsentences = {n}\n' for name, n in (("big", 400), ("small", 100))
    )
    listener = Notes()
    path = make_recipe(tmp_path, corpora, SENTIMENT)
    train(path, overrides=["training.sampling=even", "training.epochs=1"], listener=listener)
    assert "an epoch has 250 of 400 big, 250 of 100 small sentences" in listener.said
