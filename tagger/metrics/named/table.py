"""The scores that a head may name in `metrics`; `tagger/extensions.py` has the same names."""

from collections.abc import Callable, Mapping, Sequence

from tagger.metrics.named.segments import q3, segment_f1, segment_f1_50
from tagger.text.sentence import Sentence

Score = Callable[[Sequence[Sentence], Sequence[Sentence], str], float | None]
NAMED: Mapping[str, Score] = {"Q3": q3, "segment_f1": segment_f1, "segment_f1_50": segment_f1_50}
