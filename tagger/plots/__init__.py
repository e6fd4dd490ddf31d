"""Pictures of predictions and of trained models, displayed in a notebook or saved as HTML, SVG or PNG.

    from tagger import plots

    plots.attention(model.tag("A film that is anything but dull.")).save("attention.html")

SVG and PNG need matplotlib, which is in the extra `plots`.
"""

from tagger.plots.attention_picture import attention
from tagger.plots.entity_page import entities
from tagger.plots.heat_maps import marginals, transitions
from tagger.plots.learning_curves import curves
from tagger.plots.picture import Picture, check_path
from tagger.plots.reports.picture import report
from tagger.plots.search import trials
from tagger.plots.sequences.picture import sequence

__all__ = [
    "Picture",
    "attention",
    "check_path",
    "curves",
    "entities",
    "marginals",
    "report",
    "sequence",
    "transitions",
    "trials",
]
