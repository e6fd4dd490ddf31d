"""`tagger annotate` in Python: projects of texts that a person judges with a model in the loop."""

from tagger.annotation.agreement import Agreement
from tagger.annotation.items import Item, Suggestion
from tagger.annotation.judgements import Judged
from tagger.annotation.merging import merge
from tagger.annotation.project import Project

__all__ = ["Agreement", "Item", "Judged", "Project", "Suggestion", "merge"]
