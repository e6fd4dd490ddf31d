"""The head of a model card: what the hub shows of a model and finds it by, as YAML in front of the text.

What is not known is left out, above all the licence: that of the training data decides, and only people can say it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tagger.config import DataConfig, ReadingConfig, Recipe, load_recipe
from tagger.errors import ModelError, RecipeError
from tagger.extensions import NO_EXTENSION
from tagger.files.writing import newest
from tagger.heads.table import heads_of
from tagger.model.model import Model, Source
from tagger.text.sentence import Label

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

LIBRARY = "tagger"
RULE = "---"  # the line before and after a head
REPORT, RECIPE = "report.json", "recipe.toml"  # in the folder of a run
OF_TOKENS, OF_SENTENCES = "token-classification", "text-classification"  # tasks of the hub
TASKS = {  # tags of the hub for layers with these names
    "ner": "named-entity-recognition",
    "upos": "part-of-speech",
    "xpos": "part-of-speech",
    "pos": "part-of-speech",
    "chunk": "chunking",
    "slots": "slot-filling",
    "sentiment": "sentiment-analysis",
    "intent": "intent-classification",
}
METRICS = {  # by key of a report: the metric of the hub, and its name
    "f1": ("f1", "F1 (strict, micro average)"),
    "precision": ("precision", "precision (strict, micro average)"),
    "recall": ("recall", "recall (strict, micro average)"),
    "accuracy": ("accuracy", "accuracy"),
    "macro_f1": ("f1", "F1 (macro average)"),
}
LOCAL = 'tagger.load("this folder")'  # in a card that training wrote


class _Tested(NamedTuple):
    """What a model was tested on: its id and name, and where it is on the hub."""

    type: str
    name: str
    config: str | None = None
    revision: str | None = None


def card_for_hub(model: Model, card: str, repo: str, *, licence: str | None, languages: Sequence[str] | None) -> str:
    """Return the card of a model with a head for the hub.

    What the card says in a head of its own stays, but for the scores of a newer report.

    Args:
        model: The model, loaded from a folder.
        card: The text of its README.
        repo: The repository, `owner/name`.
        licence: The licence of the weights, by its id on the hub; None if it is not known.
        languages: Codes of the languages of the texts; None for those that the model tells.

    Raises:
        ModelError: The head of the card or the report of the run is damaged.
    """
    from huggingface_hub import ModelCardData

    kept, text = _parted(card)
    given = {"license": licence, "language": None if languages is None else list(languages)}
    told = {"library_name": LIBRARY, **_told(model, repo)}
    values = {**told, **kept, **{key: value for key, value in given.items() if value is not None}}
    values["tags"] = [*kept.get("tags", ()), *_tags(model)]
    if model.source is not None and (results := list(_results(model, model.source))):
        values.pop("model-index", None)
        values |= {"model_name": repo.rpartition("/")[2], "eval_results": results}
        values["metrics"] = list(dict.fromkeys(result.metric_type for result in results))
    head = ModelCardData(**values).to_yaml()
    body = text.lstrip().replace(LOCAL, f'tagger.load("hf://{repo}")')
    return f"---\n{head}\n---\n\n{body}"


def _parted(card: str) -> tuple[dict[str, Any], str]:
    """Return what the head of a card says, and its text."""
    lines = [line.rstrip() for line in card.splitlines()]
    if lines[:1] != [RULE]:
        return {}, card
    if RULE not in lines[1:]:
        raise ModelError("README.md: metadata that begin with a line --- must end with another one, got none; add it")
    if not any(lines[1 : lines.index(RULE, 1)]):
        return {}, "\n".join(card.splitlines()[lines.index(RULE, 1) + 1 :])
    import yaml
    from huggingface_hub import ModelCard

    try:
        found = ModelCard(card)
        return found.data.to_dict(), found.text
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(f"README.md: must begin with valid YAML between two lines ---, got {reason}; fix it") from None


def _told(model: Model, repo: str) -> dict[str, Any]:
    """Return what a model tells of itself."""
    heads = heads_of(model.heads)
    recipe = _recipe(model.source) if model.source is not None else None
    ids = [found.dataset for found in recipe.all_corpora().values() if _is_id(found.dataset)] if recipe else []
    languages = {
        reading.language for reading in model.config.reading.values() if reading.tokenize in ("words", "spacy")
    }
    usual = ReadingConfig.model_fields["language"].default  # not chosen by anybody
    return {
        "pipeline_tag": OF_SENTENCES if all(head.layer_type is Label for head in heads.values()) else OF_TOKENS,
        "language": sorted(languages - {usual, "xx"}) or None,
        "datasets": list(dict.fromkeys(ids)) or None,
    }


def _tags(model: Model) -> list[str]:
    """Return the tags by which a model is found on the hub."""
    tasks = [_task(model, layer) for layer in model.heads] + [TASKS[layer] for layer in model.heads if layer in TASKS]
    return list(dict.fromkeys([LIBRARY, *tasks]))


def _task(model: Model, layer: str) -> str:
    return OF_SENTENCES if heads_of(model.heads)[layer].layer_type is Label else OF_TOKENS


def _results(model: Model, source: Source) -> "Iterator[EvalResult]":
    """Yield the scores on test in the report of the model's run, if there is one and it is of this model.

    Raises:
        ModelError: The report is damaged.
    """
    path = source.folder.parent / REPORT
    if source.folder.name != "model" or not newest(path).is_file():
        return
    from huggingface_hub import EvalResult

    try:
        report = json.loads(newest(path).read_text(encoding="utf-8"))
        if report.get("signature", {}).get("model_sha256") != source.sha256:
            return
        parts = {name: part["scores"] for name, part in report.get("corpora", {}).items()} or {None: report["scores"]}
        tested = _tested(_recipe(source))
        everything = _Tested("test", ", ".join(one.name for one in tested.values()) or "test sentences of the run")
        for name, scores in parts.items():
            on = tested.get(name, everything) if len(tested) > 1 else next(iter(tested.values()), everything)
            for layer, found in scores.items():
                for key, (metric, shown) in METRICS.items():
                    if key in found and layer in model.heads:
                        yield EvalResult(
                            task_type=_task(model, layer),
                            dataset_type=on.type,
                            dataset_name=on.name,
                            dataset_config=on.config,
                            dataset_split="test",
                            dataset_revision=on.revision,
                            metric_type=metric,
                            metric_value=round(float(found[key]), 4),
                            metric_name=f"{layer} {shown}",
                            verified=False,
                        )
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ModelError(
            f"{path}: the report is damaged or cannot be read; delete it or copy the folder again"
        ) from None


def _recipe(source: Source) -> Recipe | None:
    """Return the recipe of the run that a model is from; None if there is no such file, or not all its extensions."""
    path = source.folder.parent / RECIPE
    if source.folder.name != "model" or not newest(path).is_file():
        return None
    try:
        return load_recipe(path)
    except RecipeError as error:
        if str(error).endswith(NO_EXTENSION):  # such as a metric, which publishing does not need
            return None
        raise


def _tested(recipe: Recipe | None) -> dict[str | None, _Tested]:
    """Return what each corpus of a recipe is called, by its name in the recipe."""
    corpora = recipe.all_corpora() if recipe else {}
    return {name: _described(name, config) for name, config in corpora.items()}


def _described(name: str, config: DataConfig) -> _Tested:
    if config.dataset is not None and _is_id(config.dataset):
        return _Tested(config.dataset, config.dataset, config.name, config.revision)
    if config.format == "synthetic":
        return _Tested("synthetic", "sentences that tagger generates")
    file = next(iter([*_paths(config.test), *config.files(), config.dataset or ""]))
    return _Tested(name if name != "data" else Path(file).stem or name, Path(file).name or name)


def _paths(files: Any) -> list[str]:
    return list(files.values() if isinstance(files, Mapping) else files or ())


def _is_id(dataset: str | None) -> bool:
    """Whether a dataset is one of the hub, with its owner, and no folder."""
    return dataset is not None and dataset.count("/") == 1 and dataset[0] not in "./~" and not Path(dataset).exists()
