"""Teachers: models that each know a layer already, and what they say of the sentences that a network learns from."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tagger.config import HeadConfig, Recipe, load_recipe
from tagger.encoding.batches import AnyIds, EncodedSentences, Floats, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError, TaggerError
from tagger.tagging import Tagger, load
from tagger.text.schemes import spans_to_tags
from tagger.text.sentence import Sentence, TagLayer

Tell = Callable[[str], None]

KEPT = "teachers"  # in the folder of a run: the runs of its teachers
NEW = "teachers.new"  # the same while the run goes on


def find_teachers(recipe: Recipe, folder: Path, output: Path | None, *, device: str) -> dict[str, Recipe | Tagger]:
    """The recipes and the models that teach, by what `teacher` says in the recipe.

    Args:
        recipe: Whose heads are taught.
        folder: What their paths are relative to.
        output: Folder of the run, which no teacher may be in the place of.
        device: Where models run.

    Raises:
        RecipeError: A teacher is a recipe that is not as it must be, or teaches another layer or kind of head.
        ModelError: A teacher is no recipe and no model either.
    """
    teachers: dict[str, Recipe | Tagger] = {}
    for name, head in recipe.heads.items():
        if head.teacher is None:
            continue
        where, path = f"heads.{name}.teacher", folder / head.teacher
        if output is not None and path.resolve() in (output.resolve(), (output / "model").resolve()):
            raise RecipeError(f"{where}: {path} must not be the folder of this run, which is written anew")
        if head.teacher not in teachers:
            try:
                teachers[head.teacher] = load_recipe(path) if _is_recipe(path) else load(path, device=device)
            except TaggerError as error:
                raise type(error)(f"{where}: {error}") from None
        _check_teacher(f"{where}: {head.teacher}", head, teachers[head.teacher])
    stems = [Path(name).stem for name, teacher in teachers.items() if isinstance(teacher, Recipe)]
    if len(set(stems)) < len(stems) or any(stem.startswith(".") for stem in stems):
        raise RecipeError(f"teachers must be recipes of different names, got {', '.join(teachers)}; rename one")
    return teachers


def _check_teacher(where: str, head: HeadConfig, teacher: Recipe | Tagger) -> None:
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
    """The recipe as it is kept with a run: recipes of teachers are replaced by their runs, and paths hold anywhere."""
    heads = {}
    for name, head in recipe.heads.items():
        if head.teacher is not None:
            path = folder / head.teacher
            kept = f"{KEPT}/{path.stem}" if _is_recipe(path) else str(path.resolve())
            head = head.model_copy(update={"teacher": kept})
        heads[name] = head
    return recipe.model_copy(update={"heads": heads})


def keep_teachers(run_folder: Path) -> None:
    """Put the runs of new teachers in the place of those of the same names from an earlier run in the folder."""
    new, kept = run_folder / NEW, run_folder / KEPT
    if not new.is_dir():
        return
    kept.mkdir(exist_ok=True)
    for run in new.iterdir():
        if (kept / run.name).is_dir():
            shutil.rmtree(kept / run.name)
        run.rename(kept / run.name)
    new.rmdir()


def _is_recipe(path: Path) -> bool:
    return path.suffix == ".toml" and not path.is_dir()


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
    labels: dict[str, Floats] = {}
    for name, head in recipe.heads.items():
        if head.teacher is None:
            continue
        where, teacher, known = f"heads.{name}.teacher", teachers[head.teacher], vocabulary.labels[head.layer]
        taught = _taught(sentences, head)
        tell(f"{head.teacher} tells the `{head.layer}` of {len(taught)} sentences")
        said = list(teacher.predict(taught))
        if head.kind == "sentence":
            labels[head.layer] = _probabilities(said, head.layer, known, where, tell)
        else:
            tags[head.layer] = _tags(sentences, said, head, vocabulary, where)
    return replace(encoded, taught_tags=tags, taught_labels=labels)


def _probabilities(said: Sequence[Sentence], layer: str, known: Sequence[str], where: str, tell: Tell) -> Floats:
    """What a teacher thinks of each class, of shape (sentences, classes)."""
    scores = [sentence.label(layer).scores or {} for sentence in said]
    _check_known(scores[0], known, where)
    if silent := [name for name in known if name not in scores[0]]:
        tell(f"{where} does not know {', '.join(silent)}, and so says of every sentence that it is something else")
    return np.array([[each.get(name, 0.0) for name in known] for each in scores], np.float32)


def _tags(
    sentences: Sequence[Sentence], said: Sequence[Sentence], head: HeadConfig, vocabulary: Vocabulary, where: str
) -> AnyIds:
    """The ids of a teacher's tags, of shape (tokens,); missing where there are gold ones."""
    scheme = head.span_scheme
    layers = [s.tag_layer(head.layer) for s in said]
    if scheme is not None:  # tags of the entities that it predicts, for a sequence of its own may break the scheme
        tags = [tuple(spans_to_tags(s.boundaries(head.layer), len(s), scheme)) for s in said]
        layers = [TagLayer(each, scheme) for each in tags]
    _check_known({tag for layer in layers for tag in layer.tags}, vocabulary.labels[head.layer], where)
    left = iter(layers)
    filled = [
        replace(s, layers={} if isinstance(s.layers.get(head.layer), TagLayer) else {head.layer: next(left)})
        for s in sentences
    ]
    return encode(pack(filled, [head.layer]), vocabulary, {head.layer: scheme}).tag_targets[head.layer]


def _check_known(labels: Mapping[str, float] | set[str], known: Sequence[str], where: str) -> None:
    if unknown := sorted(set(labels) - set(known)):
        raise RecipeError(
            f"{where}: what it predicts must stand in train, got {', '.join(unknown)} where train has "
            f"{', '.join(known)}; name a teacher that has learned the same labels"
        )
