"""Heads whose probabilities are what they say: what dev teaches a model once training is over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from tagger.config import HeadConfig
from tagger.encoding.batches import batches_by_length, encode, most_rows
from tagger.encoding.packed import Packed, pack
from tagger.encoding.vocabulary import label_names
from tagger.errors import DataError
from tagger.evaluation import dev_scores
from tagger.metrics.calibration import fit_temperature, log_loss
from tagger.model.model import Model
from tagger.model.network import to_tensors
from tagger.nn.calibration import FURTHEST, HIGHEST, LOWEST, HeldOut, calibrate_tokens
from tagger.nn.heads import TokensHead
from tagger.tagging import Tagger
from tagger.text.sentence import Sentence

Facts = dict[str, dict[str, float]]

BATCH_TOKENS = 4096  # padding counted
OUTSIDE = "O"


def check_calibrated(heads: Mapping[str, HeadConfig], train: Packed, dev: Sequence[Sentence]) -> None:
    """Refuse a head that nothing in dev can calibrate.

    Raises:
        DataError: No dev sentence has only labels of its layer that train has.
    """
    for layer, head in heads.items():
        if head.calibrate and not _known(dev, layer, head, label_names(train, layer, head.span_scheme)):
            raise DataError(
                f"no dev sentence has only labels of `{layer}` that train has too, so nothing can calibrate the head; "
                f"leave out heads.{layer}.calibrate, or add such sentences"
            )


def calibrate(model: Model, dev: Sequence[Sentence], trained: Mapping[str, float]) -> tuple[Model, Facts]:
    """The model with each head calibrated that asks for it, and for each of their layers how that was done.

    Scores of tags are changed in the weights themselves, scores of classes when they become probabilities.

    Args:
        model: One that passed `check_calibrated` and is not calibrated yet; its network is changed.
        dev: Sentences that it was not trained on.
        trained: The dev score of each layer as training left it.
    """
    facts: Facts = {}
    for layer, head in model.heads.items():
        if head.calibrate:
            fit = _calibrate_classes if head.kind == "sentence" else _calibrate_tags
            facts[layer] = fit(model, layer, dev)
    temperatures = {layer: facts[layer]["temperature"] for layer in facts if model.heads[layer].kind == "sentence"}
    model.network.set_temperatures(temperatures)
    model = replace(model, config=model.config.model_copy(update={"temperatures": temperatures}))
    if shifted := [layer for layer, found in facts.items() if "outside" in found]:
        after = dev_scores(dev, Tagger(model, cache=False).predict(dev), model)
        for layer in shifted:
            facts[layer].update(dev_before=trained[layer], dev_after=after[layer])
    return model, facts


def describe_calibration(layer: str, found: Mapping[str, float]) -> str:
    """What `calibrate` found for a layer, as a sentence."""
    left_out = f" ({found['left_out']} left out, with labels that train lacks)" if found["left_out"] else ""
    shift = f", `{OUTSIDE}` shifted by {found['outside']:.3f}" if "outside" in found else ""
    dev = f"; dev {found['dev_before']:.4f} before and {found['dev_after']:.4f} after" if "dev_after" in found else ""
    at_limit = found["temperature"] / HIGHEST > 0.99 or found["temperature"] / LOWEST < 1.01
    at_limit = at_limit or abs(found.get("outside", 0.0)) / FURTHEST > 0.99
    limit = f"; that is at its limit, so leave out heads.{layer}.calibrate or give it more of dev" if at_limit else ""
    return (
        f"calibrated `{layer}` on dev, sentences: {found['sentences']}{left_out}; temperature "
        f"{found['temperature']:.3f}{shift}; log loss {found['loss_before']:.4f} before and "
        f"{found['loss_after']:.4f} after{dev}{limit}"
    )


def _calibrate_classes(model: Model, layer: str, dev: Sequence[Sentence]) -> dict[str, float]:
    """The temperature of a sentence head that makes gold classes the most likely; nothing is changed."""
    names = model.vocabulary.labels[layer]
    known = _known(dev, layer, model.heads[layer], names)
    scores = [list((s.label(layer).scores or {}).values()) for s in Tagger(model, cache=False).predict(known)]
    gold = [names.index(s.label(layer).value) for s in known]
    temperature = fit_temperature(scores, gold)
    before, after = log_loss(scores, gold), log_loss(scores, gold, temperature=temperature)
    return {**_counts(layer, known, dev), "temperature": temperature, "loss_before": before, "loss_after": after}


def _calibrate_tags(model: Model, layer: str, dev: Sequence[Sentence]) -> dict[str, float]:
    """Change a tokens head so that gold tags are the most likely."""
    scheme, names = model.heads[layer].span_scheme, model.vocabulary.labels[layer]
    known = _known(dev, layer, model.heads[layer], names)
    encoded = encode(pack(known, [layer]), model.vocabulary, {layer: scheme})
    sentences = []
    with torch.no_grad():
        for rows in batches_by_length(encoded.lengths, BATCH_TOKENS, max_rows=most_rows(len(names))):
            batch = to_tensors(encoded.batch(rows), model.network.device)
            sentences.append(HeldOut(model.network.states(batch), batch.mask, batch.targets[layer]))
    tags = {tag for s in known for tag in s.tags(layer, scheme=scheme)}
    shifts = scheme is not None and OUTSIDE in tags and len(tags) > 1
    head = model.network.heads[layer]
    assert isinstance(head, TokensHead)
    shifted = names.index(OUTSIDE) if shifts else None
    found = calibrate_tokens(head, sentences, shifted=shifted)
    changed = {"temperature": found.temperature, **({"outside": found.shift} if shifts else {})}
    return {**_counts(layer, known, dev), **changed, "loss_before": found.before, "loss_after": found.after}


def _known(dev: Sequence[Sentence], layer: str, head: HeadConfig, names: Sequence[str]) -> list[Sentence]:
    """The dev sentences with a layer all of whose labels stand in `names`."""
    carried, there = [s for s in dev if layer in s.layers], set(names)
    if head.kind == "sentence":
        return [s for s in carried if s.label(layer).value in there]
    return [s for s in carried if there.issuperset(s.tags(layer, scheme=head.span_scheme))]


def _counts(layer: str, known: Sequence[Sentence], dev: Sequence[Sentence]) -> dict[str, float]:
    return {"sentences": len(known), "left_out": sum(layer in s.layers for s in dev) - len(known)}
