"""The kinds of head: for each `kind` in a recipe, the class that is responsible for such heads."""

from collections.abc import Mapping
from typing import Any

from tagger import extensions
from tagger.config import AnyHeadConfig
from tagger.config.kinds import extension_of
from tagger.heads.head import Head
from tagger.heads.label import LabelHead
from tagger.heads.tags import TagHead

KINDS: dict[str, type[Head[Any, Any, Any]]] = {"tokens": TagHead, "sentence": LabelHead}


def head_of(layer: str, config: AnyHeadConfig) -> Head[Any, Any, Any]:
    """Return the head that predicts a layer."""
    own = extension_of(config, config.kind, extensions.Head) if config.kind not in KINDS else None
    kind: type[Head[Any, Any, Any]] = KINDS[config.kind] if own is None else own.head
    return kind(layer, config)


def heads_of(configs: Mapping[str, AnyHeadConfig]) -> dict[str, Head[Any, Any, Any]]:
    """Return the heads by the layer that each predicts."""
    return {layer: head_of(layer, config) for layer, config in configs.items()}
