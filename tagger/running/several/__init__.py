"""Several runs of one recipe: with different seeds, or one per fold of a cross-validation."""
