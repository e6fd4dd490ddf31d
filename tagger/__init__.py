"""Sequence labelling on ordinary hardware: train, score and run bidirectional recurrent taggers.

    import tagger

    run = tagger.train("recipes/quickstart.toml", output="runs/quickstart")
    model = tagger.load("runs/quickstart")
    model.tag("Ada Lovelace was born in London.").spans("ner")

Every public name is here, for type checkers and for Python. Each is loaded when it is first used, so that
`import tagger` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

_MODULES = {
    "tagger.config": ("Recipe", "load_recipe"),
    "tagger.conversion.writing": ("write_sentences",),
    "tagger.doctor.check": ("check",),
    "tagger.corpus.corpus": ("Corpus", "load_corpus", "load_dataset"),
    "tagger.doctor.diagnosis": ("Diagnosis",),
    "tagger.doctor.findings": ("Finding",),
    "tagger.huggingface": ("metric_folder",),
    "tagger.hub.loading": ("stream_dataset",),
    "tagger.text.document": ("Document",),
    "tagger.text.rows": ("to_dataframe",),
    "tagger.text.sentence": ("Label", "Sentence", "Span", "Values"),
    "tagger.corpus.perturbation": ("perturb",),
    "tagger.corpus.synthetic": ("generate",),
    "tagger.hub.to_rows": ("to_dataset",),
    "tagger.integrations.tables": ("tag_dataframe",),
    "tagger.errors": ("DataError", "MissingExtraError", "ModelError", "RecipeError", "TaggerError"),
    "tagger.reporting.comparison.systems": ("SystemComparison",),
    "tagger.reporting.report": ("Report", "load_report"),
    "tagger.reporting.run_group": ("RunGroup",),
    "tagger.reporting.trials": ("TrialGroup", "TrialResult"),
    "tagger.nn.crf": ("LinearChainCRF",),
    "tagger.nn.encoder": ("RecurrentEncoder",),
    "tagger.running.comparing": ("compare",),
    "tagger.running.auditing.audit": ("audit",),
    "tagger.running.corpora": ("load_corpora",),
    "tagger.running.description": ("describe_model",),
    "tagger.running.dry_run": ("DryRun", "dry_run"),
    "tagger.running.predictions": ("score",),
    "tagger.running.run": ("Run", "RunListener"),
    "tagger.running.several.processes": ("GroupListener",),
    "tagger.running.several.training": ("train_several",),
    "tagger.running.train": ("train",),
    "tagger.running.tuning.study": ("TuneListener", "tune"),
    "tagger.tagging": ("Tagger", "load"),
    "tagger.training.loop": ("StopTraining",),
}
_SUBMODULES = ("extensions", "metrics", "plots")
_HOME = {name: module for module, names in _MODULES.items() for name in names}

if TYPE_CHECKING:
    from tagger import extensions as extensions, metrics as metrics, plots as plots
    from tagger.config import Recipe as Recipe, load_recipe as load_recipe
    from tagger.conversion.writing import write_sentences as write_sentences
    from tagger.corpus.corpus import Corpus as Corpus, load_corpus as load_corpus, load_dataset as load_dataset
    from tagger.corpus.perturbation import perturb as perturb
    from tagger.corpus.synthetic import generate as generate
    from tagger.doctor.check import check as check
    from tagger.doctor.diagnosis import Diagnosis as Diagnosis
    from tagger.doctor.findings import Finding as Finding
    from tagger.errors import (
        DataError as DataError,
        MissingExtraError as MissingExtraError,
        ModelError as ModelError,
        RecipeError as RecipeError,
        TaggerError as TaggerError,
    )
    from tagger.hub.loading import stream_dataset as stream_dataset
    from tagger.hub.to_rows import to_dataset as to_dataset
    from tagger.huggingface import metric_folder as metric_folder
    from tagger.integrations.tables import tag_dataframe as tag_dataframe
    from tagger.reporting.comparison.systems import SystemComparison as SystemComparison
    from tagger.reporting.report import Report as Report, load_report as load_report
    from tagger.reporting.run_group import RunGroup as RunGroup
    from tagger.reporting.trials import TrialGroup as TrialGroup, TrialResult as TrialResult
    from tagger.nn.crf import LinearChainCRF as LinearChainCRF
    from tagger.nn.encoder import RecurrentEncoder as RecurrentEncoder
    from tagger.running.comparing import compare as compare
    from tagger.running.auditing.audit import audit as audit
    from tagger.running.corpora import load_corpora as load_corpora
    from tagger.running.description import describe_model as describe_model
    from tagger.running.dry_run import DryRun as DryRun, dry_run as dry_run
    from tagger.running.predictions import score as score
    from tagger.running.run import Run as Run, RunListener as RunListener
    from tagger.running.several.processes import GroupListener as GroupListener
    from tagger.running.several.training import train_several as train_several
    from tagger.running.train import train as train
    from tagger.running.tuning.study import TuneListener as TuneListener, tune as tune
    from tagger.tagging import Tagger as Tagger, load as load
    from tagger.text.document import Document as Document
    from tagger.text.rows import to_dataframe as to_dataframe
    from tagger.text.sentence import Label as Label, Sentence as Sentence, Span as Span, Values as Values
    from tagger.training.loop import StopTraining as StopTraining

    __version__: str
else:
    __all__ = sorted([*_HOME, *_SUBMODULES])


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("tagger-bilstm")
    if name not in (*_HOME, *_SUBMODULES):
        raise AttributeError(f"module 'tagger' has no attribute '{name}'")
    try:
        value = import_module(f"tagger.{name}") if name in _SUBMODULES else getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from tagger.errors import missing_package

        raise missing_package(f"tagger.{name}", error) from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOME, *_SUBMODULES))
