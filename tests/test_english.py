"""The English model that comes with the library: what it predicts, on every backend, and that it is small."""

from pathlib import Path

import pytest
from exporting import exported

import tagger
from tagger import Tagger
from tagger.model.folder.opening import OWN, model_path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = OWN / "english"
SENTENCES = [
    "Barack Obama visited Paris.",
    "what time is the next flight to boston",
    "The plot was thin, but I loved every minute of it!",
]


@pytest.fixture(scope="module", params=["torch", "numpy", "onnx"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    if request.param != "onnx":
        return tagger.load("english", backend=request.param, threads=1)
    return tagger.load(exported(FOLDER, tmp_path_factory.mktemp("exported"), "float32"), backend="onnx", threads=1)


def test_it_has_at_most_ten_megabytes_and_its_licences_beside_it() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10_000_000
    assert {"README.md", "ATTRIBUTION.md", "weights.safetensors"} <= {path.name for path in files}
    attribution = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert all(name in attribution for name in ("CC BY 4.0", "CC BY-SA 4.0", "PDDL", "MIT"))


def test_it_has_four_layers_on_every_backend(model: Tagger) -> None:
    assert model.layers == ("ner", "upos", "xpos", "sentiment")
    first, question, review = model.stream(SENTENCES)
    spans = first.spans("ner")
    assert [(span.type, span.text) for span in spans] == [("PER", "Barack Obama"), ("LOC", "Paris")]
    assert all(0.5 < span.score <= 1 for span in spans)
    assert first.tags("upos") == ("PROPN", "PROPN", "VERB", "PROPN", "PUNCT")
    assert first.tags("xpos") == ("NNP", "NNP", "VBD", "NNP", ".")
    assert [span.text for span in question.spans("ner")] == ["boston"]
    assert review.label("sentiment").value == "positive"


def test_backends_agree() -> None:
    models = [tagger.load("english", backend=name, threads=1) for name in ("torch", "numpy")]
    found = [list(model.stream(SENTENCES)) for model in models]
    for one, other in zip(*found, strict=True):
        assert [one.tags(layer) for layer in ("upos", "xpos")] == [other.tags(layer) for layer in ("upos", "xpos")]
        for left, right in zip(one.spans("ner"), other.spans("ner"), strict=True):
            assert left.score == pytest.approx(right.score, abs=1e-4)
        assert one.label("sentiment").score == pytest.approx(other.label("sentiment").score, abs=1e-4)


def test_a_folder_of_the_user_comes_before_the_model_of_the_same_name(tmp_path: Path) -> None:
    assert model_path("english", tmp_path) == FOLDER
    (tmp_path / "english").mkdir()
    assert model_path("english", tmp_path) == tmp_path / "english"


def test_a_wrong_name_says_which_models_there_are() -> None:
    with pytest.raises(tagger.ModelError, match="or `english`"):
        tagger.load("englisch")


@pytest.mark.data
def test_its_scores_are_those_of_its_card(data_folder: Path) -> None:
    recipe = tagger.load_recipe(ROOT / "recipes" / "english.toml")
    small = {name: recipe.all_corpora()[name] for name in ("atis", "wikigold", "tweets")}  # scored in seconds
    heads = {name: head for name, head in recipe.heads.items() if name != "xpos"}
    corpora = tagger.load_corpora(recipe.model_copy(update={"corpora": small, "heads": heads}), data=data_folder)
    table = (ROOT / "docs" / "english.md").read_text(encoding="utf-8").partition("<!--scores-->")[2]
    rows = [
        [cell.strip(" `") for cell in line.split("|")] for line in table.partition("<!--/scores-->")[0].splitlines()
    ]
    shipped = {row[1]: float(row[-2]) for row in rows if row[1:2] and row[1] in corpora}
    model = tagger.load("english")
    scores = {name: model.evaluate(corpus.test) for name, corpus in corpora.items()}
    found = {name: report.headline(next(iter(report.layers))) for name, report in scores.items()}
    assert found == pytest.approx(shipped, abs=0.001)  # other processors differ in the last bits
