"""A sentence and its tags."""
