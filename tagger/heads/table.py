"""The kinds of head: for each `kind` in a recipe, the class that is responsible for such heads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tagger import extensions
from tagger.config import AnyHeadConfig
from tagger.config.kinds import extension_of
from tagger.errors import ModelError
from tagger.extensions import running
from tagger.heads.head import Arrays, Head, Names
from tagger.heads.label import LabelHead
from tagger.heads.tags import TagHead
from tagger.heads.values import ValuesHead
from tagger.text.schemes import Scheme
from tagger.text.sentence import Layer
from tagger.wording import counted, shorten

KINDS: dict[str, type[Head[Any, Any, Any]]] = {"tokens": TagHead, "sentence": LabelHead, "values": ValuesHead}


def head_of(layer: str, config: AnyHeadConfig) -> Head[Any, Any, Any]:
    """Return the head that predicts a layer."""
    own = extension_of(config, config.kind, extensions.Head) if config.kind not in KINDS else None
    kind: type[Head[Any, Any, Any]] = KINDS[config.kind] if own is None else own.head
    return kind(layer, config)


def heads_of(configs: Mapping[str, AnyHeadConfig]) -> dict[str, Head[Any, Any, Any]]:
    """Return the heads by the layer that each predicts."""
    return {layer: head_of(layer, config) for layer, config in configs.items()}


def predicted_layers(
    head: Head[Any, Any, Any], arrays: Arrays, names: Names, lengths: Sequence[int], shown: Scheme | None
) -> Iterable[Layer]:
    """Return the predicted layer of each sentence of a batch; the arguments are those of `Head.layers`.

    Raises:
        ModelError: The head is an extension, and does not return a layer of its type for each sentence.
    """
    if head.config.kind in KINDS:
        return head.layers(arrays, names, lengths, shown)
    where = f"heads.{head.layer}: the head `{head.config.kind}`"
    with running(where, ModelError):
        found = list(head.layers(arrays, names, lengths, shown))
    if len(found) != len(lengths) or not all(isinstance(layer, head.layer_type) for layer in found):
        raise ModelError(
            f"{where} must yield a {head.layer_type.__name__} for each of {counted(len(lengths), 'sentence')}, got "
            f"{shorten(found)}; correct its `layers`"
        )
    return found
