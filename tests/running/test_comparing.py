"""What can be compared: models, runs, saved reports and files of predictions, each found by what its path holds."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from untrained import untrained_model

import tagger
from tagger.config import EmbeddingsConfig, EncoderConfig, ReadingConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import DataError, ModelError, RecipeError
from tagger.formats.columns.conll_writing import conll_lines
from tagger.model.folder.torch_model import save_model
from tagger.running.comparing import compare
from tagger.text.sentence import Sentence

TEST = list(generate(30, seed=1, split="test"))


def write_conll(path: Path, sentences: list[Sentence]) -> Path:
    path.write_text("".join(f"{line}\n" for line in conll_lines(sentences, ["ner"])), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs `a-1` and `a-2` in `a`, one `b` without a report, and the file `test.conll`."""
    folder = tmp_path_factory.mktemp("home")
    write_conll(folder / "test.conll", TEST)
    vocabulary = build_vocabulary(pack(list(generate(100, seed=1, split="train"))), layers={"ner": "bioes"})
    for seed, name in enumerate(("a/seed-1", "a/seed-2", "b"), 1):
        model = untrained_model(
            vocabulary,
            {"ner": TokensHeadConfig(kind="tokens")},
            embeddings=EmbeddingsConfig(dimension=10),
            encoder=EncoderConfig(hidden_size=12),
            schemes={"ner": "iob2"},
            reading={"data": ReadingConfig(format="conll", columns=("token", "ner"))},
            loudness=5,
            seed=seed,
        )
        save_model(model, folder / name / "model", card="")
        if name != "b":
            tagger.load(folder / name).evaluate(TEST).save(folder / name / "report.json")
    return folder


def test_two_models_are_tagged_on_the_same_file(home: Path) -> None:
    found = compare(home / "a/seed-1", home / "b", on=home / "test.conll")
    assert [system.source for system in found.systems] == ["model, tagged test.conll"] * 2
    scores = found.to_dict()["scores"]["ner"]["comparison"]
    model = tagger.load(home / "b").evaluate(TEST)
    assert scores["systems"]["B"]["score"] == pytest.approx(model.headline("ner"))
    assert found.warnings == ()
    assert "mistakes: A " in found.to_text()


def test_runs_without_a_file_are_compared_by_their_saved_reports(home: Path) -> None:
    found = compare(home / "a/seed-1", home / "a/seed-2")
    assert [system.source for system in found.systems] == ["saved report of the run"] * 2
    tagged = compare(home / "a/seed-1", home / "a/seed-2", on=home / "test.conll")
    assert found.to_dict()["scores"]["ner"]["comparison"] == tagged.to_dict()["scores"]["ner"]["comparison"]


def test_kinds_may_be_mixed(home: Path, tmp_path: Path) -> None:
    model = tagger.load(home / "b")
    predicted = write_conll(tmp_path / "predicted.conll", list(model.predict(TEST)))
    report = model.evaluate(TEST)
    report.save(tmp_path / "saved.json")
    found = compare(model, report, predicted, tmp_path / "saved.json", home / "b/model", on=[home / "test.conll"])
    differences = found.to_dict()["scores"]["ner"]["comparison"]["differences"]
    assert {name: each["difference"] for name, each in differences.items()} == dict.fromkeys("BCDE", 0.0)
    assert {each["p_bootstrap"] for each in differences.values()} == {1.0}


def test_columns_of_predictions_may_differ_from_those_of_gold(home: Path, tmp_path: Path) -> None:
    lines = (home / "test.conll").read_text(encoding="utf-8").splitlines()
    swapped = ["\t".join(reversed(line.split("\t"))) for line in lines]
    (tmp_path / "swapped.conll").write_text("".join(f"{line}\n" for line in swapped), encoding="utf-8")
    columns = {"columns": ("token", "ner"), "predicted_columns": ("ner", "token")}
    found = compare(home / "b", tmp_path / "swapped.conll", on=home / "test.conll", **columns)
    assert found.to_dict()["scores"]["ner"]["comparison"]["systems"]["B"]["score"] == 1


def test_the_same_path_twice_differs_by_nothing(home: Path) -> None:
    found = compare(home / "a/seed-1", str(home / "a/seed-1")).to_dict()["scores"]["ner"]
    assert (found["comparison"]["differences"]["B"]["difference"], found["mistakes"]["new"]) == (0, 0)


@pytest.mark.parametrize(
    "group",
    [
        lambda home: home / "a",
        lambda home: f"{home}/a/seed-1,{home}/a/seed-2",
        lambda home: [home / "a/seed-1", home / "a/seed-2"],
    ],
    ids=["folder", "commas", "list"],
)
def test_a_group_of_runs_is_one_system(home: Path, group: Callable[[Path], object], tmp_path: Path) -> None:
    tagger.load(home / "b").evaluate(TEST).save(tmp_path / "b.json")
    found = compare(group(home), [tmp_path / "b.json", tmp_path / "b.json"])  # type: ignore[arg-type]
    assert [len(system.reports) for system in found.systems] == [2, 2]
    scores = found.to_dict()["scores"]["ner"]
    system = scores["comparison"]["systems"]["A"]
    assert system["score"] == pytest.approx(sum(system["runs"]) / 2)
    assert set(scores) == {"comparison", "types"}
    assert "2 runs: saved report" in found.to_text()


def test_a_folder_with_a_comma_in_its_name_is_that_folder(home: Path, tmp_path: Path) -> None:
    copytree(home / "a/seed-1", tmp_path / "a,b")
    found = compare(tmp_path / "a,b", home / "a/seed-1")
    assert [len(system.reports) for system in found.systems] == [1, 1]


@pytest.mark.parametrize(
    ("systems", "error", "message"),
    [
        (["a/seed-1"], RecipeError, "at least two systems"),
        (["a/seed-1", "nowhere"], DataError, "nowhere: expected a model"),
        (["a/seed-1", "b"], RecipeError, "b: the model has no report of a test split; name files to tag with --on"),
        (["a/seed-1", "test.conll"], RecipeError, "predictions need the file with their gold layers"),
        (["a/seed-1", "empty"], DataError, "expected the folder of a model"),
        (["a/seed-1", "old.json"], DataError, "old.json: the report has no sentences"),
        (["a/seed-1", "broken.json"], DataError, "broken.json: "),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(
    home: Path, systems: list[str], error: type[Exception], message: str
) -> None:
    (home / "empty").mkdir(exist_ok=True)
    (home / "old.json").write_text('{"scores": {"ner": {"f1": 0.5}}}')
    (home / "broken.json").write_text('{"scores": {"ner": {"f1": 0.5}}, "sentences": [{"tok')
    with pytest.raises(error, match=message) as found:
        compare(*(home / name for name in systems))
    assert "\n" not in str(found.value)


def test_nothing_is_tagged_if_a_path_is_wrong(home: Path) -> None:
    def load(path: Path) -> tagger.Tagger:
        raise AssertionError(f"{path} was loaded")

    with pytest.raises(DataError, match="nowhere"):
        compare(home / "b", home / "nowhere", on=home / "test.conll", load=load)


def test_models_that_read_other_gold_sentences_are_refused(home: Path, tmp_path: Path) -> None:
    other = write_conll(tmp_path / "other.conll", TEST[5:])
    tagger.load(home / "b").evaluate(TEST[5:]).save(tmp_path / "other.json")
    assert compare(home / "b", tmp_path / "other.json", on=other).warnings == ()
    with pytest.raises(
        DataError, match=r"A and B must have the same gold sentences of layer `ner`, but sentence 1 differs"
    ):
        compare(home / "b", tmp_path / "other.json", on=home / "test.conll")


def test_runs_with_other_test_sentences_each_are_no_group(home: Path, tmp_path: Path) -> None:
    model = tagger.load(home / "b")
    for number, part in enumerate((TEST[:15], TEST[15:]), 1):
        (tmp_path / f"fold-{number}").mkdir()
        model.evaluate(part).save(tmp_path / f"fold-{number}/report.json")
    for systems, letter in (((tmp_path, tmp_path), "A"), ((home / "a", tmp_path), "B")):
        with pytest.raises(DataError, match=f"all runs of {letter} must have the same gold sentences") as found:
            compare(*systems)
        assert str(found.value).endswith("the folds of a cross-validation are none.")


def test_a_folder_of_several_runs_is_no_model(home: Path) -> None:
    with pytest.raises(ModelError, match=r"holds several runs; give one of them, such as .*seed-1$"):
        tagger.load(home / "a")
