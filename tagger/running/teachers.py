"""Teachers: trained models, or files with labels, from which a network learns what training sentences lack."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

from tagger.config import AnyHeadConfig, Recipe, load_recipe
from tagger.encoding.batches import EncodedSentences
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError, TaggerError
from tagger.features.passages import by_document
from tagger.features.table import longest_context
from tagger.heads.lessons import Lesson, Opinion
from tagger.heads.table import head_of
from tagger.inference.predict import tag_marginals
from tagger.running.label_files import LabelFile, check_layer, read_label_file
from tagger.running.several.found import has_model, runs_in
from tagger.tagging import Tagger, load
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence
from tagger.wording import counted

Tell = Callable[[str], None]
Teachers = tuple["ModelTeacher | LabelFile", ...]  # of one value of `teacher`: a folder may have several runs

KEPT = "teachers"  # folder within a run folder: the runs of its teachers


@dataclass(frozen=True, slots=True)
class ModelTeacher:
    """A model that teaches."""

    tagger: Tagger

    def predict(self, sentences: Sequence[Sentence], asked: Sequence[bool]) -> Iterator[Sentence]:
        """Yield those sentences that are asked about, with the layers that the model predicts."""
        read, flags = self._read(sentences, asked)
        return compress(self.tagger.predict(read), flags)

    def opinions(
        self, sentences: Sequence[Sentence], asked: Sequence[bool], layer: str, scheme: Scheme | None
    ) -> Iterator[Opinion]:
        """Yield the probabilities of the tags of each sentence asked about; they are in the scheme of the model."""
        names, (read, flags) = self.tagger.model.vocabulary.labels[layer], self._read(sentences, asked)
        return (Opinion(names, found[layer]) for found in compress(tag_marginals(read, self.tagger.backend), flags))

    def _read(self, sentences: Sequence[Sentence], asked: Sequence[bool]) -> tuple[list[Sentence], list[bool]]:
        """Return the sentences to read, and whether each is asked about: all of a document, if the model reads context.

        Documents get names of their own, so that two of the same name stay apart where one between them is not read.
        """
        if not longest_context(self.tagger.model.features):
            return list(compress(sentences, asked)), [True] * sum(asked)
        read, left = list[tuple[Sentence, bool]](), iter(asked)
        for number, document in enumerate(by_document(sentences)):
            part = [(s if s.document is None else replace(s, document=str(number)), next(left)) for s in document]
            read += part if any(is_asked for _, is_asked in part) else []
        return [sentence for sentence, _ in read], [is_asked for _, is_asked in read]


def find_teachers(
    recipe: Recipe, folder: Path, output: Path | None, *, device: str, tell: Tell = lambda _: None
) -> dict[str, Recipe | Teachers]:
    """Return the recipes, models and files that teach, by each value of `teacher` in the recipe.

    Args:
        recipe: The recipe with the heads to teach.
        folder: The folder that paths of teachers are relative to.
        output: Folder of the run; neither it nor its neighbours in a folder of several runs can be teachers.
        device: Where models run.
        tell: Called with a note on labels of a file that cannot be placed, when they are taught.

    Raises:
        RecipeError: The recipe of a teacher is invalid, or its layer or kind of head is another than that of the head.
        ModelError: A teacher is neither a recipe, a model nor a file.
        DataError: A file with labels cannot be read.
    """
    teachers: dict[str, Recipe | Teachers] = {}
    for name, head in recipe.heads.items():
        for teacher in head.teacher or ():
            where, path = f"heads.{name}.teacher", folder / teacher
            if output is not None:
                _check_place(where, path, output)
            if teacher not in teachers:
                try:
                    teachers[teacher] = _found(path, device, tell)
                except TaggerError as error:
                    raise type(error)(f"{where}: {error}") from None
            found = teachers[teacher]
            for each in (found,) if isinstance(found, Recipe) else found:
                _check_teacher(f"{where}: {teacher}", head, each)
    stems = [Path(name).stem for name, teacher in teachers.items() if isinstance(teacher, Recipe)]
    if len(set(stems)) < len(stems) or any(stem.startswith(".") for stem in stems):
        raise RecipeError(f"recipes of teachers must have different file names, got {', '.join(teachers)}; rename one")
    return teachers


def _check_place(where: str, path: Path, output: Path) -> None:
    """Refuse a teacher that the run would replace, and a folder of several runs in which this one is kept too."""
    teacher, run = path.resolve(), output.resolve()
    replaced = [folder for folder in (run / "model", run / KEPT) if teacher.is_relative_to(folder)]
    if teacher == run or (replaced and teacher.is_dir()):
        raise RecipeError(
            f"{where}: {path} must not be the folder of this run or in it, because the run replaces it; use another "
            f"--output, got {output}"
        )
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


def _check_teacher(where: str, head: AnyHeadConfig, teacher: "Recipe | ModelTeacher | LabelFile") -> None:
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


def with_kept_teachers(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe to keep with a run: teachers have paths that are valid from anywhere, also those in the run."""
    heads = {}
    for name, head in recipe.heads.items():
        if head.teacher is not None:
            paths = [folder / teacher for teacher in head.teacher]
            kept = tuple([f"{KEPT}/{path.stem}" if _is_recipe(path) else str(path.resolve()) for path in paths])
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
        if head.teacher is not None and not any(_asked(train, head)):
            raise RecipeError(
                f"heads.{name}.teacher has no effect, because every train sentence has `{head.layer}`; remove it"
            )


def _asked(sentences: Sequence[Sentence], config: AnyHeadConfig) -> list[bool]:
    """Return whether the teachers of a head are asked about each sentence."""
    head = head_of(config.layer, config)
    return [head.asks_teacher(sentence) for sentence in sentences]


def with_teachers(
    encoded: EncodedSentences,
    sentences: Sequence[Sentence],
    teachers: Mapping[str, Teachers],
    *,
    recipe: Recipe,
    vocabulary: Vocabulary,
    tell: Tell,
) -> EncodedSentences:
    """Return the ids of sentences, with the targets that teachers give.

    Args:
        encoded: The ids.
        sentences: The sentences.
        teachers: The teachers, by each value of `teacher` in the recipe.
        recipe: Names the teachers of each head.
        vocabulary: Gives the ids of labels.
        tell: Called with a note on each head that has teachers.

    Raises:
        RecipeError: A teacher predicts a label that no train sentence has.
    """
    for name, config in recipe.heads.items():
        if config.teacher is None:
            continue
        asked, taught_by = _asked(sentences, config), [each for value in config.teacher for each in teachers[value]]
        verb = "labels" if len(config.teacher) == 1 else "label"
        tell(f"{', '.join(config.teacher)} {verb} `{config.layer}` in {counted(sum(asked), 'sentence')}")
        lesson = Lesson(sentences, asked, taught_by, vocabulary, f"heads.{name}.teacher", tell)
        encoded = head_of(config.layer, config).learn(encoded, lesson)
    return encoded
