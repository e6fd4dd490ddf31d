"""Pictures of what a tagger sees and has learned: each shows itself in a notebook and is saved as HTML, SVG or PNG.

    from tagger import plots

    plots.attention(model.tag("A film that is anything but dull.")).save("attention.html")

HTML needs nothing; SVG and PNG need matplotlib, the extra `plots`. Tagging is the business of others.
"""

from tagger.plots.attention_picture import attention
from tagger.plots.entity_page import entities
from tagger.plots.heat_maps import marginals, transitions
from tagger.plots.learning_curves import curves
from tagger.plots.picture import Picture

__all__ = ["Picture", "attention", "curves", "entities", "marginals", "transitions"]
