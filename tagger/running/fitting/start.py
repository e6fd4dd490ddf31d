"""The model that a training starts from: its words, characters, features and encoder, but not its heads."""

from pathlib import Path

import numpy as np
import torch

from tagger.config import HOW_TO_TRAIN, Recipe
from tagger.encoding.vocabulary import UNKNOWN, Vectors, Vocabulary
from tagger.errors import RecipeError, TaggerError
from tagger.model.folder.opening import model_path
from tagger.model.folder.torch_model import load_model
from tagger.model.network import Network, TorchModel
from tagger.running.teachers.finding import check_place

CHARS = "chars.embedding.weight"
NOT_COPIED = ("words.", "head:")  # words may have other ids, and heads are new


def with_start(recipe: Recipe, folder: Path, output: Path | None, *, device: str) -> tuple[Recipe, TorchModel | None]:
    """Return the recipe with the sections of the model that it starts from, and that model; None if there is none.

    Args:
        recipe: The recipe.
        folder: The folder that the path of the model is relative to.
        output: Folder of the run, which cannot be the model.
        device: Where the network runs.

    Raises:
        TaggerError: There is no such model, or it cannot be trained further.
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
    sections["embeddings"] = sections["embeddings"].model_copy(update={"dimension": own.vector_dimension})
    return recipe.model_copy(update={**sections, "features": own.features}), model


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
def begin_with(model: TorchModel, network: Network, vocabulary: Vocabulary) -> None:
    """Copy the weights of a model to a network with a vocabulary, whose words have its vectors already."""
    known = model.network.state_dict()
    for name, tensor in network.state_dict().items():
        if name == CHARS:
            tensor[: len(known[name])] = known[name]
        elif not name.startswith(NOT_COPIED):
            tensor.copy_(known[name])
    network.words.weight[UNKNOWN] = model.network.words(torch.tensor([UNKNOWN], device=network.device))[0]
