"""Ask the teachers of a recipe for what training sentences lack."""

from collections.abc import Mapping, Sequence

from tagger.config import AnyHeadConfig, Recipe
from tagger.encoding.batches import EncodedSentences
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError
from tagger.heads.lessons import Lesson
from tagger.heads.table import head_of
from tagger.running.teachers.finding import Teachers
from tagger.running.teachers.label_files import LabelFile, Tell
from tagger.running.teachers.models import ModelTeacher
from tagger.text.sentence import Sentence
from tagger.wording import counted


def check_taught(recipe: Recipe, train: Sequence[Sentence]) -> None:
    """Refuse a teacher that has no sentence to label.

    A sentence that training adds has the layer whose entities were replaced, and lacks the layers of other tags.

    Raises:
        RecipeError: Every train sentence already has the layer of its head, and so have those that training adds.
    """
    adds = recipe.training.mention_replacement or recipe.training.token_replacement
    replaced = {layer for layer, head in recipe.layers.items() if adds and head.span_scheme is not None}
    for name, head in recipe.heads.items():
        if head.teacher is not None and not replaced - {head.layer} and not any(_asked(train, head)):
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
        recipe: Names the teachers of each head. Because of `keep`, that may be the model in `start`.
        vocabulary: Gives the ids of labels.
        tell: Called with a note on each head that has teachers.

    Raises:
        RecipeError: A teacher predicts a label that no train sentence has.
    """
    for name, config in recipe.heads.items():
        if config.teacher is None:
            continue
        taught_by = [each for value in config.teacher for each in teachers[value]]
        if recipe.keep is not None and config.teacher == (recipe.start,):
            encoded = _with_kept(encoded, sentences, taught_by, config, vocabulary, tell)
            continue
        asked = _asked(sentences, config)
        verb = "labels" if len(config.teacher) == 1 else "label"
        most = "at most " if any(isinstance(each, LabelFile) for each in taught_by) else ""  # a note says what it lacks
        tell(f"{', '.join(config.teacher)} {verb} `{config.layer}` in {most}{counted(sum(asked), 'sentence')}")
        lesson = Lesson(sentences, asked, taught_by, vocabulary, f"heads.{name}.teacher", tell)
        encoded = head_of(config.layer, config).learn(encoded, lesson)
    return encoded


def _with_kept(
    encoded: EncodedSentences,
    sentences: Sequence[Sentence],
    teachers: Sequence[ModelTeacher | LabelFile],
    config: AnyHeadConfig,
    vocabulary: Vocabulary,
    tell: Tell,
) -> EncodedSentences:
    """Return the ids of sentences, with what the model in `start` says where gold leaves the labels of a head open."""
    known = [label for each in teachers if isinstance(each, ModelTeacher) for label in each.labels(config.layer)]
    tell(f"asking the model in `start` about `{config.layer}`")
    lesson = Lesson(sentences, [True] * len(sentences), teachers, vocabulary, "keep", tell, known)
    return head_of(config.layer, config).learn(encoded, lesson)
