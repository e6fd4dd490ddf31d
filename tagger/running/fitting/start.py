"""The model that a training starts from: its words, characters, features and encoder, and with `keep` its heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tagger.config import HOW_TO_TRAIN, OF_TRAINING, AnyHeadConfig, HeadConfig, Recipe
from tagger.encoding.vocabulary import UNKNOWN, Vectors
from tagger.errors import RecipeError, TaggerError
from tagger.inference.torch_backend import TorchBackend
from tagger.model.config import ModelConfig
from tagger.model.folder.opening import model_path
from tagger.model.folder.torch_model import load_model
from tagger.model.network import Network, TorchModel
from tagger.model.shapes import module_name
from tagger.running.teachers.finding import Teachers, check_place
from tagger.running.teachers.models import ModelTeacher
from tagger.tagging import Tagger

WORDS = "words."  # may have other ids than in the model


@dataclass(frozen=True, slots=True)
class Start:
    """The model that a training begins with.

    Args:
        model: The model.
        name: What the recipe calls it.
        labels: With `keep`, the labels of each layer of the model, whose head the network begins with; else empty.
        kept: The layers of those heads that the recipe does not name, which learn from the model alone.
    """

    model: TorchModel
    name: str
    labels: Mapping[str, Sequence[str]]
    kept: frozenset[str]

    def teachers(self) -> dict[str, Teachers]:
        """Return the model as a teacher, by its name; without `keep` there is none.

        It teaches the scores of its classes as they are, because the new model divides them by the temperatures again,
        or by those that are fitted to it.
        """
        if not self.labels:
            return {}
        self.model.network.set_temperatures(dict.fromkeys(self.model.config.temperatures, 1.0))
        return {self.name: (ModelTeacher(Tagger(TorchBackend(self.model))),)}

    def config_with_kept(self, config: ModelConfig) -> ModelConfig:
        """Return the configuration of the new model with the schemes and temperatures of the heads that stay."""
        own = self.model.config
        schemes = {layer: scheme for layer, scheme in own.schemes.items() if layer in self.kept}
        temperatures = {layer: number for layer, number in own.temperatures.items() if layer in self.kept}
        return config.model_copy(
            update={"schemes": {**config.schemes, **schemes}, "temperatures": {**config.temperatures, **temperatures}}
        )

    def lost_temperatures(self, recipe: Recipe) -> list[str]:
        """Return the layers whose heads stay and learn from gold, so that their temperature is not theirs any more."""
        found = self.model.config.temperatures if self.labels else ()
        return [layer for layer in found if layer not in self.kept and not recipe.layers[layer].calibrate]


def with_start(recipe: Recipe, folder: Path, output: Path | None, *, device: str) -> tuple[Recipe, Start | None]:
    """Return the recipe with the sections of the model that it starts from, and that model; None if there is none.

    With `keep`, the recipe has all heads of the model, with the model as their teacher.

    Args:
        recipe: The recipe.
        folder: The folder that the path of the model is relative to.
        output: Folder of the run, which cannot be the model.
        device: Where the network runs.

    Raises:
        TaggerError: There is no such model, or it cannot be trained further.
        RecipeError: A head differs from the one of its layer in the model, with which `keep` goes on.
    """
    if recipe.start is None:
        return recipe, None
    path = model_path(recipe.start, folder)
    if output is not None:
        check_place("start", path, output)
    try:
        model = load_model(path, device=device)
    except TaggerError as error:
        raise type(error)(f"start: {error}") from None
    own, sections = model.config, {}
    for name in ("embeddings", "encoder"):
        given, found = getattr(recipe, name), getattr(own, name)
        kept = {key: getattr(given, key) for key in type(given).model_fields if key in HOW_TO_TRAIN}
        sections[name] = found.model_copy(update=kept)
    if own.vector_dimension:
        sections["embeddings"] = sections["embeddings"].model_copy(update={"dimension": own.vector_dimension})
    used = recipe.model_copy(update={**sections, "features": own.features})
    if recipe.keep is None:
        return used, Start(model, recipe.start, {}, frozenset())
    start = Start(model, recipe.start, model.vocabulary.labels, frozenset(own.heads.keys() - recipe.layers.keys()))
    return used.model_copy(update={"heads": _with_heads_of(start, recipe)}), start


def _with_heads_of(start: Start, recipe: Recipe) -> dict[str, HeadConfig]:
    """Return the heads of a recipe with those of the model beside them, which teaches the layers that it has."""
    own, heads = start.model.config.heads, dict[str, HeadConfig]()
    taught = {"teacher": (start.name,), "teacher_weight": recipe.keep}
    for name, head in recipe.heads.items():
        if head.layer in own:
            _check_same(name, head, own[head.layer])
            head = head.model_copy(update=taught)
        heads[name] = head
    for layer in (layer for layer in own if layer in start.kept):
        name = layer if layer not in recipe.heads else f"{layer} of start"
        heads[name] = own[layer].model_copy(update={**taught, "calibrate": False})  # the old temperature stays
    return heads


def _check_same(name: str, head: AnyHeadConfig, own: AnyHeadConfig) -> None:
    """Refuse a head that cannot go on with the weights of a head of the model, or with a teacher beside the model."""
    if head.teacher is not None:
        raise RecipeError(
            f"heads.{name}.teacher: because of `keep`, only the model in `start` can teach `{head.layer}`, got "
            f"{', '.join(head.teacher)}; remove one of the two keys"
        )
    for key in (key for key in type(head).model_fields if key not in OF_TRAINING):  # `kind` comes first
        wanted, found = getattr(own, key), getattr(head, key)
        if wanted != found:
            raise RecipeError(
                f"heads.{name}.{key}: must be {wanted!r} as in the model in `start`, because `keep` goes on with its "
                f"head of `{head.layer}`, got {found!r}; change it, or remove `keep`"
            )


def vectors_of(model: TorchModel, further: Vectors | None) -> Vectors:
    """Return the word vectors of a model, and further ones of words that it does not know.

    Raises:
        RecipeError: The further vectors are of another width.
    """
    with torch.no_grad():
        rows = model.network.words(torch.arange(1, len(model.vocabulary.words) + 1, device=model.network.device))
    own = Vectors(model.vocabulary.words, rows.half().cpu().numpy())
    if further is None:
        return own
    if further.dimension != own.dimension:
        raise RecipeError(
            f"embeddings.vectors: must have {own.dimension} numbers for each word, like the model in `start`, got "
            f"{further.dimension}; give the vectors that the model was trained with, or remove the key"
        )
    known = {*own.words}
    new = [row for row, word in enumerate(further.words) if word not in known]
    words = [*own.words, *(further.words[row] for row in new)]
    return Vectors(words, np.concatenate([own.matrix, further.matrix[new]]))


@torch.no_grad()
def begin_with(start: Start, network: Network) -> None:
    """Copy the weights of a model to a network whose words have its vectors already.

    Characters and labels of the model have the same ids in the network, which may have more of them behind these.
    """
    model, known = start.model, start.model.network.state_dict()
    heads = tuple(f"{module_name('head', layer)}." for layer in start.labels)
    for name, tensor in network.state_dict().items():
        if name.startswith(heads) or not name.startswith((WORDS, "head:")):
            tensor[tuple(map(slice, known[name].shape))] = known[name]
    network.words.weight[UNKNOWN] = model.network.words(torch.tensor([UNKNOWN], device=network.device))[0]
