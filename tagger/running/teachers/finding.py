"""Find the teachers of a recipe, and check that they can teach its heads."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tagger.config import AnyHeadConfig, Recipe, load_recipe
from tagger.encoding.packed import pack
from tagger.errors import RecipeError, TaggerError
from tagger.features.feature import Given
from tagger.features.table import Features, prepare_features
from tagger.heads.table import head_of
from tagger.model.folder.opening import kept_path, model_path
from tagger.running.corpora import check_files
from tagger.running.several.found import has_model, runs_in
from tagger.running.teachers.label_files import LabelFile, Tell, check_layer, read_label_file
from tagger.running.teachers.models import ModelTeacher
from tagger.tagging import load

Teachers = tuple[ModelTeacher | LabelFile, ...]  # of one value of `teacher`: a folder may have several runs

KEPT = "teachers"  # folder within a run folder: the runs of its teachers


def find_teachers(
    recipe: Recipe,
    folder: Path,
    output: Path | None,
    *,
    data: str | Path | None = None,
    device: str,
    tell: Tell = lambda _: None,
) -> dict[str, Recipe | Teachers]:
    """Return the recipes, models and files that teach, by each value of `teacher` in the recipe.

    Args:
        recipe: The recipe with the heads to teach.
        folder: The folder that paths of teachers are relative to.
        output: Folder of the run; neither it nor its neighbours in a folder of several runs can be teachers.
        data: Folder that paths of the corpora of teachers are relative to; default: the folder of each recipe.
        device: Where models run.
        tell: Called with a note on labels of a file that cannot be placed, when they are taught.

    Raises:
        RecipeError: The recipe of a teacher is invalid, or its layer or kind of head is another than that of the head.
        ModelError: A teacher is neither a recipe, a model nor a file.
        DataError: A file with labels cannot be read, or a recipe of a teacher names files that are missing.
    """
    teachers: dict[str, Recipe | Teachers] = {}
    for name, head in recipe.heads.items():
        for teacher in head.teacher or ():
            where, path = f"heads.{name}.teacher", model_path(teacher, folder)
            if not head_of(name, head).can_learn:
                raise RecipeError(f"{where}: a head of kind {head.kind!r} has no teacher; remove the key")
            if output is not None:
                check_place(where, path, output)
                _check_neighbours(where, path, output)
            if teacher not in teachers:
                try:
                    teachers[teacher] = _found(path, device, tell)
                except TaggerError as error:
                    raise type(error)(f"{where}: {error}") from None
            found = teachers[teacher]
            for each in (found,) if isinstance(found, Recipe) else found:
                _check_teacher(f"{where}: {teacher}", head, each)
    recipes = {name: found for name, found in teachers.items() if isinstance(found, Recipe)}
    if recipe.training.teacher_seeds and not recipes:
        raise RecipeError("training.teacher_seeds needs a teacher that is a recipe (.toml), got none; remove it")
    stems = [Path(name).stem for name in recipes]
    if len(set(stems)) < len(stems) or any(stem.startswith(".") for stem in stems):
        raise RecipeError(f"recipes of teachers must have different file names, got {', '.join(teachers)}; rename one")
    for name, other in recipes.items():
        place = (folder / name).parent if data is None else Path(data)
        with named(recipe, name):
            check_files(other, place, from_files=data is not None)
            of_files = {name: config for name, config in other.features.items() if not config.of_frames}
            prepare_features(of_files, Given(place, pack([]), lambda _: None, "cpu"))  # fails before training
    return teachers


@contextmanager
def named(recipe: Recipe, teacher: str) -> Iterator[None]:
    """Begin the message of an error about a teacher with the key of the recipe that names it."""
    try:
        yield
    except TaggerError as error:
        head = next(name for name, head in recipe.heads.items() if teacher in (head.teacher or ()))
        raise type(error)(f"heads.{head}.teacher: {teacher}: {error}") from None


def check_place(where: str, path: Path, output: Path) -> None:
    """Refuse a model that the run would replace.

    Args:
        where: The key of the recipe that names the model.
        path: The folder of the model.
        output: The folder of the run.
    """
    model, run = path.resolve(), output.resolve()
    replaced = [folder for folder in (run / "model", run / KEPT) if model.is_relative_to(folder)]
    if model == run or (replaced and model.is_dir()):
        raise RecipeError(
            f"{where}: {path} must not be the folder of this run or in it, because the run replaces it; use another "
            f"--output, got {output}"
        )


def _check_neighbours(where: str, path: Path, output: Path) -> None:
    """Refuse a folder of several teachers in which the run would be kept too; the arguments are those above."""
    teacher, run = path.resolve(), output.resolve()
    if run.parent == teacher and not has_model(teacher):
        raise RecipeError(
            f"{where}: the runs in {path} are teachers, so this run must be in another folder, got {output}; use "
            "another --output"
        )


def _found(path: Path, device: str, tell: Tell) -> Recipe | Teachers:
    """Return the recipe or the labels at a path, or the models of a run or of several runs in a folder."""
    if _is_recipe(path):
        return load_recipe(path)
    if path.is_file() or path.suffix == ".jsonl":
        return (read_label_file(path, tell),)
    return tuple([ModelTeacher(load(run, device=device)) for run in runs_in(path) or [path]])


def _check_teacher(where: str, head: AnyHeadConfig, teacher: Recipe | ModelTeacher | LabelFile) -> None:
    if isinstance(teacher, LabelFile):
        check_layer(where, head, teacher)
        return
    layers = teacher.layers if isinstance(teacher, Recipe) else teacher.tagger.model.heads
    found = layers.get(head.layer)
    if found is None or found.kind != head.kind:
        known = ", ".join(f"{layer} ({other.kind})" for layer, other in layers.items())
        raise RecipeError(f"{where} must predict the layer `{head.layer}` with kind {head.kind!r}; it has {known}")
    if (found.span_scheme is None) != (head.span_scheme is None):
        wanted, got = ("entities", "tags without a scheme")[:: 1 if head.span_scheme else -1]
        raise RecipeError(f"{where} must predict {wanted} of `{head.layer}` as the head does, got {got}")
    if head.learns_marginals and found.span_scheme != head.span_scheme:
        raise RecipeError(
            f"{where} must predict tags in the scheme {head.span_scheme} of the head, because probabilities of tags "
            f'cannot be converted, got {found.span_scheme}; use teacher_targets = "tags" or the scheme of the teacher'
        )
    if isinstance(teacher, Recipe) and any(other.teacher for other in teacher.heads.values()):
        raise RecipeError(f"{where} must have no teachers of its own; train it first, and name the folder of its run")


def keeping(teachers: Teachers, keep: Callable[[Features], Features]) -> Teachers:
    """Return the same teachers; what `keep` returns of the features of models keeps their values on disk."""
    return tuple([each.keeping(keep) if isinstance(each, ModelTeacher) else each for each in teachers])


def kept_names(teacher: str | Path, seeds: Sequence[int]) -> list[str]:
    """Return the names of the runs of a teacher that is a recipe: one, or one for each of `teacher_seeds`."""
    name = Path(teacher).stem
    return [f"{name}-seed-{seed}" for seed in seeds] or [name]


def kept_recipe(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe to keep with a run: its models have paths that are valid from anywhere, also those in the run.

    Args:
        recipe: The recipe.
        folder: The folder that the paths of models in it are relative to.
    """
    start, seeds = recipe.start and kept_path(recipe.start, folder), recipe.training.teacher_seeds
    heads = {}
    for name, head in recipe.heads.items():
        if head.teacher is not None:
            kept: list[str] = []
            for teacher in head.teacher:
                trained = _is_recipe(folder / teacher)
                runs = [f"{KEPT}/{run}" for run in kept_names(teacher, seeds)] if trained else []
                kept += runs or [kept_path(teacher, folder)]
            head = head.model_copy(update={"teacher": tuple(kept)})
        heads[name] = head
    training = recipe.training.model_copy(update={"teacher_seeds": ()})
    return recipe.model_copy(update={"heads": heads, "start": start, "training": training})


def _is_recipe(path: Path) -> bool:
    return path.suffix == ".toml" and not path.is_dir()
