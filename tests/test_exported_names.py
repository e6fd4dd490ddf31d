"""The public surface, and what importing it costs."""

import importlib
import subprocess
import sys
import tomllib
import typing
from pathlib import Path

import pytest

import tagger

HEAVY = (
    "datasets", "jaxtyping", "jinja2", "matplotlib", "onnx", "onnxruntime", "optuna", "pandas", "pyarrow", "rich",
    "scipy", "seqeval", "sklearn", "spacy", "torch", "torchcrf", "transformers", "yaml",
)  # fmt: skip
COMMAND = "import tagger.cli as cli\ntry:\n    cli.main()\nexcept SystemExit as stop:\n    assert not stop.code"
PUBLIC = [
    "Corpus",
    "DataError",
    "Diagnosis",
    "Document",
    "DryRun",
    "Finding",
    "GroupListener",
    "Label",
    "LinearChainCRF",
    "MissingExtraError",
    "ModelError",
    "Recipe",
    "RecipeError",
    "RecurrentEncoder",
    "Report",
    "Run",
    "RunGroup",
    "RunListener",
    "Sentence",
    "Span",
    "StopTraining",
    "SystemComparison",
    "Tagger",
    "TaggerError",
    "TrialGroup",
    "TrialResult",
    "TuneListener",
    "Values",
    "annotation",
    "audit",
    "check",
    "compare",
    "describe_model",
    "dry_run",
    "extensions",
    "generate",
    "load",
    "load_corpora",
    "load_corpus",
    "load_dataset",
    "load_recipe",
    "load_report",
    "metric_folder",
    "metrics",
    "perturb",
    "plots",
    "ray",
    "score",
    "stream_dataset",
    "tag_dataframe",
    "to_dataframe",
    "to_dataset",
    "train",
    "train_several",
    "tune",
    "write_sentences",
]


def imported_by(code: str, *arguments: str, text: str = "") -> set[str]:
    """Which of the heavy modules a fresh process has after running code."""
    said = "sys.stderr.write('LOADED ' + ' '.join(name for name in names if name in sys.modules))"
    listing = f"import sys\nnames = {HEAVY!r}\n{code}\n{said}"
    done = subprocess.run(
        [sys.executable, "-c", listing, *arguments], input=text, capture_output=True, text=True, check=True
    )
    return set(done.stderr.rpartition("LOADED")[2].split())


def test_public_names_are_these() -> None:
    assert tagger.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_loads_and_has_a_docstring(name: str) -> None:
    assert getattr(tagger, name).__doc__


def test_names_for_type_checkers_are_those_that_load() -> None:
    source = Path(tagger.__file__).read_text(encoding="utf-8")
    namespace: dict[str, object] = {}
    block = source[source.index("if TYPE_CHECKING:") : source.index("\nelse:")].replace("TYPE_CHECKING", "True")
    exec(block, namespace)
    assert sorted(name for name in namespace if not name.startswith("__")) == PUBLIC
    assert typing.TYPE_CHECKING is False


def test_version_is_that_of_the_project_file() -> None:
    project = tomllib.loads((Path(tagger.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert tagger.__version__ == project["project"]["version"]


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'tagger' has no attribute 'lod'"):
        tagger.lod  # noqa: B018


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "recipe.toml").write_text(
        '[data]\nformat = "synthetic"\nsentences = 20\n[encoder]\nhidden_size = 4\n'
        '[heads.ner]\nkind = "tokens"\n[heads.sentiment]\nkind = "sentence"\n[training]\nepochs = 1\n'
    )
    tagger.train(folder / "recipe.toml", output=folder / "run")
    return folder / "run"


def test_import_and_help_load_nothing_heavy() -> None:
    assert imported_by("import tagger") == set()
    assert imported_by(COMMAND, "--help") == set()
    assert imported_by(COMMAND, "tag", "--help") == set()
    # Help also comes without what reads recipes and tags texts.
    assert imported_by(f"{COMMAND}\nassert not {{'numpy', 'pydantic'}} & sys.modules.keys()", "--help") == set()


def test_tagging_loads_only_what_its_backend_needs(model: Path) -> None:
    text = "Ada was born in London.\n"
    assert imported_by(COMMAND, "tag", str(model), text=text) == set()
    assert imported_by(COMMAND, "info", str(model)) == set()
    assert imported_by(COMMAND, "tag", str(model), "--output-format", "jsonl", text=text) == set()
    assert imported_by(COMMAND, "tag", str(model), "--backend", "torch", text=text) == {
        "jaxtyping",
        "torch",
        "torchcrf",
    }


@pytest.mark.parametrize("package", ["annotation", "metrics", "plots", "ray"])
def test_no_public_name_of_a_package_is_also_a_module_of_it(package: str) -> None:
    """The import of the module would replace the name."""
    folder = Path(__file__).resolve().parents[1] / "tagger" / package
    names = set(importlib.import_module(f"tagger.{package}").__all__)
    assert names.isdisjoint(path.stem for path in folder.iterdir())
