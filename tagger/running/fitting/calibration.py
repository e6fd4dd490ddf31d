"""Calibration after training: probabilities are fitted to the dev set, for each head that asks for it."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch

from tagger.config import AnyHeadConfig
from tagger.encoding.batches import batches_by_length, most_rows
from tagger.encoding.packed import Packed, pack
from tagger.encoding.vocabulary import label_names
from tagger.errors import DataError
from tagger.evaluation import dev_scores
from tagger.features.passages import Passage, passages_of
from tagger.features.table import longest_context
from tagger.heads.head import Head, HeldOutSentences
from tagger.heads.table import head_of, heads_of
from tagger.inference.predict import CHUNK, encoded_for, predict_passages
from tagger.inference.torch_backend import TorchBackend
from tagger.model.network import TorchModel, to_tensors
from tagger.nn.calibration import HeldOut
from tagger.tagging import Tagger
from tagger.text.gaps import known_of
from tagger.text.sentence import Sentence

Facts = dict[str, dict[str, float]]

BATCH_TOKENS = 4096  # with padding


def check_calibrated(
    heads: Mapping[str, AnyHeadConfig],
    train: Packed,
    dev: Sequence[Sentence],
    labels: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Refuse a head that should be calibrated but that no dev sentence can calibrate.

    Args:
        heads: The heads of the recipe by layer.
        train: The train sentences.
        dev: The dev sentences.
        labels: Labels of layers that the network knows before training.

    Raises:
        DataError: Every dev sentence with its layer has a label that train lacks, or they are too few for the head.
    """
    for layer, config in heads.items():
        if not config.calibrate:
            continue
        names = label_names(train, layer, config.span_scheme, (labels or {}).get(layer, ()))
        known = _known(dev, layer, config, names)
        head_of(layer, config).check_dev([dev[i] for i in known])
        if not known:
            raise DataError(
                f"heads.{layer}.calibrate: there must be a dev sentence whose labels of `{layer}` all occur in train, "
                f"got none; remove the key or add such sentences to dev"
            )


def calibrate(model: TorchModel, dev: Sequence[Sentence], trained: Mapping[str, float]) -> tuple[TorchModel, Facts]:
    """Return the model with its heads calibrated, and for each calibrated layer what was fitted.

    A shift of `O` is left out if it lowers the dev score: probabilities are for the reader, tags for everybody.

    Args:
        model: A model that passed `check_calibrated` and is not calibrated yet; its network is changed.
        dev: Sentences that it was not trained on.
        trained: The dev score of each layer after training.
    """
    heads = {layer: head for layer, head in heads_of(model.heads).items() if head.config.calibrate}
    trained_heads = {layer: deepcopy(model.network.heads[layer].state_dict()) for layer in heads}
    pairs = list(passages_of(dev, longest_context(model.features)))

    def fit(layer: str, *, shift: bool = True) -> dict[str, float]:
        names, network = model.vocabulary.labels[layer], model.network.heads[layer]
        known = _known(dev, layer, heads[layer].config, names)
        counts = {"sentences": len(known), "left_out": sum(layer in s.layers for s in dev) - len(known)}
        held_out = _held_out(model, layer, [pairs[i] for i in known])
        return {**counts, **heads[layer].calibrate(network, names, held_out, shift=shift)}

    facts = {layer: fit(layer) for layer in heads}
    temperatures = {layer: facts[layer]["temperature"] for layer, head in heads.items() if head.keeps_temperature}
    model.network.set_temperatures(temperatures)
    temperatures = {**model.config.temperatures, **temperatures}
    model = replace(model, config=model.config.model_copy(update={"temperatures": temperatures}))
    if shifted := [layer for layer, found in facts.items() if "outside" in found]:
        after = dev_scores(dev, Tagger(TorchBackend(model, cache=False)).predict(dev), model, trained)
        for layer in shifted:
            found = facts[layer] | {"dev_before": trained[layer], "dev_after": after[layer]}
            if after[layer] < trained[layer]:  # likelihood chose a shift that costs correct entities
                model.network.heads[layer].load_state_dict(trained_heads[layer])
                refused = {"outside_left_out": found["outside"], "dev_left_out": after[layer]}
                found = fit(layer, shift=False) | refused | {"dev_before": trained[layer]}
            facts[layer] = found
    return model, facts


def describe_calibration(head: Head[Any, Any, Any], found: Mapping[str, float]) -> str:
    """Return a sentence that says what `calibrate` did to the layer of a head."""
    unused = f" ({found['left_out']} unused, because train lacks their labels)" if found["left_out"] else ""
    return f"calibrated `{head.layer}` on {found['sentences']} dev sentences{unused}: {head.said_of_calibration(found)}"


def _known(dev: Sequence[Sentence], layer: str, config: AnyHeadConfig, names: Sequence[str]) -> list[int]:
    """Return the positions of the dev sentences with known labels of a layer, all of which are in `names`."""
    head, known = head_of(layer, config), set(names)
    labels = [(i, known_of(head.labels(s))) for i, s in enumerate(dev) if layer in s.layers]
    return [i for i, found in labels if found and known.issuperset(found)]


def _held_out(model: TorchModel, layer: str, pairs: Sequence[tuple[Sentence, Passage]]) -> HeldOutSentences:
    """Return dev sentences, each with its neighbours in dev, for the head of a layer."""
    sentences = [sentence for sentence, _ in pairs]

    def states() -> list[HeldOut]:
        passages = [passage for _, passage in pairs]
        encoded = encoded_for(model, pack(sentences, [layer]), passages, {layer: model.heads[layer].span_scheme})
        most = most_rows(len(model.vocabulary.labels[layer]))
        found = []
        with torch.no_grad():
            for rows in batches_by_length(encoded.lengths, BATCH_TOKENS, max_rows=most):
                batch = to_tensors(encoded.batch(rows), model.network.device)
                found.append(HeldOut(model.network.states(batch), batch.mask, batch.targets[layer]))
        return found

    def predicted() -> list[Sentence]:
        backend = TorchBackend(model, cache=False)
        return list(predict_passages(pairs, backend, chunk=CHUNK, n_best=0, waits=lambda: False))

    return HeldOutSentences(sentences, predicted, states)
