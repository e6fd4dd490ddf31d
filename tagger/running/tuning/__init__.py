"""`tagger tune`: a search for better values of a recipe."""
