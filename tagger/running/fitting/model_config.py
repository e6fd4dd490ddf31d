"""The configuration of a new model, from its recipe and its corpora."""

from collections.abc import Callable, Mapping
from importlib.metadata import version

from tagger.config import CorpusConfig, ReadingConfig, Recipe
from tagger.corpus.corpus import Corpus
from tagger.errors import RecipeError
from tagger.features.table import Features
from tagger.model.config import FORMAT, OLDER, ModelConfig
from tagger.text.schemes import Scheme
from tagger.text.tokenization import TextRules

Tell = Callable[[str], None]


def config_of(
    recipe: Recipe,
    corpora: Mapping[str, Corpus],
    *,
    rules: TextRules,
    dimension: int,
    features: Features,
    tell: Tell,
) -> ModelConfig:
    """Return the configuration of a new model.

    Args:
        recipe: Gives the sizes of the layers, the heads, and the keys of the corpora.
        corpora: The corpora of the recipe, in its order.
        rules: How the model splits raw text.
        dimension: Width of a word vector.
        features: The features of words and sentences, by name.
        tell: Called with a note on a layer that is in several schemes.

    Raises:
        RecipeError: The tags of a layer that are learned as they are written are in several schemes.
    """
    return ModelConfig(
        format=FORMAT if features or recipe.embeddings.quantize else OLDER,
        version=version("tagger-bilstm"),
        tokenizer=rules.name,
        embeddings=recipe.embeddings,
        encoder=recipe.encoder,
        heads=recipe.layers,
        vector_dimension=dimension,
        schemes=_file_schemes(recipe, corpora, tell),
        features={name: feature.config for name, feature in features.items()},
        feature_widths={name: feature.width for name, feature in features.items()},
        reading={name: _reading(config, corpora[name]) for name, config in recipe.all_corpora().items()},
    )


def _file_schemes(recipe: Recipe, corpora: Mapping[str, Corpus], tell: Tell) -> dict[str, Scheme | None]:
    """Return the scheme in which the tags of each layer are written: that of its first corpus."""
    schemes: dict[str, Scheme | None] = {}
    for name, corpus in corpora.items():
        for layer, scheme in corpus.schemes.items():
            if layer not in recipe.layers or schemes.setdefault(layer, scheme) == scheme:
                continue
            if recipe.layers[layer].span_scheme is None:
                raise RecipeError(
                    f"corpus `{name}`: layer `{layer}` must be in the same scheme in all corpora, got {scheme} "
                    f'beside {schemes[layer]}; give its head a scheme such as "bioes", which all are converted to'
                )
            tell(f"layer `{layer}` is in several schemes; tags are given back as {schemes[layer]}")
    return schemes


def _reading(config: CorpusConfig, corpus: Corpus) -> ReadingConfig:
    """Return how the files of a corpus are read, with the scheme that was found in them."""
    found = {scheme for scheme in corpus.schemes.values() if scheme is not None}
    return config.reading().model_copy(
        update={"scheme": found.pop()} if len(found) == 1 and config.scheme != "io" else {}
    )
