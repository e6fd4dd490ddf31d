"""`tagger annotate`: texts that a person annotates with a model in the loop."""
