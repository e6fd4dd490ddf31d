"""The metric that `evaluate.load(tagger.metric_folder())` loads. `evaluate` copies this file and imports the copy.

`From:` tells it the name under which pip finds the package of an import.
"""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from tagger.running.predictions import score  # From: tagger-bilstm
from tagger.text.schemes import Scheme  # From: tagger-bilstm
from tagger.text.sentence import Label, Sentence  # From: tagger-bilstm

LAYER = "scores"
ABOUT = """Scores of sequence labelling with a 95 % interval and a signature: entities by seqeval, strict in the scheme
of the gold tags, or the accuracy of tags without spans, or of one label per sentence."""
INPUTS = """
Args:
    predictions: The predicted tags of each sentence, such as [["B-PER", "O"]], or one label per sentence.
    references: The gold tags or labels.
    scheme: Tag scheme of both: iob1, iob2, bioes, bilou or io. Default: detected.
"""
TAGS = datasets.Features(
    {side: datasets.Sequence(datasets.Value("string"), id="tag") for side in ("predictions", "references")}
)
LABELS = datasets.Features({side: datasets.Value("string", id="label") for side in ("predictions", "references")})


class TaggerScores(evaluate.Metric):  # type: ignore[misc]
    """The scores of predicted tags or labels."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(description=ABOUT, citation="", inputs_description=INPUTS, features=[TAGS, LABELS])

    def _compute(
        self, predictions: Sequence[Any], references: Sequence[Any], scheme: Scheme | None = None
    ) -> dict[str, Any]:
        for number, (found, gold) in enumerate(zip(predictions, references, strict=True)):
            if not isinstance(gold, str) and len(found) != len(gold):
                raise ValueError(
                    f"sentence {number}: must have as many predicted tags as gold tags, got {len(found)} for "
                    f"{len(gold)}"
                )
        report = score(*([_sentence(each) for each in side] for side in (references, predictions)), scheme=scheme)
        values = report.to_dict()
        return {**values["scores"][LAYER], "signature": values["signature"]}


def _sentence(value: str | Sequence[str]) -> Sentence:
    """Return a sentence with a label or tags; its words do not matter."""
    if isinstance(value, str):
        return Sentence.from_tokens(["w"], {LAYER: Label(value)})
    return Sentence.from_tokens(["w"] * len(value), {LAYER: list(value)})
