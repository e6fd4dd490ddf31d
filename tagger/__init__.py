"""Sequence labelling on ordinary hardware: train, score and run bidirectional recurrent taggers.

    import tagger

    run = tagger.train("recipes/quickstart.toml", output="runs/quickstart")
    model = tagger.load("runs/quickstart")
    model.tag("Ada Lovelace was born in London.").spans("ner")

Every public name is here. Each is loaded when it is first used, so that `import tagger` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagger import plots
    from tagger.config import Recipe, load_recipe
    from tagger.conversion.writing import write_sentences
    from tagger.corpus.corpus import Corpus, load_corpus, load_dataset
    from tagger.corpus.synthetic import generate
    from tagger.doctor.check import check
    from tagger.doctor.diagnosis import Diagnosis
    from tagger.doctor.findings import Finding
    from tagger.errors import DataError, MissingExtraError, ModelError, RecipeError, TaggerError
    from tagger.hub.loading import stream_dataset
    from tagger.hub.to_rows import to_dataset
    from tagger.metrics.report import Report
    from tagger.nn.crf import LinearChainCRF
    from tagger.nn.encoder import RecurrentEncoder
    from tagger.running.corpora import load_corpora
    from tagger.running.description import describe_model
    from tagger.running.run import Run, RunListener
    from tagger.running.train import train
    from tagger.tagging import Tagger, load
    from tagger.text.sentence import Label, Sentence, Span

    __version__: str

_MODULES = {
    "tagger.config": ("Recipe", "load_recipe"),
    "tagger.conversion.writing": ("write_sentences",),
    "tagger.doctor.check": ("check",),
    "tagger.corpus.corpus": ("Corpus", "load_corpus", "load_dataset"),
    "tagger.doctor.diagnosis": ("Diagnosis",),
    "tagger.doctor.findings": ("Finding",),
    "tagger.hub.loading": ("stream_dataset",),
    "tagger.text.sentence": ("Label", "Sentence", "Span"),
    "tagger.corpus.synthetic": ("generate",),
    "tagger.hub.to_rows": ("to_dataset",),
    "tagger.errors": ("DataError", "MissingExtraError", "ModelError", "RecipeError", "TaggerError"),
    "tagger.metrics.report": ("Report",),
    "tagger.nn.crf": ("LinearChainCRF",),
    "tagger.nn.encoder": ("RecurrentEncoder",),
    "tagger.running.corpora": ("load_corpora",),
    "tagger.running.description": ("describe_model",),
    "tagger.running.run": ("Run", "RunListener"),
    "tagger.running.train": ("train",),
    "tagger.tagging": ("Tagger", "load"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Corpus",
    "DataError",
    "Diagnosis",
    "Finding",
    "Label",
    "LinearChainCRF",
    "MissingExtraError",
    "ModelError",
    "Recipe",
    "RecipeError",
    "RecurrentEncoder",
    "Report",
    "Run",
    "RunListener",
    "Sentence",
    "Span",
    "Tagger",
    "TaggerError",
    "check",
    "describe_model",
    "generate",
    "load",
    "load_corpora",
    "load_corpus",
    "load_dataset",
    "load_recipe",
    "plots",
    "stream_dataset",
    "to_dataset",
    "train",
    "write_sentences",
]


def __getattr__(name: str) -> object:
    if name == "plots":
        return import_module("tagger.plots")
    if name == "__version__":
        return import_module("importlib.metadata").version("tagger-bilstm")
    if name not in _HOME:
        raise AttributeError(f"module 'tagger' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
