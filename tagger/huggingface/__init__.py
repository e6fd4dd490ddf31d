"""The scores of this library for Hugging Face `evaluate`."""

from pathlib import Path


def metric_folder() -> str:
    """Return the folder of the metric that Hugging Face `evaluate` loads: `evaluate.load(tagger.metric_folder())`.

    Its `compute(predictions=..., references=...)` takes lists of tags, or one label per sentence, and returns the
    scores of `tagger.score` with their interval and signature.
    """
    return str(Path(__file__).parent / "tagger_scores")
