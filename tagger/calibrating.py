"""Heads whose probabilities are what they say: what dev teaches a model once training is over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from tagger.data.batches import batches_by_length, encode
from tagger.data.sentence import Sentence, TagLayer
from tagger.errors import DataError
from tagger.evaluation import dev_scores
from tagger.metrics.calibration import fit_temperature, log_loss
from tagger.model.model import Model
from tagger.model.network import to_tensors
from tagger.nn.calibration import HeldOut, calibrate_tokens
from tagger.nn.heads import TokensHead
from tagger.tagging import Tagger

Tell = Callable[[str], None]
Facts = dict[str, dict[str, float]]

BATCH_TOKENS = 4096
OUTSIDE = "O"


def calibrate(
    model: Model, dev: Sequence[Sentence], trained: Mapping[str, float], tell: Tell
) -> tuple[Model, dict[str, object]]:
    """The model with each head calibrated that asks for it, and for each of their layers how that was done.

    Scores of tags are changed in the weights themselves, scores of classes when they become probabilities.

    Args:
        model: Its network is changed.
        dev: Sentences that it was not trained on.
        trained: The dev score of each layer as training left it.
        tell: Is told what was found.

    Raises:
        DataError: No dev sentence has only labels of a layer that train has.
    """
    heads = {layer: head for layer, head in model.heads.items() if head.calibrate}
    facts: Facts = {}
    temperatures = {}
    for layer, head in heads.items():
        if head.kind == "sentence":
            facts[layer] = _calibrate_classes(model, layer, dev)
            temperatures[layer] = facts[layer]["temperature"]
        else:
            facts[layer] = _calibrate_tags(model, layer, dev)
    model.network.set_temperatures(temperatures)
    model = replace(model, config=model.config.model_copy(update={"temperatures": temperatures}))
    if heads.keys() - temperatures.keys():
        after = dev_scores(dev, Tagger(model, cache=False).predict(dev), model)
        for layer in heads.keys() - temperatures.keys():
            facts[layer].update(dev_before=trained[layer], dev_after=after[layer])
    for layer, found in facts.items():
        tell(_note(layer, found))
    return model, dict(facts)


def _calibrate_classes(model: Model, layer: str, dev: Sequence[Sentence]) -> dict[str, float]:
    """The temperature of a sentence head that makes gold classes the most likely; nothing is changed."""
    ids = {name: i for i, name in enumerate(model.vocabulary.labels[layer])}
    known = [s for s in dev if layer in s.layers and s.label(layer).value in ids]
    _check_any(known, f"a class of `{layer}`")
    scores = [list((s.label(layer).scores or {}).values()) for s in Tagger(model, cache=False).predict(known)]
    gold = [ids[s.label(layer).value] for s in known]
    temperature = fit_temperature(scores, gold)
    before, after = log_loss(scores, gold), log_loss(scores, gold, temperature=temperature)
    return {"sentences": len(known), "temperature": temperature, "loss_before": before, "loss_after": after}


def _calibrate_tags(model: Model, layer: str, dev: Sequence[Sentence]) -> dict[str, float]:
    """Change a tokens head so that gold tags are the most likely."""
    scheme, names = model.heads[layer].span_scheme, model.vocabulary.labels[layer]
    carried = [s for s in dev if isinstance(s.layers.get(layer), TagLayer)]
    known = [s for s in carried if set(s.tags(layer, scheme=scheme)) <= set(names)]
    _check_any(known, f"only tags of `{layer}`")
    encoded = encode(known, model.vocabulary, {layer: scheme})
    sentences = []
    with torch.no_grad():
        for rows in batches_by_length(encoded.lengths, BATCH_TOKENS):
            batch = to_tensors(encoded.batch(rows), model.network.device)
            sentences.append(HeldOut(model.network.states(batch), batch.mask, batch.targets[layer]))
    tags = {tag for s in known for tag in s.tags(layer, scheme=scheme)}
    shifts = scheme is not None and OUTSIDE in tags and len(tags) > 1
    head = model.network.heads[layer]
    assert isinstance(head, TokensHead)
    found = calibrate_tokens(head, sentences, shifted=list(names).index(OUTSIDE) if shifts else None)
    facts = {"sentences": len(known), "temperature": found.temperature}
    shift = {"outside": found.shift} if shifts else {}
    return {**facts, **shift, "loss_before": found.before, "loss_after": found.after}


def _check_any(known: Sequence[Sentence], wanted: str) -> None:
    if not known:
        raise DataError(f"no dev sentence has {wanted} that train has, so none can calibrate the head")


def _note(layer: str, found: Mapping[str, float]) -> str:
    shift = f", `{OUTSIDE}` shifted by {found['outside']:.3f}" if "outside" in found else ""
    dev = f"; dev {found['dev_before']:.4f} before and {found['dev_after']:.4f} after" if "dev_after" in found else ""
    return (
        f"calibrated `{layer}` on {found['sentences']} dev sentences: temperature {found['temperature']:.3f}{shift}, "
        f"log loss {found['loss_before']:.4f} before and {found['loss_after']:.4f} after{dev}"
    )
