"""A recipe from start to end."""
