"""Small reports for tests of comparisons: gold and predicted layers that are written out by hand."""

from collections.abc import Sequence
from typing import Any

from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.reporting.report import Report, signature_of
from tagger.text.sentence import Sentence, TagLayer


def entity_report(gold: Sequence[str], predicted: Sequence[str], *, documents: Sequence[str] | None = None) -> Report:
    """A report on entities; each sentence is written as its IOB2 tags with blanks between them."""
    names = documents or [None] * len(gold)
    sides = [
        tuple(
            Sentence.from_tokens(
                [f"w{i}" for i in range(len(tags.split()))],
                {"ner": TagLayer(tuple(tags.split()), "iob2", "iob2")},
                document=name,
            )
            for tags, name in zip(side, names, strict=True)
        )
        for side in (gold, predicted)
    ]
    return report_of(EntityLayer("ner", *sides, "iob2"))


def tag_report(gold: Sequence[str], predicted: Sequence[str]) -> Report:
    """A report on tags without spans; each sentence is written as its tags with blanks between them."""
    sides = [
        tuple(
            Sentence.from_tokens([f"w{i}" for i in range(len(tags.split()))], {"upos": tags.split()}) for tags in side
        )
        for side in (gold, predicted)
    ]
    return report_of(TokenLayer("upos", *sides))


def label_report(gold: str, predicted: str) -> Report:
    """A report on labels, written with blanks between them."""
    sides = [
        tuple(Sentence.from_tokens([f"w{i}"], {"mood": label}) for i, label in enumerate(side.split()))
        for side in (gold, predicted)
    ]
    return report_of(ClassLayer("mood", *sides))


def report_of(*layers: ScoredLayer, **known: Any) -> Report:
    """A report on layers, with what is known for its signature."""
    named = {layer.name: layer for layer in layers}
    return Report(named, signature_of(named, **known))
