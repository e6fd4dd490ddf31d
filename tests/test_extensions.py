"""Parts of a user's own, from the recipe to a loaded model; docs/extensions.md has one of each kind."""

import inspect
import json
import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from small_runs import Notes, make_recipe, same_bits, weights
from summing_cell import Sums
from torch import Tensor, nn

import tagger
from tagger import extensions
from tagger.config import SentenceHeadConfig, load_recipe
from tagger.export.folder import export_onnx
from tagger.extensions import Cell, Feature, Head, Metric, Reader, find, register
from tagger.features import table as features
from tagger.formats.table import FORMATS
from tagger.heads import table as heads
from tagger.heads.label import LabelHead
from tagger.inference.loading import backends_of
from tagger.metrics.named.segments import segment_f1
from tagger.metrics.named.table import NAMED
from tagger.nn.encoder import CELLS, RecurrentEncoder
from tagger.running.scoring import evaluate_files
from tagger.text.sentence import Label, Sentence

NER = '[heads.ner]\nkind = "tokens"\n'
SYNTHETIC = '[data]\nformat = "synthetic"\nsentences = 40\n'


class WrappedLSTM(nn.Module):
    """The LSTM of torch as a cell of one's own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)

    @staticmethod
    def shapes(input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        sizes = {"weight_ih": (4 * hidden_size, input_size), "weight_hh": (4 * hidden_size, hidden_size)}
        biases = {"bias_ih": (4 * hidden_size,), "bias_hh": (4 * hidden_size,)}
        return {f"lstm.{name}_l0": shape for name, shape in (sizes | biases).items()}

    def forward(self, vectors: Tensor) -> Tensor:
        states: Tensor = self.lstm(vectors)[0]
        return states


class LooksAhead(Sums):
    def forward(self, vectors: Tensor) -> Tensor:
        return super().forward(vectors) + vectors.mean()


class OtherShapes(Sums):
    @staticmethod
    def shapes(input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        return {"linear.weight": (hidden_size, input_size)}


class NoShapes(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()


class TooWide(Sums):
    def forward(self, vectors: Tensor) -> Tensor:
        return super().forward(vectors).repeat(1, 1, 2)


def train(folder: Path, *parts: str, **settings: Any) -> tagger.Run:
    return tagger.train(make_recipe(folder, SYNTHETIC, *parts), output=folder / "run", **settings)


def forget() -> None:
    extensions._KNOWN.clear()


def test_names_of_the_library_are_those_of_its_tables() -> None:
    assert set(Cell.built_in) == set(CELLS)
    assert set(Feature.built_in) == set(features.KINDS)
    assert set(Head.built_in) == set(heads.KINDS)
    assert set(Metric.built_in) == set(NAMED)
    readable = {name for name, row in FORMATS.items() if row.read is not None}
    assert readable | {"synthetic"} == set(Reader.built_in)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_a_cell_reads_both_directions_as_the_library_does(layers: int, merge: Any) -> None:
    register(Cell("wrapped", WrappedLSTM))
    sizes: dict[str, Any] = {"input_size": 5, "hidden_size": 3, "layers": layers, "merge": merge}
    own, known = RecurrentEncoder(cell="wrapped", **sizes).eval(), RecurrentEncoder(cell="lstm", **sizes).eval()
    weights = known.state_dict()
    for layer in range(layers):
        for direction, suffix in enumerate(("", "_reverse")):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                own.get_parameter(f"layers.{layer}.directions.{direction}.lstm.{name}_l0").data.copy_(
                    weights[f"layers.{layer}.{name}_l0{suffix}"]
                )
    mask = torch.tensor([[True] * 6, [True] * 2 + [False] * 4, [True] * 5 + [False]])
    vectors = torch.randn(3, 6, 5)
    vectors[~mask] = 1e3  # padding must not matter
    with torch.no_grad():
        assert torch.allclose(own(vectors, mask)[mask], known(vectors, mask)[mask], atol=1e-6)


def test_a_model_with_a_cell_is_trained_saved_loaded_and_resumed(tmp_path: Path) -> None:
    sums = Cell("sums", Sums)
    run = train(tmp_path, NER, overrides=["encoder.cell=sums", "encoder.layers=2"], extensions=[sums])
    text = "Ada Lovelace was born in London."
    said = run.tagger.tag(text)
    forget()
    with pytest.raises(
        tagger.ModelError,
        match=r"config.json: `encoder.cell` must be .*, got 'sums'; no extension has that name; install it",
    ):
        tagger.load(tmp_path / "run")
    assert tagger.load(tmp_path / "run", extensions=[sums]).tag(text) == said
    assert backends_of(tmp_path / "run")["numpy"].startswith("no, its cell `sums` needs torch")


def test_other_backends_refuse_a_cell(tmp_path: Path) -> None:
    train(tmp_path, NER, overrides=["encoder.cell=sums"], extensions=[Cell("sums", Sums)])
    for use in (lambda run: tagger.load(run, backend="numpy"), lambda run: export_onnx(run, tmp_path / "exported")):
        with pytest.raises(tagger.ModelError, match="cell `sums` needs"):
            use(tmp_path / "run")


def test_incremental_tagging_refuses_a_cell(tmp_path: Path) -> None:
    one_direction = ["encoder.cell=sums", "encoder.bidirectional=false"]
    model = train(tmp_path, NER, overrides=one_direction, extensions=[Cell("sums", Sums)]).tagger
    with pytest.raises(tagger.ModelError, match=r"in NumPy, which cannot run the cell `sums`; pass whole"):
        model.incremental()


def test_a_cell_computes_in_float32_alone(tmp_path: Path) -> None:
    half = ["encoder.cell=sums", "training.precision=bfloat16"]
    with pytest.raises(tagger.RecipeError, match=r'training.precision: must be "float32" for the cell `sums`'):
        train(tmp_path, NER, overrides=half, extensions=[Cell("sums", Sums)])


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (LooksAhead, r"must read from left to right"),
        (NoShapes, r"raised AttributeError: .* has no attribute 'shapes'; correct its code"),
        (OtherShapes, r"must have the parameters that `shapes` returns, .*, got .*linear.bias"),
        (TooWide, r"must map .* to float32 states of shape \(3, 40, 8\), got float32 of shape \(3, 40, 16\)"),
    ],
)
def test_a_wrong_cell_is_refused_in_one_sentence(tmp_path: Path, module: Any, message: str) -> None:
    with pytest.raises(tagger.RecipeError, match=f"encoder.cell: the cell `own` {message}"):
        train(tmp_path, NER, overrides=["encoder.cell=own"], extensions=[Cell("own", module)])


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            '[encoder]\ncell = "lstmm"\n' + NER,
            "`encoder.cell` must be 'lstm', 'gru' or 'rnn', got 'lstmm'; no extension",
        ),
        (
            '[heads.ner]\nkind = "token"\n',
            "`heads.ner.kind` must be 'tokens', 'sentence' or 'values', got 'token'; no extension",
        ),
        ('[features.a]\nkind = "shapes"\n' + NER, "`features.a.kind` must be 'shape', .*, got 'shapes'; no extension"),
        (
            NER + 'metrics = "exact"\n',
            "`heads.ner.metrics` must be 'Q3', .*, got 'exact'; no extension",
        ),
        ('[heads.ner]\nkind = "tokens"\nmetric = "a"\n', "unknown key `heads.ner.metric`; did you mean `metrics`?"),
    ],
)
def test_an_unknown_name_is_one_sentence(tmp_path: Path, part: str, message: str) -> None:
    (tmp_path / "r.toml").write_text(SYNTHETIC + part)
    with pytest.raises(tagger.RecipeError, match=f"r.toml: {message}".replace("?", r"\?")):
        load_recipe(tmp_path / "r.toml")


def test_an_unknown_format_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('[data]\nformat = "pipes"\ntrain = "a"\n' + NER)
    with pytest.raises(
        tagger.RecipeError, match=r"`data.format` must be 'conll', .* or 'synthetic', got 'pipes'; no ex"
    ):
        load_recipe(tmp_path / "r.toml")


def test_a_known_name_of_the_wrong_kind_stays_unknown(tmp_path: Path) -> None:
    register(Metric("sums", lambda gold, predicted, layer: 0.0))
    assert find(Cell, "sums") is None


def test_what_is_no_extension_or_has_a_name_of_the_library_is_refused() -> None:
    with pytest.raises(TypeError, match=r"must be one of Cell, .* of tagger.extensions, got .*Sums"):
        register(Sums)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="of Cell, Feature, Head, Reader, Metric of"):
        register(Sums)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the metric 'own' must have a class or function as `score`, got 5"):
        register(Metric("own", 5))  # type: ignore[arg-type]
    for name in ("lstm", "", None, ["own"]):
        with pytest.raises(
            ValueError, match=f"a cell must have a name that tagger does not use itself, got {re.escape(repr(name))}"
        ):
            register(Cell(name, Sums))


def test_a_later_extension_replaces_one_with_its_name() -> None:
    register(Cell("own", Sums))
    register(Cell("own", WrappedLSTM))
    assert find(Cell, "own") == Cell("own", WrappedLSTM)


class LoudHead(LabelHead):
    """A head of labels whose prediction is a word of its own."""

    word = "loud"

    def layers(self, arrays: Any, names: Any, lengths: Any, shown: Any) -> Iterator[Any]:
        yield from (Label(self.word) for _ in lengths)


class LouderHead(LoudHead):
    word = "louder"


class LoudConfig(SentenceHeadConfig):
    kind: Literal["loud"]  # type: ignore[assignment]


def test_a_loaded_model_keeps_its_classes_when_another_is_loaded(tmp_path: Path) -> None:
    loud, louder = Head("loud", LoudConfig, LoudHead), Head("loud", LoudConfig, LouderHead)
    train(tmp_path, '[heads.sentiment]\nkind = "loud"\n', extensions=[loud])
    first = tagger.load(tmp_path / "run", extensions=[loud])
    second = tagger.load(tmp_path / "run", extensions=[louder])
    assert [model.tag("Ada sleeps").label("sentiment").value for model in (first, second)] == ["loud", "louder"]
    forget()
    assert pickle.loads(pickle.dumps(first.model.config)) == first.model.config
    assert first.tag("Ada sleeps").label("sentiment").value == "loud"


@pytest.mark.parametrize("found", [lambda lengths: ["loud"] * len(lengths), lambda lengths: [Label("loud")]])
def test_wrong_layers_of_a_head_are_one_sentence(tmp_path: Path, found: Any) -> None:
    class WrongHead(LabelHead):
        def layers(self, arrays: Any, names: Any, lengths: Any, shown: Any) -> Any:
            return found(lengths)

    with pytest.raises(
        tagger.ModelError, match=r"heads.sentiment: the head `loud` must yield a Label for each of 4 sen"
    ):
        train(tmp_path, '[heads.sentiment]\nkind = "loud"\n', extensions=[Head("loud", LoudConfig, WrongHead)])


@pytest.mark.parametrize("section", [dict, int])
def test_a_section_that_is_none_is_one_sentence(tmp_path: Path, section: Any) -> None:
    with pytest.raises(
        tagger.RecipeError, match=r"`heads.a.kind` must have a subclass of tagger.config.AnyHeadConfig as"
    ):
        train(tmp_path, '[heads.a]\nkind = "loud"\n', extensions=[Head("loud", section, LoudHead)])


# Readers


def read_pipes(path: Path) -> Iterator[Sentence]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        pairs = [word.rsplit("|", 1) for word in line.split()]
        if not all(len(pair) == 2 for pair in pairs):
            raise ValueError(f"line {number} must have word|TAG, got {line!r}")
        yield Sentence.from_tokens([word for word, _ in pairs], {"ner": [tag for _, tag in pairs]})


def pipes(folder: Path, text: str) -> Path:
    (folder / "train.pipes").write_text(text)
    return make_recipe(folder, '[data]\nformat = "pipes"\ntrain = "train.pipes"\n', NER)


def test_a_reader_is_used_for_training_and_evaluation(tmp_path: Path) -> None:
    recipe = pipes(tmp_path, "Ada|B-PER Byron|I-PER sleeps|O\nRome|B-LOC waits|O\n" * 10)
    register(Reader("pipes", read_pipes))
    tagger.train(recipe, output=tmp_path / "run")
    report = evaluate_files(tagger.load(tmp_path / "run"), [tmp_path / "train.pipes"])
    assert len(report.layers["ner"].gold) == 20


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("Ada|B-PER\nbroken\n", read_pipes, r"train.pipes: line 2 must have word\|TAG, got 'broken'"),
        ("Ada|B-PER\n", lambda path: ["Ada"], r"train.pipes: the reader `pipes` must yield sentences, got 'Ada'"),
        ("Ada|B-PER\n", lambda path: None, r"train.pipes: the reader `pipes` must yield sentences, got None"),
        (
            "Ada|B-PER\n",
            lambda path: [Sentence.from_tokens(["Ada"]), Sentence.from_tokens([])],
            r"train.pipes: the reader `pipes` must yield sentences with tokens, got none in sentence 2; skip it",
        ),
        (
            "Ada|B-PER\n",
            lambda path: {}["x"],
            r"train.pipes: the reader `pipes` raised KeyError: 'x'; correct its code",
        ),
        ("Ada|B-PER\n", lambda path: raised(OSError("odd")), r"train.pipes: the file cannot be read: odd$"),
        ("Ada|B-PER\n", lambda path: raised(tagger.DataError("mine")), r"train.pipes: mine$"),
        ("Ada|B-PER\n", lambda path: raised(ValueError()), r"train.pipes: ValueError$"),
        ("Ada|B-PER\n", lambda path: [], r"train.pipes: the file must hold at least one sentence, got none"),
    ],
)
def test_what_a_reader_cannot_read_is_one_sentence(tmp_path: Path, text: str, read: Any, message: str) -> None:
    recipe = pipes(tmp_path, text)
    with pytest.raises(tagger.DataError, match=message):
        tagger.train(recipe, extensions=[Reader("pipes", read)])


def raised(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("key", ['encoding = "latin-1"', 'layers = { ner = "x" }'])
def test_a_key_that_a_reader_does_not_know_is_refused(tmp_path: Path, key: str) -> None:
    register(Reader("pipes", read_pipes))
    (tmp_path / "r.toml").write_text(f'[data]\nformat = "pipes"\ntrain = "a"\n{key}\n{NER}')
    with pytest.raises(tagger.RecipeError, match=r'is for formats of the library, got format = "pipes"'):
        load_recipe(tmp_path / "r.toml")


# Metrics


def test_a_metric_is_in_the_report_and_needed_for_scores_alone(tmp_path: Path) -> None:
    metric = Metric(
        "errors",
        lambda gold, predicted, layer: sum(
            g.tags(layer) != p.tags(layer) for g, p in zip(gold, predicted, strict=True)
        ),
    )
    run = train(tmp_path, NER + 'metrics = ["errors"]\n', extensions=[metric])
    assert run.report is not None
    wrong = run.report.to_dict()["scores"]["ner"]["metrics"]["errors"]
    sentences = list(run.report.layers["ner"].gold)
    assert wrong == sum(g.tags("ner") != p.tags("ner") for g, p in run.report.layers["ner"].both)
    assert f"errors: {wrong:.4f}" in run.report.to_text()
    forget()
    model = tagger.load(tmp_path / "run")
    model.tag("Ada sleeps")
    assert tagger.load_report(tmp_path / "run").to_dict()["scores"]["ner"]["metrics"] == {"errors": wrong}
    with pytest.raises(tagger.ModelError, match="the layer `ner` cannot be scored: `metrics` must be"):
        model.evaluate(sentences)


def test_scores_of_the_library_are_named_in_the_same_way(tmp_path: Path) -> None:
    tags = '[heads.upos]\nkind = "tokens"\nscheme = "none"\nmetrics = ["segment_f1", "Q3"]\n'
    run = train(tmp_path, tags)
    assert run.report is not None
    layer = run.report.layers["upos"]
    found = run.report.to_dict()["scores"]["upos"]["metrics"]
    assert found == {"segment_f1": segment_f1(layer.gold, layer.predicted, "upos"), "Q3": None}
    assert 0 < found["segment_f1"] < 1
    text = SYNTHETIC + '[heads.sentiment]\nkind = "sentence"\nmetrics = ["Q3"]\n'
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(tagger.RecipeError, match=r"`heads\.sentiment\.metrics`: Q3 is for a head of tokens, got `sent"):
        tagger.train(tmp_path / "r.toml")


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda gold, predicted, layer: 1 / 0, "raised ZeroDivisionError: division by zero; correct its code"),
        (lambda gold, predicted: 1, "raised TypeError: .* positional arguments"),
        (lambda gold, predicted, layer: "0.5", "must return a finite number, .*, got '0.5'; correct its code"),
        (lambda gold, predicted, layer: {"a": 1}, "must return a finite number, .*, got {'a': 1}"),
        (lambda gold, predicted, layer: 10**400, "must return a finite number, .*, got 1000"),
        (lambda gold, predicted, layer: float("nan"), "must return a finite number, .*, got nan"),
        (lambda gold, predicted, layer: -float("inf"), "must return a finite number, .*, got -inf"),
    ],
)
def test_a_wrong_metric_is_refused_before_training(tmp_path: Path, score: Any, message: str) -> None:
    notes = Steps()
    with pytest.raises(tagger.ModelError, match=f"^the layer `ner` cannot be scored: the metric `own` {message}"):
        train(tmp_path, NER + 'metrics = ["own"]\n', extensions=[Metric("own", score)], listener=notes)
    assert not notes.steps


class Steps(Notes):
    """Counts the steps."""

    steps = 0

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        self.steps = step


def test_a_metric_that_fails_on_test_alone_leaves_the_model(tmp_path: Path) -> None:
    calls = []

    def score(gold: Any, predicted: Any, layer: str) -> float:
        calls.append(layer)
        return 1 / (2 - len(calls))

    with pytest.raises(tagger.ModelError, match="the metric `own` raised ZeroDivisionError"):
        train(tmp_path, NER + 'metrics = ["own"]\n', extensions=[Metric("own", score)])
    tagger.load(tmp_path / "run").tag("Ada sleeps")


def test_trying_a_metric_changes_no_model(tmp_path: Path) -> None:
    models = []
    for name, metrics in (("with", 'metrics = ["own"]\n'), ("without", "")):
        (tmp_path / name).mkdir()
        run = train(tmp_path / name, NER + metrics, extensions=[Metric("own", lambda gold, predicted, layer: None)])
        models.append(weights(run))
    assert same_bits(*models)


def test_keep_refuses_a_head_whose_metric_is_missing_before_training(tmp_path: Path) -> None:
    train(tmp_path, NER + 'metrics = ["own"]\n', extensions=[Metric("own", lambda gold, predicted, layer: 1.0)])
    forget()
    recipe = tmp_path / "keep.toml"
    recipe.write_text(f'start = "run"\nkeep = 0.3\n{SYNTHETIC}[heads.sentiment]\nkind = "sentence"\n')
    notes = Steps()
    with pytest.raises(
        tagger.ModelError, match=r"the layer `ner` cannot be scored: .*'own'; no extension .* install it"
    ):
        tagger.train(recipe, listener=notes)
    assert not notes.steps


def test_a_model_without_metrics_is_written_as_before(tmp_path: Path) -> None:
    train(tmp_path, NER)
    assert "metrics" not in json.loads((tmp_path / "run" / "model" / "config.json").read_text())["heads"]["ner"]


# Packages


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an installed package, on the path of Python."""
    folder = tmp_path / "site"
    (folder / "own_cells-1.dist-info").mkdir(parents=True)
    (folder / "own_cells-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: own-cells\nVersion: 1\n")
    entries = "[tagger.cells]\nsums = own_cells:SUMS\nbroken = own_cells:MISSING\nother = own_cells:SUMS\n"
    entries += "exits = own_exits:SUMS\ntwice = own_cells:SUMS\n"
    (folder / "own_exits.py").write_text("import sys\nsys.exit(7)\n")
    (folder / "more_cells-1.dist-info").mkdir()
    (folder / "more_cells-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: more\nVersion: 1\n")
    (folder / "more_cells-1.dist-info" / "entry_points.txt").write_text("[tagger.cells]\ntwice = more_cells:SUMS\n")
    (folder / "own_cells-1.dist-info" / "entry_points.txt").write_text(entries)
    header = "import torch\nfrom torch import Tensor, nn\nfrom tagger.extensions import Cell\n"
    (folder / "own_cells.py").write_text(f'{header}\n{inspect.getsource(Sums)}\nSUMS = Cell("sums", Sums)\n')
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("own_cells", None)


def test_an_installed_package_offers_extensions(tmp_path: Path, package: Path) -> None:
    assert train(tmp_path, NER, overrides=["encoder.cell=sums"]).tagger.model.config.encoder.cell == "sums"
    forget()
    tagger.load(tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", r"the extension `broken` \(own_cells:MISSING\) cannot be imported: .*MISSING"),
        ("exits", r"the extension `exits` \(own_exits:SUMS\) cannot be imported: SystemExit: 7; install"),
        ("twice", r"the extension `twice` must come from one package, got (own-cells and more|more and own-cells); un"),
        ("other", r'the extension `other` \(own_cells:SUMS\) must be a tagger.extensions.Cell named "other", got Cell'),
    ],
)
def test_a_broken_entry_point_is_one_sentence(package: Path, name: str, message: str) -> None:
    with pytest.raises(tagger.RecipeError, match=message):
        find(Cell, name)


def test_a_package_is_imported_only_for_its_names(package: Path) -> None:
    assert find(Cell, "another") is None
    assert "own_cells" not in sys.modules
