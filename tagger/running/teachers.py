"""Teachers: trained models whose predictions on the training sentences a network also learns from."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tagger.config import AnyHeadConfig, Recipe, load_recipe
from tagger.encoding.batches import EncodedSentences
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError, TaggerError
from tagger.heads.head import Lesson
from tagger.heads.table import head_of
from tagger.tagging import Tagger, load
from tagger.text.sentence import Sentence
from tagger.wording import counted

Tell = Callable[[str], None]

KEPT = "teachers"  # folder within a run folder: the runs of its teachers


def find_teachers(recipe: Recipe, folder: Path, output: Path | None, *, device: str) -> dict[str, Recipe | Tagger]:
    """Return the recipes and models that teach, by the value of `teacher` in the recipe.

    Args:
        recipe: The recipe with the heads to teach.
        folder: The folder that paths of teachers are relative to.
        output: Folder of the run; it cannot be a teacher, because it is replaced.
        device: Where models run.

    Raises:
        RecipeError: The recipe of a teacher is invalid, or its layer or kind of head is another than that of the head.
        ModelError: A teacher is neither a recipe nor a model.
    """
    teachers: dict[str, Recipe | Tagger] = {}
    for name, head in recipe.heads.items():
        if head.teacher is None:
            continue
        where, path = f"heads.{name}.teacher", folder / head.teacher
        if output is not None and path.resolve() in (output.resolve(), (output / "model").resolve()):
            raise RecipeError(
                f"{where}: {path} must not be the folder of this run, which replaces it; use another --output"
            )
        if head.teacher not in teachers:
            try:
                teachers[head.teacher] = load_recipe(path) if _is_recipe(path) else load(path, device=device)
            except TaggerError as error:
                raise type(error)(f"{where}: {error}") from None
        _check_teacher(f"{where}: {head.teacher}", head, teachers[head.teacher])
    stems = [Path(name).stem for name, teacher in teachers.items() if isinstance(teacher, Recipe)]
    if len(set(stems)) < len(stems) or any(stem.startswith(".") for stem in stems):
        raise RecipeError(f"recipes of teachers must have different file names, got {', '.join(teachers)}; rename one")
    return teachers


def _check_teacher(where: str, head: AnyHeadConfig, teacher: Recipe | Tagger) -> None:
    layers = teacher.layers if isinstance(teacher, Recipe) else teacher.model.heads
    found = layers.get(head.layer)
    if found is None or found.kind != head.kind:
        known = ", ".join(f"{layer} ({other.kind})" for layer, other in layers.items())
        raise RecipeError(f"{where} must predict the layer `{head.layer}` with kind {head.kind!r}; it has {known}")
    if (found.span_scheme is None) != (head.span_scheme is None):
        wanted, got = ("entities", "tags without a scheme")[:: 1 if head.span_scheme else -1]
        raise RecipeError(f"{where} must predict {wanted} of `{head.layer}` as the head does, got {got}")
    if isinstance(teacher, Recipe) and any(other.teacher for other in teacher.heads.values()):
        raise RecipeError(f"{where} must have no teachers of its own; train it first, and name the folder of its run")


def with_kept_teachers(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe to keep with a run: every teacher is a run, with a path that is valid from anywhere."""
    heads = {}
    for name, head in recipe.heads.items():
        if head.teacher is not None:
            path = folder / head.teacher
            kept = f"{KEPT}/{path.stem}" if _is_recipe(path) else str(path.resolve())
            head = head.model_copy(update={"teacher": kept})
        heads[name] = head
    return recipe.model_copy(update={"heads": heads})


def _is_recipe(path: Path) -> bool:
    return path.suffix == ".toml" and not path.is_dir()


def check_taught(recipe: Recipe, train: Sequence[Sentence]) -> None:
    """Refuse a teacher that has no sentence to label.

    Raises:
        RecipeError: Every train sentence already has the layer of its head.
    """
    for name, head in recipe.heads.items():
        if head.teacher is not None and not _taught(train, head):
            raise RecipeError(
                f"heads.{name}.teacher has no effect, because every train sentence has `{head.layer}`; remove it"
            )


def _taught(sentences: Sequence[Sentence], config: AnyHeadConfig) -> list[Sentence]:
    """Return the sentences that the teacher of a head is asked about."""
    head = head_of(config.layer, config)
    return [sentence for sentence in sentences if head.asks_teacher(sentence)]


def with_teachers(
    encoded: EncodedSentences,
    sentences: Sequence[Sentence],
    teachers: Mapping[str, Tagger],
    *,
    recipe: Recipe,
    vocabulary: Vocabulary,
    tell: Tell,
) -> EncodedSentences:
    """Return the ids of sentences, with the targets that teachers give.

    Args:
        encoded: The ids.
        sentences: The sentences.
        teachers: The models, by the value of `teacher` in the recipe.
        recipe: Names the teacher of each head.
        vocabulary: Gives the ids of labels.
        tell: Called with a note on each teacher.

    Raises:
        RecipeError: A teacher predicts a label that no train sentence has.
    """
    for name, config in recipe.heads.items():
        if config.teacher is None:
            continue
        taught = _taught(sentences, config)
        tell(f"{config.teacher} labels `{config.layer}` in {counted(len(taught), 'sentence')}")
        predicted = list(teachers[config.teacher].predict(taught))
        lesson = Lesson(sentences, predicted, vocabulary, f"heads.{name}.teacher", tell)
        encoded = head_of(config.layer, config).learn(encoded, lesson)
    return encoded
