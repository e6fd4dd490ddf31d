"""Teachers: models that each know a layer already, and what they say of the sentences that a network learns from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tagger.config import HeadConfig, Recipe, load_recipe
from tagger.data.batches import AnyIds, EncodedSentences, Probabilities, encode
from tagger.data.sentence import Sentence, TagLayer
from tagger.data.vocabulary import Vocabulary
from tagger.errors import RecipeError, TaggerError
from tagger.tagging import Tagger, load

Tell = Callable[[str], None]


def find_teachers(recipe: Recipe, folder: Path, *, device: str) -> dict[str, Recipe | Tagger]:
    """The recipes and the models that teach, by what `teacher` says in the recipe.

    Args:
        recipe: Whose heads are taught.
        folder: What their paths are relative to.
        device: Where models run.

    Raises:
        RecipeError: A teacher is a recipe that is not as it must be, or teaches another layer or kind of head.
        ModelError: A teacher is no recipe and no model either.
    """
    teachers: dict[str, Recipe | Tagger] = {}
    for name, head in recipe.heads.items():
        if head.teacher is None:
            continue
        if head.teacher not in teachers:
            path = folder / head.teacher
            try:
                teachers[head.teacher] = load_recipe(path) if _is_recipe(head.teacher) else load(path, device=device)
            except TaggerError as error:
                raise type(error)(f"heads.{name}.teacher: {error}") from None
        teacher = teachers[head.teacher]
        _check_teacher(f"heads.{name}.teacher: {head.teacher}", head, teacher)
    recipes = [name for name in teachers if _is_recipe(name)]
    if len({teacher_folder(name) for name in recipes}) < len(recipes):
        raise RecipeError(f"teachers must have recipes of different names, got {', '.join(recipes)}; rename one")
    return teachers


def teacher_folder(teacher: str) -> str:
    """Where the run of a teacher that is a recipe is kept, in the folder of the run that it teaches."""
    return f"teachers/{Path(teacher).stem}"


def with_kept_teachers(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe as it is kept with a run: recipes of teachers are replaced by their runs, and paths hold anywhere."""
    heads = {}
    for name, head in recipe.heads.items():
        if head.teacher is not None:
            kept = teacher_folder(head.teacher) if _is_recipe(head.teacher) else str((folder / head.teacher).resolve())
            head = head.model_copy(update={"teacher": kept})
        heads[name] = head
    return recipe.model_copy(update={"heads": heads})


def _is_recipe(teacher: str) -> bool:
    return teacher.endswith(".toml")


def _check_teacher(where: str, head: HeadConfig, teacher: Recipe | Tagger) -> None:
    layers = teacher.layers if isinstance(teacher, Recipe) else teacher.model.heads
    found = layers.get(head.layer or "")
    if found is None or found.kind != head.kind:
        known = ", ".join(f"{layer} ({other.kind})" for layer, other in layers.items())
        raise RecipeError(f"{where} must predict the layer `{head.layer}` with kind {head.kind!r}; it has {known}")
    if isinstance(teacher, Recipe) and any(other.teacher for other in teacher.heads.values()):
        raise RecipeError(f"{where} must have no teachers of its own; train it first, and name the folder of its run")


def check_taught(recipe: Recipe, train: Sequence[Sentence]) -> None:
    """Refuse a teacher that would have nothing to say of train.

    Raises:
        RecipeError: Every sentence has the layer of its head already.
    """
    for name, head in recipe.heads.items():
        if head.teacher is not None and not _taught(train, head):
            raise RecipeError(
                f"heads.{name}.teacher does nothing, for every train sentence has `{head.layer}`; leave it out"
            )


def _taught(sentences: Sequence[Sentence], head: HeadConfig) -> list[Sentence]:
    """The sentences of which a teacher is asked: those without gold tags, or all where the head is of labels."""
    return [sentence for sentence in sentences if head.kind == "sentence" or head.layer not in sentence.layers]


def with_teachers(
    encoded: EncodedSentences,
    sentences: Sequence[Sentence],
    teachers: Mapping[str, Tagger],
    *,
    recipe: Recipe,
    vocabulary: Vocabulary,
    tell: Tell,
) -> EncodedSentences:
    """The ids of sentences, with what teachers say of those.

    Args:
        encoded: The ids.
        sentences: The sentences.
        teachers: The models, by what `teacher` says in the recipe.
        recipe: Says which head has which teacher.
        vocabulary: Gives the ids.
        tell: Is told who teaches what.

    Raises:
        RecipeError: A teacher predicts a label that no train sentence has.
    """
    tags: dict[str, AnyIds] = {}
    labels: dict[str, Probabilities] = {}
    for name, head in recipe.heads.items():
        if head.teacher is None:
            continue
        assert head.layer is not None
        where, teacher, known = f"heads.{name}.teacher", teachers[head.teacher], vocabulary.labels[head.layer]
        taught = _taught(sentences, head)
        tell(f"{head.teacher} tells the `{head.layer}` of {len(taught)} sentences")
        said = list(teacher.predict(taught))
        if head.kind == "sentence":
            labels[head.layer] = _probabilities(said, head.layer, known, where)
        else:
            tags[head.layer] = _tags(sentences, said, head, vocabulary, where)
    return replace(encoded, taught_tags=tags, taught_labels=labels)


def _probabilities(said: Sequence[Sentence], layer: str, known: Sequence[str], where: str) -> Probabilities:
    """What a teacher thinks of each class, of shape (sentences, classes)."""
    scores = [sentence.label(layer).scores or {} for sentence in said]
    _check_known(scores[0], known, where)
    return np.array([[each.get(name, 0.0) for name in known] for each in scores], np.float32)


def _tags(
    sentences: Sequence[Sentence], said: Sequence[Sentence], head: HeadConfig, vocabulary: Vocabulary, where: str
) -> AnyIds:
    """The ids of a teacher's tags, of shape (tokens,); missing where there are gold ones."""
    assert head.layer is not None
    scheme = head.span_scheme
    _check_known({tag for s in said for tag in s.tags(head.layer, scheme=scheme)}, vocabulary.labels[head.layer], where)
    left = iter(said)
    filled = [
        replace(s, layers={} if isinstance(s.layers.get(head.layer), TagLayer) else next(left).layers)
        for s in sentences
    ]
    return encode(filled, vocabulary, {head.layer: scheme}).tag_targets[head.layer]


def _check_known(labels: Mapping[str, float] | set[str], known: Sequence[str], where: str) -> None:
    if unknown := sorted(set(labels) - set(known)):
        raise RecipeError(
            f"{where}: what it predicts must stand in train, got {', '.join(unknown)}; train has {', '.join(known)}"
        )
