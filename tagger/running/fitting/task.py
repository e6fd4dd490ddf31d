"""What the network of a model learns: train sentences as arrays, with the labels that teachers add."""

from collections.abc import Callable, Mapping, Sequence

from tagger.config import Recipe
from tagger.corpus.augmentation import with_copies
from tagger.encoding.packed import Packed
from tagger.features.passages import joined
from tagger.features.table import passages_for
from tagger.heads.table import heads_of
from tagger.hub.lazy import packed_of
from tagger.inference.predict import encoded_for
from tagger.model.network import TorchModel
from tagger.running.teachers.asking import with_teachers
from tagger.running.teachers.finding import Teachers
from tagger.text.sentence import Sentence
from tagger.training.task import Task, share_epoch
from tagger.wording import counted, quoted

Tell = Callable[[str], None]


def task_of(
    model: TorchModel,
    recipe: Recipe,
    train: Mapping[str, Sequence[Sentence]],
    packed: Packed,
    teachers: Mapping[str, Teachers],
    tell: Tell,
) -> Task:
    """Return what the network of a model learns.

    Args:
        model: The model; its heads learn from the labels what they need before training.
        recipe: The recipe of the run.
        train: The train sentences of each corpus, by its name.
        packed: All of them.
        teachers: The teachers, by each value of `teacher` in the recipe.
        tell: Called with notes on what is added to the sentences and on their shares.
    """
    gold = {layer: head for layer, head in recipe.layers.items() if packed.has(layer)}  # others have only teachers
    schemes = {layer: head.span_scheme for layer, head in gold.items()}
    parts = list(train.values())
    learned = of_parts(parts)
    if recipe.training.copies:
        layers = [layer for layer, scheme in schemes.items() if scheme is not None]
        parts, added = with_copies(parts, layers, recipe.training, seed=recipe.seed)
        tell(f"train has {counted(added, 'added sentence')}: changed copies ({quoted(recipe.training.copies)})")
        learned = of_parts(parts)
        packed = packed_of(learned, gold)
    encoded = encoded_for(model, packed, passages_for(model.features, learned), schemes)
    encoded = with_teachers(encoded, learned, teachers, recipe=recipe, vocabulary=model.vocabulary, tell=tell)
    for layer, head in heads_of(model.heads).items():
        for note in head.prepare(model.network.heads[layer], encoded, model.vocabulary.labels[layer]):
            tell(note)
    sizes = {name: len(part) for name, part in zip(train, parts, strict=True)}
    return Task(
        encoded,
        recipe.training,
        parts=list(zip(sizes.values(), _shares(recipe, sizes, tell), strict=True)),
        head_weights={layer: head.weight for layer, head in recipe.layers.items()},
        taught_weights={layer: head.weight * head.teacher_weight for layer, head in recipe.layers.items()},
        seed=recipe.seed,
        place=lambda row: _place(learned[row]),
    )


def _place(sentence: Sentence) -> str:
    return sentence.origin.at(0) if sentence.origin is not None else ""


def _shares(recipe: Recipe, sizes: Mapping[str, int], tell: Tell) -> list[int]:
    """Return the number of sentences that an epoch has of each corpus, given how many there are."""
    weights = [config.weight for config in recipe.all_corpora().values()]
    drawn = share_epoch(list(sizes.values()), weights, recipe.training.sampling)
    if drawn != list(sizes.values()):
        shares = [f"{n} of {size} {name}" for (name, size), n in zip(sizes.items(), drawn, strict=True)]
        tell(f"an epoch has {', '.join(shares)} sentences")
    return drawn


def of_parts(parts: Sequence[Sequence[Sentence]]) -> Sequence[Sentence]:
    """Return the train sentences of all corpora; those of a single corpus unchanged, because they may be lazy."""
    return parts[0] if len(parts) == 1 else joined(parts)
